/* SPDX-License-Identifier: MIT */
/* Domain names: what is one, what is cut off, U-labels, and the words of the public enumerations. */
#include "base/name.h"
#include "spf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define L63 "a123456789012345678901234567890123456789012345678901234567890bc"

typedef bool make_fn(spf_name_t *name, const char *text, size_t length);

/* The name made of an exact copy, so that a sanitizer sees an octet read too far; NULL: none. */
static bool from_utf8(spf_name_t *name, const char *text, size_t length)
{
    bool is_out_of_memory;
    bool good = spf_name_from_utf8(name, text, length, &is_out_of_memory);
    assert_false(is_out_of_memory);
    return good;
}

static const char *make(make_fn *function, const char *text, size_t length)
{
    static spf_name_t name;
    char *copy = malloc(length > 0 ? length : 1);
    bool good;
    assert_non_null(copy);
    memcpy(copy, text, length);
    memset(&name, 'x', sizeof(name));
    good = function(&name, copy, length);
    free(copy);
    assert_int_equal(strlen(name.text) <= name.length, 1);
    assert_int_equal(name.text[name.length], '\0');
    assert_int_equal(good, name.length > 0);
    return good ? name.text : NULL;
}

/* A text of length octets in labels of 9 letters, whose last octets are ".end". */
static void fill_labels(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[length - 1 - i] = i % 10 == 3 ? '.' : 'n';
    memcpy(text + length - 3, "end", 3);
    if (text[0] == '.')
        text[0] = 'n';
}

static void names_from_text(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com.", "example.com"},
        {"localhost", "localhost"},
        {"_spf.a_b.example.com", "_spf.a_b.example.com"},
        {"a b;\"(.com", "a b;\"(.com"},
        {L63 ".com", L63 ".com"},
        {L63 "d.com", NULL},
        {"x." L63 "d", NULL},
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {".com", NULL},
        {"a..com", NULL},
        {"com..", NULL},
        {"\xc3\x9c.Com", "\xc3\x9c.com"}, /* only ASCII is lowered */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = make(spf_name_from_text, cases[i].text, strlen(cases[i].text));
        if (cases[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].name);
    }
    assert_null(make(spf_name_from_text, "a.com\0.b.com", 12));
    assert_null(make(spf_name_from_expansion, "a.com\0.b.com", 12));
}

static void names_have_at_most_253_octets(void **state)
{
    char text[300];
    (void)state;
    fill_labels(text, 253);
    assert_non_null(make(spf_name_from_text, text, 253));
    text[253] = '.';
    assert_non_null(make(spf_name_from_text, text, 254));
    fill_labels(text, 254);
    assert_null(make(spf_name_from_text, text, 254));
    fill_labels(text, 255); /* a length that wraps in one octet */
    assert_null(make(spf_name_from_text, text, 255));
    fill_labels(text, 257);
    assert_null(make(spf_name_from_text, text, 257));
}

static void ruling_17_whole_labels_are_dropped_from_the_left(void **state)
{
    char text[4000];
    const char *name;
    (void)state;
    for (size_t length = 240; length < 4000; length += length < 300 ? 1 : 97) {
        fill_labels(text, length);
        name = make(spf_name_from_expansion, text, length);
        assert_non_null(name);
        size_t kept = strlen(name);
        assert_int_equal(kept <= 253, 1);
        assert_memory_equal(name, text + length - kept, kept);
        if (length <= 253) {
            assert_int_equal(kept, length);
        } else {
            assert_int_equal(text[length - kept - 1], '.');
            assert_true(kept >= 253 - 10); /* no label more than needed */
        }
    }
}

static void ruling_17_no_label_is_dropped_without_need(void **state)
{
    char text[255];
    (void)state;
    fill_labels(text + 2, 253);
    memcpy(text, "x.", 2);
    const char *name = make(spf_name_from_expansion, text, sizeof(text));
    assert_non_null(name);
    assert_int_equal(strlen(name), 253);
}

static void ruling_17_expansions_that_are_no_names(void **state)
{
    char text[400];
    (void)state;
    memset(text, 'a', sizeof(text));
    assert_null(make(spf_name_from_expansion, text, sizeof(text))); /* one label, no dot to cut at */
    memcpy(text + 396, ".com", 4);
    assert_string_equal(make(spf_name_from_expansion, text, sizeof(text)), "com");
    fill_labels(text, 300);
    text[299] = text[298] = '.';
    assert_null(make(spf_name_from_expansion, text, 300));
    assert_null(make(spf_name_from_expansion, "", 0));
    assert_null(make(spf_name_from_expansion, "foo.com..", 9)); /* one dot is dropped, not two */
    assert_null(make(spf_name_from_expansion, L63 "d.com", 68));
    assert_string_equal(make(spf_name_from_expansion, "Foo.Com.", 8), "foo.com");
}

static void ruling_17_a_bad_label_cut_off_does_no_harm(void **state)
{
    char text[400];
    (void)state;
    fill_labels(text, 253);
    memmove(text + 80, text, 253);
    memset(text, 'z', 79);
    text[79] = '.';
    assert_non_null(make(spf_name_from_expansion, text, 333));
    assert_int_equal(make(spf_name_from_expansion, text, 333)[0], 'n');
}

static void ruling_27_u_labels(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "CHER.Example.",
         "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example"},          /* NFC */
        {"fa\xc3\x9f.de", "xn--fa-hia.de"}, /* nontransitional: not fass.de */
        {"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "xn--r8jz45g.xn--zckzah"},
        {"_spf.Example.com", "_spf.example.com"}, /* ASCII goes through unchanged */
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"-a.ab--c.xn--zz--.example", "-a.ab--c.xn--zz--.example"},
        {"_spf.b\xc3\xbc"
         "cher.example",
         "_spf.xn--bcher-kva.example"},
        {"xn--zz--.b\xc3\xbc"
         "cher.example",
         NULL},
        {"b\xc3.example", NULL}, /* no UTF-8 */
        {"\xff\xfe.example", NULL},
        {"\xe2\x80\x8d.example", NULL}, /* a joiner alone is no U-label */
        {"\xc3\xbc..example", NULL},
        {".\xc3\xbc.example", NULL},
        {"\xc3\xbc." L63 "d.example", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = make(from_utf8, cases[i].text, strlen(cases[i].text));
        if (cases[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].name);
    }
    assert_null(make(from_utf8, "\xc3\xbc\0.example.com", 14));
    assert_null(make(from_utf8, "\xc3\xbc.example\0", 11));
}

static void ruling_27_long_u_labels(void **state)
{
    static char text[70000];
    (void)state;
    for (size_t length = 0; length + 3 < sizeof(text); length += 3)
        memcpy(text + length, "\xc3\xbc.", 3);
    assert_null(make(from_utf8, text, 600));
    assert_null(make(from_utf8, text, 1014));
    assert_null(make(from_utf8, text, 66000));
    assert_non_null(make(from_utf8, text, 60));
}

/* 18: the checked domain itself; 21: a HELO that is empty, an address literal or a single label. */
static void ruling_18_and_21_checkable(void **state)
{
    static const struct {
        const char *text;
        bool checkable;
    } cases[] = {
        {"example.com", true},
        {"mail.example.com", true},
        {"a.b", true},
        {"1.2.3.4com", true},
        {"_dmarc.example", true},
        {"1.2.3.4", false},
        {"example.123", false},
        {"[1.2.3.4]", false},
        {"[IPv6:::1]", false},
        {"localhost", false},
        {"mx10", false},
        {"", false},
        {"[ipv6:1.2.3.4]", false},
        {"com.", false},
        {"a..com", false},
    };
    spf_name_t name;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)from_utf8(&name, cases[i].text, strlen(cases[i].text));
        assert_int_equal(spf_name_is_checkable(&name), cases[i].checkable);
    }
}

static void ruling_5_within_on_whole_labels(void **state)
{
    static const struct {
        const char *name, *domain;
        bool within;
    } cases[] = {
        {"example.net", "example.net", true},      {"a.example.net", "example.net", true},
        {"a.b.example.net", "example.net", true},  {"notexample.net", "example.net", false},
        {"example.net", "a.example.net", false},   {"net", "example.net", false},
        {"example.net.org", "example.net", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            spf_name_is_within(cases[i].name, strlen(cases[i].name), cases[i].domain, strlen(cases[i].domain)),
            cases[i].within);
}

static void texts_without_case(void **state)
{
    (void)state;
    assert_true(spf_text_equals_nocase("rEdIrect", 8, "ReDirect", 8));
    assert_true(spf_text_equals_nocase("", 0, "", 0));
    assert_false(spf_text_equals_nocase("a", 1, "ab", 2));
    assert_false(spf_text_equals_nocase("a\0b", 3, "a\0c", 3));
    assert_false(spf_text_equals_nocase("@", 1, "`", 1)); /* not letters, though 32 apart */
    assert_false(spf_text_equals_nocase("[", 1, "{", 1));
    assert_false(spf_text_equals_nocase("\xc3\x9c", 2, "\xc3\xbc", 2));
}

static void words_of_enumerations(void **state)
{
    static const char *const results[] = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};
    spf_result_t result;
    (void)state;
    for (int i = 0; i < 7; i++) {
        assert_string_equal(spf_result_name((spf_result_t)i), results[i]);
        assert_true(spf_result_from_name(results[i], &result));
        assert_int_equal(result, i);
    }
    assert_true(spf_result_from_name("SoftFail", &result));
    assert_int_equal(result, SPF_RESULT_SOFTFAIL);
    assert_false(spf_result_from_name("soft", &result));
    assert_false(spf_result_from_name("", &result));
    assert_false(spf_result_from_name(NULL, &result));
    assert_string_equal(spf_result_name((spf_result_t)7), "invalid");
    assert_string_equal(spf_result_name((spf_result_t)-1), "invalid");
    assert_string_equal(spf_cause_name(SPF_CAUSE_LOOKUP_LIMIT), "lookup-limit");
    assert_string_equal(spf_cause_name(SPF_CAUSE_DEADLINE), "deadline");
    assert_string_equal(spf_cause_name((spf_cause_t)1000), "invalid");
    assert_string_equal(spf_identity_name(SPF_IDENTITY_MAILFROM), "mailfrom");
    assert_string_equal(spf_identity_name(SPF_IDENTITY_HELO), "helo");
    assert_string_equal(spf_dnssec_name(SPF_DNSSEC_INSECURE), "insecure");
    assert_string_equal(spf_dnssec_name(SPF_DNSSEC_BOGUS), "bogus");
    assert_string_equal(spf_outcome_name(SPF_OUTCOME_NO_MATCH), "no match");
    assert_string_equal(spf_strerror(SPF_OK), "success");
    assert_string_equal(spf_strerror(SPF_ENOMEM), "out of memory");
    assert_string_equal(spf_strerror((spf_err_t)-1000), "unknown error");
    assert_string_equal(spf_version(), SPF_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_from_text),
        cmocka_unit_test(names_have_at_most_253_octets),
        cmocka_unit_test(ruling_17_whole_labels_are_dropped_from_the_left),
        cmocka_unit_test(ruling_17_no_label_is_dropped_without_need),
        cmocka_unit_test(ruling_17_expansions_that_are_no_names),
        cmocka_unit_test(ruling_17_a_bad_label_cut_off_does_no_harm),
        cmocka_unit_test(ruling_27_u_labels),
        cmocka_unit_test(ruling_27_long_u_labels),
        cmocka_unit_test(ruling_18_and_21_checkable),
        cmocka_unit_test(ruling_5_within_on_whole_labels),
        cmocka_unit_test(texts_without_case),
        cmocka_unit_test(words_of_enumerations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
