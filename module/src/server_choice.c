/* SPDX-License-Identifier: Apache-2.0 */
#include "server_choice.h"

#include <string.h>

#include "aloft/bytes.h"

static const char key[] = "update.server";

/* Layout of the setting: stored, never renumber. Texts are padded with NUL, numbers little-endian.
 */
enum {
    LAYOUT = 1,
    LAYOUT_OFF = 0,
    HOST_OFF = 1,
    HOST_LEN = ALOFT_HOST_MAX,
    PORTS_OFF = HOST_OFF + HOST_LEN,
    PORT_LEN = 2,
    TOKENS_OFF = PORTS_OFF + ALOFT_SERVER_MODES * PORT_LEN,
    TOKEN_LEN = ALOFT_TOKEN_CHARS,
    STORED_BYTES = TOKENS_OFF + ALOFT_SERVER_MODES * TOKEN_LEN,
};

void aloft_server_choice_load(const struct aloft_module *m, struct aloft_server_choice *ret_choice)
{
    uint8_t stored[STORED_BYTES];
    size_t len = sizeof stored;
    enum aloft_err err = m->port->settings.get(m->port->ctx, key, stored, &len);

    memset(ret_choice, 0, sizeof *ret_choice);
    if (err != ALOFT_ERR_OK || len != sizeof stored || stored[LAYOUT_OFF] != LAYOUT) {
        return;
    }
    aloft_get_text(stored + HOST_OFF, HOST_LEN, ret_choice->host, sizeof ret_choice->host);
    for (size_t i = 0; i < ALOFT_SERVER_MODES; i++) {
        ret_choice->ports[i] = aloft_get_le16(stored + PORTS_OFF + i * PORT_LEN);
        aloft_get_text(stored + TOKENS_OFF + i * TOKEN_LEN, TOKEN_LEN, ret_choice->tokens[i],
                       sizeof ret_choice->tokens[i]);
    }
}

enum aloft_err aloft_server_choice_save(const struct aloft_module *m,
                                        const struct aloft_server_choice *choice)
{
    uint8_t stored[STORED_BYTES] = {0};

    stored[LAYOUT_OFF] = LAYOUT;
    memcpy(stored + HOST_OFF, choice->host, strlen(choice->host));
    for (size_t i = 0; i < ALOFT_SERVER_MODES; i++) {
        aloft_put_le16(stored + PORTS_OFF + i * PORT_LEN, choice->ports[i]);
        memcpy(stored + TOKENS_OFF + i * TOKEN_LEN, choice->tokens[i], strlen(choice->tokens[i]));
    }
    return m->port->settings.set(m->port->ctx, key, stored, sizeof stored);
}

enum aloft_err aloft_server_choice_remove(const struct aloft_module *m)
{
    return m->port->settings.remove(m->port->ctx, key);
}

void aloft_server_get(const struct aloft_module *m, uint8_t mode,
                      struct aloft_server_choice *choice, struct aloft_server *ret_server)
{
    *ret_server = mode == 0 ? m->config.plain : m->config.tls;
    aloft_server_choice_load(m, choice);
    if (ret_server->host == NULL) {
        return;
    }
    if (choice->host[0] != '\0') {
        ret_server->host = choice->host;
    }
    if (choice->ports[mode] != 0) {
        ret_server->port = choice->ports[mode];
    }
    if (choice->tokens[mode][0] != '\0') {
        ret_server->token = choice->tokens[mode];
    }
}
