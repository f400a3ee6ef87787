/* SPDX-License-Identifier: Apache-2.0 */

/* aloft module: the virtual module as a process. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "aloft/bytes.h"
#include "aloft/limits.h"
#include "aloft/pem.h"
#include "commands.h"
#include "host/auto.h"
#include "host/files.h"
#include "module_air.h"
#include "process/endpoint.h"
#include "process/identity.h"
#include "process/settings.h"
#include "process/virtual.h"
#include "virtual_main.h"

#define STOCK_HOST "iot.espressif.cn"
#define PLAIN_PORT 80
#define TLS_PORT   443

#define LIMIT_DIGITS 6

static int take_server(const struct opt_values *v, const char *option, const char *token_option,
                       int default_port, struct virtual_server *ret_server)
{
    struct error e = {0};
    const char *text = opt_text(v, option);

    if (address_parse(text ? text : STOCK_HOST, default_port, &ret_server->address, &e) !=
        ALOFT_ERR_OK) {
        return usage_error("--%s: %s", option, e.sentence);
    }
    if (ret_server->address.host[0] == '\0' || ret_server->address.port == 0) {
        return usage_error("--%s '%s' names no host or port 0", option, text);
    }
    ret_server->token = opt_text(v, token_option);
    if (ret_server->token && (strlen(ret_server->token) != ALOFT_TOKEN_CHARS ||
                              strspn(ret_server->token, "0123456789abcdef") != ALOFT_TOKEN_CHARS)) {
        return usage_error("--%s is not %d lower-case hex digits", token_option, ALOFT_TOKEN_CHARS);
    }
    return EXIT_DONE;
}

static int take_maps(const struct opt_values *v, struct virtual_options *o)
{
    struct error e = {0};
    const char *text;

    for (size_t i = 0; (text = opt_at(v, "net-map", i)); i++) {
        if (o->n_maps == NET_MAPS_MAX) {
            return usage_error("--net-map may be given %d times", NET_MAPS_MAX);
        }
        if (net_map_parse(text, &o->maps[o->n_maps++], &e) != ALOFT_ERR_OK) {
            return usage_error("%s", e.sentence);
        }
    }
    return EXIT_DONE;
}

static int take_confirm(const struct opt_values *v, struct aloft_confirm_config *ret_confirm)
{
    static const char *const policies[] = {
        [ALOFT_CONFIRM_READY] = "ready",
        [ALOFT_CONFIRM_NETWORK] = "network",
        [ALOFT_CONFIRM_SERVER] = "server",
    };
    const char *policy = opt_has(v, "confirm") ? opt_text(v, "confirm") : policies[0];
    const char *limit = opt_text(v, "confirm-limit");
    size_t i = 0;

    while (i < sizeof policies / sizeof policies[0] && strcmp(policy, policies[i]) != 0) {
        i++;
    }
    if (i == sizeof policies / sizeof policies[0]) {
        return usage_error("--confirm '%s' is not ready, network or server", policy);
    }
    ret_confirm->policy = (enum aloft_confirm_policy)i;
    if (limit &&
        (strlen(limit) > LIMIT_DIGITS || strspn(limit, "0123456789") != strlen(limit) ||
         sscanf(limit, "%" SCNu32, &ret_confirm->limit_s) != 1 || ret_confirm->limit_s == 0)) {
        return usage_error("--confirm-limit '%s' is not a number of seconds from 1 to 999999",
                           limit);
    }
    return EXIT_DONE;
}

static int take_pin(const char *text, uint8_t *ret_pin)
{
    for (size_t i = 0; i < ALOFT_TLS_PIN_BYTES; i++) {
        unsigned high = aloft_hex_digit(text[2 * i]);
        unsigned low = high < 16 ? aloft_hex_digit(text[2 * i + 1]) : high;
        if (low >= 16) {
            return usage_error("--pin is not %d hex digits", 2 * ALOFT_TLS_PIN_BYTES);
        }
        ret_pin[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * ALOFT_TLS_PIN_BYTES] == '\0'
               ? EXIT_DONE
               : usage_error("--pin is not %d hex digits", 2 * ALOFT_TLS_PIN_BYTES);
}

/* `ret_ca` is to be freed by the caller in any case. */
static int take_ca(const char *path, uint8_t **ret_ca, size_t *ret_len)
{
    struct error e = {0};

    if (file_load(path, SETTINGS_VALUE_BYTES, ret_ca, ret_len, &e) != ALOFT_ERR_OK) {
        return failure("--ca: %s", e.sentence);
    }
    return aloft_pem_is_certificates((const char *)*ret_ca, *ret_len)
               ? EXIT_DONE
               : failure("--ca: '%s' is not one or more PEM certificates", path);
}

static int take_trust(const struct opt_values *v, struct virtual_trust *ret_trust, uint8_t *ret_pin,
                      uint8_t **ret_ca)
{
    ret_trust->is_fixed = opt_has(v, "fixed-trust");
    if (opt_has(v, "pin") && opt_has(v, "ca")) {
        return usage_error("--ca and --pin exclude each other");
    }
    if (opt_has(v, "pin")) {
        ret_trust->trust = ALOFT_TLS_TRUST_PIN;
        ret_trust->pin = ret_pin;
        return take_pin(opt_text(v, "pin"), ret_pin);
    }
    if (!opt_has(v, "ca")) {
        return EXIT_DONE;
    }
    int rc = take_ca(opt_text(v, "ca"), ret_ca, &ret_trust->ca_len);
    ret_trust->trust = ALOFT_TLS_TRUST_CA;
    ret_trust->ca = *ret_ca;
    return rc;
}

struct customization {
    virtual_customize_fn *customize;
    void *ctx;
};

static int run_customized(const struct opt_values *v, void *ctx)
{
    const struct customization *c = ctx;
    struct error e = {0};
    uint8_t mac[6];
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    AUTO_FREE uint8_t *ca = NULL;
    struct virtual_options o = {
        .customize = c->customize,
        .customize_ctx = c->ctx,
        .flash_path = opt_text(v, "flash"),
        .has_anti_rollback = opt_has(v, "anti-rollback"),
        .has_portal = opt_has(v, "portal"),
        .layout = opt_text(v, "layout"),
        .app_path = opt_text(v, "app"),
        .uart = opt_has(v, "uart") ? opt_text(v, "uart") : "stdio",
    };

    int rc = take_server(v, "ota", "token", PLAIN_PORT, &o.plain);
    if (rc == EXIT_DONE) {
        rc = take_server(v, "ota-tls", "token-tls", TLS_PORT, &o.tls);
    }
    if (rc == EXIT_DONE) {
        rc = module_air_take(v, &o);
    }
    if (rc == EXIT_DONE) {
        rc = take_maps(v, &o);
    }
    if (rc == EXIT_DONE && opt_has(v, "bind") &&
        !endpoint_parse_literal(opt_text(v, "bind"), &o.bind)) {
        return usage_error("--bind '%s' is no IPv4 or IPv6 address", opt_text(v, "bind"));
    }
    if (rc == EXIT_DONE) {
        rc = take_confirm(v, &o.confirm);
    }
    if (rc == EXIT_DONE) {
        rc = take_trust(v, &o.trust, pin, &ca);
    }
    if (rc == EXIT_DONE && opt_has(v, "mac")) {
        o.mac = mac;
        rc = mac_parse(opt_text(v, "mac"), mac, &e) == ALOFT_ERR_OK
                 ? EXIT_DONE
                 : usage_error("--mac %s", e.sentence);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    return virtual_run(&o, &e) == ALOFT_ERR_OK ? EXIT_DONE : failure("%s", e.sentence);
}

static int run(const struct opt_values *v)
{
    struct customization none = {0};

    return run_customized(v, &none);
}

static const struct opt opts[] = {
    {OPT_VALUE, "flash", "FILE", "The flash, byte for byte; made from --app if it does not exist.",
     true, false},
    {OPT_VALUE, "layout", "LAYOUT", "Default: the one FILE was made for; new: esp32c3_default.",
     false, false},
    {OPT_VALUE, "app", "IMAGE", "App image for the first slot of a new FILE.", false, false},
    {OPT_VALUE, "uart", "WHERE", "pty:LINK, tcp:HOST:PORT (port 0: a free one) or stdio (default).",
     false, false},
    {OPT_VALUE, "ota", "HOST:PORT", "Update server of mode 0; default iot.espressif.cn:80.", false,
     false},
    {OPT_VALUE, "ota-tls", "HOST:PORT", "Update server of mode 1; default iot.espressif.cn:443.",
     false, false},
    {OPT_VALUE, "token", "HEX", "Token of mode 0, 40 hex digits; default none.", false, false},
    {OPT_VALUE, "token-tls", "HEX", "Token of mode 1, 40 hex digits; default none.", false, false},
    {OPT_VALUE, "ca", "FILE",
     "Compiled in: TLS servers must be signed by these CAs (PEM). Default: any server will do.",
     false, false},
    {OPT_VALUE, "pin", "HEX",
     "Compiled in: TLS servers must have this key, 64 hex digits: SHA-256 of its public key (RFC "
     "7469).",
     false, false},
    {OPT_FLAG, "fixed-trust", NULL, "AT+UPDATETLS may not change whom TLS connections trust.",
     false, false},
    {OPT_VALUE, "ap", "SSID:PASSWORD",
     "An access point in the air; empty password: open. Default aloft:12345678.", false, true},
    {OPT_VALUE, "ap-with", "KEY=VALUE,...", "More about the --ap before it; see below.", false,
     true},
    {OPT_VALUE, "soft-ap-client", "MAC[,...]",
     "A station that joins the module's soft-AP; see below.", false, true},
    {OPT_VALUE, "mac", "AA:..:FF", "MAC of the station; default: random, remembered for FILE.",
     false, false},
    {OPT_VALUE, "net-map", "FROM=TO", "Connect to TO where the module asks for FROM (HOST:PORT).",
     false, true},
    {OPT_VALUE, "bind", "ADDRESS", "Where the module's own servers listen; default 127.0.0.1.",
     false, false},
    {OPT_VALUE, "confirm", "WHEN",
     "What a new image must reach to be kept: ready (default, as stock), network, server.", false,
     false},
    {OPT_VALUE, "confirm-limit", "SECONDS",
     "How long it may take, else the image before comes back; default 600.", false, false},
    {OPT_FLAG, "portal", NULL,
     "While the web server runs, all names lead to the module's page (captive portal).", false,
     false},
    {OPT_FLAG, "anti-rollback", NULL,
     "The boot loader of FILE refuses older secure versions; remembered by FILE.efuse.", false,
     false},
    OPT_END};

const struct cli_command cmd_module = {
    .noun = "module",
    .summary = "Run a virtual module: AT dialogue, real sockets, a genuine flash file.",
    .details =
        "Beside FILE stand FILE.module (layout, MAC), FILE.settings (what AT commands stored) "
        "and,\n"
        "with --anti-rollback, FILE.efuse (the lowest secure version it takes, as burnt bits).\n"
        "A killed process is a power cut: FILE holds exactly the flash operations done so far. "
        "Only\n"
        "one module can use a FILE. Events go to stderr, one per line.\n"
        "\n"
        "layouts with two slots: esp32_default wrover-32 esp32-sdio esp32s2_default\n"
        "  esp32c3_default esp32c3-spi esp32c6_default esp32c2_default esp32c2-4mb-g2\n"
        "  esp32c5_v4 esp32_v3 esp32c3_v3 esp32c2_v3\n"
        "Layouts without OTA run too, their updates answer ERROR; layouts that take packed images\n"
        "are refused.\n"
        "\n"
        "The UART:\n"
        "  pty:LINK       LINK is a symbolic link to the pseudo-terminal, removed at the end. It\n"
        "                 stays open between two users; unread bytes wait for the next one.\n"
        "  tcp:HOST:PORT  one connection at a time, the next is taken when it ends. The last 4 KB\n"
        "                 said before the first connection wait for it; later, what nobody hears "
        "is\n"
        "                 lost, as on a wire.\n"
        "  stdio          the end of input ends the process, once what is answered is written. On "
        "a\n"
        "                 terminal, Enter sends CR LF and Ctrl-C ends.\n"
        "\n"
        "The network:\n"
        "  --net-map FROM=TO  leads connections and datagrams; a HOST in FROM is reached by its\n"
        "                     mapped ports only. 255.255.255.255:PORT leads broadcasts.\n"
        "  --net-map own:PORT=TO  where a server of the module itself really is, when PORT cannot\n"
        "                     be had: own:80=127.0.0.1:8080. Port 0 in TO: a free one.\n"
        "  --bind ADDRESS     where its other servers are: 0.0.0.0 is all interfaces. They work\n"
        "                     without a station link too, as for clients of the soft-AP.\n"
        "Each server is logged with its real place: net.listening asked=80 at=127.0.0.1:8080.\n"
        "A UDP socket for the station's address is bound to it if this machine has it.\n"
        "\n"
        "The air:\n"
        "  --ap-with KEY=VALUE,...  auth=open|wep|wpa|wpa2|wpa/wpa2|wpa2-ent|wpa3|wpa2/wpa3,\n"
        "                 channel=1..14, rssi=-128..0, hidden=yes|no, bssid=AA:BB:CC:DD:EE:FF,\n"
        "                 gateway=IP and station=IP (of a /24: what its DHCP server gives),\n"
        "                 from=MS and until=MS (when it is there, since the start). Default:\n"
        "                 wpa2 or open; BSSID, channel and RSSI follow from the SSID.\n"
        "  --soft-ap-client MAC[,from=MS][,until=MS]  joins when the soft-AP comes up, or MS\n"
        "                 later, and gets the next address behind the soft-AP's. A phone with a\n"
        "                 hotspot is one of these and an --ap of (nearly) the same MAC.\n"
        "\n"
        "examples:\n"
        "  aloft image make --chip esp32c3 --version v1.0.0 -o app.bin\n"
        "  aloft module --flash m.bin --app app.bin --uart pty:/tmp/at --ota 127.0.0.1:8080\n"
        "  picocom --omap crcrlf /tmp/at      (or: screen /tmp/at 115200, and Ctrl-J after Enter)\n"
        "  aloft module --flash m.bin --uart tcp:127.0.0.1:3333\n"
        "  nc -C 127.0.0.1 3333               (-C sends CR LF)\n"
        "  aloft module --flash m.bin --ap home:12345678 --ap-with rssi=-40,channel=6 \\\n"
        "    --ap attic:secret123 --ap-with hidden=yes,until=60000\n"
        "then AT+CWMODE=1, AT+CWJAP=\"aloft\",\"12345678\", AT+CIUPDATE",
    .opts = opts,
    .run = run,
};

int virtual_main(int argc, char **argv,
                 void (*customize)(struct aloft_module_config *config, void *ctx), void *ctx)
{
    struct customization c = {customize, ctx};

    (void)signal(SIGPIPE, SIG_IGN); /* a closed peer is an error code, not the end */
    return opt_run_as(&cmd_module, argc - 1, argv + 1, run_customized, &c);
}
