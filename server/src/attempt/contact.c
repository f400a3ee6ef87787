/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/contact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attempt/sentence.h"
#include "host/address.h"
#include "host/log.h"

static const struct outcome {
    const char *name;
    bool is_failure;
    const char *sentence;
} outcomes[] = {
#define CONTACT_ENTRY(name, is_failure, sentence) [CONTACT_##name] = {#name, is_failure, sentence},
    CONTACT_OUTCOME_MAP(CONTACT_ENTRY)
#undef CONTACT_ENTRY
};

static const char *const kinds[] = {
    [CONTACT_VERSION] = "version",
    [CONTACT_FILE] = "file",
    [CONTACT_LIST] = "list",
    [CONTACT_OTHER] = "other",
};

static const char *const tls_reasons[] = {
#define CONTACT_ENTRY(name, text) [CONTACT_TLS_##name] = (text),
    CONTACT_TLS_REASON_MAP(CONTACT_ENTRY)
#undef CONTACT_ENTRY
};

/* Wire 2.1 (the space at its end is not part of a field's value) and 4.1. */
static const char *const agents[] = {
    [CONTACT_AGENT_NONE] = "",
    [CONTACT_AGENT_CIUPDATE] = ("Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like "
                                "Gecko) Chrome/30.0.1599.101 Safari/537.36"),
    [CONTACT_AGENT_IDF] = "ESP32 HTTP Client/1.0",
};

void contact_sentence(const struct contact *c, char *out, size_t cap)
{
    const struct sentence_word words[] = {
        {"version", c->version[0] ? c->version : "the current version", 0},
        {"file", c->file_name[0] ? c->file_name : "a file without a name", 0},
        {"token", c->token_prefix, 0},
        {"runs", c->headers.version, 0},
        {"reason", contact_tls_reason_text(c->tls_reason), 0},
        {"acked", NULL, c->acked_bytes},
        {"total", NULL, c->total_bytes},
        {"ms", NULL, c->duration_ms},
        {NULL, NULL, 0},
    };

    sentence_fill(outcomes[c->outcome].sentence, words, out, cap);
}

const char *contact_tls_reason_text(enum contact_tls_reason reason)
{
    return tls_reasons[reason];
}

void contact_address_text(const struct contact_peer *peer, char *out, size_t cap)
{
    char text[CONTACT_ADDRESS_BYTES + 8]; /* an IPv6 address, brackets and a port */

    contact_peer_text(peer, text, sizeof text);
    char *colon = strrchr(text, ':');
    if (colon) {
        *colon = '\0';
    }
    const char *start = text[0] == '[' ? text + 1 : text;
    (void)snprintf(out, cap, "%.*s", (int)strcspn(start, "]"), start);
}

void contact_peer_text(const struct contact_peer *peer, char *out, size_t cap)
{
    address_format(peer->address, peer->is_v6, peer->port, out, cap);
}

bool contact_has_words(const struct contact *contact)
{
    const struct contact_headers *h = &contact->headers;

    return contact->other_agent[0] || h->device[0] || h->module_name[0] || h->chip[0] ||
           h->version[0] || h->boot[0] || h->caps[0];
}

const char *contact_user_agent(const struct contact *contact)
{
    return contact->agent == CONTACT_AGENT_OTHER ? contact->other_agent : agents[contact->agent];
}

enum contact_agent contact_agent_of(const char *value, size_t len)
{
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        if (strlen(agents[i]) == len && memcmp(agents[i], value, len) == 0) {
            return (enum contact_agent)i;
        }
    }
    return CONTACT_AGENT_OTHER;
}

bool contact_is_failure(const struct contact *contact)
{
    return outcomes[contact->outcome].is_failure;
}

const char *contact_kind_text(enum contact_kind kind)
{
    return kinds[kind];
}

const char *contact_outcome_text(enum contact_outcome outcome)
{
    return outcomes[outcome].name;
}

void contact_log(const struct contact *contact)
{
    char peer[CONTACT_ADDRESS_BYTES];
    char sentence[CONTACT_SENTENCE_BYTES];

    contact_peer_text(&contact->peer, peer, sizeof peer);
    contact_sentence(contact, sentence, sizeof sentence);
    log_event(contact_is_failure(contact) ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "contact",
              "kind=%s outcome=%s mode=%d peer=%s status=%u product=%" PRId64
              " token=%s device=\"%s\" agent=\"%s\" sent_bytes=%" PRIu64 " duration_ms=%" PRIu32
              " text=\"%s\"",
              contact_kind_text(contact->kind), outcomes[contact->outcome].name, (int)contact->mode,
              peer, contact->status, contact->product_id,
              contact->token_prefix[0] ? contact->token_prefix : "-", contact->headers.device,
              contact_user_agent(contact), contact->sent_bytes, contact->duration_ms, sentence);
}
