/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/app_image.h"
#include "fake_net.h"
#include "fake_port.h"

/* Parsers: module/src/web/incoming.c module/src/web/routes.c module/src/web/guard.c */
/* Parsers: module/src/web/connection.c module/src/web/provision.c module/src/web/upload.c */

/* The whole web server. The first byte chooses the configuration, the second the portions and the
 * end; the rest is what one client says. Whatever that is: whole answers come back, the next client
 * is served, no socket is left, and nothing is selected that is not a whole image. */

#define SIZE_MAX_BYTES 4096
#define STEPS_MAX      200000

static const char next_request[] =
    "GET /getversion HTTP/1.1\r\nHost: m\r\nAuthorization: secret\r\n\r\n";

static struct fake_port *port;
static struct fake_net net;
static struct aloft_web_state web;

static void check_image(void)
{
    const struct aloft_app_rules rules = {.chip = aloft_chip_by_name("esp32c3")};
    struct aloft_app_image image;
    size_t used = 0;

    aloft_app_image_init(&image, &rules, port->sha256);
    MUST(aloft_app_image_feed(&image, port->flash.bytes + port->boot.spare.addr,
                              port->boot.spare.size_bytes, &used) == ALOFT_ERR_OK);
    MUST(aloft_app_image_finish(&image) == ALOFT_ERR_OK);
}

/* Bytes of the answer at `text`. */
static size_t check_answer(const char *text, size_t len)
{
    static struct aloft_http_head head;

    aloft_http_head_init(&head, ALOFT_HTTP_RESPONSE);
    MUST(aloft_http_head_parse(&head, text, len) == ALOFT_ERR_OK);
    if (head.has_content_length) {
        MUST(head.content_length <= len - head.head_len);
        return head.head_len + (size_t)head.content_length;
    }
    static const char page_end[] = "\r\n0\r\n\r\n";
    const char *end = memmem(text, len, page_end, sizeof page_end - 1);
    MUST(head.is_chunked && end != NULL);
    return (size_t)(end - text) + sizeof page_end - 1;
}

static void begin(const uint8_t *data)
{
    static const char page[] = "<p>page</p>";
    struct aloft_module_config config = fake_port_config();

    port = port != NULL ? port : fake_port_new();
    memset(&port->boot.selected, 0, sizeof port->boot.selected);
    port->boot.n_selects = 0;
    port->boot.n_restarts = 0;
    port->uart.out_len = 0;
    port->uart.n_read = 0;
    port->log[0] = '\0';
    memset(&port->wifi.status, 0, sizeof port->wifi.status);
    port->wifi.n_aps = 1;
    memcpy(port->wifi.aps[0].ssid, "a\x01", 3);
    fake_net_attach(&net, port);
    config.web = &web;
    config.page = (const uint8_t *)page;
    config.page_len = sizeof page - 1;
    config.has_portal = (data[0] & 1) != 0;
    config.web_checks_origin = (data[0] & 2) != 0;
    config.web_authorization = (data[0] & 4) != 0 ? "secret" : NULL;
    fake_port_boot(port, &config);
    fake_port_send(port, (data[0] & 8) != 0 ? "ATE0\r\nAT+CWMODE=3\r\n" : "ATE0\r\n");
    fake_port_send(port, "AT+WEBSERVER=1,80,25\r\n");
    (void)fake_port_read(port);
}

/* Until `client` is done with, or nothing more can come. Time passes only when nothing else does.
 */
static void run(const struct fake_client *client)
{
    uint64_t end_ms = port->now_ms + 40000;

    for (uint32_t i = 0; i < STEPS_MAX && !client->is_closed && port->now_ms < end_ms; i++) {
        if (aloft_module_step(&port->module, port->now_ms) > 0) {
            port->now_ms += 100;
        }
        if (port->boot.n_restarts > 0) {
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > SIZE_MAX_BYTES) {
        return 0;
    }
    begin(data);
    struct fake_client *client = fake_net_connect(&net, 80, data + 2, size - 2, data[1]);
    client->script.end = (enum fake_end)(data[0] >> 4 & 3) % 3;
    client->script.write_portion = (data[0] & 0x80) != 0 ? 7 : 0;
    run(client);
    for (size_t at = 0; at < client->response_len;) {
        at += check_answer(client->response + at, client->response_len - at);
    }
    if (port->boot.n_restarts == 0) {
        struct fake_client *next = fake_net_connect_text(&net, 80, next_request);
        run(next);
        MUST(memcmp(next->response, "HTTP/1.1 200 OK\r\n", 17) == 0);
        fake_port_send(port, "AT+WEBSERVER=0\r\n");
    }
    MUST(net.n_open == 0);
    MUST(port->module.upgrade.n_unexpected == 0);
    if (port->boot.n_selects > 0) {
        check_image();
    }
    return 0;
}
