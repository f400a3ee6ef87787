/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "aloft/hash.h"
#include "host/hashes.h"

#include "golden_images.h"

#define HEADERS_BYTES 32u /* Of the image and of its segment. */
#define DESC_BYTES    256u

static void *allocate(size_t len)
{
    void *p = calloc(1, len);

    if (p == NULL) {
        abort();
    }
    return p;
}

static void sha256(const uint8_t *bytes, size_t len, uint8_t *ret_digest)
{
    struct aloft_hash *hash = hash_new_sha256();

    if (hash == NULL) {
        abort();
    }
    hash->ops->start(hash->state);
    hash->ops->update(hash->state, bytes, len);
    hash->ops->finish(hash->state, ret_digest);
    hash_free(hash);
}

uint8_t *fake_image_new(size_t data_len, uint8_t seed, size_t *ret_len)
{
    size_t data_end = HEADERS_BYTES + data_len;
    size_t end = (data_end + 1 + 15) / 16 * 16;
    uint8_t *image = allocate(end + ALOFT_SHA256_BYTES);
    uint8_t checksum = 0xEF;

    memcpy(image, image_a, HEADERS_BYTES + DESC_BYTES);
    aloft_put_le32(image + 28, (uint32_t)data_len);
    for (size_t i = HEADERS_BYTES + DESC_BYTES; i < data_end; i++) {
        image[i] = (uint8_t)(seed + i * 7 + (i >> 8));
    }
    for (size_t i = HEADERS_BYTES; i < data_end; i++) {
        checksum ^= image[i];
    }
    image[end - 1] = checksum;
    sha256(image, end, image + end);
    *ret_len = end + ALOFT_SHA256_BYTES;
    return image;
}

uint8_t *fake_image_answer(const uint8_t *image, size_t image_len, const char *headers,
                           size_t *ret_len)
{
    size_t cap = 256 + strlen(headers);
    uint8_t *answer = allocate(cap + image_len);
    int n = snprintf((char *)answer, cap,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                     "Content-Length: %zu\r\n%sConnection: close\r\n\r\n",
                     image_len, headers);

    memcpy(answer + n, image, image_len);
    *ret_len = (size_t)n + image_len;
    return answer;
}

void fake_image_sha256(const uint8_t *bytes, size_t len, char *ret_hex)
{
    uint8_t digest[ALOFT_SHA256_BYTES];

    sha256(bytes, len, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    }
}
