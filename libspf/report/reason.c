/* SPDX-License-Identifier: MIT */
/* The why in one sentence. The sentences are tables of templates; in them '%' and a letter stand for a fact. */
#include "report/report.h"

#include "report/text.h"

#include <string.h>

enum {
    REASON_MAX = 1000,
    VALUE_MAX = 160,   /* of a name or a term */
    ITEM_MAX = 80,     /* of a term in a list */
    LIST_RESERVE = 200 /* what stays free for text behind a list, a domain in it */
};

typedef struct facts {
    const spf_question_t *question;
    const spf_eval_t *eval;
    const spf_finding_t *finding;
} facts_t;

/* ---------------------------------------------------------------------------------------------- values and numbers */

static void add_value(spf_buf_t *buf, const char *text, size_t length)
{
    spf_text_add_clipped(buf, text, length, VALUE_MAX, true);
}

static void add_name(spf_buf_t *buf, const char *name)
{
    if (name != NULL)
        add_value(buf, name, strlen(name));
}

static void add_term(spf_buf_t *buf, const spf_record_t *record, int32_t index, size_t max)
{
    const spf_term_t *term = &record->terms[index];
    spf_text_add_clipped(buf, record->text + term->offset, term->length, max, true);
}

/* "mx at offset 7 of example.com's record" */
static void add_place(spf_buf_t *buf, const char *domain, const spf_record_t *record, int32_t index)
{
    add_term(buf, record, index, VALUE_MAX);
    spf_buf_add_text(buf, " at offset ");
    spf_buf_add_uint(buf, record->terms[index].offset);
    spf_buf_add_text(buf, " of ");
    add_name(buf, domain);
    spf_buf_add_text(buf, "'s record");
}

static void add_ordinal(spf_buf_t *buf, unsigned number)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    bool is_teen = number % 100 >= 11 && number % 100 <= 13;
    spf_buf_add_uint(buf, number);
    spf_buf_add_text(buf, is_teen || number % 10 > 3 ? "th" : endings[number % 10]);
}

static bool has_term(const facts_t *facts)
{
    return facts->finding->record != NULL && facts->finding->term != SPF_NO_TERM;
}

/* ------------------------------------------------------------------------------------------------- facts by letter */

static void fact_client(spf_buf_t *buf, const facts_t *facts)
{
    spf_ip_add_text(buf, &facts->question->ip);
}

static void fact_domain(spf_buf_t *buf, const facts_t *facts)
{
    add_name(buf, facts->finding->domain);
}

static void fact_target(spf_buf_t *buf, const facts_t *facts)
{
    add_name(buf, facts->finding->target != NULL ? facts->finding->target : facts->finding->domain);
}

static void fact_term(spf_buf_t *buf, const facts_t *facts)
{
    if (has_term(facts))
        add_term(buf, facts->finding->record, facts->finding->term, VALUE_MAX);
}

static void fact_offset(spf_buf_t *buf, const facts_t *facts)
{
    if (has_term(facts))
        spf_buf_add_uint(buf, facts->finding->record->terms[facts->finding->term].offset);
}

static void fact_place(spf_buf_t *buf, const facts_t *facts)
{
    if (has_term(facts))
        add_place(buf, facts->finding->domain, facts->finding->record, facts->finding->term);
}

static void fact_result(spf_buf_t *buf, const facts_t *facts)
{
    spf_buf_add_text(buf, spf_result_name(facts->finding->result));
}

/* What its qualifier makes of a match: nothing to add for the usual one. */
static void fact_qualifier(spf_buf_t *buf, const facts_t *facts)
{
    static const char *const meanings[] = {
        [SPF_RESULT_NEUTRAL] = ", whose qualifier says neutral: neither permitted nor denied",
        [SPF_RESULT_FAIL] = ", whose qualifier says fail: not permitted",
        [SPF_RESULT_SOFTFAIL] = ", whose qualifier says softfail: probably not permitted",
    };
    spf_result_t result = facts->finding->result;
    if (result < sizeof(meanings) / sizeof(meanings[0]) && meanings[result] != NULL)
        spf_buf_add_text(buf, meanings[result]);
}

static void fact_via(spf_buf_t *buf, const facts_t *facts)
{
    add_name(buf, facts->finding->via);
}

static void fact_compared(spf_buf_t *buf, const facts_t *facts)
{
    spf_buf_add_uint(buf, spf_eval_compared(facts->eval));
}

static void fact_count(spf_buf_t *buf, const facts_t *facts)
{
    spf_buf_add_uint(buf, facts->finding->count);
}

static void fact_count_word(spf_buf_t *buf, const facts_t *facts)
{
    static const char *const words[] = {"two", "three", "four", "five", "six", "seven", "eight", "nine"};
    uint32_t count = facts->finding->count;
    if (count >= 2 && count - 2 < sizeof(words) / sizeof(words[0]))
        spf_buf_add_text(buf, words[count - 2]);
    else
        fact_count(buf, facts);
}

static void fact_lookups(spf_buf_t *buf, const facts_t *facts)
{
    add_ordinal(buf, spf_eval_lookups(facts->eval));
}

static void fact_voids(spf_buf_t *buf, const facts_t *facts)
{
    add_ordinal(buf, spf_eval_void_lookups(facts->eval));
}

/* "RFC 7208 allows 10", unless this check was given a lower limit. */
static void fact_limit(spf_buf_t *buf, const facts_t *facts)
{
    const spf_limits_t *limits = &facts->question->limits;
    unsigned limit = limits->lookups, standard = SPF_LOOKUPS_MAX;

    if (facts->finding->cause == SPF_CAUSE_VOID_LIMIT) {
        limit = limits->void_lookups;
        standard = 2;
    } else if (facts->finding->cause == SPF_CAUSE_MX_LIMIT) {
        limit = limits->mx_hosts;
        standard = SPF_HOSTS_MAX;
    }
    spf_buf_add_text(buf, limit == standard ? "RFC 7208 allows " : "this server allows ");
    spf_buf_add_uint(buf, limit);
}

/* One item of a list, as long as there is room for it. */
static bool list_add(spf_buf_t *buf, bool is_first, const char *separator, const spf_buf_t *item)
{
    if (buf->cap - buf->len < item->len + LIST_RESERVE) {
        spf_buf_add_text(buf, is_first ? "..." : " ...");
        return false;
    }
    if (!is_first)
        spf_buf_add_text(buf, separator);
    spf_buf_add(buf, item->data, item->len);
    return true;
}

/* Whether the term itself tells what it asks for. */
static bool names_its_target(const spf_counted_t *counted)
{
    const spf_term_t *term = &counted->record->terms[counted->term];
    return counted->target == NULL || (term->spec_length > 0 && !term->has_macro);
}

static void add_counted(spf_buf_t *buf, const facts_t *facts, bool only_voids, const char *separator)
{
    char storage[3 * ITEM_MAX];
    spf_buf_t item;
    unsigned recorded;
    const spf_counted_t *counted = spf_eval_counted(facts->eval, &recorded);
    bool is_first = true;

    for (unsigned i = 0; i < recorded; i++) {
        if (only_voids && !counted[i].is_void)
            continue;
        spf_buf_init(&item, storage, sizeof(storage));
        add_term(&item, counted[i].record, (int32_t)counted[i].term, ITEM_MAX);
        if (only_voids && !names_its_target(&counted[i])) {
            spf_buf_add_text(&item, " asked for ");
            spf_text_add_clipped(&item, counted[i].target, strlen(counted[i].target), ITEM_MAX, true);
        }
        if (!list_add(buf, is_first, separator, &item))
            return;
        is_first = false;
    }
}

static void fact_terms_used(spf_buf_t *buf, const facts_t *facts)
{
    add_counted(buf, facts, false, " ");
}

static void fact_void_terms(spf_buf_t *buf, const facts_t *facts)
{
    add_counted(buf, facts, true, ", ");
}

static const char *type_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {{SPF_TYPE_A, "A"}, {SPF_TYPE_AAAA, "AAAA"}, {SPF_TYPE_MX, "MX"}, {SPF_TYPE_PTR, "PTR"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].type == type)
            return names[i].name;
    return "TXT";
}

/* ", which mx at offset 7 of example.com's record needs", if it was a term that asked. */
static void fact_asker(spf_buf_t *buf, const facts_t *facts)
{
    if (!has_term(facts))
        return;
    spf_buf_add_text(buf, ", which ");
    fact_place(buf, facts);
    spf_buf_add_text(buf, " needs");
}

/* "the MX records of example.com, which ..." */
static void fact_question(spf_buf_t *buf, const facts_t *facts)
{
    spf_buf_add_text(buf, "the ");
    spf_buf_add_text(buf, type_name(facts->finding->type));
    spf_buf_add_text(buf, " records of ");
    fact_target(buf, facts);
    fact_asker(buf, facts);
}

static void fact_detail(spf_buf_t *buf, const facts_t *facts)
{
    add_name(buf, facts->finding->detail != NULL ? facts->finding->detail : "DNS failure");
}

static void fact_error(spf_buf_t *buf, const facts_t *facts)
{
    add_name(buf, facts->finding->record->error);
}

static void fact_error_offset(spf_buf_t *buf, const facts_t *facts)
{
    spf_buf_add_uint(buf, facts->finding->record->error_offset);
}

/* The checked value: the HELO name if the sender is made of that (RFC 7208 section 2.4), else the sender. */
static bool is_helo_sender(const spf_question_t *question)
{
    static const char local[] = "postmaster@";
    size_t length = sizeof(local) - 1;
    return question->sender_length == length + question->helo_length && memcmp(question->sender, local, length) == 0 &&
           (question->helo_length == 0 ||
            memcmp(question->sender + length, question->helo, question->helo_length) == 0);
}

/* Which identity the checked domain comes from, where that is not the plain one. */
static void fact_identity(spf_buf_t *buf, const facts_t *facts)
{
    if (is_helo_sender(facts->question))
        spf_buf_add_text(buf, ", the HELO name,");
}

/* The term that passed inside of a matching include. */
static void fact_inner(spf_buf_t *buf, const facts_t *facts)
{
    const spf_finding_t *finding = facts->finding;
    add_place(buf, finding->include_domain, finding->include_record, finding->include_term);
}

/* By letter. */
static void (*const facts_by_letter[])(spf_buf_t *buf, const facts_t *facts) = {
    ['C'] = fact_client,     ['d'] = fact_domain,       ['n'] = fact_target, ['t'] = fact_term,
    ['o'] = fact_offset,     ['p'] = fact_place,        ['r'] = fact_result, ['Q'] = fact_qualifier,
    ['v'] = fact_via,        ['c'] = fact_compared,     ['#'] = fact_count,  ['W'] = fact_count_word,
    ['l'] = fact_lookups,    ['z'] = fact_voids,        ['m'] = fact_limit,  ['T'] = fact_terms_used,
    ['V'] = fact_void_terms, ['q'] = fact_question,     ['w'] = fact_asker,  ['D'] = fact_detail,
    ['e'] = fact_error,      ['E'] = fact_error_offset, ['i'] = fact_inner,  ['h'] = fact_identity,
};

static void add_template(spf_buf_t *buf, const facts_t *facts, const char *template)
{
    for (;;) {
        const char *percent = strchrnul(template, '%');
        spf_buf_add(buf, template, (size_t)(percent - template));
        if (*percent == '\0')
            return;
        facts_by_letter[(unsigned char)percent[1]](buf, facts);
        template = percent + 2;
    }
}

/* ------------------------------------------------------------------------------------------------- the sentences */

/* Without and with TXT records of another kind. */
static const char *const no_record_templates[] = {
    "%n%h publishes no SPF record: it has no TXT record at all",
    "%n%h publishes no SPF record: none of its TXT records begins with v=spf1",
};

/* By cause; what a match or a bad domain is told by has tables of its own. */
static const char *const cause_templates[] = {
    [SPF_CAUSE_NO_DOMAIN] = "%n%h does not exist (NXDOMAIN), so it has no SPF record",
    [SPF_CAUSE_SEVERAL_RECORDS] = "%W v=spf1 records at %n%w; RFC 7208 section 4.5 allows one",
    [SPF_CAUSE_SYNTAX] = "syntax error at offset %E of %d's record, in \"%t\": %e",
    [SPF_CAUSE_LOOKUP_LIMIT] = "%p is the %l term that needs DNS; %m (terms used: %T)",
    [SPF_CAUSE_VOID_LIMIT] = "%p is the %z void lookup; %m (found nothing: %V)",
    [SPF_CAUSE_MX_LIMIT] = "%p leads to %# mail exchangers; %m",
    [SPF_CAUSE_TARGET_NO_RECORD] =
        "%p needs the SPF record of %n, which publishes none; remove the term or publish one",
    [SPF_CAUSE_BAD_TARGET] = "%p expands to no domain name that DNS can be asked for",
    [SPF_CAUSE_DNS_TIMEOUT] = "no answer in time for %q",
    [SPF_CAUSE_DNS_ERROR] = "%D for %q",
    [SPF_CAUSE_DNS_BOGUS] = "DNSSEC validation failed for %q",
    [SPF_CAUSE_DEADLINE] = "the time allowed for the whole check is over while waiting for %q",
};

/* By the number of networks that the client was compared with: none, one, more. */
static const char *const all_templates[] = {
    "no term of %d's record before %t at offset %o matches %C; %t says %r",
    "%C is not in the one network %d lists; %t at offset %o says %r",
    "%C is in none of the %c networks %d lists; %t at offset %o says %r",
};

static const char *const default_templates[] = {
    "no term of %d's record matches %C, and it ends without all or redirect, which means neutral",
    "%C is not in the one network %d lists, and its record ends without all or redirect, which means neutral",
    "%C is in none of the %c networks %d lists, and its record ends without all or redirect, which means neutral",
};

/* By the mechanism that matched. */
static const char *const match_templates[] = {
    [SPF_TERM_ALL] = "%p permits every client, %C too",
    [SPF_TERM_INCLUDE] = "%C matches %p%Q",
    [SPF_TERM_A] = "%C matches %p, by an address of %n%Q",
    [SPF_TERM_MX] = "%C matches %p, by an address of %n's mail exchanger %v%Q",
    [SPF_TERM_PTR] = "%C matches %p, by its validated host name %v%Q",
    [SPF_TERM_IP4] = "%C matches %p%Q",
    [SPF_TERM_IP6] = "%C matches %p%Q",
    [SPF_TERM_EXISTS] = "%C matches %p, for %n exists%Q",
};

static const char *by_compared(const facts_t *facts, const char *const templates[])
{
    unsigned compared = spf_eval_compared(facts->eval);
    return templates[compared < 2 ? compared : 2];
}

static const char *match_template(const facts_t *facts)
{
    const spf_finding_t *finding = facts->finding;
    unsigned kind = finding->record->terms[finding->term].kind;

    if (kind == SPF_TERM_ALL && finding->result != SPF_RESULT_PASS && finding->term == 0)
        return "%p is its first term and says %r to every client";
    if (kind == SPF_TERM_ALL && finding->result != SPF_RESULT_PASS)
        return by_compared(facts, all_templates);
    if (kind == SPF_TERM_INCLUDE && finding->include_record != NULL && finding->include_term != SPF_NO_TERM)
        return "%C matches %i, included by %p%Q";
    return match_templates[kind];
}

/* ------------------------------------------------------------------------------------- the domain that is no domain */

static const char *domain_fault(const char *domain, size_t length)
{
    spf_name_t name;
    bool is_out_of_memory;
    if (length == 0)
        return "is empty";
    if (domain[0] == '[')
        return "is an address literal";
    if (domain[0] == '.' || memmem(domain, length, "..", 2) != NULL)
        return "has an empty label";
    if (memchr(domain, '\0', length) != NULL)
        return "has a NUL octet in it";
    if (!spf_name_from_utf8(&name, domain, length, &is_out_of_memory))
        return "is too long, or has a label that is too long or no valid international one";
    if (strchr(name.text, '.') == NULL)
        return "has a single label";
    return "ends in a label of digits only, as an address does";
}

static void add_bad_domain(spf_buf_t *buf, const spf_question_t *question)
{
    size_t skip = question->sender_length;
    bool is_helo = is_helo_sender(question);

    if (is_helo && question->helo_length == 0) {
        spf_buf_add_text(buf, "there is no domain to check: the client gave no HELO name");
        return;
    }
    if (question->local_length < question->sender_length)
        skip = question->local_length + 1;
    spf_buf_add_text(buf, "there is no domain to check: ");
    spf_buf_add_text(buf, is_helo ? "the HELO name \"" : "the domain of the sender \"");
    if (is_helo)
        add_value(buf, question->helo, question->helo_length);
    else
        add_value(buf, question->sender, question->sender_length);
    spf_buf_add_text(buf, "\" ");
    spf_buf_add_text(buf, domain_fault(question->sender + skip, question->sender_length - skip));
}

/* ----------------------------------------------------------------------------------------------------- the reason */

static void add_reason(spf_buf_t *buf, const facts_t *facts)
{
    const spf_finding_t *finding = facts->finding;
    switch (finding->cause) {
    case SPF_CAUSE_BAD_DOMAIN:
        add_bad_domain(buf, facts->question);
        break;
    case SPF_CAUSE_NO_RECORD:
        add_template(buf, facts, no_record_templates[finding->count > 0]);
        break;
    case SPF_CAUSE_MATCH:
        add_template(buf, facts, match_template(facts));
        break;
    case SPF_CAUSE_DEFAULT:
        add_template(buf, facts, by_compared(facts, default_templates));
        break;
    default:
        add_template(buf, facts, cause_templates[finding->cause]);
    }
}

/* How the check got to a record that is not the checked domain's own. */
static void add_route(spf_buf_t *buf, const facts_t *facts)
{
    const spf_name_t *checked = &facts->question->domain;
    const char *domain = facts->finding->domain;

    if (domain == NULL || checked->length == 0 ||
        spf_text_equals_nocase(domain, strlen(domain), checked->text, checked->length))
        return;
    spf_buf_add_text(buf, "; the record of ");
    add_value(buf, checked->text, checked->length);
    spf_buf_add_text(buf, " leads there");
}

const char *spf_report_reason(spf_arena_t *arena, const spf_question_t *question, const spf_eval_t *eval)
{
    char storage[REASON_MAX + 1];
    spf_buf_t buf;
    facts_t facts = {.question = question, .eval = eval, .finding = spf_eval_finding(eval)};

    spf_buf_init(&buf, storage, sizeof(storage));
    add_reason(&buf, &facts);
    add_route(&buf, &facts);
    return spf_arena_copy(arena, buf.data, buf.len);
}
