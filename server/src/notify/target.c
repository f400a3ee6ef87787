/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/target.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "host/network.h"

/* RFC 6890 and the metadata services of clouds. */
#define NEVER                                                                                      \
    "0.0.0.0/8,169.254.0.0/16,100.100.100.200,192.0.0.0/24,224.0.0.0/3,"                           \
    "::,fe80::/10,fec0::/10,fd00:ec2::254,ff00::/8,64:ff9b::/96,2002::/16"
#define LOOPBACK "127.0.0.0/8,::1"
#define PRIVATE  LOOPBACK ",10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fc00::/7"

static bool is_within(const char *list, const uint8_t *bytes, bool is_v6)
{
    struct networks networks;

    return networks_parse(list, &networks, NULL) != ALOFT_ERR_OK ||
           networks_hold(&networks, bytes, is_v6);
}

bool target_allows(const struct sockaddr *address, bool allows_private)
{
    uint8_t bytes[sizeof(struct in6_addr)];
    bool is_v6 = address->sa_family == AF_INET6;

    if (is_v6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
               sizeof bytes);
    } else if (address->sa_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
               sizeof(struct in_addr));
    } else {
        return false;
    }
    return !is_within(NEVER, bytes, is_v6) && (allows_private || !is_within(PRIVATE, bytes, is_v6));
}

static bool is_this_machine(const char *host)
{
    struct networks loopback;
    char address[64];
    size_t len = strlen(host);

    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (host[0] == '[' && len - 2 < sizeof address) { /* the library keeps the brackets */
        memcpy(address, host + 1, len - 2);
        address[len - 2] = '\0';
        host = address;
    }
    return networks_parse(LOOPBACK, &loopback, NULL) == ALOFT_ERR_OK &&
           networks_hold_text(&loopback, host);
}

/* A part of the URL; NULL = it has none. curl_free() it. */
static char *get_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;

    (void)curl_url_get(url, part, &text, 0);
    return text;
}

static enum aloft_err judge(CURLU *url, bool allows_http, struct error *e)
{
    char *scheme = get_part(url, CURLUPART_SCHEME);
    char *host = get_part(url, CURLUPART_HOST);
    char *user = get_part(url, CURLUPART_USER);
    char *password = get_part(url, CURLUPART_PASSWORD);
    char *fragment = get_part(url, CURLUPART_FRAGMENT);
    bool is_http = scheme && strcmp(scheme, "http") == 0;
    enum aloft_err err = ALOFT_ERR_OK;

    if (!is_http && !(scheme && strcmp(scheme, "https") == 0)) {
        err = fail(e, ALOFT_ERR_SYNTAX, "a webhook's URL begins with https:// or http://");
    } else if (!host || !host[0] || fragment) {
        err = fail(e, ALOFT_ERR_SYNTAX, "a webhook's URL has a host and nothing behind a '#'");
    } else if (user || password) {
        err = fail(e, ALOFT_ERR_SYNTAX,
                   "a webhook's URL has no user or password: the receiver knows us by the "
                   "signature");
    } else if (is_http && !allows_http && !is_this_machine(host)) {
        err = fail(e, ALOFT_ERR_SYNTAX,
                   "http sends events in the clear: use https, or allow it ('allow_http': true, "
                   "--allow-http)");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(password);
    curl_free(fragment);
    return err;
}

enum aloft_err target_check(const char *text, bool allows_http, struct error *e)
{
    CURLU *url = curl_url();

    if (!url) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err =
        curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK
            ? judge(url, allows_http, e)
            : fail(e, ALOFT_ERR_SYNTAX, "this is no URL; a webhook's URL begins with https://");
    curl_url_cleanup(url);
    return err;
}
