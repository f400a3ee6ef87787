/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The C readers of tables, CSV, otadata and user partitions for a second reader in another
 * language: one question a line on stdin, one JSON object a line on stdout. Bytes travel as hex,
 * "-" is none.
 *
 *   table FLASH_BYTES HEX
 *   csv TABLE_OFF FLASH_BYTES SKIP_VERIFY HEX
 *   boot FACTORY TEST SLOT_MASK ROLLBACK ANTI_ROLLBACK EFUSE VERSION_0 VERSION_1 GOOD_MASK HEX
 *   next SLOT N_SLOTS STATE HEX
 *   layout INDEX
 *   nvs HEX
 *   pki HEX
 *   factory_param HEX
 *   ble_data HEX
 *
 * In GOOD_MASK bit N is ota_N, bit 16 the factory app, bit 17 the test app. The HEX of boot and
 * next are the two otadata entries, 64 bytes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/ble_data.h"
#include "aloft/boot_select.h"
#include "aloft/factory_param.h"
#include "aloft/layout.h"
#include "aloft/nvs.h"
#include "aloft/partition_csv.h"
#include "aloft/pki.h"
#include "host/auto.h"
#include "host/hashes.h"

#define FACTORY_BIT   16
#define TEST_BIT      17
#define OTADATA_BYTES (2 * ALOFT_OTADATA_ENTRY_BYTES)

static void end_with(const char *why)
{
    (void)fprintf(stderr, "format_tool: %s\n", why);
    exit(2);
}

static unsigned nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c) : NULL;

    if (!found) {
        end_with("not lower-case hex");
    }
    return (unsigned)(found - digits);
}

/* Exactly as large as the input, so that ASan sees a read past its end. */
static uint8_t *hex_decode(const char *hex, size_t *ret_len)
{
    size_t len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    uint8_t *bytes = malloc(len ? len : 1);

    if (!bytes) {
        end_with("out of memory");
    }
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    }
    *ret_len = len;
    return bytes;
}

static void print_hex(const char *key, const uint8_t *bytes, size_t len)
{
    (void)printf(", \"%s\": \"", key);
    for (size_t i = 0; i < len; i++) {
        (void)printf("%02x", bytes[i]);
    }
    (void)printf("\"");
}

static void print_entries(const struct aloft_partition_table *t)
{
    (void)printf(", \"md5\": %s, \"entries\": [", t->has_md5 ? "true" : "false");
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct aloft_partition *p = &t->entries[i];
        (void)printf("%s[%u, %u, %u, %u, %u, \"", i ? ", " : "", p->type, p->subtype, p->off,
                     p->size_bytes, p->flags);
        for (const char *c = p->label; *c; c++) {
            (void)printf("%02x", (unsigned char)*c);
        }
        (void)printf("\"]");
    }
    (void)printf("]");
}

/* The bytes of a table, with and without MD5 record where it fits. */
static void print_encoded(struct aloft_partition_table *t, bool has_md5, const char *key)
{
    AUTO_HASH md5 = hash_new_md5();
    uint8_t out[ALOFT_PARTITION_TABLE_BYTES];

    t->has_md5 = has_md5;
    if (aloft_partition_table_encode(t, md5, out) == ALOFT_ERR_OK) {
        print_hex(key, out, sizeof out);
    }
}

static void answer_table(const char *line, const char *hex)
{
    AUTO_HASH md5 = hash_new_md5();
    unsigned flash_bytes = 0;
    size_t len = 0;
    struct aloft_partition_table t;

    if (sscanf(line, "table %x", &flash_bytes) != 1) {
        end_with("bad table question");
    }
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);
    enum aloft_err err = aloft_partition_table_parse(bytes, len, flash_bytes, md5, &t);
    (void)printf("{\"err\": \"%s\"", aloft_err_name(err));
    if (err == ALOFT_ERR_OK) {
        print_entries(&t);
        print_encoded(&t, t.has_md5, "encoded");
    }
}

static void answer_csv(const char *line, const char *hex)
{
    struct aloft_partition_csv_rules rules = {0};
    struct aloft_partition_csv_report report;
    struct aloft_partition_table t;
    unsigned skip_verify = 0;
    size_t len = 0;

    if (sscanf(line, "csv %x %x %u", &rules.table_off, &rules.flash_bytes, &skip_verify) != 3) {
        end_with("bad csv question");
    }
    rules.skip_verify = skip_verify != 0;
    AUTO_FREE uint8_t *text = hex_decode(hex, &len);
    enum aloft_err err = aloft_partition_csv_parse((const char *)text, len, &rules, &t, &report);
    (void)printf("{\"err\": \"%s\", \"line\": %u", aloft_err_name(err), report.line);
    if (err == ALOFT_ERR_OK) {
        print_entries(&t);
        print_encoded(&t, true, "encoded");
    }
}

static void parse_otadata(const char *hex, struct aloft_otadata *ret_otadata)
{
    size_t len = 0;
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);

    if (len != OTADATA_BYTES) {
        end_with("otadata has 64 bytes here");
    }
    aloft_otadata_entry_parse(bytes, &ret_otadata->entry[0]);
    aloft_otadata_entry_parse(bytes + ALOFT_OTADATA_ENTRY_BYTES, &ret_otadata->entry[1]);
}

static void print_otadata(const struct aloft_otadata *otadata)
{
    uint8_t bytes[OTADATA_BYTES];

    aloft_otadata_entry_encode(&otadata->entry[0], bytes);
    aloft_otadata_entry_encode(&otadata->entry[1], bytes + ALOFT_OTADATA_ENTRY_BYTES);
    print_hex("after", bytes, sizeof bytes);
}

static int bit_of(int candidate)
{
    if (candidate == ALOFT_BOOT_FACTORY) {
        return FACTORY_BIT;
    }
    return candidate == ALOFT_BOOT_TEST ? TEST_BIT : candidate;
}

static void run_plan(const struct aloft_boot_facts *facts, const struct aloft_otadata *before,
                     unsigned good_mask)
{
    struct aloft_boot_plan plan;
    uint32_t efuse = facts->efuse_version;
    bool boots = false;

    aloft_boot_plan_make(facts, before, &plan);
    (void)printf("{\"order\": [");
    for (uint32_t i = 0; i < plan.n_order; i++) {
        (void)printf("%s%d", i ? ", " : "", plan.order[i]);
    }
    (void)printf("]");
    for (uint32_t i = 0; i < plan.n_order && !boots; i++) {
        boots = (good_mask >> bit_of(plan.order[i])) & 1;
        if (boots) {
            aloft_boot_plan_booted(facts, &plan, plan.order[i], &efuse);
            (void)printf(", \"boots\": %d", plan.order[i]);
        }
    }
    (void)printf("%s, \"efuse\": %u", boots ? "" : ", \"boots\": null", efuse);
    print_otadata(&plan.otadata);
}

static void answer_boot(const char *line, const char *hex)
{
    unsigned has_factory = 0, has_test = 0, mask = 0, rollback = 0, anti_rollback = 0, good = 0;
    struct aloft_boot_facts facts = {0};
    struct aloft_otadata before;

    if (sscanf(line, "boot %u %u %x %u %u %u %u %u %x", &has_factory, &has_test, &mask, &rollback,
               &anti_rollback, &facts.efuse_version, &facts.slot_version[0], &facts.slot_version[1],
               &good) != 9) {
        end_with("bad boot question");
    }
    facts.has_factory = has_factory != 0;
    facts.has_test = has_test != 0;
    facts.has_rollback = rollback != 0;
    facts.has_anti_rollback = anti_rollback != 0;
    for (unsigned i = 0; i < ALOFT_BOOT_SLOTS_MAX; i++) {
        facts.slot_exists[i] = (mask >> i) & 1;
        facts.n_slots += (mask >> i) & 1;
    }
    parse_otadata(hex, &before);
    run_plan(&facts, &before, good);
}

static void answer_next(const char *line, const char *hex)
{
    unsigned slot = 0, n_slots = 0, state = 0;
    struct aloft_otadata otadata;
    struct aloft_otadata_entry entry;
    int index = 0;

    if (sscanf(line, "next %u %u %x", &slot, &n_slots, &state) != 3) {
        end_with("bad next question");
    }
    parse_otadata(hex, &otadata);
    enum aloft_err err = aloft_otadata_next(&otadata, slot, n_slots, state, &index, &entry);
    (void)printf("{\"err\": \"%s\", \"active\": %d", aloft_err_name(err),
                 aloft_otadata_active(&otadata));
    if (err == ALOFT_ERR_OK) {
        otadata.entry[index] = entry;
        print_otadata(&otadata);
    }
}

static void print_layout_table(const struct aloft_partition *entries, size_t n, bool has_md5,
                               const char *key)
{
    struct aloft_partition_table t = {.n_entries = n};

    memcpy(t.entries, entries, n * sizeof *entries);
    print_encoded(&t, has_md5, key);
}

static void answer_layout(const char *line, const char *hex)
{
    size_t index = 0;

    (void)hex;
    if (sscanf(line, "layout %zu", &index) != 1) {
        end_with("bad layout question");
    }
    const struct aloft_layout *layout = aloft_layout_at(index);
    if (!layout) {
        (void)printf("{\"name\": null");
        return;
    }
    (void)printf("{\"name\": \"%s\", \"flash_bytes\": %u, \"rollback\": %s", layout->name,
                 layout->flash_bytes, layout->has_rollback ? "true" : "false");
    print_layout_table(layout->primary, layout->n_primary, false, "primary");
    print_layout_table(layout->secondary, layout->n_secondary, true, "secondary");
}

static void answer_nvs(const char *line, const char *hex)
{
    static const char *const names[] = {
#define NVS_NAME(name, place, text) [ALOFT_NVS_##name] = #name,
        ALOFT_NVS_FAULT_MAP(NVS_NAME)
#undef NVS_NAME
    };
    struct aloft_nvs_report report;
    size_t len = 0;

    (void)line;
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);
    enum aloft_nvs_fault fault = aloft_nvs_check(bytes, len, &report);
    (void)printf("{\"fault\": \"%s\"", names[fault]);
    if (aloft_nvs_fault_place(fault) != ALOFT_NVS_IN_FILE) {
        (void)printf(", \"page\": %zu", report.page);
    }
    if (aloft_nvs_fault_place(fault) == ALOFT_NVS_IN_ENTRY) {
        (void)printf(", \"entry\": %zu", report.entry);
    }
}

static void answer_pki(const char *line, const char *hex)
{
    static const char *const names[] = {
#define PKI_NAME(name, text) [ALOFT_PKI_##name] = #name,
        ALOFT_PKI_FAULT_MAP(PKI_NAME)
#undef PKI_NAME
    };
    struct aloft_pki_report report;
    size_t len = 0;

    (void)line;
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);
    (void)printf("{\"fault\": \"%s\"", names[aloft_pki_check(bytes, len, &report)]);
}

static void answer_factory_param(const char *line, const char *hex)
{
    struct aloft_factory_param param;
    size_t len = 0;

    (void)line;
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);
    enum aloft_err err = aloft_factory_param_parse(bytes, len, &param);
    (void)printf("{\"fault\": \"%s\"", aloft_err_name(err));
}

static void answer_ble_data(const char *line, const char *hex)
{
    struct aloft_ble_data data;
    size_t len = 0;

    (void)line;
    AUTO_FREE uint8_t *bytes = hex_decode(hex, &len);
    (void)printf("{\"fault\": \"%s\"", aloft_err_name(aloft_ble_data_parse(bytes, len, &data)));
}

static const struct {
    const char *word;
    void (*answer)(const char *line, const char *hex);
} questions[] = {
    {"table ", answer_table},       {"csv ", answer_csv},
    {"boot ", answer_boot},         {"next ", answer_next},
    {"layout ", answer_layout},     {"nvs ", answer_nvs},
    {"pki ", answer_pki},           {"factory_param ", answer_factory_param},
    {"ble_data ", answer_ble_data},
};

static void answer(const char *line)
{
    const char *hex = strrchr(line, ' '); /* always the last word */

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (hex && strncmp(line, questions[i].word, strlen(questions[i].word)) == 0) {
            questions[i].answer(line, hex + 1);
            (void)printf("}\n");
            return;
        }
    }
    end_with("unknown question");
}

int main(void)
{
    AUTO_FREE char *line = NULL;
    size_t cap = 0;

    while (getline(&line, &cap, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        answer(line);
    }
    return 0;
}
