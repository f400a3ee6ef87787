/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_OPT_H
#define ALOFT_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One table per command gives parsing, usage and help. */

enum opt_kind {
    OPT_FLAG,       /**< `--use` */
    OPT_VALUE,      /**< `--server URL`, `--server=URL`, or `-o FILE` if the name has one letter. */
    OPT_POSITIONAL, /**< `NAME`; may be repeated when `is_list`. */
};

struct opt {
    enum opt_kind kind;
    const char *name; /**< `server`, `o`; for a positional only a key. */
    const char *meta; /**< `URL`: how help calls the value. NULL for a flag. */
    const char *help; /**< One line; says the default. */
    bool is_required;
    bool is_list; /**< May come several times. */
};

#define OPT_END                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct opt_values;

struct cli_command {
    const char *noun;                            /**< `rom`; or the whole command, `serve`. */
    const char *verb;                            /**< `deploy`; NULL if the noun stands alone. */
    const char *summary;                         /**< One line. */
    const char *details;                         /**< More help; NULL = none. */
    const struct opt *opts;                      /**< Ends with OPT_END. */
    int (*run)(const struct opt_values *values); /**< EXIT_DONE, EXIT_FAILED or EXIT_USAGE. */
};

/** Value of an option or positional; NULL if it was not given. Of a list, the first. */
const char *opt_text(const struct opt_values *v, const char *name);

bool opt_has(const struct opt_values *v, const char *name);

/** The i-th value of a list; NULL past the end. */
const char *opt_at(const struct opt_values *v, const char *name, size_t i);

/** How many values of list `other` stand on the command line before the i-th of list `name`. */
size_t opt_count_before(const struct opt_values *v, const char *name, size_t i, const char *other);

/** Print one specific line on stderr and give EXIT_USAGE: `return usage_error("...")`. */
__attribute__((format(printf, 1, 2))) int usage_error(const char *format, ...);

/** Print `aloft: ...` on stderr and give EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int failure(const char *format, ...);

/**
 * Parse the words behind the command's name and run it.
 * `--help` prints the command's page to stdout.
 */
int opt_run(const struct cli_command *command, int argc, char **argv);

/** The same, but what runs is `run` with the caller's `ctx`. */
typedef int opt_run_fn(const struct opt_values *values, void *ctx);
int opt_run_as(const struct cli_command *command, int argc, char **argv, opt_run_fn *run,
               void *ctx);

/** Help page of one command. */
void opt_help(const struct cli_command *command, FILE *out);

#endif
