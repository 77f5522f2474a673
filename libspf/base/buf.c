/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/ascii.h"

#include <string.h>

enum { UINT64_DIGITS = 20, UTF8_MAX = 4 };

void spf_buf_init(spf_buf_t *buf, char *storage, size_t cap)
{
    *buf = (spf_buf_t){.data = storage, .cap = cap};
    storage[0] = '\0';
}

/* Room for length octets more, its end already terminated; NULL if the buffer is or becomes full. */
static char *buf_extend(spf_buf_t *buf, size_t length)
{
    char *end = buf->data + buf->len;
    if (buf->full || length > buf->cap - 1 - buf->len) {
        buf->full = true;
        return NULL;
    }
    buf->len += length;
    end[length] = '\0';
    return end;
}

void spf_buf_add(spf_buf_t *buf, const char *text, size_t length)
{
    char *end = buf_extend(buf, length);
    if (end != NULL && length > 0)
        memcpy(end, text, length);
}

void spf_buf_add_text(spf_buf_t *buf, const char *text)
{
    spf_buf_add(buf, text, strlen(text));
}

void spf_buf_add_char(spf_buf_t *buf, char octet)
{
    spf_buf_add(buf, &octet, 1);
}

void spf_buf_add_uint(spf_buf_t *buf, uint64_t number)
{
    char digits[UINT64_DIGITS];
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    spf_buf_add(buf, digits + first, sizeof(digits) - first);
}

/* The length that the lead octet of a UTF-8 sequence announces, and the bits of the code point in it; 0: none. */
static size_t utf8_lead(unsigned char octet, uint32_t *bits)
{
    static const struct {
        unsigned char mask, value;
    } leads[] = {{0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if ((octet & leads[i].mask) == leads[i].value) {
            *bits = octet & (unsigned char)~leads[i].mask;
            return i + 2;
        }
    }
    return 0;
}

size_t spf_utf8_octets(const char *text, size_t length, uint32_t *code)
{
    static const uint32_t least[UTF8_MAX + 1] = {0, 0, 0xa0, 0x800, 0x10000};
    size_t octets = utf8_lead((unsigned char)text[0], code);
    if (octets == 0 || octets > length)
        return 0;
    for (size_t i = 1; i < octets; i++) {
        unsigned char octet = (unsigned char)text[i];
        if ((octet & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (octet & 0x3f);
    }
    bool is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code >= least[octets] && *code <= 0x10ffff && !is_surrogate ? octets : 0;
}

/* Ends of lines, and what turns text round (the controls of Unicode's bidirectional algorithm, UAX #9 section 2): with
 * them a stranger's text would not stay in its place. */
static bool is_layout(uint32_t code)
{
    return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* The octets of a character at the start of text that shows itself; 0: there is none. */
static size_t utf8_printable(const char *text, size_t length)
{
    uint32_t code = 0;
    size_t octets = spf_utf8_octets(text, length, &code);
    return is_layout(code) ? 0 : octets;
}

static bool is_printable(char octet)
{
    return spf_ascii_is_visible(octet) || octet == ' ';
}

/* How many octets at the start of text are printable ASCII: nearly always all. In a word of eight, one that is below
 * the space, DEL or above makes the highest bit of some octet one. */
static size_t ascii_printable(const char *text, size_t length)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (uint64_t word; length - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        if (((word | (word - each * ' ') | (word + each)) & each * 0x80) != 0)
            break;
    }
    while (i < length && is_printable(text[i]))
        i++;
    return i;
}

void spf_buf_add_printable(spf_buf_t *buf, const char *text, size_t length, bool utf8)
{
    char *end = buf_extend(buf, length);
    if (end == NULL || length == 0)
        return;
    memcpy(end, text, length);
    for (size_t i = ascii_printable(text, length); i < length;) {
        size_t octets = utf8 ? utf8_printable(text + i, length - i) : 0;
        if (octets == 0 && !is_printable(text[i]))
            end[i] = '?';
        i += octets > 0 ? octets : 1;
    }
}

char *spf_printable_copy(spf_arena_t *arena, const char *text, size_t length, bool utf8)
{
    char *copy = spf_arena_alloc(arena, length + 1);
    spf_buf_t buf;

    if (copy == NULL)
        return NULL;
    spf_buf_init(&buf, copy, length + 1);
    spf_buf_add_printable(&buf, text, length, utf8);
    return copy;
}

const char *spf_printable_text(spf_arena_t *arena, const char *text, size_t length, bool utf8)
{
    if (ascii_printable(text, length) == length)
        return text;
    return spf_printable_copy(arena, text, length, utf8);
}
