/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/uart.h"

#define DEADLINE_MS 10000
#define BIG_BYTES   (64u << 20) /* more than any buffer of a socket takes */

struct bench {
    struct uart *uart;
    uint16_t port;
};

/* The port is told on stderr only. */
static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    FILE *words = tmpfile();
    int real_stderr = dup(STDERR_FILENO);

    assert_non_null(b);
    assert_non_null(words);
    (void)dup2(fileno(words), STDERR_FILENO);
    assert_err(uart_open("tcp:127.0.0.1:0", &b->uart, NULL), ALOFT_ERR_OK);
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    rewind(words);
    assert_int_equal(fscanf(words, "uart: tcp:127.0.0.1:%hu", &b->port), 1);
    (void)fclose(words);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    uart_close(b->uart);
    free(b);
    return 0;
}

/* Poll as the process does, and serve. */
static void serve(struct bench *b)
{
    struct pollfd fds[UART_POLL_MAX];
    size_t n = uart_poll_set(b->uart, fds);

    assert_true(poll(fds, n, DEADLINE_MS) > 0);
    uart_serve(b->uart);
}

static int connect_host(struct bench *b)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(b->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    serve(b);
    return fd;
}

static void disconnect_host(struct bench *b, int fd)
{
    uint8_t byte;

    (void)close(fd);
    serve(b);
    assert_int_equal(uart_read(b->uart, &byte, 1), 0);
    uart_rest(b->uart);
}

static void assert_heard(int fd, const uint8_t *wanted, size_t len)
{
    uint8_t got[UART_QUEUE_BYTES];

    assert_in_range(len, 1, sizeof got);
    assert_int_equal(recv(fd, got, len, MSG_WAITALL), len);
    assert_memory_equal(got, wanted, len);
    assert_int_equal(recv(fd, got, 1, MSG_DONTWAIT), -1); /* and nothing more */
}

static void say(struct bench *b, const char *text)
{
    assert_int_equal(uart_write(b->uart, (const uint8_t *)text, strlen(text)), strlen(text));
}

static void first_connection__hears_the_last_4_kb_said_before(void **state)
{
    struct bench *b = *state;
    uint8_t said[UART_FIRST_BYTES + 100];

    for (size_t i = 0; i < sizeof said; i++) {
        said[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(uart_write(b->uart, said, 60), 60);
    assert_int_equal(uart_write(b->uart, said + 60, sizeof said - 60), sizeof said - 60);
    assert_true(uart_is_drained(b->uart));
    int host = connect_host(b);
    assert_heard(host, said + 100, UART_FIRST_BYTES);
    (void)close(host);
}

static void later_connection__hears_only_what_is_said_to_it(void **state)
{
    struct bench *b = *state;

    int host = connect_host(b);
    disconnect_host(b, host);
    say(b, "nobody hears this");
    assert_true(uart_is_drained(b->uart));
    host = connect_host(b);
    say(b, "this");
    assert_heard(host, (const uint8_t *)"this", 4);
    (void)close(host);
}

static void write__waits_for_a_host_that_does_not_read(void **state)
{
    struct bench *b = *state;
    int host = connect_host(b);
    const uint8_t *said = (const uint8_t *)"0123456789abcdef";
    size_t n_said = 0;
    uint8_t got[4096];
    uint8_t byte;

    for (size_t n = 1; n > 0 && n_said < BIG_BYTES; n_said += n) {
        n = uart_write(b->uart, said + n_said % 16, 16 - n_said % 16);
    }
    assert_in_range(n_said, UART_QUEUE_BYTES, BIG_BYTES - 1);
    assert_false(uart_is_drained(b->uart));
    assert_int_equal(write(host, "x", 1), 1);
    assert_int_equal(uart_read(b->uart, &byte, 1), 0); /* it must read before it is heard */
    for (size_t n_got = 0; n_got < n_said;) {
        ssize_t n = read(host, got, sizeof got);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++) {
            assert_int_equal(got[i], said[n_got++ % 16]);
        }
        uart_serve(b->uart);
    }
    assert_true(uart_is_drained(b->uart));
    assert_int_equal(uart_read(b->uart, &byte, 1), 1);
    (void)close(host);
}

static void rest__parts_with_a_host_only_after_its_last_answer(void **state)
{
    struct bench *b = *state;
    int host = connect_host(b);
    uint8_t buf[8];

    assert_int_equal(write(host, "AT", 2), 2);
    assert_int_equal(shutdown(host, SHUT_WR), 0);
    serve(b);
    assert_int_equal(uart_read(b->uart, buf, sizeof buf), 2);
    assert_int_equal(uart_read(b->uart, buf, sizeof buf), 0);
    say(b, "OK");
    uart_rest(b->uart);
    assert_int_equal(recv(host, buf, sizeof buf, MSG_WAITALL), 2);
    assert_int_equal(recv(host, buf, sizeof buf, 0), 0);
    (void)close(host);
    assert_false(uart_has_ended(b->uart));
}

static void open__names_the_forms_it_knows(void **state)
{
    static const char *const wrong[] = {"", "pty:", "tcp", "tcp:1.2.3.4", "COM3", "tcp::99999"};
    struct uart *uart = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_err(uart_open(wrong[i], &uart, NULL), ALOFT_ERR_SYNTAX);
        assert_null(uart);
    }
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(first_connection__hears_the_last_4_kb_said_before),
        ON_BENCH(later_connection__hears_only_what_is_said_to_it),
        ON_BENCH(write__waits_for_a_host_that_does_not_read),
        ON_BENCH(rest__parts_with_a_host_only_after_its_last_answer),
        cmocka_unit_test(open__names_the_forms_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
