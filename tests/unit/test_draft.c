/* SPDX-License-Identifier: MIT */
/* Drafts as they are written: zone-file lines, updates, JSON, and how many octets an answer has. */
#include "tools/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static spf_draft_t *make(const char *domain, const char *text)
{
    spf_draft_t *draft = spf_draft_new(domain, strlen(domain));

    assert_non_null(draft);
    assert_true(spf_draft_add_record(draft, domain, text, strlen(text)));
    return draft;
}

static void zone_lines(void **state)
{
    static const struct {
        const char *domain, *text;
        uint32_t ttl_s;
        const char *line;
    } cases[] = {
        {"example.com", "v=spf1 -all", 0, "example.com. IN TXT \"v=spf1 -all\""},
        {"example.com", "v=spf1 -all", 4294967295u, "example.com. 4294967295 IN TXT \"v=spf1 -all\""},
        {"", "v=spf1 -all", 300, "@ 300 IN TXT \"v=spf1 -all\""},
        {"example.com", "", 0, "example.com. IN TXT \"\""},
        {"example.com", "v=spf1 exists:\"%{i}\\;.example.com", 0,
         "example.com. IN TXT \"v=spf1 exists:\\\"%{i}\\\\;.example.com\""},
        {"a b.\xc3$@(;.example-1_2", "x", 0, "a\\032b.\\195\\$\\@\\(\\;.example-1_2. IN TXT \"x\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spf_draft_t *draft = make(cases[i].domain, cases[i].text);
        assert_string_equal(spf_draft_zone(draft, cases[i].ttl_s), cases[i].line);
        spf_draft_free(draft);
    }
}

/* Strings of 255 octets, however many, and the octets of an answer to match. */
static void lengths(void **state)
{
    static const size_t cases[] = {0, 1, 254, 255, 256, 509, 510, 511, 4000};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4001];
        memset(text, 'x', cases[i]);
        text[cases[i]] = '\0';
        spf_draft_t *draft = make("example.com", text);
        const char *at = strchr(spf_draft_zone(draft, 0), '"');
        size_t octets = 12 + 13 + 4 + 12, left = cases[i];
        do {
            size_t length = left < 255 ? left : 255;
            assert_int_equal(at[0], '"');
            assert_int_equal(strspn(at + 1, "x"), length);
            assert_int_equal(at[length + 1], '"');
            at += length + 2;
            octets += length + 1;
            left -= length;
            assert_int_equal(*at, left > 0 ? ' ' : '\0');
            at += left > 0;
        } while (left > 0);
        assert_int_equal(spf_draft_record(draft, 0)->answer_octets, octets);
        spf_draft_free(draft);
    }
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    for (size_t octets = 0; octets < 2000; octets++) {
        size_t length = spf_draft_text_max(11, octets);
        if (length > 0)
            assert_true(spf_draft_answer_octets(11, length) <= octets);
        assert_true(spf_draft_answer_octets(11, length + 1) > octets);
    }
}

static void updates(void **state)
{
    static const spf_text_t texts[] = {{"v=spf1 a -all", 13}, {"verification=\xff\n", 15}, {"v=spf10", 7}};
    static const spf_answer_t answer = {.status = SPF_DNS_ANSWER, .count = 3, .texts = texts};
    spf_draft_t *draft = make("example.com", "v=spf1 include:_spf1.example.com -all");

    (void)state;
    assert_true(spf_draft_add_record(draft, "_spf1.example.com", "v=spf1 -all", 11));
    assert_string_equal(spf_draft_nsupdate(draft, 60, NULL, NULL),
                        "prereq nxrrset example.com. TXT\n"
                        "update add example.com. 60 IN TXT \"v=spf1 include:_spf1.example.com -all\"\n"
                        "update delete _spf1.example.com. TXT\n"
                        "update add _spf1.example.com. 60 IN TXT \"v=spf1 -all\"\nsend");
    assert_true(spf_draft_set_others(draft, &answer));
    assert_string_equal(spf_draft_nsupdate(draft, 0, "ex\nample.com", "192.0.2.1@5\n3"),
                        "server 192.0.2.1 5?3\nzone ex?ample.com\n"
                        "update delete example.com. TXT\n"
                        "update add example.com. 3600 IN TXT \"v=spf1 include:_spf1.example.com -all\"\n"
                        "update delete _spf1.example.com. TXT\n"
                        "update add _spf1.example.com. 3600 IN TXT \"v=spf1 -all\"\n"
                        "update add example.com. 3600 IN TXT \"verification=\\255\\010\"\n"
                        "update add example.com. 3600 IN TXT \"v=spf10\"\nsend");
    spf_draft_free(draft);
    draft = make("", "v=spf1 -all");
    assert_null(spf_draft_nsupdate(draft, 60, NULL, NULL));
    spf_draft_free(draft);
}

static void json(void **state)
{
    char text[300], expected[1024];
    spf_draft_t *draft;

    (void)state;
    memset(text, 'x', 299);
    text[299] = '\0';
    draft = make("example.com", text);
    assert_true(SPF_DRAFT_ADD_NOTE(draft, "one ", "\"note\"\x01"));
    assert_true(SPF_DRAFT_ADD_NOTE(draft, text));
    snprintf(
        expected, sizeof expected,
        "{\"domain\":\"example.com\",\"lookups\":0,\"records\":[{\"name\":\"example.com\",\"text\":\"%s\","
        "\"strings\":[\"%.255s\",\"%.44s\"],\"answer_octets\":342}],\"notes\":[\"one \\\"note\\\"?\",\"%.200s...\"]}",
        text, text, text, text);
    assert_string_equal(spf_draft_json(draft), expected);
    assert_string_equal(spf_draft_note(draft, 0), "one \"note\"?");
    assert_null(spf_draft_note(draft, 2));
    assert_null(spf_draft_record(draft, 1));
    assert_int_equal(spf_draft_lookups(draft), 0);
    spf_draft_free(draft);
    spf_draft_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone_lines), cmocka_unit_test(lengths), cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(updates),    cmocka_unit_test(json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
