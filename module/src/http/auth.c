/* SPDX-License-Identifier: Apache-2.0 */
#include "http/auth.h"

#include <string.h>

#include "aloft/bytes.h"

/* `user:password`, decoded, with its NUL. */
#define CREDENTIALS_BYTES 129

#define CNONCE_BYTES  8
#define HEX_BYTES     (2 * ALOFT_SHA256_BYTES)
#define BASE64_GROUP  3
#define BASE64_DIGITS 4

/* What a challenge has said so far, as bits: nothing may be said twice. */
#define SEEN_REALM     0x01
#define SEEN_NONCE     0x02
#define SEEN_OPAQUE    0x04
#define SEEN_STALE     0x08
#define SEEN_QOP       0x10
#define SEEN_ALGORITHM 0x20

struct reader {
    const char *at;
    const char *end;
};

/* A challenge while its parameters come in. */
struct draft {
    struct aloft_auth_challenge challenge;
    uint8_t seen;
    bool is_bad;
};

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_word(struct aloft_auth_piece piece, const char *word)
{
    size_t i = 0;

    while (i < piece.len && word[i] != '\0' && lower(piece.text[i]) == word[i]) {
        i++;
    }
    return i == piece.len && word[i] == '\0';
}

static void skip(struct reader *r, const char *chars)
{
    while (r->at < r->end && *r->at != '\0' && strchr(chars, *r->at) != NULL) {
        r->at++;
    }
}

static struct aloft_auth_piece read_token(struct reader *r)
{
    struct aloft_auth_piece piece = {r->at, 0};

    while (r->at < r->end && is_token_char(*r->at)) {
        r->at++;
        piece.len++;
    }
    return piece;
}

/* The quote is at `r`. False: it is never closed. */
static bool read_quoted(struct reader *r, struct aloft_auth_piece *ret_piece)
{
    *ret_piece = (struct aloft_auth_piece){++r->at, 0};
    while (r->at < r->end && *r->at != '"') {
        r->at += *r->at == '\\' ? 2 : 1;
    }
    if (r->at >= r->end) {
        return false;
    }
    ret_piece->len = (size_t)(r->at - ret_piece->text);
    r->at++;
    return true;
}

static bool read_value(struct reader *r, struct aloft_auth_piece *ret_piece)
{
    if (r->at < r->end && *r->at == '"') {
        return read_quoted(r, ret_piece);
    }
    *ret_piece = read_token(r);
    return ret_piece->len > 0;
}

static bool offers_auth(struct aloft_auth_piece list)
{
    struct reader r = {list.text, list.text + list.len};

    while (r.at < r.end) {
        skip(&r, ", \t");
        struct aloft_auth_piece qop = read_token(&r);
        if (is_word(qop, "auth")) {
            return true;
        }
        if (qop.len == 0) {
            return false;
        }
    }
    return false;
}

static uint8_t take_param(struct draft *d, struct aloft_auth_piece name,
                          struct aloft_auth_piece value)
{
    struct aloft_auth_challenge *c = &d->challenge;

    if (is_word(name, "realm")) {
        c->realm = value;
        return SEEN_REALM;
    }
    if (is_word(name, "nonce")) {
        c->nonce = value;
        return SEEN_NONCE;
    }
    if (is_word(name, "opaque")) {
        c->opaque = value;
        return SEEN_OPAQUE;
    }
    if (is_word(name, "stale")) {
        c->is_stale = is_word(value, "true");
        return SEEN_STALE;
    }
    if (is_word(name, "qop")) {
        c->has_qop = offers_auth(value);
        return SEEN_QOP;
    }
    if (is_word(name, "algorithm") && c->scheme != ALOFT_AUTH_BASIC) {
        bool is_sha256 = is_word(value, "sha-256");
        c->scheme = is_sha256 ? ALOFT_AUTH_SHA256 : ALOFT_AUTH_MD5;
        d->is_bad = d->is_bad || (!is_sha256 && !is_word(value, "md5"));
        return SEEN_ALGORITHM;
    }
    return 0;
}

static struct draft begin_draft(struct aloft_auth_piece scheme)
{
    struct draft d = {.challenge = {.scheme = ALOFT_AUTH_NONE}};

    if (is_word(scheme, "basic")) {
        d.challenge.scheme = ALOFT_AUTH_BASIC;
    } else if (is_word(scheme, "digest")) {
        d.challenge.scheme = ALOFT_AUTH_MD5; /* What no algorithm means (RFC 7616 3.3). */
    } else {
        d.is_bad = true;
    }
    return d;
}

static const struct aloft_hash *hash_of(const struct aloft_port *port,
                                        enum aloft_auth_scheme scheme)
{
    return scheme == ALOFT_AUTH_SHA256 ? &port->digest.sha256 : &port->digest.md5;
}

static void end_draft(const struct aloft_port *port, const struct draft *d,
                      struct aloft_auth_challenge *challenge)
{
    const struct aloft_auth_challenge *c = &d->challenge;
    bool is_digest = c->scheme > ALOFT_AUTH_BASIC;

    if (d->is_bad || c->scheme <= challenge->scheme) {
        return;
    }
    if (is_digest && (hash_of(port, c->scheme)->ops == NULL || c->realm.text == NULL ||
                      c->nonce.text == NULL || ((d->seen & SEEN_QOP) != 0 && !c->has_qop))) {
        return;
    }
    *challenge = *c;
}

void aloft_auth_parse(const struct aloft_port *port, const char *value, size_t len,
                      struct aloft_auth_challenge *challenge)
{
    struct reader r = {value, value + len};
    struct draft d = {.is_bad = true};
    bool is_good = true;

    for (skip(&r, ", \t"); r.at < r.end && is_good; skip(&r, ", \t")) {
        struct aloft_auth_piece param = {NULL, 0};
        struct aloft_auth_piece name = read_token(&r);
        skip(&r, " \t");
        if (name.len == 0) {
            d.is_bad = true;
            is_good = false;
        } else if (r.at < r.end && *r.at == '=') {
            r.at++;
            skip(&r, " \t");
            is_good = read_value(&r, &param);
            uint8_t bit = is_good ? take_param(&d, name, param) : 0;
            d.is_bad = d.is_bad || !is_good || (d.seen & bit) != 0;
            d.seen |= bit;
        } else {
            end_draft(port, &d, challenge);
            d = begin_draft(name);
        }
    }
    end_draft(port, &d, challenge);
}

/* `user:password` without percent-encoding, in one text; what a line cannot carry is refused. */
static enum aloft_err decode(const struct aloft_auth_ask *ask, struct aloft_text *t,
                             size_t *ret_user_len)
{
    const char *end = ask->userinfo + ask->userinfo_len;
    bool has_colon = false;

    for (const char *at = ask->userinfo; at < end; at++) {
        uint8_t byte = (uint8_t)*at;
        if (*at == '%') {
            unsigned high = end - at > 2 ? aloft_hex_digit(at[1]) : UINT8_MAX;
            unsigned low = end - at > 2 ? aloft_hex_digit(at[2]) : UINT8_MAX;
            if (high > 0xF || low > 0xF) {
                return ALOFT_ERR_SYNTAX;
            }
            byte = (uint8_t)(high << 4 | low);
            at += 2;
        } else if (*at == ':' && !has_colon) {
            has_colon = true;
            *ret_user_len = t->len;
        }
        /* A colon in the user's name would move the border (RFC 7617 2). */
        if (byte < ' ' || byte == 0x7F || (byte == ':' && !has_colon)) {
            return ALOFT_ERR_SYNTAX;
        }
        aloft_text_add_bytes(t, &byte, 1);
    }
    if (!has_colon) {
        *ret_user_len = t->len;
        aloft_text_add_char(t, ':');
    }
    return t->is_cut ? ALOFT_ERR_TOO_BIG : ALOFT_ERR_OK;
}

static void add_base64(struct aloft_text *t, const char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < len; at += BASE64_GROUP) {
        char group[BASE64_DIGITS] = {'=', '=', '=', '='};
        uint32_t bits = 0;
        size_t n = len - at < BASE64_GROUP ? len - at : BASE64_GROUP;
        for (size_t i = 0; i < BASE64_GROUP; i++) {
            bits = bits << 8 | (i < n ? (uint8_t)bytes[at + i] : 0);
        }
        for (size_t i = 0; i <= n; i++) {
            group[i] = digits[bits >> (18 - 6 * i) & 0x3F];
        }
        aloft_text_add_bytes(t, group, sizeof group);
    }
}

static void feed(const struct aloft_hash *hash, const void *bytes, size_t len)
{
    hash->ops->update(hash->state, bytes, len);
}

static void feed_text(const struct aloft_hash *hash, const char *text)
{
    feed(hash, text, strlen(text));
}

/* A quoted string counts as what it means: without the backslashes. */
static void feed_piece(const struct aloft_hash *hash, struct aloft_auth_piece piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        i += piece.text[i] == '\\' && i + 1 < piece.len ? 1 : 0;
        feed(hash, piece.text + i, 1);
    }
}

/* The digest as lower-case hex, with a NUL. */
static void finish(const struct aloft_hash *hash, enum aloft_auth_scheme scheme, char *ret_hex)
{
    size_t len = scheme == ALOFT_AUTH_SHA256 ? ALOFT_SHA256_BYTES : ALOFT_MD5_BYTES;
    uint8_t digest[ALOFT_SHA256_BYTES];
    struct aloft_text t;

    hash->ops->finish(hash->state, digest);
    aloft_text_init(&t, ret_hex, HEX_BYTES + 1);
    aloft_text_add_hex_bytes(&t, digest, len, '\0');
}

/* RFC 7616 3.4.1; `cnonce` is not used without qop. */
static void respond(const struct aloft_hash *hash, const struct aloft_auth_challenge *c,
                    const struct aloft_auth_ask *ask, const char *ha1, const char *cnonce,
                    char *ret_hex)
{
    char ha2[HEX_BYTES + 1];
    bool needs_slash = ask->target_len == 0 || ask->target[0] != '/';

    hash->ops->start(hash->state);
    feed_text(hash, ask->method);
    feed_text(hash, needs_slash ? ":/" : ":");
    feed(hash, ask->target, ask->target_len);
    finish(hash, c->scheme, ha2);

    hash->ops->start(hash->state);
    feed_text(hash, ha1);
    feed_text(hash, ":");
    feed_piece(hash, c->nonce);
    if (c->has_qop) {
        feed_text(hash, ":00000001:");
        feed_text(hash, cnonce);
        feed_text(hash, ":auth");
    }
    feed_text(hash, ":");
    feed_text(hash, ha2);
    finish(hash, c->scheme, ret_hex);
}

static void add_piece(struct aloft_text *t, const char *name, struct aloft_auth_piece piece)
{
    aloft_text_add(t, name);
    aloft_text_add_bytes(t, piece.text, piece.len);
    aloft_text_add_char(t, '"');
}

static void add_user(struct aloft_text *t, const char *user, size_t len)
{
    aloft_text_add(t, "username=\"");
    for (size_t i = 0; i < len; i++) {
        if (user[i] == '"' || user[i] == '\\') {
            aloft_text_add_char(t, '\\');
        }
        aloft_text_add_char(t, user[i]);
    }
    aloft_text_add_char(t, '"');
}

static void add_digest(const struct aloft_port *port, const struct aloft_auth_challenge *c,
                       const struct aloft_auth_ask *ask, const struct aloft_text *credentials,
                       size_t user_len, struct aloft_text *t)
{
    const struct aloft_hash *hash = hash_of(port, c->scheme);
    uint8_t random[CNONCE_BYTES];
    char cnonce[2 * CNONCE_BYTES + 1];
    char hex[HEX_BYTES + 1];
    struct aloft_text hex_text;

    port->random(port->ctx, random, sizeof random);
    aloft_text_init(&hex_text, cnonce, sizeof cnonce);
    aloft_text_add_hex_bytes(&hex_text, random, sizeof random, '\0');

    hash->ops->start(hash->state);
    feed(hash, credentials->buf, user_len);
    feed_text(hash, ":");
    feed_piece(hash, c->realm);
    feed(hash, credentials->buf + user_len, credentials->len - user_len); /* `:password` */
    finish(hash, c->scheme, hex);
    respond(hash, c, ask, hex, cnonce, hex);

    aloft_text_add(t, "Authorization: Digest ");
    add_user(t, credentials->buf, user_len);
    add_piece(t, ", realm=\"", c->realm);
    add_piece(t, ", nonce=\"", c->nonce);
    aloft_text_add(t, c->scheme == ALOFT_AUTH_SHA256 ? ", algorithm=SHA-256" : ", algorithm=MD5");
    if (c->opaque.text != NULL) {
        add_piece(t, ", opaque=\"", c->opaque);
    }
    if (c->has_qop) {
        aloft_text_add(t, ", qop=auth, nc=00000001, cnonce=\"");
        aloft_text_add(t, cnonce);
        aloft_text_add_char(t, '"');
    }
    aloft_text_add(t, ", response=\"");
    aloft_text_add(t, hex);
    aloft_text_add(t, "\", uri=\"");
}

/* It stands in the header as it is, since a hash is over it: the piece must end where it ends. */
static bool is_quotable(const char *target, size_t len)
{
    return memchr(target, '"', len) == NULL && memchr(target, '\\', len) == NULL;
}

enum aloft_err aloft_auth_answer(const struct aloft_port *port,
                                 const struct aloft_auth_challenge *challenge,
                                 const struct aloft_auth_ask *ask, struct aloft_text *t)
{
    char buf[CREDENTIALS_BYTES];
    struct aloft_text credentials;
    size_t user_len = 0;

    aloft_text_init(&credentials, buf, sizeof buf);
    enum aloft_err err = decode(ask, &credentials, &user_len);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (challenge->scheme == ALOFT_AUTH_BASIC) {
        aloft_text_add(t, "Authorization: Basic ");
        add_base64(t, credentials.buf, credentials.len);
        aloft_text_add(t, "\r\n");
    } else if (!is_quotable(ask->target, ask->target_len)) {
        return ALOFT_ERR_SYNTAX;
    } else {
        add_digest(port, challenge, ask, &credentials, user_len, t);
    }
    return t->is_cut ? ALOFT_ERR_TOO_BIG : ALOFT_ERR_OK;
}
