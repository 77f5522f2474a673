/* SPDX-License-Identifier: MIT */
#include "tools/terms.h"

#include "base/ascii.h"
#include "base/name.h"
#include "syntax/macro.h"

#include <string.h>

const char *spf_term_kind_name(spf_term_kind_t kind)
{
    static const char *const names[] = {
#define SPF_X(name, word) [name] = (word),
        SPF_TERM_MAP(SPF_X)
#undef SPF_X
    };

    return names[kind];
}

bool spf_term_needs_dns(const spf_term_t *term)
{
    switch (term->kind) {
    case SPF_TERM_INCLUDE:
    case SPF_TERM_A:
    case SPF_TERM_MX:
    case SPF_TERM_PTR:
    case SPF_TERM_EXISTS:
    case SPF_TERM_REDIRECT:
        return true;
    default:
        return false;
    }
}

static spf_network_t network4(const spf_net4_t *net, uint8_t prefix)
{
    return (spf_network_t){.family = 4,
                           .prefix = prefix,
                           .octets = {(uint8_t)(net->address >> 24), (uint8_t)(net->address >> 16),
                                      (uint8_t)(net->address >> 8), (uint8_t)net->address}};
}

spf_network_t spf_term_network(const spf_record_t *record, const spf_term_t *term)
{
    spf_network_t network;

    if (term->kind == SPF_TERM_IP4)
        return network4(&record->net4s[term->net4], term->cidr4);
    network = (spf_network_t){.family = 6, .prefix = term->cidr6};
    memcpy(network.octets, record->net6s[term->net6].address, sizeof network.octets);
    spf_network_mask(&network);
    return network;
}

/* ---------------------------------------------------------------------------------------------------- domain-specs */

/* Octets as macro-literals (RFC 7208 section 7.1); false if one cannot be. */
static bool add_literal(spf_buf_t *buf, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ')
            spf_buf_add_text(buf, "%_");
        else if (text[i] == '%')
            spf_buf_add_text(buf, "%%");
        else if (spf_ascii_is_visible(text[i]))
            spf_buf_add_char(buf, text[i]);
        else
            return false;
    }
    return true;
}

/* A literal domain-spec in lower case, without a dot at its end: names are not told apart by these. */
static void add_plain_spec(spf_buf_t *buf, const char *text, size_t length)
{
    if (length > 1 && text[length - 1] == '.')
        length--;
    for (size_t i = 0; i < length; i++)
        spf_buf_add_char(buf, spf_ascii_lower(text[i]));
}

/* A domain-spec with what its %{d} stand for; false if that cannot be written. */
static bool add_fixed_spec(spf_buf_t *buf, const char *text, size_t length, const char *domain)
{
    static const spf_ip_t nobody = {.family = 4};
    const spf_macro_values_t values = {
        .ip = &nobody, .sender = "", .domain = domain, .domain_length = strlen(domain), .helo = ""};
    char storage[4 * SPF_NAME_MAX];
    spf_macro_token_t token;
    const char *error;
    size_t position = 0, start = 0;

    for (; spf_macro_next(text, length, &position, SPF_MACRO_IN_RECORD, &token, &error) == 1; start = position) {
        spf_buf_t value;
        if (token.kind != SPF_MACRO_EXPAND || token.letter != 'd') {
            spf_buf_add(buf, text + start, position - start);
            continue;
        }
        spf_buf_init(&value, storage, sizeof storage);
        spf_macro_expand(&value, text + start, position - start, SPF_MACRO_IN_RECORD, &values);
        if (value.full || !add_literal(buf, value.data, value.len))
            return false;
    }
    return true;
}

/* %{p} prefers names within the record's domain (section 7.3). */
static bool add_spec(spf_buf_t *buf, const char *text, const spf_term_t *term, const char *domain)
{
    if (!term->has_macro) {
        add_plain_spec(buf, text, term->spec_length);
    } else if (domain == NULL) {
        spf_buf_add(buf, text, term->spec_length);
    } else {
        return (term->macros & SPF_MACRO_BIT('p')) == 0 && add_fixed_spec(buf, text, term->spec_length, domain);
    }
    return true;
}

static void add_prefixes(spf_buf_t *buf, const spf_term_t *term)
{
    if (term->kind != SPF_TERM_A && term->kind != SPF_TERM_MX)
        return;
    if (term->cidr4 < 32) {
        spf_buf_add_char(buf, '/');
        spf_buf_add_uint(buf, term->cidr4);
    }
    if (term->cidr6 < 128) {
        spf_buf_add_text(buf, "//");
        spf_buf_add_uint(buf, term->cidr6);
    }
}

static char separator(spf_term_kind_t kind)
{
    return kind == SPF_TERM_REDIRECT || kind == SPF_TERM_EXP ? '=' : ':';
}

/* Whether the text is one term of that kind in a record. */
static bool reads_as(spf_arena_t *arena, const char *text, size_t length, spf_term_kind_t kind, bool *is_out_of_memory)
{
    size_t size = length + sizeof "v=spf1 ";
    char *storage = spf_arena_alloc(arena, size);
    spf_record_t *record;
    spf_buf_t buf;
    bool result;

    if (storage == NULL) {
        *is_out_of_memory = true;
        return false;
    }
    spf_buf_init(&buf, storage, size);
    spf_buf_add_text(&buf, "v=spf1 ");
    spf_buf_add(&buf, text, length);
    record = spf_record_parse(buf.data, buf.len);
    *is_out_of_memory = record == NULL;
    result =
        record != NULL && record->error_term == SPF_NO_TERM && record->term_count == 1 && record->terms[0].kind == kind;
    spf_record_unref(record);
    spf_arena_trim(arena, storage, size, 0);
    return result;
}

static const char *finish(spf_arena_t *arena, const spf_buf_t *buf, spf_term_kind_t kind, bool *is_bound)
{
    bool is_out_of_memory = false;

    *is_bound = !reads_as(arena, buf->data, buf->len, kind, &is_out_of_memory) && !is_out_of_memory;
    return *is_bound || is_out_of_memory ? NULL : spf_arena_copy(arena, buf->data, buf->len);
}

/* What a text takes beside its domain-spec, and what values of macros may add: a name needs no more. */
enum { FIXED_ROOM = 64 + 2 * SPF_NAME_MAX, VALUE_ROOM = 4096 };

const char *spf_term_text(spf_arena_t *arena, const spf_record_t *record, const spf_term_t *term, const char *domain,
                          bool *is_bound)
{
    size_t size = FIXED_ROOM + term->spec_length + (domain != NULL ? VALUE_ROOM : 0);
    char *storage = spf_arena_alloc(arena, size);
    spf_buf_t buf;

    *is_bound = false;
    if (storage == NULL)
        return NULL;
    spf_buf_init(&buf, storage, size);
    spf_buf_add_text(&buf, spf_term_kind_name((spf_term_kind_t)term->kind));
    if (term->spec_length > 0) {
        spf_buf_add_char(&buf, separator((spf_term_kind_t)term->kind));
        *is_bound = !add_spec(&buf, record->text + term->spec_offset, term, domain);
    } else if (domain != NULL) {
        spf_buf_add_char(&buf, separator((spf_term_kind_t)term->kind));
        *is_bound = !add_literal(&buf, domain, strlen(domain));
    }
    add_prefixes(&buf, term);
    *is_bound = *is_bound || buf.full;
    if (*is_bound)
        return NULL;
    return finish(arena, &buf, (spf_term_kind_t)term->kind, is_bound);
}

const char *spf_term_text_of_name(spf_arena_t *arena, spf_term_kind_t kind, const char *name, bool *is_bound)
{
    char storage[FIXED_ROOM];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_text(&buf, spf_term_kind_name(kind));
    spf_buf_add_char(&buf, separator(kind));
    *is_bound = !add_literal(&buf, name, strlen(name)) || buf.full;
    return *is_bound ? NULL : finish(arena, &buf, kind, is_bound);
}
