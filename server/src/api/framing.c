/* SPDX-License-Identifier: Apache-2.0 */
#include "api/framing.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_DIGITS_MAX 18 /* fits 64 bits */

static const char *find(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

struct framing framing_read(struct MHD_Connection *connection)
{
    const char *length = find(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct framing f = {
        .is_chunked = find(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL,
        .expects_continue = find(connection, MHD_HTTP_HEADER_EXPECT) != NULL,
    };

    if (length) {
        bool is_huge = strlen(length) > LENGTH_DIGITS_MAX;
        f.body_bytes = is_huge ? UINT64_MAX : strtoull(length, NULL, 10);
    }
    return f;
}
