/* SPDX-License-Identifier: MIT */
/* Rules about terms that are no syntax errors, from the record's text alone; those about networks have a file. */
#include "base/ascii.h"
#include "base/name.h"
#include "tools/lint_guess.h"
#include "tools/terms.h"

#include <string.h>

/* Mechanisms before a duplicate that are looked at, networks not counted: more that need DNS no check evaluates. */
enum { DUPLICATES_MAX = 64, LABEL_TAIL = 4 };

static const spf_term_t *term_at(const spf_linter_t *linter, uint32_t index)
{
    return &linter->record->terms[index];
}

static const char *text_of(const spf_linter_t *linter, const spf_term_t *term)
{
    return linter->text + term->offset;
}

static const char *spec_of(const spf_linter_t *linter, const spf_term_t *term)
{
    return linter->text + term->spec_offset;
}

/* The octets of the word: "include" of "+include:example.com". */
static size_t word_length(const spf_linter_t *linter, const spf_term_t *term, size_t word)
{
    size_t end = word;
    while (end < term->length && spf_ascii_is_alphanum(text_of(linter, term)[end]))
        end++;
    return end - word;
}

/* --------------------------------------------------------------------------------------------------- how it is written
 */

/* "+" is what is meant without a qualifier; "+all" is another matter. */
void spf_lint_qualifier(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    spf_remark_t *remark;

    if (!spf_lint_is_mechanism(term) || term->kind == SPF_TERM_ALL || text_of(linter, term)[0] != '+')
        return;
    remark = spf_lint_add(
        linter, SPF_LINT_REDUNDANT_PLUS, term->offset, 1,
        SPF_SAY(linter, "The \"+\" of ", spf_lint_quote_term(linter, term), " says what is meant without it."),
        "Remove the \"+\".");
    spf_lint_replace(remark, term->offset, 1, "");
}

/* Octets in lower case, or NULL if they are. */
static const char *lowered(spf_linter_t *linter, const char *text, size_t length)
{
    char *copy = spf_lint_copy(linter, text, length);
    bool differs = false;

    for (size_t i = 0; copy != NULL && i < length; i++) {
        copy[i] = spf_ascii_lower(text[i]);
        differs = differs || copy[i] != text[i];
    }
    return differs ? copy : NULL;
}

static void say_case(spf_linter_t *linter, size_t offset, size_t length)
{
    const char *lower = lowered(linter, linter->text + offset, length);
    spf_remark_t *remark;

    if (lower == NULL)
        return;
    remark = spf_lint_add(linter, SPF_LINT_UPPER_CASE, offset, length,
                          SPF_SAY(linter, spf_lint_quote(linter, linter->text + offset, length),
                                  " is in upper case, which not all software reads."),
                          SPF_SAY(linter, "Write ", spf_lint_quote(linter, lower, length), "."));
    spf_lint_replace(remark, offset, length, lower);
}

void spf_lint_case(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    size_t word = spf_lint_word(text_of(linter, term), term->length);

    if (term->kind < SPF_TERM_UNKNOWN)
        say_case(linter, term->offset + word, word_length(linter, term, word));
}

void spf_lint_version_case(spf_linter_t *linter)
{
    if (linter->record != NULL)
        say_case(linter, 0, strlen("v=spf1"));
}

/* -------------------------------------------------------------------------------------------------------- modifiers */

/* include=example.com: RFC 7208 makes an unknown modifier of it, and those are ignored. */
static bool say_mechanism_equals(spf_linter_t *linter, const spf_term_t *term, const char *meant)
{
    const char *value = spec_of(linter, term);
    const char *copy = spf_lint_copy(linter, value, term->spec_length);
    const char *mended = copy != NULL ? SPF_SAY(linter, meant, ":", copy) : "";
    bool is_valid = spf_lint_is_valid(linter, mended, strlen(mended));
    spf_remark_t *remark =
        spf_lint_add_term(linter, SPF_LINT_MECHANISM_EQUALS, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term), " has \"=\" where the mechanism ", meant,
                                  " has \":\", so it is an unknown modifier and ignored."),
                          is_valid ? SPF_SAY(linter, "Write ", spf_lint_quote(linter, mended, strlen(mended)), ".")
                                   : "Write a mechanism with \":\", or remove the term.");
    if (is_valid)
        spf_lint_replace(remark, term->offset, term->length, mended);
    return true;
}

static bool is_exact_mechanism(const char *name, size_t length)
{
    static const char *const words[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (spf_text_equals_nocase(name, length, words[i], strlen(words[i])))
            return true;
    return false;
}

/* The mechanism that an unknown modifier's name is or misspells; NULL: none. */
static const char *meant_mechanism(spf_linter_t *linter, const spf_term_t *term, size_t name_length)
{
    const char *name = text_of(linter, term);

    if (!is_exact_mechanism(name, name_length))
        return spf_lint_meant_mechanism(name, name_length, spec_of(linter, term), term->spec_length);
    const char *lower = lowered(linter, name, name_length);
    return lower != NULL ? lower : spf_lint_copy(linter, name, name_length);
}

/* The modifier that a name misspells. */
static const char *meant_modifier(const char *name, size_t length)
{
    static const struct {
        const char *wrong, *meant;
    } aliases[] = {{"explanation", "exp"}, {"expl", "exp"}, {"explain", "exp"}, {"redir", "redirect"}};

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (spf_text_equals_nocase(name, length, aliases[i].wrong, strlen(aliases[i].wrong)))
            return aliases[i].meant;
    return spf_lint_is_near(name, length, "redirect") ? "redirect" : NULL;
}

static void say_misspelt_modifier(spf_linter_t *linter, const spf_term_t *term, size_t name, const char *meant)
{
    bool is_free = (strcmp(meant, "exp") == 0 ? linter->record->exp : linter->record->redirect) == SPF_NO_TERM;
    const char *value = spf_lint_copy(linter, spec_of(linter, term), term->spec_length);
    const char *mended = value != NULL ? SPF_SAY(linter, meant, "=", value) : "";
    spf_remark_t *remark = spf_lint_add(linter, SPF_LINT_MISSPELT_MODIFIER, term->offset, name,
                                        SPF_SAY(linter, spf_lint_quote_term(linter, term), " misspells ", meant,
                                                ", so it is an unknown modifier and ignored."),
                                        SPF_SAY(linter, "Write ", meant, "= in its place."));
    if (is_free && spf_lint_is_valid(linter, mended, strlen(mended)))
        spf_lint_replace(remark, term->offset, name, meant);
}

/* Behind an all it may be the beginning of the record that was meant. */
static void say_second_version(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    spf_remark_t *remark =
        spf_lint_add_term(linter, SPF_LINT_SECOND_VERSION, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term),
                                  " stands in the middle of the record, where it is an unknown modifier and ignored."),
                          "Remove it, and look whether two records were pasted into one.");
    if (index < linter->all)
        spf_lint_replace(remark, term->offset, term->length, "");
}

/* Reports of failures: RFC 6652 section 3. */
static bool is_registered(const char *name, size_t length)
{
    static const char *const words[] = {"ra", "rp", "rr"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (spf_text_equals_nocase(name, length, words[i], strlen(words[i])))
            return true;
    return false;
}

void spf_lint_modifier(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    const char *meant;

    if (term->kind != SPF_TERM_UNKNOWN)
        return;
    size_t name = (size_t)(term->spec_offset - 1 - term->offset);
    const char *text = text_of(linter, term);
    if (name == 1 && spf_ascii_lower(text[0]) == 'v' && term->spec_length >= 4 &&
        strncasecmp(spec_of(linter, term), "spf1", 4) == 0)
        say_second_version(linter, index);
    else if ((meant = meant_modifier(text, name)) != NULL)
        say_misspelt_modifier(linter, term, name, meant);
    else if ((meant = meant_mechanism(linter, term, name)) != NULL)
        say_mechanism_equals(linter, term, meant);
    else if (!is_registered(text, name))
        spf_lint_add_term(linter, SPF_LINT_UNKNOWN_MODIFIER, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term), " is an unknown modifier and ignored."),
                          "Remove it unless some software of yours reads it.");
}

/* ------------------------------------------------------------------------------------------------------------ names */

/* Octets that the grammar lets stand in a name, and that no name has. */
static const char odd_octets[] = ":,;\"'`@<>()[]{}|\\&=!*/";

static bool is_odd(const char *text, size_t length)
{
    size_t tail = length > 0 && text[length - 1] == '.' ? length - 1 : length;

    for (size_t i = 0; i < length; i++)
        if (text[i] != '\0' && strchr(odd_octets, text[i]) != NULL)
            return true;
    return tail > LABEL_TAIL && strncasecmp(text + tail - LABEL_TAIL, "-all", LABEL_TAIL) == 0;
}

/* What was meant by a term whose name is odd, by the rules for wrong terms; NULL: nothing that is certain. */
static const char *mend_odd(spf_linter_t *linter, const spf_term_t *term, const char **advice)
{
    size_t size = 2 * (size_t)term->length + 1;
    char *storage = spf_lint_alloc(linter, size);
    size_t at = term->spec_offset - term->offset;
    spf_wrong_t wrong = spf_wrong_term(linter, text_of(linter, term), term->length, at);
    spf_guess_t guess;
    spf_buf_t out;

    if (storage == NULL)
        return NULL;
    spf_buf_init(&out, storage, size);
    const spf_guess_rule_t *rule = spf_lint_guess(&wrong, &out, &guess);
    if (rule == NULL)
        return NULL;
    *advice = rule->advice;
    out.data[out.len] = '\0';
    bool is_certain = guess == SPF_GUESS_MENDED && !out.full && spf_lint_is_valid(linter, out.data, out.len);
    return is_certain ? out.data : NULL;
}

const spf_term_t *spf_lint_odd_term(const spf_record_t *record)
{
    for (uint32_t i = 0; i < record->term_count; i++) {
        const spf_term_t *term = &record->terms[i];
        bool has_name = term->kind < SPF_TERM_UNKNOWN && !spf_lint_is_network(term) && !term->has_macro;
        if (has_name && is_odd(record->text + term->spec_offset, term->spec_length))
            return term;
    }
    return NULL;
}

/* Terms are parted by spaces, so that the mended text may hold several, and none may be as odd. */
static bool is_plain(spf_linter_t *linter, const char *text)
{
    spf_record_t *record = spf_lint_parse(linter, text, strlen(text));
    bool plain = record != NULL && spf_lint_odd_term(record) == NULL;

    spf_record_unref(record);
    return plain;
}

static void say_odd(spf_linter_t *linter, const spf_term_t *term)
{
    const char *advice = "Correct the name.";
    const char *mended = mend_odd(linter, term, &advice);
    bool is_certain = mended != NULL && is_plain(linter, mended);
    spf_remark_t *remark = spf_lint_add(
        linter, SPF_LINT_SUSPICIOUS_NAME, term->spec_offset, term->spec_length,
        SPF_SAY(linter, spf_lint_quote(linter, spec_of(linter, term), term->spec_length),
                " is no name that anybody has, though the grammar allows it."),
        is_certain ? SPF_SAY(linter, "Write ", spf_lint_quote(linter, mended, strlen(mended)), ".") : advice);
    if (is_certain)
        spf_lint_replace(remark, term->offset, term->length, mended);
}

/* A label that is empty or of more than 63 octets: nothing can be asked, and for a policy that is a permerror. */
static void say_bad(spf_linter_t *linter, const spf_term_t *term)
{
    bool is_policy = term->kind == SPF_TERM_INCLUDE || term->kind == SPF_TERM_REDIRECT;
    const char *name = spf_lint_quote(linter, spec_of(linter, term), term->spec_length);

    if (is_policy)
        spf_lint_add(linter, SPF_LINT_BAD_TARGET, term->spec_offset, term->spec_length,
                     SPF_SAY(linter, name, " is no DNS name: labels have 1 to 63 octets; that is a permerror."),
                     "Correct the name.");
    else if (linter->is_own)
        spf_lint_add(linter, SPF_LINT_BAD_NAME, term->spec_offset, term->spec_length,
                     SPF_SAY(linter, name, " is no DNS name: labels have 1 to 63 octets; the term never matches."),
                     "Correct the name or remove the term.");
}

void spf_lint_name(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    spf_name_t name;

    if (term->kind >= SPF_TERM_UNKNOWN || spf_lint_is_network(term) || term->spec_length == 0 || term->has_macro)
        return;
    bool is_skipped = term->kind == SPF_TERM_REDIRECT && linter->record->has_all;
    if (!spf_name_from_expansion(&name, spec_of(linter, term), term->spec_length) && !is_skipped)
        say_bad(linter, term);
    else if (linter->is_own && is_odd(spec_of(linter, term), term->spec_length))
        say_odd(linter, term);
}

/* --------------------------------------------------------------------------------------------------- what it means */

void spf_lint_ptr(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);

    if (term->kind == SPF_TERM_PTR)
        spf_lint_add_term(linter, SPF_LINT_PTR, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term),
                                  " is slow and unreliable, and should not be published; some receivers skip it."),
                          "Name the addresses with ip4, ip6, a or mx.");
}

void spf_lint_after_all(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    bool is_all = term->kind == SPF_TERM_ALL;

    if (index <= linter->all || !spf_lint_is_mechanism(term))
        return;
    const spf_term_t *all = term_at(linter, linter->all);
    spf_remark_t *remark = spf_lint_add_term(
        linter, SPF_LINT_TERM_AFTER_ALL, term,
        SPF_SAY(linter, spf_lint_quote_term(linter, term), " stands behind ", spf_lint_quote_term(linter, all),
                ", which matches everything, and is ignored."),
        is_all ? "Leave the one that is meant." : "Move all to the end, or remove what stands behind it.");
    if (is_all && term->result == all->result && index == linter->all + 1)
        spf_lint_replace(remark, term->offset, term->length, "");
}

static bool is_same(const spf_linter_t *linter, const spf_term_t *a, const spf_term_t *b)
{
    return a->kind == b->kind && a->cidr4 == b->cidr4 && a->cidr6 == b->cidr6 &&
           spf_text_equals_nocase(spec_of(linter, a), a->spec_length, spec_of(linter, b), b->spec_length);
}

/* The same mechanism again costs a lookup and matches nothing new; networks are looked at elsewhere. */
void spf_lint_duplicate(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = term_at(linter, index);
    unsigned looked_at = 0;

    if (!spf_lint_is_mechanism(term) || !spf_term_needs_dns(term) || index >= linter->all)
        return;
    for (uint32_t i = 0; i < index && looked_at < DUPLICATES_MAX; i++) {
        const spf_term_t *earlier = term_at(linter, i);
        looked_at += spf_term_needs_dns(earlier);
        if (!is_same(linter, earlier, term))
            continue;
        spf_remark_t *remark =
            spf_lint_add_term(linter, SPF_LINT_DUPLICATE_TERM, term,
                              SPF_SAY(linter, spf_lint_quote_term(linter, term), " is there before, as ",
                                      spf_lint_quote_term(linter, earlier), ", and matches nothing new."),
                              "Remove it.");
        if (earlier->result == term->result)
            spf_lint_replace(remark, term->offset, term->length, "");
        return;
    }
}

static void say_all(spf_linter_t *linter, const spf_term_t *term)
{
    const char *quoted = spf_lint_quote_term(linter, term);

    if (term->result == SPF_RESULT_PASS)
        spf_lint_add_term(linter, SPF_LINT_PLUS_ALL, term,
                          SPF_SAY(linter, quoted, " lets everybody send mail in the domain's name."),
                          "Write \"~all\" or \"-all\".");
    else if (term->result == SPF_RESULT_NEUTRAL)
        spf_lint_add_term(linter, SPF_LINT_NEUTRAL_ALL, term,
                          SPF_SAY(linter, quoted, " says nothing about mail from elsewhere: it protects from nothing."),
                          "Write \"~all\" or \"-all\" once every sender is listed.");
}

/* "- all": the qualifier stands alone before it. */
static bool is_torn(const spf_linter_t *linter)
{
    const spf_term_t *before = linter->all > 0 ? term_at(linter, linter->all - 1) : NULL;
    return before != NULL && spf_lint_is_sign(text_of(linter, before), before->length);
}

void spf_lint_all(spf_linter_t *linter)
{
    const spf_record_t *record = linter->record;

    if (record == NULL)
        return;
    if (record->has_all && !is_torn(linter))
        say_all(linter, term_at(linter, linter->all));
    else if (!record->has_all && record->redirect == SPF_NO_TERM && record->error_term == SPF_NO_TERM)
        spf_lint_add(linter, SPF_LINT_NO_ALL, 0, 0,
                     "The record has neither all nor redirect: mail from elsewhere is neutral, as with \"?all\".",
                     "Write \"~all\" or \"-all\" at its end.");
}

void spf_lint_redirect_with_all(spf_linter_t *linter)
{
    const spf_record_t *record = linter->record;

    if (record == NULL || !record->has_all || record->redirect == SPF_NO_TERM)
        return;
    const spf_term_t *term = term_at(linter, (uint32_t)record->redirect);
    spf_lint_add_term(linter, SPF_LINT_REDIRECT_WITH_ALL, term,
                      SPF_SAY(linter, spf_lint_quote_term(linter, term), " is ignored because the record has ",
                              spf_lint_quote_term(linter, term_at(linter, linter->all)), "."),
                      "Remove the redirect, or all if the redirect is what is meant.");
}

/* An explanation goes with fail, and only with that of this record. */
void spf_lint_exp(spf_linter_t *linter)
{
    const spf_record_t *record = linter->record;

    if (record == NULL || record->exp == SPF_NO_TERM || record->error_term != SPF_NO_TERM)
        return;
    for (uint32_t i = 0; i < record->term_count; i++)
        if (spf_lint_is_mechanism(&record->terms[i]) && record->terms[i].result == SPF_RESULT_FAIL)
            return;
    const spf_term_t *term = term_at(linter, (uint32_t)record->exp);
    spf_lint_add_term(
        linter, SPF_LINT_EXP_UNUSABLE, term,
        SPF_SAY(linter, spf_lint_quote_term(linter, term), " is never used: no mechanism of the record gives fail."),
        "Remove it, or end the record in \"-all\".");
}
