/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/layout.h"
#include "host/hashes.h"

/* Groups of facts/esp-formats.md 8.6: SHA-256 of the tables as AT builds them, secondary of master.
 */
#define PRIMARY_A   "b3fe625d47efb78fc7e6e7099825029d420e88eb40dc76e41215dde85bfaf223"
#define PRIMARY_B   "0b7d50b247bec8ac48f918fa50ec4f28d5c13576f0c850610b10b40660d6c7af"
#define PRIMARY_C   "7e1caa07c844f36b51ee762651e0fdc0b0865304139c8c7e1a01d4bb94b9f5c3"
#define PRIMARY_D   "b396afd004ce12405c8c865c0c173205c32b76eb1b2fb366350049246f4fb686"
#define PRIMARY_E   "1e56d9b4965b1b6bd0daa83037ceda8ee32fe08b4f331b73b132278ea429d7fc"
#define PRIMARY_F   "8b786d97a54d3f581f0cf115bedd16185009555f381cc8bfc10ad63fea93c44e"
#define PRIMARY_G   "a6c740abfa67b501c6e4bde378bcfe0b8488cf143f8240fd4d99507129b72cb0"
#define SECONDARY_A "fa57a9cfd8744e59441f52c03db933fb89ba89c11a8557be91832384adec3543"
#define SECONDARY_B "0b7d8292c225409774acd5b442360b8c7815dcfb14754709bc6373b5c4caa401"
#define SECONDARY_C "110c53a6a062ec39c7167020cfb6934f4a528b72b79278d05aea2088187bd9f7"
#define SECONDARY_D "48725b62610db177cb4bb19a10c139afd000614457dc7e94529dbd60d7bb981a"
#define SECONDARY_F "60aff3ee2e696824c8661c2f183056a08fa6dcfa73ed0c21fcafd1f040cde8a9"
#define SECONDARY_G "49a656af6b9b41633f29699be10c55eee7ffcfa33d7fa1dbbbbdd8ad0bd36b1c"

/* The lists of facts/at-commands.md 5.5 as the second reader (tests/support/esp_formats.py) writes
 * them. */
#define SECONDARY_A_V3  "e1f8c48fdf180be848f1a29d3e2bf666381c20348d540c1aed3819a0a89695a3"
#define SECONDARY_C_V3  "da1b45394f360ba7f2fb1070904b45b8086efad04e0eea35cb54067b77b30143"
#define SECONDARY_C2_V3 "c527c5a57cf16f842d4629d4e8a3dea36a4b652a5b480e3414b3f3d904200f4f"
#define SECONDARY_D_V3  "ad07024984d18a8e54acf6785e99146e1e62202db2d506d81f26f0ede0aecd6e"

/* facts/esp-formats.md 0.4 and facts/at-commands.md 5.3, one row each. */
static const struct row {
    const char *name;
    const char *module_name;
    uint16_t chip_id;
    uint32_t flash_bytes;
    const char *upload;
    uint32_t target_bytes;
    uint16_t min_chip_revision;
    bool has_rollback;
    const char *primary;
    const char *secondary;
} rows[] = {
    /* clang-format off */
    {"esp32_default", "WROOM-32", 0, 0x400000, "plain", 0x180000, 0, true, PRIMARY_A, SECONDARY_A},
    {"wrover-32", "WROVER-32", 0, 0x400000, "plain", 0x180000, 100, true, PRIMARY_A, SECONDARY_A},
    {"esp32-sdio", "ESP32-SDIO", 0, 0x400000, "plain", 0x180000, 0, true, PRIMARY_A, SECONDARY_A},
    {"esp32-d2wd", "ESP32-D2WD", 0, 0x200000, "none", 0, 0, true, PRIMARY_B, SECONDARY_B},
    {"esp32s2_default", "MINI", 2, 0x400000, "plain", 0x180000, 0, true, PRIMARY_A, SECONDARY_A},
    {"esp32c3_default", "MINI-1", 5, 0x400000, "plain", 0x1D0000, 0, true, PRIMARY_C, SECONDARY_C},
    {"esp32c3-spi", "ESP32C3-SPI", 5, 0x400000, "plain", 0x1D0000, 0, true, PRIMARY_C, SECONDARY_C},
    {"esp32c3_rainmaker", "MINI-1", 5, 0x400000, "packed v2", 0x15C000, 0, true, PRIMARY_F, SECONDARY_F},
    {"esp32c2_default", "ESP32C2-4MB", 0xC, 0x400000, "plain", 0x1D0000, 0, true, PRIMARY_C, SECONDARY_C},
    {"esp32c2-4mb-g2", "ESP32C2-4MB-G2", 0xC, 0x400000, "plain", 0x1D0000, 200, true, PRIMARY_C, SECONDARY_C},
    {"esp32c2-2mb", "ESP32C2-2MB", 0xC, 0x200000, "packed v2", 0xA6000, 0, true, PRIMARY_D, SECONDARY_D},
    {"esp32c2-2mb-g2", "ESP32C2-2MB-G2", 0xC, 0x200000, "packed v2", 0xA6000, 200, true, PRIMARY_D, SECONDARY_D},
    {"esp32c2-2mb-ble", "ESP32C2-2MB-BLE", 0xC, 0x200000, "none", 0, 0, true, PRIMARY_D, SECONDARY_D},
    {"esp32c2-2mb-ble-g2", "ESP32C2-2MB-BLE-G2", 0xC, 0x200000, "none", 0, 200, true, PRIMARY_D, SECONDARY_D},
    {"esp32c2-2mb-no-ota-g2", "ESP32C2-2MB-NO-OTA-G2", 0xC, 0x200000, "none", 0, 200, false, PRIMARY_E, SECONDARY_C},
    {"esp32c6_default", "ESP32C6-4MB", 0xD, 0x400000, "plain", 0x1D0000, 0, true, PRIMARY_C, SECONDARY_C},
    {"esp32c5_default", "ESP32C5-4MB", 0x17, 0x400000, "packed v3", 0x140000, 0, false, PRIMARY_G, SECONDARY_G},
    {"esp32c5-sdio", "ESP32C5-SDIO", 0x17, 0x400000, "packed v3", 0x140000, 0, false, PRIMARY_G, SECONDARY_G},
    {"esp32c5-spi", "ESP32C5-SPI", 0x17, 0x400000, "packed v3", 0x140000, 0, false, PRIMARY_G, SECONDARY_G},
    {"esp32c5_v4", "ESP32C5-4MB", 0x17, 0x400000, "plain", 0x1D0000, 0, true, PRIMARY_C, SECONDARY_C},
    {"esp32c61_default", "ESP32C61-4MB", 0x14, 0x400000, "packed v3", 0x140000, 0, false, PRIMARY_G, SECONDARY_G},
    {"esp32_v3", "WROOM-32", 0, 0x400000, "plain", 0x180000, 0, false, PRIMARY_A, SECONDARY_A_V3},
    {"esp32c3_v3", "MINI-1", 5, 0x400000, "plain", 0x1D0000, 0, false, PRIMARY_C, SECONDARY_C_V3},
    {"esp32c2_v3", "ESP32C2-4MB", 0xC, 0x400000, "plain", 0x1D0000, 0, false, PRIMARY_C, SECONDARY_C2_V3},
    {"esp32c2-2mb_v3", "ESP32C2-2MB", 0xC, 0x200000, "packed v2", 0xA6000, 0, false, PRIMARY_D, SECONDARY_D_V3},
    /* clang-format on */
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void assert_table_sha256(const struct aloft_partition *entries, size_t n, bool has_md5,
                                const char *wanted)
{
    AUTO_HASH md5 = hash_new_md5();
    AUTO_HASH sha256 = hash_new_sha256();
    static struct aloft_partition_table table; /* too large for the stack's taste */
    uint8_t bytes[ALOFT_PARTITION_TABLE_BYTES];
    uint8_t digest[ALOFT_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];

    memset(&table, 0, sizeof table);
    memcpy(table.entries, entries, n * sizeof *entries);
    table.n_entries = n;
    table.has_md5 = has_md5;
    assert_err(aloft_partition_table_encode(&table, md5, bytes), ALOFT_ERR_OK);
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, bytes, sizeof bytes);
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, wanted);
}

static void tables__are_byte_for_byte_the_vendors(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct aloft_layout *layout = aloft_layout_by_name(rows[i].name);

        assert_non_null(layout);
        assert_table_sha256(layout->primary, layout->n_primary, false, rows[i].primary);
        assert_table_sha256(layout->secondary, layout->n_secondary, true, rows[i].secondary);
    }
}

static void layouts__are_those_of_the_module_matrix(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct aloft_layout *layout = aloft_layout_at(i);

        assert_non_null(layout);
        assert_string_equal(layout->name, rows[i].name);
        assert_string_equal(layout->module_name, rows[i].module_name);
        assert_int_equal(layout->chip_id, rows[i].chip_id);
        assert_non_null(aloft_chip_by_id(layout->chip_id));
        assert_int_equal(layout->flash_bytes, rows[i].flash_bytes);
        assert_string_equal(aloft_upload_kind_text(layout->upload), rows[i].upload);
        assert_int_equal(aloft_layout_target_bytes(layout), rows[i].target_bytes);
        assert_int_equal(layout->min_chip_revision, rows[i].min_chip_revision);
        assert_int_equal(layout->has_rollback, rows[i].has_rollback);
    }
    assert_null(aloft_layout_at(N_ROWS));
}

static void by_name__wants_the_exact_name(void **state)
{
    (void)state;
    assert_null(aloft_layout_by_name("esp32c3"));
    assert_null(aloft_layout_by_name("ESP32C3_DEFAULT"));
    assert_null(aloft_layout_by_name(""));
}

/* The container holds its own table in its first sector; user partitions lie behind it. */
static void user_partitions__lie_inside_their_container(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct aloft_layout *layout = aloft_layout_at(i);
        const struct aloft_partition *container =
            aloft_partition_by_label(layout->primary, layout->n_primary, "at_customize");

        assert_non_null(container);
        for (size_t k = 0; k < layout->n_secondary; k++) {
            const struct aloft_partition *p = &layout->secondary[k];
            assert_true(p->off >= container->off + ALOFT_SECTOR_BYTES);
            assert_true(p->off + p->size_bytes <= container->off + container->size_bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables__are_byte_for_byte_the_vendors),
        cmocka_unit_test(layouts__are_those_of_the_module_matrix),
        cmocka_unit_test(by_name__wants_the_exact_name),
        cmocka_unit_test(user_partitions__lie_inside_their_container),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
