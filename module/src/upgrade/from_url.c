/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/upgrade.h"

#include "aloft/module.h"

#include "http/client.h"
#include "http/url.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

enum aloft_err aloft_upgrade_from_url(struct aloft_module *m, const char *url, size_t url_len,
                                      aloft_upgrade_fn *tell)
{
    struct aloft_url parts = {0};
    struct aloft_upgrade_job job = {
        .kind = ALOFT_UPGRADE_URL,
        .url = url,
        .url_len = url_len,
        .name = "ota",
        .tell = tell,
    };

    if (url_len > ALOFT_URL_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    enum aloft_err err = aloft_url_parse(url, url_len, &parts);
    if (err != ALOFT_ERR_OK || !parts.has_scheme) {
        return ALOFT_ERR_SYNTAX;
    }
    aloft_proof_yield(m);
    if (m->http.phase != ALOFT_HTTP_IDLE) {
        return ALOFT_ERR_BUSY;
    }
    job.mode = parts.is_tls;
    return aloft_upgrade_start(m, &job);
}

void aloft_upgrade_progress(const struct aloft_module *m, uint32_t *ret_bytes, uint32_t *ret_total)
{
    const struct aloft_writer *w = &m->upgrade.writer;
    bool is_padded = w->total_bytes > 0 && w->written > w->total_bytes;

    *ret_bytes = is_padded ? w->total_bytes : w->written;
    *ret_total = w->total_bytes;
}
