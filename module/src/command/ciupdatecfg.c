/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "log.h"
#include "server_choice.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

/*
 * AT+CIUPDATECFG="<host>",<port>,<tls port>,"<token>","<tls token>": the update server, ours. A
 * parameter that is omitted or "" is as compiled in; all of them are after AT+CIUPDATECFG="".
 * The query shows what is in force, but of the tokens only those that were set by this command:
 * the compiled-in ones are not the host MCU's to read.
 */

enum { HOST, PLAIN_PORT, TLS_PORT, PLAIN_TOKEN, TLS_TOKEN, N_PARAMS };

#define IPV6_TEXT_MAX 45 /* RFC 4291 2.2, with an IPv4 tail. */

static bool is_hex(char c)
{
    return aloft_hex_digit(c) < 16;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Only what can stand in a Host field and in a look-up; whether it exists shows there. */
static bool is_host(const char *text)
{
    bool is_ipv6 = strchr(text, ':') != NULL;

    if (is_ipv6 && strlen(text) > IPV6_TEXT_MAX) {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        bool is_fit = is_ipv6 ? is_hex(*c) || *c == ':' || *c == '.'
                              : is_alnum(*c) || *c == '.' || *c == '-' || *c == '_';
        if (!is_fit) {
            return false;
        }
    }
    return text[0] != '.' && text[0] != '-';
}

static bool is_token(const char *text)
{
    size_t len = 0;

    while (is_hex(text[len])) {
        len++;
    }
    return text[len] == '\0' && (len == ALOFT_TOKEN_CHARS || len == 0);
}

/* `ret_text` has room for `max_len` bytes and a NUL. */
static bool get_text(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                     size_t max_len, bool (*is_fit)(const char *text), char *ret_text)
{
    const char *text;

    if (!aloft_params_has(params, index)) {
        return true;
    }
    if (!aloft_params_get_text(m, params, index, max_len, &text)) {
        return false;
    }
    if (!is_fit(text)) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, index);
        return false;
    }
    memcpy(ret_text, text, strlen(text) + 1);
    return true;
}

static bool get_port(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                     uint16_t *ret_port)
{
    static const struct aloft_int_range ports = {1, UINT16_MAX};
    int32_t port;

    if (!aloft_params_has(params, index)) {
        return true;
    }
    if (!aloft_params_get_int(m, params, index, &ports, &port)) {
        return false;
    }
    *ret_port = (uint16_t)port;
    return true;
}

static enum aloft_reply store(struct aloft_module *m, const struct aloft_server_choice *choice)
{
    static const struct aloft_server_choice compiled_in;
    bool is_default = memcmp(choice, &compiled_in, sizeof compiled_in) == 0;
    enum aloft_err err =
        is_default ? aloft_server_choice_remove(m) : aloft_server_choice_save(m, choice);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
        return ALOFT_REPLY_ERROR;
    }
    aloft_proof_yield(m); /* It asked the old server; the next try asks the new one. */
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_server_choice choice;

    memset(&choice, 0, sizeof choice); /* Padding too: see store(). */
    if (!aloft_params_check_count(m, params, 1, N_PARAMS) ||
        !get_text(m, params, HOST, ALOFT_HOST_MAX, is_host, choice.host) ||
        !get_port(m, params, PLAIN_PORT, &choice.ports[0]) ||
        !get_port(m, params, TLS_PORT, &choice.ports[1]) ||
        !get_text(m, params, PLAIN_TOKEN, ALOFT_TOKEN_CHARS, is_token, choice.tokens[0]) ||
        !get_text(m, params, TLS_TOKEN, ALOFT_TOKEN_CHARS, is_token, choice.tokens[1]) ||
        aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    return store(m, &choice);
}

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_server_choice choice;
    struct aloft_server servers[ALOFT_SERVER_MODES];

    (void)params;
    for (uint8_t mode = 0; mode < ALOFT_SERVER_MODES; mode++) {
        aloft_server_get(m, mode, &choice, &servers[mode]);
    }
    const char *host = servers[0].host != NULL ? servers[0].host : servers[1].host;
    aloft_at_print(m, "+CIUPDATECFG:");
    aloft_at_print_quoted(m, host != NULL ? host : "");
    for (uint8_t mode = 0; mode < ALOFT_SERVER_MODES; mode++) {
        aloft_at_print(m, ",");
        aloft_at_print_int(m, servers[mode].port);
    }
    for (uint8_t mode = 0; mode < ALOFT_SERVER_MODES; mode++) {
        aloft_at_print(m, ",");
        aloft_at_print_quoted(m, choice.tokens[mode]);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static const struct aloft_command commands[] = {
    {.name = "+CIUPDATECFG", .query = query, .set = set},
};

const struct aloft_family aloft_ciupdatecfg_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
};
