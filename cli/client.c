/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "host/auto.h"
#include "host/files.h"
#include "store/api_tokens.h"

#define SERVER_DEFAULT    "http://127.0.0.1:8000"
#define ROOT              "/api/v1/products"
#define ANSWER_MAX        (64u * 1024 * 1024)
#define CONNECT_TIMEOUT_S 10L
#define SILENCE_LIMIT_S   60L
#define BAR_CHARS         30

struct client {
    CURL *curl;
    char *server;
    char authorization[sizeof "Authorization: Bearer " + API_TOKEN_CHARS];
};

struct answer {
    char *text;
    size_t len;
};

/* What is being sent, for the bar. */
struct progress {
    const char *label;
    curl_off_t shown_percent;
};

static int load_token(const struct opt_values *v, char ret_token[API_TOKEN_CHARS + 1])
{
    const char *path = opt_text(v, "api-token-file");
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    struct error e = {0};

    if (!path) {
        path = getenv("ALOFT_API_TOKEN_FILE");
    }
    if (!path || !*path) {
        return usage_error("which API token? Name its file with --api-token-file or "
                           "$ALOFT_API_TOKEN_FILE; 'aloft serve --data DIR' made DIR/admin.token");
    }
    if (file_load(path, API_TOKEN_CHARS + 1, &data, &len, &e) != ALOFT_ERR_OK) {
        return failure("the API token: %s", e.sentence);
    }
    if (len == API_TOKEN_CHARS + 1 && data[API_TOKEN_CHARS] == '\n') {
        data[API_TOKEN_CHARS] = '\0';
    }
    if (!is_api_token((const char *)data)) {
        return failure("'%s' holds no API token (64 hex digits); 'aloft serve --data DIR' made "
                       "DIR/admin.token",
                       path);
    }
    memcpy(ret_token, data, API_TOKEN_CHARS + 1);
    return EXIT_DONE;
}

int client_open(const struct opt_values *v, struct client **ret_client)
{
    char token[API_TOKEN_CHARS + 1];
    const char *server = opt_text(v, "server");
    int rc = load_token(v, token);

    if (rc != EXIT_DONE) {
        return rc;
    }
    if (!server) {
        server = getenv("ALOFT_SERVER");
    }
    AUTO_CLIENT c = calloc(1, sizeof *c);
    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return failure("out of memory");
    }
    c->curl = curl_easy_init();
    c->server = strdup(server && *server ? server : SERVER_DEFAULT);
    if (!c->curl || !c->server) {
        return failure("out of memory");
    }
    size_t len = strlen(c->server);
    if (len > 0 && c->server[len - 1] == '/') {
        c->server[len - 1] = '\0';
    }
    (void)snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %s", token);
    *ret_client = STEAL(c);
    return EXIT_DONE;
}

void client_close(struct client *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        free(client->server);
        free(client);
        curl_global_cleanup();
    }
}

void auto_client_close(struct client **client)
{
    client_close(*client);
}

void auto_json_decref(json_t **json)
{
    json_decref(*json);
}

char *client_path(struct client *client, const char *const *names)
{
    AUTO_FREE char *path = strdup(ROOT);

    for (; path && *names; names++) {
        char *escaped = curl_easy_escape(client->curl, *names, 0);
        char *longer = NULL;
        if (!escaped || asprintf(&longer, "%s/%s", path, escaped) < 0) {
            longer = NULL;
        }
        curl_free(escaped);
        free(path);
        path = longer;
    }
    return STEAL(path);
}

char *client_escape(struct client *client, const char *text)
{
    char *escaped = curl_easy_escape(client->curl, text, 0);
    char *copy = escaped ? strdup(escaped) : NULL;

    curl_free(escaped);
    return copy;
}

static size_t take_answer(char *data, size_t size, size_t n, void *ctx)
{
    struct answer *a = ctx;
    size_t len = size * n;

    if (len > ANSWER_MAX - a->len) {
        return 0;
    }
    char *text = realloc(a->text, a->len + len + 1);
    if (!text) {
        return 0;
    }
    memcpy(text + a->len, data, len);
    a->text = text;
    a->len += len;
    a->text[a->len] = '\0';
    return len;
}

static int show_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t total,
                         curl_off_t sent)
{
    struct progress *p = ctx;
    curl_off_t percent = total > 0 ? sent * 100 / total : 0;

    (void)down_total;
    (void)down;
    if (sent == 0 || percent == p->shown_percent) {
        return 0;
    }
    p->shown_percent = percent;
    int filled = (int)(percent * BAR_CHARS / 100);
    (void)fprintf(stderr, "\r%s [%.*s%*s] %3d %%%s", p->label, filled,
                  "##############################", BAR_CHARS - filled, "", (int)percent,
                  percent == 100 ? "\n" : "");
    return 0;
}

static int explain(const struct client *c, long status, const json_t *json)
{
    const char *message = json_string_value(json_object_get(json, "detail"));

    if (message) {
        return failure("%s", message);
    }
    return failure("'%s' answered with status %ld and no reason: is that an Aloft server?",
                   c->server, status);
}

static int judge(const struct client *c, CURLcode rc, const struct answer *a, json_t **ret_json)
{
    long status = 0;

    if (rc != CURLE_OK) {
        return failure("cannot talk to '%s': %s; is 'aloft serve' running there? Name another with "
                       "--server",
                       c->server, curl_easy_strerror(rc));
    }
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    AUTO_JSON json = a->len > 0 ? json_loadb(a->text, a->len, 0, NULL) : NULL;
    if (status < 200 || status > 299) {
        return explain(c, status, json);
    }
    if (ret_json && !json) {
        return explain(c, status, NULL);
    }
    if (ret_json) {
        *ret_json = STEAL(json);
    }
    return EXIT_DONE;
}

/* Common to all requests; the caller has set what is its own. */
static int perform(struct client *c, const char *method, const char *path, const char *type,
                   json_t **ret_json)
{
    struct answer a = {0};
    AUTO_FREE char *url = NULL;
    struct curl_slist *headers = curl_slist_append(NULL, c->authorization);
    struct curl_slist *both = type ? curl_slist_append(headers, type) : headers;

    if (!both || asprintf(&url, "%s%s", c->server, path) < 0) {
        curl_slist_free_all(headers);
        return failure("out of memory");
    }
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, both);
    (void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    (void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_LIMIT_S);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &a);
    int rc = judge(c, curl_easy_perform(c->curl), &a, ret_json);
    curl_slist_free_all(both);
    curl_easy_reset(c->curl); /* keeps the connection */
    free(a.text);
    return rc;
}

int client_call(struct client *client, const char *method, const char *path, const json_t *body,
                json_t **ret_json)
{
    AUTO_FREE char *text = NULL;

    if (body) {
        text = json_dumps(body, JSON_COMPACT);
        if (!text) {
            return failure("the values given are not valid UTF-8");
        }
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, text);
    }
    return perform(client, method, path, body ? "Content-Type: application/json" : NULL, ret_json);
}

int client_upload(struct client *client, const char *path, const char *file_path, const char *label,
                  json_t **ret_json)
{
    AUTO_FILE file = fopen(file_path, "rbe");
    struct stat st;
    struct progress progress = {label, -1};

    if (!file || fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
        return failure("cannot read '%s': %s", file_path,
                       file ? "it is not a regular file" : strerror(errno));
    }
    (void)curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_READDATA, file);
    (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)st.st_size);
    if (isatty(STDERR_FILENO)) {
        (void)curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, show_progress);
        (void)curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, &progress);
    }
    return perform(client, "POST", path, "Content-Type: application/octet-stream", ret_json);
}

const char *client_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

int client_print_json(const json_t *json)
{
    if (json_dumpf(json, stdout, JSON_INDENT(2)) != 0 || puts("") == EOF) {
        return failure("cannot write to standard output");
    }
    return EXIT_DONE;
}
