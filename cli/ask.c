/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "host/auto.h"
#include "opt.h"

static int read_line(FILE *in, const char *name, char *buf, size_t cap)
{
    if (!fgets(buf, (int)cap, in)) {
        return failure("'%s' holds nothing", name);
    }
    size_t len = strcspn(buf, "\r\n");
    if (buf[len] == '\0' && len == cap - 1) {
        return failure("the first line of '%s' is too long", name);
    }
    buf[len] = '\0';
    return EXIT_DONE;
}

int ask_terminal(const char *question, const char *option, bool is_secret, char *buf, size_t cap)
{
    AUTO_FILE terminal = fopen("/dev/tty", "r+e");
    struct termios as_it_was;

    if (!terminal || tcgetattr(fileno(terminal), &as_it_was) != 0) {
        return usage_error("there is no terminal to ask for the %s: give it by --%s", question,
                           option);
    }
    struct termios quiet = as_it_was;
    if (is_secret) {
        quiet.c_lflag &= ~(tcflag_t)ECHO;
    }
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
    (void)fprintf(terminal, "%s: ", question);
    (void)fflush(terminal);
    int rc = read_line(terminal, "the terminal", buf, cap);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &as_it_was);
    if (is_secret) {
        (void)fputc('\n', terminal);
    }
    return rc;
}

int ask_file(const char *path, char *buf, size_t cap)
{
    AUTO_FILE file = fopen(path, "re");

    return file ? read_line(file, path, buf, cap)
                : failure("cannot read '%s': %s", path, strerror(errno));
}
