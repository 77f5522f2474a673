/* SPDX-License-Identifier: MIT */
/* Records: every production with good and bad cases, where errors are found, and what a record is compiled to. */
#include "base/ip.h"
#include "syntax/macro.h"
#include "syntax/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An exact copy is parsed and freed at once, so that a sanitizer sees octets read too far or too late. */
static spf_record_t *parse(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    spf_record_t *record = spf_record_parse(copy, length);
    free(copy);
    assert_non_null(record);
    assert_int_equal(record->length, length);
    assert_memory_equal(record->text, text, length);
    assert_int_equal(record->text[length], '\0');
    return record;
}

static void add_prefixes(spf_buf_t *buf, const spf_term_t *term)
{
    if (term->cidr4 != 32) {
        spf_buf_add_text(buf, "/");
        spf_buf_add_uint(buf, term->cidr4);
    }
    if (term->cidr6 != 128) {
        spf_buf_add_text(buf, "//");
        spf_buf_add_uint(buf, term->cidr6);
    }
}

static void add_term(spf_buf_t *buf, const spf_record_t *record, const spf_term_t *term)
{
    static const char *const words[] = {
#define SPF_X(name, word) [name] = (word),
        SPF_TERM_MAP(SPF_X)
#undef SPF_X
    };
    static const char qualifiers[] = {
        [SPF_RESULT_PASS] = '+', [SPF_RESULT_FAIL] = '-', [SPF_RESULT_SOFTFAIL] = '~', [SPF_RESULT_NEUTRAL] = '?'};
    if (term->kind == SPF_TERM_INVALID) {
        spf_buf_add_char(buf, '!');
        spf_buf_add(buf, record->text + term->offset, term->length);
        return;
    }
    if (term->kind < SPF_TERM_REDIRECT)
        spf_buf_add_char(buf, qualifiers[term->result]);
    spf_buf_add_text(buf, words[term->kind]);
    if (term->spec_length > 0) {
        spf_buf_add_char(buf, '[');
        spf_buf_add(buf, record->text + term->spec_offset, term->spec_length);
        spf_buf_add_char(buf, ']');
    }
    add_prefixes(buf, term);
}

/* The terms as text: qualifier, word, [domain-spec, network or macro-string], prefix lengths that are not the default;
 * "!" and its text for an invalid one. */
static const char *describe(const spf_record_t *record)
{
    static char storage[1024];
    spf_buf_t buf;
    spf_buf_init(&buf, storage, sizeof(storage));
    for (uint32_t i = 0; i < record->term_count; i++) {
        if (i > 0)
            spf_buf_add_char(&buf, ' ');
        add_term(&buf, record, &record->terms[i]);
    }
    assert_false(buf.full);
    return buf.data;
}

typedef struct good_case {
    const char *text, *terms;
} good_case_t;

static void check_good(const good_case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(spf_record_is_record(cases[i].text, strlen(cases[i].text)));
        spf_record_t *record = parse(cases[i].text, strlen(cases[i].text));
        assert_string_equal(describe(record), cases[i].terms);
        assert_int_equal(record->error_term, SPF_NO_TERM);
        assert_null(record->error);
        spf_record_unref(record);
    }
}

typedef struct bad_case {
    const char *text;
    const char *wrong; /* the same as far as it is right: its length is the offset of the error */
    const char *error; /* NULL: any */
} bad_case_t;

static void check_bad(const bad_case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        spf_record_t *record = parse(cases[i].text, strlen(cases[i].text));
        assert_int_not_equal(record->error_term, SPF_NO_TERM);
        if (record->error_offset != strlen(cases[i].wrong))
            print_error("%s: %zu: %s\n", cases[i].text, record->error_offset, record->error);
        assert_int_equal(record->error_offset, strlen(cases[i].wrong));
        if (cases[i].error != NULL)
            assert_string_equal(record->error, cases[i].error);
        const spf_term_t *term = &record->terms[record->error_term];
        assert_int_equal(term->kind, SPF_TERM_INVALID);
        assert_true(record->error_offset >= term->offset && record->error_offset <= term->offset + term->length);
        spf_record_unref(record);
    }
}

static void ruling_10_version(void **state)
{
    static const struct {
        const char *text;
        bool is_record;
    } cases[] = {
        {"v=spf1", true},    {"v=spf1 ", true},       {"V=SpF1 -all", true}, {"v=spf1 \t", true},
        {"v=spf10", false},  {"v=spf1\t-all", false}, {"v=spf1-all", false}, {" v=spf1", false},
        {"v=spf", false},    {"v=sp", false},         {"v", false},          {"", false},
        {"v=spf2 a", false}, {"v=spf1.0 a", false},   {"spf2.0/pra", false}, {"\"v=spf1\"", false},
        {"v =spf1", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = strlen(cases[i].text);
        char *copy = malloc(length > 0 ? length : 1);
        memcpy(copy, cases[i].text, length);
        assert_int_equal(spf_record_is_record(copy, length), cases[i].is_record);
        free(copy);
    }
    assert_false(spf_record_is_record("v=spf1\0", 7));
    assert_false(spf_record_is_record("v=spf1\0 -all", 12));
    assert_true(spf_record_is_record("v=spf10", 6)); /* the length counts */
}

static void ruling_11_separators(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1", ""},
        {"v=spf1 ", ""},
        {"v=spf1      ", ""},
        {"v=spf1   a   -all  ", "+a -all"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 a\t-all", "v=spf1 a", "expected a visible ASCII character, or a space between terms"},
        {"v=spf1 \ta", "v=spf1 ", "expected a visible ASCII character, or a space between terms"},
        {"v=spf1 mx\n", "v=spf1 mx", NULL},
        {"v=spf1 all\r\n", "v=spf1 all", NULL},
        {"v=spf1 ip4:192.0.2.0/24\tmx", "v=spf1 ip4:192.0.2.0/24", NULL},
        {"v=spf1 ip4:192.0.2.0\tip4:192.0.2.1", "v=spf1 ip4:192.0.2.0", NULL},
        {"v=spf1 a:ex\xc3\xa4mple.com", "v=spf1 a:ex", "expected a visible ASCII character, or a space between terms"},
        {"v=spf1 include:example.com\x7f", "v=spf1 include:example.com", NULL},
        {"v=spf1 \xe2\x80\x93"
         "all",
         "v=spf1 ", NULL},
        {"v=spf1 a\xc2\xa0mx", "v=spf1 a", NULL},
        {"v=spf1 x=y\x01", "v=spf1 x=y", NULL},
    };
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

static void ruling_11_octets_behind_nul_count(void **state)
{
    static const struct {
        const char *text;
        size_t length, wrong;
    } cases[] = {
        {"v=spf1 a:foo.example.com\0", 25, 24},
        {"v=spf1 a\0-all", 13, 8},
        {"v=spf1 \0", 8, 7},
        {"v=spf1 ip4:1.2.3.4\0", 19, 18},
        {"v=spf1 ip6:::1\0", 15, 14},
        {"v=spf1 ip4:1.2.3.4/2\0"
         "4",
         22, 20},
        {"v=spf1 -all\0 x", 14, 11},
        {"v=spf1 x=%{d\0}", 14, 12},
        {"v=spf1 a:b.\0", 12, 11},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        spf_record_t *record = parse(cases[i].text, cases[i].length);
        assert_int_equal(record->error_offset, cases[i].wrong);
        assert_int_equal(record->error_term, 0);
        spf_record_unref(record);
    }
}

static void directives(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 all +all -all ~all ?all", "+all +all -all ~all ?all"},
        {"v=spf1 a mx ptr -a ~mx ?ptr", "+a +mx +ptr -a ~mx ?ptr"},
        {"v=spf1 A MX Ptr ALL", "+a +mx +ptr +all"},
        {"v=spf1 Include:Example.COM EXISTS:%{I}.Example.COM", "+include[Example.COM] +exists[%{I}.Example.COM]"},
        {"v=spf1 a:example.com mx:example.com. -ptr:example.com",
         "+a[example.com] +mx[example.com.] -ptr[example.com]"},
        {"v=spf1 a/24 mx//64 a/0//0 mx/32//128", "+a/24 +mx//64 +a/0//0 +mx"},
        {"v=spf1 a:example.com/24 mx:example.com//64 a:example.com./8//9",
         "+a[example.com]/24 +mx[example.com]//64 +a[example.com.]/8//9"},
        {"v=spf1 IP4:192.0.2.0/24 -ip4:192.0.2.1 ip6:2001:DB8::/32 ?IP6:::1",
         "+ip4[192.0.2.0]/24 -ip4[192.0.2.1] +ip6[2001:DB8::]//32 ?ip6[::1]"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 all.", "v=spf1 ", "unknown mechanism; expected all, include, a, mx, ptr, ip4, ip6 or exists"},
        {"v=spf1 ipv4:1.2.3.4 -all", "v=spf1 ",
         "unknown mechanism; expected all, include, a, mx, ptr, ip4, ip6 or exists"},
        {"v=spf1 -ip:1.2.3.4 -all", "v=spf1 -", NULL},
        {"v=spf1 -all moo", "v=spf1 -all ", NULL},
        {"v=spf1 al", "v=spf1 ", NULL},
        {"v=spf1 alll", "v=spf1 ", NULL},
        {"v=spf1 ip4:1.2.3.4,ip4:1.2.3.5", "v=spf1 ip4:1.2.3.4", NULL},
        {"v=spf1 mx-all", "v=spf1 ", NULL},
        {"v=spf1 redirect:example.com", "v=spf1 ", NULL},
        {"v=spf1 exp:example.com", "v=spf1 ", NULL},
        {"v=spf1 v=spf1 =all", "v=spf1 v=spf1 ", "expected the name of a mechanism or modifier"},
        {"v=spf1 +", "v=spf1 +", "expected the name of a mechanism or modifier"},
        {"v=spf1 - all", "v=spf1 -", NULL},
        {"v=spf1 --all", "v=spf1 -", NULL},
        {"v=spf1 -+all", "v=spf1 -", NULL},
        {"v=spf1 :example.com", "v=spf1 ", NULL},
        {"v=spf1 /24", "v=spf1 ", NULL},
        {"v=spf1 192.0.2.1", "v=spf1 ", NULL},
        {"v=spf1 \"mx\"", "v=spf1 ", NULL},
        {"v=spf1 all:foobar", "v=spf1 all", "expected the end of the term: all takes no argument"},
        {"v=spf1 all/8", "v=spf1 all", NULL},
        {"v=spf1 include", "v=spf1 include", "expected \":\" and a domain name"},
        {"v=spf1 include/24", "v=spf1 include", NULL},
        {"v=spf1 include:", "v=spf1 include:", "expected a domain name"},
        {"v=spf1 include: example.com", "v=spf1 include:", NULL},
        {"v=spf1 exists", "v=spf1 exists", NULL},
        {"v=spf1 exists:", "v=spf1 exists:", NULL},
        {"v=spf1 exists:mail.example.com/24", "v=spf1 exists:mail.example.com", NULL},
        {"v=spf1 include:mail.example.com/24", "v=spf1 include:mail.example.com", NULL},
        {"v=spf1 a:", "v=spf1 a:", "expected a domain name"},
        {"v=spf1 a:/24", "v=spf1 a:", "expected a domain name"},
        {"v=spf1 a::/24", "v=spf1 a:", NULL},
        {"v=spf1 a@example.com", "v=spf1 a", "expected \":\" and a domain name, \"/\", or the end of the term"},
        {"v=spf1 mx:", "v=spf1 mx:", NULL},
        {"v=spf1 ptr:", "v=spf1 ptr:", "expected a domain name"},
        {"v=spf1 ptr/0", "v=spf1 ptr", "expected \":\" and a domain name, or the end of the term"},
        {"v=spf1 ptr:example.com/0", "v=spf1 ptr:example.com", NULL},
    };
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

static void ruling_13_cidr(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 a/0 a/9 a/10 a/32 a//0 a//99 a//100 a//128", "+a/0 +a/9 +a/10 +a +a//0 +a//99 +a//100 +a"},
        {"v=spf1 a//64 a/24", "+a//64 +a/24"}, /* the other family's stays a whole address */
        {"v=spf1 ip4:1.1.1.1/0 ip6:::/0 ip6:::1.1.1.1/0", "+ip4[1.1.1.1]/0 +ip6[::]//0 +ip6[::1.1.1.1]//0"},
        {"v=spf1 ip6:Cafe:Babe:8000::/33", "+ip6[Cafe:Babe:8000::]//33"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 a/", "v=spf1 a/", "expected a prefix length of 0 to 32"},
        {"v=spf1 a/33", "v=spf1 a/", "expected a prefix length of 0 to 32"},
        {"v=spf1 a/032", "v=spf1 a/", NULL},
        {"v=spf1 a/00", "v=spf1 a/", NULL},
        {"v=spf1 a/100", "v=spf1 a/", NULL},
        {"v=spf1 a/-1", "v=spf1 a/", NULL},
        {"v=spf1 a/+1", "v=spf1 a/", NULL},
        {"v=spf1 a/4294967320", "v=spf1 a/", NULL}, /* 24 modulo 2^32 */
        {"v=spf1 a/18446744073709551640", "v=spf1 a/", NULL},
        {"v=spf1 a/24x", "v=spf1 a/24", NULL},
        {"v=spf1 a/24.", "v=spf1 a/24", NULL},
        {"v=spf1 a/24/", "v=spf1 a/24/", NULL},
        {"v=spf1 a/24/64", "v=spf1 a/24/", "expected \"//\" before a prefix length for IPv6"},
        {"v=spf1 a//", "v=spf1 a//", "expected a prefix length of 0 to 128"},
        {"v=spf1 a//129", "v=spf1 a//", "expected a prefix length of 0 to 128"},
        {"v=spf1 a//064", "v=spf1 a//", NULL},
        {"v=spf1 a//1000", "v=spf1 a//", NULL},
        {"v=spf1 a///64", "v=spf1 a//", NULL},
        {"v=spf1 a//64/24", "v=spf1 a//64", NULL},
        {"v=spf1 a/24//64/", "v=spf1 a/24//64", NULL},
        {"v=spf1 mx/24//", "v=spf1 mx/24//", NULL},
        {"v=spf1 a:example.com/33", "v=spf1 a:example.com/", "expected a prefix length of 0 to 32"},
        {"v=spf1 a:example.com/24/64", "v=spf1 a:example.com/24/", NULL},
        {"v=spf1 a:example.com//129", "v=spf1 a:example.com//", NULL},
        {"v=spf1 mx:%{d}/33", "v=spf1 mx:%{d}/", NULL},
        {"v=spf1 ip4:1.2.3.4/33", "v=spf1 ip4:1.2.3.4/", "expected a prefix length of 0 to 32"},
        {"v=spf1 ip4:1.2.3.4/032", "v=spf1 ip4:1.2.3.4/", NULL},
        {"v=spf1 ip4:1.2.3.4/", "v=spf1 ip4:1.2.3.4/", NULL},
        {"v=spf1 ip4:1.2.3.4//32", "v=spf1 ip4:1.2.3.4/", NULL},
        {"v=spf1 ip4:1.2.3.4/24//64", "v=spf1 ip4:1.2.3.4/24", NULL},
        {"v=spf1 ip6:::1.1.1.1//33", "v=spf1 ip6:::1.1.1.1/", "expected a prefix length of 0 to 128"},
        {"v=spf1 ip6:::1/129", "v=spf1 ip6:::1/", NULL},
        {"v=spf1 ip6:::1/", "v=spf1 ip6:::1/", NULL},
        {"v=spf1 ip6:::1/64/", "v=spf1 ip6:::1/64", NULL},
    };
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

static void ruling_14_addresses(void **state)
{
    static const bad_case_t bad[] = {
        {"v=spf1 ip4", "v=spf1 ip4", "expected \":\" and an IPv4 address"},
        {"v=spf1 ip4/24", "v=spf1 ip4", NULL},
        {"v=spf1 ip4:", "v=spf1 ip4:", "expected an IPv4 address of four numbers from 0 to 255 without leading zeros"},
        {"v=spf1 ip4:/24", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4: 1.2.3.4", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:1.2.3", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:1.2.3/24", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:01.2.3.4", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:1.2.3.256", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:1.2.3.4:8080", "v=spf1 ip4:1.2.3.4", NULL},
        {"v=spf1 ip4:example.com", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:1.2.3.x/24", "v=spf1 ip4:1.2.3.", NULL},
        {"v=spf1 ip4:%{i}", "v=spf1 ip4:", NULL},
        {"v=spf1 ip4:2001:db8::1", "v=spf1 ip4:2001", NULL},
        {"v=spf1 ip6", "v=spf1 ip6", "expected \":\" and an IPv6 address"},
        {"v=spf1 ip6:", "v=spf1 ip6:", "expected an IPv6 address"},
        {"v=spf1 ip6::CAFE::BABE", "v=spf1 ip6:", NULL},
        {"v=spf1 ip6:1.2.3.4", "v=spf1 ip6:", NULL},
        {"v=spf1 ip6:fe80::1%eth0", "v=spf1 ip6:fe80::1", NULL},
        {"v=spf1 ip6:[::1]", "v=spf1 ip6:", NULL},
        {"v=spf1 ip6:::ffff:1.2.3.04", "v=spf1 ip6:", NULL},
    };
    (void)state;
    check_bad(bad, COUNT(bad));
}

/* A mapped network is an IPv6 network: it stands where no IPv4 client is compared. */
static void ruling_14_mapped_network_is_ip6(void **state)
{
    static const char text[] = "v=spf1 ip6:::ffff:1.2.3.4 ip6:::FFFF:0:0/96";
    spf_record_t *record = parse(text, sizeof(text) - 1);
    (void)state;
    assert_int_equal(record->net4_count, 0);
    assert_int_equal(record->net6_count, 2);
    spf_record_unref(record);
}

static void ruling_16_domain_spec(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 a:foo:bar/baz.example.com", "+a[foo:bar/baz.example.com]"},
        {"v=spf1 a:foo:bar/baz.example.com/24//64", "+a[foo:bar/baz.example.com]/24//64"},
        {"v=spf1 a:1/24.example.com", "+a[1/24.example.com]"},
        {"v=spf1 a:1//24.example.com//25", "+a[1//24.example.com]//25"},
        {"v=spf1 mx:_spf.a_b.example.xn--zckzah", "+mx[_spf.a_b.example.xn--zckzah]"},
        {"v=spf1 exists:%{s/}", "+exists[%{s/}]"},
        {"v=spf1 a:%{s/}/24", "+a[%{s/}]/24"},
        {"v=spf1 a:%{d}//64", "+a[%{d}]//64"},
        {"v=spf1 a:/%{d}", "+a[/%{d}]"},
        {"v=spf1 a:%{d}/24.com/8", "+a[%{d}/24.com]/8"},
        {"v=spf1 a:foo%{d}.com.", "+a[foo%{d}.com.]"},
        {"v=spf1 a:.com", "+a[.com]"},
        {"v=spf1 a:a.b-c a:a.1-2 a:a.x1 a:a.1x", "+a[a.b-c] +a[a.1-2] +a[a.x1] +a[a.1x]"},
        {"v=spf1 a:foo%% a:foo%_ mx:%-", "+a[foo%%] +a[foo%_] +mx[%-]"},
        {"v=spf1 a:mail.example...com", "+a[mail.example...com]"}, /* no name, but the grammar allows it */
        {"v=spf1 a:=!\"#$&'()*.com", "+a[=!\"#$&'()*.com]"},
        {"v=spf1 redirect=%{d}.d.spf.example.com.", "redirect[%{d}.d.spf.example.com.]"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 include:localhost", "v=spf1 include:", "expected a domain name with a dot before its last label"},
        {"v=spf1 a:museum", "v=spf1 a:", NULL},
        {"v=spf1 a:museum.", "v=spf1 a:", NULL},
        {"v=spf1 a:.", "v=spf1 a:.", NULL},
        {"v=spf1 a:foo-bar", "v=spf1 a:", NULL},
        {"v=spf1 a:museum/24", "v=spf1 a:", NULL},
        {"v=spf1 redirect=-all", "v=spf1 redirect=", NULL},
        {"v=spf1 exp=-all", "v=spf1 exp=", NULL},
        {"v=spf1 a:111.222.33.44", "v=spf1 a:111.222.33.", "expected a last label that is not all digits"},
        {"v=spf1 a:abc.123", "v=spf1 a:abc.", NULL},
        {"v=spf1 a:abc.123.", "v=spf1 a:abc.", NULL},
        {"v=spf1 a:1.2.3.4/24", "v=spf1 a:1.2.3.", NULL},
        {"v=spf1 a:example.-com", "v=spf1 a:example.",
         "expected a last label of letters, digits and, between them, hyphens"},
        {"v=spf1 a:example.com-", "v=spf1 a:example.com", NULL},
        {"v=spf1 a:example.com-/24", "v=spf1 a:example.com", NULL},
        {"v=spf1 a:example.-", "v=spf1 a:example.", NULL},
        {"v=spf1 a:example.com:8080", "v=spf1 a:example.com", NULL},
        {"v=spf1 a:example.c_m", "v=spf1 a:example.c", NULL},
        {"v=spf1 a:example..", "v=spf1 a:example.", "expected a last label behind the dot"},
        {"v=spf1 a:example.com..", "v=spf1 a:example.com.", NULL},
        {"v=spf1 a:%{d}.", "v=spf1 a:%{d}.", NULL},
        {"v=spf1 a:%{d}./24", "v=spf1 a:%{d}.", NULL},
        {"v=spf1 a:%{d}com", "v=spf1 a:%{d}", NULL},
        {"v=spf1 a:foo.%{d}com", "v=spf1 a:foo.%{d}", NULL}, /* the dot must stand behind the last macro */
        {"v=spf1 include:example.com,example.net,", "v=spf1 include:example.com,example.net", NULL},
        {"v=spf1 include:<example.com>", "v=spf1 include:<example.com", NULL},
        {"v=spf1 include:example.com;", "v=spf1 include:example.com", NULL},
    };
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

static void ruling_17_long_label_is_no_syntax_error(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 a:a123456789012345678901234567890123456789012345678901234567890123.example.com",
         "+a[a123456789012345678901234567890123456789012345678901234567890123.example.com]"},
        {"v=spf1 a:example.a123456789012345678901234567890123456789012345678901234567890123",
         "+a[example.a123456789012345678901234567890123456789012345678901234567890123]"},
    };
    (void)state;
    check_good(good, COUNT(good));
}

static void ruling_19_macros(void **state)
{
    static const bad_case_t bad[] = {
        {"v=spf1 exists:%(ir).sbl.example.com ?all", "v=spf1 exists:%",
         "expected \"{\", \"%\", \"_\" or \"-\" after \"%\""},
        {"v=spf1 exists:foo%.sbl.example.com", "v=spf1 exists:foo%", NULL},
        {"v=spf1 a:example.com%", "v=spf1 a:example.com%", NULL},
        {"v=spf1 a:%{x}.example.com", "v=spf1 a:%{", NULL},
        {"v=spf1 a:%{c}.example.com", "v=spf1 a:%{", NULL},
        {"v=spf1 a:%{r}.example.com", "v=spf1 a:%{", NULL},
        {"v=spf1 a:%{t}.example.com", "v=spf1 a:%{", NULL},
        {"v=spf1 exp=%{r}.example.com", "v=spf1 exp=%{", NULL},
        {"v=spf1 a:%{d0}.example.com", "v=spf1 a:%{d", "expected a number of labels above 0"},
        {"v=spf1 a:%{d/24", "v=spf1 a:%{d/", NULL},
        {"v=spf1 a:%{d}}.com%{", "v=spf1 a:%{d}}.com%{", NULL},
        {"v=spf1 a:%{d .example.com", "v=spf1 a:%{d", NULL},
    };
    (void)state;
    check_bad(bad, COUNT(bad));
}

static void ruling_19_letters_are_known_beforehand(void **state)
{
    static const char text[] =
        "v=spf1 exists:%{IR}.%{v}.%{l1r-}.example.com a:100%%.example.com a:example.com exp=%{p}";
    spf_record_t *record = parse(text, sizeof(text) - 1);
    (void)state;
    assert_int_equal(record->terms[0].macros, SPF_MACRO_BIT('i') | SPF_MACRO_BIT('v') | SPF_MACRO_BIT('l'));
    assert_true(record->terms[0].has_macro);
    assert_int_equal(record->terms[1].macros, 0);
    assert_true(record->terms[1].has_macro);
    assert_int_equal(record->terms[2].macros, 0);
    assert_false(record->terms[2].has_macro);
    assert_int_equal(record->terms[3].macros, SPF_MACRO_BIT('p'));
    spf_record_unref(record);
}

static void ruling_24_exp_and_7_redirect(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 ReDirect=example.com", "redirect[example.com]"},
        {"v=spf1 EXP=example.com -all", "exp[example.com] -all"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 exp= -all", "v=spf1 exp=", "expected a domain name"},
        {"v=spf1 redirect=", "v=spf1 redirect=", "expected a domain name"},
        {"v=spf1 -redirect=example.com", "v=spf1 ", "expected no qualifier before a modifier"},
        {"v=spf1 +exp=example.com", "v=spf1 ", NULL},
        {"v=spf1 exp=a.example.com -all EXP=b.example.com", "v=spf1 exp=a.example.com -all ", "expected exp only once"},
        {"v=spf1 redirect=a.example.com ?all redirect=a.example.com", "v=spf1 redirect=a.example.com ?all ",
         "expected redirect only once"},
        {"v=spf1 redirect=example.com/24", "v=spf1 redirect=example.com", NULL},
    };
    static const char text[] = "v=spf1 mx redirect=r.example.com x=y exp=e.example.com";
    spf_record_t *record = parse(text, sizeof(text) - 1);
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
    assert_int_equal(record->redirect, 1);
    assert_int_equal(record->exp, 3);
    assert_false(record->has_all);
    spf_record_unref(record);
    record = parse("v=spf1 mx", 9);
    assert_int_equal(record->redirect, SPF_NO_TERM);
    assert_int_equal(record->exp, SPF_NO_TERM);
    spf_record_unref(record);
    record = parse("v=spf1 redirect=a.example.com ?ALL", 34);
    assert_true(record->has_all);
    spf_record_unref(record);
}

static void ruling_25_unknown_modifiers(void **state)
{
    static const good_case_t good[] = {
        {"v=spf1 moo.cow-far_out=man:dog/cat ip4:1.2.3.4", "[man:dog/cat] +ip4[1.2.3.4]"},
        {"v=spf1 default=+ default=pass x= X=%{d}%%", "[+] [pass]  [%{d}%%]"},
        {"v=spf1 a=b all=c v=spf1 a-1.2_3=d", "[b] [c] [spf1] [d]"},
    };
    static const bad_case_t bad[] = {
        {"v=spf1 1up=foo", "v=spf1 ", "expected the name of a mechanism or modifier"},
        {"v=spf1 =all", "v=spf1 ", NULL},
        {"v=spf1 -x=y", "v=spf1 ", "expected no qualifier before a modifier"},
        {"v=spf1 moo.cow/far_out=man:dog/cat", "v=spf1 ", NULL},
        {"v=spf1 moo.cow:far_out=man:dog/cat", "v=spf1 ", NULL},
        {"v=spf1 -all foo=%abc", "v=spf1 -all foo=%", NULL},
        {"v=spf1 foo=%{c}", "v=spf1 foo=%{", NULL},
        {"v=spf1 foo=%", "v=spf1 foo=%", NULL},
    };
    (void)state;
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

/* The whole record is parsed: wrong terms are kept as such, the others as they are, the first error is told. */
static void ruling_9_goes_on_after_an_error(void **state)
{
    static const char text[] = "v=spf1 mx ip4:1.2.3/24 a:b ip4:192.0.2.0/24  exp=x redirect=a.example.com foo -all";
    spf_record_t *record = parse(text, sizeof(text) - 1);
    (void)state;
    assert_string_equal(describe(record),
                        "+mx !ip4:1.2.3/24 !a:b +ip4[192.0.2.0]/24 !exp=x redirect[a.example.com] !foo -all");
    assert_int_equal(record->error_term, 1);
    assert_int_equal(record->error_offset, strlen("v=spf1 mx ip4:"));
    assert_int_equal(record->redirect, 5);
    assert_int_equal(record->exp, SPF_NO_TERM);
    assert_true(record->has_all);
    assert_int_equal(record->net4_count, 1);
    assert_int_equal(record->net4s[0].term, 3);
    spf_record_unref(record);
}

static void terms_know_where_they_stand(void **state)
{
    static const char text[] = "v=spf1  -a:example.com/24//64   x=y";
    spf_record_t *record = parse(text, sizeof(text) - 1);
    const spf_term_t *term = &record->terms[0];
    (void)state;
    assert_int_equal(term->offset, 8);
    assert_int_equal(term->length, strlen("-a:example.com/24//64"));
    assert_int_equal(term->spec_offset, 11);
    assert_int_equal(term->spec_length, 11);
    assert_int_equal(record->terms[1].offset, 32);
    assert_int_equal(record->terms[1].length, 3);
    spf_record_unref(record);
}

static void networks_are_packed_and_masked(void **state)
{
    static const struct {
        const char *text;
        uint32_t address, mask;
    } cases[] = {
        {"v=spf1 ip4:255.254.253.252", 0xfffefdfc, 0xffffffff},
        {"v=spf1 ip4:255.254.253.252/32", 0xfffefdfc, 0xffffffff},
        {"v=spf1 ip4:255.254.253.253/31", 0xfffefdfc, 0xfffffffe},
        {"v=spf1 ip4:255.254.253.252/24", 0xfffefd00, 0xffffff00},
        {"v=spf1 ip4:255.254.253.252/1", 0x80000000, 0x80000000},
        {"v=spf1 ip4:255.254.253.252/0", 0, 0},
    };
    static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        spf_record_t *record = parse(cases[i].text, strlen(cases[i].text));
        assert_int_equal(record->net4_count, 1);
        assert_int_equal(record->net4s[0].address, cases[i].address);
        assert_int_equal(record->net4s[0].mask, cases[i].mask);
        spf_record_unref(record);
    }
    spf_record_t *record = parse("v=spf1 ip6:2001:db8::1/33", 25);
    assert_int_equal(record->net6_count, 1);
    assert_memory_equal(record->net6s[0].address, address, 16);
    assert_int_equal(record->net6s[0].prefix, 33);
    spf_record_unref(record);
}

static void networks_know_their_run(void **state)
{
    static const char text[] =
        "v=spf1 ip6:::1 a ip4:1.1.1.1 ip6:::2 -ip4:2.2.2.2 x=y ip4:3.3.3.3 ip4:bad ip6:::3 ip4:4.4.4.4";
    static const struct {
        uint32_t run_end, net4, net6;
        bool is_network;
    } terms[] = {
        {1, 0, 0, true},  {0, 0, 0, false}, {5, 0, 1, true},  {5, 1, 1, true},  {5, 1, 2, true},
        {0, 0, 0, false}, {7, 2, 2, true},  {0, 0, 0, false}, {10, 3, 2, true}, {10, 3, 3, true},
    };
    static const uint32_t net4_terms[] = {2, 4, 6, 9};
    static const uint32_t net6_terms[] = {0, 3, 8};
    spf_record_t *record = parse(text, sizeof(text) - 1);
    (void)state;
    assert_int_equal(record->term_count, COUNT(terms));
    for (uint32_t i = 0; i < COUNT(terms); i++) {
        if (terms[i].is_network) {
            assert_int_equal(record->terms[i].run_end, terms[i].run_end);
            assert_int_equal(record->terms[i].net4, terms[i].net4);
            assert_int_equal(record->terms[i].net6, terms[i].net6);
        }
    }
    assert_int_equal(record->net4_count, COUNT(net4_terms));
    for (size_t i = 0; i < COUNT(net4_terms); i++)
        assert_int_equal(record->net4s[i].term, net4_terms[i]);
    assert_int_equal(record->net6_count, COUNT(net6_terms));
    for (size_t i = 0; i < COUNT(net6_terms); i++)
        assert_int_equal(record->net6s[i].term, net6_terms[i]);
    spf_record_unref(record);
}

/* A text of length octets: "v=spf1" and then one piece over and over, cut off where it ends. */
static char *repeat(const char *piece, size_t length)
{
    char *text = malloc(length);
    size_t piece_length = strlen(piece);
    assert_non_null(text);
    memcpy(text, "v=spf1", 6);
    for (size_t i = 6; i < length; i++)
        text[i] = piece[(i - 6) % piece_length];
    return text;
}

static void records_of_64_kilobytes(void **state)
{
    static const struct {
        const char *piece;
        uint32_t terms;
        bool valid;
    } cases[] = {
        {" a", 32764, true},        {" ", 0, true},          {" ip4:1.2.3.4", 5461, false}, {"x", 1, false},
        {" -ip6:::1", 7281, false}, {" ip4:", 13106, false}, {" x=%%", 13106, false},       {" a:", 21843, false},
        {" +", 32764, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = repeat(cases[i].piece, 65534);
        spf_record_t *record = parse(text, 65534);
        if (cases[i].piece[0] == ' ')
            assert_int_equal(record->term_count, cases[i].terms);
        assert_true(record->size >= sizeof(spf_record_t) + record->term_count * sizeof(spf_term_t) + 65534);
        assert_true(record->net4_count + record->net6_count <= record->term_count);
        spf_record_unref(record);
        free(text);
    }
}

static void one_term_of_64_kilobytes(void **state)
{
    static const char *const heads[] = {"v=spf1 a:", "v=spf1 ip4:", "v=spf1 ip6:", "v=spf1 x=", "v=spf1 a/", "v=spf1 "};
    static const char fillers[] = "x1./:%-";
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        for (size_t j = 0; j < sizeof(fillers) - 1; j++) {
            char *text = malloc(65535);
            memset(text, fillers[j], 65535);
            memcpy(text, heads[i], strlen(heads[i]));
            spf_record_t *record = parse(text, 65535);
            assert_int_equal(record->term_count, 1);
            assert_int_equal(record->terms[0].length, 65535 - 7);
            spf_record_unref(record);
            free(text);
        }
    }
}

/* Every beginning of a record, and every octet of one replaced by every other: no read past the end, no crash, and
 * the error is always inside its term. */
static void cut_off_and_damaged(void **state)
{
    static const char text[] = "v=spf1 -ip4:192.0.2.0/24 ip6:2001:db8::/32 a:%{ir}.x%%.example.com./24//64 "
                               "?exists:%{l2r+-}.e.org redirect=_spf.%{d2} exp=e.example.com m.o=%{s} ~all";
    char damaged[sizeof(text)];
    (void)state;
    for (size_t length = 6; length < sizeof(text); length++)
        spf_record_unref(parse(text, length));
    for (size_t i = 6; i < sizeof(text) - 1; i++) {
        for (int octet = 0; octet < 256; octet++) {
            memcpy(damaged, text, sizeof(text));
            damaged[i] = (char)octet;
            spf_record_t *record = parse(damaged, sizeof(text) - 1);
            if (record->error_term != SPF_NO_TERM) {
                const spf_term_t *term = &record->terms[record->error_term];
                assert_true(record->error_offset >= term->offset &&
                            record->error_offset <= term->offset + term->length);
            }
            spf_record_unref(record);
        }
    }
}

/* No more than what all lengths and offsets are good for: refused before an octet of it is read. */
static void texts_too_long_are_refused(void **state)
{
    (void)state;
    assert_null(spf_record_parse("v=spf1", ((size_t)1 << 24) + 1));
    assert_null(spf_record_parse("v=spf1", SIZE_MAX));
}

static void references_are_counted(void **state)
{
    spf_record_t *record = parse("v=spf1 -all", 11);
    (void)state;
    assert_ptr_equal(spf_record_ref(record), record);
    assert_ptr_equal(spf_record_ref(record), record);
    spf_record_unref(record);
    spf_record_unref(record);
    assert_string_equal(describe(record), "-all");
    spf_record_unref(record);
    spf_record_unref(NULL);
    assert_null(spf_record_ref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ruling_10_version),
        cmocka_unit_test(ruling_11_separators),
        cmocka_unit_test(ruling_11_octets_behind_nul_count),
        cmocka_unit_test(directives),
        cmocka_unit_test(ruling_13_cidr),
        cmocka_unit_test(ruling_14_addresses),
        cmocka_unit_test(ruling_14_mapped_network_is_ip6),
        cmocka_unit_test(ruling_16_domain_spec),
        cmocka_unit_test(ruling_17_long_label_is_no_syntax_error),
        cmocka_unit_test(ruling_19_macros),
        cmocka_unit_test(ruling_19_letters_are_known_beforehand),
        cmocka_unit_test(ruling_24_exp_and_7_redirect),
        cmocka_unit_test(ruling_25_unknown_modifiers),
        cmocka_unit_test(ruling_9_goes_on_after_an_error),
        cmocka_unit_test(terms_know_where_they_stand),
        cmocka_unit_test(networks_are_packed_and_masked),
        cmocka_unit_test(networks_know_their_run),
        cmocka_unit_test(records_of_64_kilobytes),
        cmocka_unit_test(one_term_of_64_kilobytes),
        cmocka_unit_test(cut_off_and_damaged),
        cmocka_unit_test(texts_too_long_are_refused),
        cmocka_unit_test(references_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
