/* SPDX-License-Identifier: MIT */
/* Flatten: what is written, what is refused, and surveys that are flattened. */
#include "support/memory_resolver.h"
#include "unit/flattening.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEEP_MAX = 4 };

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

static const flatten_case_t flattened[] = {
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
    {"a.example TXT v=spf1 include:b.example ~all\n" B "redirect=c.example\nc.example TXT v=spf1 ip4:192.0.2.1 -all\n",
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
    {"a.example TXT v=spf1 include:b.example ip4:192.0.2.1 ptr -all\n" B "ip4:192.0.2.0 exists:%{ir}.%{d2}.x ptr ~all\n"
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
    {"a.example TXT v=spf1 redirect=b.example\n" B "a:%{d}/24 exists:%{D}.%{i}.example -all\nb.example A 192.0.2.9\n",
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

static void records_that_are_flattened(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof flattened / sizeof flattened[0]; i++) {
        flattening_t flattening;
        run_case(&flattening, &flattened[i]);
        if (flattening.err != SPF_OK)
            fail_msg("%s: %s", flattened[i].zone, flattening.error);
        assert_string_equal(draft_text(flattening.draft), flattened[i].result);
        if (spf_draft_lookups(flattening.draft) != flattened[i].lookups)
            fail_msg("%s: %u lookups", flattened[i].zone, spf_draft_lookups(flattening.draft));
        if (has_note(flattening.draft, flattened[i].note) != (flattened[i].note != NULL))
            fail_msg("%s: a note is %s; the first is %s", flattened[i].zone,
                     flattened[i].note ? flattened[i].note : "not wanted",
                     spf_draft_note(flattening.draft, 0) ? spf_draft_note(flattening.draft, 0) : "none");
        flattening_free(&flattening);
    }
}

static const flatten_case_t refused[] = {
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
     "mx in the record of a.example: the DNS lookup of its host n.example failed; what is not known",
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

static void records_that_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        flattening_t flattening;
        run_case(&flattening, &refused[i]);
        assert_int_equal(flattening.err, SPF_EINVAL);
        if (strstr(flattening.error, refused[i].result) == NULL)
            fail_msg("%s: %s", refused[i].zone, flattening.error);
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
    static const char *const keep[] = {"a..b"};
    static const spf_flatten_options_t cases[] = {
        {.size = sizeof cases[0], .prefix = "a b"},     {.size = sizeof cases[0], .prefix = "a..b"},
        {.size = sizeof cases[0], .prefix = ".a"},      {.size = sizeof cases[0], .answer_max = 127},
        {.size = sizeof cases[0], .answer_max = 65536}, {.size = sizeof cases[0], .keep = keep, .keep_count = 1},
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

/* ---------------------------------------------------------------------------------------------------- the survey's */

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
    assert_string_equal(spf_survey_error(survey), "flatten: the survey did not end with SPF_OK");
    const spf_flatten_options_t unusable = {.size = sizeof unusable, .prefix = "a b"};
    assert_int_equal(spf_survey_flatten(survey, &unusable, &draft), SPF_EINVAL);
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
    assert_string_equal(spf_survey_error(survey), "an answer has 128 to 65535 octets, not 1");
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
        cmocka_unit_test(surveys_flatten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
