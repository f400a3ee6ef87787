/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/causes.h"

#include <stdio.h>
#include <string.h>

#include "attempt/sentence.h"

#define APP_FILE         "ota.bin"
#define STOCK_WINDOW     5760u  /* receive window of a stock module (wire 3.3) */
#define NEARLY_GAP_MS    165000 /* its clock began some time before the first byte we see */
#define MS_PER_S         1000
#define MAGIC_APP        0xE9
#define MAGIC_PACKED2    "ESP"
#define MAGIC_PACKED_LEN 3u

static const char *const states[] = {
#define ATTEMPT_ENTRY(name, word) [ATTEMPT_##name] = (word),
    ATTEMPT_STATE_MAP(ATTEMPT_ENTRY)
#undef ATTEMPT_ENTRY
};

const char *attempt_state_text(enum attempt_state state)
{
    return states[state];
}

enum attempt_state attempt_state_of(const char *word)
{
    size_t i = 0;

    while (i < ATTEMPT_STATES && strcmp(states[i], word) != 0) {
        i++;
    }
    return (enum attempt_state)i;
}

/* Tests beyond situation and outcome. */

static bool is_any(const struct cause_facts *f)
{
    (void)f;
    return true;
}

/* What it has acknowledged is what it has read and what waits in its window behind that: a module
 * that has read no more than its first window has acknowledged two at most. */
static bool is_first_window(const struct cause_facts *f)
{
    uint32_t window = f->contact->window_bytes ? f->contact->window_bytes : STOCK_WINDOW;

    return f->contact->acked_bytes <= 2 * (uint64_t)window;
}

static const struct aloft_layout *layout_of(const struct cause_facts *f)
{
    return f->file ? f->file->layout : NULL;
}

static const struct aloft_chip *chip_of(const struct cause_facts *f)
{
    const struct aloft_layout *layout = layout_of(f);

    return layout ? aloft_chip_by_id(layout->chip_id) : NULL;
}

static bool is_wrong_chip(const struct cause_facts *f)
{
    const struct aloft_chip *chip = chip_of(f);
    const char *said = f->contact->headers.chip;

    return chip && said[0] && strcmp(said, chip->name) != 0;
}

/* Room for the file in a module of the layout; 0 = not known. */
static uint64_t room_of(const struct cause_facts *f)
{
    const struct aloft_layout *layout = layout_of(f);
    const char *name = f->contact->file_name;

    if (!layout) {
        return 0;
    }
    if (strcmp(name, APP_FILE) == 0) {
        return aloft_layout_target_bytes(layout);
    }
    for (size_t i = 0; i < layout->n_secondary; i++) {
        const struct aloft_partition *p = &layout->secondary[i];
        size_t len = strlen(p->label);
        if (strncmp(name, p->label, len) == 0 && strcmp(name + len, ".bin") == 0) {
            return p->size_bytes;
        }
    }
    return 0;
}

static bool is_too_big(const struct cause_facts *f)
{
    uint64_t room = room_of(f);

    return room > 0 && f->contact->total_bytes > room && is_first_window(f);
}

static bool begins_packed(const struct cause_file *file)
{
    return file->head_len >= MAGIC_PACKED_LEN &&
           memcmp(file->head, MAGIC_PACKED2, MAGIC_PACKED_LEN) == 0;
}

/* Stock closes when the first byte is not the one its build takes. Modules of ours say what they
 * take, and have more reasons to close. */
static bool is_wrong_magic(const struct cause_facts *f)
{
    if (!f->file || f->file->head_len == 0 || strcmp(f->contact->file_name, APP_FILE) != 0 ||
        f->contact->acked_bytes == 0 || !is_first_window(f)) {
        return false;
    }
    return !f->is_ours || (begins_packed(f->file) && !strstr(f->contact->headers.caps, "packed2"));
}

static uint64_t rate_of(const struct cause_facts *f)
{
    uint32_t ms = f->contact->duration_ms ? f->contact->duration_ms : 1;

    return f->contact->acked_bytes * MS_PER_S / ms;
}

static uint64_t needed_rate(const struct cause_facts *f)
{
    return f->contact->total_bytes / (CAUSE_TRANSFER_MS / MS_PER_S);
}

static bool is_too_slow(const struct cause_facts *f)
{
    return (f->contact->duration_ms >= CAUSE_TRANSFER_MS || f->since_ms >= NEARLY_GAP_MS) &&
           rate_of(f) < needed_rate(f);
}

static bool is_ours(const struct cause_facts *f)
{
    return f->is_ours;
}

static bool is_same_sure(const struct cause_facts *f)
{
    return f->is_same_sure;
}

#define ANY_OUTCOME (-1)

/* The first row that fits counts: what says more stands above what says less. */
static const struct row {
    enum cause_situation situation;
    int outcome; /* enum contact_outcome or ANY_OUTCOME */
    bool (*test)(const struct cause_facts *facts);
    enum attempt_state state;
    const char *word;
    const char *sentence;
} rows[] = {
#define CONTACT_ROW(outcome, test, word, sentence)                                                 \
    {CAUSE_OF_CONTACT, CONTACT_##outcome, test, ATTEMPT_FAILED, word, sentence},
#define ROW(situation, test, state, word, sentence)                                                \
    {CAUSE_##situation, ANY_OUTCOME, test, ATTEMPT_##state, word, sentence},
    /* clang-format off */
    {CAUSE_OF_CONTACT, CONTACT_VERSION_TOLD, is_any, ATTEMPT_RUNNING, "",
     "was told {version}, has not come for the file yet"},
    {CAUSE_OF_CONTACT, CONTACT_PROVEN, is_any, ATTEMPT_RUNNING, "",
     "was told {version}, has not come for the file yet"},
    {CAUSE_OF_CONTACT, CONTACT_FILE_PART, is_any, ATTEMPT_RUNNING, "",
     "got a part of {file} of {version}, {total} bytes"},
    {CAUSE_OF_CONTACT, CONTACT_FILE_DELIVERED, is_any, ATTEMPT_DELIVERED, "",
     "got {file} of {version}: all {total} bytes acknowledged in {ms} ms, {rate} bytes per second"},
    ROW(PROVEN, is_any, PROVEN, "", "runs {version} now: proven")

    CONTACT_ROW(FILE_CLOSED, is_wrong_chip, "wrong_chip",
        "closed after {acked} bytes: this module has the chip {chip}, the layout {layout} is for "
        "{layout_chip}; put the device in a product of its own chip")
    CONTACT_ROW(FILE_CLOSED, is_too_slow, "too_slow",
        "closed after {acked} of {total} bytes: the module's 180 s were over; it got {rate} bytes "
        "per second and needed {needed}; serve it from nearer by, or over a better network")
    CONTACT_ROW(FILE_CLOSED, is_too_big, "too_big",
        "closed after {acked} bytes: {file} has {total} bytes, a module of layout {layout} has room "
        "for {room}; deploy a smaller file")
    CONTACT_ROW(FILE_CLOSED, is_wrong_magic, "wrong_magic",
        "closed after {acked} bytes: this module wants {wants} first, the file starts with {begins}; "
        "the layout {layout} takes {kind} files, so put modules of another build in a product with "
        "their own layout")
    CONTACT_ROW(FILE_CLOSED, is_first_window, "closed_first_window",
        "closed after {acked} of {total} bytes of {file}, within its first window: the module "
        "refused the file by its beginning, or was cut off at once; see that the file is made for "
        "this module")
    CONTACT_ROW(FILE_CLOSED, is_any, "closed",
        "closed after {acked} of {total} bytes of {file}, at {rate} bytes per second: the module "
        "stopped reading, as it does when it is restarted or loses its network; let it try again")
    CONTACT_ROW(FILE_STALLED, is_too_slow, "too_slow",
        "went silent after {acked} of {total} bytes: the module's 180 s were over; it got {rate} "
        "bytes per second and needed {needed}; serve it from nearer by, or over a better network")
    CONTACT_ROW(FILE_STALLED, is_any, "stalled",
        "went silent after {acked} of {total} bytes of {file} and was given up: the module lost its "
        "power or its network; let it try again")
    CONTACT_ROW(FILE_STOPPED, is_any, "server_stopped",
        "cut after {acked} of {total} bytes of {file}: the server was stopped; let the module try "
        "again, and give downloads more time with stop-seconds")
    CONTACT_ROW(FILE_UNREADABLE, is_any, "unreadable",
        "cut after {acked} bytes: {file} of {version} is missing or damaged on the server; deploy "
        "it again")
    CONTACT_ROW(FILE_ERASES, is_any, "erased_for_nothing",
        "asked for {file}: there is no such file, and stock firmware has erased that partition "
        "before it asked; never name this partition in AT+CIUPDATE")
    CONTACT_ROW(NO_TOKEN, is_any, "no_token",
        "sent no token: build the module with the token of its product")
    CONTACT_ROW(BAD_TOKEN, is_any, "bad_token",
        "sent a token that is not 40 lower-case hex digits: build the module with the token of its "
        "product")
    CONTACT_ROW(UNKNOWN_TOKEN, is_any, "unknown_token",
        "unknown token {token}…: no product or device has it; add a product with this token, or "
        "give the module the right one")
    CONTACT_ROW(NO_CURRENT, is_any, "no_current",
        "asked for the current version: the product has none; choose one")
    CONTACT_ROW(NO_ROM, is_any, "unknown_version",
        "asked for {file} of {version}: the product has no such version; deploy it, or name one it "
        "has")
    CONTACT_ROW(NO_FILE, is_any, "no_file",
        "asked for {file} of {version}: this version has no such file; deploy a version with it")
    CONTACT_ROW(BAD_RANGE, is_any, "bad_range",
        "asked for bytes past the end of {file} of {version}: the file has changed since its first "
        "part; let the module begin again")
    CONTACT_ROW(LIMITED, is_any, "limited",
        "asked too often and was told to wait: let its host MCU ask less often")
    CONTACT_ROW(FULL, is_any, "full",
        "asked while the server had as many downloads as it may have: let the module ask again "
        "later, or raise downloads-max")
    CONTACT_ROW(LINK_UNKNOWN, is_any, "link_unknown",
        "asked for a link that is not here, with the file {file}: make a link and take its address "
        "as it is")
    CONTACT_ROW(LINK_EXPIRED, is_any, "link_expired",
        "asked for {file} of {version} by a link that has expired: make a new link")
    CONTACT_ROW(TLS_FAILED, is_any, "tls_refused",
        "the TLS handshake failed: {reason}{tls_remedy}")

    ROW(ROLLED, is_any, FAILED, "rolled_back",
        "{version} was delivered, but the module came back with {runs} after a rollback: the new "
        "version did not start, or did not confirm itself")
    ROW(BACK_OLD, is_any, FAILED, "refused_after_last_byte",
        "all {total} bytes arrived, but the module came back after {after} s, still on {runs} and "
        "not restarted: its own verification refused the image after the last byte")
    ROW(BACK_AGAIN, is_same_sure, FAILED, "refused_after_last_byte",
        "all {total} bytes arrived, but the module came back after {after} s for the same version: "
        "its own verification refused the image after the last byte, or its host MCU ordered the "
        "same upgrade once more")
    ROW(BACK_AGAIN, is_any, FAILED, "refused_after_last_byte",
        "all {total} bytes arrived, but the module came back after {after} s for the same version: "
        "its own verification refused the image after the last byte, or it is another module, as "
        "the product's token behind one address does not tell them apart")
    ROW(SILENCE, is_ours, DELIVERED, "not_proven",
        "all {total} bytes arrived {after} s ago, but the module did not come back on {version}: it "
        "is off, without network, or did not take the new version")
    ROW(SILENCE, is_any, DELIVERED, "not_proven",
        "all {total} bytes arrived; stock firmware says nothing after its restart, so delivered is "
        "all that can be seen of {version}")
    ROW(NO_FILE, is_any, ABANDONED, "never_came",
        "was told {version}, but did not come for the file within 180 s: its host MCU only asked, "
        "or the module lost its power or network while it erased")
    ROW(NO_REST, is_any, ABANDONED, "only_a_part",
        "got a part of {version}, but did not come for the rest within 180 s")
/* clang-format on */
#undef CONTACT_ROW
#undef ROW
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static const char *const tls_remedies[] = {
    [CONTACT_TLS_OTHER] = "",
    [CONTACT_TLS_CLOSED] = "; the module lost its network or ran out of memory: let it try again",
    [CONTACT_TLS_NOT_TLS] = "; plain requests belong to the plain port",
    [CONTACT_TLS_PROTOCOL] = "; the server speaks TLS 1.2 and 1.3",
    [CONTACT_TLS_CIPHER] = "; the module needs a suite with ECDHE and AES-GCM",
    [CONTACT_TLS_CERTIFICATE] = "; give it this server's pin or the CA of its certificate",
    [CONTACT_TLS_ALERT] = "",
};

/* The first byte this module must have wanted instead of the file's. */
static const char *wanted_magic(const struct cause_file *file)
{
    if (file->head[0] == MAGIC_APP) {
        return "'ESP' (packed v2)";
    }
    return begins_packed(file) || file->layout == NULL ||
                   file->layout->upload != ALOFT_UPLOAD_PACKED2
               ? "0xE9"
               : "'ESP' (packed v2)";
}

static void first_bytes(const struct cause_file *file, char *out, size_t cap)
{
    if (begins_packed(file)) {
        (void)snprintf(out, cap, "'%s'", MAGIC_PACKED2);
    } else {
        (void)snprintf(out, cap, "0x%02X", file->head[0]);
    }
}

static void fill_sentence(const struct cause_facts *f, const char *form, char *out)
{
    static const struct contact no_contact;
    static const struct cause_file no_file;
    const struct contact *c = f->contact ? f->contact : &no_contact;
    const struct cause_file *file = f->file ? f->file : &no_file;
    const struct cause_facts whole = {.contact = c, .file = file};
    const struct aloft_layout *layout = file->layout;
    const struct aloft_chip *chip = chip_of(&whole);
    char begins[8];

    first_bytes(file, begins, sizeof begins);
    const struct sentence_word words[] = {
        {"version", f->version && f->version[0] ? f->version : "the current version", 0},
        {"file", c->file_name[0] ? c->file_name : "a file without a name", 0},
        {"token", c->token_prefix, 0},
        {"runs", c->headers.version, 0},
        {"reason", contact_tls_reason_text(c->tls_reason), 0},
        {"tls_remedy", tls_remedies[c->tls_reason], 0},
        {"chip", c->headers.chip, 0},
        {"layout", layout ? layout->name : "?", 0},
        {"layout_chip", chip ? chip->name : "?", 0},
        {"kind", layout ? aloft_upload_kind_text(layout->upload) : "?", 0},
        {"wants", wanted_magic(file), 0},
        {"begins", begins, 0},
        {"room", NULL, room_of(&whole)},
        {"acked", NULL, c->acked_bytes},
        {"total", NULL, f->situation == CAUSE_OF_CONTACT ? c->total_bytes : f->total_bytes},
        {"ms", NULL, c->duration_ms},
        {"rate", NULL, rate_of(&whole)},
        {"needed", NULL, needed_rate(&whole)},
        {"after", NULL, f->since_ms > 0 ? (uint64_t)f->since_ms / MS_PER_S : 0},
        {NULL, NULL, 0},
    };
    sentence_fill(form, words, out, CAUSE_SENTENCE_MAX);
}

void cause_find(const struct cause_facts *facts, struct cause *ret_cause)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        if (row->situation != facts->situation ||
            (row->outcome != ANY_OUTCOME && row->outcome != (int)facts->contact->outcome) ||
            !row->test(facts)) {
            continue;
        }
        ret_cause->state = row->state;
        ret_cause->word = row->word;
        fill_sentence(facts, row->sentence, ret_cause->sentence);
        return;
    }
    /* Outcomes without a row: what the contact itself says of them. */
    ret_cause->state = ATTEMPT_FAILED;
    ret_cause->word = "other";
    contact_sentence(facts->contact, ret_cause->sentence, sizeof ret_cause->sentence);
}

const char *cause_word_at(size_t i)
{
    return i < N_ROWS ? rows[i].word : NULL;
}

static const struct row *find_word(const char *word)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].word, word) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *cause_word_of(const char *text)
{
    const struct row *row = find_word(text);

    return row ? row->word : "";
}

bool cause_is_of_later(const char *word)
{
    const struct row *row = find_word(word);

    return row && row->situation != CAUSE_OF_CONTACT;
}
