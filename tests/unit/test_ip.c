/* SPDX-License-Identifier: MIT */
/* Client addresses and networks: which texts are addresses, prefixes at their bounds, and the texts made of them. */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An exact copy on the heap, so that a sanitizer sees an octet read too far. */
static char *exact_copy(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    return copy;
}

typedef bool parse_fn(spf_ip_t *ip, const char *text, size_t length);

static bool parse(parse_fn *function, spf_ip_t *ip, const char *text, size_t length)
{
    char *copy = exact_copy(text, length);
    bool good = function(ip, copy, length);
    free(copy);
    return good;
}

static const char *text_of(const spf_ip_t *ip, void (*add)(spf_buf_t *buf, const spf_ip_t *ip))
{
    static char storage[80];
    spf_buf_t buf;
    spf_buf_init(&buf, storage, sizeof(storage));
    add(&buf, ip);
    assert_false(buf.full);
    return buf.data;
}

static void ruling_14_ip4(void **state)
{
    static const char *const good[] = {"0.0.0.0", "1.2.3.4", "192.0.2.7", "255.255.255.255", "10.99.100.249"};
    static const char *const bad[] = {
        "",          "1",          "1.2.3",     "1.2.3.",    "1.2.3.4.",        "1.2.3.4.5", ".1.2.3.4",
        "1..2.3",    "256.1.1.1",  "1.2.3.256", "1.2.3.999", "1.2.3.1000",      "01.2.3.4",  "1.2.3.04",
        "1.2.3.00",  "001.2.3.4",  "0x1.2.3.4", "1.2.3.4 ",  " 1.2.3.4",        "+1.2.3.4",  "-1.2.3.4",
        "1.2.3.4%1", "1.2.3.4/32", "a.b.c.d",   "1,2.3.4",   "4294967297.0.0.1"};
    spf_ip_t ip;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(parse(spf_ip_parse_v4, &ip, good[i], strlen(good[i])));
        assert_int_equal(ip.family, 4);
        assert_string_equal(text_of(&ip, spf_ip_add_text), good[i]);
        assert_true(parse(spf_ip_parse_client, &ip, good[i], strlen(good[i])));
        assert_int_equal(ip.family, 4);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(parse(spf_ip_parse_v4, &ip, bad[i], strlen(bad[i])));
        assert_false(parse(spf_ip_parse_client, &ip, bad[i], strlen(bad[i])));
    }
    assert_false(parse(spf_ip_parse_v4, &ip, "1.2.3.4\0", 8));
    assert_false(parse(spf_ip_parse_v4, &ip,
                       "1.2.3\0"
                       "4",
                       7));
    assert_true(parse(spf_ip_parse_v4, &ip, "1.2.3.45", 7)); /* the length counts */
    assert_int_equal(ip.octets[3], 4);
    for (size_t i = 4; i < sizeof(ip.octets); i++)
        assert_int_equal(ip.octets[i], 0);
}

static void ruling_14_ip6(void **state)
{
    static const struct {
        const char *text, *canonical;
    } good[] = {
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8::CB01", "2001:db8::cb01"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0db8:0000:0000:0000:ff00:0042:8329", "2001:db8::ff00:42:8329"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"},
        {"0:0:0:0:0:1:0:0", "::1:0:0"},
        {"1:0:2:0:0:0:0:0", "1:0:2::"},
        {"a0b:c00:100:10:1:f:fffe:1000", "a0b:c00:100:10:1:f:fffe:1000"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"1111:2222:3333:4444:5555:6666:255.255.255.255", "1111:2222:3333:4444:5555:6666:ffff:ffff"},
    };
    static const char *const bad[] = {
        "",
        ":",
        ":::",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        ":1:2::",
        "1:2:",
        "12345::",
        "g::",
        "::1%eth0",
        "fe80::1%1",
        "[::1]",
        "::1 ",
        " ::1",
        "::1/64",
        "::ffff:1.2.3",
        "::1.2.3.256",
        "::01.2.3.4",
        "::1.2.3.4.5",
        "1.2.3.4",
        ":CAFE::BABE",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        "::00001",
    };
    spf_ip_t ip;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(parse(spf_ip_parse_v6, &ip, good[i].text, strlen(good[i].text)));
        assert_int_equal(ip.family, 6);
        assert_string_equal(text_of(&ip, spf_ip_add_text), good[i].canonical);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(parse(spf_ip_parse_v6, &ip, bad[i], strlen(bad[i])));
    assert_false(parse(spf_ip_parse_v6, &ip, "::1\0", 4));
    assert_false(parse(spf_ip_parse_v6, &ip, "\0::1", 4));
}

static void ruling_14_mapped_client_is_ip4(void **state)
{
    static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
    static const uint8_t compatible[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 7};
    static const char *const texts[] = {"::ffff:192.0.2.7", "::FFFF:C000:207", "0:0:0:0:0:ffff:c000:0207"};
    spf_ip_t ip;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(parse(spf_ip_parse_client, &ip, texts[i], strlen(texts[i])));
        assert_int_equal(ip.family, 4);
        assert_string_equal(text_of(&ip, spf_ip_add_text), "192.0.2.7");
    }
    assert_true(spf_ip_from_octets(&ip, mapped, 16));
    assert_int_equal(ip.family, 4);
    assert_memory_equal(ip.octets, mapped + 12, 4);
    assert_int_equal(ip.octets[4], 0);
    assert_true(spf_ip_from_octets(&ip, compatible, 16));
    assert_int_equal(ip.family, 6);
    assert_true(spf_ip_from_octets(&ip, mapped + 12, 4));
    assert_int_equal(ip.family, 4);
    assert_true(parse(spf_ip_parse_client, &ip, "2001:db8::1", 11));
    assert_int_equal(ip.family, 6);
}

static void octets_of_another_length_are_refused(void **state)
{
    static const uint8_t octets[32];
    spf_ip_t ip;
    (void)state;
    for (size_t length = 0; length <= sizeof(octets); length++)
        assert_int_equal(spf_ip_from_octets(&ip, octets, length), length == 4 || length == 16);
}

/* Every prefix length of both families against addresses that differ in exactly one bit. */
static void prefix_is_compared_bit_by_bit(void **state)
{
    static const uint8_t base[16] = {0xc0, 0x00, 0x02, 0x07, 0x5a, 0xa5, 0xff, 0x01,
                                     0x80, 0x7f, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66};
    (void)state;
    for (unsigned bits = 32; bits <= 128; bits += 96) {
        spf_ip_t ip;
        assert_true(spf_ip_from_octets(&ip, base, bits / 8));
        for (unsigned prefix = 0; prefix <= bits; prefix++) {
            assert_true(spf_ip_prefix_equals(&ip, base, prefix));
            for (unsigned bit = 0; bit < bits; bit++) {
                uint8_t other[16];
                memcpy(other, base, sizeof(other));
                other[bit / 8] = (uint8_t)(other[bit / 8] ^ 0x80u >> bit % 8);
                assert_int_equal(spf_ip_prefix_equals(&ip, other, prefix), bit >= prefix);
            }
        }
        assert_true(spf_ip_prefix_equals(&ip, base, UINT32_MAX)); /* no more than there is */
    }
}

static void dotted_and_reverse_names(void **state)
{
    static const struct {
        const char *client, *dotted, *reverse;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7", "7.2.0.192.in-addr.arpa"},
        {"0.10.200.255", "0.10.200.255", "255.200.10.0.in-addr.arpa"},
        {"2001:db8::cb01", "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1",
         "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
    };
    spf_ip_t ip;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(spf_ip_parse_client(&ip, cases[i].client, strlen(cases[i].client)));
        assert_string_equal(text_of(&ip, spf_ip_add_dotted), cases[i].dotted);
        assert_string_equal(text_of(&ip, spf_ip_add_reverse_name), cases[i].reverse);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ruling_14_ip4),
        cmocka_unit_test(ruling_14_ip6),
        cmocka_unit_test(ruling_14_mapped_client_is_ip4),
        cmocka_unit_test(octets_of_another_length_are_refused),
        cmocka_unit_test(prefix_is_compared_bit_by_bit),
        cmocka_unit_test(dotted_and_reverse_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
