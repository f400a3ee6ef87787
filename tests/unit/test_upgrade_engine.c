/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/hashes.h"
#include "models/boot_loader.h"
#include "models/flash.h"
#include "upgrade/engine.h"

/* The table of the engine, and power cuts: the whole way from AT+CIUPDATE to the boot loader, over
 * the models of flash and boot loader. */

#define UPDATE "AT+CIUPDATE=0,\"v5.0.1.0\""

/* The drawing in upgrade/engine.h; `.` = not expected. Columns: START ALLOWED NAMED PRESENT ANSWER
 * GOOD BROKEN OVER REST STORED WHOLE DONE FAIL CANCEL. */
static void table__leads_where_the_drawing_says(void **state)
{
    static const char initials[] = "IBAFCSPERX";
    static const char *const wanted[ALOFT_UPGRADE_N_STATES] = {
        "B.............", /* IDLE */
        ".AFR........II", /* BEGIN */
        "..F.........II", /* ASK */
        "....C.......II", /* FETCH */
        ".....SP.....II", /* CHECK */
        "......P..R..II", /* STORE */
        ".......E....II", /* PAUSE */
        "....C.P.S...II", /* RESUME */
        "..........X.II", /* REREAD */
        "...........III", /* COMMIT */
    };
    (void)state;

    for (int from = 0; from < ALOFT_UPGRADE_N_STATES; from++) {
        for (int on = ALOFT_UPGRADE_EVENT_START; on < ALOFT_UPGRADE_N_EVENTS; on++) {
            enum aloft_upgrade_step to = ALOFT_UPGRADE_STATE_IDLE;
            bool is_known = aloft_upgrade_rule((enum aloft_upgrade_step)from,
                                               (enum aloft_upgrade_event)on, &to);
            char got = is_known ? initials[to] : '.';
            char want = wanted[from][on - ALOFT_UPGRADE_EVENT_START];
            if (got != want) {
                fail_msg("state %d, event %d: got %c, wanted %c", from, on, got, want);
            }
        }
    }
}

static void ignore_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    (void)m;
    (void)news;
}

static void start__is_refused_while_one_runs(void **state)
{
    struct world *w = world_new(512);
    const struct aloft_upgrade_job job = {.name = "ota", .version = "v1", .tell = ignore_news};
    (void)state;

    assert_err(aloft_upgrade_start(&w->port->module, &job), ALOFT_ERR_OK);
    assert_true(aloft_upgrade_is_running(&w->port->module));
    assert_err(aloft_upgrade_start(&w->port->module, &job), ALOFT_ERR_BUSY);
    aloft_upgrade_cancel(&w->port->module);
    assert_false(aloft_upgrade_is_running(&w->port->module));
    aloft_upgrade_cancel(&w->port->module);
    assert_err(aloft_upgrade_start(&w->port->module, &job), ALOFT_ERR_OK);
    assert_int_equal(w->port->module.upgrade.n_unexpected, 0);
    world_free(w);
}

static void cancel__ends_the_command_that_waits(void **state)
{
    struct world *w = world_new(512);
    (void)state;

    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v1\"", 100), "+CIPUPDATE:1\r\n");
    aloft_upgrade_cancel(&w->port->module);
    assert_string_equal(world_run(w, "AT", 10), "\r\nERROR\r\n\r\nOK\r\n");
    assert_int_equal(w->net.n_open, 0);
    world_free(w);
}

/* One flash operation per step at most, whatever has arrived. */
static void step__does_one_flash_operation(void **state)
{
    struct world *w = world_new(70000);
    unsigned n_before = 0;
    (void)state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    fake_port_send(w->port, UPDATE "\r\n");
    for (int i = 0; i < 2000; i++) {
        (void)aloft_module_step(&w->port->module, ++w->port->now_ms);
        unsigned n = w->port->flash.n_erases + w->port->flash.n_writes;
        assert_in_range(n - n_before, 0, 1);
        n_before = n;
    }
    world_assert_upgraded(w);
    world_free(w);
}

/* Power cuts */

/* What an upgrade of these images may change (facts/at-commands.md 5.1, group C). */
#define TABLES_END 0x10000u
#define SPARE_ADDR 0x230000u
#define SPARE_USED 0x10000u

struct device {
    struct flash flash;
    struct boot_loader loader;
    int running;
    const struct aloft_layout *layout;
    uint8_t *bytes;
    uint8_t *fresh; /* The flash as it was before the upgrade. */
};

static struct device device;

static enum aloft_err model_read(void *ctx, uint32_t addr, uint8_t *buf, size_t len)
{
    (void)ctx;
    return flash_read(&device.flash, addr, buf, len);
}

static enum aloft_err model_erase(void *ctx, uint32_t addr, uint32_t len)
{
    (void)ctx;
    return flash_erase(&device.flash, addr, len);
}

static enum aloft_err model_write(void *ctx, uint32_t addr, const uint8_t *buf, size_t len)
{
    (void)ctx;
    return flash_program(&device.flash, addr, buf, len);
}

static enum aloft_err model_spare(void *ctx, struct aloft_slot *ret_slot)
{
    (void)ctx;
    return boot_loader_spare(&device.loader, device.running, ret_slot, NULL);
}

static enum aloft_err model_select(void *ctx, const struct aloft_slot *slot)
{
    (void)ctx;
    return boot_loader_select(&device.loader, slot->index, NULL);
}

static enum aloft_err model_confirm(void *ctx)
{
    (void)ctx;
    return boot_loader_confirm(&device.loader, device.running, NULL);
}

static bool model_is_unconfirmed(void *ctx)
{
    (void)ctx;
    return boot_loader_is_unconfirmed(&device.loader, device.running);
}

static bool model_is_pending(void *ctx)
{
    (void)ctx;
    return boot_loader_is_pending(&device.loader, device.running);
}

static void violation(void *ctx, uint32_t addr)
{
    (void)ctx;
    fail_msg("a write to bytes not erased at 0x%x", (unsigned)addr);
}

static void device_init(const uint8_t *running, size_t running_len, const uint8_t *rollback,
                        size_t rollback_len)
{
    const struct flash_hooks hooks = {.violation = violation};
    struct aloft_slot slot;

    device.layout = aloft_layout_by_name("esp32c3_default");
    device.bytes = malloc(device.layout->flash_bytes);
    device.fresh = malloc(device.layout->flash_bytes);
    flash_init(&device.flash, device.bytes, device.layout->flash_bytes, &hooks);
    device.loader = (struct boot_loader){
        .flash = &device.flash,
        .chip = aloft_chip_by_name("esp32c3"),
        .has_rollback = device.layout->has_rollback,
        .sha256 = hash_new_sha256(),
        .md5 = hash_new_md5(),
    };
    device.running = 0;
    memset(device.bytes, 0xFF, device.layout->flash_bytes);
    assert_err(boot_loader_format(&device.loader, device.layout, running, running_len, NULL),
               ALOFT_ERR_OK);
    assert_err(boot_loader_spare(&device.loader, 0, &slot, NULL), ALOFT_ERR_OK);
    memcpy(device.bytes + slot.addr, rollback, rollback_len);
    memcpy(device.fresh, device.bytes, device.layout->flash_bytes);
}

static void device_deinit(void)
{
    struct aloft_hash *sha256 = (struct aloft_hash *)(uintptr_t)device.loader.sha256;
    struct aloft_hash *md5 = (struct aloft_hash *)(uintptr_t)device.loader.md5;

    hash_free(sha256);
    hash_free(md5);
    free(device.bytes);
    free(device.fresh);
}

/* The flash as before, and a module on it whose power goes after `n_units`. */
static struct world *world_on_device(size_t data_len, uint64_t n_units)
{
    struct world *w = world_new(data_len);
    struct aloft_port *port = &w->port->port;

    flash_cut_power_after(&device.flash, FLASH_UNITS_ENDLESS);
    memcpy(device.bytes, device.fresh, TABLES_END);
    memcpy(device.bytes + SPARE_ADDR, device.fresh + SPARE_ADDR, SPARE_USED);
    port->flash = (struct aloft_port_flash){model_read, model_erase, model_write};
    port->boot.spare = model_spare;
    port->boot.select = model_select;
    port->boot.confirm = model_confirm;
    port->boot.is_unconfirmed = model_is_unconfirmed;
    port->boot.is_pending = model_is_pending;
    world_reboot(w);
    flash_cut_power_after(&device.flash, n_units);
    return w;
}

/* What a reset finds: a whole image, the old one or the new one, and never anything else. */
static int assert_boots_whole(const uint8_t *old, size_t old_len, const struct world *w)
{
    struct boot_result result;

    flash_cut_power_after(&device.flash, FLASH_UNITS_ENDLESS);
    assert_err(boot_loader_run(&device.loader, ALOFT_BOOT_POWER, &result, NULL), ALOFT_ERR_OK);
    if (result.slot == 0) {
        assert_memory_equal(device.bytes + result.addr, old, old_len);
    } else {
        assert_int_equal(result.slot, 1);
        assert_memory_equal(device.bytes + result.addr, w->image, w->image_len);
    }
    return result.slot;
}

static void power_cut__at_any_moment_leaves_a_whole_image(void **state)
{
    static const size_t data_lens[] = {256, 5000};
    size_t old_len = 0;
    size_t rollback_len = 0;
    uint8_t *old = fake_image_new(3000, 77, &old_len);
    uint8_t *rollback = fake_image_new(6000, 99, &rollback_len);
    (void)state;

    device_init(old, old_len, rollback, rollback_len);
    for (size_t i = 0; i < 2; i++) {
        int slot = 0;
        unsigned n_old = 0;
        for (uint64_t n = 0; slot == 0; n += i == 0 ? 1 : 3) {
            struct world *w = world_on_device(data_lens[i], n);
            fake_net_add(&w->net, w->answer, w->answer_len);
            world_run(w, UPDATE, 60);
            slot = assert_boots_whole(old, old_len, w);
            n_old++;
            world_free(w);
            assert_true(n < 5000);
        }
        /* Each unit of 4 bytes was a moment of its own. */
        assert_true(n_old > data_lens[i] / (i == 0 ? 4 : 12));
    }
    device_deinit();
    free(old);
    free(rollback);
}

/* After the first success further cuts change nothing, and the upgrade is whole. */
static void no_power_cut__boots_the_new_image(void **state)
{
    size_t old_len = 0;
    uint8_t *old = fake_image_new(3000, 77, &old_len);
    (void)state;

    device_init(old, old_len, old, old_len);
    struct world *w = world_on_device(5000, FLASH_UNITS_ENDLESS);
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, UPDATE, 100), "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n");
    assert_int_equal(assert_boots_whole(old, old_len, w), 1);
    world_free(w);
    device_deinit();
    free(old);
}

/* The image to fall back to is as it was until good bytes of a fitting image have come. */
static void rollback_image__survives_what_never_was_good(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 592\r\n\r\n\xe9",
        "HTTP/1.1 200 OK\r\nContent-Length: 1900545\r\n\r\n\xe9",
        "HTTP/1.1 200 OK\r\nContent-Length: 592\r\n\r\nESP and more of what is not an image",
        "",
    };
    size_t len = 0;
    uint8_t *image = fake_image_new(3000, 77, &len);
    (void)state;

    device_init(image, len, image, len);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct world *w = world_on_device(512, FLASH_UNITS_ENDLESS);
        fake_net_add_text(&w->net, answers[i]);
        assert_string_equal(world_run(w, UPDATE, 100), "+CIPUPDATE:1\r\n\r\nERROR\r\n");
        assert_memory_equal(device.bytes, device.fresh, device.layout->flash_bytes);
        world_free(w);
    }
    device_deinit();
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__leads_where_the_drawing_says),
        cmocka_unit_test(start__is_refused_while_one_runs),
        cmocka_unit_test(cancel__ends_the_command_that_waits),
        cmocka_unit_test(step__does_one_flash_operation),
        cmocka_unit_test(power_cut__at_any_moment_leaves_a_whole_image),
        cmocka_unit_test(no_power_cut__boots_the_new_image),
        cmocka_unit_test(rollback_image__survives_what_never_was_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
