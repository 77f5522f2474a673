/* SPDX-License-Identifier: MIT */
/* libunbound as a resolver, against a small DNS server on loopback. */
#include "unit/resolver_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --------------------------------------------------------------------------------------------------- the forwarder */

static void test_outcomes(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        spf_dns_status_t status;
        uint32_t count;
        uint32_t ttl_s;
        const char *detail;
    } cases[] = {
        {"host.example.com", SPF_TYPE_A, SPF_DNS_ANSWER, 1, 600, NULL},
        {"host.example.com", SPF_TYPE_TXT, SPF_DNS_ANSWER, 1, 600, NULL},
        {"nodata.example.com", SPF_TYPE_A, SPF_DNS_ANSWER, 0, 60, NULL},
        {"nx.example.com", SPF_TYPE_TXT, SPF_DNS_NXDOMAIN, 0, 120, NULL},
        {"servfail.example.com", SPF_TYPE_TXT, SPF_DNS_ERROR, 0, 0, "SERVFAIL"},
        {"refused.example.com", SPF_TYPE_TXT, SPF_DNS_ERROR, 0, 0, "SERVFAIL"},
    };
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const spf_answer_t *answer = fixture_ask(fixture, cases[i].name, cases[i].type);
        assert_int_equal(answer->status, cases[i].status);
        assert_int_equal(answer->count, cases[i].count);
        assert_in_range(answer->ttl_s, cases[i].ttl_s ? cases[i].ttl_s - 1 : 0, cases[i].ttl_s);
        assert_int_equal(answer->dnssec, SPF_DNSSEC_INSECURE);
        if (cases[i].detail)
            assert_string_equal(answer->detail, cases[i].detail);
        else
            assert_null(answer->detail);
    }
    assert_int_equal(fixture_answered, sizeof cases / sizeof *cases);
}

/* Names for special use and for private addresses are the forwarder's too. */
static void test_special_names(void **state)
{
    static const char *const names[] = {
        "a.test",
        "a.invalid",
        "a.onion",
        "localhost",
        "a.localhost",
        "a.home.arpa",
        "1.0.0.127.in-addr.arpa",
        "1.0.0.10.in-addr.arpa",
        "1.0.168.192.in-addr.arpa",
        "1.2.0.192.in-addr.arpa",
        "1.1.16.172.in-addr.arpa",
        "1.0.254.169.in-addr.arpa",
        "1.0.64.100.in-addr.arpa",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
    };
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const spf_answer_t *answer = fixture_ask(fixture, names[i], SPF_TYPE_TXT);
        if (answer->status != SPF_DNS_ANSWER || answer->count != 1)
            fail_msg("%s was not forwarded", names[i]);
    }
}

/* libunbound asks again when its own timer on our loop fires. */
static void test_lost_packet(void **state)
{
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    assert_int_equal(fixture_ask(fixture, "lost.example.com", SPF_TYPE_A)->count, 1);
    assert_true(server_questions(&fixture->server) >= 2);
}

static void test_big_text_over_tcp(void **state)
{
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    const spf_answer_t *answer = fixture_ask(fixture, "big.example.com", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->texts[0].length, BIG_TEXT);
}

/* A cached answer is there when start returns. */
static void test_cached_answer_is_immediate(void **state)
{
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    fixture_ask(fixture, "cached.example.com", SPF_TYPE_A);
    spf_query_t *query = fixture_query(fixture, "cached.example.com", SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    assert_int_equal(query->state, SPF_QUERY_ANSWERED);
    assert_memory_equal(query->answer.addresses, "\xC0\0\2\1", 4);
}

static void test_odd_names_arrive_unchanged(void **state)
{
    static const struct {
        const char *name;
        size_t length;
        const char *wire;
        size_t wire_length;
    } cases[] = {
#define CASE(name, wire) {name, sizeof name - 1, wire, sizeof wire}
        CASE("a\0b.example", "\3a\0b\7example"),
        CASE("\\.example", "\1\\\7example"),
        CASE("\\065.example", "\4\\065\7example"),
        CASE("a b\n\t.example", "\5a b\n\t\7example"),
        CASE("\"(;)@$.example", "\6\"(;)@$\7example"),
        CASE("\xFF\x80\x01.example", "\3\xFF\x80\x01\7example"),
        CASE("*.example", "\1*\7example"),
        CASE("_spf.ex-ample", "\4_spf\x08"
                              "ex-ample"),
#undef CASE
    };
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spf_query_t *query = fixture_query_of(fixture, cases[i].name, cases[i].length, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
        assert_int_equal(fixture_wait(fixture, query)->count, 1);
        server_assert_last_name(&fixture->server, cases[i].wire, cases[i].wire_length);
    }
}

/* 63 + 63 + 63 + 61 octets and the dots between: the longest name there is, all of it escaped. */
static void test_longest_name(void **state)
{
    fixture_t *fixture = *state;
    char name[253];
    uint8_t wire[255] = {0};
    memset(name, 0xFE, sizeof name);
    name[63] = name[127] = name[191] = '.';
    memcpy(wire + 1, name, sizeof name);
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    fixture_open_forward(fixture);
    spf_query_t *query = fixture_query_of(fixture, name, sizeof name, SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    assert_int_equal(fixture_wait(fixture, query)->count, 1);
    server_assert_last_name(&fixture->server, wire, sizeof wire);
}

static void test_cancelled_question_is_silent(void **state)
{
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    for (int i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof name, "c%d.example.com", i);
        spf_query_t *query = fixture_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
        query->state = SPF_QUERY_DROPPED;
        fixture->ops->cancel(fixture->resolver, query);
        memset(query, 0x5A, sizeof *query);
    }
    assert_int_equal(fixture_ask(fixture, "last.example.com", SPF_TYPE_A)->count, 1);
    for (int i = 0; i < 50; i++)
        fixture_turn(fixture, 1000);
    assert_int_equal(fixture_answered, 1);
}

static fixture_t *cancelling;
static spf_query_t *called_back[2];

/* Which of the two comes first is libunbound's choice. */
static void on_answered_cancel(spf_query_t *query)
{
    spf_query_t *other = called_back[query == called_back[0]];
    fixture_on_answered(query);
    other->state = SPF_QUERY_DROPPED;
    cancelling->ops->cancel(cancelling->resolver, other);
}

/* Both are in the list that libunbound is calling back. */
static void test_cancel_while_called_back(void **state)
{
    fixture_t *fixture = cancelling = *state;
    fixture_open_forward(fixture);
    for (int i = 0; i < 2; i++) {
        called_back[i] = fixture_query(fixture, "host.example.com", SPF_TYPE_A);
        called_back[i]->answered = on_answered_cancel;
        assert_int_equal(fixture->ops->start(fixture->resolver, called_back[i]), SPF_OK);
    }
    while (called_back[0]->state == SPF_QUERY_ASKED)
        fixture_turn(fixture, -1);
    assert_int_equal(fixture_answered, 1);
    assert_int_equal(fixture_ask(fixture, "last.example.com", SPF_TYPE_A)->count, 1);
}

static void ask_many(fixture_t *fixture, unsigned count)
{
    spf_query_t **queries = calloc(count, sizeof(spf_query_t *));
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "m%u.example.com", i);
        queries[i] = fixture_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, queries[i]), SPF_OK);
    }
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(fixture_wait(fixture, queries[i])->count, 1);
    assert_int_equal(fixture_answered, count);
    free(queries);
}

/* More than there are sockets: libunbound queues them. */
static void test_many_in_flight(void **state)
{
    fixture_open_forward(*state);
    ask_many(*state, 2000);
}

/* Fewer descriptors than sockets are wanted: it uses what there are. */
static void test_few_descriptors(void **state)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    fixture_open_forward(*state);
    ask_many(*state, 300);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* What cannot be asked fails at once, and later questions are asked again. */
static void test_no_descriptor_left(void **state)
{
    fixture_t *fixture = *state;
    struct rlimit before;
    fixture_open_forward(fixture);
    fixture_ask(fixture, "first.example.com", SPF_TYPE_A);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    spf_dns_status_t status = fixture_ask(fixture, "second.example.com", SPF_TYPE_A)->status;
    fixture_t other = {.sockets = 256};
    spf_dns_zone_t zone = {.text = (char *)"", .text_length = 0};
    assert_null(spf_loop_new(NULL, NULL));
    assert_int_equal(errno, EMFILE);
    other.loop = fixture->loop;
    assert_int_equal(fixture_open(&other, SPF_DNS_ZONES_ONLY, &zone, NULL), SPF_ESYSTEM);
    assert_string_equal(other.error, "zones in memory: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, SPF_DNS_ERROR);
    assert_int_equal(fixture_ask(fixture, "third.example.com", SPF_TYPE_A)->count, 1);
}

/* Questions that a name server leaves open hold nothing else up: the next is sent at once, not when libunbound's timers
 * give one of those up. */
static void test_silent_server_blocks_nobody(void **state)
{
    enum { SILENT = 300 };
    fixture_t *fixture = *state;
    fixture->sockets = 1024;
    fixture_open_forward(fixture);
    for (int i = 0; i < SILENT; i++) {
        char name[64];
        snprintf(name, sizeof name, "silent.%d.example.com", i);
        spf_query_t *query = fixture_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    }
    spf_query_t *query = fixture_query(fixture, "host.example.com", SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    while (query->state != SPF_QUERY_ANSWERED) {
        spf_loop_events_t events;
        assert_true(spf_loop_poll(fixture->loop, &events, 20000000));
        assert_true(events.count > 0);
        spf_loop_dispatch(fixture->loop, &events);
    }
    assert_int_equal(query->answer.count, 1);
    assert_int_equal(fixture_answered, 1);
}

static bool has_ipv6_loopback(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return is_bound;
}

static void test_forwarder_on_ipv6(void **state)
{
    fixture_t *fixture = *state;
    if (!has_ipv6_loopback())
        skip();
    server_stop(&fixture->server);
    server_start_at(&fixture->server, "::1", "0");
    fixture_open_forward(fixture);
    assert_int_equal(fixture_ask(fixture, "host.example.com", SPF_TYPE_A)->count, 1);
    assert_int_equal(fixture_ask(fixture, "big.example.com", SPF_TYPE_TXT)->texts[0].length, BIG_TEXT);
}

/* The driver has dropped its queries by then: none may be touched. */
static void test_free_with_questions_open(void **state)
{
    fixture_t *fixture = *state;
    fixture_open_forward(fixture);
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "silent.%d.example.com", i);
        spf_query_t *query = fixture_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    }
    for (int i = 0; i < 5; i++)
        fixture_turn(fixture, 1000);
    fixture_close(fixture);
    assert_int_equal(fixture_answered, 0);
    assert_int_equal(spf_loop_timeout_us(fixture->loop), -1);
}

static void child_of_fork(fixture_t *fixture)
{
    spf_unbound_abandon(fixture->resolver);
    spf_loop_abandon(fixture->loop);
    spf_loop_free(fixture->loop);
    fixture->loop = spf_loop_new(NULL, NULL);
    bool is_open = fixture->loop && fixture_open(fixture, SPF_DNS_FORWARD, NULL, NULL) == SPF_OK;
    bool is_right = is_open && fixture_ask(fixture, "child.example.com", SPF_TYPE_A)->count == 1;
    if (is_open)
        fixture_close(fixture);
    _exit(is_right ? 0 : 1);
}

/* Both sides go on; questions in flight stay the parent's. */
static void test_fork(void **state)
{
    fixture_t *fixture = *state;
    spf_query_t *queries[50];
    int status;
    fixture_open_forward(fixture);
    for (int i = 0; i < 50; i++) {
        char name[64];
        snprintf(name, sizeof name, "f%d.example.com", i);
        queries[i] = fixture_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, queries[i]), SPF_OK);
    }
    pid_t child = fork();
    if (child == 0)
        child_of_fork(fixture);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < 50; i++)
        assert_int_equal(fixture_wait(fixture, queries[i])->count, 1);
    assert_int_equal(status, 0);
    assert_int_equal(fixture_answered, 50);
}

static void *open_and_close(void *argument)
{
    fixture_t fixture = {.sockets = 256};
    memcpy(fixture.server.address, argument, sizeof fixture.server.address);
    for (int i = 0; i < 10; i++) {
        fixture.loop = spf_loop_new(NULL, NULL);
        if (fixture_open(&fixture, SPF_DNS_FORWARD, NULL, NULL) != SPF_OK ||
            !fixture_ask(&fixture, "t.example", SPF_TYPE_A))
            return argument;
        fixture_close(&fixture);
        spf_loop_free(fixture.loop);
    }
    spf_arena_free(&fixture.arena);
    return NULL;
}

static void test_several_contexts_start_at_once(void **state)
{
    fixture_t *fixture = *state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, fixture->server.address), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

/* -------------------------------------------------------------------------------------------------------- settings */

static void test_sources(void **state)
{
    static const spf_dns_source_t sources[] = {SPF_DNS_SYSTEM, SPF_DNS_FORWARD, SPF_DNS_RECURSIVE, SPF_DNS_ZONES_ONLY};
    fixture_t *fixture = *state;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        assert_int_equal(fixture_open(fixture, sources[i], NULL, NULL), SPF_OK);
        assert_string_equal(fixture->error, "");
        fixture_close(fixture);
    }
    strcpy(fixture->server.address, "nowhere");
    assert_int_equal(fixture_open(fixture, SPF_DNS_FORWARD, NULL, NULL), SPF_ERESOLVER);
    assert_non_null(strstr(fixture->error, "the resolver address nowhere"));
}

static void test_broken_settings(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"example.com. TXTT x\n", ":1: \"TXTT\": expected is [TTL] [IN] TYPE"},
        {"\n\na. A 192.0.2.1\na. A 192.0.2.256\n", ":4: \"192.0.2.256\": A takes one IPv4 address"},
        {" TXT x\n", ":1: the first record needs an owner name"},
        {"a. TXT \"x\n", ":1: a quoted string must end"},
        {"a. TXT ( x\n\n", ":3: the file ends inside of ( )"},
    };
    fixture_t *fixture = *state;
    char path[] = "/tmp/spf-test-zone-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spf_dns_zone_t zone = {.path = path};
        char expected[256];
        snprintf(expected, sizeof expected, "%s%s", path, cases[i].error);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, cases[i].text, strlen(cases[i].text), 0), strlen(cases[i].text));
        assert_int_equal(fixture_open(fixture, SPF_DNS_ZONES_ONLY, &zone, NULL), SPF_ECONFIG);
        fixture->error[strlen(expected) < sizeof fixture->error ? strlen(expected) : 0] = '\0';
        assert_string_equal(fixture->error, expected);
    }
    assert_int_equal(fixture_open(fixture, SPF_DNS_FORWARD, NULL, path), SPF_ECONFIG);
    close(fd);
    unlink(path);
    spf_dns_zone_t missing = {.path = path};
    assert_int_equal(fixture_open(fixture, SPF_DNS_FORWARD, &missing, NULL), SPF_ECONFIG);
    assert_non_null(strstr(fixture->error, "No such file"));
    assert_int_equal(fixture_open(fixture, SPF_DNS_FORWARD, NULL, path), SPF_ECONFIG);
    assert_non_null(strstr(fixture->error, "No such file"));
    assert_null(fixture->resolver);
}

/* ---------------------------------------------------------------------------------------------------------- DNSSEC */

static spf_err_t open_with_anchor(fixture_t *fixture, const char *anchor)
{
    char path[] = "/tmp/spf-test-anchor-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, anchor, strlen(anchor)), strlen(anchor));
    close(fd);
    spf_err_t result = fixture_open(fixture, SPF_DNS_FORWARD, NULL, path);
    unlink(path);
    return result;
}

static void open_validating(fixture_t *fixture)
{
    if (open_with_anchor(fixture, server_trust_anchor) != SPF_OK)
        fail_msg("%s", fixture->error);
}

/* What only libunbound finds wrong comes back as a sentence too, and its log stays silent. */
static void test_anchor_that_libunbound_refuses(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(open_with_anchor(fixture, "signed.example. IN DS 45919 13 2 nothing\n"), SPF_ECONFIG);
    assert_non_null(strstr(fixture->error, "/tmp/spf-test-anchor-"));
    assert_non_null(strstr(fixture->error, "allowed are DS or DNSKEY records"));
}

static void test_validated_answer(void **state)
{
    fixture_t *fixture = *state;
    open_validating(fixture);
    const spf_answer_t *answer = fixture_ask(fixture, "good.signed.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_SECURE);
    assert_int_equal(answer->count, 1);
    assert_string_equal(answer->texts[0].data, "v=spf1 -all");
    answer = fixture_ask(fixture, "host.example.com", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_INSECURE);
}

/* What was tampered with reaches nobody. */
static void test_bogus_answer(void **state)
{
    fixture_t *fixture = *state;
    fixture->server.is_tampering = true;
    open_validating(fixture);
    const spf_answer_t *answer = fixture_ask(fixture, "good.signed.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_BOGUS);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_BOGUS);
    assert_int_equal(answer->count, 0);
    assert_null(answer->texts);
    assert_non_null(answer->detail);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_outcomes),
        TEST(test_special_names),
        TEST(test_big_text_over_tcp),
        TEST(test_cached_answer_is_immediate),
        TEST(test_odd_names_arrive_unchanged),
        TEST(test_longest_name),
        TEST(test_cancelled_question_is_silent),
        TEST(test_many_in_flight),
        TEST(test_few_descriptors),
        TEST(test_lost_packet),
        TEST(test_cancel_while_called_back),
        TEST(test_no_descriptor_left),
        TEST(test_silent_server_blocks_nobody),
        TEST(test_forwarder_on_ipv6),
        TEST(test_free_with_questions_open),
        TEST(test_fork),
        TEST(test_several_contexts_start_at_once),
        TEST(test_sources),
        TEST(test_broken_settings),
        TEST(test_anchor_that_libunbound_refuses),
        TEST(test_validated_answer),
        TEST(test_bogus_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
