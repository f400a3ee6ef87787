/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "aloft/bytes.h"
#include "analyse/packed.h"

/* The rows that judge a package, in the order of a boot loader: header, payload, image. */

#define CHIP_OFF      12u
#define VERSION_OFF   4u  /* of the packed header */
#define MD5_OFF       44u /* v2 */
#define MD5_FIELD_END 76u
#define COMPRESS_XZ   1
#define REMEDY_PACK   "pack it with the tool of the vendor's build"
#define REMEDY_AGAIN  "upload it again, or pack it anew"
#define KIB           1024u

static uint8_t wanted_version(const struct subject *s)
{
    return s->layout->upload == ALOFT_UPLOAD_PACKED3 ? 3 : 2;
}

/* The app header in front, a copy of the image's. A pass is told by the image's own row 5. */
static void judge_prefix_chip(struct subject *s, const struct row *row)
{
    const struct packed *p = s->packed;
    uint16_t chip_id = aloft_get_le16(p->head + CHIP_OFF);

    if (p->header_off > 0 && chip_id != s->layout->chip_id) {
        refuse_chip(s, row->number, "the app header of this package", chip_id);
    }
}

static void judge_version(struct subject *s, const struct row *row)
{
    const struct packed *p = s->packed;
    size_t off = p->header_off + VERSION_OFF;

    if (p->head_len <= off) {
        return; /* row 24 says so */
    }
    if (p->head[off] == wanted_version(s)) {
        pass(s, row);
    } else {
        REFUSE(s, row->code,
               "this package has the format version %u, but modules of the layout %s take %u only: "
               "%s",
               p->head[off], s->layout->name, wanted_version(s), REMEDY_PACK);
    }
}

static void judge_header_crc(struct subject *s, const struct row *row)
{
    enum aloft_err err = s->packed->err;

    if (err == ALOFT_ERR_CRC) {
        REFUSE(s, row->code, "the header of this package is damaged, its CRC is wrong: %s",
               REMEDY_AGAIN);
    } else if (err == ALOFT_ERR_OK) {
        pass(s, row);
    }
}

static void judge_types(struct subject *s, const struct row *row)
{
    const struct aloft_packed_header *h = &s->packed->header;

    if (s->packed->err != ALOFT_ERR_OK) {
        return;
    }
    if (h->compress_type != COMPRESS_XZ) {
        REFUSE(s, row->code,
               "this package is compressed by method %u, modules know 1 (xz) only: %s",
               h->compress_type, REMEDY_PACK);
    } else if (h->delta_type != 0) {
        REFUSE(s, row->code,
               "this package holds a difference to another image, which AT modules cannot apply: "
               "pack the whole image");
    } else if (h->encryption_type != 0) {
        REFUSE(s, row->code,
               "this package is encrypted, which AT modules cannot read: pack it without");
    } else {
        pass(s, row);
    }
}

static void judge_length(struct subject *s, const struct row *row)
{
    const struct packed *p = s->packed;
    uint64_t signed_bytes = p->header_off + tail_sector_off(&s->tail) + ALOFT_SIGNATURE_BYTES;

    if (p->err != ALOFT_ERR_OK) {
        REFUSE(s, row->code,
               "this package is cut short: it ends inside its header; upload it again as a whole");
    } else if (p->header.payload_bytes == 0) {
        REFUSE(s, row->code, "this package is empty: it says that 0 bytes follow its header; %s",
               REMEDY_PACK);
    } else if (p->payload_bytes < p->header.payload_bytes) {
        REFUSE(s, row->code,
               "this package is cut short: %" PRIu64 " of the %" PRIu32
               " bytes behind its header are missing; upload it again as a whole",
               p->header.payload_bytes - p->payload_bytes, p->header.payload_bytes);
    } else if (s->tail.is_ff) {
        pass(s, row);
    } else if (!has_readable_signature(s)) {
        REFUSE(s, row->code,
               "%" PRIu64 " bytes follow the end of the package that are neither filling nor a "
               "signature: %s",
               tail_bytes(&s->tail), REMEDY_AGAIN);
    } else if (s->size_bytes != signed_bytes) {
        WARN(s, row->code,
             "a signed package of this length has %" PRIu64 " bytes, this file has %" PRIu64
             ": check how it was made",
             signed_bytes, s->size_bytes);
    } else {
        pass(s, row);
    }
}

static void judge_md5(struct subject *s, const struct row *row)
{
    struct packed *p = s->packed;
    uint8_t md5[ALOFT_MD5_BYTES];
    size_t rest = MD5_FIELD_END - MD5_OFF - sizeof md5;

    p->md5->ops->finish(p->md5->state, md5);
    if (memcmp(md5, p->header.payload_md5, sizeof md5) != 0) {
        REFUSE(s, row->code,
               "this package is damaged: its content has another MD5 than its header "
               "says; %s",
               REMEDY_AGAIN);
    } else if (p->header.version == 2 &&
               !aloft_bytes_are(p->head + MD5_OFF + sizeof md5, rest, 0)) {
        WARN(s, row->code,
             "behind the MD5 in the header of this package stand %zu bytes that should be 0: "
             "modules ignore them, but check how it was packed",
             rest);
    } else {
        pass(s, row);
    }
}

static void judge_xz_format(struct subject *s, const struct row *row)
{
    const struct xz_reader *xz = s->packed->xz;

    switch (xz_finish(s->packed->xz)) {
    case XZ_NO_STREAM:
        REFUSE(s, row->code, "the content of this package is no xz stream: %s", REMEDY_PACK);
        return;
    case XZ_CHECK:
        REFUSE(s, row->code,
               "the xz stream of this package has an integrity check of type %u, and boot loaders "
               "know none (0) and CRC32 (1) only: pack it with --check=crc32",
               xz_check(xz));
        return;
    case XZ_FILTER:
        REFUSE(s, row->code,
               "the xz stream of this package uses a filter that boot loaders do not have: pack it "
               "with LZMA2 alone");
        return;
    case XZ_DICT:
        REFUSE(s, "PACK_XZ_DICT",
               "the xz stream of this package needs a dictionary of %" PRIu32
               " KiB, and boot loaders have memory for %u KiB: pack it with --lzma2=dict=64KiB",
               xz_dict_bytes(xz) / KIB, XZ_DICT_MAX / KIB);
        return;
    case XZ_TRAILING:
        REFUSE(s, row->code,
               "bytes follow the xz stream inside this package, and boot loaders read one stream "
               "only: %s",
               REMEDY_PACK);
        return;
    case XZ_GOOD:
    case XZ_DATA:
    case XZ_TRUNCATED:
    case XZ_STOPPED:
    case XZ_MEMORY:
        break;
    }
    pass(s, row);
}

static void judge_xz_data(struct subject *s, const struct row *row)
{
    switch (xz_finish(s->packed->xz)) {
    case XZ_TRUNCATED:
        REFUSE(s, row->code,
               "the xz stream of this package ends too early, after %" PRIu64
               " bytes of the image: %s",
               s->image_bytes, REMEDY_AGAIN);
        return;
    case XZ_MEMORY:
        REFUSE(s, row->code,
               "this server has no memory left to unpack this package: upload it again later");
        return;
    case XZ_DATA:
        REFUSE(s, row->code,
               "the xz stream of this package is damaged and cannot be unpacked: a module with one "
               "slot would be left without an app; %s",
               REMEDY_AGAIN);
        return;
    case XZ_STOPPED: /* the next row says why */
        return;
    default:
        pass(s, row);
    }
}

static void judge_inner_size(struct subject *s, const struct row *row)
{
    uint64_t slot_bytes = s->packed->slot_bytes;

    if (s->image_bytes >= slot_bytes) { /* decoding stopped there */
        REFUSE(s, row->code,
               "the image in this package has at least %" PRIu64
               " bytes, but it must be smaller than its slot, which has just as many in the layout "
               "%s: build a smaller image",
               slot_bytes, s->layout->name);
    } else {
        pass(s, row);
    }
}

/* Row 29 in the words of the rows of the image. */
static const struct inner_code {
    const char *code;
    const char *inner;
} inner_codes[] = {
#define INNER(code)                                                                                \
    {                                                                                              \
        code, "INNER_" code                                                                        \
    }
    INNER("OTA_WRONG_CHIP"),  INNER("IMG_SEGMENTS"), INNER("IMG_TRUNCATED"),
    INNER("IMG_SEGMENT_LEN"), INNER("IMG_HEADER"),   INNER("IMG_ALIGN"),
    INNER("IMG_LOAD_ADDR"),   INNER("IMG_CHECKSUM"), INNER("IMG_HASH"),
    INNER("IMG_NO_APP_DESC"), INNER("IMG_CHIP_REV"), INNER("VER_DOWNGRADE"),
};

static const char *inner_code(const char *code)
{
    size_t i = 0;

    while (strcmp(inner_codes[i].code, code) != 0) {
        i++; /* every code a refusal of the image can have is there */
    }
    return inner_codes[i].inner;
}

/* What is not even the beginning of an image has no row of its own: 2 has told that for a plain
 * one.
 */
static bool judge_inner_kind(struct subject *s, const struct row *row)
{
    if (s->image.err != ALOFT_ERR_MAGIC) {
        return true;
    }
    REFUSE(s, "INNER_OTA_WRONG_KIND",
           "what is in this package is no app image, an inner image begins with e9: %s",
           REMEDY_PACK);
    return false;
}

static void judge_inner(struct subject *s, const struct row *row)
{
    const struct analysis_report *report = s->report;
    size_t first = report->n_findings;

    if (!judge_inner_kind(s, row)) {
        return;
    }
    s->is_inner = true;
    (void)judge_image(s);
    s->is_inner = false;
    for (size_t i = first; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        if (f->verdict == ANALYSIS_REFUSAL) {
            REFUSE(s, inner_code(f->code), "row %u refuses the image in this package: %s", f->row,
                   f->sentence);
            return;
        }
    }
    pass(s, row);
}

static void judge_prefix(struct subject *s, const struct row *row)
{
    const struct packed *p = s->packed;
    size_t i = 0;

    if (p->header_off == 0) {
        return;
    }
    /* Byte 1 is the number of segments, which is 0 in the copy. */
    while (i < ALOFT_APP_PREFIX_BYTES && (i == 1 || p->head[i] == s->image_head[i])) {
        i++;
    }
    if (i == ALOFT_APP_PREFIX_BYTES) {
        pass(s, row);
    } else {
        REFUSE(s, row->code,
               "the app header in front of this package is not the one of the image in it, they "
               "differ at byte %zu: %s",
               i, REMEDY_PACK);
    }
}

static void judge_version_text(struct subject *s, const struct row *row)
{
    char text[sizeof s->packed->header.firmware_version];
    char version[sizeof s->image.desc.version];

    if (s->packed->header.version != 2) {
        return;
    }
    copy_printable(s->packed->header.firmware_version, text, sizeof text);
    copy_printable(s->image.desc.version, version, sizeof version);
    if (text[0] == '\0' || strcmp(text, version) == 0) {
        pass(s, row); /* the vendor's tool leaves it empty */
    } else {
        WARN(s, row->code,
             "the header of this package calls it version '%s', the image in it is '%s': modules "
             "will report the latter",
             text, version);
    }
}

static const struct row packed_rows[] = {
    {5, "OTA_WRONG_CHIP", judge_prefix_chip, false},
    {21, "PACK_VERSION", judge_version, false},
    {22, "PACK_HEADER_CRC", judge_header_crc, false},
    {23, "PACK_TYPE", judge_types, false},
    {24, "PACK_LENGTH", judge_length, false},
    {25, "PACK_MD5", judge_md5, false},
    {26, "PACK_XZ_FORMAT", judge_xz_format, false},
    {27, "PACK_XZ_DATA", judge_xz_data, false},
    {28, "PACK_INNER_TOO_BIG", judge_inner_size, false},
    {29, "INNER_IMAGE", judge_inner, false},
    {30, "PACK_PREFIX", judge_prefix, false},
    {31, "PACK_VERSION_TEXT", judge_version_text, false},
};

void packed_judge(struct packed *p)
{
    struct subject *s = p->subject;

    if (judge_rows(s, packed_rows, sizeof packed_rows / sizeof packed_rows[0])) {
        judge_signature(s);
        judge_home(s);
    }
}
