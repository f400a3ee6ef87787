/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/serve.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/publish.h"
#include "api/publish_tokens.h"
#include "catalog/catalog.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/files.h"
#include "host/hashes.h"
#include "host/log.h"
#include "notify/bus.h"
#include "notify/sender.h"
#include "serve/attempt_files.h"
#include "serve/contact_notes.h"
#include "serve/control.h"
#include "serve/control_accounts.h"
#include "serve/data_dir.h"
#include "serve/drain.h"
#include "wire/wire.h"

#define STOCK_PLAIN_PORT 80
#define STOCK_TLS_PORT   443
#define PLAIN_FREE_PORT  8080 /* when the right to the default is missing */
#define TLS_FREE_PORT    8443
#define FREE_PORT_MIN    1024
#define MS_PER_S         1000
#define MS_PER_DAY       INT64_C(86400000)
#define CONTACT_DELAY_MS 200 /* a batch is one transaction, one fsync */
#define HOUSEKEEPING_S   60
#define REMEDY                                                                                     \
    "give the right to ports under 1024 with 'setcap cap_net_bind_service=+ep aloft', with "       \
    "'sysctl net.ipv4.ip_unprivileged_port_start=80', or with AmbientCapabilities="                \
    "CAP_NET_BIND_SERVICE in the systemd unit; or name other ports"

struct serving {
    const struct settings_sources *sources;
    struct settings settings; /* in force */
    sigset_t stop_signals;
    sigset_t signals; /* these and SIGHUP */
    struct address plain;
    struct address tls;
    struct address console;
    struct data_dir dir;
    struct bus bus;
    struct catalog *catalog;
    struct contact_notes *notes;
    struct tracker *tracker;
    struct contact_queue *contacts;
    struct wire *wire;
    struct passwords *passwords;
    struct sender *sender;
    struct api *api;
    struct control *control;
    struct control_accounts control_accounts;
    char setup_code_path[PATH_MAX];
    int64_t started_ms;
    char pin[HASH_HEX_BYTES]; /* Of the module plane's certificate. */
};

static enum aloft_err parse_addresses(struct serving *s, struct error *e)
{
    const struct {
        const char *text;
        struct address *address;
    } rows[] = {
        {s->settings.modules, &s->plain},
        {s->settings.modules_tls, &s->tls},
        {s->settings.console, &s->console},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum aloft_err err = address_parse(rows[i].text, -1, rows[i].address, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}

static void write_notes(void *ctx, struct contact *contacts, size_t n_contacts)
{
    struct serving *s = ctx;
    struct error e = {0};

    if (contact_notes_write(s->notes, contacts, n_contacts, &e) != ALOFT_ERR_OK) {
        log_error("contacts.lost", "n=%zu reason=\"%s\"", n_contacts, e.sentence);
    }
    if (tracker_write(s->tracker, contacts, n_contacts, &e) != ALOFT_ERR_OK) {
        log_error("attempts.lost", "n_contacts=%zu reason=\"%s\"", n_contacts, e.sentence);
    }
}

/* What the module plane is to do by these settings; the listeners are those of the start. */
struct wire_wanted {
    struct wire_options options;
    char certificate[PATH_MAX];
    char key[PATH_MAX];
};

static unsigned limit_of(unsigned per_min)
{
    return per_min ? per_min : WIRE_NO_LIMIT;
}

static enum aloft_err fill_wire_wanted(const struct serving *s, const struct settings *settings,
                                       struct wire_wanted *w, struct error *e)
{
    const char *data = s->settings.data;

    w->options =
        (struct wire_options){.plain = &s->plain,
                              .tls = &s->tls,
                              .certificate = settings->certificate,
                              .key = settings->key,
                              .n_threads = settings->threads,
                              .device_per_min = limit_of(settings->version_limit_per_minute),
                              .product_per_min = limit_of(settings->product_limit_per_minute),
                              .max_downloads = settings->downloads_max,
                              .proxies = &settings->proxies};
    if (settings->certificate[0]) {
        return ALOFT_ERR_OK;
    }
    (void)snprintf(w->certificate, sizeof w->certificate, "%s/" DATA_DIR_CERTIFICATE_FILE, data);
    (void)snprintf(w->key, sizeof w->key, "%s/" DATA_DIR_KEY_FILE, data);
    w->options.certificate = w->certificate;
    w->options.key = w->key;
    return wire_certificate_ensure(data, e);
}

static enum aloft_err start_wire(struct serving *s, struct error *e)
{
    struct wire_wanted wanted;
    enum aloft_err err = fill_wire_wanted(s, &s->settings, &wanted, e);

    if (err == ALOFT_ERR_OK) {
        err = wire_start(&wanted.options, s->catalog, s->contacts, &s->wire, e);
    }
    return err == ALOFT_ERR_OK ? wire_certificate_pin(wanted.options.certificate, s->pin, e) : err;
}

/* All of it or nothing: a certificate that cannot be used keeps the limits, too. */
static enum aloft_err reload_wire(struct serving *s, const struct settings *settings,
                                  struct error *e)
{
    struct wire_wanted wanted;
    char pin[HASH_HEX_BYTES];
    enum aloft_err err = fill_wire_wanted(s, settings, &wanted, e);

    if (err == ALOFT_ERR_OK) {
        err = wire_certificate_pin(wanted.options.certificate, pin, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = wire_reload(s->wire, &wanted.options, e);
    }
    if (err == ALOFT_ERR_OK && strcmp(pin, s->pin) != 0) {
        log_warn("serve.pin", "pin=%s before=%s", pin, s->pin);
        memcpy(s->pin, pin, sizeof s->pin);
    }
    return err;
}

/* Nobody asked for 80 and 443, and we may not have them: go on with ports everybody may have.
 * False = somebody asked for a port of that kind, which is for them to decide. */
static bool take_free_ports(struct serving *s)
{
    bool is_plain_given = s->settings.sources[SETTING_modules] != SETTING_DEFAULT;
    bool is_tls_given = s->settings.sources[SETTING_modules_tls] != SETTING_DEFAULT;

    if ((is_plain_given && s->plain.port < FREE_PORT_MIN) ||
        (is_tls_given && s->tls.port < FREE_PORT_MIN)) {
        return false;
    }
    s->plain.port = is_plain_given ? s->plain.port : PLAIN_FREE_PORT;
    s->tls.port = is_tls_given ? s->tls.port : TLS_FREE_PORT;
    return true;
}

static enum aloft_err start_module_plane(struct serving *s, struct error *e)
{
    struct error why = {0};
    enum aloft_err err = start_wire(s, &why);

    if (why.native_code == EACCES && take_free_ports(s)) {
        (void)fprintf(stderr,
                      "aloft: %s; going on with ports %u and %u, which a stock module does not "
                      "know: " REMEDY "\n",
                      why.sentence, s->plain.port, s->tls.port);
        why = (struct error){0};
        err = start_wire(s, &why);
    }
    if (err != ALOFT_ERR_OK && why.native_code == EACCES) {
        return fail(e, err, "%s: " REMEDY, why.sentence);
    }
    return err == ALOFT_ERR_OK ? err : fail(e, err, "%s", why.sentence);
}

/* `status`: what runs here. */
static enum aloft_err tell_status(void *ctx, json_t *in, json_t *out, struct error *e)
{
    const struct serving *s = ctx;
    const char *command;

    if (json_unpack_ex(in, NULL, 0, "{s:s!}", "command", &command) != 0) {
        return fail(e, ALOFT_ERR_ARG, "'status' takes no members");
    }
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"pid", getpid()},
        {"started_ms", s->started_ms},
        {"modules", wire_plain_port(s->wire)},
        {"modules_tls", wire_tls_port(s->wire)},
        {"console", api_port(s->api)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)json_object_set_new(out, rows[i].name, json_integer(rows[i].value));
    }
    return ALOFT_ERR_OK;
}

static const struct control_command control_commands[] = {{"status", tell_status}};

static enum aloft_err start_control(struct serving *s, struct error *e)
{
    s->control = control_new(e);
    if (!s->control) {
        return ALOFT_ERR_IO;
    }
    control_add(s->control, control_commands, 1, s);
    s->control_accounts = (struct control_accounts){s->dir.db, s->passwords, s->setup_code_path};
    control_accounts_add(s->control, &s->control_accounts);
    return control_start(s->control, s->settings.data, e);
}

static struct api_settings api_settings_of(const struct settings *settings)
{
    return (struct api_settings){.join = settings->join,
                                 .session_hours = settings->session_hours,
                                 .upload_max_bytes = settings->upload_max_bytes,
                                 .is_metrics_open = settings->metrics_open,
                                 .proxies = settings->console_proxies};
}

static bool is_any_address(const char *host)
{
    return !host[0] || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* What links name: the public address, else the one modules are answered at. */
static enum aloft_err find_public(const struct serving *s, struct address *public, struct error *e)
{
    *public = (struct address){.port = wire_plain_port(s->wire)};
    if (s->settings.public_address[0]) {
        return address_parse(s->settings.public_address, public->port, public, e);
    }
    if (!is_any_address(s->plain.host)) {
        memcpy(public->host, s->plain.host, sizeof public->host);
    }
    return ALOFT_ERR_OK;
}

static void read_modules(void *ctx, struct api_module_facts *ret_facts)
{
    const struct serving *s = ctx;

    ret_facts->is_listening = wire_is_listening(s->wire);
    ret_facts->n_downloads = wire_downloads(s->wire);
    ret_facts->n_contacts_dropped = contact_queue_dropped(s->contacts);
    wire_counts(s->wire, &ret_facts->counts);
    ret_facts->n_attempts = tracker_counts(s->tracker, ret_facts->attempts);
}

static enum aloft_err start_console_plane(struct serving *s, struct error *e)
{
    (void)snprintf(s->setup_code_path, sizeof s->setup_code_path, "%s/" DATA_DIR_SETUP_FILE,
                   s->settings.data);
    s->passwords = passwords_new(e);
    if (!s->passwords) {
        return ALOFT_ERR_IO;
    }
    struct address public;
    enum aloft_err err = find_public(s, &public, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    const struct api_options options = {.address = &s->console,
                                        .db = s->dir.db,
                                        .blobs = s->dir.blobs,
                                        .catalog = s->catalog,
                                        .bus = &s->bus,
                                        .passwords = s->passwords,
                                        .setup_code_path = s->setup_code_path,
                                        .public_host = public.host,
                                        .public_port = public.port,
                                        .public_tls_port = wire_tls_port(s->wire),
                                        .data_path = s->settings.data,
                                        .started_ms = s->started_ms,
                                        .read_modules = read_modules,
                                        .modules_ctx = s,
                                        .settings = api_settings_of(&s->settings)};
    return api_start(&options, &s->api, e);
}

/* Who writes down what the module plane tells. */
static enum aloft_err start_contacts(struct serving *s, struct error *e)
{
    s->notes = contact_notes_new(s->dir.db, s->settings.address_devices_max);
    if (!s->notes) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    const struct tracker_options tracker = {.db = s->dir.db,
                                            .bus = &s->bus,
                                            .look_up = attempt_file_look_up,
                                            .ctx = s->dir.blobs,
                                            .proven_minutes = s->settings.proven_minutes,
                                            .n_attempts = TRACKER_ATTEMPTS};
    s->tracker = tracker_new(&tracker);
    if (!s->tracker) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    struct contact_queue_options queue = {.handle = write_notes,
                                          .ctx = s,
                                          .log = s->settings.log_contacts,
                                          .batch_delay_ms = CONTACT_DELAY_MS};
    s->contacts = contact_queue_new(&queue, e);
    return s->contacts ? ALOFT_ERR_OK : ALOFT_ERR_IO;
}

static enum aloft_err start(struct serving *s, struct error *e)
{
    enum aloft_err err = data_dir_open(s->settings.data, &s->dir, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    s->catalog = catalog_new(e);
    if (!s->catalog) {
        return ALOFT_ERR_IO;
    }
    err = publish_catalog(s->dir.db, s->dir.blobs, s->catalog, e);
    if (err == ALOFT_ERR_OK) {
        err = publish_tokens(s->dir.db, s->catalog, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = start_contacts(s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = start_module_plane(s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = sender_start(s->dir.db, &s->bus, s->settings.webhook_private, &s->sender, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = start_console_plane(s, e);
    return err == ALOFT_ERR_OK ? start_control(s, e) : err;
}

/* In the order of the flow: first nobody comes in, then what came is written down. */
static void stop(struct serving *s)
{
    control_stop(s->control);
    api_stop(s->api);
    passwords_free(s->passwords);
    sender_stop(s->sender);
    if (s->wire) {
        drain(s->wire, s->settings.stop_seconds * MS_PER_S, &s->stop_signals);
    }
    wire_stop(s->wire, 0);
    contact_queue_free(s->contacts);
    tracker_free(s->tracker);
    contact_notes_free(s->notes);
    catalog_free(s->catalog);
    data_dir_close(&s->dir);
}

static enum aloft_err write_ports(const struct serving *s, const char *path, struct error *e)
{
    char text[128];
    int len =
        snprintf(text, sizeof text, "{\"modules\": %u, \"modules_tls\": %u, \"console\": %u}\n",
                 wire_plain_port(s->wire), wire_tls_port(s->wire), api_port(s->api));

    return file_replace(path, text, (size_t)len, 0644, e);
}

/* The host of HOST[:PORT]; "this machine" in words when nobody said. */
static void public_host(const struct serving *s, char *buf, size_t cap, uint16_t *ret_port)
{
    struct address a;

    *ret_port = wire_plain_port(s->wire);
    if (s->settings.public_address[0] &&
        address_parse(s->settings.public_address, *ret_port, &a, NULL) == ALOFT_ERR_OK) {
        (void)snprintf(buf, cap, "%s", a.host);
        *ret_port = a.port;
    } else {
        (void)snprintf(buf, cap, "<this server>");
    }
}

#define STOCK_PORTS_HINT                                                                           \
    "                    and lead its ports 80 and 443 to the two above: stock knows no others"

static bool has_stock_ports(const struct serving *s)
{
    return wire_plain_port(s->wire) == STOCK_PLAIN_PORT && wire_tls_port(s->wire) == STOCK_TLS_PORT;
}

static void print_overview(const struct serving *s)
{
    char host[ADDRESS_HOST_BYTES];
    uint16_t port;

    public_host(s, host, sizeof host, &port);
    bool is_named = host[0] != '<';
    (void)printf("modules (plain)  %s:%u\nmodules (TLS)    %s:%u\nconsole          %s:%u\n\n",
                 s->plain.host, wire_plain_port(s->wire), s->tls.host, wire_tls_port(s->wire),
                 s->console.host, api_port(s->api));
    (void)printf("Point modules here%s:\n"
                 "  stock firmware    let your DNS resolve iot.espressif.cn to %s%s\n"
                 "  own build         AT_OTA_SERVER_IP \"%s\", AT_OTA_SERVER_PORT %u, and the\n"
                 "                    product's token as AT_OTA_TOKEN_KEY\n"
                 "  module library    AT+CIUPDATECFG; AT+UPDATETLS=2,\"<pin>\" to take no other "
                 "server:\n"
                 "                    %s\n\n",
                 is_named ? "" : " (--public HOST says how they reach it)", host,
                 has_stock_ports(s) ? "" : ",\n" STOCK_PORTS_HINT, host, port, s->pin);
    if (s->dir.setup_code[0]) {
        (void)printf("There is no account yet. Make the first one, an admin:\n"
                     "  aloft join --server http://%s:%u --name NAME\n"
                     "The set-up code it asks for, good once (also in %s/" DATA_DIR_SETUP_FILE
                     "):\n"
                     "  %s\n\n",
                     s->console.host, api_port(s->api), s->settings.data, s->dir.setup_code);
    }
    (void)fflush(stdout);
}

static void note_change(void *ctx, enum setting_id id, bool is_taken)
{
    char key[SETTING_NAME_BYTES];
    char value[SETTING_VALUE_BYTES];

    setting_key(id, key);
    setting_value(ctx, id, value);
    if (is_taken) {
        log_info("serve.setting", "key=%s value=\"%s\"", key, value);
    } else {
        log_warn("serve.setting_waits", "key=%s value=\"%s\" until=\"the next start\"", key, value);
    }
}

/* Whoever holds a copy of a setting that may change gets it here, at the start and at SIGHUP. */
static void apply_settings(struct serving *s)
{
    const struct api_settings api = api_settings_of(&s->settings);

    log_set_format(s->settings.log_format);
    api_set_settings(s->api, &api);
    sender_allow_private(s->sender, s->settings.webhook_private);
    contact_queue_set_log(s->contacts, s->settings.log_contacts);
    contact_notes_set_max(s->notes, s->settings.address_devices_max);
    tracker_set_proven_minutes(s->tracker, s->settings.proven_minutes);
}

/* What is wrong is logged and leaves all as it was. */
static void reload(struct serving *s)
{
    struct settings wanted;
    struct error e = {0};

    if (server_settings_load(s->sources, &wanted, &e) != ALOFT_ERR_OK ||
        reload_wire(s, &wanted, &e) != ALOFT_ERR_OK) {
        log_error("serve.reload_failed", "reason=\"%s\"", e.sentence);
        return;
    }
    server_settings_update(&s->settings, &wanted, note_change, &wanted);
    apply_settings(s);
    log_info("serve.reloaded", "file=\"%s\"", s->settings.file);
}

/* What ends by itself. */
static void keep_house(struct serving *s)
{
    api_expire(s->api);
    api_expire_tokens(s->api);
    attempts_tidy(s->tracker, s->dir.db, s->settings.attempts_keep_days);
    contact_notes_forget(s->notes, clock_wall_ms() - s->settings.address_devices_days * MS_PER_DAY);
}

/* The signals are blocked in every thread (see serve()) and taken here. */
static void wait_for_signal(struct serving *s)
{
    const struct timespec pause = {.tv_sec = HOUSEKEEPING_S};

    for (;;) {
        int got = sigtimedwait(&s->signals, NULL, &pause);
        if (got == SIGHUP) {
            reload(s);
        } else if (got > 0) {
            log_info("serve.stop", "signal=%d", got);
            return;
        } else if (errno == EAGAIN) {
            keep_house(s);
        }
    }
}

static enum aloft_err run(struct serving *s, struct error *e)
{
    char ports[PATH_MAX];

    if (snprintf(ports, sizeof ports, "%s/ports.json", s->settings.data) >= (int)sizeof ports) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", s->settings.data);
    }
    enum aloft_err err = start(s, e);
    if (err == ALOFT_ERR_OK) {
        keep_house(s);
        print_overview(s);
        err = write_ports(s, ports, e);
    }
    if (err == ALOFT_ERR_OK) {
        log_info("serve.ready", "modules=%u modules_tls=%u console=%u", wire_plain_port(s->wire),
                 wire_tls_port(s->wire), api_port(s->api));
        wait_for_signal(s);
        (void)unlink(ports); /* a stale one is replaced at the next start */
    }
    return err;
}

enum aloft_err serve(const struct settings_sources *sources, const struct settings *settings,
                     struct error *e)
{
    struct serving s = {.sources = sources,
                        .settings = *settings,
                        .dir = {.lock_fd = -1},
                        .started_ms = clock_wall_ms()};
    enum aloft_err err = parse_addresses(&s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    bus_init(&s.bus);
    log_set_format(s.settings.log_format);
    (void)umask(S_IRWXG | S_IRWXO); /* also when the folder was made by somebody more generous */
    (void)sigemptyset(&s.stop_signals);
    (void)sigaddset(&s.stop_signals, SIGTERM);
    (void)sigaddset(&s.stop_signals, SIGINT);
    s.signals = s.stop_signals;
    (void)sigaddset(&s.signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &s.signals, NULL); /* before any thread: they inherit it */
    err = run(&s, e);
    stop(&s);
    bus_deinit(&s.bus);
    return err;
}
