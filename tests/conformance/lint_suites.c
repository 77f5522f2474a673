/* SPDX-License-Identifier: MIT */
/*
 * Lint on every name of the suites' zones: a syntax error is found where it stands, and a record that evaluates cleanly
 * has no error. Also that what lint says of hostile text is well-formed.
 */
#include "outcome.h"

#include "fuzz/fuzz.h"
#include "spf_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHERE_MAX = 400, EVERYTHING = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY };

#define LOST_US 2000000

typedef struct tally {
    unsigned names, records, syntax_errors, clean, remarks, fixed, wrong;
} tally_t;

static void require(spf_err_t err, const char *what)
{
    if (err == SPF_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, spf_strerror(err));
    abort();
}

static void complain(tally_t *tally, const char *where, const char *what, const char *detail)
{
    printf("%s: %s: %s\n", where, what, detail);
    tally->wrong++;
}

/* Whether no term but all, or an include because of one, decided. */
static bool matched_only_all(const spf_check_t *check)
{
    const spf_step_t *step;

    for (size_t i = 0; (step = spf_check_step(check, i)) != NULL; i++)
        if (step->outcome == SPF_OUTCOME_MATCH && strstr(step->term, "all") == NULL &&
            strstr(step->term, "include") == NULL)
            return false;
    return true;
}

/* Whether a check from that address, which nothing should match, ends without an error, and not for lack of a record.
 */
static bool is_clean_from(spf_context_t *context, const char *domain, const char *ip)
{
    spf_check_t *check;
    bool is_clean = false;

    require(spf_check_new(&check, context), "spf_check_new");
    require(spf_check_set_ip(check, ip), ip);
    require(spf_check_set_helo(check, domain, SPF_STRLEN), domain);
    require(spf_check_set_identity(check, SPF_IDENTITY_HELO), "spf_check_set_identity");
    require(spf_check_set_trace(check, true), "spf_check_set_trace");
    require(spf_check_run(check), "spf_check_run");
    switch (spf_check_verdict(check)->result) {
    case SPF_RESULT_PASS:
    case SPF_RESULT_FAIL:
    case SPF_RESULT_SOFTFAIL:
    case SPF_RESULT_NEUTRAL:
        is_clean = matched_only_all(check);
        break;
    default:
        break;
    }
    spf_check_free(check);
    return is_clean;
}

static bool is_clean(spf_context_t *context, const char *domain)
{
    return is_clean_from(context, domain, "203.0.113.213") && is_clean_from(context, domain, "2001:db8:dead::213");
}

static bool is_in(const spf_remark_t *remark, size_t offset, size_t length)
{
    return offset <= remark->record_length && length <= remark->record_length - offset;
}

static void check_form(tally_t *tally, const char *where, const spf_remark_t *remark)
{
    if (remark->record == NULL ? remark->offset + remark->length > 0 : !is_in(remark, remark->offset, remark->length))
        complain(tally, where, "outside of the record", remark->code);
    if (remark->replacement != NULL && !is_in(remark, remark->replace_offset, remark->replace_length))
        complain(tally, where, "replaces what is outside of the record", remark->code);
    if (!fuzz_is_printable_utf8(remark->sentence, strlen(remark->sentence)) ||
        remark->sentence[strlen(remark->sentence) - 1] != '.')
        complain(tally, where, "no sentence", remark->sentence);
    if (remark->fix != NULL && !fuzz_is_printable_utf8(remark->fix, strlen(remark->fix)))
        complain(tally, where, "no sentence", remark->fix);
}

static void check_fixed(tally_t *tally, const char *where, spf_context_t *context, spf_survey_t *survey)
{
    const char *fixed = spf_survey_fixed_record(survey, NULL);
    const spf_remark_t *remark;
    spf_survey_t *again;

    if (fixed == NULL)
        return;
    tally->fixed++;
    require(spf_survey_new(&again, context), "spf_survey_new");
    require(spf_survey_set_record(again, fixed, SPF_STRLEN), fixed);
    require(spf_survey_set_scope(again, 0), "spf_survey_set_scope");
    require(spf_survey_run(again), "spf_survey_run");
    if (spf_survey_node(again, 0)->record == NULL || spf_survey_node(again, 0)->has_syntax_error)
        complain(tally, where, "the fixed record is none", fixed);
    for (size_t i = 0; (remark = spf_survey_remark(again, i)) != NULL; i++)
        if (remark->replacement != NULL)
            complain(tally, where, "the fixed record can be fixed", fixed);
    spf_survey_free(again);
}

static void check_remarks(tally_t *tally, const char *where, spf_survey_t *survey, bool clean)
{
    const spf_node_t *root = spf_survey_node(survey, 0);
    const spf_remark_t *remark;
    bool found = false;

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        tally->remarks++;
        check_form(tally, where, remark);
        if (clean && remark->severity == SPF_SEVERITY_ERROR)
            complain(tally, where, remark->code, remark->sentence);
        found = found || (remark->node == root && remark->severity == SPF_SEVERITY_ERROR &&
                          remark->offset == root->error_offset && remark->offset > 0);
    }
    if (root->has_syntax_error && !found)
        complain(tally, where, "a syntax error was not found", root->error);
    tally->syntax_errors += root->has_syntax_error;
    tally->records += root->record != NULL;
    tally->clean += clean;
}

static void lint_name(tally_t *tally, const char *where, spf_context_t *context, const char *domain)
{
    spf_survey_t *survey;

    require(spf_survey_new(&survey, context), "spf_survey_new");
    require(spf_survey_set_scope(survey, EVERYTHING), "spf_survey_set_scope");
    if (spf_survey_set_domain(survey, domain, SPF_STRLEN) == SPF_OK) {
        require(spf_survey_run(survey), "spf_survey_run");
        tally->names++;
        check_remarks(tally, where, survey, is_clean(context, domain));
        check_fixed(tally, where, context, survey);
    }
    spf_survey_free(survey);
}

static void lint_scenario(tally_t *tally, const char *suite, const suite_scenario_t *scenario)
{
    memory_resolver_t *resolver = memory_resolver_new(scenario->zone);
    spf_context_t *context = outcome_context(resolver, true);
    char where[WHERE_MAX];
    const char *name;
    size_t length;

    memory_resolver_set_options(resolver, &(memory_options_t){.timeout_us = LOST_US});
    for (size_t i = 0; (name = zone_name_at(scenario->zone, i, &length)) != NULL; i++) {
        if (length == 0 || strlen(name) != length)
            continue;
        snprintf(where, sizeof(where), "%s, %s: %s", suite, scenario->description, name);
        lint_name(tally, where, context, name);
    }
    spf_context_release(context);
    memory_resolver_free(resolver);
}

int main(void)
{
    bool is_right = true;
    const char *name;

    for (size_t i = 0; (name = suite_name(i)) != NULL; i++) {
        suite_t *suite = suite_load(name);
        tally_t tally = {0};
        for (size_t j = 0; j < suite->scenario_count; j++)
            lint_scenario(&tally, name, &suite->scenarios[j]);
        printf("%s: %u names, %u records, %u with a syntax error, %u that evaluate cleanly; %u remarks, %u records "
               "fixed; %u wrong\n",
               name, tally.names, tally.records, tally.syntax_errors, tally.clean, tally.remarks, tally.fixed,
               tally.wrong);
        is_right = is_right && tally.records > 0 && tally.clean > 0 && tally.wrong == 0;
        suite_free(suite);
    }
    return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
