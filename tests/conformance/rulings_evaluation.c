/* SPDX-License-Identifier: MIT */
/*
 * Where implementations read RFC 7208 differently: one test for each question, as whole checks. Here those about
 * evaluation, DNS and identities. The answer stands above each test.
 */
#include "rows.h"

#include <stdio.h>
#include <string.h>

/* Lines for a domain with that many MX hosts, or the client with that many PTR names: h1, h2, ... */
static const char *many_hosts(char *lines, size_t room, const char *owner, const char *type, unsigned count)
{
    size_t used = (size_t)snprintf(lines, room, "%s", COMMON);
    for (unsigned i = 1; i <= count && used < room; i++)
        used += (size_t)snprintf(lines + used, room - used, "%s %s %sh%u.example.com\n", owner, type,
                                 strcmp(type, "MX") == 0 ? "10 " : "", i);
    return lines;
}

/* 1. A term counts at most once, for its own first question; two may be void. */
static void void_lookups_count_terms(void **state)
{
    (void)state;
    static const char zone[] = COMMON "mx.example.com MX 10 n1.example.net\n"
                                      "mx.example.com MX 20 n2.example.net\n"
                                      "mx.example.com MX 30 n3.example.net\n"
                                      "1.2.0.192.in-addr.arpa PTR n1.example.net\n"
                                      "1.2.0.192.in-addr.arpa PTR n2.r.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR n3.r.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR n4.r.example.com\n"
                                      "empty.example.com MX 10 mail.example.com\n";
    static const row_t rows[] = {
        {.record = "v=spf1 a:n1.example.net a:empty.example.com ?all", .result = SPF_RESULT_NEUTRAL, ROW_COUNTS(2, 2)},
        {.record = "v=spf1 a:n1.example.net a:n2.example.net a:n3.example.net",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_VOID_LIMIT,
         .queries = 4,
         ROW_COUNTS(3, 3)},
        {.record = "v=spf1 mx:n1.example.net exists:n2.example.net mx:other.example.com +all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_VOID_LIMIT,
         ROW_COUNTS(3, 3)},
        {.record = "v=spf1 mx:mx.example.com ?all", .result = SPF_RESULT_NEUTRAL, .queries = 5, ROW_COUNTS(1, 0)},
        {.record = "v=spf1 ptr ?all", .result = SPF_RESULT_NEUTRAL, .queries = 5, ROW_COUNTS(1, 0)},
        {.record = "v=spf1 ptr ?all", .ip = "192.0.2.2", .result = SPF_RESULT_NEUTRAL, .queries = 2, ROW_COUNTS(1, 1)},
        {.record = "v=spf1 a:n1.example.net a:n2.example.net exp=n3.example.net -all",
         .result = SPF_RESULT_FAIL,
         .explanation = ROW_NONE,
         ROW_COUNTS(2, 2)},
        {.record = "v=spf1 a:n1.example.net a:n1.example.net a:n1.example.net ?all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_VOID_LIMIT,
         .queries = 2,
         ROW_COUNTS(3, 3)},
        {.record = "v=spf1 include:n1.example.net ?all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_TARGET_NO_RECORD,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 redirect=n1.example.net",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_TARGET_NO_RECORD,
         ROW_COUNTS(1, 1)},
    };
    static const row_t limited[] = {
        {.record = "v=spf1 a:n1.example.net ?all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_VOID_LIMIT,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 a:other.example.com ?all", .result = SPF_RESULT_NEUTRAL, ROW_COUNTS(1, 0)},
    };
    ROWS_RUN(zone, rows);
    rows_run(zone, limited, COUNT(limited), (const char *const[]){"max-void-lookups", "0", NULL});
}

/* 2. One counter for the whole check, tested before the eleventh term asks. */
static const char lookup_limit_zone[] =
    COMMON "five.example.com TXT v=spf1 a:a1.example.com a:a2.example.com a:a3.example.com a:a4.example.com\n"
           "a1.example.com A 198.51.100.1\n"
           "a2.example.com A 198.51.100.2\n"
           "a3.example.com A 198.51.100.3\n"
           "a4.example.com A 198.51.100.4\n"
           "a5.example.com A 192.0.2.1\n"
           "why.example.com TXT because\n"
           "1.2.0.192.in-addr.arpa PTR me.example.com\n"
           "me.example.com.x.example.com A 127.0.0.2\n";
static const row_t lookup_limit_rows[] = {
    /* 5 + 5: at the limit, and one more */
    {.record = "v=spf1 include:five.example.com include:five.example.com +all",
     .result = SPF_RESULT_PASS,
     .queries = 6,
     ROW_COUNTS(10, 0)},
    {.record = "v=spf1 include:five.example.com include:five.example.com a:a5.example.com -all",
     .result = SPF_RESULT_PERMERROR,
     .cause = SPF_CAUSE_LOOKUP_LIMIT,
     .queries = 6,
     ROW_COUNTS(11, 0)},
    /* the eleventh is known already, and is a term all the same */
    {.record = "v=spf1 include:five.example.com include:five.example.com a:a1.example.com -all",
     .result = SPF_RESULT_PERMERROR,
     .cause = SPF_CAUSE_LOOKUP_LIMIT,
     .queries = 6,
     ROW_COUNTS(11, 0)},
    /* a redirect counts when it is followed */
    {.record = "v=spf1 include:five.example.com include:five.example.com redirect=pass.example.com",
     .result = SPF_RESULT_PERMERROR,
     .cause = SPF_CAUSE_LOOKUP_LIMIT,
     ROW_COUNTS(11, 0)},
    {.record = "v=spf1 include:five.example.com include:five.example.com ip4:192.0.2.1 redirect=pass.example.com",
     .result = SPF_RESULT_PASS,
     ROW_COUNTS(10, 0)},
    /* exp and %{p} do not count */
    {.record = "v=spf1 include:five.example.com a a a a exists:%{p}.y.example.com exp=why.example.com -all",
     .result = SPF_RESULT_PERMERROR,
     .cause = SPF_CAUSE_VOID_LIMIT,
     ROW_COUNTS(8, 3)},
    {.record = "v=spf1 include:five.example.com include:other5.example.com exists:%{p}.x.example.com -all",
     .result = SPF_RESULT_PERMERROR,
     .cause = SPF_CAUSE_TARGET_NO_RECORD},
    {.record = "v=spf1 include:five.example.com a:a1.example.com a:a1.example.com a:a1.example.com "
               "a:a1.example.com exists:%{p}.x.example.com -all",
     .result = SPF_RESULT_PASS,
     ROW_COUNTS(10, 0)},
    {.record = "v=spf1 include:five.example.com include:five.example.com exp=why.example.com -all",
     .result = SPF_RESULT_FAIL,
     .explanation = "because",
     .queries = 7,
     ROW_COUNTS(10, 0)},
    /* what is not reached does not count */
    {.record = "v=spf1 ip4:192.0.2.1 a a a a a a a a a a a a",
     .result = SPF_RESULT_PASS,
     .queries = 1,
     ROW_COUNTS(0, 0)},
};

static void lookup_limit_is_one_for_the_check(void **state)
{
    (void)state;
    ROWS_RUN(lookup_limit_zone, lookup_limit_rows);
}

/* 3. Eleven MX hosts: an error before any address is asked for. Eleven PTR names: the first ten. */
static void more_than_ten_hosts(void **state)
{
    (void)state;
    char lines[4096];
    static const row_t mx[] = {{.record = "v=spf1 mx:m.example.com +all",
                                .result = SPF_RESULT_PERMERROR,
                                .cause = SPF_CAUSE_MX_LIMIT,
                                .queries = 2,
                                ROW_COUNTS(1, 0)}};
    static const row_t ten[] = {
        {.record = "v=spf1 mx:m.example.com ?all", .result = SPF_RESULT_NEUTRAL, .queries = 12, ROW_COUNTS(1, 0)}};
    static const row_t ptr[] = {
        {.record = "v=spf1 ptr:example.com ?all", .result = SPF_RESULT_NEUTRAL, .queries = 12, ROW_COUNTS(1, 0)}};
    static const row_t ptr_ten[] = {{.record = "v=spf1 ptr:example.com ?all", .result = SPF_RESULT_PASS}};
    ROWS_RUN(many_hosts(lines, sizeof lines, "m.example.com", "MX", 11), mx);
    ROWS_RUN(many_hosts(lines, sizeof lines, "m.example.com", "MX", 10), ten);
    many_hosts(lines, sizeof lines, "1.2.0.192.in-addr.arpa", "PTR", 11);
    ROWS_RUN(strcat(lines, "h11.example.com A 192.0.2.1\n"), ptr);
    many_hosts(lines, sizeof lines, "1.2.0.192.in-addr.arpa", "PTR", 10);
    ROWS_RUN(strcat(lines, "h10.example.com A 192.0.2.1\n"), ptr_ten);
    /* nor does asking ahead ask for the hosts of too many */
    world_t world;
    many_hosts(lines, sizeof lines, "m.example.com", "MX", 11);
    world_open(&world, lines, "v=spf1 a:slow.example.com mx:m.example.com ?all", NULL);
    memory_resolver_set_options(world.resolver, &(memory_options_t){.delay_us = 20000, .timeout_us = 200000});
    spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_TEMPERROR});
    assert_int_equal(world_run(check)->result, SPF_RESULT_TEMPERROR);
    assert_int_equal(memory_resolver_asked(world.resolver, "m.example.com", SPF_TYPE_MX), 1);
    assert_int_equal(memory_resolver_asked(world.resolver, "h1.example.com", 0), 0);
    spf_check_free(check);
    world_close(&world);
}

/* 4. One MX host fails: another's match wins in any order; without a match it is temperror. */
static void mx_host_fails(void **state)
{
    (void)state;
    static const char zone[] = COMMON "first.example.com MX 10 broken.example.com\n"
                                      "first.example.com MX 20 me.example.com\n"
                                      "last.example.com MX 10 me.example.com\n"
                                      "last.example.com MX 20 broken.example.com\n"
                                      "late.example.com MX 10 slow.example.com\n"
                                      "late.example.com MX 20 me.example.com\n"
                                      "none.example.com MX 10 other.example.com\n"
                                      "none.example.com MX 20 broken.example.com\n"
                                      "void.example.com MX 10 broken.example.com\n"
                                      "void.example.com MX 20 nothing.example.net\n";
    static const row_t rows[] = {
        {.record = "v=spf1 mx:first.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 mx:last.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 mx:late.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 mx:none.example.com -all", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_ERROR},
        {.record = "v=spf1 mx:void.example.com +all", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_ERROR},
    };
    ROWS_RUN(zone, rows);
}

/* 5. ptr: names confirmed by their addresses, on whole labels, in any case, with or without a trailing dot. */
static void ptr_names(void **state)
{
    (void)state;
    static const char zone[] = COMMON "1.2.0.192.in-addr.arpa PTR broken.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR Me.EXAMPLE.com.\n"
                                      "1.2.0.192.in-addr.arpa PTR host.notexample.net\n"
                                      "1.2.0.192.in-addr.arpa PTR other.example.com\n"
                                      "host.notexample.net A 192.0.2.1\n"
                                      "2.2.0.192.in-addr.arpa PTR broken.example.com\n"
                                      "2.2.0.192.in-addr.arpa PTR two.example.com\n"
                                      "two.example.com A 192.0.2.2\n"
                                      "3.2.0.192.in-addr.arpa PTR other.example.com\n"
                                      "4.2.0.192.in-addr.arpa * SERVFAIL\n"
                                      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR "
                                      "ME.example.com\n";
    static const row_t rows[] = {
        {.record = "v=spf1 ptr:example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ptr:EXAMPLE.COM. -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ptr:me.example.com -all", .result = SPF_RESULT_PASS, .queries = 3},
        {.record = "v=spf1 ptr:example.net -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ptr:notexample.net -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ptr:other.example.com -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ptr:example.com -all", .ip = "192.0.2.2", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ptr:example.com -all", .ip = "192.0.2.3", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ptr:example.com -all", .ip = "192.0.2.4", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ptr:example.com -all", .ip = "2001:db8::1", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(zone, rows);
}

/* 6. %{p}: the domain itself, else a name within it, else any that is validated, else "unknown". */
static void validated_name_macro(void **state)
{
    (void)state;
    static const char zone[] = COMMON "1.2.0.192.in-addr.arpa PTR a.example.net\n"
                                      "1.2.0.192.in-addr.arpa PTR sub.r.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR r.example.com\n"
                                      "a.example.net A 192.0.2.1\n"
                                      "sub.r.example.com A 192.0.2.1\n"
                                      "r.example.com A 192.0.2.1\n"
                                      "r.example.com A 192.0.2.2\n"
                                      "2.2.0.192.in-addr.arpa PTR b.example.net\n"
                                      "2.2.0.192.in-addr.arpa PTR sub2.r.example.com\n"
                                      "b.example.net A 192.0.2.2\n"
                                      "sub2.r.example.com A 192.0.2.2\n"
                                      "3.2.0.192.in-addr.arpa PTR other.example.com\n"
                                      "3.2.0.192.in-addr.arpa PTR c.example.net\n"
                                      "c.example.net A 192.0.2.3\n"
                                      "4.2.0.192.in-addr.arpa PTR other.example.com\n"
                                      "5.2.0.192.in-addr.arpa * SERVFAIL\n"
                                      "why.example.com TXT %{p}\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=why.example.com -all", .result = SPF_RESULT_FAIL, .explanation = "r.example.com"},
        {.record = "v=spf1 exp=why.example.com -all",
         .ip = "192.0.2.2",
         .result = SPF_RESULT_FAIL,
         .explanation = "sub2.r.example.com"},
        {.record = "v=spf1 exp=why.example.com -all",
         .ip = "192.0.2.3",
         .result = SPF_RESULT_FAIL,
         .explanation = "c.example.net"},
        {.record = "v=spf1 exp=why.example.com -all",
         .ip = "192.0.2.4",
         .result = SPF_RESULT_FAIL,
         .explanation = "unknown"},
        {.record = "v=spf1 exp=why.example.com -all",
         .ip = "192.0.2.5",
         .result = SPF_RESULT_FAIL,
         .explanation = "unknown"},
        {.record = "v=spf1 exp=why.example.com -all",
         .ip = "192.0.2.6",
         .result = SPF_RESULT_FAIL,
         .explanation = "unknown"},
    };
    ROWS_RUN(zone, rows);
}

/* 7. redirect: last, wherever written; not with all; its target takes the domain's place. */
static void redirect(void **state)
{
    (void)state;
    static const char zone[] = COMMON "target.example.com TXT v=spf1 a exp=why.%{d} -all\n"
                                      "target.example.com A 192.0.2.2\n"
                                      "why.target.example.com TXT from %{d}\n"
                                      "why.r.example.com TXT wrong\n";
    static const row_t rows[] = {
        {.record = "v=spf1 redirect=fail.example.com ip4:192.0.2.1", .result = SPF_RESULT_PASS, .queries = 1},
        {.record = "v=spf1 redirect=fail.example.com ?all", .result = SPF_RESULT_NEUTRAL, .queries = 1},
        {.record = "v=spf1 ?all ReDirect=fail.example.com", .result = SPF_RESULT_NEUTRAL, .queries = 1},
        {.record = "v=spf1 REDIRECT=fail.example.com", .result = SPF_RESULT_FAIL, ROW_COUNTS(1, 0)},
        {.record = "v=spf1 redirect=other.example.com",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_TARGET_NO_RECORD},
        {.record = "v=spf1 redirect=nothing.example.net",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_TARGET_NO_RECORD},
        {.record = "v=spf1 redirect=broken.example.com", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_ERROR},
        {.record = "v=spf1 redirect=target.example.com exp=why.r.example.com",
         .result = SPF_RESULT_FAIL,
         .explanation = "from target.example.com"},
        {.record = "v=spf1 redirect=target.example.com", .ip = "192.0.2.2", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(zone, rows);
}

/* 8. include: what the inner result means outside (section 5.2). */
static void include(void **state)
{
    (void)state;
    static const char zone[] = COMMON "syntax.example.com TXT v=spf1 moo -all\n"
                                      "temp.example.com TXT v=spf1 a:broken.example.com -all\n"
                                      "exp.example.com TXT v=spf1 exp=why.example.com -all\n"
                                      "why.example.com TXT inner\n";
    static const row_t rows[] = {
        {.record = "v=spf1 include:pass.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 -include:pass.example.com +all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ~include:pass.example.com +all", .result = SPF_RESULT_SOFTFAIL},
        {.record = "v=spf1 ?include:pass.example.com +all", .result = SPF_RESULT_NEUTRAL},
        {.record = "v=spf1 include:fail.example.com ~all", .result = SPF_RESULT_SOFTFAIL},
        {.record = "v=spf1 include:soft.example.com -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 include:neutral.example.com -all", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 include:syntax.example.com -all", .result = SPF_RESULT_PERMERROR, .cause = SPF_CAUSE_SYNTAX},
        {.record = "v=spf1 include:temp.example.com -all",
         .result = SPF_RESULT_TEMPERROR,
         .cause = SPF_CAUSE_DNS_ERROR},
        {.record = "v=spf1 include:other.example.com +all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_TARGET_NO_RECORD},
        {.record = "v=spf1 include:exp.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
    };
    ROWS_RUN(zone, rows);
}

/* 9. The whole record is parsed before any term is evaluated. */
static void syntax_errors_anywhere(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1 ip4:192.0.2.1 moo", .result = SPF_RESULT_PERMERROR, .cause = SPF_CAUSE_SYNTAX, .queries = 1},
        {.record = "v=spf1 +all a:%{x}.example.com",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_SYNTAX,
         .queries = 1},
        {.record = "v=spf1 a:me.example.com redirect=",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_SYNTAX,
         .queries = 1},
        {.record = "v=spf1 include:pass.example.com ip4:192.0.2.256 -all",
         .result = SPF_RESULT_PERMERROR,
         .cause = SPF_CAUSE_SYNTAX,
         .queries = 1},
    };
    ROWS_RUN(COMMON, rows);
}

/* 15. exists asks for A records, whatever the client. */
static void exists_asks_for_a(void **state)
{
    (void)state;
    static const char zone[] = COMMON "a.example.com A 127.0.0.2\n"
                                      "aaaa.example.com AAAA 2001:db8::1\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exists:a.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 exists:a.example.com -all", .ip = "2001:db8::1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 exists:aaaa.example.com -all",
         .ip = "2001:db8::1",
         .result = SPF_RESULT_FAIL,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 exists:broken.example.com -all", .result = SPF_RESULT_TEMPERROR},
    };
    ROWS_RUN(zone, rows);
}

/* 18. The checked domain. */
static void checked_domain(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.sender = "ann@localhost", .result = SPF_RESULT_NONE},
        {.sender = "ann@[192.0.2.1]", .result = SPF_RESULT_NONE},
        {.sender = "ann@192.0.2.1", .result = SPF_RESULT_NONE},
        {.sender = "ann@", .result = SPF_RESULT_NONE},
        {.sender = "ann@r..example.com", .result = SPF_RESULT_NONE},
        {.sender = "ann@.example.com", .result = SPF_RESULT_NONE},
        {.sender = "ann@123456789012345678901234567890123456789012345678901234567890abcd.example.com",
         .result = SPF_RESULT_NONE},
        {.sender = "ann@pass.example.com.", .result = SPF_RESULT_PASS},
        {.sender = "ann@PASS.example.com", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(COMMON, rows);
    world_t world;
    world_open(&world, COMMON, NULL, NULL);
    for (size_t i = 0; i < 7; i++) {
        spf_check_t *check = world_check(&world, &rows[i]);
        const spf_verdict_t *verdict = world_run(check);
        assert_int_equal(verdict->cause, SPF_CAUSE_BAD_DOMAIN);
        assert_int_equal(verdict->dns_queries, 0);
        spf_check_free(check);
    }
    assert_int_equal(memory_resolver_counters(world.resolver).queries, 0);
    world_close(&world);
}

/* 20. Which sender is checked. */
static void senders(void **state)
{
    (void)state;
    static const char zone[] = COMMON "who.example.com TXT %{s} %{l} %{o} %{d}\n"
                                      "helo.example.org TXT v=spf1 exp=who.example.com -all\n";
    static const row_t rows[] = {
        {.sender = "",
         .helo = "helo.example.org",
         .result = SPF_RESULT_FAIL,
         .explanation = "postmaster@helo.example.org postmaster helo.example.org helo.example.org"},
        {.sender = "<>",
         .helo = "helo.example.org",
         .result = SPF_RESULT_FAIL,
         .explanation = "postmaster@helo.example.org postmaster helo.example.org helo.example.org"},
        {.record = "v=spf1 exp=who.example.com -all",
         .sender = "@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "postmaster@r.example.com postmaster r.example.com r.example.com"},
        {.record = "v=spf1 exp=who.example.com -all",
         .sender = ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "postmaster@r.example.com postmaster r.example.com r.example.com"},
        {.record = "v=spf1 exp=who.example.com -all",
         .sender = "a@pass.example.com@" ROW_DOMAIN,
         .result = SPF_RESULT_FAIL,
         .explanation = "a@pass.example.com@r.example.com a@pass.example.com r.example.com r.example.com"},
    };
    ROWS_RUN(zone, rows);
}

/* 21. HELO names that have no identity. */
static void helo_without_identity(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.helo = "", .identity = SPF_IDENTITY_HELO, .result = SPF_RESULT_NONE},
        {.helo = "[192.0.2.1]", .identity = SPF_IDENTITY_HELO, .result = SPF_RESULT_NONE},
        {.helo = "localhost", .identity = SPF_IDENTITY_HELO, .result = SPF_RESULT_NONE},
        {.helo = "pass.example.com", .identity = SPF_IDENTITY_HELO, .result = SPF_RESULT_PASS},
        {.helo = "", .sender = "", .result = SPF_RESULT_NONE},
    };
    ROWS_RUN(COMMON, rows);
}

/* 22. No client has a free ride. */
static void no_free_ride(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.record = "v=spf1 -all", .ip = "127.0.0.1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 -all", .ip = "::1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 -all", .ip = "10.0.0.1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip4:192.168.0.0/16 -all", .ip = "192.168.1.1", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(COMMON, rows);
}

/* 23. CNAME. */
static void cname(void **state)
{
    (void)state;
    static const char zone[] = COMMON "alias.example.com CNAME alias2.example.com\n"
                                      "alias2.example.com CNAME me.example.com\n"
                                      "policy.example.com CNAME pass.example.com\n"
                                      "loop.example.com CNAME loop2.example.com\n"
                                      "loop2.example.com CNAME loop.example.com\n"
                                      "bad.example.com CNAME broken.example.com\n"
                                      "gone.example.com CNAME nothing.example.net\n"
                                      "1.2.0.192.in-addr.arpa PTR loop.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR bad.example.com\n"
                                      "1.2.0.192.in-addr.arpa PTR alias.example.com\n";
    static const row_t rows[] = {
        {.record = "v=spf1 a:alias.example.com -all", .result = SPF_RESULT_PASS, .queries = 2},
        {.record = "v=spf1 include:policy.example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:loop.example.com -all", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_ERROR},
        {.record = "v=spf1 a:bad.example.com -all", .result = SPF_RESULT_TEMPERROR},
        {.record = "v=spf1 a:gone.example.com -all", .result = SPF_RESULT_FAIL, ROW_COUNTS(1, 1)},
        {.record = "v=spf1 ptr:example.com -all", .result = SPF_RESULT_PASS},
        {.sender = "ann@loop.example.com", .result = SPF_RESULT_TEMPERROR},
        {.sender = "ann@policy.example.com", .result = SPF_RESULT_PASS},
    };
    ROWS_RUN(zone, rows);
}

/* Twenty times the sender; ten times that is longer than an explanation may become. */
#define SENDERS "%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}"

/* 24. Explanations. */
static void explanations(void **state)
{
    (void)state;
    static const char zone[] = COMMON
        "good.example.com TXT go away\n"
        "two.example.com TXT go\n"
        "two.example.com TXT away\n"
        "bad.example.com TXT %{x}\n"
        "crlf.example.com TXT go\r away\n"
        "tab.example.com TXT go\taway\n"
        "long.example.com TXT " SENDERS SENDERS SENDERS SENDERS SENDERS SENDERS SENDERS SENDERS SENDERS SENDERS "\n"
        "mx.example.com MX 10 me.example.com\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=long.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=good.example.com -all",
         .result = SPF_RESULT_FAIL,
         .explanation = "go away",
         .queries = 2},
        {.record = "v=spf1 exp=good.example.com ~all",
         .result = SPF_RESULT_SOFTFAIL,
         .explanation = ROW_NONE,
         .queries = 1},
        {.record = "v=spf1 exp=good.example.com +all",
         .result = SPF_RESULT_PASS,
         .explanation = ROW_NONE,
         .queries = 1},
        {.record = "v=spf1 exp=mx.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=nothing.example.net -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=two.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=broken.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=slow.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=bad.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=crlf.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp=tab.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
        {.record = "v=spf1 exp= -all", .result = SPF_RESULT_PERMERROR, .cause = SPF_CAUSE_SYNTAX},
        {.record = "v=spf1 exp=good.example.com -all exp=good.example.com", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 redirect=pass.example.com redirect=pass.example.com", .result = SPF_RESULT_PERMERROR},
    };
    ROWS_RUN(zone, rows);
}

/* 26. One deadline for the check, on the resolver's clock. */
static void deadline(void **state)
{
    (void)state;
    static const struct {
        const char *timeout;
        uint64_t expected_us;
    } rows[] = {{NULL, 20000000}, {"5", 5000000}, {"0.25", 250000}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_t world;
        const char *const settings[] = {"timeout", rows[i].timeout, NULL};
        world_open(&world, COMMON, "v=spf1 a:other.example.com a:slow.example.com -all",
                   rows[i].timeout ? settings : NULL);
        memory_resolver_set_options(world.resolver, &(memory_options_t){.delay_us = 20000});
        spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_TEMPERROR});
        uint64_t start_us = memory_resolver_now_us(world.resolver);
        const spf_verdict_t *verdict = world_run(check);
        assert_int_equal(verdict->result, SPF_RESULT_TEMPERROR);
        assert_int_equal(verdict->cause, SPF_CAUSE_DEADLINE);
        assert_int_equal(memory_resolver_now_us(world.resolver) - start_us, rows[i].expected_us);
        assert_int_equal(verdict->elapsed_us, rows[i].expected_us);
        spf_check_free(check);
        world_close(&world);
    }
    /* one for all questions: none of these five takes that long alone */
    static const row_t together[] = {
        {.record = "v=spf1 exists:%{l}.a.example.com include:b.example.com -all", .result = SPF_RESULT_TEMPERROR}};
    world_t world;
    world_open(&world, COMMON "b.example.com TXT v=spf1 include:c.example.com\nc.example.com TXT v=spf1 ?all\n",
               together[0].record, (const char *const[]){"prefetch", "no", NULL});
    memory_resolver_set_options(world.resolver, &(memory_options_t){.delay_us = 6000000});
    spf_check_t *check = world_check(&world, &together[0]);
    assert_int_equal(world_run(check)->cause, SPF_CAUSE_DEADLINE);
    spf_check_free(check);
    world_close(&world);
}

/* 28. A bogus answer is temperror. */
static void bogus_answers(void **state)
{
    (void)state;
    static const char zone[] = COMMON "bogus.example.com * BOGUS\n";
    static const row_t rows[] = {
        {.sender = "ann@bogus.example.com", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_BOGUS},
        {.record = "v=spf1 a:bogus.example.com +all", .result = SPF_RESULT_TEMPERROR, .cause = SPF_CAUSE_DNS_BOGUS},
        {.record = "v=spf1 include:bogus.example.com +all",
         .result = SPF_RESULT_TEMPERROR,
         .cause = SPF_CAUSE_DNS_BOGUS},
        {.record = "v=spf1 exp=bogus.example.com -all", .result = SPF_RESULT_FAIL, .explanation = ROW_NONE},
    };
    ROWS_RUN(zone, rows);
}

/* 30. HELO and MAIL FROM are two identities. */
static void two_identities(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {.helo = "pass.example.com", .sender = "ann@fail.example.com", .result = SPF_RESULT_FAIL, .queries = 1},
        {.helo = "pass.example.com",
         .sender = "ann@fail.example.com",
         .identity = SPF_IDENTITY_HELO,
         .result = SPF_RESULT_PASS,
         .queries = 1},
        {.helo = "fail.example.com", .sender = "ann@pass.example.com", .result = SPF_RESULT_PASS},
        {.helo = "pass.example.com", .sender = "ann@nothing.example.net", .result = SPF_RESULT_NONE},
    };
    ROWS_RUN(COMMON, rows);
    world_t world;
    world_open(&world, COMMON, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        spf_check_t *check = world_check(&world, &rows[i]);
        const spf_verdict_t *verdict = world_run(check);
        assert_int_equal(verdict->identity, rows[i].identity);
        assert_string_equal(verdict->checked_domain, i ? "pass.example.com" : "fail.example.com");
        assert_non_null(
            strstr(spf_check_received_spf(check, SPF_FOLD_NONE), i ? "identity=helo" : "identity=mailfrom"));
        assert_non_null(strstr(spf_check_authentication_results(check, SPF_FOLD_NONE),
                               i ? "smtp.helo=pass.example.com" : "smtp.mailfrom="));
        spf_check_free(check);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(void_lookups_count_terms),
        cmocka_unit_test(lookup_limit_is_one_for_the_check),
        cmocka_unit_test(more_than_ten_hosts),
        cmocka_unit_test(mx_host_fails),
        cmocka_unit_test(ptr_names),
        cmocka_unit_test(validated_name_macro),
        cmocka_unit_test(redirect),
        cmocka_unit_test(include),
        cmocka_unit_test(syntax_errors_anywhere),
        cmocka_unit_test(exists_asks_for_a),
        cmocka_unit_test(checked_domain),
        cmocka_unit_test(senders),
        cmocka_unit_test(helo_without_identity),
        cmocka_unit_test(no_free_ride),
        cmocka_unit_test(cname),
        cmocka_unit_test(explanations),
        cmocka_unit_test(deadline),
        cmocka_unit_test(bogus_answers),
        cmocka_unit_test(two_identities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
