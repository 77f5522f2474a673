/* SPDX-License-Identifier: MIT */
/* What a result means and what can be done about it: every cause has its words, and headers are compared with. */
#include "report/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    spf_result_t result;
    spf_cause_t cause;
    const char *says; /* the advice contains this */
} rows[] = {
    {SPF_RESULT_NONE, SPF_CAUSE_BAD_DOMAIN, "has to give a full domain name"},
    {SPF_RESULT_NONE, SPF_CAUSE_NO_DOMAIN, "The name example.com does not exist"},
    {SPF_RESULT_NONE, SPF_CAUSE_NO_RECORD, "The owner of example.com should publish"},
    {SPF_RESULT_PASS, SPF_CAUSE_MATCH, "example.com permits 192.0.2.1 to send mail for it."},
    {SPF_RESULT_FAIL, SPF_CAUSE_MATCH, "for it before -mx in the record"},
    {SPF_RESULT_SOFTFAIL, SPF_CAUSE_MATCH, "If the mail was forwarded"},
    {SPF_RESULT_NEUTRAL, SPF_CAUSE_MATCH, "If 192.0.2.1 is a relay of the receiver's own"},
    {SPF_RESULT_NEUTRAL, SPF_CAUSE_DEFAULT, "The record of other.example ends without a word"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_SEVERAL_RECORDS, "merge its records into one"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_SYNTAX, "has to correct the record at -mx"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_LOOKUP_LIMIT, "more than 10 terms that need DNS"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_VOID_LIMIT, "Too many names in the record"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_MX_LIMIT, "mx.example has more than 10 MX hosts"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_TARGET_NO_RECORD, "-mx leads to mx.example, which has no SPF record"},
    {SPF_RESULT_PERMERROR, SPF_CAUSE_BAD_TARGET, "-mx leads to no DNS name"},
    {SPF_RESULT_TEMPERROR, SPF_CAUSE_DNS_TIMEOUT, "No name server answered for mx.example"},
    {SPF_RESULT_TEMPERROR, SPF_CAUSE_DNS_ERROR, "The name servers of mx.example answer with an error"},
    {SPF_RESULT_TEMPERROR, SPF_CAUSE_DNS_BOGUS, "The DNSSEC signatures of mx.example"},
    {SPF_RESULT_TEMPERROR, SPF_CAUSE_DEADLINE, "took longer than it may"},
};

static spf_verdict_t verdict_of(spf_result_t result, spf_cause_t cause)
{
    return (spf_verdict_t){.result = result,
                           .cause = cause,
                           .ip = "192.0.2.1",
                           .checked_domain = "example.com",
                           .domain = "other.example",
                           .term = "-mx",
                           .target = "mx.example"};
}

static void every_cause_has_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        spf_verdict_t verdict = verdict_of(rows[i].result, rows[i].cause);
        const char *advice = spf_report_advice(&arena, &verdict, NULL);

        assert_non_null(advice);
        if (strstr(advice, rows[i].says) == NULL || strchr(advice, '%') != NULL)
            fail_msg("no \"%s\" in: %s", rows[i].says, advice);
        assert_null(strstr(advice, "The header said"));
        spf_arena_free(&arena);
    }
}

static void a_header_is_compared_with(void **state)
{
    static const struct {
        spf_result_t then, now;
        const char *says;
    } pairs[] = {
        {SPF_RESULT_FAIL, SPF_RESULT_FAIL, "The header said the same."},
        {SPF_RESULT_TEMPERROR, SPF_RESULT_PASS, "The header said temperror, and now it is pass: DNS failed"},
        {SPF_RESULT_PASS, SPF_RESULT_TEMPERROR, "DNS fails now"},
        {SPF_RESULT_PASS, SPF_RESULT_FAIL, "The header said pass, and now it is fail: the record, or"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        spf_verdict_t verdict = verdict_of(pairs[i].now, SPF_CAUSE_MATCH);
        const spf_evidence_item_t then = {.has_result = true, .value = pairs[i].then}, silent = {.has_result = false};

        assert_non_null(strstr(spf_report_advice(&arena, &verdict, &then), pairs[i].says));
        assert_null(strstr(spf_report_advice(&arena, &verdict, &silent), "The header said"));
        spf_arena_free(&arena);
    }
}

static void hostile_facts_are_clipped(void **state)
{
    char name[4000];
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_verdict_t verdict = verdict_of(SPF_RESULT_FAIL, SPF_CAUSE_MATCH);
    const char *advice;

    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    verdict.checked_domain = verdict.domain = verdict.term = verdict.target = name;
    advice = spf_report_advice(&arena, &verdict, NULL);
    assert_non_null(strstr(advice, "Otherwise the mail does not come from where"));
    assert_true(strlen(advice) < 4096);
    spf_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_has_its_words),
        cmocka_unit_test(a_header_is_compared_with),
        cmocka_unit_test(hostile_facts_are_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
