/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_EVENT_H
#define ALOFT_WEB_EVENT_H

/* What the host MCU is told of the web server (facts/at-commands.md 2.4). */

struct aloft_module;

enum aloft_web_event {
    ALOFT_EVENT_CONNECTING = 1,    /**< Provisioning began to join. */
    ALOFT_EVENT_RESULT = 2,        /**< The client knows how it ended. */
    ALOFT_EVENT_UPLOAD = 3,        /**< An upload begins. */
    ALOFT_EVENT_UPLOADED = 4,      /**< It is stored. */
    ALOFT_EVENT_UPLOAD_FAILED = 5, /**< It is not. */
};

/** `+WEBSERVERRSP:<n>`. */
void aloft_event_print(struct aloft_module *m, enum aloft_web_event event);

#endif
