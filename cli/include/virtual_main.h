/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_VIRTUAL_MAIN_H
#define ALOFT_CLI_VIRTUAL_MAIN_H

struct aloft_module_config;

/**
 * The main() of a program that is `aloft module` with a configuration of its own: the same options
 * (--help lists them), without the word `module`.
 *
 * @param customize  Called at every boot with the configuration the options made; changes it.
 *                   What it puts in there stays the caller's and must live until the end.
 * @param ctx        Handed to `customize` unchanged.
 * @return The exit code: 0 ended as asked, 1 failed, 2 wrong usage.
 */
int virtual_main(int argc, char **argv,
                 void (*customize)(struct aloft_module_config *config, void *ctx), void *ctx);

#endif
