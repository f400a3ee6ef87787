/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/bytes.h"

#include <string.h>

uint16_t aloft_get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (p[1] << 8));
}

uint32_t aloft_get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

void aloft_put_le16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

void aloft_put_le32(uint8_t *p, uint32_t value)
{
    aloft_put_le16(p, (uint16_t)value);
    aloft_put_le16(p + 2, (uint16_t)(value >> 16));
}

unsigned aloft_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

bool aloft_bytes_are(const uint8_t *p, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] != value) {
            return false;
        }
    }
    return true;
}

void aloft_get_text(const uint8_t *field, size_t field_len, char *out, size_t out_cap)
{
    size_t n = 0;

    while (n < field_len && n < out_cap - 1 && field[n] != 0) {
        out[n] = (char)field[n];
        n++;
    }
    out[n] = '\0';
}

/* Nibble table of the reflected polynomial 0xEDB88320: 64 bytes of constants instead of 1024,
 * because this code also runs on the module. */
static const uint32_t crc_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t aloft_crc32(uint32_t seed, const uint8_t *buf, size_t len)
{
    uint32_t crc = ~seed;

    for (size_t i = 0; i < len; i++) {
        crc ^= buf[i];
        crc = (crc >> 4) ^ crc_nibble[crc & 0xF];
        crc = (crc >> 4) ^ crc_nibble[crc & 0xF];
    }
    return ~crc;
}
