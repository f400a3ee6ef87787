/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DEVICE_ROOM_H
#define ALOFT_SERVER_DEVICE_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "store/devices.h"

/*
 * How many rows modules may bring about: whoever has a product's token, which every module of it
 * carries, could else fill the disk by saying ever new names or coming from ever new addresses.
 */

#define REPORTED_DEVICES_MAX    100000 /**< Of a product. */
#define DEVICE_ROOM_SLOTS       64
#define DEVICE_ROOM_INTERVAL_MS 60000 /**< Counts are read again; one warning per product. */

/** What a product had when it was counted, and was added since. */
struct device_room_count {
    int64_t product_id; /* 0 = empty */
    int64_t counted_ms;
    int64_t warned_ms;
    int64_t n_addresses;
    int64_t n_reported;
};

/** All zero but address_max to begin with. Of one thread, but for address_max. */
struct device_room {
    atomic_uint address_max;
    struct device_room_count counts[DEVICE_ROOM_SLOTS];
};

/**
 * Make room for one more row, within the transaction that adds it. Of addresses the one seen
 * longest ago goes; when there are too many reported names, the new one does not come in.
 *
 * @param is_address  The row is an address; else a reported name.
 */
ALOFT_MUST_CHECK
enum aloft_err device_room_make(struct device_room *room, struct db *db,
                                const struct device_news *news, bool is_address, bool *ret_has_room,
                                struct error *e);

/** The transaction was undone. */
void device_room_forget(struct device_room *room);

#endif
