/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_REQUEST_H
#define ALOFT_SERVER_REQUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include "account/principal.h"
#include "account/throttle.h"
#include "analyse/analyse.h"
#include "api/api.h"
#include "host/address.h"
#include "store/idempotency.h"
#include "store/products.h"

/* One request of the console plane on its way from api.c to an operation (ops_*.c) and back. */

#define API_JSON_MAX       65536 /**< Bytes of a JSON body, unless its route allows more. */
#define API_JSON_DEPTH     8     /**< Our deepest body has 3. */
#define API_NAME_BYTES     65    /**< A path parameter with its NUL: names have 64 at most. */
#define API_NAMES_MAX      3     /**< Path parameters of one route. */
#define API_UPLOAD_LIFE_MS (60 * 60 * 1000)
#define API_STATUS_CLASSES 5 /**< 1xx to 5xx. */
#define API_ALLOW_BYTES    64
#define API_ADDRESS_BYTES  48

/** A route under it is about one product, which is looked up before the operation runs. */
#define API_PRODUCT "/api/v1/products/{}"

enum api_body { API_BODY_NONE, API_BODY_JSON, API_BODY_FILE };

/** Who may ask. */
enum api_access {
    API_OPEN,      /**< Anybody; the operation itself looks at what the body shows. */
    API_SIGNED_IN, /**< Anybody who is somebody; the operation filters what they may see. */
    API_VIEWER,    /**< These and greater roles: for the product of the path, else for all. */
    API_DEVELOPER,
    API_OPERATOR,
    API_ADMIN,
};

struct request;
typedef void api_operation(struct request *request);

/** Each ops_*.c has a table of them, listed in routes.c; openapi.yaml says what they take and give.
 */
struct api_route {
    const char *method;
    const char *path; /**< `{}` stands for one path parameter. */
    enum api_body body;
    enum api_access access;
    api_operation *run;       /**< All of the body is there. */
    const char *const *query; /**< Parameters it knows, ends with NULL; NULL = none. */
    api_operation *prepare;   /**< Of a file body: before the first byte; NULL = none. */
    uint64_t json_max;        /**< Bytes of its JSON body; 0 = API_JSON_MAX. */
    bool gives_secret;        /**< Its answer is not kept under an Idempotency-Key. */
};

#define API_ROUTES_END                                                                             \
    {                                                                                              \
        .method = NULL                                                                             \
    }

struct api {
    struct db *db;
    struct blobs *blobs;
    struct catalog *catalog;
    struct bus *bus;
    struct streams *streams;
    struct passwords *passwords;
    struct throttle *throttle; /**< Of those who sign in or join. */
    char *setup_code_path;
    const char *data_path;
    int64_t started_ms;
    void (*read_modules)(void *ctx, struct api_module_facts *ret_facts);
    void *modules_ctx;
    atomic_bool is_published; /**< The catalog is what the database says. */
    atomic_uint_fast64_t n_answers[API_STATUS_CLASSES];
    struct MHD_Daemon *daemon;
    atomic_uint n_connections; /**< That the daemon has. */
    struct front *front;
    uint16_t port;
    char public_host[ADDRESS_HOST_BYTES]; /**< Where modules reach us; "" = not known. */
    uint16_t public_port;
    uint16_t public_tls_port;
    struct receiving *receiving;  /**< Partial uploads of which a part comes in: receiving.c. */
    pthread_mutex_t partial_lock; /**< Of that list and all of its members; taken before the
                                     database. */
    pthread_mutex_t blob_lock;    /**< From a blob's rename to its row, and from a row's end to its
                                     unlink: so that none takes away what another has just added. */
    pthread_mutex_t token_lock;   /**< From reading a token to telling the catalog. */
    pthread_mutex_t publish_lock; /**< One publisher at a time: the last one has read all. */
    pthread_mutex_t settings_lock;
    struct api_settings settings;
};

#define API_READ_LATER (-2)

/** Gives the next bytes of a long answer: how many, 0 = the end, -1 = failed: the answer is cut;
 * API_READ_LATER = none yet, and the connection was suspended. */
typedef long api_reader(void *ctx, char *buf, size_t cap);

struct request {
    struct api *api;
    struct MHD_Connection *connection;
    const struct api_route *route;
    const char *method;
    char *target;                              /**< As it came, with the query. */
    char names[API_NAMES_MAX][API_NAME_BYTES]; /**< Path parameters. */
    uint64_t began_ms;                         /**< Monotonic. */
    uint64_t body_bytes;                       /**< Announced. */
    uint64_t came_bytes;                       /**< Of them so far. */
    char address[API_ADDRESS_BYTES];           /**< Where it comes from, without port. */
    bool is_secure;                            /**< It came to a named proxy by TLS. */
    struct api_settings settings;              /**< Those in force when it began. */
    struct principal principal;
    struct product product;         /**< Of routes under API_PRODUCT. */
    enum role role;                 /**< With that product; elsewhere for every product. */
    struct idempotency idempotency; /**< `key` empty: none. */

    char *json_text; /**< Of a JSON body, as far as it came. */
    size_t json_len;
    json_t *json; /**< Parsed, an object; when run() is called. */

    /* Of a file body. */
    const char *version;
    const char *file_name;
    struct blob_writer *writer;  /**< NULL: it is vetted, not kept. */
    struct analysis *analysis;   /**< NULL: another part of a partial upload. */
    struct receiving *receiving; /**< That. */

    /* The answer; status 0 = none yet. */
    unsigned status;
    json_t *answer; /**< NULL = no JSON. */
    char *text;     /**< Instead of JSON: a text of this type. */
    const char *content_type;
    api_reader *reader; /**< Instead of a text: read by and by. */
    void *reader_ctx;
    void (*reader_free)(void *ctx);
    int64_t revision;            /**< Shown as ETag; 0 = none. */
    char *location;              /**< Of what was made; NULL = none. */
    char *cookie;                /**< Set-Cookie; NULL = none. */
    unsigned retry_after_s;      /**< 0 = none. */
    char allow[API_ALLOW_BYTES]; /**< Methods of a 405. */
};

/* Answers. */

/** Give the answer. `body` is taken over; NULL = memory is out, which becomes a 500. */
void answer_json(struct request *request, unsigned status, json_t *body);

/** 204. */
void answer_nothing(struct request *request);

/** `text` is taken over; NULL = memory is out. `content_type` is constant. */
void answer_text(struct request *request, unsigned status, const char *content_type, char *text);

/** 200 with bytes that are read when there is room for them; `free_ctx` is called in the end. */
void answer_stream(struct request *request, const char *content_type, api_reader *reader, void *ctx,
                   void (*free_ctx)(void *ctx));

/** `code` is for programs: a lower-case word. The sentence is for people. */
__attribute__((format(printf, 4, 5))) void answer_error(struct request *request, unsigned status,
                                                        const char *code, const char *format, ...);

/** Turn a failed function into 404, 409, 507 or 500. */
void answer_failure(struct request *request, const struct error *e);

/** A text that may quote what came from outside: not UTF-8, it is shown with `?`. */
json_t *sentence_json(const char *text);

/** Append to a JSON array while a list is walked; takes `item`, which may be NULL (no memory). */
enum aloft_err append_json(json_t *array, json_t *item, struct error *e);

/** "" becomes JSON's null in json_pack's `s?`. */
const char *or_null(const char *text);

/* Questions. */

/**
 * A query parameter that must be there.
 * @return Borrowed; NULL = the answer is given.
 */
const char *query_text(struct request *request, const char *name);

/** One that may be there. @return Borrowed; NULL = it is not. */
const char *query_optional(struct request *request, const char *name);

/** A number that may be there; false = it is none, or out of range, and that is the answer. */
bool query_number(struct request *request, const char *name, int64_t min, int64_t max,
                  int64_t preset, int64_t *ret_value);

/** Refuse parameters the route does not know, and repeated ones; false = answered. */
bool check_query(struct request *request);

/** A member of a JSON object, as an operation wants it. */
struct json_member {
    const char *name;
    json_type type; /**< JSON_TRUE stands for both booleans. */
    bool is_required;
};

/** Refuse members not in the table, of the wrong type, or missing; false = answered.
 * The table ends with an empty name. */
bool check_members(struct request *request, const json_t *object,
                   const struct json_member *members);

/**
 * Copy a text member that may be there; without it `buf` stays as it is. Refused (false, answered):
 * longer than `cap` allows, control characters.
 */
bool take_text(struct request *request, const char *member, char *buf, size_t cap);

/** The same for a word of [A-Za-z0-9._-]. */
bool take_word(struct request *request, const char *member, char *buf, size_t cap);

/** The same for one word of a list that ends with NULL. */
bool take_choice(struct request *request, const char *member, const char *const *words, char *buf,
                 size_t cap);

/* Lists by pages: query parameters `limit` and `cursor`, answer members LIST and `next`. A route
 * with pages names PAGE_QUERY among its parameters. */

#define PAGE_QUERY     "limit", "cursor"
#define PAGE_LIMIT     100
#define PAGE_LIMIT_MAX 1000
#define PAGE_KEY_BYTES 192

struct page {
    size_t limit;
    char after[PAGE_KEY_BYTES]; /**< Key of the last item of the page before; empty = the first. */
};

/** False = answered. */
bool page_read(struct request *request, struct page *ret_page);

/**
 * Answer with a page. `list` is taken over; ask the store for limit + 1 items: if there is one too
 * many it is dropped here, and there is a next page behind the item before it.
 *
 * @param key_of  Writes the key of an item of the list; it comes back as page.after.
 */
void page_answer(struct request *request, const struct page *page, const char *member, json_t *list,
                 void (*key_of)(const json_t *item, char *key, size_t cap));

/** The same with the key of the last item that stays, where the item itself does not tell it. */
void page_answer_key(struct request *request, const struct page *page, const char *member,
                     json_t *list, const char *key);

/* Changes: what was changed, its audit row, its event and the answer kept for an Idempotency-Key
 * are one transaction. */

/** What the audit log and the event say. */
struct change {
    const char *action; /**< `rom.deployed`: noun, dot, past participle; also the event's kind. */
    const char *object; /**< What was changed: a name. */
    json_t *detail;     /**< An object without secrets; taken over; NULL = empty. */
    const struct product *product; /**< NULL: the request's, if its route is about one. */
    bool is_catalog;               /**< Modules are answered by it: publish before answering. */
};

/**
 * Look at the Idempotency-Key before the operation runs. False = the request came before: its
 * answer is given again (409 if that held a secret, 422 if the key is another request's).
 */
bool change_is_new(struct request *request);

/** Begin one; keep it in an AUTO_TRANSACTION. False = answered: also if meanwhile the right or the
 * product is gone, or a request with the same Idempotency-Key was answered. */
bool change_begin(struct request *request, struct db **ret_transaction);

/** If the request has If-Match: is it this revision? False = 412, answered. */
bool change_matches(struct request *request, int64_t revision);

/**
 * Commit it and answer. On failure nothing was changed and the failure is the answer.
 *
 * @param body  Taken over; NULL with status 204 = no body.
 */
void change_end(struct request *request, struct db **transaction, const struct change *change,
                unsigned status, json_t *body);

/**
 * Keep the answer for the request's Idempotency-Key, if it has one. change_end() does it; this is
 * for what is no change to the audit log and to those who listen.
 */
ALOFT_MUST_CHECK
enum aloft_err change_keep(struct request *request, struct db *transaction, unsigned status,
                           const json_t *body, struct error *e);

/** Publish the catalog; false = it could not be, and that is the answer. */
bool publish_change(struct request *request);

/** Where modules of the request's product call this server; an empty host = not known. */
void find_module_plane(const struct request *request, struct address *ret_address);

/** Remove the blob unless a file or upload stands on it. Call with blob_lock held. */
void drop_blob(struct api *api, const char *sha256);

/** `n` random bytes as 2 * n lower-case hex digits with a NUL; false = answered. */
bool make_secret(struct request *request, size_t n, char *ret_hex);

#endif
