/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <string.h>

#include "upgrade/engine.h"
#include "upgrade/source.h"

/* The engine on somebody else's source: here the image in memory, as the body of a POST. */

#define SMALL 512
#define PIECE 300 /* Bytes the source shows at a time. */

static struct {
    const uint8_t *bytes;
    size_t len;
    size_t n_taken;
    uint64_t announced_len; /* 0 = none. */
    const uint8_t *sha256;
    enum aloft_source_state last_state; /* Once all bytes were shown. */
    unsigned n_ends;
    uint8_t scratch[256];
} body;

static enum aloft_upgrade_news last_news;

static enum aloft_source_state body_state(const struct aloft_module *m)
{
    (void)m;
    return body.len - body.n_taken > PIECE ? ALOFT_SOURCE_OPEN : body.last_state;
}

static enum aloft_err body_err(const struct aloft_module *m)
{
    (void)m;
    return ALOFT_ERR_CLOSED;
}

static const uint8_t *body_body(const struct aloft_module *m, size_t *ret_len)
{
    size_t left = body.len - body.n_taken;

    (void)m;
    *ret_len = left < PIECE ? left : PIECE;
    return body.bytes + body.n_taken;
}

static void body_consume(struct aloft_module *m, size_t len)
{
    (void)m;
    body.n_taken += len;
}

static bool body_bytes(const struct aloft_module *m, uint64_t *ret_bytes)
{
    (void)m;
    *ret_bytes = body.announced_len;
    return body.announced_len > 0;
}

static const uint8_t *body_sha256(const struct aloft_module *m)
{
    (void)m;
    return body.sha256;
}

static uint8_t *body_scratch(struct aloft_module *m, size_t *ret_cap)
{
    (void)m;
    *ret_cap = sizeof body.scratch;
    return body.scratch;
}

static void body_end(struct aloft_module *m)
{
    (void)m;
    body.n_ends++;
}

static const struct aloft_source source = {
    body_state, body_err, body_body, body_consume, body_bytes, body_sha256, body_scratch, body_end,
};

static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    (void)m;
    last_news = news;
}

static const struct aloft_upgrade_job job = {
    .kind = ALOFT_UPGRADE_SOURCE,
    .source = &source,
    .name = "ota",
    .tell = take_news,
};

static struct world *set_up_body(void)
{
    struct world *w = world_new(SMALL);

    memset(&body, 0, sizeof body);
    body.bytes = w->image;
    body.len = w->image_len;
    body.announced_len = w->image_len;
    body.last_state = ALOFT_SOURCE_DONE;
    last_news = (enum aloft_upgrade_news)0;
    return w;
}

static void run(struct world *w, const struct aloft_upgrade_job *the_job)
{
    assert_err(aloft_upgrade_start(&w->port->module, the_job), ALOFT_ERR_OK);
    assert_int_equal(last_news, 0);
    (void)world_run(w, "AT", 100);
    assert_int_equal(body.n_ends, 1);
    assert_false(aloft_upgrade_is_running(&w->port->module));
    assert_int_equal(w->net.n_contacts, 0);
}

static void body__of_an_image_becomes_the_next_to_boot(void **state)
{
    struct world *w = set_up_body();

    (void)state;
    run(w, &job);
    assert_int_equal(last_news, ALOFT_UPGRADE_DONE);
    world_assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 0);
    world_free(w);
}

/* A proof of the upgrade before, to which the server is slow to answer, must not settle this one.
 */
static void body__is_owed_a_proof_of_its_own(void **state)
{
    struct world *w = set_up_body();
    uint8_t mode = 0;
    size_t len = 1;

    (void)state;
    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_net_add_text(&w->net, world_version_answer)->n_ready_waits = 200;
    (void)world_run(w, "AT", 100);
    assert_int_equal(w->net.n_contacts, 1);
    assert_err(aloft_upgrade_start(&w->port->module, &job), ALOFT_ERR_OK);
    (void)world_run(w, "AT", 5000);
    assert_int_equal(last_news, ALOFT_UPGRADE_DONE);
    assert_err(w->port->port.settings.get(w->port, "upgrade.mode", &mode, &len), ALOFT_ERR_OK);
    assert_int_equal(w->net.n_open, 0);
    world_free(w);
}

static void body__of_unknown_length_is_enough(void **state)
{
    struct world *w = set_up_body();

    (void)state;
    body.announced_len = 0;
    run(w, &job);
    assert_int_equal(last_news, ALOFT_UPGRADE_DONE);
    world_assert_upgraded(w);
    world_free(w);
}

static void body__is_refused_with_nothing_touched(void **state)
{
    static const struct {
        const char *reason;
        uint64_t announced_len;
        size_t first_len; /* Bytes that come; 0 = all. */
        enum aloft_source_state last_state;
        const char *name;
    } rows[] = {
        {"TOO_BIG", 0x1d0001, 0, ALOFT_SOURCE_DONE, "ota"},
        {"TOO_BIG", UINT64_MAX, 0, ALOFT_SOURCE_FAILED, "ota"},
        {"TRUNCATED", 287, 0, ALOFT_SOURCE_DONE, "ota"},
        {"TRUNCATED", SMALL, 287, ALOFT_SOURCE_DONE, "ota"},
        {"CLOSED", SMALL, 287, ALOFT_SOURCE_FAILED, "ota"},
        {"CLOSED", 0, 1, ALOFT_SOURCE_FAILED, "ota"},
        {"NOT_FOUND", SMALL, 0, ALOFT_SOURCE_DONE, "otadata"},
        {"NOT_FOUND", SMALL, 0, ALOFT_SOURCE_DONE, "mfg_nvs"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = set_up_body();
        struct aloft_upgrade_job the_job = job;
        the_job.name = rows[i].name;
        body.announced_len = rows[i].announced_len;
        body.len = rows[i].first_len > 0 ? rows[i].first_len : body.len;
        body.last_state = rows[i].last_state;
        run(w, &the_job);
        assert_int_equal(last_news, ALOFT_UPGRADE_FAILED);
        world_assert_failed(w, rows[i].reason);
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

static void body__of_another_digest_is_not_selected(void **state)
{
    static const uint8_t digest[32] = {1, 2, 3};
    struct world *w = set_up_body();

    (void)state;
    body.sha256 = digest;
    run(w, &job);
    assert_int_equal(last_news, ALOFT_UPGRADE_FAILED);
    world_assert_failed(w, "HASH");
    world_free(w);
}

static void cancel__ends_the_source_once_and_says_nothing(void **state)
{
    struct world *w = set_up_body();
    struct aloft_module *m = &w->port->module;

    (void)state;
    body.last_state = ALOFT_SOURCE_WAITING;
    body.len = 0;
    assert_err(aloft_upgrade_start(m, &job), ALOFT_ERR_OK);
    (void)world_run(w, "AT", 100);
    assert_true(aloft_upgrade_is_running(m));
    assert_err(aloft_upgrade_start(m, &job), ALOFT_ERR_BUSY);
    assert_int_equal(body.n_ends, 0);
    aloft_upgrade_cancel(m);
    aloft_upgrade_cancel(m);
    assert_int_equal(body.n_ends, 1);
    assert_int_equal(last_news, ALOFT_UPGRADE_FAILED);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body__of_an_image_becomes_the_next_to_boot),
        cmocka_unit_test(body__is_owed_a_proof_of_its_own),
        cmocka_unit_test(body__of_unknown_length_is_enough),
        cmocka_unit_test(body__is_refused_with_nothing_touched),
        cmocka_unit_test(body__of_another_digest_is_not_selected),
        cmocka_unit_test(cancel__ends_the_source_once_and_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
