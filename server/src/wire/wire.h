/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_WIRE_H
#define ALOFT_WIRE_WIRE_H

#include <stdint.h>

#include "attempt/contact_counts.h"
#include "attempt/contact_queue.h"
#include "catalog/catalog.h"
#include "host/address.h"
#include "host/network.h"

/*
 * The module plane: the three answers of facts/ciupdate-wire.md over plain TCP and TLS, by event
 * loops of our own (facts/serving.md says why). It asks the catalog and tells the contact queue; it
 * knows no database and no people.
 */

struct wire;

/**
 * What is marked (R) may be changed by wire_reload(); the rest counts at the start only.
 */
struct wire_options {
    const struct address *plain; /**< NULL: no plain listener. */
    const struct address *tls;   /**< NULL: no TLS listener. */
    const char *certificate;     /**< (R) PEM file, the chain after it; needed with `tls`. */
    const char *key;             /**< (R) PEM file; needed with `tls`. */
    unsigned n_threads;          /**< 0: one per core. */
    unsigned send_buffer_bytes;  /**< SO_SNDBUF of every connection; 0: by the peer's window. */
    unsigned record_bytes;       /**< Largest TLS record, 512..16384; 0: 16384. */
    unsigned head_timeout_ms;    /**< (R) For the whole request head; 0: WIRE_HEAD_TIMEOUT_MS. */
    unsigned stall_timeout_ms; /**< (R) Without one acknowledged byte; 0: WIRE_STALL_TIMEOUT_MS. */

    /**
     * (R) Version queries and version lists of one token from one address in a minute; all of them
     * may come at once. Who asks more is told to wait: `first_pause_ms`, and twice as long each
     * time he does not learn, up to `max_pause_ms`, until he has been quiet for a minute. File
     * requests are never refused: stock firmware has erased its slot by then.
     *
     * A device's own token is one module's, which asks a few times a day. A product's token is
     * shared by all its modules, and many may stand behind one address (NAT) and start together
     * after a power cut, so that limit is there for programs gone wild only.
     *
     * 0: WIRE_DEVICE_PER_MIN, WIRE_PRODUCT_PER_MIN; WIRE_NO_LIMIT: none. At most WIRE_PER_MIN_MAX.
     */
    unsigned device_per_min;
    unsigned product_per_min;
    unsigned first_pause_ms; /**< (R) 0: WIRE_FIRST_PAUSE_MS. */
    unsigned max_pause_ms;   /**< (R) 0: WIRE_MAX_PAUSE_MS. At most a day. */

    /**
     * (R) Downloads at the same time, over all loops; with so many under way a version query is
     * told to come back later, while file requests are still served. 0: as many as leave one
     * descriptor in sixteen for version queries. WIRE_NO_LIMIT: none.
     */
    unsigned max_downloads;

    /**
     * (R) Proxies in front of the module plane: what comes from them begins with a PROXY header
     * (version 1 or 2), and the address in it counts. From everybody else such a header is a bad
     * request. Borrowed for the call; NULL: none.
     */
    const struct networks *proxies;
};

#define WIRE_HEAD_TIMEOUT_MS  15000
#define WIRE_STALL_TIMEOUT_MS 60000 /* stock gives up after 10 s of TLS silence, 180 s in all */
#define WIRE_DEVICE_PER_MIN   30
#define WIRE_PRODUCT_PER_MIN  6000
#define WIRE_PER_MIN_MAX      60000
#define WIRE_FIRST_PAUSE_MS   5000
#define WIRE_MAX_PAUSE_MS     600000
#define WIRE_NO_LIMIT         UINT32_MAX

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

/**
 * Change what is marked (R) in the options, all of it: what is 0 goes back to its default.
 * Downloads under way go on, TLS ones with the certificate they began with. Not from two threads at
 * once.
 *
 * @param options  Borrowed for the call; what is not marked is ignored.
 * @retval ALOFT_ERR_TLS  The certificate or key cannot be used. Everything stands as before, as
 *                        after every error.
 * @retval ALOFT_ERR_ARG  An option is out of range.
 */
ALOFT_MUST_CHECK
enum aloft_err wire_reload(struct wire *wire, const struct wire_options *options, struct error *e);

/** Until it is drained. */
bool wire_is_listening(const struct wire *wire);

/** Add what all loops have told about since the start. */
void wire_counts(const struct wire *wire, struct contact_counts *sum);

/** Downloads under way now. */
unsigned wire_downloads(const struct wire *wire);

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
