/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    bool prefetch;
    memory_options_t options;
} row_ways[] = {
    {"at once", false, {.timeout_us = 2000000}},
    {"at once, asking ahead", true, {.timeout_us = 2000000}},
    {"after 20 ms", false, {.delay_us = 20000, .timeout_us = 2000000}},
    {"after 20 ms, asking ahead", true, {.delay_us = 20000, .timeout_us = 2000000}},
    {"out of order", true, {.jitter_us = 100000, .seed = 1, .is_late = true, .timeout_us = 2000000}},
    {"in another order", true, {.jitter_us = 100000, .seed = 2, .is_late = true, .timeout_us = 2000000}},
};

enum { ROW_WAYS = sizeof row_ways / sizeof row_ways[0] };

void world_open_zone(world_t *world, zone_t *zone, const char *const *settings)
{
    spf_config_t *config;
    world->zone = zone;
    world->resolver = memory_resolver_new(zone);
    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "receiver", "receiver.example.org"), SPF_OK);
    for (; settings && settings[0]; settings += 2)
        assert_int_equal(spf_config_set(config, settings[0], settings[1]), SPF_OK);
    assert_int_equal(spf_context_new_with_resolver(&world->context, config, &memory_resolver_ops, world->resolver),
                     SPF_OK);
    spf_config_free(config);
}

void world_open(world_t *world, const char *lines, const char *record, const char *const *settings)
{
    zone_t *zone = zone_new();
    zone_add_lines(zone, lines);
    if (record)
        zone_add(zone, ROW_DOMAIN, "TXT", record);
    world_open_zone(world, zone, settings);
}

void world_close(world_t *world)
{
    memory_counters_t counters = memory_resolver_counters(world->resolver);
    assert_int_equal(counters.in_flight, 0);
    assert_int_equal(counters.violations, 0);
    spf_context_release(world->context);
    memory_resolver_free(world->resolver);
    zone_free(world->zone);
}

spf_check_t *world_check(const world_t *world, const row_t *row)
{
    spf_check_t *check;
    const char *sender = row->sender ? row->sender : "ann@" ROW_DOMAIN;
    assert_int_equal(spf_check_new(&check, world->context), SPF_OK);
    assert_int_equal(spf_check_set_ip(check, row->ip ? row->ip : ROW_IP), SPF_OK);
    assert_int_equal(spf_check_set_sender(check, sender, row->sender_length ? row->sender_length : SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_set_helo(check, row->helo ? row->helo : "mail.example.org", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_set_identity(check, row->identity), SPF_OK);
    return check;
}

const spf_verdict_t *world_run(spf_check_t *check)
{
    assert_int_equal(spf_check_run(check), SPF_OK);
    const spf_verdict_t *verdict = spf_check_verdict(check);
    assert_non_null(verdict);
    return verdict;
}

static bool row_explanation_is_right(const row_t *row, const spf_verdict_t *verdict)
{
    if (!row->explanation)
        return true;
    return strcmp(row->explanation, verdict->explanation ? verdict->explanation : ROW_NONE) == 0;
}

/* Whether the verdict is what the row wants; prints what it is otherwise. */
static bool row_is_right(const row_t *row, const spf_verdict_t *verdict, unsigned queries, size_t way)
{
    bool is_right = verdict->result == row->result && row_explanation_is_right(row, verdict);
    if (row->cause)
        is_right &= verdict->cause == row->cause;
    if (row->has_counts)
        is_right &= verdict->lookups == row->lookups && verdict->void_lookups == row->void_lookups;
    if (row->queries && !row_ways[way].prefetch)
        is_right &= queries == row->queries;
    if (!is_right)
        print_error(
            "%s, from %s by %s, %s:\n    %s (%s), %u lookups, %u void, %u queries, explanation \"%s\"\n    %s\n",
            row->record ? row->record : "(no record)", row->sender ? row->sender : "ann", row->ip ? row->ip : ROW_IP,
            row_ways[way].name, spf_result_name(verdict->result), spf_cause_name(verdict->cause), verdict->lookups,
            verdict->void_lookups, queries, verdict->explanation ? verdict->explanation : "", verdict->reason);
    return is_right;
}

void rows_run(const char *lines, const row_t *rows, size_t count, const char *const *settings)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t way = 0; way < ROW_WAYS; way++) {
            world_t world;
            const char *all[16] = {"prefetch", row_ways[way].prefetch ? "yes" : "no"};
            for (size_t j = 0; settings && settings[j] && j < 12; j++)
                all[2 + j] = settings[j];
            world_open(&world, lines, rows[i].record, all);
            memory_resolver_set_options(world.resolver, &row_ways[way].options);
            spf_check_t *check = world_check(&world, &rows[i]);
            const spf_verdict_t *verdict = world_run(check);
            wrong += !row_is_right(&rows[i], verdict, memory_resolver_counters(world.resolver).queries, way);
            spf_check_free(check);
            world_close(&world);
        }
    }
    assert_int_equal(wrong, 0);
}
