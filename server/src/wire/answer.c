/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WIRE_PATH "/v1/device/rom"
#define LINK_PATH "/ota/"

/* What a module or a person reads when there is no answer. Bodies begin with a letter or `{`: the
 * first byte must be no magic, because stock modules ignore the status (wire 3.3). */
static const struct refusal {
    enum contact_outcome outcome;
    uint16_t status;
    const char *reason;
    const char *message;
} refusals[] = {
    /* 401 only here: the IDF client tries again up to ten times (wire 4.2). */
    {CONTACT_NO_TOKEN, 401, "Unauthorized", "no token"},
    {CONTACT_BAD_TOKEN, 404, "Not Found", "a token is 40 lower-case hex digits"},
    {CONTACT_UNKNOWN_TOKEN, 404, "Not Found", "no product has this token"},
    {CONTACT_NO_CURRENT, 404, "Not Found", "no release"},
    {CONTACT_NO_ROM, 404, "Not Found", "no such version or file"},
    {CONTACT_NO_FILE, 404, "Not Found", "no such version or file"},
    {CONTACT_FILE_ERASES, 404, "Not Found", "no such version or file"},
    {CONTACT_LINK_UNKNOWN, 404, "Not Found", "no such link"},
    {CONTACT_LINK_EXPIRED, 404, "Not Found", "this link has expired"},
    {CONTACT_FILE_UNREADABLE, 500, "Internal Server Error", "the file cannot be read"},
    {CONTACT_BAD_RANGE, 416, "Range Not Satisfiable", "the file is shorter"},
    {CONTACT_LIMITED, 429, "Too Many Requests", "asked too often"},
    {CONTACT_FULL, 503, "Service Unavailable", "too many downloads at the moment"},
    {CONTACT_NOT_HERE, 404, "Not Found", "not here"},
    {CONTACT_BAD_METHOD, 405, "Method Not Allowed", "only GET and HEAD"},
    {CONTACT_BAD_REQUEST, 400, "Bad Request", "not a clear HTTP request"},
    {CONTACT_REQUEST_TOO_BIG, 431, "Request Header Fields Too Large", "the request is too long"},
};

struct text {
    const char *p; /* NULL: not there */
    size_t len;
};

/* The parts of a request that matter here. */
struct question {
    bool is_head;
    struct text query;
    struct text authorization;
    struct text range;
    struct text if_range;
    bool is_ours; /* carries a header no stock module sends */
};

static bool text_is(struct text t, const char *wanted)
{
    return t.len == strlen(wanted) && memcmp(t.p, wanted, t.len) == 0;
}

static bool text_begins(struct text t, const char *wanted)
{
    size_t len = strlen(wanted);

    return t.len >= len && strncasecmp(t.p, wanted, len) == 0;
}

/* For contacts: printable, without what could leave the quotes of a log line. */
static bool is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static void copy_shown(char *out, size_t cap, struct text t)
{
    size_t n = t.len < cap - 1 ? t.len : cap - 1;

    for (size_t i = 0; i < n; i++) {
        out[i] = t.p[i];
        if (!is_plain(out[i])) {
            out[i] = '?';
        }
    }
    out[n] = '\0';
}

static void refuse(enum contact_outcome outcome, const char *extra_fields, struct contact *contact,
                   struct answer *ret_answer)
{
    char body[128];
    const struct refusal *r = refusals;

    while (r->outcome != outcome) {
        r++; /* the callers name only outcomes of the table */
    }
    bool is_json = contact->kind == CONTACT_VERSION || contact->kind == CONTACT_LIST;
    int body_len = is_json ? snprintf(body, sizeof body, "{\"status\": %u, \"message\": \"%s\"}",
                                      r->status, r->message)
                           : snprintf(body, sizeof body, "%s\n", r->message);
    contact->outcome = outcome;
    contact->status = r->status;
    ret_answer->bytes = ret_answer->scratch;
    ret_answer->file = NULL;
    ret_answer->len = (size_t)snprintf(
        ret_answer->scratch, sizeof ret_answer->scratch,
        "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
        r->status, r->reason, is_json ? "application/json" : "text/plain", body_len, extra_fields,
        body);
}

void answer_refuse(enum contact_outcome outcome, struct contact *contact, struct answer *ret_answer)
{
    contact->kind = CONTACT_OTHER;
    refuse(outcome, "", contact, ret_answer);
}

/* Ours among the request's fields (wire 7); values that break the rules count as not sent. */
static void take_our_header(struct text name, struct text value, struct contact_headers *headers)
{
    const struct {
        const char *name;
        char *out;
    } known[] = {
        {"device", headers->device},   {"module", headers->module_name}, {"chip", headers->chip},
        {"version", headers->version}, {"boot", headers->boot},          {"caps", headers->caps},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (name.len != strlen(known[i].name) ||
            strncasecmp(name.p, known[i].name, name.len) != 0) {
            continue;
        }
        bool is_good = value.len <= ALOFT_OUR_HEADER_MAX;
        for (size_t k = 0; is_good && k < value.len; k++) {
            is_good = is_plain(value.p[k]);
        }
        copy_shown(known[i].out, ALOFT_OUR_HEADER_MAX + 1, is_good ? value : (struct text){"", 0});
        return;
    }
}

static void take_agent(struct text value, struct contact *contact)
{
    contact->agent = contact_agent_of(value.p, value.len);
    if (contact->agent == CONTACT_AGENT_OTHER) {
        copy_shown(contact->other_agent, sizeof contact->other_agent, value);
    }
}

static void read_fields(const struct answer_request *request, struct question *q,
                        struct contact *contact)
{
    static const char ours[] = "Aloft-";
    const size_t ours_len = sizeof ours - 1;

    for (size_t i = 0; i < request->head->n_fields; i++) {
        const struct aloft_http_field *f = &request->head->fields[i];
        struct text name = {request->buf + f->name.off, f->name.len};
        struct text value = {request->buf + f->value.off, f->value.len};
        if (text_begins(name, ours)) {
            q->is_ours = true;
            take_our_header((struct text){name.p + ours_len, name.len - ours_len}, value,
                            &contact->headers);
        } else if (name.len == strlen("authorization") && text_begins(name, "authorization")) {
            q->authorization = value;
        } else if (name.len == strlen("user-agent") && text_begins(name, "user-agent")) {
            take_agent(value, contact);
        } else if (name.len == strlen("range") && text_begins(name, "range")) {
            q->range = value;
        } else if (name.len == strlen("if-range") && text_begins(name, "if-range")) {
            q->if_range = value;
        }
    }
    q->is_ours = q->is_ours || q->range.p || q->if_range.p;
}

/* Path of the target, without scheme and authority of the absolute form (RFC 9112 3.2.2); the
 * query goes to `ret_query`. */
static struct text split_target(struct text target, struct text *ret_query)
{
    static const char scheme[] = "http://";
    const char *mark;

    if (text_begins(target, scheme)) {
        const char *authority = target.p + sizeof scheme - 1;
        size_t left = target.len - (sizeof scheme - 1);
        const char *slash = memchr(authority, '/', left);
        if (!slash) {
            return (struct text){target.p, 0};
        }
        target = (struct text){slash, left - (size_t)(slash - authority)};
    }
    mark = memchr(target.p, '?', target.len);
    if (!mark) {
        return target;
    }
    size_t path_len = (size_t)(mark - target.p);
    *ret_query = (struct text){mark + 1, target.len - path_len - 1};
    return (struct text){target.p, path_len};
}

/* Value of a key of the query, taken as it is: modules do not escape (wire 3.1). */
static struct text query_value(struct text query, const char *key)
{
    size_t key_len = strlen(key);

    while (query.len > 0) {
        const char *end = memchr(query.p, '&', query.len);
        size_t len = end ? (size_t)(end - query.p) : query.len;
        if (len > key_len && query.p[key_len] == '=' && memcmp(query.p, key, key_len) == 0) {
            return (struct text){query.p + key_len + 1, len - key_len - 1};
        }
        size_t used = end ? len + 1 : len;
        query = (struct text){query.p + used, query.len - used};
    }
    return (struct text){NULL, 0};
}

static enum contact_kind kind_of(struct text query)
{
    if (text_is(query_value(query, "action"), "download_rom")) {
        return CONTACT_FILE;
    }
    return text_is(query_value(query, "is_format_simple"), "true") ? CONTACT_VERSION : CONTACT_LIST;
}

/* The product the request's token stands for; NULL with the outcome when there is none. */
static const struct catalog_product *find_product(const struct answer_request *request,
                                                  struct text authorization,
                                                  struct contact *contact,
                                                  enum contact_outcome *ret_outcome)
{
    static const char scheme[] = "token ";
    struct catalog_owner owner;

    if (!authorization.p || !text_begins(authorization, scheme)) {
        *ret_outcome = CONTACT_NO_TOKEN;
        return NULL;
    }
    struct text token = {authorization.p + sizeof scheme - 1,
                         authorization.len - (sizeof scheme - 1)};
    if (token.len != ALOFT_TOKEN_CHARS) {
        *ret_outcome = CONTACT_BAD_TOKEN;
        return NULL;
    }
    copy_shown(contact->token_prefix, sizeof contact->token_prefix, token);
    *ret_outcome = CONTACT_UNKNOWN_TOKEN;
    if (!catalog_token_find(request->catalog, request->mode, token.p, token.len, request->now_ms,
                            &owner)) {
        return NULL;
    }
    contact->product_id = owner.product_id;
    contact->device_id = owner.device_id;
    return catalog_find_product(request->snapshot, owner.product_id);
}

/* An answer that was built with the snapshot. */
static void give(const struct catalog_answer *built, bool is_head, struct answer *ret_answer)
{
    ret_answer->bytes = built->bytes;
    ret_answer->len = is_head ? built->head_len : built->len;
    ret_answer->file = NULL;
}

size_t answer_file_head(const struct catalog_file *file, uint64_t start, uint64_t end,
                        char out[ALOFT_FILE_HEAD_MAX + 1])
{
    uint64_t total = catalog_file_size(file);
    const char *sha256 = catalog_file_sha256(file);
    bool is_part = end - start != total;
    char content_range[96] = "";

    if (is_part) {
        (void)snprintf(content_range, sizeof content_range,
                       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", start,
                       end - 1, total);
    }
    return (size_t)snprintf(out, ALOFT_FILE_HEAD_MAX + 1,
                            "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\n"
                            "Content-Length: %" PRIu64 "\r\n"
                            "Cache-Control: no-store, no-transform\r\nConnection: close\r\n"
                            "ETag: \"%.32s\"\r\nAloft-Sha256: %s\r\nAccept-Ranges: bytes\r\n%s\r\n",
                            is_part ? "206 Partial Content" : "200 OK", end - start, sha256, sha256,
                            content_range);
}

/* A range counts only if the file is still the one its first part came from (RFC 9110 13.1.5). */
static bool range_counts(const struct question *q, const struct catalog_file *file)
{
    if (!q->range.p || q->is_head) {
        return false;
    }
    if (!q->if_range.p) {
        return true;
    }
    return q->if_range.len == 34 && q->if_range.p[0] == '"' && q->if_range.p[33] == '"' &&
           memcmp(q->if_range.p + 1, catalog_file_sha256(file), 32) == 0;
}

static void give_file(const struct question *q, struct catalog_file *file, struct contact *contact,
                      struct answer *ret_answer)
{
    struct aloft_http_range range = {0, catalog_file_size(file)};

    if (catalog_file_fd(file) < 0) {
        refuse(CONTACT_FILE_UNREADABLE, "", contact, ret_answer);
        return;
    }
    if (range_counts(q, file)) {
        enum aloft_err err =
            aloft_http_range_parse(q->range.p, q->range.len, catalog_file_size(file), &range);
        if (err == ALOFT_ERR_RANGE) {
            char field[64];
            (void)snprintf(field, sizeof field, "Content-Range: bytes */%" PRIu64 "\r\n",
                           catalog_file_size(file));
            refuse(CONTACT_BAD_RANGE, field, contact, ret_answer);
            return;
        }
        if (err != ALOFT_ERR_OK) {
            range = (struct aloft_http_range){0, catalog_file_size(file)};
        }
    }
    ret_answer->start = range.start;
    ret_answer->end = range.end;
    if (q->is_ours) {
        ret_answer->bytes = ret_answer->scratch;
        ret_answer->len = answer_file_head(file, range.start, range.end, ret_answer->scratch);
    } else {
        give(catalog_file_answer(file), true, ret_answer);
    }
    contact->status = range.end - range.start == catalog_file_size(file) ? 200 : 206;
    contact->outcome = q->is_head ? CONTACT_HEAD_TOLD : CONTACT_FILE_DELIVERED;
    contact->total_bytes = q->is_head ? 0 : range.end - range.start;
    ret_answer->file = q->is_head ? NULL : file;
}

/* Partitions of the modules for which stock firmware knows no magic bytes: AT+CIUPDATE erases one
 * when it is named, and then takes no file at all (at-commands.md 5.4). */
static enum contact_outcome outcome_of_missing(const struct catalog_rom *rom, struct text name)
{
    static const char *const erased[] = {"mfg_nvs.bin", "fs_storage.bin", "fatfs.bin"};

    for (size_t i = 0; i < sizeof erased / sizeof erased[0]; i++) {
        if (text_is(name, erased[i])) {
            return CONTACT_FILE_ERASES;
        }
    }
    return rom ? CONTACT_NO_FILE : CONTACT_NO_ROM;
}

static void answer_file(const struct question *q, const struct catalog_product *product,
                        struct contact *contact, struct answer *ret_answer)
{
    struct text version = query_value(q->query, "version");
    contact->has_asked_version = version.len > 0;
    struct text name = query_value(q->query, "filename");
    const struct catalog_rom *rom = catalog_find_rom(product, version.p, version.len);
    const char *current = catalog_current_version(product);

    if (version.len == 0 && current) {
        version = (struct text){current, strlen(current)};
    }
    copy_shown(contact->version, sizeof contact->version, version);
    copy_shown(contact->file_name, sizeof contact->file_name, name);
    struct catalog_file *file = rom ? catalog_find_file(rom, name.p, name.len) : NULL;
    if (file) {
        give_file(q, file, contact, ret_answer);
    } else {
        refuse(outcome_of_missing(rom, name), "", contact, ret_answer);
    }
}

/* `<short name>/<file name>`, for AT+USEROTA; the name is there for people and must be right. */
static void answer_link(const struct answer_request *request, const struct question *q,
                        struct text tail, struct contact *contact, struct answer *ret_answer)
{
    const char *slash = memchr(tail.p, '/', tail.len);
    size_t short_len = slash ? (size_t)(slash - tail.p) : tail.len;
    struct text name = {tail.p + short_len, tail.len - short_len};
    const struct catalog_link *link = catalog_find_link(request->snapshot, tail.p, short_len);

    if (slash) {
        name = (struct text){name.p + 1, name.len - 1};
    }
    contact->kind = CONTACT_FILE;
    contact->is_link = true;
    copy_shown(contact->file_name, sizeof contact->file_name, name);
    if (!link || !text_is(name, catalog_file_name(link->file))) {
        refuse(CONTACT_LINK_UNKNOWN, "", contact, ret_answer);
        return;
    }
    const char *version = catalog_file_version(link->file);
    contact->product_id = link->product_id;
    contact->has_asked_version = true;
    copy_shown(contact->version, sizeof contact->version, (struct text){version, strlen(version)});
    if (link->expires_ms && request->now_ms >= link->expires_ms) {
        refuse(CONTACT_LINK_EXPIRED, "", contact, ret_answer);
        return;
    }
    give_file(q, link->file, contact, ret_answer);
}

static void answer_version(const struct question *q, const struct catalog_product *product,
                           struct contact *contact, struct answer *ret_answer)
{
    const struct catalog_answer *built = catalog_version_answer(product);
    const char *current = catalog_current_version(product);

    if (!built) {
        refuse(CONTACT_NO_CURRENT, "", contact, ret_answer);
        return;
    }
    copy_shown(contact->version, sizeof contact->version, (struct text){current, strlen(current)});
    contact->outcome = CONTACT_VERSION_TOLD;
    contact->status = 200;
    give(built, q->is_head, ret_answer);
}

/* The clean failure of wire 2.5: `status` without a version, so that the module ends with ERROR
 * before it has erased anything. */
static bool is_let_in(const struct answer_request *request, struct contact *contact,
                      struct answer *ret_answer)
{
    const struct gate_caller caller = {contact->product_id, contact->device_id, request->peer,
                                       request->monotonic_ms};
    unsigned wait_s;
    enum gate_word word = request->gate ? gate_ask(request->gate, &caller, &wait_s) : GATE_OPEN;

    if (word != GATE_OPEN) {
        char field[32];
        (void)snprintf(field, sizeof field, "Retry-After: %u\r\n", wait_s);
        refuse(word == GATE_FULL ? CONTACT_FULL : CONTACT_LIMITED, field, contact, ret_answer);
    }
    return word == GATE_OPEN;
}

/* Everything but the HEAD rule, which the caller applies to refusals too. */
static void answer_question(const struct answer_request *request, struct question *q,
                            struct contact *contact, struct answer *ret_answer)
{
    const struct aloft_http_head *head = request->head;
    enum contact_outcome outcome;
    struct text target = {request->buf + head->target.off, head->target.len};

    contact->kind = CONTACT_OTHER;
    if (!q->is_head && !aloft_http_piece_is(request->buf, head->method, "GET")) {
        refuse(CONTACT_BAD_METHOD, "Allow: GET, HEAD\r\n", contact, ret_answer);
        return;
    }
    struct text path = split_target(target, &q->query);
    if (path.len > strlen(LINK_PATH) && memcmp(path.p, LINK_PATH, strlen(LINK_PATH)) == 0) {
        path = (struct text){path.p + strlen(LINK_PATH), path.len - strlen(LINK_PATH)};
        answer_link(request, q, path, contact, ret_answer);
        return;
    }
    if (!text_is(path, WIRE_PATH) && !text_is(path, WIRE_PATH "/")) {
        refuse(CONTACT_NOT_HERE, "", contact, ret_answer);
        return;
    }
    contact->kind = kind_of(q->query);
    const struct catalog_product *product =
        find_product(request, q->authorization, contact, &outcome);
    if (!product) {
        refuse(outcome, "", contact, ret_answer);
    } else if (contact->kind == CONTACT_FILE) {
        answer_file(q, product, contact, ret_answer);
    } else if (!is_let_in(request, contact, ret_answer)) {
        return;
    } else if (contact->kind == CONTACT_VERSION) {
        answer_version(q, product, contact, ret_answer);
    } else {
        contact->outcome = CONTACT_LIST_TOLD;
        contact->status = 200;
        give(catalog_list_answer(product), q->is_head, ret_answer);
    }
}

void answer_request(const struct answer_request *request, struct contact *contact,
                    struct answer *ret_answer)
{
    struct question q = {
        .is_head = aloft_http_piece_is(request->buf, request->head->method, "HEAD"),
    };

    contact->mode = request->mode;
    read_fields(request, &q, contact);
    answer_question(request, &q, contact, ret_answer);
    if (q.is_head && ret_answer->bytes == ret_answer->scratch) {
        const char *end = memmem(ret_answer->bytes, ret_answer->len, "\r\n\r\n", 4);
        ret_answer->len = (size_t)(end + 4 - ret_answer->bytes); /* our heads always end so */
    }
}
