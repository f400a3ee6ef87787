/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The module plane alone, with a fixed catalog, for tests: no database, no console plane.
 *
 *   wire_tool DIR FILE [OPTION=VALUE ...]
 *
 * FILE becomes `ota.bin` of version v5.0.1.0 (current) and v5.0.0.0 of one product, the older one
 * also by the link `short-1`; DIR gets the certificate. Each line of DIR/tokens, if there is one,
 * is the token of a device. Prints the ports as `plain=N tls=N` and ends when its input ends.
 * Contacts go to stderr as log lines. Each line of its input is a wire_reload() with more options,
 * answered by `ok` or what is wrong.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/auto.h"
#include "host/files.h"
#include "host/hashes.h"
#include "wire/wire.h"

#define TOKEN    "0123456789abcdef0123456789abcdef01234567"
#define FILE_MAX (64u * 1024 * 1024)
#define GRACE_MS 2000
#define DELAY_MS 50

static void hash_file(const uint8_t *data, size_t len, char hex[HASH_HEX_BYTES])
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        abort();
    }
    hash->ops->start(hash->state);
    hash->ops->update(hash->state, data, len);
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, hex);
}

static enum aloft_err add_rom(struct catalog_product *product, const char *version, bool is_current,
                              const struct catalog_file_facts *file, struct error *e)
{
    struct catalog_rom *rom;
    enum aloft_err err = catalog_draft_add_rom(product, version, "release", is_current, &rom, e);

    return err == ALOFT_ERR_OK ? catalog_draft_add_file(rom, file, e) : err;
}

static enum aloft_err fill(struct catalog *catalog, const char *path, struct error *e)
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len;
    char sha256[HASH_HEX_BYTES];
    struct catalog_product *product;
    struct catalog_draft *draft = catalog_draft_new();
    enum aloft_err err = draft ? file_load(path, FILE_MAX, &data, &len, e) : ALOFT_ERR_TOO_BIG;

    if (err == ALOFT_ERR_OK) {
        err = catalog_draft_add_product(draft, 1, &product, e);
    }
    if (err == ALOFT_ERR_OK) {
        hash_file(data, len, sha256);
        const struct catalog_file_facts file = {"ota.bin", path, len, sha256};
        err = add_rom(product, "v5.0.1.0", true, &file, e);
        if (err == ALOFT_ERR_OK) {
            err = add_rom(product, "v5.0.0.0", false, &file, e);
        }
    }
    if (err == ALOFT_ERR_OK) {
        const struct catalog_link_facts link = {"short-1", 1, "v5.0.0.0", "ota.bin", 0};
        err = catalog_draft_add_link(draft, &link, e);
    }
    if (err != ALOFT_ERR_OK) {
        catalog_draft_free(draft);
        return err;
    }
    for (int mode = CATALOG_PLAIN; err == ALOFT_ERR_OK && mode <= CATALOG_TLS; mode++) {
        err = catalog_token_set(catalog, (enum catalog_mode)mode, TOKEN, strlen(TOKEN),
                                (struct catalog_owner){1, 0}, 0);
    }
    return err == ALOFT_ERR_OK ? catalog_publish(catalog, draft, e) : err;
}

/* Devices number 1 upwards, for both modes. */
static enum aloft_err add_devices(struct catalog *catalog, const char *dir, struct error *e)
{
    char path[4096];
    char line[64];
    int64_t device = 0;
    enum aloft_err err = ALOFT_ERR_OK;

    (void)snprintf(path, sizeof path, "%s/tokens", dir);
    FILE *file = fopen(path, "re");
    while (file && err == ALOFT_ERR_OK && fgets(line, sizeof line, file)) {
        const struct catalog_owner owner = {1, ++device};
        for (int mode = CATALOG_PLAIN; err == ALOFT_ERR_OK && mode <= CATALOG_TLS; mode++) {
            err = catalog_token_set(catalog, (enum catalog_mode)mode, line, strcspn(line, "\n"),
                                    owner, 0);
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return err == ALOFT_ERR_OK ? err
                               : fail(e, err, "%s: line %lld is no token", path, (long long)device);
}

static unsigned log_level = CONTACT_LOG_ALL;
static unsigned plain_port;

/* The options as they are now; what they point to. */
static struct networks proxies;
static char certificate[4096];
static char key[4096];
static struct wire_options options = {.certificate = certificate, .key = key, .proxies = &proxies};

static bool take_text(const char *name, size_t name_len, const char *value, struct error *e)
{
    if (name_len == 7 && memcmp(name, "proxies", 7) == 0) {
        return networks_parse(value, &proxies, e) == ALOFT_ERR_OK;
    }
    if (name_len == 4 && memcmp(name, "cert", 4) == 0) {
        (void)snprintf(certificate, sizeof certificate, "%s", value);
    } else if (name_len == 3 && memcmp(name, "key", 3) == 0) {
        (void)snprintf(key, sizeof key, "%s", value);
    }
    return true;
}

static bool take_option(const char *text, struct error *e)
{
    const struct {
        const char *name;
        unsigned *value;
    } known[] = {
        {"threads", &options.n_threads},
        {"sndbuf", &options.send_buffer_bytes},
        {"record", &options.record_bytes},
        {"head_ms", &options.head_timeout_ms},
        {"stall_ms", &options.stall_timeout_ms},
        {"device_per_min", &options.device_per_min},
        {"product_per_min", &options.product_per_min},
        {"first_pause_ms", &options.first_pause_ms},
        {"max_pause_ms", &options.max_pause_ms},
        {"max_downloads", &options.max_downloads},
        {"log", &log_level},
        {"port", &plain_port},
    };
    size_t len = strcspn(text, "=");
    const char *value = text + len + (text[len] == '=');

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == len && strncmp(known[i].name, text, len) == 0) {
            *known[i].value = (unsigned)strtoul(value, NULL, 10);
            return true;
        }
    }
    return take_text(text, len, value, e);
}

static void reload(struct wire *wire, char *line)
{
    struct error e = {0};
    char *rest;
    bool is_good = true;

    for (char *word = strtok_r(line, " \n", &rest); word && is_good;
         word = strtok_r(NULL, " \n", &rest)) {
        is_good = take_option(word, &e);
    }
    is_good = is_good && wire_reload(wire, &options, &e) == ALOFT_ERR_OK;
    (void)printf("%s\n", is_good ? "ok" : e.sentence);
    (void)fflush(stdout);
}

static int run(const char *dir, const char *path, struct error *e)
{
    static const struct address any = {"127.0.0.1", 0};
    const struct contact_queue_options logged = {.log = (enum contact_log_level)log_level,
                                                 .batch_delay_ms = DELAY_MS};
    struct wire *wire = NULL;
    struct catalog *catalog = catalog_new(e);
    struct contact_queue *contacts = contact_queue_new(&logged, e);

    (void)snprintf(certificate, sizeof certificate, "%s/cert.pem", dir);
    (void)snprintf(key, sizeof key, "%s/key.pem", dir);
    const struct address plain = {"127.0.0.1", (uint16_t)plain_port};
    options.plain = &plain;
    options.tls = &any;
    bool is_up = catalog && contacts && wire_certificate_ensure(dir, e) == ALOFT_ERR_OK &&
                 fill(catalog, path, e) == ALOFT_ERR_OK &&
                 add_devices(catalog, dir, e) == ALOFT_ERR_OK &&
                 wire_start(&options, catalog, contacts, &wire, e) == ALOFT_ERR_OK;
    if (is_up) {
        (void)printf("plain=%u tls=%u\n", wire_plain_port(wire), wire_tls_port(wire));
        (void)fflush(stdout);
        char line[8192];
        while (fgets(line, sizeof line, stdin)) {
            reload(wire, line);
        }
    }
    wire_stop(wire, GRACE_MS);
    contact_queue_free(contacts);
    catalog_free(catalog);
    return is_up ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct error e = {0};
    bool is_good = true;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: wire_tool DIR FILE [OPTION=VALUE ...]\n");
        return 2;
    }
    for (int i = 3; i < argc && is_good; i++) {
        is_good = take_option(argv[i], &e);
    }
    int rc = is_good ? run(argv[1], argv[2], &e) : 1;
    if (rc != 0) {
        (void)fprintf(stderr, "wire_tool: %s\n", e.sentence);
    }
    return rc;
}
