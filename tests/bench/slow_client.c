/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Thousands of slow downloads of one file, each as a module with a small receive window: a few
 * bytes at a time, compared with the file, to the very end.
 *
 *   slow_client PORT SOURCE-ADDRESS N BYTES-PER-SECOND RAMP-SECONDS FILE TARGET TOKEN plain|tls
 *
 * One line of JSON when all are under way, one when all have ended. All connections read after
 * equal pauses, so a queue in order of time is all the scheduling there is.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define RECEIVE_BUFFER 4096
#define CHUNK          2048 /* read at a time */
#define US_PER_S       1000000u
#define TIMEOUT_S      20 /* of a connect, a handshake, a request */
#define SILENCE_S      60 /* without one byte */

static const char status_line[] = "HTTP/1.1 200 OK\r\n";
static const char blank[] = "\r\n\r\n";

enum end { END_COMPLETED, END_CUT, END_STALLED, END_WRONG, END_FAILED, N_ENDS };

static const char *const end_names[N_ENDS] = {"completed", "cut", "stalled", "wrong", "failed"};

struct download {
    struct download *next; /* in the queue */
    SSL *ssl;              /* NULL: plain */
    uint64_t due_us;
    uint64_t heard_us;
    size_t head_len;
    size_t body_len;
    int fd;
    unsigned n_blank; /* bytes of `blank` seen at the end of the head */
};

struct plan {
    struct sockaddr_in server;
    struct sockaddr_in source;
    const uint8_t *file;
    size_t file_len;
    SSL_CTX *tls; /* NULL: plain */
    char request[1024];
    size_t request_len;
    unsigned n;
    uint64_t pause_us; /* between two reads of a download */
    uint64_t ramp_us;
};

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_until(uint64_t time_us)
{
    const struct timespec t = {(time_t)(time_us / US_PER_S), (long)(time_us % US_PER_S) * 1000};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static bool connect_to(const struct plan *p, int fd)
{
    const int on = 1;
    const int bytes = RECEIVE_BUFFER;
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};

    /* The port is chosen at the connect, so that each server's port has all of them to itself. */
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
           setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
           bind(fd, (const struct sockaddr *)&p->source, sizeof p->source) == 0 &&
           connect(fd, (const struct sockaddr *)&p->server, sizeof p->server) == 0;
}

static bool ask(const struct plan *p, struct download *d)
{
    if (!p->tls) {
        return send(d->fd, p->request, p->request_len, 0) == (ssize_t)p->request_len;
    }
    d->ssl = SSL_new(p->tls);
    return d->ssl && SSL_set_fd(d->ssl, d->fd) == 1 && SSL_connect(d->ssl) == 1 &&
           SSL_write(d->ssl, p->request, (int)p->request_len) == (int)p->request_len;
}

static bool begin(const struct plan *p, struct download *d)
{
    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->fd < 0) {
        perror("slow_client: socket");
        return false;
    }
    if (!connect_to(p, d->fd) || !ask(p, d) || fcntl(d->fd, F_SETFL, O_NONBLOCK) != 0) {
        perror("slow_client: connect");
        return false;
    }
    d->heard_us = now_us();
    return true;
}

/* The bytes are as they should be so far. */
static bool take(const struct plan *p, struct download *d, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    for (; at < len && d->n_blank < strlen(blank); at++, d->head_len++) {
        if (d->head_len < strlen(status_line) && bytes[at] != (uint8_t)status_line[d->head_len]) {
            return false;
        }
        d->n_blank = bytes[at] == (uint8_t)blank[d->n_blank] ? d->n_blank + 1 : bytes[at] == '\r';
    }
    if (len - at > p->file_len - d->body_len ||
        memcmp(p->file + d->body_len, bytes + at, len - at) != 0) {
        return false;
    }
    d->body_len += len - at;
    return true;
}

/* Bytes; 0: the peer has ended it; -1: nothing there now; -2: broken. */
static ssize_t receive(struct download *d, uint8_t *buf, size_t len)
{
    if (!d->ssl) {
        ssize_t n = recv(d->fd, buf, len, 0);
        return n >= 0 ? n : errno == EAGAIN ? -1 : -2;
    }
    int n = SSL_read(d->ssl, buf, (int)len);
    if (n > 0) {
        return n;
    }
    switch (SSL_get_error(d->ssl, n)) {
    case SSL_ERROR_ZERO_RETURN: /* close_notify: a bare FIN would be an error for modules */
        return 0;
    case SSL_ERROR_WANT_READ:
        return -1;
    default:
        return -2;
    }
}

/* One read; N_ENDS: it goes on. */
static enum end proceed(const struct plan *p, struct download *d)
{
    uint8_t buf[CHUNK];
    ssize_t n = receive(d, buf, sizeof buf);
    uint64_t now = now_us();

    if (n > 0) {
        d->heard_us = now;
        return take(p, d, buf, (size_t)n) ? N_ENDS : END_WRONG;
    }
    if (n == -1) {
        return now - d->heard_us > (uint64_t)SILENCE_S * US_PER_S ? END_STALLED : N_ENDS;
    }
    return n == 0 && d->body_len == p->file_len ? END_COMPLETED : END_CUT;
}

static void finish(struct download *d)
{
    SSL_free(d->ssl);
    if (d->fd >= 0) {
        (void)close(d->fd);
    }
}

struct queue {
    struct download *first;
    struct download *last;
};

static void queue_append(struct queue *q, struct download *d, uint64_t due_us)
{
    d->due_us = due_us;
    d->next = NULL;
    *(q->last ? &q->last->next : &q->first) = d;
    q->last = d;
}

static struct download *queue_take(struct queue *q)
{
    struct download *d = q->first;

    q->first = d->next;
    q->last = q->first ? q->last : NULL;
    return d;
}

static void run(const struct plan *p, struct download *downloads, unsigned counts[N_ENDS])
{
    struct queue queue = {NULL, NULL};
    uint64_t start_us = now_us();
    unsigned n_begun = 0;

    while (n_begun < p->n || queue.first) {
        uint64_t begin_us = start_us + p->ramp_us * n_begun / p->n;
        struct download *d;
        enum end end;
        if (n_begun < p->n && (!queue.first || begin_us <= queue.first->due_us)) {
            sleep_until(begin_us);
            d = &downloads[n_begun++];
            end = begin(p, d) ? N_ENDS : END_FAILED;
            if (n_begun == p->n) {
                (void)printf("{\"begun\": %u}\n", n_begun);
                (void)fflush(stdout);
            }
        } else {
            d = queue_take(&queue);
            sleep_until(d->due_us);
            end = proceed(p, d);
        }
        if (end == N_ENDS) {
            queue_append(&queue, d, now_us() + p->pause_us);
        } else {
            counts[end]++;
            finish(d);
        }
    }
}

static bool map_file(struct plan *p, const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &facts) != 0) {
        return false;
    }
    p->file_len = (size_t)facts.st_size;
    p->file = mmap(NULL, p->file_len, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    return p->file != MAP_FAILED;
}

/* TLS 1.2 without a look at the certificate, as stock modules do it. */
static SSL_CTX *new_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls || SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION) != 1) {
        return NULL;
    }
    (void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    return tls;
}

static bool make_plan(struct plan *p, char **words)
{
    const bool is_tls = strcmp(words[9], "tls") == 0;
    const unsigned long rate = strtoul(words[4], NULL, 10);
    struct rlimit limit;

    p->server.sin_family = p->source.sin_family = AF_INET;
    p->server.sin_port = htons((uint16_t)strtoul(words[1], NULL, 10));
    p->server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->n = (unsigned)strtoul(words[3], NULL, 10);
    p->ramp_us = strtoul(words[5], NULL, 10) * US_PER_S;
    if (inet_pton(AF_INET, words[2], &p->source.sin_addr) != 1 || rate == 0 || p->n == 0) {
        return false;
    }
    p->pause_us = (uint64_t)CHUNK * US_PER_S / rate;
    p->request_len = (size_t)snprintf(p->request, sizeof p->request,
                                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                                      "Authorization: token %s\r\n\r\n",
                                      words[7], words[8]);
    p->tls = is_tls ? new_tls() : NULL;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    return p->request_len < sizeof p->request && (p->tls || !is_tls) && map_file(p, words[6]);
}

int main(int argc, char **argv)
{
    struct plan plan = {0};
    unsigned counts[N_ENDS] = {0};

    if (argc != 10 || !make_plan(&plan, argv)) {
        (void)fprintf(stderr, "usage: slow_client PORT SOURCE-ADDRESS N BYTES-PER-SECOND "
                              "RAMP-SECONDS FILE TARGET TOKEN plain|tls\n");
        return 2;
    }
    struct download *downloads = calloc(plan.n, sizeof *downloads);
    if (!downloads) {
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a server that closes is counted */
    run(&plan, downloads, counts);
    for (int i = 0; i < N_ENDS; i++) {
        (void)printf("%s\"%s\": %u", i == 0 ? "{" : ", ", end_names[i], counts[i]);
    }
    (void)printf("}\n");
    free(downloads);
    SSL_CTX_free(plan.tls);
    return 0;
}
