/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "web/dns.h"

/* Parsers: module/src/web/dns.c */

#define PACKET_BYTES 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ip[] = {192, 168, 4, 1};

    if (size > PACKET_BYTES) {
        return 0;
    }
    /* Exactly what the answer may need, so that one byte more is seen. */
    size_t cap = size > ALOFT_DNS_ANSWER_MAX ? size : ALOFT_DNS_ANSWER_MAX;
    uint8_t *packet = malloc(cap);
    MUST(packet != NULL);
    memcpy(packet, data, size);
    size_t len = aloft_dns_answer(packet, size, ip);
    bool is_query = size >= 12 && (data[2] & 0x80) == 0;
    MUST(is_query ? len >= 12 && len <= ALOFT_DNS_ANSWER_MAX : len == 0);
    if (len > 0) {
        MUST(memcmp(packet, data, 2) == 0 && (packet[2] & 0x80) != 0);
        MUST(((packet[2] ^ data[2]) & 0x79) == 0); /* opcode and RD */
        MUST((packet[3] & 0xF) == 0 || len == 12);
        MUST(packet[8] == 0 && packet[9] == 0 && packet[10] == 0 && packet[11] == 0);
        MUST(packet[7] == 0 || memcmp(packet + len - 4, ip, 4) == 0);
    }
    free(packet);
    return 0;
}
