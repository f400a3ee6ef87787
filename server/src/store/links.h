/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_STORE_LINKS_H
#define ALOFT_SERVER_STORE_LINKS_H

#include "aloft/limits.h"
#include "store/db.h"

/* Links: short addresses of files for AT+USEROTA. */

#define LINK_SHORT_MAX      32
#define LINK_CREATED_BY_MAX 64

struct link {
    char short_name[LINK_SHORT_MAX + 1]; /**< [A-Za-z0-9_-]; who knows it gets the file. */
    int64_t product_id;
    char version[ALOFT_VERSION_MAX + 1];
    char file[ALOFT_FILE_NAME_MAX + 1];
    int64_t expires_ms; /**< 0 = public for good. */
    char created_by[LINK_CREATED_BY_MAX + 1];
    int64_t created_ms;
};

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such file in a ROM of this version. */
ALOFT_MUST_CHECK
enum aloft_err links_add(struct db *db, const struct link *link, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such link. */
ALOFT_MUST_CHECK
enum aloft_err links_get(struct db *db, int64_t product_id, const char *short_name,
                         struct link *ret_link, struct error *e);

/** Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err links_remove(struct db *db, int64_t product_id, const char *short_name,
                            struct error *e);

/** Called once per link, which is borrowed. An error ends the walk. */
typedef enum aloft_err link_visitor(void *ctx, const struct link *link, struct error *e);

/** Of one product, by short name, those behind `after` ("" = all). */
ALOFT_MUST_CHECK
enum aloft_err links_of_product(struct db *db, int64_t product_id, const char *after, size_t limit,
                                link_visitor *visit, void *ctx, struct error *e);

/** Of all products. */
ALOFT_MUST_CHECK
enum aloft_err links_each(struct db *db, link_visitor *visit, void *ctx, struct error *e);

/** Remove those that have expired. */
ALOFT_MUST_CHECK
enum aloft_err links_sweep(struct db *db, int64_t now_ms, int64_t *ret_n, struct error *e);

#endif
