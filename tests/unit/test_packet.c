/* SPDX-License-Identifier: MIT */
/* DNS messages, made by hand, read as answers. */
#include "dns/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 70000, AN = 6, NS = 8, QUESTION_NAME = 0xC00C };

typedef struct message {
    uint8_t *octets;
    size_t length;
} message_t;

static spf_arena_t arena;
static unsigned answered;

static int set_up(void **state)
{
    message_t *message = calloc(1, sizeof *message);
    message->octets = calloc(1, ROOM);
    *state = message;
    return 0;
}

static int tear_down(void **state)
{
    message_t *message = *state;
    free(message->octets);
    free(message);
    spf_arena_free(&arena);
    return 0;
}

/* -------------------------------------------------------------------------------------------------- making messages */

static void put(message_t *message, const void *octets, size_t length)
{
    assert_true(message->length + length <= ROOM);
    memcpy(message->octets + message->length, octets, length);
    message->length += length;
}

static void put16(message_t *message, unsigned value)
{
    put(message, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put32(message_t *message, uint32_t value)
{
    put16(message, value >> 16);
    put16(message, value & 0xFFFF);
}

/* "a.b" in wire format; a full stop is written as \1 in a label that has one. */
static void put_name(message_t *message, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        put(message, (uint8_t[]){(uint8_t)length}, 1);
        for (size_t i = 0; i < length; i++)
            put(message, name[i] == '\1' ? "." : &name[i], 1);
        name += length + (name[length] == '.');
    }
    put(message, "", 1);
}

/* The question is for example.com: a record can own it by QUESTION_NAME. */
static void begin(message_t *message, unsigned flags, uint16_t type)
{
    message->length = 0;
    memset(message->octets, 0, ROOM);
    put16(message, 0);
    put16(message, flags);
    put16(message, 1);
    put(message, "\0\0\0\0\0\0", 6);
    put_name(message, "example.com");
    put16(message, type);
    put16(message, 1);
}

static void begin_rdata(message_t *message, unsigned section, const char *owner, uint16_t type, uint32_t ttl_s)
{
    message->octets[section + 1]++;
    if (message->octets[section + 1] == 0)
        message->octets[section]++;
    if (owner)
        put_name(message, owner);
    else
        put16(message, QUESTION_NAME);
    put16(message, type);
    put16(message, 1);
    put32(message, ttl_s);
    put16(message, 0);
}

static void end_rdata(message_t *message, size_t start)
{
    size_t length = message->length - start;
    message->octets[start - 2] = (uint8_t)(length >> 8);
    message->octets[start - 1] = (uint8_t)length;
}

static void add(message_t *message, const char *owner, uint16_t type, uint32_t ttl_s, const void *rdata, size_t length)
{
    begin_rdata(message, AN, owner, type, ttl_s);
    size_t start = message->length;
    put(message, rdata, length);
    end_rdata(message, start);
}

static void add_alias(message_t *message, const char *owner, const char *target, uint32_t ttl_s)
{
    begin_rdata(message, AN, owner, ns_t_cname, ttl_s);
    size_t start = message->length;
    put_name(message, target);
    end_rdata(message, start);
}

static void add_host(message_t *message, const char *owner, const char *target)
{
    begin_rdata(message, AN, owner, SPF_TYPE_PTR, 100);
    size_t start = message->length;
    put_name(message, target);
    end_rdata(message, start);
}

static void add_soa(message_t *message, uint32_t ttl_s, uint32_t minimum_s)
{
    begin_rdata(message, NS, NULL, ns_t_soa, ttl_s);
    size_t start = message->length;
    put_name(message, "ns");
    put_name(message, "mailbox");
    put(message, "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 16);
    put32(message, minimum_s);
    end_rdata(message, start);
}

/* -------------------------------------------------------------------------------------------------- reading answers */

static void on_answered(spf_query_t *query)
{
    (void)query;
    answered++;
}

/* The message stands at the end of an allocation of its size, so that a checker sees every octet read past it. */
static spf_answer_t read_answer_secured(const message_t *message, uint16_t type, spf_dnssec_t dnssec)
{
    spf_query_t query = {.name = "example.com",
                         .name_length = 11,
                         .type = type,
                         .state = SPF_QUERY_ASKED,
                         .arena = &arena,
                         .answered = on_answered};
    uint8_t *exact = malloc(message->length ? message->length : 1);
    memcpy(exact, message->octets, message->length);
    answered = 0;
    errno = 77;
    spf_query_answer_packet(&query, exact, message->length, dnssec);
    assert_int_equal(errno, 77);
    free(exact);
    assert_int_equal(answered, 1);
    assert_int_equal(query.state, SPF_QUERY_ANSWERED);
    assert_false(query.is_out_of_memory);
    return query.answer;
}

static spf_answer_t read_answer(const message_t *message, uint16_t type)
{
    return read_answer_secured(message, type, SPF_DNSSEC_INSECURE);
}

static void assert_error(const message_t *message, uint16_t type, const char *detail)
{
    spf_answer_t answer = read_answer(message, type);
    assert_int_equal(answer.status, SPF_DNS_ERROR);
    assert_int_equal(answer.count, 0);
    assert_string_equal(answer.detail, detail);
}

static void assert_text(const spf_text_t *text, const void *octets, size_t length)
{
    assert_int_equal(text->length, length);
    assert_memory_equal(text->data, octets, length);
    assert_int_equal(text->data[length], '\0');
}

#define OCTETS(text) text, sizeof text - 1

/* ------------------------------------------------------------------------------------------------------------ tests */

static void test_addresses(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add(message, NULL, SPF_TYPE_A, 300, OCTETS("\1\2\3\4"));
    add(message, NULL, ns_t_rrsig, 5, OCTETS("whatever"));
    add(message, "EXAMPLE.com", SPF_TYPE_A, 200, OCTETS("\5\6\7\x08"));
    add(message, "other.com", SPF_TYPE_A, 1, OCTETS("\0\0\0\0"));
    add(message, NULL, SPF_TYPE_AAAA, 1, OCTETS("0123456789abcdef"));
    spf_answer_t answer = read_answer(message, SPF_TYPE_A);
    assert_int_equal(answer.status, SPF_DNS_ANSWER);
    assert_int_equal(answer.count, 2);
    assert_memory_equal(answer.addresses, "\1\2\3\4\5\6\7\x08", 8);
    assert_int_equal(answer.ttl_s, 200);
    begin(message, 0x8180, SPF_TYPE_AAAA);
    add(message, NULL, SPF_TYPE_AAAA, 1, OCTETS("0123456789abcdef"));
    answer = read_answer_secured(message, SPF_TYPE_AAAA, SPF_DNSSEC_SECURE);
    assert_int_equal(answer.dnssec, SPF_DNSSEC_SECURE);
    assert_memory_equal(answer.addresses, "0123456789abcdef", 16);
}

static void assert_texts(message_t *message, uint16_t type)
{
    begin(message, 0x8180, type);
    add(message, NULL, type, 60, OCTETS("\4v=sp\0\2f1"));
    add(message, NULL, type, 60, OCTETS("\5a\0\xFF\"\\"));
    add(message, NULL, type, 60, OCTETS("\5a\0\xFF\"\\"));
    add(message, NULL, type, 60, OCTETS("\0"));
    spf_answer_t answer = read_answer(message, type);
    assert_int_equal(answer.count, 4);
    assert_text(&answer.texts[0], OCTETS("v=spf1"));
    assert_text(&answer.texts[1], OCTETS("a\0\xFF\"\\"));
    assert_text(&answer.texts[2], OCTETS("a\0\xFF\"\\"));
    assert_text(&answer.texts[3], OCTETS(""));
}

static void test_texts(void **state)
{
    assert_texts(*state, SPF_TYPE_TXT);
    assert_texts(*state, SPF_TYPE_SPF);
}

static void test_text_of_64_kilobytes(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_TXT);
    static uint8_t rdata[254 * 256];
    memset(rdata, 'y', sizeof rdata);
    for (size_t at = 0; at < sizeof rdata; at += 256)
        rdata[at] = 255;
    add(message, NULL, SPF_TYPE_TXT, 60, rdata, sizeof rdata);
    spf_answer_t answer = read_answer(message, SPF_TYPE_TXT);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.texts[0].length, 254 * 255);
}

static void test_hosts(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_MX);
    add(message, NULL, SPF_TYPE_MX, 60, OCTETS("\0\x0A\4mail\xC0\x0C"));
    add(message, NULL, SPF_TYPE_MX, 60, OCTETS("\0\0\0"));
    add(message, NULL, SPF_TYPE_MX, 60, OCTETS("\0\1\3a\0b\1Z\0"));
    spf_answer_t answer = read_answer(message, SPF_TYPE_MX);
    assert_int_equal(answer.count, 3);
    assert_text(&answer.texts[0], OCTETS("mail.example.com"));
    assert_text(&answer.texts[1], OCTETS(""));
    assert_text(&answer.texts[2], OCTETS("a\0b.Z"));
}

/* A label with a dot in it has no form of its own: it is counted, and can be no DNS name. */
static void test_dot_within_a_label(void **state)
{
    static const char *const hosts[] = {"a\1b.example.com", "\1.example.com", "mail.example\1", "\1"};
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_PTR);
    for (size_t i = 0; i < 4; i++)
        add_host(message, NULL, hosts[i]);
    spf_answer_t answer = read_answer(message, SPF_TYPE_PTR);
    assert_int_equal(answer.count, 4);
    for (size_t i = 0; i < 4; i++) {
        spf_name_t name;
        assert_false(spf_name_from_text(&name, answer.texts[i].data, answer.texts[i].length));
    }
}

static void test_dot_within_an_owner(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add(message, "example\1com", SPF_TYPE_A, 60, OCTETS("\1\1\1\1"));
    add_alias(message, NULL, "x\1y.com", 60);
    add(message, "x.y.com", SPF_TYPE_A, 60, OCTETS("\2\2\2\2"));
    add(message, "x\1y.com", SPF_TYPE_A, 60, OCTETS("\3\3\3\3"));
    spf_answer_t answer = read_answer(message, SPF_TYPE_A);
    assert_int_equal(answer.count, 1);
    assert_memory_equal(answer.addresses, "\3\3\3\3", 4);
}

/* In any order, and with the lowest TTL of all. */
static void test_cname_chain(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add(message, "c.example", SPF_TYPE_A, 100, OCTETS("\1\2\3\4"));
    add_alias(message, "b.example", "C.example", 30);
    add(message, NULL, SPF_TYPE_A, 1, OCTETS("\x09\x09\x09\x09"));
    add_alias(message, NULL, "b.EXAMPLE", 40);
    add_alias(message, NULL, "b.example", 50);
    add_alias(message, "unrelated.example", "nowhere.example", 1);
    spf_answer_t answer = read_answer(message, SPF_TYPE_A);
    assert_int_equal(answer.count, 1);
    assert_memory_equal(answer.addresses, "\1\2\3\4", 4);
    assert_int_equal(answer.ttl_s, 30);
}

static void test_cname_to_nothing(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add_alias(message, NULL, "b.example", 40);
    add_soa(message, 500, 600);
    spf_answer_t answer = read_answer(message, SPF_TYPE_A);
    assert_true(spf_answer_is_void(&answer));
    assert_int_equal(answer.status, SPF_DNS_ANSWER);
    assert_int_equal(answer.ttl_s, 40);
    message->octets[3] |= ns_r_nxdomain;
    answer = read_answer(message, SPF_TYPE_A);
    assert_int_equal(answer.status, SPF_DNS_NXDOMAIN);
    assert_int_equal(answer.ttl_s, 40);
}

static void test_cname_trouble(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add_alias(message, NULL, "b.example", 40);
    add_alias(message, "b.example", "Example.COM", 40);
    assert_error(message, SPF_TYPE_A, "CNAME loop");
    begin(message, 0x8180, SPF_TYPE_A);
    add_alias(message, NULL, "example.com", 40);
    assert_error(message, SPF_TYPE_A, "CNAME loop");
    begin(message, 0x8180, SPF_TYPE_A);
    add_alias(message, NULL, "b.example", 40);
    add_alias(message, NULL, "c.example", 40);
    assert_error(message, SPF_TYPE_A, "several CNAMEs at one name");
    begin(message, 0x8180, SPF_TYPE_A);
    for (int i = 0; i < 17; i++) {
        char owner[3] = {(char)('a' + i), '\0'};
        add_alias(message, owner, "x", 40);
    }
    assert_error(message, SPF_TYPE_A, "too many CNAMEs");
}

static void test_negative_ttl(void **state)
{
    static const struct {
        uint32_t ttl_s, minimum_s, expected_s;
    } cases[] = {{900, 120, 120}, {60, 3600, 60}, {0x80000001, 5, 0}, {5, 0, 0}};
    message_t *message = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(message, 0x8183, SPF_TYPE_TXT);
        add_soa(message, cases[i].ttl_s, cases[i].minimum_s);
        spf_answer_t answer = read_answer(message, SPF_TYPE_TXT);
        assert_int_equal(answer.status, SPF_DNS_NXDOMAIN);
        assert_int_equal(answer.ttl_s, cases[i].expected_s);
    }
    begin(message, 0x8180, SPF_TYPE_TXT);
    spf_answer_t answer = read_answer(message, SPF_TYPE_TXT);
    assert_int_equal(answer.status, SPF_DNS_ANSWER);
    assert_int_equal(answer.ttl_s, 0);
}

static void test_header(void **state)
{
    static const struct {
        unsigned flags;
        const char *detail;
    } cases[] = {
        {0x8182, "SERVFAIL"},
        {0x8185, "REFUSED"},
        {0x8181, "FORMERR"},
        {0x8184, "NOTIMP"},
        {0x818F, "unknown response code"},
        {0x8380, "truncated answer"},
        {0x0180, "malformed answer"},
    };
    message_t *message = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(message, cases[i].flags, SPF_TYPE_A);
        assert_error(message, SPF_TYPE_A, cases[i].detail);
    }
    begin(message, 0x8180, SPF_TYPE_TXT);
    assert_error(message, SPF_TYPE_A, "answer to another question");
    begin(message, 0x8180, SPF_TYPE_A);
    message->octets[13] = 'x';
    assert_error(message, SPF_TYPE_A, "answer to another question");
}

static void test_malformed_data(void **state)
{
    static const struct {
        uint16_t type;
        const char *rdata;
        size_t length;
    } cases[] = {
        {SPF_TYPE_A, OCTETS("\1\2\3")},      {SPF_TYPE_A, OCTETS("\1\2\3\4\5")},
        {SPF_TYPE_AAAA, OCTETS("\1\2\3\4")}, {SPF_TYPE_TXT, OCTETS("\5abcd")},
        {SPF_TYPE_TXT, OCTETS("\1a\xFF")},   {SPF_TYPE_MX, OCTETS("\0")},
        {SPF_TYPE_MX, OCTETS("\0\1")},       {SPF_TYPE_MX, OCTETS("\0\1\4mail\0x")},
        {SPF_TYPE_PTR, OCTETS("\4mail")},    {SPF_TYPE_PTR, OCTETS("\xC0\x29")}, /* to itself */
        {SPF_TYPE_PTR, OCTETS("\xFF\xFF")},  {SPF_TYPE_PTR, OCTETS("")},
    };
    message_t *message = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(message, 0x8180, cases[i].type);
        add(message, NULL, cases[i].type, 60, cases[i].rdata, cases[i].length);
        assert_error(message, cases[i].type, "malformed answer");
    }
    begin(message, 0x8180, SPF_TYPE_A);
    add(message, NULL, ns_t_cname, 60, OCTETS("\1a"));
    assert_error(message, SPF_TYPE_A, "malformed answer");
}

/* Cut anywhere, or with a wrong count, it is an error; nothing past the end is read. */
static void test_cut_and_lying(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_MX);
    add_alias(message, NULL, "b.example", 40);
    add(message, "b.example", SPF_TYPE_MX, 60, OCTETS("\0\x0A\4mail\xC0\x0C"));
    add_soa(message, 1, 1);
    size_t length = message->length;
    assert_int_equal(read_answer(message, SPF_TYPE_MX).count, 1);
    for (message->length = 0; message->length < length; message->length++)
        assert_error(message, SPF_TYPE_MX, "malformed answer");
    for (unsigned at = 4; at < 12; at++) {
        uint8_t count = message->octets[at];
        message->octets[at] = (uint8_t)(count + 1);
        assert_int_equal(read_answer(message, SPF_TYPE_MX).status, SPF_DNS_ERROR);
        message->octets[at] = 0xFF;
        assert_int_equal(read_answer(message, SPF_TYPE_MX).status, SPF_DNS_ERROR);
        message->octets[at] = count;
    }
    assert_int_equal(read_answer(message, SPF_TYPE_MX).count, 1);
}

/* Every octet changed to several values: whatever comes out, nothing breaks. */
static void test_damaged(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF};
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_TXT);
    add_alias(message, NULL, "b.example", 40);
    add(message, "b.example", SPF_TYPE_TXT, 60, OCTETS("\4abcd\3xyz"));
    add_soa(message, 1, 1);
    for (size_t at = 0; at < message->length; at++) {
        uint8_t before = message->octets[at];
        for (size_t i = 0; i < sizeof values; i++) {
            message->octets[at] = values[i];
            spf_answer_t answer = read_answer(message, SPF_TYPE_TXT);
            assert_true(answer.count <= 1);
        }
        message->octets[at] = before;
    }
}

static void test_bogus_data_is_not_looked_at(void **state)
{
    message_t *message = *state;
    begin(message, 0x8180, SPF_TYPE_A);
    add(message, NULL, SPF_TYPE_A, 300, OCTETS("\1\2\3\4"));
    spf_answer_t answer = read_answer_secured(message, SPF_TYPE_A, SPF_DNSSEC_BOGUS);
    assert_int_equal(answer.status, SPF_DNS_BOGUS);
    assert_int_equal(answer.dnssec, SPF_DNSSEC_BOGUS);
    assert_int_equal(answer.count, 0);
}

/* The longest name there is, of octets that presentation format would escape. */
static void test_longest_name(void **state)
{
    message_t *message = *state;
    char name[254];
    memset(name, 0xFE, sizeof name);
    name[63] = name[127] = name[191] = '.';
    name[253] = '\0';
    begin(message, 0x8180, SPF_TYPE_PTR);
    add_alias(message, NULL, name, 60);
    add_host(message, name, name);
    spf_answer_t answer = read_answer(message, SPF_TYPE_PTR);
    assert_int_equal(answer.count, 1);
    assert_text(&answer.texts[0], name, 253);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_addresses),
        TEST(test_texts),
        TEST(test_text_of_64_kilobytes),
        TEST(test_hosts),
        TEST(test_dot_within_a_label),
        TEST(test_dot_within_an_owner),
        TEST(test_cname_chain),
        TEST(test_cname_to_nothing),
        TEST(test_cname_trouble),
        TEST(test_negative_ttl),
        TEST(test_header),
        TEST(test_malformed_data),
        TEST(test_cut_and_lying),
        TEST(test_damaged),
        TEST(test_bogus_data_is_not_looked_at),
        TEST(test_longest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
