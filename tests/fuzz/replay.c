/* SPDX-License-Identifier: MIT */
/* Runs the files of one folder through a fuzz target, without libFuzzer: seeds are tests, with any compiler. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20 };

/* One file, in memory of exactly its size. */
static bool replay(const char *folder, const char *name)
{
    static uint8_t octets[FILE_MAX];
    char path[4096];
    FILE *file;
    fuzz_text_t input;
    size_t size;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size = fread(octets, 1, sizeof(octets), file);
    fclose(file);
    printf("%s, %zu octets\n", name, size);
    fflush(stdout);
    input = fuzz_text_copy(octets, size);
    LLVMFuzzerTestOneInput((const uint8_t *)input.data, size);
    fuzz_text_free(&input);
    return true;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    bool is_read = count > 0;

    for (int i = 0; i < count; i++) {
        is_read = replay(argv[1], entries[i]->d_name) && is_read;
        free(entries[i]);
    }
    if (!is_read) {
        fprintf(stderr, "usage: %s FOLDER, one with nothing but seeds in it\n", argv[0]);
        return 64;
    }
    free(entries);
    return 0;
}
