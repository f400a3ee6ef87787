/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/kind.h"

#include <inttypes.h>
#include <string.h>

#include "aloft/packed_image.h"
#include "host/hashes.h"

/* Rows 1 to 4: is this the kind of file that modules of the layout take, and does it fit? */

#define SMALLEST_BYTES   32u /* facts/esp-formats.md 7, row 1. */
#define HEAD_SHOWN_BYTES 4u
#define REMEDY_APP       "upload esp-at.bin from the same build"
#define REMEDY_PACKED    "upload the packed image of the same build (esp-at.bin.xz.packed)"

static bool is_packed_layout(const struct aloft_layout *layout)
{
    return layout->upload == ALOFT_UPLOAD_PACKED2 || layout->upload == ALOFT_UPLOAD_PACKED3;
}

static const char *remedy_of(const struct aloft_layout *layout)
{
    return is_packed_layout(layout) ? REMEDY_PACKED : REMEDY_APP;
}

static bool judge_slot(struct subject *s)
{
    const struct aloft_layout *layout = s->layout;

    if (layout->upload != ALOFT_UPLOAD_NONE) {
        return true;
    }
    add_finding(s, 2, "OTA_NO_SLOT", ANALYSIS_REFUSAL,
                "modules of the layout %s cannot be upgraded over the air: they have one app "
                "slot and nowhere to put a second image; flash them over their serial port",
                layout->name);
    return false;
}

static bool judge_least_size(struct subject *s)
{
    if (s->size_bytes >= SMALLEST_BYTES) {
        return true;
    }
    if (s->size_bytes == 0) {
        add_finding(s, 1, "OTA_EMPTY", ANALYSIS_REFUSAL, "this is an empty file; %s",
                    remedy_of(s->layout));
    } else {
        add_finding(s, 1, "OTA_EMPTY", ANALYSIS_REFUSAL,
                    "this file has only %" PRIu64 " bytes, no image is that small; %s",
                    s->size_bytes, remedy_of(s->layout));
    }
    return false;
}

/* What to do with a file of the wrong kind; NULL = the layout's remedy. */
static const struct remedy {
    enum aloft_sniff_kind kind;
    unsigned row;
    const char *code;
    const char *text;        /* plain layouts */
    const char *packed_text; /* packed layouts */
} remedies[] = {
#define UNPACK "these modules take plain images: upload the esp-at.bin it was packed from"
#define VENDOR "upload esp-at.bin.xz.packed as the vendor's build makes it"
    /* clang-format off */
    {ALOFT_SNIFF_FACTORY, 3, "OTA_IS_FACTORY_IMAGE", REMEDY_APP ", which holds the app alone", NULL},
    {ALOFT_SNIFF_BOOTLOADER, 4, "OTA_IS_BOOTLOADER",
     "over the air only the app can be replaced: " REMEDY_APP,
     "over the air only the app can be replaced: " REMEDY_PACKED},
    {ALOFT_SNIFF_PACKED_V1, 2, "OTA_WRONG_KIND", UNPACK, NULL},
    {ALOFT_SNIFF_PACKED_V2, 2, "OTA_WRONG_KIND", UNPACK, NULL},
    {ALOFT_SNIFF_PACKED_V3, 2, "OTA_WRONG_KIND", UNPACK, "it lacks the app header: " VENDOR},
    {ALOFT_SNIFF_PACKED_V3_WRAPPED, 2, "OTA_WRONG_KIND", UNPACK, NULL},
    {ALOFT_SNIFF_ZIP, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it",
     "unpack it and upload the esp-at.bin.xz.packed in it"},
    {ALOFT_SNIFF_GZIP, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it",
     "unpack it and upload the esp-at.bin.xz.packed in it"},
    {ALOFT_SNIFF_XZ, 2, "OTA_WRONG_KIND", "unpack it and upload the esp-at.bin in it",
     "it lacks the header of a packed image: " VENDOR},
    {ALOFT_SNIFF_ELF, 2, "OTA_WRONG_KIND",
     "it is what debuggers take: upload the esp-at.bin that was made from it", NULL},
    {ALOFT_SNIFF_ESP8266, 2, "OTA_WRONG_KIND", "upload esp-at.bin of the build for this chip", NULL},
    {ALOFT_SNIFF_ESP8266_NONOS, 2, "OTA_WRONG_KIND",
     "upload esp-at.bin of the build for this chip", NULL},
    /* clang-format on */
};

static struct remedy find_remedy(const struct aloft_layout *layout, enum aloft_sniff_kind kind)
{
    struct remedy remedy = {kind, 2, "OTA_WRONG_KIND", NULL, NULL};

    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (remedies[i].kind == kind) {
            remedy = remedies[i];
        }
    }
    if (is_packed_layout(layout)) {
        remedy.text = remedy.packed_text;
    }
    if (!remedy.text) {
        remedy.text = remedy_of(layout);
    }
    return remedy;
}

/* A package of whatever version at the place where modules look for it: row 21 judges that. */
static bool is_packed_as_expected(const struct aloft_layout *layout, const uint8_t *head,
                                  size_t head_len)
{
    bool is_wrapped = layout->upload == ALOFT_UPLOAD_PACKED3;
    size_t off = is_wrapped ? ALOFT_PACKED_WRAP_BYTES : 0;

    return head_len >= off + 4 && memcmp(head + off, "ESP", 4) == 0 &&
           (!is_wrapped || (head[0] == ALOFT_APP_MAGIC && head[1] == 0));
}

static void refuse_kind(struct subject *s, const uint8_t *head, const struct factory *factory)
{
    enum aloft_sniff_kind kind = s->report->kind;
    struct remedy remedy = find_remedy(s->layout, kind);
    bool is_packed = is_packed_layout(s->layout);
    char hex[2 * HEAD_SHOWN_BYTES + 1];

    if (kind == ALOFT_SNIFF_UNKNOWN) {
        hex_encode(head, HEAD_SHOWN_BYTES, hex); /* judge_least_size() ran: they are there */
        add_finding(s, remedy.row, remedy.code, ANALYSIS_REFUSAL,
                    "this is a file of unknown kind: it begins with %s, %s; %s", hex,
                    !is_packed ? "an app image begins with e9"
                    : s->layout->upload == ALOFT_UPLOAD_PACKED2
                        ? "a packed image v2 begins with 45535000"
                        : "a packed image v3 begins with e900",
                    remedy.text);
    } else if (kind == ALOFT_SNIFF_FACTORY) {
        factory_refuse(factory, s, remedy.text);
    } else if (is_packed) {
        /* facts/esp-formats.md 4.4: it would run from the slot that all later upgrades go to. */
        bool is_trap = kind == ALOFT_SNIFF_APP && s->layout->upload == ALOFT_UPLOAD_PACKED3;
        add_finding(s, remedy.row, remedy.code, ANALYSIS_REFUSAL,
                    "this is %s, but modules of the layout %s take %s images; %s%s",
                    aloft_sniff_text(kind), s->layout->name,
                    aloft_upload_kind_text(s->layout->upload), remedy.text,
                    is_trap ? ": a module would start this one, and could never be upgraded over "
                              "the air again"
                            : "");
    } else {
        add_finding(s, remedy.row, remedy.code, ANALYSIS_REFUSAL, "this is %s; %s",
                    aloft_sniff_text(kind), remedy.text);
    }
}

static void judge_slot_size(struct subject *s)
{
    uint32_t slot_bytes = aloft_layout_target_bytes(s->layout);

    if (s->size_bytes > slot_bytes && is_packed_layout(s->layout)) {
        add_finding(s, 1, "OTA_TOO_BIG", ANALYSIS_REFUSAL,
                    "this package has %" PRIu64 " bytes, but modules of the layout %s have %" PRIu32
                    " to receive one: a module would refuse it; pack a smaller image",
                    s->size_bytes, s->layout->name, slot_bytes);
    } else if (s->size_bytes > slot_bytes) {
        add_finding(s, 1, "OTA_TOO_BIG", ANALYSIS_REFUSAL,
                    "this file has %" PRIu64 " bytes, but the slots of the layout %s have %" PRIu32
                    ": a module would refuse it; build a smaller image",
                    s->size_bytes, s->layout->name, slot_bytes);
    } else {
        add_finding(s, 1, "OTA_TOO_BIG", ANALYSIS_PASS, NULL);
    }
}

bool judge_kind(struct subject *s, const uint8_t *head, size_t head_len,
                const struct factory *factory)
{
    static const char *const codes[] = {"OTA_WRONG_KIND", "OTA_IS_FACTORY_IMAGE",
                                        "OTA_IS_BOOTLOADER"}; /* rows 2, 3, 4 */
    enum aloft_sniff_kind kind = s->report->kind;
    bool is_packed = is_packed_layout(s->layout);

    if (!judge_slot(s) || !judge_least_size(s)) {
        return false;
    }
    bool is_right =
        is_packed ? is_packed_as_expected(s->layout, head, head_len) : kind == ALOFT_SNIFF_APP;
    unsigned row_end = is_right ? (is_packed ? 3 : 5) : find_remedy(s->layout, kind).row;
    /* The size of another kind of file says nothing: what would be cut out or unpacked may fit. */
    if (is_right || s->size_bytes <= aloft_layout_target_bytes(s->layout)) {
        judge_slot_size(s);
    }
    for (unsigned row = 2; row < row_end; row++) {
        add_finding(s, row, codes[row - 2], ANALYSIS_PASS, NULL);
    }
    if (!is_right) {
        refuse_kind(s, head, factory);
    }
    return is_right;
}
