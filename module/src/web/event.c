/* SPDX-License-Identifier: Apache-2.0 */
#include "web/event.h"

#include "aloft/command.h"

#include "at/message.h"

void aloft_event_print(struct aloft_module *m, enum aloft_web_event event)
{
    aloft_at_begin_message(m);
    aloft_at_print(m, "+WEBSERVERRSP:");
    aloft_at_print_int(m, (int32_t)event);
    aloft_at_print(m, "\r\n");
    aloft_at_end_message(m);
}
