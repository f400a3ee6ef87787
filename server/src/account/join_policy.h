/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ACCOUNT_JOIN_POLICY_H
#define ALOFT_ACCOUNT_JOIN_POLICY_H

/** Who may make an account; in the order of the setting's words. The set-up code is always good. */
enum join_policy {
    JOIN_OPEN,       /**< Anybody; who comes without an invitation has no role. */
    JOIN_INVITATION, /**< Whoever has an invitation. */
    JOIN_CLOSED,     /**< Nobody, invited or not. */
};

#endif
