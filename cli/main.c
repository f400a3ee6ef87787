/* SPDX-License-Identifier: Apache-2.0 */

/* aloft: common options and the command table. */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

#define VERBS_BYTES 128

#define CLI_POINTER(name) &name,
static const struct cli_command *const commands[] = {CLI_COMMANDS(CLI_POINTER) NULL};
#undef CLI_POINTER

static void print_overview(FILE *out)
{
    (void)fputs("aloft: over-the-air upgrades for ESP-AT modules\n\ncommands:\n", out);
    for (const struct cli_command *const *c = commands; *c; c++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s%s%s", (*c)->noun, (*c)->verb ? " " : "",
                       (*c)->verb ? (*c)->verb : "");
        (void)fprintf(out, "  %-20s  %s\n", name, (*c)->summary);
    }
    (void)fputs("\n'aloft COMMAND --help' explains one.\n", out);
}

/* "deploy, ls, use"; empty if there is no such noun. */
static void list_verbs(const char *noun, char *out, size_t cap)
{
    size_t n = 0;

    out[0] = '\0';
    for (const struct cli_command *const *c = commands; *c && n < cap; c++) {
        if (strcmp((*c)->noun, noun) == 0 && (*c)->verb) {
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", (*c)->verb);
        }
    }
}

static const struct cli_command *find(const char *noun, const char *verb)
{
    for (const struct cli_command *const *c = commands; *c; c++) {
        if (strcmp((*c)->noun, noun) == 0 &&
            (!(*c)->verb || (verb && strcmp((*c)->verb, verb) == 0))) {
            return *c;
        }
    }
    return NULL;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("aloft " ALOFT_PROGRAM_VERSION);
        return EXIT_DONE;
    }
    const struct cli_command *command = find(argv[1], argc > 2 ? argv[2] : NULL);
    if (!command) {
        char verbs[VERBS_BYTES];
        list_verbs(argv[1], verbs, sizeof verbs);
        return verbs[0] ? usage_error("'aloft %s' goes on with one of: %s", argv[1], verbs)
                        : usage_error("unknown command '%s'; 'aloft --help' lists them", argv[1]);
    }
    int skip = command->verb ? 3 : 2;
    return opt_run(command, argc - skip, argv + skip);
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a closed peer is an error code, not the end */
    int rc = run(argc, argv);
    bool is_written = fflush(stdout) == 0 && !ferror(stdout);
    if (rc == EXIT_DONE && !is_written) {
        rc = failure("cannot write to standard output");
    }
    return rc;
}
