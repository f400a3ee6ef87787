/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SERVE_H
#define ALOFT_SERVER_SERVE_H

#include "attempt/contact_queue.h"
#include "host/address.h"

/* The whole server: both planes over one data folder, from the start to a signal. */

struct serve_options {
    const char *data;        /**< Folder; made when it is not there. */
    const char *modules;     /**< ADDR:PORT; NULL = 0.0.0.0:80, or 8080 without the right to it. */
    const char *modules_tls; /**< ADDR:PORT; NULL = 0.0.0.0:443, or 8443. */
    const char *console;     /**< ADDR:PORT; NULL = 127.0.0.1:8000. */
    const char
        *public_address;     /**< HOST[:PORT] modules reach us at, for the text; NULL = unknown. */
    const char *certificate; /**< PEM files for the TLS plane; both NULL = made in the folder. */
    const char *key;
    enum contact_log_level log_contacts;
    unsigned n_threads; /**< Of the module plane; 0 = one per core. */
};

/**
 * Serve until SIGTERM or SIGINT. Says on stdout what listens where; DATA/ports.json holds the same
 * for programs as long as all listeners are up.
 */
ALOFT_MUST_CHECK
enum aloft_err serve(const struct serve_options *options, struct error *e);

#endif
