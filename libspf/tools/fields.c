/* SPDX-License-Identifier: MIT */
#include "tools/fields.h"

#include "base/ascii.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- fields */

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static bool is_space(char octet)
{
    return is_blank(octet) || octet == '\r' || octet == '\n';
}

static spf_text_t text_between(const char *from, const char *to)
{
    return (spf_text_t){.data = from, .length = (uint32_t)(to - from)};
}

/* Behind the LF of the line that begins at `at`, or the end. */
static const char *line_after(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));

    return lf != NULL ? lf + 1 : end;
}

static bool is_empty_line(const char *at, const char *end)
{
    return *at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n');
}

/* field-name = 1*ftext, visible octets but ":" (RFC 5322 section 3.6.8); NULL if no colon follows at once. */
static const char *name_end(const char *at, const char *end)
{
    const char *start = at;

    while (at < end && spf_ascii_is_visible(*at) && *at != ':')
        at++;
    return at < end && at > start && *at == ':' ? at : NULL;
}

bool spf_fields_next(spf_scan_t *scan, spf_field_t *field)
{
    while (scan->at < scan->end && !is_empty_line(scan->at, scan->end)) {
        const char *line = scan->at;
        const char *colon = name_end(line, scan->end);

        scan->at = line_after(line, scan->end);
        if (colon == NULL)
            continue;
        while (scan->at < scan->end && is_blank(*scan->at))
            scan->at = line_after(scan->at, scan->end);
        field->name = text_between(line, colon);
        field->body = text_between(colon + 1, scan->at);
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------------------------------------ items */

/* What stands between a quote or parenthesis at scan->at and its end, if need be the text's. Comments nest. */
static spf_text_t read_enclosed(spf_scan_t *scan, char open, char close)
{
    const char *start = ++scan->at;
    unsigned depth = 1;

    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == '\\' && scan->at + 1 < scan->end)
            scan->at++;
        else if (*scan->at == close && --depth == 0)
            return text_between(start, scan->at++);
        else if (*scan->at == open)
            depth++;
    }
    return text_between(start, scan->at);
}

static bool ends_value(char octet)
{
    return is_space(octet) || octet == ';' || octet == '(' || octet == ')';
}

/* A quoted string alone is its content; otherwise, as in "a b"@example.com, the value is all of it. */
static spf_text_t read_value(spf_scan_t *scan)
{
    const char *start = scan->at;
    spf_text_t quoted = {0};

    while (scan->at < scan->end && !ends_value(*scan->at)) {
        if (*scan->at == '"')
            quoted = read_enclosed(scan, '"', '"');
        else
            scan->at++;
    }
    if (quoted.data == start + 1 && scan->at <= quoted.data + quoted.length + 1)
        return quoted;
    return text_between(start, scan->at);
}

static spf_item_t read_word(spf_scan_t *scan)
{
    const char *start = scan->at;
    spf_item_t item = {.kind = SPF_ITEM_WORD};

    while (scan->at < scan->end && !ends_value(*scan->at) && *scan->at != '=' && *scan->at != '"')
        scan->at++;
    item.key = text_between(start, scan->at);
    if (scan->at < scan->end && *scan->at == '=' && item.key.length > 0) {
        item.kind = SPF_ITEM_PAIR;
        scan->at++;
        item.value = read_value(scan);
        return item;
    }
    scan->at = start;
    item.value = read_value(scan);
    return item;
}

spf_item_t spf_items_next(spf_scan_t *scan)
{
    while (scan->at < scan->end && (is_space(*scan->at) || *scan->at == ')'))
        scan->at++;
    if (scan->at >= scan->end)
        return (spf_item_t){.kind = SPF_ITEM_END};
    if (*scan->at == '(')
        return (spf_item_t){.kind = SPF_ITEM_COMMENT, .value = read_enclosed(scan, '(', ')')};
    if (*scan->at == ';') {
        scan->at++;
        return (spf_item_t){.kind = SPF_ITEM_SEMICOLON};
    }
    return read_word(scan);
}
