/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CATALOG_CATALOG_H
#define ALOFT_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/limits.h"
#include "host/error.h"

/*
 * What the module plane may answer, in memory. Products, ROMs and files are one immutable snapshot
 * that is replaced as a whole (build a draft, publish it); tokens live beside it in a table that is
 * changed singly, so that a million device tokens are never copied for one change. Everything here
 * may be called from any thread; a draft belongs to one thread.
 */

struct catalog;
struct catalog_draft;
struct catalog_snapshot;
struct catalog_product;
struct catalog_rom;
struct catalog_file;

/** Terms: mode 0 plain TCP, 1 TLS, as in `AT+CIUPDATE=<mode>`. */
enum catalog_mode { CATALOG_PLAIN = 0, CATALOG_TLS = 1 };

#define CATALOG_LIFE_CYCLE_MAX 32 /**< Bytes of a life cycle word. */
#define CATALOG_LINK_MAX       32 /**< Bytes of a link's short name. */

/** An empty catalog; NULL with a sentence when memory or randomness is out. */
struct catalog *catalog_new(struct error *e);

/** NULL is fine. Snapshots and files still referenced live on until they are released. */
void catalog_free(struct catalog *catalog);

/* Building. */

/** NULL when memory is out. */
struct catalog_draft *catalog_draft_new(void);

/** Throw an unpublished draft away; NULL is fine. */
void catalog_draft_free(struct catalog_draft *draft);

/**
 * @param id           The database's id, unique in the draft, not 0.
 * @param ret_product  Borrowed, valid until the draft is published or freed.
 * @retval ALOFT_ERR_ARG      The id is 0.
 * @retval ALOFT_ERR_TOO_BIG  Memory is out.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_draft_add_product(struct catalog_draft *draft, int64_t id,
                                         struct catalog_product **ret_product, struct error *e);

/**
 * Add a ROM; call it in the order modules shall see them, newest first.
 *
 * @param version     [A-Za-z0-9._-]{1,64}: a module copies it unescaped into its next request.
 * @param life_cycle  Same characters, at most CATALOG_LIFE_CYCLE_MAX.
 * @param is_current  This is the product's current version; at most one.
 * @param ret_rom     Borrowed, valid until the draft is published or freed.
 * @retval ALOFT_ERR_SYNTAX     A text has other characters; nothing was added.
 * @retval ALOFT_ERR_DUPLICATE  The version stands there already, or a second one is current.
 * @retval ALOFT_ERR_TOO_BIG    Memory is out.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_draft_add_rom(struct catalog_product *product, const char *version,
                                     const char *life_cycle, bool is_current,
                                     struct catalog_rom **ret_rom, struct error *e);

struct catalog_file_facts {
    const char *name;       /**< `ota.bin` or `<label>.bin`, ALOFT_FILE_NAME_MAX bytes at most. */
    const char *path;       /**< Where the blob is; opened at the first request, not now. */
    uint64_t size_bytes;    /**< Not 0. A blob of another size is refused when it is opened. */
    const char *sha256_hex; /**< 64 lower-case digits. */
};

/**
 * @param facts  Copied.
 * @retval ALOFT_ERR_SYNTAX     A text is too long or has other characters; nothing was added.
 * @retval ALOFT_ERR_DUPLICATE  The ROM has a file of this name.
 * @retval ALOFT_ERR_TOO_BIG    Memory is out.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_draft_add_file(struct catalog_rom *rom,
                                      const struct catalog_file_facts *facts, struct error *e);

/**
 * A link: `/ota/<short name>/<file name>` gives this file without a token, which is what
 * AT+USEROTA needs (facts/at-commands.md 2.1: no header of its own, target <= 459 bytes).
 */
struct catalog_link_facts {
    const char *short_name; /**< [A-Za-z0-9_-]{1,32}. */
    int64_t product_id;
    const char *version;
    const char *file_name;
    int64_t expires_ms; /**< Wall clock, ms since 1970; from then on it is refused. 0 = never. */
};

/**
 * In any order with products and ROMs. A link whose file is not in the draft when it is published
 * is answered as if it were not there.
 *
 * @param facts  Copied.
 * @retval ALOFT_ERR_SYNTAX   A text is too long or has other characters; nothing was added.
 * @retval ALOFT_ERR_TOO_BIG  Memory is out.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_draft_add_link(struct catalog_draft *draft,
                                      const struct catalog_link_facts *facts, struct error *e);

/**
 * Make the draft what modules are answered from now on. Requests that begin after the return see
 * it; downloads under way keep the file they began with.
 *
 * @param draft  Transferred, also on failure; the old snapshot stands then.
 * @retval ALOFT_ERR_DUPLICATE  Two products have the same id, or two links the same short name.
 * @retval ALOFT_ERR_TOO_BIG  Memory is out.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_publish(struct catalog *catalog, struct catalog_draft *draft,
                               struct error *e);

typedef void catalog_published_fn(void *ctx);

/**
 * From now on have `told` called at the end of each publish, in the publisher's thread and before
 * catalog_publish() returns; after the return nobody is in an earlier one. It must not call the
 * catalog. NULL: none.
 */
void catalog_on_publish(struct catalog *catalog, catalog_published_fn *told, void *ctx);

/* Tokens. */

/** Whom a token stands for. */
struct catalog_owner {
    int64_t product_id;
    int64_t device_id; /**< 0: the product's own token, shared by all its modules. */
};

/**
 * Set or replace a token of one mode. To rotate one with an overlap, set the old one again with an
 * expiry and the new one without.
 *
 * @param token       40 lower-case hex digits (need not end with NUL).
 * @param len         Its length.
 * @param expires_ms  Wall clock, ms since 1970; from then on nobody has it. 0 = never. It stays in
 *                    memory until it is removed.
 * @retval ALOFT_ERR_SYNTAX   Not 40 lower-case hex digits.
 * @retval ALOFT_ERR_TOO_BIG  Memory is out; nothing was changed.
 */
ALOFT_MUST_CHECK
enum aloft_err catalog_token_set(struct catalog *catalog, enum catalog_mode mode, const char *token,
                                 size_t len, struct catalog_owner owner, int64_t expires_ms);

/** From the return on nobody has it; false if nobody had. */
bool catalog_token_remove(struct catalog *catalog, enum catalog_mode mode, const char *token,
                          size_t len);

/**
 * Whose token this is; false if nobody's. Never blocks on a publish.
 *
 * @param now_ms  Wall clock; a loop's is enough, so that no clock is read for a request.
 */
bool catalog_token_find(struct catalog *catalog, enum catalog_mode mode, const char *token,
                        size_t len, int64_t now_ms, struct catalog_owner *ret_owner);

/* Reading: a loop holds one snapshot and takes a new one when the generation has changed. */

/** Grows by one with every publish; one atomic load. */
uint64_t catalog_generation(const struct catalog *catalog);

/** A new reference to the snapshot that counts now, never NULL. */
struct catalog_snapshot *catalog_get(struct catalog *catalog);

/** Give the reference back; NULL is fine. Products of the snapshot are gone after it. */
void catalog_snapshot_release(struct catalog_snapshot *snapshot);

/** NULL if there is none. Valid as long as the snapshot is held, like what follows. */
const struct catalog_product *catalog_find_product(const struct catalog_snapshot *snapshot,
                                                   int64_t id);

/** A complete HTTP answer, built when the snapshot was made. */
struct catalog_answer {
    const char *bytes; /**< Head and body. */
    size_t len;
    size_t head_len;
};

/** The version document, at most 1024 bytes; NULL if the product has no current version. */
const struct catalog_answer *catalog_version_answer(const struct catalog_product *product);

/** The version list, body at most 8000 bytes. */
const struct catalog_answer *catalog_list_answer(const struct catalog_product *product);

/** The current version's text; NULL if there is none. */
const char *catalog_current_version(const struct catalog_product *product);

/**
 * A ROM by its version.
 *
 * @param len  0 asks for the current version.
 * @return NULL if there is none.
 */
const struct catalog_rom *catalog_find_rom(const struct catalog_product *product,
                                           const char *version, size_t len);

/** NULL if the ROM has no file of this name. Not referenced: see catalog_file_hold(). */
struct catalog_file *catalog_find_file(const struct catalog_rom *rom, const char *name, size_t len);

/** Where a link leads. */
struct catalog_link {
    int64_t product_id;
    int64_t expires_ms;        /**< 0 = never. */
    struct catalog_file *file; /**< Not referenced: see catalog_file_hold(). */
};

/** NULL if there is none. An expired one is there until the next snapshot. */
const struct catalog_link *catalog_find_link(const struct catalog_snapshot *snapshot,
                                             const char *short_name, size_t len);

/* Files outlive their snapshot while somebody holds them. */

struct catalog_file *catalog_file_hold(struct catalog_file *file);
void catalog_file_release(struct catalog_file *file); /**< NULL is fine. */

const char *catalog_file_name(const struct catalog_file *file);
const char *catalog_file_version(const struct catalog_file *file);
uint64_t catalog_file_size(const struct catalog_file *file);
const char *catalog_file_sha256(const struct catalog_file *file);

/** Head of the answer a stock module gets: the fields of wire 3.4 and no others. */
const struct catalog_answer *catalog_file_answer(const struct catalog_file *file);

/**
 * The one descriptor of the file, shared by all who send it (so: pread and sendfile with an own
 * offset only). Opened by the first who asks.
 *
 * @return -1 if the blob cannot be opened or has another size than the facts said.
 */
int catalog_file_fd(struct catalog_file *file);

#endif
