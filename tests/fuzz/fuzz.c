/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

fuzz_text_t fuzz_text_join(const void *first, size_t first_length, const void *second, size_t second_length)
{
    fuzz_text_t text = {malloc(first_length + second_length), first_length + second_length};

    fuzz_expect(text.data != NULL || text.length == 0, "there is memory");
    if (first_length > 0)
        memcpy(text.data, first, first_length);
    if (second_length > 0)
        memcpy(text.data + first_length, second, second_length);
    return text;
}

fuzz_text_t fuzz_text_copy(const void *data, size_t length)
{
    return fuzz_text_join(data, length, NULL, 0);
}

void fuzz_text_free(fuzz_text_t *text)
{
    free(text->data);
    *text = (fuzz_text_t){NULL, 0};
}

fuzz_lines_t fuzz_lines(const uint8_t *data, size_t size)
{
    return (fuzz_lines_t){(const char *)data, (const char *)data + size};
}

bool fuzz_lines_next(fuzz_lines_t *lines, const char **line, size_t *length)
{
    const char *line_end;

    if (lines->at == lines->end)
        return false;
    line_end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    if (line_end == NULL)
        line_end = lines->end;
    *line = lines->at;
    *length = (size_t)(line_end - lines->at);
    lines->at = line_end < lines->end ? line_end + 1 : lines->end;
    return true;
}

static void restore_line_feeds(fuzz_text_t *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (text->data[i] == '\v')
            text->data[i] = '\n';
}

fuzz_text_t fuzz_lines_text(fuzz_lines_t *lines)
{
    const char *line = "";
    size_t length = 0;
    fuzz_text_t text;

    fuzz_lines_next(lines, &line, &length);
    text = fuzz_text_copy(line, length);
    restore_line_feeds(&text);
    return text;
}

char *fuzz_lines_string(fuzz_lines_t *lines)
{
    const char *line = "";
    size_t length = 0;
    fuzz_text_t text;

    fuzz_lines_next(lines, &line, &length);
    text = fuzz_text_join(line, strnlen(line, length), "", 1);
    restore_line_feeds(&text);
    return text.data;
}

bool fuzz_is_printable_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

/* Octets that the character takes which begins here; 0: none does. */
static size_t character_length(const char *text, size_t length)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0x20}, {0xe0, 0xc0, 0xa0}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && i < length; i++) {
        uint32_t code = (unsigned char)text[0] & (unsigned char)~forms[i].mask;
        if (((unsigned char)text[0] & forms[i].mask) != forms[i].lead)
            continue;
        for (size_t j = 1; j <= i; j++) {
            if (((unsigned char)text[j] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | ((unsigned char)text[j] & 0x3f);
        }
        bool is_character = code >= forms[i].least && code != 0x7f && code <= 0x10ffff;
        return is_character && (code < 0xd800 || code > 0xdfff) ? i + 1 : 0;
    }
    return 0;
}

bool fuzz_is_printable_utf8(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t octets = character_length(text + i, length - i);
        if (octets == 0)
            return false;
        i += octets;
    }
    return true;
}

int fuzz_memory_file(const void *data, size_t size, char path[FUZZ_PATH_MAX])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    fuzz_expect(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file in memory can be written");
    snprintf(path, FUZZ_PATH_MAX, "/proc/self/fd/%d", fd);
    return fd;
}
