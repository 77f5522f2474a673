/* SPDX-License-Identifier: MIT */
/* Surveys and what is made of them when the n-th allocation fails, for every n: SPF_ENOMEM or NULL, and nothing left.
 */
#include "support/memory_resolver.h"
#include "unit/failing_memory.h"

#include "spf_tools.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char zone_lines[] =
    "example.com TXT v=spf1 ip4:192.0.2.1 mx/24 a:a.%{d} include:in.example exists:%{i}.x.example exp=why.%{d} "
    "redirect=to.example\n"
    "example.com MX 1 m1.example.com\n"
    "example.com MX 2 m2.example.com\n"
    "m1.example.com A 192.0.2.9\n"
    "m1.example.com AAAA 2001:db8::9\n"
    "m2.example.com A SERVFAIL\n"
    "a.example.com A 192.0.2.20\n"
    "in.example TXT v=spf1 ipv4:1.2.3.4 include:in.example include:none.example ~all\n"
    "none.example A 192.0.2.4\n"
    "to.example TXT v=spf1 ip6:2001:db8::/32 a:\xc3\xa4.example ?all\n"
    "two.example TXT v=spf1 -all\n"
    "two.example TXT v=spf1 a -all\n"
    "_dmarc.example.com TXT v=DMARC1; p=none\n"
    "wrong.example TXT \"v=spf1 -all\"\n";

typedef struct attempt {
    memory_resolver_t *resolver;
    const char *domain;
    const char *record;
    bool is_async;
} attempt_t;

static void ended(spf_survey_t *survey, spf_err_t err, void *user_data)
{
    (void)survey;
    *(spf_err_t *)user_data = err;
}

static spf_err_t finish(const attempt_t *attempt, spf_context_t *context, spf_survey_t *survey)
{
    spf_err_t end = SPF_OK;
    spf_err_t err = attempt->is_async ? spf_survey_start(survey, ended, &end) : spf_survey_run(survey);

    while (err == SPF_OK && spf_context_pending(context) > 0)
        err = spf_context_wait(context, -1);
    return err == SPF_OK ? end : err;
}

static spf_err_t report(spf_survey_t *survey)
{
    size_t length;

    if (spf_survey_text(survey, 0) == NULL || spf_survey_text(survey, SPF_TEXT_ASCII | SPF_TEXT_COLOR) == NULL ||
        spf_survey_dot(survey) == NULL || spf_survey_json(survey) == NULL || spf_survey_remark(survey, 0) == NULL)
        return SPF_ENOMEM;
    spf_survey_fixed_record(survey, &length);
    return SPF_OK;
}

static spf_err_t survey_in(const attempt_t *attempt, spf_context_t *context)
{
    spf_survey_t *survey;
    spf_err_t err = spf_survey_new(&survey, context);

    if (err != SPF_OK)
        return err;
    err = spf_survey_set_scope(survey, SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY);
    if (err == SPF_OK && attempt->domain != NULL)
        err = spf_survey_set_domain(survey, attempt->domain, SPF_STRLEN);
    if (err == SPF_OK && attempt->record != NULL)
        err = spf_survey_set_record(survey, attempt->record, SPF_STRLEN);
    if (err == SPF_OK)
        err = finish(attempt, context, survey);
    if (err == SPF_OK)
        err = report(survey);
    spf_survey_free(survey);
    return err;
}

static spf_err_t run(void *argument)
{
    const attempt_t *attempt = argument;
    spf_context_t *context;
    spf_err_t err = spf_context_new_with_resolver(&context, NULL, &memory_resolver_ops, attempt->resolver);

    if (err != SPF_OK)
        return err;
    err = survey_in(attempt, context);
    spf_context_release(context);
    return err;
}

static void every_allocation_may_fail(void **state)
{
    static const struct {
        const char *domain, *record;
    } rows[] = {
        {"example.com", NULL},  {"example.com", "\"v=spf1 \" \"a include:in.example -all\""},
        {NULL, "v=spf1 a -al"}, {"nothing.example", NULL},
        {"two.example", NULL},  {"wrong.example", NULL},
    };
    zone_t *zone = zone_new();
    attempt_t attempt;

    (void)state;
    zone_add_lines(zone, zone_lines);
    attempt.resolver = memory_resolver_new(zone);
    memory_resolver_set_options(attempt.resolver,
                                &(memory_options_t){.is_survey = true, .is_late = true, .ttl_s = 300});
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        attempt.domain = rows[i / 2].domain;
        attempt.record = rows[i / 2].record;
        attempt.is_async = i % 2;
        failing_memory_run(run, &attempt, false);
        assert_int_equal(memory_resolver_counters(attempt.resolver).in_flight, 0);
    }
    memory_resolver_free(attempt.resolver);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
