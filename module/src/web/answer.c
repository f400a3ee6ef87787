/* SPDX-License-Identifier: Apache-2.0 */
#include "web/answer.h"

#include "aloft/module.h"

#include "web/info.h"

typedef void write_fn(const struct aloft_module *m, struct aloft_out *out);

static const char html[] = "text/html";
static const char json[] = "application/json";

static const struct {
    const char *status;
    const char *type;
    const char *text; /* The body; NULL: what `write` writes. */
    write_fn *write;
    bool is_error;
} answers[ALOFT_N_ANSWERS] = {
    [ALOFT_ANSWER_PAGE] = {"200 OK", html, NULL, aloft_info_write_page, false},
    [ALOFT_ANSWER_OTA] = {"200 OK", json, NULL, aloft_info_write_ota, false},
    [ALOFT_ANSWER_VERSION] = {"200 OK", json, "{\"version\":\"1.0\"}", NULL, false},
    [ALOFT_ANSWER_DONE] = {"200 OK", json, "{\"state\": 0}", NULL, false},
    [ALOFT_ANSWER_BAD] = {"400 Bad Request", json, "{\"state\": 1}", NULL, true},
    [ALOFT_ANSWER_FAILED] = {"500 Internal Server Error", json, "{\"state\": 1}", NULL, true},
    [ALOFT_ANSWER_NOT_HTTP] = {"400 Bad Request", html, "This is not a valid HTTP/1.1 request",
                               NULL, true},
    [ALOFT_ANSWER_NOT_FOUND] = {"404 Not Found", html, "Nothing matches the given URI", NULL, true},
    [ALOFT_ANSWER_METHOD] = {"405 Method Not Allowed", html,
                             "Specified method is invalid for this resource", NULL, true},
    [ALOFT_ANSWER_TARGET_LONG] = {"414 URI Too Long", html, "The request target is too long", NULL,
                                  true},
    [ALOFT_ANSWER_FIELDS_LONG] = {"431 Request Header Fields Too Large", html,
                                  "The header section is too long", NULL, true},
    [ALOFT_ANSWER_BODY_LONG] = {"500 Internal Server Error", html,
                                "Server has encountered an unexpected error", NULL, true},
};

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
    aloft_out_add(out, "\r\n\r\n");
    write_body(m, answer, out);
}
