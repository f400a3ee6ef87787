/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SETTINGS_H
#define ALOFT_SERVER_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "aloft/attr.h"
#include "host/error.h"
#include "host/network.h"

/*
 * The settings of the server, once: the config file, the flags of `aloft serve`, the variables
 * ALOFT_..., the help, --check-config and docs/guide/configuration.md all come from this list.
 * A flag beats a variable, that the file, that the default. An empty variable is none.
 *
 * To add one: a line here and a field below. If it can change while the server runs, say SIGHUP,
 * and see to
 * it in apply_settings() of serve.c.
 *
 *   TEXT(field, flag, kind, meta, default, when, help)      `default` is as a file would say it
 *   NUMBER(field, flag, default, min, max, unit, when, help)
 *   WORD(field, flag, words, default, when, help)           words parted by '|'; the value is the
 *                                                           index, in the order of the enum
 *   NETWORKS(field, flag, when, help)                       default: none
 *
 * The key in a file is the flag with '_' for '-', the variable that in capitals after ALOFT_.
 */
/* clang-format off */
#define SETTINGS(TEXT, NUMBER, WORD, NETWORKS)                                                     \
    TEXT(data, "data", PATH, "DIR", "", START,                                                     \
         "Folder for all the server knows; made if missing.")                                      \
    TEXT(modules, "modules", ADDRESS, "ADDR:PORT", "0.0.0.0:80", START,                            \
         "Where modules are answered over plain TCP.")                                             \
    TEXT(modules_tls, "modules-tls", ADDRESS, "ADDR:PORT", "0.0.0.0:443", START,                   \
         "Where modules are answered over TLS.")                                                   \
    TEXT(console, "console", ADDRESS, "ADDR:PORT", "127.0.0.1:8000", START,                        \
         "Where people and programs are answered (REST).")                                         \
    TEXT(public_address, "public", HOST, "HOST[:PORT]", "", START,                                 \
         "Where modules reach this server, for the texts that say so.")                            \
    TEXT(certificate, "cert", PATH, "FILE", "", SIGHUP,                                            \
         "Certificate for modules (PEM, chain behind it); none: a self-signed one in the data folder.") \
    TEXT(key, "key", PATH, "FILE", "", SIGHUP,                                                     \
         "Its private key (PEM).")                                                                 \
    NUMBER(threads, "threads", 0, 0, 256, "threads", START,                                        \
         "Of the module plane; 0 is one per core.")                                                \
    WORD(log_contacts, "log-contacts", "none|failures|all", "all", SIGHUP,                         \
         "Which contacts of modules are logged.")                                                  \
    WORD(log_format, "log-format", "text|json", "text", SIGHUP,                                    \
         "One line per event: for people, or JSON for programs.")                                  \
    WORD(join, "join", "open|invitation|closed", "invitation", SIGHUP,                             \
         "Who may make an account.")                                                               \
    NUMBER(session_hours, "session-hours", 12, 1, 720, "hours", SIGHUP,                            \
         "How long a person stays signed in.")                                                     \
    WORD(metrics_open, "metrics-open", "no|yes", "no", SIGHUP,                                      \
         "Show /metrics to programs on this machine without an API token.")                        \
    WORD(webhook_private, "webhook-private", "no|yes", "yes", SIGHUP,                              \
         "Send webhooks to this machine and to private networks, too.")                            \
    NUMBER(upload_max_bytes, "upload-max-bytes", 16777216, 65536, 1073741824, "bytes", SIGHUP,     \
         "Largest file that may be uploaded.")                                                     \
    NUMBER(attempts_keep_days, "attempts-keep-days", 90, 1, 3650, "days", SIGHUP,                  \
         "How long attempts are kept.")                                                            \
    NUMBER(proven_minutes, "proven-minutes", 10, 1, 1440, "minutes", SIGHUP,                       \
         "A delivered version that is not seen running by then counts as not proven.")             \
    NUMBER(address_devices_max, "address-devices-max", 1000, 0, 1000000, "devices", SIGHUP,        \
         "Per product: devices known by their source address alone.")                              \
    NUMBER(address_devices_days, "address-devices-days", 30, 1, 3650, "days", SIGHUP,              \
         "They are forgotten so long after their last contact.")                                   \
    NETWORKS(proxies, "proxies", SIGHUP,                                                           \
         "Balancers in front of the module plane that speak the PROXY protocol.")                  \
    NETWORKS(console_proxies, "console-proxies", SIGHUP,                                           \
         "TLS proxies in front of the console plane.")                                             \
    NUMBER(downloads_max, "downloads-max", 0, 0, 10000000, "downloads", SIGHUP,                    \
         "Downloads at once; 0 is what the descriptor limit allows.")                              \
    NUMBER(version_limit_per_minute, "version-limit-per-minute", 30, 0, 60000, "queries", SIGHUP,  \
         "Version queries by a device's own token from one address before they are put off; 0 is no limit.") \
    NUMBER(product_limit_per_minute, "product-limit-per-minute", 6000, 0, 60000, "queries", SIGHUP, \
         "The same for a product's token, which its modules share.")                               \
    NUMBER(stop_seconds, "stop-seconds", 10, 0, 3600, "seconds", SIGHUP,                           \
         "At a stop, downloads under way have so long to finish.")
/* clang-format on */

enum setting_id {
#define SETTING_ID_TEXT(field, flag, kind, meta, preset, when, help)       SETTING_##field,
#define SETTING_ID_NUMBER(field, flag, preset, min, max, unit, when, help) SETTING_##field,
#define SETTING_ID_WORD(field, flag, words, preset, when, help)            SETTING_##field,
#define SETTING_ID_NETWORKS(field, flag, when, help)                       SETTING_##field,
    SETTINGS(SETTING_ID_TEXT, SETTING_ID_NUMBER, SETTING_ID_WORD, SETTING_ID_NETWORKS)
#undef SETTING_ID_TEXT
#undef SETTING_ID_NUMBER
#undef SETTING_ID_WORD
#undef SETTING_ID_NETWORKS
        SETTINGS_COUNT
};

enum setting_source { SETTING_DEFAULT, SETTING_FILE, SETTING_VARIABLE, SETTING_FLAG };

#define SETTING_TEXT_BYTES   1024                /**< Of a text. */
#define SETTING_VALUE_BYTES  NETWORKS_TEXT_BYTES /**< Of any value as text. */
#define SETTINGS_FILE_NAME   "aloft.conf" /**< In the data folder: read when no file is named. */
#define SETTINGS_VARIABLE    "ALOFT_"
#define SETTING_NAME_BYTES   64
#define SETTING_SOURCE_BYTES 1200

/** All settings in force. A plain value: copy it. Texts are "" when there is none. */
struct settings {
    char data[SETTING_TEXT_BYTES];
    char modules[SETTING_TEXT_BYTES]; /**< Addresses are of a form that address_parse() takes. */
    char modules_tls[SETTING_TEXT_BYTES];
    char console[SETTING_TEXT_BYTES];
    char public_address[SETTING_TEXT_BYTES];
    char certificate[SETTING_TEXT_BYTES]; /**< Both or neither of these two. */
    char key[SETTING_TEXT_BYTES];
    unsigned threads;
    unsigned log_contacts; /**< enum contact_log_level */
    unsigned log_format;   /**< enum log_format */
    unsigned join;         /**< enum join_policy */
    unsigned session_hours;
    unsigned metrics_open;    /**< 0 or 1. */
    unsigned webhook_private; /**< 0 or 1. */
    unsigned upload_max_bytes;
    unsigned attempts_keep_days;
    unsigned proven_minutes;
    unsigned address_devices_max;
    unsigned address_devices_days;
    struct networks proxies;
    struct networks console_proxies;
    unsigned downloads_max;
    unsigned version_limit_per_minute;
    unsigned product_limit_per_minute;
    unsigned stop_seconds;

    char file[PATH_MAX];                         /**< The config file that was read; "" = none. */
    enum setting_source sources[SETTINGS_COUNT]; /**< By setting_id. */
    unsigned lines[SETTINGS_COUNT];              /**< In `file`; 0 = not there. */
};

/** What a start was given, kept for reading it all again. The texts are borrowed. */
struct settings_sources {
    const char *file; /**< NULL: SETTINGS_FILE_NAME in the data folder, if it is there. */
    const char *flags[SETTINGS_COUNT]; /**< By setting_id; NULL = not given. */
    char **environment;                /**< As `environ`; NULL = none. */
};

/**
 * Put all settings together.
 *
 * @param ret_settings  Untouched after an error.
 * @retval ALOFT_ERR_SYNTAX  A value, key or line is wrong; the sentence names its place and what
 *                           would be right.
 * @retval ALOFT_ERR_ARG     Settings that do not go together, or no data folder.
 * @retval ALOFT_ERR_IO      The file cannot be read.
 */
ALOFT_MUST_CHECK
enum aloft_err server_settings_load(const struct settings_sources *sources,
                                    struct settings *ret_settings, struct error *e);

/** The key of a setting in a file: `modules_tls`. */
void setting_key(enum setting_id id, char key[SETTING_NAME_BYTES]);

/** Its value as a file would say it. */
void setting_value(const struct settings *settings, enum setting_id id,
                   char value[SETTING_VALUE_BYTES]);

/** Where its value comes from: `--modules-tls`, `ALOFT_MODULES_TLS`, `aloft.conf:3`, `default`. */
void setting_source(const struct settings *settings, enum setting_id id,
                    char source[SETTING_SOURCE_BYTES]);

/** Told of one setting that is to have another value. */
typedef void settings_note_fn(void *ctx, enum setting_id id, bool is_taken);

/**
 * Take over from `wanted` what may change while the server runs; the rest stays.
 *
 * @param note  Called for each setting whose value differs, taken or not.
 */
void server_settings_update(struct settings *in_force, const struct settings *wanted,
                            settings_note_fn *note, void *ctx);

/** All of them with their sources, a line each. */
void server_settings_print(const struct settings *settings, FILE *out);

/** docs/guide/configuration.md. */
void server_settings_print_manual(FILE *out);

#endif
