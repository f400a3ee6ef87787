/* SPDX-License-Identifier: Apache-2.0 */
#include "process/efuse_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auto.h"
#include "host/files.h"
#include "host/log.h"

#define FILE_BYTES 64
#define FILE_MODE  0644

struct efuse_file {
    char *path;
    struct efuse model;
};

static int render(uint32_t bits, char *text)
{
    return snprintf(text, FILE_BYTES, "secure_version_bits=%08" PRIx32 "\n", bits);
}

static enum aloft_err save(const struct efuse_file *file, uint32_t bits, struct error *e)
{
    char text[FILE_BYTES];
    int len = render(bits, text);

    return file_replace(file->path, text, (size_t)len, FILE_MODE, e);
}

static enum aloft_err store(void *ctx, uint32_t bits)
{
    struct efuse_file *file = ctx;
    struct error e = {0};
    enum aloft_err err = save(file, bits, &e);

    if (err != ALOFT_ERR_OK) {
        log_error("efuse.burn_failed", "error=\"%s\"", e.sentence);
        return err;
    }
    log_info("efuse.burnt", "bits=%08" PRIx32, bits);
    return ALOFT_ERR_OK;
}

/* Nothing but what render() writes. */
static enum aloft_err parse(struct efuse_file *file, const char *text, struct error *e)
{
    char wanted[FILE_BYTES] = "";
    uint32_t bits = 0;

    if (sscanf(text, "secure_version_bits=%8" SCNx32, &bits) == 1) {
        (void)render(bits, wanted);
    }
    if (strcmp(text, wanted) != 0 || *text == '\0' || (uint64_t)bits >> file->model.n_bits != 0) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "'%s' is not 'secure_version_bits=' and 8 hex digits for an eFuse of %u bits; "
                    "repair or remove it",
                    file->path, file->model.n_bits);
    }
    file->model.bits = bits;
    return ALOFT_ERR_OK;
}

static void auto_efuse_file_close(struct efuse_file **file)
{
    efuse_file_close(*file);
}

enum aloft_err efuse_file_open(const char *path, bool is_wanted, const struct aloft_chip *chip,
                               struct efuse_file **ret_file, struct error *e)
{
    __attribute__((cleanup(auto_efuse_file_close))) struct efuse_file *file =
        calloc(1, sizeof *file);
    AUTO_FREE uint8_t *text = NULL;
    struct error why = {0};
    size_t len;

    *ret_file = NULL;
    if (!file || !(file->path = strdup(path))) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    file->model = (struct efuse){.n_bits = chip->secure_version_bits, .store = store, .ctx = file};
    enum aloft_err err = file_load(path, FILE_BYTES, &text, &len, &why);
    if (err != ALOFT_ERR_OK && why.native_code != ENOENT) {
        return fail(e, err, "%s", why.sentence);
    }
    if (err != ALOFT_ERR_OK && !is_wanted) {
        return ALOFT_ERR_OK;
    }
    err = err == ALOFT_ERR_OK ? parse(file, (const char *)text, e) : save(file, 0, e);
    if (err == ALOFT_ERR_OK) {
        *ret_file = STEAL(file);
    }
    return err;
}

void efuse_file_close(struct efuse_file *file)
{
    if (file) {
        free(file->path);
        free(file);
    }
}

struct efuse *efuse_file_model(struct efuse_file *file)
{
    return file ? &file->model : NULL;
}
