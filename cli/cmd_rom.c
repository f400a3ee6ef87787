/* SPDX-License-Identifier: Apache-2.0 */

/* aloft rom: the releases of a product. */

#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "store/roms.h"
#include "table.h"

#define APP_FILE    "ota.bin"
#define FILE_SUFFIX ".bin"

/* One FILE word of the command line, and its upload once that is there. */
struct part {
    char name[ALOFT_FILE_NAME_MAX + 1];
    const char *path;
    char upload[UPLOAD_ID_CHARS + 1]; /* empty = none (left) */
};

struct deployment {
    const struct opt_values *v;
    struct client *client;
    struct part parts[ROM_FILES_MAX];
    size_t n_parts;
};

/* `mfg_nvs.bin=path`, or only a path: then it is the app. A path may hold a `=` of its own. */
static void split_word(const char *word, struct part *ret_part)
{
    size_t len = strcspn(word, "=");

    (void)snprintf(ret_part->name, sizeof ret_part->name, APP_FILE);
    ret_part->path = word;
    if (word[len] == '=' && len < sizeof ret_part->name && len > strlen(FILE_SUFFIX) &&
        !memchr(word, '/', len) &&
        memcmp(word + len - strlen(FILE_SUFFIX), FILE_SUFFIX, strlen(FILE_SUFFIX)) == 0) {
        (void)snprintf(ret_part->name, sizeof ret_part->name, "%.*s", (int)len, word);
        ret_part->path = word + len + 1;
    }
}

static int take_parts(struct deployment *d)
{
    const char *word;

    for (size_t i = 0; (word = opt_at(d->v, "file", i)) != NULL; i++) {
        if (i == ROM_FILES_MAX) {
            return usage_error("a ROM has up to %d files", ROM_FILES_MAX);
        }
        split_word(word, &d->parts[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(d->parts[k].name, d->parts[i].name) == 0) {
                return usage_error("%s is given twice; name the other file with NAME.bin=FILE",
                                   d->parts[i].name);
            }
        }
        d->n_parts = i + 1;
    }
    return EXIT_DONE;
}

static void print_findings(const struct part *part, const json_t *answer)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(answer, "findings"), i, f)
    {
        if (strcmp(client_text(f, "verdict"), "pass") != 0) {
            (void)fprintf(stderr, "%s: %s: %s (%s)\n", part->name, client_text(f, "verdict"),
                          client_text(f, "sentence"), client_text(f, "code"));
        }
    }
}

static int upload(struct deployment *d, struct part *part)
{
    AUTO_FREE char *target = NULL;
    AUTO_JSON answer = NULL;
    const char *names[] = {opt_text(d->v, "product"), "uploads", NULL};
    AUTO_FREE char *path = client_path(d->client, names);
    AUTO_FREE char *version = client_escape(d->client, opt_text(d->v, "version"));
    AUTO_FREE char *name = client_escape(d->client, part->name);

    if (!path || !version || !name ||
        asprintf(&target, "%s?name=%s&version=%s", path, name, version) < 0) {
        return failure("out of memory");
    }
    int rc = client_upload(d->client, target, part->path, part->name, &answer);
    if (rc == EXIT_DONE) {
        (void)snprintf(part->upload, sizeof part->upload, "%s", client_text(answer, "upload"));
        print_findings(part, answer);
    }
    return rc;
}

/* What the ROM did not come to use. Those that cannot be removed now expire. */
static void remove_uploads(struct deployment *d)
{
    for (size_t i = 0; i < d->n_parts; i++) {
        if (d->parts[i].upload[0]) {
            const char *names[] = {opt_text(d->v, "product"), "uploads", d->parts[i].upload, NULL};
            AUTO_FREE char *path = client_path(d->client, names);
            if (path) {
                (void)client_call(d->client, "DELETE", path, NULL, NULL);
            }
        }
    }
}

static int make_rom(struct deployment *d, json_t **ret_rom)
{
    const char *names[] = {opt_text(d->v, "product"), "roms", NULL};
    AUTO_FREE char *path = client_path(d->client, names);
    AUTO_JSON body = json_pack("{s:s, s:s*, s:s*, s:b, s:[]}", "version", opt_text(d->v, "version"),
                               "corename", opt_text(d->v, "corename"), "life_cycle",
                               opt_text(d->v, "life-cycle"), "use", opt_has(d->v, "use"), "files");

    if (!path || !body) {
        return failure("the values given are not valid UTF-8");
    }
    for (size_t i = 0; i < d->n_parts; i++) {
        (void)json_array_append_new(
            json_object_get(body, "files"),
            json_pack("{s:s, s:s}", "name", d->parts[i].name, "upload", d->parts[i].upload));
    }
    return client_call(d->client, "POST", path, body, ret_rom);
}

static int print_rom(const struct deployment *d, const json_t *rom)
{
    const char *product = opt_text(d->v, "product");
    const char *version = client_text(rom, "version");

    if (opt_has(d->v, "json")) {
        return client_print_json(rom);
    }
    (void)printf("%s %s deployed, %zu file%s%s\n", product, version, d->n_parts,
                 d->n_parts == 1 ? "" : "s", opt_has(d->v, "use") ? ", current now" : "");
    if (!opt_has(d->v, "use")) {
        (void)fprintf(stderr,
                      "modules that name no version do not get it yet; make it current with\n"
                      "  aloft rom use --product %s --version %s\n",
                      product, version);
    }
    return EXIT_DONE;
}

static int run_deploy(const struct opt_values *v)
{
    struct deployment d = {.v = v};
    AUTO_CLIENT client = NULL;
    AUTO_JSON rom = NULL;
    int rc = take_parts(&d);

    if (rc == EXIT_DONE) {
        rc = client_open(v, &client);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    d.client = client;
    for (size_t i = 0; rc == EXIT_DONE && i < d.n_parts; i++) {
        rc = upload(&d, &d.parts[i]);
    }
    if (rc == EXIT_DONE) {
        rc = make_rom(&d, &rom);
    }
    if (rc != EXIT_DONE) {
        remove_uploads(&d);
        return rc;
    }
    return print_rom(&d, rom);
}

static void add_rom(struct table *table, const json_t *rom)
{
    char files[256] = "";
    size_t used = 0;
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(rom, "files"), i, f)
    {
        int n =
            snprintf(files + used, sizeof files - used, "%s%s %" JSON_INTEGER_FORMAT, i ? ", " : "",
                     client_text(f, "name"), json_integer_value(json_object_get(f, "size_bytes")));
        used = n > 0 && (size_t)n < sizeof files - used ? used + (size_t)n : sizeof files - 1;
    }
    table_add(table, (const char *const[]){client_text(rom, "version"),
                                           json_is_true(json_object_get(rom, "current")) ? "*" : "",
                                           client_text(rom, "life_cycle"),
                                           client_text(rom, "corename"), files});
}

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"version",  "current", "life cycle",
                                           "corename", "files",   NULL};
    const char *names[] = {opt_text(v, "product"), "roms", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON answer = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    rc = path ? client_call(client, "GET", path, NULL, &answer) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
    const json_t *roms = json_object_get(answer, "roms");
    if (opt_has(v, "json")) {
        return client_print_json(roms);
    }
    struct table *table = table_new(headings);
    size_t i;
    json_t *rom;
    json_array_foreach(roms, i, rom)
    {
        add_rom(table, rom);
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_use(const struct opt_values *v)
{
    const char *names[] = {opt_text(v, "product"), "current", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON answer = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    AUTO_JSON body = json_pack("{s:s}", "version", opt_text(v, "version"));
    if (!path || !body) {
        return failure("the values given are not valid UTF-8");
    }
    rc = client_call(client, "PUT", path, body, &answer);
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(answer);
    }
    (void)printf("%s %s is current now\n", names[0], client_text(answer, "version"));
    return EXIT_DONE;
}

/* clang-format off */
static const struct opt deploy_opts[] = {
    {OPT_VALUE, "product", "NAME", "The product it is a release of.", true, false},
    {OPT_VALUE, "version", "V", "Letters, digits, dots, dashes, underscores.", true, false},
    {OPT_VALUE, "corename", "C", "Name of the core firmware, for people; default none.", false, false},
    {OPT_VALUE, "life-cycle", "WORD", "As modules see it in their list; default release.", false, false},
    {OPT_FLAG, "use", NULL, "Make it current at once.", false, false},
    {OPT_POSITIONAL, "file", "[NAME.bin=]FILE", "ota.bin, or <user partition>.bin=FILE; up to 10.", true, true},
    CLIENT_OPTS,
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_rom_deploy = {
    "rom",
    "deploy",
    "Bring a new version to the server.",
    "Each file is vetted against the product's layout while it is sent. The ROM is there with all\n"
    "its files, or not at all.",
    deploy_opts,
    run_deploy,
};

static const struct opt ls_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose ROMs.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_rom_ls = {
    "rom", "ls", "List the ROMs of a product, the newest first.", NULL, ls_opts, run_ls,
};

static const struct opt use_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose ROM.", true, false},
    {OPT_VALUE, "version", "V", "The version modules get when they name none.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_rom_use = {
    "rom", "use", "Make a version the current one.", NULL, use_opts, run_use,
};
