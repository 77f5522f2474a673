/* SPDX-License-Identifier: MIT */
#include "base/name.h"

#include "base/ascii.h"

#include <idn2.h>
#include <string.h>

/* The longest text in UTF-8 that is tried: no A-label is shorter than its U-label has characters, and no character
 * takes more than 4 octets. */
enum { UTF8_TEXT_MAX = 4 * SPF_NAME_MAX };

static size_t drop_trailing_dot(const char *text, size_t length)
{
    return length > 0 && text[length - 1] == '.' ? length - 1 : length;
}

/* A text without trailing dot that fits: lowers it into name and looks at its labels. */
static bool name_fill(spf_name_t *name, const char *text, size_t length)
{
    size_t label = 0;
    for (size_t i = 0; i < length; i++) {
        label = text[i] == '.' ? 0 : label + 1;
        if (label > SPF_LABEL_MAX || (label == 0 && (i == 0 || text[i - 1] == '.')) || text[i] == '\0')
            return false;
        name->text[i] = spf_ascii_lower(text[i]);
    }
    return label > 0;
}

static bool name_set(spf_name_t *name, const char *text, size_t length)
{
    bool good = length <= SPF_NAME_MAX && name_fill(name, text, length);
    name->length = good ? (unsigned char)length : 0;
    name->text[name->length] = '\0';
    return good;
}

bool spf_name_from_text(spf_name_t *name, const char *text, size_t length)
{
    return name_set(name, text, drop_trailing_dot(text, length));
}

bool spf_name_from_expansion(spf_name_t *name, const char *text, size_t length)
{
    length = drop_trailing_dot(text, length);
    if (length > SPF_NAME_MAX) {
        /* What stands behind this octet or a later one fits, so the first dot from here on is where to cut. */
        const char *first = text + (length - SPF_NAME_MAX - 1);
        const char *dot = memchr(first, '.', SPF_NAME_MAX + 1);
        if (dot != NULL) {
            length -= (size_t)(dot + 1 - text);
            text = dot + 1;
        }
    }
    return name_set(name, text, length);
}

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] > 0x7f)
            return false;
    }
    return true;
}

bool spf_name_from_utf8(spf_name_t *name, const char *text, size_t length, bool *is_out_of_memory)
{
    char copy[UTF8_TEXT_MAX + 1];
    char *ascii = NULL;
    bool good = false;
    int status;
    *is_out_of_memory = false;
    if (is_ascii(text, length))
        return spf_name_from_text(name, text, length);
    *name = (spf_name_t){0};
    if (length > UTF8_TEXT_MAX || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    status = idn2_to_ascii_8z(copy, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    *is_out_of_memory = status == IDN2_MALLOC;
    if (status == IDN2_OK)
        good = spf_name_from_text(name, ascii, strlen(ascii));
    idn2_free(ascii);
    return good;
}

bool spf_name_is_checkable(const spf_name_t *name)
{
    const char *dot = memrchr(name->text, '.', name->length);
    if (dot == NULL || name->text[0] == '[')
        return false;
    for (const char *at = dot + 1; at < name->text + name->length; at++) {
        if (!spf_ascii_is_digit(*at))
            return true;
    }
    return false;
}

bool spf_name_is_within(const char *name, size_t name_length, const char *domain, size_t domain_length)
{
    if (name_length < domain_length)
        return false;
    size_t start = name_length - domain_length;
    return memcmp(name + start, domain, domain_length) == 0 && (start == 0 || name[start - 1] == '.');
}

bool spf_text_equals_nocase(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++) {
        if (spf_ascii_lower(a[i]) != spf_ascii_lower(b[i]))
            return false;
    }
    return true;
}
