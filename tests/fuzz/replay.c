/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/*
 * Feeds every file of a corpus to a fuzz target, without libFuzzer: so the ordinary build replays
 * what the fuzzers found. The name of a file goes out before it runs, so that a crash tells which.
 */

static int replay_file(const char *dir, const char *name)
{
    char path[4096];
    struct stat st;
    FILE *file;
    uint8_t *data;
    size_t size;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "rbe");
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        perror(path);
        return -1;
    }
    /* Exactly as large as the input, so that ASan sees a read past its end. */
    size = (size_t)st.st_size;
    data = malloc(size != 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        return -1;
    }
    fclose(file);
    printf("%s\n", name);
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, size); /* Always 0; a finding ends the program. */
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    unsigned n_files = 0;

    if (dir == NULL) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            if (replay_file(argv[1], entry->d_name) != 0) {
                return 1;
            }
            n_files++;
        }
    }
    closedir(dir);
    printf("%u inputs replayed\n", n_files);
    return n_files != 0 ? 0 : 1;
}
