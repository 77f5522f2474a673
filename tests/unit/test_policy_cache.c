/* SPDX-License-Identifier: MIT */
/* Compiled records that are kept: by name and text, for their TTL, under the cap, least recently used first out. */
#include "api/policy_cache.h"
#include "spf.h"
#include "support/memory_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_US = 1000000 };

static spf_query_t question(const char *name)
{
    return (spf_query_t){.name = name,
                         .name_length = (uint8_t)strlen(name),
                         .type = SPF_TYPE_TXT,
                         .is_policy = true,
                         .state = SPF_QUERY_ASKED};
}

/* Gives the cache what DNS said about a name; the policy that came of it is the caller's. */
static spf_policy_t *feed(spf_policy_cache_t *cache, const char *name, const char *text, uint32_t ttl_s,
                          uint64_t now_us)
{
    spf_query_t query = question(name);
    spf_text_t texts = {text, text != NULL ? (uint32_t)strlen(text) : 0};

    query.answer = (spf_answer_t){
        .status = SPF_DNS_ANSWER, .dnssec = SPF_DNSSEC_SECURE, .ttl_s = ttl_s, .count = text != NULL, .texts = &texts};
    spf_policy_cache_compile(cache, &query, now_us);
    assert_non_null(query.policy);
    return query.policy;
}

static bool is_kept(spf_policy_cache_t *cache, const char *name, uint64_t now_us)
{
    spf_query_t query = question(name);
    bool is_kept = spf_policy_cache_answer(cache, &query, now_us);

    spf_policy_unref(query.policy);
    return is_kept;
}

static void test_kept_for_the_ttl(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(1 << 20);
    spf_query_t query = question("a.example");
    (void)state;

    assert_false(is_kept(cache, "a.example", 0));
    spf_policy_unref(feed(cache, "a.example", "v=spf1 -all", 60, 0));
    assert_true(spf_policy_cache_answer(cache, &query, 10 * SECOND_US));
    assert_int_equal(query.state, SPF_QUERY_ANSWERED);
    assert_int_equal(query.answer.ttl_s, 50);
    assert_int_equal(query.answer.dnssec, SPF_DNSSEC_SECURE);
    assert_int_equal(query.policy->kind, SPF_POLICY_RECORD);
    spf_policy_unref(query.policy);
    assert_true(is_kept(cache, "a.example", 60 * SECOND_US - 1));
    assert_false(is_kept(cache, "a.example", 60 * SECOND_US));
    assert_false(is_kept(cache, "b.example", 0));
    spf_policy_cache_free(cache);
}

static void test_ttl_zero_is_not_kept(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(1 << 20);
    (void)state;

    spf_policy_unref(feed(cache, "a.example", "v=spf1 -all", 0, 0));
    assert_false(is_kept(cache, "a.example", 0));
    spf_policy_cache_free(cache);
}

static void test_negative_answers_are_kept(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(1 << 20);
    spf_query_t query = question("a.example");
    (void)state;

    spf_policy_unref(feed(cache, "a.example", NULL, 60, 0));
    assert_true(spf_policy_cache_answer(cache, &query, 0));
    assert_int_equal(query.policy->kind, SPF_POLICY_NONE);
    assert_true(query.policy->is_void);
    spf_policy_unref(query.policy);
    spf_policy_cache_free(cache);
}

/* The same text is compiled once, whoever publishes it. */
static void test_records_are_shared_by_text(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(1 << 20);
    spf_policy_t *a = feed(cache, "a.example", "v=spf1 -all", 60, 0);
    spf_policy_t *b = feed(cache, "b.example", "v=spf1 -all", 60, 0);
    spf_policy_t *c = feed(cache, "c.example", "v=spf1 ~all", 60, 0);
    (void)state;

    assert_ptr_equal(a->record, b->record);
    assert_ptr_not_equal(a->record, c->record);
    spf_policy_unref(a);
    spf_policy_unref(b);
    spf_policy_unref(c);
    spf_policy_cache_free(cache);
}

static void test_published_again(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(1 << 20);
    spf_query_t query = question("a.example");
    (void)state;

    spf_policy_unref(feed(cache, "a.example", "v=spf1 -all", 60, 0));
    spf_policy_unref(feed(cache, "a.example", "v=spf1 ~all", 60, 30 * SECOND_US));
    assert_true(spf_policy_cache_answer(cache, &query, 80 * SECOND_US));
    assert_string_equal(query.policy->record->text, "v=spf1 ~all");
    spf_policy_unref(query.policy);
    spf_policy_cache_free(cache);
}

static void test_cap_and_order(void **state)
{
    enum { CAP = 20000, NAMES = 500 };
    spf_policy_cache_t *cache = spf_policy_cache_new(CAP);
    char name[32];
    char text[64];
    (void)state;

    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "d%u.example", i);
        snprintf(text, sizeof text, "v=spf1 ip4:192.0.2.%u -all", i % 256);
        spf_policy_unref(feed(cache, name, text, 60, 0));
        assert_true(spf_policy_cache_bytes(cache) <= CAP);
        assert_true(i == 0 || is_kept(cache, "d0.example", 0)); /* used all the while, so it stays */
    }
    assert_true(is_kept(cache, "d499.example", 0));
    assert_false(is_kept(cache, "d1.example", 0));
    assert_true(spf_policy_cache_entries(cache) > 10);
    spf_policy_cache_free(cache);
}

static void test_what_does_not_fit_is_not_kept(void **state)
{
    spf_policy_cache_t *cache = spf_policy_cache_new(64);
    spf_policy_cache_t *none = spf_policy_cache_new(0);
    (void)state;

    spf_policy_unref(feed(cache, "a.example", "v=spf1 -all", 60, 0));
    assert_int_equal(spf_policy_cache_entries(cache), 0);
    spf_policy_unref(feed(none, "a.example", "v=spf1 -all", 60, 0));
    assert_false(is_kept(none, "a.example", 0));
    spf_policy_cache_free(cache);
    spf_policy_cache_free(none);
}

/* A cached record and a fresh one give the same verdict, counters and trace. */
static void test_a_kept_record_changes_nothing(void **state)
{
    static const char *const senders[] = {"ann@example.com", "ann@none.example", "ann@nx.example",
                                          "ann@two.example", "ann@bad.example",  "ann@loop.example"};
    zone_t *zone = zone_new();
    memory_resolver_t *resolver;
    spf_context_t *context;
    (void)state;

    zone_add_lines(zone, "example.com TXT v=spf1 a mx include:inner.example include:other.example -all\n"
                         "inner.example TXT v=spf1 ip4:192.0.2.3 -all\n"
                         "other.example A 192.0.2.4\n"
                         "none.example A 192.0.2.4\n"
                         "two.example TXT v=spf1 -all\n"
                         "two.example TXT v=spf1 +all\n"
                         "bad.example TXT v=spf1 ip4:1 -all\n"
                         "loop.example TXT v=spf1 include:loop.example -all\n");
    resolver = memory_resolver_new(zone);
    memory_resolver_set_options(resolver, &(memory_options_t){.ttl_s = 3600});
    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &memory_resolver_ops, resolver), SPF_OK);
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        spf_check_t *checks[2];
        unsigned asked[2];
        for (size_t k = 0; k < 2; k++) {
            memory_resolver_reset_counters(resolver);
            assert_int_equal(spf_check_new(&checks[k], context), SPF_OK);
            assert_int_equal(spf_check_set_ip(checks[k], "198.51.100.1"), SPF_OK);
            assert_int_equal(spf_check_set_sender(checks[k], senders[i], SPF_STRLEN), SPF_OK);
            assert_int_equal(spf_check_set_trace(checks[k], true), SPF_OK);
            assert_int_equal(spf_check_run(checks[k]), SPF_OK);
            asked[k] = memory_resolver_counters(resolver).queries;
        }
        assert_true(asked[1] < asked[0]);
        const spf_verdict_t *fresh = spf_check_verdict(checks[0]);
        const spf_verdict_t *kept = spf_check_verdict(checks[1]);
        assert_int_equal(fresh->result, kept->result);
        assert_string_equal(fresh->reason, kept->reason);
        assert_int_equal(fresh->lookups, kept->lookups);
        assert_int_equal(fresh->void_lookups, kept->void_lookups);
        assert_int_equal(fresh->dns_queries, kept->dns_queries);
        assert_int_equal(fresh->ttl_s, kept->ttl_s);
        assert_string_equal(spf_check_trace_text(checks[0]), spf_check_trace_text(checks[1]));
        spf_check_free(checks[0]);
        spf_check_free(checks[1]);
    }
    spf_context_release(context);
    memory_resolver_free(resolver);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_for_the_ttl),
        cmocka_unit_test(test_ttl_zero_is_not_kept),
        cmocka_unit_test(test_negative_answers_are_kept),
        cmocka_unit_test(test_records_are_shared_by_text),
        cmocka_unit_test(test_published_again),
        cmocka_unit_test(test_cap_and_order),
        cmocka_unit_test(test_what_does_not_fit_is_not_kept),
        cmocka_unit_test(test_a_kept_record_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
