/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_FIELDS_H
#define ALOFT_WEB_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * Readers of the small bodies browsers send: one flat JSON object, or a form. Both fill the fields
 * the caller names and pass over others. Values have no NUL; a field that stands there twice is
 * refused, because two readers could take different ones.
 */

/** One field the caller wants. */
struct aloft_field {
    const char *name;
    char *text;        /**< Gets the value and a NUL. */
    size_t cap;        /**< Bytes of it, the NUL included. */
    bool takes_number; /**< JSON: a number will do, as its text. */
    bool is_present;   /**< Set by the reader; false at first. */
};

/**
 * An object of strings, numbers and the words true, false and null; RFC 8259, names compared
 * without regard to case. What follows the object is not looked at.
 *
 * @param ret_used  Bytes up to the end of the object.
 * @retval ALOFT_ERR_SYNTAX     Not such an object, or a value of the wrong kind.
 * @retval ALOFT_ERR_TOO_BIG    A value is longer than its field.
 * @retval ALOFT_ERR_DUPLICATE  A field stands there twice.
 * On every error the fields are undefined.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_fields_read_json(const char *body, size_t len, struct aloft_field *fields,
                                      size_t n_fields, size_t *ret_used);

/**
 * Pairs `name=value` with `&` between them, percent-decoded; `+` stays. Pieces without `=` and
 * others' fields are passed over.
 *
 * @retval ALOFT_ERR_SYNTAX     A wanted value has a `%` without two hex digits, or a NUL.
 * @retval ALOFT_ERR_TOO_BIG, ALOFT_ERR_DUPLICATE  As above.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_fields_read_form(const char *body, size_t len, struct aloft_field *fields,
                                      size_t n_fields);

#endif
