/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "analyse/rows.h"
#include "analyse/signature.h"
#include "host/hashes.h"

/* Rows 19 and 20, what stands behind an image or a package, and row 34, where it calls home. */

#define BLOCKS_MAX        3u
#define CHIP_ESP32        0x0000
#define CHIP_ESP32C2      0x000C
#define TOKEN_SHOWN_CHARS 6
#define REMEDY_SIGN       "sign it with espsecure and the key of your modules"
#define KEY_HEX_BYTES     (2 * ALOFT_SHA256_BYTES + 1)

/* Not required: a damaged block is as good as any other junk. Required: row 20 says what is wrong
 * with it. */
bool has_readable_signature(const struct subject *s)
{
    return tail_has_signature(&s->tail) &&
           (s->rules->requires_signature || signature_is_whole(s->tail.sector));
}

static void judge_tail(struct subject *s, const struct row *row)
{
    uint64_t signed_bytes = tail_sector_off(&s->tail) + ALOFT_SIGNATURE_BYTES;

    if (s->tail.is_ff) {
        pass(s, row);
    } else if (!has_readable_signature(s)) {
        REFUSE(s, row->code,
               "%" PRIu64 " bytes follow the end of the image that are neither filling nor a "
               "signature: %s",
               tail_bytes(&s->tail), REMEDY_FRESH);
    } else if (s->size_bytes != signed_bytes) {
        WARN(s, row->code,
             "a signed image of this length has %" PRIu64 " bytes, this file has %" PRIu64
             ": check how it was made",
             signed_bytes, s->size_bytes);
    } else {
        pass(s, row);
    }
}

/* What is wrong with a signature, worst first; the key's digest may be added. */
static const struct flaw {
    enum signature_state state;
    const char *code;
    const char *text;
} flaws[] = {
    {SIGNATURE_MISSING, "SIG_MISSING", "there is no signature behind this image"},
    {SIGNATURE_CRC, "SIG_CRC", "the signature block is damaged, its CRC is wrong"},
    {SIGNATURE_DIGEST, "SIG_DIGEST",
     "the signature belongs to other content: its SHA-256 is not that of this file"},
    {SIGNATURE_BAD, "SIG_BAD", "the signature does not verify"},
    {SIGNATURE_KEY, "SIG_KEY", "the signature is good, but its key is not trusted"},
};

static const struct flaw *find_flaw(enum signature_state state)
{
    for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++) {
        if (flaws[i].state == state) {
            return &flaws[i];
        }
    }
    return NULL;
}

static void warn_of_signature(struct subject *s, const struct row *row, enum signature_state state,
                              const char *key)
{
    if (state >= SIGNATURE_KEY) {
        WARN(s, "SIG_KEY",
             "this file is signed, by the key with the digest %s, and this product does not ask "
             "for it: modules without Secure Boot ignore the signature",
             key);
    } else {
        WARN(s, find_flaw(state)->code,
             "%s; this product does not ask for signatures, but modules with Secure Boot would "
             "refuse this file: %s",
             find_flaw(state)->text, REMEDY_SIGN);
    }
}

static void judge_signed(struct subject *s, const struct row *row)
{
    bool has_one_block = s->layout->chip_id == CHIP_ESP32 || s->layout->chip_id == CHIP_ESP32C2;
    struct trusted_keys keys = {s->rules->trusted_keys, s->rules->n_trusted_keys,
                                has_one_block ? 1 : BLOCKS_MAX};
    uint8_t digest[ALOFT_SHA256_BYTES];
    char key[KEY_HEX_BYTES];
    enum signature_state state = tail_check_signature(&s->tail, &keys, digest);

    hex_encode(digest, sizeof digest, key);
    if (state == SIGNATURE_GOOD || (state == SIGNATURE_MISSING && !s->rules->requires_signature)) {
        if (state == SIGNATURE_GOOD && !s->rules->requires_signature) {
            warn_of_signature(s, row, state, key);
        } else {
            pass(s, row);
        }
    } else if (!s->rules->requires_signature) {
        warn_of_signature(s, row, state, key);
    } else if (state == SIGNATURE_KEY) {
        REFUSE(s, "SIG_KEY",
               "%s: its digest is %s; sign the image with a key of this product, or add this "
               "digest to the trusted ones",
               find_flaw(state)->text, key);
    } else {
        REFUSE(s, find_flaw(state)->code,
               "%s, and modules of this product boot signed images "
               "only: %s",
               find_flaw(state)->text, REMEDY_SIGN);
    }
}

static void judge_calls(struct subject *s, const struct row *row)
{
    const struct home *home = home_finish(&s->home);

    switch (home->rank) {
    case HOME_NONE:
    case HOME_OURS_ALONE:
    case HOME_OURS:
        pass(s, row);
        return;
    case HOME_OURS_NOT_TOKEN:
        WARN(s, row->code,
             "after this upgrade modules will call you (%s), but with the token %.*s..., which is "
             "none of this product: its ROMs will not reach them; build the image with the "
             "product's token, or add this one",
             home->host, TOKEN_SHOWN_CHARS, home->token);
        return;
    case HOME_VENDOR_ALONE:
    case HOME_NEAR:
    case HOME_VENDOR_NEAR:
        break;
    }
    if (s->rules->n_hosts > 0) {
        WARN(s, row->code,
             "after this upgrade modules will call %s, not you: build the image with your own "
             "server's name (you are %s%s)",
             home->host, s->rules->hosts[0], s->rules->n_hosts > 1 ? " and others" : "");
    } else {
        WARN(s, row->code,
             "after this upgrade modules will call %s: check that this is you, for it is not known "
             "here under which names modules call this server",
             home->host);
    }
}

static const struct row trailing_row = {19, "IMG_TRAILING", judge_tail, false};
static const struct row signature_row = {20, "SIG_MISSING", judge_signed, true};
static const struct row home_row = {34, "OTA_LEAVES_US", judge_calls, true};

bool judge_trailing(struct subject *s)
{
    return judge_rows(s, &trailing_row, 1);
}

void judge_signature(struct subject *s)
{
    judge_signed(s, &signature_row);
}

void judge_home(struct subject *s)
{
    judge_calls(s, &home_row);
}
