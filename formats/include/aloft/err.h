/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ERR_H
#define ALOFT_ERR_H

/**
 * Every error of formats and module, once: name, number, text for people.
 * The numbers travel in reports and logs: never renumber, never reuse one.
 */
/* clang-format off */
#define ALOFT_ERR_MAP(X)                                                                    \
    X(OK,              0, "success")                                                        \
    X(AGAIN,          -1, "not yet, ask again")                                             \
    X(TRUNCATED,      -2, "the input ends too early")                                       \
    X(ARG,            -3, "an argument is out of range")                                    \
    X(TOO_BIG,        -4, "it does not fit")                                                \
    X(NOT_FOUND,      -5, "not found")                                                      \
    X(BUSY,           -6, "another upgrade is running")                                     \
    X(STATE,          -7, "not possible in this state")                                     \
    X(UNSUPPORTED,    -8, "not supported")                                                  \
    X(MAGIC,          -9, "the first byte is not the one of an app image (0xE9)")           \
    X(SEGMENT_COUNT, -10, "the number of segments is not 1 to 16")                          \
    X(SEGMENT_LEN,   -11, "a segment length is not a multiple of 4 or reaches 16 MiB")      \
    X(ALIGN,         -12, "a mapped segment does not sit on its flash page")                \
    X(CHECKSUM,      -13, "the checksum is wrong")                                          \
    X(HASH,          -14, "the SHA-256 is wrong")                                           \
    X(CHIP,          -15, "the image is for another chip")                                  \
    X(CHIP_REVISION, -16, "the image does not support this chip revision")                  \
    X(NO_APP_DESC,   -17, "there is no app descriptor")                                     \
    X(TRAILING,      -18, "there are bytes after the end")                                  \
    X(CRC,           -19, "the CRC is wrong")                                               \
    X(MD5,           -20, "the MD5 is wrong")                                               \
    X(VERSION,       -21, "the format version is not known")                                \
    X(SYNTAX,        -22, "the text does not follow the grammar")                           \
    X(OVERLAP,       -23, "two partitions overlap")                                         \
    X(DUPLICATE,     -24, "the same thing stands there twice")                              \
    X(RANGE,         -25, "a number is out of range")                                       \
    X(FLASH,         -26, "the flash could not be read, erased or written")                 \
    X(RESOLVE,       -27, "the host name could not be resolved")                            \
    X(CONNECT,       -28, "the connection could not be opened")                             \
    X(TLS,           -29, "the TLS handshake failed")                                       \
    X(CLOSED,        -30, "the peer closed the connection")                                 \
    X(STALLED,       -31, "the peer went silent")                                           \
    X(TIMEOUT,       -32, "the time is over")                                               \
    X(HTTP_STATUS,   -33, "the server answered with an error status")                       \
    X(HTTP_FRAMING,  -34, "the HTTP framing is ambiguous or broken")                        \
    X(REDIRECT,      -35, "too many redirects, or a redirect that is not allowed")          \
    X(NO_VERSION,    -36, "the answer names no version")                                    \
    X(NOT_CONFIRMED, -37, "the running image is not confirmed yet")                         \
    X(NO_SLOT,       -38, "this layout has no spare slot")                                  \
    X(IO,            -39, "the operating system reported an error")                         \
    X(HEADER,        -40, "a field of the header has an impossible value")                  \
    X(CANCELLED,     -41, "it was cancelled")                                               \
    X(SECURE_VERSION, -42, "the secure version is below the one this device demands")      \
    X(POLICY,        -43, "the upgrade policy of this module forbids the image")
/* clang-format on */

enum aloft_err {
#define ALOFT_ERR_ENUM(name, number, text) ALOFT_ERR_##name = (number),
    ALOFT_ERR_MAP(ALOFT_ERR_ENUM)
#undef ALOFT_ERR_ENUM
};

/** Text for people, lower case, no full stop; never NULL ("unknown error" for foreign numbers). */
const char *aloft_err_text(enum aloft_err err);

/** The enumerator without its prefix, for logs and JSON ("CHECKSUM"); never NULL. */
const char *aloft_err_name(enum aloft_err err);

#endif
