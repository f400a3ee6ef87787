/* SPDX-License-Identifier: Apache-2.0 */
#include "mini_image.h"

#include <string.h>

#include "aloft/bytes.h"
#include "golden_images.h"
#include "host/hashes.h"

#define CHIP_OFF           12u
#define REVISIONS_OFF      14u /* 5 bytes: legacy, smallest, largest */
#define LOAD_ADDR_OFF      24u
#define DATA_OFF           32u
#define DATA_BYTES         256u
#define SECURE_VERSION_OFF 36u
#define VERSION_OFF        48u
#define CHECKSUM_OFF       303u
#define HASH_OFF           304u

/* Checksum and hash over what stands there now. */
static void seal(uint8_t *out)
{
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t checksum = 0xEF;

    for (size_t i = 0; i < DATA_BYTES; i++) {
        checksum ^= out[DATA_OFF + i];
    }
    out[CHECKSUM_OFF] = checksum;
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, out, HASH_OFF);
    sha256->ops->finish(sha256->state, out + HASH_OFF);
}

void mini_image_make(const struct aloft_chip *chip, const char *version, uint8_t *out)
{
    memcpy(out, image_a, MINI_IMAGE_BYTES);
    aloft_put_le16(out + CHIP_OFF, chip->id);
    memset(out + REVISIONS_OFF, 0, 5);
    aloft_put_le32(out + LOAD_ADDR_OFF, chip->drom.start + DATA_OFF);
    memset(out + VERSION_OFF, 0, 32);
    memcpy(out + VERSION_OFF, version, strlen(version));
    seal(out);
}

void mini_image_set_secure_version(uint8_t *image, uint32_t secure_version)
{
    aloft_put_le32(image + SECURE_VERSION_OFF, secure_version);
    seal(image);
}
