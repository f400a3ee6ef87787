/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/packed.h"

#include <string.h>

#include "aloft/bytes.h"
#include "host/hashes.h"

/* Reading; the rows are in packed_rows.c. */

/* Takes what was decoded, up to the size of the slot: an image must be smaller, and a decompression
 * bomb costs no more. */
static bool take_inner(void *ctx, const uint8_t *buf, size_t len)
{
    struct packed *p = ctx;
    uint64_t left = p->slot_bytes - p->subject->image_bytes;

    feed_image(p->subject, buf, left < len ? (size_t)left : len);
    return len < left;
}

bool packed_init(struct packed *p, struct subject *s)
{
    const struct aloft_layout *layout = s->layout;
    const struct aloft_partition *slot = aloft_partition_by_type(
        layout->primary, layout->n_primary, ALOFT_PARTITION_APP, ALOFT_PARTITION_APP_OTA_0);

    *p = (struct packed){
        .err = ALOFT_ERR_TRUNCATED,
        .header_off = layout->upload == ALOFT_UPLOAD_PACKED3 ? ALOFT_PACKED_WRAP_BYTES : 0,
        .slot_bytes = slot ? slot->size_bytes : 0,
        .subject = s,
        .md5 = hash_new_md5(),
        .xz = xz_new(take_inner, p),
    };
    if (!p->md5 || !p->xz) {
        return false;
    }
    p->md5->ops->start(p->md5->state);
    return true;
}

void packed_deinit(struct packed *p)
{
    hash_free(p->md5);
    xz_free(p->xz);
}

/* The payload and what stands behind it. */
static void feed_payload(struct packed *p, const uint8_t *buf, size_t len)
{
    uint64_t left = p->header.payload_bytes - p->payload_bytes;
    size_t n = left < len ? (size_t)left : len;

    p->md5->ops->update(p->md5->state, buf, n);
    xz_feed(p->xz, buf, n);
    p->payload_bytes += n;
    tail_feed(&p->subject->tail, buf, len);
}

/* Enough of the head is there: open, and pass on what is behind the header. */
static void open_payload(struct packed *p)
{
    struct subject *s = p->subject;
    size_t payload_off = p->header.payload_off;
    size_t header_bytes = payload_off - p->header_off;

    p->is_open = true;
    s->tail.body_end = (uint64_t)header_bytes + p->header.payload_bytes;
    tail_feed(&s->tail, p->head + p->header_off, header_bytes);
    feed_payload(p, p->head + payload_off, p->head_len - payload_off);
}

/* Gather the head byte for byte of need. @return Bytes of `buf` that it took. */
static size_t feed_head(struct packed *p, const uint8_t *buf, size_t len)
{
    size_t n = sizeof p->head - p->head_len;

    n = n < len ? n : len;
    memcpy(p->head + p->head_len, buf, n);
    p->head_len += n;
    p->err = aloft_packed_header_parse(p->head, p->head_len, &p->header);
    /* The rows judge the rest of the header; without its place nothing behind it can be found. */
    if (p->err == ALOFT_ERR_OK && p->header.is_wrapped == (p->header_off > 0)) {
        open_payload(p);
    }
    return n;
}

void packed_feed(struct packed *p, const uint8_t *buf, size_t len)
{
    size_t used = 0;

    if (p->err == ALOFT_ERR_TRUNCATED) {
        used = feed_head(p, buf, len);
    }
    if (p->is_open) {
        feed_payload(p, buf + used, len - used);
    }
}
