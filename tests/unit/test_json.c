/* SPDX-License-Identifier: MIT */
/* The JSON object, read back by jansson's own parser; and with jansson short of memory at every point. */
#include "report/report.h"
#include "unit/evaluation.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const evaluation_input_t input = {.zone = "example.com TXT v=spf1 a include:_spf.example.net -all\n"
                                                 "_spf.example.net TXT v=spf1 ip4:192.0.2.0/24\n",
                                         .ip = "192.0.2.7",
                                         .sender = "ann@example.com",
                                         .helo = "mail.example.com"};

static spf_verdict_t full_verdict(void)
{
    static const char record[] = "v=spf1 a include:_spf.example.net -all";
    return (spf_verdict_t){
        .result = SPF_RESULT_PASS,
        .cause = SPF_CAUSE_MATCH,
        .reason = "the reason",
        .ip = "192.0.2.7",
        .sender = "ann@example.com",
        .helo = "mail.example.com",
        .receiver = "mx.example.org",
        .identity = SPF_IDENTITY_MAILFROM,
        .checked_domain = "example.com",
        .domain = "example.com",
        .record = record,
        .record_length = sizeof(record) - 1,
        .term = "include:_spf.example.net",
        .term_offset = 9,
        .term_length = 24,
        .target = "_spf.example.net",
        .lookups = 2,
        .void_lookups = 1,
        .dns_queries = 3,
        .ttl_s = 300,
        .elapsed_us = 12345,
        .dnssec = SPF_DNSSEC_SECURE,
    };
}

/* The object for a verdict and the trace of `input`. */
static json_t *object_for(const spf_verdict_t *verdict)
{
    evaluation_t evaluation;
    json_error_t error;
    const char *text;
    json_t *object;

    evaluation_run(&evaluation, &input);
    text = spf_report_json(&evaluation.arena, verdict, evaluation.eval);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    object = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (object == NULL)
        fail_msg("%s in %s", error.text, text);
    evaluation_free(&evaluation);
    return object;
}

static void assert_text(const json_t *object, const char *key, const char *text)
{
    const json_t *value = json_object_get(object, key);
    assert_non_null(value);
    if (text == NULL)
        assert_true(json_is_null(value));
    else
        assert_string_equal(json_string_value(value), text);
}

static void assert_number(const json_t *object, const char *key, json_int_t number)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    assert_int_equal(json_integer_value(value), number);
}

static void assert_null_member(const json_t *object, const char *key)
{
    assert_true(json_is_null(json_object_get(object, key)));
}

static void assert_keys(json_t *object, const char *const *keys, size_t count)
{
    const char *key;
    json_t *value;
    size_t i = 0;

    json_object_foreach(object, key, value)
    {
        assert_in_range(i, 0, count - 1);
        assert_string_equal(key, keys[i++]);
    }
    assert_int_equal(i, count);
}

static void keys_stand_in_their_order(void **state)
{
    static const char *const keys[] = {
        "result",      "reason",       "explanation", "domain",         "identity",     "ip",
        "sender",      "helo",         "term",        "record",         "lookups",      "void_lookups",
        "dns_queries", "ttl",          "elapsed_ms",  "would_be",       "received_spf", "authentication_results",
        "smtp_reply",  "trace",        "cause",       "checked_domain", "receiver",     "term_offset",
        "term_length", "error_offset", "target",      "dnssec",         "terms"};
    static const char *const reply_keys[] = {"code", "enhanced", "text"};
    static const char *const step_keys[] = {"depth",  "domain",  "term",    "term_offset",  "term_length", "target",
                                            "answer", "outcome", "lookups", "void_lookups", "note"};
    static const char *const term_keys[] = {"domain", "term", "target", "void", "dns_queries"};
    spf_verdict_t verdict = full_verdict();
    json_t *object = object_for(&verdict);

    (void)state;
    assert_keys(object, keys, ARRAY_LENGTH(keys));
    assert_keys(json_object_get(object, "smtp_reply"), reply_keys, ARRAY_LENGTH(reply_keys));
    assert_keys(json_array_get(json_object_get(object, "trace"), 0), step_keys, ARRAY_LENGTH(step_keys));
    assert_keys(json_array_get(json_object_get(object, "terms"), 0), term_keys, ARRAY_LENGTH(term_keys));
    json_decref(object);
}

static void members_give_the_verdict(void **state)
{
    spf_verdict_t verdict = full_verdict();
    json_t *object = object_for(&verdict);
    const json_t *reply = json_object_get(object, "smtp_reply");

    (void)state;
    assert_text(object, "result", "pass");
    assert_text(object, "reason", "the reason");
    assert_text(object, "explanation", NULL);
    assert_text(object, "domain", "example.com");
    assert_text(object, "identity", "mailfrom");
    assert_text(object, "ip", "192.0.2.7");
    assert_text(object, "sender", "ann@example.com");
    assert_text(object, "helo", "mail.example.com");
    assert_text(object, "term", "include:_spf.example.net");
    assert_text(object, "record", verdict.record);
    assert_number(object, "lookups", 2);
    assert_number(object, "void_lookups", 1);
    assert_number(object, "dns_queries", 3);
    assert_number(object, "ttl", 300);
    assert_true(json_real_value(json_object_get(object, "elapsed_ms")) == 12.345);
    assert_text(object, "would_be", NULL);
    assert_int_equal(strncmp(json_string_value(json_object_get(object, "received_spf")), "Received-SPF: pass (", 20),
                     0);
    assert_int_equal(strncmp(json_string_value(json_object_get(object, "authentication_results")),
                             "Authentication-Results: mx.example.org; spf=pass ", 49),
                     0);
    assert_number(reply, "code", 250);
    assert_text(reply, "enhanced", "2.7.0");
    assert_text(reply, "text", "SPF MAIL FROM check passed: the reason");
    assert_text(object, "cause", "match");
    assert_text(object, "checked_domain", "example.com");
    assert_text(object, "receiver", "mx.example.org");
    assert_number(object, "term_offset", 9);
    assert_number(object, "term_length", 24);
    assert_null_member(object, "error_offset");
    assert_text(object, "target", "_spf.example.net");
    assert_text(object, "dnssec", "secure");
    json_decref(object);
}

static void what_there_is_not_is_null(void **state)
{
    static const char *const nulls[] = {"explanation", "term",        "record", "ttl",
                                        "term_offset", "term_length", "target", "error_offset"};
    spf_verdict_t verdict = full_verdict();
    json_t *object;

    (void)state;
    verdict.term = verdict.record = verdict.target = NULL;
    verdict.ttl_s = -1;
    verdict.has_would_be = true;
    verdict.would_be = SPF_RESULT_SOFTFAIL;
    object = object_for(&verdict);
    for (size_t i = 0; i < ARRAY_LENGTH(nulls); i++)
        assert_null_member(object, nulls[i]);
    assert_text(object, "would_be", "softfail");
    json_decref(object);

    verdict = full_verdict();
    verdict.cause = SPF_CAUSE_SYNTAX;
    verdict.error_offset = 12;
    object = object_for(&verdict);
    assert_number(object, "error_offset", 12);
    json_decref(object);
}

static void trace_and_terms_are_the_evaluation(void **state)
{
    static const struct {
        json_int_t depth;
        const char *domain, *term, *target, *outcome;
        json_int_t offset, lookups;
    } steps[] = {
        {0, "example.com", NULL, NULL, "record", -1, 0},
        {0, "example.com", "a", "example.com", "no match", 7, 1},
        {0, "example.com", "include:_spf.example.net", "_spf.example.net", "match", 9, 2},
        {1, "_spf.example.net", NULL, NULL, "record", -1, 2},
        {1, "_spf.example.net", "ip4:192.0.2.0/24", NULL, "match", 7, 2},
    };
    static const struct {
        const char *term, *target;
        bool is_void;
    } terms[] = {{"a", "example.com", true}, {"include:_spf.example.net", "_spf.example.net", false}};
    spf_verdict_t verdict = full_verdict();
    json_t *object = object_for(&verdict);
    const json_t *trace = json_object_get(object, "trace"), *counted = json_object_get(object, "terms");

    (void)state;
    assert_int_equal(json_array_size(trace), ARRAY_LENGTH(steps));
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        const json_t *step = json_array_get(trace, i);
        assert_number(step, "depth", steps[i].depth);
        assert_text(step, "domain", steps[i].domain);
        assert_text(step, "term", steps[i].term);
        assert_text(step, "target", steps[i].target);
        assert_text(step, "outcome", steps[i].outcome);
        assert_number(step, "lookups", steps[i].lookups);
        if (steps[i].offset < 0)
            assert_null_member(step, "term_offset");
        else
            assert_number(step, "term_offset", steps[i].offset);
    }
    assert_int_equal(json_array_size(counted), ARRAY_LENGTH(terms));
    for (size_t i = 0; i < ARRAY_LENGTH(terms); i++) {
        const json_t *term = json_array_get(counted, i);
        assert_text(term, "domain", "example.com");
        assert_text(term, "term", terms[i].term);
        assert_text(term, "target", terms[i].target);
        assert_true(json_is_boolean(json_object_get(term, "void")));
        assert_int_equal(json_is_true(json_object_get(term, "void")), terms[i].is_void);
        assert_number(term, "dns_queries", 1);
    }
    json_decref(object);
}

/* A record may hold any octets: what is no character becomes U+FFFD, controls are JSON's to escape. */
static void any_octets_become_utf8(void **state)
{
    static const struct {
        const char *raw, *text;
        size_t raw_length, text_length;
    } rows[] = {
        {"v=spf1 \xff", "v=spf1 \xef\xbf\xbd", 8, 10},
        {"a\0b", "a\0b", 3, 3},
        {"\xc3\xa9\xc3", "\xc3\xa9\xef\xbf\xbd", 3, 5},
        {"\t\r\n\"\\\x7f", "\t\r\n\"\\\x7f", 6, 6},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3, 9},
        {"", "", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        spf_verdict_t verdict = full_verdict();
        json_t *object, *value;

        verdict.record = verdict.term = rows[i].raw;
        verdict.record_length = verdict.term_length = rows[i].raw_length;
        object = object_for(&verdict);
        value = json_object_get(object, "record");
        assert_int_equal(json_string_length(value), rows[i].text_length);
        assert_memory_equal(json_string_value(value), rows[i].text, rows[i].text_length);
        assert_string_equal(json_string_value(json_object_get(object, "term")), json_string_value(value));
        json_decref(object);
    }
}

/* Hostile octets in every text at once. */
static void nothing_makes_it_fail(void **state)
{
    (void)state;
    for (int octet = 1; octet < 256; octet++) {
        char text[] = {(char)octet, ' ', (char)octet, (char)octet, '\0'};
        spf_verdict_t verdict = full_verdict();

        verdict.reason = verdict.explanation = verdict.sender = verdict.helo = verdict.receiver = text;
        verdict.domain = verdict.checked_domain = verdict.target = text;
        json_decref(object_for(&verdict));
    }
}

/* Longer than the buffer that most objects fit. */
static void long_objects_are_whole(void **state)
{
    char record[20001];
    spf_verdict_t verdict = full_verdict();
    json_t *object;

    (void)state;
    for (size_t length = 1; length < sizeof(record); length += 111) {
        memset(record, 'r', length);
        record[length] = '\0';
        verdict.record = record;
        verdict.record_length = length;
        object = object_for(&verdict);
        assert_text(object, "record", record);
        json_decref(object);
    }
}

static size_t allocation_count, failing_allocation, allocations_live;

/* Only the one fails: what comes after it must not hide it. */
static void *failing_malloc(size_t size)
{
    void *memory = ++allocation_count != failing_allocation ? malloc(size) : NULL;
    allocations_live += memory != NULL;
    return memory;
}

static void counting_free(void *memory)
{
    allocations_live -= memory != NULL;
    free(memory);
}

/* NULL, and everything freed, wherever jansson runs out of memory. */
static void no_memory_is_no_object(void **state)
{
    spf_verdict_t verdict = full_verdict();
    evaluation_t evaluation;
    const char *text = NULL, *whole;
    size_t failures = 0;

    (void)state;
    evaluation_run(&evaluation, &input);
    whole = spf_report_json(&evaluation.arena, &verdict, evaluation.eval);
    assert_non_null(whole);
    json_set_alloc_funcs(failing_malloc, counting_free);
    for (failing_allocation = 1; text == NULL || allocation_count >= failing_allocation; failing_allocation++) {
        allocation_count = 0;
        text = spf_report_json(&evaluation.arena, &verdict, evaluation.eval);
        failures += text == NULL;
        if (text != NULL)
            assert_string_equal(text, whole);
        assert_int_equal(allocations_live, 0);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 100);
    evaluation_free(&evaluation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_stand_in_their_order), cmocka_unit_test(members_give_the_verdict),
        cmocka_unit_test(what_there_is_not_is_null), cmocka_unit_test(trace_and_terms_are_the_evaluation),
        cmocka_unit_test(any_octets_become_utf8),    cmocka_unit_test(nothing_makes_it_fail),
        cmocka_unit_test(long_objects_are_whole),    cmocka_unit_test(no_memory_is_no_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
