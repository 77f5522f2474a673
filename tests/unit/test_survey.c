/* SPDX-License-Identifier: MIT */
/* Surveys through the API: setters, running, callbacks, cancelling, deadlines, and the tree as a caller sees it. */
#include "support/memory_resolver.h"

#include "spf_tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char zone_lines[] = "example.com TXT v=spf1 mx include:inner.example.net -all\n"
                                 "example.com MX 1 mail.example.com\n"
                                 "mail.example.com A 192.0.2.1\n"
                                 "inner.example.net TXT v=spf1 ip4:198.51.100.0/24 a:slow.example.net ~all\n"
                                 "slow.example.net A 192.0.2.2\n"
                                 "slow.example.net AAAA TIMEOUT\n"
                                 "xn--mller-kva.example TXT v=spf1 -all\n";

typedef struct world {
    zone_t *zone;
    memory_resolver_t *resolver;
    spf_context_t *context;
    spf_survey_t *survey;
    unsigned calls;
    spf_err_t err;
} world_t;

static const memory_options_t plain = {.is_survey = true, .ttl_s = 300, .timeout_us = 1000000};

static int set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    spf_config_t *config;

    assert_non_null(world);
    world->zone = zone_new();
    zone_add_lines(world->zone, zone_lines);
    world->resolver = memory_resolver_new(world->zone);
    memory_resolver_set_options(world->resolver, &plain);
    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "max-lookups", "4"), SPF_OK);
    assert_int_equal(spf_context_new_with_resolver(&world->context, config, &memory_resolver_ops, world->resolver),
                     SPF_OK);
    spf_config_free(config);
    assert_int_equal(spf_survey_new(&world->survey, world->context), SPF_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    memory_counters_t counters;

    spf_survey_free(world->survey);
    if (world->context != NULL)
        spf_context_release(world->context);
    counters = memory_resolver_counters(world->resolver);
    assert_int_equal(counters.in_flight, 0);
    assert_int_equal(counters.violations, 0);
    memory_resolver_free(world->resolver);
    zone_free(world->zone);
    free(world);
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- setters */

static void refuses_bad_values(void **state)
{
    world_t *world = *state;
    static char long_text[65537];

    memset(long_text, 'x', sizeof(long_text));
    assert_string_equal(spf_survey_error(world->survey), "");
    assert_int_equal(spf_survey_set_domain(world->survey, "a..b", SPF_STRLEN), SPF_EINVAL);
    assert_string_equal(
        spf_survey_error(world->survey),
        "domain \"a..b\" is no domain name: labels of 1 to 63 octets parted by dots, 253 octets in all");
    assert_int_equal(spf_survey_set_domain(world->survey, NULL, 0), SPF_EINVAL);
    assert_int_equal(spf_survey_set_record(world->survey, long_text, sizeof(long_text)), SPF_EINVAL);
    assert_non_null(strstr(spf_survey_error(world->survey), "...\" is longer than 65536 octets"));
    assert_int_equal(spf_survey_set_scope(world->survey, 8), SPF_EINVAL);
    assert_non_null(strstr(spf_survey_error(world->survey), "scope: allowed are"));
    assert_int_equal(spf_survey_set_timeout_ms(world->survey, 0), SPF_EINVAL);
    assert_int_equal(spf_survey_set_timeout_ms(world->survey, 600001), SPF_EINVAL);
    assert_non_null(strstr(spf_survey_error(world->survey), "1 to 600000"));
    assert_int_equal(spf_survey_set_timeout_ms(world->survey, 600000), SPF_OK);
    assert_string_equal(spf_survey_error(world->survey), "");
    assert_int_equal(spf_survey_run(world->survey), SPF_EINVAL);
    assert_string_equal(spf_survey_error(world->survey), "a domain or a record must be set before a survey is started");
    assert_int_equal(spf_survey_start(world->survey, NULL, NULL), SPF_EINVAL);
    assert_null(spf_survey_summary(world->survey));
    assert_null(spf_survey_node(world->survey, 0));
}

static void refuses_what_comes_too_late(void **state)
{
    world_t *world = *state;

    assert_int_equal(spf_survey_set_domain(world->survey, "example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_run(world->survey), SPF_OK);
    assert_int_equal(spf_survey_set_domain(world->survey, "example.com", SPF_STRLEN), SPF_ESTATE);
    assert_int_equal(spf_survey_set_record(world->survey, "v=spf1", SPF_STRLEN), SPF_ESTATE);
    assert_int_equal(spf_survey_set_scope(world->survey, 0), SPF_ESTATE);
    assert_int_equal(spf_survey_set_timeout_ms(world->survey, 1), SPF_ESTATE);
    assert_int_equal(spf_survey_run(world->survey), SPF_ESTATE);
    assert_string_equal(spf_survey_error(world->survey), "the survey was started already; a survey is made once");
}

static void takes_records_as_they_are_written(void **state)
{
    static const struct {
        const char *written, *record;
    } rows[] = {
        {"v=spf1 -all", "v=spf1 -all"},
        {"\"v=spf1 \" \"-all\"", "v=spf1 -all"},
        {"( \"v=spf1\"\n\t\" -all\" )", "v=spf1 -all"},
        {"\"v=spf1 \\045all\"", "v=spf1 -all"},
    };
    world_t *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        spf_survey_t *survey;
        assert_int_equal(spf_survey_new(&survey, world->context), SPF_OK);
        assert_int_equal(spf_survey_set_record(survey, "v=spf1 a", SPF_STRLEN), SPF_OK);
        assert_int_equal(spf_survey_set_record(survey, rows[i].written, SPF_STRLEN), SPF_OK);
        assert_int_equal(spf_survey_run(survey), SPF_OK);
        assert_string_equal(spf_survey_node(survey, 0)->record, rows[i].record);
        assert_string_equal(spf_survey_node(survey, 0)->domain, "");
        assert_int_equal(spf_survey_node(survey, 0)->ttl_s, -1);
        spf_survey_free(survey);
    }
    assert_int_equal(memory_resolver_counters(world->resolver).queries, 0);
    assert_int_equal(spf_survey_set_record(world->survey, "v=spf1 -all", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_set_record(world->survey, NULL, 0), SPF_OK);
    assert_int_equal(spf_survey_run(world->survey), SPF_EINVAL);
}

static void makes_a_labels(void **state)
{
    world_t *world = *state;

    assert_int_equal(spf_survey_set_domain(world->survey, "M\xc3\xbcller.Example.", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_run(world->survey), SPF_OK);
    assert_string_equal(spf_survey_node(world->survey, 0)->domain, "xn--mller-kva.example");
    assert_int_equal(spf_survey_node(world->survey, 0)->status, SPF_NODE_RECORD);
}

/* ------------------------------------------------------------------------------------------------------------- tree */

static void tells_the_tree(void **state)
{
    world_t *world = *state;
    const spf_survey_summary_t *summary;
    const spf_node_t *node;

    assert_int_equal(spf_survey_set_domain(world->survey, "example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_run(world->survey), SPF_OK);
    summary = spf_survey_summary(world->survey);
    assert_int_equal(summary->lookups, 3);
    assert_int_equal(summary->max_lookups, 4);
    assert_int_equal(summary->max_void_lookups, 2);
    assert_int_equal(summary->records, 2);
    assert_int_equal(summary->ttl_s, 300);
    assert_int_equal(summary->elapsed_us, plain.timeout_us);
    assert_false(summary->is_complete);
    assert_false(summary->is_permerror);
    node = spf_survey_node(world->survey, 0);
    assert_string_equal(node->domain, "example.com");
    assert_int_equal(node->term_count, 3);
    assert_string_equal(node->terms[1].kind, "include");
    assert_ptr_equal(node->terms[1].child, spf_survey_node(world->survey, 1));
    node = spf_survey_node(world->survey, 1);
    assert_ptr_equal(node->parent, spf_survey_node(world->survey, 0));
    assert_int_equal(node->parent_term, 1);
    assert_int_equal(node->terms[1].status, SPF_NODE_TIMEOUT);
    assert_int_equal(node->terms[1].network_count, 1);
    assert_string_equal(node->terms[1].answer, "192.0.2.2 (AAAA: no answer)");
    assert_null(spf_survey_node(world->survey, 2));
    assert_string_equal(spf_node_status_name(SPF_NODE_NOT_ASKED), "not-asked");
    assert_string_equal(spf_node_status_name((spf_node_status_t)77), "invalid");
}

/* ------------------------------------------------------------------------------------------------------- life cycle */

static void ended(spf_survey_t *survey, spf_err_t err, void *user_data)
{
    world_t *world = user_data;

    assert_ptr_equal(survey, world->survey);
    world->calls++;
    world->err = err;
}

static void start(world_t *world)
{
    assert_int_equal(spf_survey_set_domain(world->survey, "example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_start(world->survey, ended, world), SPF_OK);
    assert_int_equal(world->calls, 0);
}

static void calls_back_once(void **state)
{
    world_t *world = *state;

    start(world);
    while (spf_context_pending(world->context) > 0)
        assert_int_equal(spf_context_wait(world->context, -1), SPF_OK);
    assert_int_equal(world->calls, 1);
    assert_int_equal(world->err, SPF_OK);
    assert_non_null(spf_survey_summary(world->survey));
    spf_survey_cancel(world->survey);
    assert_int_equal(world->calls, 1);
}

/* After any number of waits. */
static void cancels_and_frees_at_any_point(void **state)
{
    world_t *world = *state;
    memory_options_t options = plain;

    options.delay_us = 20000;
    memory_resolver_set_options(world->resolver, &options);
    for (unsigned i = 0; i < 16; i++) {
        unsigned waits = i / 2;
        bool was_open;
        world->calls = 0;
        start(world);
        for (; waits > 0 && spf_context_pending(world->context) > 0; waits--)
            assert_int_equal(spf_context_wait(world->context, -1), SPF_OK);
        was_open = spf_context_pending(world->context) > 0;
        if (i % 2)
            spf_survey_cancel(world->survey);
        spf_survey_free(world->survey);
        assert_int_equal(world->calls, 1);
        assert_int_equal(world->err, was_open ? SPF_ECANCELED : SPF_OK);
        assert_int_equal(memory_resolver_counters(world->resolver).in_flight, 0);
        assert_int_equal(spf_survey_new(&world->survey, world->context), SPF_OK);
    }
}

static void ends_with_its_context(void **state)
{
    world_t *world = *state;

    memory_resolver_set_options(world->resolver, &(memory_options_t){.delay_us = 20000});
    start(world);
    spf_context_release(world->context);
    world->context = NULL;
    assert_int_equal(world->calls, 1);
    assert_int_equal(world->err, SPF_ECANCELED);
    assert_null(spf_survey_summary(world->survey));
}

static void keeps_its_deadline(void **state)
{
    world_t *world = *state;
    uint64_t start_us = memory_resolver_now_us(world->resolver);

    memory_resolver_set_options(world->resolver, &(memory_options_t){.delay_us = 20000, .timeout_us = 0});
    assert_int_equal(spf_survey_set_timeout_ms(world->survey, 50), SPF_OK);
    assert_int_equal(spf_survey_set_domain(world->survey, "example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_run(world->survey), SPF_OK);
    assert_int_equal(memory_resolver_now_us(world->resolver) - start_us, 50000);
    assert_int_equal(spf_survey_summary(world->survey)->elapsed_us, 50000);
    assert_false(spf_survey_summary(world->survey)->is_complete);
    assert_int_equal(spf_survey_node(world->survey, 0)->status, SPF_NODE_RECORD);
    assert_int_equal(spf_survey_node(world->survey, 1)->terms[1].status, SPF_NODE_TIMEOUT);
    assert_string_equal(spf_survey_node(world->survey, 1)->terms[1].answer, "A and AAAA: no answer in time");
}

/* As many round trips as the tree is deep. */
static void asks_a_level_at_once(void **state)
{
    world_t *world = *state;
    spf_survey_t *survey;

    memory_resolver_set_options(world->resolver, &(memory_options_t){.delay_us = 20000, .is_survey = true});
    assert_int_equal(spf_survey_new(&survey, world->context), SPF_OK);
    assert_int_equal(spf_survey_set_domain(survey, "example.com", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_survey_set_scope(survey, SPF_SURVEY_NEARBY | SPF_SURVEY_RECORDS), SPF_OK);
    assert_int_equal(spf_survey_run(survey), SPF_OK);
    assert_int_equal(memory_resolver_counters(world->resolver).waits, 2);
    assert_int_equal(memory_resolver_asked(world->resolver, "example.com", SPF_TYPE_SPF), 1);
    spf_survey_free(survey);
}

int main(void)
{
#define SPF_X(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SPF_X(refuses_bad_values),
        SPF_X(refuses_what_comes_too_late),
        SPF_X(takes_records_as_they_are_written),
        SPF_X(makes_a_labels),
        SPF_X(tells_the_tree),
        SPF_X(calls_back_once),
        SPF_X(cancels_and_frees_at_any_point),
        SPF_X(ends_with_its_context),
        SPF_X(keeps_its_deadline),
        SPF_X(asks_a_level_at_once),
    };
#undef SPF_X

    return cmocka_run_group_tests(tests, NULL, NULL);
}
