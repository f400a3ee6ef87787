/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis_world.h"

#include "unit.h"

#include <string.h>

#include <lzma.h>

#include "aloft/bytes.h"
#include "aloft/packed_image.h"
#include "golden_images.h"
#include "host/hashes.h"

#define DICT_DEFAULT 65536u
#define PACK_OFF     0x120u

void world_seal(uint8_t *image)
{
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t sum = 0xEF;

    for (size_t i = 0x20; i < WORLD_CHECKSUM_OFF; i++) {
        bool is_head = i >= WORLD_RAM_HEAD && i < WORLD_RAM_DATA;
        sum ^= is_head ? 0 : image[i];
    }
    image[WORLD_CHECKSUM_OFF] = sum;
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, image, WORLD_CHECKSUM_OFF + 1);
    sha256->ops->finish(sha256->state, image + WORLD_CHECKSUM_OFF + 1);
}

void world_image(const char *chip, uint8_t *image)
{
    const struct aloft_chip *c = aloft_chip_by_name(chip);

    memset(image, 0, WORLD_IMAGE_BYTES);
    memcpy(image, image_a, 0x120);
    image[1] = 2;
    if (strcmp(chip, "esp32c2") == 0) {
        image[3] = 0x10; /* 2 MB of flash: for all of its layouts */
    }
    aloft_put_le32(image + 4, c->ram[0].start);
    aloft_put_le16(image + 12, c->id);
    aloft_put_le32(image + 24, c->drom.start + 0x20);
    aloft_put_le32(image + WORLD_RAM_HEAD, c->ram[0].start);
    aloft_put_le32(image + WORLD_RAM_HEAD + 4, 16);
    memset(image + WORLD_RAM_DATA, 0x13, 16);
    world_seal(image);
}

struct analysis_rules world_rules(const char *layout)
{
    return (struct analysis_rules){
        .layout = aloft_layout_by_name(layout), .version = WORLD_VERSION, .file_name = "ota.bin"};
}

const struct analysis_report *world_vet(const struct analysis_rules *rules, const void *buf,
                                        size_t len, struct analysis **ret_analysis)
{
    *ret_analysis = analysis_new(rules);
    assert_non_null(*ret_analysis);
    analysis_feed(*ret_analysis, buf, len);
    return analysis_finish(*ret_analysis);
}

const struct analysis_finding *world_find(const struct analysis_report *report, unsigned row)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        if (report->findings[i].row == row) {
            return &report->findings[i];
        }
    }
    return NULL;
}

void world_expect(const struct analysis_report *report, unsigned row, const char *code,
                  enum analysis_verdict verdict, const char *words)
{
    const struct analysis_finding *f = world_find(report, row);

    if (!f) {
        for (size_t i = 0; i < report->n_findings; i++) {
            print_error("%u %s %s\n", report->findings[i].row, report->findings[i].code,
                        report->findings[i].sentence);
        }
        fail_msg("row %u is not there", row);
        return;
    }
    if (strcmp(f->code, code) != 0 || f->verdict != verdict || !strstr(f->sentence, words)) {
        fail_msg("row %u: got %s %s \"%s\", wanted %s %s \"%s\"", row,
                 analysis_verdict_text(f->verdict), f->code, f->sentence,
                 analysis_verdict_text(verdict), code, words);
    }
}

void world_expect_pass(const struct analysis_report *report, unsigned row)
{
    const struct analysis_finding *f = world_find(report, row);

    if (!f || f->verdict != ANALYSIS_PASS || f->sentence[0] != '\0') {
        fail_msg("row %u: got %s \"%s\", wanted a pass", row,
                 f ? analysis_verdict_text(f->verdict) : "nothing", f ? f->sentence : "");
    }
}

void world_only(const struct analysis_rules *rules, const void *buf, size_t len, unsigned row,
                const char *code, enum analysis_verdict verdict, const char *words)
{
    AUTO_ANALYSIS a = NULL;
    const struct analysis_report *report = world_vet(rules, buf, len, &a);

    world_expect(report, row, code, verdict, words);
    assert_int_equal(report->verdict, verdict);
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        if (f->row != row && f->verdict != ANALYSIS_PASS) {
            fail_msg("row %u is no pass: %s", f->row, f->sentence);
        }
        assert_true(i == 0 || report->findings[i - 1].row < f->row);
    }
    /* What size, version and signature say hides nothing; every other refusal is the last word. */
    if (verdict == ANALYSIS_REFUSAL && row != 1 && row != 16 && row != 20) {
        assert_int_equal(report->findings[report->n_findings - 1].row, row);
    }
}

static size_t compress(const struct world_pack *how, const uint8_t *image, size_t len, uint8_t *out,
                       size_t cap)
{
    lzma_options_lzma options;
    size_t n = 0;

    assert_false(lzma_lzma_preset(&options, 6));
    options.dict_size = how->dict_bytes ? how->dict_bytes : DICT_DEFAULT;
    lzma_filter filters[] = {
        {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}, {LZMA_VLI_UNKNOWN, NULL}};
    if (how->has_x86) {
        filters[1] = filters[0];
        filters[0] = (lzma_filter){LZMA_FILTER_X86, NULL};
    }
    lzma_check check = how->has_check ? (lzma_check)how->check : LZMA_CHECK_CRC32;
    assert_int_equal(lzma_stream_buffer_encode(filters, check, NULL, image, len, out, &n, cap),
                     LZMA_OK);
    memset(out + n, 0x5A, how->n_extra);
    return n + how->n_extra - (how->is_cut ? 1 : 0);
}

size_t world_pack(const struct world_pack *how, const uint8_t *image, size_t len, uint8_t *out,
                  size_t cap)
{
    struct aloft_packed_header h = {.version = (uint8_t)(how->version ? how->version : 2),
                                    .compress_type = how->compress_type ? how->compress_type : 1,
                                    .delta_type = how->delta_type,
                                    .encryption_type = how->encryption_type};
    size_t off = how->is_wrapped ? PACK_OFF : 0;
    size_t header_bytes = h.version == 3   ? ALOFT_PACKED_V3_BYTES
                          : h.version == 2 ? ALOFT_PACKED_V2_BYTES
                                           : ALOFT_PACKED_V1_BYTES;
    uint8_t *payload = out + off + header_bytes;
    AUTO_HASH md5 = hash_new_md5();
    size_t n;

    memcpy(out, image, off);
    out[1] = off > 0 ? 0 : out[1];
    size_t payload_bytes = compress(how, image, len, payload, cap - off - header_bytes);
    h.payload_bytes = (uint32_t)payload_bytes;
    md5->ops->start(md5->state);
    md5->ops->update(md5->state, payload, payload_bytes);
    md5->ops->finish(md5->state, h.payload_md5);
    if (how->version_text) {
        memcpy(h.firmware_version, how->version_text, strlen(how->version_text));
    }
    assert_err(aloft_packed_header_encode(&h, out + off, &n), ALOFT_ERR_OK);
    return off + header_bytes + payload_bytes;
}

void world_seal_package(uint8_t *file)
{
    bool is_wrapped = file[0] == 0xE9;
    uint8_t *header = file + (is_wrapped ? PACK_OFF : 0);
    size_t crc_off = is_wrapped ? 36 : 84; /* facts/esp-formats.md 4.1 */

    aloft_put_le32(header + crc_off, aloft_crc32(0, header, crc_off));
}
