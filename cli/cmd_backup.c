/* SPDX-License-Identifier: Apache-2.0 */

/* aloft backup, aloft restore: a data folder as one file, and back. */

#include <inttypes.h>
#include <unistd.h>

#include "backup/backup.h"
#include "commands.h"
#include "host/clock.h"

#define NOTE_EVERY_MS 200
#define MIB           (1024.0 * 1024.0)

static void print_progress(void *ctx, uint64_t n_files, uint64_t n_bytes)
{
    uint64_t *last_ms = ctx;
    uint64_t now = clock_monotonic_ms();

    if (now - *last_ms >= NOTE_EVERY_MS) {
        *last_ms = now;
        (void)fprintf(stderr, "\r%" PRIu64 " files, %.1f MiB", n_files, (double)n_bytes / MIB);
    }
}

typedef enum aloft_err backup_fn(const char *from, const char *to,
                                 const struct backup_progress *progress, struct error *e);

/* People at a terminal see how far it is; timers and scripts hear of failures only.
 * @param next  The command that takes `to` then. */
static int run_job(backup_fn *job, const char *from, const char *to, const char *next)
{
    uint64_t last_ms = clock_monotonic_ms();
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    struct backup_progress progress = {is_terminal ? print_progress : NULL, &last_ms};
    struct error e = {0};
    enum aloft_err err = job(from, to, &progress, &e);

    if (is_terminal) {
        (void)fputs("\r\033[K", stderr);
    }
    if (err != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    if (is_terminal) {
        (void)fprintf(stderr, "%s is ready: '%s %s'\n", to, next, to);
    }
    return EXIT_DONE;
}

static int run_backup(const struct opt_values *v)
{
    return run_job(backup_make, opt_text(v, "data"), opt_text(v, "file"),
                   "aloft restore --data NEW-DIR");
}

static int run_restore(const struct opt_values *v)
{
    return run_job(backup_restore, opt_text(v, "file"), opt_text(v, "data"), "aloft serve --data");
}

/* clang-format off */
static const struct opt backup_opts[] = {
    {OPT_VALUE, "data", "DIR", "The data folder; a server may run on it.", true, false},
    {OPT_POSITIONAL, "file", "FILE", "The backup; must not be there.", true, false},
    OPT_END,
};

static const struct opt restore_opts[] = {
    {OPT_VALUE, "data", "DIR", "The data folder to make; must be empty or not there.", true, false},
    {OPT_POSITIONAL, "file", "FILE", "A backup.", true, false},
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_backup = {
    "backup",
    NULL,
    "Write all a server knows into one file, while it runs.",
    "The file holds the private key of the module plane: keep it as safe as the data folder.",
    backup_opts,
    run_backup,
};

const struct cli_command cmd_restore = {
    "restore",
    NULL,
    "Make a data folder of a backup.",
    "Everything is checked before the folder appears under its name.",
    restore_opts,
    run_restore,
};
