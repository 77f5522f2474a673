/* SPDX-License-Identifier: MIT */
/* spf_compose(): what is written, what is refused, and that random senders get the verdict that they were written for.
 */
#include "base/ascii.h"
#include "base/ip.h"
#include "spf_tools.h"
#include "syntax/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SENDERS_MAX = 12, ERROR_MAX = 600 };

static spf_err_t compose(spf_draft_t **draft, const char *const *senders, const char *all, char *error)
{
    spf_compose_options_t options = {.size = sizeof options, .domain = "Example.com", .senders = senders, .all = all};

    while (options.sender_count < SENDERS_MAX && senders[options.sender_count] != NULL)
        options.sender_count++;
    return spf_compose(draft, &options, error, error != NULL ? ERROR_MAX : 0);
}

static bool has_note(const spf_draft_t *draft, const char *part)
{
    const char *note;

    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++)
        if (part == NULL || strstr(note, part) != NULL)
            return true;
    return false;
}

static const struct {
    const char *senders[SENDERS_MAX];
    const char *all, *record;
    unsigned lookups;
    const char *note; /* a part of one; NULL: there is none */
} composed[] = {
    {{NULL}, NULL, "v=spf1 -all", 0, NULL},
    {{NULL}, "?all", "v=spf1 ?all", 0, NULL},
    {{"192.0.2.1"}, NULL, "v=spf1 ip4:192.0.2.1 ~all", 0, NULL},
    {{"192.0.2.1", "192.0.2.0"}, "-all", "v=spf1 ip4:192.0.2.0/31 -all", 0, NULL},
    {{"2001:DB8::1/64", "192.0.2.99/24"}, "-all", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 -all", 0, NULL},
    {{"::ffff:192.0.2.1", "::ffff:198.51.100.9/120"}, "-all", "v=spf1 ip4:192.0.2.1 ip4:198.51.100.0/24 -all", 0, NULL},
    {{"::ffff:0:0/95"}, "-all", "v=spf1 ip6:::fffe:0:0/95 -all", 0, NULL},
    {{"include:b.example", "mx", "Mail.Example.com.", "a", "192.0.2.1"},
     "-all",
     "v=spf1 ip4:192.0.2.1 a:mail.example.com a mx include:b.example -all",
     4,
     NULL},
    {{"mx", "MX", "+mx", "mx:Example.org", "mx:example.org."}, "-all", "v=spf1 mx mx:example.org -all", 2, NULL},
    {{"a/24//64", "mx//128", "a/32"}, "-all", "v=spf1 a/24//64 a mx -all", 3, NULL},
    {{"b\xc3\xbc"
      "cher.example"},
     "-all",
     "v=spf1 a:xn--bcher-kva.example -all",
     1,
     NULL},
    {{"v=spf1 ip4:192.0.2.0/25 -all", "v=spf1 ip4:192.0.2.128/25 -all"}, NULL, "v=spf1 ip4:192.0.2.0/24 -all", 0, NULL},
    {{"v=spf1 a ~all", "v=spf1 mx -all"}, NULL, "v=spf1 a mx -all", 2, "different alls"},
    {{"v=spf1 a ~all", "v=spf1 mx -all"}, "?all", "v=spf1 a mx ?all", 2, NULL},
    {{"V=SPF1 a -all", "192.0.2.1"}, NULL, "v=spf1 ip4:192.0.2.1 a -all", 1, NULL},
    {{"\"v=spf1 ip4:192.\" \"0.2.1 -all\""}, NULL, "v=spf1 ip4:192.0.2.1 -all", 0, NULL},
    {{"v=spf1"}, NULL, "v=spf1 ~all", 0, NULL},
    {{"v=spf1 a -all mx include:b.example redirect=c.example"}, NULL, "v=spf1 a -all", 1, NULL},
    {{"v=spf1 redirect=b.example"}, NULL, "v=spf1 redirect=b.example", 1, NULL},
    {{"v=spf1 redirect=b.example", "192.0.2.1"}, NULL, "v=spf1 ip4:192.0.2.1 redirect=b.example", 1, NULL},
    {{"v=spf1 redirect=b.example", "v=spf1 redirect=b.example a"}, NULL, "v=spf1 a redirect=b.example", 2, NULL},
    {{"v=spf1 redirect=b.example", "v=spf1 a -all"}, NULL, "v=spf1 a include:b.example -all", 2, "no redirect"},
    {{"v=spf1 redirect=b.example", "v=spf1 redirect=c.example"},
     NULL,
     "v=spf1 include:b.example include:c.example ~all",
     2,
     "only one redirect"},
    {{"redirect=b.example"}, "-all", "v=spf1 include:b.example -all", 1, "no redirect"},
    {{"v=spf1 exp=why.%{d} -all", "v=spf1 exp=why.%{d} a -all"}, NULL, "v=spf1 a exp=why.%{d} -all", 1, NULL},
    {{"v=spf1 exp=why.example.com -all", "v=spf1 exp=no.example.com a -all"},
     NULL,
     "v=spf1 a exp=why.example.com -all",
     1,
     "only one exp"},
    {{"v=spf1 ra=abuse -all", "v=spf1 ra=abuse rp=10 -all"}, NULL, "v=spf1 ra=abuse rp=10 -all", 0, NULL},
    {{"v=spf1 +all"}, NULL, "v=spf1 all", 0, "everybody"},
    /* what is not pass stays where it decides */
    {{"v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all"}, NULL, "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all", 0, NULL},
    {{"v=spf1 -ip4:192.0.2.7 ip4:198.51.100.0/24 -all"}, NULL, "v=spf1 ip4:198.51.100.0/24 -all", 0, NULL},
    {{"192.0.2.7", "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all"},
     NULL,
     "v=spf1 ip4:192.0.2.0/24 -all",
     0,
     "-ip4:192.0.2.7 contradicts what was given before it: the result of that, pass, stays."},
    {{"v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all", "192.0.2.7"},
     NULL,
     "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all",
     0,
     "ip4:192.0.2.7 contradicts what was given before it: the result of that, fail, stays."},
    {{"v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all", "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all"},
     NULL,
     "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all",
     0,
     NULL},
    {{"v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 ?ip4:192.0.2.0/25 -all"},
     NULL,
     "v=spf1 ip4:192.0.2.0/24 -all",
     0,
     "?ip4:192.0.2.0/25 contradicts"},
    {{"v=spf1 ip6:2001:db8::/32 -all", "v=spf1 ~ip6:2001:db8:1::/48 -all", "2001:db8:1::1"},
     NULL,
     "v=spf1 ip6:2001:db8::/32 -all",
     0,
     "~ip6:2001:db8:1::/48 contradicts"},
    {{"v=spf1 include:a.example ~include:b.example -all", "include:B.example"},
     NULL,
     "v=spf1 include:a.example ~include:b.example -all",
     2,
     "include:b.example contradicts what was given before it: the result of that, softfail, stays."},
    {{"192.0.2.1", "mx", "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.7", "192.0.2.9"},
     NULL,
     "v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 mx -ip4:192.0.2.7 ~all",
     1,
     NULL},
    {{"v=spf1 a ?a -all"}, NULL, "v=spf1 a -all", 1, NULL},
    {{"v=spf1 a -all", "v=spf1 a ?a -all"}, NULL, "v=spf1 a -all", 1, NULL},
    {{"a:Example.com", "example.com.", "mx:example.com/24", "a", "v=spf1 ptr:example.com. exists:example.com -all"},
     NULL,
     "v=spf1 a mx/24 exists:example.com ptr -all",
     4,
     NULL},
    {{"v=spf1 mx -exists:%{i}.bad.example a include:b.example -all"},
     NULL,
     "v=spf1 mx -exists:%{i}.bad.example a include:b.example -all",
     4,
     NULL},
    {{"v=spf1 mx ?exists:%{i}.bad.example mx a -all"}, NULL, "v=spf1 mx ?exists:%{i}.bad.example a -all", 3, NULL},
    {{"v=spf1 ip4:192.0.2.0/25 -ip4:198.51.100.1 ip4:192.0.2.128/25 ~all"},
     NULL,
     "v=spf1 ip4:192.0.2.0/24 -ip4:198.51.100.1 ~all",
     0,
     NULL},
    {{"v=spf1 ip4:192.0.2.0/25 -mx ip4:192.0.2.128/25 ~all"},
     NULL,
     "v=spf1 ip4:192.0.2.0/25 -mx ip4:192.0.2.128/25 ~all",
     1,
     NULL},
    {{"v=spf1 ptr include:x.example exists:%{l}.x.example mx a ip4:192.0.2.1 -all"},
     NULL,
     "v=spf1 ip4:192.0.2.1 a mx include:x.example exists:%{l}.x.example ptr -all",
     5,
     NULL},
    {{"0.0.0.0/1", "128.0.0.0/2", "::/0"}, "-all", "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/2 ip6:::/0 -all", 0, NULL},
    {{"0.0.0.0/0", "::/0", "mx"}, "-all", "v=spf1 all", 0, "everybody"},
    {{"v=spf1 a:1.example.com a:2.example.com a:3.example.com a:4.example.com a:5.example.com a:6.example.com "
      "a:7.example.com a:8.example.com a:9.example.com a:10.example.com mx -all"},
     NULL,
     "v=spf1 a:1.example.com a:2.example.com a:3.example.com a:4.example.com a:5.example.com a:6.example.com "
     "a:7.example.com a:8.example.com a:9.example.com a:10.example.com mx -all",
     11,
     "ten are allowed"},
};

static void records_that_are_composed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++) {
        char error[ERROR_MAX];
        spf_draft_t *draft;
        assert_int_equal(compose(&draft, composed[i].senders, composed[i].all, error), SPF_OK);
        assert_string_equal(error, "");
        const spf_draft_record_t *record = spf_draft_record(draft, 0);
        assert_string_equal(record->text, composed[i].record);
        assert_int_equal(record->length, strlen(record->text));
        assert_string_equal(record->name, "example.com");
        assert_null(spf_draft_record(draft, 1));
        assert_int_equal(spf_draft_lookups(draft), composed[i].lookups);
        assert_int_equal(has_note(draft, composed[i].note), composed[i].note != NULL);
        spf_draft_free(draft);
    }
}

static void senders_that_are_refused(void **state)
{
    static const struct {
        const char *sender, *all, *error;
    } cases[] = {
        {"", NULL, "\"\" is no sender"},
        {"localhost", NULL, "\"localhost\" is no sender"},
        {"192.0.2.256", NULL, "\"192.0.2.256\" is no sender"},
        {"192.0.2.1/33", NULL, "\"192.0.2.1/33\" has no prefix length of 0 to 32"},
        {"192.0.2.1/", NULL, "no prefix length"},
        {"192.0.2.1/08", NULL, "no prefix length"},
        {"2001:db8::/129", NULL, "no prefix length of 0 to 128"},
        {"ipv4:192.0.2.1", NULL, "is no sender"},
        {"include=example.com", NULL, "is no sender"},
        {"include:localhost", NULL, "is no sender"},
        {"mail@example.com", NULL, "is no sender"},
        {"mx a", NULL, "is no sender"},
        {"v=spf2 -all", NULL, "is no sender"},
        {"v=spf1 ip4:192.0.2.0/33 -all", NULL, "is wrong at octet 21: expected a prefix length of 0 to 32"},
        {"include:Example.com", NULL, "\"include:example.com\" would lead the record to itself"},
        {"v=spf1 redirect=example.com.", NULL, "\"redirect=example.com\" would lead"},
        {"mx", "all", "\"all\" is none of -all, ~all and ?all"},
        {"mx", "+all", "is none of"},
        {"a\x01"
         "b.example",
         NULL, "\"a?b.example\" is no sender"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const senders[] = {"192.0.2.1", cases[i].sender, NULL};
        char error[ERROR_MAX];
        spf_draft_t *draft = (spf_draft_t *)&draft;
        assert_int_equal(compose(&draft, senders, cases[i].all, error), SPF_EINVAL);
        assert_null(draft);
        if (strstr(error, cases[i].error) == NULL)
            fail_msg("%s: %s", cases[i].sender, error);
        assert_int_equal(compose(&draft, senders, cases[i].all, NULL), SPF_EINVAL);
    }
}

static void a_domain_that_is_none(void **state)
{
    spf_compose_options_t options = {.size = sizeof options, .domain = "a..example"};
    char small[8];
    spf_draft_t *draft;

    (void)state;
    assert_int_equal(spf_compose(&draft, &options, small, sizeof small), SPF_EINVAL);
    assert_string_equal(small, "\"a..exa");
    options.domain = "localhost";
    assert_int_equal(spf_compose(&draft, &options, small, sizeof small), SPF_EINVAL);
}

/* Of very many contradictions not all are told. */
static void contradictions_are_counted(void **state)
{
    const char *const senders[] = {"v=spf1 -ip4:192.0.2.0/24 -all",
                                   "v=spf1 ip4:192.0.2.1 ip4:192.0.2.3 ip4:192.0.2.5 ip4:192.0.2.7 ip4:192.0.2.9 "
                                   "ip4:192.0.2.11 ip4:192.0.2.13 ip4:192.0.2.15 ip4:192.0.2.17 ip4:192.0.2.19 -all",
                                   NULL};
    spf_draft_t *draft;
    size_t count = 0;

    (void)state;
    assert_int_equal(compose(&draft, senders, NULL, NULL), SPF_OK);
    assert_string_equal(spf_draft_record(draft, 0)->text, "v=spf1 -all");
    assert_true(has_note(draft, "Terms more that contradict what was given before them: 2."));
    while (spf_draft_note(draft, count) != NULL)
        count++;
    assert_int_equal(count, 9);
    spf_draft_free(draft);
}

/* A caller of an earlier version knows fewer members. */
static void options_of_another_size(void **state)
{
    const char *const senders[] = {"192.0.2.1"};
    spf_compose_options_t options = {
        .size = offsetof(spf_compose_options_t, all), .senders = senders, .sender_count = 1, .all = "-all"};
    spf_draft_t *draft;

    (void)state;
    assert_int_equal(spf_compose(&draft, &options, NULL, 0), SPF_OK);
    assert_string_equal(spf_draft_record(draft, 0)->text, "v=spf1 ip4:192.0.2.1 ~all");
    assert_string_equal(spf_draft_record(draft, 0)->name, "");
    spf_draft_free(draft);
}

/* ------------------------------------------------------------------------------------------------- random senders */

static uint64_t seed = 7208;

static unsigned roll(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

static const char *qualifier(void)
{
    static const char *const qualifiers[] = {"", "", "", "", "+", "-", "~", "?"};

    return qualifiers[roll(8)];
}

/* A term whose networks lie close together, so that they touch, hold and shadow each other. */
static size_t random_term(char *out, size_t size, bool has_qualifier)
{
    static const char *const opaque[] = {
        "a", "mx", "a:x.example", "mx/30", "include:y.example", "exists:%{i}.z.example"};
    const char *mark = has_qualifier ? qualifier() : "";
    unsigned at = roll(64), number = roll(7); /* one after the other, whatever the compiler */
    int length;

    switch (roll(4)) {
    case 0:
        length = snprintf(out, size, "%s%s", mark, opaque[roll(6)]);
        break;
    case 1:
        length = snprintf(out, size, "%sip6:2001:db8::%x/%u", mark, at, 122 + number);
        break;
    default:
        length = snprintf(out, size, "%sip4:192.0.2.%u/%u", mark, at, 26 + number);
    }
    return (size_t)length;
}

static void random_record(char *out, size_t size)
{
    static const char *const ends[] = {"", " -all", " ~all", " ?all"};
    size_t length = (size_t)snprintf(out, size, "v=spf1");

    for (unsigned count = roll(9); count > 0; count--) {
        out[length++] = ' ';
        length += random_term(out + length, size - length, true);
    }
    snprintf(out + length, size - length, "%s", ends[roll(4)]);
}

/* Whether a term that asks DNS matches in this round: the same for all that are written alike. */
static bool oracle(const char *text, size_t length, unsigned round)
{
    unsigned hash = round * 2654435761u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)spf_ascii_lower(text[i])) * 16777619u;
    return (hash >> 16 & 3) == 0;
}

static bool matches(const spf_record_t *record, const spf_term_t *term, const spf_ip_t *ip, unsigned round)
{
    const char *text = record->text + term->offset;
    size_t length = term->length;

    switch (term->kind) {
    case SPF_TERM_IP4: {
        const uint32_t address = record->net4s[term->net4].address;
        const uint8_t octets[] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                                  (uint8_t)address};
        return ip->family == 4 && spf_ip_prefix_equals(ip, octets, term->cidr4);
    }
    case SPF_TERM_IP6:
        return ip->family == 6 && spf_ip_prefix_equals(ip, record->net6s[term->net6].address, term->cidr6);
    case SPF_TERM_ALL:
        return true;
    default:
        if (strchr("+-~?", *text) != NULL) {
            text++;
            length--;
        }
        return oracle(text, length, round);
    }
}

/* What the record decides; SPF_RESULT_NONE: nothing before its all, if with_all, or its end. */
static spf_result_t judge(const spf_record_t *record, const spf_ip_t *ip, unsigned round, bool with_all)
{
    for (uint32_t i = 0; i < record->term_count; i++) {
        if (record->terms[i].kind == SPF_TERM_ALL && !with_all)
            break;
        if (matches(record, &record->terms[i], ip, round))
            return (spf_result_t)record->terms[i].result;
    }
    return SPF_RESULT_NONE;
}

typedef struct round_ {
    char texts[4][512];
    const char *senders[5];
    spf_record_t *records[4]; /* the senders as records */
    unsigned count;
} round_t;

static void round_begin(round_t *round)
{
    memset(round, 0, sizeof *round);
    round->count = 1 + roll(4);
    for (unsigned i = 0; i < round->count; i++) {
        char *text = round->texts[i];
        char record[600];
        if (roll(2) == 0) {
            random_record(text, sizeof round->texts[i]);
            snprintf(record, sizeof record, "%s", text);
        } else {
            random_term(text, sizeof round->texts[i], roll(3) == 0);
            snprintf(record, sizeof record, "v=spf1 %s", text);
        }
        round->senders[i] = text;
        round->records[i] = spf_record_parse(record, strlen(record));
        assert_non_null(round->records[i]);
    }
}

static void round_end(round_t *round)
{
    for (unsigned i = 0; i < round->count; i++)
        spf_record_unref(round->records[i]);
}

/* Of the senders one after the other. */
static spf_result_t expected(const round_t *round, const spf_ip_t *ip, unsigned oracle_round, spf_result_t all)
{
    for (unsigned i = 0; i < round->count; i++) {
        spf_result_t result = judge(round->records[i], ip, oracle_round, false);
        if (result != SPF_RESULT_NONE)
            return result;
    }
    return all;
}

/* The strictest all of the senders. */
static spf_result_t strictest(const round_t *round)
{
    static const spf_result_t order[] = {SPF_RESULT_FAIL, SPF_RESULT_SOFTFAIL, SPF_RESULT_NEUTRAL};

    for (size_t k = 0; k < 3; k++)
        for (unsigned i = 0; i < round->count; i++)
            for (uint32_t t = 0; t < round->records[i]->term_count; t++)
                if (round->records[i]->terms[t].kind == SPF_TERM_ALL && round->records[i]->terms[t].result == order[k])
                    return order[k];
    return SPF_RESULT_SOFTFAIL;
}

static void assert_agrees(const round_t *round, const spf_record_t *record, spf_result_t all)
{
    for (unsigned oracle_round = 0; oracle_round < 6; oracle_round++) {
        for (unsigned last = 0; last < 2 * 67; last++) {
            spf_ip_t ip = {.family = last % 2 == 0 ? 4 : 6};
            char text[64];
            if (ip.family == 4)
                snprintf(text, sizeof text, "192.0.2.%u", last / 2);
            else
                snprintf(text, sizeof text, "2001:db8::%x", last / 2);
            assert_true(spf_ip_parse_client(&ip, text, strlen(text)));
            spf_result_t result = judge(record, &ip, oracle_round, true);
            spf_result_t wanted = expected(round, &ip, oracle_round, all);
            if (result != wanted)
                fail_msg("%s: %s, not %s, by %s of %s | %s | %s | %s", text, spf_result_name(result),
                         spf_result_name(wanted), record->text, round->texts[0], round->texts[1], round->texts[2],
                         round->texts[3]);
        }
    }
}

/* In groups: addresses, then a, mx, include, exists; a group ends where the result changes. */
static void assert_is_ordered(const spf_record_t *record)
{
    static const uint8_t ranks[] = {[SPF_TERM_IP4] = 0,     [SPF_TERM_IP6] = 1,    [SPF_TERM_A] = 2,  [SPF_TERM_MX] = 3,
                                    [SPF_TERM_INCLUDE] = 4, [SPF_TERM_EXISTS] = 5, [SPF_TERM_ALL] = 6};

    for (uint32_t i = 1; i < record->term_count; i++) {
        const spf_term_t *term = &record->terms[i];
        assert_true(term[-1].kind != SPF_TERM_ALL);
        if (term[-1].result == term->result)
            assert_true(ranks[term[-1].kind] <= ranks[term->kind]);
    }
}

static void random_senders_mean_what_they_say(void **state)
{
    const char *number = getenv("SPF_COMPOSE_ROUNDS");
    unsigned rounds = number != NULL ? (unsigned)strtoul(number, NULL, 10) : 500;

    (void)state;
    printf("%u rounds, seed %llu\n", rounds, (unsigned long long)seed);
    for (unsigned i = 0; i < rounds; i++) {
        round_t round;
        spf_draft_t *draft;
        round_begin(&round);
        assert_int_equal(compose(&draft, round.senders, NULL, NULL), SPF_OK);
        const spf_draft_record_t *record = spf_draft_record(draft, 0);
        spf_record_t *parsed = spf_record_parse(record->text, record->length);
        assert_int_equal(parsed->error_term, SPF_NO_TERM);
        assert_agrees(&round, parsed, strictest(&round));
        assert_is_ordered(parsed);
        spf_record_unref(parsed);
        spf_draft_free(draft);
        round_end(&round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_are_composed), cmocka_unit_test(senders_that_are_refused),
        cmocka_unit_test(a_domain_that_is_none),     cmocka_unit_test(contradictions_are_counted),
        cmocka_unit_test(options_of_another_size),   cmocka_unit_test(random_senders_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
