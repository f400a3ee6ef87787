/* SPDX-License-Identifier: Apache-2.0 */
#include "process/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aloft/app_image.h"
#include "aloft/limits.h"
#include "host/auto.h"
#include "host/files.h"
#include "host/hashes.h"
#include "host/log.h"
#include "models/boot_loader.h"

#define PATH_BYTES 4096
#define FILE_MODE  0644
#define ERASED     0xFF

struct flash_file {
    int fd;
    uint8_t *bytes;
    struct flash model;
};

static enum aloft_err store(void *ctx, uint32_t addr, uint32_t len)
{
    const struct flash_file *f = ctx;

    while (len > 0) {
        ssize_t n = pwrite(f->fd, f->bytes + addr, len, (off_t)addr);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            log_error("flash.store", "addr=0x%x len=%u error=\"%s\"", addr, len, strerror(errno));
            return ALOFT_ERR_FLASH;
        }
        addr += (uint32_t)n;
        len -= (uint32_t)n;
    }
    return ALOFT_ERR_OK;
}

static void violate(void *ctx, uint32_t addr)
{
    (void)ctx;
    log_error("flash.violation",
              "addr=0x%x error=\"a 0 was to be programmed to 1; the sector was "
              "not erased before: this is a defect of the module\"",
              addr);
    abort();
}

static enum aloft_err load(struct flash_file *f, const char *path, uint32_t size_bytes,
                           struct error *e)
{
    struct stat st;

    f->fd = open(path, O_RDWR | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open the flash file '%s'", path);
    }
    if (!S_ISREG(st.st_mode) || st.st_size != (off_t)size_bytes) {
        return fail(e, ALOFT_ERR_TOO_BIG,
                    "'%s' has %lld bytes, the flash of this layout has %u; name its --layout", path,
                    (long long)st.st_size, size_bytes);
    }
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
        return fail(e, ALOFT_ERR_BUSY,
                    "the flash file '%s' is in use by another module; end that one first", path);
    }
    for (uint32_t off = 0; off < size_bytes;) {
        ssize_t n = pread(f->fd, f->bytes + off, size_bytes - off, (off_t)off);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot read the flash file '%s'", path);
        }
        off += (uint32_t)n;
    }
    return ALOFT_ERR_OK;
}

enum aloft_err flash_file_open(const char *path, uint32_t size_bytes,
                               struct flash_file **ret_flash_file, struct error *e)
{
    struct flash_file *f = calloc(1, sizeof *f);

    if (!f) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    f->fd = -1;
    f->bytes = malloc(size_bytes);
    enum aloft_err err =
        f->bytes ? load(f, path, size_bytes, e) : fail(e, ALOFT_ERR_IO, "out of memory");
    if (err != ALOFT_ERR_OK) {
        flash_file_close(f);
        return err;
    }
    const struct flash_hooks hooks = {.ctx = f, .store = store, .violation = violate};
    flash_init(&f->model, f->bytes, size_bytes, &hooks);
    *ret_flash_file = f;
    return ALOFT_ERR_OK;
}

void flash_file_close(struct flash_file *f)
{
    if (f) {
        auto_close(&f->fd);
        free(f->bytes);
        free(f);
    }
}

struct flash *flash_file_model(struct flash_file *f)
{
    return &f->model;
}

/* An image that cannot boot is better refused here, with its path, than by a silent module. */
static enum aloft_err vet(const char *path, const uint8_t *app, size_t len,
                          const struct aloft_layout *layout, struct error *e)
{
    AUTO_HASH sha256 = hash_new_sha256();
    const struct aloft_app_rules rules = {
        .chip = aloft_chip_by_id(layout->chip_id),
        .chip_revision = layout->min_chip_revision,
        .slot_bytes = aloft_layout_target_bytes(layout),
    };
    struct aloft_app_image image;
    size_t used;

    if (!sha256) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    aloft_app_image_init(&image, &rules, sha256);
    enum aloft_err err = aloft_app_image_feed(&image, app, len, &used);
    if (err == ALOFT_ERR_OK) {
        err = aloft_app_image_finish(&image);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "'%s' cannot run on layout %s: %s", path, layout->name,
                    aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err format(uint8_t *bytes, const struct aloft_layout *layout, const uint8_t *app,
                             size_t app_len, struct error *e)
{
    AUTO_HASH sha256 = hash_new_sha256();
    AUTO_HASH md5 = hash_new_md5();
    struct flash model;
    const struct boot_loader loader = {
        .flash = &model,
        .chip = aloft_chip_by_id(layout->chip_id),
        .has_rollback = layout->has_rollback,
        .sha256 = sha256,
        .md5 = md5,
    };

    if (!sha256 || !md5) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    memset(bytes, ERASED, layout->flash_bytes);
    flash_init(&model, bytes, layout->flash_bytes, NULL);
    return boot_loader_format(&loader, layout, app, app_len, e);
}

/* The name appears with the last step, and only if nothing has it: link() does not replace. */
static enum aloft_err write_new(const char *path, const uint8_t *bytes, size_t len, struct error *e)
{
    char temporary[PATH_BYTES];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof temporary) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", path);
    }
    AUTO_FD int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", temporary);
    }
    enum aloft_err err = file_write_all(fd, bytes, len, e);
    if (err == ALOFT_ERR_OK && (fchmod(fd, FILE_MODE) != 0 || fsync(fd) != 0)) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot finish '%s'", temporary);
    }
    if (err == ALOFT_ERR_OK && link(temporary, path) != 0) {
        err = fail_errno(e, errno == EEXIST ? ALOFT_ERR_DUPLICATE : ALOFT_ERR_IO,
                         "cannot create '%s'", path);
    }
    (void)unlink(temporary); /* left over at worst: it is whole, only under a second name */
    return err;
}

enum aloft_err flash_file_make(const char *path, const struct aloft_layout *layout,
                               const char *app_path, struct error *e)
{
    AUTO_FREE uint8_t *app = NULL;
    AUTO_FREE uint8_t *bytes = malloc(layout->flash_bytes);
    size_t app_len;

    if (!bytes) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = file_load(app_path, ALOFT_UPLOAD_MAX, &app, &app_len, e);
    if (err == ALOFT_ERR_OK) {
        err = vet(app_path, app, app_len, layout, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = format(bytes, layout, app, app_len, e);
    }
    return err == ALOFT_ERR_OK ? write_new(path, bytes, layout->flash_bytes, e) : err;
}
