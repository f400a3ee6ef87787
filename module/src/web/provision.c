/* SPDX-License-Identifier: Apache-2.0 */
#include "web/provision.h"

#include <string.h>

#include "aloft/module.h"

#include "command/wifi.h"
#include "web/event.h"
#include "web/fields.h"
#include "web/hotspot.h"

/* Times of facts/at-commands.md 3.4. */
#define ANSWER_MS 300 /* Between the answer and leaving the present access point. */
#define LOOK_MS   500
#define MS_PER_S  1000u

#define MODE_BOTH  3
#define PORT_BYTES 6 /* `65535` and a NUL. */

/* What is being done; kept in a byte of the state. */
enum task {
    TASK_NONE,
    TASK_DELAY,   /* The answer needs time to arrive. */
    TASK_JOIN,    /* The access point was named. */
    TASK_HOTSPOT, /* It is searched, or the phone is told. */
};

#define STEP(name)  ALOFT_PROVISION_##name
#define EVENT(name) ALOFT_PROVISION_##name

static const struct {
    enum aloft_provision_step from;
    enum aloft_provision_event on;
    enum aloft_provision_step to;
} rules[] = {
    /* clang-format off */
    {STEP(NOT_START),  EVENT(POST),      STEP(CONNECTING)},
    {STEP(FAIL),       EVENT(POST),      STEP(CONNECTING)},
    {STEP(OK),         EVENT(POST),      STEP(CONNECTING)},
    {STEP(CONNECTING), EVENT(REFUSED),   STEP(NOT_START)},
    {STEP(CONNECTING), EVENT(GOT_IP),    STEP(OK)},
    {STEP(CONNECTING), EVENT(GAVE_UP),   STEP(FAIL)},
    {STEP(OK),         EVENT(NO_SOCKET), STEP(NOT_START)},
    {STEP(OK),         EVENT(RESULT),    STEP(NOT_START)},
    {STEP(FAIL),       EVENT(RESULT),    STEP(NOT_START)},
    /* clang-format on */
};

static bool find_rule(const struct aloft_module *m, enum aloft_provision_event event,
                      enum aloft_provision_step *ret_to)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].from == m->web->provision.state && rules[i].on == event) {
            *ret_to = rules[i].to;
            return true;
        }
    }
    return false;
}

void aloft_provision_handle(struct aloft_module *m, enum aloft_provision_event event)
{
    enum aloft_provision_step to;

    if (find_rule(m, event, &to)) {
        m->web->provision.state = (uint8_t)to;
    }
}

void aloft_provision_clear(struct aloft_module *m)
{
    memset(m->web->provision.ssid, 0, sizeof m->web->provision.ssid);
    memset(m->web->provision.password, 0, sizeof m->web->provision.password);
}

static void stop(struct aloft_module *m)
{
    if (m->web->provision.task == TASK_HOTSPOT) {
        aloft_hotspot_stop(m);
    }
    m->web->provision.task = TASK_NONE;
}

/* GET /getstainfo */

void aloft_provision_write(const struct aloft_module *m, struct aloft_out *out)
{
    static const struct {
        uint8_t number;
        const char *message;
    } states[] = {
        [STEP(NOT_START)] = {0, "waiting config"},
        [STEP(CONNECTING)] = {0, "connecting"},
        [STEP(FAIL)] = {2, "connect fail"},
        [STEP(OK)] = {1, "connect OK"},
    };
    const struct aloft_provision_state *p = &m->web->provision;

    aloft_out_add(out, "{\"state\":");
    aloft_out_add_uint(out, states[p->state].number);
    aloft_out_add(out, ",\"sta_ssid\":");
    aloft_out_add_json(out, p->ssid);
    aloft_out_add(out, ",\"sta_password\":");
    aloft_out_add_json(out, m->config.web_hides_password ? "" : p->password);
    aloft_out_add(out, ",\"message\":");
    aloft_out_add_json(out, states[p->state].message);
    aloft_out_add(out, "}");
}

/* POST /setstainfo */

enum aloft_answer aloft_provision_check(struct aloft_module *m,
                                        const struct aloft_web_request *request)
{
    enum aloft_provision_step to;

    (void)request;
    return m->wifi.mode == MODE_BOTH && find_rule(m, EVENT(POST), &to) ? ALOFT_ANSWER_NONE
                                                                       : ALOFT_ANSWER_BAD;
}

static bool is_json(const char *body, size_t len)
{
    size_t i = 0;

    while (i < len && (body[i] == ' ' || body[i] == '\t' || body[i] == '\r' || body[i] == '\n')) {
        i++;
    }
    return i < len && body[i] == '{';
}

/* Today's body is an object, behind which `&udp_port=...` may stand; that of releases before
 * v3.2.0.0 is a form (facts/at-commands.md 3.5, 7). `fields` are SSID, password and port. */
static enum aloft_err read_body(const char *body, size_t len, struct aloft_field *fields)
{
    size_t used = 0;

    if (!is_json(body, len)) {
        fields[0].name = "sta_ssid";
        fields[1].name = "sta_password";
        return aloft_fields_read_form(body, len, fields, 3);
    }
    enum aloft_err err = aloft_fields_read_json(body, len, fields, 3, &used);
    return err == ALOFT_ERR_OK ? aloft_fields_read_form(body + used, len - used, &fields[2], 1)
                               : err;
}

/* 1 to 65535 in digits. */
static bool parse_port(const char *text, uint16_t *ret_port)
{
    uint32_t port = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9') {
            return false;
        }
        port = port * 10 + (uint32_t)(*c - '0');
    }
    *ret_port = (uint16_t)port;
    return port >= 1 && port <= UINT16_MAX;
}

enum aloft_answer aloft_provision_take(struct aloft_module *m, const char *body, size_t len)
{
    struct aloft_provision_state *p = &m->web->provision;
    char ssid[sizeof p->ssid] = "";
    char password[sizeof p->password] = "";
    char port_text[PORT_BYTES] = "";
    uint16_t port = 0;
    struct aloft_field fields[] = {
        {.name = "ssid", .text = ssid, .cap = sizeof ssid},
        {.name = "password", .text = password, .cap = sizeof password},
        {.name = "udp_port", .text = port_text, .cap = sizeof port_text, .takes_number = true},
    };

    if (read_body(body, len, fields) != ALOFT_ERR_OK || (ssid[0] == '\0' && password[0] == '\0') ||
        (fields[2].is_present && !parse_port(port_text, &port))) {
        return ALOFT_ANSWER_BAD;
    }
    stop(m);
    memcpy(p->ssid, ssid, sizeof ssid);
    memcpy(p->password, password, sizeof password);
    p->hotspot.udp_port = ssid[0] == '\0' ? port : 0;
    return ALOFT_ANSWER_DONE;
}

void aloft_provision_after(struct aloft_module *m, enum aloft_answer answer)
{
    struct aloft_provision_state *p = &m->web->provision;

    if (answer == ALOFT_ANSWER_DONE) {
        aloft_provision_handle(m, EVENT(POST));
        p->task = TASK_DELAY;
        p->due_ms = m->now_ms + ANSWER_MS;
    }
}

/* POST /getresult */

enum aloft_answer aloft_provision_take_result(struct aloft_module *m, const char *body, size_t len)
{
    char value[1];
    struct aloft_field received = {.name = "received", .text = value, .cap = sizeof value};
    enum aloft_provision_step to;

    if (m->web->provision.state == STEP(CONNECTING)) {
        aloft_event_print(m, ALOFT_EVENT_RESULT);
        return ALOFT_ANSWER_DONE;
    }
    if (!find_rule(m, EVENT(RESULT), &to)) {
        return ALOFT_ANSWER_DONE;
    }
    /* What it says is of no interest, that it is there is. */
    bool is_twice = aloft_fields_read_form(body, len, &received, 1) == ALOFT_ERR_DUPLICATE;
    if (is_twice || !received.is_present) {
        return ALOFT_ANSWER_BAD;
    }
    stop(m);
    aloft_provision_clear(m);
    aloft_provision_handle(m, EVENT(RESULT));
    aloft_event_print(m, ALOFT_EVENT_RESULT);
    return ALOFT_ANSWER_DONE;
}

/* The work */

static void begin_join(struct aloft_module *m)
{
    struct aloft_provision_state *p = &m->web->provision;
    struct aloft_wifi_join join = {
        .min_auth = p->password[0] != '\0' ? ALOFT_WIFI_WEP : ALOFT_WIFI_OPEN,
    };

    memcpy(join.ssid, p->ssid, sizeof join.ssid);
    memcpy(join.password, p->password, sizeof join.password);
    if (aloft_wifi_provision_begin(m, &join) != ALOFT_ERR_OK) {
        p->task = TASK_NONE;
        aloft_provision_handle(m, EVENT(REFUSED));
        return;
    }
    aloft_event_print(m, ALOFT_EVENT_CONNECTING);
    p->task = TASK_JOIN;
    p->due_ms = m->now_ms + LOOK_MS;
}

static void begin(struct aloft_module *m)
{
    struct aloft_provision_state *p = &m->web->provision;

    p->deadline_ms = m->now_ms + m->web->timeout_s * MS_PER_S;
    if (p->hotspot.udp_port == 0) {
        begin_join(m);
        return;
    }
    aloft_event_print(m, ALOFT_EVENT_CONNECTING);
    p->task = TASK_HOTSPOT;
    aloft_hotspot_begin(m);
}

static void look(struct aloft_module *m)
{
    struct aloft_provision_state *p = &m->web->provision;

    p->due_ms = m->now_ms + LOOK_MS;
    if (aloft_wifi_has_ip(m)) {
        p->task = TASK_NONE;
        aloft_provision_handle(m, EVENT(GOT_IP));
    } else if (m->now_ms >= p->deadline_ms) {
        p->task = TASK_NONE;
        aloft_wifi_provision_stop(m);
        aloft_provision_handle(m, EVENT(GAVE_UP));
    }
}

uint32_t aloft_provision_step(struct aloft_module *m)
{
    struct aloft_provision_state *p = &m->web->provision;

    if (p->task == TASK_NONE) {
        return UINT32_MAX;
    }
    if (p->task == TASK_HOTSPOT) {
        return aloft_hotspot_step(m);
    }
    if (m->now_ms < p->due_ms) {
        return (uint32_t)(p->due_ms - m->now_ms);
    }
    if (p->task == TASK_DELAY) {
        begin(m);
    } else {
        look(m);
    }
    return 0;
}
