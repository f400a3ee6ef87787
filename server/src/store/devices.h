/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DEVICES_H
#define ALOFT_SERVER_DEVICES_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

/*
 * Units of a product. A row comes about in one of three ways, its origin: people registered it; a
 * module reported its name (Aloft-Device) with the product's token; or a module showed the
 * product's token only and stands there under its source address, maybe one of many behind it.
 */

#define DEVICE_NAME_MAX    64 /**< Bytes of an Aloft-Device value (ALOFT_OUR_HEADER_MAX). */
#define DEVICE_SERIAL_MAX  64
#define DEVICE_NOTE_MAX    256
#define DEVICE_ADDRESS_MAX 45 /**< An IPv6 address as text. */
#define TOKEN_PREFIX_CHARS 6  /**< All of a token that is ever shown in logs, and to viewers. */

#define DEVICE_REGISTERED "registered"
#define DEVICE_REPORTED   "reported"
#define DEVICE_ADDRESS    "address"

struct device {
    int64_t id;
    char device[DEVICE_NAME_MAX + 1]; /**< Its name; of a stock module its address. */
    char origin[16];
    char serial[DEVICE_SERIAL_MAX + 1]; /**< Empty = none. */
    char note[DEVICE_NOTE_MAX + 1];
    char token[ALOFT_TOKEN_CHARS + 1];         /**< Its own, mode 0; empty = the product's. */
    char token_tls[ALOFT_TOKEN_CHARS + 1];     /**< Its own, mode 1. */
    char token_prefix[TOKEN_PREFIX_CHARS + 1]; /**< Shown last; never seen: of its own, or "". */
    char address[DEVICE_ADDRESS_MAX + 1];      /**< Empty = never seen, as below. */
    char running_version[ALOFT_OUR_HEADER_MAX + 1]; /**< Empty = it does not say. */
    char boot[ALOFT_OUR_HEADER_MAX + 1];
    char delivered_version[ALOFT_VERSION_MAX + 1]; /**< Empty = none. */
    char proven_version[ALOFT_VERSION_MAX + 1];    /**< Empty = none. */
    int64_t delivered_ms;                          /**< 0 = never, as below. */
    int64_t proven_ms;
    int64_t n_attempts;
    int64_t created_ms;
    int64_t first_seen_ms;
    int64_t last_seen_ms;
    int64_t revision; /**< Grows with each change by people. */
};

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err devices_get(struct db *db, int64_t product_id, const char *name,
                           struct device *ret_device, struct error *e);

/* Changes by people; all within a transaction. */

/**
 * Register one: of `device` name, serial, note, tokens and created_ms are read; the rest is filled
 * in. A row of this name that modules brought about becomes a registered one and keeps what is
 * known of it. Tokens are not compared with others': see tokens_refuse_taken().
 *
 * @retval ALOFT_ERR_DUPLICATE  People have registered one of this name before.
 */
ALOFT_MUST_CHECK
enum aloft_err devices_add(struct db *db, int64_t product_id, struct device *device,
                           struct error *e);

/**
 * Write name, serial, note and tokens; the revision grows by one.
 *
 * @param product_id  Where its name must be its own.
 * @retval ALOFT_ERR_DUPLICATE  Another device has the name.
 */
ALOFT_MUST_CHECK
enum aloft_err devices_update(struct db *db, int64_t product_id, struct device *device,
                              struct error *e);

/** With its old tokens. */
ALOFT_MUST_CHECK
enum aloft_err devices_remove(struct db *db, int64_t id, struct error *e);

/* What modules bring about. */

/** What one contact tells about a device; texts are borrowed. */
struct device_news {
    int64_t product_id;
    int64_t device_id;  /**< It showed the token of this one; 0: the product's. */
    int mode;           /**< Of the token it showed. */
    const char *device; /**< Aloft-Device; "" = it did not say. */
    const char *token_prefix;
    const char *address;
    const char
        *delivered_version;      /**< All its bytes were acknowledged; NULL = not such a contact. */
    const char *running_version; /**< As the device says itself; NULL, "" = it did not. */
    const char *boot;            /**< The same. */
    int64_t seen_ms;
};

/**
 * Whose row it is. A token of its own decides, whatever name is said; the name of a device with a
 * token of its own is not taken from one that shows the product's.
 *
 * @param ret_id    0: there is none; devices_add_seen() makes it.
 * @param ret_name  Of a row that is to be made; points into `news`.
 */
ALOFT_MUST_CHECK
enum aloft_err devices_find_seen(struct db *db, const struct device_news *news, int64_t *ret_id,
                                 const char **ret_name, struct error *e);

/** Make the row of a module; devices_note() fills it. `*ret_id` is 0 if the product is gone. */
ALOFT_MUST_CHECK
enum aloft_err devices_add_seen(struct db *db, const struct device_news *news, const char *name,
                                int64_t *ret_id, struct error *e);

/**
 * Note a contact. The device becomes proven when it says it runs the version it was delivered.
 *
 * @param ret_is_proven  It became proven by this contact (not: was so before).
 */
ALOFT_MUST_CHECK
enum aloft_err devices_note(struct db *db, int64_t id, const struct device_news *news,
                            bool *ret_is_proven, struct error *e);

/** How many rows of this origin a product has. */
ALOFT_MUST_CHECK
enum aloft_err devices_count(struct db *db, int64_t product_id, const char *origin, int64_t *ret_n,
                             struct error *e);

/** Remove the address seen longest ago. */
ALOFT_MUST_CHECK
enum aloft_err devices_remove_oldest_address(struct db *db, int64_t product_id, struct error *e);

/** Remove the addresses of all products seen last before `before_ms`. */
ALOFT_MUST_CHECK
enum aloft_err devices_remove_old_addresses(struct db *db, int64_t before_ms, struct error *e);

/* Lists. */

/** What a list is to hold; texts are borrowed, NULL = any. The first four are prefixes. */
struct device_filter {
    const char *any; /**< Of name, serial, token or address. */
    const char *device;
    const char *serial;
    const char *token; /**< TOKEN_PREFIX_CHARS count: nobody guesses a token digit by digit. */
    const char *address;
    const char *running_version;
    const char *delivered_version;
    const char *proven_version;
    const char *origin;
    int64_t seen_since_ms;  /**< 0 = any. */
    int64_t seen_before_ms; /**< 0 = any. */
};

/** Where a list stands; all zero: before the first device. */
struct device_cursor {
    unsigned source; /**< Which of the indexes it goes through. */
    int64_t id;
    char key[DEVICE_NAME_MAX + 1];
};

/** Called once per device, both borrowed; the list goes on behind `at`. An error ends the walk. */
typedef enum aloft_err device_visitor(void *ctx, const struct device *device,
                                      const struct device_cursor *at, struct error *e);

/**
 * Up to `limit` devices behind `after`. Without a filter, or by name alone, in the order of names;
 * else in that of the index that finds them, each device once.
 */
ALOFT_MUST_CHECK
enum aloft_err devices_list(struct db *db, int64_t product_id, const struct device_filter *filter,
                            const struct device_cursor *after, size_t limit, device_visitor *visit,
                            void *ctx, struct error *e);

#endif
