/* SPDX-License-Identifier: Apache-2.0 */

/* aloft status: the server that runs on a data folder of this machine. */

#include "client.h"
#include "commands.h"
#include "control_client.h"

static int run(const struct opt_values *v)
{
    AUTO_JSON answer = NULL;
    struct error e = {0};

    if (control_call(opt_text(v, "data"), json_pack("{s:s}", "command", "status"), &answer, &e) !=
        ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    if (opt_has(v, "json")) {
        return client_print_json(answer);
    }
    return client_print_fields(answer);
}

/* clang-format off */
static const struct opt opts[] = {
    {OPT_VALUE, "data", "DIR", "Its data folder.", true, false},
    {OPT_FLAG, "json", NULL, "Print JSON.", false, false},
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_status = {
    "status",
    NULL,
    "Show the server that runs on a data folder of this machine.",
    "Ends with 1 if none runs there, or if it is another user's.",
    opts,
    run,
};
