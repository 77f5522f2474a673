/* SPDX-License-Identifier: MIT */
/* Sets of addresses against sets of bits: a window of 256 addresses at the ends and in the middle of each family. */
#include "tools/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WINDOW = 256, WINDOW_BITS = 8, ROUNDS = 400 };

static uint64_t seed = 20240607;

static unsigned roll(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

/* Where the 256 addresses are: the octets before the last. */
static const spf_network_t windows[] = {
    {.family = 4, .octets = {0, 0, 0, 0}},
    {.family = 4, .octets = {192, 0, 2, 0}},
    {.family = 4, .octets = {255, 255, 255, 0}},
    {.family = 6, .octets = {0}},
    {.family = 6, .octets = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0}},
    {.family = 6, .octets = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 0}},
    {.family = 6, .octets = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0}},
};

typedef struct both {
    spf_addresses_t set;
    bool bits[WINDOW];
} both_t;

static spf_network_t network_in(const spf_network_t *window, unsigned first, unsigned host_bits)
{
    spf_network_t network = *window;

    network.octets[window->family == 4 ? 3 : 15] = (uint8_t)first;
    network.prefix = (uint8_t)((window->family == 4 ? 32 : 128) - host_bits);
    return network;
}

static void add_network(both_t *both, const spf_network_t *window)
{
    unsigned host_bits = roll(10) == 0 ? WINDOW_BITS : roll(5);
    unsigned first = roll(WINDOW);
    spf_network_t network = network_in(window, first, host_bits);

    spf_addresses_add_network(&both->set, &network);
    for (unsigned i = 0; i < WINDOW; i++)
        if (i >> host_bits == first >> host_bits)
            both->bits[i] = true;
}

static unsigned least_networks(const bool *bits, unsigned count)
{
    unsigned set = 0;

    for (unsigned i = 0; i < count; i++)
        set += bits[i];
    if (set == 0 || set == count)
        return set > 0;
    return least_networks(bits, count / 2) + least_networks(bits + count / 2, count / 2);
}

static spf_ip_t ip_in(const spf_network_t *window, unsigned index)
{
    spf_network_t network = network_in(window, index, 0);
    spf_ip_t ip = {.family = network.family};

    memcpy(ip.octets, network.octets, sizeof ip.octets);
    return ip;
}

static void assert_ranges_are_apart(const spf_addresses_t *set)
{
    for (unsigned family = 0; family < SPF_FAMILY_COUNT; family++) {
        for (size_t i = 0; i < set->of[family].count; i++) {
            const spf_range_t *range = &set->of[family].items[i];
            assert_true(spf_number_compare(range->first, range->last) <= 0);
            if (i == 0)
                continue;
            spf_number_t next = range[-1].last;
            assert_true(spf_number_step_up(&next, family));
            assert_true(spf_number_compare(next, range->first) < 0);
        }
    }
}

static void assert_same(const both_t *both, const spf_network_t *window)
{
    spf_cover_t cover = {.set = &both->set};
    bool covered[WINDOW] = {false};
    unsigned count = 0;
    spf_network_t network;

    assert_false(both->set.is_out_of_memory);
    assert_ranges_are_apart(&both->set);
    for (unsigned i = 0; i < WINDOW; i++) {
        spf_ip_t ip = ip_in(window, i);
        assert_int_equal(spf_addresses_has(&both->set, &ip), both->bits[i]);
    }
    for (; spf_cover_next(&cover, &network); count++) {
        assert_true(spf_addresses_meets_network(&both->set, &network));
        for (unsigned i = 0; i < WINDOW; i++) {
            spf_ip_t ip = ip_in(window, i);
            if (ip.family == network.family && spf_ip_prefix_equals(&ip, network.octets, network.prefix)) {
                assert_false(covered[i]);
                covered[i] = true;
            }
        }
    }
    assert_false(spf_cover_next(&cover, &network));
    assert_memory_equal(covered, both->bits, sizeof covered);
    assert_int_equal(count, least_networks(both->bits, WINDOW));
    assert_int_equal(spf_addresses_count_networks(&both->set), count);
}

static both_t random_set(const spf_network_t *window)
{
    both_t both = {.set = {{{0}}, false}};

    for (unsigned count = roll(12); count > 0; count--)
        add_network(&both, window);
    return both;
}

typedef void operation_t(spf_addresses_t *set, const spf_addresses_t *other);

static bool bit_of(operation_t *operation, bool a, bool b)
{
    if (operation == spf_addresses_add)
        return a || b;
    return operation == spf_addresses_subtract ? a && !b : a && b;
}

static void operations_agree_with_bits(void **state)
{
    static operation_t *const operations[] = {spf_addresses_add, spf_addresses_subtract, spf_addresses_intersect};

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const spf_network_t *window = &windows[round % (sizeof windows / sizeof windows[0])];
        operation_t *operation = operations[roll(3)];
        both_t a = random_set(window), b = random_set(window);
        assert_same(&a, window);
        operation(&a.set, &b.set);
        for (unsigned i = 0; i < WINDOW; i++)
            a.bits[i] = bit_of(operation, a.bits[i], b.bits[i]);
        assert_same(&a, window);
        assert_same(&b, window);
        spf_addresses_clear(&a.set);
        spf_addresses_clear(&b.set);
    }
}

static void a_set_with_itself(void **state)
{
    (void)state;
    both_t both = random_set(&windows[1]);
    add_network(&both, &windows[1]);
    spf_addresses_add(&both.set, &both.set);
    spf_addresses_intersect(&both.set, &both.set);
    assert_same(&both, &windows[1]);
    spf_addresses_subtract(&both.set, &both.set);
    assert_true(spf_addresses_is_empty(&both.set));
    spf_addresses_clear(&both.set);
}

static spf_network_t parse(const char *text)
{
    spf_network_t network = {.family = strchr(text, ':') != NULL ? 6 : 4};
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
    spf_ip_t ip;

    assert_true(network.family == 4 ? spf_ip_parse_v4(&ip, text, length) : spf_ip_parse_v6(&ip, text, length));
    memcpy(network.octets, ip.octets, sizeof ip.octets);
    network.prefix = (uint8_t)(slash != NULL ? atoi(slash + 1) : network.family == 4 ? 32 : 128);
    return network;
}

/* Networks in words: added, and with a '!' before them subtracted. */
static spf_addresses_t set_of(const char *words)
{
    spf_addresses_t set = {{{0}}, false};
    char copy[512];

    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        spf_addresses_t one = {{{0}}, false};
        spf_network_t network = parse(word + (*word == '!'));
        spf_addresses_add_network(&one, &network);
        (*word == '!' ? spf_addresses_subtract : spf_addresses_add)(&set, &one);
        spf_addresses_clear(&one);
    }
    return set;
}

static void covers(void **state)
{
    static const struct {
        const char *words, *cover;
    } cases[] = {
        {"", ""},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
        {"0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1", "0.0.0.0/0 ::/0"},
        {"192.0.2.77/24", "192.0.2.0/24"},
        {"192.0.2.1 192.0.2.0", "192.0.2.0/31"},
        {"192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2"},
        {"255.255.255.255 255.255.255.254", "255.255.255.254/31"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"2001:db8::/33 2001:db8:8000::/33", "2001:db8::/32"},
        {"2001:db8::ffff:ffff:ffff:ffff 2001:db8:0:1::", "2001:db8::ffff:ffff:ffff:ffff 2001:db8:0:1::"},
        {"10.0.0.0/30 !10.0.0.1", "10.0.0.0 10.0.0.2/31"},
        {"::/0 !::/1 !c000::/2", "8000::/2"},
        {"0.0.0.0/0 !255.255.255.255",
         "0.0.0.0/1 128.0.0.0/2 192.0.0.0/3 224.0.0.0/4 240.0.0.0/5 248.0.0.0/6 252.0.0.0/7 254.0.0.0/8 255.0.0.0/9 "
         "255.128.0.0/10 255.192.0.0/11 255.224.0.0/12 255.240.0.0/13 255.248.0.0/14 255.252.0.0/15 255.254.0.0/16 "
         "255.255.0.0/17 255.255.128.0/18 255.255.192.0/19 255.255.224.0/20 255.255.240.0/21 255.255.248.0/22 "
         "255.255.252.0/23 255.255.254.0/24 255.255.255.0/25 255.255.255.128/26 255.255.255.192/27 "
         "255.255.255.224/28 255.255.255.240/29 255.255.255.248/30 255.255.255.252/31 255.255.255.254"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spf_addresses_t set = set_of(cases[i].words);
        spf_cover_t cover = {.set = &set};
        char storage[2048];
        spf_network_t network;
        spf_buf_t buf;
        spf_buf_init(&buf, storage, sizeof storage);
        while (spf_cover_next(&cover, &network)) {
            if (buf.len > 0)
                spf_buf_add_char(&buf, ' ');
            spf_network_add_text(&buf, &network);
        }
        assert_string_equal(buf.data, cases[i].cover);
        spf_addresses_clear(&set);
    }
}

static void everything_is_everything(void **state)
{
    spf_addresses_t set = {{{0}}, false}, written = set_of("0.0.0.0/0 ::/0");

    (void)state;
    spf_addresses_add_everything(&set);
    assert_int_equal(spf_addresses_count_networks(&set), 2);
    spf_addresses_subtract(&set, &written);
    assert_true(spf_addresses_is_empty(&set));
    spf_addresses_clear(&set);
    spf_addresses_clear(&written);
}

static void numbers_at_their_ends(void **state)
{
    spf_number_t zero = {0, 0}, carry = {0, UINT64_MAX}, last4 = {0, UINT32_MAX}, last6 = {UINT64_MAX, UINT64_MAX};

    (void)state;
    assert_false(spf_number_step_down(&zero));
    assert_false(spf_number_step_up(&last4, SPF_FAMILY_IP4));
    assert_true(spf_number_step_up(&last4, SPF_FAMILY_IP6));
    assert_false(spf_number_step_up(&last6, SPF_FAMILY_IP6));
    assert_true(spf_number_step_up(&carry, SPF_FAMILY_IP6));
    assert_true(carry.high == 1 && carry.low == 0);
    assert_true(spf_number_step_down(&carry));
    assert_true(carry.high == 0 && carry.low == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_agree_with_bits), cmocka_unit_test(a_set_with_itself),     cmocka_unit_test(covers),
        cmocka_unit_test(everything_is_everything),   cmocka_unit_test(numbers_at_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
