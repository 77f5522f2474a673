/* SPDX-License-Identifier: MIT */
/*
 * Where implementations read RFC 7208 differently: one test for each question, as whole checks. Here those about
 * the text of records, names, macros and header fields. The answer stands above each test.
 */
#include "rows.h"

#include <stdio.h>
#include <string.h>

static void add_text(zone_t *zone, const char *text)
{
    zone_add_strings(zone, ROW_DOMAIN, &text, (size_t[]){strlen(text)}, 1);
}

/* The result of r.example.com in a zone that is made by hand. */
static spf_result_t result_of(zone_t *zone)
{
    world_t world;
    world_open_zone(&world, zone, NULL);
    spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_NONE});
    spf_result_t result = world_run(check)->result;
    assert_int_equal(memory_resolver_asked(world.resolver, ROW_DOMAIN, SPF_TYPE_TXT), 1);
    spf_check_free(check);
    world_close(&world);
    return result;
}

/* 10. Which of the TXT records is the record. */
static void record_selection(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1", .result = SPF_RESULT_NEUTRAL},
        {.record = "V=SPF1 -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf10 -all", .result = SPF_RESULT_NONE, .cause = SPF_CAUSE_NO_RECORD},
        {.record = " v=spf1 -all", .result = SPF_RESULT_NONE},
        {.record = "v=spf1-all", .result = SPF_RESULT_NONE},
        {.record = "v=spf1\t-all", .result = SPF_RESULT_NONE},
        {.record = "v=spf", .result = SPF_RESULT_NONE},
    };
    ROWS_RUN(COMMON, rows);
    zone_t *zone = zone_new();
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){"v=sp", "f1 -a", "ll"}, (size_t[]){4, 5, 2}, 3);
    add_text(zone, "v=spf1a -all");
    add_text(zone, "something else");
    assert_int_equal(result_of(zone), SPF_RESULT_FAIL);
    zone = zone_new();
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){"v=spf1", "-all"}, (size_t[]){6, 4}, 2);
    assert_int_equal(result_of(zone), SPF_RESULT_NONE);
    zone = zone_new();
    add_text(zone, "v=spf1 +all");
    add_text(zone, "v=spf1 +all");
    assert_int_equal(result_of(zone), SPF_RESULT_PERMERROR);
    zone = zone_new();
    zone_add(zone, ROW_DOMAIN, "SPF", "v=spf1 +all");
    assert_int_equal(result_of(zone), SPF_RESULT_NONE);
}

/* 11. Spaces only; octets behind a NUL are not lost. */
static void separators(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1   ip4:192.0.2.1    -all   ", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip4:192.0.2.1\t-all", .result = SPF_RESULT_PERMERROR, .cause = SPF_CAUSE_SYNTAX},
        {.record = "v=spf1 ip4:192.0.2.1\r", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1 \x7f", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1\xc2\xa0-all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 x=\xff -all", .result = SPF_RESULT_PERMERROR},
    };
    ROWS_RUN(COMMON, rows);
    static const char with_nul[] = "v=spf1 ip4:192.0.2.1\0 -all";
    zone_t *zone = zone_new();
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){with_nul}, (size_t[]){sizeof with_nul - 1}, 1);
    assert_int_equal(result_of(zone), SPF_RESULT_PERMERROR);
    static const char nul_last[] = "v=spf1 +all\0";
    zone = zone_new();
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){nul_last}, (size_t[]){sizeof nul_last - 1}, 1);
    assert_int_equal(result_of(zone), SPF_RESULT_PERMERROR);
    static const char nul_in_version[] = "v=spf1\0 -all";
    zone = zone_new();
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){nul_in_version}, (size_t[]){sizeof nul_in_version - 1}, 1);
    assert_int_equal(result_of(zone), SPF_RESULT_NONE);
}

/* 12. Octets outside ASCII: no matter in another record; no explanation in an exp text. */
static void octets_outside_ascii(void **state)
{
    (void)state;
    static const char zone[] = COMMON "r.example.com TXT gr\xc3\xbc\xc3\x9f\n"
                                      "r.example.com TXT \xff\xfe\n"
                                      "latin.example.com TXT nicht f\xfcr dich\n"
                                      "utf8.example.com TXT nicht f\xc3\xbcr dich\n"
                                      "ascii.example.com TXT not for you\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=ascii.example.com -all", .result = SPF_RESULT_FAIL, .explanation = "not for you"},
        {.record = "v=spf1 exp=latin.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=utf8.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
    };
    ROWS_RUN(zone, rows);
}

/* 13. Prefix lengths. */
static void cidr_lengths(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1 ip4:198.51.100.1/0 -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip6:2001:db8::/0 -all", .ip = "2001:db9::1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip6:::/0 -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip4:192.0.2.0/31 -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip4:192.0.2.1/32 -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip4:192.0.2.0/32 -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip4:192.0.2.1/33 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1/ -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1/032 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1/00 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1/4294967328 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1/18446744073709551640 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.0/24//64 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip6:2001:db8::/129 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip6:2001:db8::/128 -all", .ip = "2001:db8::", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:other.example.com/0 -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com//64 -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com//64 -all", .ip = "192.0.2.2", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 a:me.example.com//64 -all", .ip = "2001:db8::2", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com/24 -all", .ip = "2001:db8::2", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 a:me.example.com/24 -all", .ip = "2001:db8::1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com/24 -all", .ip = "192.0.2.200", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com/24/64 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:me.example.com/24//129 -all", .result = SPF_RESULT_PERMERROR},
    };
    ROWS_RUN(COMMON, rows);
}

/* 14. Addresses. */
static void addresses(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1 ip4:192.0.2.1 -all", .ip = "::ffff:192.0.2.1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com -all", .ip = "::ffff:c000:201", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip6:::ffff:192.0.2.1 -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip6:::ffff:192.0.2.1 -all", .ip = "::ffff:192.0.2.1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip6:::ffff:0:0/96 -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip4:192.0.2.01 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:192.0.2.1. -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip4:0xc0.0.2.1 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip6:fe80::1%eth0 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 ip6:2001:DB8:0:0:0:0:0:1 -all", .ip = "2001:db8::1", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(COMMON, rows);
    world_t world;
    world_open(&world, COMMON, NULL, NULL);
    spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_NONE});
    assert_int_equal(spf_check_set_ip(check, "fe80::1%eth0"), SPF_EINVAL);
    assert_int_equal(spf_check_set_ip(check, "192.0.2.01"), SPF_EINVAL);
    assert_int_equal(spf_check_set_ip(check, "192.0.2"), SPF_EINVAL);
    spf_check_free(check);
    world_close(&world);
}

/* 16. domain-spec. */
static void domain_spec(void **state)
{
    (void)state;
    static const char zone[] = COMMON "a:b/c_d.example.com A 192.0.2.1\n"
                                      "_spf.example.com TXT v=spf1 +all\n";
    static const row_t rows[] = {
        {.record = "v=spf1 include:localhost -all", .result = SPF_RESULT_PERMERROR, .cause = SPF_CAUSE_SYNTAX},
        {.record = "v=spf1 a:example.123 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:192.0.2.1 -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:me.example.-com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:me.example.com- -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:me.example.com. -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:me.example.com.. -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:a:b/c_d.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 include:_spf.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:%{d} -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 include: -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 exists -all", .result = SPF_RESULT_PERMERROR},
    };
    ROWS_RUN(zone, rows);
}

/* 17. Names after expansion: cut from the left at whole labels; what is no DNS name does not match. */
static void expanded_names(void **state)
{
    (void)state;
    char lines[2048], sender[512];
    char labels[400] = "";
    for (int i = 0; i < 30; i++)
        strcat(labels, i ? ".12345678" : "long");
    /* of "long.12345678. ... .12345678.x.example.com" what fits 253 octets is left: 26 labels and x.example.com */
    snprintf(lines, sizeof lines, COMMON "%s.x.example.com A 127.0.0.2\n",
             strchr(strchr(strchr(strchr(labels, '.') + 1, '.') + 1, '.') + 1, '.') + 1);
    snprintf(sender, sizeof sender, "%s@" ROW_DOMAIN, labels);
    const row_t rows[] = {
        {.record = "v=spf1 exists:%{l}.x.example.com -all", .sender = sender, .result = SPF_RESULT_PASS, .queries = 2},
        {.record = "v=spf1 a:%{l}.example.com -all",
         .result = SPF_RESULT_FAIL,
         .queries = 1,
         ROW_COUNTS(1, 0),
         .sender = "123456789012345678901234567890123456789012345678901234567890abcd@" ROW_DOMAIN},
        {.record = "v=spf1 a:%{l}.example.com ~all",
         .result = SPF_RESULT_SOFTFAIL,
         .queries = 1,
         .sender = "x..y@" ROW_DOMAIN},
        {.record = "v=spf1 include:%{l}.example.com ~all",
         .result = SPF_RESULT_PERMERROR,
         .queries = 1,
         .cause = SPF_CAUSE_BAD_TARGET,
         .sender = "x..y@" ROW_DOMAIN},
        {.record = "v=spf1 redirect=%{l}.example.com",
         .result = SPF_RESULT_PERMERROR,
         .queries = 1,
         .cause = SPF_CAUSE_BAD_TARGET,
         .sender = "x..y@" ROW_DOMAIN},
    };
    ROWS_RUN(lines, rows);
}

/* 19. Macros. */
static void macros(void **state)
{
    (void)state;
    static const char zone[] =
        COMMON "l.why.example.com TXT %{l1r-} %{L} %{s} %{S}\n"
               "d.why.example.com TXT %{d1} %{d9} %{d99999999999999999999} %{d1r} %{dr} %{o} %{h2} %%%_%-\n"
               "i.why.example.com TXT %{i} %{ir} %{c} %{v} %{r} %{C}\n"
               "t.why.example.com TXT %{t}\n"
               "x.why.example.com TXT %{lr.-+,/_=}\n"
               "u.why.example.com TXT %{U}\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=l.why.example.com -all",
         .sender = "a-b~c&d=e/\xc3\xa9?@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation =
             "a a-b~c%26d%3De%2F%C3%A9%3F a-b~c&d=e/???@r.example.com a-b~c%26d%3De%2F%C3%A9%3F%40r.example.com"},
        {.record = "v=spf1 exp=l.why.example.com -all",
         .sender = "a-b~c&d=e/?@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "a a-b~c%26d%3De%2F%3F a-b~c&d=e/?@r.example.com a-b~c%26d%3De%2F%3F%40r.example.com"},
        {.record = "v=spf1 exp=d.why.example.com -all",
         .result = SPF_RESULT_FAIL,
         .explanation = "com r.example.com r.example.com r com.example.r r.example.com example.org % %20"},
        {.record = "v=spf1 exp=i.why.example.com -all",
         .result = SPF_RESULT_FAIL,
         .explanation = "192.0.2.1 1.2.0.192 192.0.2.1 in-addr receiver.example.org 192.0.2.1"},
        {.record = "v=spf1 exp=i.why.example.com -all",
         .ip = "2001:DB8::CB01",
         .result = SPF_RESULT_FAIL,
         .explanation = "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1 "
                        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2 "
                        "2001:db8::cb01 ip6 receiver.example.org 2001%3Adb8%3A%3Acb01"},
        {.record = "v=spf1 exp=x.why.example.com -all",
         .sender = "a-b+c,d/e_f=g.h@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "h.g.f.e.d.c.b.a"},
        {.record = "v=spf1 exp=u.why.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 a:%{d0}.example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{d0r}.example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{c}.example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{r}.example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{t}.example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{d -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%(d).example.com -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:% -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{d;}.example.com -all", .result = SPF_RESULT_PERMERROR},
        /* what a sender wrote is never read as a macro */
        {.record = "v=spf1 exp=l.why.example.com -all",
         .sender = "%{d}@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "%{d} %25%7Bd%7D %{d}@r.example.com %25%7Bd%7D%40r.example.com"},
    };
    ROWS_RUN(zone, rows);
    world_t world;
    world_open(&world, zone, "v=spf1 exp=t.why.example.com -all", NULL);
    spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_FAIL});
    assert_string_equal(world_run(check)->explanation, "1700000001");
    spf_check_free(check);
    world_close(&world);
}

/* 25. Unknown modifiers. */
static void unknown_modifiers(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1 x=1 x=2 y-z_1.2=%{d}/:= -all", .result = SPF_RESULT_FAIL, .queries = 1},
        {.record = "v=spf1 x= -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 x=%{z} -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 x=% -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 1x=y -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 =y -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 -x=y -all", .result = SPF_RESULT_PERMERROR},
    };
    ROWS_RUN(COMMON, rows);
}

/* 27. Internationalised mail (RFC 8616). */
static void internationalised_mail(void **state)
{
    (void)state;
    static const char zone[] = COMMON "xn--bcher-kva.example TXT v=spf1 exists:%{d}.x.example.com -all\n"
                                      "xn--bcher-kva.example.x.example.com A 127.0.0.2\n"
                                      "all.example.com TXT v=spf1 exists:%{l}.x.example.com ?all\n"
                                      "\xc3\xa9.x.example.com A 127.0.0.2\n";
    static const row_t rows[] = {
        {.sender = "ann@b\xc3\xbc"
                   "cher.example",
         .result = SPF_RESULT_PASS},
        {.sender = "ann@B\xc3\x9c"
                   "CHER.example",
         .result = SPF_RESULT_PASS},
        {.sender = "",
         .helo = "b\xc3\xbc"
                 "cher.example",
         .result = SPF_RESULT_PASS},
        {.sender = "\xc3\xa9@xn--bcher-kva.example", .result = SPF_RESULT_PASS},
        {.sender = "\xc3\xa9@all.example.com", .result = SPF_RESULT_NEUTRAL, .queries = 1},
        {.sender = "\xc3\xa9@r.example.com",
         .record = "v=spf1 exists:%{s}.x.example.com ~all",
         .result = SPF_RESULT_SOFTFAIL,
         .queries = 1},
        {.sender = "\xc3\xa9@r.example.com",
         .record = "v=spf1 exists:%{o}.%{d}.x.example.com ~all",
         .result = SPF_RESULT_SOFTFAIL,
         .queries = 2},
        {.sender = "ann@b\xfc"
                   "cher.example",
         .result = SPF_RESULT_NONE},
    };
    ROWS_RUN(zone, rows);
}

/* 29. Header text cannot be broken out of. */
static void header_text(void **state)
{
    (void)state;
    static const char *const helos[] = {"x; result=pass", "x\"; result=pass", "x) (pass", "x\r\nX-Evil: yes", "x\\",
                                        "x;spf=pass"};
    for (size_t i = 0; i < COUNT(helos); i++) {
        world_t world;
        world_open(&world, COMMON, "v=spf1 -all", NULL);
        spf_check_t *check = world_check(&world, &(row_t){.helo = helos[i], .sender = "\"a; b\"@" ROW_DOMAIN});
        assert_int_equal(world_run(check)->result, SPF_RESULT_FAIL);
        const char *texts[] = {spf_check_received_spf(check, SPF_FOLD_NONE),
                               spf_check_authentication_results(check, SPF_FOLD_NONE),
                               spf_check_smtp_reply(check)->text};
        for (size_t j = 0; j < COUNT(texts); j++) {
            assert_null(strpbrk(texts[j], "\r\n"));
            bool is_quoted = false;
            for (const char *at = texts[j]; *at; at++) {
                if (*at == '\\' && at[1])
                    at++;
                else if (*at == '"')
                    is_quoted = !is_quoted;
                else if (!is_quoted && j < 2)
                    assert_false(strncmp(at, "result=pass", 11) == 0 || strncmp(at, "spf=pass", 8) == 0);
            }
            assert_false(is_quoted && j < 2);
        }
        spf_check_free(check);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_selection),       cmocka_unit_test(separators),  cmocka_unit_test(octets_outside_ascii),
        cmocka_unit_test(cidr_lengths),           cmocka_unit_test(addresses),   cmocka_unit_test(domain_spec),
        cmocka_unit_test(expanded_names),         cmocka_unit_test(macros),      cmocka_unit_test(unknown_modifiers),
        cmocka_unit_test(internationalised_mail), cmocka_unit_test(header_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
