/* SPDX-License-Identifier: Apache-2.0 */
#include "process/virtual.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/clock.h"
#include "host/hashes.h"
#include "host/log.h"
#include "process/machine.h"

#define PATH_BYTES     4096
#define RETRY_MS       1000 /* a chip resets for ever; once a second is enough for a person */
#define READ_BYTES     128  /* the answers to so many fit into the queue of the UART */
#define POLL_MAX       (1 + UART_POLL_MAX + NET_POLL_MAX)
#define SLOT_BYTES     16
#define DEFAULT_AP     "aloft"
#define DEFAULT_AP_KEY "12345678"

static const char *const reason_words[] = {
    [ALOFT_BOOT_POWER] = "power",
    [ALOFT_BOOT_RESTART] = "restart",
    [ALOFT_BOOT_UPGRADE] = "upgrade",
    [ALOFT_BOOT_ROLLBACK] = "rollback",
};

static void machine_free(struct machine *m)
{
    uart_close(m->uart);
    net_free(m->net);
    flash_file_close(m->flash);
    efuse_file_close(m->efuse);
    settings_free(m->settings);
    hash_free(m->module_sha256);
    hash_free(m->digest_md5);
    hash_free(m->digest_sha256);
    hash_free(m->loader_sha256);
    hash_free(m->loader_md5);
    free(m);
}

static void auto_machine_free(struct machine **m)
{
    if (*m) {
        machine_free(*m);
    }
}

/* `FILE.module` and its like; the flash file's path was checked to leave room. */
static void path_beside(const struct machine *m, const char *suffix, char *out)
{
    (void)snprintf(out, PATH_BYTES, "%s%s", m->options->flash_path, suffix);
}

static enum aloft_err find_layout(struct machine *m, const char *name, struct error *e)
{
    m->layout = aloft_layout_by_name(name);
    if (!m->layout) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "unknown layout '%s'; 'aloft module --help' lists them",
                    name);
    }
    if (m->layout->upload == ALOFT_UPLOAD_PACKED2 || m->layout->upload == ALOFT_UPLOAD_PACKED3) {
        return fail(e, ALOFT_ERR_UNSUPPORTED,
                    "layout '%s' takes %s images, which the virtual module cannot unpack; choose a "
                    "plain one",
                    name, aloft_upload_kind_text(m->layout->upload));
    }
    m->chip = aloft_chip_by_id(m->layout->chip_id);
    (void)snprintf(m->identity.layout, sizeof m->identity.layout, "%s", name);
    return ALOFT_ERR_OK;
}

/* What is remembered of an existing flash file, or decided for one that comes without memory (made
 * by another tool). */
static enum aloft_err recall(struct machine *m, const char *path, struct error *e)
{
    const struct virtual_options *o = m->options;
    struct identity known;
    enum aloft_err err = identity_load(path, &known, e);

    if (err == ALOFT_ERR_NOT_FOUND) {
        mac_make(m->identity.mac);
        return find_layout(m, o->layout ? o->layout : VIRTUAL_DEFAULT_LAYOUT, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (o->layout && strcmp(o->layout, known.layout) != 0) {
        return fail(e, ALOFT_ERR_STATE,
                    "'%s' was made for layout %s, not %s; leave --layout out or name another FILE",
                    o->flash_path, known.layout, o->layout);
    }
    m->identity = known;
    return find_layout(m, known.layout, e);
}

/* The flash file comes last: whatever happens before, there is no device yet. */
static enum aloft_err make_flash(struct machine *m, const char *module_path, struct error *e)
{
    static const char *const of_the_old[] = {".settings", ".efuse"};
    const struct virtual_options *o = m->options;
    enum aloft_err err = find_layout(m, o->layout ? o->layout : VIRTUAL_DEFAULT_LAYOUT, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!o->app_path) {
        return fail(e, ALOFT_ERR_NOT_FOUND,
                    "'%s' does not exist; to make it, give an image: 'aloft image make --chip %s "
                    "--version v1.0.0 -o app.bin', then --app app.bin",
                    o->flash_path, m->chip->name);
    }
    for (size_t i = 0; i < sizeof of_the_old / sizeof of_the_old[0]; i++) {
        char path[PATH_BYTES];
        path_beside(m, of_the_old[i], path);
        if (unlink(path) != 0 && errno != ENOENT) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot remove the old '%s'", path);
        }
    }
    mac_make(m->identity.mac);
    err = identity_save(module_path, &m->identity, e);
    return err == ALOFT_ERR_OK ? flash_file_make(o->flash_path, m->layout, o->app_path, e) : err;
}

static enum aloft_err open_efuse(struct machine *m, struct error *e)
{
    char path[PATH_BYTES];

    path_beside(m, ".efuse", path);
    return efuse_file_open(path, m->options->has_anti_rollback, m->chip, &m->efuse, e);
}

/* Flash, eFuse, identity and settings: everything that is a file. */
static enum aloft_err open_files(struct machine *m, struct error *e)
{
    const struct virtual_options *o = m->options;
    char module_path[PATH_BYTES];
    char settings_path[PATH_BYTES];
    enum aloft_err err;

    if (strlen(o->flash_path) + sizeof ".settings" > PATH_BYTES) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path of the flash file is too long");
    }
    path_beside(m, ".module", module_path);
    path_beside(m, ".settings", settings_path);
    bool is_new = access(o->flash_path, F_OK) != 0;
    if (!is_new && o->app_path) {
        return fail(e, ALOFT_ERR_DUPLICATE,
                    "'%s' exists already; leave --app out to boot it, or remove the file to make "
                    "it anew",
                    o->flash_path);
    }
    err = is_new ? make_flash(m, module_path, e) : recall(m, module_path, e);
    if (err == ALOFT_ERR_OK) {
        err = flash_file_open(o->flash_path, m->layout->flash_bytes, &m->flash, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (o->mac) {
        memcpy(m->identity.mac, o->mac, sizeof m->identity.mac);
    }
    err = identity_save(module_path, &m->identity, e);
    if (err == ALOFT_ERR_OK) {
        err = open_efuse(m, e);
    }
    return err == ALOFT_ERR_OK ? settings_load(settings_path, &m->settings, e) : err;
}

static enum aloft_err set_up_air(struct machine *m, struct error *e)
{
    const struct virtual_options *o = m->options;
    struct air_ap default_ap;

    air_init(&m->air, m->identity.mac, clock_monotonic_ms());
    air_ap_init(&default_ap, DEFAULT_AP, DEFAULT_AP_KEY);
    const struct air_ap *aps = o->n_aps > 0 ? o->aps : &default_ap;
    for (size_t i = 0; i < (o->n_aps > 0 ? o->n_aps : 1); i++) {
        if (air_add_ap(&m->air, &aps[i]) != ALOFT_ERR_OK) {
            return fail(e, ALOFT_ERR_RANGE,
                        "--ap %s: an SSID has 1 to 32 bytes, a password none if open, else 8 to 64 "
                        "(wep: 5, 10, 13 or 26)",
                        aps[i].ssid);
        }
    }
    for (size_t i = 0; i < o->n_clients; i++) {
        enum aloft_err err = air_add_client(&m->air, &o->clients[i]);
        if (err != ALOFT_ERR_OK) {
            return fail(e, err, "a --soft-ap-client is refused");
        }
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err open_net(struct machine *m, struct error *e)
{
    const struct net_options options = {
        .bind = m->options->bind,
        .maps = m->options->maps,
        .n_maps = m->options->n_maps,
    };

    return net_new(&options, &m->net, e);
}

static enum aloft_err machine_new(const struct virtual_options *options,
                                  struct machine **ret_machine, struct error *e)
{
    __attribute__((cleanup(auto_machine_free))) struct machine *m = calloc(1, sizeof *m);

    if (!m) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    m->options = options;
    m->module_sha256 = hash_new_sha256();
    m->digest_md5 = hash_new_md5();
    m->digest_sha256 = hash_new_sha256();
    m->loader_sha256 = hash_new_sha256();
    m->loader_md5 = hash_new_md5();
    if (!m->module_sha256 || !m->digest_md5 || !m->digest_sha256 || !m->loader_sha256 ||
        !m->loader_md5) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = open_files(m, e);
    if (err == ALOFT_ERR_OK) {
        err = set_up_air(m, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = open_net(m, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = uart_open(options->uart, &m->uart, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    m->loader = (struct boot_loader){
        .flash = flash_file_model(m->flash),
        .chip = m->chip,
        .chip_revision = m->layout->min_chip_revision,
        .has_rollback = m->layout->has_rollback,
        .efuse = efuse_file_model(m->efuse),
        .sha256 = m->loader_sha256,
        .md5 = m->loader_md5,
    };
    port_fill(m);
    *ret_machine = STEAL(m);
    return ALOFT_ERR_OK;
}

static const char *slot_text(int slot, char *out)
{
    if (slot == ALOFT_BOOT_FACTORY) {
        return "factory";
    }
    if (slot == ALOFT_BOOT_TEST) {
        return "test";
    }
    (void)snprintf(out, SLOT_BYTES, "ota_%d", slot);
    return out;
}

static enum aloft_err start_module(struct machine *m)
{
    const struct virtual_options *o = m->options;
    struct aloft_module_config config = {
        .plain = {o->plain.address.host, o->plain.address.port, o->plain.token},
        .tls = {o->tls.address.host, o->tls.address.port, o->tls.token},
        .module_name = m->layout->module_name,
        .chip_name = m->chip->name,
        .chip_revision = m->layout->min_chip_revision,
        .confirm = o->confirm,
        .user_ram = m->user_ram,
        .user_ram_cap = sizeof m->user_ram,
        .trust = o->trust.trust,
        .pin = o->trust.pin,
        .is_trust_fixed = o->trust.is_fixed,
        .url_buf = m->url_buf,
        .url_cap = sizeof m->url_buf,
        .filter_buf = m->filter_buf,
        .filter_cap = sizeof m->filter_buf,
        .head_buf = m->head_buf,
        .head_cap = sizeof m->head_buf,
        .web = &m->web,
        .has_portal = o->has_portal,
    };

    if (o->customize) {
        o->customize(&config, o->customize_ctx);
    }
    return aloft_module_init(&m->module, &m->port, &config, m->now_ms);
}

/* Power-on or reset: everything of the module is new, what its wires are connected to is not. */
static void boot(struct machine *m, enum aloft_boot_reason cause)
{
    struct error e = {0};
    char slot[SLOT_BYTES];

    net_reset(m->net);
    air_reset(&m->air);
    port_reset_uart(m);
    port_reset_memory(m);
    memset(&m->module, 0, sizeof m->module);
    cause = m->is_rejected ? ALOFT_BOOT_ROLLBACK : cause;
    m->is_rejected = false;
    m->is_running = false;
    m->wants_restart = false;
    m->next_boot_ms = m->now_ms + RETRY_MS;
    if (boot_loader_run(&m->loader, cause, &m->booted, &e) != ALOFT_ERR_OK) {
        log_error("boot.failed", "error=\"%s\" retry_ms=%d", e.sentence, RETRY_MS);
        return;
    }
    if (m->booted.efuse_err != ALOFT_ERR_OK) {
        log_warn("boot.efuse", "error=\"the secure version cannot be raised to %u: %s\"",
                 m->booted.desc.secure_version, aloft_err_text(m->booted.efuse_err));
    }
    enum aloft_err err = start_module(m);
    if (err != ALOFT_ERR_OK) {
        log_error("boot.failed", "error=\"%s\" retry_ms=%d", aloft_err_text(err), RETRY_MS);
        return;
    }
    m->is_running = true;
    log_info("boot", "slot=%s version=\"%s\" reason=%s layout=%s", slot_text(m->booted.slot, slot),
             m->booted.has_desc ? m->booted.desc.version : "", reason_words[m->booted.reason],
             m->layout->name);
}

/* One step of the module; milliseconds until the next. */
static uint32_t advance(struct machine *m)
{
    m->now_ms = clock_monotonic_ms();
    if (m->wants_restart || (!m->is_running && m->now_ms >= m->next_boot_ms)) {
        boot(m, ALOFT_BOOT_RESTART);
    }
    if (!m->is_running) {
        return (uint32_t)(m->next_boot_ms - m->now_ms);
    }
    uint32_t wait_ms = aloft_module_step(&m->module, m->now_ms);
    uint32_t air_ms = air_wait_ms(&m->air, m->now_ms);
    uint32_t net_ms = net_wait_ms(m->net);
    if (m->wants_restart) {
        return 0;
    }
    wait_ms = wait_ms < air_ms ? wait_ms : air_ms;
    return wait_ms < net_ms ? wait_ms : net_ms;
}

/* Bytes of the host MCU; a module that does not run hears nothing. */
static void take_input(struct machine *m)
{
    uint8_t buf[READ_BYTES];
    size_t n = uart_read(m->uart, buf, sizeof buf);

    if (n > 0 && m->is_running) {
        aloft_module_feed(&m->module, buf, n);
    }
}

/* @return False when a signal asked to end. */
static bool wait_for_events(struct machine *m, int signal_fd, uint32_t wait_ms)
{
    struct pollfd fds[POLL_MAX];
    size_t n_fds = 0;

    fds[n_fds++] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    n_fds += uart_poll_set(m->uart, fds + n_fds);
    size_t net_first = n_fds;
    n_fds += net_poll_set(m->net, fds + n_fds);
    int n = poll(fds, n_fds, wait_ms > INT_MAX ? -1 : (int)wait_ms);
    if (n > 0) {
        net_poll_done(m->net, fds + net_first, n_fds - net_first);
    }
    return fds[0].revents == 0 || n <= 0;
}

static int block_signals(struct error *e)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);            /* the terminal it was started from is closed */
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* only fails for a wrong first argument */
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        (void)fail_errno(e, ALOFT_ERR_IO, "cannot make a signalfd");
    }
    return fd;
}

enum aloft_err virtual_run(const struct virtual_options *options, struct error *e)
{
    __attribute__((cleanup(auto_machine_free))) struct machine *m = NULL;
    AUTO_FD int signal_fd = block_signals(e); /* before any thread, so that none takes them */

    if (signal_fd < 0) {
        return ALOFT_ERR_IO;
    }
    enum aloft_err err = machine_new(options, &m, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    m->now_ms = clock_monotonic_ms();
    boot(m, ALOFT_BOOT_POWER);
    while (!uart_has_ended(m->uart)) {
        uint32_t wait_ms = advance(m);
        if (wait_ms > 0) {
            uart_rest(m->uart);
        }
        if (!uart_has_ended(m->uart) && !wait_for_events(m, signal_fd, wait_ms)) {
            break;
        }
        uart_serve(m->uart);
        take_input(m);
    }
    log_info("end", "flash=\"%s\"", options->flash_path);
    return ALOFT_ERR_OK;
}
