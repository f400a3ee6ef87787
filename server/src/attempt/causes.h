/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_CAUSES_H
#define ALOFT_ATTEMPT_CAUSES_H

#include "aloft/layout.h"
#include "attempt/contact.h"

/* Why an attempt ended as it did: a word for programs and a sentence for people. */

/** Where an attempt stands: enumerator, word in the database and the API. */
/* clang-format off */
#define ATTEMPT_STATE_MAP(X)                                                                       \
    X(RUNNING,   "running")                                                                        \
    X(DELIVERED, "delivered")                                                                      \
    X(PROVEN,    "proven")                                                                         \
    X(FAILED,    "failed")                                                                         \
    X(ABANDONED, "abandoned")
/* clang-format on */

enum attempt_state {
#define ATTEMPT_ENUM(name, word) ATTEMPT_##name,
    ATTEMPT_STATE_MAP(ATTEMPT_ENUM)
#undef ATTEMPT_ENUM
        ATTEMPT_STATES
};

const char *attempt_state_text(enum attempt_state state);

/** ATTEMPT_STATES if there is no such state. */
enum attempt_state attempt_state_of(const char *word);

/** What is looked at. */
enum cause_situation {
    CAUSE_OF_CONTACT, /**< A contact, by its outcome. */
    CAUSE_PROVEN,     /**< The module says it runs what it was delivered. */
    CAUSE_BACK_OLD,   /**< It is back with what it ran before, without a restart. */
    CAUSE_BACK_AGAIN, /**< After the last byte it came for the same file again. */
    CAUSE_ROLLED,     /**< It is back with another version after a rollback. */
    CAUSE_SILENCE,    /**< Delivered, and not proven in time. */
    CAUSE_NO_FILE,    /**< Told a version, and never came for the file in time. */
    CAUSE_NO_REST,    /**< Got a part, and never came for the rest in time. */
};

#define CAUSE_HEAD_BYTES 4

/** What is known of the file a contact asked for. */
struct cause_file {
    const struct aloft_layout *layout; /**< The product's; NULL: not known. */
    size_t head_len;                   /**< Bytes in `head`; 0: not known. */
    uint8_t head[CAUSE_HEAD_BYTES];
};

struct cause_facts {
    enum cause_situation situation;
    const struct contact *contact; /**< The last one; NULL: it is its absence that is told. */
    const struct cause_file *file; /**< NULL: nothing is known. */
    const char *version;           /**< Told or delivered. */
    uint64_t total_bytes;          /**< Of the file that was delivered. */
    int64_t since_ms;  /**< Since the attempt began (contact), was delivered (back, silence). */
    bool is_ours;      /**< The module speaks our headers. */
    bool is_same_sure; /**< It is this module and no other behind its address. */
};

#define CAUSE_GAP_MS       180000 /**< A stock module gives up after so long (wire 3.3). */
#define CAUSE_TRANSFER_MS  150000 /**< What erasing leaves of it for the transfer (wire 3.3). */
#define CAUSE_SENTENCE_MAX 512    /**< Bytes of a sentence with its NUL. */

struct cause {
    enum attempt_state state;
    const char *word; /**< Constant; empty = nothing is wrong. */
    char sentence[CAUSE_SENTENCE_MAX];
};

/** The first row of the table of causes that fits; there is always one. */
void cause_find(const struct cause_facts *facts, struct cause *ret_cause);

/** The constant of this text; empty if the table has no such word. */
const char *cause_word_of(const char *text);

/** The cause is what a module did after a delivery, not how the delivery ended. */
bool cause_is_of_later(const char *word);

/** The i-th word of the table, for lists; NULL past the end. A word may come several times. */
const char *cause_word_at(size_t i);

#endif
