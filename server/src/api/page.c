/* SPDX-License-Identifier: Apache-2.0 */

/* Lists by pages. The cursor is the key of the last item, in base64 so that nobody builds on what
 * it is. */

#include <string.h>

#include <sodium.h>

#include "api/request.h"

#define VARIANT      sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define CURSOR_BYTES sodium_base64_ENCODED_LEN(PAGE_KEY_BYTES, VARIANT)

bool page_read(struct request *request, struct page *page)
{
    const char *cursor = query_optional(request, "cursor");
    int64_t limit;
    size_t len = 0;

    if (!query_number(request, "limit", 1, PAGE_LIMIT_MAX, PAGE_LIMIT, &limit)) {
        return false;
    }
    *page = (struct page){.limit = (size_t)limit};
    if (!cursor) {
        return true;
    }
    if (sodium_base642bin((uint8_t *)page->after, sizeof page->after - 1, cursor, strlen(cursor),
                          NULL, &len, NULL, VARIANT) != 0 ||
        strlen(page->after) != len || len == 0) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the cursor is none that was given here; begin with the first page");
        return false;
    }
    return true;
}

void page_answer(struct request *request, const struct page *page, const char *member, json_t *list,
                 void (*key_of)(const json_t *item, char *key, size_t cap))
{
    char key[PAGE_KEY_BYTES] = "";

    if (json_array_size(list) > page->limit) {
        key_of(json_array_get(list, page->limit - 1), key, sizeof key);
    }
    page_answer_key(request, page, member, list, key);
}

void page_answer_key(struct request *request, const struct page *page, const char *member,
                     json_t *list, const char *key)
{
    char cursor[CURSOR_BYTES];
    bool has_more = json_array_size(list) > page->limit;

    if (has_more) {
        (void)json_array_remove(list, page->limit);
        (void)sodium_bin2base64(cursor, sizeof cursor, (const uint8_t *)key, strlen(key), VARIANT);
    }
    answer_json(request, MHD_HTTP_OK,
                json_pack("{s:o, s:s?}", member, list, "next", has_more ? cursor : NULL));
}
