/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/device_room.h"

#include <inttypes.h>
#include <string.h>

#include "host/log.h"

static bool is_within(int64_t then_ms, int64_t now_ms)
{
    return now_ms >= then_ms && now_ms - then_ms < DEVICE_ROOM_INTERVAL_MS;
}

/* People may remove devices meanwhile, so it is counted anew from time to time. */
static enum aloft_err count(struct device_room_count *c, struct db *db,
                            const struct device_news *news, struct error *e)
{
    if (c->product_id == news->product_id && is_within(c->counted_ms, news->seen_ms)) {
        return ALOFT_ERR_OK;
    }
    if (c->product_id != news->product_id) {
        *c = (struct device_room_count){.warned_ms = INT64_MIN / 2};
    }
    enum aloft_err err = devices_count(db, news->product_id, DEVICE_ADDRESS, &c->n_addresses, e);
    if (err == ALOFT_ERR_OK) {
        err = devices_count(db, news->product_id, DEVICE_REPORTED, &c->n_reported, e);
    }
    c->product_id = err == ALOFT_ERR_OK ? news->product_id : 0;
    c->counted_ms = news->seen_ms;
    return err;
}

static void warn(struct device_room_count *c, const struct device_news *news)
{
    if (!is_within(c->warned_ms, news->seen_ms)) {
        c->warned_ms = news->seen_ms;
        log_warn("devices.too_many",
                 "product_id=%" PRId64 " address=%s reported_max=%d reason=\"ever new names with "
                 "the product's token: rotate it, or register its devices\"",
                 news->product_id, news->address, REPORTED_DEVICES_MAX);
    }
}

enum aloft_err device_room_make(struct device_room *room, struct db *db,
                                const struct device_news *news, bool is_address, bool *ret_has_room,
                                struct error *e)
{
    struct device_room_count *c = &room->counts[(uint64_t)news->product_id % DEVICE_ROOM_SLOTS];
    int64_t address_max = room->address_max;
    enum aloft_err err = count(c, db, news, e);

    *ret_has_room = is_address ? address_max > 0 : c->n_reported < REPORTED_DEVICES_MAX;
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!is_address && *ret_has_room) {
        c->n_reported++;
    } else if (!is_address) {
        warn(c, news);
    }
    if (is_address && *ret_has_room) {
        c->n_addresses++;
    }
    while (err == ALOFT_ERR_OK && is_address && c->n_addresses > address_max) {
        err = devices_remove_oldest_address(db, news->product_id, e);
        c->n_addresses--;
    }
    return err;
}

void device_room_forget(struct device_room *room)
{
    memset(room->counts, 0, sizeof room->counts);
}
