/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_net.h"

#include <stdlib.h>
#include <string.h>

static struct fake_net *net_of(void *ctx)
{
    return ((struct fake_port *)ctx)->net;
}

static bool is_due(unsigned *n_waits)
{
    if (*n_waits == 0) {
        return true;
    }
    (*n_waits)--;
    return false;
}

static enum aloft_err net_resolve(void *ctx, const char *host, struct aloft_addrs *ret_addrs)
{
    struct fake_net *net = net_of(ctx);
    struct fake_answer *answer = &net->answers[net->n_contacts];

    if (net->n_contacts >= net->n_answers || strlen(host) >= sizeof net->contacts[0].host) {
        return ALOFT_ERR_RESOLVE;
    }
    if (!is_due(&answer->n_resolve_waits)) {
        return ALOFT_ERR_AGAIN;
    }
    memcpy(net->contacts[net->n_contacts].host, host, strlen(host) + 1);
    *ret_addrs = (struct aloft_addrs){1, {{4, {192, 0, 2, 1}}}};
    return answer->resolve_err;
}

static enum aloft_err net_open(void *ctx, const struct aloft_addr *addr, uint16_t port,
                               const struct aloft_tls *tls, int *ret_socket)
{
    struct fake_net *net = net_of(ctx);
    struct fake_contact *contact = &net->contacts[net->n_contacts];

    (void)addr;
    contact->port = port;
    if (tls != NULL) {
        memcpy(contact->tls_host, tls->host, strlen(tls->host) + 1);
    }
    *ret_socket = -1;
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
    struct fake_net *net = net_of(ctx);
    struct fake_answer *answer = &net->answers[socket];

    (void)contact_of(net, socket);
    return is_due(&answer->n_ready_waits) ? answer->ready_err : ALOFT_ERR_AGAIN;
}

static enum aloft_err net_read(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    struct fake_net *net = net_of(ctx);
    const struct fake_answer *answer = &net->answers[socket];
    struct fake_contact *contact = contact_of(net, socket);
    size_t left = answer->len - contact->n_sent;

    if (contact->portion_left == 0 && !contact->has_paused && answer->portion > 0) {
        contact->has_paused = true;
        return ALOFT_ERR_AGAIN;
    }
    if (left == 0) {
        static const enum aloft_err ends[] = {ALOFT_ERR_CLOSED, ALOFT_ERR_IO, ALOFT_ERR_AGAIN};
        return ends[answer->end];
    }
    if (contact->portion_left == 0) {
        bool is_first = contact->n_sent == 0 && answer->first > 0;
        contact->portion_left = is_first ? answer->first : answer->portion;
        contact->has_paused = false;
    }
    size_t n =
        contact->portion_left > 0 && contact->portion_left < left ? contact->portion_left : left;
    n = n < cap ? n : cap;
    memcpy(buf, (const uint8_t *)answer->bytes + contact->n_sent, n);
    contact->n_sent += n;
    contact->portion_left = contact->portion_left > n ? contact->portion_left - n : 0;
    *ret_n = n;
    return ALOFT_ERR_OK;
}

static enum aloft_err net_write(void *ctx, int socket, const uint8_t *buf, size_t len,
                                size_t *ret_n)
{
    struct fake_net *net = net_of(ctx);
    const struct fake_answer *answer = &net->answers[socket];
    struct fake_contact *contact = contact_of(net, socket);
    size_t n =
        answer->write_portion > 0 && answer->write_portion < len ? answer->write_portion : len;

    if (answer->write_err != ALOFT_ERR_OK) {
        return answer->write_err;
    }
    if (n > FAKE_NET_REQUEST_BYTES - contact->request_len) {
        abort();
    }
    memcpy(contact->request + contact->request_len, buf, n);
    contact->request_len += n;
    *ret_n = n;
    return ALOFT_ERR_OK;
}

static void net_close(void *ctx, int socket)
{
    if (socket >= 0) {
        contact_of(net_of(ctx), socket)->is_open = false;
        net_of(ctx)->n_open--;
    }
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
