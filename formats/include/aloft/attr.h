/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTR_H
#define ALOFT_ATTR_H

/** The result must be looked at; ignoring it is a compile error in this project. */
#if defined(__GNUC__)
#define ALOFT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ALOFT_MUST_CHECK
#endif

#endif
