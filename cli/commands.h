/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_COMMANDS_H
#define ALOFT_CLI_COMMANDS_H

#include "opt.h"

/* Every command, in the order of help. One entry each; defined in cmd_<noun>.c. */
/* clang-format off */
#define CLI_COMMANDS(X)                                                                            \
    X(cmd_serve)                                                                                   \
    X(cmd_join)                                                                                    \
    X(cmd_login)                                                                                   \
    X(cmd_logout)                                                                                  \
    X(cmd_status)                                                                                  \
    X(cmd_backup)                                                                                  \
    X(cmd_restore)                                                                                 \
    X(cmd_account_ls)                                                                              \
    X(cmd_account_invite)                                                                          \
    X(cmd_account_grant)                                                                           \
    X(cmd_account_set_role)                                                                        \
    X(cmd_account_deactivate)                                                                      \
    X(cmd_account_activate)                                                                        \
    X(cmd_account_rm)                                                                              \
    X(cmd_account_add)                                                                             \
    X(cmd_account_set_password)                                                                    \
    X(cmd_api_token_add)                                                                           \
    X(cmd_api_token_ls)                                                                            \
    X(cmd_api_token_rm)                                                                            \
    X(cmd_audit_ls)                                                                                \
    X(cmd_audit_verify)                                                                            \
    X(cmd_product_add)                                                                             \
    X(cmd_product_ls)                                                                              \
    X(cmd_product_show)                                                                            \
    X(cmd_product_set)                                                                             \
    X(cmd_product_rotate_token)                                                                    \
    X(cmd_product_rm)                                                                              \
    X(cmd_rom_deploy)                                                                              \
    X(cmd_rom_ls)                                                                                  \
    X(cmd_rom_show)                                                                                \
    X(cmd_rom_use)                                                                                 \
    X(cmd_rom_back)                                                                                \
    X(cmd_rom_withdraw)                                                                            \
    X(cmd_rom_restore)                                                                             \
    X(cmd_rom_rm)                                                                                  \
    X(cmd_rom_set)                                                                                 \
    X(cmd_rom_check)                                                                               \
    X(cmd_rom_url)                                                                                 \
    X(cmd_rom_url_ls)                                                                              \
    X(cmd_rom_url_rm)                                                                              \
    X(cmd_device_ls)                                                                               \
    X(cmd_attempt_ls)                                                                              \
    X(cmd_attempt_watch)                                                                           \
    X(cmd_event_watch)                                                                             \
    X(cmd_device_show)                                                                             \
    X(cmd_device_add)                                                                              \
    X(cmd_device_import)                                                                           \
    X(cmd_device_export)                                                                           \
    X(cmd_device_set)                                                                              \
    X(cmd_device_rotate_token)                                                                     \
    X(cmd_device_rm)                                                                               \
    X(cmd_webhook_ls)                                                                              \
    X(cmd_webhook_add)                                                                             \
    X(cmd_webhook_set)                                                                             \
    X(cmd_webhook_rm)                                                                              \
    X(cmd_webhook_test)                                                                            \
    X(cmd_webhook_deliveries)                                                                      \
    X(cmd_webhook_retry)                                                                           \
    X(cmd_module)                                                                                  \
    X(cmd_image_info)                                                                              \
    X(cmd_image_make)
/* clang-format on */

#define CLI_DECLARE(name) extern const struct cli_command name;
CLI_COMMANDS(CLI_DECLARE)
#undef CLI_DECLARE

#endif
