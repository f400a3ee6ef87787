/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answers of facts/ciupdate-wire.md, byte for byte. A stock module looks for fixed text in what
 * it reads, so every space here matters (2.2, 4.2): `": "` after keys, `", "` between members,
 * `status` after the version, `version` never last in its object.
 */

#include "catalog/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wire 2.5. HTTP/1.0 because the question is, and no-store because caches must not answer it. */
#define VERSION_HEAD                                                                               \
    "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"                 \
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n"

/* Wire 4.4. */
#define LIST_HEAD                                                                                  \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"                 \
    "Connection: close\r\n\r\n"

/* Wire 3.4. */
#define FILE_HEAD                                                                                  \
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %" PRIu64 "\r\n" \
    "Cache-Control: no-store, no-transform\r\nConnection: close\r\n\r\n"

#define HEAD_MAX 128u /* of the two JSON answers, with a length of up to five digits */
#define ENTRY_MAX                                                                                  \
    (ALOFT_VERSION_MAX + CATALOG_LIFE_CYCLE_MAX +                                                  \
     sizeof "{\"version\": \"\", \"recommended\": 0, \"life_cycle\": \"\"}, ")

/* The document, cut behind the last whole entry that fits `max` bytes (newest first). */
static size_t write_document(const struct catalog_product *product, char *out, size_t max)
{
    static const char end[] = "]}";
    size_t end_len = sizeof end - 1;
    size_t at = 0;
    const char *separator = "";

    if (product->current) {
        at = (size_t)snprintf(out, max, "{\"recommended_rom_version\": \"%s\", ",
                              product->current->version);
    } else {
        out[at++] = '{';
    }
    at += (size_t)snprintf(out + at, max - at, "\"status\": 200, \"productRoms\": [");
    for (const struct catalog_rom *r = product->roms; r; r = r->next) {
        char entry[ENTRY_MAX];
        size_t len =
            (size_t)snprintf(entry, sizeof entry,
                             "%s{\"version\": \"%s\", \"recommended\": %d, \"life_cycle\": \"%s\"}",
                             separator, r->version, r->is_current, r->life_cycle);
        if (at + len + end_len > max) {
            break;
        }
        memcpy(out + at, entry, len);
        at += len;
        separator = ", ";
    }
    memcpy(out + at, end, end_len);
    return at + end_len;
}

/* Head and body in one piece of memory. */
static enum aloft_err join(const char *head, size_t head_len, const char *body, size_t body_len,
                           struct catalog_answer *ret_answer, struct error *e)
{
    char *bytes = malloc(head_len + body_len);

    if (!bytes) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the answers of a product");
    }
    memcpy(bytes, head, head_len);
    memcpy(bytes + head_len, body, body_len);
    *ret_answer = (struct catalog_answer){bytes, head_len + body_len, head_len};
    return ALOFT_ERR_OK;
}

static enum aloft_err build_version(struct catalog_product *product, struct error *e)
{
    char head[HEAD_MAX];
    char body[ALOFT_VERSION_ANSWER_MAX];
    size_t head_len = (size_t)snprintf(head, sizeof head, VERSION_HEAD, sizeof body);
    size_t body_len = write_document(product, body, sizeof body - head_len);

    head_len = (size_t)snprintf(head, sizeof head, VERSION_HEAD, body_len);
    return join(head, head_len, body, body_len, &product->version_answer, e);
}

static enum aloft_err build_list(struct catalog_product *product, struct error *e)
{
    char head[HEAD_MAX];
    char body[ALOFT_VERSION_LIST_MAX];
    size_t body_len = write_document(product, body, sizeof body);
    size_t head_len = (size_t)snprintf(head, sizeof head, LIST_HEAD, body_len);

    return join(head, head_len, body, body_len, &product->list_answer, e);
}

enum aloft_err answers_build(struct catalog_product *product, struct error *e)
{
    if (product->current) {
        enum aloft_err err = build_version(product, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return build_list(product, e);
}

static void answer_free(struct catalog_answer *answer)
{
    free((void *)(uintptr_t)answer->bytes);
    *answer = (struct catalog_answer){0};
}

void answers_free(struct catalog_product *product)
{
    answer_free(&product->version_answer);
    answer_free(&product->list_answer);
}

size_t answers_file_head(uint64_t size_bytes, char out[FILE_HEAD_BYTES])
{
    return (size_t)snprintf(out, FILE_HEAD_BYTES, FILE_HEAD, size_bytes);
}
