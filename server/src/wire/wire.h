/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_WIRE_H
#define ALOFT_WIRE_WIRE_H

#include <stdint.h>

#include "attempt/contact_queue.h"
#include "catalog/catalog.h"
#include "host/address.h"

/*
 * The module plane: the three answers of facts/ciupdate-wire.md over plain TCP and TLS, by event
 * loops of our own (facts/serving.md says why). It asks the catalog and tells the contact queue; it
 * knows no database and no people.
 */

struct wire;

struct wire_options {
    const struct address *plain; /**< NULL: no plain listener. */
    const struct address *tls;   /**< NULL: no TLS listener. */
    const char *certificate;     /**< PEM file, the chain after it; needed with `tls`. */
    const char *key;             /**< PEM file; needed with `tls`. */
    unsigned n_threads;          /**< 0: one per core. */
    unsigned send_buffer_bytes;  /**< SO_SNDBUF of every connection; 0: by the peer's window. */
    unsigned record_bytes;       /**< Largest TLS record, 512..16384; 0: 16384. */
    unsigned head_timeout_ms;    /**< For the whole request head; 0: WIRE_HEAD_TIMEOUT_MS. */
    unsigned stall_timeout_ms;   /**< Without one acknowledged byte; 0: WIRE_STALL_TIMEOUT_MS. */
};

#define WIRE_HEAD_TIMEOUT_MS  15000
#define WIRE_STALL_TIMEOUT_MS 60000 /* stock gives up after 10 s of TLS silence, 180 s in all */

/**
 * Bind, start the threads and return. Raises the process's soft limit of descriptors to its hard
 * one.
 *
 * @param options   Borrowed for the call.
 * @param catalog   Borrowed until wire_stop().
 * @param contacts  Borrowed until wire_stop(); NULL = nobody wants them.
 * @param ret_wire  Transferred: wire_stop().
 * @retval ALOFT_ERR_IO   Cannot listen; native_code tells EACCES (no right to bind that port; try a
 *                        port over 1023) and EADDRINUSE apart.
 * @retval ALOFT_ERR_TLS  The certificate or key cannot be used.
 * @retval ALOFT_ERR_ARG  An option is out of range.
 */
ALOFT_MUST_CHECK
enum aloft_err wire_start(const struct wire_options *options, struct catalog *catalog,
                          struct contact_queue *contacts, struct wire **ret_wire, struct error *e);

/** The port bound; 0 = no such listener. */
uint16_t wire_plain_port(const struct wire *wire);
uint16_t wire_tls_port(const struct wire *wire);

/**
 * Stop listening, and give downloads under way `grace_ms` from now; then they are cut. Returns at
 * once. May be called again, from any thread, to change the time: 0 cuts now.
 */
void wire_drain(struct wire *wire, unsigned grace_ms);

/** Wait until a drained module plane has nothing under way and its threads have ended. Then comes
 * wire_stop(). From one thread. */
void wire_join(struct wire *wire);

/**
 * Stop listening, let downloads under way finish for at most `grace_ms`, cut the rest, end the
 * threads. NULL is fine.
 */
void wire_stop(struct wire *wire, unsigned grace_ms);

/**
 * See to a certificate for the TLS listener: `cert.pem` and `key.pem` (0600) in `dir`. Missing ones
 * are made: self-signed, P-256 (stock modules do not verify it, wire 5). Existing ones stay.
 */
ALOFT_MUST_CHECK
enum aloft_err wire_certificate_ensure(const char *dir, struct error *e);

/**
 * The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo (RFC 7469 2.4). It stays the same
 * for a new certificate of the same key.
 *
 * @param path     PEM; the first certificate of it counts.
 * @param ret_pin  Hex, HASH_HEX_BYTES.
 * @retval ALOFT_ERR_TLS  The file has none.
 */
ALOFT_MUST_CHECK
enum aloft_err wire_certificate_pin(const char *path, char *ret_pin, struct error *e);

#endif
