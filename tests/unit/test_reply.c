/* SPDX-License-Identifier: MIT */
/* The SMTP reply: RFC 7208 section 8 with the codes of RFC 7372 section 3.2. */
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_MAX_OCTETS = 450 };

static const struct {
    spf_result_t result;
    spf_identity_t identity;
    const char *reason, *explanation;
    unsigned code;
    const char *enhanced, *text;
} rows[] = {
    {SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM, "no, not it", NULL, 550, "5.7.23",
     "SPF MAIL FROM check failed: no, not it"},
    {SPF_RESULT_FAIL, SPF_IDENTITY_HELO, "no, not it", NULL, 550, "5.7.23", "SPF HELO check failed: no, not it"},
    {SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM, "no, not it", "See http://example.com/why", 550, "5.7.23",
     "SPF MAIL FROM check failed: no, not it\nThe domain example.com explains:\nSee http://example.com/why"},
    {SPF_RESULT_PERMERROR, SPF_IDENTITY_MAILFROM, "two records", NULL, 550, "5.7.24",
     "SPF MAIL FROM check met a permanent error: two records"},
    {SPF_RESULT_TEMPERROR, SPF_IDENTITY_MAILFROM, "SERVFAIL", NULL, 451, "4.7.24",
     "SPF MAIL FROM check met a temporary error: SERVFAIL"},
    {SPF_RESULT_PASS, SPF_IDENTITY_MAILFROM, "it matches", NULL, 250, "2.7.0",
     "SPF MAIL FROM check passed: it matches"},
    {SPF_RESULT_SOFTFAIL, SPF_IDENTITY_HELO, "~all", NULL, 250, "2.7.0", "SPF HELO check softly failed: ~all"},
    {SPF_RESULT_NEUTRAL, SPF_IDENTITY_MAILFROM, "?all", NULL, 250, "2.7.0", "SPF MAIL FROM check was neutral: ?all"},
    {SPF_RESULT_NONE, SPF_IDENTITY_MAILFROM, "no record", NULL, 250, "2.7.0",
     "SPF MAIL FROM check found no policy: no record"},
    /* What is no printable ASCII is replaced, a line end first of all. */
    {SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM, "jos\xc3\xa9\r\n250 OK", "a\r\n250 OK\x1b", 550, "5.7.23",
     "SPF MAIL FROM check failed: jos????250 OK\nThe domain example.com explains:\na??250 OK?"},
};

static spf_verdict_t verdict_of(spf_result_t result, spf_identity_t identity, const char *reason,
                                const char *explanation)
{
    return (spf_verdict_t){
        .result = result, .identity = identity, .reason = reason, .explanation = explanation, .domain = "example.com"};
}

static void every_result_has_its_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        spf_verdict_t verdict = verdict_of(rows[i].result, rows[i].identity, rows[i].reason, rows[i].explanation);
        const spf_smtp_reply_t *reply = spf_report_smtp_reply(&arena, &verdict);

        assert_non_null(reply);
        assert_int_equal(reply->code, rows[i].code);
        assert_string_equal(reply->enhanced, rows[i].enhanced);
        assert_string_equal(reply->text, rows[i].text);
        spf_arena_free(&arena);
    }
}

/* What is this host's own text is not put into the domain's mouth. */
static void own_explanations_are_not_the_domains(void **state)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_verdict_t verdict = verdict_of(SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM, "why", "ask the postmaster");
    (void)state;

    verdict.is_own_explanation = true;
    assert_string_equal(spf_report_smtp_reply(&arena, &verdict)->text,
                        "SPF MAIL FROM check failed: why\nask the postmaster");
    spf_arena_free(&arena);
}

/* Any octet repeated, alone or in words, as reason, explanation and domain. */
static void check_lines(char octet, size_t word_length)
{
    char text[4097] = "", domain[256];
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_verdict_t verdict = verdict_of(SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM, text, text);
    const spf_smtp_reply_t *reply;
    size_t column = 0;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % (word_length + 1) == word_length ? ' ' : octet;
    text[sizeof(text) - 1] = '\0';
    memcpy(domain, text, sizeof(domain) - 1);
    domain[sizeof(domain) - 1] = '\0';
    verdict.domain = domain;
    reply = spf_report_smtp_reply(&arena, &verdict);
    assert_non_null(reply);
    for (const char *at = reply->text; *at != '\0'; at++) {
        column = *at == '\n' ? 0 : column + 1;
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
        assert_true(column <= LINE_MAX_OCTETS);
        assert_false(*at == '\n' && (at[1] == '\n' || at[1] == '\0'));
    }
    assert_non_null(strstr(reply->text, "explains:\n"));
    spf_arena_free(&arena);
}

static void lines_are_printable_and_short(void **state)
{
    static const size_t word_lengths[] = {0, 1, 7, 60, 433, 434, 435, 449, 450, 451, 5000};
    (void)state;
    for (int octet = 1; octet < 256; octet++)
        for (size_t i = 0; i < sizeof(word_lengths) / sizeof(word_lengths[0]); i++)
            check_lines((char)octet, word_lengths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_explanations_are_not_the_domains),
        cmocka_unit_test(every_result_has_its_reply),
        cmocka_unit_test(lines_are_printable_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
