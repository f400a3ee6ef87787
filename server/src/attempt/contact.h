/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_CONTACT_H
#define ALOFT_ATTEMPT_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/limits.h"
#include "catalog/catalog.h"

/* One HTTP request of one module, as the module plane saw it, and what to tell people about it. */

enum contact_kind { CONTACT_VERSION, CONTACT_FILE, CONTACT_LIST, CONTACT_OTHER };

/**
 * How it ended: enumerator, is it a failure, sentence. In a sentence {version} is the version asked
 * for, {file} the file name, {acked} and {total} bytes, {ms} the duration, {token} the first digits
 * of the token, {runs} what Aloft-Version said, {reason} why a TLS handshake failed.
 */
/* clang-format off */
#define CONTACT_OUTCOME_MAP(X)                                                                     \
    X(VERSION_TOLD,    false, "asked for the current version: {version}")                         \
    X(PROVEN,          false, "runs {runs} now: proven")                                           \
    X(LIST_TOLD,       false, "asked for the list of versions")                                    \
    X(HEAD_TOLD,       false, "asked for the head of {file} of {version}, without the bytes")      \
    X(FILE_DELIVERED,  false, "got {file} of {version}, all {total} bytes acknowledged in {ms} ms") \
    X(FILE_PART,       false, "got a part of {file} of {version}, {total} bytes acknowledged in {ms} ms") \
    X(FILE_CLOSED,     true,  "closed after {acked} of {total} bytes of {file}: the module stopped reading") \
    X(FILE_STALLED,    true,  "went silent after {acked} of {total} bytes of {file}: given up")    \
    X(FILE_STOPPED,    true,  "cut after {acked} of {total} bytes of {file}: the server was stopped") \
    X(NO_TOKEN,        true,  "sent no token")                                                     \
    X(BAD_TOKEN,       true,  "sent a token that is not 40 lower-case hex digits")                 \
    X(UNKNOWN_TOKEN,   true,  "unknown token {token}…: no product has it")                         \
    X(NO_CURRENT,      true,  "asked for the current version: the product has none")               \
    X(NO_ROM,          true,  "asked for {file} of {version}: the product has no such version")    \
    X(NO_FILE,         true,  "asked for {file} of {version}: this version has no such file")      \
    X(FILE_ERASES,     true,  "asked for {file} of {version}: there is no such file, and stock firmware has erased that partition before it asked") \
    X(FILE_UNREADABLE, true,  "asked for {file} of {version}: the blob is missing or damaged on the server") \
    X(BAD_RANGE,       true,  "asked for bytes past the end of {file} of {version}")               \
    X(LIMITED,         true,  "asks too often: told to wait")                                      \
    X(FULL,            true,  "asked while the server had as many downloads as it may have: told to wait") \
    X(LINK_UNKNOWN,    true,  "asked for a link that is not here: {file}")                         \
    X(LINK_EXPIRED,    true,  "asked for {file} of {version} by a link that has expired")          \
    X(NOT_HERE,        true,  "asked for something that is not here")                              \
    X(BAD_METHOD,      true,  "sent a request that is neither GET nor HEAD")                       \
    X(BAD_REQUEST,     true,  "sent a request that is broken or ambiguous")                        \
    X(REQUEST_TOO_BIG, true,  "sent a request head that is too long")                              \
    X(REQUEST_CUT,     true,  "closed in the middle of its request")                               \
    X(REQUEST_LATE,    true,  "did not finish its request in time")                                \
    X(TLS_FAILED,      true,  "the TLS handshake failed: {reason}")                                \
    X(BAD_PROXY,       true,  "came from a named proxy without a PROXY header that says for whom")
/* clang-format on */

enum contact_outcome {
#define CONTACT_ENUM(name, is_failure, sentence) CONTACT_##name,
    CONTACT_OUTCOME_MAP(CONTACT_ENUM)
#undef CONTACT_ENUM
};

/**
 * Why a TLS handshake failed: enumerator, text for {reason}.
 */
/* clang-format off */
#define CONTACT_TLS_REASON_MAP(X)                                                                  \
    X(OTHER,       "no reason known")                                                              \
    X(CLOSED,      "closed in the middle of it")                                                   \
    X(NOT_TLS,     "what came is no TLS")                                                          \
    X(PROTOCOL,    "unsupported protocol version")                                                 \
    X(CIPHER,      "no shared cipher")                                                             \
    X(CERTIFICATE, "the module refused the certificate")                                           \
    X(ALERT,       "the module broke it off with an alert")
/* clang-format on */

enum contact_tls_reason {
#define CONTACT_ENUM(name, text) CONTACT_TLS_##name,
    CONTACT_TLS_REASON_MAP(CONTACT_ENUM)
#undef CONTACT_ENUM
};

/**
 * User agents so common that a contact carries their number only; contact_user_agent() gives the
 * text. _CIUPDATE and _IDF are what stock modules send (facts/ciupdate-wire.md 2.1, 4.1), and our
 * module library after them.
 */
enum contact_agent {
    CONTACT_AGENT_NONE,     /**< No such field. */
    CONTACT_AGENT_CIUPDATE, /**< The browser's name of AT+CIUPDATE. */
    CONTACT_AGENT_IDF,      /**< ESP-IDF's client: AT+CIPFWVER, AT+USEROTA. */
    CONTACT_AGENT_OTHER,    /**< In `other_agent`. */
};

#define CONTACT_AGENT_MAX      96 /**< Bytes kept of another user agent. */
#define CONTACT_TOKEN_PREFIX   6  /**< Digits of a token that may be shown. */
#define CONTACT_ADDRESS_BYTES  48
#define CONTACT_SENTENCE_BYTES 320

/** The peer as the kernel gave it; turned into text only when somebody wants to read it. */
struct contact_peer {
    uint8_t address[16]; /**< IPv4: the first 4. Network order. */
    uint16_t port;
    bool is_v6;
};

/** Our own request headers (facts/ciupdate-wire.md 7); empty = not sent or not valid. */
struct contact_headers {
    char device[ALOFT_OUR_HEADER_MAX + 1];
    char module_name[ALOFT_OUR_HEADER_MAX + 1];
    char chip[ALOFT_OUR_HEADER_MAX + 1];
    char version[ALOFT_OUR_HEADER_MAX + 1];
    char boot[ALOFT_OUR_HEADER_MAX + 1];
    char caps[ALOFT_OUR_HEADER_MAX + 1];
};

struct contact {
    int64_t time_ms;      /**< When it ended, wall clock. */
    int64_t product_id;   /**< 0: unknown. */
    int64_t device_id;    /**< From a device's own token; 0: the product's token, or unknown. */
    int64_t row_id;       /**< Of its device, once it is written down; 0: none. */
    uint64_t total_bytes; /**< Body bytes of the file that were asked for. */
    uint64_t sent_bytes;  /**< Of these, handed to the kernel. */
    uint64_t acked_bytes; /**< Of these, acknowledged by the peer. */
    uint32_t duration_ms;
    uint16_t status;      /**< HTTP status; 0 = no answer was sent. */
    uint16_t tls_version; /**< 0x0303, 0x0304; 0 = plain. */
    enum catalog_mode mode;
    enum contact_kind kind;
    enum contact_outcome outcome;
    enum contact_tls_reason tls_reason; /**< Of CONTACT_TLS_FAILED. */
    enum contact_agent agent;
    bool is_closed_by_peer; /**< The peer closed first. */
    bool is_link;           /**< Came by `/ota/<short>/<file>`: no token, no device's own one. */
    bool has_asked_version; /**< CONTACT_FILE: the request named `version`; else the current one. */
    uint32_t
        window_bytes; /**< Receive window of the peer at the start of a download; 0: unknown. */
    struct contact_peer peer;
    char token_prefix[CONTACT_TOKEN_PREFIX + 1];
    char version[ALOFT_VERSION_MAX + 1]; /**< The one asked for, told, or meant by its absence. */
    char file_name[ALOFT_FILE_NAME_MAX + 1];
    /* From here on mostly empty: contact_has_words(). */
    char other_agent[CONTACT_AGENT_MAX + 1]; /**< Cut; what is not shown is `?`. */
    struct contact_headers headers;
};

/** The outcome in plain words, without a full stop; cut when `cap` is too small. */
void contact_sentence(const struct contact *contact, char *out, size_t cap);

/** `192.0.2.7:40112`, `[2001:db8::1]:40112`; `cap` is CONTACT_ADDRESS_BYTES at least. */
void contact_peer_text(const struct contact_peer *peer, char *out, size_t cap);

/** Is there anything in `other_agent` or `headers`, the last members? Stock modules send neither.
 */
bool contact_has_words(const struct contact *contact);

/** The same without port and brackets, at most `cap` - 1 bytes. */
void contact_address_text(const struct contact_peer *peer, char *out, size_t cap);

/** What stands for {reason}. */
const char *contact_tls_reason_text(enum contact_tls_reason reason);

/** The User-Agent field; empty: none was sent. Without spaces around it. */
const char *contact_user_agent(const struct contact *contact);

/** Which of the common agents this is (a field's value, without spaces around it). */
enum contact_agent contact_agent_of(const char *value, size_t len);

bool contact_is_failure(const struct contact *contact);

/** `version`, `file`, `list`, `other`. */
const char *contact_kind_text(enum contact_kind kind);

/** Its enumerator without CONTACT_, as the log has it. */
const char *contact_outcome_text(enum contact_outcome outcome);

/** One line to the log. */
void contact_log(const struct contact *contact);

#endif
