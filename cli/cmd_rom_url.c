/* SPDX-License-Identifier: Apache-2.0 */

/* aloft rom url: links to files, for AT+USEROTA. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "rom_word.h"
#include "table.h"

#define HOURS_DEFAULT 168
#define MS_PER_S      1000

static int read_hours(const struct opt_values *v, long *ret_hours)
{
    const char *text = opt_text(v, "hours");
    char *end = NULL;

    *ret_hours = HOURS_DEFAULT;
    if (!text) {
        return EXIT_DONE;
    }
    errno = 0;
    *ret_hours = strtol(text, &end, 10);
    return *end || end == text || errno != 0 ? usage_error("--hours takes a number, not '%s'", text)
                                             : EXIT_DONE;
}

static int make_link(const struct opt_values *v, struct client *client, json_t **ret_link)
{
    const char *file = opt_text(v, "file");
    const char *names[] = {opt_text(v, "product"),
                           "roms",
                           opt_text(v, "version"),
                           "files",
                           file ? file : ROM_APP_FILE,
                           "links",
                           NULL};
    AUTO_FREE char *path = client_path(client, names);
    long hours;
    int rc = read_hours(v, &hours);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_JSON body = opt_has(v, "public") ? json_pack("{s:b}", "public", true)
                                          : json_pack("{s:I}", "expires_hours", (json_int_t)hours);
    return path && body ? client_call(client, "POST", path, body, ret_link)
                        : failure("out of memory");
}

static bool is_only_here(const char *url)
{
    return strstr(url, "//127.") || strstr(url, "//localhost") || strstr(url, "//[::1]");
}

static int run_url(const struct opt_values *v)
{
    bool is_tls = opt_has(v, "tls");
    AUTO_CLIENT client = NULL;
    AUTO_JSON link = NULL;
    int rc = client_open(v, &client);

    if (rc == EXIT_DONE) {
        rc = make_link(v, client, &link);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    const char *url = client_text(link, is_tls ? "url_tls" : "url");
    if (is_only_here(url)) {
        (void)fprintf(stderr, "aloft: this URL is good on this machine only; tell the server its "
                              "address with 'aloft serve --public HOST'\n");
    }
    if (opt_has(v, "json")) {
        return client_print_json(link);
    }
    (void)printf("%s\n%s\n", url, client_text(link, is_tls ? "at_command_tls" : "at_command"));
    return EXIT_DONE;
}

static void end_text(const json_t *link, char *buf, size_t cap)
{
    const json_t *expires_ms = json_object_get(link, "expires_ms");
    time_t seconds = (time_t)(json_integer_value(expires_ms) / MS_PER_S);
    struct tm t;

    if (!json_is_integer(expires_ms)) {
        (void)snprintf(buf, cap, "never");
    } else if (!gmtime_r(&seconds, &t) || strftime(buf, cap, "%Y-%m-%d %H:%M:%S UTC", &t) == 0) {
        (void)snprintf(buf, cap, "?");
    }
}

static int run_url_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"link", "version", "file", "url", "ends", NULL};
    const char *names[] = {opt_text(v, "product"), "links", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON links = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    rc = path ? client_list(client, path, "links", &links) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(links);
    }
    struct table *table = table_new(headings);
    size_t i;
    json_t *link;
    json_array_foreach(links, i, link)
    {
        char ends[64];
        end_text(link, ends, sizeof ends);
        table_add(table,
                  (const char *const[]){client_text(link, "short"), client_text(link, "version"),
                                        client_text(link, "file"), client_text(link, "url"), ends});
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_url_rm(const struct opt_values *v)
{
    const char *names[] = {opt_text(v, "product"), "links", opt_text(v, "link"), NULL};
    AUTO_CLIENT client = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    rc = path ? client_call(client, "DELETE", path, NULL, NULL) : failure("out of memory");
    if (rc == EXIT_DONE) {
        (void)printf("link %s of %s is removed\n", opt_text(v, "link"), opt_text(v, "product"));
    }
    return rc;
}

/* clang-format off */
static const struct opt url_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose ROM.", true, false},
    {OPT_VALUE, "version", "V", "Which one.", true, false},
    {OPT_VALUE, "hours", "N", "The link is good for so long; default 168, a week.", false, false},
    {OPT_FLAG, "public", NULL, "The link is good until it is removed.", false, false},
    {OPT_FLAG, "tls", NULL, "The module is to use TLS.", false, false},
    {OPT_POSITIONAL, "file", "FILE", "Its name in the ROM; default ota.bin.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

static const struct opt url_ls_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose links.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

static const struct opt url_rm_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose link.", true, false},
    {OPT_POSITIONAL, "link", "LINK", "As 'aloft rom url-ls' shows it.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_rom_url = {
    "rom", "url", "Make a link to a file, for AT+USEROTA.",
    "Prints the URL and the command to give the module; send the URL when the module asks for it\n"
    "with '>', without a line end. Who knows the link gets the file.",
    url_opts, run_url};
const struct cli_command cmd_rom_url_ls = {"rom", "url-ls", "List the links of a product.", NULL, url_ls_opts, run_url_ls};
const struct cli_command cmd_rom_url_rm = {"rom", "url-rm", "Remove a link.", NULL, url_rm_opts, run_url_rm};
/* clang-format on */
