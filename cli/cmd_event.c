/* SPDX-License-Identifier: Apache-2.0 */

/* aloft event: what happens, as it happens. */

#include "client.h"
#include "commands.h"
#include "event_watch.h"

static int run_watch(const struct opt_values *v)
{
    return event_watch(v, opt_text(v, "kinds"));
}

static const struct opt watch_opts[] = {
    {OPT_VALUE, "product", "NAME", "Of this product; default all.", false, false},
    {OPT_VALUE, "kinds", "LIST", "With commas between: attempt.*,rom.deployed; default all.", false,
     false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_event_watch = {
    "event",
    "watch",
    "Show what happens: attempts, and changes by people.",
    "One line per event, or one JSON object with --json. It runs until it is stopped.",
    watch_opts,
    run_watch,
};
