/* SPDX-License-Identifier: Apache-2.0 */
#include "process/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "host/auto.h"
#include "host/files.h"
#include "host/hashes.h"

#define LINE_BYTES (SETTINGS_KEY_BYTES + 2 * SETTINGS_VALUE_BYTES + 2)
#define FILE_BYTES ((size_t)SETTINGS_MAX * LINE_BYTES)
#define FILE_MODE  0600

struct setting {
    char key[SETTINGS_KEY_BYTES];
    uint8_t *value; /* on the heap, owned by the list */
    size_t len;
};

struct settings {
    char *path;
    struct setting items[SETTINGS_MAX];
    size_t n_items;
};

static struct setting *find(struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->n_items; i++) {
        if (strcmp(s->items[i].key, key) == 0) {
            return &s->items[i];
        }
    }
    return NULL;
}

/* `key=hex`; the line ends with a NUL. */
static bool parse_line(const char *line, struct setting *ret_item)
{
    size_t key_len = strcspn(line, "=");
    const char *hex = line + key_len + 1;

    if (line[key_len] == '\0' || key_len == 0 || key_len >= sizeof ret_item->key ||
        strlen(hex) / 2 > SETTINGS_VALUE_BYTES) {
        return false;
    }
    AUTO_FREE uint8_t *value = malloc(strlen(hex) / 2 + 1);
    if (!value) {
        return false;
    }
    memcpy(ret_item->key, line, key_len);
    ret_item->key[key_len] = '\0';
    for (ret_item->len = 0; *hex != '\0'; hex += 2) {
        unsigned high = aloft_hex_digit(hex[0]);
        unsigned low = high < 16 ? aloft_hex_digit(hex[1]) : high;
        if (low >= 16) {
            return false;
        }
        value[ret_item->len++] = (uint8_t)(high << 4 | low);
    }
    ret_item->value = STEAL(value);
    return true;
}

static enum aloft_err parse(struct settings *s, char *text, struct error *e)
{
    size_t line_number = 0;
    char *rest = text;

    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        line_number++;
        if (*line == '\0') {
            continue;
        }
        if (s->n_items == SETTINGS_MAX || !parse_line(line, &s->items[s->n_items])) {
            return fail(e, ALOFT_ERR_SYNTAX,
                        "line %zu of '%s' is not KEY=HEX; repair or remove the file", line_number,
                        s->path);
        }
        s->n_items++;
    }
    return ALOFT_ERR_OK;
}

enum aloft_err settings_load(const char *path, struct settings **ret_settings, struct error *e)
{
    AUTO_FREE uint8_t *text = NULL;
    size_t len;
    struct error why = {0};
    struct settings *s = calloc(1, sizeof *s);

    if (s) {
        s->path = strdup(path);
    }
    if (!s || !s->path) {
        settings_free(s);
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = file_load(path, FILE_BYTES, &text, &len, &why);
    if (err == ALOFT_ERR_OK) {
        err = parse(s, (char *)text, &why);
    } else if (why.native_code == ENOENT) {
        err = ALOFT_ERR_OK;
    }
    if (err != ALOFT_ERR_OK) {
        settings_free(s);
        return fail(e, err, "%s", why.sentence);
    }
    *ret_settings = s;
    return ALOFT_ERR_OK;
}

static void free_values(struct setting *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(items[i].value);
    }
}

void settings_free(struct settings *s)
{
    if (s) {
        free_values(s->items, s->n_items);
        free(s->path);
        free(s);
    }
}

static enum aloft_err save(const struct settings *s, struct error *e)
{
    AUTO_FREE char *text = malloc(FILE_BYTES + 1);
    size_t n = 0;

    if (!text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    for (size_t i = 0; i < s->n_items; i++) {
        const struct setting *item = &s->items[i];
        n += (size_t)snprintf(text + n, FILE_BYTES + 1 - n, "%s=", item->key);
        hex_encode(item->value, item->len, text + n);
        n += 2 * item->len;
        text[n++] = '\n';
    }
    return file_replace(s->path, text, n, FILE_MODE, e);
}

enum aloft_err settings_get(const struct settings *s, const char *key, void *buf, size_t *ret_len)
{
    for (size_t i = 0; i < s->n_items; i++) {
        const struct setting *item = &s->items[i];
        if (strcmp(item->key, key) != 0) {
            continue;
        }
        if (item->len > *ret_len) {
            return ALOFT_ERR_TOO_BIG;
        }
        memcpy(buf, item->value, item->len);
        *ret_len = item->len;
        return ALOFT_ERR_OK;
    }
    return ALOFT_ERR_NOT_FOUND;
}

/* What cannot be stored did not happen. Of the two values the one that is not in the list is freed:
 * `added` after a failure, `dropped` after a success. */
static enum aloft_err save_or_undo(struct settings *s, const struct settings *before,
                                   uint8_t *added, uint8_t *dropped, struct error *e)
{
    enum aloft_err err = save(s, e);

    if (err != ALOFT_ERR_OK) {
        *s = *before;
    }
    free(err == ALOFT_ERR_OK ? dropped : added);
    return err;
}

enum aloft_err settings_set(struct settings *s, const char *key, const void *buf, size_t len,
                            struct error *e)
{
    const struct settings before = *s;
    struct setting *item = find(s, key);
    size_t key_len = strlen(key);

    if (item && item->len == len && memcmp(item->value, buf, len) == 0) {
        return ALOFT_ERR_OK;
    }
    if (key_len >= sizeof item->key || len > SETTINGS_VALUE_BYTES ||
        (!item && s->n_items == SETTINGS_MAX)) {
        return fail(e, ALOFT_ERR_TOO_BIG, "setting '%s' of %zu bytes does not fit", key, len);
    }
    uint8_t *value = malloc(len + 1);
    if (!value) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    memcpy(value, buf, len);
    uint8_t *dropped = item ? item->value : NULL;
    if (!item) {
        item = &s->items[s->n_items++];
        memcpy(item->key, key, key_len + 1);
    }
    item->value = value;
    item->len = len;
    return save_or_undo(s, &before, value, dropped, e);
}

enum aloft_err settings_remove(struct settings *s, const char *key, struct error *e)
{
    const struct settings before = *s;
    struct setting *item = find(s, key);

    if (!item) {
        return ALOFT_ERR_OK;
    }
    uint8_t *dropped = item->value;
    *item = s->items[--s->n_items];
    return save_or_undo(s, &before, NULL, dropped, e);
}

enum aloft_err settings_clear(struct settings *s, struct error *e)
{
    struct settings before = *s;

    if (s->n_items == 0) {
        return ALOFT_ERR_OK;
    }
    s->n_items = 0;
    enum aloft_err err = save_or_undo(s, &before, NULL, NULL, e);
    if (err == ALOFT_ERR_OK) {
        free_values(before.items, before.n_items);
    }
    return err;
}
