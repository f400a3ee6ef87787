/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/app_image.h"

/* Parsers: formats/src/app_image.c */

/*
 * An input is five bytes of rules (chip, flags, portion, slot in KiB, revision) and the image. The
 * hash is a stand-in whose digest is all zero, so that the fuzzer can reach the end of an image; it
 * counts what the reader must promise: started once, finished at most once, and fed exactly what
 * stands before the digest.
 */
#define RULE_BYTES 5u

enum { WITH_SIGNATURE = 1, WITH_DESC = 2, IS_BOOTLOADER = 4, WITH_HASH = 8 };

struct count {
    uint32_t n_bytes;
    unsigned n_starts;
    unsigned n_finishes;
};

static void start(void *state)
{
    struct count *count = state;

    count->n_starts++;
}

static void update(void *state, const uint8_t *buf, size_t len)
{
    struct count *count = state;

    (void)buf;
    count->n_bytes += (uint32_t)len;
}

static void finish(void *state, uint8_t *ret_digest)
{
    struct count *count = state;

    count->n_finishes++;
    memset(ret_digest, 0, ALOFT_SHA256_BYTES);
}

static const struct aloft_hash_ops ops = {start, update, finish};

static struct aloft_app_rules make_rules(const uint8_t *data)
{
    return (struct aloft_app_rules){
        .chip = aloft_chip_at(data[0]),
        .chip_revision = data[4],
        .slot_bytes = data[3] * 1024u,
        .has_signature = (data[1] & WITH_SIGNATURE) != 0,
        .requires_app_desc = (data[1] & WITH_DESC) != 0,
        .is_bootloader = (data[1] & IS_BOOTLOADER) != 0,
    };
}

static void read_in_portions(struct aloft_app_image *img, const uint8_t *buf, size_t len,
                             size_t portion)
{
    for (size_t off = 0; off < len;) {
        size_t n = len - off < portion ? len - off : portion;
        size_t used;
        enum aloft_err err = aloft_app_image_feed(img, buf + off, n, &used);

        MUST(used <= n && err == img->err);
        MUST(used == n || err != ALOFT_ERR_OK || aloft_app_image_is_complete(img));
        if (used < n) {
            break;
        }
        off += n;
    }
}

static void check_complete(const struct aloft_app_image *img, size_t len, const struct count *count)
{
    uint32_t hash_bytes = img->header.hash_appended ? ALOFT_SHA256_BYTES : 0;

    MUST(img->image_bytes <= len && img->image_bytes % 16 == 0);
    MUST(img->image_bytes == aloft_app_image_least_bytes(img));
    MUST(img->n_segments == img->header.segment_count && img->n_segments >= 1);
    MUST(img->signature_off % ALOFT_SIGNATURE_BYTES == 0 && img->signature_off >= img->image_bytes);
    MUST(img->rules.slot_bytes == 0 || img->image_bytes <= img->rules.slot_bytes);
    MUST(!img->rules.requires_app_desc || img->has_desc);
    MUST(count->n_starts == 0 || count->n_bytes + hash_bytes == img->image_bytes);
    MUST(count->n_starts == count->n_finishes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t portions[] = {SIZE_MAX, 1, 7};
    struct aloft_app_image images[sizeof portions / sizeof portions[0]];

    if (size < RULE_BYTES) {
        return 0;
    }
    struct aloft_app_rules rules = make_rules(data);
    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        struct count count = {0};
        struct aloft_hash hash = {&ops, &count};
        size_t portion = portions[i] == 7 ? 2u + data[2] : portions[i];

        aloft_app_image_init(&images[i], &rules, (data[1] & WITH_HASH) ? &hash : NULL);
        read_in_portions(&images[i], data + RULE_BYTES, size - RULE_BYTES, portion);
        if (aloft_app_image_finish(&images[i]) == ALOFT_ERR_OK) {
            check_complete(&images[i], size - RULE_BYTES, &count);
        }
        MUST(images[i].err == images[0].err && images[i].err_off == images[0].err_off);
        MUST(images[i].image_bytes == images[0].image_bytes);
        MUST(memcmp(&images[i].header, &images[0].header, sizeof images[0].header) == 0);
    }
    return 0;
}
