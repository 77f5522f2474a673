/* SPDX-License-Identifier: MIT */
/* The two header fields under values that want to break out of them, read back by grammars of their own. */
#include "report/report.h"
#include "unit/grammar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *const line_ends[] = {[SPF_FOLD_NONE] = "", [SPF_FOLD_LF] = "\n", [SPF_FOLD_CRLF] = "\r\n"};

static const char *const result_words[] = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};

static spf_verdict_t verdict_of(spf_result_t result, spf_identity_t identity)
{
    return (spf_verdict_t){
        .result = result,
        .cause = SPF_CAUSE_MATCH,
        .reason = "192.0.2.7 matches ip4:192.0.2.0/24 at offset 7 of example.com's record",
        .ip = "192.0.2.7",
        .sender = "ann@example.com",
        .helo = "mail.example.com",
        .receiver = "mx.example.org",
        .identity = identity,
        .checked_domain = "example.com",
        .domain = "example.com",
        .record = "v=spf1 ip4:192.0.2.0/24 -all",
        .record_length = 28,
        .term = "ip4:192.0.2.0/24",
        .term_offset = 7,
        .term_length = 16,
    };
}

static bool is_error(spf_result_t result)
{
    return result == SPF_RESULT_TEMPERROR || result == SPF_RESULT_PERMERROR;
}

/* ------------------------------------------------------------------------------------------- reading what is made */

static void fail_at(const char *what, const char *field, const char *at)
{
    fail_msg("%s: stops at \"%s\" of \"%s\"", what, at, field);
}

static void read_received_spf(grammar_received_spf_t *read, const spf_verdict_t *verdict, spf_fold_t fold)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    const char *field = spf_report_received_spf(&arena, verdict, fold);
    const char *at;

    assert_non_null(field);
    if ((at = grammar_bad_line(field, line_ends[fold])) != NULL)
        fail_at("bad line", field, at);
    if ((at = grammar_read_received_spf(read, field, line_ends[fold])) != NULL)
        fail_at("grammar", field, at);
    spf_arena_free(&arena);
}

static void read_results(grammar_results_t *read, const spf_verdict_t *verdict, spf_fold_t fold, bool authserv_id)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    const char *field = spf_report_authentication_results(&arena, verdict, fold, authserv_id);
    const char *at;

    assert_non_null(field);
    if ((at = grammar_bad_line(field, line_ends[fold])) != NULL)
        fail_at("bad line", field, at);
    if ((at = grammar_read_results(read, field, line_ends[fold], authserv_id)) != NULL)
        fail_at("grammar", field, at);
    spf_arena_free(&arena);
}

static const struct grammar_pair *pair_of(const grammar_received_spf_t *read, const char *key)
{
    const struct grammar_pair *found = NULL;
    for (size_t i = 0; i < read->pair_count; i++) {
        if (strcmp(read->pairs[i].key.data, key) != 0)
            continue;
        assert_null(found); /* once at most */
        found = &read->pairs[i];
    }
    return found;
}

/* The value that a key has; NULL: the key is not there. */
static void assert_pair(const grammar_received_spf_t *read, const char *key, const char *value)
{
    const struct grammar_pair *pair = pair_of(read, key);
    if (value == NULL) {
        assert_null(pair);
        return;
    }
    assert_non_null(pair);
    assert_string_equal(pair->value.data, value);
}

/* ---------------------------------------------------------------------------------------------------- plain values */

static void received_spf_gives_every_pair(void **state)
{
    (void)state;
    for (spf_result_t result = SPF_RESULT_NONE; result <= SPF_RESULT_PERMERROR; result++) {
        for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++) {
            for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
                spf_verdict_t verdict = verdict_of(result, identity);
                bool is_helo = identity == SPF_IDENTITY_HELO;
                grammar_received_spf_t read;

                read_received_spf(&read, &verdict, fold);
                assert_string_equal(read.result.data, result_words[result]);
                assert_pair(&read, "client-ip", "192.0.2.7");
                assert_pair(&read, "envelope-from", is_helo ? NULL : "ann@example.com");
                assert_pair(&read, "helo", "mail.example.com");
                assert_pair(&read, "receiver", "mx.example.org");
                assert_pair(&read, "identity", is_helo ? "helo" : "mailfrom");
                assert_pair(&read, "mechanism", "ip4:192.0.2.0/24");
                assert_pair(&read, "problem", is_error(result) ? verdict.reason : NULL);
                assert_int_equal(read.pair_count, 5 + !is_helo + is_error(result));
                assert_non_null(strstr(read.comment.data, is_helo ? " mail.example.com " : " ann@example.com "));
            }
        }
    }
}

static void received_spf_as_published(void **state)
{
    static const struct {
        spf_result_t result;
        const char *field;
    } rows[] = {
        {SPF_RESULT_PASS, "Received-SPF: pass (mx.example.org: domain of ann@example.com designates\n"
                          "\t192.0.2.7 as permitted sender) client-ip=192.0.2.7;\n"
                          "\tenvelope-from=\"ann@example.com\"; helo=mail.example.com;\n"
                          "\treceiver=mx.example.org; identity=mailfrom;\n"
                          "\tmechanism=\"ip4:192.0.2.0/24\";"},
        {SPF_RESULT_TEMPERROR, "Received-SPF: temperror (mx.example.org: domain of ann@example.com could not\n"
                               "\tbe asked about 192.0.2.7 for the time being) client-ip=192.0.2.7;\n"
                               "\tenvelope-from=\"ann@example.com\"; helo=mail.example.com;\n"
                               "\treceiver=mx.example.org; identity=mailfrom;\n"
                               "\tmechanism=\"ip4:192.0.2.0/24\"; problem=\"192.0.2.7 matches\n"
                               "\tip4:192.0.2.0/24 at offset 7 of example.com's record\";"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        spf_verdict_t verdict = verdict_of(rows[i].result, SPF_IDENTITY_MAILFROM);
        assert_string_equal(spf_report_received_spf(&arena, &verdict, SPF_FOLD_LF), rows[i].field);
        spf_arena_free(&arena);
    }
}

/* "value is dot-atom / quoted-string": a colon is in no dot-atom. */
static void an_ipv6_client_is_quoted(void **state)
{
    spf_verdict_t verdict = verdict_of(SPF_RESULT_PASS, SPF_IDENTITY_MAILFROM);
    grammar_received_spf_t read;

    (void)state;
    verdict.ip = "2001:db8::1";
    read_received_spf(&read, &verdict, SPF_FOLD_LF);
    assert_pair(&read, "client-ip", "2001:db8::1");
    assert_true(pair_of(&read, "client-ip")->is_quoted);
}

static void without_a_match_the_mechanism_is_default(void **state)
{
    spf_verdict_t verdict = verdict_of(SPF_RESULT_PERMERROR, SPF_IDENTITY_MAILFROM);
    grammar_received_spf_t read;

    (void)state;
    verdict.cause = SPF_CAUSE_SYNTAX;
    read_received_spf(&read, &verdict, SPF_FOLD_LF);
    assert_pair(&read, "mechanism", "default");
    verdict.cause = SPF_CAUSE_NO_RECORD;
    verdict.term = NULL;
    read_received_spf(&read, &verdict, SPF_FOLD_LF);
    assert_pair(&read, "mechanism", "default");
}

static void results_give_result_reason_and_property(void **state)
{
    (void)state;
    for (spf_result_t result = SPF_RESULT_NONE; result <= SPF_RESULT_PERMERROR; result++) {
        for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
            for (int authserv_id = 0; authserv_id <= 1; authserv_id++) {
                spf_verdict_t verdict = verdict_of(result, SPF_IDENTITY_MAILFROM);
                grammar_results_t read;

                read_results(&read, &verdict, fold, authserv_id != 0);
                assert_string_equal(read.authserv_id.data, authserv_id != 0 ? "mx.example.org" : "");
                assert_string_equal(read.method.data, "spf");
                assert_string_equal(read.result.data, result_words[result]);
                assert_string_equal(read.reason.data, verdict.reason);
                assert_string_equal(read.ptype.data, "smtp");
                assert_string_equal(read.property.data, "mailfrom");
                assert_string_equal(read.pvalue.data, "example.com");
                assert_true(read.is_mailbox);
            }
        }
    }
}

/* RFC 8601 section 2.7.2: the local part is told only where the policy has provisions for it. */
static void properties_tell_what_was_checked(void **state)
{
    static const struct {
        spf_identity_t identity;
        const char *sender, *helo, *record;
        const char *property, *pvalue; /* NULL: there is none */
        bool is_mailbox;
    } rows[] = {
        {SPF_IDENTITY_MAILFROM, "ann@example.com", "h.example.com", "v=spf1 -all", "mailfrom", "example.com", true},
        {SPF_IDENTITY_MAILFROM, "ann@example.com", "h.example.com", NULL, "mailfrom", "example.com", true},
        {SPF_IDENTITY_MAILFROM, "ann@example.com", "h.example.com", "v=spf1 exists:%{l}.x.example.com -all", "mailfrom",
         "ann@example.com", true},
        {SPF_IDENTITY_MAILFROM, "ann@example.com", "h.example.com", "v=spf1 exists:%{S1r}.x.example.com -all",
         "mailfrom", "ann@example.com", true},
        {SPF_IDENTITY_MAILFROM, "ann@example.com", "h.example.com", "v=spf1 exists:%{o}.%%{l}.x.example.com -all",
         "mailfrom", "example.com", true},
        {SPF_IDENTITY_MAILFROM, "a b@example.com", "h.example.com", "v=spf1 a:%{l}.x.example.com", "mailfrom",
         "a b@example.com", true},
        {SPF_IDENTITY_MAILFROM, "jos\xc3\xa9@example.com", "h.example.com", "v=spf1 a:%{l}.x.example.com", "mailfrom",
         "jos\xc3\xa9@example.com", true},
        {SPF_IDENTITY_MAILFROM, "a@b@example.com", "h.example.com", "v=spf1 a:%{l}.x.example.com", "mailfrom",
         "a@b@example.com", true},
        {SPF_IDENTITY_MAILFROM, "ann@exam ple.com", "h.example.com", NULL, "mailfrom", "exam ple.com", false},
        {SPF_IDENTITY_MAILFROM, "ann@[192.0.2.1]", "h.example.com", NULL, "mailfrom", "[192.0.2.1]", false},
        {SPF_IDENTITY_MAILFROM, "ann@exam_ple.com", "h.example.com", "v=spf1 a:%{l}.x.example.com", "mailfrom",
         "ann@exam_ple.com", false},
        {SPF_IDENTITY_MAILFROM, "ann@localhost", "h.example.com", NULL, "mailfrom", "localhost", false},
        {SPF_IDENTITY_MAILFROM, "ann@-x.example.com", "h.example.com", NULL, "mailfrom", "-x.example.com", false},
        {SPF_IDENTITY_MAILFROM, "postmaster@", "", NULL, NULL, NULL, false},
        {SPF_IDENTITY_HELO, "ann@example.com", "h.example.com", NULL, "helo", "h.example.com", true},
        {SPF_IDENTITY_HELO, "ann@example.com", "[192.0.2.1]", NULL, "helo", "[192.0.2.1]", false},
        {SPF_IDENTITY_HELO, "ann@example.com", "", NULL, NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        spf_verdict_t verdict = verdict_of(SPF_RESULT_PASS, rows[i].identity);
        grammar_results_t read;

        verdict.sender = rows[i].sender;
        verdict.helo = rows[i].helo;
        verdict.record = rows[i].record;
        verdict.record_length = rows[i].record != NULL ? strlen(rows[i].record) : 0;
        read_results(&read, &verdict, SPF_FOLD_CRLF, true);
        assert_int_equal(read.has_property, rows[i].property != NULL);
        if (rows[i].property == NULL)
            continue;
        assert_string_equal(read.property.data, rows[i].property);
        /* The quotes of a local part are its own, and were taken off with their escapes. */
        assert_string_equal(read.pvalue.data, rows[i].pvalue);
        assert_int_equal(read.is_mailbox, rows[i].is_mailbox);
    }
}

/* -------------------------------------------------------------------------------------------------- hostile values */

static char long_name[4097], long_words[4097], long_quotes[4097], long_escapes[4097], long_utf8[4097];

static int make_long_values(void **state)
{
    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    memset(long_quotes, '"', sizeof(long_quotes) - 1);
    memset(long_escapes, '\\', sizeof(long_escapes) - 1);
    for (size_t i = 0; i < sizeof(long_words) - 1; i++)
        long_words[i] = i % 7 == 6 ? ' ' : 'w';
    for (size_t i = 0; i + 1 < sizeof(long_utf8); i++)
        long_utf8[i] = i % 2 == 0 ? '\xc3' : '\xa9';
    return 0;
}

/* What a value may become: itself with what is no text replaced. */
static const struct hostile {
    const char *raw;
    const char *clean; /* NULL: raw */
} hostile[] = {
    {"x; result=pass", NULL},
    {"a\r\nSubject: spam", "a??Subject: spam"},
    {"a\nReceived-SPF: pass", "a?Received-SPF: pass"},
    {"a\r\n\r\nbody", "a????body"},
    {"tab\there", "tab?here"},
    {"a\" b", NULL},
    {"\"; receiver=evil.example; x=\"", NULL},
    {"(", NULL},
    {")", NULL},
    {") pass (", NULL},
    {"\\", NULL},
    {"a\\", NULL},
    {"\\\"", NULL},
    {"a\\\r\n b", "a\\?? b"},
    {"", NULL},
    {" ", NULL},
    {"  two  spaces  ", NULL},
    {"jos\xc3\xa9", NULL},
    {"\xff\xfe", "??"},
    {"\xc3", "?"},
    {"\xc3\xa9\xc3", "\xc3\xa9?"},
    {"\xc0\x8d\xc0\x8a", "????"},
    {"\xc2\x85", "??"},
    {"\xed\xa0\x80", "???"},
    {"\x7f\x01\x1b[31m", "???[31m"},
    {"a..b", NULL},
    {".a", NULL},
    {"-", NULL},
    {"=?utf-8?q?=0d?=", NULL},
    {long_name, NULL},
    {long_words, NULL},
    {long_quotes, NULL},
    {long_escapes, NULL},
    {long_utf8, NULL},
};

enum { SHORT_MAX = 36 }; /* a value of this length is never cut */

static void assert_value(const struct hostile *value, const char *read)
{
    const char *clean = value->clean != NULL ? value->clean : value->raw;
    if (strlen(clean) <= SHORT_MAX)
        assert_string_equal(read, clean);
    else
        assert_non_null(strstr(read, "..."));
}

/* Where the values stand. */
static void set_helo(spf_verdict_t *verdict, const char *value)
{
    verdict->helo = value;
}

static void set_sender(spf_verdict_t *verdict, const char *value)
{
    verdict->sender = value;
}

static void set_receiver(spf_verdict_t *verdict, const char *value)
{
    verdict->receiver = value;
}

static void set_term(spf_verdict_t *verdict, const char *value)
{
    verdict->term = value;
    verdict->term_length = strlen(value);
}

static void set_reason(spf_verdict_t *verdict, const char *value)
{
    verdict->reason = value;
}

static void set_all(spf_verdict_t *verdict, const char *value)
{
    verdict->ip = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff";
    set_helo(verdict, value);
    set_sender(verdict, value);
    set_receiver(verdict, value);
    set_term(verdict, value);
    set_reason(verdict, value);
}

static const struct {
    const char *key;
    void (*set)(spf_verdict_t *verdict, const char *value);
} places[] = {{"helo", set_helo},      {"envelope-from", set_sender}, {"receiver", set_receiver},
              {"mechanism", set_term}, {"problem", set_reason},       {NULL, set_all}};

/* Nothing but the value itself is any different from what a tame value gives. */
static void check_received_spf(const spf_verdict_t *verdict, const char *key, const struct hostile *value,
                               spf_fold_t fold)
{
    static const char *const keys[] = {"client-ip", "envelope-from", "helo",   "receiver",
                                       "identity",  "mechanism",     "problem"};
    grammar_received_spf_t read;

    read_received_spf(&read, verdict, fold);
    assert_string_equal(read.result.data, result_words[verdict->result]);
    assert_int_equal(read.pair_count, 5 + (verdict->identity == SPF_IDENTITY_MAILFROM) + is_error(verdict->result));
    for (size_t i = 0; i < read.pair_count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < ARRAY_LENGTH(keys); j++)
            is_known = is_known || strcmp(read.pairs[i].key.data, keys[j]) == 0;
        assert_true(is_known);
        pair_of(&read, read.pairs[i].key.data);
    }
    if (key != NULL && pair_of(&read, key) != NULL)
        assert_value(value, pair_of(&read, key)->value.data);
}

static void check_results(const spf_verdict_t *verdict, const char *key, const struct hostile *value, spf_fold_t fold)
{
    grammar_results_t read;

    read_results(&read, verdict, fold, true);
    assert_string_equal(read.method.data, "spf");
    assert_string_equal(read.result.data, result_words[verdict->result]);
    if (key != NULL && strcmp(key, "receiver") == 0)
        assert_value(value, read.authserv_id.data);
    if (key != NULL && strcmp(key, "problem") == 0)
        assert_value(value, read.reason.data);
    if (key != NULL && strcmp(key, "helo") == 0 && verdict->identity == SPF_IDENTITY_HELO && read.has_property)
        assert_value(value, read.pvalue.data);
    read_results(&read, verdict, fold, false);
}

static void check_place(size_t place, const struct hostile *value)
{
    for (spf_result_t result = SPF_RESULT_NONE; result <= SPF_RESULT_PERMERROR; result++) {
        for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++) {
            spf_verdict_t verdict = verdict_of(result, identity);
            places[place].set(&verdict, value->raw);
            for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
                check_received_spf(&verdict, places[place].key, value, fold);
                check_results(&verdict, places[place].key, value, fold);
            }
        }
    }
}

static void hostile_values_stay_values(void **state)
{
    (void)state;
    for (size_t place = 0; place < ARRAY_LENGTH(places); place++)
        for (size_t i = 0; i < ARRAY_LENGTH(hostile); i++)
            check_place(place, &hostile[i]);
}

/* A hostile local part where the policy makes it part of the property. */
static void hostile_local_parts_stay_local_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(hostile); i++) {
        char sender[5000];
        spf_verdict_t verdict = verdict_of(SPF_RESULT_PASS, SPF_IDENTITY_MAILFROM);
        grammar_results_t read;

        snprintf(sender, sizeof(sender), "%s@example.com", hostile[i].raw);
        verdict.sender = sender;
        verdict.record = "v=spf1 exists:%{l}.example.com -all";
        verdict.record_length = strlen(verdict.record);
        for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
            read_results(&read, &verdict, fold, true);
            assert_true(read.has_property);
            assert_true(read.is_mailbox);
            assert_string_equal(strrchr(read.pvalue.data, '@'), "@example.com");
            *strrchr(read.pvalue.data, '@') = '\0';
            assert_value(&hostile[i], read.pvalue.data);
        }
    }
}

/* Wherever in a line a value comes to stand: no fold may leave a line of blanks. */
static void values_fold_at_every_column(void **state)
{
    static const char *const values[] = {
        "  x",  "  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
        " ",    "a  b",
        "a b ", "\" \"",
        "( (",  "\\ \\"};
    char receiver[90];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        for (size_t length = 1; length < sizeof(receiver); length++) {
            spf_verdict_t verdict = verdict_of(SPF_RESULT_PERMERROR, SPF_IDENTITY_MAILFROM);
            memset(receiver, 'r', length);
            receiver[length] = '\0';
            set_all(&verdict, values[i]);
            verdict.receiver = receiver;
            for (spf_fold_t fold = SPF_FOLD_LF; fold <= SPF_FOLD_CRLF; fold++) {
                check_received_spf(&verdict, NULL, NULL, fold);
                check_results(&verdict, NULL, NULL, fold);
            }
        }
    }
}

/* A record's octets have lengths; NUL ends nothing. */
static void nul_in_a_term_is_replaced(void **state)
{
    spf_verdict_t verdict = verdict_of(SPF_RESULT_PASS, SPF_IDENTITY_MAILFROM);
    grammar_received_spf_t read;

    (void)state;
    verdict.term = "a\0b";
    verdict.term_length = 3;
    read_received_spf(&read, &verdict, SPF_FOLD_NONE);
    assert_pair(&read, "mechanism", "a?b");
}

/* Long names keep their ends, long lines their limits. */
static void long_values_keep_their_ends(void **state)
{
    char sender[5000];
    spf_verdict_t verdict = verdict_of(SPF_RESULT_FAIL, SPF_IDENTITY_MAILFROM);
    grammar_received_spf_t read;
    const char *value;

    (void)state;
    snprintf(sender, sizeof(sender), "%s@example.com", long_name);
    verdict.sender = sender;
    for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
        read_received_spf(&read, &verdict, fold);
        value = pair_of(&read, "envelope-from")->value.data;
        assert_memory_equal(value, "aaaa", 4);
        assert_string_equal(strrchr(value, '@'), "@example.com");
        assert_in_range(strlen(value), 36, 448);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_spf_gives_every_pair),
        cmocka_unit_test(received_spf_as_published),
        cmocka_unit_test(an_ipv6_client_is_quoted),
        cmocka_unit_test(without_a_match_the_mechanism_is_default),
        cmocka_unit_test(results_give_result_reason_and_property),
        cmocka_unit_test(properties_tell_what_was_checked),
        cmocka_unit_test(hostile_values_stay_values),
        cmocka_unit_test(hostile_local_parts_stay_local_parts),
        cmocka_unit_test(values_fold_at_every_column),
        cmocka_unit_test(nul_in_a_term_is_replaced),
        cmocka_unit_test(long_values_keep_their_ends),
    };
    return cmocka_run_group_tests(tests, make_long_values, NULL);
}
