/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/partition_csv.h"

#include <string.h>

#include "partition_words.h"

/* Three passes, as the vendor's generator makes them (facts/esp-formats.md 2.2), so that the same
 * mistake is found first: the grammar of every line, then the missing offsets, then the rules. */

#define TEXT_BYTES_MAX   65536u
#define COLUMNS          6
#define APP_ALIGN        0x10000u
#define OTHER_ALIGN      0x1000u
#define OTADATA_BYTES    0x2000u
#define NVS_WRITABLE_MIN 0x3000u
#define SUBTYPE_UNNAMED  0x06 /* `undefined`: what an empty subtype means */
#define SUBTYPE_COREDUMP 0x03

/* What a line says, before its offset and size are settled. */
struct row {
    struct aloft_span name; /* the full text: duplicates are judged before it is cut */
    unsigned line;
    bool has_off;
    int64_t size; /* negative: up to this absolute address */
};

struct reader {
    const struct aloft_partition_csv_rules *rules;
    struct aloft_partition_table *table;
    struct aloft_partition_csv_report *report;
    struct row rows[ALOFT_PARTITION_MAX];
};

static enum aloft_err refuse(struct reader *r, unsigned line, enum aloft_err err,
                             const char *sentence)
{
    r->report->line = line;
    r->report->sentence = sentence;
    return err;
}

static void warn(struct reader *r, unsigned line, const char *sentence)
{
    if (!r->report->sentence) {
        r->report->line = line;
        r->report->sentence = sentence;
    }
}

/* The text. */

/* Bytes of the UTF-8 character at the start of `text`; 0 if there is none. */
static size_t utf8_len(const uint8_t *text, size_t len)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max, n;
    } forms[] = {
        {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first_min || text[0] > forms[i].first_max) {
            continue;
        }
        if (len < forms[i].n) {
            return 0;
        }
        bool is_good =
            forms[i].n == 1 || (text[1] >= forms[i].second_min && text[1] <= forms[i].second_max);
        for (size_t k = 2; k < forms[i].n; k++) {
            is_good = is_good && (text[k] & 0xC0) == 0x80;
        }
        return is_good ? forms[i].n : 0;
    }
    return 0;
}

static enum aloft_err check_text(struct reader *r, struct aloft_span text)
{
    const uint8_t *bytes = (const uint8_t *)text.text;
    unsigned line = 1;

    if (text.len > TEXT_BYTES_MAX) {
        return refuse(r, 0, ALOFT_ERR_TOO_BIG, "the file is longer than 64 KiB");
    }
    if (text.len >= 2 && bytes[0] == 0xAA && bytes[1] == 0x50) {
        return refuse(r, 1, ALOFT_ERR_SYNTAX, "this is a binary partition table, not CSV");
    }
    for (size_t i = 0, n; i < text.len; i += n) {
        n = utf8_len(bytes + i, text.len - i);
        if (n == 0) {
            return refuse(r, line, ALOFT_ERR_SYNTAX, "the text is not UTF-8; save it as UTF-8");
        }
        bool is_cr_lf = bytes[i] == '\r' && i + 1 < text.len && bytes[i + 1] == '\n';
        line += (bytes[i] == '\n' || bytes[i] == '\r') && !is_cr_lf;
    }
    return ALOFT_ERR_OK;
}

static void skip_bom(struct aloft_span *text)
{
    if (text->len >= 3 && memcmp(text->text, "\xEF\xBB\xBF", 3) == 0) {
        text->text += 3;
        text->len -= 3;
    }
}

/* Cut the next line off `rest`; a line ends with LF, CR or CR LF. */
static struct aloft_span next_line(struct aloft_span *rest)
{
    struct aloft_span line = {rest->text, 0};

    while (line.len < rest->len && line.text[line.len] != '\n' && line.text[line.len] != '\r') {
        line.len++;
    }
    size_t used = line.len;
    if (used + 1 < rest->len && line.text[used] == '\r' && line.text[used + 1] == '\n') {
        used++;
    }
    used += used < rest->len;
    rest->text += used;
    rest->len -= used;
    return line;
}

/* The first six columns, trimmed; missing ones are empty and further ones ignored. */
static void split(struct aloft_span line, struct aloft_span columns[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t n = 0;
        while (n < line.len && line.text[n] != ',') {
            n++;
        }
        columns[i] = aloft_span_trim((struct aloft_span){line.text, n});
        n += n < line.len;
        line.text += n;
        line.len -= n;
    }
}

static bool has_variable(struct aloft_span column)
{
    for (size_t i = 0; i + 1 < column.len; i++) {
        char next = column.text[i + 1];
        if (column.text[i] == '$' &&
            (next == '{' || next == '_' || (next >= '0' && next <= '9') ||
             (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z'))) {
            return true;
        }
    }
    return false;
}

/* The columns. */

static enum aloft_err read_byte(struct reader *r, unsigned line, struct aloft_span column,
                                uint8_t *ret_value)
{
    int64_t value = 0;
    enum aloft_err err = aloft_partition_words_number(column, &value);

    if (err == ALOFT_ERR_SYNTAX) {
        return refuse(r, line, err, "the type or subtype is neither a number nor a known keyword");
    }
    if (err != ALOFT_ERR_OK || value < 0 || value > 0xFF) {
        return refuse(r, line, ALOFT_ERR_RANGE, "a type or subtype is a number from 0 to 255");
    }
    *ret_value = (uint8_t)value;
    return ALOFT_ERR_OK;
}

static enum aloft_err read_type(struct reader *r, unsigned line, struct aloft_span column,
                                struct aloft_partition *p)
{
    if (column.len == 0) {
        return refuse(r, line, ALOFT_ERR_SYNTAX, "the type is missing");
    }
    if (aloft_partition_words_find_type(column, &p->type)) {
        return ALOFT_ERR_OK;
    }
    return read_byte(r, line, column, &p->type);
}

static enum aloft_err read_subtype(struct reader *r, unsigned line, struct aloft_span column,
                                   struct aloft_partition *p)
{
    if (column.len == 0 && p->type == ALOFT_PARTITION_APP) {
        return refuse(r, line, ALOFT_ERR_SYNTAX, "an app partition needs a subtype");
    }
    if (column.len == 0) {
        p->subtype = SUBTYPE_UNNAMED;
        return ALOFT_ERR_OK;
    }
    if (aloft_partition_words_find_subtype(p->type, column, &p->subtype)) {
        return ALOFT_ERR_OK;
    }
    return read_byte(r, line, column, &p->subtype);
}

static enum aloft_err read_off(struct reader *r, struct row *row, struct aloft_span column,
                               struct aloft_partition *p)
{
    int64_t value = 0;

    row->has_off = column.len > 0;
    if (!row->has_off) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = aloft_partition_words_number(column, &value);
    if (err == ALOFT_ERR_SYNTAX) {
        return refuse(r, row->line, err, "the offset is not a number");
    }
    if (err != ALOFT_ERR_OK || value < 0 || value > UINT32_MAX) {
        return refuse(r, row->line, ALOFT_ERR_RANGE, "the offset is not a flash address");
    }
    p->off = (uint32_t)value;
    return ALOFT_ERR_OK;
}

static enum aloft_err read_size(struct reader *r, struct row *row, struct aloft_span column)
{
    if (column.len == 0) {
        return refuse(r, row->line, ALOFT_ERR_SYNTAX, "the size is missing");
    }
    enum aloft_err err = aloft_partition_words_number(column, &row->size);
    if (err == ALOFT_ERR_SYNTAX) {
        return refuse(r, row->line, err, "the size is not a number");
    }
    if (err != ALOFT_ERR_OK || row->size < -(int64_t)UINT32_MAX || row->size > UINT32_MAX) {
        return refuse(r, row->line, ALOFT_ERR_RANGE, "the size is larger than any flash");
    }
    return ALOFT_ERR_OK;
}

static bool is_text(struct aloft_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.text, text, span.len) == 0;
}

/* Colon list; empty pieces are nothing, the case matters. */
static enum aloft_err read_flags(struct reader *r, unsigned line, struct aloft_span column,
                                 struct aloft_partition *p)
{
    while (column.len > 0) {
        struct aloft_span piece = {column.text, 0};
        while (piece.len < column.len && piece.text[piece.len] != ':') {
            piece.len++;
        }
        size_t used = piece.len + (piece.len < column.len);
        column.text += used;
        column.len -= used;
        if (is_text(piece, "encrypted")) {
            p->flags |= ALOFT_PARTITION_ENCRYPTED;
        } else if (is_text(piece, "readonly")) {
            p->flags |= ALOFT_PARTITION_READONLY;
        } else if (piece.len > 0) {
            return refuse(r, line, ALOFT_ERR_SYNTAX,
                          "a flag is neither encrypted nor readonly (comments need a line of "
                          "their own)");
        }
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err read_name(struct reader *r, struct row *row, struct aloft_span column,
                                struct aloft_partition *p)
{
    size_t len = column.len < ALOFT_LABEL_MAX ? column.len : ALOFT_LABEL_MAX;

    if (column.len > 0 && memchr(column.text, '\0', column.len)) {
        return refuse(r, row->line, ALOFT_ERR_SYNTAX, "the name holds a NUL byte");
    }
    row->name = column;
    if (len > 0) {
        memcpy(p->label, column.text, len);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err read_row(struct reader *r, unsigned line, struct aloft_span text)
{
    struct aloft_partition *p = &r->table->entries[r->table->n_entries];
    struct row *row = &r->rows[r->table->n_entries];
    struct aloft_span columns[COLUMNS];

    if (r->table->n_entries == ALOFT_PARTITION_MAX) {
        return refuse(r, line, ALOFT_ERR_TOO_BIG, "a table holds at most 95 partitions");
    }
    memset(p, 0, sizeof *p);
    *row = (struct row){.line = line};
    split(text, columns);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (has_variable(columns[i])) {
            return refuse(r, line, ALOFT_ERR_SYNTAX,
                          "$VARIABLES are not expanded; write the value itself");
        }
    }
    enum aloft_err err = read_name(r, row, columns[0], p);
    err = err == ALOFT_ERR_OK ? read_type(r, line, columns[1], p) : err;
    err = err == ALOFT_ERR_OK ? read_subtype(r, line, columns[2], p) : err;
    err = err == ALOFT_ERR_OK ? read_off(r, row, columns[3], p) : err;
    err = err == ALOFT_ERR_OK ? read_size(r, row, columns[4]) : err;
    err = err == ALOFT_ERR_OK ? read_flags(r, line, columns[5], p) : err;
    r->table->n_entries += err == ALOFT_ERR_OK;
    return err;
}

static enum aloft_err read_rows(struct reader *r, struct aloft_span text)
{
    for (unsigned line = 1; text.len > 0; line++) {
        struct aloft_span content = aloft_span_trim(next_line(&text));
        if (content.len == 0 || content.text[0] == '#') {
            continue;
        }
        enum aloft_err err = read_row(r, line, content);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}

/* The offsets. */

static uint32_t align_of(const struct aloft_partition *p)
{
    return p->type == ALOFT_PARTITION_APP ? APP_ALIGN : OTHER_ALIGN;
}

/* Settle offset and size of entry i, which starts at `end` or later. */
static enum aloft_err place(struct reader *r, size_t i, int64_t end, int64_t *ret_end)
{
    struct aloft_partition *p = &r->table->entries[i];
    const struct row *row = &r->rows[i];
    int64_t align = align_of(p);
    int64_t off = row->has_off ? (int64_t)p->off : (end + align - 1) / align * align;

    if (off < end && i == 0) {
        return refuse(r, row->line, ALOFT_ERR_RANGE,
                      r->rules->is_secondary ? "the offset is below the container's first sector"
                                             : "the offset is below the end of the table itself");
    }
    if (off < end) {
        return refuse(r, row->line, ALOFT_ERR_OVERLAP,
                      "it starts before the end of the partition above it");
    }
    int64_t size = row->size < 0 ? -row->size - off : row->size;
    if (size < 0) {
        return refuse(r, row->line, ALOFT_ERR_RANGE, "the end address is below the offset");
    }
    if (off + size > (int64_t)UINT32_MAX + 1 || off > UINT32_MAX || size > UINT32_MAX) {
        return refuse(r, row->line, ALOFT_ERR_RANGE, "it ends above 4 GiB");
    }
    p->off = (uint32_t)off;
    p->size_bytes = (uint32_t)size;
    *ret_end = off + size;
    return ALOFT_ERR_OK;
}

static enum aloft_err place_all(struct reader *r)
{
    int64_t end = (int64_t)r->rules->table_off + OTHER_ALIGN;

    for (size_t i = 0; i < r->table->n_entries; i++) {
        enum aloft_err err = place(r, i, end, &end);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}

/* The rules. Overlap and the first free address need no rule: place() lets only ascending
 * partitions pass. */

static bool is_data(const struct aloft_partition *p, uint8_t subtype)
{
    return p->type == ALOFT_PARTITION_DATA && p->subtype == subtype;
}

static enum aloft_err check_entry(struct reader *r, size_t i)
{
    const struct aloft_partition *p = &r->table->entries[i];
    unsigned line = r->rows[i].line;
    bool is_readonly = (p->flags & ALOFT_PARTITION_READONLY) != 0;

    if (p->off % align_of(p) != 0) {
        return refuse(r, line, ALOFT_ERR_ALIGN,
                      p->type == ALOFT_PARTITION_APP
                          ? "an app partition starts at a multiple of 0x10000"
                          : "a partition starts at a multiple of 0x1000");
    }
    if (p->type == ALOFT_PARTITION_APP && p->size_bytes % OTHER_ALIGN != 0) {
        return refuse(r, line, ALOFT_ERR_ALIGN,
                      "the size of an app partition is a multiple of 0x1000");
    }
    if (is_readonly && (is_data(p, ALOFT_PARTITION_DATA_OTA) || is_data(p, SUBTYPE_COREDUMP))) {
        return refuse(r, line, ALOFT_ERR_SYNTAX,
                      "otadata and coredump partitions cannot be readonly");
    }
    if (aloft_partition_words_mislead(r->rows[i].name, p->type, p->subtype)) {
        warn(r, line, "the name is the keyword of another type or subtype than the partition has");
    }
    if (is_data(p, ALOFT_PARTITION_DATA_NVS) && p->size_bytes < NVS_WRITABLE_MIN && !is_readonly) {
        warn(r, line, "ESP-IDF 5.5 and later refuse an NVS below 0x3000 bytes unless readonly");
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_names(struct reader *r)
{
    for (size_t i = 0; i < r->table->n_entries; i++) {
        struct aloft_span name = r->rows[i].name;
        for (size_t k = 0; k < i; k++) {
            struct aloft_span other = r->rows[k].name;
            if (name.len == other.len && memcmp(name.text, other.text, name.len) == 0) {
                return refuse(r, r->rows[i].line, ALOFT_ERR_DUPLICATE,
                              "a partition above has the same name");
            }
        }
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_otadata(struct reader *r)
{
    size_t n = 0;
    size_t last = 0;

    for (size_t i = 0; i < r->table->n_entries; i++) {
        if (is_data(&r->table->entries[i], ALOFT_PARTITION_DATA_OTA)) {
            n++;
            last = i;
        }
    }
    if (n > 1) {
        return refuse(r, r->rows[last].line, ALOFT_ERR_DUPLICATE,
                      "there is more than one otadata partition (data, ota)");
    }
    if (n == 1 && r->table->entries[last].size_bytes != OTADATA_BYTES) {
        return refuse(r, r->rows[last].line, ALOFT_ERR_RANGE,
                      "the size of otadata (data, ota) is 0x2000");
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_end(struct reader *r)
{
    size_t n = r->table->n_entries;

    if (n == 0 || r->rules->flash_bytes == 0) {
        return ALOFT_ERR_OK;
    }
    /* Ascending, so the last one ends highest. */
    const struct aloft_partition *p = &r->table->entries[n - 1];
    if ((int64_t)p->off + p->size_bytes > r->rules->flash_bytes) {
        return refuse(r, r->rows[n - 1].line, ALOFT_ERR_RANGE,
                      r->rules->is_secondary ? "the partitions pass the end of their container"
                                             : "the partitions pass the end of the flash");
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err verify(struct reader *r)
{
    enum aloft_err err = ALOFT_ERR_OK;

    for (size_t i = 0; i < r->table->n_entries && err == ALOFT_ERR_OK; i++) {
        err = check_entry(r, i);
    }
    err = err == ALOFT_ERR_OK ? check_names(r) : err;
    err = err == ALOFT_ERR_OK ? check_otadata(r) : err;
    return err == ALOFT_ERR_OK ? check_end(r) : err;
}

enum aloft_err aloft_partition_csv_parse(const char *text, size_t len,
                                         const struct aloft_partition_csv_rules *rules,
                                         struct aloft_partition_table *ret_table,
                                         struct aloft_partition_csv_report *ret_report)
{
    struct reader r = {.rules = rules, .table = ret_table, .report = ret_report};
    struct aloft_span all = {text, len};

    ret_table->n_entries = 0;
    ret_table->has_md5 = true;
    ret_report->line = 0;
    ret_report->sentence = NULL;
    enum aloft_err err = check_text(&r, all);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    skip_bom(&all);
    err = read_rows(&r, all);
    err = err == ALOFT_ERR_OK ? place_all(&r) : err;
    return err == ALOFT_ERR_OK && !rules->skip_verify ? verify(&r) : err;
}
