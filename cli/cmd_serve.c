/* SPDX-License-Identifier: Apache-2.0 */

/* aloft serve: the update server. Its options are the list of serve/settings.h. */

#include <unistd.h>

#include "commands.h"
#include "serve/serve.h"
#include "serve/settings.h"

#define FLAG_TEXT(field, flag, kind, meta, preset, when, help)       [SETTING_##field] = flag,
#define FLAG_NUMBER(field, flag, preset, min, max, unit, when, help) [SETTING_##field] = flag,
#define FLAG_WORD(field, flag, words, preset, when, help)            [SETTING_##field] = flag,
#define FLAG_NETWORKS(field, flag, when, help)                       [SETTING_##field] = flag,

static const char *const flags[SETTINGS_COUNT] = {
    SETTINGS(FLAG_TEXT, FLAG_NUMBER, FLAG_WORD, FLAG_NETWORKS)};

static int run(const struct opt_values *v)
{
    struct settings_sources sources = {.file = opt_text(v, "config"), .environment = environ};
    struct settings settings;
    struct error e = {0};

    if (opt_has(v, "print-manual")) {
        server_settings_print_manual(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        sources.flags[i] = opt_text(v, flags[i]);
    }
    if (server_settings_load(&sources, &settings, &e) != ALOFT_ERR_OK) {
        return usage_error("%s", e.sentence);
    }
    if (opt_has(v, "check-config")) {
        server_settings_print(&settings, stdout);
        return EXIT_DONE;
    }
    return serve(&sources, &settings, &e) == ALOFT_ERR_OK ? EXIT_DONE : failure("%s", e.sentence);
}

/* clang-format off */
#define OPT_TEXT(field, flag, kind, meta, preset, when, help)                                      \
    {OPT_VALUE, flag, meta, sizeof preset > 1 ? help " Default " preset "." : help, false, false},
#define OPT_NUMBER(field, flag, preset, min, max, unit, when, help)                                \
    {OPT_VALUE, flag, "N", help " " #min " to " #max " " unit "; default " #preset ".", false, false},
#define OPT_WORD(field, flag, words, preset, when, help)                                           \
    {OPT_VALUE, flag, words, help " Default " preset ".", false, false},
#define OPT_NETWORKS(field, flag, when, help)                                                      \
    {OPT_VALUE, flag, "NET,...", help, false, false},

static const struct opt opts[] = {
    {OPT_VALUE, "config", "FILE", "Settings from this file; default " SETTINGS_FILE_NAME " in the data folder.", false, false},
    {OPT_FLAG, "check-config", NULL, "Say what is wrong with the settings, or show them all, and end.", false, false},
    {OPT_FLAG, "print-manual", NULL, "Print the page on all settings, and end.", false, false},
    SETTINGS(OPT_TEXT, OPT_NUMBER, OPT_WORD, OPT_NETWORKS)
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_serve = {
    "serve",
    NULL,
    "Run the update server.",
    "Every option may also stand in the config file, as key = value with '_' for '-', or in the\n"
    "environment as ALOFT_KEY. A flag beats a variable, that the file, that the default.\n"
    "A port 0 takes a free one; DIR/ports.json names the ports as long as the server is up.\n"
    "The first start prints a set-up code for 'aloft join'. SIGHUP reads the settings and the\n"
    "certificate again. SIGTERM stops it when the downloads under way have ended; a second one at "
    "once.",
    opts,
    run,
};
