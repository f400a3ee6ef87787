/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_port.h"

#include <stdlib.h>
#include <string.h>

#include "host/hashes.h"

static enum aloft_err flash_count(struct fake_port *f)
{
    if (f->flash.n_ops_until_failure > 0 && --f->flash.n_ops_until_failure == 0) {
        return ALOFT_ERR_FLASH;
    }
    return ALOFT_ERR_OK;
}

static bool flash_has(uint32_t addr, size_t len, uint32_t unit)
{
    return addr % unit == 0 && len % unit == 0 && addr <= FAKE_FLASH_BYTES &&
           len <= FAKE_FLASH_BYTES - addr;
}

static enum aloft_err flash_read(void *ctx, uint32_t addr, uint8_t *buf, size_t len)
{
    struct fake_port *f = ctx;

    if (!flash_has(addr, len, 1)) {
        return ALOFT_ERR_FLASH;
    }
    memcpy(buf, f->flash.bytes + addr, len);
    return ALOFT_ERR_OK;
}

static enum aloft_err flash_erase(void *ctx, uint32_t addr, uint32_t len)
{
    struct fake_port *f = ctx;

    if (!flash_has(addr, len, 4096) || flash_count(f) != ALOFT_ERR_OK) {
        return ALOFT_ERR_FLASH;
    }
    memset(f->flash.bytes + addr, 0xFF, len);
    f->flash.n_erases++;
    return ALOFT_ERR_OK;
}

static enum aloft_err flash_write(void *ctx, uint32_t addr, const uint8_t *buf, size_t len)
{
    struct fake_port *f = ctx;

    if (!flash_has(addr, len, 4) || flash_count(f) != ALOFT_ERR_OK) {
        return ALOFT_ERR_FLASH;
    }
    for (size_t i = 0; i < len; i++) {
        f->flash.bytes[addr + i] &= buf[i];
    }
    f->flash.n_writes++;
    return ALOFT_ERR_OK;
}

static enum aloft_err boot_running(void *ctx, struct aloft_slot *ret_slot)
{
    struct fake_port *f = ctx;

    *ret_slot = f->boot.running;
    return f->boot.running_err;
}

static enum aloft_err boot_spare(void *ctx, struct aloft_slot *ret_slot)
{
    struct fake_port *f = ctx;

    *ret_slot = f->boot.spare;
    return f->boot.spare_err;
}

static enum aloft_err boot_select(void *ctx, const struct aloft_slot *slot)
{
    struct fake_port *f = ctx;

    if (f->boot.select_err == ALOFT_ERR_OK) {
        f->boot.selected = *slot;
        f->boot.n_selects++;
    }
    return f->boot.select_err;
}

static enum aloft_err boot_confirm(void *ctx)
{
    struct fake_port *f = ctx;

    f->boot.n_confirms++;
    f->boot.out_len_at_confirm = f->uart.out_len;
    f->boot.is_unconfirmed = f->boot.is_unconfirmed && f->boot.confirm_err != ALOFT_ERR_OK;
    return f->boot.confirm_err;
}

static enum aloft_err boot_reject(void *ctx)
{
    struct fake_port *f = ctx;

    f->boot.n_rejects++;
    return f->boot.reject_err;
}

static bool boot_is_unconfirmed(void *ctx)
{
    return ((struct fake_port *)ctx)->boot.is_unconfirmed;
}

static bool boot_is_pending(void *ctx)
{
    return ((struct fake_port *)ctx)->boot.n_selects > 0;
}

static enum aloft_boot_reason boot_reason(void *ctx)
{
    return ((struct fake_port *)ctx)->boot.reason;
}

static void boot_restart(void *ctx)
{
    ((struct fake_port *)ctx)->boot.n_restarts++;
}

static enum aloft_err net_resolve(void *ctx, const char *host, struct aloft_addrs *ret_addrs)
{
    (void)ctx;
    (void)host;
    (void)ret_addrs;
    return ALOFT_ERR_RESOLVE;
}

static enum aloft_err net_open(void *ctx, const struct aloft_addr *addr, uint16_t port,
                               const struct aloft_tls *tls, int *ret_socket)
{
    (void)ctx;
    (void)addr;
    (void)port;
    (void)tls;
    *ret_socket = -1;
    return ALOFT_ERR_CONNECT;
}

static enum aloft_err net_ready(void *ctx, int socket)
{
    (void)ctx;
    (void)socket;
    return ALOFT_ERR_CONNECT;
}

static enum aloft_err net_read(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    (void)ctx;
    (void)socket;
    (void)buf;
    (void)cap;
    *ret_n = 0;
    return ALOFT_ERR_IO;
}

static enum aloft_err net_write(void *ctx, int socket, const uint8_t *buf, size_t len,
                                size_t *ret_n)
{
    (void)ctx;
    (void)socket;
    (void)buf;
    (void)len;
    *ret_n = 0;
    return ALOFT_ERR_IO;
}

static void net_close(void *ctx, int socket)
{
    (void)ctx;
    (void)socket;
}

static enum aloft_err wifi_set_mode(void *ctx, uint8_t mode)
{
    struct fake_port *f = ctx;

    f->wifi.mode = f->wifi.mode_err == ALOFT_ERR_OK ? mode : f->wifi.mode;
    return f->wifi.mode_err;
}

static enum aloft_err wifi_join(void *ctx, const struct aloft_wifi_join *join)
{
    struct fake_port *f = ctx;

    f->wifi.join = *join;
    f->wifi.n_joins++;
    f->wifi.status.state = ALOFT_WIFI_JOINING;
    f->wifi.status.fail = ALOFT_WIFI_FAIL_NONE;
    return f->wifi.join_err;
}

static void wifi_leave(void *ctx)
{
    struct fake_port *f = ctx;

    f->wifi.n_leaves++;
    f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
}

static void wifi_status(void *ctx, struct aloft_wifi_status *ret_status)
{
    *ret_status = ((struct fake_port *)ctx)->wifi.status;
}

static void wifi_station_mac(void *ctx, uint8_t *ret_mac)
{
    (void)ctx;
    memcpy(ret_mac, "\x7c\xdf\xa1\x00\x00\x0a", 6);
}

static void wifi_ap_mac(void *ctx, uint8_t *ret_mac)
{
    (void)ctx;
    memcpy(ret_mac, "\x7c\xdf\xa1\x00\x00\x0b", 6);
}

static void wifi_ap_ip(void *ctx, struct aloft_ip_config *ret_config)
{
    static const struct aloft_ip_config none = {{0}, {0}, {0}};
    static const struct aloft_ip_config factory = {
        {192, 168, 4, 1}, {192, 168, 4, 1}, {255, 255, 255, 0}};
    const struct fake_port *f = ctx;

    *ret_config = memcmp(&f->wifi.ap_ip, &none, sizeof none) == 0 ? factory : f->wifi.ap_ip;
}

static enum aloft_err wifi_set_ap_ip(void *ctx, const struct aloft_ip_config *config)
{
    struct fake_port *f = ctx;

    f->wifi.ap_ip = f->wifi.ip_err == ALOFT_ERR_OK ? *config : f->wifi.ap_ip;
    return f->wifi.ip_err;
}

static enum aloft_err wifi_set_station_ip(void *ctx, const struct aloft_ip_config *config)
{
    struct fake_port *f = ctx;

    if (f->wifi.ip_err == ALOFT_ERR_OK) {
        f->wifi.has_station_ip = config != NULL;
        f->wifi.station_ip = config != NULL ? *config : f->wifi.station_ip;
    }
    return f->wifi.ip_err;
}

static enum aloft_err wifi_set_soft_ap(void *ctx, const struct aloft_soft_ap *soft_ap)
{
    struct fake_port *f = ctx;

    f->wifi.n_soft_aps++;
    f->wifi.soft_ap = f->wifi.soft_ap_err == ALOFT_ERR_OK ? *soft_ap : f->wifi.soft_ap;
    return f->wifi.soft_ap_err;
}

static enum aloft_err wifi_soft_ap_client(void *ctx, uint8_t index,
                                          struct aloft_soft_ap_client *ret_client)
{
    const struct fake_port *f = ctx;

    if (index >= f->wifi.n_clients) {
        return ALOFT_ERR_NOT_FOUND;
    }
    *ret_client = f->wifi.clients[index];
    return ALOFT_ERR_OK;
}

static enum aloft_err wifi_scan(void *ctx)
{
    struct fake_port *f = ctx;

    f->wifi.n_scans++;
    return f->wifi.scan_err;
}

static enum aloft_err wifi_scan_entry(void *ctx, uint16_t index, struct aloft_scan_entry *ret_entry)
{
    struct fake_port *f = ctx;

    if (f->wifi.n_scan_agains > 0) {
        f->wifi.n_scan_agains--;
        return ALOFT_ERR_AGAIN;
    }
    if (index >= f->wifi.n_aps) {
        return ALOFT_ERR_NOT_FOUND;
    }
    *ret_entry = f->wifi.aps[index];
    return ALOFT_ERR_OK;
}

static struct fake_setting *find_setting(struct fake_port *f, const char *key)
{
    for (size_t i = 0; i < FAKE_SETTINGS; i++) {
        if (strcmp(f->settings[i].key, key) == 0) {
            return &f->settings[i];
        }
    }
    return NULL;
}

static enum aloft_err settings_get(void *ctx, const char *key, void *buf, size_t *ret_len)
{
    const struct fake_setting *setting = find_setting(ctx, key);

    if (setting == NULL) {
        return ALOFT_ERR_NOT_FOUND;
    }
    if (setting->len > *ret_len) {
        return ALOFT_ERR_TOO_BIG;
    }
    memcpy(buf, setting->value, setting->len);
    *ret_len = setting->len;
    return ALOFT_ERR_OK;
}

static enum aloft_err settings_set(void *ctx, const char *key, const void *buf, size_t len)
{
    struct fake_port *f = ctx;
    struct fake_setting *setting = find_setting(f, key);

    setting = setting != NULL ? setting : find_setting(f, "");
    if (f->settings_err != ALOFT_ERR_OK) {
        return f->settings_err;
    }
    if (setting == NULL || len > sizeof setting->value || strlen(key) >= sizeof setting->key) {
        return ALOFT_ERR_TOO_BIG;
    }
    memcpy(setting->key, key, strlen(key) + 1);
    memcpy(setting->value, buf, len);
    setting->len = len;
    return ALOFT_ERR_OK;
}

static enum aloft_err settings_remove(void *ctx, const char *key)
{
    struct fake_setting *setting = find_setting(ctx, key);

    if (setting != NULL) {
        memset(setting, 0, sizeof *setting);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err settings_remove_all(void *ctx)
{
    struct fake_port *f = ctx;

    if (f->settings_err == ALOFT_ERR_OK) {
        memset(f->settings, 0, sizeof f->settings);
    }
    return f->settings_err;
}

static size_t uart_write(void *ctx, const uint8_t *buf, size_t len)
{
    struct fake_port *f = ctx;
    size_t n = FAKE_OUT_BYTES - f->uart.out_len;

    n = len < n ? len : n;
    n = f->uart.room < n ? f->uart.room : n;
    memcpy(f->uart.out + f->uart.out_len, buf, n);
    f->uart.out_len += n;
    f->uart.out[f->uart.out_len] = '\0';
    if (f->uart.room != FAKE_UART_UNLIMITED) {
        f->uart.room -= n;
    }
    return n;
}

static bool uart_is_drained(void *ctx)
{
    return !((struct fake_port *)ctx)->uart.is_draining;
}

static enum aloft_err uart_set_format(void *ctx, const struct aloft_uart_format *format)
{
    struct fake_port *f = ctx;

    f->uart.format = *format;
    f->uart.out_len_at_format = f->uart.out_len;
    f->uart.n_formats++;
    return ALOFT_ERR_OK;
}

static void uart_get_format(void *ctx, struct aloft_uart_format *ret_format)
{
    *ret_format = ((struct fake_port *)ctx)->uart.format;
}

static void firmware_info(void *ctx, struct aloft_firmware_info *ret_info)
{
    *ret_info = ((struct fake_port *)ctx)->info;
}

static void free_memory(void *ctx, uint32_t *ret_now, uint32_t *ret_least)
{
    const struct fake_port *f = ctx;

    *ret_now = f->memory_now;
    *ret_least = f->memory_least;
}

static void log_line(void *ctx, const char *line)
{
    struct fake_port *f = ctx;
    size_t used = strlen(f->log);
    size_t len = strlen(line);

    if (len + 2 <= sizeof f->log - used) {
        memcpy(f->log + used, line, len);
        memcpy(f->log + used + len, "\n", 2);
    }
}

static void fill_random(void *ctx, void *buf, size_t len)
{
    struct fake_port *f = ctx;

    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = f->random++;
    }
}

static void fill_port(struct fake_port *f)
{
    f->port = (struct aloft_port){
        .ctx = f,
        .flash = {flash_read, flash_erase, flash_write},
        .boot = {boot_running, boot_spare, boot_select, boot_confirm, boot_reject,
                 boot_is_unconfirmed, boot_is_pending, boot_reason, boot_restart},
        .net = {.resolve = net_resolve,
                .open = net_open,
                .ready = net_ready,
                .read = net_read,
                .write = net_write,
                .close = net_close},
        .wifi = {.set_mode = wifi_set_mode,
                 .join = wifi_join,
                 .leave = wifi_leave,
                 .status = wifi_status,
                 .station_mac = wifi_station_mac,
                 .ap_mac = wifi_ap_mac,
                 .ap_ip = wifi_ap_ip,
                 .set_ap_ip = wifi_set_ap_ip,
                 .set_station_ip = wifi_set_station_ip,
                 .set_soft_ap = wifi_set_soft_ap,
                 .soft_ap_client = wifi_soft_ap_client,
                 .scan = wifi_scan,
                 .scan_entry = wifi_scan_entry},
        .settings = {settings_get, settings_set, settings_remove, settings_remove_all},
        .uart = {uart_write, uart_is_drained, uart_set_format, uart_get_format},
        .sha256 = *f->sha256,
        .digest = {.md5 = *f->digest_md5, .sha256 = *f->digest_sha256},
        .random = fill_random,
        .firmware_info = firmware_info,
        .free_memory = free_memory,
        .log = log_line,
    };
}

struct fake_port *fake_port_new(void)
{
    struct fake_port *f = calloc(1, sizeof *f);

    if (f == NULL || (f->flash.bytes = malloc(FAKE_FLASH_BYTES)) == NULL ||
        (f->sha256 = hash_new_sha256()) == NULL || (f->digest_md5 = hash_new_md5()) == NULL ||
        (f->digest_sha256 = hash_new_sha256()) == NULL) {
        abort();
    }
    memset(f->flash.bytes, 0xFF, FAKE_FLASH_BYTES);
    f->uart.room = FAKE_UART_UNLIMITED;
    f->uart.format = (struct aloft_uart_format){115200, 8, 1, 0, 0};
    /* The primary table of the C3: facts/at-commands.md 5.1, group C. */
    f->boot.running = (struct aloft_slot){.index = 0, .addr = 0x60000, .size_bytes = 0x1d0000};
    f->boot.spare = (struct aloft_slot){.index = 1, .addr = 0x230000, .size_bytes = 0x1d0000};
    f->info = (struct aloft_firmware_info){
        .at_version = "5.1.0.0-dev",
        .at_commit = "0123abc",
        .sdk_version = "v5.4.4",
        .compile_commit = "89abcde",
        .compile_date = "Nov 22 2026",
        .compile_time = "12:34:56",
        .app_version = "v5.0.1.0",
    };
    fill_port(f);
    return f;
}

void fake_port_free(struct fake_port *f)
{
    if (f != NULL) {
        hash_free(f->sha256);
        hash_free(f->digest_md5);
        hash_free(f->digest_sha256);
        free(f->flash.bytes);
        free(f);
    }
}

/* One module at a time. */
static char s_url_buf[8192];

struct aloft_module_config fake_port_config(void)
{
    return (struct aloft_module_config){
        .plain = {"plain.test", 80, "0123456789abcdef0123456789abcdef01234567"},
        .tls = {"tls.test", 443, "89abcdef0123456789abcdef0123456789abcdef"},
        .module_name = "MINI-1",
        .chip_name = "esp32c3",
        .url_buf = s_url_buf,
        .url_cap = sizeof s_url_buf,
    };
}

void fake_port_boot(struct fake_port *f, const struct aloft_module_config *config)
{
    if (aloft_module_init(&f->module, &f->port, config, f->now_ms) != ALOFT_ERR_OK) {
        abort();
    }
    (void)aloft_module_step(&f->module, f->now_ms); /* The tests call as often as they like. */
    (void)fake_port_read(f);
}

void fake_port_send(struct fake_port *f, const char *text)
{
    aloft_module_feed(&f->module, (const uint8_t *)text, strlen(text));
    (void)aloft_module_step(&f->module, f->now_ms);
}

void fake_port_run(struct fake_port *f, uint32_t ms)
{
    uint64_t end_ms = f->now_ms + ms;

    do {
        uint32_t wait_ms = aloft_module_step(&f->module, f->now_ms);
        uint64_t left_ms = end_ms - f->now_ms;
        wait_ms = wait_ms > 0 ? wait_ms : 1;
        f->now_ms += wait_ms < left_ms ? wait_ms : left_ms;
    } while (f->now_ms < end_ms);
    (void)aloft_module_step(&f->module, f->now_ms);
}

const char *fake_port_read(struct fake_port *f)
{
    const char *text = f->uart.out + f->uart.n_read;

    f->uart.n_read = f->uart.out_len;
    return text;
}
