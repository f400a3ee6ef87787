/* SPDX-License-Identifier: Apache-2.0 */
#include "process/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host/auto.h"
#include "host/files.h"

#define FILE_BYTES   256
#define FILE_MODE    0644
#define MAC_CHARS    17
#define MAC_ALPHABET "0123456789abcdefABCDEF:" /* sscanf() would also skip spaces */
#define MAC_FORMAT   "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_GROUP    0x01 /* in the first byte: not one station's */
#define MAC_LOCAL    0x02 /* in the first byte: nobody's real address */

enum aloft_err mac_parse(const char *text, uint8_t *ret_mac, struct error *e)
{
    uint8_t mac[6];
    char end;

    if (strlen(text) != MAC_CHARS || strspn(text, MAC_ALPHABET) != MAC_CHARS ||
        sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5], &end) != 6 ||
        (mac[0] & MAC_GROUP) != 0) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "'%s' is not the MAC of a station: six bytes AA:BB:CC:DD:EE:FF, the first even",
                    text);
    }
    memcpy(ret_mac, mac, sizeof mac);
    return ALOFT_ERR_OK;
}

void mac_make(uint8_t *ret_mac)
{
    if (getrandom(ret_mac, 6, 0) != 6) {
        memset(ret_mac, 0, 6); /* cannot be for 6 bytes; still a usable address */
    }
    ret_mac[0] = (uint8_t)((ret_mac[0] | MAC_LOCAL) & ~MAC_GROUP);
}

enum aloft_err identity_load(const char *path, struct identity *ret_identity, struct error *e)
{
    AUTO_FREE uint8_t *text = NULL;
    size_t len;
    struct error why = {0};
    char mac[MAC_CHARS + 1];
    enum aloft_err err = file_load(path, FILE_BYTES, &text, &len, &why);

    if (err != ALOFT_ERR_OK) {
        return fail(e, why.native_code == ENOENT ? ALOFT_ERR_NOT_FOUND : err, "%s", why.sentence);
    }
    if (sscanf((const char *)text, "layout=%31[a-z0-9_-] mac=%17[0-9a-fA-F:]", ret_identity->layout,
               mac) != 2 ||
        mac_parse(mac, ret_identity->mac, NULL) != ALOFT_ERR_OK) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "'%s' is not layout= and mac=; remove it and name the --layout again", path);
    }
    return ALOFT_ERR_OK;
}

enum aloft_err identity_save(const char *path, const struct identity *identity, struct error *e)
{
    char text[FILE_BYTES];
    const uint8_t *mac = identity->mac;
    int len = snprintf(text, sizeof text, "layout=%s\nmac=" MAC_FORMAT "\n", identity->layout,
                       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);

    return file_replace(path, text, (size_t)len, FILE_MODE, e);
}
