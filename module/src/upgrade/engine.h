/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_ENGINE_H
#define ALOFT_UPGRADE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/state/upgrade.h"
#include "aloft/upgrade.h"

/*
 * The upgrade engine: one table of states from the request to the boot entry, for each door. It
 * pulls the file from a source (upgrade/source.h). Nothing in the spare slot is touched before the
 * first 288 bytes of the file were good for this chip and slot, and the boot entry not before the
 * whole image was verified twice: as it came, and as it stands in flash.
 *
 *                  ,-ALLOWED-> ASK -NAMED-.
 *   IDLE -START-> BEGIN -----NAMED-----> FETCH -ANSWER-> CHECK -GOOD-> STORE
 *    ^              `------------PRESENT-------------------------.       | STORED
 *    `----------DONE----------- COMMIT <-----------WHOLE------------- REREAD
 *
 * and from each of them but IDLE back to IDLE by FAIL or CANCEL. A transfer that breaks in CHECK or
 * STORE goes round by upgrade/resume.h, if the server lets it:
 *
 *   CHECK, STORE -BROKEN-> PAUSE -OVER-> RESUME -REST-> STORE
 *                            ^--BROKEN------'  '-ANSWER-> CHECK
 */

struct aloft_module;

/* The lists exist once, for enum, names in the log, and tests. */
#define ALOFT_UPGRADE_STATES(X)                                                                    \
    X(IDLE)   /* Nothing runs. */                                                                  \
    X(BEGIN)  /* May it run? */                                                                    \
    X(ASK)    /* The server is asked for the version. */                                           \
    X(FETCH)  /* The source has no good head yet. */                                               \
    X(CHECK)  /* Its first bytes come in and are judged. */                                        \
    X(STORE)  /* It goes to the spare slot. */                                                     \
    X(PAUSE)  /* The transfer broke; the network gets some time. */                                \
    X(RESUME) /* The rest of the file is asked for. */                                             \
    X(REREAD) /* It is read back from flash and judged once more. */                               \
    X(COMMIT) /* It becomes the next to boot. */

#define ALOFT_UPGRADE_EVENTS(X)                                                                    \
    X(START)   /* Somebody wants an upgrade. */                                                    \
    X(ALLOWED) /* It may run, and the server says which version. */                                \
    X(NAMED)   /* It is known what to fetch. */                                                    \
    X(PRESENT) /* It may run, and there is nothing to fetch. */                                    \
    X(ANSWER)  /* A good head came. */                                                             \
    X(GOOD)    /* The first bytes fit this module. */                                              \
    X(BROKEN)  /* The transfer broke, and can be taken up. */                                      \
    X(OVER)    /* The pause is. */                                                                 \
    X(REST)    /* A good head of the rest came. */                                                 \
    X(STORED)  /* All bytes are in flash, and the stream was a whole image. */                     \
    X(WHOLE)   /* What stands in flash is that image. */                                           \
    X(DONE)    /* It is selected. */                                                               \
    X(FAIL)    /* `err` says why. */                                                               \
    X(CANCEL)  /* Whoever started it no longer wants it. */

enum aloft_upgrade_step {
#define ALOFT_UPGRADE_ENUM(name) ALOFT_UPGRADE_STATE_##name,
    ALOFT_UPGRADE_STATES(ALOFT_UPGRADE_ENUM)
#undef ALOFT_UPGRADE_ENUM
        ALOFT_UPGRADE_N_STATES
};

enum aloft_upgrade_event {
    ALOFT_UPGRADE_EVENT_NONE, /**< Nothing to do until the peer moves. */
    ALOFT_UPGRADE_EVENT_MORE, /**< Something was done, more can be. */
#define ALOFT_UPGRADE_ENUM(name) ALOFT_UPGRADE_EVENT_##name,
    ALOFT_UPGRADE_EVENTS(ALOFT_UPGRADE_ENUM)
#undef ALOFT_UPGRADE_ENUM
        ALOFT_UPGRADE_N_EVENTS
};

/** Where a file comes from. Kept in a byte of the state. */
enum aloft_upgrade_kind {
    ALOFT_UPGRADE_CIUPDATE, /**< From the server of `mode`, as `version`. */
    ALOFT_UPGRADE_URL,      /**< From a URL. */
    ALOFT_UPGRADE_SOURCE,   /**< From somebody else's source, which is stepped by its owner. */
    ALOFT_UPGRADE_PRESENT,  /**< It stands in the spare slot: verify and select it, or give up the
                               one  that runs on trial. */
};

/** What to upgrade to. */
struct aloft_upgrade_job {
    enum aloft_upgrade_kind kind;
    uint8_t mode; /**< 0 plain, 1 TLS: the server that is asked, and told of the outcome after the
                     restart (upgrade/proof.h). */
    const char
        *version;    /**< CIUPDATE: aloft_request_is_version(); copied. NULL = ask the server. */
    const char *url; /**< URL: aloft_url_parse(), absolute; borrowed while it runs. */
    size_t url_len;
    const struct aloft_source *source; /**< SOURCE: borrowed until its end() was called, once. */
    const char *name;                  /**< `ota`; all others are refused before any traffic. */
    aloft_upgrade_fn *tell; /**< Called from steps, never from start(). DONE or FAILED is last. */
};

/**
 * Begin; everything else, refusals too, comes by `job->tell`.
 *
 * @retval ALOFT_ERR_BUSY  An upgrade runs: one at a time, whoever started it. The job's source was
 *                         not touched.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_upgrade_start(struct aloft_module *m, const struct aloft_upgrade_job *job);

/** Go on; at most one flash operation. Returns milliseconds until the next call. */
uint32_t aloft_upgrade_step(struct aloft_module *m);

/** As aloft_upgrade_cancel(), without a word: a restart follows. */
void aloft_upgrade_drop(struct aloft_module *m);

/** The table: where `event` leads from `state`. False if it is not expected there. */
bool aloft_upgrade_rule(enum aloft_upgrade_step state, enum aloft_upgrade_event event,
                        enum aloft_upgrade_step *ret_to);

#endif
