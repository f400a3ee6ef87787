/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <string.h>

#include "aloft/layout.h"
#include "host/hashes.h"
#include "web/out.h"
#include "web/page/page.h"

/* What the module's server tells: the page, /getotainfo (facts/at-commands.md 3.2, 6.3). */

#define SECONDARY 0x1e000 /* at_customize of group C (facts/at-commands.md 5.1) */

static void expect_get(struct web_world *w, const char *path, const char *body)
{
    char request[128];

    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: m\r\n\r\n", path);
    web_world_expect(w, request, web_answer("200 OK", "application/json", body));
}

/* -- the page ---------------------------------------------------------------------------------- */

static void test_the_page_comes_in_one_chunk(void **state)
{
    static const uint8_t page[] = "<p>A page of the integrator's.</p>";
    struct web_world *w = web_world_new();

    (void)state;
    w->config.page = page;
    w->config.page_len = sizeof page - 1;
    web_world_start(w);
    web_world_expect(w, "GET / HTTP/1.1\r\nHost: m\r\n\r\n",
                     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
                     "\r\n22\r\n<p>A page of the integrator's.</p>\r\n0\r\n\r\n");
    web_world_free(w);
}

static void test_the_own_page_comes_whole_though_it_is_larger_than_the_buffer(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(
        &w->net, WEB_PORT, "GET / HTTP/1.1\r\nHost: m\r\n\r\nGET /getversion HTTP/1.1\r\n");
    char head[128];
    int head_len = snprintf(head, sizeof head,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
                            aloft_page_len);

    client->script.write_portion = 100; /* and what follows waits in front of the buffer */
    web_world_pass(w, 500);
    assert_true(aloft_page_len > sizeof w->web.buf);
    assert_int_equal(client->response_len, (size_t)head_len + aloft_page_len + 7);
    assert_memory_equal(client->response, head, (size_t)head_len);
    assert_memory_equal(client->response + head_len, aloft_page, aloft_page_len);
    assert_string_equal(client->response + (size_t)head_len + aloft_page_len, "\r\n0\r\n\r\n");
}

/* -- /getotainfo ------------------------------------------------------------------------------- */

static void put_table(struct fake_port *f, uint32_t addr, const struct aloft_partition *entries,
                      size_t n_entries, bool has_md5)
{
    struct aloft_hash *md5 = hash_new_md5();
    static struct aloft_partition_table table;

    table = (struct aloft_partition_table){.n_entries = n_entries, .has_md5 = has_md5};
    memcpy(table.entries, entries, n_entries * sizeof *entries);
    assert_err(aloft_partition_table_encode(&table, md5, f->flash.bytes + addr), ALOFT_ERR_OK);
    hash_free(md5);
}

static void put_layout(struct fake_port *f, const char *name)
{
    const struct aloft_layout *layout = aloft_layout_by_name(name);

    put_table(f, ALOFT_PARTITION_TABLE_OFF, layout->primary, layout->n_primary, false);
    put_table(f, SECONDARY, layout->secondary, layout->n_secondary, true);
}

static void test_getotainfo_lists_ota_and_the_user_partitions(void **state)
{
    struct web_world *w = *state;

    put_layout(w->port, "esp32c3_default");
    expect_get(w, "/getotainfo",
               "{\"state\":0,\"fw_version\":\"v5.0.1.0\",\"at_core_version\":\"5.1.0.0\","
               "\"partitions\":[\"ota\",\"mfg_nvs\",\"fs_storage\"],\"chip\":\"esp32c3\","
               "\"ota_size\":1900544,\"restart\":true}");
}

static void test_getotainfo_without_a_spare_slot_has_no_ota(void **state)
{
    struct web_world *w = *state;

    put_layout(w->port, "esp32c3_default");
    w->port->boot.spare_err = ALOFT_ERR_NO_SLOT;
    expect_get(w, "/getotainfo",
               "{\"state\":0,\"fw_version\":\"v5.0.1.0\",\"at_core_version\":\"5.1.0.0\","
               "\"partitions\":[\"mfg_nvs\",\"fs_storage\"],\"chip\":\"esp32c3\",\"ota_size\":0,"
               "\"restart\":true}");
}

static void test_row_31_an_empty_list_of_partitions_is_an_empty_array(void **state)
{
    struct web_world *w = *state;

    w->port->boot.spare_err = ALOFT_ERR_NO_SLOT;
    expect_get(w, "/getotainfo",
               "{\"state\":0,\"fw_version\":\"v5.0.1.0\",\"at_core_version\":\"5.1.0.0\","
               "\"partitions\":[],\"chip\":\"esp32c3\",\"ota_size\":0,\"restart\":true}");
}

/* 95 labels of 16 bytes that need six characters each: far more than stock's 320 bytes, and more
 * than the whole buffer. */
static void test_row_32_any_number_of_labels_of_any_bytes_is_listed(void **state)
{
    struct web_world *w = *state;
    struct aloft_partition entries[ALOFT_PARTITION_MAX];
    static char body[16384];
    size_t len = 0;

    put_layout(w->port, "esp32c3_default");
    len = (size_t)snprintf(body, sizeof body,
                           "{\"state\":0,\"fw_version\":\"v5.0.1.0\",\"at_core_version\":"
                           "\"5.1.0.0\",\"partitions\":[\"ota\"");
    for (size_t i = 0; i < ALOFT_PARTITION_MAX; i++) {
        entries[i] = (struct aloft_partition){.type = 0x40, .subtype = (uint8_t)i};
        memcpy(entries[i].label, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 17);
        len += (size_t)snprintf(body + len, sizeof body - len, ",\"");
        for (size_t c = 0; c < ALOFT_LABEL_MAX; c++) {
            len += (size_t)snprintf(body + len, sizeof body - len, "\\u0001");
        }
        len += (size_t)snprintf(body + len, sizeof body - len, "\"");
    }
    (void)snprintf(body + len, sizeof body - len,
                   "],\"chip\":\"esp32c3\",\"ota_size\":1900544,\"restart\":true}");
    put_table(w->port, SECONDARY, entries, ALOFT_PARTITION_MAX, false);
    expect_get(w, "/getotainfo", body);
}

static void test_an_answer_that_changes_while_it_is_sent_ends_the_connection(void **state)
{
    struct web_world *w = *state;
    struct aloft_partition entries[ALOFT_PARTITION_MAX];

    put_layout(w->port, "esp32c3_default");
    for (size_t i = 0; i < ALOFT_PARTITION_MAX; i++) {
        entries[i] = (struct aloft_partition){.label = "sixteen_bytes_ab"};
        memset(entries[i].label, '\1', ALOFT_LABEL_MAX);
    }
    put_table(w->port, SECONDARY, entries, ALOFT_PARTITION_MAX, false);
    struct fake_client *client =
        fake_net_connect_text(&w->net, WEB_PORT, "GET /getotainfo HTTP/1.1\r\nHost: m\r\n\r\n");
    client->script.write_portion = 10;
    web_world_pass(w, 3);
    memset(w->port->flash.bytes + SECONDARY, 0xFF, ALOFT_SECTOR_BYTES);
    web_world_pass(w, 1000);
    assert_true(client->is_closed);
    assert_int_equal(client->response_len, sizeof w->web.buf);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void test_row_33_every_byte_of_a_text_is_escaped_as_json_wants_it(void **state)
{
    uint8_t buf[128] = {0};
    struct aloft_out out = {.buf = buf, .cap = sizeof buf};

    (void)state;
    aloft_out_add_json(&out, "a\"b\\c/d\x01\x1f\n\x7f\xc3\xa4");
    assert_string_equal((char *)buf, "\"a\\\"b\\\\c\\/d\\u0001\\u001f\\u000a\x7f\xc3\xa4\"");
    assert_int_equal(out.len, strlen((char *)buf));
}

static void test_a_text_seen_through_windows_of_any_size_is_the_same(void **state)
{
    static const char text[] = "{\"state\":0,\"x\":\"a\\u0001\",12345,ff,192.168.4.1}";
    size_t len = strlen(text);

    (void)state;
    for (size_t cap = 1; cap <= len; cap++) {
        char seen[128] = "";
        for (uint32_t off = 0; off < len; off += (uint32_t)cap) {
            struct aloft_out out = {.buf = (uint8_t *)seen + off, .cap = cap, .off = off};
            aloft_out_add(&out, "{\"state\":0,\"x\":");
            aloft_out_add_json(&out, "a\x01");
            aloft_out_add(&out, ",");
            aloft_out_add_uint(&out, 12345);
            aloft_out_add(&out, ",");
            aloft_out_add_hex(&out, 255);
            aloft_out_add(&out, ",");
            aloft_out_add_ipv4(&out, (const uint8_t[]){192, 168, 4, 1});
            aloft_out_add(&out, "}");
            assert_int_equal(out.len, len);
        }
        assert_memory_equal(seen, text, len);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_world_set_up, web_world_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_comes_in_one_chunk),
        TEST(test_the_own_page_comes_whole_though_it_is_larger_than_the_buffer),
        TEST(test_getotainfo_lists_ota_and_the_user_partitions),
        TEST(test_getotainfo_without_a_spare_slot_has_no_ota),
        TEST(test_row_31_an_empty_list_of_partitions_is_an_empty_array),
        TEST(test_row_32_any_number_of_labels_of_any_bytes_is_listed),
        TEST(test_an_answer_that_changes_while_it_is_sent_ends_the_connection),
        cmocka_unit_test(test_row_33_every_byte_of_a_text_is_escaped_as_json_wants_it),
        cmocka_unit_test(test_a_text_seen_through_windows_of_any_size_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
