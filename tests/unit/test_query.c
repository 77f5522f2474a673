/* SPDX-License-Identifier: MIT */
/* Answers given record by record. */
#include "core/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static spf_arena_t arena;
static unsigned answered;

static void on_answered(spf_query_t *query)
{
    assert_int_equal(query->state, SPF_QUERY_ANSWERED);
    answered++;
}

static spf_query_t make_query(uint16_t type)
{
    answered = 0;
    return (spf_query_t){.name = "example.com",
                         .name_length = 11,
                         .type = type,
                         .state = SPF_QUERY_ASKED,
                         .arena = &arena,
                         .answered = on_answered};
}

static int tear_down(void **state)
{
    (void)state;
    spf_arena_free(&arena);
    return 0;
}

static void test_what_is_asked(void **state)
{
    (void)state;
    spf_query_t query = make_query(SPF_TYPE_MX);
    size_t length;
    int token;
    assert_string_equal(spf_query_name(&query, &length), "example.com");
    assert_int_equal(length, 11);
    assert_non_null(spf_query_name(&query, NULL));
    assert_int_equal(spf_query_type(&query), SPF_TYPE_MX);
    assert_null(spf_query_token(&query));
    spf_query_set_token(&query, &token);
    assert_ptr_equal(spf_query_token(&query), &token);
}

static void test_many_records(void **state)
{
    (void)state;
    spf_query_t texts = make_query(SPF_TYPE_TXT);
    spf_query_t addresses = make_query(SPF_TYPE_AAAA);
    for (unsigned i = 0; i < 1000; i++) {
        char text[16];
        uint8_t octets[16] = {(uint8_t)(i >> 8), (uint8_t)i};
        int length = snprintf(text, sizeof text, "record %u", i);
        assert_int_equal(spf_query_add_text(&texts, text, (size_t)length), SPF_OK);
        assert_int_equal(spf_query_add_address(&addresses, octets, sizeof octets), SPF_OK);
    }
    spf_query_finish(&texts, SPF_DNS_ANSWER, 7, SPF_DNSSEC_SECURE, NULL);
    spf_query_finish(&addresses, SPF_DNS_ANSWER, 7, SPF_DNSSEC_INSECURE, NULL);
    assert_int_equal(answered, 2);
    assert_int_equal(texts.answer.count, 1000);
    assert_int_equal(texts.answer.ttl_s, 7);
    assert_int_equal(texts.answer.dnssec, SPF_DNSSEC_SECURE);
    assert_int_equal(addresses.answer.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof text, "record %u", i);
        assert_string_equal(texts.answer.texts[i].data, text);
        assert_int_equal(texts.answer.texts[i].length, strlen(text));
        assert_int_equal(addresses.answer.addresses[16 * i] << 8 | addresses.answer.addresses[16 * i + 1], i);
    }
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    static char huge[65536];
    spf_query_t a = make_query(SPF_TYPE_A);
    spf_query_t mx = make_query(SPF_TYPE_MX);
    spf_query_t txt = make_query(SPF_TYPE_TXT);
    uint8_t octets[16] = {0};
    assert_int_equal(spf_query_add_address(&a, octets, 16), SPF_EINVAL);
    assert_int_equal(spf_query_add_address(&mx, octets, 4), SPF_EINVAL);
    assert_int_equal(spf_query_add_host(&a, "x", 1), SPF_EINVAL);
    assert_int_equal(spf_query_add_host(&txt, "x", 1), SPF_EINVAL);
    assert_int_equal(spf_query_add_text(&mx, "x", 1), SPF_EINVAL);
    assert_int_equal(spf_query_add_text(&txt, huge, sizeof huge), SPF_EINVAL);
    assert_int_equal(a.answer.count + mx.answer.count + txt.answer.count, 0);
}

static void test_hosts_and_lengths(void **state)
{
    (void)state;
    spf_query_t query = make_query(SPF_TYPE_PTR);
    assert_int_equal(spf_query_add_host(&query, "mail.example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_query_add_host(&query, ".", 1), SPF_OK);
    assert_int_equal(spf_query_add_host(&query, "", 0), SPF_OK);
    spf_query_finish(&query, SPF_DNS_ANSWER, 0, SPF_DNSSEC_INSECURE, NULL);
    assert_int_equal(query.answer.count, 3);
    assert_int_equal(query.answer.texts[0].length, 16);
    assert_int_equal(query.answer.texts[1].length, 0);
    assert_int_equal(query.answer.texts[2].length, 0);
}

static void test_octets_of_any_value(void **state)
{
    (void)state;
    spf_query_t query = make_query(SPF_TYPE_TXT);
    assert_int_equal(spf_query_add_text(&query, "a\0\xFF", 3), SPF_OK);
    assert_int_equal(spf_query_add_text(&query, "a\0\xFF", 3), SPF_OK);
    spf_query_finish(&query, SPF_DNS_ANSWER, 0, SPF_DNSSEC_INSECURE, NULL);
    assert_int_equal(query.answer.count, 2);
    assert_memory_equal(query.answer.texts[1].data, "a\0\xFF", 4);
}

static void test_failure_forgets_records(void **state)
{
    static const struct {
        spf_dns_status_t status;
        spf_dnssec_t dnssec;
    } cases[] = {
        {SPF_DNS_NXDOMAIN, SPF_DNSSEC_SECURE},
        {SPF_DNS_TIMEOUT, SPF_DNSSEC_SECURE},
        {SPF_DNS_ERROR, SPF_DNSSEC_SECURE},
        {SPF_DNS_BOGUS, SPF_DNSSEC_BOGUS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spf_query_t query = make_query(SPF_TYPE_TXT);
        char detail[] = "because";
        assert_int_equal(spf_query_add_text(&query, "x", 1), SPF_OK);
        spf_query_finish(&query, cases[i].status, 9, SPF_DNSSEC_SECURE, detail);
        detail[0] = '\0';
        assert_int_equal(query.answer.status, cases[i].status);
        assert_int_equal(query.answer.dnssec, cases[i].dnssec);
        assert_int_equal(query.answer.count, 0);
        assert_null(query.answer.texts);
        assert_string_equal(query.answer.detail, "because");
    }
}

static void test_only_asked_queries_listen(void **state)
{
    static const uint8_t states[] = {SPF_QUERY_WANTED, SPF_QUERY_ANSWERED, SPF_QUERY_DROPPED};
    (void)state;
    for (size_t i = 0; i < sizeof states; i++) {
        spf_query_t query = make_query(SPF_TYPE_TXT);
        query.state = states[i];
        assert_int_equal(spf_query_add_text(&query, "x", 1), SPF_ESTATE);
        query.type = SPF_TYPE_MX;
        assert_int_equal(spf_query_add_host(&query, "x", 1), SPF_ESTATE);
        query.type = SPF_TYPE_A;
        assert_int_equal(spf_query_add_address(&query, (const uint8_t *)"1234", 4), SPF_ESTATE);
        spf_query_finish(&query, SPF_DNS_NXDOMAIN, 1, SPF_DNSSEC_SECURE, "x");
        spf_query_answer_packet(&query, (const uint8_t *)"", 0, SPF_DNSSEC_INSECURE);
        assert_int_equal(query.state, states[i]);
        assert_int_equal(query.answer.status, SPF_DNS_ANSWER);
        assert_int_equal(query.answer.count, 0);
        assert_int_equal(answered, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_asked),
        TEST(test_many_records),
        TEST(test_what_does_not_fit),
        TEST(test_hosts_and_lengths),
        TEST(test_octets_of_any_value),
        TEST(test_failure_forgets_records),
        TEST(test_only_asked_queries_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
