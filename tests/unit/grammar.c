/* SPDX-License-Identifier: MIT */
#include "unit/grammar.h"

#include <string.h>

enum { OCTETS_MAX = 998, COLUMNS_MAX = 78, TAB_COLUMNS = 8 };

typedef struct reader {
    const char *at;
    const char *line_end;
} reader_t;

static void take(reader_t *reader, grammar_text_t *text, size_t octets)
{
    if (text != NULL && text->length + octets < sizeof(text->data)) {
        memcpy(text->data + text->length, reader->at, octets);
        text->length += octets;
        text->data[text->length] = '\0';
    }
    reader->at += octets;
}

static void put(grammar_text_t *text, char octet)
{
    reader_t reader = {.at = &octet};
    take(&reader, text, 1);
}

static void clear(grammar_text_t *text)
{
    text->length = 0;
    text->data[0] = '\0';
}

static bool is_octet_of(char octet, const char *set)
{
    return octet != '\0' && strchr(set, octet) != NULL;
}

static bool is_alphanum(char octet)
{
    return is_octet_of(octet, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}

/* UTF8-non-ascii, RFC 6532 section 3.1 and RFC 3629 section 4; the octets of one character, or 0. */
static size_t utf8_length(const char *at)
{
    const unsigned char *octet = (const unsigned char *)at;
    static const struct {
        unsigned char first, last, low, high;
        size_t length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (octet[0] < rows[i].first || octet[0] > rows[i].last || octet[1] < rows[i].low || octet[1] > rows[i].high)
            continue;
        for (size_t j = 2; j < rows[i].length; j++)
            if (octet[j] < 0x80 || octet[j] > 0xbf)
                return 0;
        return rows[i].length;
    }
    return 0;
}

static bool is_wsp(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* FWS = ([*WSP CRLF] 1*WSP), without obs-FWS; one space of text */
static bool read_fws(reader_t *reader, grammar_text_t *text)
{
    const char *at = reader->at;
    size_t length = strlen(reader->line_end);

    while (is_wsp(*at))
        at++;
    if (length > 0 && strncmp(at, reader->line_end, length) == 0 && is_wsp(at[length])) {
        if (text != NULL)
            for (const char *blank = reader->at; blank < at; blank++)
                put(text, ' ');
        at += length;
        reader->at = at;
        while (is_wsp(*at))
            at++;
    }
    for (const char *blank = reader->at; text != NULL && blank < at; blank++)
        put(text, ' ');
    bool is_there = at > reader->at;
    reader->at = at;
    return is_there;
}

/* VCHAR but for the octets of `but`, or UTF8-non-ascii, or quoted-pair = ("\" (VCHAR / WSP)) */
static bool read_character(reader_t *reader, grammar_text_t *text, const char *but)
{
    size_t length = utf8_length(reader->at);
    if (length > 0) {
        take(reader, text, length);
        return true;
    }
    if (*reader->at == '\\') {
        char escaped = reader->at[1];
        if (!((escaped >= 0x21 && escaped <= 0x7e) || is_wsp(escaped)))
            return false;
        reader->at++;
        take(reader, text, 1);
        return true;
    }
    if (*reader->at < 0x21 || *reader->at > 0x7e || is_octet_of(*reader->at, but))
        return false;
    take(reader, text, 1);
    return true;
}

/* quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE */
static bool read_quoted_string(reader_t *reader, grammar_text_t *text)
{
    if (*reader->at != '"')
        return false;
    reader->at++;
    while (read_fws(reader, text) || read_character(reader, text, "\"\\"))
        ;
    return *reader->at == '"' && reader->at++;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")", without comments inside: the fields need none */
static bool read_comment(reader_t *reader, grammar_text_t *text)
{
    if (*reader->at != '(')
        return false;
    reader->at++;
    while (read_fws(reader, text) || read_character(reader, text, "()\\"))
        ;
    return *reader->at == ')' && reader->at++;
}

/* CFWS = (1*([FWS] comment) [FWS]) / FWS */
static bool read_cfws(reader_t *reader)
{
    const char *start = reader->at;
    while (read_fws(reader, NULL) || read_comment(reader, NULL))
        ;
    return reader->at > start;
}

static bool read_run(reader_t *reader, grammar_text_t *text, bool (*is_in)(char octet))
{
    const char *start = reader->at;
    while (is_in(*reader->at))
        take(reader, text, 1);
    return reader->at > start;
}

static bool is_atext(char octet)
{
    return is_alphanum(octet) || is_octet_of(octet, "!#$%&'*+-/=?^_`{|}~");
}

static bool is_token_octet(char octet)
{
    return octet >= 0x21 && octet <= 0x7e && !is_octet_of(octet, "()<>@,;:\\\"/[]?=");
}

static bool is_keyword_octet(char octet)
{
    return is_alphanum(octet) || octet == '-';
}

/* dot-atom-text = 1*atext *("." 1*atext) */
static bool read_dot_atom(reader_t *reader, grammar_text_t *text)
{
    if (!read_run(reader, text, is_atext))
        return false;
    while (*reader->at == '.' && is_atext(reader->at[1])) {
        take(reader, text, 1);
        read_run(reader, text, is_atext);
    }
    return true;
}

/* sub-domain 1*("." sub-domain), sub-domain = Let-dig [Ldh-str] */
static bool read_domain_name(reader_t *reader, grammar_text_t *text)
{
    for (unsigned labels = 1;; labels++) {
        if (!is_alphanum(*reader->at) || !read_run(reader, text, is_keyword_octet) || reader->at[-1] == '-')
            return false;
        if (*reader->at != '.')
            return labels >= 2;
        take(reader, text, 1);
    }
}

static bool read_word(reader_t *reader, grammar_text_t *text, const char *word)
{
    if (strncmp(reader->at, word, strlen(word)) != 0)
        return false;
    take(reader, text, strlen(word));
    return true;
}

static bool read_result(reader_t *reader, grammar_text_t *text)
{
    static const char *const words[] = {"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"};
    const char *start = reader->at;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (read_word(reader, text, words[i]) && !is_keyword_octet(*reader->at))
            return true;
        reader->at = start;
        clear(text);
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------------- Received-SPF */

/* key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string ) */
static bool read_pair(reader_t *reader, struct grammar_pair *pair)
{
    clear(&pair->key);
    clear(&pair->value);
    if (!read_run(reader, &pair->key, is_keyword_octet))
        return false;
    read_cfws(reader);
    if (*reader->at++ != '=')
        return false;
    pair->is_quoted = *reader->at == '"';
    return pair->is_quoted ? read_quoted_string(reader, &pair->value) : read_dot_atom(reader, &pair->value);
}

/* key-value-list = key-value-pair *( ";" [CFWS] key-value-pair ) [";"] */
static bool read_pairs(reader_t *reader, grammar_received_spf_t *read)
{
    do {
        if (read->pair_count == GRAMMAR_PAIRS_MAX || !read_pair(reader, &read->pairs[read->pair_count++]))
            return false;
        if (*reader->at == '\0')
            return true;
        if (*reader->at++ != ';')
            return false;
        if (*reader->at != '\0')
            read_cfws(reader);
    } while (*reader->at != '\0');
    return true;
}

/* header-field = "Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ] CRLF */
static bool received_spf(reader_t *reader, grammar_received_spf_t *read)
{
    if (!read_word(reader, NULL, "Received-SPF:"))
        return false;
    read_cfws(reader);
    if (!read_result(reader, &read->result) || !read_fws(reader, NULL))
        return false;
    if (*reader->at == '(' && (!read_comment(reader, &read->comment) || !read_fws(reader, NULL)))
        return false;
    return *reader->at == '\0' || read_pairs(reader, read);
}

const char *grammar_read_received_spf(grammar_received_spf_t *read, const char *field, const char *line_end)
{
    reader_t reader = {.at = field, .line_end = line_end};
    read->pair_count = 0;
    clear(&read->result);
    clear(&read->comment);
    return received_spf(&reader, read) && *reader.at == '\0' ? NULL : reader.at;
}

/* ------------------------------------------------------------------------------------------ Authentication-Results */

/* value = token / quoted-string */
static bool read_value(reader_t *reader, grammar_text_t *text)
{
    return *reader->at == '"' ? read_quoted_string(reader, text) : read_run(reader, text, is_token_octet);
}

/* [ [ local-part ] "@" ] domain-name, local-part = dot-atom / quoted-string */
static bool read_mailbox(reader_t *reader, grammar_text_t *text)
{
    reader_t start = *reader;
    bool is_local = *reader->at == '"' ? read_quoted_string(reader, text) : read_dot_atom(reader, text);

    if (is_local && *reader->at == '@') {
        take(reader, text, 1);
        return read_domain_name(reader, text);
    }
    *reader = start;
    clear(text);
    return read_domain_name(reader, text);
}

/* pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS] */
static bool read_pvalue(reader_t *reader, grammar_results_t *read)
{
    reader_t start;
    read_cfws(reader);
    start = *reader;
    read->is_mailbox = read_mailbox(reader, &read->pvalue) && (*reader->at == '\0' || is_wsp(*reader->at));
    if (!read->is_mailbox) {
        *reader = start;
        clear(&read->pvalue);
        if (!read_value(reader, &read->pvalue))
            return false;
    }
    read_cfws(reader);
    return true;
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue */
static bool read_propspec(reader_t *reader, grammar_results_t *read)
{
    if (!read_run(reader, &read->ptype, is_keyword_octet))
        return false;
    read_cfws(reader);
    if (*reader->at++ != '.')
        return false;
    read_cfws(reader);
    if (!read_run(reader, &read->property, is_keyword_octet))
        return false;
    read_cfws(reader);
    return *reader->at++ == '=' && read_pvalue(reader, read);
}

/* methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ], of one propspec at most */
static bool read_resinfo(reader_t *reader, grammar_results_t *read)
{
    read_cfws(reader);
    if (!read_run(reader, &read->method, is_keyword_octet))
        return false;
    read_cfws(reader);
    if (*reader->at++ != '=')
        return false;
    read_cfws(reader);
    if (!read_result(reader, &read->result))
        return false;
    if (*reader->at == '\0')
        return true;
    if (!read_cfws(reader))
        return false;
    if (read_word(reader, NULL, "reason=")) {
        if (!read_value(reader, &read->reason))
            return false;
        if (*reader->at == '\0')
            return true;
        if (!read_cfws(reader))
            return false;
    }
    read->has_property = true;
    return read_propspec(reader, read);
}

/* "Authentication-Results:" [CFWS] authserv-id [CFWS] ";" resinfo */
static bool results(reader_t *reader, grammar_results_t *read, bool authserv_id)
{
    if (authserv_id) {
        if (!read_word(reader, NULL, "Authentication-Results:"))
            return false;
        read_cfws(reader);
        if (!read_value(reader, &read->authserv_id))
            return false;
        read_cfws(reader);
        if (*reader->at++ != ';')
            return false;
    }
    return read_resinfo(reader, read);
}

const char *grammar_read_results(grammar_results_t *read, const char *field, const char *line_end, bool authserv_id)
{
    reader_t reader = {.at = field, .line_end = line_end};
    grammar_text_t *texts[] = {&read->authserv_id, &read->method,   &read->result, &read->reason,
                               &read->ptype,       &read->property, &read->pvalue};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        clear(texts[i]);
    read->has_property = read->is_mailbox = false;
    return results(&reader, read, authserv_id) && *reader.at == '\0' ? NULL : reader.at;
}

/* ---------------------------------------------------------------------------------------------------------- lines */

static bool is_bad_line(const char *line, size_t length, bool is_folded)
{
    size_t columns = 0, words = 0;

    for (size_t i = 0; i < length; i++) {
        columns += line[i] == '\t' ? TAB_COLUMNS : 1;
        words += !is_wsp(line[i]) && (i == 0 || is_wsp(line[i - 1]));
        if (line[i] == '\r' || line[i] == '\n')
            return true;
    }
    return length > OCTETS_MAX || words == 0 || (is_folded && columns > COLUMNS_MAX && words > 1);
}

const char *grammar_bad_line(const char *field, const char *line_end)
{
    size_t end_length = strlen(line_end);

    for (;;) {
        const char *end = end_length > 0 ? strstr(field, line_end) : NULL;
        size_t length = end != NULL ? (size_t)(end - field) : strlen(field);
        if (is_bad_line(field, length, end_length > 0))
            return field;
        if (end == NULL)
            return NULL;
        field = end + end_length;
        if (!is_wsp(*field))
            return field;
    }
}
