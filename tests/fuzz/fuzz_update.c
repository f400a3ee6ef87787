/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/app_image.h"
#include "fake_net.h"
#include "fake_port.h"

/* Parsers: module/src/http/client.c module/src/http/head.c module/src/http/follow.c */

/* All that stands between a server and the boot entry. The first byte chooses the command, the
 * second the portions; the rest is what the server answers to each connection, or, where MARK
 * stands, the n-th piece to the n-th one and the last to all that follow. Whatever it says: one
 * final line, no socket left, and nothing is selected that is not a whole image. */

/* Twice the total time in steps of 100 ms, and one step for each byte. */
#define STEPS_MAX (2 * ALOFT_CONFIG_TOTAL_MS / 100 + 100000)

#define MARK    "\x00\xFF\x00\xFF"
#define URL     "https://us%40er:pass@a.test:8443/esp-at.bin?x"
#define URL_LEN "45"

static const char *const commands[] = {
    "AT+CIUPDATE=0,\"v1\"\r\n",
    "AT+CIUPDATE=1\r\n",
    "AT+CIPFWVER?\r\n",
    "AT+USEROTA=" URL_LEN "\r\n",
};

static struct fake_port *port;
static struct fake_net net;
static char url_buf[64];

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

static bool has_ended(const char *out)
{
    size_t len = strlen(out);

    return (len >= 6 && strcmp(out + len - 6, "\r\nOK\r\n") == 0) ||
           (len >= 9 && strcmp(out + len - 9, "\r\nERROR\r\n") == 0);
}

static void begin(const uint8_t *data, size_t size)
{
    struct aloft_module_config config = fake_port_config();
    const uint8_t *at = data + 2;
    const uint8_t *end = data + size;

    port = port != NULL ? port : fake_port_new();
    memset(&port->boot.selected, 0, sizeof port->boot.selected);
    port->boot.n_selects = 0;
    port->uart.out_len = 0;
    port->uart.n_read = 0;
    port->log[0] = '\0';
    fake_net_attach(&net, port);
    for (size_t i = 0; i < FAKE_NET_MAX; i++) {
        const uint8_t *mark = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1);
        struct fake_answer *answer = fake_net_add(&net, at, (size_t)((mark ? mark : end) - at));
        answer->portion = data[1];
        answer->end = (enum fake_end)(data[1] % 3);
        at = mark != NULL ? mark + sizeof MARK - 1 : at;
    }
    config.url_buf = url_buf;
    config.url_cap = sizeof url_buf;
    fake_port_boot(port, &config);
    fake_port_send(port, "ATE0\r\n");
    (void)fake_port_read(port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    begin(data, size);
    fake_port_send(port, commands[data[0] % (sizeof commands / sizeof commands[0])]);
    size_t n_read = port->uart.n_read;
    if (strcmp(fake_port_read(port), "\r\nOK\r\n\r\n>") == 0) {
        fake_port_send(port, URL);
    }
    port->uart.n_read = n_read;
    /* Time passes only when nothing else does. */
    for (uint32_t i = 0; i < STEPS_MAX && !has_ended(port->uart.out + port->uart.n_read); i++) {
        if (aloft_module_step(&port->module, port->now_ms) > 0) {
            port->now_ms += 100;
        }
    }
    MUST(has_ended(fake_port_read(port)));
    MUST(net.n_open == 0);
    MUST(port->module.upgrade.n_unexpected == 0);
    if (port->boot.n_selects > 0) {
        check_image();
    }
    return 0;
}
