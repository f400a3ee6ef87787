/* SPDX-License-Identifier: Apache-2.0 */
#include "image_info.h"

#include <inttypes.h>
#include <string.h>

#include "aloft/app_image.h"
#include "aloft/layout.h"
#include "aloft/otadata.h"
#include "aloft/packed_image.h"
#include "aloft/partition_table.h"
#include "aloft/sniff.h"
#include "host/hashes.h"

/*
 * One description serves both outputs: it is built as JSON, and people get the same object with its
 * keys as words and its lists as tables.
 */

#define TEXT_BYTES  128
#define KEY_COLUMN  20
#define COLUMNS_MAX 8

/* Bytes of a file may hold anything, terminal escapes included. */
static void set_text(json_t *o, const char *key, const char *text)
{
    char clean[TEXT_BYTES];
    size_t n = 0;

    for (; text[n] && n < sizeof clean - 1; n++) {
        clean[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    clean[n] = '\0';
    (void)json_object_set_new(o, key, json_string(clean));
}

static void set_number(json_t *o, const char *key, int64_t value)
{
    (void)json_object_set_new(o, key, json_integer(value));
}

static void set_flag(json_t *o, const char *key, bool value)
{
    (void)json_object_set_new(o, key, json_boolean(value));
}

__attribute__((format(printf, 3, 4))) static void set_format(json_t *o, const char *key,
                                                             const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    set_text(o, key, text);
}

static void set_hex(json_t *o, const char *key, const uint8_t *buf, size_t len)
{
    char hex[HASH_HEX_BYTES];

    hex_encode(buf, len, hex);
    set_text(o, key, hex);
}

/* `ok` and `verdict`: the last word on every file. */
static void set_verdict(json_t *o, bool ok, const char *sentence)
{
    set_flag(o, "ok", ok);
    set_text(o, "verdict", sentence);
}

static void set_revision(json_t *o, const char *key, uint16_t revision)
{
    set_format(o, key, "%u.%u", revision / 100u, revision % 100u);
}

static void describe_header(json_t *o, const struct aloft_app_header *h)
{
    static const char *const modes[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST_READ", "SLOW_READ"};
    const struct aloft_chip *chip = aloft_chip_by_id(h->chip_id);

    set_format(o, "chip", "%s", chip ? chip->name : "unknown");
    set_format(o, "chip_id", "0x%04x", h->chip_id);
    set_revision(o, "min_chip_revision", h->min_chip_rev);
    if (h->max_chip_rev != 0 && h->max_chip_rev != UINT16_MAX) {
        set_revision(o, "max_chip_revision", h->max_chip_rev);
    }
    set_text(o, "flash_mode",
             h->spi_mode < sizeof modes / sizeof modes[0] ? modes[h->spi_mode] : "unknown");
    set_format(o, "flash_size", "%u MB", 1u << h->spi_size);
    set_format(o, "entry", "0x%08" PRIx32, h->entry_addr);
}

static void describe_desc(json_t *o, const struct aloft_app_desc *d)
{
    set_text(o, "version", d->version);
    set_text(o, "project", d->project_name);
    set_format(o, "compiled", "%s %s", d->compile_date, d->compile_time);
    set_text(o, "idf", d->idf_version);
    (void)json_object_set_new(o, "secure_version", json_integer(d->secure_version));
    set_hex(o, "elf_sha256", d->elf_sha256, sizeof d->elf_sha256);
}

static const char *segment_kind(const struct aloft_chip *chip, uint32_t load_addr)
{
    if (load_addr < 0x10000000) { /* facts/esp-formats.md 1.2 */
        return "padding";
    }
    if (chip && aloft_chip_is_mapped(chip, load_addr)) {
        return "mapped";
    }
    return chip && aloft_chip_is_ram(chip, load_addr) ? "RAM" : "unknown";
}

static json_t *describe_segments(const struct aloft_app_image *img)
{
    const struct aloft_chip *chip = aloft_chip_by_id(img->header.chip_id);
    json_t *list = json_array();

    for (uint8_t i = 0; i < img->n_segments; i++) {
        const struct aloft_app_segment *s = &img->segments[i];
        json_t *row = json_object();
        set_format(row, "load_address", "0x%08" PRIx32, s->load_addr);
        set_format(row, "file_offset", "0x%06" PRIx32, s->data_off);
        set_number(row, "size_bytes", s->size_bytes);
        set_text(row, "kind", segment_kind(chip, s->load_addr));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static void describe_sums(json_t *o, const struct aloft_app_image *img)
{
    if (img->image_bytes == 0) {
        return; /* broken off before its checksum */
    }
    set_number(o, "image_bytes", img->image_bytes);
    set_format(o, "checksum", "0x%02x", img->checksum_stored);
    set_flag(o, "is_checksum_right", img->checksum == img->checksum_stored);
    if (img->header.hash_appended == 0 || img->checksum != img->checksum_stored) {
        return;
    }
    set_hex(o, "sha256", img->hash, sizeof img->hash);
    set_flag(o, "is_sha256_right", img->err != ALOFT_ERR_HASH);
}

static void describe_image(json_t *o, const uint8_t *data, size_t len, bool is_bootloader)
{
    AUTO_HASH sha256 = hash_new_sha256();
    struct aloft_app_rules rules = {.is_bootloader = is_bootloader};
    struct aloft_app_image img;
    size_t used;

    aloft_app_image_init(&img, &rules, sha256);
    enum aloft_err err = aloft_app_image_feed(&img, data, len, &used);
    if (err == ALOFT_ERR_OK) {
        err = aloft_app_image_finish(&img);
    }
    if (img.has_header) {
        describe_header(o, &img.header);
    }
    if (img.has_desc) {
        describe_desc(o, &img.desc);
    }
    (void)json_object_set_new(o, "segments", describe_segments(&img));
    describe_sums(o, &img);
    if (err == ALOFT_ERR_OK) {
        set_number(o, "trailing_bytes", (int64_t)(len - used));
        set_verdict(o, true, "whole and sound");
    } else if (err == ALOFT_ERR_TRUNCATED) {
        set_verdict(o, false, "damaged: it ends too early");
    } else {
        char sentence[TEXT_BYTES];
        (void)snprintf(sentence, sizeof sentence, "damaged: %s (at offset 0x%" PRIx32 ")",
                       aloft_err_text(err), img.err_off);
        set_verdict(o, false, sentence);
    }
}

static void describe_app(json_t *o, const uint8_t *data, size_t len)
{
    describe_image(o, data, len, false);
}

static void describe_bootloader(json_t *o, const uint8_t *data, size_t len)
{
    describe_image(o, data, len, true);
}

static void describe_packed(json_t *o, const uint8_t *data, size_t len)
{
    struct aloft_packed_header h;
    struct aloft_app_header app;
    struct aloft_app_desc desc;
    enum aloft_err err = aloft_packed_header_parse(data, len, &h);

    if (err != ALOFT_ERR_OK) {
        char sentence[TEXT_BYTES];
        (void)snprintf(sentence, sizeof sentence, "damaged header: %s", aloft_err_text(err));
        set_verdict(o, false, sentence);
        return;
    }
    if (h.is_wrapped && aloft_app_header_parse(data, &app) == ALOFT_ERR_OK) {
        describe_header(o, &app);
    }
    if (h.is_wrapped && aloft_app_desc_parse(data + ALOFT_APP_DESC_OFF, &desc) == ALOFT_ERR_OK) {
        describe_desc(o, &desc);
    }
    set_number(o, "packed_version", h.version);
    set_text(o, "compression",
             h.compress_type == 1   ? "xz"
             : h.compress_type == 0 ? "none"
                                    : "unknown");
    set_flag(o, "is_delta", h.delta_type != 0);
    set_flag(o, "is_encrypted", h.encryption_type != 0);
    set_text(o, "firmware_version", h.firmware_version);
    set_number(o, "payload_bytes", h.payload_bytes);
    set_hex(o, "payload_md5", h.payload_md5, sizeof h.payload_md5);
    bool is_whole = h.payload_bytes <= len - h.payload_off;
    set_verdict(o, is_whole,
                is_whole ? "the header is sound; its payload was not unpacked"
                         : "damaged: it ends too early");
}

static const char *type_text(const struct aloft_partition *p)
{
    switch (p->type) {
    case ALOFT_PARTITION_APP:
        return "app";
    case ALOFT_PARTITION_DATA:
        return "data";
    default:
        return "custom";
    }
}

static void describe_table(json_t *o, const uint8_t *data, size_t len)
{
    AUTO_HASH md5 = hash_new_md5();
    struct aloft_partition_table table;
    enum aloft_err err = aloft_partition_table_parse(data, len, 0, md5, &table);

    if (err != ALOFT_ERR_OK) {
        char sentence[TEXT_BYTES];
        (void)snprintf(sentence, sizeof sentence, "damaged partition table: %s",
                       aloft_err_text(err));
        set_verdict(o, false, sentence);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < table.n_entries; i++) {
        const struct aloft_partition *p = &table.entries[i];
        json_t *row = json_object();
        set_text(row, "label", p->label);
        set_text(row, "type", type_text(p));
        set_format(row, "subtype", "0x%02x", p->subtype);
        set_format(row, "offset", "0x%06" PRIx32, p->off);
        set_format(row, "size", "0x%06" PRIx32, p->size_bytes);
        (void)json_array_append_new(list, row);
    }
    (void)json_object_set_new(o, "partitions", list);
    set_flag(o, "has_md5", table.has_md5);
    set_verdict(o, true, "the partition table is sound");
}

static void describe_factory(json_t *o, const uint8_t *data, size_t len)
{
    describe_table(o, data + ALOFT_PARTITION_TABLE_OFF, len - ALOFT_PARTITION_TABLE_OFF);
}

static const char *ota_state_text(uint32_t ota_state)
{
    static const char *const names[] = {"NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED"};

    return ota_state < sizeof names / sizeof names[0] ? names[ota_state] : "UNDEFINED";
}

static void describe_otadata(json_t *o, const uint8_t *data, size_t len)
{
    struct aloft_otadata otadata;
    json_t *list = json_array();

    for (int i = 0; i < 2; i++) {
        struct aloft_otadata_entry *entry = &otadata.entry[i];
        size_t off = (size_t)i * ALOFT_OTADATA_BYTES / 2;
        aloft_otadata_entry_blank(entry);
        if (off + ALOFT_OTADATA_ENTRY_BYTES <= len) {
            aloft_otadata_entry_parse(data + off, entry);
        }
        json_t *row = json_object();
        set_format(row, "sequence", "%" PRIu32, entry->seq);
        set_text(row, "state", entry->seq == UINT32_MAX ? "blank" : ota_state_text(entry->state));
        set_text(row, "valid", aloft_otadata_is_valid(entry) ? "yes" : "no");
        (void)json_array_append_new(list, row);
    }
    (void)json_object_set_new(o, "entries", list);
    set_number(o, "active_entry", aloft_otadata_active(&otadata));
    set_verdict(o, true,
                aloft_otadata_active(&otadata) < 0 ? "nothing is selected: the first slot boots"
                                                   : "a slot is selected");
}

static const struct description {
    enum aloft_sniff_kind kind;
    void (*describe)(json_t *o, const uint8_t *data, size_t len);
} descriptions[] = {
    {ALOFT_SNIFF_APP, describe_app},
    {ALOFT_SNIFF_BOOTLOADER, describe_bootloader},
    {ALOFT_SNIFF_PACKED_V1, describe_packed},
    {ALOFT_SNIFF_PACKED_V2, describe_packed},
    {ALOFT_SNIFF_PACKED_V3, describe_packed},
    {ALOFT_SNIFF_PACKED_V3_WRAPPED, describe_packed},
    {ALOFT_SNIFF_PARTITION_TABLE, describe_table},
    {ALOFT_SNIFF_FACTORY, describe_factory},
    {ALOFT_SNIFF_OTADATA, describe_otadata},
};

json_t *image_info_describe(const uint8_t *data, size_t len)
{
    size_t head_len = len < ALOFT_SNIFF_BYTES ? len : ALOFT_SNIFF_BYTES;
    enum aloft_sniff_kind kind = aloft_sniff(data, head_len);
    json_t *o = json_object();

    if (!o) {
        return NULL;
    }
    set_text(o, "kind", aloft_sniff_text(kind));
    set_number(o, "size_bytes", (int64_t)len);
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) {
        if (descriptions[i].kind == kind) {
            descriptions[i].describe(o, data, len);
            return o;
        }
    }
    set_verdict(o, true, "not looked into");
    return o;
}

static void value_text(const json_t *value, char *out, size_t cap)
{
    if (json_is_string(value)) {
        (void)snprintf(out, cap, "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        (void)snprintf(out, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        (void)snprintf(out, cap, "%s", json_is_true(value) ? "yes" : "no");
    }
}

/* `chip_id` as people read it. */
static void print_key(const char *key, int width, FILE *out)
{
    char words[TEXT_BYTES];

    (void)snprintf(words, sizeof words, "%s", key);
    for (char *p = words; *p; p++) {
        *p = *p == '_' ? ' ' : *p;
    }
    (void)fprintf(out, "%-*s", width, words);
}

/* Rows of one list have the same keys in the same order. */
static void print_rows(json_t *list, FILE *out)
{
    int widths[COLUMNS_MAX] = {0};
    char text[TEXT_BYTES];
    const char *key;
    json_t *row;
    json_t *value;
    size_t i;

    json_array_foreach(list, i, row)
    {
        size_t column = 0;
        json_object_foreach(row, key, value)
        {
            value_text(value, text, sizeof text);
            size_t width = strlen(text) > strlen(key) ? strlen(text) : strlen(key);
            if (column < COLUMNS_MAX && (int)width + 2 > widths[column]) {
                widths[column] = (int)width + 2;
            }
            column++;
        }
    }
    json_array_foreach(list, i, row)
    {
        size_t column = 0;
        if (i == 0) {
            (void)fputs("  ", out);
            json_object_foreach(row, key, value)
            {
                print_key(key, widths[column++ % COLUMNS_MAX], out);
            }
            (void)fputc('\n', out);
        }
        (void)fputs("  ", out);
        column = 0;
        json_object_foreach(row, key, value)
        {
            value_text(value, text, sizeof text);
            (void)fprintf(out, "%-*s", widths[column++ % COLUMNS_MAX], text);
        }
        (void)fputc('\n', out);
    }
}

void image_info_print(json_t *info, FILE *out)
{
    char text[TEXT_BYTES];
    const char *key;
    json_t *value;

    json_object_foreach(info, key, value)
    {
        if (json_is_array(value)) {
            print_key(key, 0, out);
            (void)fputs(":\n", out);
            print_rows(value, out);
            continue;
        }
        value_text(value, text, sizeof text);
        print_key(key, KEY_COLUMN, out);
        (void)fprintf(out, "%s\n", text);
    }
}
