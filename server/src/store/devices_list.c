/* SPDX-License-Identifier: Apache-2.0 */

/* Lists and searches of devices. A list is made of one walk or more, each through one index in its
 * own order, so that a page of a million devices costs what it shows. A walk leaves out what walks
 * before it have shown. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/device_row.h"

#define KEYS_END "\xF4\x8F\xBF\xBF" /* the last character there is; a prefix's last key + this */
#define TERM_MAX (DEVICE_NAME_MAX + sizeof KEYS_END)

enum source { BY_NAME, BY_SERIAL, BY_TOKEN_SHOWN, BY_TOKEN, BY_TOKEN_TLS, BY_ADDRESS };

/* Begins with the text: no index is to be chosen by these, hence the OR. */
#define FITS(low, high, column)                                                                    \
    "(" low " = '' OR (" column " >= " low " AND " column " < " high "))"
#define TOKEN_FITS                                                                                 \
    "(?16 = '' OR (token_prefix >= ?16 AND token_prefix < ?17) OR "                                \
    "(token >= ?16 AND token < ?17) OR (token_tls >= ?16 AND token_tls < ?17))"

/* Shown before: by name, serial (only in a search for anything), or one of the tokens. */
#define NONE         "1 = 0"
#define NAME_SHOWN   "?7 = 1 AND device >= ?5 AND device < ?6"
#define SERIAL_SHOWN NAME_SHOWN " OR ?7 = 1 AND serial >= ?5 AND serial < ?6"
#define PREFIX_SHOWN SERIAL_SHOWN " OR token_prefix >= ?8 AND token_prefix < ?9"
#define TOKEN_SHOWN  PREFIX_SHOWN " OR coalesce(token, '') >= ?8 AND coalesce(token, '') < ?9"
#define TOKEN_TLS_SHOWN                                                                            \
    TOKEN_SHOWN " OR coalesce(token_tls, '') >= ?8 AND coalesce(token_tls, '') < ?9"

/* All that only leaves out stands in one term: with many, the planner expects next to nothing and
 * would rather sort than walk in order. */
#define WALK(scope, column, shown)                                                                 \
    "SELECT " DEVICE_COLUMNS ", " column " FROM device WHERE " scope "(" column                    \
    ", id) > (?2, ?3) AND " column " < ?4 AND CASE WHEN product_id = ?1 "                          \
    "AND NOT (" shown ") AND " FITS(                                                               \
        "?10", "?11", "device") " "                                                                \
                                "AND " FITS("?12", "?13", "serial") " AND " FITS(                  \
                                    "?14", "?15",                                                  \
                                    "address") " "                                                 \
                                               "AND " TOKEN_FITS                                   \
                                               " AND (?18 = '' OR running_version = ?18) "         \
                                               "AND (?19 = '' OR delivered_version = ?19) AND "    \
                                               "(?20 = '' OR proven_version = ?20) "               \
                                               "AND (?21 = '' OR origin = ?21) AND (?22 = 0 OR "   \
                                               "last_seen_ms >= ?22) "                             \
                                               "AND (?24 = 0 OR (last_seen_ms < ?24 AND "          \
                                               "last_seen_ms > 0)) THEN 1 ELSE 0 END = 1 "         \
                                               "ORDER BY " column ", id LIMIT ?23"
#define OF_PRODUCT "product_id = ?1 AND "
#define OF_ALL     "" /* the indexes of tokens are over all products */

const char *const device_source_sql[DEVICE_SOURCES] = {
    [BY_NAME] = WALK(OF_PRODUCT, "device", NONE),
    [BY_SERIAL] = WALK(OF_PRODUCT, "serial", NAME_SHOWN),
    [BY_TOKEN_SHOWN] = WALK(OF_PRODUCT, "token_prefix", SERIAL_SHOWN),
    [BY_TOKEN] = WALK(OF_ALL, "token", PREFIX_SHOWN),
    [BY_TOKEN_TLS] = WALK(OF_ALL, "token_tls", TOKEN_SHOWN),
    [BY_ADDRESS] = WALK(OF_PRODUCT, "address", TOKEN_TLS_SHOWN),
};

/* A prefix and the end of the keys that begin with it; empty: all, or not asked for. */
struct range {
    char low[TERM_MAX];
    char high[TERM_MAX];
};

struct search {
    const struct device_filter *filter;
    unsigned first; /* source */
    unsigned last;
    bool is_any;
    struct range term;  /* what is looked for in names, serials and addresses */
    struct range token; /* the same for tokens */
};

static struct range make_range(const char *prefix, size_t max)
{
    struct range r = {0};

    if (prefix) {
        (void)snprintf(r.low, sizeof r.low, "%.*s", (int)max, prefix);
        (void)snprintf(r.high, sizeof r.high, "%.*s" KEYS_END, (int)max, prefix);
    }
    return r;
}

/* The filter that finds the fewest leads; the others only leave out. */
static struct search plan(const struct device_filter *f)
{
    const struct {
        const char *text;
        unsigned first;
        unsigned last;
    } rows[] = {
        {f->any, BY_NAME, BY_ADDRESS},        {f->token, BY_TOKEN_SHOWN, BY_TOKEN_TLS},
        {f->serial, BY_SERIAL, BY_SERIAL},    {f->device, BY_NAME, BY_NAME},
        {f->address, BY_ADDRESS, BY_ADDRESS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].text && rows[i].text[0]) {
            return (struct search){f,
                                   rows[i].first,
                                   rows[i].last,
                                   rows[i].text == f->any,
                                   make_range(rows[i].text, DEVICE_NAME_MAX),
                                   make_range(rows[i].text, TOKEN_PREFIX_CHARS)};
        }
    }
    return (struct search){f, BY_NAME, BY_NAME, false, {"", KEYS_END}, {"", KEYS_END}};
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void bind_range(struct db_stmt *s, int index, const struct range *r)
{
    db_bind_text(s, index, r->low);
    db_bind_text(s, index + 1, r->high);
}

static void bind_filter(struct db_stmt *s, const struct device_filter *f)
{
    struct range device = make_range(f->device, DEVICE_NAME_MAX);
    struct range serial = make_range(f->serial, DEVICE_SERIAL_MAX);
    struct range address = make_range(f->address, DEVICE_ADDRESS_MAX);
    struct range token = make_range(f->token, TOKEN_PREFIX_CHARS);

    bind_range(s, 10, &device);
    bind_range(s, 12, &serial);
    bind_range(s, 14, &address);
    bind_range(s, 16, &token);
    db_bind_text(s, 18, or_empty(f->running_version));
    db_bind_text(s, 19, or_empty(f->delivered_version));
    db_bind_text(s, 20, or_empty(f->proven_version));
    db_bind_text(s, 21, or_empty(f->origin));
    db_bind_int(s, 22, f->seen_since_ms);
    db_bind_int(s, 24, f->seen_before_ms);
}

static void bind_walk(struct db_stmt *s, const struct search *search,
                      const struct device_cursor *after)
{
    bool is_token = after->source >= BY_TOKEN_SHOWN && after->source <= BY_TOKEN_TLS;
    const struct range *r = is_token ? &search->token : &search->term;

    db_bind_text(s, 2, after->id ? after->key : r->low);
    db_bind_int(s, 3, after->id);
    db_bind_text(s, 4, r->high);
    bind_range(s, 5, &search->term);
    db_bind_int(s, 7, search->is_any);
    bind_range(s, 8, &search->token);
    bind_filter(s, search->filter);
}

/* One source from `at` on; `*limit` counts down. */
static enum aloft_err walk(struct db *db, int64_t product_id, const struct search *search,
                           struct device_cursor *at, size_t *limit, device_visitor *visit,
                           void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, device_source_sql[at->source], &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    bind_walk(s, search, at);
    db_bind_int(s, 23, (int64_t)*limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct device d;
        device_row_read(s, &d);
        at->id = d.id;
        db_get_text(s, 20, at->key, sizeof at->key);
        --*limit;
        err = visit(ctx, &d, at, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err devices_list(struct db *db, int64_t product_id, const struct device_filter *filter,
                            const struct device_cursor *after, size_t limit, device_visitor *visit,
                            void *ctx, struct error *e)
{
    struct search search = plan(filter);
    struct device_cursor at = *after;
    enum aloft_err err = ALOFT_ERR_OK;

    if (at.id == 0 || at.source < search.first) {
        at = (struct device_cursor){.source = search.first};
    }
    while (err == ALOFT_ERR_OK && limit > 0 && at.source <= search.last) {
        err = walk(db, product_id, &search, &at, &limit, visit, ctx, e);
        if (limit > 0) {
            at = (struct device_cursor){.source = at.source + 1};
        }
    }
    return err;
}
