/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_net.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "fake_net_private.h"

struct fake_net *fake_net_of(void *ctx)
{
    return ((struct fake_port *)ctx)->net;
}

bool fake_is_due(unsigned *n_waits)
{
    if (*n_waits == 0) {
        return true;
    }
    (*n_waits)--;
    return false;
}

static bool parse_literal(const char *host, struct aloft_addrs *ret_addrs)
{
    struct aloft_addrs addrs = {.n = 1};

    if (inet_pton(AF_INET, host, addrs.items[0].bytes) == 1) {
        addrs.items[0].len = 4;
    } else if (inet_pton(AF_INET6, host, addrs.items[0].bytes) == 1) {
        addrs.items[0].len = 16;
    } else {
        return false;
    }
    *ret_addrs = addrs;
    return true;
}

static struct fake_name *find_name(struct fake_net *net, const char *host)
{
    for (size_t i = 0; i < net->n_names; i++) {
        if (strcmp(net->names[i].host, host) == 0) {
            return &net->names[i];
        }
    }
    return NULL;
}

static enum aloft_err answer_resolve(struct fake_answer *answer, const char *host,
                                     struct aloft_addrs *ret_addrs)
{
    static const struct aloft_addrs default_addrs = {1, {{4, {192, 0, 2, 1}}}};

    if (!fake_is_due(&answer->n_resolve_waits)) {
        return ALOFT_ERR_AGAIN;
    }
    if (!parse_literal(host, ret_addrs)) {
        *ret_addrs = answer->addrs.n > 0 ? answer->addrs : default_addrs;
    }
    return answer->resolve_err;
}

static enum aloft_err net_resolve(void *ctx, const char *host, struct aloft_addrs *ret_addrs)
{
    struct fake_net *net = fake_net_of(ctx);
    struct fake_name *name = find_name(net, host);
    enum aloft_err err;

    if (strlen(host) >= sizeof net->contacts[0].host) {
        return ALOFT_ERR_RESOLVE;
    }
    if (name != NULL) {
        err = fake_is_due(&name->n_waits) ? name->err : ALOFT_ERR_AGAIN;
        *ret_addrs = name->addrs;
    } else if (net->n_contacts < net->n_answers) {
        err = answer_resolve(&net->answers[net->n_contacts], host, ret_addrs);
    } else {
        err = parse_literal(host, ret_addrs) ? ALOFT_ERR_OK : ALOFT_ERR_RESOLVE;
    }
    if (err != ALOFT_ERR_AGAIN && net->n_contacts < FAKE_NET_MAX) {
        memcpy(net->contacts[net->n_contacts].host, host, strlen(host) + 1);
    }
    return err;
}

static void note_tls(struct fake_contact *contact, const struct aloft_tls *tls)
{
    memcpy(contact->tls_host, tls->host, strlen(tls->host) + 1);
    contact->tls_trust = tls->trust;
    contact->has_pin = tls->pin != NULL;
    if (tls->pin != NULL) {
        memcpy(contact->pin, tls->pin, sizeof contact->pin);
    }
}

static enum aloft_err net_open(void *ctx, const struct aloft_addr *addr, uint16_t port,
                               const struct aloft_tls *tls, int *ret_socket)
{
    struct fake_net *net = fake_net_of(ctx);
    struct fake_contact *contact = &net->contacts[net->n_contacts];

    *ret_socket = -1;
    if (net->n_contacts == net->n_answers) {
        return ALOFT_ERR_CONNECT; /* Nobody was scripted to be there. */
    }
    contact->addr = *addr;
    contact->port = port;
    if (tls != NULL) {
        note_tls(contact, tls);
    }
    net->n_contacts++;
    if (net->answers[net->n_contacts - 1].open_err != ALOFT_ERR_OK) {
        return net->answers[net->n_contacts - 1].open_err;
    }
    contact->is_open = true;
    net->n_open++;
    *ret_socket = (int)net->n_contacts - 1;
    return ALOFT_ERR_OK;
}

static struct fake_contact *contact_of(struct fake_net *net, int socket)
{
    if (socket < 0 || (size_t)socket >= net->n_contacts || !net->contacts[socket].is_open) {
        abort(); /* The module used a socket it does not have. */
    }
    return &net->contacts[socket];
}

static enum aloft_err net_ready(void *ctx, int socket)
{
    struct fake_net *net = fake_net_of(ctx);

    (void)contact_of(net, socket);
    struct fake_answer *answer = &net->answers[socket];
    return fake_is_due(&answer->n_ready_waits) ? answer->ready_err : ALOFT_ERR_AGAIN;
}

enum aloft_err fake_say(const struct fake_answer *answer, struct fake_progress *progress,
                        uint8_t *buf, size_t cap, size_t *ret_n)
{
    size_t left = answer->len - progress->n_sent;

    if (progress->portion_left == 0 && !progress->has_paused && answer->portion > 0) {
        progress->has_paused = true;
        return ALOFT_ERR_AGAIN;
    }
    if (left == 0) {
        static const enum aloft_err ends[] = {ALOFT_ERR_CLOSED, ALOFT_ERR_IO, ALOFT_ERR_AGAIN};
        return ends[answer->end];
    }
    if (progress->portion_left == 0) {
        bool is_first = progress->n_sent == 0 && answer->first > 0;
        progress->portion_left = is_first ? answer->first : answer->portion;
        progress->has_paused = false;
    }
    size_t n =
        progress->portion_left > 0 && progress->portion_left < left ? progress->portion_left : left;
    n = n < cap ? n : cap;
    memcpy(buf, (const uint8_t *)answer->bytes + progress->n_sent, n);
    progress->n_sent += n;
    progress->portion_left = progress->portion_left > n ? progress->portion_left - n : 0;
    *ret_n = n;
    return ALOFT_ERR_OK;
}

enum aloft_err fake_hear(const struct fake_answer *answer, const uint8_t *buf, size_t len,
                         char *out, size_t cap, size_t *len_io, size_t *ret_n)
{
    size_t n =
        answer->write_portion > 0 && answer->write_portion < len ? answer->write_portion : len;

    if (answer->write_err != ALOFT_ERR_OK) {
        return answer->write_err;
    }
    if (n > cap - *len_io) {
        abort();
    }
    memcpy(out + *len_io, buf, n);
    *len_io += n;
    *ret_n = n;
    return ALOFT_ERR_OK;
}

static enum aloft_err net_read(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    struct fake_net *net = fake_net_of(ctx);

    if (socket >= FAKE_FIRST_CLIENT) {
        struct fake_client *client = fake_client_of(net, socket);
        return fake_say(&client->script, &client->progress, buf, cap, ret_n);
    }
    struct fake_contact *contact = contact_of(net, socket);
    return fake_say(&net->answers[socket], &contact->progress, buf, cap, ret_n);
}

static enum aloft_err net_write(void *ctx, int socket, const uint8_t *buf, size_t len,
                                size_t *ret_n)
{
    struct fake_net *net = fake_net_of(ctx);

    if (socket >= FAKE_FIRST_CLIENT) {
        struct fake_client *client = fake_client_of(net, socket);
        return fake_hear(&client->script, buf, len, client->response, FAKE_NET_RESPONSE_BYTES,
                         &client->response_len, ret_n);
    }
    struct fake_contact *contact = contact_of(net, socket);
    return fake_hear(&net->answers[socket], buf, len, contact->request, FAKE_NET_REQUEST_BYTES,
                     &contact->request_len, ret_n);
}

static void net_close(void *ctx, int socket)
{
    struct fake_net *net = fake_net_of(ctx);

    if (socket < 0) {
        return;
    }
    if (socket >= FAKE_FIRST_LISTENER) {
        fake_close_other(net, socket);
    } else {
        contact_of(net, socket)->is_open = false;
    }
    net->n_open--;
}

void fake_net_attach(struct fake_net *net, struct fake_port *f)
{
    memset(net, 0, sizeof *net);
    f->net = net;
    f->port.net = (struct aloft_port_net){.resolve = net_resolve,
                                          .open = net_open,
                                          .ready = net_ready,
                                          .read = net_read,
                                          .write = net_write,
                                          .close = net_close};
    fake_net_fill_other(&f->port.net);
}

struct fake_answer *fake_net_add(struct fake_net *net, const void *bytes, size_t len)
{
    if (net->n_answers == FAKE_NET_MAX) {
        abort();
    }
    struct fake_answer *answer = &net->answers[net->n_answers++];
    *answer = (struct fake_answer){.bytes = bytes, .len = len};
    return answer;
}

struct fake_answer *fake_net_add_text(struct fake_net *net, const char *text)
{
    return fake_net_add(net, text, strlen(text));
}

struct fake_name *fake_net_name(struct fake_net *net, const char *host,
                                const struct aloft_addr *addrs, size_t n_addrs)
{
    if (net->n_names == FAKE_NET_NAMES || n_addrs > ALOFT_ADDRS_MAX) {
        abort();
    }
    struct fake_name *name = &net->names[net->n_names++];
    *name = (struct fake_name){.host = host, .addrs = {.n = (uint8_t)n_addrs}};
    name->err = n_addrs > 0 ? ALOFT_ERR_OK : ALOFT_ERR_RESOLVE;
    memcpy(name->addrs.items, addrs, n_addrs * sizeof *addrs);
    return name;
}
