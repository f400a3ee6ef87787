/* SPDX-License-Identifier: Apache-2.0 */
#include "web/answer.h"

#include "aloft/module.h"

#include "web/info.h"
#include "web/portal.h"
#include "web/provision.h"

typedef void write_fn(const struct aloft_module *m, struct aloft_out *out);

static write_fn write_challenge;

static const char html[] = "text/html";
static const char json[] = "application/json";

static const struct {
    const char *status;
    const char *type;
    const char *text; /* The body; NULL: what `write` writes. */
    write_fn *write;
    bool is_error;
    write_fn *fields; /* Further header lines; NULL = none. */
} answers[ALOFT_N_ANSWERS] = {
    [ALOFT_ANSWER_PAGE] = {"200 OK", html, NULL, aloft_info_write_page, false, NULL},
    [ALOFT_ANSWER_OTA] = {"200 OK", json, NULL, aloft_info_write_ota, false, NULL},
    [ALOFT_ANSWER_APS] = {"200 OK", json, NULL, aloft_info_write_aps, false, NULL},
    [ALOFT_ANSWER_STATION] = {"200 OK", json, NULL, aloft_provision_write, false, NULL},
    [ALOFT_ANSWER_VERSION] = {"200 OK", json, "{\"version\":\"1.0\"}", NULL, false, NULL},
    [ALOFT_ANSWER_DONE] = {"200 OK", json, "{\"state\": 0}", NULL, false, NULL},
    [ALOFT_ANSWER_BAD] = {"400 Bad Request", json, "{\"state\": 1}", NULL, true, NULL},
    [ALOFT_ANSWER_FAILED] = {"500 Internal Server Error", json, "{\"state\": 1}", NULL, true, NULL},
    [ALOFT_ANSWER_NOT_HTTP] = {"400 Bad Request", html, "This is not a valid HTTP/1.1 request",
                               NULL, true, NULL},
    [ALOFT_ANSWER_PORTAL] = {"302 Temporary Redirect", html, "Redirect to captive portal", NULL,
                             false, aloft_portal_write_location},
    [ALOFT_ANSWER_UNAUTHORIZED] = {"401 Unauthorized", html, "This needs a password", NULL, true,
                                   write_challenge},
    [ALOFT_ANSWER_FORBIDDEN] = {"403 Forbidden", html, "This request comes from another site", NULL,
                                true, NULL},
    [ALOFT_ANSWER_NOT_FOUND] = {"404 Not Found", html, "Nothing matches the given URI", NULL, true,
                                NULL},
    [ALOFT_ANSWER_METHOD] = {"405 Method Not Allowed", html,
                             "Specified method is invalid for this resource", NULL, true, NULL},
    [ALOFT_ANSWER_TARGET_LONG] = {"414 URI Too Long", html, "The request target is too long", NULL,
                                  true, NULL},
    [ALOFT_ANSWER_FIELDS_LONG] = {"431 Request Header Fields Too Large", html,
                                  "The header section is too long", NULL, true, NULL},
    [ALOFT_ANSWER_BODY_LONG] = {"500 Internal Server Error", html,
                                "Server has encountered an unexpected error", NULL, true, NULL},
};

/* RFC 7617: browsers ask for a name and a password. */
static void write_challenge(const struct aloft_module *m, struct aloft_out *out)
{
    (void)m;
    aloft_out_add(out, "WWW-Authenticate: Basic realm=\"module\"\r\n");
}

bool aloft_answer_is_error(enum aloft_answer answer)
{
    return answers[answer].is_error;
}

static void write_body(const struct aloft_module *m, enum aloft_answer answer,
                       struct aloft_out *out)
{
    if (answers[answer].text != NULL) {
        aloft_out_add(out, answers[answer].text);
    } else {
        answers[answer].write(m, out);
    }
}

/* Stock firmware sends its page as one chunk (facts/at-commands.md 3.2). */
static void write_chunk(const struct aloft_module *m, enum aloft_answer answer, uint32_t body_len,
                        struct aloft_out *out)
{
    aloft_out_add(out, "\r\nTransfer-Encoding: chunked\r\n\r\n");
    aloft_out_add_hex(out, body_len);
    aloft_out_add(out, "\r\n");
    write_body(m, answer, out);
    aloft_out_add(out, "\r\n0\r\n\r\n");
}

void aloft_answer_write(const struct aloft_module *m, enum aloft_answer answer,
                        struct aloft_out *out)
{
    struct aloft_out body = {.cap = 0};

    write_body(m, answer, &body);
    aloft_out_add(out, "HTTP/1.1 ");
    aloft_out_add(out, answers[answer].status);
    aloft_out_add(out, "\r\nContent-Type: ");
    aloft_out_add(out, answers[answer].type);
    if (answer == ALOFT_ANSWER_PAGE) {
        write_chunk(m, answer, body.len, out);
        return;
    }
    aloft_out_add(out, "\r\nContent-Length: ");
    aloft_out_add_uint(out, body.len);
    aloft_out_add(out, "\r\n");
    if (answers[answer].fields != NULL) {
        answers[answer].fields(m, out);
    }
    aloft_out_add(out, "\r\n");
    write_body(m, answer, out);
}
