/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_UNIT_H
#define ALOFT_TESTS_UNIT_H

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka's macro of this name would hide the function of host/error.h; fail_msg() stood on it. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

#include "aloft/err.h"

/** Compare two results of enum aloft_err, showing their names. */
#define assert_err(got, wanted)                                                                    \
    do {                                                                                           \
        enum aloft_err got_ = (got);                                                               \
        enum aloft_err wanted_ = (wanted);                                                         \
        if (got_ != wanted_) {                                                                     \
            fail_msg("%s: got %s, wanted %s", #got, aloft_err_name(got_),                          \
                     aloft_err_name(wanted_));                                                     \
        }                                                                                          \
    } while (0)

#endif
