/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_STORE_ATTEMPTS_H
#define ALOFT_SERVER_STORE_ATTEMPTS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"
#include "store/devices.h"
#include "store/products.h"
#include "store/roms.h"

/* What modules tried, and how it ended. */

#define ATTEMPT_AGENT_MAX    128
#define ATTEMPT_SENTENCE_MAX 511
#define ATTEMPT_WORD_MAX     31

/** One row; see sql/0005-attempts.sql for the columns. */
struct attempt {
    int64_t id;
    int64_t product_id;
    int64_t device_id;
    int64_t token_device_id;
    char product[PRODUCT_NAME_MAX + 1]; /**< When read: its name; empty = it is gone, or none. */
    char device[DEVICE_NAME_MAX + 1];
    char reported_device[DEVICE_NAME_MAX + 1];
    char token_prefix[TOKEN_PREFIX_CHARS + 1];
    char address[DEVICE_ADDRESS_MAX + 1];
    char user_agent[ATTEMPT_AGENT_MAX + 1];
    int64_t tls_version;
    char running_version[ALOFT_OUR_HEADER_MAX + 1];
    char boot[ALOFT_OUR_HEADER_MAX + 1];
    char asked_version[ALOFT_VERSION_MAX + 1];
    char version[ALOFT_VERSION_MAX + 1];
    char file[ALOFT_FILE_NAME_MAX + 1];
    char state[ATTEMPT_WORD_MAX + 1];
    char cause[ATTEMPT_WORD_MAX + 1];
    char sentence[ATTEMPT_SENTENCE_MAX + 1];
    int64_t bytes_total;
    int64_t bytes_sent;
    int64_t bytes_acked;
    char closed_by[ATTEMPT_WORD_MAX + 1];
    int64_t n_contacts;
    int64_t started_ms;
    int64_t ended_ms;
    int64_t duration_ms;
};

/** Add one, within a transaction; its device, if known, has one more. `id` is filled in. */
ALOFT_MUST_CHECK
enum aloft_err attempts_add(struct db *db, struct attempt *attempt, struct error *e);

/** Write all but what it began with (product, device, token, address, started_ms). A row that is
 * not there any more is no error. */
ALOFT_MUST_CHECK
enum aloft_err attempts_set(struct db *db, const struct attempt *attempt, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  There is none of this id. */
ALOFT_MUST_CHECK
enum aloft_err attempts_get(struct db *db, int64_t id, struct attempt *ret_attempt,
                            struct error *e);

/**
 * The last delivered one of a device with this version.
 * @retval ALOFT_ERR_NOT_FOUND  There is none. No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err attempts_last_delivered(struct db *db, int64_t product_id, const char *device,
                                       const char *version, int64_t *ret_id, struct error *e);

/** Called once per attempt, which is borrowed. An error ends the walk. */
typedef enum aloft_err attempt_visitor(void *ctx, const struct attempt *attempt, struct error *e);

/** Those that may go on (running, delivered and not judged, or ended since `since_ms`): the newest
 * `limit`, the oldest of them first. */
ALOFT_MUST_CHECK
enum aloft_err attempts_open_each(struct db *db, int64_t since_ms, size_t limit,
                                  attempt_visitor *visit, void *ctx, struct error *e);

/** Which ones; an empty text or 0 is "any". */
struct attempt_filter {
    int64_t product_id; /**< Of this product only. */
    int64_t account_id; /**< Else of those this account has a grant for ... */
    bool is_all_seen;   /**< ... or simply all, with those of no product. */
    bool is_none;       /**< Nothing may be seen. */
    int64_t before_id;  /**< The page goes on below it. */
    size_t limit;
    const char *device;
    const char *state;
    const char *cause;
    const char *version;
    const char *file;
    const char *address;
    const char *token_prefix;
    int64_t since_ms; /**< Began then or later. */
    int64_t until_ms; /**< Began before. */
};

/** The newest first. */
ALOFT_MUST_CHECK
enum aloft_err attempts_each(struct db *db, const struct attempt_filter *filter,
                             attempt_visitor *visit, void *ctx, struct error *e);

/** Remove up to `limit` that ended before. @param ret_n  How many went. */
ALOFT_MUST_CHECK
enum aloft_err attempts_remove_old(struct db *db, int64_t before_ms, size_t limit, int64_t *ret_n,
                                   struct error *e);

/** What an attempt must know of its device. */
struct attempt_device {
    int64_t id;
    char device[DEVICE_NAME_MAX + 1];
    char proven_version[ALOFT_VERSION_MAX + 1];
    int64_t proven_ms;
};

/** @retval ALOFT_ERR_NOT_FOUND  There is none of this id. No sentence. */
ALOFT_MUST_CHECK
enum aloft_err attempts_find_device(struct db *db, int64_t device_id,
                                    struct attempt_device *ret_device, struct error *e);

/**
 * What is needed to judge how a download ended.
 * @param ret_sha256  Of the file; empty when there is none of this version and name.
 * @retval ALOFT_ERR_NOT_FOUND  There is no such product. No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err attempts_find_file(struct db *db, int64_t product_id, const char *version,
                                  const char *name, char ret_layout[LAYOUT_NAME_MAX + 1],
                                  char ret_sha256[SHA256_HEX_CHARS + 1], struct error *e);

#endif
