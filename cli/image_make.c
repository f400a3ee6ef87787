/* SPDX-License-Identifier: Apache-2.0 */
#include "image_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/app_image.h"
#include "aloft/bytes.h"
#include "host/auto.h"
#include "host/hashes.h"

/*
 * The image has the segments of a real one: read-only data with the descriptor, data, code for RAM,
 * padding up to the flash page, code. Everything that is drawn comes from one generator, seeded by
 * chip, version and seed, so two versions share no content by accident.
 */

#define PAGE_BYTES      0x10000u
#define SEGMENT_HEAD    8u
#define MAP_OFF         0x20u    /* Mapped data stands this far in its page, behind two headers. */
#define CHECKSUM_TAIL   4u       /* Three bytes of padding and the checksum. */
#define DRAM_DISTANCE   0x10000u /* IRAM and DRAM are one memory on most chips: keep apart. */
#define DRAM_BYTES_MAX  0x4000u
#define IRAM_BYTES_MAX  0xC000u
#define PROJECT_NAME    "esp-at"
#define IDF_VERSION     "v5.4.4"
#define WP_PIN_NONE     0xEE
#define SPI_MODE_DIO    2
#define SPI_SIZE_4M     2
#define DESC_TEXT_BYTES 32u
#define PAGE_LOG2       16
#define N_COMMON_WORDS  512u

/* Header values that releases for a chip carry (facts/esp-formats.md 1.1). */
static const struct build {
    uint16_t chip_id;
    uint8_t spi_speed; /* The fast choice of each chip. */
    uint16_t min_rev;
    uint16_t max_rev;
    uint16_t max_efuse_rev;
} builds[] = {
    {0x0000, 0x0, 0, 399, 99},  {0x0002, 0xF, 0, 199, 199}, {0x0005, 0xF, 3, 199, 199},
    {0x0009, 0xF, 0, 99, 199},  {0x000C, 0xF, 0, 299, 199}, {0x000D, 0x0, 0, 99, 199},
    {0x0010, 0xF, 0, 199, 199}, {0x0012, 0xF, 0, 199, 199}, {0x0014, 0xF, 0, 199, 199},
    {0x0017, 0xF, 0, 199, 199},
};

struct maker {
    const struct image_make_rules *rules;
    const struct build *build;
    uint8_t *out;
    size_t len; /* Of the whole image. */
    size_t off; /* Written so far. */
    uint8_t n_segments;
    uint8_t checksum;
    uint64_t random;
    uint32_t common[N_COMMON_WORDS];
};

/* Where the segments go; sizes are multiples of 4. */
struct plan {
    uint32_t drom_bytes;
    uint32_t dram_bytes;
    uint32_t iram_bytes;
    uint32_t pad_bytes;
    bool has_pad;
    uint32_t irom_off;
    uint32_t irom_bytes;
};

/* splitmix64. */
static uint64_t draw(struct maker *m)
{
    uint64_t z = (m->random += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t draw_below(struct maker *m, uint32_t end)
{
    return (uint32_t)(draw(m) % end);
}

/* Frequent words are much more frequent than rare ones, as instructions are. */
static uint32_t draw_common(struct maker *m)
{
    return m->common[draw_below(m, 1 + draw_below(m, N_COMMON_WORDS))];
}

/*
 * Words like machine code: idioms that came before, frequent words, and words whose opcode is
 * frequent while their operands are not. The shares make `xz -6` shrink a 1 MiB image to about
 * 60 %, where ESP-AT releases lie.
 */
#define IDIOM_PERCENT  8u
#define COMMON_PERCENT 30u

static void fill_code(struct maker *m, uint8_t *buf, uint32_t len)
{
    uint32_t off = 0;

    while (off < len) {
        uint32_t kind = draw_below(m, 100);
        uint32_t n = 4;
        if (kind < IDIOM_PERCENT && off > 256) {
            n = 4 * (2 + draw_below(m, 8));
            n = n > len - off ? len - off : n;
            memcpy(buf + off, buf + 4 * draw_below(m, (off - 64) / 4), n);
        } else if (kind < IDIOM_PERCENT + COMMON_PERCENT) {
            aloft_put_le32(buf + off, draw_common(m));
        } else {
            uint32_t operands = (uint32_t)draw(m) & 0x07FFFF00u;
            aloft_put_le32(buf + off, operands | (draw_common(m) & 0xF80000FFu));
        }
        off += n;
    }
}

static uint32_t share(uint32_t whole, uint32_t divisor, uint32_t max)
{
    uint32_t part = whole / divisor & ~3u;

    return part > max ? max : part;
}

static void make_plan(uint32_t size_bytes, struct plan *ret_plan)
{
    struct plan p = {
        .drom_bytes = share(size_bytes, 5, size_bytes),
        .dram_bytes = share(size_bytes, 64, DRAM_BYTES_MAX),
        .iram_bytes = share(size_bytes, 16, IRAM_BYTES_MAX),
    };
    uint32_t iram_end =
        ALOFT_APP_HEADER_BYTES + 3 * SEGMENT_HEAD + p.drom_bytes + p.dram_bytes + p.iram_bytes;

    /* The next place in a page where mapped data may begin behind its header, and behind the
     * header of the padding if there is any. */
    p.irom_off =
        (iram_end + SEGMENT_HEAD - MAP_OFF + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES + MAP_OFF;
    uint32_t gap = p.irom_off - SEGMENT_HEAD - iram_end;
    if (gap != 0 && gap < SEGMENT_HEAD) {
        p.irom_off += PAGE_BYTES;
        gap += PAGE_BYTES;
    }
    p.has_pad = gap != 0;
    p.pad_bytes = p.has_pad ? gap - SEGMENT_HEAD : 0;
    p.irom_bytes = size_bytes - ALOFT_SHA256_BYTES - CHECKSUM_TAIL - p.irom_off;
    *ret_plan = p;
}

static uint8_t *add_segment(struct maker *m, uint32_t load_addr, uint32_t len)
{
    uint8_t *head = m->out + m->off;

    aloft_put_le32(head, load_addr);
    aloft_put_le32(head + 4, len);
    m->off += SEGMENT_HEAD + len;
    m->n_segments++;
    return head + SEGMENT_HEAD;
}

static void add_code(struct maker *m, uint32_t load_addr, uint32_t len)
{
    fill_code(m, add_segment(m, load_addr, len), len);
}

static void put_text(uint8_t *field, const char *text)
{
    memcpy(field, text, strlen(text)); /* the image is zeroed, full fields have no NUL */
}

static void put_desc(struct maker *m, uint8_t *desc, const uint8_t *elf_sha256)
{
    char clock[16];

    (void)snprintf(clock, sizeof clock, "%02u:%02u:%02u", draw_below(m, 24), draw_below(m, 60),
                   draw_below(m, 60));
    memset(desc, 0, ALOFT_APP_DESC_BYTES);
    aloft_put_le32(desc, ALOFT_APP_DESC_MAGIC);
    aloft_put_le32(desc + 4, m->rules->secure_version);
    put_text(desc + 16, m->rules->version);
    put_text(desc + 48, PROJECT_NAME);
    put_text(desc + 80, clock);
    put_text(desc + 96, "Nov  2 2026");
    put_text(desc + 112, IDF_VERSION);
    memcpy(desc + 144, elf_sha256, ALOFT_SHA256_BYTES);
    aloft_put_le16(desc + 178, m->build->max_efuse_rev);
    desc[180] = PAGE_LOG2;
}

static void put_header(struct maker *m)
{
    const struct build *build = m->build;
    bool is_c3 = build->chip_id == 0x0005; /* There the old field holds the minor revision. */
    uint8_t *h = m->out;

    h[0] = ALOFT_APP_MAGIC;
    h[1] = m->n_segments;
    h[2] = SPI_MODE_DIO;
    h[3] = (uint8_t)(SPI_SIZE_4M << 4 | build->spi_speed);
    aloft_put_le32(h + 4, m->rules->chip->ram[0].start + MAP_OFF);
    h[8] = WP_PIN_NONE;
    aloft_put_le16(h + 12, build->chip_id);
    h[14] = (uint8_t)(is_c3 ? build->min_rev % 100 : build->min_rev / 100);
    aloft_put_le16(h + 15, build->min_rev);
    aloft_put_le16(h + 17, build->max_rev);
    h[23] = 1;
}

static void put_segments(struct maker *m, const uint8_t *elf_sha256)
{
    const struct aloft_chip *chip = m->rules->chip;
    bool is_shared = chip->drom.start == chip->irom.start; /* One address range for both. */
    struct plan p;

    make_plan((uint32_t)m->len, &p);
    uint32_t irom_pages = (MAP_OFF + p.irom_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    uint32_t drom_addr = chip->drom.start + (is_shared ? irom_pages * PAGE_BYTES : 0) + MAP_OFF;
    uint32_t dram_addr = chip->ram[is_shared ? 0 : 1].start + DRAM_DISTANCE;

    m->off = ALOFT_APP_HEADER_BYTES;
    uint8_t *desc = m->out + m->off + SEGMENT_HEAD;
    add_code(m, drom_addr, p.drom_bytes);
    put_desc(m, desc, elf_sha256);
    add_code(m, dram_addr, p.dram_bytes);
    add_code(m, chip->ram[0].start, p.iram_bytes);
    if (p.has_pad) {
        (void)add_segment(m, 0, p.pad_bytes); /* load address 0: not loaded */
    }
    add_code(m, chip->irom.start + MAP_OFF, p.irom_bytes);
}

static uint8_t checksum_of(const uint8_t *image)
{
    const uint8_t *p = image + ALOFT_APP_HEADER_BYTES;
    uint8_t sum = 0xEF;

    for (uint8_t i = 0; i < image[1]; i++) {
        uint32_t len = aloft_get_le32(p + 4);
        p += SEGMENT_HEAD;
        for (uint32_t k = 0; k < len; k++) {
            sum ^= p[k];
        }
        p += len;
    }
    return sum;
}

static void hash_bytes(struct aloft_hash *sha256, const void *buf, size_t len, uint8_t *ret_digest)
{
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, buf, len);
    sha256->ops->finish(sha256->state, ret_digest);
}

static enum aloft_err check_rules(const struct image_make_rules *rules, struct error *e)
{
    size_t len = strlen(rules->version);

    if (len == 0 || len > DESC_TEXT_BYTES) {
        return fail(e, ALOFT_ERR_ARG,
                    "the version '%s' has %zu bytes; the descriptor takes 1 to %u", rules->version,
                    len, DESC_TEXT_BYTES);
    }
    for (size_t i = 0; i < len; i++) {
        if (rules->version[i] <= ' ' || rules->version[i] > '~') {
            return fail(e, ALOFT_ERR_ARG, "the version may hold printable ASCII only");
        }
    }
    if (rules->size_bytes < IMAGE_MAKE_SIZE_MIN) {
        return fail(e, ALOFT_ERR_RANGE,
                    "%u bytes are too small for an image: data and one flash page of code need at "
                    "least %uk",
                    rules->size_bytes, IMAGE_MAKE_SIZE_MIN / 1024);
    }
    if (rules->size_bytes > IMAGE_MAKE_SIZE_MAX) {
        return fail(e, ALOFT_ERR_RANGE, "%u bytes are too large: the modules have 4M of flash",
                    rules->size_bytes);
    }
    return ALOFT_ERR_OK;
}

static const struct build *find_build(const struct aloft_chip *chip)
{
    for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++) {
        if (builds[i].chip_id == chip->id) {
            return &builds[i];
        }
    }
    return NULL;
}

enum aloft_err image_make(const struct image_make_rules *rules, uint8_t **ret_data, size_t *ret_len,
                          struct error *e)
{
    struct maker m = {.rules = rules, .build = find_build(rules->chip)};
    uint8_t elf_sha256[ALOFT_SHA256_BYTES];
    char identity[96];
    enum aloft_err err = check_rules(rules, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!m.build) {
        return fail(e, ALOFT_ERR_UNSUPPORTED, "images for %s cannot be made", rules->chip->name);
    }
    m.len = rules->size_bytes & ~15u;
    AUTO_FREE uint8_t *out = calloc(1, m.len);
    AUTO_HASH sha256 = hash_new_sha256();
    if (!out || !sha256) {
        return fail(e, ALOFT_ERR_IO, "out of memory making the image");
    }
    m.out = out;
    (void)snprintf(identity, sizeof identity, "%s %s %u", rules->chip->name, rules->version,
                   rules->seed);
    hash_bytes(sha256, identity, strlen(identity), elf_sha256);
    m.random = aloft_get_le32(elf_sha256) | (uint64_t)aloft_get_le32(elf_sha256 + 4) << 32;
    for (size_t i = 0; i < N_COMMON_WORDS; i++) {
        m.common[i] = (uint32_t)draw(&m);
    }
    put_segments(&m, elf_sha256);
    put_header(&m);
    size_t end = m.len - ALOFT_SHA256_BYTES;
    out[end - 1] = checksum_of(out);
    hash_bytes(sha256, out, end, out + end);
    *ret_len = m.len;
    *ret_data = STEAL(out);
    return ALOFT_ERR_OK;
}
