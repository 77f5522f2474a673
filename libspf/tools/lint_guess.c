/* SPDX-License-Identifier: MIT */
/* Syntax errors around characters, words and names; those around addresses are in lint_guess_address.c. */
#include "tools/lint_guess.h"

#include "base/ascii.h"
#include "base/name.h"

#include <string.h>

enum { NEAR_WORD_MAX = 16 };

/* ---------------------------------------------------------------------------------------------- foreign characters */

/* Characters that editors, word processors and web pages put in, and what they stand for. */
static const struct {
    spf_lint_code_t code;
    const char *text, *stands_for;
} foreign[] = {
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x98", ""}, /* U+2018 */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x99", ""}, /* U+2019 */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9a", ""}, /* U+201A */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9b", ""}, /* U+201B */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9c", ""}, /* U+201C */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9d", ""}, /* U+201D */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9e", ""}, /* U+201E */
    {SPF_LINT_SMART_QUOTE, "\xe2\x80\x9f", ""}, /* U+201F */
    {SPF_LINT_SMART_QUOTE, "\xc2\xab", ""},     /* U+00AB */
    {SPF_LINT_SMART_QUOTE, "\xc2\xbb", ""},     /* U+00BB */
    {SPF_LINT_SMART_QUOTE, "\x93", ""},         /* Windows-1252 */
    {SPF_LINT_SMART_QUOTE, "\x94", ""},
    {SPF_LINT_QUOTE, "\\\"", ""},
    {SPF_LINT_QUOTE, "\"", ""},
    {SPF_LINT_QUOTE, "'", ""},
    {SPF_LINT_QUOTE, "`", ""},
    {SPF_LINT_INVISIBLE, "\xef\xbb\xbf", ""}, /* U+FEFF, byte order mark */
    {SPF_LINT_INVISIBLE, "\xe2\x80\x8b", ""}, /* U+200B, zero width space */
    {SPF_LINT_INVISIBLE, "\xe2\x80\x8c", ""}, /* U+200C */
    {SPF_LINT_INVISIBLE, "\xe2\x80\x8d", ""}, /* U+200D */
    {SPF_LINT_INVISIBLE, "\xe2\x80\x8e", ""}, /* U+200E */
    {SPF_LINT_INVISIBLE, "\xe2\x80\x8f", ""}, /* U+200F */
    {SPF_LINT_INVISIBLE, "\xe2\x81\xa0", ""}, /* U+2060, word joiner */
    {SPF_LINT_INVISIBLE, "\xc2\xad", ""},     /* U+00AD, soft hyphen */
    {SPF_LINT_WHITE_SPACE, "\t", " "},
    {SPF_LINT_WHITE_SPACE, "\r", " "},
    {SPF_LINT_WHITE_SPACE, "\n", " "},
    {SPF_LINT_WHITE_SPACE, "\v", " "},
    {SPF_LINT_WHITE_SPACE, "\f", " "},
    {SPF_LINT_WHITE_SPACE, "\xc2\xa0", " "},     /* U+00A0, no-break space */
    {SPF_LINT_WHITE_SPACE, "\xe2\x80\x82", " "}, /* U+2002 */
    {SPF_LINT_WHITE_SPACE, "\xe2\x80\x83", " "}, /* U+2003 */
    {SPF_LINT_WHITE_SPACE, "\xe2\x80\x89", " "}, /* U+2009 */
    {SPF_LINT_WHITE_SPACE, "\xe2\x80\xa8", " "}, /* U+2028 */
    {SPF_LINT_WHITE_SPACE, "\xe2\x80\xaf", " "}, /* U+202F */
    {SPF_LINT_WHITE_SPACE, "\xe3\x80\x80", " "}, /* U+3000 */
    {SPF_LINT_LOOKALIKE, "\xe2\x80\x90", "-"},   /* U+2010, hyphen */
    {SPF_LINT_LOOKALIKE, "\xe2\x80\x91", "-"},   /* U+2011 */
    {SPF_LINT_LOOKALIKE, "\xe2\x80\x92", "-"},   /* U+2012 */
    {SPF_LINT_LOOKALIKE, "\xe2\x80\x93", "-"},   /* U+2013, en dash */
    {SPF_LINT_LOOKALIKE, "\xe2\x80\x94", "-"},   /* U+2014, em dash */
    {SPF_LINT_LOOKALIKE, "\xe2\x88\x92", "-"},   /* U+2212, minus sign */
    {SPF_LINT_LOOKALIKE, "\xef\xbc\x8d", "-"},   /* U+FF0D */
    {SPF_LINT_LOOKALIKE, "\x96", "-"},           /* Windows-1252 */
    {SPF_LINT_LOOKALIKE, "\x97", "-"},
    {SPF_LINT_LOOKALIKE, "\xcb\x9c", "~"},     /* U+02DC, small tilde */
    {SPF_LINT_LOOKALIKE, "\xe2\x88\xbc", "~"}, /* U+223C, tilde operator */
    {SPF_LINT_LOOKALIKE, "\xef\xbd\x9e", "~"}, /* U+FF5E */
    {SPF_LINT_LOOKALIKE, "\xef\xbc\x9a", ":"}, /* U+FF1A */
    {SPF_LINT_BACKSLASH, "\\~", "~"},
    {SPF_LINT_BACKSLASH, "\\-", "-"},
    {SPF_LINT_BACKSLASH, "\\+", "+"},
    {SPF_LINT_BACKSLASH, "\\?", "?"},
    {SPF_LINT_BACKSLASH, "\\_", "_"},
    {SPF_LINT_BACKSLASH, "\\.", "."},
    {SPF_LINT_BACKSLASH, "\\:", ":"},
    {SPF_LINT_BACKSLASH, "\\=", "="},
    {SPF_LINT_BACKSLASH, "\\/", "/"},
    {SPF_LINT_COMMA, ",", " "},
    {SPF_LINT_COMMA, ";", " "},
    {SPF_LINT_COMMA, "|", " "},
};

size_t spf_lint_foreign(const char *text, size_t length, spf_lint_code_t code, const char **stands_for)
{
    if (length == 0 || spf_ascii_is_alphanum(text[0]))
        return 0;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (foreign[i].code != code || foreign[i].text[0] != text[0])
            continue;
        size_t octets = strlen(foreign[i].text);
        if (octets <= length && memcmp(text, foreign[i].text, octets) == 0) {
            *stands_for = foreign[i].stands_for;
            return octets;
        }
    }
    return 0;
}

/* How many octets the UTF-8 character at the start of text has by its first: enough to step over characters of which
 * a part looks like one of Windows-1252. */
static size_t character_octets(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];
    size_t octets = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;

    for (size_t i = 1; i < octets; i++)
        if (i == length || ((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return octets;
}

/* All characters of a kind by what they stand for. */
static spf_guess_t substitute(const spf_wrong_t *wrong, spf_buf_t *out, spf_lint_code_t code)
{
    spf_guess_t guess = SPF_GUESS_NONE;

    for (size_t at = 0; at < wrong->length;) {
        const char *stands_for;
        size_t octets = spf_lint_foreign(wrong->text + at, wrong->length - at, code, &stands_for);
        if (octets > 0) {
            guess = SPF_GUESS_MENDED;
            spf_buf_add_text(out, stands_for);
        } else {
            octets = character_octets(wrong->text + at, wrong->length - at);
            spf_buf_add(out, wrong->text + at, octets);
        }
        at += octets;
    }
    return guess;
}

static spf_guess_t guess_smart_quote(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_SMART_QUOTE);
}

static spf_guess_t guess_quote(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_QUOTE);
}

static spf_guess_t guess_invisible(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_INVISIBLE);
}

static spf_guess_t guess_white_space(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_WHITE_SPACE);
}

/* \~all, include:\_spf.example.com: as marked-up text has it. */
static spf_guess_t guess_backslash(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_BACKSLASH);
}

static spf_guess_t guess_lookalike(const spf_wrong_t *wrong, spf_buf_t *out)
{
    return substitute(wrong, out, SPF_LINT_LOOKALIKE);
}

/* include:bücher.example: a name has an ASCII form (RFC 8616); all else has none. */
static spf_guess_t guess_non_ascii(const spf_wrong_t *wrong, spf_buf_t *out)
{
    spf_name_t name;
    bool is_out_of_memory = false;
    bool has_foreign = false;

    for (size_t i = 0; i < wrong->length; i++)
        has_foreign = has_foreign || !spf_ascii_is_visible(wrong->text[i]);
    if (!has_foreign)
        return SPF_GUESS_NONE;
    if (wrong->at < wrong->value || memchr(wrong->text, '%', wrong->length) != NULL ||
        !spf_name_from_utf8(&name, wrong->text + wrong->value, wrong->length - wrong->value, &is_out_of_memory)) {
        wrong->linter->failed = wrong->linter->failed || is_out_of_memory;
        return SPF_GUESS_KNOWN;
    }
    spf_buf_add(out, wrong->text, wrong->value);
    spf_buf_add(out, name.text, name.length);
    return SPF_GUESS_MENDED;
}

/* ----------------------------------------------------------------------------------------------------------- words */

static bool is_name(const spf_wrong_t *wrong, const char *word)
{
    return spf_text_equals_nocase(wrong->text + wrong->word, wrong->name - wrong->word, word, strlen(word));
}

static bool is_one_of(const spf_wrong_t *wrong, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is_name(wrong, *words))
            return true;
    return false;
}

static const char *const mechanisms[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", NULL};
static const char *const modifiers[] = {"redirect", "exp", NULL};

/* Damerau's distance: letters left out, put in, changed, or swapped with the next. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][NEAR_WORD_MAX + 1];

    for (unsigned j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            char x = spf_ascii_lower(a[i - 1]), y = b[j - 1];
            unsigned least = above[j - 1] + (x != y);
            least = above[j] + 1 < least ? above[j] + 1 : least;
            least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            if (i > 1 && j > 1 && x == b[j - 2] && spf_ascii_lower(a[i - 2]) == y && higher[j - 2] + 1 < least)
                least = higher[j - 2] + 1;
            row[j] = least;
        }
    }
    return rows[a_length % 3][b_length];
}

bool spf_lint_is_near(const char *text, size_t length, const char *word)
{
    size_t word_length = strlen(word);
    unsigned slips = word_length >= 6 ? 2 : 1;

    if (length > NEAR_WORD_MAX || word_length > NEAR_WORD_MAX || word_length < 3)
        return false;
    return length + slips >= word_length && distance(text, length, word, word_length) <= slips;
}

/* What people write in place of a mechanism's name; "ip4" and "ip6" tell each other by the address. */
static const struct {
    const char *wrong, *meant;
} aliases[] = {
    {"ip", "ip4"},           {"ipv4", "ip4"},     {"ipv6", "ip6"},     {"ip-4", "ip4"},    {"ip-6", "ip6"},
    {"ip_4", "ip4"},         {"ip_6", "ip6"},     {"ipv-4", "ip4"},    {"ipv-6", "ip6"},   {"i4", "ip4"},
    {"ip4v", "ip4"},         {"ip6v", "ip6"},     {"ipaddr", "ip4"},   {"host", "a"},      {"aaaa", "a"},
    {"hostname", "a"},       {"mxs", "mx"},       {"incl", "include"}, {"inc", "include"}, {"includes", "include"},
    {"included", "include"}, {"exist", "exists"},
};

static const char *by_family(const char *meant, const char *value, size_t length)
{
    const char *slash = memchr(value, '/', length);
    unsigned family = spf_lint_family(value, slash == NULL ? length : (size_t)(slash - value));

    if (meant == NULL || strncmp(meant, "ip", 2) != 0 || family == 0)
        return meant;
    return family == 4 ? "ip4" : "ip6";
}

const char *spf_lint_meant_mechanism(const char *name, size_t length, const char *value, size_t value_length)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (spf_text_equals_nocase(name, length, aliases[i].wrong, strlen(aliases[i].wrong)))
            return by_family(aliases[i].meant, value, value_length);
    for (size_t i = 0; mechanisms[i] != NULL; i++)
        if (spf_lint_is_near(name, length, mechanisms[i]))
            return by_family(mechanisms[i], value, value_length);
    return NULL;
}

/* The term with another name, and what stands behind that as it is. */
static spf_guess_t rename_to(const spf_wrong_t *wrong, spf_buf_t *out, const char *name)
{
    spf_buf_add(out, wrong->text, wrong->word);
    spf_buf_add_text(out, name);
    spf_buf_add(out, wrong->text + wrong->name, wrong->length - wrong->name);
    return SPF_GUESS_MENDED;
}

/* ipv4:192.0.2.1, inlcude:example.com */
static spf_guess_t guess_misspelt(const spf_wrong_t *wrong, spf_buf_t *out)
{
    const char *meant;

    if (wrong->at != wrong->word || is_one_of(wrong, mechanisms) || is_one_of(wrong, modifiers))
        return SPF_GUESS_NONE;
    meant = spf_lint_meant_mechanism(wrong->text + wrong->word, wrong->name - wrong->word, wrong->text + wrong->value,
                                     wrong->length - wrong->value);
    return meant != NULL ? rename_to(wrong, out, meant) : SPF_GUESS_NONE;
}

static bool is_next(const spf_wrong_t *wrong, char octet)
{
    return wrong->name < wrong->length && wrong->text[wrong->name] == octet;
}

/* redirect:example.com */
static spf_guess_t guess_modifier_colon(const spf_wrong_t *wrong, spf_buf_t *out)
{
    if (!is_one_of(wrong, modifiers) || !is_next(wrong, ':'))
        return SPF_GUESS_NONE;
    spf_buf_add(out, wrong->text + wrong->word, wrong->name - wrong->word);
    spf_buf_add_char(out, '=');
    spf_buf_add(out, wrong->text + wrong->name + 1, wrong->length - wrong->name - 1);
    return SPF_GUESS_MENDED;
}

/* -redirect=example.com; of -include=example.com the sign is right and the "=" is wrong. */
static spf_guess_t guess_qualified_modifier(const spf_wrong_t *wrong, spf_buf_t *out)
{
    if (wrong->word == 0 || wrong->at != 0 || !is_next(wrong, '='))
        return SPF_GUESS_NONE;
    if (is_one_of(wrong, mechanisms)) {
        spf_buf_add(out, wrong->text, wrong->name);
        spf_buf_add_char(out, ':');
        spf_buf_add(out, wrong->text + wrong->name + 1, wrong->length - wrong->name - 1);
        return SPF_GUESS_MENDED;
    }
    if (!is_one_of(wrong, modifiers))
        return SPF_GUESS_KNOWN;
    spf_buf_add(out, wrong->text + wrong->word, wrong->length - wrong->word);
    return SPF_GUESS_MENDED;
}

static bool is_qualifier(char octet)
{
    return octet != '\0' && strchr("+-~?", octet) != NULL;
}

bool spf_lint_is_sign(const char *text, size_t length)
{
    const char *stands_for = text;

    if (length != 1 && (length == 0 || spf_lint_foreign(text, length, SPF_LINT_LOOKALIKE, &stands_for) != length))
        return false;
    return is_qualifier(stands_for[0]);
}

/* --all, all-; of two different ones nobody knows which was meant. */
static spf_guess_t guess_qualifier(const spf_wrong_t *wrong, spf_buf_t *out)
{
    size_t signs = 0;

    while (signs < wrong->length && is_qualifier(wrong->text[signs]))
        signs++;
    if (signs > 1) {
        for (size_t i = 1; i < signs; i++)
            if (wrong->text[i] != wrong->text[0])
                return SPF_GUESS_KNOWN;
        spf_buf_add(out, wrong->text + signs - 1, wrong->length - signs + 1);
        return SPF_GUESS_MENDED;
    }
    if (signs > 0 || wrong->length != 4 || strncasecmp(wrong->text, "all", 3) != 0 || !is_qualifier(wrong->text[3]))
        return SPF_GUESS_NONE;
    spf_buf_add_char(out, wrong->text[3]);
    spf_buf_add(out, wrong->text, 3);
    return SPF_GUESS_MENDED;
}

static bool is_address_mechanism(const spf_wrong_t *wrong)
{
    size_t length = wrong->name - wrong->word;
    return length >= 3 && strncasecmp(wrong->text + wrong->word, "ip", 2) == 0 &&
           (wrong->text[wrong->word + 2] == '4' || wrong->text[wrong->word + 2] == '6');
}

static bool is_separator(char octet)
{
    return octet != '\0' && strchr(".;,|=/-_:", octet) != NULL;
}

/* ip4192.0.2.1, ip4.192.0.2.1, ip4::192.0.2.1: only an address can follow. */
static spf_guess_t guess_address_colon(const spf_wrong_t *wrong, spf_buf_t *out)
{
    size_t at = wrong->word + 3;
    const char *slash;

    while (at < wrong->length && is_separator(wrong->text[at]))
        at++;
    slash = memchr(wrong->text + at, '/', wrong->length - at);
    size_t end = slash == NULL ? wrong->length : (size_t)(slash - wrong->text);
    if (spf_lint_family(wrong->text + at, end - at) == 0 || (at == wrong->word + 4 && wrong->text[at - 1] == ':'))
        return SPF_GUESS_NONE;
    spf_buf_add(out, wrong->text, wrong->word + 3);
    spf_buf_add_char(out, ':');
    spf_buf_add(out, wrong->text + at, wrong->length - at);
    return SPF_GUESS_MENDED;
}

/* include::example.com, include;example.com, include/example.com */
static spf_guess_t guess_colon(const spf_wrong_t *wrong, spf_buf_t *out)
{
    static const char *const with_name[] = {"include", "exists", NULL};

    if (is_address_mechanism(wrong))
        return guess_address_colon(wrong, out);
    if (is_next(wrong, ':') && wrong->value < wrong->length && wrong->text[wrong->value] == ':' &&
        is_one_of(wrong, mechanisms)) {
        spf_buf_add(out, wrong->text, wrong->value);
        spf_buf_add(out, wrong->text + wrong->value + 1, wrong->length - wrong->value - 1);
        return SPF_GUESS_MENDED;
    }
    bool is_separated = is_next(wrong, '/') || is_next(wrong, ';') || is_next(wrong, ',') || is_next(wrong, '|');
    if (!is_separated || !is_one_of(wrong, with_name) || wrong->name + 1 == wrong->length)
        return SPF_GUESS_NONE;
    spf_buf_add(out, wrong->text, wrong->name);
    spf_buf_add_char(out, ':');
    spf_buf_add(out, wrong->text + wrong->name + 1, wrong->length - wrong->name - 1);
    return SPF_GUESS_MENDED;
}

/* ------------------------------------------------------------------------------------------- what lacks, what is more
 */

/* a,mx and ip4:192.0.2.1;ip4:192.0.2.9; also at the end */
static spf_guess_t guess_comma(const spf_wrong_t *wrong, spf_buf_t *out)
{
    if (memchr(wrong->text, '%', wrong->length) != NULL) /* delimiters of a macro */
        return SPF_GUESS_NONE;
    return substitute(wrong, out, SPF_LINT_COMMA);
}

/* -all. and include:example.com) */
static spf_guess_t guess_punctuation(const spf_wrong_t *wrong, spf_buf_t *out)
{
    static const char *const without_prefix[] = {"include", "exists", "redirect", "all", NULL};
    size_t end = wrong->length;

    while (end > wrong->name && strchr(".,;)]}>\\!", wrong->text[end - 1]) != NULL && wrong->text[end - 1] != '\0')
        end--;
    while (end > wrong->name && (wrong->text[end - 1] == '/' || wrong->text[end - 1] == ':') &&
           is_one_of(wrong, without_prefix) && (is_name(wrong, "all") || end - 1 > wrong->value))
        end--;
    if (end == wrong->length)
        return SPF_GUESS_NONE;
    spf_buf_add(out, wrong->text, end);
    return SPF_GUESS_MENDED;
}

/* ip6:[2001:db8::1], include:<example.com>; around a whole term they may make a comment of it. */
static spf_guess_t guess_brackets(const spf_wrong_t *wrong, spf_buf_t *out)
{
    static const char *const pairs[] = {"[]", "<>", "()"};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *open = memchr(wrong->text, pairs[i][0], wrong->length);
        size_t start = open == NULL ? wrong->length : (size_t)(open - wrong->text);
        const char *close = open == NULL ? NULL : memchr(open, pairs[i][1], wrong->length - start);
        if (close == NULL || (start != 0 && start != wrong->value) || memchr(wrong->text, '%', wrong->length) != NULL)
            continue;
        if (start == 0)
            return SPF_GUESS_KNOWN;
        spf_buf_add(out, wrong->text, start);
        spf_buf_add(out, open + 1, (size_t)(close - open - 1));
        spf_buf_add(out, close + 1, (size_t)(wrong->text + wrong->length - close - 1));
        return SPF_GUESS_MENDED;
    }
    return SPF_GUESS_NONE;
}

/* Where a scheme begins and what stands behind it. */
static bool find_scheme(const char *text, size_t length, size_t *start, size_t *end)
{
    static const char *const schemes[] = {"https://", "http://", "ftp://", "mailto:", "dns:", "//"};

    for (size_t at = 0; at < length; at++) {
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
            size_t octets = strlen(schemes[i]);
            if (octets <= length - at && strncasecmp(text + at, schemes[i], octets) == 0) {
                *start = at;
                *end = at + octets;
                return true;
            }
        }
    }
    return false;
}

/* include:http://example.com/: its host is what can be named. */
static spf_guess_t guess_url(const spf_wrong_t *wrong, spf_buf_t *out)
{
    static const char *const with_prefix[] = {"a", "mx", "ip4", "ip6", NULL};
    bool has_prefix = is_one_of(wrong, with_prefix);
    size_t start, end;
    const char *slash;

    if (!find_scheme(wrong->text, wrong->length, &start, &end) || (has_prefix && end == start + 2))
        return SPF_GUESS_NONE;
    slash = memchr(wrong->text + end, '/', wrong->length - end);
    spf_buf_add(out, wrong->text, start);
    spf_buf_add(out, wrong->text + end,
                (slash == NULL || has_prefix ? wrong->length : (size_t)(slash - wrong->text)) - end);
    return SPF_GUESS_MENDED;
}

/* What a term begins with, where one can be told from the end of another. Of "all" its sign is a part: "aall" is a slip
 * of the finger, and "a all" would let everybody pass. */
static const struct {
    const char *text;
    bool is_whole; /* and nothing behind it */
} beginnings[] = {{"include:", false}, {"ip4:", false},   {"ip6:", false},     {"ipv4:", false}, {"ipv6:", false},
                  {"exists:", false},  {"mx:", false},    {"ptr:", false},     {"a:", false},    {"exp=", false},
                  {"mx", true},        {"ptr", true},     {"-all", true},      {"~all", true},   {"?all", true},
                  {"+all", true},      {"v=spf1", false}, {"redirect=", false}};

static bool is_beginning_as(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        size_t octets = strlen(beginnings[i].text);
        if (octets <= length && strncasecmp(text, beginnings[i].text, octets) == 0 &&
            (!beginnings[i].is_whole || octets == length))
            return true;
    }
    return false;
}

static bool is_beginning(const char *text, size_t length)
{
    return is_beginning_as(text, length) ||
           (length > 0 && is_qualifier(text[0]) && is_beginning_as(text + 1, length - 1));
}

/* ip4:192.0.2.1include:example.com, mx-all: a term that is right, and another behind it. */
static spf_guess_t guess_run_together(const spf_wrong_t *wrong, spf_buf_t *out)
{
    for (size_t at = wrong->word + 1; at < wrong->length; at++) {
        if (is_beginning(wrong->text + at, wrong->length - at) && spf_lint_is_valid(wrong->linter, wrong->text, at)) {
            spf_buf_add(out, wrong->text, at);
            spf_buf_add_char(out, ' ');
            spf_buf_add(out, wrong->text + at, wrong->length - at);
            return SPF_GUESS_MENDED;
        }
    }
    return SPF_GUESS_NONE;
}

/* all:example.com */
static spf_guess_t guess_all_argument(const spf_wrong_t *wrong, spf_buf_t *out)
{
    (void)out;
    return is_name(wrong, "all") && wrong->name < wrong->length ? SPF_GUESS_KNOWN : SPF_GUESS_NONE;
}

static bool needs_name(const spf_wrong_t *wrong)
{
    static const char *const words[] = {"include", "exists", "redirect", "exp", NULL};
    return is_one_of(wrong, words);
}

/* include, include: */
static spf_guess_t guess_missing_name(const spf_wrong_t *wrong, spf_buf_t *out)
{
    (void)out;
    if (!is_one_of(wrong, mechanisms) && !is_one_of(wrong, modifiers))
        return SPF_GUESS_NONE;
    bool is_bare =
        wrong->value >= wrong->length && (needs_name(wrong) || is_next(wrong, ':') || is_address_mechanism(wrong));
    return is_bare ? SPF_GUESS_KNOWN : SPF_GUESS_NONE;
}

/* include:localhost */
static spf_guess_t guess_single_label(const spf_wrong_t *wrong, spf_buf_t *out)
{
    (void)out;
    if (wrong->at != wrong->value || is_address_mechanism(wrong) ||
        !is_next(wrong, is_one_of(wrong, modifiers) ? '=' : ':'))
        return SPF_GUESS_NONE;
    return memchr(wrong->text + wrong->value, '.', wrong->length - wrong->value) == NULL ? SPF_GUESS_KNOWN
                                                                                         : SPF_GUESS_NONE;
}

/* %d in place of %{d}; all other errors in macros */
static spf_guess_t guess_macro(const spf_wrong_t *wrong, spf_buf_t *out)
{
    size_t at = wrong->at;
    size_t percent;

    for (percent = at < wrong->length ? at + 1 : wrong->length; percent > 0; percent--)
        if (wrong->text[percent - 1] == '%' || wrong->text[percent - 1] == '}')
            break;
    if (percent == 0 || wrong->text[percent - 1] != '%')
        return SPF_GUESS_NONE;
    if (at != percent || at >= wrong->length || strchr("slodiphv", spf_ascii_lower(wrong->text[at])) == NULL ||
        wrong->text[at] == '\0' || (at + 1 < wrong->length && spf_ascii_is_alphanum(wrong->text[at + 1])))
        return SPF_GUESS_KNOWN;
    spf_buf_add(out, wrong->text, at);
    spf_buf_add_char(out, '{');
    spf_buf_add_char(out, wrong->text[at]);
    spf_buf_add_char(out, '}');
    spf_buf_add(out, wrong->text + at + 1, wrong->length - at - 1);
    return SPF_GUESS_MENDED;
}

/* example.com */
static spf_guess_t guess_bare_name(const spf_wrong_t *wrong, spf_buf_t *out)
{
    size_t length = wrong->length - wrong->word;
    spf_name_t name;

    (void)out;
    if (wrong->at != wrong->word || wrong->name == wrong->word ||
        memchr(wrong->text + wrong->word, '.', length) == NULL ||
        memchr(wrong->text + wrong->word, ':', length) != NULL ||
        !spf_name_from_text(&name, wrong->text + wrong->word, length))
        return SPF_GUESS_NONE;
    return SPF_GUESS_KNOWN;
}

static spf_guess_t guess_unknown(const spf_wrong_t *wrong, spf_buf_t *out)
{
    (void)out;
    return wrong->at == wrong->word && wrong->name > wrong->word && !is_one_of(wrong, mechanisms) ? SPF_GUESS_KNOWN
                                                                                                  : SPF_GUESS_NONE;
}

/* ----------------------------------------------------------------------------------------------------------- table */

/* In this order: what stands first explains most. */
static const spf_guess_rule_t rules[] = {
    {SPF_LINT_SMART_QUOTE, guess_smart_quote, "has a typographic quotation mark", "Remove the quotation marks."},
    {SPF_LINT_INVISIBLE, guess_invisible, "has an invisible character", "Remove the invisible character."},
    {SPF_LINT_WHITE_SPACE, guess_white_space, "has white space other than a space",
     "Part terms by spaces and by nothing else."},
    {SPF_LINT_LOOKALIKE, guess_lookalike, "has a character that only looks like an ASCII sign",
     "Type the sign on the keyboard."},
    {SPF_LINT_QUOTE, guess_quote, "has a quotation mark in it",
     "Remove the quotation marks: they belong around the strings of a zone file, not into the record."},
    {SPF_LINT_NON_ASCII, guess_non_ascii, "has a character that is not printable ASCII",
     "Write ASCII only, and names in their ASCII form (\"xn--\")."},
    {SPF_LINT_BACKSLASH, guess_backslash, "has a backslash before a character that needs none",
     "Remove the backslash."},
    {SPF_LINT_BRACKETS, guess_brackets, "has brackets around it",
     "Write names and addresses without brackets; a record cannot have comments."},
    {SPF_LINT_URL, guess_url, "is written as a URL", "Write the name alone."},
    {SPF_LINT_COLON, guess_colon, "has no single colon behind the mechanism's name",
     "Put one colon behind the mechanism's name."},
    {SPF_LINT_COMMA, guess_comma, "has a comma, semicolon or bar where only spaces part terms",
     "Part terms by spaces."},
    {SPF_LINT_QUALIFIER, guess_qualifier, "has a misplaced qualifier",
     "Write one qualifier, \"+\", \"-\", \"~\" or \"?\", before the mechanism."},
    {SPF_LINT_QUALIFIED_MODIFIER, guess_qualified_modifier, "has a qualifier before a modifier",
     "Remove the qualifier."},
    {SPF_LINT_MODIFIER_COLON, guess_modifier_colon, "is a modifier, and those take \"=\" in place of \":\"",
     "Write \"=\" in place of \":\"."},
    {SPF_LINT_ADDRESS_FAMILY, spf_guess_family, "has an address of the other family",
     "Use ip4 for IPv4 and ip6 for IPv6 addresses."},
    {SPF_LINT_ADDRESS_AS_NAME, spf_guess_address_as_name, "has an address where a name is expected",
     "Use ip4 or ip6 for addresses."},
    {SPF_LINT_BARE_ADDRESS, spf_guess_bare_address, "is an address without a mechanism",
     "Write ip4: or ip6: before it."},
    {SPF_LINT_NETMASK, spf_guess_netmask, "has a netmask where a prefix length is expected",
     "Write the prefix length, as in \"/24\"."},
    {SPF_LINT_RUN_TOGETHER, guess_run_together, "is two terms without a space between them",
     "Put a space between the terms."},
    {SPF_LINT_ADDRESS_RANGE, spf_guess_range, "is a range of addresses", "Write networks, as in \"192.0.2.0/24\"."},
    {SPF_LINT_SHORT_ADDRESS, spf_guess_short, "has less than four numbers in its address",
     "Write all four numbers of the address and, for a network, its prefix length."},
    {SPF_LINT_LEADING_ZERO, spf_guess_leading_zero, "has a number with leading zeros, which may mean octal",
     "Write the numbers of the address without leading zeros."},
    {SPF_LINT_PREFIX_LENGTH, spf_guess_prefix, "has a wrong prefix length",
     "Write 0 to 32 behind \"/\" for IPv4; for IPv6 0 to 128, in a and mx terms behind \"//\"."},
    {SPF_LINT_MISSPELT_MECHANISM, guess_misspelt, "misspells a mechanism", "Correct the mechanism's name."},
    {SPF_LINT_PUNCTUATION, guess_punctuation, "has punctuation behind it", "Remove the punctuation."},
    {SPF_LINT_NAME_AS_ADDRESS, spf_guess_name_as_address, "has a name where an address is expected",
     "Write include: for a domain's policy, or a: for a host."},
    {SPF_LINT_ALL_ARGUMENT, guess_all_argument, "has something behind all", "Write all alone."},
    {SPF_LINT_MISSING_NAME, guess_missing_name, "ends where its argument is expected",
     "Write what it is about, or remove the term."},
    {SPF_LINT_MACRO, guess_macro, "has a wrong macro", "Write macros as \"%{d}\", and \"%%\" for a percent sign."},
    {SPF_LINT_SINGLE_LABEL, guess_single_label, "has a name of a single label", "Write the full domain name."},
    {SPF_LINT_BARE_NAME, guess_bare_name, "is a name without a mechanism",
     "Write include: before it for the domain's policy, or a: for the host."},
    {SPF_LINT_UNKNOWN_MECHANISM, guess_unknown, "is no mechanism that there is",
     "Write all, include, a, mx, ptr, ip4, ip6 or exists, or remove the term."},
};

const spf_guess_rule_t *spf_lint_guess(const spf_wrong_t *wrong, spf_buf_t *out, spf_guess_t *guess)
{
    size_t begun = out->len;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        *guess = rules[i].guess(wrong, out);
        if (*guess != SPF_GUESS_NONE)
            return &rules[i];
        out->len = begun;
    }
    return NULL;
}

static bool is_name_octet(char octet)
{
    return spf_ascii_is_alphanum(octet) || octet == '-' || octet == '_';
}

spf_wrong_t spf_wrong_term(spf_linter_t *linter, const char *text, size_t length, size_t at)
{
    spf_wrong_t wrong = {.linter = linter, .text = text, .length = length, .at = at};

    wrong.word = spf_lint_word(text, length);
    wrong.name = wrong.word;
    while (wrong.name < length && is_name_octet(text[wrong.name]))
        wrong.name++;
    wrong.value = wrong.name < length ? wrong.name + 1 : length;
    return wrong;
}
