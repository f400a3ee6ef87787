/* SPDX-License-Identifier: Apache-2.0 */

/* aloft serve: the update server. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "serve/serve.h"

#define THREADS_MAX 256

static int take_log(const struct opt_values *v, enum contact_log_level *ret_level)
{
    static const struct {
        const char *word;
        enum contact_log_level level;
    } rows[] = {
        {"all", CONTACT_LOG_ALL}, {"failures", CONTACT_LOG_FAILURES}, {"none", CONTACT_LOG_NONE}};
    const char *word = opt_text(v, "log-contacts");

    *ret_level = CONTACT_LOG_ALL;
    if (!word) {
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].word, word) == 0) {
            *ret_level = rows[i].level;
            return EXIT_DONE;
        }
    }
    return usage_error("--log-contacts is all, failures or none, not '%s'", word);
}

static int take_threads(const struct opt_values *v, unsigned *ret_threads)
{
    const char *text = opt_text(v, "threads");
    char *end;

    if (!text) {
        return EXIT_DONE;
    }
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > THREADS_MAX) {
        return usage_error("--threads is a number from 0 (one per core) to %d, not '%s'",
                           THREADS_MAX, text);
    }
    *ret_threads = (unsigned)n;
    return EXIT_DONE;
}

/* Addresses are looked at before anything is made, so that a wrong one is wrong usage. */
static int check_addresses(const struct opt_values *v)
{
    static const struct {
        const char *name;
        int default_port;
    } rows[] = {{"modules", -1}, {"modules-tls", -1}, {"console", -1}, {"public", 80}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = opt_text(v, rows[i].name);
        struct address address;
        struct error e = {0};
        if (text && address_parse(text, rows[i].default_port, &address, &e) != ALOFT_ERR_OK) {
            return usage_error("--%s: %s", rows[i].name, e.sentence);
        }
    }
    if (opt_has(v, "cert") != opt_has(v, "key")) {
        return usage_error("--cert and --key belong together");
    }
    return EXIT_DONE;
}

static int run(const struct opt_values *v)
{
    struct error e = {0};
    struct serve_options o = {.data = opt_text(v, "data"),
                              .modules = opt_text(v, "modules"),
                              .modules_tls = opt_text(v, "modules-tls"),
                              .console = opt_text(v, "console"),
                              .public_address = opt_text(v, "public"),
                              .certificate = opt_text(v, "cert"),
                              .key = opt_text(v, "key")};
    int rc = take_log(v, &o.log_contacts);

    if (rc == EXIT_DONE) {
        rc = take_threads(v, &o.n_threads);
    }
    if (rc == EXIT_DONE) {
        rc = check_addresses(v);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    return serve(&o, &e) == ALOFT_ERR_OK ? EXIT_DONE : failure("%s", e.sentence);
}

/* clang-format off */
static const struct opt opts[] = {
    {OPT_VALUE, "data", "DIR", "Folder for all the server knows; made if missing.", true, false},
    {OPT_VALUE, "modules", "ADDR:PORT", "Modules, plain; default 0.0.0.0:80.", false, false},
    {OPT_VALUE, "modules-tls", "ADDR:PORT", "Modules, TLS; default 0.0.0.0:443.", false, false},
    {OPT_VALUE, "console", "ADDR:PORT", "REST for people and programs; default 127.0.0.1:8000.", false, false},
    {OPT_VALUE, "public", "HOST[:PORT]", "Where modules reach this server, for the text at start.", false, false},
    {OPT_VALUE, "cert", "FILE", "Certificate (PEM, chain behind it); default a self-signed one in DIR.", false, false},
    {OPT_VALUE, "key", "FILE", "Its private key (PEM).", false, false},
    {OPT_VALUE, "log-contacts", "WHICH", "all, failures or none; default all.", false, false},
    {OPT_VALUE, "threads", "N", "Of the module plane; default one per core.", false, false},
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_serve = {
    "serve",
    NULL,
    "Run the update server.",
    "A port 0 takes a free one; DIR/ports.json names the ports as long as the server is up.\n"
    "The first start makes the API token DIR/admin.token. SIGTERM stops it.",
    opts,
    run,
};
