/* SPDX-License-Identifier: Apache-2.0 */
#include "api/expiry.h"

#define MS_PER_DAY (24 * 60 * 60 * INT64_C(1000))

bool take_expiry(struct request *r, int64_t now_ms, int days_max, int64_t *ret_end_ms)
{
    const json_t *expires = json_object_get(r->json, "expires_ms");
    const json_t *days = json_object_get(r->json, "days");
    json_int_t n = json_integer_value(days);
    json_int_t end_ms = json_integer_value(expires);

    if (expires && days) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'expires_ms' and 'days' say the same: give one");
        return false;
    }
    if (days && (n < 1 || n > days_max)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request", "'days' is a number from 1 to %d",
                     days_max);
        return false;
    }
    if (expires && (end_ms <= now_ms || end_ms > now_ms + days_max * MS_PER_DAY)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'expires_ms' lies in the future, at most %d days", days_max);
        return false;
    }
    if (expires || days) {
        *ret_end_ms = days ? now_ms + n * MS_PER_DAY : end_ms;
    }
    return true;
}
