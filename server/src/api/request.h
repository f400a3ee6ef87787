/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_REQUEST_H
#define ALOFT_SERVER_REQUEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include "analyse/analyse.h"
#include "api/api.h"
#include "store/products.h"

/* One request of the console plane on its way from api.c to an operation (ops_*.c) and back. */

#define API_JSON_MAX       65536 /**< Bytes of a JSON body: 10 files need less than 2 KB. */
#define API_JSON_DEPTH     8     /**< Our deepest body has 3. */
#define API_NAME_BYTES     65    /**< A path parameter with its NUL: names have 64 at most. */
#define API_NAMES_MAX      2     /**< Path parameters of one route. */
#define API_UPLOAD_LIFE_MS (60 * 60 * 1000)

enum api_body { API_BODY_NONE, API_BODY_JSON, API_BODY_FILE };

struct request;
typedef void api_operation(struct request *request);

struct api_route {
    const char *method;
    const char *path; /**< `{}` stands for one path parameter. */
    enum api_body body;
    bool is_open;             /**< Needs no API token. */
    const char *const *query; /**< Parameters it knows, ends with NULL; NULL = none. */
    api_operation *prepare;   /**< Of a file body: before the first byte; NULL = none. */
    api_operation *run;       /**< All of the body is there. */
};

struct api {
    struct db *db;
    struct blobs *blobs;
    struct catalog *catalog;
    struct MHD_Daemon *daemon;
    uint16_t port;
    pthread_mutex_t blob_lock;    /**< From a blob's rename to its row, and from a row's end to its
                                     unlink: so that none takes away what another has just added. */
    pthread_mutex_t publish_lock; /**< One publisher at a time: the last one has read all. */
};

struct request {
    struct api *api;
    struct MHD_Connection *connection;
    const struct api_route *route;
    char names[API_NAMES_MAX][API_NAME_BYTES]; /**< Path parameters. */
    uint64_t body_bytes;                       /**< Announced. */

    char *json_text; /**< Of a JSON body, as far as it came. */
    size_t json_len;
    json_t *json; /**< Parsed, an object; when run() is called. */

    /* Of a file body. */
    struct product product;
    const char *version;
    const char *file_name;
    struct blob_writer *writer;
    struct analysis *analysis;
    uint64_t got_bytes;

    /* The answer; status 0 = none yet. */
    unsigned status;
    json_t *answer; /**< NULL = no body (204). */
    char allow[64]; /**< Methods of a 405. */
};

/** Give the answer. `body` is taken over; NULL = memory is out, which becomes a 500. */
void answer_json(struct request *request, unsigned status, json_t *body);

/** 204. */
void answer_nothing(struct request *request);

/** `code` is for programs: a lower-case word. The sentence is for people. */
__attribute__((format(printf, 4, 5))) void answer_error(struct request *request, unsigned status,
                                                        const char *code, const char *format, ...);

/** Turn a failed host function into 404, 409, 507 or 500. */
void answer_failure(struct request *request, const struct error *e);

/** Append to a JSON array while a list is walked; takes `item`, which may be NULL (no memory). */
enum aloft_err append_json(json_t *array, json_t *item, struct error *e);

/** Publish the catalog; false = it could not be, and that is the answer. */
bool publish_change(struct request *request);

/** Remove the blob unless a file or upload stands on it. Call with blob_lock held. */
void drop_blob(struct api *api, const char *sha256);

/** The product named by the first path parameter; false = 404, and that is the answer. */
bool find_product(struct request *request, struct product *ret_product);

/**
 * A query parameter that must be there.
 * @return Borrowed; NULL = the answer is given.
 */
const char *query_text(struct request *request, const char *name);

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

#endif
