/* SPDX-License-Identifier: Apache-2.0 */

/* aloft: common options and the command table. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "screen.h"

#define VERBS_BYTES  160
#define TOPIC_COLUMN 13
#define VERB_COLUMNS 12
#define PAGE_WIDTH   96

#define CLI_POINTER(name) &name,
static const struct cli_command *const commands[] = {CLI_COMMANDS(CLI_POINTER) NULL};
#undef CLI_POINTER

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

/* `aloft --help`: what there is, by what somebody wants to do. */
static const struct topic {
    const char *heading; /* NULL = under the one before */
    const char *noun;
    const char *about; /* NULL = the command's own summary */
} topics[] = {
    {"Run a server, on its own machine:", "serve", NULL},
    {NULL, "status", NULL},
    {NULL, "backup", NULL},
    {NULL, "restore", NULL},
    {"Who you are, and who may do what:", "join", NULL},
    {NULL, "login", NULL},
    {NULL, "logout", NULL},
    {NULL, "account", "People"},
    {NULL, "api-token", "Programs"},
    {NULL, "audit", "Who changed what"},
    {"What you ship:", "product", "Kinds of things"},
    {NULL, "rom", "Versions for their modules"},
    {NULL, "device", "The units in the field"},
    {NULL, "attempt", "How upgrades went, and why"},
    {NULL, "event", "What happens, as it happens"},
    {NULL, "webhook", "Events sent to other programs"},
    {"Without hardware:", "module", NULL},
    {NULL, "image", "Files for modules"},
};

static void print_topic(const struct topic *t, size_t width, FILE *out)
{
    char verbs[VERBS_BYTES];
    char text[VERBS_BYTES + 64];
    const struct cli_command *alone = find(t->noun, NULL);

    list_verbs(t->noun, verbs, sizeof verbs);
    (void)snprintf(text, sizeof text, "%s: %s", t->about ? t->about : "", verbs);
    (void)fprintf(out, "  %-*s", TOPIC_COLUMN - 2, t->noun);
    screen_wrap(out, alone ? alone->summary : text, TOPIC_COLUMN, TOPIC_COLUMN, width);
}

static void print_overview(FILE *out)
{
    size_t width = screen_width(out, PAGE_WIDTH);

    width = width < PAGE_WIDTH ? width : PAGE_WIDTH;
    (void)fputs("aloft: over-the-air upgrades for ESP-AT modules\n", out);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (topics[i].heading) {
            (void)fprintf(out, "\n%s\n", topics[i].heading);
        }
        print_topic(&topics[i], width, out);
    }
    (void)fputs("\n'aloft COMMAND --help' explains one, 'aloft product --help' lists those of "
                "products.\n"
                "Every command ends with 0 when it is done, 1 when it failed, 2 when it was called "
                "wrongly.\n",
                out);
}

/* `aloft product --help`. */
static int print_verbs(const char *noun)
{
    for (const struct cli_command *const *c = commands; *c; c++) {
        if (strcmp((*c)->noun, noun) == 0) {
            (void)printf("  aloft %s %-*s  %s\n", noun, VERB_COLUMNS, (*c)->verb, (*c)->summary);
        }
    }
    (void)printf("\n'aloft %s COMMAND --help' explains one.\n", noun);
    return EXIT_DONE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* There is no such command, or only the first word of one. */
static int explain(const char *noun, const char *verb)
{
    char verbs[VERBS_BYTES];

    list_verbs(noun, verbs, sizeof verbs);
    if (!verbs[0]) {
        return usage_error("there is no command '%s'; 'aloft --help' lists them", noun);
    }
    if (verb && is_help(verb)) {
        return print_verbs(noun);
    }
    return verb && verb[0] != '-'
               ? usage_error("there is no 'aloft %s %s'; there are: %s", noun, verb, verbs)
               : usage_error("'aloft %s' goes on with one of: %s", noun, verbs);
}

/* `aloft help [COMMAND]` */
static int help(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : NULL;

    if (argc == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const struct cli_command *command = find(argv[0], verb);
    if (!command) {
        return explain(argv[0], verb ? verb : "--help");
    }
    opt_help(command, stdout);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (is_help(argv[1])) {
        return help(argc - 2, argv + 2);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("aloft " ALOFT_PROGRAM_VERSION);
        return EXIT_DONE;
    }
    const char *verb = argc > 2 ? argv[2] : NULL;
    const struct cli_command *command = find(argv[1], verb);
    if (!command) {
        return explain(argv[1], verb);
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
        /* `aloft device ls | head` has read enough: nothing to complain about. */
        rc = errno == EPIPE ? EXIT_FAILED : failure("cannot write to standard output");
    }
    return rc;
}
