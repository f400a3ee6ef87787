/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "fake_port.h"
#include "http/auth.h"

/* Parsers: module/src/http/auth.c */

/* WWW-Authenticate values, and the answers to them. The first byte says which hashes the port has,
 * then a line is the user info, and each further one a value. */

#define ANSWER_BYTES 1024

static struct fake_port *port;
static struct aloft_hash_ops md5_ops;
static struct aloft_hash_ops sha256_ops;

static void set_hashes(uint8_t flags)
{
    if (port == NULL) {
        port = fake_port_new();
        md5_ops = *port->port.digest.md5.ops;
        sha256_ops = *port->port.digest.sha256.ops;
    }
    port->port.digest.md5.ops = (flags & 1) != 0 ? &md5_ops : NULL;
    port->port.digest.sha256.ops = (flags & 2) != 0 ? &sha256_ops : NULL;
    port->random = 0;
}

static void check_answer(const struct aloft_auth_challenge *challenge, const char *info, size_t len)
{
    const struct aloft_auth_ask ask = {
        .method = "GET",
        .target = "x",
        .target_len = 1,
        .userinfo = info,
        .userinfo_len = len,
    };
    char text[ANSWER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, text, sizeof text);
    if (aloft_auth_answer(&port->port, challenge, &ask, &t) == ALOFT_ERR_OK) {
        const char *end = strchr(text, '\r');
        bool is_basic = challenge->scheme == ALOFT_AUTH_BASIC;
        MUST(strncmp(text, "Authorization: ", 15) == 0 && t.len == strlen(text));
        MUST(is_basic ? end != NULL && strcmp(end, "\r\n") == 0 : end == NULL);
        MUST(strchr(text, '\n') == (is_basic ? end + 1 : NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_auth_challenge challenge = {.scheme = ALOFT_AUTH_NONE};

    if (size < 1) {
        return 0;
    }
    char *text = malloc(size);
    MUST(text != NULL);
    memcpy(text, data + 1, size - 1);
    set_hashes(data[0]);

    char *end = text + size - 1;
    char *at = memchr(text, '\n', size - 1);
    size_t info_len = (size_t)((at != NULL ? at : end) - text);
    while (at != NULL) {
        char *value = at + 1;
        at = memchr(value, '\n', (size_t)(end - value));
        enum aloft_auth_scheme before = challenge.scheme;
        aloft_auth_parse(&port->port, value, (size_t)((at != NULL ? at : end) - value), &challenge);
        MUST(challenge.scheme >= before);
        MUST(challenge.scheme != ALOFT_AUTH_MD5 || (data[0] & 1) != 0);
        MUST(challenge.scheme != ALOFT_AUTH_SHA256 || (data[0] & 2) != 0);
    }
    /* No head has a CR or a NUL within a value, and a line end ends it. */
    if (challenge.scheme != ALOFT_AUTH_NONE && memchr(text, '\r', size - 1) == NULL &&
        memchr(text, '\0', size - 1) == NULL) {
        check_answer(&challenge, text, info_len);
    }
    free(text);
    return 0;
}
