/* SPDX-License-Identifier: Apache-2.0 */

/* The console plane's way through libmicrohttpd. It calls answer() several times per request: first
 * with the head, where we decide whether it may go on; then with pieces of the body; last with none
 * left, where the operation runs. An answer given in the first call closes the connection unread,
 * so that is for requests whose body we do not want to see; other refusals read it to its end, for
 * the client to get the answer and not a reset. */

#include "api/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "aloft/limits.h"
#include "api/authorize.h"
#include "api/framing.h"
#include "api/peer.h"
#include "api/front.h"
#include "api/receiving.h"
#include "api/request.h"
#include "api/routes.h"
#include "api/send.h"
#include "api/streams.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"
#include "store/deliveries.h"
#include "store/events.h"
#include "store/links.h"
#include "store/roms.h"

#define THREADS           4     /* one may sync a file or hash a password while others answer */
#define CONNECTIONS_MAX   500   /* people and programs, not modules */
#define IDLE_TIMEOUT_S    30u   /* without a byte; the library has none by itself */
#define BODY_GRACE_MS     15000 /* then its average must be at least ... */
#define BODY_RATE_MIN     1     /* ... so many bytes per ms: slower than any mobile network */
#define CONTENT_TYPE_JSON "application/json"
#define CONTENT_TYPE_FILE "application/octet-stream"

/* The library shows the target as it came only here, before the head is read; what is returned is
 * the request's state from then on. */
static void *begin_request(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct request *r = calloc(1, sizeof *r);

    if (r) {
        r->api = ctx;
        r->connection = connection;
        r->began_ms = clock_monotonic_ms();
        r->target = strdup(target);
    }
    return r;
}

static void free_request(struct request *r)
{
    json_decref(r->json);
    json_decref(r->answer);
    if (r->reader_free) {
        r->reader_free(r->reader_ctx);
    }
    free(r->target);
    free(r->text);
    free(r->location);
    free(r->cookie);
    free(r->json_text);
    blob_writer_free(r->writer);
    analysis_free(r->analysis);
    receiving_end(r->api, r->receiving);
    free(r);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)ctx;
    (void)connection;
    (void)code; /* a request broken off leaves nothing behind: its writer is thrown away here */
    if (*state) {
        free_request(*state);
    }
    *state = NULL;
}

/* The library later hands on what it has decoded. A slash or NUL out of an escape would part the
 * path where a proxy in front of us sees none. */
static bool has_odd_path(const char *target)
{
    for (const char *end = target + strcspn(target, "?"); target < end; target++) {
        if (strncasecmp(target, "%2f", 3) == 0 || strncmp(target, "%00", 3) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_type(struct request *r, const char *wanted)
{
    const char *type =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t len = strlen(wanted);

    return type && strncasecmp(type, wanted, len) == 0 && strchr("; \t", type[len]) != NULL;
}

static void check_body(struct request *r, const struct framing *f)
{
    static const struct {
        uint64_t max_bytes;
        const char *type;
    } rules[] = {
        [API_BODY_NONE] = {0, NULL},
        [API_BODY_JSON] = {API_JSON_MAX, CONTENT_TYPE_JSON},
        [API_BODY_FILE] = {0, CONTENT_TYPE_FILE}, /* a setting */
    };
    uint64_t max = r->route->body == API_BODY_JSON && r->route->json_max
                       ? r->route->json_max
                       : rules[r->route->body].max_bytes;
    const char *type = rules[r->route->body].type;

    if (r->route->body == API_BODY_FILE) {
        max = r->settings.upload_max_bytes;
    }
    if (f->is_chunked) {
        answer_error(r, MHD_HTTP_LENGTH_REQUIRED, "length_required",
                     "the body needs a Content-Length; chunks are not taken");
    } else if (f->body_bytes > max) {
        answer_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                     "the body has %llu bytes, the limit is %llu",
                     (unsigned long long)f->body_bytes, (unsigned long long)max);
    } else if (type && !has_type(r, type)) {
        answer_error(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type",
                     "the body must come as Content-Type: %s", type);
    }
}

/* The head is there: may the request go on? */
static enum MHD_Result begin(struct request *r, const char *method, const char *url,
                             const struct framing *f)
{
    r->body_bytes = f->body_bytes;
    (void)pthread_mutex_lock(&r->api->settings_lock);
    r->settings = r->api->settings;
    (void)pthread_mutex_unlock(&r->api->settings_lock);
    peer_find(r);
    r->route = route_find(r, method, url);
    if (r->route && authorize(r) && check_query(r)) {
        check_body(r, f);
    }
    if (r->status == 0 && r->route->body == API_BODY_JSON) {
        r->json_text = malloc(r->body_bytes + 1);
        if (!r->json_text) {
            return MHD_NO;
        }
    }
    if (r->status == 0 && r->route->prepare) {
        r->route->prepare(r);
    }
    bool is_unwanted =
        f->is_chunked || f->expects_continue || f->body_bytes > r->settings.upload_max_bytes;
    return r->status != 0 && is_unwanted ? send_answer(r) : MHD_YES;
}

static void take_file_piece(struct request *r, const char *buf, size_t len)
{
    struct error e = {0};

    analysis_feed(r->analysis, buf, len);
    if (r->writer && blob_writer_append(r->writer, buf, len, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
    }
}

/* One byte now and then is not idle: without this a few senders could hold all connections for
 * ever. */
static bool is_too_slow(struct request *r, size_t len)
{
    r->came_bytes += len;
    return clock_monotonic_ms() - r->began_ms > BODY_GRACE_MS + r->came_bytes / BODY_RATE_MIN;
}

static void take_piece(struct request *r, const char *buf, size_t len)
{
    if (r->status != 0) {
        return; /* refused: read on to the end without a look */
    }
    if (r->receiving) {
        receiving_take(r, buf, len);
    } else if (r->analysis) {
        take_file_piece(r, buf, len);
    } else if (r->json_text && len <= r->body_bytes - r->json_len) {
        memcpy(r->json_text + r->json_len, buf, len);
        r->json_len += len;
    }
}

/* The parser recurses; see to it that it cannot go deep. Strings may hold brackets. */
static bool is_too_deep(const char *text, size_t len)
{
    int depth = 0;
    bool is_string = false;

    for (size_t i = 0; i < len; i++) {
        if (is_string && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            is_string = !is_string;
        } else if (!is_string && (text[i] == '{' || text[i] == '[')) {
            depth++;
        } else if (!is_string && (text[i] == '}' || text[i] == ']')) {
            depth--;
        }
        if (depth > API_JSON_DEPTH) {
            return true;
        }
    }
    return false;
}

static void parse_json(struct request *r)
{
    json_error_t why;

    if (is_too_deep(r->json_text, r->json_len)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request", "the JSON is nested too deep");
        return;
    }
    r->json = json_loadb(r->json_text, r->json_len, JSON_REJECT_DUPLICATES, &why);
    if (!r->json) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request", "the JSON is not valid: %s", why.text);
    } else if (!json_is_object(r->json)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request", "the JSON must be an object");
    }
}

static void run(struct request *r)
{
    /* The body may have taken its time: whoever asks may have lost the right meanwhile. */
    if (r->route->body != API_BODY_NONE && !authorize(r)) {
        return;
    }
    if (r->route->body == API_BODY_JSON) {
        parse_json(r);
    }
    if (r->status == 0 && change_is_new(r)) {
        r->route->run(r);
    }
}

static enum MHD_Result refuse(struct request *r, unsigned status, const char *code,
                              const char *sentence)
{
    answer_error(r, status, code, "%s", sentence);
    return send_answer(r);
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *buf, size_t *len,
                              void **state)
{
    struct request *r = *state;

    (void)ctx;
    (void)version;
    if (!r || !r->target) {
        return MHD_NO; /* memory was out in begin_request() */
    }
    if (!r->method) {
        struct framing f = framing_read(connection);
        r->method = method;
        return has_odd_path(r->target)
                   ? refuse(r, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at this address")
                   : begin(r, method, url, &f);
    }
    if (*len > 0 && is_too_slow(r, *len)) {
        log_info("api.too_slow", "address=%s", r->address);
        return MHD_NO;
    }
    if (*len > 0) {
        take_piece(r, buf, *len);
        *len = 0;
        return MHD_YES;
    }
    if (r->status == 0) {
        run(r);
    }
    return send_answer(r);
}

static void expire_uploads(struct api *api, int64_t now_ms)
{
    struct error e = {0};
    struct upload u;
    int64_t before_ms = now_ms - API_UPLOAD_LIFE_MS;
    enum aloft_err err;

    (void)pthread_mutex_lock(&api->blob_lock);
    while ((err = uploads_find_expired(api->db, before_ms, &u, &e)) == ALOFT_ERR_OK) {
        err = uploads_remove(api->db, u.product_id, u.id, &e);
        if (err != ALOFT_ERR_OK) {
            break;
        }
        drop_blob(api, u.file.sha256);
        log_info("upload.expired", "file=%s version=%s", u.file.name, u.version);
    }
    (void)pthread_mutex_unlock(&api->blob_lock);
    if (err != ALOFT_ERR_NOT_FOUND) {
        log_warn("upload.not_expired", "reason=\"%s\"", e.sentence);
    }
}

/* What listeners and clients that ask again no longer need. */
static void expire_events(struct api *api, int64_t now_ms)
{
    struct error e = {0};
    enum aloft_err err = deliveries_sweep(api->db, now_ms - DELIVERIES_KEPT_MS, &e);

    if (err == ALOFT_ERR_OK) {
        err = events_sweep(api->db, now_ms - EVENTS_KEPT_MS, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = idempotency_expire(api->db, now_ms, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_warn("event.not_expired", "reason=\"%s\"", e.sentence);
    }
}

void api_expire(struct api *api)
{
    int64_t now_ms = clock_wall_ms();
    int64_t n_links = 0;
    struct error e = {0};

    expire_events(api, now_ms);
    expire_uploads(api, now_ms);
    receiving_expire(api, now_ms);
    if (links_sweep(api->db, now_ms, &n_links, &e) != ALOFT_ERR_OK) {
        log_warn("link.not_expired", "reason=\"%s\"", e.sentence);
    } else if (n_links > 0) { /* the module plane refuses them by their time */
        log_info("link.expired", "n=%" PRId64, n_links);
    }
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct api *api = ctx;

    (void)connection;
    (void)state;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        (void)atomic_fetch_sub(&api->n_connections, 1);
    }
}

/* It gets its connections from front.c, never more than CONNECTIONS_MAX. A thread of libmicrohttpd
 * 0.9.75 that is given more than its share of the limit waits for itself for ever: so its limit is
 * one that none can reach. */
static struct MHD_Daemon *start_daemon(struct api *api)
{
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
        NULL, answer, api, MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (CONNECTIONS_MAX + 1) * THREADS, MHD_OPTION_NOTIFY_CONNECTION, on_connection, api,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK, begin_request,
        api, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
}

/* By our count: the library's leaves out those its threads have not looked at yet. */
static bool take_connection(void *ctx, int fd, const struct sockaddr *address,
                            socklen_t address_len)
{
    struct api *api = ctx;

    if (atomic_fetch_add(&api->n_connections, 1) >= CONNECTIONS_MAX) {
        (void)atomic_fetch_sub(&api->n_connections, 1);
        return false;
    }
    /* On failure the library has closed the descriptor: memory is out. */
    if (MHD_add_connection(api->daemon, fd, address, address_len) != MHD_YES) {
        (void)atomic_fetch_sub(&api->n_connections, 1);
    }
    return true;
}

static void free_api(struct api *api)
{
    throttle_free(api->throttle);
    free(api->setup_code_path);
    free(api);
}

static void auto_free_api(struct api **api)
{
    if (*api) {
        free_api(*api);
    }
}

enum aloft_err api_start(const struct api_options *options, struct api **ret_api, struct error *e)
{
    AUTO_FD int fd = -1;
    __attribute__((cleanup(auto_free_api))) struct api *api = calloc(1, sizeof *api);

    if (!api) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    api->db = options->db;
    api->blobs = options->blobs;
    api->catalog = options->catalog;
    api->bus = options->bus;
    api->passwords = options->passwords;
    api->data_path = options->data_path;
    api->started_ms = options->started_ms;
    api->read_modules = options->read_modules;
    api->modules_ctx = options->modules_ctx;
    api->settings = options->settings;
    atomic_init(&api->is_published, true);
    api->throttle = throttle_new();
    api->setup_code_path = strdup(options->setup_code_path);
    if (!api->throttle || !api->setup_code_path) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    (void)snprintf(api->public_host, sizeof api->public_host, "%s", options->public_host);
    api->public_port = options->public_port;
    api->public_tls_port = options->public_tls_port;
    enum aloft_err err = address_listen(options->address, false, &fd, &api->port, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    (void)pthread_mutex_init(&api->blob_lock, NULL); /* cannot fail on Linux */
    (void)pthread_mutex_init(&api->token_lock, NULL);
    (void)pthread_mutex_init(&api->publish_lock, NULL);
    (void)pthread_mutex_init(&api->settings_lock, NULL);
    (void)pthread_mutex_init(&api->partial_lock, NULL);
    api->streams = streams_new(api->bus);
    api->daemon = api->streams ? start_daemon(api) : NULL;
    if (!api->daemon) {
        streams_end(api->streams);
        streams_free(api->streams);
        return fail_errno(e, ALOFT_ERR_IO, "cannot start the console plane");
    }
    const struct front_options front = {fd, take_connection, api};
    err = front_start(&front, &api->front, e);
    if (err != ALOFT_ERR_OK) {
        streams_end(api->streams);
        MHD_stop_daemon(api->daemon);
        streams_free(api->streams);
        return err;
    }
    (void)STEAL_FD(fd);
    *ret_api = STEAL(api);
    return ALOFT_ERR_OK;
}

void api_set_settings(struct api *api, const struct api_settings *settings)
{
    (void)pthread_mutex_lock(&api->settings_lock);
    api->settings = *settings;
    (void)pthread_mutex_unlock(&api->settings_lock);
}

uint16_t api_port(const struct api *api)
{
    return api->port;
}

void api_stop(struct api *api)
{
    if (!api) {
        return;
    }
    front_stop(api->front);
    streams_end(api->streams);
    MHD_stop_daemon(api->daemon);
    streams_free(api->streams);
    (void)pthread_mutex_destroy(&api->blob_lock);
    (void)pthread_mutex_destroy(&api->token_lock);
    (void)pthread_mutex_destroy(&api->publish_lock);
    (void)pthread_mutex_destroy(&api->settings_lock);
    (void)pthread_mutex_destroy(&api->partial_lock);
    free_api(api);
}
