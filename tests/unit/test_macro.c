/* SPDX-License-Identifier: MIT */
/* Macro strings: every production with its errors, the RFC's examples, and values that sender or DNS chose. */
#include "syntax/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 7208 section 7.4 */
static spf_ip_t client4 = {.family = 4, .octets = {192, 0, 2, 3}};
static spf_ip_t client6 = {.family = 6, .octets = {0x20, 0x01, 0x0d, 0xb8, [14] = 0xcb, [15] = 0x01}};

static spf_macro_values_t values_of(const spf_ip_t *ip, const char *sender, size_t sender_length, size_t local_length)
{
    return (spf_macro_values_t){
        .ip = ip,
        .sender = sender,
        .sender_length = sender_length,
        .local_length = local_length,
        .domain = "email.example.com",
        .domain_length = 17,
        .helo = "mail.example.org",
        .helo_length = 16,
        .validated = "mx.example.org",
        .validated_length = 14,
        .receiver = "receiver.example.net",
        .receiver_length = 20,
        .time_s = 1234567890,
    };
}

static spf_macro_values_t rfc_values(const spf_ip_t *ip)
{
    return values_of(ip, "strong-bad@email.example.com", 28, 10);
}

/* Where text stops being a macro string; its length if it is one. *error tells what was expected there. */
static size_t scan(const char *text, size_t length, spf_macro_context_t context, const char **error)
{
    char *copy = malloc(length > 0 ? length : 1); /* exact, so that a sanitizer sees an octet read too far */
    spf_macro_token_t token;
    size_t position = 0;
    size_t before;
    int more;
    assert_non_null(copy);
    memcpy(copy, text, length);
    *error = NULL;
    do {
        before = position;
        more = spf_macro_next(copy, length, &position, context, &token, error);
        assert_true(position <= length);
        assert_true(more != 1 || position > before);
    } while (more == 1);
    assert_int_equal(more == -1, *error != NULL);
    free(copy);
    return position;
}

static const char *expand(const char *text, spf_macro_context_t context, const spf_macro_values_t *values)
{
    static char storage[4096];
    spf_buf_t buf;
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_macro_expand(&buf, text, strlen(text), context, values);
    assert_false(buf.full);
    return buf.data;
}

static void tokens_of_one_string(void **state)
{
    static const char text[] = "a%%b%{L12R.-/}%{d}%_%-";
    static const struct {
        int kind;
        const char *text;
        char letter;
        bool url_escape, reverse;
        unsigned digits;
        const char *delims;
    } tokens[] = {
        {SPF_MACRO_LITERAL, "a", 0, false, false, 0, ""},   {SPF_MACRO_LITERAL, "%", 0, false, false, 0, ""},
        {SPF_MACRO_LITERAL, "b", 0, false, false, 0, ""},   {SPF_MACRO_EXPAND, "", 'l', true, true, 12, ".-/"},
        {SPF_MACRO_EXPAND, "", 'd', false, false, 0, ""},   {SPF_MACRO_LITERAL, " ", 0, false, false, 0, ""},
        {SPF_MACRO_LITERAL, "%20", 0, false, false, 0, ""},
    };
    spf_macro_token_t token;
    const char *error;
    size_t position = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_int_equal(spf_macro_next(text, strlen(text), &position, SPF_MACRO_IN_RECORD, &token, &error), 1);
        assert_int_equal(token.kind, tokens[i].kind);
        assert_int_equal(token.length, strlen(tokens[i].text));
        if (token.length > 0)
            assert_memory_equal(token.text, tokens[i].text, token.length);
        assert_int_equal(token.letter, tokens[i].letter);
        assert_int_equal(token.url_escape, tokens[i].url_escape);
        assert_int_equal(token.reverse, tokens[i].reverse);
        assert_int_equal(token.digits, tokens[i].digits);
        assert_int_equal(token.delim_count, strlen(tokens[i].delims));
        if (token.delim_count > 0)
            assert_memory_equal(token.delims, tokens[i].delims, token.delim_count);
    }
    assert_int_equal(spf_macro_next(text, strlen(text), &position, SPF_MACRO_IN_RECORD, &token, &error), 0);
    assert_int_equal(position, strlen(text));
}

static const struct {
    const char *text;
    int record, explanation; /* the octet that is wrong; -1: none */
} syntax_cases[] = {
    {"", -1, -1},
    {"plain-text_/:;<>~!\"#$&'", -1, -1},
    {"%{s}%{l}%{o}%{d}%{i}%{p}%{h}%{v}", -1, -1},
    {"%{S}%{L}%{O}%{D}%{I}%{P}%{H}%{V}", -1, -1},
    {"%{c}", 2, -1},
    {"%{r}", 2, -1},
    {"%{t}", 2, -1},
    {"%{T}", 2, -1},
    {"a %{s}", 1, -1}, /* a space only in explanations */
    {"%{x}", 2, 2},
    {"%{a}", 2, 2},
    {"%{1}", 2, 2},
    {"%{}", 2, 2},
    {"%{", 2, 2},
    {"%", 1, 1},
    {"a%", 2, 2},
    {"%(ir)", 1, 1},
    {"foo%.sbl", 4, 4},
    {"% ", 1, 1},
    {"%%%", 3, 3},
    {"%%%_%-", -1, -1},
    {"%{s", 3, 3},
    {"%{s{", 3, 3},
    {"%{s }", 3, 3},
    {"%{d0}", 3, 3},
    {"%{d00r}", 3, 3},
    {"%{d01}", -1, -1},
    {"%{d10}", -1, -1},
    {"%{d127R}", -1, -1},
    {"%{d99999999999999999999999999999r}", -1, -1},
    {"%{dr2}", 4, 4}, /* digits stand before the r */
    {"%{drr}", 4, 4},
    {"%{d-1}", 4, 4},
    {"%{d2r.-+,/_=}", -1, -1},
    {"%{d......}", -1, -1},
    {"%{d:}", 3, 3},
    {"%{d.*}", 4, 4},
    {"%{d", 3, 3},
    {"%{dr-", 5, 5},
    {"%{%{d}}", 2, 2},
    {"tab\there", 3, 3},
    {"caf\xc3\xa9", 3, 3}, /* ruling 12: no explanation, and ruling 11: no record */
    {"\x7f", 0, 0},
    {"line\r\n", 4, 4},
};

static void ruling_19_syntax(void **state)
{
    const char *error;
    (void)state;
    for (size_t i = 0; i < COUNT(syntax_cases); i++) {
        size_t length = strlen(syntax_cases[i].text);
        size_t record = syntax_cases[i].record < 0 ? length : (size_t)syntax_cases[i].record;
        size_t explanation = syntax_cases[i].explanation < 0 ? length : (size_t)syntax_cases[i].explanation;
        assert_int_equal(scan(syntax_cases[i].text, length, SPF_MACRO_IN_RECORD, &error), record);
        assert_int_equal(error == NULL, syntax_cases[i].record < 0);
        assert_int_equal(scan(syntax_cases[i].text, length, SPF_MACRO_IN_EXPLANATION, &error), explanation);
        assert_int_equal(error == NULL, syntax_cases[i].explanation < 0);
    }
}

/* Octets behind a NUL are not lost, and no set of letters or delimiters contains NUL. */
static void embedded_nul_is_an_error(void **state)
{
    static const struct {
        const char *text;
        size_t length, wrong;
    } cases[] = {{"a\0b", 3, 1},   {"%\0", 2, 1},     {"%{\0}", 4, 2},
                 {"%{d\0}", 5, 3}, {"%{d2\0}", 6, 4}, {"%{dr\0}", 6, 4}};
    const char *error;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(scan(cases[i].text, cases[i].length, SPF_MACRO_IN_RECORD, &error), cases[i].wrong);
        assert_non_null(error);
    }
}

/* Every octet at every place where the grammar chooses. */
static void every_octet_everywhere(void **state)
{
    static const struct {
        const char *host; /* the octet takes the place of "*" */
        const char *allowed;
    } places[] = {
        {"%*", "%_-"},
        {"%{*", ""},
        {"%{*}", "slodiphvSLODIPHV"},
        {"%{s*", "}"},
        {"%{s*}", "123456789rR.-+,/_=}"},
        {"%{s1*}", "0123456789rR.-+,/_=}"},
        {"%{sr*}", ".-+,/_=}"},
        {"%{s.*}", ".-+,/_=}"},
    };
    const char *error;
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        for (int octet = 0; octet < 256; octet++) {
            char text[8];
            size_t length = strlen(places[i].host);
            memcpy(text, places[i].host, length);
            *(char *)memchr(text, '*', length) = (char)octet;
            (void)scan(text, length, SPF_MACRO_IN_RECORD, &error);
            assert_int_equal(error == NULL, octet != 0 && strchr(places[i].allowed, octet) != NULL);
        }
    }
    for (int octet = 0; octet < 256; octet++) {
        char text[1] = {(char)octet};
        (void)scan(text, 1, SPF_MACRO_IN_RECORD, &error);
        assert_int_equal(error == NULL, octet >= 0x21 && octet <= 0x7e && octet != '%');
        (void)scan(text, 1, SPF_MACRO_IN_EXPLANATION, &error);
        assert_int_equal(error == NULL, octet >= 0x20 && octet <= 0x7e && octet != '%');
    }
}

/* RFC 7208 section 7.4 */
static void examples_of_the_rfc(void **state)
{
    static const struct {
        const char *text, *expansion;
    } cases[] = {
        {"%{s}", "strong-bad@email.example.com"},
        {"%{o}", "email.example.com"},
        {"%{d}", "email.example.com"},
        {"%{d4}", "email.example.com"},
        {"%{d3}", "email.example.com"},
        {"%{d2}", "example.com"},
        {"%{d1}", "com"},
        {"%{dr}", "com.example.email"},
        {"%{d2r}", "example.email"},
        {"%{l}", "strong-bad"},
        {"%{l-}", "strong.bad"},
        {"%{lr}", "strong-bad"},
        {"%{lr-}", "bad.strong"},
        {"%{l1r-}", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    };
    spf_macro_values_t values = rfc_values(&client4);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(expand(cases[i].text, SPF_MACRO_IN_RECORD, &values), cases[i].expansion);
    values = rfc_values(&client6);
    assert_string_equal(expand("%{ir}.%{v}._spf.%{d2}", SPF_MACRO_IN_RECORD, &values),
                        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com");
}

static void ruling_19_letters(void **state)
{
    static const struct {
        const char *text, *expansion4, *expansion6;
    } cases[] = {
        {"%{i}", "192.0.2.3", "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1"},
        {"%{c}", "192.0.2.3", "2001:db8::cb01"},
        {"%{C}", "192.0.2.3", "2001%3Adb8%3A%3Acb01"},
        {"%{v}", "in-addr", "ip6"},
        {"%{i2}", "2.3", "0.1"},
        {"%{i1r}", "192", "2"},
        {"%{h}", "mail.example.org", "mail.example.org"},
        {"%{p}", "mx.example.org", "mx.example.org"},
        {"%{r}", "receiver.example.net", "receiver.example.net"},
        {"%{t}", "1234567890", "1234567890"},
        {"%{S}", "strong-bad%40email.example.com", "strong-bad%40email.example.com"},
        {"100%%%_of%-it", "100% of%20it", "100% of%20it"},
        {"See http://%{d}/why.html?s=%{S}&i=%{I} !",
         "See http://email.example.com/why.html?s=strong-bad%40email.example.com&i=192.0.2.3 !",
         "See http://email.example.com/why.html?s=strong-bad%40email.example.com"
         "&i=2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1 !"},
    };
    spf_macro_values_t values4 = rfc_values(&client4);
    spf_macro_values_t values6 = rfc_values(&client6);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(expand(cases[i].text, SPF_MACRO_IN_EXPLANATION, &values4), cases[i].expansion4);
        assert_string_equal(expand(cases[i].text, SPF_MACRO_IN_EXPLANATION, &values6), cases[i].expansion6);
    }
}

/* Split, reverse, keep the right-hand parts, join: also with empty parts, of which the RFC makes no exception. */
static void ruling_19_transformers(void **state)
{
    static const struct {
        const char *local, *text, *expansion;
    } cases[] = {
        {"philip-gladstone-test", "%{l2r-}", "gladstone.philip"},
        {"foo-bar+zip+quux", "%{l2r+-}", "bar.foo"},
        {"a.b,c/d_e=f+g-h", "%{l.-+,/_=}", "a.b.c.d.e.f.g.h"},
        {"a.b,c/d_e=f+g-h", "%{lr.-+,/_=}", "h.g.f.e.d.c.b.a"},
        {"a.b,c", "%{l,}", "a.b.c"},
        {"a.b,c", "%{l1,}", "c"},
        {"a.b,c", "%{lr,}", "c.a.b"}, /* the dot is no delimiter then */
        {"a..b", "%{l}", "a..b"},
        {"a..b", "%{l2}", ".b"},
        {"a..b", "%{l3}", "a..b"},
        {"a..b", "%{lr}", "b..a"},
        {"a..b", "%{l2r}", ".a"},
        {".a.", "%{lr}", ".a."},
        {".a", "%{lr}", "a."},
        {"a.", "%{lr}", ".a"},
        {"a.", "%{l1}", ""},
        {"a.", "%{l1r}", "a"},
        {".", "%{lr}", "."},
        {".", "%{l1}", ""},
        {"", "%{l}", ""},
        {"", "%{lr}", ""},
        {"", "%{l1r-}", ""},
        {"a.b.c", "%{l128}", "a.b.c"},
        {"a.b.c", "%{l9999999999999999999999}", "a.b.c"},
        {"a.b.c", "%{l18446744073709551617}", "a.b.c"}, /* 1 modulo 2^64 */
        {"a.b.c", "%{l4294967297r}", "c.b.a"},
        {"a.b.c", "%{l257}", "a.b.c"},
        {"a.b.c", "%{l002}", "b.c"},
        {"A-b~C_d", "%{Lr-}", "b~C_d.A"},
        {"x/y z", "%{L1/}", "y%20z"},
        {"a=b&c", "%{L=}", "a.b%26c"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char sender[128];
        size_t local = strlen(cases[i].local);
        memcpy(sender, cases[i].local, local);
        memcpy(sender + local, "@example.com", 13);
        spf_macro_values_t values = values_of(&client4, sender, local + 12, local);
        assert_string_equal(expand(cases[i].text, SPF_MACRO_IN_RECORD, &values), cases[i].expansion);
        assert_string_equal(expand("%{o}", SPF_MACRO_IN_RECORD, &values), "example.com");
    }
}

/* "At least a value of 127" must be supported: it counts labels exactly up to there, and beyond it. */
static void ruling_19_many_labels(void **state)
{
    char domain[2 * 300];
    char text[16];
    spf_macro_values_t values = rfc_values(&client4);
    (void)state;
    for (size_t i = 0; i < sizeof(domain); i++)
        domain[i] = i % 2 == 0 ? 'd' : '.';
    values.domain = domain;
    for (size_t labels = 1; labels <= 254; labels++) {
        values.domain_length = sizeof(domain) - 1;
        memcpy(text, "%{d000}", 8);
        text[3] = (char)('0' + labels / 100);
        text[4] = (char)('0' + labels / 10 % 10);
        text[5] = (char)('0' + labels % 10);
        assert_int_equal(strlen(expand(text, SPF_MACRO_IN_RECORD, &values)), 2 * labels - 1);
        values.domain_length = 2 * labels - 1;
        assert_int_equal(strlen(expand("%{d255}", SPF_MACRO_IN_RECORD, &values)), 2 * labels - 1);
    }
}

/* Escapes are of unsigned octets: "%FF", never "%FFFFFFFF". */
static void url_escape_without_sign_extension(void **state)
{
    static const char hex[] = "0123456789ABCDEF";
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        char sender[] = "?@x.example";
        char escaped[4] = {'%', hex[octet / 16], hex[octet % 16], '\0'};
        sender[0] = (char)octet;
        spf_macro_values_t values = values_of(&client4, sender, sizeof(sender) - 1, 1);
        const char *expansion = expand("%{L}", SPF_MACRO_IN_RECORD, &values);
        bool unreserved =
            octet != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", octet) != NULL;
        if (unreserved)
            assert_memory_equal(expansion, sender, 1);
        assert_string_equal(expansion + 1, unreserved ? "" : escaped + 1);
        assert_int_equal(expansion[0], unreserved ? octet : '%');
    }
}

/* What a sender chose is never parsed: it goes into the expansion as it is. */
static void ruling_19_expanded_once(void **state)
{
    static const char sender[] = "%{d}%%/0%@evil.example";
    spf_macro_values_t values = values_of(&client4, sender, sizeof(sender) - 1, 9);
    (void)state;
    assert_string_equal(expand("%{l}.%{o}", SPF_MACRO_IN_RECORD, &values), "%{d}%%/0%.evil.example");
    values = values_of(&client4, "a\0b@c", 5, 3);
    char storage[16];
    spf_buf_t buf;
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_macro_expand(&buf, "%{s}", 4, SPF_MACRO_IN_RECORD, &values);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "a\0b@c", 6);
}

static void values_may_be_absent(void **state)
{
    const spf_macro_values_t values = {.ip = &client4};
    (void)state;
    assert_string_equal(expand("[%{s}%{l}%{o}%{d}%{h}%{p}%{r}%{dr-}%{S}%{D3}]", SPF_MACRO_IN_EXPLANATION, &values),
                        "[]");
    assert_string_equal(expand("%{t}", SPF_MACRO_IN_EXPLANATION, &values), "0");
}

/* Whatever the room, nothing is written past it, and a lack of it is told. */
static void every_capacity(void **state)
{
    static const char *const texts[] = {"%{ir}.%{v}._spf.%{d2}", "%{S}", "%{sr-.}", "%{L1r-}.%{d}", "%{t}%_%-%%"};
    spf_macro_values_t values = rfc_values(&client6);
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t whole = strlen(expand(texts[i], SPF_MACRO_IN_EXPLANATION, &values));
        for (size_t cap = 1; cap <= whole + 2; cap++) {
            char *storage = malloc(cap);
            spf_buf_t buf;
            spf_buf_init(&buf, storage, cap);
            spf_macro_expand(&buf, texts[i], strlen(texts[i]), SPF_MACRO_IN_EXPLANATION, &values);
            assert_int_equal(buf.full, cap <= whole);
            assert_true(strlen(storage) < cap);
            free(storage);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_one_string),
        cmocka_unit_test(ruling_19_syntax),
        cmocka_unit_test(embedded_nul_is_an_error),
        cmocka_unit_test(every_octet_everywhere),
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(ruling_19_letters),
        cmocka_unit_test(ruling_19_transformers),
        cmocka_unit_test(ruling_19_many_labels),
        cmocka_unit_test(url_escape_without_sign_extension),
        cmocka_unit_test(ruling_19_expanded_once),
        cmocka_unit_test(values_may_be_absent),
        cmocka_unit_test(every_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
