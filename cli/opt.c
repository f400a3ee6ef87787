/* SPDX-License-Identifier: Apache-2.0 */
#include "opt.h"

#include <stdarg.h>
#include <string.h>

#include "screen.h"

#define GIVEN_MAX    160 /* `aloft module`: 48 access points, each described */
#define LEFT_COLUMNS 26  /* of a help page: the options */
#define HELP_COLUMN  30
#define PAGE_WIDTH   96

struct given {
    const struct opt *opt;
    const char *value;
};

struct opt_values {
    struct given items[GIVEN_MAX];
    size_t n_items;
};

__attribute__((format(printf, 1, 0))) static void print_error(const char *format, va_list args)
{
    (void)fputs("aloft: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
}

int usage_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_error(format, args);
    va_end(args);
    return EXIT_USAGE;
}

int failure(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_error(format, args);
    va_end(args);
    return EXIT_FAILED;
}

/* Where the i-th value of an option stands; `n_items` past the end. */
static size_t find_given(const struct opt_values *v, const char *name, size_t i)
{
    size_t k = 0;

    while (k < v->n_items && (strcmp(v->items[k].opt->name, name) != 0 || i-- > 0)) {
        k++;
    }
    return k;
}

const char *opt_at(const struct opt_values *v, const char *name, size_t i)
{
    size_t k = find_given(v, name, i);

    return k < v->n_items ? v->items[k].value : NULL;
}

size_t opt_count_before(const struct opt_values *v, const char *name, size_t i, const char *other)
{
    size_t end = find_given(v, name, i);
    size_t n = 0;

    for (size_t k = 0; k < end; k++) {
        n += strcmp(v->items[k].opt->name, other) == 0 ? 1 : 0;
    }
    return n;
}

const char *opt_text(const struct opt_values *v, const char *name)
{
    return opt_at(v, name, 0);
}

bool opt_has(const struct opt_values *v, const char *name)
{
    return opt_at(v, name, 0) != NULL;
}

static const char *dashes(const struct opt *o)
{
    return o->name[1] == '\0' ? "-" : "--";
}

/* What must be there; the rest is on the command's page. */
static void print_synopsis(const struct cli_command *c, FILE *out)
{
    bool has_more = false;

    (void)fprintf(out, "usage: aloft %s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
    for (const struct opt *o = c->opts; o->name; o++) {
        const char *dots = o->is_list ? "..." : "";
        if (o->kind == OPT_POSITIONAL) {
            (void)fprintf(out, o->is_required ? " %s%s" : " [%s]%s", o->meta, dots);
        } else if (o->is_required) {
            (void)fprintf(out, " %s%s %s%s", dashes(o), o->name, o->meta, dots);
        } else {
            has_more = true;
        }
    }
    (void)fprintf(out, "%s\n", has_more ? " [OPTION...]" : "");
}

static void print_option(const char *left, const char *help, FILE *out, size_t width)
{
    if (strlen(left) > LEFT_COLUMNS) {
        (void)fprintf(out, "  %s\n  %-*s  ", left, LEFT_COLUMNS, "");
    } else {
        (void)fprintf(out, "  %-*s  ", LEFT_COLUMNS, left);
    }
    screen_wrap(out, help, HELP_COLUMN, HELP_COLUMN, width);
}

void opt_help(const struct cli_command *c, FILE *out)
{
    size_t width = screen_width(out, PAGE_WIDTH);

    width = width < PAGE_WIDTH ? width : PAGE_WIDTH;
    print_synopsis(c, out);
    (void)fputc('\n', out);
    screen_wrap(out, c->summary, 0, 0, width);
    (void)fputc('\n', out);
    for (const struct opt *o = c->opts; o->name; o++) {
        char left[80];
        const char *prefix = o->kind == OPT_POSITIONAL ? "" : dashes(o);
        const char *name = o->kind == OPT_POSITIONAL ? "" : o->name;
        (void)snprintf(left, sizeof left, "%s%s%s%s", prefix, name, *name && o->meta ? " " : "",
                       o->meta ? o->meta : "");
        print_option(left, o->help, out, width);
    }
    print_option("--help", "This page.", out, width);
    if (c->details) {
        (void)fprintf(out, "\n%s\n", c->details);
    }
}

static const struct opt *find_option(const struct cli_command *c, const char *name, size_t len)
{
    for (const struct opt *o = c->opts; o->name; o++) {
        if (o->kind != OPT_POSITIONAL && strlen(o->name) == len &&
            strncmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

/* The positional a further bare word belongs to: the first not given yet, or a list. */
static const struct opt *next_positional(const struct cli_command *c, const struct opt_values *v)
{
    for (const struct opt *o = c->opts; o->name; o++) {
        if (o->kind == OPT_POSITIONAL && (o->is_list || !opt_has(v, o->name))) {
            return o;
        }
    }
    return NULL;
}

static int add(struct opt_values *v, const struct opt *o, const char *value)
{
    if (v->n_items == GIVEN_MAX) {
        return usage_error("too many options");
    }
    if (!o->is_list && opt_has(v, o->name)) {
        return usage_error("%s%s is given twice", dashes(o), o->name);
    }
    v->items[v->n_items++] = (struct given){o, value};
    return EXIT_DONE;
}

/* Takes argv[*i], and the word behind it if the option needs one. */
static int take_option(const struct cli_command *c, struct opt_values *v, int argc, char **argv,
                       int *i)
{
    const char *word = argv[*i];
    const char *name = word + (word[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    const struct opt *o = find_option(c, name, len);

    if (!o || (len == 1) != (word[1] != '-')) {
        return usage_error("unknown option '%s'", word);
    }
    if (o->kind == OPT_FLAG) {
        return name[len] == '=' ? usage_error("--%s takes no value", o->name) : add(v, o, "");
    }
    if (name[len] == '=') {
        return add(v, o, name + len + 1);
    }
    if (*i + 1 >= argc) {
        return usage_error("%s%s needs a value (%s)", dashes(o), o->name, o->meta);
    }
    return add(v, o, argv[++*i]);
}

static int parse(const struct cli_command *c, int argc, char **argv, struct opt_values *v)
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        int rc;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            rc = take_option(c, v, argc, argv, &i);
        } else {
            const struct opt *o = next_positional(c, v);
            rc = o ? add(v, o, argv[i]) : usage_error("unexpected '%s'", argv[i]);
        }
        if (rc != EXIT_DONE) {
            return rc;
        }
    }
    for (const struct opt *o = c->opts; o->name; o++) {
        if (o->is_required && !opt_has(v, o->name)) {
            return o->kind == OPT_POSITIONAL
                       ? usage_error("%s is missing", o->meta)
                       : usage_error("%s%s %s is missing", dashes(o), o->name, o->meta);
        }
    }
    return EXIT_DONE;
}

/* @return False: there is nothing to run, `*ret_rc` is the exit code. */
static bool take_words(const struct cli_command *command, int argc, char **argv,
                       struct opt_values *ret_values, int *ret_rc)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            break;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            opt_help(command, stdout);
            *ret_rc = EXIT_DONE;
            return false;
        }
    }
    *ret_rc = parse(command, argc, argv, ret_values);
    if (*ret_rc != EXIT_DONE) {
        print_synopsis(command, stderr);
        (void)fprintf(stderr, "'aloft %s%s%s --help' lists the options.\n", command->noun,
                      command->verb ? " " : "", command->verb ? command->verb : "");
    }
    return *ret_rc == EXIT_DONE;
}

int opt_run(const struct cli_command *command, int argc, char **argv)
{
    struct opt_values values = {0};
    int rc;

    return take_words(command, argc, argv, &values, &rc) ? command->run(&values) : rc;
}

int opt_run_as(const struct cli_command *command, int argc, char **argv, opt_run_fn *run, void *ctx)
{
    struct opt_values values = {0};
    int rc;

    return take_words(command, argc, argv, &values, &rc) ? run(&values, ctx) : rc;
}
