/* SPDX-License-Identifier: MIT */
/* The input is a record, or what stands behind the version of one. */
#include "fuzz/fuzz.h"

#include "base/ip.h"
#include "syntax/macro.h"
#include "syntax/record.h"

#include <string.h>

static const char version[] = "v=spf1 ";

enum { VERSION_LENGTH = 6 };

static bool all_spaces(const char *text, size_t from, size_t to)
{
    while (from < to && text[from] == ' ')
        from++;
    return from == to;
}

/* The terms, with the spaces between them, are all of the text behind the version. */
static void expect_terms_cover(const spf_record_t *record)
{
    size_t end = VERSION_LENGTH;

    for (uint32_t i = 0; i < record->term_count; i++) {
        const spf_term_t *term = &record->terms[i];
        fuzz_expect(term->length > 0 && term->offset > end && term->offset <= record->length &&
                        term->length <= record->length - term->offset,
                    "terms stand in order in the text");
        fuzz_expect(all_spaces(record->text, end, term->offset), "only spaces stand between terms");
        fuzz_expect(memchr(record->text + term->offset, ' ', term->length) == NULL, "no space stands in a term");
        end = term->offset + term->length;
    }
    fuzz_expect(all_spaces(record->text, end, record->length), "only spaces stand behind the last term");
}

/* The letters and the "%" of a domain-spec or macro-string are what the term says. */
static void expect_macros(const spf_record_t *record, const spf_term_t *term)
{
    const char *spec = record->text + term->spec_offset;
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    uint32_t letters = 0;
    int more;

    while ((more = spf_macro_next(spec, term->spec_length, &position, SPF_MACRO_IN_RECORD, &token, &error)) == 1)
        if (token.kind == SPF_MACRO_EXPAND)
            letters |= SPF_MACRO_BIT(token.letter);
    fuzz_expect(more == 0 && position == term->spec_length, "the spec of a term is a macro string");
    fuzz_expect(letters == term->macros, "the term tells its macro letters");
    fuzz_expect(term->has_macro == (memchr(spec, '%', term->spec_length) != NULL), "the term tells that it has a %");
}

static void expect_term(const spf_record_t *record, uint32_t index)
{
    const spf_term_t *term = &record->terms[index];
    bool is_network = term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
    bool is_valid = term->kind != SPF_TERM_INVALID;

    fuzz_expect(term->kind <= SPF_TERM_INVALID && term->result <= SPF_RESULT_SOFTFAIL, "kind and result are known");
    fuzz_expect(term->cidr4 <= 32 && term->cidr6 <= 128, "prefix lengths are in range");
    fuzz_expect(is_valid || (term->spec_length == 0 && term->macros == 0), "an invalid term has no parts");
    if (term->spec_length > 0) {
        fuzz_expect(term->spec_offset > term->offset && term->spec_offset <= term->offset + term->length &&
                        term->spec_length <= term->offset + term->length - term->spec_offset,
                    "the spec stands in its term");
        expect_macros(record, term);
    }
    if (!is_network) {
        fuzz_expect(term->run_end == index, "what is no network begins no run");
        return;
    }
    fuzz_expect(term->run_end > index && term->run_end <= record->term_count, "a run of networks ends in the record");
    fuzz_expect(term->run_end == index + 1 || term->run_end == record->terms[index + 1].run_end,
                "networks in a run agree on its end");
    fuzz_expect(term->run_end == record->term_count || (record->terms[term->run_end].kind != SPF_TERM_IP4 &&
                                                        record->terms[term->run_end].kind != SPF_TERM_IP6),
                "a run ends at what is no network");
}

/* The packed networks are those of the terms, in order. */
static void expect_networks(const spf_record_t *record)
{
    uint32_t net4 = 0;
    uint32_t net6 = 0;

    for (uint32_t i = 0; i < record->term_count; i++) {
        const spf_term_t *term = &record->terms[i];
        fuzz_expect(term->net4 == net4 && term->net6 == net6, "a term knows the networks behind it");
        if (term->kind == SPF_TERM_IP4) {
            const spf_net4_t *net = &record->net4s[net4++];
            uint32_t mask = term->cidr4 == 0 ? 0 : UINT32_MAX << (32 - term->cidr4);
            fuzz_expect(net4 <= record->net4_count && net->term == i, "an ip4 term has a network");
            fuzz_expect(net->mask == mask && (net->address & ~mask) == 0, "it has the mask of its prefix length");
        } else if (term->kind == SPF_TERM_IP6) {
            const spf_net6_t *net = &record->net6s[net6++];
            fuzz_expect(net6 <= record->net6_count && net->term == i && net->prefix == term->cidr6,
                        "an ip6 term has a network");
        }
    }
    fuzz_expect(net4 == record->net4_count && net6 == record->net6_count, "every network has a term");
}

static void expect_modifier(const spf_record_t *record, int32_t index, spf_term_kind_t kind)
{
    int32_t found = SPF_NO_TERM;

    for (uint32_t i = 0; i < record->term_count; i++) {
        if (record->terms[i].kind != kind)
            continue;
        fuzz_expect(found == SPF_NO_TERM, "redirect and exp stand once");
        found = (int32_t)i;
    }
    fuzz_expect(found == index, "redirect and exp are found");
}

static void expect_summary(const spf_record_t *record)
{
    const spf_term_t *wrong = NULL;
    bool has_all = false;

    for (uint32_t i = 0; i < record->term_count; i++) {
        has_all = has_all || record->terms[i].kind == SPF_TERM_ALL;
        if (wrong == NULL && record->terms[i].kind == SPF_TERM_INVALID)
            wrong = &record->terms[i];
    }
    fuzz_expect(record->has_all == has_all, "the record tells that it has all");
    expect_modifier(record, record->redirect, SPF_TERM_REDIRECT);
    expect_modifier(record, record->exp, SPF_TERM_EXP);
    fuzz_expect(record->error_term == (wrong != NULL ? (int32_t)(wrong - record->terms) : SPF_NO_TERM),
                "the first invalid term is found");
    if (wrong != NULL)
        fuzz_expect(record->error != NULL && record->error_offset >= wrong->offset &&
                        record->error_offset <= wrong->offset + wrong->length,
                    "the error stands in the first invalid term");
}

/* Two terms that stand in different places of their records. */
static bool is_same_term(const spf_term_t *a, const spf_term_t *b)
{
    return a->kind == b->kind && a->result == b->result && a->cidr4 == b->cidr4 && a->cidr6 == b->cidr6 &&
           a->length == b->length && a->spec_length == b->spec_length && a->macros == b->macros &&
           a->has_macro == b->has_macro &&
           (a->spec_length == 0 || a->spec_offset - a->offset == b->spec_offset - b->offset);
}

/* A term means the same wherever it stands, but for a second redirect or exp. */
static void expect_alone(const spf_record_t *record, const spf_term_t *term)
{
    fuzz_text_t text = fuzz_text_join(version, strlen(version), record->text + term->offset, term->length);
    spf_record_t *alone = spf_record_parse(text.data, text.length);

    fuzz_expect(alone != NULL && alone->term_count == 1, "a term alone is one term");
    fuzz_expect(is_same_term(&alone->terms[0], term) ||
                    (term->kind == SPF_TERM_INVALID &&
                     (alone->terms[0].kind == SPF_TERM_REDIRECT || alone->terms[0].kind == SPF_TERM_EXP)),
                "a term alone means the same");
    spf_record_unref(alone);
    fuzz_text_free(&text);
}

static void expect_same(const spf_record_t *a, const spf_record_t *b)
{
    fuzz_expect(a->length == b->length && memcmp(a->text, b->text, a->length + 1) == 0 && a->size == b->size &&
                    a->term_count == b->term_count && a->error_offset == b->error_offset && a->error == b->error,
                "the same text gives the same record");
    for (uint32_t i = 0; i < a->term_count; i++)
        fuzz_expect(is_same_term(&a->terms[i], &b->terms[i]) && a->terms[i].offset == b->terms[i].offset,
                    "the same text gives the same terms");
    for (uint32_t i = 0; i < a->net6_count; i++)
        fuzz_expect(memcmp(a->net6s[i].address, b->net6s[i].address, 16) == 0, "the same text gives the same networks");
    for (uint32_t i = 0; i < a->net4_count; i++)
        fuzz_expect(a->net4s[i].address == b->net4s[i].address, "the same text gives the same networks");
}

static void expect_record(const char *text, size_t length)
{
    spf_record_t *record = spf_record_parse(text, length);
    spf_record_t *again = spf_record_parse(text, length);

    fuzz_expect(record != NULL && again != NULL, "a record is parsed");
    fuzz_expect(record->length == length && memcmp(record->text, text, length) == 0 && record->text[length] == '\0',
                "the record keeps its text");
    expect_terms_cover(record);
    for (uint32_t i = 0; i < record->term_count; i++) {
        expect_term(record, i);
        expect_alone(record, &record->terms[i]);
    }
    expect_networks(record);
    expect_summary(record);
    expect_same(record, again);
    fuzz_expect(spf_record_ref(record) == record, "a reference is the record");
    spf_record_unref(record);
    spf_record_unref(record);
    spf_record_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_text_t text;

    if (spf_record_is_record((const char *)data, size)) {
        expect_record((const char *)data, size);
        return 0;
    }
    text = fuzz_text_join(version, strlen(version), data, size);
    fuzz_expect(spf_record_is_record(text.data, text.length), "a version and a space make a record");
    expect_record(text.data, text.length);
    fuzz_text_free(&text);
    return 0;
}
