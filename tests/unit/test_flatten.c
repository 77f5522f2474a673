/* SPDX-License-Identifier: MIT */
/* Flatten: what is written, what is refused, that it fits, and that the evaluator finds no difference in random zones.
 */
#include "support/memory_resolver.h"
#include "tools/flatten.h"
#include "tools/prove.h"
#include "unit/evaluation.h"
#include "unit/walking.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ERROR_MAX = 1024, KEEP_MAX = 4, TEXT_MAX = 65536 };

/* A flattening of a zone in memory. */
typedef struct flattening {
    walking_t walking;
    spf_draft_t *draft;
    spf_err_t err;
    char error[ERROR_MAX];
} flattening_t;

static void flattening_run(flattening_t *flattening, const walking_input_t *input, const spf_flatten_options_t *options)
{
    spf_buf_t error;

    assert_true(walking_run(&flattening->walking, input));
    spf_buf_init(&error, flattening->error, sizeof flattening->error);
    flattening->err = spf_flatten(&flattening->draft, flattening->walking.tree, options, &error);
    assert_int_equal(flattening->draft != NULL, flattening->err == SPF_OK);
    if (flattening->err == SPF_OK)
        assert_string_equal(flattening->error, "");
    else
        assert_string_not_equal(flattening->error, "");
}

static void assert_flattened(const flattening_t *flattening)
{
    if (flattening->err != SPF_OK)
        fail_msg("%s", flattening->error);
}

static void flattening_free(flattening_t *flattening)
{
    spf_draft_free(flattening->draft);
    walking_free(&flattening->walking);
}

/* "NAME TEXT|NAME TEXT": all records of the draft. */
static const char *draft_text(const spf_draft_t *draft)
{
    static char text[TEXT_MAX];
    const spf_draft_record_t *record;
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %s", i > 0 ? "|" : "", record->name,
                                   record->text);
    return text;
}

static bool has_note(const spf_draft_t *draft, const char *part)
{
    const char *note;

    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++)
        if (part == NULL || strstr(note, part) != NULL)
            return true;
    return false;
}

typedef struct flatten_case {
    const char *zone; /* its first name is flattened */
    const char *keep[KEEP_MAX];
    const char *result; /* of draft_text(), or the error */
    unsigned lookups;
    const char *note; /* a part of one; NULL: there is none */
} flatten_case_t;

static void first_name(const char *zone, char name[256])
{
    size_t length = strcspn(zone, " ");

    memcpy(name, zone, length);
    name[length] = '\0';
}

static void run_case(flattening_t *flattening, const flatten_case_t *test)
{
    spf_flatten_options_t options = {.size = sizeof options, .keep = test->keep};
    zone_t *zone = zone_new();
    char domain[256];

    first_name(test->zone, domain);
    zone_add_lines(zone, test->zone);
    while (options.keep_count < KEEP_MAX && test->keep[options.keep_count] != NULL)
        options.keep_count++;
    flattening_run(flattening, &(walking_input_t){.zone = zone, .domain = domain}, &options);
    zone_free(zone);
}

#define B "b.example TXT v=spf1 "

static void records_that_are_flattened(void **state)
{
    static const flatten_case_t cases[] = {
        {"a.example TXT v=spf1 -all\n", {NULL}, "a.example v=spf1 -all", 0, NULL},
        {"a.example TXT v=spf1\n", {NULL}, "a.example v=spf1", 0, NULL},
        {"a.example TXT v=spf1 ip4:192.0.2.1 ip4:192.0.2.0 ~all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/31 ~all",
         0,
         NULL},
        {"a.example TXT v=spf1 a mx a:h.example/24//64 -all\na.example A 192.0.2.1\na.example MX 10 m.example\n"
         "m.example A 192.0.2.2\nm.example AAAA 2001:db8::1\nh.example A 198.51.100.7\nh.example AAAA 2001:db8:1::1\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:198.51.100.0/24 ip6:2001:db8::1 ip6:2001:db8:1::/64 -all",
         0,
         NULL},
        {"a.example TXT v=spf1 a:none.example -all\n", {NULL}, "a.example v=spf1 -all", 0, NULL},
        {"a.example TXT v=spf1 include:b.example ~all\n" B "ip4:192.0.2.0/24 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/24 ~all",
         0,
         NULL},
        {"a.example TXT v=spf1 -include:b.example +all\n" B "ip4:192.0.2.0/24 -all\n",
         {NULL},
         "a.example v=spf1 -ip4:192.0.2.0/24 all",
         0,
         NULL},
        /* an include counts for what it lets pass, in its order */
        {"a.example TXT v=spf1 include:b.example ip4:192.0.2.7 ~all\n" B "-ip4:192.0.2.4/30 ip4:192.0.2.0/29 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/30 ip4:192.0.2.7 ~all",
         0,
         NULL},
        {"a.example TXT v=spf1 ?include:b.example ip4:192.0.2.0/24 ~all\n" B "ip4:192.0.2.7 ?all\n",
         {NULL},
         "a.example v=spf1 ?ip4:192.0.2.7 ip4:192.0.2.0/24 ~all",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example -all\n" B "-ip4:10.0.0.0/8 +all\n",
         {NULL},
         "a.example v=spf1 -ip4:10.0.0.0/8 all",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example -all\n" B "+all\n", {NULL}, "a.example v=spf1 all", 0, NULL},
        {"a.example TXT v=spf1 include:b.example -all mx\n" B "include:c.example ?all\n"
         "c.example TXT v=spf1 include:d.example\nd.example TXT v=spf1 ip4:192.0.2.1\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 -all",
         0,
         NULL},
        /* redirects */
        {"a.example TXT v=spf1 ip4:192.0.2.1 redirect=b.example\n" B "ip4:192.0.2.0 ~all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/31 ~all",
         0,
         NULL},
        {"a.example TXT v=spf1 -ip4:192.0.2.1 redirect=b.example\n" B "ip4:192.0.2.0/30 exp=x.%{d} -all\n",
         {NULL},
         "a.example v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/30 exp=x.b.example -all",
         0,
         "that of b.example"},
        {"a.example TXT v=spf1 exp=y.a.example -ip4:192.0.2.1 redirect=b.example\n" B "ip4:192.0.2.0/30 -all\n",
         {NULL},
         "a.example v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/30 -all",
         0,
         "gives way"},
        {"a.example TXT v=spf1 exp=y.a.example -ip4:192.0.2.1 redirect=b.example\n" B "ip4:192.0.2.0/30\n",
         {NULL},
         "a.example v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/30 exp=y.a.example",
         0,
         NULL},
        {"a.example TXT v=spf1 redirect=b.example\n" B "redirect=c.example\nc.example TXT v=spf1 ip4:192.0.2.1 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 -all",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example ~all\n" B
         "redirect=c.example\nc.example TXT v=spf1 ip4:192.0.2.1 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 ~all",
         0,
         NULL},
        /* what depends on the mail stays where it is */
        {"a.example TXT v=spf1 ip4:192.0.2.0 exists:%{i}.%{d} ip4:192.0.2.1 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0 exists:%{i}.%{d} ip4:192.0.2.1 -all",
         1,
         "exists:%{i}.%{d} stays"},
        {"a.example TXT v=spf1 include:b.example ip4:192.0.2.1 ptr -all\n" B
         "ip4:192.0.2.0 exists:%{ir}.%{d2}.x ptr ~all\n"
         "x A 192.0.2.9\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0 exists:%{ir}.b.example.x ptr:b.example ip4:192.0.2.1 ptr -all",
         3,
         "ptr:b.example stays"},
        {"a.example TXT v=spf1 ?include:b.example -all\n" B "exists:%{l}.b.example include:%{o}._spf.b.example -all\n",
         {NULL},
         "a.example v=spf1 ?exists:%{l}.b.example ?include:%{o}._spf.b.example -all",
         2,
         "depends on the mail"},
        {"a.example TXT v=spf1 redirect=b.example\n" B
         "a:%{d}/24 exists:%{D}.%{i}.example -all\nb.example A 192.0.2.9\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/24 exists:b.example.%{i}.example -all",
         1,
         "stays"},
        {"a.example TXT v=spf1 include:b.example ~all\n" B "ip4:192.0.2.0/24 ?exists:%{i}.b.example -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/24 ~all",
         0,
         NULL},
        /* and an include in which it cannot be parted from the rest stays whole */
        {"a.example TXT v=spf1 include:b.example ~all\n" B "-exists:%{i}.b.example ip4:192.0.2.0/24 -all\n",
         {NULL},
         "a.example v=spf1 include:b.example ~all",
         2,
         "cannot be taken out of it"},
        {"a.example TXT v=spf1 include:b.example ~all\n" B "-ip4:192.0.2.0 exists:%{i}.b.example -all\n",
         {NULL},
         "a.example v=spf1 include:b.example ~all",
         2,
         "cannot be taken out of it"},
        {"a.example TXT v=spf1 include:b.example ~all\n" B "exists:%{p}.b.example -all\n",
         {NULL},
         "a.example v=spf1 include:b.example ~all",
         2,
         "cannot be taken out of it"},
        {"a.example TXT v=spf1 ip4:192.0.2.0 redirect=b.example\n" B "ip4:192.0.2.1 exists:%{p}.%{d} -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0 redirect=b.example",
         2,
         "cannot be taken out of it"},
        {"a.example TXT v=spf1 redirect=%{o}.b.example\n",
         {NULL},
         "a.example v=spf1 redirect=%{o}.b.example",
         1,
         "depends on the mail"},
        {"a.example TXT v=spf1 include:b.example ?all\n" B "ip4:192.0.2.1 redirect=%{o}.%{d}\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 include:%{o}.b.example ?all",
         1,
         "depends on the mail"},
        /* kept */
        {"a.example TXT v=spf1 ip4:192.0.2.0 include:b.example ip4:192.0.2.1 include:c.example -all\n" B
         "ip4:192.0.2.9 include:d.example -all\nc.example TXT v=spf1 ip4:192.0.2.8\nd.example TXT v=spf1 -all\n",
         {"B.example."},
         "a.example v=spf1 ip4:192.0.2.0 include:b.example ip4:192.0.2.1 ip4:192.0.2.8 -all",
         2,
         "as asked"},
        {"a.example TXT v=spf1 include:b.example -all\n" B "include:c.example ip4:192.0.2.1\nc.example TXT SERVFAIL\n",
         {"c.example"},
         "a.example v=spf1 include:c.example ip4:192.0.2.1 -all",
         1,
         "include:c.example stays"},
        {"a.example TXT v=spf1 include:b.example ip4:192.0.2.1 -all\n" B "redirect=b.example\n",
         {"b.example"},
         "a.example v=spf1 include:b.example ip4:192.0.2.1 -all",
         2,
         "include:b.example stays"},
        {"a.example TXT v=spf1 ip4:192.0.2.0 redirect=b.example\n" B "-all\n",
         {"b.example", "c.example"},
         "a.example v=spf1 ip4:192.0.2.0 redirect=b.example",
         1,
         "Nothing leads to c.example"},
        /* what decides nothing goes */
        {"a.example TXT v=spf1 include:b.example include:b.example ip4:192.0.2.1 -ip4:192.0.2.2 -ip4:198.51.100.1 "
         "-all\n" B "ip4:192.0.2.0/24\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.0/24 -all",
         0,
         NULL},
        {"a.example TXT v=spf1 exists:%{i}.x.example ip4:192.0.2.1 exists:%{i}.x.example -all\n",
         {NULL},
         "a.example v=spf1 exists:%{i}.x.example ip4:192.0.2.1 -all",
         1,
         "stays"},
        {"a.example TXT v=spf1 ip4:192.0.2.1 ra=abuse rp=50 -all\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.1 ra=abuse rp=50 -all",
         0,
         NULL},
        /* past the limits */
        {"a.example TXT v=spf1 a:h1.b a:h2.b a:h3.b a:h4.b a:h5.b a:h6.b a:h7.b a:h8.b a:h9.b a:h10.b a:h11.b -all\n"
         "h11.b A 192.0.2.11\nh1.b A 192.0.2.10\n",
         {NULL},
         "a.example v=spf1 ip4:192.0.2.10/31 -all",
         0,
         "past the limits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flattening_t flattening;
        run_case(&flattening, &cases[i]);
        if (flattening.err != SPF_OK)
            fail_msg("%s: %s", cases[i].zone, flattening.error);
        assert_string_equal(draft_text(flattening.draft), cases[i].result);
        if (spf_draft_lookups(flattening.draft) != cases[i].lookups)
            fail_msg("%s: %u lookups", cases[i].zone, spf_draft_lookups(flattening.draft));
        if (has_note(flattening.draft, cases[i].note) != (cases[i].note != NULL))
            fail_msg("%s: a note is %s; the first is %s", cases[i].zone, cases[i].note ? cases[i].note : "not wanted",
                     spf_draft_note(flattening.draft, 0) ? spf_draft_note(flattening.draft, 0) : "none");
        flattening_free(&flattening);
    }
}

static void records_that_are_refused(void **state)
{
    static const flatten_case_t cases[] = {
        {"a.example TXT no record\n", {NULL}, "a.example cannot be flattened: its domain has no SPF record", 0, NULL},
        {"a.example TXT SERVFAIL\n", {NULL}, "its DNS lookup failed", 0, NULL},
        {"a.example TXT v=spf1 -all\na.example TXT v=spf1 ~all\n", {NULL}, "several SPF records", 0, NULL},
        {"a.example TXT v=spf1 ip4:192.0.2.0/33 -all\n", {NULL}, "syntax error: expected a prefix length", 0, NULL},
        {"a.example TXT v=spf1 include:b.example -all\n" B "ip4:1 -all\n", {NULL}, "record of b.example has", 0, NULL},
        {"a.example TXT v=spf1 a:h.example -all\nh.example A 192.0.2.1\nh.example AAAA SERVFAIL\n",
         {NULL},
         "a:h.example in the record of a.example: its DNS lookup failed; what is not known cannot be flattened",
         0,
         NULL},
        {"a.example TXT v=spf1 a:h.example -all\nh.example A TIMEOUT\n", {NULL}, "timed out", 0, NULL},
        {"a.example TXT v=spf1 mx -all\na.example MX 1 m.example\na.example MX 2 n.example\nm.example A 192.0.2.1\n"
         "n.example AAAA SERVFAIL\n",
         {NULL},
         "mx in the record of a.example: ",
         0,
         NULL},
        {"a.example TXT v=spf1 mx -all\na.example MX SERVFAIL\n", {NULL}, "its DNS lookup failed", 0, NULL},
        {"a.example TXT v=spf1 mx -all\na.example MX 1 a.b\na.example MX 1 b.b\na.example MX 1 c.b\na.example MX 1 "
         "d.b\n"
         "a.example MX 1 e.b\na.example MX 1 f.b\na.example MX 1 g.b\na.example MX 1 h.b\na.example MX 1 i.b\n"
         "a.example MX 1 j.b\na.example MX 1 k.b\n",
         {NULL},
         "more hosts than",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example -all\n" B "include:c.example -all\nc.example TXT BOGUS\n",
         {NULL},
         "include:c.example in the record of b.example: DNSSEC validation of its answer failed",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example -all\n",
         {NULL},
         "its domain does not exist: mail gets permerror",
         0,
         NULL},
        {"a.example TXT v=spf1 include:b.example -all\n" B "include:a.example\n", {NULL}, "leads back", 0, NULL},
        {"a.example TXT v=spf1 redirect=b.example\nb.example TXT text\n", {NULL}, "no SPF record", 0, NULL},
        {"a.example TXT v=spf1 -all\n", {"a..b"}, "\"a..b\" is no domain name", 0, NULL},
        {"a.example TXT v=spf1 exists:%{i}.1.b exists:%{i}.2.b exists:%{i}.3.b exists:%{i}.4.b exists:%{i}.5.b "
         "exists:%{i}.6.b exists:%{i}.7.b exists:%{i}.8.b exists:%{i}.9.b exists:%{i}.10.b exists:%{i}.11.b -all\n",
         {NULL},
         "take more than ten lookups by themselves",
         0,
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flattening_t flattening;
        run_case(&flattening, &cases[i]);
        assert_int_equal(flattening.err, SPF_EINVAL);
        if (strstr(flattening.error, cases[i].result) == NULL)
            fail_msg("%s: %s", cases[i].zone, flattening.error);
        flattening_free(&flattening);
    }
}

static void surveys_that_did_not_look(void **state)
{
    zone_t *zone = zone_new();
    flattening_t flattening;

    (void)state;
    zone_add_lines(zone,
                   "a.example TXT v=spf1 include:b.example -all\n" B "a:slow.example\nslow.example A 192.0.2.1\n");
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example", .scope = SPF_SURVEY_RECORDS},
                   NULL);
    assert_int_equal(flattening.err, SPF_EINVAL);
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example", .lost = "slow.example"}, NULL);
    assert_int_equal(flattening.err, SPF_EINVAL);
    assert_non_null(strstr(flattening.error, "timed out"));
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .record = "v=spf1 a -all"}, NULL);
    assert_int_equal(flattening.err, SPF_EINVAL);
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "localhost", .record = "v=spf1 -all"}, NULL);
    assert_string_equal(flattening.error, "localhost is no domain that mail is checked for");
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .record = "v=spf1 include:b.example -all"}, NULL);
    assert_string_equal(draft_text(flattening.draft), " v=spf1 ip4:192.0.2.1 -all");
    flattening_free(&flattening);
    zone_free(zone);
}

static void options_that_are_refused(void **state)
{
    static const spf_flatten_options_t cases[] = {
        {.size = sizeof cases[0], .prefix = "a b"},     {.size = sizeof cases[0], .prefix = "a..b"},
        {.size = sizeof cases[0], .prefix = ".a"},      {.size = sizeof cases[0], .answer_max = 127},
        {.size = sizeof cases[0], .answer_max = 65536},
    };
    zone_t *zone = zone_new();

    (void)state;
    zone_add_lines(zone, "a.example TXT v=spf1 -all\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flattening_t flattening;
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example"}, &cases[i]);
        assert_int_equal(flattening.err, SPF_EINVAL);
        flattening_free(&flattening);
    }
    zone_free(zone);
}

/* ---------------------------------------------------------------------------------------------------------- judging */

/* The zone as it is once the draft is published. */
static zone_t *published(const char *lines, const spf_draft_t *draft)
{
    static char kept[TEXT_MAX];
    const spf_draft_record_t *record;
    zone_t *zone = zone_new();
    size_t length = 0;

    while (*lines != '\0') {
        size_t line = strcspn(lines, "\n") + 1;
        bool is_replaced = false;
        for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
            size_t name = strlen(record->name);
            is_replaced = is_replaced || (strncmp(lines, record->name, name) == 0 &&
                                          strncmp(lines + name, " TXT v=spf1", strlen(" TXT v=spf1")) == 0);
        }
        if (!is_replaced) {
            memcpy(kept + length, lines, line);
            length += line;
        }
        lines += line;
    }
    kept[length] = '\0';
    zone_add_lines(zone, kept);
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        zone_add(zone, record->name, "TXT", record->text);
    return zone;
}

static spf_result_t judge(const zone_t *zone, const char *domain, const spf_ip_t *ip, const char *sender,
                          unsigned lookups)
{
    spf_question_t question = {.ip = *ip,
                               .sender = sender,
                               .sender_length = strlen(sender),
                               .local_length = (size_t)(strchr(sender, '@') - sender),
                               .helo = "helo.example",
                               .helo_length = strlen("helo.example"),
                               .receiver = "mx.example",
                               .receiver_length = strlen("mx.example"),
                               .limits = {lookups, 1000, SPF_HOSTS_MAX, SPF_HOSTS_MAX}};
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_eval_t *eval;
    spf_result_t result;

    spf_name_from_text(&question.domain, domain, strlen(domain));
    eval = spf_eval_new(&arena, &question);
    while (spf_eval_step(eval) == SPF_EVAL_WAIT)
        evaluation_answer(spf_eval_next_wanted(eval), zone);
    result = spf_eval_finding(eval)->result;
    spf_eval_drop(eval);
    spf_arena_free(&arena);
    return result;
}

/* Both zones agree for the client, whoever sends. */
static void assert_agree(const zone_t *before, const zone_t *after, const char *domain, const char *client,
                         const char *lines, const spf_draft_t *draft)
{
    static const char *const senders[] = {"ann@a.example", "bob@other.example"};
    spf_ip_t ip;

    assert_true(spf_ip_parse_client(&ip, client, strlen(client)));
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        spf_result_t was = judge(before, domain, &ip, senders[i], 1000);
        spf_result_t is = judge(after, domain, &ip, senders[i], SPF_LOOKUPS_MAX);
        if (was != is)
            fail_msg("%s, %s: was %s, is %s by %s\nin\n%s", client, senders[i], spf_result_name(was),
                     spf_result_name(is), draft_text(draft), lines);
    }
}

static void assert_fits(const spf_draft_t *draft, unsigned answer_max)
{
    const spf_draft_record_t *record;

    assert_true(spf_draft_lookups(draft) <= SPF_LOOKUPS_MAX);
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
        assert_true(record->answer_octets <= answer_max);
        assert_int_equal(record->length, strlen(record->text));
    }
}

typedef struct writer {
    char text[TEXT_MAX];
    size_t length;
} writer_t;

static void add(writer_t *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(writer_t *writer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    writer->length +=
        (size_t)vsnprintf(writer->text + writer->length, sizeof writer->text - writer->length, format, arguments);
    va_end(arguments);
    assert_true(writer->length < sizeof writer->text);
}

/* ---------------------------------------------------------------------------------------------------------- size */

enum { BLOCKS = 12, PER_BLOCK = 25 };

static zone_t *make_zone(const writer_t *writer)
{
    zone_t *zone = zone_new();

    zone_add_lines(zone, writer->text);
    return zone;
}

/* A sender whose three providers publish 300 networks in twelve records, three includes below its own. */
static void large_providers(writer_t *writer, bool merge)
{
    writer->length = 0;
    add(writer,
        "example.com TXT v=spf1 mx include:a.example include:b.example include:c.example ip4:203.0.113.0/24 ~all\n"
        "example.com TXT verification=0123456789abcdef0123456789abcdef\n"
        "example.com MX 10 mx.example.com\nmx.example.com A 203.0.113.9\nmx.example.com AAAA 2001:db8::25\n");
    for (char provider = 'a'; provider <= 'c'; provider++) {
        add(writer, "%c.example TXT v=spf1 include:_spf.%c.example ?all\n", provider, provider);
        add(writer, "_spf.%c.example TXT v=spf1", provider);
        for (unsigned i = 0; i < BLOCKS / 3; i++)
            add(writer, " include:_block%u.%c.example", i, provider);
        add(writer, " ~all\n");
    }
    for (unsigned block = 0; block < BLOCKS; block++) {
        add(writer, "_block%u.%c.example TXT v=spf1", block % 4, (char)('a' + block / 4));
        /* Providers' networks come in runs. */
        for (unsigned i = 0; i < PER_BLOCK; i++) {
            if (i % 8 == 7)
                add(writer, " ip6:2001:db8:%x::/%u", 16 * (block * PER_BLOCK + i), 44 + i % 5);
            else
                add(writer, " ip4:%u.%u.%u.0/24", 100 + 7 * block, 50 + i / 8, merge ? i % 8 : 2 * (i % 8) + 1);
        }
        add(writer, " ~all\n");
    }
}

static void large_providers_fit(void **state)
{
    static writer_t writer;

    (void)state;
    for (unsigned merge = 0; merge < 2; merge++) {
        large_providers(&writer, merge == 1);
        zone_t *zone = make_zone(&writer);
        flattening_t flattening;
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "example.com"}, NULL);
        assert_flattened(&flattening);
        assert_int_equal(flattening.walking.tree->summary.lookups, 19);
        assert_true(has_note(flattening.draft, "past the limits"));
        assert_int_equal(has_note(flattening.draft, "up to 1232"), merge == 0);
        assert_fits(flattening.draft, merge == 1 ? 512 : 1232);
        assert_true(spf_draft_lookups(flattening.draft) > 1);
        flattening_free(&flattening);
        zone_free(zone);
    }
}

static void too_many_networks(void **state)
{
    static const spf_flatten_options_t options = {.size = sizeof options, .answer_max = 512};
    static writer_t writer;
    flattening_t flattening;

    (void)state;
    large_providers(&writer, false);
    zone_t *zone = make_zone(&writer);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "example.com"}, &options);
    assert_int_equal(flattening.err, SPF_EINVAL);
    if (strstr(flattening.error, "networks that are left after merging take more records") == NULL)
        fail_msg("%s", flattening.error);
    flattening_free(&flattening);
    zone_free(zone);
}

/* Networks that do not touch, so that each takes its octets. */
static void add_networks(writer_t *writer, const char *qualifier, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        add(writer, " %sip4:10.%u.%u.1", qualifier, i / 100, i % 100);
}

/* How each record goes into an answer beside what is there already, whatever names are taken. */
static void records_are_parted(void **state)
{
    static const struct {
        unsigned others; /* octets of another TXT record of the name; 0: there is none */
        unsigned networks;
        const char *before, *between, *behind; /* terms around two halves of them */
        unsigned answer_max, lookups;
        const char *first; /* the record of the domain; NULL: any */
        const char *note;
    } cases[] = {
        {0, 20, "", "", " ~all", 512, 0, NULL, NULL},
        {0, 40, "", "", " ~all", 512, 1, NULL, NULL},
        {0, 40, "", "", "", 512, 1, NULL, NULL},
        {180, 40, "", "", " -all", 512, 1, NULL, NULL},
        /* no room for anything but one include, which then leads to all others */
        {410, 200, "", "", " -all", 512, 7, "v=spf1 include:_spf1.a.example -all", NULL},
        {430, 60, "", "", " -all", 512, 2, "v=spf1 include:_spf1.a.example -all",
         "The other TXT records of a.example take 44"},
        /* two sets that a term parts go into records of their own, in their order */
        {0, 80, "", " exists:%{i}.b.example", " -all", 256, 7, NULL, "stays"},
        {300, 40, "", " exists:%{i}.b.example", " -all", 512, 3,
         "v=spf1 include:_spf1.a.example exists:%{i}.b.example include:_spf2.a.example -all", "stays"},
        /* kept includes keep their names */
        {330, 60, " include:_spf1.a.example include:_spf3.a.example", "", " -all", 512, 4, NULL, "stays"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const char *const keep[] = {"_spf1.a.example", "_spf3.a.example"};
        const spf_flatten_options_t options = {.size = sizeof options,
                                               .keep = keep,
                                               .keep_count = strstr(cases[i].before, "_spf") ? 2 : 0,
                                               .answer_max = cases[i].answer_max};
        static writer_t writer;
        flattening_t flattening;
        writer.length = 0;
        add(&writer, "a.example TXT v=spf1%s", cases[i].before);
        add_networks(&writer, "", 0, cases[i].networks / 2);
        add(&writer, "%s", cases[i].between);
        add_networks(&writer, "", cases[i].networks / 2, cases[i].networks / 2);
        add(&writer, "%s\n_spf1.a.example TXT v=spf1 -all\n_spf3.a.example TXT v=spf1 ip4:192.0.2.3 -all\n",
            cases[i].behind);
        if (cases[i].others > 0)
            add(&writer, "a.example TXT %0*d\n", (int)cases[i].others, 0);
        zone_t *zone = make_zone(&writer);
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example"}, &options);
        if (flattening.err != SPF_OK)
            fail_msg("%zu: %s", i, flattening.error);
        assert_fits(flattening.draft, cases[i].answer_max);
        if (cases[i].note == NULL || strncmp(cases[i].note, "The other", 9) != 0)
            assert_true(spf_draft_record(flattening.draft, 0)->answer_octets +
                            (cases[i].others > 0 ? 12 + cases[i].others + 1 + cases[i].others / 256 : 0) <=
                        cases[i].answer_max);
        if (spf_draft_lookups(flattening.draft) != cases[i].lookups)
            fail_msg("%zu: %u lookups: %s", i, spf_draft_lookups(flattening.draft), draft_text(flattening.draft));
        if (cases[i].first != NULL)
            assert_string_equal(spf_draft_record(flattening.draft, 0)->text, cases[i].first);
        assert_int_equal(has_note(flattening.draft, cases[i].note), cases[i].note != NULL);
        if (options.keep_count > 0)
            assert_null(strstr(draft_text(flattening.draft), "|_spf1."));
        flattening_free(&flattening);
        zone_free(zone);
    }
}

static void what_is_refused_still_is_when_parted(void **state)
{
    static writer_t writer;
    flattening_t flattening;

    (void)state;
    writer.length = 0;
    add(&writer, "a.example TXT v=spf1 -ip4:10.0.0.0/31");
    add_networks(&writer, "-", 0, 60);
    add_networks(&writer, "?", 100, 60);
    add(&writer, " ip4:10.0.0.0/8 ~all\n");
    zone_t *zone = make_zone(&writer);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "a.example"}, NULL);
    assert_flattened(&flattening);
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " -include:_spf"));
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " ?include:_spf"));
    assert_non_null(strstr(spf_draft_record(flattening.draft, 0)->text, " ip4:10.0.0.0/8 ~all"));
    flattening_free(&flattening);
    zone_free(zone);
}

static void names_that_cannot_be_parted(void **state)
{
    static const spf_flatten_options_t options = {.size = sizeof options, .answer_max = 128};
    static const spf_flatten_options_t long_name = {.size = sizeof options, .answer_max = 512};
    static writer_t writer;
    zone_t *zone = zone_new();
    char name[254];
    flattening_t flattening;

    (void)state;
    for (size_t i = 0; i < 250; i++)
        name[i] = i % 50 == 49 ? '.' : 'n';
    strcpy(name + 250, "nn");
    writer.length = 0;
    add(&writer, "v=spf1");
    add_networks(&writer, "", 0, 60);
    zone_add(zone, name, "TXT", writer.text);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = name}, &long_name);
    assert_int_equal(flattening.err, SPF_EINVAL);
    assert_non_null(strstr(flattening.error, "is too long for a DNS answer"));
    flattening_free(&flattening);
    flattening_run(&flattening, &(walking_input_t){.zone = zone, .record = writer.text}, &options);
    assert_int_equal(flattening.err, SPF_EINVAL);
    assert_non_null(strstr(flattening.error, "cannot be the name"));
    flattening_free(&flattening);
    zone_free(zone);
}

/* --------------------------------------------------------------------------------------------------------- the proof
 */

static void the_proof_finds_differences(void **state)
{
    static const struct {
        const char *zone, *draft;
        bool is_proved;
    } cases[] = {
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all", true},
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.129 -all", false},
        {"a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n", "v=spf1 ip4:192.0.2.0/23 -all", false},
        {"a.example TXT v=spf1 ip6:2001:db8::/32 -all\n", "v=spf1 ip6:2001:db8::/33 -all", false},
        {"a.example TXT v=spf1 ip6:2001:db8::/32 -all\n", "v=spf1 ip6:2001:db8::/32 ~all", false},
        {"a.example TXT v=spf1 a:h.example -all\nh.example A 192.0.2.1\n", "v=spf1 -all", false},
        {"a.example TXT v=spf1 mx -all\na.example MX 1 h.example\nh.example A 192.0.2.1\n", "v=spf1 a:h.example -all",
         true},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 ip4:192.0.2.1 exists:%{l}.b.example -all", true},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n", "v=spf1 ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 exists:%{l}.c.example ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 ?exists:%{l}.b.example ip4:192.0.2.1 -all\n",
         "v=spf1 ip4:192.0.2.1 ?exists:%{l}.b.example -all", false},
        {"a.example TXT v=spf1 ptr:b.example -ptr:c.example ip4:192.0.2.1 -all\n",
         "v=spf1 -ptr:c.example ptr:b.example ip4:192.0.2.1 -all", false},
        {"a.example TXT v=spf1 mx:%{o} -a:%{o} -all\n", "v=spf1 -a:%{o} mx:%{o} -all", false},
        {"a.example TXT v=spf1 include:%{l}.b.example -all\n", "v=spf1 include:%{l}.b.example -all", true},
        {"a.example TXT v=spf1 include:%{l}.b.example -all\n", "v=spf1 -all", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zone_t *zone = zone_new();
        spf_draft_t *draft = spf_draft_new("a.example", strlen("a.example"));
        char storage[ERROR_MAX];
        walking_t walking;
        spf_buf_t error;
        zone_add_lines(zone, cases[i].zone);
        assert_true(walking_run(&walking, &(walking_input_t){.zone = zone, .domain = "a.example"}));
        assert_true(spf_draft_add_record(draft, "a.example", cases[i].draft, strlen(cases[i].draft)));
        spf_buf_init(&error, storage, sizeof storage);
        if (spf_prove(walking.tree, draft, &error) != (cases[i].is_proved ? SPF_OK : SPF_EINVAL))
            fail_msg("%s: %s: %s", cases[i].zone, cases[i].draft, error.data);
        assert_int_equal(strstr(error.data, "the proof failed: for ") != NULL, !cases[i].is_proved);
        spf_draft_free(draft);
        walking_free(&walking);
        zone_free(zone);
    }
}

/* ----------------------------------------------------------------------------------------------------- random zones */

static uint64_t seed = 20260607;

static unsigned roll(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

enum { DOMAINS = 6, HOSTS = 5, WINDOW = 32 };

static const char *random_qualifier(void)
{
    static const char *const qualifiers[] = {"", "", "", "", "", "-", "~", "?"};

    return qualifiers[roll(8)];
}

/* What depends on the mail; the zone answers some of it. */
static const char *random_opaque(void)
{
    static const char *const terms[] = {
        "exists:%{i}.list.example",     "exists:%{l}.%{d}",     "exists:%{l}.%{d2}.list.example",
        "a:%{l}.host.example",          "exists:%{o}",          "ptr",
        "exists:%{dr-}.%{l}.x.example", "exists:host0.example", "include:%{l}.pol.example",
        "mx:%{l}.host.example/30"};

    return terms[roll(sizeof terms / sizeof terms[0])];
}

static void add_term(writer_t *writer, unsigned domain)
{
    const char *qualifier = random_qualifier();
    unsigned deeper = domain + 1 + roll(DOMAINS - domain);
    unsigned at = roll(WINDOW), number = roll(6); /* one after the other, whatever the compiler */

    switch (roll(9)) {
    case 0:
    case 1:
        add(writer, " %sip4:192.0.2.%u/%u", qualifier, at, 27 + number);
        break;
    case 2:
        add(writer, " %sip6:2001:db8::%x/%u", qualifier, at, 123 + number);
        break;
    case 3:
        add(writer, " %sa:host%u.example%s", qualifier, at % HOSTS, number % 2 ? "/30//127" : "");
        break;
    case 4:
        add(writer, " %smx%s", qualifier, roll(3) ? "" : "/31");
        break;
    case 5:
        if (roll(3) == 0)
            add(writer, " %s%s", qualifier, random_opaque());
        break;
    default:
        if (deeper < DOMAINS || roll(40) == 0)
            add(writer, " %sinclude:d%u.example", qualifier, deeper);
    }
}

static void add_record(writer_t *writer, unsigned domain)
{
    static const char *const ends[] = {"", " -all", " ~all", " ?all", " -all", " +all"};
    unsigned deeper = domain + 1 + roll(DOMAINS - domain);
    unsigned end = roll(8);

    add(writer, "d%u.example TXT v=spf1", domain);
    for (unsigned count = 1 + roll(6); count > 0; count--)
        add_term(writer, domain);
    if (end < 6)
        add(writer, "%s", ends[end]);
    else if (deeper < DOMAINS)
        add(writer, " redirect=d%u.example", deeper);
    add(writer, "\n");
}

static void random_zone(writer_t *writer)
{
    writer->length = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        add_record(writer, i);
        for (unsigned count = roll(3); count > 0; count--)
            add(writer, "d%u.example MX 10 host%u.example\n", i, roll(HOSTS));
        if (roll(2) == 0)
            add(writer, "ann.d%u.example A 127.0.0.2\n", i);
    }
    for (unsigned i = 0; i < HOSTS; i++) {
        for (unsigned count = roll(3); count > 0; count--)
            add(writer, "host%u.example A 192.0.2.%u\n", i, roll(WINDOW));
        if (roll(2) == 0)
            add(writer, "host%u.example AAAA 2001:db8::%x\n", i, roll(WINDOW));
    }
    add(writer, "ann.host.example A 192.0.2.%u\nann.host.example MX 1 host1.example\n", roll(WINDOW));
    add(writer, "192.0.2.%u.list.example A 127.0.0.2\nbob.d3.example.list.example A 127.0.0.2\n", roll(WINDOW));
    add(writer, "ann.pol.example TXT v=spf1 ip4:192.0.2.%u/30 -all\nbob.pol.example TXT v=spf1 ?all\n", roll(WINDOW));
    add(writer, "example.d2.ann.x.example A 127.0.0.2\n");
    unsigned client = roll(WINDOW);
    add(writer, "%u.2.0.192.in-addr.arpa PTR host0.d%u.example\n", client, roll(DOMAINS));
}

static unsigned rounds_wanted(void)
{
    const char *number = getenv("SPF_FLATTEN_ROUNDS");

    return number != NULL ? (unsigned)strtoul(number, NULL, 10) : 400;
}

static void compare_everywhere(const writer_t *writer, const spf_draft_t *draft)
{
    static const char *const ends[] = {"0.0.0.0",     "255.255.255.255",
                                       "::",          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                       "192.0.1.255", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"};
    zone_t *before = zone_new(), *after = published(writer->text, draft);
    char client[64];

    zone_add_lines(before, writer->text);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        assert_agree(before, after, "d0.example", ends[i], writer->text, draft);
    /* All addresses of the window, so all edges of the networks that are in it. */
    for (unsigned i = 0; i <= WINDOW; i++) {
        snprintf(client, sizeof client, "192.0.2.%u", i);
        assert_agree(before, after, "d0.example", client, writer->text, draft);
        snprintf(client, sizeof client, "2001:db8::%x", i);
        assert_agree(before, after, "d0.example", client, writer->text, draft);
    }
    zone_free(before);
    zone_free(after);
}

static void random_zones_agree(void **state)
{
    static writer_t writer;
    unsigned rounds = rounds_wanted(), flattened = 0, parted = 0;
    uint64_t first_seed = seed;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        static const char *const keep[] = {"d3.example", "d4.example"};
        const spf_flatten_options_t options = {
            .size = sizeof options, .keep = keep, .keep_count = i % 3, .answer_max = i % 2 == 0 ? 140 : 512};
        zone_t *zone = zone_new();
        flattening_t flattening;
        random_zone(&writer);
        zone_add_lines(zone, writer.text);
        flattening_run(&flattening, &(walking_input_t){.zone = zone, .domain = "d0.example"}, &options);
        if (flattening.err == SPF_OK) {
            flattened++;
            parted += spf_draft_record(flattening.draft, 1) != NULL;
            assert_fits(flattening.draft, options.answer_max);
            compare_everywhere(&writer, flattening.draft);
        } else if (strstr(flattening.error, "proof") != NULL) {
            fail_msg("%s\nin\n%s", flattening.error, writer.text);
        }
        flattening_free(&flattening);
        zone_free(zone);
    }
    printf("%u zones from seed %llu: %u flattened, %u of them into several records\n", rounds,
           (unsigned long long)first_seed, flattened, parted);
    assert_true(flattened > rounds / 2);
    assert_true(parted > rounds / 100);
}

/* ------------------------------------------------------------------------------------------------------ the survey's
 */

static void surveys_flatten(void **state)
{
    zone_t *zone = zone_new();
    memory_resolver_t *resolver = memory_resolver_new(zone);
    spf_context_t *context;
    spf_survey_t *survey;
    spf_draft_t *draft = (spf_draft_t *)&draft;

    (void)state;
    zone_add_lines(zone, "a.example TXT v=spf1 include:b.example ~all\n" B "ip4:192.0.2.0/24\n");
    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &memory_resolver_ops, resolver), SPF_OK);
    assert_int_equal(spf_survey_new(&survey, context), SPF_OK);
    assert_int_equal(spf_survey_set_domain(survey, "a.example", SPF_STRLEN), SPF_OK);
    errno = EDOM;
    assert_int_equal(spf_survey_flatten(survey, NULL, &draft), SPF_ESTATE);
    assert_null(draft);
    assert_string_not_equal(spf_survey_error(survey), "");
    assert_int_equal(spf_survey_run(survey), SPF_OK);
    errno = EDOM;
    assert_int_equal(spf_survey_flatten(survey, NULL, &draft), SPF_OK);
    assert_string_equal(spf_survey_error(survey), "");
    assert_string_equal(draft_text(draft), "a.example v=spf1 ip4:192.0.2.0/24 ~all");
    spf_draft_free(draft);
    /* An earlier version of the options knows no size. */
    const spf_flatten_options_t options = {.size = offsetof(spf_flatten_options_t, answer_max), .answer_max = 1};
    assert_int_equal(spf_survey_flatten(survey, &options, &draft), SPF_OK);
    spf_draft_free(draft);
    const spf_flatten_options_t bad = {.size = sizeof bad, .answer_max = 1};
    assert_int_equal(spf_survey_flatten(survey, &bad, &draft), SPF_EINVAL);
    assert_null(draft);
    assert_string_equal(spf_survey_error(survey), "an answer has 128 to 65535 octets");
    assert_int_equal(errno, EDOM);
    spf_survey_free(survey);
    spf_context_release(context);
    memory_resolver_free(resolver);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_are_flattened),
        cmocka_unit_test(records_that_are_refused),
        cmocka_unit_test(surveys_that_did_not_look),
        cmocka_unit_test(options_that_are_refused),
        cmocka_unit_test(large_providers_fit),
        cmocka_unit_test(too_many_networks),
        cmocka_unit_test(records_are_parted),
        cmocka_unit_test(what_is_refused_still_is_when_parted),
        cmocka_unit_test(names_that_cannot_be_parted),
        cmocka_unit_test(the_proof_finds_differences),
        cmocka_unit_test(surveys_flatten),
        cmocka_unit_test(random_zones_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
