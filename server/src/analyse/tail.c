/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/tail.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "aloft/bytes.h"
#include "analyse/signature.h"

struct tail_hashes {
    EVP_MD_CTX *sha256;
    EVP_MD_CTX *sha384; /* for P-384 keys */
};

static void start_hashes(struct tail_hashes *h)
{
    /* A failure shows as a wrong digest: see finish_hashes(). */
    (void)EVP_DigestInit_ex(h->sha256, EVP_sha256(), NULL);
    (void)EVP_DigestInit_ex(h->sha384, EVP_sha384(), NULL);
}

static void finish_hashes(struct tail_hashes *h, struct signed_digests *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->is_valid = EVP_DigestFinal_ex(h->sha256, ret->sha256, NULL) == 1 &&
                    EVP_DigestFinal_ex(h->sha384, ret->sha384, NULL) == 1;
}

bool tail_init(struct tail *tail)
{
    struct tail_hashes *h = calloc(1, sizeof *h);

    *tail = (struct tail){.hashes = h};
    if (!h) {
        return false;
    }
    h->sha256 = EVP_MD_CTX_new();
    h->sha384 = EVP_MD_CTX_new();
    if (!h->sha256 || !h->sha384) {
        tail_deinit(tail);
        return false;
    }
    tail_restart(tail);
    return true;
}

void tail_deinit(struct tail *tail)
{
    if (tail->hashes) {
        EVP_MD_CTX_free(tail->hashes->sha256);
        EVP_MD_CTX_free(tail->hashes->sha384);
        free(tail->hashes);
        tail->hashes = NULL;
    }
}

void tail_restart(struct tail *tail)
{
    *tail = (struct tail){.hashes = tail->hashes, .is_ff = true, .is_gap_ff = true};
    start_hashes(tail->hashes);
}

uint64_t tail_sector_off(const struct tail *tail)
{
    return (tail->body_end + ALOFT_SIGNATURE_BYTES - 1) / ALOFT_SIGNATURE_BYTES *
           ALOFT_SIGNATURE_BYTES;
}

uint64_t tail_bytes(const struct tail *tail)
{
    return tail->body_end != 0 && tail->off > tail->body_end ? tail->off - tail->body_end : 0;
}

/* How many of `len` bytes at `off` stand before `end`. */
static size_t bytes_before(uint64_t off, size_t len, uint64_t end)
{
    return off >= end ? 0 : end - off < len ? (size_t)(end - off) : len;
}

static void feed_hashes(struct tail *tail, const uint8_t *buf, size_t len)
{
    (void)EVP_DigestUpdate(tail->hashes->sha256, buf, len);
    (void)EVP_DigestUpdate(tail->hashes->sha384, buf, len);
}

void tail_feed(struct tail *tail, const uint8_t *buf, size_t len)
{
    if (tail->body_end == 0) {
        feed_hashes(tail, buf, len);
        tail->off += len;
        return;
    }
    size_t n_body = bytes_before(tail->off, len, tail->body_end);
    size_t n_signed = bytes_before(tail->off, len, tail_sector_off(tail));
    feed_hashes(tail, buf, n_signed);
    tail->is_ff = tail->is_ff && aloft_bytes_are(buf + n_body, len - n_body, 0xFF);
    tail->is_gap_ff = tail->is_gap_ff && aloft_bytes_are(buf + n_body, n_signed - n_body, 0xFF);
    size_t n_sector = len - n_signed;
    if (n_sector > sizeof tail->sector - tail->sector_len) {
        n_sector = sizeof tail->sector - tail->sector_len;
    }
    memcpy(tail->sector + tail->sector_len, buf + n_signed, n_sector);
    tail->sector_len += n_sector;
    tail->off += len;
}

bool tail_has_signature(const struct tail *tail)
{
    return tail->is_gap_ff && tail->sector_len == sizeof tail->sector &&
           signature_is_block(tail->sector);
}

enum signature_state tail_check_signature(struct tail *tail, const struct trusted_keys *keys,
                                          uint8_t ret_key[ALOFT_SHA256_BYTES])
{
    enum signature_state best = SIGNATURE_MISSING;
    struct signed_digests digests;

    memset(ret_key, 0, ALOFT_SHA256_BYTES);
    if (!tail_has_signature(tail)) {
        return best;
    }
    finish_hashes(tail->hashes, &digests);
    for (size_t i = 0; i < keys->n_blocks; i++) {
        uint8_t key[ALOFT_SHA256_BYTES];
        enum signature_state state =
            signature_check(tail->sector + i * SIGNATURE_BLOCK_BYTES, &digests, keys, key);
        if (state > best) {
            best = state;
            memcpy(ret_key, key, sizeof key);
        }
    }
    return best;
}
