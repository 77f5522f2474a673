/* SPDX-License-Identifier: MIT */
/* The walk ends, whatever a zone holds. */
#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EVERYTHING = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY, ZONE_TEXT_MAX = 1 << 20 };

static char text[ZONE_TEXT_MAX]; /* of the zone */

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, sizeof(text) - length, format, arguments);
    va_end(arguments);
    assert_true(strlen(text) + 1 < sizeof(text));
}

static unsigned deepest(const spf_tree_t *tree)
{
    unsigned depth = 0;

    for (size_t i = 0; i < tree->node_count; i++)
        depth = tree->nodes[i]->view.depth > depth ? tree->nodes[i]->view.depth : depth;
    return depth;
}

static size_t count_networks(const spf_tree_t *tree)
{
    size_t count = 0;

    for (size_t i = 0; i < tree->node_count; i++)
        for (size_t j = 0; j < tree->nodes[i]->view.term_count; j++)
            count += tree->nodes[i]->view.terms[j].network_count;
    return count;
}

/* Walks what is in text, and expects that it was cut short. */
static void walk_hostile(walking_t *walking, zone_t **zone, const char *record)
{
    *zone = zone_new();
    zone_add_lines(*zone, text);
    assert_true(walking_run(
        walking, &(walking_input_t){.zone = *zone, .domain = "h.example", .record = record, .scope = EVERYTHING}));
    assert_false(walking->tree->summary.is_complete);
    assert_true(walking->asked <= SPF_WALK_QUESTIONS_MAX);
    assert_true(walking->tree->node_count <= SPF_WALK_NODES_MAX);
    assert_true(deepest(walking->tree) <= SPF_WALK_DEPTH_MAX);
    assert_true(count_networks(walking->tree) <= SPF_WALK_NETWORKS_MAX);
}

/* Each record leads to thirty others, which lead to the next thirty: 30^n records without a bound. */
static void ends_in_a_wide_zone(void **state)
{
    enum { WIDE = 30, LEVELS = 6 };
    walking_t walking;
    zone_t *zone;

    (void)state;
    text[0] = '\0';
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned i = 0; i < (level == 0 ? 1 : WIDE); i++) {
            if (level == 0)
                add("h.example TXT v=spf1");
            else
                add("x%u.y%u.example TXT v=spf1", i, level);
            for (unsigned j = 0; j < WIDE; j++)
                add(" include:x%u.y%u.example", j, level + 1);
            add(" -all\n");
        }
    }
    walk_hostile(&walking, &zone, NULL);
    assert_int_equal(walking.tree->node_count, SPF_WALK_NODES_MAX);
    walking_free(&walking);
    zone_free(zone);
}

static void ends_in_a_deep_zone(void **state)
{
    walking_t walking;
    zone_t *zone;

    (void)state;
    text[0] = '\0';
    add("h.example TXT v=spf1 include:x0.example -all\n");
    for (unsigned i = 0; i < 100; i++)
        add("x%u.example TXT v=spf1 a %s%cx%u.example\n", i, i % 2 ? "redirect" : "include", i % 2 ? '=' : ':', i + 1);
    walk_hostile(&walking, &zone, NULL);
    assert_int_equal(deepest(walking.tree), SPF_WALK_DEPTH_MAX);
    assert_int_equal(walking.tree->node_count, SPF_WALK_DEPTH_MAX + 1);
    walking_free(&walking);
    zone_free(zone);
}

static void ends_with_many_questions(void **state)
{
    walking_t walking;
    zone_t *zone;

    (void)state;
    text[0] = '\0';
    add("h.example TXT v=spf1");
    for (unsigned i = 0; i < 2000; i++)
        add(" %s:x%u.example", i % 3 ? i % 2 ? "a" : "mx" : "exists", i);
    add("\n");
    for (unsigned i = 0; i < 2000; i++)
        add("x%u.example MX 1 y%u.example\n", i, i);
    walk_hostile(&walking, &zone, NULL);
    assert_int_equal(walking.asked, SPF_WALK_QUESTIONS_MAX);
    walking_free(&walking);
    zone_free(zone);
}

static void ends_with_much_text(void **state)
{
    enum { RECORDS = 100, TERMS = 400 };
    walking_t walking;
    zone_t *zone;
    size_t octets = 0;

    (void)state;
    text[0] = '\0';
    for (unsigned i = 0; i < RECORDS; i++) {
        if (i == 0)
            add("h.example TXT v=spf1");
        else
            add("x%u.example TXT v=spf1", i);
        for (unsigned j = 0; j < TERMS; j++)
            add(" ip4:192.0.2.%u", j & 255);
        for (unsigned j = 1; i == 0 && j < RECORDS; j++)
            add(" include:x%u.example", j);
        add("\n");
    }
    walk_hostile(&walking, &zone, NULL);
    for (size_t i = 0; i < walking.tree->node_count; i++)
        octets += walking.tree->nodes[i]->view.term_count > 0 ? walking.tree->nodes[i]->view.record_length : 0;
    assert_true(octets <= SPF_WALK_RECORD_OCTETS_MAX);
    assert_true(octets > SPF_WALK_RECORD_OCTETS_MAX / 2);
    walking_free(&walking);
    zone_free(zone);
}

/* One record of one domain can stand for any number of networks. */
static void ends_with_many_networks(void **state)
{
    enum { ADDRESSES = 3000, TERMS = 100 };
    walking_t walking;
    zone_t *zone;

    (void)state;
    text[0] = '\0';
    add("h.example TXT v=spf1");
    for (unsigned i = 0; i < TERMS; i++)
        add(" a/%u", 32 - i % 8);
    add("\n");
    for (unsigned i = 0; i < ADDRESSES; i++)
        add("h.example A 10.0.%u.%u\n", i >> 8, i & 255);
    walk_hostile(&walking, &zone, NULL);
    assert_int_equal(walking.asked, 6);
    assert_true(count_networks(walking.tree) > 0);
    walking_free(&walking);
    zone_free(zone);
}

/* As many terms as a given record may have. */
static void ends_with_many_terms(void **state)
{
    enum { OCTETS = 65536 };
    static char record[OCTETS + 1] = "v=spf1";
    walking_t walking;
    zone_t *zone;

    (void)state;
    for (size_t i = strlen(record); i < OCTETS; i++)
        record[i] = i % 2 ? 'a' : ' ';
    text[0] = '\0';
    for (unsigned i = 0; i < 200; i++)
        add("h.example A 10.0.0.%u\n", i);
    walk_hostile(&walking, &zone, record);
    assert_int_equal(walking.tree->nodes[0]->view.term_count, (OCTETS - 6) / 2);
    assert_int_equal(walking.tree->summary.lookups, (OCTETS - 6) / 2);
    walking_free(&walking);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_in_a_wide_zone),      cmocka_unit_test(ends_in_a_deep_zone),
        cmocka_unit_test(ends_with_many_questions), cmocka_unit_test(ends_with_much_text),
        cmocka_unit_test(ends_with_many_networks),  cmocka_unit_test(ends_with_many_terms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
