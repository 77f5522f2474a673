/* SPDX-License-Identifier: MIT */
/* What has gone wrong in implementations of SPF, by name, as whole checks: each test is what an attacker would do. */
#include "rows.h"

#include "support/dns_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_OF_A_TREE = 25, QUERIES_OF_A_CHECK = 125, RANDOM_ZONES = 500, NAME_ROOM = 64 };

static void add_format(zone_t *zone, const char *type, const char *value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_format(zone_t *zone, const char *type, const char *value, const char *format, ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    zone_add(zone, name, type, value);
}

/* "v=spf1" and ten includes of 0.NAME to 9.NAME, then that. */
static void ten_includes(char record[512], const char *name, const char *end)
{
    size_t used = (size_t)snprintf(record, 512, "v=spf1");
    for (int i = 0; i < 10; i++)
        used += (size_t)snprintf(record + used, 512 - used, " include:%d.%s", i, name);
    snprintf(record + used, 512 - used, " %s", end);
}

/* 10 x 10 x 10 includes: 1111 records. */
static zone_t *include_tree(void)
{
    zone_t *zone = zone_new();
    char record[512], name[NAME_ROOM];
    ten_includes(record, ROW_DOMAIN, "-all");
    zone_add(zone, ROW_DOMAIN, "TXT", record);
    for (int i = 0; i < 110; i++) {
        if (i < 10)
            snprintf(name, sizeof name, "%d." ROW_DOMAIN, i);
        else
            snprintf(name, sizeof name, "%d.%d." ROW_DOMAIN, i % 10, i / 10 - 1);
        ten_includes(record, name, "?all");
        zone_add(zone, name, "TXT", record);
    }
    for (int i = 0; i < 1000; i++)
        add_format(zone, "TXT", "v=spf1 ?all", "%d.%d.%d." ROW_DOMAIN, i % 10, i / 10 % 10, i / 100);
    return zone;
}

/* Limits counted anew in each include cost one implementation 1111 questions. */
static void include_tree_is_bounded(void **state)
{
    (void)state;
    for (int prefetch = 0; prefetch <= 1; prefetch++) {
        for (uint64_t seed = 0; seed <= 20; seed++) {
            world_t world;
            world_open_zone(&world, include_tree(), (const char *const[]){"prefetch", prefetch ? "yes" : "no", NULL});
            memory_resolver_set_options(
                world.resolver, &(memory_options_t){.delay_us = 20000, .jitter_us = seed ? 100000 : 0, .seed = seed});
            spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_PERMERROR});
            spf_check_set_would_be(check, seed % 2);
            const spf_verdict_t *verdict = world_run(check);
            assert_int_equal(verdict->result, SPF_RESULT_PERMERROR);
            assert_int_equal(verdict->cause, SPF_CAUSE_LOOKUP_LIMIT);
            assert_int_equal(verdict->lookups, 11);
            assert_int_equal(verdict->dns_queries, memory_resolver_counters(world.resolver).queries);
            if (prefetch)
                assert_in_range(verdict->dns_queries, 11, QUERIES_OF_A_TREE);
            else
                assert_int_equal(verdict->dns_queries, 11);
            spf_check_free(check);
            world_close(&world);
        }
    }
}

/* Ten mx of ten hosts each, the client with ten PTR names, %{p} in the explanation's name. */
static zone_t *costly_zone(const char *record)
{
    zone_t *zone = zone_new();
    char host[NAME_ROOM];
    for (int i = 0; i < 200; i++) {
        snprintf(host, sizeof host, "10 h%d.example.com", i);
        add_format(zone, "MX", host, "m%d.example.com", i / 10);
        add_format(zone, "A", "198.51.100.1", "h%d.example.com", i);
    }
    for (int i = 0; i < 12; i++) {
        snprintf(host, sizeof host, "p%d.example.com", i);
        zone_add(zone, "1.2.0.192.in-addr.arpa", "PTR", host);
        zone_add(zone, host, "A", "198.51.100.1");
    }
    zone_add(zone, "unknown.e.example.com", "TXT", "%{p} is not welcome");
    if (record)
        zone_add(zone, ROW_DOMAIN, "TXT", record);
    return zone;
}

/* No record costs more than 125 questions. */
static void questions_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        unsigned queries; /* without asking ahead */
    } rows[] = {
        {"v=spf1 mx:m0.example.com mx:m1.example.com mx:m2.example.com mx:m3.example.com mx:m4.example.com "
         "mx:m5.example.com mx:m6.example.com mx:m7.example.com mx:m8.example.com mx:m9.example.com "
         "exp=%{p}.e.example.com -all",
         1 + 10 + 100 + 11 + 1},
        {"v=spf1 ptr:example.com mx:m1.example.com mx:m2.example.com mx:m3.example.com mx:m4.example.com "
         "mx:m5.example.com mx:m6.example.com mx:m7.example.com mx:m8.example.com mx:m9.example.com "
         "exp=%{p}.e.example.com -all",
         1 + 11 + 9 + 90 + 1},
        {"v=spf1 exists:%{p}.e.example.com mx:m1.example.com mx:m2.example.com mx:m3.example.com mx:m4.example.com "
         "mx:m5.example.com mx:m6.example.com mx:m7.example.com mx:m8.example.com mx:m9.example.com "
         "mx:m10.example.com mx:m11.example.com mx:m12.example.com mx:m13.example.com mx:m14.example.com -all",
         1 + 11 + 1 + 9 + 90},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint64_t way = 0; way <= 10; way++) {
            world_t world;
            world_open_zone(&world, costly_zone(rows[i].record),
                            (const char *const[]){"prefetch", way ? "yes" : "no", NULL});
            memory_resolver_set_options(
                world.resolver,
                &(memory_options_t){.delay_us = way ? 20000 : 0, .jitter_us = way > 1 ? 100000 : 0, .seed = way});
            spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_FAIL});
            unsigned queries = world_run(check)->dns_queries;
            if (way)
                assert_in_range(queries, 1, QUERIES_OF_A_CHECK);
            else
                assert_int_equal(queries, rows[i].queries);
            spf_check_free(check);
            world_close(&world);
        }
    }
}

/* A record of random terms, most of them costly; the same for the same seed. */
static void random_record(char record[512], unsigned short seed[3])
{
    static const char *const terms[] = {
        "include:d%ld.example.com",       "mx:m%ld.example.com",    "include:d%ld.example.com", "mx:m%ld.example.com",
        "exists:%%{p}.e%ld.example.com",  "ptr:p%ld.example.com",   "a:n%ld.example.net",       "a:h%ld.example.com",
        "include:%%{p}.d%ld.example.com", "?mx:m%ld.example.com/24"};
    static const char *const ends[] = {"redirect=d%ld.example.com", "exp=%%{p}.e.example.com -all", "?all",
                                       "redirect=%%{p}.d%ld.example.com"};
    size_t used = (size_t)snprintf(record, 512, "v=spf1");
    long count = nrand48(seed) % 8;
    for (long i = 0; i <= count; i++) {
        char term[NAME_ROOM];
        const char *format =
            i < count ? terms[nrand48(seed) % (long)COUNT(terms)] : ends[nrand48(seed) % (long)COUNT(ends)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(term, sizeof term, format, nrand48(seed) % 20);
#pragma GCC diagnostic pop
        used += (size_t)snprintf(record + used, 512 - used, " %s", term);
    }
}

static zone_t *random_zone(unsigned number)
{
    zone_t *zone = costly_zone(NULL);
    unsigned short seed[3] = {(unsigned short)number, 1, 2};
    char record[512];
    for (int i = 0; i < 20; i++) {
        random_record(record, seed);
        add_format(zone, "TXT", record, "d%d.example.com", i);
        add_format(zone, "TXT", record, "unknown.d%d.example.com", i);
    }
    random_record(record, seed);
    zone_add(zone, ROW_DOMAIN, "TXT", record);
    return zone;
}

/* Records of which nobody thought: the bound holds, and asking ahead changes nothing but the number of questions. */
static void questions_of_random_records_are_bounded(void **state)
{
    (void)state;
    for (unsigned number = 0; number < RANDOM_ZONES; number++) {
        char reason[2][1024];
        spf_result_t results[2];
        unsigned lookups[2];
        for (int prefetch = 0; prefetch <= 1; prefetch++) {
            world_t world;
            world_open_zone(&world, random_zone(number),
                            (const char *const[]){"prefetch", prefetch ? "yes" : "no", NULL});
            memory_resolver_set_options(world.resolver, &(memory_options_t){.jitter_us = 50000, .seed = number + 1});
            spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_FAIL});
            spf_check_set_would_be(check, number % 2);
            const spf_verdict_t *verdict = world_run(check);
            results[prefetch] = verdict->result;
            lookups[prefetch] = verdict->lookups;
            snprintf(reason[prefetch], sizeof reason[0], "%s", verdict->reason);
            assert_in_range(memory_resolver_counters(world.resolver).queries, 1, QUERIES_OF_A_CHECK);
            spf_check_free(check);
            world_close(&world);
        }
        assert_int_equal(results[0], results[1]);
        assert_int_equal(lookups[0], lookups[1]);
        assert_string_equal(reason[0], reason[1]);
    }
}

/* A sender's text that is parsed after it was put into a term would bring its own prefix length, term or macro. */
static void sender_is_not_parsed_as_record(void **state)
{
    (void)state;
    static const char zone[] = "other.example.com A 198.51.100.1\n"
                               "other.example.com.x.example.com A 198.51.100.1\n"
                               "pass.example.com TXT v=spf1 +all\n";
    static const row_t rows[] = {
        {.record = "v=spf1 a:%{l} -all",
         .sender = "other.example.com/0@r.example.com",
         .result = SPF_RESULT_FAIL,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 a:%{l}.x.example.com -all",
         .sender = "other.example.com/0@r.example.com",
         .result = SPF_RESULT_FAIL,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 mx:%{l} -all", .sender = "other.example.com//0@r.example.com", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 exists:%{l}.example.com -all",
         .sender = "x +all@r.example.com",
         .result = SPF_RESULT_FAIL,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 include:%{l}.example.com -all", .sender = "pass@r.example.com", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:%{l}.example.com -all",
         .sender = "%{h}@r.example.com",
         .helo = "other",
         .result = SPF_RESULT_FAIL,
         ROW_COUNTS(1, 1)},
        {.record = "v=spf1 a:%{h} -all", .helo = "other.example.com/0", .result = SPF_RESULT_FAIL, ROW_COUNTS(1, 1)},
    };
    ROWS_RUN(zone, rows);
}

/* Every text that a report gives, none of which may hold a control but the line ends that the library folds with. */
static void assert_no_controls(const char *text, const char *allowed)
{
    assert_non_null(text);
    for (; *text; text++)
        assert_true(((unsigned char)*text >= ' ' && *text != 0x7f) || strchr(allowed, *text));
}

static void assert_reports_are_clean(spf_check_t *check)
{
    const spf_verdict_t *verdict = world_run(check);
    assert_no_controls(verdict->reason, "");
    assert_no_controls(verdict->sender, "");
    assert_no_controls(verdict->helo, "");
    assert_no_controls(verdict->explanation ? verdict->explanation : "", "");
    assert_no_controls(spf_check_received_spf(check, SPF_FOLD_NONE), "");
    assert_no_controls(spf_check_authentication_results(check, SPF_FOLD_NONE), "");
    assert_no_controls(spf_check_authentication_resinfo(check, SPF_FOLD_NONE), "");
    assert_no_controls(spf_check_smtp_reply(check)->text, "\n");
    assert_no_controls(spf_check_trace_text(check), "\n");
    assert_no_controls(spf_check_json(check), "");
    /* folded, every further line begins with a tab: no line is a field of its own */
    const char *folded = spf_check_received_spf(check, SPF_FOLD_CRLF);
    for (const char *end = strchr(folded, '\n'); end; end = strchr(end + 1, '\n'))
        assert_true(end[1] == '\t' && end[-1] == '\r');
}

/* Line ends in a HELO name, a sender, a record, a host name and an explanation. */
static void line_ends_do_not_reach_reports(void **state)
{
    (void)state;
    static const char zone[] = "why.example.com TXT %{l} %{h} go\raway\n"
                               "clean.example.com TXT %{s} %{h}\n"
                               "1.2.0.192.in-addr.arpa PTR p\r.example.com\n"
                               "p\r.example.com A 192.0.2.1\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=why.example.com -all",
         .sender = "a\r\nX-Evil: yes\r\n@r.example.com",
         .helo = "b\r\n.example.com",
         .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 exp=clean.example.com -all",
         .sender = "a\r\n250 ok@r.example.com",
         .helo = "b\r\nx",
         .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 \r a -all", .result = SPF_RESULT_PERMERROR},
        {.record = "v=spf1 a:%{l}.example.com ?all",
         .sender = "a\rb\x1b[31m@r.example.com",
         .result = SPF_RESULT_NEUTRAL},
        {.record = "v=spf1 ptr:example.com -all", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 include:%{l}.example.com -all",
         .sender = "a\rb@r.example.com",
         .result = SPF_RESULT_PERMERROR},
        {.sender = "ann@r\r\n.example.com", .result = SPF_RESULT_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_t world;
        world_open(&world, zone, rows[i].record, NULL);
        spf_check_t *check = world_check(&world, &rows[i]);
        spf_check_set_trace(check, true);
        assert_reports_are_clean(check);
        assert_int_equal(spf_check_verdict(check)->result, rows[i].result);
        spf_check_free(check);
        world_close(&world);
    }
}

/* Records cut off anywhere are read no further than they go. */
static void short_records(void **state)
{
    (void)state;
    static const char record[] =
        "v=spf1 a/24//64 mx ptr ip4:192.0.2.9/24 ip6:2001:db8::/32 exists:%{d1r-}.x.y exp=%{d} x=%{s}";
    for (size_t length = 0; length < sizeof record; length++) {
        zone_t *zone = zone_new();
        world_t world;
        char *copy = malloc(length ? length : 1); /* so that a read behind its end is seen */
        assert_non_null(copy);
        memcpy(copy, record, length);
        zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){copy}, &length, 1);
        world_open_zone(&world, zone, NULL);
        spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_NONE});
        const spf_verdict_t *verdict = world_run(check);
        if (length < 6)
            assert_int_equal(verdict->result, SPF_RESULT_NONE);
        else
            assert_int_not_equal(verdict->result, SPF_RESULT_NONE);
        spf_check_free(check);
        /* the same as a record of the caller's own, where it is not copied by DNS */
        check = world_check(&world, &(row_t){.result = SPF_RESULT_NONE});
        assert_int_equal(spf_check_set_record(check, copy, length), length < 6 ? SPF_EINVAL : SPF_OK);
        world_run(check);
        spf_check_free(check);
        world_close(&world);
        free(copy);
    }
}

/* A mask left at zero, a shift by 32. */
static void masks(void **state)
{
    (void)state;
    static const char zone[] = "mx.example.com MX 10 host.example.com\n"
                               "host.example.com A 198.51.100.1\n"
                               "host.example.com AAAA 2001:db8:1::1\n";
    static const row_t rows[] = {
        {.record = "v=spf1 mx:mx.example.com/24 -all", .ip = "2001:db8:2::1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 mx:mx.example.com/24 -all", .ip = "2001:db8:1::1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 mx:mx.example.com//48 -all", .ip = "198.51.100.2", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 a:host.example.com//48 -all", .ip = "198.51.100.1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:host.example.com/0 -all", .ip = "192.0.2.1", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 a:host.example.com/32 -all", .ip = "198.51.100.0", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip4:198.51.100.1/0 -all", .ip = "203.0.113.9", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip4:0.0.0.0/0 -all", .ip = "2001:db8::1", .result = SPF_RESULT_FAIL},
        {.record = "v=spf1 ip6:2001:db8:1::/64 -all", .ip = "2001:db8:1:0:ffff::", .result = SPF_RESULT_PASS},
        {.record = "v=spf1 ip6:2001:db8:1::/65 -all", .ip = "2001:db8:1:0:8000::", .result = SPF_RESULT_FAIL},
    };
    ROWS_RUN(zone, rows);
}

/* %02x of a signed octet; the length of a text that was reversed or cut; delimiters that swallow everything. */
static void octets_and_lengths_of_macros(void **state)
{
    (void)state;
    static const char zone[] = "why.example.com TXT %{L} %{S1}\n"
                               "turn.example.com TXT [%{lr-}][%{l2r-}][%{l1-}][%{l3r+-=}]\n";
    static const row_t rows[] = {
        {.record = "v=spf1 exp=why.example.com -all",
         .sender = "\x80\xff\x01@r.example.com",
         .result = SPF_RESULT_FAIL,
         .explanation = "%80%FF%01 com"},
        {.record = "v=spf1 exp=turn.example.com -all",
         .sender = "a-bbbb-cc@r.example.com",
         .result = SPF_RESULT_FAIL,
         .explanation = "[cc.bbbb.a][bbbb.a][cc][cc.bbbb.a]"},
        {.record = "v=spf1 exp=turn.example.com -all",
         .sender = "---@r.example.com",
         .result = SPF_RESULT_FAIL,
         .explanation = "[...][.][][..]"},
    };
    ROWS_RUN(zone, rows);
}

/* Texts as long as they may be, in every report: no buffer is sized without its frame. */
static void long_texts(void **state)
{
    (void)state;
    static char sender[4200], helo[4200];
    for (size_t length = 1; length <= 4096; length = length * 2 + length % 7) {
        world_t world;
        world_open(&world, "why.example.com TXT %{S}%{S}%{S} %{H}%{s}%{h}\n",
                   "v=spf1 a:%{s}%{s}%{h}.example.com exp=why.example.com -all", NULL);
        memset(sender, 'x', sizeof sender);
        memset(helo, length % 2 ? '"' : '(', sizeof helo);
        size_t local = length > 14 ? length - 14 : 1;
        snprintf(sender + local, sizeof sender - local, "@%s", ROW_DOMAIN);
        helo[length] = '\0';
        spf_check_t *check = world_check(&world, &(row_t){.sender = sender, .helo = helo});
        spf_check_set_trace(check, true);
        assert_reports_are_clean(check);
        assert_int_equal(spf_check_verdict(check)->result, SPF_RESULT_FAIL);
        spf_check_free(check);
        world_close(&world);
    }
}

/*
 * Names that are none leak memory in the resolver library: they do not reach it. The resolver counts those that do,
 * and world_close() looks at that.
 */
static void resolver_sees_only_names(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "",    ".",    "..", "x.",  ".x", "x..y", "123456789012345678901234567890123456789012345678901234567890abcd",
        "x x", "\x01", "\\", "\\.", "\"", "*",    "@",
        "\xff"};
    static const char *const records[] = {"v=spf1 a:%{l}.example.com ?all",   "v=spf1 mx:%{l} ?all",
                                          "v=spf1 exists:%{l}%{l}.%{h} ?all", "v=spf1 ptr:%{l}.%{h} ?all",
                                          "v=spf1 exp=%{l}.example.com -all", "v=spf1 include:%{h} ?all",
                                          "v=spf1 redirect=%{l}.%{h}"};
    for (size_t i = 0; i < COUNT(parts); i++) {
        for (size_t j = 0; j < COUNT(records); j++) {
            char sender[256];
            world_t world;
            snprintf(sender, sizeof sender, "%s@%s", parts[i], j % 2 ? ROW_DOMAIN : "r.example.com");
            world_open(&world, "x.example.com A 198.51.100.1\n", records[j], NULL);
            spf_check_t *check = world_check(&world, &(row_t){.sender = sender, .helo = parts[COUNT(parts) - 1 - i]});
            world_run(check);
            spf_check_free(check);
            snprintf(sender, sizeof sender, "x@%s", parts[i]);
            check = world_check(&world, &(row_t){.sender = sender, .helo = parts[i], .identity = SPF_IDENTITY_HELO});
            assert_int_equal(world_run(check)->result, SPF_RESULT_NONE);
            spf_check_free(check);
            world_close(&world);
        }
    }
}

/* A resolver whose answers are broken at one place: cut off there, or with one octet changed. */
typedef struct broken_resolver {
    const zone_t *zone;
    uint16_t type; /* of the answers that are broken */
    size_t place;
    uint8_t flip; /* 0: cut off */
    size_t longest;
} broken_resolver_t;

static spf_err_t broken_start(void *self, spf_query_t *query)
{
    broken_resolver_t *resolver = self;
    static uint8_t packet[DNS_PACKET_MAX];
    dns_question_t question;
    size_t length;
    const char *name = spf_query_name(query, &length);
    uint16_t type = spf_query_type(query);
    zone_answer_t answer = zone_lookup(resolver->zone, name, length, type);
    dns_question_make(&question, name, length, type);
    length = dns_answer_write(packet, sizeof packet, &question, &answer, 300);
    bool is_broken = type == resolver->type;
    if (is_broken && length > resolver->longest)
        resolver->longest = length;
    if (is_broken && !resolver->flip && resolver->place < length)
        length = resolver->place;
    uint8_t *copy = malloc(length ? length : 1); /* so that a read behind its end is seen */
    if (!copy)
        return SPF_ENOMEM;
    memcpy(copy, packet, length);
    if (is_broken && resolver->flip && resolver->place < length)
        copy[resolver->place] ^= resolver->flip;
    spf_query_answer_packet(query, copy, length, SPF_DNSSEC_INSECURE);
    free(copy);
    return SPF_OK;
}

static void broken_cancel(void *self, spf_query_t *query)
{
    (void)self;
    (void)query;
}

static void run_with_broken(broken_resolver_t *resolver)
{
    static const spf_resolver_ops_t ops = {.size = sizeof ops, .start = broken_start, .cancel = broken_cancel};
    world_t world = {.zone = NULL};
    assert_int_equal(spf_context_new_with_resolver(&world.context, NULL, &ops, resolver), SPF_OK);
    spf_check_t *check = world_check(&world, &(row_t){.result = SPF_RESULT_PASS});
    spf_check_set_trace(check, true);
    assert_reports_are_clean(check);
    spf_check_free(check);
    spf_context_release(world.context);
}

/* Lengths of strings, of records, of names, and counts in an answer are not trusted. */
static void broken_packets(void **state)
{
    (void)state;
    static const uint16_t types[] = {SPF_TYPE_TXT, SPF_TYPE_MX, SPF_TYPE_PTR, SPF_TYPE_A};
    static const uint8_t flips[] = {0, 0xff, 0x01, 0x80, 0xc0, 0x3f};
    zone_t *zone = zone_new();
    zone_add_lines(zone, "r.example.com MX 10 a.example.com\n"
                         "r.example.com MX 20 b.example.com\n"
                         "a.example.com CNAME c.example.com\n"
                         "c.example.com A 198.51.100.1\n"
                         "1.2.0.192.in-addr.arpa PTR p.example.com\n"
                         "1.2.0.192.in-addr.arpa PTR q.example.com\n"
                         "q.example.com A 192.0.2.1\n"
                         "why.r.example.com TXT %{p} is not one of us\n");
    zone_add_strings(zone, ROW_DOMAIN, (const char *const[]){"v=spf1 mx ptr:e", "xample.org exp=why.%{d} -all"},
                     (size_t[]){15, 28}, 2);
    for (size_t i = 0; i < COUNT(types); i++) {
        for (size_t j = 0; j < COUNT(flips); j++) {
            broken_resolver_t resolver = {.zone = zone, .type = types[i], .flip = flips[j]};
            do
                run_with_broken(&resolver);
            while (++resolver.place < resolver.longest);
        }
    }
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(include_tree_is_bounded),
        cmocka_unit_test(questions_are_bounded),
        cmocka_unit_test(questions_of_random_records_are_bounded),
        cmocka_unit_test(sender_is_not_parsed_as_record),
        cmocka_unit_test(line_ends_do_not_reach_reports),
        cmocka_unit_test(short_records),
        cmocka_unit_test(broken_packets),
        cmocka_unit_test(masks),
        cmocka_unit_test(octets_and_lengths_of_macros),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(resolver_sees_only_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
