/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/partition_csv.h"

#include <string.h>

#include "partition_words.h"

#define KIB 0x400u
#define MIB 0x100000u

/* Bounded text; once full, nothing more goes in. */
struct writer {
    char *out;
    size_t cap;
    size_t len;
    bool is_full;
};

static void put_bytes(struct writer *w, const char *text, size_t len)
{
    if (w->is_full || len >= w->cap - w->len) { /* one byte stays for the NUL */
        w->is_full = true;
        return;
    }
    memcpy(w->out + w->len, text, len);
    w->len += len;
}

static void put(struct writer *w, const char *text)
{
    put_bytes(w, text, strlen(text));
}

static void put_number(struct writer *w, uint32_t value, uint32_t base)
{
    static const char digits[] = "0123456789abcdef";
    char text[10]; /* of 2^32 - 1 in decimal */
    size_t n = sizeof text;

    do {
        text[--n] = digits[value % base];
        value /= base;
    } while (value > 0);
    put_bytes(w, text + n, sizeof text - n);
}

static void put_word(struct writer *w, const char *word, uint8_t value)
{
    if (word) {
        put(w, word);
    } else {
        put_number(w, value, 10);
    }
    put(w, ",");
}

static void put_size(struct writer *w, uint32_t size)
{
    if (size % MIB == 0) {
        put_number(w, size / MIB, 10);
        put(w, "M");
    } else if (size % KIB == 0) {
        put_number(w, size / KIB, 10);
        put(w, "K");
    } else {
        put(w, "0x");
        put_number(w, size, 16);
    }
}

/* By the two flag bits. */
static const char *const flag_texts[4] = {"", "encrypted", "readonly", "encrypted:readonly"};

static void put_entry(struct writer *w, const struct aloft_partition *p)
{
    put(w, p->label);
    put(w, ",");
    put_word(w, aloft_partition_words_type(p->type), p->type);
    put_word(w, aloft_partition_words_subtype(p->type, p->subtype), p->subtype);
    put(w, "0x");
    put_number(w, p->off, 16);
    put(w, ",");
    put_size(w, p->size_bytes);
    put(w, ",");
    put(w, flag_texts[p->flags & (ALOFT_PARTITION_ENCRYPTED | ALOFT_PARTITION_READONLY)]);
    put(w, "\n");
}

/* A label from a hostile table must not become a second line or another column. */
static bool is_writable_label(const char *label)
{
    for (; *label != '\0'; label++) {
        unsigned char c = (unsigned char)*label;
        if (c < ' ' || c == 0x7F || c == ',') {
            return false;
        }
    }
    return true;
}

enum aloft_err aloft_partition_csv_encode(const struct aloft_partition_table *table, char *out,
                                          size_t out_cap, size_t *ret_len)
{
    struct writer w = {out, out_cap, 0, out_cap == 0};

    put(&w, "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n");
    for (size_t i = 0; i < table->n_entries; i++) {
        if (!is_writable_label(table->entries[i].label)) {
            return ALOFT_ERR_SYNTAX;
        }
        put_entry(&w, &table->entries[i]);
    }
    if (w.is_full) {
        return ALOFT_ERR_TOO_BIG;
    }
    out[w.len] = '\0';
    *ret_len = w.len;
    return ALOFT_ERR_OK;
}
