/* SPDX-License-Identifier: Apache-2.0 */

/* Short addresses of files for AT+USEROTA (facts/at-commands.md 2.1). */

#include "api/ops.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/rand.h>
#include <sodium.h>

#include "host/auto.h"
#include "host/clock.h"
#include "store/links.h"

#define RANDOM_BYTES  9 /* 72 bits: nobody guesses it; 12 characters in base64 */
#define HOUR_MS       (60 * 60 * 1000)
#define HOURS_MAX     (366 * 24)
#define HOST_BYTES    264
#define URL_BYTES     512
#define COMMAND_BYTES 32
#define SHOWN_CHARS   4 /* of a short name in the audit log: it is a secret */
#define PORT_HTTP     80
#define PORT_HTTPS    443

/* Where modules reach this server: what the settings say, else where the caller reached it. */
static uint16_t find_host(struct request *request, char host[HOST_BYTES])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_storage local;
    socklen_t len = sizeof local;
    struct address server;

    find_module_plane(request, &server);
    if (!server.host[0] && info &&
        getsockname(info->connect_fd, (struct sockaddr *)&local, &len) == 0) {
        (void)getnameinfo((struct sockaddr *)&local, len, server.host, sizeof server.host, NULL, 0,
                          NI_NUMERICHOST);
    }
    (void)snprintf(host, HOST_BYTES, strchr(server.host, ':') ? "[%s]" : "%s", server.host);
    return server.port;
}

static void make_url(const struct link *link, const char *host, bool is_tls, uint16_t port,
                     char url[URL_BYTES])
{
    char suffix[8] = "";

    if (port != (is_tls ? PORT_HTTPS : PORT_HTTP)) {
        (void)snprintf(suffix, sizeof suffix, ":%u", port);
    }
    (void)snprintf(url, URL_BYTES, "%s://%s%s/ota/%s/%s", is_tls ? "https" : "http", host, suffix,
                   link->short_name, link->file);
}

/* The line for the module, which then takes exactly so many bytes: the URL. */
static void make_command(const char *url, char command[COMMAND_BYTES])
{
    (void)snprintf(command, COMMAND_BYTES, "AT+USEROTA=%zu", strlen(url));
}

static json_t *link_to_json(struct request *request, const struct link *link)
{
    char host[HOST_BYTES];
    char url[URL_BYTES];
    char url_tls[URL_BYTES];
    char command[COMMAND_BYTES];
    char command_tls[COMMAND_BYTES];

    uint16_t port = find_host(request, host);
    make_url(link, host, false, port, url);
    make_url(link, host, true, request->api->public_tls_port, url_tls);
    make_command(url, command);
    make_command(url_tls, command_tls);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:I}", "short",
                     link->short_name, "version", link->version, "file", link->file, "url", url,
                     "at_command", command, "url_tls", url_tls, "at_command_tls", command_tls,
                     "expires_ms", link->expires_ms ? json_integer(link->expires_ms) : json_null(),
                     "created_by", link->created_by, "created_ms", (json_int_t)link->created_ms);
}

/* A time it ends, or for good: one of the two must be said. */
static bool read_expiry(struct request *request, struct link *link)
{
    static const struct json_member members[] = {
        {"expires_hours", JSON_INTEGER, false},
        {"public", JSON_TRUE, false},
        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members)) {
        return false;
    }
    const json_t *hours = json_object_get(request->json, "expires_hours");
    bool is_public = json_is_true(json_object_get(request->json, "public"));
    json_int_t n = json_integer_value(hours);
    if ((hours != NULL) == is_public || (hours && (n < 1 || n > HOURS_MAX))) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "say either 'expires_hours' (1 to %d) or 'public': true", HOURS_MAX);
        return false;
    }
    link->expires_ms = is_public ? 0 : link->created_ms + (int64_t)n * HOUR_MS;
    return true;
}

static bool make_short(struct request *request, struct link *link)
{
    uint8_t random[RANDOM_BYTES];

    if (RAND_bytes(random, sizeof random) != 1) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
                     "the system gives no random numbers");
        return false;
    }
    (void)sodium_bin2base64(link->short_name, sizeof link->short_name, random, sizeof random,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return true;
}

static void end_change(struct request *request, struct db **tx, const struct link *link,
                       const char *action, unsigned status, json_t *body)
{
    char shown[SHOWN_CHARS + 1];

    (void)snprintf(shown, sizeof shown, "%.*s", SHOWN_CHARS, link->short_name);
    const struct change change = {.action = action,
                                  .object = link->version,
                                  .detail = json_pack("{s:s, s:s, s:I}", "file", link->file,
                                                      "short_prefix", shown, "expires_ms",
                                                      (json_int_t)link->expires_ms),
                                  .is_catalog = true};
    change_end(request, tx, &change, status, body);
}

static void op_link_add(struct request *request)
{
    struct link link = {.product_id = request->product.id, .created_ms = clock_wall_ms()};
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    (void)snprintf(link.version, sizeof link.version, "%s", request->names[1]);
    (void)snprintf(link.file, sizeof link.file, "%s", request->names[2]);
    (void)snprintf(link.created_by, sizeof link.created_by, "%s", request->principal.name);
    if (!read_expiry(request, &link) || !make_short(request, &link) ||
        !change_begin(request, &tx)) {
        return;
    }
    if (links_add(tx, &link, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    end_change(request, &tx, &link, "link.added", MHD_HTTP_CREATED, link_to_json(request, &link));
}

struct listing {
    struct request *request;
    json_t *list;
};

static enum aloft_err append_link(void *ctx, const struct link *link, struct error *e)
{
    struct listing *l = ctx;

    return append_json(l->list, link_to_json(l->request, link), e);
}

static void key_of_link(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%s", json_string_value(json_object_get(item, "short")));
}

static void op_links_list(struct request *request)
{
    struct listing l = {request, NULL};
    struct error e = {0};
    struct page page;

    if (!page_read(request, &page)) {
        return;
    }
    l.list = json_array();
    if (links_of_product(request->api->db, request->product.id, page.after, page.limit + 1,
                         append_link, &l, &e) != ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "links", l.list, key_of_link);
}

static void op_link_remove(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct link link;
    struct error e = {0};

    if (!change_begin(request, &tx)) {
        return;
    }
    enum aloft_err err = links_get(tx, request->product.id, request->names[1], &link, &e);
    if (err == ALOFT_ERR_OK) {
        err = links_remove(tx, request->product.id, link.short_name, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    end_change(request, &tx, &link, "link.removed", MHD_HTTP_NO_CONTENT, NULL);
}

static const char *const page_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route link_routes[] = {
    {"POST", API_PRODUCT "/roms/{}/files/{}/links", API_BODY_JSON, API_OPERATOR, op_link_add, NULL, NULL, 0, true},
    {"GET", API_PRODUCT "/links", API_BODY_NONE, API_DEVELOPER, op_links_list, page_query, NULL, 0, false},
    {"DELETE", API_PRODUCT "/links/{}", API_BODY_NONE, API_OPERATOR, op_link_remove, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
