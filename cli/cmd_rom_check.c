/* SPDX-License-Identifier: Apache-2.0 */

/* aloft rom check: what would the server say of a file? */

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "rom_word.h"
#include "table.h"

static char *make_target(struct client *client, const struct opt_values *v,
                         const struct rom_word *word)
{
    const char *names[] = {opt_text(v, "product"), "check", NULL};
    const char *version = opt_text(v, "version");
    AUTO_FREE char *path = client_path(client, names);
    AUTO_FREE char *name = client_escape(client, word->name);
    AUTO_FREE char *escaped = client_escape(client, version ? version : "");
    char *target = NULL;

    if (!path || !name || !escaped ||
        asprintf(&target, "%s?name=%s%s%s", path, name, version ? "&version=" : "", escaped) < 0) {
        return NULL;
    }
    return target;
}

/* Those that pass are only counted; `--json` has all. */
static int print_rows(const json_t *answer)
{
    static const char *const headings[] = {"row", "verdict", "code", "sentence", NULL};
    const json_t *findings = json_object_get(answer, "findings");
    struct table *table = table_new(headings);
    size_t n_pass = 0;
    size_t i;
    json_t *f;

    json_array_foreach(findings, i, f)
    {
        char row[16];
        if (strcmp(client_text(f, "verdict"), "pass") == 0) {
            n_pass++;
            continue;
        }
        (void)snprintf(row, sizeof row, "%d", (int)json_integer_value(json_object_get(f, "row")));
        table_add(table, (const char *const[]){row, client_text(f, "verdict"),
                                               client_text(f, "code"), client_text(f, "sentence")});
    }
    (void)printf("%zu of %zu rows pass\n", n_pass, json_array_size(findings));
    if (n_pass == json_array_size(findings)) {
        table_free(table);
        return EXIT_DONE;
    }
    return table_print(table, stdout) == 0 ? EXIT_DONE : failure("cannot print the table");
}

static int run_check(const struct opt_values *v)
{
    struct rom_word word;
    AUTO_CLIENT client = NULL;
    AUTO_JSON answer = NULL;
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    rom_split_word(opt_text(v, "file"), &word);
    AUTO_FREE char *target = make_target(client, v, &word);
    struct client_file file = {word.path, 0, word.name};
    rc = target ? client_upload(client, "POST", target, &file, &answer) : failure("out of memory");
    if (rc == EXIT_DONE) {
        rc = opt_has(v, "json") ? client_print_json(json_object_get(answer, "findings"))
                                : print_rows(answer);
    }
    return rc == EXIT_DONE && strcmp(client_text(answer, "verdict"), "refusal") == 0 ? EXIT_FAILED
                                                                                     : rc;
}

/* clang-format off */
static const struct opt check_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose modules would get it.", true, false},
    {OPT_VALUE, "version", "V", "The version it would be deployed as; default: not compared.", false, false},
    {OPT_POSITIONAL, "file", "[NAME.bin=]FILE", "ota.bin, or <user partition>.bin=FILE.", true, false},
    CLIENT_OPTS,
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_rom_check = {
    "rom",
    "check",
    "Vet a file without keeping it.",
    "Ends with 1 if modules of the product would not take it.",
    check_opts,
    run_check,
};
