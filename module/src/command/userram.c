/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"

/* AT+USERRAM (facts/at-commands.md 4): memory of the caller's, lent to the host MCU. Where the
 * facts leave the forms open they are the vendor's: exactly the parameters an operation has, all
 * but the first taking refused while nothing is taken. */

#define DATA_IDLE_MS 60000 /* Stock waits for ever: facts/at-commands.md 6.2, row 23. */
#define LINE_MAX     1024  /* Bytes of one `+USERRAM:`; a longer read has several. */
#define LINE_ROOM    32    /* What stands before the data, or OK, fits. */

enum { OPERATION, SIZE, OFFSET };

typedef enum aloft_reply operation_fn(struct aloft_module *m, uint32_t size, uint32_t offset);

static enum aloft_reply release(struct aloft_module *m, uint32_t size, uint32_t offset)
{
    (void)size;
    (void)offset;
    m->userram.size = 0;
    return ALOFT_REPLY_OK;
}

/* Cleared, so that nothing of an earlier use shows. */
static enum aloft_reply take(struct aloft_module *m, uint32_t size, uint32_t offset)
{
    (void)offset;
    if (m->config.user_ram == NULL || size > m->config.user_ram_cap) {
        return ALOFT_REPLY_ERROR;
    }
    memset(m->config.user_ram, 0, size);
    m->userram.size = size;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply finish_write(struct aloft_module *m, uint8_t *buf, size_t len)
{
    (void)buf;
    (void)len;
    aloft_at_print(m, "\r\nWRITE OK\r\n");
    return ALOFT_REPLY_SILENT;
}

static enum aloft_reply begin_write(struct aloft_module *m, uint32_t size, uint32_t offset)
{
    return aloft_at_take_data(m, m->config.user_ram + offset, size, DATA_IDLE_MS, finish_write);
}

static enum aloft_reply begin_read(struct aloft_module *m, uint32_t size, uint32_t offset)
{
    m->userram.is_reading = true;
    m->userram.at = offset;
    m->userram.left = size;
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply clear(struct aloft_module *m, uint32_t size, uint32_t offset)
{
    (void)size;
    (void)offset;
    memset(m->config.user_ram, 0, m->userram.size);
    return ALOFT_REPLY_OK;
}

static const struct operation {
    operation_fn *run;
    uint8_t n_min; /* Parameters, the operation itself included. */
    uint8_t n_max;
    bool needs_memory; /* Taken before; else not. */
} operations[] = {
    {release, 1, 1, true},    {take, 2, 2, false}, {begin_write, 2, 3, true},
    {begin_read, 2, 3, true}, {clear, 1, 1, true},
};

/* Size and offset, within what is taken. */
static bool get_place(struct aloft_module *m, const struct aloft_params *params,
                      const struct operation *operation, int32_t *ret_size, int32_t *ret_offset)
{
    static const struct aloft_int_range sizes = {1, INT32_MAX};
    static const struct aloft_int_range offsets = {0, INT32_MAX};

    if (!aloft_params_check_count(m, params, operation->n_min, operation->n_max) ||
        (operation->n_max > SIZE && !aloft_params_get_int(m, params, SIZE, &sizes, ret_size)) ||
        (aloft_params_has(params, OFFSET) &&
         !aloft_params_get_int(m, params, OFFSET, &offsets, ret_offset))) {
        return false;
    }
    return !operation->needs_memory ||
           ((uint32_t)*ret_offset <= m->userram.size &&
            (uint32_t)*ret_size <= m->userram.size - (uint32_t)*ret_offset);
}

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+USERRAM:");
    aloft_at_print_uint(m, m->userram.size);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range range = {0, sizeof operations / sizeof operations[0] - 1};
    int32_t number;
    int32_t size = 0;
    int32_t offset = 0;

    if (!aloft_params_get_int(m, params, OPERATION, &range, &number)) {
        return ALOFT_REPLY_ERROR;
    }
    const struct operation *operation = &operations[number];
    if (operation->needs_memory != (m->userram.size > 0) ||
        !get_place(m, params, operation, &size, &offset)) {
        return ALOFT_REPLY_ERROR;
    }
    return operation->run(m, (uint32_t)size, (uint32_t)offset);
}

/* The next line of a read. */
static void print_line(struct aloft_module *m)
{
    struct aloft_userram_state *u = &m->userram;
    uint32_t n = u->left < LINE_MAX ? u->left : LINE_MAX;

    aloft_at_print(m, "+USERRAM:");
    aloft_at_print_uint(m, n);
    aloft_at_print(m, ",");
    aloft_at_print_lent(m, m->config.user_ram + u->at, n);
    u->at += n;
    u->left -= n;
}

static uint32_t step(struct aloft_module *m)
{
    struct aloft_userram_state *u = &m->userram;

    while (u->is_reading) {
        aloft_at_flush(m);
        if (aloft_at_has_lent(m) || aloft_at_print_room(m) < LINE_ROOM) {
            return ALOFT_AT_TX_POLL_MS;
        }
        if (u->left > 0) {
            print_line(m);
        } else {
            u->is_reading = false;
            aloft_at_finish(m, ALOFT_REPLY_OK);
        }
    }
    return UINT32_MAX;
}

static const struct aloft_command commands[] = {
    {.name = "+USERRAM", .query = query, .set = set},
};

const struct aloft_family aloft_userram_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
