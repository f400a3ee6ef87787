/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_PROVISION_H
#define ALOFT_WEB_PROVISION_H

#include <stddef.h>
#include <stdint.h>

#include "web/answer.h"
#include "web/routes.h"

/*
 * A browser gives the module its access point (facts/at-commands.md 3.4, 3.5):
 *
 *   NOT_START --POST--> CONNECTING --GOT_IP--> OK --RESULT--> NOT_START
 *                            `-----GAVE_UP--> FAIL --RESULT--> NOT_START
 *
 * All of it outlives the server: AT+WEBSERVER=0 changes nothing here.
 */

struct aloft_module;

/** Numbers of facts/at-commands.md 3.4. */
enum aloft_provision_step {
    ALOFT_PROVISION_NOT_START = 0,
    ALOFT_PROVISION_CONNECTING = 2,
    ALOFT_PROVISION_FAIL = 3,
    ALOFT_PROVISION_OK = 4,
};

enum aloft_provision_event {
    ALOFT_PROVISION_POST,      /**< Somebody posted an access point. */
    ALOFT_PROVISION_REFUSED,   /**< The driver does not want it. */
    ALOFT_PROVISION_GOT_IP,    /**< It worked. */
    ALOFT_PROVISION_GAVE_UP,   /**< The time is over. */
    ALOFT_PROVISION_NO_SOCKET, /**< It worked, but the phone cannot be told. */
    ALOFT_PROVISION_RESULT,    /**< The client knows how it ended. */
};

/** The answer of GET /getstainfo. */
void aloft_provision_write(const struct aloft_module *m, struct aloft_out *out);

/* POST /setstainfo: may it come now; its body; its answer has left. */
enum aloft_answer aloft_provision_check(struct aloft_module *m,
                                        const struct aloft_web_request *request);
enum aloft_answer aloft_provision_take(struct aloft_module *m, const char *body, size_t len);
void aloft_provision_after(struct aloft_module *m, enum aloft_answer answer);

/** POST /getresult: its body. */
enum aloft_answer aloft_provision_take_result(struct aloft_module *m, const char *body, size_t len);

/** Go on; what is not expected in this state changes nothing. GOT_IP, GAVE_UP and REFUSED end the
 * work, RESULT and NO_SOCKET also what the phone is told. */
void aloft_provision_handle(struct aloft_module *m, enum aloft_provision_event event);

/** Forget what was posted; its state stays. */
void aloft_provision_clear(struct aloft_module *m);

uint32_t aloft_provision_step(struct aloft_module *m);

#endif
