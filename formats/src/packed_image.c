/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/packed_image.h"

#include <string.h>

#include "aloft/bytes.h"

static const uint8_t magic[4] = {'E', 'S', 'P', 0};

#define VERSION_OFF     4u
#define TYPES_OFF       5u
#define VERSION_MAX     3
#define APP_MAGIC       0xE9
#define V3_RESERVED     0x30 /* byte 6, as the vendor's tool writes it */
#define V1_TEXT_OFF     8u
#define V1_TEXT_BYTES   32u
#define V1_PAYLOAD_OFF  40u
#define V1_MD5_OFF      44u
#define V2_BASE_OFF     76u
#define V2_BASE_CRC_OFF 80u
#define V3_PAYLOAD_OFF  16u
#define V3_MD5_OFF      20u

/* By version; the CRC is in the last 4 bytes. */
static const uint8_t header_bytes[VERSION_MAX + 1] = {0, ALOFT_PACKED_V1_BYTES,
                                                      ALOFT_PACKED_V2_BYTES, ALOFT_PACKED_V3_BYTES};

static bool starts_with(const uint8_t *buf, size_t len, const uint8_t *start, size_t start_len)
{
    return memcmp(buf, start, len < start_len ? len : start_len) == 0;
}

/* Offset of the packed header: 0, or behind the app prefix of a wrapped one. */
static enum aloft_err find_header(const uint8_t *buf, size_t len, size_t *ret_off)
{
    static const uint8_t wrap[2] = {APP_MAGIC, 0}; /* an app header without segments */
    size_t off = 0;

    if (len == 0) {
        return ALOFT_ERR_TRUNCATED;
    }
    if (starts_with(buf, len, wrap, sizeof wrap)) {
        off = ALOFT_PACKED_WRAP_BYTES;
    }
    if (len > off && !starts_with(buf + off, len - off, magic, sizeof magic)) {
        return ALOFT_ERR_MAGIC;
    }
    if (len < off + VERSION_OFF + 1) {
        return ALOFT_ERR_TRUNCATED;
    }
    *ret_off = off;
    return ALOFT_ERR_OK;
}

static void parse_v1_v2(const uint8_t *p, struct aloft_packed_header *header)
{
    header->delta_type = p[TYPES_OFF] >> 4;
    header->encryption_type = p[6];
    aloft_get_text(p + V1_TEXT_OFF, V1_TEXT_BYTES, header->firmware_version,
                   sizeof header->firmware_version);
    header->payload_bytes = aloft_get_le32(p + V1_PAYLOAD_OFF);
    memcpy(header->payload_md5, p + V1_MD5_OFF, sizeof header->payload_md5);
    if (header->version == 2) {
        header->base_bytes = aloft_get_le32(p + V2_BASE_OFF);
        header->base_crc = aloft_get_le32(p + V2_BASE_CRC_OFF);
    }
}

static void parse_v3(const uint8_t *p, struct aloft_packed_header *header)
{
    header->payload_bytes = aloft_get_le32(p + V3_PAYLOAD_OFF);
    memcpy(header->payload_md5, p + V3_MD5_OFF, sizeof header->payload_md5);
}

enum aloft_err aloft_packed_header_parse(const uint8_t *buf, size_t len,
                                         struct aloft_packed_header *ret_header)
{
    size_t off = 0;
    enum aloft_err err = find_header(buf, len, &off);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    const uint8_t *p = buf + off;
    uint8_t version = p[VERSION_OFF];
    if (version == 0 || version > VERSION_MAX || (off > 0 && version != 3)) {
        return ALOFT_ERR_VERSION;
    }
    size_t n = header_bytes[version];
    if (len - off < n) {
        return ALOFT_ERR_TRUNCATED;
    }
    if (aloft_crc32(0, p, n - 4) != aloft_get_le32(p + n - 4)) {
        return ALOFT_ERR_CRC;
    }
    memset(ret_header, 0, sizeof *ret_header);
    ret_header->version = version;
    ret_header->compress_type = p[TYPES_OFF] & 0x0F;
    ret_header->is_wrapped = off > 0;
    ret_header->payload_off = (uint32_t)(off + n);
    if (version == 3) {
        parse_v3(p, ret_header);
    } else {
        parse_v1_v2(p, ret_header);
    }
    return ALOFT_ERR_OK;
}

static void encode_v1_v2(const struct aloft_packed_header *header, uint8_t *out)
{
    const char *text = header->firmware_version;
    const char *text_end = memchr(text, '\0', V1_TEXT_BYTES);

    out[TYPES_OFF] = (uint8_t)(out[TYPES_OFF] | (header->delta_type << 4));
    out[6] = header->encryption_type;
    memcpy(out + V1_TEXT_OFF, text, text_end ? (size_t)(text_end - text) : V1_TEXT_BYTES);
    aloft_put_le32(out + V1_PAYLOAD_OFF, header->payload_bytes);
    memcpy(out + V1_MD5_OFF, header->payload_md5, sizeof header->payload_md5);
    if (header->version == 2) {
        aloft_put_le32(out + V2_BASE_OFF, header->base_bytes);
        aloft_put_le32(out + V2_BASE_CRC_OFF, header->base_crc);
    }
}

static void encode_v3(const struct aloft_packed_header *header, uint8_t *out)
{
    out[6] = V3_RESERVED;
    aloft_put_le32(out + V3_PAYLOAD_OFF, header->payload_bytes);
    memcpy(out + V3_MD5_OFF, header->payload_md5, sizeof header->payload_md5);
}

enum aloft_err aloft_packed_header_encode(const struct aloft_packed_header *header, uint8_t *out,
                                          size_t *ret_len)
{
    if (header->version == 0 || header->version > VERSION_MAX) {
        return ALOFT_ERR_VERSION;
    }
    size_t n = header_bytes[header->version];
    memset(out, 0, n);
    memcpy(out, magic, sizeof magic);
    out[VERSION_OFF] = header->version;
    out[TYPES_OFF] = header->compress_type & 0x0F;
    if (header->version == 3) {
        encode_v3(header, out);
    } else {
        encode_v1_v2(header, out);
    }
    aloft_put_le32(out + n - 4, aloft_crc32(0, out, n - 4));
    *ret_len = n;
    return ALOFT_ERR_OK;
}
