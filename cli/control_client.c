/* SPDX-License-Identifier: Apache-2.0 */
#include "control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/files.h"
#include "serve/control.h"

/* A socket's address has room for 107 bytes of path, a data folder may have more. */
static enum aloft_err open_socket(const char *data, int *ret_fd, struct error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD int dir = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (dir < 0 || fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open the folder '%s'", data);
    }
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" CONTROL_SOCKET,
                   dir);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        *ret_fd = STEAL_FD(fd);
        return ALOFT_ERR_OK;
    }
    if (errno == ENOENT || errno == ECONNREFUSED) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "no server runs on '%s': start it with 'aloft serve'",
                    data);
    }
    return fail_errno(e, ALOFT_ERR_IO, "cannot reach the server on '%s'", data);
}

static enum aloft_err send_request(int fd, json_t *request, struct error *e)
{
    AUTO_FREE char *text = json_dumps(request, JSON_COMPACT);

    json_decref(request);
    if (!text || strlen(text) >= CONTROL_LINE_MAX) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the request is too long");
    }
    enum aloft_err err = file_write_all(fd, text, strlen(text), e);
    explicit_bzero(text, strlen(text)); /* it may hold a password */
    return err == ALOFT_ERR_OK ? file_write_all(fd, "\n", 1, e) : err;
}

static enum aloft_err read_answer(int fd, json_t **ret_answer, struct error *e)
{
    AUTO_FREE char *line = malloc(CONTROL_LINE_MAX);
    size_t len = 0;
    bool is_whole = false;

    while (line && !is_whole && len < CONTROL_LINE_MAX) {
        ssize_t n = read(fd, line + len, CONTROL_LINE_MAX - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        is_whole = line[len - 1] == '\n';
    }
    *ret_answer = is_whole ? json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    return *ret_answer ? ALOFT_ERR_OK
                       : fail(e, ALOFT_ERR_CLOSED, "the server gave no whole answer");
}

static enum aloft_err find_code(const char *name)
{
#define CODE_ROW(code, number, text) {#code, ALOFT_ERR_##code},
    static const struct {
        const char *name;
        enum aloft_err err;
    } rows[] = {ALOFT_ERR_MAP(CODE_ROW)};
#undef CODE_ROW

    for (size_t i = 0; name && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0 && rows[i].err != ALOFT_ERR_OK) {
            return rows[i].err;
        }
    }
    return ALOFT_ERR_IO;
}

enum aloft_err control_call(const char *data, json_t *request, json_t **ret_answer, struct error *e)
{
    AUTO_FD int fd = -1;
    json_t *answer = NULL;
    enum aloft_err err = open_socket(data, &fd, e);

    if (err != ALOFT_ERR_OK) {
        json_decref(request);
        return err;
    }
    err = send_request(fd, request, e);
    if (err == ALOFT_ERR_OK) {
        err = read_answer(fd, &answer, e);
    }
    if (err == ALOFT_ERR_OK && !json_is_true(json_object_get(answer, "ok"))) {
        const char *sentence = json_string_value(json_object_get(answer, "sentence"));
        err = fail(e, find_code(json_string_value(json_object_get(answer, "code"))), "%s",
                   sentence ? sentence : "the server says no reason");
        json_decref(answer);
    }
    if (err == ALOFT_ERR_OK) {
        (void)json_object_del(answer, "ok");
        *ret_answer = answer;
    }
    return err;
}
