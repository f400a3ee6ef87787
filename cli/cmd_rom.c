/* SPDX-License-Identifier: Apache-2.0 */

/* aloft rom: the releases of a product. */

#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "rom_word.h"
#include "table.h"

/* One request about a product's ROMs: the path behind the product. */
struct call {
    const char *method;
    const char *names[3]; /* behind the product; the rest NULL */
    json_t *body;         /* taken over */
};

static int run_call(const struct opt_values *v, struct call call, json_t **ret_answer)
{
    const char *names[] = {opt_text(v, "product"), call.names[0], call.names[1], call.names[2],
                           NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON body = call.body;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    return path ? client_call(client, call.method, path, body, ret_answer)
                : failure("out of memory");
}

static const char *state_of(const json_t *rom)
{
    if (json_is_true(json_object_get(rom, "withdrawn"))) {
        return "withdrawn";
    }
    return json_is_true(json_object_get(rom, "current")) ? "*" : "";
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
    table_add(table, (const char *const[]){client_text(rom, "version"), state_of(rom),
                                           client_text(rom, "life_cycle"),
                                           client_text(rom, "corename"), files});
}

static int run_ls(const struct opt_values *v)
{
    static const char *const headings[] = {"version",  "current", "life cycle",
                                           "corename", "files",   NULL};
    const char *names[] = {opt_text(v, "product"), "roms", NULL};
    AUTO_CLIENT client = NULL;
    AUTO_JSON roms = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path = client_path(client, names);
    rc = path ? client_list(client, path, "roms", &roms) : failure("out of memory");
    if (rc != EXIT_DONE) {
        return rc;
    }
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

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void print_one(const json_t *rom)
{
    size_t i;
    json_t *f;

    (void)printf("version     %s%s\ncorename    %s\nlife cycle  %s\nnote        %s\n",
                 client_text(rom, "version"),
                 json_is_true(json_object_get(rom, "current"))     ? " (current)"
                 : json_is_true(json_object_get(rom, "withdrawn")) ? " (withdrawn)"
                                                                   : "",
                 or_dash(client_text(rom, "corename")), client_text(rom, "life_cycle"),
                 or_dash(client_text(rom, "note")));
    json_array_foreach(json_object_get(rom, "files"), i, f)
    {
        (void)printf("file        %s, %" JSON_INTEGER_FORMAT " bytes, SHA-256 %s\n",
                     client_text(f, "name"), json_integer_value(json_object_get(f, "size_bytes")),
                     client_text(f, "sha256"));
        (void)fflush(stdout); /* what follows goes to stderr */
        rom_print_findings(client_text(f, "name"), f);
    }
}

static int run_show(const struct opt_values *v)
{
    AUTO_JSON rom = NULL;
    int rc = run_call(v, (struct call){"GET", {"roms", opt_text(v, "version"), NULL}, NULL}, &rom);

    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(rom);
    }
    print_one(rom);
    return EXIT_DONE;
}

/* Print the answer, or what it means for people. */
static int finish(const struct opt_values *v, int rc, const json_t *answer, const char *words)
{
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (opt_has(v, "json")) {
        return client_print_json(answer);
    }
    const char *version = client_text(answer, "version");
    if (version[0]) {
        (void)printf("%s %s %s\n", opt_text(v, "product"), version, words);
    } else {
        (void)printf("%s: no version is current now\n", opt_text(v, "product"));
    }
    return EXIT_DONE;
}

static int run_use(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    json_t *body = NULL;

    if (opt_has(v, "none") == opt_has(v, "version")) {
        return usage_error("which version? Name it with --version, or say --none");
    }
    if (opt_has(v, "version")) {
        body = json_pack("{s:s}", "version", opt_text(v, "version"));
        if (!body) {
            return failure("the values given are not valid UTF-8");
        }
    }
    int rc =
        run_call(v, (struct call){body ? "PUT" : "DELETE", {"current", NULL, NULL}, body}, &answer);
    return finish(v, rc, answer, "is current now");
}

static int run_back(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    int rc = run_call(v, (struct call){"POST", {"current", "back", NULL}, NULL}, &answer);

    return finish(v, rc, answer, "is current again");
}

static int run_withdraw(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    int rc = run_call(v, (struct call){"POST", {"roms", opt_text(v, "version"), "withdraw"}, NULL},
                      &answer);

    return finish(v, rc, answer, "is withdrawn: no module gets it");
}

static int run_restore(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    int rc = run_call(v, (struct call){"POST", {"roms", opt_text(v, "version"), "restore"}, NULL},
                      &answer);

    return finish(v, rc, answer, "is restored: modules get it");
}

static int run_rm(const struct opt_values *v)
{
    int rc =
        run_call(v, (struct call){"DELETE", {"roms", opt_text(v, "version"), NULL}, NULL}, NULL);

    if (rc == EXIT_DONE) {
        (void)printf("%s %s is removed\n", opt_text(v, "product"), opt_text(v, "version"));
    }
    return rc;
}

static int run_set(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    json_t *body = json_pack("{s:s*, s:s*, s:s*}", "corename", opt_text(v, "corename"),
                             "life_cycle", opt_text(v, "life-cycle"), "note", opt_text(v, "note"));

    if (!body) {
        return failure("the values given are not valid UTF-8");
    }
    if (json_object_size(body) == 0) {
        json_decref(body);
        return usage_error("what is to be changed? Give one of the options");
    }
    int rc =
        run_call(v, (struct call){"PATCH", {"roms", opt_text(v, "version"), NULL}, body}, &answer);
    return finish(v, rc, answer, "is changed");
}

/* clang-format off */
#define PRODUCT_OPT {OPT_VALUE, "product", "NAME", "Whose ROM.", true, false}
#define VERSION_OPT {OPT_VALUE, "version", "V", "Which one.", true, false}

static const struct opt product_opts[] = {
    PRODUCT_OPT,
    CLIENT_OPTS,
    OPT_END,
};

static const struct opt rom_opts[] = {
    PRODUCT_OPT,
    VERSION_OPT,
    CLIENT_OPTS,
    OPT_END,
};

static const struct opt use_opts[] = {
    PRODUCT_OPT,
    {OPT_VALUE, "version", "V", "The version modules get when they name none.", false, false},
    {OPT_FLAG, "none", NULL, "Let no version be current.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

static const struct opt set_opts[] = {
    PRODUCT_OPT,
    VERSION_OPT,
    {OPT_VALUE, "corename", "C", "Name of the core firmware, for people.", false, false},
    {OPT_VALUE, "life-cycle", "WORD", "As modules see it in their list.", false, false},
    {OPT_VALUE, "note", "TEXT", "What changed, for people.", false, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_rom_ls = {"rom", "ls", "List the ROMs of a product, the newest first.", NULL, product_opts, run_ls};
const struct cli_command cmd_rom_show = {"rom", "show", "Show one ROM with what the analyser said of its files.", NULL, rom_opts, run_show};
const struct cli_command cmd_rom_use = {"rom", "use", "Make a version the current one.", NULL, use_opts, run_use};
const struct cli_command cmd_rom_back = {"rom", "back", "Back to the version that was current before.", "Said again, it goes further back.", product_opts, run_back};
const struct cli_command cmd_rom_withdraw = {"rom", "withdraw", "Let no module get a version any more.", NULL, rom_opts, run_withdraw};
const struct cli_command cmd_rom_restore = {"rom", "restore", "Let modules get a withdrawn version again.", NULL, rom_opts, run_restore};
const struct cli_command cmd_rom_rm = {"rom", "rm", "Remove a ROM and its files.", NULL, rom_opts, run_rm};
const struct cli_command cmd_rom_set = {"rom", "set", "Change corename, life cycle or note of a ROM.", NULL, set_opts, run_set};
/* clang-format on */
