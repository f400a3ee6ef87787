/* SPDX-License-Identifier: Apache-2.0 */

/* aloft rom deploy: a new release. Files are sent so that a broken connection, or a server that is
 * started anew, costs no more than what was on its way. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "rom_word.h"
#include "store/roms.h"

#define TRIES_MAX   8 /* without a byte more at the server: about a minute */
#define PAUSE_MAX_S 16u

/* One FILE word of the command line, and its upload once that is there. */
struct part {
    struct rom_word word;
    char upload[UPLOAD_ID_CHARS + 1]; /* empty = none (left) */
};

struct deployment {
    const struct opt_values *v;
    struct client *client;
    struct part parts[ROM_FILES_MAX];
    size_t n_parts;
};

/* One file on its way. */
struct sending {
    struct deployment *d;
    struct part *part;
    char *path; /* of the partial upload */
    uint64_t size_bytes;
    uint64_t offset;  /* so many the server has */
    unsigned n_tries; /* since it had more */
};

static int take_parts(struct deployment *d)
{
    const char *word;

    for (size_t i = 0; (word = opt_at(d->v, "file", i)) != NULL; i++) {
        if (i == ROM_FILES_MAX) {
            return usage_error("a ROM has up to %d files", ROM_FILES_MAX);
        }
        rom_split_word(word, &d->parts[i].word);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(d->parts[k].word.name, d->parts[i].word.name) == 0) {
                return usage_error("%s is given twice; name the other file with NAME.bin=FILE",
                                   d->parts[i].word.name);
            }
        }
        d->n_parts = i + 1;
    }
    return EXIT_DONE;
}

static int find_size(struct sending *s)
{
    struct stat st;
    const char *path = s->part->word.path;

    if (stat(path, &st) != 0) {
        return failure("cannot read '%s': %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return failure("cannot read '%s': it is not a regular file", path);
    }
    s->size_bytes = (uint64_t)st.st_size;
    return EXIT_DONE;
}

static int announce(struct sending *s)
{
    const struct opt_values *v = s->d->v;
    const char *names[] = {opt_text(v, "product"), "partial-uploads", NULL, NULL};
    AUTO_FREE char *path = client_path(s->d->client, names);
    AUTO_JSON answer = NULL;
    AUTO_JSON body = json_pack("{s:s, s:s, s:I, s:s*}", "name", s->part->word.name, "version",
                               opt_text(v, "version"), "size_bytes", (json_int_t)s->size_bytes,
                               "cut", opt_has(v, "cut-app") ? UPLOAD_CUT_APP : NULL);

    if (!path || !body) {
        return failure("the values given are not valid UTF-8");
    }
    int rc = client_call(s->d->client, "POST", path, body, &answer);
    if (rc != EXIT_DONE) {
        return rc;
    }
    names[2] = client_text(answer, "id");
    s->path = client_path(s->d->client, names);
    return s->path ? EXIT_DONE : failure("out of memory");
}

/* 1, 2, 4, ... seconds: a server that is started anew needs a moment. */
static void pause_before_try(unsigned n_tries)
{
    unsigned seconds = n_tries > 4 ? PAUSE_MAX_S : 1u << (n_tries - 1);
    struct timespec left = {.tv_sec = seconds};

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

/* The connection broke: how far did it come? The answer lost may be the one that said it is
 * whole. */
static int look(struct sending *s, json_t **ret_upload)
{
    AUTO_JSON answer = NULL;

    if (++s->n_tries > TRIES_MAX) {
        return client_say_broken(s->d->client);
    }
    pause_before_try(s->n_tries);
    int rc = client_call(s->d->client, "GET", s->path, NULL, &answer);
    if (rc != EXIT_DONE) {
        return rc;
    }
    uint64_t offset = (uint64_t)json_integer_value(json_object_get(answer, "offset_bytes"));
    const char *upload = client_text(answer, "upload");
    if (!upload[0]) {
        s->n_tries = offset > s->offset ? 0 : s->n_tries;
        s->offset = offset;
        return EXIT_DONE;
    }
    const char *names[] = {opt_text(s->d->v, "product"), "uploads", upload, NULL};
    AUTO_FREE char *path = client_path(s->d->client, names);
    return path ? client_call(s->d->client, "GET", path, NULL, ret_upload)
                : failure("out of memory");
}

/* Send what the server has not got, once. */
static int send_rest(struct sending *s, json_t **ret_upload)
{
    AUTO_FREE char *target = NULL;
    struct client_file file = {s->part->word.path, s->offset, s->part->word.name};
    AUTO_JSON answer = NULL;

    if (asprintf(&target, "%s?offset=%" PRIu64, s->path, s->offset) < 0) {
        return failure("out of memory");
    }
    int rc = client_upload(s->d->client, "PATCH", target, &file, &answer);
    if (rc == EXIT_DONE && !client_text(answer, "upload")[0]) {
        return failure("'%s' has become shorter while it was sent", s->part->word.path);
    }
    *ret_upload = STEAL(answer);
    return rc;
}

static int send_all(struct sending *s, json_t **ret_upload)
{
    int rc = announce(s);

    if (rc != EXIT_DONE) {
        return rc;
    }
    client_set_patient(s->d->client, true);
    rc = send_rest(s, ret_upload);
    while (rc == CLIENT_BROKEN || (rc == EXIT_DONE && !*ret_upload)) {
        rc = rc == CLIENT_BROKEN ? look(s, ret_upload) : send_rest(s, ret_upload);
    }
    client_set_patient(s->d->client, false);
    return rc;
}

/* What --cut-app is for, where it would help. */
static void offer_cut(const struct client *client)
{
    const json_t *problem = client_problem(client);

    if (json_is_integer(json_object_get(problem, "app_bytes"))) {
        (void)fprintf(stderr, "aloft: add --cut-app to keep only the app\n");
    }
}

static int upload(struct deployment *d, struct part *part)
{
    struct sending s = {.d = d, .part = part};
    AUTO_JSON answer = NULL;
    int rc = find_size(&s);

    if (rc == EXIT_DONE) {
        rc = send_all(&s, &answer);
    }
    free(s.path);
    if (rc != EXIT_DONE) {
        offer_cut(d->client);
        return rc;
    }
    (void)snprintf(part->upload, sizeof part->upload, "%s", client_text(answer, "upload"));
    rom_print_findings(part->word.name, answer);
    uint64_t kept = (uint64_t)json_integer_value(json_object_get(answer, "size_bytes"));
    if (kept != s.size_bytes) {
        (void)fprintf(stderr, "%s: the app was cut out: %" PRIu64 " of %" PRIu64 " bytes\n",
                      part->word.name, kept, s.size_bytes);
    }
    return EXIT_DONE;
}

/* What the ROM did not come to use. Those that cannot be removed now expire. */
static void remove_uploads(struct deployment *d)
{
    for (size_t i = 0; i < d->n_parts; i++) {
        if (d->parts[i].upload[0]) {
            const char *names[] = {opt_text(d->v, "product"), "uploads", d->parts[i].upload, NULL};
            AUTO_FREE char *path = client_path(d->client, names);
            if (path) {
                (void)client_call(d->client, "DELETE", path, NULL, NULL);
            }
        }
    }
}

static int make_rom(struct deployment *d, json_t **ret_rom)
{
    const char *names[] = {opt_text(d->v, "product"), "roms", NULL};
    AUTO_FREE char *path = client_path(d->client, names);
    AUTO_JSON body = json_pack("{s:s, s:s*, s:s*, s:s*, s:b, s:[]}", "version",
                               opt_text(d->v, "version"), "corename", opt_text(d->v, "corename"),
                               "life_cycle", opt_text(d->v, "life-cycle"), "note",
                               opt_text(d->v, "note"), "use", opt_has(d->v, "use"), "files");

    if (!path || !body) {
        return failure("the values given are not valid UTF-8");
    }
    for (size_t i = 0; i < d->n_parts; i++) {
        (void)json_array_append_new(
            json_object_get(body, "files"),
            json_pack("{s:s, s:s}", "name", d->parts[i].word.name, "upload", d->parts[i].upload));
    }
    return client_call(d->client, "POST", path, body, ret_rom);
}

static int print_rom(const struct deployment *d, const json_t *rom)
{
    const char *product = opt_text(d->v, "product");
    const char *version = client_text(rom, "version");

    if (opt_has(d->v, "json")) {
        return client_print_json(rom);
    }
    (void)printf("%s %s deployed, %zu file%s%s\n", product, version, d->n_parts,
                 d->n_parts == 1 ? "" : "s", opt_has(d->v, "use") ? ", current now" : "");
    if (!opt_has(d->v, "use")) {
        (void)fflush(stdout); /* what follows goes to stderr */
        (void)fprintf(stderr,
                      "Modules that name no version do not get it yet; make it current with\n"
                      "  aloft rom use --product %s --version %s\n",
                      product, version);
    }
    return EXIT_DONE;
}

static int run_deploy(const struct opt_values *v)
{
    struct deployment d = {.v = v};
    AUTO_CLIENT client = NULL;
    AUTO_JSON rom = NULL;
    int rc = take_parts(&d);

    if (rc == EXIT_DONE) {
        rc = client_open(v, &client);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    d.client = client;
    for (size_t i = 0; rc == EXIT_DONE && i < d.n_parts; i++) {
        rc = upload(&d, &d.parts[i]);
    }
    if (rc == EXIT_DONE) {
        rc = make_rom(&d, &rom);
    }
    if (rc != EXIT_DONE) {
        remove_uploads(&d);
        return rc;
    }
    return print_rom(&d, rom);
}

/* clang-format off */
static const struct opt deploy_opts[] = {
    {OPT_VALUE, "product", "NAME", "The product it is a release of.", true, false},
    {OPT_VALUE, "version", "V", "Letters, digits, dots, dashes, underscores.", true, false},
    {OPT_VALUE, "corename", "C", "Name of the core firmware, for people; default none.", false, false},
    {OPT_VALUE, "life-cycle", "WORD", "As modules see it in their list; default release.", false, false},
    {OPT_VALUE, "note", "TEXT", "What changed, for people; default none.", false, false},
    {OPT_FLAG, "cut-app", NULL, "Of a factory image keep only the app.", false, false},
    {OPT_FLAG, "use", NULL, "Make it current at once.", false, false},
    {OPT_POSITIONAL, "file", "[NAME.bin=]FILE", "ota.bin, or <user partition>.bin=FILE; up to 10.", true, true},
    CLIENT_OPTS,
    OPT_END,
};
/* clang-format on */

const struct cli_command cmd_rom_deploy = {
    "rom",
    "deploy",
    "Bring a new version to the server.",
    "Each file is vetted against the product's layout. The ROM is there with all its files, or "
    "not\n"
    "at all. Where the connection breaks, or the server is started anew, sending goes on from "
    "what\n"
    "the server has.",
    deploy_opts,
    run_deploy,
};
