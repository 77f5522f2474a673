/* SPDX-License-Identifier: MIT */
/* Lint of networks that hold one another or adjoin, beside the same question asked of every pair of them. */
#include "tools/lint.h"

#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NETWORKS_MAX = 40, RECORDS = 500, TEXT_MAX = 64 * NETWORKS_MAX, NO_NETWORK = -1 };

/* One of 192.0.2.0/24, or the same in the last octet of 2001:db8::/120. */
typedef struct network {
    char qualifier;
    bool is_ip4;
    unsigned octet, prefix; /* of the last octet: 0 to 8 bits; host bits are zero */
    size_t offset;          /* in the record */
    unsigned group;
} network_t;

static unsigned next_random(unsigned *state, unsigned limit)
{
    *state = *state * 1103515245U + 12345U;
    return (*state >> 16) % limit;
}

static unsigned mask_of(unsigned prefix)
{
    return 0xffU << (8 - prefix) & 0xffU;
}

/* Networks, and now and then a mechanism between them that ends a group. */
static unsigned make_record(char *record, network_t *networks, unsigned *random)
{
    unsigned count = 1 + next_random(random, NETWORKS_MAX), group = 0;
    size_t length = (size_t)sprintf(record, "v=spf1");

    for (unsigned i = 0; i < count; i++) {
        network_t *network = &networks[i];
        bool is_parted = next_random(random, 12) == 0;
        if (is_parted)
            length += (size_t)sprintf(record + length, " exists:%%{i}.x%u.example.com", i);
        *network = (network_t){.qualifier = next_random(random, 4) > 0 ? '+' : "-~?"[next_random(random, 3)],
                               .is_ip4 = next_random(random, 2) == 0,
                               .prefix = next_random(random, 9),
                               .offset = length + 1};
        network->octet = next_random(random, 256) & mask_of(network->prefix);
        group += is_parted || i == 0 || networks[i - 1].qualifier != network->qualifier;
        network->group = group;
        length += (size_t)sprintf(record + length, network->is_ip4 ? " %cip4:192.0.2.%u/%u" : " %cip6:2001:db8::%x/%u",
                                  network->qualifier, network->octet, (network->is_ip4 ? 24 : 120) + network->prefix);
    }
    sprintf(record + length, " -all");
    return count;
}

static bool holds(const network_t *outer, const network_t *inner)
{
    return outer->is_ip4 == inner->is_ip4 && outer->prefix <= inner->prefix &&
           ((outer->octet ^ inner->octet) & mask_of(outer->prefix)) == 0;
}

static bool are_halves(const network_t *a, const network_t *b)
{
    return a->is_ip4 == b->is_ip4 && a->prefix == b->prefix && a->prefix > 0 &&
           (a->octet ^ b->octet) == 1U << (8 - a->prefix);
}

/* The first one that holds it: before it, or in its group behind it and wider. */
static int find_holder(const network_t *networks, unsigned count, unsigned index)
{
    const network_t *own = &networks[index];

    for (unsigned i = 0; i < count; i++)
        if (holds(&networks[i], own) &&
            (i < index || (i > index && networks[i].group == own->group && networks[i].prefix < own->prefix)))
            return (int)i;
    return NO_NETWORK;
}

static int find_other_half(const network_t *networks, unsigned count, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (holds(&networks[i], &networks[index]))
            return NO_NETWORK;
    for (unsigned i = index + 1; i < count; i++)
        if (networks[i].group == networks[index].group && are_halves(&networks[i], &networks[index]))
            return (int)i;
    return NO_NETWORK;
}

/* The sentence of that code about the term there, or "". */
static const char *find_sentence(const spf_lint_t *lint, const char *code, size_t offset)
{
    for (size_t i = 0; i < lint->count; i++)
        if (strcmp(lint->remarks[i].code, code) == 0 && lint->remarks[i].offset == offset)
            return lint->remarks[i].sentence;
    return "";
}

/* That the sentence speaks of the term of that network. */
static void assert_names(const char *sentence, const char *record, const network_t *network, const char *context)
{
    size_t length = strcspn(record + network->offset, " ");
    char quoted[64];

    snprintf(quoted, sizeof(quoted), "%s\"%.*s\"", context, (int)length, record + network->offset);
    if (strstr(sentence, quoted) == NULL)
        print_error("%s\n%s\n%s\n", record, quoted, sentence);
    assert_non_null(strstr(sentence, quoted));
}

static void compare(const spf_lint_t *lint, const char *record, const network_t *networks, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *shadowed = find_sentence(lint, "shadowed-network", networks[i].offset);
        const char *mergeable = find_sentence(lint, "mergeable-networks", networks[i].offset);
        int holder = find_holder(networks, count, i);
        int half = find_other_half(networks, count, i);

        if ((holder != NO_NETWORK) != (shadowed[0] != '\0') || (half != NO_NETWORK) != (mergeable[0] != '\0'))
            print_error("%s\nat %zu: %s %s\n", record, networks[i].offset, shadowed, mergeable);
        assert_int_equal(shadowed[0] != '\0', holder != NO_NETWORK);
        assert_int_equal(mergeable[0] != '\0', half != NO_NETWORK);
        if (holder != NO_NETWORK)
            assert_names(shadowed, record, &networks[holder],
                         holder < (int)i && networks[holder].prefix == networks[i].prefix ? "as " : "of ");
        if (half != NO_NETWORK)
            assert_names(mergeable, record, &networks[half], "and ");
    }
}

static void test_every_pair(void **state)
{
    zone_t *zone = zone_new();
    unsigned random = 4632;
    network_t networks[NETWORKS_MAX];
    char record[TEXT_MAX];
    walking_t walking;

    (void)state;
    for (unsigned i = 0; i < RECORDS; i++) {
        unsigned count = make_record(record, networks, &random);
        assert_true(
            walking_run(&walking, &(walking_input_t){.zone = zone, .record = record, .scope = WALKING_NOTHING}));
        const spf_lint_t *lint = spf_lint_tree(&walking.arena, walking.tree);
        assert_non_null(lint);
        compare(lint, record, networks, count);
        walking_free(&walking);
    }
    zone_free(zone);
}

/* Every network of one family there is around an address, each within the one before it. */
static void test_deepest_nesting(void **state)
{
    zone_t *zone = zone_new();
    static char record[TEXT_MAX * 4];
    size_t length = (size_t)sprintf(record, "v=spf1");
    walking_t walking;
    size_t shadowed = 0;

    (void)state;
    for (unsigned prefix = 0; prefix <= 128; prefix++)
        length += (size_t)sprintf(record + length, " ip6:::/%u", prefix);
    assert_true(walking_run(&walking, &(walking_input_t){.zone = zone, .record = record, .scope = WALKING_NOTHING}));
    const spf_lint_t *lint = spf_lint_tree(&walking.arena, walking.tree);
    assert_non_null(lint);
    for (size_t i = 0; i < lint->count; i++)
        shadowed += strcmp(lint->remarks[i].code, "shadowed-network") == 0;
    assert_int_equal(shadowed, 128);
    walking_free(&walking);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_deepest_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
