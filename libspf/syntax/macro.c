/* SPDX-License-Identifier: MIT */
#include "syntax/macro.h"

#include "base/ascii.h"

#include <string.h>

enum { DIGITS_MAX = 255, VALUE_MAX = 64 };

static const char letters_in_record[] = "slodiphv";
static const char letters_in_explanation[] = "slodiphvcrt";
static const char delimiters[] = ".-+,/_=";

/* strchr() without its match of the NUL. */
static bool is_one_of(char octet, const char *set)
{
    return octet != '\0' && strchr(set, octet) != NULL;
}

/*
 * macro-literal  = %x21-24 / %x26-7E
 *                ; visible characters except "%"
 * explain-string = *( macro-string / SP )
 */
static bool is_literal(char octet, spf_macro_context_t context)
{
    return (spf_ascii_is_visible(octet) && octet != '%') || (octet == ' ' && context == SPF_MACRO_IN_EXPLANATION);
}

static int next_literal(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                        spf_macro_token_t *token, const char **error)
{
    size_t start = *position;
    size_t at = start;
    while (at < length && is_literal(text[at], context))
        at++;
    if (at == start) {
        *error = "expected a visible ASCII character";
        return -1;
    }
    *token = (spf_macro_token_t){.kind = SPF_MACRO_LITERAL, .text = text + start, .length = at - start};
    *position = at;
    return 1;
}

/* macro-letter = "s" / "l" / "o" / "d" / "i" / "p" / "h" / "c" / "r" / "t" / "v"   ; c, r, t: section 7.2 */
static bool parse_letter(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                         spf_macro_token_t *token, const char **error)
{
    bool in_record = context == SPF_MACRO_IN_RECORD;
    char octet = *position < length ? text[*position] : '\0';
    token->letter = spf_ascii_lower(octet);
    token->url_escape = token->letter != octet;
    if (is_one_of(token->letter, in_record ? letters_in_record : letters_in_explanation)) {
        ++*position;
        return true;
    }
    *error = in_record ? "expected a macro letter, one of s l o d i p h v (c r t only in explanations)"
                       : "expected a macro letter, one of s l o d i p h v c r t";
    return false;
}

/* transformers = *DIGIT [ "r" ]   ; the number must be nonzero: section 7.3 */
static bool parse_transformers(const char *text, size_t length, size_t *position, spf_macro_token_t *token,
                               const char **error)
{
    size_t start = *position;
    size_t at = start;
    for (; at < length && spf_ascii_is_digit(text[at]); at++) {
        unsigned number = token->digits * 10 + (unsigned)(text[at] - '0');
        token->digits = number < DIGITS_MAX ? number : DIGITS_MAX;
    }
    if (at > start && token->digits == 0) {
        *error = "expected a number of labels above 0";
        return false;
    }
    if (at < length && spf_ascii_lower(text[at]) == 'r') {
        token->reverse = true;
        at++;
    }
    *position = at;
    return true;
}

/* delimiter = "." / "-" / "+" / "," / "/" / "_" / "=" */
static void parse_delimiters(const char *text, size_t length, size_t *position, spf_macro_token_t *token)
{
    token->delims = text + *position;
    while (*position < length && is_one_of(text[*position], delimiters))
        ++*position;
    token->delim_count = (size_t)(text + *position - token->delims);
}

/* "%{" macro-letter transformers *delimiter "}"   ; from the letter on */
static int next_braced(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                       spf_macro_token_t *token, const char **error)
{
    *token = (spf_macro_token_t){.kind = SPF_MACRO_EXPAND};
    if (!parse_letter(text, length, position, context, token, error) ||
        !parse_transformers(text, length, position, token, error))
        return -1;
    parse_delimiters(text, length, position, token);
    if (*position >= length || text[*position] != '}') {
        *error = "expected \"}\", or a delimiter, one of . - + , / _ =";
        return -1;
    }
    ++*position;
    return 1;
}

/*
 * macro-expand = ( "%{" macro-letter transformers *delimiter "}" )
 *                / "%%" / "%_" / "%-"
 */
static int next_expand(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                       spf_macro_token_t *token, const char **error)
{
    const char *literal;
    ++*position;
    switch (*position < length ? text[*position] : '\0') {
    case '{':
        ++*position;
        return next_braced(text, length, position, context, token, error);
    case '%':
        literal = "%";
        break;
    case '_':
        literal = " ";
        break;
    case '-':
        literal = "%20";
        break;
    default:
        *error = "expected \"{\", \"%\", \"_\" or \"-\" after \"%\"";
        return -1;
    }
    ++*position;
    *token = (spf_macro_token_t){.kind = SPF_MACRO_LITERAL, .text = literal, .length = strlen(literal)};
    return 1;
}

/* macro-string = *( macro-expand / macro-literal ) */
int spf_macro_next(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                   spf_macro_token_t *token, const char **error)
{
    if (*position >= length)
        return 0;
    if (text[*position] == '%')
        return next_expand(text, length, position, context, token, error);
    return next_literal(text, length, position, context, token, error);
}

/* unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"   ; RFC 3986 section 2.3 */
static bool is_unreserved(char octet)
{
    return spf_ascii_is_alphanum(octet) || is_one_of(octet, "-._~");
}

static void add_escaped(spf_buf_t *buf, const char *text, size_t length)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length && !buf->full; i++) {
        unsigned char octet = (unsigned char)text[i];
        if (is_unreserved(text[i]))
            spf_buf_add_char(buf, text[i]);
        else
            spf_buf_add(buf, (char[]){'%', hex[octet >> 4], hex[octet & 0xf]}, 3);
    }
}

static void add_octets(spf_buf_t *buf, const spf_macro_token_t *token, const char *text, size_t length)
{
    if (token->url_escape)
        add_escaped(buf, text, length);
    else
        spf_buf_add(buf, text, length);
}

static bool is_delimiter(const spf_macro_token_t *token, char octet)
{
    return token->delim_count == 0 ? octet == '.' : memchr(token->delims, octet, token->delim_count) != NULL;
}

static size_t count_parts(const spf_macro_token_t *token, const char *value, size_t length)
{
    size_t parts = 1;
    for (size_t i = 0; i < length; i++)
        parts += is_delimiter(token, value[i]);
    return parts;
}

/* Where the part with this number (from 0) begins; one behind the end if there are only so many. */
static size_t part_start(const spf_macro_token_t *token, const char *value, size_t length, size_t part)
{
    size_t at = 0;
    for (; part > 0 && at < length; at++)
        part -= is_delimiter(token, value[at]);
    return part > 0 ? length + 1 : at;
}

/* What follows the parts to skip, joined by dots. */
static void add_forward(spf_buf_t *buf, const spf_macro_token_t *token, const char *value, size_t length, size_t skip)
{
    size_t start = part_start(token, value, length, skip);
    for (size_t at = start; at < length && !buf->full; at++) {
        if (!is_delimiter(token, value[at]))
            continue;
        add_octets(buf, token, value + start, at - start);
        spf_buf_add_char(buf, '.');
        start = at + 1;
    }
    add_octets(buf, token, value + start, length - start);
}

/* The right-hand parts after reversal are the left-hand ones of the value, last first. */
static void add_reversed(spf_buf_t *buf, const spf_macro_token_t *token, const char *value, size_t length, size_t keep)
{
    size_t end = part_start(token, value, length, keep) - 1;
    for (size_t at = end; at > 0 && !buf->full; at--) {
        if (!is_delimiter(token, value[at - 1]))
            continue;
        add_octets(buf, token, value + at, end - at);
        spf_buf_add_char(buf, '.');
        end = at - 1;
    }
    add_octets(buf, token, value, end);
}

/* Section 7.3: splits at the delimiters, reverses, keeps the right-hand parts, joins them by dots. */
static void add_transformed(spf_buf_t *buf, const spf_macro_token_t *token, const char *value, size_t length)
{
    if (length == 0)
        return;
    if (token->digits == 0 && !token->reverse && token->delim_count == 0) {
        add_octets(buf, token, value, length);
        return;
    }
    size_t parts = count_parts(token, value, length);
    size_t keep = token->digits == 0 || token->digits > parts ? parts : token->digits;
    if (token->reverse)
        add_reversed(buf, token, value, length, keep);
    else
        add_forward(buf, token, value, length, parts - keep);
}

/* The domain of <sender> is what follows the "@" behind the local part. */
static void add_sender_domain(spf_buf_t *buf, const spf_macro_token_t *token, const spf_macro_values_t *values)
{
    if (values->local_length < values->sender_length) {
        size_t start = values->local_length + 1;
        add_transformed(buf, token, values->sender + start, values->sender_length - start);
    }
}

/* The letters whose values have to be made first: i, c and t. */
static void add_made_value(spf_buf_t *buf, const spf_macro_token_t *token, const spf_macro_values_t *values)
{
    char storage[VALUE_MAX];
    spf_buf_t value;
    spf_buf_init(&value, storage, sizeof(storage));
    if (token->letter == 'i')
        spf_ip_add_dotted(&value, values->ip);
    else if (token->letter == 'c')
        spf_ip_add_text(&value, values->ip);
    else
        spf_buf_add_uint(&value, values->time_s);
    add_transformed(buf, token, value.data, value.len);
}

/* Section 7.2 */
static void add_macro(spf_buf_t *buf, const spf_macro_token_t *token, const spf_macro_values_t *values)
{
    const char *family = values->ip->family == 4 ? "in-addr" : "ip6";
    switch (token->letter) {
    case 's':
        add_transformed(buf, token, values->sender, values->sender_length);
        break;
    case 'l':
        add_transformed(buf, token, values->sender, values->local_length);
        break;
    case 'o':
        add_sender_domain(buf, token, values);
        break;
    case 'd':
        add_transformed(buf, token, values->domain, values->domain_length);
        break;
    case 'p':
        add_transformed(buf, token, values->validated, values->validated_length);
        break;
    case 'h':
        add_transformed(buf, token, values->helo, values->helo_length);
        break;
    case 'r':
        add_transformed(buf, token, values->receiver, values->receiver_length);
        break;
    case 'v':
        add_transformed(buf, token, family, strlen(family));
        break;
    default:
        add_made_value(buf, token, values);
        break;
    }
}

void spf_macro_expand(spf_buf_t *buf, const char *text, size_t length, spf_macro_context_t context,
                      const spf_macro_values_t *values)
{
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    while (!buf->full && spf_macro_next(text, length, &position, context, &token, &error) == 1) {
        if (token.kind == SPF_MACRO_LITERAL)
            spf_buf_add(buf, token.text, token.length);
        else
            add_macro(buf, &token, values);
    }
}
