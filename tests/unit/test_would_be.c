/* SPDX-License-Identifier: MIT */
/* After a permerror: the verdict had the offending terms been skipped, within the same limits; the finding stands. */
#include "spf.h"
#include "support/memory_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char zone_lines[] =
    "syntax.example TXT v=spf1 ip4:192.0.2.1 ip4:999 ip4:198.51.100.1 -all\n"
    "syntaxes.example TXT v=spf1 ip9:1 ip4:999 ip4:198.51.100.1 ?all ?\n"
    "inner.example TXT v=spf1 ip4:198.51.100.1 a:: -all\n"
    "outer.example TXT v=spf1 include:inner.example ~all\n"
    "none.example TXT something else\n"
    "includes-none.example TXT v=spf1 include:none.example ip4:198.51.100.1 -all\n"
    "redirects-none.example TXT v=spf1 ip4:192.0.2.1 redirect=none.example\n"
    "two.example TXT v=spf1 -all\n"
    "two.example TXT v=spf1 +all\n"
    "includes-two.example TXT v=spf1 include:two.example ip4:198.51.100.1 -all\n"
    "h.example A 192.0.2.250\n"
    "limit.example TXT v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example "
    "a:h.example a:h.example a:h.example a:h.example a:mine.example ip4:198.51.100.1 -all\n"
    "mine.example A 198.51.100.1\n"
    "past-limit.example TXT v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example "
    "a:h.example a:h.example a:h.example a:h.example a:mine.example -all\n"
    "voids.example TXT v=spf1 a:v1.example a:v2.example a:v3.example a:v4.example ip4:198.51.100.1 -all\n"
    "hosts.example TXT v=spf1 mx ip4:198.51.100.1 -all\n"
    "hosts.example MX 1 m1.example\nhosts.example MX 2 m2.example\nhosts.example MX 3 m3.example\n"
    "hosts.example MX 4 m4.example\nhosts.example MX 5 m5.example\nhosts.example MX 6 m6.example\n"
    "hosts.example MX 7 m7.example\nhosts.example MX 8 m8.example\nhosts.example MX 9 m9.example\n"
    "hosts.example MX 10 m10.example\nhosts.example MX 11 m11.example\n"
    "then-fails.example TXT v=spf1 ip4:999 a:broken.example -all\n"
    "broken.example A SERVFAIL\n"
    "explains.example TXT v=spf1 ip4:999 exp=text.example -all\n"
    "text.example TXT go away\n"
    "fine.example TXT v=spf1 -all\n";

typedef struct row {
    const char *domain;
    spf_cause_t cause;
    unsigned lookups;
    unsigned void_lookups;
    bool has_would_be;
    spf_result_t would_be;
} row_t;

static const row_t rows[] = {
    {"syntax.example", SPF_CAUSE_SYNTAX, 0, 0, true, SPF_RESULT_PASS},
    {"syntaxes.example", SPF_CAUSE_SYNTAX, 0, 0, true, SPF_RESULT_PASS},
    {"outer.example", SPF_CAUSE_SYNTAX, 1, 0, true, SPF_RESULT_PASS},
    {"includes-none.example", SPF_CAUSE_TARGET_NO_RECORD, 1, 0, true, SPF_RESULT_PASS},
    {"redirects-none.example", SPF_CAUSE_TARGET_NO_RECORD, 1, 0, true, SPF_RESULT_NEUTRAL},
    {"two.example", SPF_CAUSE_SEVERAL_RECORDS, 0, 0, false, SPF_RESULT_NONE},
    {"includes-two.example", SPF_CAUSE_SEVERAL_RECORDS, 1, 0, true, SPF_RESULT_PASS},
    {"limit.example", SPF_CAUSE_LOOKUP_LIMIT, 11, 0, true, SPF_RESULT_PASS},
    /* The 11th lookup would have matched, but the limit holds. */
    {"past-limit.example", SPF_CAUSE_LOOKUP_LIMIT, 11, 0, true, SPF_RESULT_FAIL},
    {"voids.example", SPF_CAUSE_VOID_LIMIT, 3, 3, true, SPF_RESULT_PASS},
    {"hosts.example", SPF_CAUSE_MX_LIMIT, 1, 0, true, SPF_RESULT_PASS},
    {"then-fails.example", SPF_CAUSE_SYNTAX, 0, 0, true, SPF_RESULT_TEMPERROR},
    {"explains.example", SPF_CAUSE_SYNTAX, 0, 0, true, SPF_RESULT_FAIL},
};

static spf_check_t *run(spf_context_t *context, const char *domain, bool would_be)
{
    spf_check_t *check;

    assert_int_equal(spf_check_new(&check, context), SPF_OK);
    assert_int_equal(spf_check_set_ip(check, "198.51.100.1"), SPF_OK);
    assert_int_equal(spf_check_set_sender(check, domain, SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_set_would_be(check, would_be), SPF_OK);
    assert_int_equal(spf_check_set_trace(check, true), SPF_OK);
    assert_int_equal(spf_check_run(check), SPF_OK);
    return check;
}

static size_t steps_of(const spf_check_t *check)
{
    size_t count = 0;

    while (spf_check_step(check, count) != NULL)
        count++;
    return count;
}

/* Asking for it changes nothing but would_be itself. */
static void assert_same_finding(const spf_check_t *a, const spf_check_t *b)
{
    const spf_verdict_t *x = spf_check_verdict(a);
    const spf_verdict_t *y = spf_check_verdict(b);

    assert_int_equal(x->result, y->result);
    assert_int_equal(x->cause, y->cause);
    assert_string_equal(x->reason, y->reason);
    assert_string_equal(x->domain, y->domain);
    assert_int_equal(x->lookups, y->lookups);
    assert_int_equal(x->void_lookups, y->void_lookups);
    assert_int_equal(x->term_offset, y->term_offset);
    assert_null(x->explanation);
    assert_null(y->explanation);
    assert_int_equal(steps_of(a), steps_of(b));
}

static void test_would_be(void **state)
{
    zone_t *zone = zone_new();
    memory_resolver_t *resolver;
    spf_context_t *context;
    (void)state;

    zone_add_lines(zone, zone_lines);
    resolver = memory_resolver_new(zone);
    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &memory_resolver_ops, resolver), SPF_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row_t *row = &rows[i];
        memory_resolver_set_options(resolver, &(memory_options_t){.delay_us = i % 2 ? 1000 : 0});
        spf_check_t *without = run(context, row->domain, false);
        spf_check_t *with = run(context, row->domain, true);
        const spf_verdict_t *verdict = spf_check_verdict(with);
        print_message("%s: %s\n", row->domain, verdict->reason);
        assert_int_equal(verdict->result, SPF_RESULT_PERMERROR);
        assert_int_equal(verdict->cause, row->cause);
        assert_int_equal(verdict->lookups, row->lookups);
        assert_int_equal(verdict->void_lookups, row->void_lookups);
        assert_int_equal(verdict->has_would_be, row->has_would_be);
        if (row->has_would_be)
            assert_int_equal(verdict->would_be, row->would_be);
        assert_false(spf_check_verdict(without)->has_would_be);
        assert_same_finding(with, without);
        spf_check_free(with);
        spf_check_free(without);
    }
    spf_context_release(context);
    memory_resolver_free(resolver);
    zone_free(zone);
}

/* Nothing but a permerror has one. */
static void test_no_would_be_without_permerror(void **state)
{
    zone_t *zone = zone_new();
    memory_resolver_t *resolver;
    spf_context_t *context;
    spf_check_t *check;
    (void)state;

    zone_add_lines(zone, zone_lines);
    resolver = memory_resolver_new(zone);
    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &memory_resolver_ops, resolver), SPF_OK);
    check = run(context, "fine.example", true);
    assert_int_equal(spf_check_verdict(check)->result, SPF_RESULT_FAIL);
    assert_false(spf_check_verdict(check)->has_would_be);
    spf_check_free(check);
    spf_context_release(context);
    memory_resolver_free(resolver);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_would_be),
        cmocka_unit_test(test_no_would_be_without_permerror),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
