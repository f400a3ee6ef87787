/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

#define TABLES_MAX   8
#define BACKLOG      8
#define NAME_SHOWN   64    /* bytes of an unknown command in a sentence */
#define LINE_TIME_MS 10000 /* for one line to come, or to be taken */
#define PAUSE_MS     100   /* when descriptors are out: who waits would wake us for ever */

struct table {
    const struct control_command *commands;
    size_t n_commands;
    void *ctx;
};

struct control {
    struct table tables[TABLES_MAX];
    size_t n_tables;
    int dir_fd;
    int listen_fd;
    int stop_fd; /* readable: end */
    bool has_thread;
    pthread_t thread;
    char line[CONTROL_LINE_MAX]; /* the request; a NUL takes the place of its end */
    size_t len;
};

/* Until `fd` is ready; false = the time is over, or we are to stop. */
static bool wait_for(const struct control *c, int fd, short events, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = c->stop_fd, .events = POLLIN}};
    int n = -1;

    while (n < 0) {
        n = poll(fds, 2, timeout_ms);
    }
    return fds[0].revents != 0 && fds[1].revents == 0;
}

static int time_left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_monotonic_ms();

    return now < deadline_ms ? (int)(deadline_ms - now) : 0;
}

/* One line into `line`, without its end. False = there is none to be answered. */
static bool read_line(struct control *c, int fd)
{
    uint64_t deadline_ms = clock_monotonic_ms() + LINE_TIME_MS;

    c->len = 0;
    while (c->len < sizeof c->line) {
        if (!wait_for(c, fd, POLLIN, time_left_ms(deadline_ms))) {
            return false;
        }
        ssize_t n = recv(fd, c->line + c->len, 1, 0); /* a byte: what follows is the next line's */
        if (n <= 0) {
            return false;
        }
        if (c->line[c->len] == '\n') {
            c->line[c->len] = '\0';
            return true;
        }
        c->len++;
    }
    return true; /* too long, which answer() says */
}

static bool write_line(struct control *c, int fd, const char *text)
{
    uint64_t deadline_ms = clock_monotonic_ms() + LINE_TIME_MS;
    size_t len = strlen(text);

    while (len > 0) {
        if (!wait_for(c, fd, POLLOUT, time_left_ms(deadline_ms))) {
            return false;
        }
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static const struct table *find(const struct control *c, const char *name, control_fn **ret_run)
{
    for (size_t t = 0; t < c->n_tables; t++) {
        for (size_t i = 0; i < c->tables[t].n_commands; i++) {
            if (strcmp(c->tables[t].commands[i].name, name) == 0) {
                *ret_run = c->tables[t].commands[i].run;
                return &c->tables[t];
            }
        }
    }
    return NULL;
}

static enum aloft_err run(const struct control *c, json_t *in, json_t *out, struct error *e)
{
    control_fn *function = NULL;
    const char *name = json_string_value(json_object_get(in, "command"));

    if (!name) {
        return fail(e, ALOFT_ERR_SYNTAX, "the request has no 'command'");
    }
    const struct table *table = find(c, name, &function);
    if (!table) {
        return fail(e, ALOFT_ERR_NOT_FOUND,
                    "the running server knows no command '%s': is it an older program?",
                    strlen(name) <= NAME_SHOWN ? name : "..."); /* cut, it might be no UTF-8 */
    }
    enum aloft_err err = function(table->ctx, in, out, e);
    log_info("control", "command=%s result=%s", name, aloft_err_name(err));
    return err;
}

static json_t *parse(const struct control *c, struct error *e)
{
    json_error_t why;

    if (c->len == sizeof c->line) {
        (void)fail(e, ALOFT_ERR_TOO_BIG, "the request has more than %d bytes", CONTROL_LINE_MAX);
        return NULL;
    }
    json_t *in = json_loadb(c->line, c->len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(in)) {
        (void)fail(e, ALOFT_ERR_SYNTAX, "the request is not a JSON object");
        json_decref(in);
        return NULL;
    }
    return in;
}

/* One answer, as text to free(); NULL when memory is out. */
static char *make_answer(const struct control *c)
{
    struct error e = {0};
    json_t *out = json_object();
    json_t *in = parse(c, &e);
    enum aloft_err err = in ? run(c, in, out, &e) : e.code;

    json_decref(in);
    if (err != ALOFT_ERR_OK) {
        json_decref(out);
        out = json_pack("{s:s, s:s}", "code", aloft_err_name(err), "sentence", e.sentence);
    }
    (void)json_object_set_new(out, "ok", json_boolean(err == ALOFT_ERR_OK));
    char *text = json_dumps(out, JSON_COMPACT);
    json_decref(out);
    return text;
}

/* Answer the request in `line`; false = the connection is of no more use. */
static bool answer(struct control *c, int fd)
{
    static const char too_big[] =
        "{\"code\":\"TOO_BIG\",\"sentence\":\"the answer is too long\",\"ok\":false}";
    AUTO_FREE char *text = make_answer(c);
    const char *line = text && strlen(text) < CONTROL_LINE_MAX ? text : too_big;

    explicit_bzero(c->line, c->len); /* it may have held a password */
    return write_line(c, fd, line) && write_line(c, fd, "\n") && c->len < sizeof c->line;
}

/* The socket's mode says the same; who changed it must not have given the server away. */
static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void pause_accepting(const struct control *c, int reason)
{
    struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};

    log_error("control.accept_paused", "errno=%d pause_ms=%d", reason, PAUSE_MS);
    (void)poll(&stop, 1, PAUSE_MS);
}

static void *serve_all(void *arg)
{
    struct control *c = arg;

    (void)pthread_setname_np(pthread_self(), "control");
    while (wait_for(c, c->listen_fd, POLLIN, -1)) {
        AUTO_FD int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED) {
            pause_accepting(c, errno);
        }
        if (fd >= 0 && !is_allowed(fd)) {
            log_warn("control.refused", "reason=\"another user\"");
            continue;
        }
        while (fd >= 0 && read_line(c, fd) && answer(c, fd)) {
        }
    }
    return NULL;
}

struct control *control_new(struct error *e)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c) {
        (void)fail(e, ALOFT_ERR_IO, "out of memory");
        return NULL;
    }
    c->dir_fd = -1;
    c->listen_fd = -1;
    c->stop_fd = -1;
    return c;
}

void control_add(struct control *c, const struct control_command *commands, size_t n_commands,
                 void *ctx)
{
    assert(c->n_tables < TABLES_MAX && !c->has_thread);
    c->tables[c->n_tables++] = (struct table){commands, n_commands, ctx};
}

/* A socket's address has room for 107 bytes of path, a data folder may have more. */
static void make_address(int dir_fd, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" CONTROL_SOCKET,
                   dir_fd);
}

enum aloft_err control_start(struct control *c, const char *dir, struct error *e)
{
    struct sockaddr_un address;

    c->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (c->dir_fd < 0 || c->listen_fd < 0 || c->stop_fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open '%s/" CONTROL_SOCKET "'", dir);
    }
    (void)unlinkat(c->dir_fd, CONTROL_SOCKET, 0);
    make_address(c->dir_fd, &address);
    /* Nobody can connect before listen(). */
    if (bind(c->listen_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        fchmodat(c->dir_fd, CONTROL_SOCKET, S_IRUSR | S_IWUSR, 0) != 0 ||
        listen(c->listen_fd, BACKLOG) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot make '%s/" CONTROL_SOCKET "'", dir);
    }
    int rc = pthread_create(&c->thread, NULL, serve_all, c);
    c->has_thread = rc == 0;
    errno = rc;
    return rc == 0 ? ALOFT_ERR_OK
                   : fail_errno(e, ALOFT_ERR_IO, "cannot start the thread of the control socket");
}

void control_stop(struct control *c)
{
    if (!c) {
        return;
    }
    if (c->has_thread) {
        (void)eventfd_write(c->stop_fd, 1);
        (void)pthread_join(c->thread, NULL);
        (void)unlinkat(c->dir_fd, CONTROL_SOCKET, 0); /* the next start does it too */
    }
    auto_close(&c->listen_fd);
    auto_close(&c->stop_fd);
    auto_close(&c->dir_fd);
    free(c);
}
