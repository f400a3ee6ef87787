/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/verify.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/module.h"

#include "upgrade/engine.h"
#include "upgrade/source.h"
#include "upgrade/trailer.h"

static void begin_image(struct aloft_module *m, const struct aloft_hash *sha256)
{
    const struct aloft_app_rules image_rules = {
        .chip = m->chip,
        .chip_revision = m->config.chip_revision,
        .slot_bytes = m->upgrade.writer.slot.size_bytes,
        .requires_app_desc = true,
    };

    aloft_app_image_init(&m->upgrade.image, &image_rules, sha256);
}

static bool is_announced(const struct aloft_module *m)
{
    return m->upgrade.source->sha256(m) != NULL;
}

void aloft_verify_begin(struct aloft_module *m)
{
    const struct aloft_hash *sha256 = &m->port->sha256;

    m->upgrade.n_judged = 0;
    m->upgrade.trailer = (struct aloft_trailer){0};
    if (is_announced(m)) {
        sha256->ops->start(sha256->state);
        sha256 = NULL;
    }
    begin_image(m, sha256);
}

static enum aloft_err judge_trailer(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->trailer.off == 0) {
        aloft_trailer_init(&u->trailer, u->image.image_bytes);
    }
    return aloft_trailer_feed(&u->trailer, buf, len);
}

enum aloft_err aloft_verify_waiting(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    const struct aloft_hash *sha256 = &m->port->sha256;
    size_t len = 0;
    size_t used = 0;
    const uint8_t *body = u->source->body(m, &len);

    /* After a break up to three bytes come a second time. */
    if (len <= u->n_judged) {
        return ALOFT_ERR_OK;
    }
    body += u->n_judged;
    len -= u->n_judged;
    u->n_judged = (uint16_t)(u->n_judged + len);
    if (is_announced(m)) {
        sha256->ops->update(sha256->state, body, len);
    }
    if (!aloft_app_image_is_complete(&u->image)) {
        enum aloft_err err = aloft_app_image_feed(&u->image, body, len, &used);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return used < len ? judge_trailer(m, body + used, len - used) : ALOFT_ERR_OK;
}

void aloft_verify_consume(struct aloft_module *m, size_t len)
{
    m->upgrade.source->consume(m, len);
    m->upgrade.n_judged = (uint16_t)(m->upgrade.n_judged - len);
}

enum aloft_err aloft_verify_end(const struct aloft_module *m)
{
    const struct aloft_upgrade_state *u = &m->upgrade;
    const struct aloft_hash *sha256 = &m->port->sha256;
    enum aloft_err err = aloft_app_image_finish(&u->image);
    uint8_t digest[ALOFT_SHA256_BYTES];

    if (err == ALOFT_ERR_OK) {
        err = aloft_trailer_finish(&u->trailer);
    }
    if (err != ALOFT_ERR_OK || !is_announced(m)) {
        return err;
    }
    sha256->ops->finish(sha256->state, digest);
    return memcmp(digest, u->source->sha256(m), sizeof digest) == 0 ? ALOFT_ERR_OK : ALOFT_ERR_HASH;
}

void aloft_verify_begin_reread(struct aloft_module *m)
{
    m->upgrade.reread = 0;
    m->upgrade.reread_crc = 0;
    begin_image(m, &m->port->sha256);
}

static enum aloft_err reread_portion(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    size_t len = 0;
    size_t used = 0;
    uint8_t *buf = u->source->scratch(m, &len);

    len = len < u->writer.written - u->reread ? len : u->writer.written - u->reread;
    enum aloft_err err =
        m->port->flash.read(m->port->ctx, u->writer.slot.addr + u->reread, buf, len);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    u->reread_crc = aloft_crc32(u->reread_crc, buf, len);
    u->reread += (uint32_t)len;
    return aloft_app_image_is_complete(&u->image)
               ? ALOFT_ERR_OK
               : aloft_app_image_feed(&u->image, buf, len, &used);
}

enum aloft_err aloft_verify_reread(struct aloft_module *m, bool *ret_is_over)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    bool is_present = u->kind == ALOFT_UPGRADE_PRESENT;
    bool is_read = is_present && aloft_app_image_is_complete(&u->image);

    *ret_is_over = false;
    if (!is_read && u->reread < u->writer.written) {
        return reread_portion(m);
    }
    if (!is_present && u->reread_crc != u->writer.crc) {
        return ALOFT_ERR_FLASH;
    }
    *ret_is_over = true;
    return aloft_app_image_finish(&u->image);
}
