/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/address.h"
#include "host/auto.h"
#include "host/config.h"
#include "host/files.h"

#define NUMBER_DIGITS 10
#define DEFAULT_PORT  80 /* of `public` */
#define CONFIG_NAME   "CONFIG"

enum kind { KIND_PATH, KIND_ADDRESS, KIND_HOST, KIND_NUMBER, KIND_WORD, KIND_NETWORKS };
enum when { WHEN_START, WHEN_SIGHUP };

struct row {
    const char *flag;
    size_t offset; /* in struct settings */
    size_t size;
    enum kind kind;
    const char *meta;
    const char *preset;
    unsigned min;
    unsigned max;
    const char *unit;
    const char *words;
    enum when when;
    const char *help;
};

/* clang-format off */
#define ROW_TEXT(field, name, text_kind, text_meta, text, change, text_help)                       \
    {.flag = name, .offset = offsetof(struct settings, field), .size = sizeof((struct settings *)NULL)->field, .kind = KIND_##text_kind,           \
     .meta = text_meta, .preset = text, .when = WHEN_##change, .help = text_help},
#define ROW_NUMBER(field, name, number, from, to, what, change, text_help)                         \
    {.flag = name, .offset = offsetof(struct settings, field), .size = sizeof((struct settings *)NULL)->field, .kind = KIND_NUMBER, .meta = "N",   \
     .preset = #number, .min = from, .max = to, .unit = what, .when = WHEN_##change,               \
     .help = text_help},
#define ROW_WORD(field, name, list, text, change, text_help)                                       \
    {.flag = name, .offset = offsetof(struct settings, field), .size = sizeof((struct settings *)NULL)->field, .kind = KIND_WORD, .meta = list,    \
     .preset = text, .words = list, .when = WHEN_##change, .help = text_help},
#define ROW_NETWORKS(field, name, change, text_help)                                               \
    {.flag = name, .offset = offsetof(struct settings, field), .size = sizeof((struct settings *)NULL)->field, .kind = KIND_NETWORKS,              \
     .meta = "NET,...", .preset = "", .when = WHEN_##change, .help = text_help},
/* clang-format on */

static const struct row rows[] = {SETTINGS(ROW_TEXT, ROW_NUMBER, ROW_WORD, ROW_NETWORKS)};

static const char *get_text(const struct settings *s, const struct row *row)
{
    return (const char *)s + row->offset;
}

static unsigned get_number(const struct settings *s, const struct row *row)
{
    return *(const unsigned *)(const void *)((const char *)s + row->offset);
}

static const struct networks *get_networks(const struct settings *s, const struct row *row)
{
    return (const void *)((const char *)s + row->offset);
}

static void *get_place(struct settings *s, const struct row *row)
{
    return (char *)s + row->offset;
}

/* -- names ------------------------------------------------------------------------------------- */

void setting_key(enum setting_id id, char key[SETTING_NAME_BYTES])
{
    size_t i = 0;

    for (; rows[id].flag[i] && i < SETTING_NAME_BYTES - 1; i++) {
        key[i] = rows[id].flag[i] == '-' ? '_' : rows[id].flag[i];
    }
    key[i] = '\0';
}

static void get_variable(enum setting_id id, char name[SETTING_NAME_BYTES])
{
    char key[SETTING_NAME_BYTES];

    setting_key(id, key);
    for (char *p = key; *p; p++) {
        *p = (char)toupper((unsigned char)*p);
    }
    (void)snprintf(name, SETTING_NAME_BYTES, SETTINGS_VARIABLE "%.*s",
                   (int)(SETTING_NAME_BYTES - sizeof SETTINGS_VARIABLE), key);
}

/* NULL if it is not there or empty. */
static const char *find_variable(const struct settings_sources *sources, const char *name)
{
    size_t len = strlen(name);

    for (char **p = sources->environment; p && *p; p++) {
        if (strncmp(*p, name, len) == 0 && (*p)[len] == '=' && (*p)[len + 1]) {
            return *p + len + 1;
        }
    }
    return NULL;
}

static const char *get_variable_value(const struct settings_sources *sources, enum setting_id id)
{
    char name[SETTING_NAME_BYTES];

    get_variable(id, name);
    return find_variable(sources, name);
}

/* -- values ------------------------------------------------------------------------------------ */

static enum aloft_err set_text(const struct row *row, struct settings *s, const char *value,
                               struct error *e)
{
    struct address address;
    size_t len = strlen(value);
    enum aloft_err err = ALOFT_ERR_OK;

    if (len >= SETTING_TEXT_BYTES) {
        return fail(e, ALOFT_ERR_SYNTAX, "the value has %zu bytes, the limit is %d", len,
                    SETTING_TEXT_BYTES - 1);
    }
    if (row->kind == KIND_ADDRESS) {
        err = address_parse(value, -1, &address, e);
    } else if (row->kind == KIND_HOST && len > 0) {
        err = address_parse(value, DEFAULT_PORT, &address, e);
    }
    if (err == ALOFT_ERR_OK) {
        memcpy(get_place(s, row), value, len + 1);
    }
    return err;
}

static enum aloft_err set_number(const struct row *row, struct settings *s, const char *value,
                                 struct error *e)
{
    size_t len = strlen(value);
    bool is_number = len > 0 && len <= NUMBER_DIGITS && strspn(value, "0123456789") == len;
    unsigned long long n = is_number ? strtoull(value, NULL, 10) : 0;

    if (!is_number || n < row->min || n > row->max) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%.64s' is not a number from %u to %u (%s)", value,
                    row->min, row->max, row->unit);
    }
    *(unsigned *)get_place(s, row) = (unsigned)n;
    return ALOFT_ERR_OK;
}

static enum aloft_err set_word(const struct row *row, struct settings *s, const char *value,
                               struct error *e)
{
    size_t len = strlen(value);
    unsigned index = 0;

    for (const char *word = row->words; *word; index++) {
        size_t n = strcspn(word, "|");
        if (n == len && memcmp(word, value, n) == 0) {
            *(unsigned *)get_place(s, row) = index;
            return ALOFT_ERR_OK;
        }
        word += n + (word[n] == '|');
    }
    return fail(e, ALOFT_ERR_SYNTAX, "'%.64s' is none of %s", value, row->words);
}

static enum aloft_err set(const struct row *row, struct settings *s, const char *value,
                          struct error *e)
{
    switch (row->kind) {
    case KIND_PATH:
    case KIND_ADDRESS:
    case KIND_HOST:
        return set_text(row, s, value, e);
    case KIND_NUMBER:
        return set_number(row, s, value, e);
    case KIND_WORD:
        return set_word(row, s, value, e);
    case KIND_NETWORKS:
        break;
    }
    return networks_parse(value, get_place(s, row), e);
}

void setting_value(const struct settings *s, enum setting_id id, char value[SETTING_VALUE_BYTES])
{
    const struct row *row = &rows[id];
    const char *word = row->words;

    if (row->kind == KIND_NUMBER) {
        (void)snprintf(value, SETTING_VALUE_BYTES, "%u", get_number(s, row));
    } else if (row->kind == KIND_WORD) {
        for (unsigned i = get_number(s, row); i > 0; i--) {
            word = strchr(word, '|') + 1;
        }
        (void)snprintf(value, SETTING_VALUE_BYTES, "%.*s", (int)strcspn(word, "|"), word);
    } else if (row->kind == KIND_NETWORKS) {
        networks_format(get_networks(s, row), value, SETTING_VALUE_BYTES);
    } else {
        (void)snprintf(value, SETTING_VALUE_BYTES, "%s", get_text(s, row));
    }
}

void setting_source(const struct settings *s, enum setting_id id, char source[SETTING_SOURCE_BYTES])
{
    char variable[SETTING_NAME_BYTES];
    const char *slash = strrchr(s->file, '/');

    get_variable(id, variable);
    switch (s->sources[id]) {
    case SETTING_DEFAULT:
        (void)snprintf(source, SETTING_SOURCE_BYTES, "default");
        return;
    case SETTING_FILE:
        (void)snprintf(source, SETTING_SOURCE_BYTES, "%.1000s:%u", slash ? slash + 1 : s->file,
                       s->lines[id]);
        return;
    case SETTING_VARIABLE:
        (void)snprintf(source, SETTING_SOURCE_BYTES, "%s", variable);
        return;
    case SETTING_FLAG:
        (void)snprintf(source, SETTING_SOURCE_BYTES, "--%s", rows[id].flag);
        return;
    }
}

void server_settings_update(struct settings *in_force, const struct settings *wanted,
                            settings_note_fn *note, void *ctx)
{
    memcpy(in_force->file, wanted->file, sizeof in_force->file);
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        const struct row *row = &rows[id];
        char before[SETTING_VALUE_BYTES];
        char after[SETTING_VALUE_BYTES];
        setting_value(in_force, id, before);
        setting_value(wanted, id, after);
        if (strcmp(before, after) != 0) {
            note(ctx, id, row->when == WHEN_SIGHUP);
        }
        if (row->when == WHEN_SIGHUP) {
            memcpy(get_place(in_force, row), (const char *)wanted + row->offset, row->size);
            in_force->sources[id] = wanted->sources[id];
            in_force->lines[id] = wanted->lines[id];
        }
    }
}

/* -- loading ----------------------------------------------------------------------------------- */

static enum aloft_err take_pair(void *ctx, const char *key, const char *value, unsigned line,
                                struct error *e)
{
    struct settings *s = ctx;
    char known[SETTING_NAME_BYTES];
    struct error why = {0};
    enum setting_id id = 0;

    for (; id < SETTINGS_COUNT; id++) {
        setting_key(id, known);
        if (strcmp(known, key) == 0) {
            break;
        }
    }
    if (id == SETTINGS_COUNT) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "there is no setting '%s'; 'aloft serve --help' lists them", key);
    }
    if (s->lines[id]) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%s' is in line %u already: remove one of the two", key,
                    s->lines[id]);
    }
    s->lines[id] = line;
    s->sources[id] = SETTING_FILE;
    enum aloft_err err = set(&rows[id], s, value, &why);
    return err == ALOFT_ERR_OK ? err : fail(e, err, "%s: %s", key, why.sentence);
}

/* The file named, or the one in the data folder if there is one; an empty path if none. */
static enum aloft_err find_file(const struct settings_sources *sources, char path[PATH_MAX],
                                struct error *e)
{
    const char *file = sources->file;
    const char *data = sources->flags[SETTING_data];

    path[0] = '\0';
    file = file ? file : find_variable(sources, SETTINGS_VARIABLE CONFIG_NAME);
    data = data ? data : get_variable_value(sources, SETTING_data);
    if (!file && !data) {
        return ALOFT_ERR_OK;
    }
    if (snprintf(path, PATH_MAX, "%s%s", file ? file : data, file ? "" : "/" SETTINGS_FILE_NAME) >=
        PATH_MAX) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%.64s...' is too long", file ? file : data);
    }
    if (!file && access(path, F_OK) != 0 && errno == ENOENT) {
        path[0] = '\0';
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err load_file(struct settings *s, struct error *e)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    enum aloft_err err = file_load(s->file, CONFIG_FILE_MAX, &data, &len, e);

    return err == ALOFT_ERR_OK ? config_parse((const char *)data, len, s->file, take_pair, s, e)
                               : err;
}

/* A value from the command line or the environment; NULL = not given. */
static enum aloft_err take_given(struct settings *s, enum setting_id id, enum setting_source source,
                                 const char *value, struct error *e)
{
    char name[SETTING_SOURCE_BYTES];
    struct error why = {0};

    if (!value) {
        return ALOFT_ERR_OK;
    }
    s->sources[id] = source;
    enum aloft_err err = set(&rows[id], s, value, &why);
    if (err == ALOFT_ERR_OK) {
        return err;
    }
    setting_source(s, id, name);
    return fail(e, err, "%s: %s", name, why.sentence);
}

static enum aloft_err load_all(const struct settings_sources *sources, struct settings *s,
                               struct error *e)
{
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        if (rows[id].kind != KIND_PATH) { /* which are empty, and so is `s` */
            enum aloft_err err = set(&rows[id], s, rows[id].preset, e);
            if (err != ALOFT_ERR_OK) {
                return err;
            }
        }
    }
    enum aloft_err err = find_file(sources, s->file, e);
    if (err == ALOFT_ERR_OK && s->file[0]) {
        err = load_file(s, e);
    }
    for (enum setting_id id = 0; err == ALOFT_ERR_OK && id < SETTINGS_COUNT; id++) {
        err = take_given(s, id, SETTING_VARIABLE, get_variable_value(sources, id), e);
        if (err == ALOFT_ERR_OK) {
            err = take_given(s, id, SETTING_FLAG, sources->flags[id], e);
        }
    }
    return err;
}

enum aloft_err server_settings_load(const struct settings_sources *sources,
                                    struct settings *ret_settings, struct error *e)
{
    AUTO_FREE struct settings *s = calloc(1, sizeof *s);

    if (!s) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = load_all(sources, s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!s->data[0]) {
        return fail(e, ALOFT_ERR_ARG,
                    "no data folder: give --data DIR, ALOFT_DATA, or 'data' in the config file");
    }
    if (!s->certificate[0] != !s->key[0]) {
        return fail(e, ALOFT_ERR_ARG, "--cert and --key belong together: give both or none");
    }
    *ret_settings = *s;
    return ALOFT_ERR_OK;
}

/* -- showing ----------------------------------------------------------------------------------- */

void server_settings_print(const struct settings *s, FILE *out)
{
    if (s->file[0]) {
        (void)fprintf(out, "# from %s\n", s->file);
    }
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        char key[SETTING_NAME_BYTES];
        char value[SETTING_VALUE_BYTES];
        char source[SETTING_SOURCE_BYTES];
        setting_key(id, key);
        setting_value(s, id, value);
        setting_source(s, id, source);
        (void)fprintf(out, "%-26s %-18s %s\n", key, value[0] ? value : "-", source);
    }
}

static void print_values(const struct row *row, FILE *out)
{
    if (row->kind == KIND_NUMBER) {
        (void)fprintf(out, "%u to %u %s", row->min, row->max, row->unit);
    } else if (row->kind == KIND_WORD) {
        for (const char *p = row->words; *p;) {
            size_t n = strcspn(p, "|");
            (void)fprintf(out, "%s`%.*s`", p == row->words ? "" : ", ", (int)n, p);
            p += n + (p[n] == '|');
        }
    } else {
        (void)fprintf(out, "`%s`", row->meta);
    }
}

void server_settings_print_manual(FILE *out)
{
    static const char head[] =
        "# Configuration of the server\n\n"
        "This page is printed by `aloft serve --print-manual`; [operation.md](operation.md) says "
        "how the settings are used.\n\n"
        "A setting stands in the config file as `key = value`, on the command line as its flag, or "
        "in the environment as its variable.\n"
        "The flag beats the variable, that the file, that the default. An empty variable counts as "
        "none.\n\n"
        "The file is the one of `--config FILE` or `" SETTINGS_VARIABLE CONFIG_NAME "`, else "
        "`" SETTINGS_FILE_NAME "` in the data folder if it is there. A line is `key = value`, or "
        "blank, or begins\n"
        "with `#`. There are no sections, quotes or escapes. An unknown key, a key given twice and "
        "a wrong value are errors.\n"
        "`aloft serve --check-config` says what is wrong, or shows all settings and where each "
        "comes from.\n\n"
        "Settings marked SIGHUP change when the server gets that signal, the others at the next "
        "start.\n\n"
        "| key, flag, variable | values | default | changes at | meaning |\n"
        "| --- | --- | --- | --- | --- |\n";

    (void)fputs(head, out);
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        char key[SETTING_NAME_BYTES];
        char variable[SETTING_NAME_BYTES];
        const struct row *row = &rows[id];
        setting_key(id, key);
        get_variable(id, variable);
        (void)fprintf(out, "| `%s`<br>`--%s`<br>`%s` | ", key, row->flag, variable);
        print_values(row, out);
        (void)fprintf(out, " | %s%s%s | %s | %s |\n", row->preset[0] ? "`" : "",
                      row->preset[0] ? row->preset : "none", row->preset[0] ? "`" : "",
                      row->when == WHEN_SIGHUP ? "SIGHUP" : "start", row->help);
    }
    (void)fputs("\n`NET` is an address, or a network such as `192.0.2.0/24`; several are parted by "
                "commas.\n",
                out);
}
