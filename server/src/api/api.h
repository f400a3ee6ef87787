/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_API_H
#define ALOFT_SERVER_API_H

#include <stdint.h>

#include "account/join_policy.h"
#include "account/passwords.h"
#include "attempt/contact_counts.h"
#include "attempt/tracker.h"
#include "blob/blobs.h"
#include "catalog/catalog.h"
#include "host/address.h"
#include "host/network.h"
#include "notify/bus.h"
#include "store/db.h"

/*
 * The console plane: REST over HTTP for the CLI and other programs. server/api/openapi.yaml is its
 * contract. A write is committed and in the catalog before it is answered with 2xx.
 */

struct api;

/** What may change while it runs. */
struct api_settings {
    enum join_policy join;
    unsigned session_hours;
    uint64_t upload_max_bytes; /**< Largest file that is taken. */
    bool is_metrics_open;      /**< /metrics, to programs on this machine. */
    struct networks proxies;   /**< In front of it: these are believed whom they speak for. */
};

/** What the console plane tells of the module plane, which it does not know itself. */
struct api_module_facts {
    bool is_listening;
    unsigned n_downloads; /**< Under way. */
    uint64_t n_contacts_dropped;
    struct contact_counts counts;
    size_t n_attempts; /**< Filled in. */
    struct attempt_count attempts[TRACKER_COUNTS];
};

struct api_options {
    const struct address *address; /**< Borrowed for the call; port 0 = a free one. */
    struct db *db;                 /**< These three are borrowed until api_stop(). */
    struct blobs *blobs;
    struct catalog *catalog;
    struct bus *bus;             /**< Told of each change; borrowed like them. */
    struct passwords *passwords; /**< Borrowed too. */
    const char
        *setup_code_path;  /**< Removed when the first account is there. Borrowed for the call. */
    const char *data_path; /**< The data folder; borrowed until api_stop(). */
    int64_t started_ms;
    /** From any thread. */
    void (*read_modules)(void *ctx, struct api_module_facts *ret_facts);
    void *modules_ctx;
    struct api_settings settings;
    const char *public_host; /**< Where modules reach the module plane; copied; "" = not known. */
    uint16_t public_port;    /**< The ports they reach there. */
    uint16_t public_tls_port;
};

/** @retval ALOFT_ERR_IO  Cannot listen there. */
ALOFT_MUST_CHECK
enum aloft_err api_start(const struct api_options *options, struct api **ret_api, struct error *e);

/** The port bound. */
uint16_t api_port(const struct api *api);

/** Go by other settings from the next request on. From any thread. */
void api_set_settings(struct api *api, const struct api_settings *settings);

/** Remove what has had its time: uploads that waited an hour for their ROM, partial uploads nobody
 * went on with for a day, expired links. From any thread. */
void api_expire(struct api *api);

/** End the overlaps of tokens that are over. From any thread. */
void api_expire_tokens(struct api *api);

/** Finish no request: cut what is under way, which leaves nothing behind. NULL is fine. */
void api_stop(struct api *api);

#endif
