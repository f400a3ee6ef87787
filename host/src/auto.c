/* SPDX-License-Identifier: Apache-2.0 */
#include "host/auto.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void auto_free(void *p)
{
    free(*(void **)p);
}

void auto_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

void auto_fclose(void *p)
{
    FILE *f = *(FILE **)p;

    if (f) {
        (void)fclose(f); /* only for reading, or after an explicit flush */
    }
}
