/* SPDX-License-Identifier: MIT */
/*
 * What a survey counts against what checks count, for every case of the suites:
 *
 *     survey_counts [SUITE [CASE]]
 *
 * The terms that a check of the case counts come in the survey's order, with the same void lookups; and a client that
 * nothing but `all` matches gets to every one of them.
 */
#include "outcome.h"

#include "spf_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 4096, WHERE_MAX = 300 };

#define LOST_US 2000000

/* The survey's terms that need DNS, in the order of their numbers. */
typedef struct terms {
    const spf_node_t *nodes[TERMS_MAX];
    const spf_node_term_t *terms[TERMS_MAX];
    size_t count;
} terms_t;

typedef struct tally {
    unsigned cases, lookups, voids, complete, wrong;
} tally_t;

typedef struct comparison {
    char where[WHERE_MAX];
    spf_survey_t *survey;
    spf_check_t *check;
    bool is_ip6;
    terms_t terms;
    size_t next;   /* of the survey's terms */
    bool is_blind; /* a macro led the check to records that the survey does not know */
    tally_t *tally;
} comparison_t;

static void require(spf_err_t err, const char *what)
{
    if (err == SPF_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, spf_strerror(err));
    abort();
}

static bool complain(comparison_t *comparison, const char *what, const char *detail)
{
    printf("%s: %s%s%s\n", comparison->where, what, detail != NULL ? ": " : "", detail != NULL ? detail : "");
    comparison->tally->wrong++;
    return false;
}

static void collect(comparison_t *comparison)
{
    const spf_node_t *node;

    comparison->terms.count = spf_survey_summary(comparison->survey)->lookups;
    if (comparison->terms.count > TERMS_MAX)
        abort();
    for (size_t i = 0; (node = spf_survey_node(comparison->survey, i)) != NULL; i++) {
        for (size_t j = 0; j < node->term_count; j++) {
            unsigned number = node->terms[j].lookup_number;
            if (number == 0)
                continue;
            comparison->terms.nodes[number - 1] = node;
            comparison->terms.terms[number - 1] = &node->terms[j];
        }
    }
}

static bool is_same_term(const comparison_t *comparison, size_t index, const spf_lookup_t *lookup)
{
    return strcmp(comparison->terms.nodes[index]->domain, lookup->domain) == 0 &&
           strcmp(comparison->terms.terms[index]->text, lookup->term) == 0;
}

/* Finds the lookup at or behind the survey's next term; is_strict: at it. */
static const spf_node_term_t *find(comparison_t *comparison, const spf_lookup_t *lookup, bool is_strict)
{
    const terms_t *terms = &comparison->terms;
    size_t index = comparison->next;

    while (index < terms->count && !is_same_term(comparison, index, lookup)) {
        if (is_strict)
            return NULL;
        index++;
    }
    if (index == terms->count)
        return NULL;
    comparison->next = index + 1;
    return terms->terms[index];
}

static bool leads_to_record(const spf_node_term_t *term)
{
    return strcmp(term->kind, "include") == 0 || strcmp(term->kind, "redirect") == 0;
}

static bool compare_void(comparison_t *comparison, const spf_node_term_t *term, const spf_lookup_t *lookup)
{
    bool is_void = (comparison->is_ip6 ? term->void_number6 : term->void_number) > 0;

    if (term->status == SPF_NODE_MACRO || is_void == lookup->is_void)
        return true;
    return complain(comparison, lookup->is_void ? "void for the check only" : "void for the survey only", lookup->term);
}

/* All terms that the check counted; false once they need not be looked at any more, or are wrong. */
static bool compare_lookups(comparison_t *comparison, bool is_strict)
{
    const spf_lookup_t *lookup;

    for (size_t i = 0; (lookup = spf_check_lookup(comparison->check, i)) != NULL; i++) {
        const spf_node_term_t *term = find(comparison, lookup, is_strict && !comparison->is_blind);
        if (term == NULL && comparison->is_blind)
            continue;
        if (term == NULL)
            return complain(comparison, "counted by the check, and not there in the survey", lookup->term);
        if (!compare_void(comparison, term, lookup))
            return false;
        comparison->tally->lookups++;
        comparison->tally->voids += lookup->is_void;
        if (term->status == SPF_NODE_LOOP)
            return false; /* the check goes round */
        comparison->is_blind = comparison->is_blind || (term->status == SPF_NODE_MACRO && leads_to_record(term));
    }
    return true;
}

/* Whether no term but all matched the client, or an include because of one. */
static bool matched_only_all(const spf_check_t *check)
{
    const spf_step_t *step;

    for (size_t i = 0; (step = spf_check_step(check, i)) != NULL; i++)
        if (step->outcome == SPF_OUTCOME_MATCH && strstr(step->term, "all") == NULL &&
            strstr(step->term, "include") == NULL)
            return false;
    return true;
}

/* Nothing matched and nothing failed: the check got to all that the survey counts. */
static void compare_sums(comparison_t *comparison)
{
    const spf_survey_summary_t *summary = spf_survey_summary(comparison->survey);
    const spf_verdict_t *verdict = spf_check_verdict(comparison->check);
    bool is_permerror = comparison->is_ip6 ? summary->is_permerror6 : summary->is_permerror;
    unsigned voids = comparison->is_ip6 ? summary->void_lookups6 : summary->void_lookups;

    if (verdict->result == SPF_RESULT_TEMPERROR)
        return;
    if (is_permerror != (verdict->result == SPF_RESULT_PERMERROR)) {
        complain(comparison, "the survey and the check do not agree on permerror", verdict->reason);
        return;
    }
    if (is_permerror)
        return;
    comparison->tally->complete++;
    if (verdict->lookups != summary->lookups)
        complain(comparison, "another number of lookups", verdict->reason);
    if (verdict->void_lookups != voids && summary->is_complete && !comparison->is_blind)
        complain(comparison, "another number of void lookups", verdict->reason);
}

static bool has_macros(const comparison_t *comparison)
{
    for (size_t i = 0; i < comparison->terms.count; i++)
        if (comparison->terms.terms[i]->depends_on_mail)
            return true;
    return false;
}

/* One client; the suite's own, or (is_nobody) one that nothing is expected to match. */
static void compare(comparison_t *comparison, spf_context_t *context, spf_check_t *check, bool is_nobody)
{
    comparison->check = check;
    comparison->next = 0;
    comparison->is_blind = false;
    require(spf_check_set_trace(check, true), "spf_check_set_trace");
    require(spf_check_run(check), "spf_check_run");
    require(spf_survey_new(&comparison->survey, context), "spf_survey_new");
    if (spf_survey_set_domain(comparison->survey, spf_check_verdict(check)->checked_domain, SPF_STRLEN) == SPF_OK) {
        require(spf_survey_run(comparison->survey), "spf_survey_run");
        collect(comparison);
        is_nobody = is_nobody && matched_only_all(check);
        comparison->tally->cases++;
        if (compare_lookups(comparison, is_nobody) && is_nobody && !has_macros(comparison))
            compare_sums(comparison);
    } else if (spf_check_verdict(check)->result != SPF_RESULT_NONE) {
        complain(comparison, "a domain for the check only", spf_check_verdict(check)->checked_domain);
    }
    spf_survey_free(comparison->survey);
    spf_check_free(check);
}

static void compare_case(tally_t *tally, const char *suite, spf_context_t *context, const suite_case_t *test)
{
    static const char *const nobodies[] = {"203.0.113.213", "2001:db8:dead::213"};
    static comparison_t comparison;
    spf_check_t *check = outcome_check_new(context, test);

    comparison = (comparison_t){.tally = tally, .is_ip6 = strchr(test->host, ':') != NULL};
    if (strncasecmp(test->host, "::ffff:", 7) == 0)
        comparison.is_ip6 = false;
    snprintf(comparison.where, sizeof comparison.where, "%s %s", suite, test->name);
    compare(&comparison, context, check, false);
    for (unsigned i = 0; i < 2; i++) {
        check = outcome_check_new(context, test);
        require(spf_check_set_ip(check, nobodies[i]), nobodies[i]);
        comparison.is_ip6 = i == 1;
        snprintf(comparison.where, sizeof comparison.where, "%s %s, from %s", suite, test->name, nobodies[i]);
        compare(&comparison, context, check, true);
    }
}

static bool run_suite(const suite_t *suite)
{
    tally_t tally = {0};

    for (size_t i = 0; i < suite->scenario_count; i++) {
        const suite_scenario_t *scenario = &suite->scenarios[i];
        memory_resolver_t *resolver = memory_resolver_new(scenario->zone);
        spf_context_t *context = outcome_context(resolver, true);
        memory_resolver_set_options(resolver, &(memory_options_t){.timeout_us = LOST_US});
        for (size_t j = 0; j < scenario->case_count; j++)
            compare_case(&tally, suite->name, context, &scenario->cases[j]);
        spf_context_release(context);
        memory_resolver_free(resolver);
    }
    printf("%s: %u checks against surveys, %u lookups, %u of them void, %u sums; %u wrong\n", suite->name, tally.cases,
           tally.lookups, tally.voids, tally.complete, tally.wrong);
    return tally.cases > 0 && tally.complete > 0 && tally.wrong == 0;
}

int main(int argc, char **argv)
{
    bool is_right = true;
    const char *name;

    for (size_t i = 0; (name = suite_name(i)) != NULL; i++) {
        if (argc > 1 && strcmp(argv[1], name) != 0)
            continue;
        suite_t *suite = suite_load(name);
        if (argc > 2)
            suite_keep_case(suite, argv[2]);
        is_right &= run_suite(suite);
        suite_free(suite);
    }
    return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
