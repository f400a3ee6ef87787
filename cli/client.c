/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "host/auto.h"
#include "host/files.h"
#include "login_file.h"
#include "screen.h"
#include "store/api_tokens.h"

#define SERVER_DEFAULT    "http://127.0.0.1:8000"
#define ROOT              "/api/v1/products"
#define ANSWER_MAX        (64u * 1024 * 1024)
#define CONNECT_TIMEOUT_S 10L
#define SILENCE_LIMIT_S   60L
#define BAR_CHARS         30
#define AUTHORIZATION     "Authorization: Bearer "
#define HEADER_BYTES      128
#define SET_COOKIE        "Set-Cookie: "
#define MS_PER_S          1000
#define TIME_SUFFIX       "_ms"

struct client {
    CURL *curl;
    char *server;
    char header[HEADER_BYTES];         /* Says who asks, or confirms a change; empty = nobody. */
    char cookie[HEADER_BYTES];         /* Of a session begun here; empty = none. */
    char detail[ERROR_SENTENCE_BYTES]; /* of the last error */
    bool is_patient;
    CURLcode broken; /* why, the last time */
    json_t *problem; /* the last request's; NULL = none */
};

struct answer {
    CURL *curl;
    FILE *out;            /* where a success goes; NULL = text */
    bool has_reader_gone; /* `... | head` has read enough */
    char *text;
    size_t len;
};

/* What is being sent, for the bar. */
struct progress {
    const char *label;
    curl_off_t offset; /* sent before */
    curl_off_t shown_percent;
};

static int load_token(const char *path, char ret_token[API_TOKEN_CHARS + 1])
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    struct error e = {0};

    if (file_load(path, API_TOKEN_CHARS + 1, &data, &len, &e) != ALOFT_ERR_OK) {
        return failure("the API token: %s", e.sentence);
    }
    if (len == API_TOKEN_CHARS + 1 && data[API_TOKEN_CHARS] == '\n') {
        data[API_TOKEN_CHARS] = '\0';
    }
    if (!is_api_token((const char *)data)) {
        return failure("'%s' holds no API token (64 hex digits); 'aloft api-token add' makes one",
                       path);
    }
    memcpy(ret_token, data, API_TOKEN_CHARS + 1);
    return EXIT_DONE;
}

/* The option, else the variable; NULL when neither is given. */
static const char *find_text(const struct opt_values *v, const char *option, const char *variable)
{
    const char *text = opt_text(v, option);

    if (!text) {
        text = getenv(variable);
    }
    return text && *text ? text : NULL;
}

/* @param token  NULL = none. */
static int open_client(const char *server, const char *token, struct client **ret_client)
{
    AUTO_CLIENT c = calloc(1, sizeof *c);

    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return failure("out of memory");
    }
    c->curl = curl_easy_init();
    c->server = strdup(server ? server : SERVER_DEFAULT);
    if (!c->curl || !c->server) {
        return failure("out of memory");
    }
    size_t len = strlen(c->server);
    if (len > 0 && c->server[len - 1] == '/') {
        c->server[len - 1] = '\0';
    }
    if (token) {
        (void)snprintf(c->header, sizeof c->header, AUTHORIZATION "%s", token);
    }
    *ret_client = STEAL(c);
    return EXIT_DONE;
}

/* The server that was named, or else where somebody is logged in. */
static int open_named(const struct opt_values *v, const char *token, struct client **ret_client)
{
    const char *server = find_text(v, "server", "ALOFT_SERVER");
    struct login login;
    struct error e = {0};

    if (!server && login_file_load(&login, &e) == ALOFT_ERR_OK) {
        server = login.server;
    }
    return open_client(server, token, ret_client);
}

int client_open_nobody(const struct opt_values *v, struct client **ret_client)
{
    return open_named(v, NULL, ret_client);
}

int client_open_login(const struct login *login, struct client **ret_client)
{
    return open_client(login->server, login->api_token, ret_client);
}

/* The API token of a login goes to the server it is of, and to no other. */
static int open_logged_in(const char *server, struct client **ret_client)
{
    struct login login;
    struct error e = {0};
    enum aloft_err err = login_file_load(&login, &e);

    if (err == ALOFT_ERR_NOT_FOUND) {
        return usage_error("who are you? 'aloft login' logs in; programs name the file of their "
                           "API token with --api-token-file or $ALOFT_API_TOKEN_FILE");
    }
    if (err != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    size_t len = strlen(login.server);
    if (server && (strncmp(server, login.server, len) != 0 ||
                   (strcmp(server + len, "") != 0 && strcmp(server + len, "/") != 0))) {
        return usage_error("you are logged in at %s, not at %s: run 'aloft login --server %s'",
                           login.server, server, server);
    }
    return client_open_login(&login, ret_client);
}

int client_open(const struct opt_values *v, struct client **ret_client)
{
    char token[API_TOKEN_CHARS + 1];
    const char *path = find_text(v, "api-token-file", "ALOFT_API_TOKEN_FILE");

    if (!path) {
        return open_logged_in(find_text(v, "server", "ALOFT_SERVER"), ret_client);
    }
    int rc = load_token(path, token);
    return rc == EXIT_DONE ? open_named(v, token, ret_client) : rc;
}

const char *client_server(const struct client *client)
{
    return client->server;
}

void client_set_csrf(struct client *client, const char *csrf)
{
    (void)snprintf(client->header, sizeof client->header, "Aloft-Csrf: %s", csrf);
}

void client_close(struct client *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        free(client->server);
        json_decref(client->problem);
        free(client);
        curl_global_cleanup();
    }
}

void auto_client_close(struct client **client)
{
    client_close(*client);
}

char *client_path(struct client *client, const char *const *names)
{
    return client_path_under(client, ROOT, names);
}

char *client_path_under(struct client *client, const char *root, const char *const *names)
{
    AUTO_FREE char *path = strdup(root);

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

static bool is_success(CURL *curl)
{
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status <= 299;
}

static size_t take_answer(char *data, size_t size, size_t n, void *ctx)
{
    struct answer *a = ctx;
    size_t len = size * n;

    if (a->out && is_success(a->curl)) {
        size_t written = fwrite(data, 1, len, a->out);
        a->has_reader_gone = written < len && errno == EPIPE;
        return written;
    }
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

/* The session's cookie. libcurl's own keeping of cookies loses memory at curl_easy_reset(). */
static size_t take_header(char *line, size_t size, size_t n, void *ctx)
{
    struct client *c = ctx;
    size_t len = size * n;
    size_t name_len = strlen(SET_COOKIE);

    if (len > name_len && strncasecmp(line, SET_COOKIE, name_len) == 0) {
        const char *value = line + name_len;
        const char *end = memchr(value, ';', len - name_len);
        int value_len = end ? (int)(end - value) : 0;
        if (value_len > 0 && value_len < HEADER_BYTES - (int)sizeof "Cookie: ") {
            (void)snprintf(c->cookie, sizeof c->cookie, "Cookie: %.*s", value_len, value);
        }
    }
    return len;
}

static int show_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t total,
                         curl_off_t sent)
{
    struct progress *p = ctx;
    curl_off_t all = p->offset + total;
    curl_off_t percent = all > 0 ? (p->offset + sent) * 100 / all : 0;

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

static int explain(struct client *c, long status, const json_t *json)
{
    const char *message = json_string_value(json_object_get(json, "detail"));

    (void)snprintf(c->detail, sizeof c->detail, "%s", message ? message : "");
    if (message) {
        return failure("%s", message);
    }
    return failure("'%s' answered with status %ld and no reason: is that an Aloft server?",
                   c->server, status);
}

int client_say_broken(const struct client *c)
{
    return failure("cannot talk to '%s': %s; is 'aloft serve' running there? Name another with "
                   "--server",
                   c->server, curl_easy_strerror(c->broken));
}

static int judge(struct client *c, CURLcode rc, const struct answer *a, json_t **ret_json)
{
    long status = 0;

    if (rc == CURLE_WRITE_ERROR && a->out && ferror(a->out)) {
        return a->has_reader_gone ? EXIT_FAILED : failure("cannot write the answer");
    }
    if (rc != CURLE_OK) {
        c->broken = rc;
        return c->is_patient ? CLIENT_BROKEN : client_say_broken(c);
    }
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    AUTO_JSON json = a->len > 0 ? json_loadb(a->text, a->len, 0, NULL) : NULL;
    if (status < 200 || status > 299) {
        int failed = explain(c, status, json);
        c->problem = STEAL(json);
        return failed;
    }
    if (ret_json && !json) {
        return explain(c, status, NULL);
    }
    if (ret_json) {
        *ret_json = STEAL(json);
    }
    return EXIT_DONE;
}

/* `text` NULL or empty: none. */
static bool add_header(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = text && *text ? curl_slist_append(*list, text) : *list;

    if (longer) {
        *list = longer;
    }
    return longer || !text || !*text;
}

/* Common to all requests; the caller has set what is its own. */
static int perform(struct client *c, const char *method, const char *path, const char *type,
                   FILE *out, json_t **ret_json)
{
    struct answer a = {.curl = c->curl, .out = out};
    AUTO_FREE char *url = NULL;

    json_decref(STEAL(c->problem));
    struct curl_slist *headers = NULL;

    if (!add_header(&headers, c->header) || !add_header(&headers, c->cookie) ||
        !add_header(&headers, type) || asprintf(&url, "%s%s", c->server, path) < 0) {
        curl_slist_free_all(headers);
        return failure("out of memory");
    }
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
    (void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    (void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_LIMIT_S);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &a);
    int rc = judge(c, curl_easy_perform(c->curl), &a, ret_json);
    curl_slist_free_all(headers);
    curl_easy_reset(c->curl); /* keeps the connection */
    free(a.text);
    return rc;
}

/* With or without a body. */
static int send_request(struct client *client, const char *method, const char *path,
                        const json_t *body, FILE *out, json_t **ret_json)
{
    AUTO_FREE char *text = NULL;

    if (body) {
        text = json_dumps(body, JSON_COMPACT);
        if (!text) {
            return failure("the values given are not valid UTF-8");
        }
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, text);
    }
    return perform(client, method, path, body ? "Content-Type: application/json" : NULL, out,
                   ret_json);
}

int client_call(struct client *client, const char *method, const char *path, const json_t *body,
                json_t **ret_json)
{
    return send_request(client, method, path, body, NULL, ret_json);
}

int client_once(const struct opt_values *v, const char *method, const char *root,
                const char *const *names, json_t *body, json_t **ret_json)
{
    AUTO_CLIENT client = NULL;
    AUTO_JSON owned = body;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path_under(client, root, names);
    return path ? client_call(client, method, path, owned, ret_json) : failure("out of memory");
}

int client_fetch(struct client *client, const char *method, const char *path, const json_t *body,
                 FILE *out)
{
    return send_request(client, method, path, body, out, NULL);
}

const char *client_detail(const struct client *client)
{
    return client->detail;
}

int client_list(struct client *client, const char *path, const char *member, json_t **ret_list)
{
    AUTO_JSON all = json_array();
    AUTO_JSON page = NULL;
    int rc = all ? EXIT_DONE : failure("out of memory");

    while (rc == EXIT_DONE) {
        AUTO_FREE char *target = NULL;
        const char *cursor = client_text(page, "next"); /* base64 of the kind made for URLs */
        if (asprintf(&target, "%s%climit=1000%s%s", path, strchr(path, '?') ? '&' : '?',
                     *cursor ? "&cursor=" : "", cursor) < 0) {
            return failure("out of memory");
        }
        json_decref(STEAL(page));
        rc = client_call(client, "GET", target, NULL, &page);
        if (rc == EXIT_DONE && json_array_extend(all, json_object_get(page, member)) != 0) {
            return failure("the server's answer holds no '%s'", member);
        }
        if (rc == EXIT_DONE && !*client_text(page, "next")) {
            *ret_list = STEAL(all);
            return EXIT_DONE;
        }
    }
    return rc;
}

int client_upload(struct client *client, const char *method, const char *path,
                  const struct client_file *f, json_t **ret_json)
{
    AUTO_FILE file = fopen(f->path, "rbe");
    struct stat st;
    struct progress progress = {f->label, (curl_off_t)f->offset, -1};

    if (!file || fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
        return failure("cannot read '%s': %s", f->path,
                       file ? "it is not a regular file" : strerror(errno));
    }
    if ((uint64_t)st.st_size < f->offset || fseeko(file, (off_t)f->offset, SEEK_SET) != 0) {
        return failure("'%s' has become shorter while it was sent", f->path);
    }
    (void)curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_READDATA, file);
    /* A proxy in front of the server may keep connections. When one used before breaks, the library
     * would begin anew by itself: from the file's start, whatever the offset. */
    (void)curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                           (curl_off_t)((uint64_t)st.st_size - f->offset));
    if (isatty(STDERR_FILENO)) {
        (void)curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, show_progress);
        (void)curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, &progress);
    }
    return perform(client, method, path, "Content-Type: application/octet-stream", NULL, ret_json);
}

void client_set_patient(struct client *client, bool is_patient)
{
    client->is_patient = is_patient;
}

const json_t *client_problem(const struct client *client)
{
    return client->problem;
}

const char *client_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

void client_time_text(const json_t *object, const char *member, char *buf, size_t cap)
{
    time_t seconds = (time_t)(json_integer_value(json_object_get(object, member)) / MS_PER_S);
    struct tm t;

    if (seconds == 0 || !gmtime_r(&seconds, &t) ||
        strftime(buf, cap, "%Y-%m-%d %H:%M:%S UTC", &t) == 0) {
        buf[0] = '\0';
    }
}

int client_take_time(const struct opt_values *v, const char *option, char ret_ms[CLIENT_TIME_BYTES])
{
    const char *text = opt_text(v, option);
    struct tm t = {0};

    ret_ms[0] = '\0';
    if (!text) {
        return EXIT_DONE;
    }
    const char *end = strptime(text, "%Y-%m-%d", &t);
    if (end && *end) {
        end = strptime(end, "T%H:%M", &t);
    }
    if (!end || *end) {
        return usage_error("--%s takes a day or time in UTC: 2026-01-31 or 2026-01-31T18:00",
                           option);
    }
    (void)snprintf(ret_ms, CLIENT_TIME_BYTES, "%lld", (long long)timegm(&t) * MS_PER_S);
    return EXIT_DONE;
}

/* A time has no "_ms" behind its name: it is shown as a date. */
static int label_len(const char *name)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(TIME_SUFFIX);
    bool is_time = len > suffix_len && strcmp(name + len - suffix_len, TIME_SUFFIX) == 0;

    return (int)(is_time ? len - suffix_len : len);
}

static void print_value(const json_t *object, const char *name, const json_t *value)
{
    char time[CLIENT_TIME_BYTES] = "";
    const char *text = json_string_value(value);

    if (name[label_len(name)]) {
        client_time_text(object, name, time, sizeof time);
        text = time;
    }
    if (json_is_boolean(value)) {
        text = json_is_true(value) ? "yes" : "no";
    }
    if (text && *text) {
        screen_print(stdout, text);
    } else if (text || json_is_null(value) || (json_is_array(value) && !json_array_size(value))) {
        (void)fputc('-', stdout);
    } else {
        (void)json_dumpf(value, stdout, JSON_ENCODE_ANY);
    }
    (void)fputc('\n', stdout);
}

int client_print_fields(const json_t *object)
{
    int width = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    { /* only read */
        width = label_len(name) > width ? label_len(name) : width;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (strcmp(name, "revision") != 0) { /* for programs */
            (void)printf("%-*.*s  ", width, label_len(name), name);
            print_value(object, name, value);
        }
    }
    return ferror(stdout) ? failure("cannot write to standard output") : EXIT_DONE;
}

int client_print_json(const json_t *json)
{
    if (json_dumpf(json, stdout, JSON_INDENT(2)) != 0 || puts("") == EOF) {
        return failure("cannot write to standard output");
    }
    return EXIT_DONE;
}
