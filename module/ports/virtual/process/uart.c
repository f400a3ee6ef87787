/* SPDX-License-Identifier: Apache-2.0 */
#include "process/uart.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <fcntl.h>

#include "host/address.h"
#include "host/auto.h"
#include "host/log.h"

#define PTS_BYTES 64
/* A pipe that poll() calls writable takes this much without blocking. */
#define STDIO_WRITE_BYTES 4096

enum uart_kind { UART_STDIO, UART_TCP, UART_PTY };

struct uart {
    enum uart_kind kind;
    int in_fd;  /**< -1 = no peer. */
    int out_fd; /**< The same descriptor as `in_fd`, but on stdio. */
    int listen_fd;
    /** The slave side stays open here, so that a host MCU that closes it is no hang-up: the master
     * would answer EIO and POLLHUP without end. */
    int slave_fd;
    bool had_peer;
    bool is_ending; /**< The peer sends no more; what is queued is still written. */
    bool has_ended;
    bool is_terminal;
    struct termios saved;
    char *link;
    char pts[PTS_BYTES];
    uint8_t queue[UART_QUEUE_BYTES];
    size_t n_queue;
};

static void drop_queue(struct uart *u, size_t n)
{
    u->n_queue -= n;
    memmove(u->queue, u->queue + n, u->n_queue);
}

static void drop_peer(struct uart *u)
{
    if (u->kind == UART_TCP && u->in_fd >= 0) {
        (void)close(u->in_fd);
        u->in_fd = -1;
        u->out_fd = -1;
        log_info("uart.disconnected", "unread_bytes=%zu", u->n_queue);
    }
    u->n_queue = 0;
    u->is_ending = false;
    u->has_ended = u->kind == UART_STDIO;
}

static bool is_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1;
}

static void flush(struct uart *u)
{
    while (u->n_queue > 0 && u->out_fd >= 0) {
        size_t len = u->n_queue;
        if (u->kind == UART_STDIO) { /* may be blocking, and not ours to change */
            if (!is_writable(u->out_fd)) {
                return;
            }
            len = len < STDIO_WRITE_BYTES ? len : STDIO_WRITE_BYTES;
        }
        ssize_t n = write(u->out_fd, u->queue, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            drop_peer(u);
            return;
        }
        drop_queue(u, (size_t)n);
    }
}

void uart_rest(struct uart *u)
{
    if (u->is_ending && u->n_queue == 0) {
        drop_peer(u);
    }
}

/* Nobody is connected: before the first connection the last bytes wait, later they are lost. */
static void write_unheard(struct uart *u, const uint8_t *buf, size_t len)
{
    if (u->had_peer) {
        return;
    }
    if (len > UART_FIRST_BYTES) {
        buf += len - UART_FIRST_BYTES;
        len = UART_FIRST_BYTES;
    }
    if (u->n_queue + len > UART_FIRST_BYTES) {
        drop_queue(u, u->n_queue + len - UART_FIRST_BYTES);
    }
    memcpy(u->queue + u->n_queue, buf, len);
    u->n_queue += len;
}

size_t uart_write(struct uart *u, const uint8_t *buf, size_t len)
{
    if (u->out_fd < 0) {
        write_unheard(u, buf, len);
        return len;
    }
    size_t room = sizeof u->queue - u->n_queue;
    if (len > room) {
        len = room;
    }
    memcpy(u->queue + u->n_queue, buf, len);
    u->n_queue += len;
    flush(u);
    return len;
}

bool uart_is_drained(const struct uart *u)
{
    return u->out_fd < 0 || u->n_queue == 0;
}

bool uart_has_ended(const struct uart *u)
{
    return u->has_ended;
}

/* While the host MCU does not read, it is not heard either: else its next command would answer into
 * a full queue, and bytes would be lost. */
static bool may_read(const struct uart *u)
{
    return u->in_fd >= 0 && !u->is_ending && u->n_queue <= sizeof u->queue / 2;
}

size_t uart_poll_set(const struct uart *u, struct pollfd *out)
{
    size_t n = 0;

    if (u->in_fd < 0) {
        out[n++] = (struct pollfd){.fd = u->listen_fd, .events = POLLIN};
        return n;
    }
    if (may_read(u)) {
        out[n++] = (struct pollfd){.fd = u->in_fd, .events = POLLIN};
    }
    if (u->n_queue > 0) {
        out[n++] = (struct pollfd){.fd = u->out_fd, .events = POLLOUT};
    }
    return n;
}

static void take_connection(struct uart *u)
{
    int one = 1;
    int fd = accept4(u->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* only a matter of speed */
    u->in_fd = fd;
    u->out_fd = fd;
    u->had_peer = true;
    log_info("uart.connected", "waiting_bytes=%zu", u->n_queue);
}

void uart_serve(struct uart *u)
{
    if (u->in_fd < 0) {
        take_connection(u);
    }
    flush(u);
}

/* A person at a terminal presses Enter; a module wants CR LF. */
static size_t add_carriage_returns(uint8_t *buf, size_t len, size_t cap)
{
    for (size_t i = 0; i < len && len < cap; i++) {
        if (buf[i] == '\n') {
            memmove(buf + i + 1, buf + i, len - i);
            buf[i++] = '\r';
            len++;
        }
    }
    return len;
}

size_t uart_read(struct uart *u, uint8_t *buf, size_t cap)
{
    struct pollfd p = {.fd = u->in_fd, .events = POLLIN};

    if (!may_read(u) || poll(&p, 1, 0) != 1) {
        return 0;
    }
    /* Half of the room, so that each line feed may get its carriage return. */
    ssize_t n = read(u->in_fd, buf, u->is_terminal ? cap / 2 : cap);
    if (n > 0) {
        return u->is_terminal ? add_carriage_returns(buf, (size_t)n, cap) : (size_t)n;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return 0;
    }
    if (u->kind != UART_PTY) {
        u->is_ending = true;
    }
    return 0;
}

static enum aloft_err open_stdio(struct uart *u, struct error *e)
{
    u->in_fd = STDIN_FILENO;
    u->out_fd = STDOUT_FILENO;
    u->is_terminal = isatty(STDIN_FILENO) == 1;
    if (!u->is_terminal) {
        return ALOFT_ERR_OK;
    }
    if (tcgetattr(STDIN_FILENO, &u->saved) != 0) {
        u->is_terminal = false;
        return fail_errno(e, ALOFT_ERR_IO, "cannot read the settings of the terminal");
    }
    struct termios t = u->saved; /* the module echoes itself; Ctrl-C still ends the process */
    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &t); /* without it every character appears twice */
    return ALOFT_ERR_OK;
}

static enum aloft_err open_tcp(struct uart *u, const char *text, struct error *e)
{
    struct address address;
    uint16_t port;
    enum aloft_err err = address_parse(text, -1, &address, e);

    if (err == ALOFT_ERR_OK) {
        err = address_listen(&address, false, &u->listen_fd, &port, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    (void)fprintf(stderr, "uart: tcp:%s:%u\n", address.host, port);
    return ALOFT_ERR_OK;
}

/* LINK -> /dev/pts/N. A link left behind by a killed process is replaced, nothing else is. */
static enum aloft_err make_link(struct uart *u, const char *path, struct error *e)
{
    struct stat st;

    if (lstat(path, &st) == 0) {
        if (!S_ISLNK(st.st_mode)) {
            return fail(e, ALOFT_ERR_IO, "'%s' exists and is no symbolic link; name another LINK",
                        path);
        }
        if (unlink(path) != 0) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot replace the old link '%s'", path);
        }
    }
    if (symlink(u->pts, path) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot make the link '%s'", path);
    }
    u->link = strdup(path);
    return u->link ? ALOFT_ERR_OK : fail(e, ALOFT_ERR_IO, "out of memory");
}

static enum aloft_err open_pty(struct uart *u, const char *path, struct error *e)
{
    struct termios raw = {0};
    int master;

    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CLOCAL;
    (void)cfsetspeed(&raw, B115200); /* for show: a PTY has no speed */
    if (openpty(&master, &u->slave_fd, NULL, &raw, NULL) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open a pseudo-terminal");
    }
    u->in_fd = master;
    u->out_fd = master;
    u->had_peer = true;
    (void)fcntl(u->slave_fd, F_SETFD, FD_CLOEXEC);
    if (fcntl(master, F_SETFD, FD_CLOEXEC) != 0 || fcntl(master, F_SETFL, O_NONBLOCK) != 0 ||
        ttyname_r(u->slave_fd, u->pts, sizeof u->pts) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot set up the pseudo-terminal");
    }
    enum aloft_err err = make_link(u, path, e);
    if (err == ALOFT_ERR_OK) {
        (void)fprintf(stderr, "uart: pty:%s (%s)\n", path, u->pts);
    }
    return err;
}

enum aloft_err uart_open(const char *text, struct uart **ret_uart, struct error *e)
{
    struct uart *u = calloc(1, sizeof *u);
    enum aloft_err err;

    if (!u) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    u->in_fd = -1;
    u->out_fd = -1;
    u->listen_fd = -1;
    u->slave_fd = -1;
    if (strcmp(text, "stdio") == 0) {
        u->kind = UART_STDIO;
        err = open_stdio(u, e);
    } else if (strncmp(text, "tcp:", 4) == 0) {
        u->kind = UART_TCP;
        err = open_tcp(u, text + 4, e);
    } else if (strncmp(text, "pty:", 4) == 0 && text[4] != '\0') {
        u->kind = UART_PTY;
        err = open_pty(u, text + 4, e);
    } else {
        err = fail(e, ALOFT_ERR_SYNTAX, "--uart '%s' is none of pty:LINK, tcp:HOST:PORT and stdio",
                   text);
    }
    if (err != ALOFT_ERR_OK) {
        uart_close(u);
        return err;
    }
    *ret_uart = u;
    return ALOFT_ERR_OK;
}

/* Another process may have replaced our link by its own. */
static void remove_link(const struct uart *u)
{
    char target[PTS_BYTES];
    ssize_t n = readlink(u->link, target, sizeof target);

    if (n > 0 && (size_t)n == strlen(u->pts) && memcmp(target, u->pts, (size_t)n) == 0) {
        (void)unlink(u->link); /* nothing more to do about it at the end */
    }
}

void uart_close(struct uart *u)
{
    if (!u) {
        return;
    }
    if (u->link) {
        remove_link(u);
        free(u->link);
    }
    if (u->is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &u->saved);
    }
    if (u->kind != UART_STDIO) {
        auto_close(&u->in_fd);
    }
    auto_close(&u->listen_fd);
    auto_close(&u->slave_fd);
    free(u);
}
