/* SPDX-License-Identifier: Apache-2.0 */

/* Opens a database as the server does, which brings its schema up to date, for
 * tests/integration/test_operation_migrations.py: db_tool PATH. */

#include <stdio.h>

#include "store/db.h"

int main(int argc, char **argv)
{
    AUTO_DB db = NULL;
    struct error e = {0};

    if (argc != 2) {
        (void)fputs("usage: db_tool PATH\n", stderr);
        return 2;
    }
    if (db_open(argv[1], &db, &e) != ALOFT_ERR_OK) {
        (void)fprintf(stderr, "%s\n", e.sentence);
        return 1;
    }
    return 0;
}
