/* SPDX-License-Identifier: MIT */
#include "tools/strings.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/name.h"
#include "syntax/record.h"

#include <string.h>

enum { CODE_DIGITS = 3, OCTET_MAX = 255 };

/* What may stand around the strings of a record, also over several lines. */
static bool is_between(char octet)
{
    return octet != '\0' && strchr(" \t\r\n()", octet) != NULL;
}

/* Behind all that stands between strings, with comments up to their line's end. */
static size_t skip_between(const char *text, size_t length, size_t at)
{
    while (at < length && (is_between(text[at]) || text[at] == ';')) {
        const char *end = text[at] == ';' ? memchr(text + at, '\n', length - at) : text + at;
        at = end == NULL ? length : (size_t)(end - text) + 1;
    }
    return at;
}

/* Where the word begins that ends at `end`. */
static size_t word_before(const char *text, size_t end)
{
    while (end > 0 && !is_between(text[end - 1]))
        end--;
    return end;
}

/* Where the strings of a line begin: behind "example.com. 3600 IN TXT", "example.com descriptive text" and "example.com
 * text ="; 0: nothing of that kind stands before them. */
static size_t skip_head(const char *text, size_t length)
{
    static const char *const last_words[] = {"TXT", "SPF", "text", "="};
    const char *quote = memchr(text, '"', length);
    size_t end = quote == NULL ? 0 : (size_t)(quote - text);

    while (end > 0 && is_between(text[end - 1]))
        end--;
    size_t word = word_before(text, end);
    for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++)
        if (spf_text_equals_nocase(text + word, end - word, last_words[i], strlen(last_words[i])))
            return spf_record_is_record(text, length) ? 0 : end;
    return 0;
}

/* "\DDD" or "\X", from behind the backslash on; how many octets of it were read, 0: there is none. */
static size_t read_escape(const char *text, size_t length, char *octet)
{
    unsigned code = 0;

    if (length == 0)
        return 0;
    *octet = text[0];
    if (!spf_ascii_is_digit(text[0]))
        return 1;
    for (size_t i = 0; i < CODE_DIGITS; i++) {
        if (i == length || !spf_ascii_is_digit(text[i]))
            return 0;
        code = code * 10 + (unsigned)(text[i] - '0');
    }
    *octet = (char)code;
    return code <= OCTET_MAX ? CODE_DIGITS : 0;
}

/* One string from behind its first quote to behind its last; false: it has none, or a bad escape. */
static bool read_string(const char *text, size_t length, size_t *at, spf_buf_t *joined)
{
    while (*at < length) {
        char octet = text[(*at)++];
        if (octet == '"')
            return true;
        if (octet == '\\') {
            size_t read = read_escape(text + *at, length - *at, &octet);
            if (read == 0)
                return false;
            *at += read;
        }
        spf_buf_add_char(joined, octet);
    }
    return false;
}

/* All of them; false: the text is not of that form. */
static bool read_all(const char *text, size_t length, spf_buf_t *joined, size_t *ends, size_t *count)
{
    for (size_t at = skip_head(text, length);;) {
        at = skip_between(text, length, at);
        if (at == length)
            return *count > 0;
        if (text[at++] != '"' || !read_string(text, length, &at, joined))
            return false;
        ends[(*count)++] = joined->len;
    }
}

bool spf_strings_read(spf_arena_t *arena, const char *text, size_t length, spf_strings_t *strings)
{
    char *copy = spf_arena_copy(arena, text, length);
    char *storage = spf_arena_alloc(arena, length + 1);
    size_t *ends = spf_arena_alloc(arena, (length / 2 + 1) * sizeof(*ends));
    size_t count = 0;
    spf_buf_t joined;

    if (copy == NULL || storage == NULL || ends == NULL)
        return false;
    spf_buf_init(&joined, storage, length + 1);
    *strings = (spf_strings_t){.text = copy, .length = length};
    if (read_all(text, length, &joined, ends, &count))
        *strings = (spf_strings_t){.text = joined.data, .length = joined.len, .ends = ends, .count = count};
    return true;
}
