/* SPDX-License-Identifier: MIT */
#include "syntax/record.h"

#include "base/ascii.h"
#include "base/ip.h"
#include "base/name.h"
#include "syntax/macro.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "v=spf1";

enum { VERSION_LENGTH = sizeof(version) - 1, IP4_PREFIX_MAX = 32, IP6_PREFIX_MAX = 128, PREFIX_DIGITS_MAX = 4 };

/* DNS carries 65535 octets at most; a record given by the caller may be longer. Up to this length neither the offsets,
 * in 32 bits, nor the size of the compiled record, at most 20 octets for each octet of text, can overflow. */
enum { RECORD_LENGTH_MAX = 1 << 24 };

_Static_assert(sizeof(spf_term_t) / 2 <= 20 && (sizeof(spf_term_t) + sizeof(spf_net6_t)) / 5 <= 20,
               "a term takes two octets of text with its space, a network five");

/* The one allocation that a record lives in: this, then its terms, networks and text. */
typedef struct record_holder {
    spf_record_t record; /* first, so that the two have the same address */
    atomic_uint references;
} record_holder_t;

typedef struct parser {
    const char *text;
    size_t at;  /* the next octet */
    size_t end; /* of the term in hand */
    const char *error;
    size_t error_offset;
    spf_record_t *record;
    spf_term_t *terms;
    spf_net4_t *net4s;
    spf_net6_t *net6s;
} parser_t;

/* ------------------------------------------------------------------------------------------------------ primitives */

static bool fail(parser_t *parser, size_t offset, const char *expected)
{
    bool foreign = offset < parser->end && !spf_ascii_is_visible(parser->text[offset]);
    parser->error = foreign ? "expected a visible ASCII character, or a space between terms" : expected;
    parser->error_offset = offset;
    return false;
}

static bool is_next(const parser_t *parser, char octet)
{
    return parser->at < parser->end && parser->text[parser->at] == octet;
}

static bool take(parser_t *parser, char octet)
{
    if (!is_next(parser, octet))
        return false;
    parser->at++;
    return true;
}

static bool expect_end(parser_t *parser, const char *expected)
{
    return parser->at == parser->end || fail(parser, parser->at, expected);
}

/* ----------------------------------------------------------------------------------------------------- domain-spec */

/*
 * macro-string = *( macro-expand / macro-literal )
 *
 * All of the term from here on, without moving. tail: where the octets behind the last macro-expand begin.
 */
static bool scan_macro_string(parser_t *parser, spf_term_t *term, size_t *tail)
{
    spf_macro_token_t token;
    const char *expected;
    size_t position = parser->at;
    int more;
    *tail = position;
    for (;;) {
        bool is_expand = position < parser->end && parser->text[position] == '%';
        more = spf_macro_next(parser->text, parser->end, &position, SPF_MACRO_IN_RECORD, &token, &expected);
        if (more != 1)
            break;
        if (is_expand) {
            term->has_macro = true;
            *tail = position;
        }
        if (token.kind == SPF_MACRO_EXPAND)
            term->macros |= SPF_MACRO_BIT(token.letter);
    }
    return more == 0 || fail(parser, position, expected);
}

/*
 * toplabel = ( *alphanum ALPHA *alphanum ) /
 *            ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
 */
static bool check_toplabel(parser_t *parser, size_t start, size_t end)
{
    bool all_digits = true;
    for (size_t i = start; i < end; i++) {
        char octet = parser->text[i];
        bool is_inner_hyphen = octet == '-' && i > start && i + 1 < end;
        if (!spf_ascii_is_alphanum(octet) && !is_inner_hyphen)
            return fail(parser, i, "expected a last label of letters, digits and, between them, hyphens");
        all_digits = all_digits && spf_ascii_is_digit(octet);
    }
    if (start == end)
        return fail(parser, start, "expected a last label behind the dot");
    return !all_digits || fail(parser, start, "expected a last label that is not all digits");
}

/*
 * domain-end = ( "." toplabel [ "." ] ) / macro-expand
 *
 * The domain-spec ends before end; tail: where the octets behind its last macro-expand begin.
 */
static bool check_domain_end(parser_t *parser, size_t tail, size_t end)
{
    const char *dot;
    if (parser->at == end)
        return fail(parser, end, "expected a domain name");
    if (tail == end)
        return true;
    if (end - tail > 1 && parser->text[end - 1] == '.')
        end--;
    dot = memrchr(parser->text + tail, '.', end - tail);
    if (dot == NULL)
        return fail(parser, tail, "expected a domain name with a dot before its last label");
    return check_toplabel(parser, (size_t)(dot + 1 - parser->text), end);
}

/* Where a dual-cidr-length must begin if there is one: neither a toplabel nor a macro-expand can end in it, nor can it
 * hold a dot, so it is the first "/" behind the last dot or macro-expand. "/" elsewhere belongs to the domain-spec. */
static size_t find_cidr(const parser_t *parser, size_t tail)
{
    const char *dot = memrchr(parser->text + tail, '.', parser->end - tail);
    size_t start = dot == NULL ? tail : (size_t)(dot - parser->text);
    const char *slash = memchr(parser->text + start, '/', parser->end - start);
    return slash == NULL ? parser->end : (size_t)(slash - parser->text);
}

/* domain-spec = macro-string domain-end */
static bool parse_domain_spec(parser_t *parser, spf_term_t *term, bool has_cidr)
{
    size_t tail;
    size_t end;
    if (!scan_macro_string(parser, term, &tail))
        return false;
    end = has_cidr ? find_cidr(parser, tail) : parser->end;
    if (!check_domain_end(parser, tail, end))
        return false;
    term->spec_offset = (uint32_t)parser->at;
    term->spec_length = (uint32_t)(end - parser->at);
    parser->at = end;
    return true;
}

/* ------------------------------------------------------------------------------------------------- prefix lengths */

/*
 * ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT) ; value range 0-32
 * ip6-cidr-length = "/" ("0" / %x31-39 0*2DIGIT) ; value range 0-128
 *
 * From behind the "/" on.
 */
static bool parse_prefix(parser_t *parser, unsigned max, uint8_t *prefix)
{
    size_t start = parser->at;
    unsigned value = 0;
    while (parser->at < parser->end && parser->at - start < PREFIX_DIGITS_MAX &&
           spf_ascii_is_digit(parser->text[parser->at]))
        value = value * 10 + (unsigned)(parser->text[parser->at++] - '0');
    size_t digits = parser->at - start;
    if (digits == 0 || value > max || (digits > 1 && parser->text[start] == '0'))
        return fail(parser, start,
                    max == IP4_PREFIX_MAX ? "expected a prefix length of 0 to 32"
                                          : "expected a prefix length of 0 to 128");
    *prefix = (uint8_t)value;
    return true;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static bool parse_dual_cidr(parser_t *parser, spf_term_t *term)
{
    bool only_ip6 = parser->end - parser->at >= 2 && parser->text[parser->at + 1] == '/';
    if (is_next(parser, '/') && !only_ip6) {
        parser->at++;
        if (!parse_prefix(parser, IP4_PREFIX_MAX, &term->cidr4))
            return false;
    }
    if (parser->at == parser->end)
        return true;
    if (!take(parser, '/'))
        return fail(parser, parser->at, "expected \"/\" and a prefix length, or the end of the term");
    if (!take(parser, '/'))
        return fail(parser, parser->at, "expected \"//\" before a prefix length for IPv6");
    return parse_prefix(parser, IP6_PREFIX_MAX, &term->cidr6) &&
           expect_end(parser, "expected the end of the term behind the prefix length");
}

/* ------------------------------------------------------------------------------------------------------ mechanisms */

/* all = "all" */
static bool parse_all(parser_t *parser, spf_term_t *term)
{
    (void)term;
    return expect_end(parser, "expected the end of the term: all takes no argument");
}

/*
 * include = "include"  ":" domain-spec
 * exists  = "exists"   ":" domain-spec
 */
static bool parse_with_domain(parser_t *parser, spf_term_t *term)
{
    if (!take(parser, ':'))
        return fail(parser, parser->at, "expected \":\" and a domain name");
    return parse_domain_spec(parser, term, false);
}

/*
 * a  = "a"      [ ":" domain-spec ] [ dual-cidr-length ]
 * mx = "mx"     [ ":" domain-spec ] [ dual-cidr-length ]
 */
static bool parse_hosts(parser_t *parser, spf_term_t *term)
{
    if (take(parser, ':')) {
        if (!parse_domain_spec(parser, term, true))
            return false;
    } else if (parser->at < parser->end && !is_next(parser, '/')) {
        return fail(parser, parser->at, "expected \":\" and a domain name, \"/\", or the end of the term");
    }
    return parse_dual_cidr(parser, term);
}

/* ptr = "ptr"    [ ":" domain-spec ] */
static bool parse_ptr(parser_t *parser, spf_term_t *term)
{
    if (parser->at == parser->end)
        return true;
    if (!is_next(parser, ':'))
        return fail(parser, parser->at, "expected \":\" and a domain name, or the end of the term");
    return parse_with_domain(parser, term);
}

/* The text of a network: what stands behind the ":" up to a "/" or the end. */
static bool parse_network_text(parser_t *parser, spf_term_t *term, const char *expected)
{
    const char *slash;
    if (!take(parser, ':'))
        return fail(parser, parser->at, expected);
    slash = memchr(parser->text + parser->at, '/', parser->end - parser->at);
    term->spec_offset = (uint32_t)parser->at;
    term->spec_length = (uint32_t)((slash == NULL ? parser->end : (size_t)(slash - parser->text)) - parser->at);
    parser->at += term->spec_length;
    return true;
}

/* Fails at the first octet of a bad network that no network can hold, else at its start. */
static bool fail_network(parser_t *parser, const spf_term_t *term, const char *allowed, const char *expected)
{
    size_t end = (size_t)term->spec_offset + term->spec_length;
    for (size_t i = term->spec_offset; i < end; i++) {
        if (parser->text[i] == '\0' || strchr(allowed, parser->text[i]) == NULL)
            return fail(parser, i, expected);
    }
    return fail(parser, term->spec_offset, expected);
}

/* [ ip4-cidr-length ] or [ ip6-cidr-length ], to the end of the term */
static bool parse_network_prefix(parser_t *parser, unsigned max, uint8_t *prefix)
{
    if (take(parser, '/') && !parse_prefix(parser, max, prefix))
        return false;
    return expect_end(parser, "expected the end of the term behind the prefix length");
}

static uint32_t mask_of(unsigned prefix)
{
    return prefix == 0 ? 0 : UINT32_MAX << (IP4_PREFIX_MAX - prefix);
}

/* ip4 = "ip4"      ":" ip4-network   [ ip4-cidr-length ] */
static bool parse_ip4(parser_t *parser, spf_term_t *term)
{
    spf_ip_t ip;
    if (!parse_network_text(parser, term, "expected \":\" and an IPv4 address"))
        return false;
    if (!spf_ip_parse_v4(&ip, parser->text + term->spec_offset, term->spec_length))
        return fail_network(parser, term, "0123456789.",
                            "expected an IPv4 address of four numbers from 0 to 255 without leading zeros");
    if (!parse_network_prefix(parser, IP4_PREFIX_MAX, &term->cidr4))
        return false;
    uint32_t address =
        (uint32_t)ip.octets[0] << 24 | (uint32_t)ip.octets[1] << 16 | (uint32_t)ip.octets[2] << 8 | ip.octets[3];
    uint32_t mask = mask_of(term->cidr4);
    parser->net4s[parser->record->net4_count++] =
        (spf_net4_t){.address = address & mask, .mask = mask, .term = parser->record->term_count};
    return true;
}

/*
 * ip6         = "ip6"      ":" ip6-network   [ ip6-cidr-length ]
 * ip6-network = <as per Section 2.2 of [RFC4291]>
 */
static bool parse_ip6(parser_t *parser, spf_term_t *term)
{
    spf_ip_t ip;
    spf_net6_t net = {.term = parser->record->term_count};
    if (!parse_network_text(parser, term, "expected \":\" and an IPv6 address"))
        return false;
    if (!spf_ip_parse_v6(&ip, parser->text + term->spec_offset, term->spec_length))
        return fail_network(parser, term, "0123456789abcdefABCDEF:.", "expected an IPv6 address");
    if (!parse_network_prefix(parser, IP6_PREFIX_MAX, &term->cidr6))
        return false;
    memcpy(net.address, ip.octets, sizeof(net.address));
    net.prefix = term->cidr6;
    parser->net6s[parser->record->net6_count++] = net;
    return true;
}

typedef struct word {
    const char *text;
    size_t length;
} word_t;

static const word_t term_words[] = {
#define SPF_X(name, word) [name] = {(word), sizeof(word) - 1},
    SPF_TERM_MAP(SPF_X)
#undef SPF_X
};

/* What follows the word of a mechanism, to the end of the term. */
static bool (*const mechanism_parsers[])(parser_t *parser, spf_term_t *term) = {
    [SPF_TERM_ALL] = parse_all, [SPF_TERM_INCLUDE] = parse_with_domain,
    [SPF_TERM_A] = parse_hosts, [SPF_TERM_MX] = parse_hosts,
    [SPF_TERM_PTR] = parse_ptr, [SPF_TERM_IP4] = parse_ip4,
    [SPF_TERM_IP6] = parse_ip6, [SPF_TERM_EXISTS] = parse_with_domain,
};

static bool is_word(const char *text, size_t length, spf_term_kind_t kind)
{
    const word_t *word = &term_words[kind];
    return length == word->length && spf_text_equals_nocase(text, length, word->text, length);
}

/* mechanism = ( all / include / a / mx / ptr / ip4 / ip6 / exists ) */
static bool parse_mechanism(parser_t *parser, spf_term_t *term, size_t start)
{
    for (size_t kind = 0; kind < sizeof(mechanism_parsers) / sizeof(mechanism_parsers[0]); kind++) {
        if (is_word(parser->text + start, parser->at - start, (spf_term_kind_t)kind)) {
            term->kind = (uint8_t)kind;
            return mechanism_parsers[kind](parser, term);
        }
    }
    return fail(parser, start, "unknown mechanism; expected all, include, a, mx, ptr, ip4, ip6 or exists");
}

/* ------------------------------------------------------------------------------------------------------- modifiers */

/*
 * redirect    = "redirect" "=" domain-spec
 * explanation = "exp" "=" domain-spec
 *
 * Each at most once: section 6.
 */
static bool parse_single_modifier(parser_t *parser, spf_term_t *term, int32_t *index, const char *twice)
{
    if (*index != SPF_NO_TERM)
        return fail(parser, term->offset, twice);
    if (!parse_domain_spec(parser, term, false))
        return false;
    *index = (int32_t)parser->record->term_count;
    return true;
}

/* unknown-modifier = name "=" macro-string */
static bool parse_unknown_modifier(parser_t *parser, spf_term_t *term)
{
    size_t tail;
    term->spec_offset = (uint32_t)parser->at;
    term->spec_length = (uint32_t)(parser->end - parser->at);
    return scan_macro_string(parser, term, &tail);
}

/* modifier = redirect / explanation / unknown-modifier */
static bool parse_modifier(parser_t *parser, spf_term_t *term, size_t length)
{
    const char *word = parser->text + term->offset;
    parser->at++; /* the "=" */
    if (is_word(word, length, SPF_TERM_REDIRECT)) {
        term->kind = SPF_TERM_REDIRECT;
        return parse_single_modifier(parser, term, &parser->record->redirect, "expected redirect only once");
    }
    if (is_word(word, length, SPF_TERM_EXP)) {
        term->kind = SPF_TERM_EXP;
        return parse_single_modifier(parser, term, &parser->record->exp, "expected exp only once");
    }
    term->kind = SPF_TERM_UNKNOWN;
    return parse_unknown_modifier(parser, term);
}

/* ----------------------------------------------------------------------------------------------------------- terms */

/* qualifier = "+" / "-" / "?" / "~"   ; section 4.6.2 */
static bool take_qualifier(parser_t *parser, spf_result_t *result)
{
    static const struct {
        char octet;
        spf_result_t result;
    } qualifiers[] = {
        {'+', SPF_RESULT_PASS}, {'-', SPF_RESULT_FAIL}, {'~', SPF_RESULT_SOFTFAIL}, {'?', SPF_RESULT_NEUTRAL}};
    *result = SPF_RESULT_PASS;
    for (size_t i = 0; i < sizeof(qualifiers) / sizeof(qualifiers[0]); i++) {
        if (take(parser, qualifiers[i].octet)) {
            *result = qualifiers[i].result;
            return true;
        }
    }
    return false;
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool take_name(parser_t *parser)
{
    if (parser->at == parser->end || !spf_ascii_is_alpha(parser->text[parser->at]))
        return fail(parser, parser->at, "expected the name of a mechanism or modifier");
    while (parser->at < parser->end) {
        char octet = parser->text[parser->at];
        if (!spf_ascii_is_alphanum(octet) && octet != '-' && octet != '_' && octet != '.')
            break;
        parser->at++;
    }
    return true;
}

/*
 * ( directive / modifier )
 * directive = [ qualifier ] mechanism
 *
 * A "=" immediately behind the name makes it a modifier: section 4.6.1.
 */
static bool parse_term(parser_t *parser, spf_term_t *term)
{
    spf_result_t result;
    bool has_qualifier = take_qualifier(parser, &result);
    size_t start = parser->at;
    term->result = (uint8_t)result;
    if (!take_name(parser))
        return false;
    if (!is_next(parser, '='))
        return parse_mechanism(parser, term, start);
    if (has_qualifier)
        return fail(parser, term->offset, "expected no qualifier before a modifier");
    return parse_modifier(parser, term, parser->at - start);
}

/* An invalid term from start to the end of the one in hand: what a term is unless it can be parsed. */
static spf_term_t invalid_term(const parser_t *parser, size_t start)
{
    return (spf_term_t){
        .kind = SPF_TERM_INVALID,
        .cidr4 = IP4_PREFIX_MAX,
        .cidr6 = IP6_PREFIX_MAX,
        .offset = (uint32_t)start,
        .length = (uint32_t)(parser->end - start),
        .net4 = parser->record->net4_count,
        .net6 = parser->record->net6_count,
    };
}

/* Parses the term from at to end and appends it, as it is or as an invalid one. */
static void append_term(parser_t *parser)
{
    spf_record_t *record = parser->record;
    spf_term_t *term = &parser->terms[record->term_count];
    size_t start = parser->at;
    *term = invalid_term(parser, start);
    if (parse_term(parser, term)) {
        record->has_all = record->has_all || term->kind == SPF_TERM_ALL;
    } else {
        *term = invalid_term(parser, start);
        if (record->error_term == SPF_NO_TERM) {
            record->error_term = (int32_t)record->term_count;
            record->error_offset = parser->error_offset;
            record->error = parser->error;
        }
    }
    record->term_count++;
}

/*
 * terms = *( 1*SP ( directive / modifier ) )
 *
 * Finds the next term at or behind *end; false: there is none.
 */
static bool next_term(const char *text, size_t length, size_t *start, size_t *end)
{
    const char *space;
    size_t at = *end;
    while (at < length && text[at] == ' ')
        at++;
    if (at >= length)
        return false;
    space = memchr(text + at, ' ', length - at);
    *start = at;
    *end = space == NULL ? length : (size_t)(space - text);
    return true;
}

/* Networks in a row know where their row ends. */
static void link_networks(parser_t *parser)
{
    uint32_t count = parser->record->term_count;
    for (uint32_t i = count; i-- > 0;) {
        spf_term_t *term = &parser->terms[i];
        bool is_network = term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
        if (!is_network)
            term->run_end = i;
        else
            term->run_end = i + 1 < count ? parser->terms[i + 1].run_end : count;
    }
}

/* ---------------------------------------------------------------------------------------------------------- record */

/* Upper bounds for what a text holds. */
typedef struct counts {
    size_t terms, net4s, net6s;
} counts_t;

static counts_t count_terms(const char *text, size_t length)
{
    counts_t counts = {0};
    size_t start;
    size_t end = VERSION_LENGTH;
    while (next_term(text, length, &start, &end)) {
        size_t word = start + (spf_ascii_is_alpha(text[start]) ? 0 : 1);
        counts.terms++;
        if (end - start < 4)
            continue;
        counts.net4s += is_word(text + word, 3, SPF_TERM_IP4);
        counts.net6s += is_word(text + word, 3, SPF_TERM_IP6);
    }
    return counts;
}

/* Lays the record out in one piece, strictest alignment first; its text is copied, its terms are still to be filled. */
static bool record_allocate(parser_t *parser, const char *text, size_t length)
{
    if (length > RECORD_LENGTH_MAX)
        return false;
    counts_t counts = count_terms(text, length);
    size_t size = sizeof(record_holder_t) + counts.terms * sizeof(spf_term_t) + counts.net4s * sizeof(spf_net4_t) +
                  counts.net6s * sizeof(spf_net6_t) + length + 1;
    record_holder_t *holder = malloc(size);
    if (holder == NULL)
        return false;
    parser->terms = (spf_term_t *)(holder + 1);
    parser->net4s = (spf_net4_t *)(parser->terms + counts.terms);
    parser->net6s = (spf_net6_t *)(parser->net4s + counts.net4s);
    char *copy = (char *)(parser->net6s + counts.net6s);
    memcpy(copy, text, length);
    copy[length] = '\0';
    atomic_init(&holder->references, 1);
    holder->record = (spf_record_t){
        .size = size,
        .text = copy,
        .length = length,
        .terms = parser->terms,
        .net4s = parser->net4s,
        .net6s = parser->net6s,
        .redirect = SPF_NO_TERM,
        .exp = SPF_NO_TERM,
        .error_term = SPF_NO_TERM,
    };
    parser->record = &holder->record;
    parser->text = copy;
    return true;
}

/*
 * record  = version terms *SP
 * version = "v=spf1"
 */
bool spf_record_is_record(const char *text, size_t length)
{
    return length >= VERSION_LENGTH && spf_text_equals_nocase(text, VERSION_LENGTH, version, VERSION_LENGTH) &&
           (length == VERSION_LENGTH || text[VERSION_LENGTH] == ' ');
}

spf_record_t *spf_record_parse(const char *text, size_t length)
{
    parser_t parser = {.end = VERSION_LENGTH};
    if (!record_allocate(&parser, text, length))
        return NULL;
    while (next_term(parser.text, length, &parser.at, &parser.end))
        append_term(&parser);
    link_networks(&parser);
    return parser.record;
}

spf_record_t *spf_record_ref(const spf_record_t *record)
{
    record_holder_t *holder = (record_holder_t *)record;
    if (holder == NULL)
        return NULL;
    atomic_fetch_add_explicit(&holder->references, 1, memory_order_relaxed);
    return &holder->record;
}

void spf_record_unref(const spf_record_t *record)
{
    record_holder_t *holder = (record_holder_t *)record;
    if (holder != NULL && atomic_fetch_sub_explicit(&holder->references, 1, memory_order_acq_rel) == 1)
        free(holder);
}
