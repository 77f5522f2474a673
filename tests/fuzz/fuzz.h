/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. Each is one file with an LLVMFuzzerTestOneInput(), for libFuzzer and for replay.c. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, after a line on standard error, unless the condition holds. */
void fuzz_expect(bool condition, const char *what);

/* Octets in an allocation of exactly their length, so that a sanitizer sees whoever reads on. */
typedef struct fuzz_text {
    char *data;
    size_t length;
} fuzz_text_t;

fuzz_text_t fuzz_text_copy(const void *data, size_t length);
/* A copy of two texts, one behind the other. */
fuzz_text_t fuzz_text_join(const void *first, size_t first_length, const void *second, size_t second_length);
void fuzz_text_free(fuzz_text_t *text);

/* The lines of an input, without their LF. A vertical tab in a line stands for an LF in a value. */
typedef struct fuzz_lines {
    const char *at;
    const char *end;
} fuzz_lines_t;

fuzz_lines_t fuzz_lines(const uint8_t *data, size_t size);
/* The next line as it stands; false at the end. */
bool fuzz_lines_next(fuzz_lines_t *lines, const char **line, size_t *length);
/* The next line as a value, empty at the end. The string ends at the line's first NUL. */
fuzz_text_t fuzz_lines_text(fuzz_lines_t *lines);
char *fuzz_lines_string(fuzz_lines_t *lines);

/* Whether all octets are 0x20 to 0x7e; whether they are well-formed UTF-8 (RFC 3629) without C0, DEL and C1. */
bool fuzz_is_printable_ascii(const char *text, size_t length);
bool fuzz_is_printable_utf8(const char *text, size_t length);

/* An anonymous file with these octets, and a path that opens it. */
enum { FUZZ_PATH_MAX = 32 };
int fuzz_memory_file(const void *data, size_t size, char path[FUZZ_PATH_MAX]);

#endif
