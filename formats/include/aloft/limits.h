/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_LIMITS_H
#define ALOFT_LIMITS_H

/* Limits of the wire and of files, in one place. The sources are named per line;
 * "wire" = facts/ciupdate-wire.md, "formats" = facts/esp-formats.md, "at" = facts/at-commands.md.
 */

#define ALOFT_TOKEN_CHARS        40   /**< Hex digits of a token (wire 1). */
#define ALOFT_HOST_MAX           127  /**< Bytes of a host name in a URL or a setting; ours. */
#define ALOFT_URL_MAX            8192 /**< Bytes of the URL of AT+USEROTA (at 2.1). */
#define ALOFT_VERSION_MAX        64   /**< Bytes of a ROM version, [A-Za-z0-9._-] (wire 0.10). */
#define ALOFT_FILE_NAME_MAX      68   /**< `<label>.bin`, label <= 64 bytes (at 2.2). */
#define ALOFT_LABEL_MAX          16   /**< Bytes of a partition label (formats 2.1). */
#define ALOFT_VERSION_ANSWER_MAX 1024 /**< Head + JSON of the version document (wire 2.3). */
#define ALOFT_VERSION_LIST_MAX   8000 /**< Body of the version list (wire 4.3). */
#define ALOFT_FILE_HEAD_MAX      512  /**< Head of a file answer (wire 3.3). */
#define ALOFT_OUR_HEADER_MAX     64   /**< Bytes of a value of our own request headers (wire 7). */
#define ALOFT_PORT_HTTP          80   /**< Not named in a Host field (RFC 9110 4.2.1). */
#define ALOFT_PORT_HTTPS         443  /**< Likewise over TLS. */
#define ALOFT_REDIRECT_MAX       10   /**< Hops a client follows (wire 7). */
#define ALOFT_UPLOAD_MAX         (16u * 1024 * 1024) /**< An upload; no slot is larger (formats 1.5). */

#define ALOFT_SECTOR_BYTES 4096u  /**< Smallest erase (formats 5). */
#define ALOFT_BLOCK_BYTES  65536u /**< Largest aligned erase used (formats 5). */

#endif
