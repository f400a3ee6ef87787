/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DEVICES_H
#define ALOFT_SERVER_DEVICES_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

#define DEVICE_NAME_MAX    64 /**< Bytes of an Aloft-Device value (ALOFT_OUR_HEADER_MAX). */
#define DEVICE_ADDRESS_MAX 45 /**< An IPv6 address as text. */
#define TOKEN_PREFIX_CHARS 6  /**< All of a token that is ever shown in lists and logs. */

struct device {
    char device[DEVICE_NAME_MAX + 1]; /**< Aloft-Device; of a stock module its address. */
    char token_prefix[TOKEN_PREFIX_CHARS + 1];
    char address[DEVICE_ADDRESS_MAX + 1];
    char delivered_version[ALOFT_VERSION_MAX + 1]; /**< Empty = none. */
    char proven_version[ALOFT_VERSION_MAX + 1];    /**< Empty = none. */
    int64_t last_seen_ms;
};

/** What one contact tells about a device; texts are borrowed. */
struct device_news {
    int64_t product_id;
    const char *device;
    const char *token_prefix;
    const char *address;
    const char
        *delivered_version;      /**< All its bytes were acknowledged; NULL = not such a contact. */
    const char *running_version; /**< As the device says itself; NULL = it did not. */
    int64_t seen_ms;
};

/**
 * Note a contact; a device not known is added. It becomes proven when it says it runs the version
 * it was delivered.
 *
 * @param ret_is_proven  It became proven by this contact (not: was so before).
 */
ALOFT_MUST_CHECK
enum aloft_err devices_note(struct db *db, const struct device_news *news, bool *ret_is_proven,
                            struct error *e);

/** Called once per device, which is borrowed; may ask other questions. An error ends the walk. */
typedef enum aloft_err device_visitor(void *ctx, const struct device *device, struct error *e);

#define DEVICES_PER_PAGE 1000

/** The devices of a product by name, DEVICES_PER_PAGE at most; `after` is the last one of the page
 * before, or empty. */
ALOFT_MUST_CHECK
enum aloft_err devices_each(struct db *db, int64_t product_id, const char *after,
                            device_visitor *visit, void *ctx, struct error *e);

#endif
