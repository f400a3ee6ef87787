/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/app_image.h"

#include <string.h>

#include "aloft/bytes.h"

/*
 * An image is a row of parts, and each part ends at an offset that is known when the part begins:
 * one table says per part where its bytes go and what its last byte decides. The order of the
 * decisions is the boot loader's (facts/esp-formats.md 1.7), but a length that can no longer fit is
 * refused as soon as it is known, because a writer must not pass the end of its slot.
 */

#define CHIP_ID_END        14u /* The chip id is complete behind this many bytes. */
#define SEGMENT_HEAD_BYTES 8u
#define SEGMENT_LEN_END    0x1000000u /* 16 MiB. */
#define CHECKSUM_SEED      0xEF
#define CHECKSUM_ROW       16u
#define REVISION_UNSET     0xFFFF
#define PAGE_LOG2_MIN      13u /* 8 KiB, legal on C6. */
#define PAGE_LOG2_16K      14u
#define PAGE_LOG2_32K      15u
#define PAGE_LOG2_64K      16u
#define SPI_SIZE_1M        0
#define SPI_SIZE_2M        1

enum part_name {
    PART_MAGIC,
    PART_CHIP,
    PART_HEADER,
    PART_SEGMENT_HEAD,
    PART_DESC_MAGIC,
    PART_DESC,
    PART_DATA,
    PART_CHECKSUM, /* Zero padding, its last byte is the checksum. */
    PART_HASH,
    PART_NONE, /* Complete. */
};

static void begin(struct aloft_app_image *img, enum part_name part, uint32_t len)
{
    img->state = (uint8_t)part;
    img->part_end = img->off + len;
}

static void begin_kept(struct aloft_app_image *img, enum part_name part, uint32_t len)
{
    img->scratch_len = 0;
    begin(img, part, len);
}

static uint32_t align_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Where the checksum row ends when the last data byte stands before `data_end`. */
static uint32_t checksum_end(uint32_t data_end)
{
    return align_up(data_end + 1, CHECKSUM_ROW);
}

/* No overflow: 16 segments of less than 16 MiB stay far below 4 GiB. */
uint32_t aloft_app_image_least_bytes(const struct aloft_app_image *img)
{
    uint32_t data_end = ALOFT_APP_HEADER_BYTES;

    if (!img->has_header) {
        return 0;
    }
    if (img->n_segments > 0) {
        const struct aloft_app_segment *last = &img->segments[img->n_segments - 1];
        data_end = last->data_off + last->size_bytes;
    }
    data_end += (uint32_t)(img->header.segment_count - img->n_segments) * SEGMENT_HEAD_BYTES;
    return checksum_end(data_end) + (img->header.hash_appended ? ALOFT_SHA256_BYTES : 0);
}

static uint32_t least_slot_bytes(const struct aloft_app_image *img)
{
    uint32_t len = aloft_app_image_least_bytes(img);

    return img->rules.has_signature ? align_up(len, ALOFT_SIGNATURE_BYTES) + ALOFT_SIGNATURE_BYTES
                                    : len;
}

static enum aloft_err end_magic(struct aloft_app_image *img)
{
    if (img->scratch[0] != ALOFT_APP_MAGIC) {
        return ALOFT_ERR_MAGIC;
    }
    begin(img, PART_CHIP, CHIP_ID_END - 1);
    return ALOFT_ERR_OK;
}

static enum aloft_err end_chip(struct aloft_app_image *img)
{
    uint16_t chip_id = aloft_get_le16(img->scratch + CHIP_ID_END - 2);

    if (!img->rules.chip) {
        img->rules.chip = aloft_chip_by_id(chip_id); /* NULL: rules by chip do not apply */
    } else if (img->rules.chip->id != chip_id) {
        return ALOFT_ERR_CHIP;
    }
    begin(img, PART_HEADER, ALOFT_APP_HEADER_BYTES - CHIP_ID_END);
    return ALOFT_ERR_OK;
}

static bool is_revision_in_range(const struct aloft_app_header *header, uint16_t revision)
{
    bool has_max = header->max_chip_rev != 0 && header->max_chip_rev != REVISION_UNSET;

    return revision >= header->min_chip_rev && !(has_max && revision > header->max_chip_rev);
}

static enum aloft_err end_header(struct aloft_app_image *img)
{
    enum aloft_err err = aloft_app_header_parse(img->scratch, &img->header);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    img->has_header = true;
    if (img->rules.chip_revision != 0 &&
        !is_revision_in_range(&img->header, img->rules.chip_revision)) {
        return ALOFT_ERR_CHIP_REVISION;
    }
    if (img->header.segment_count == 0 || img->header.segment_count > ALOFT_APP_SEGMENTS_MAX) {
        return ALOFT_ERR_SEGMENT_COUNT;
    }
    begin_kept(img, PART_SEGMENT_HEAD, SEGMENT_HEAD_BYTES);
    return ALOFT_ERR_OK;
}

/* 0 stands for an impossible value in the descriptor. */
static uint32_t page_bytes(const struct aloft_app_image *img)
{
    uint8_t log2 = img->desc.mmu_page_log2;

    if (!img->rules.chip->has_small_pages) {
        return 1u << PAGE_LOG2_64K;
    }
    if (log2 == 0) { /* Built before the field existed: the page follows the flash size. */
        log2 = img->header.spi_size == SPI_SIZE_1M   ? PAGE_LOG2_16K
               : img->header.spi_size == SPI_SIZE_2M ? PAGE_LOG2_32K
                                                     : PAGE_LOG2_64K;
    }
    return log2 < PAGE_LOG2_MIN || log2 > PAGE_LOG2_64K ? 0 : 1u << log2;
}

static enum aloft_err check_alignment(const struct aloft_app_image *img,
                                      const struct aloft_app_segment *segment)
{
    if (!img->rules.chip || !aloft_chip_is_mapped(img->rules.chip, segment->load_addr)) {
        return ALOFT_ERR_OK;
    }
    uint32_t page = page_bytes(img);
    bool is_aligned = page != 0 && segment->data_off % page == segment->load_addr % page;
    return is_aligned ? ALOFT_ERR_OK : ALOFT_ERR_ALIGN;
}

static bool needs_app_desc(const struct aloft_app_image *img)
{
    bool does_chip =
        img->rules.chip && img->rules.chip->needs_app_desc && !img->rules.is_bootloader;

    return img->rules.requires_app_desc || does_chip;
}

/* All data of the current segment has gone by. */
static enum aloft_err end_data(struct aloft_app_image *img)
{
    if (img->n_segments < img->header.segment_count) {
        begin_kept(img, PART_SEGMENT_HEAD, SEGMENT_HEAD_BYTES);
    } else {
        begin_kept(img, PART_CHECKSUM, checksum_end(img->off) - img->off);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err begin_data(struct aloft_app_image *img, uint32_t len)
{
    if (len == 0) {
        return end_data(img);
    }
    begin(img, PART_DATA, len);
    return ALOFT_ERR_OK;
}

/* Segment 0: its page size may stand in the descriptor, so its alignment is judged behind it. */
static enum aloft_err begin_first_segment(struct aloft_app_image *img,
                                          const struct aloft_app_segment *segment)
{
    if (segment->size_bytes >= ALOFT_APP_DESC_BYTES) {
        begin_kept(img, PART_DESC_MAGIC, sizeof(uint32_t));
        return ALOFT_ERR_OK;
    }
    return needs_app_desc(img) ? ALOFT_ERR_NO_APP_DESC : begin_data(img, segment->size_bytes);
}

static enum aloft_err end_segment_head(struct aloft_app_image *img)
{
    bool is_first = img->n_segments == 0;
    struct aloft_app_segment *segment = &img->segments[img->n_segments++];

    segment->load_addr = aloft_get_le32(img->scratch);
    segment->size_bytes = aloft_get_le32(img->scratch + 4);
    segment->data_off = img->off;
    if (segment->size_bytes % 4 != 0 || segment->size_bytes >= SEGMENT_LEN_END) {
        return ALOFT_ERR_SEGMENT_LEN;
    }
    bool is_late = is_first && img->rules.chip && img->rules.chip->has_small_pages;
    enum aloft_err err = is_late ? ALOFT_ERR_OK : check_alignment(img, segment);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (img->rules.slot_bytes != 0 && least_slot_bytes(img) > img->rules.slot_bytes) {
        return ALOFT_ERR_TOO_BIG;
    }
    return is_first ? begin_first_segment(img, segment) : begin_data(img, segment->size_bytes);
}

static enum aloft_err end_desc_magic(struct aloft_app_image *img)
{
    if (aloft_get_le32(img->scratch) == ALOFT_APP_DESC_MAGIC) {
        begin(img, PART_DESC, ALOFT_APP_DESC_BYTES - sizeof(uint32_t));
        return ALOFT_ERR_OK;
    }
    return needs_app_desc(img)
               ? ALOFT_ERR_NO_APP_DESC
               : begin_data(img, img->segments[0].size_bytes - (uint32_t)sizeof(uint32_t));
}

static enum aloft_err end_desc(struct aloft_app_image *img)
{
    enum aloft_err err = aloft_app_desc_parse(img->scratch, &img->desc);

    if (err == ALOFT_ERR_OK) {
        img->has_desc = true;
        err = check_alignment(img, &img->segments[0]);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return begin_data(img, img->segments[0].size_bytes - ALOFT_APP_DESC_BYTES);
}

static void complete(struct aloft_app_image *img)
{
    begin(img, PART_NONE, 0);
}

static enum aloft_err end_checksum(struct aloft_app_image *img)
{
    bool has_hash = img->header.hash_appended != 0;

    img->checksum_stored = img->scratch[img->scratch_len - 1];
    img->image_bytes = img->off + (has_hash ? ALOFT_SHA256_BYTES : 0);
    img->signature_off = align_up(img->image_bytes, ALOFT_SIGNATURE_BYTES);
    if (img->sha256.ops) {
        img->sha256.ops->finish(img->sha256.state, img->hash);
    }
    if (img->checksum != img->checksum_stored) {
        return ALOFT_ERR_CHECKSUM;
    }
    if (has_hash) {
        begin_kept(img, PART_HASH, ALOFT_SHA256_BYTES);
    } else {
        complete(img);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err end_hash(struct aloft_app_image *img)
{
    if (img->sha256.ops && memcmp(img->scratch, img->hash, ALOFT_SHA256_BYTES) != 0) {
        return ALOFT_ERR_HASH;
    }
    complete(img);
    return ALOFT_ERR_OK;
}

static const struct part {
    bool is_kept;                                       /* In `scratch`. */
    bool is_data;                                       /* Counted in the checksum. */
    bool is_hashed;                                     /* Counted in the SHA-256. */
    enum aloft_err (*end)(struct aloft_app_image *img); /* Judge, and begin the next part. */
} parts[] = {
    [PART_MAGIC] = {true, false, true, end_magic},
    [PART_CHIP] = {true, false, true, end_chip},
    [PART_HEADER] = {true, false, true, end_header},
    [PART_SEGMENT_HEAD] = {true, false, true, end_segment_head},
    [PART_DESC_MAGIC] = {true, true, true, end_desc_magic},
    [PART_DESC] = {true, true, true, end_desc},
    [PART_DATA] = {false, true, true, end_data},
    [PART_CHECKSUM] = {true, false, true, end_checksum},
    [PART_HASH] = {true, false, false, end_hash},
};

void aloft_app_image_init(struct aloft_app_image *img, const struct aloft_app_rules *rules,
                          const struct aloft_hash *sha256)
{
    memset(img, 0, sizeof *img);
    img->rules = *rules;
    img->checksum = CHECKSUM_SEED;
    if (sha256) {
        img->sha256 = *sha256;
        img->sha256.ops->start(img->sha256.state);
    }
    begin_kept(img, PART_MAGIC, 1);
}

static void take(struct aloft_app_image *img, const uint8_t *buf, uint32_t len)
{
    const struct part *part = &parts[img->state];

    if (part->is_kept) {
        memcpy(img->scratch + img->scratch_len, buf, len);
        img->scratch_len += len;
    }
    if (part->is_data) {
        uint8_t sum = img->checksum;
        for (uint32_t i = 0; i < len; i++) {
            sum ^= buf[i];
        }
        img->checksum = sum;
    }
    if (part->is_hashed && img->sha256.ops) {
        img->sha256.ops->update(img->sha256.state, buf, len);
    }
    img->off += len;
}

enum aloft_err aloft_app_image_feed(struct aloft_app_image *img, const uint8_t *buf, size_t len,
                                    size_t *ret_used)
{
    size_t used = 0;

    while (used < len && img->err == ALOFT_ERR_OK && img->state != PART_NONE) {
        uint32_t n = img->part_end - img->off;
        if (n > len - used) {
            n = (uint32_t)(len - used);
        }
        take(img, buf + used, n);
        used += n;
        if (img->off == img->part_end) {
            img->err = parts[img->state].end(img);
        }
        if (img->err != ALOFT_ERR_OK) {
            img->err_off = img->off - 1;
        }
    }
    *ret_used = used;
    return img->err;
}

bool aloft_app_image_is_complete(const struct aloft_app_image *img)
{
    return img->err == ALOFT_ERR_OK && img->state == PART_NONE;
}

enum aloft_err aloft_app_image_finish(const struct aloft_app_image *img)
{
    if (img->err != ALOFT_ERR_OK) {
        return img->err;
    }
    return img->state == PART_NONE ? ALOFT_ERR_OK : ALOFT_ERR_TRUNCATED;
}

enum aloft_err aloft_app_header_parse(const uint8_t *buf, struct aloft_app_header *ret_header)
{
    if (buf[0] != ALOFT_APP_MAGIC) {
        return ALOFT_ERR_MAGIC;
    }
    ret_header->segment_count = buf[1];
    ret_header->spi_mode = buf[2];
    ret_header->spi_speed = buf[3] & 0xF;
    ret_header->spi_size = buf[3] >> 4;
    ret_header->entry_addr = aloft_get_le32(buf + 4);
    ret_header->chip_id = aloft_get_le16(buf + 12);
    ret_header->min_chip_rev = aloft_get_le16(buf + 15);
    ret_header->max_chip_rev = aloft_get_le16(buf + 17);
    ret_header->hash_appended = buf[23];
    return ALOFT_ERR_OK;
}

enum aloft_err aloft_app_desc_parse(const uint8_t *buf, struct aloft_app_desc *ret_desc)
{
    if (aloft_get_le32(buf) != ALOFT_APP_DESC_MAGIC) {
        return ALOFT_ERR_NO_APP_DESC;
    }
    ret_desc->secure_version = aloft_get_le32(buf + 4);
    aloft_get_text(buf + 16, 32, ret_desc->version, sizeof ret_desc->version);
    aloft_get_text(buf + 48, 32, ret_desc->project_name, sizeof ret_desc->project_name);
    aloft_get_text(buf + 80, 16, ret_desc->compile_time, sizeof ret_desc->compile_time);
    aloft_get_text(buf + 96, 16, ret_desc->compile_date, sizeof ret_desc->compile_date);
    aloft_get_text(buf + 112, 32, ret_desc->idf_version, sizeof ret_desc->idf_version);
    memcpy(ret_desc->elf_sha256, buf + 144, sizeof ret_desc->elf_sha256);
    ret_desc->min_efuse_rev = aloft_get_le16(buf + 176);
    ret_desc->max_efuse_rev = aloft_get_le16(buf + 178);
    ret_desc->mmu_page_log2 = buf[180];
    return ALOFT_ERR_OK;
}
