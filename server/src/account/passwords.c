/* SPDX-License-Identifier: Apache-2.0 */
#include "account/passwords.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/auto.h"

_Static_assert(ACCOUNT_PASSWORD_BYTES == crypto_pwhash_argon2id_STRBYTES, "the column's size");

struct passwords {
    sem_t turns; /* bounds the memory that all who sign in at once can take */
    char nobody[ACCOUNT_PASSWORD_BYTES];
};

static void take_turn(struct passwords *p)
{
    while (sem_wait(&p->turns) != 0 && errno == EINTR) {
    }
}

enum aloft_err passwords_hash(struct passwords *p, const char *text,
                              char ret_hash[ACCOUNT_PASSWORD_BYTES], struct error *e)
{
    take_turn(p);
    int rc = crypto_pwhash_argon2id_str(ret_hash, text, strlen(text),
                                        crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                        crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE);
    (void)sem_post(&p->turns);
    return rc == 0 ? ALOFT_ERR_OK : fail(e, ALOFT_ERR_IO, "out of memory for a password's hash");
}

struct passwords *passwords_new(struct error *e)
{
    AUTO_FREE struct passwords *p = calloc(1, sizeof *p);

    if (!p || sodium_init() < 0) {
        (void)fail(e, ALOFT_ERR_IO, "out of memory");
        return NULL;
    }
    (void)sem_init(&p->turns, 0, PASSWORDS_AT_ONCE); /* cannot fail with this value */
    if (passwords_hash(p, "of nobody", p->nobody, e) != ALOFT_ERR_OK) {
        return NULL;
    }
    return STEAL(p);
}

void passwords_free(struct passwords *p)
{
    if (p) {
        (void)sem_destroy(&p->turns);
        free(p);
    }
}

enum aloft_err password_check(const char *text, struct error *e)
{
    size_t len = strlen(text);

    return len >= PASSWORD_MIN && len <= PASSWORD_MAX
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_ARG, "a password has %d to %d bytes", PASSWORD_MIN,
                      PASSWORD_MAX);
}

bool passwords_match(struct passwords *p, const char *hash, const char *text)
{
    take_turn(p);
    bool is_it =
        crypto_pwhash_argon2id_str_verify(hash ? hash : p->nobody, text, strlen(text)) == 0;
    (void)sem_post(&p->turns);
    return is_it && hash;
}
