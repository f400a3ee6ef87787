/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/names.h"
#include "host/auto.h"

#define HEX_CHARS    (HASH_HEX_BYTES - 1)
#define GAP          "  " /* as sha256sum */
#define GAP_CHARS    2
#define FOLDER_CHARS 2
#define BLOB_PREFIX  DATA_DIR_BLOBS "/"
#define GROW_FROM    64

void manifest_free(struct manifest *m)
{
    free(m->files);
    *m = (struct manifest){.files = NULL};
}

static bool is_sha256(const char *text)
{
    return strspn(text, "0123456789abcdef") == HEX_CHARS && text[HEX_CHARS] == '\0';
}

const char *manifest_blob_sha256(const char *name)
{
    const char *folder = name + strlen(BLOB_PREFIX);

    if (strncmp(name, BLOB_PREFIX, strlen(BLOB_PREFIX)) != 0 ||
        strnlen(folder, FOLDER_CHARS + 1) <= FOLDER_CHARS || folder[FOLDER_CHARS] != '/') {
        return NULL;
    }
    const char *sha256 = folder + FOLDER_CHARS + 1;
    return is_sha256(sha256) && memcmp(folder, sha256, FOLDER_CHARS) == 0 ? sha256 : NULL;
}

bool manifest_is_name(const char *name)
{
    for (const char *const *p = backup_names; *p; p++) {
        if (strcmp(*p, name) == 0) {
            return true;
        }
    }
    return manifest_blob_sha256(name) != NULL;
}

enum aloft_err manifest_add(struct manifest *m, const char *name, const char *sha256,
                            struct error *e)
{
    if (m->n_files == MANIFEST_FILES_MAX) {
        return fail(e, ALOFT_ERR_TOO_BIG, "a backup has at most %d files", MANIFEST_FILES_MAX);
    }
    if (m->n_files == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : GROW_FROM;
        struct manifest_file *files = realloc(m->files, cap * sizeof *files);
        if (!files) {
            return fail(e, ALOFT_ERR_IO, "out of memory for the list of %zu files", cap);
        }
        m->files = files;
        m->cap = cap;
    }
    struct manifest_file *file = &m->files[m->n_files++];
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    (void)snprintf(file->sha256, sizeof file->sha256, "%s", sha256);
    return ALOFT_ERR_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct manifest_file *left = a;
    const struct manifest_file *right = b;

    return strcmp(left->name, right->name);
}

static void sort(struct manifest *m)
{
    if (m->n_files > 0) {
        qsort(m->files, m->n_files, sizeof m->files[0], compare_names);
    }
}

char *manifest_format(struct manifest *m, size_t *ret_len)
{
    size_t cap = m->n_files * (HEX_CHARS + GAP_CHARS + MANIFEST_NAME_BYTES) + 1;
    char *text = malloc(cap);
    size_t n = 0;

    sort(m);
    for (size_t i = 0; text && i < m->n_files; i++) {
        n += (size_t)snprintf(text + n, cap - n, "%s" GAP "%s\n", m->files[i].sha256,
                              m->files[i].name);
    }
    *ret_len = n;
    return text;
}

/* The line at `text`; how long it is with its end, 0 = it is none. */
static size_t read_line(const char *text, size_t len, struct manifest_file *ret_file)
{
    const char *end = memchr(text, '\n', len);
    size_t line_len = end ? (size_t)(end - text) : 0;

    if (line_len <= HEX_CHARS + GAP_CHARS ||
        line_len >= HEX_CHARS + GAP_CHARS + sizeof ret_file->name ||
        memcmp(text + HEX_CHARS, GAP, GAP_CHARS) != 0) {
        return 0;
    }
    memcpy(ret_file->sha256, text, HEX_CHARS);
    ret_file->sha256[HEX_CHARS] = '\0';
    size_t name_len = line_len - HEX_CHARS - GAP_CHARS;
    memcpy(ret_file->name, text + HEX_CHARS + GAP_CHARS, name_len);
    ret_file->name[name_len] = '\0';
    bool is_name = strlen(ret_file->name) == name_len && manifest_is_name(ret_file->name);
    return is_name && is_sha256(ret_file->sha256) ? line_len + 1 : 0;
}

static enum aloft_err parse(const char *text, size_t len, struct manifest *m, struct error *e)
{
    for (size_t at = 0; at < len;) {
        struct manifest_file file;
        size_t line_len = read_line(text + at, len - at, &file);
        if (line_len == 0) {
            return fail(e, ALOFT_ERR_SYNTAX, "its " MANIFEST_NAME " is damaged in line %zu",
                        m->n_files + 1);
        }
        enum aloft_err err = manifest_add(m, file.name, file.sha256, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        at += line_len;
    }
    sort(m);
    return ALOFT_ERR_OK;
}

enum aloft_err manifest_compare(struct manifest *found, const char *text, size_t len,
                                struct error *e)
{
    AUTO_MANIFEST wanted = {.files = NULL};
    enum aloft_err err = parse(text, len, &wanted, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    sort(found);
    for (size_t i = 0; i < found->n_files && i < wanted.n_files; i++) {
        if (strcmp(found->files[i].name, wanted.files[i].name) != 0) {
            return fail(e, ALOFT_ERR_SYNTAX,
                        "'%s' and '%s' are not in both the backup and its list",
                        found->files[i].name, wanted.files[i].name);
        }
        if (strcmp(found->files[i].sha256, wanted.files[i].sha256) != 0) {
            return fail(e, ALOFT_ERR_HASH, "'%s' is damaged: its SHA-256 is another",
                        found->files[i].name);
        }
    }
    return found->n_files == wanted.n_files
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_SYNTAX, "it has %zu files, its list %zu", found->n_files,
                      wanted.n_files);
}
