/* SPDX-License-Identifier: MIT */
/* libunbound as a resolver on zone files, alone and on top of the network. */
#include "unit/resolver_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char zone_text[] = "$TTL 600\n"
                          "example.com. IN TXT \"v=spf1 \" \"mx -all\"\n"
                          "             IN MX 10 mail\n"
                          "             IN SPF \"v=spf1 \" \"ptr\"\n"
                          "mail.example.com. 60 A 192.0.2.25\n"
                          "                     AAAA 2001:db8::25\n"
                          "$ORIGIN example.net.\n"
                          "@ IN SOA ns hostmaster ( 1 2 3 4 5 ) ; ignored\n"
                          "@ IN NS ns.elsewhere.example.\n"
                          "@ 1h TXT \"bin\\000\\255\\\"\\\\\"\n"
                          "a CNAME b\n"
                          "b CNAME c.example.org.\n"
                          "out CNAME host.example.com.\n"
                          "loop1 CNAME loop2\n"
                          "loop2 CNAME loop1\n"
                          "deep.below A 192.0.2.9\n"
                          "*.wild TXT wildcard\n"
                          "srv SRV 0 0 25 mail.example.com.\n"
                          "$ORIGIN example.org.\n"
                          "c TXT end\n"
                          "held TXT \"from the zone\"\n"
                          "nx A 192.0.2.77\n"
                          "7.2.0.192.in-addr.arpa. PTR mail.example.com.\n"
                          "odd\\.label PTR x\\.y.example.com.\n"
                          "what.test. TXT \"special\"\n";

typedef struct zone_case {
    const char *name;
    uint16_t type;
    spf_dns_status_t status;
    uint32_t count;
    const char *data;
    size_t length;
} zone_case_t;

#define TEXT(text) text, sizeof text - 1

static const zone_case_t zone_cases[] = {
    {"example.com", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("v=spf1 mx -all")},
    {"example.com", SPF_TYPE_SPF, SPF_DNS_ANSWER, 1, TEXT("v=spf1 ptr")},
    {"example.com", SPF_TYPE_MX, SPF_DNS_ANSWER, 1, TEXT("mail")},
    {"mail.example.com", SPF_TYPE_A, SPF_DNS_ANSWER, 1, TEXT("\xC0\0\2\x19")},
    {"mail.example.com", SPF_TYPE_AAAA, SPF_DNS_ANSWER, 1, TEXT("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x25")},
    {"example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("bin\0\xFF\"\\")},
    {"a.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("end")},
    {"x.y.wild.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("wildcard")},
    {"7.2.0.192.in-addr.arpa", SPF_TYPE_PTR, SPF_DNS_ANSWER, 1, TEXT("mail.example.com")},
    {"loop1.example.net", SPF_TYPE_TXT, SPF_DNS_ERROR, 0, NULL, 0},
    {"held.example.org", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("from the zone")},
    {"what.test", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("special")},
};

static const zone_case_t alone_cases[] = {
    {"mail.example.com", SPF_TYPE_TXT, SPF_DNS_ANSWER, 0, NULL, 0},
    {"example.net", SPF_TYPE_A, SPF_DNS_ANSWER, 0, NULL, 0},
    {"below.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 0, NULL, 0}, /* an empty non-terminal */
    {"srv.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 0, NULL, 0},
    {"none.example.net", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, NULL, 0},
    {"out.example.net", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, NULL, 0},
    {"elsewhere.example", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, NULL, 0},
    {"none.test", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, NULL, 0},
    {"1.0.0.127.in-addr.arpa", SPF_TYPE_PTR, SPF_DNS_NXDOMAIN, 0, NULL, 0},
};

static const zone_case_t on_top_cases[] = {
    {"mail.example.com", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("net")},
    {"example.net", SPF_TYPE_A, SPF_DNS_ANSWER, 1, TEXT("\xC0\0\2\1")},
    {"none.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("net")},
    {"out.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("net")},
    {"nx.example.net", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, NULL, 0},
    {"nodata.example.net", SPF_TYPE_TXT, SPF_DNS_ANSWER, 0, NULL, 0},
    {"nx.example.org", SPF_TYPE_TXT, SPF_DNS_ANSWER, 0, NULL, 0},              /* the zone has an address of it */
    {"alias.example", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, TEXT("from the zone")}, /* held.example.org */
    {"servfail.example", SPF_TYPE_TXT, SPF_DNS_ERROR, 0, NULL, 0},
};

static void run_zone_cases(fixture_t *fixture, const zone_case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const spf_answer_t *answer = fixture_ask(fixture, cases[i].name, cases[i].type);
        bool is_address = cases[i].type == SPF_TYPE_A || cases[i].type == SPF_TYPE_AAAA;
        if (answer->status != cases[i].status || answer->count != cases[i].count)
            fail_msg("%s %u: status %u, %u records", cases[i].name, cases[i].type, answer->status, answer->count);
        assert_int_equal(answer->dnssec, SPF_DNSSEC_INSECURE);
        if (!answer->count)
            continue;
        if (!is_address)
            assert_int_equal(answer->texts[0].length, cases[i].length);
        assert_memory_equal(is_address ? (const char *)answer->addresses : answer->texts[0].data, cases[i].data,
                            cases[i].length);
    }
}

#define RUN_CASES(fixture, cases) run_zone_cases(fixture, cases, sizeof cases / sizeof *(cases))

static void open_zone_text(fixture_t *fixture, spf_dns_source_t source)
{
    spf_dns_zone_t zone = {.text = zone_text, .text_length = sizeof zone_text - 1};
    if (fixture_open(fixture, source, &zone, NULL) != SPF_OK)
        fail_msg("%s", fixture->error);
}

static void test_zones_alone(void **state)
{
    fixture_t *fixture = *state;
    open_zone_text(fixture, SPF_DNS_ZONES_ONLY);
    RUN_CASES(fixture, zone_cases);
    RUN_CASES(fixture, alone_cases);
    assert_in_range(fixture_ask(fixture, "none.example", SPF_TYPE_TXT)->ttl_s, 290, 300);
    assert_in_range(fixture_ask(fixture, "example.com", SPF_TYPE_TXT)->ttl_s, 590, 600);
    assert_in_range(fixture_ask(fixture, "mail.example.com", SPF_TYPE_A)->ttl_s, 50, 60);
    assert_int_equal(server_questions(&fixture->server), 0);
}

static void test_zones_on_top(void **state)
{
    fixture_t *fixture = *state;
    open_zone_text(fixture, SPF_DNS_FORWARD);
    RUN_CASES(fixture, zone_cases);
    RUN_CASES(fixture, on_top_cases);
    spf_query_t *query = fixture_query(fixture, "silent.example.net", SPF_TYPE_TXT);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    fixture->ops->cancel(fixture->resolver, query);
}

/* The file says that one name is an alias of the other, the network says the opposite. */
static void test_cname_loop_across(void **state)
{
    static char text[] = "held.example.org. CNAME alias.example.";
    fixture_t *fixture = *state;
    spf_dns_zone_t zone = {.text = text, .text_length = sizeof text - 1};
    assert_int_equal(fixture_open(fixture, SPF_DNS_FORWARD, &zone, NULL), SPF_OK);
    const spf_answer_t *answer = fixture_ask(fixture, "alias.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ERROR);
    assert_string_equal(answer->detail, "CNAME loop");
}

/* The network has answered with a CNAME, and the question is about to go back to the zones. */
static void test_cancel_between_contexts(void **state)
{
    fixture_t *fixture = *state;
    open_zone_text(fixture, SPF_DNS_FORWARD);
    spf_query_t *queries[2] = {fixture_query(fixture, "alias.example", SPF_TYPE_TXT),
                               fixture_query(fixture, "alias.example", SPF_TYPE_TXT)};
    assert_int_equal(fixture->ops->start(fixture->resolver, queries[0]), SPF_OK);
    assert_int_equal(fixture->ops->start(fixture->resolver, queries[1]), SPF_OK);
    while (spf_loop_timeout_us(fixture->loop) != 0) {
        spf_loop_events_t events;
        assert_true(spf_loop_poll(fixture->loop, &events, 1000));
        spf_loop_dispatch(fixture->loop, &events);
    }
    fixture->ops->cancel(fixture->resolver, queries[0]);
    queries[0]->state = SPF_QUERY_DROPPED;
    assert_int_equal(fixture_wait(fixture, queries[1])->count, 1);
    assert_int_equal(fixture_answered, 1);
}

static void test_no_zone_at_all(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(fixture_open(fixture, SPF_DNS_ZONES_ONLY, NULL, NULL), SPF_OK);
    assert_int_equal(fixture_ask(fixture, "example.com", SPF_TYPE_TXT)->status, SPF_DNS_NXDOMAIN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_zones_alone),       TEST(test_zones_on_top),
        TEST(test_cname_loop_across), TEST(test_cancel_between_contexts),
        TEST(test_no_zone_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
