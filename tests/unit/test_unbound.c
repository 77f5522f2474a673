/* SPDX-License-Identifier: MIT */
/* libunbound as a resolver: against a small DNS server on loopback, on zone files, and on both. */
#include "dns/unbound.h"

#include "core/query.h"
#include "unit/loopback_server.h"

#include <fcntl.h>
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

/* ---------------------------------------------------------------------------------------------------- the resolver */

typedef struct fixture {
    server_t server;
    spf_loop_t *loop;
    const spf_resolver_ops_t *ops;
    void *resolver;
    spf_arena_t arena;
    unsigned sockets;
    char error[512];
    int old_stderr;
    int stderr_pipe[2];
} fixture_t;

static _Atomic unsigned answered_count;

static void on_answered(spf_query_t *query)
{
    (void)query;
    answered_count++;
}

static spf_err_t fixture_open(fixture_t *fixture, spf_dns_source_t source, spf_dns_zone_t *zones, char *anchor)
{
    char *forwarders[] = {fixture->server.address, NULL};
    spf_dns_settings_t settings = {.source = source,
                                   .forwarders = forwarders,
                                   .zones = zones,
                                   .trust_anchor = anchor,
                                   .cache_bytes = 6 << 20,
                                   .outgoing_sockets = fixture->sockets};
    spf_buf_t error;
    spf_buf_init(&error, fixture->error, sizeof fixture->error);
    return spf_unbound_new(&fixture->ops, &fixture->resolver, fixture->loop, &settings, &error);
}

static void fixture_close(fixture_t *fixture)
{
    if (fixture->resolver)
        fixture->ops->free(fixture->resolver);
    fixture->resolver = NULL;
}

/* Everything that goes to standard error meanwhile ends in a pipe: it must be nothing. */
static int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    server_start(&fixture->server);
    fixture->sockets = 256;
    fixture->loop = spf_loop_new(NULL, NULL);
    assert_non_null(fixture->loop);
    assert_int_equal(pipe2(fixture->stderr_pipe, O_CLOEXEC | O_NONBLOCK), 0);
    fflush(stderr);
    fixture->old_stderr = dup(STDERR_FILENO);
    dup2(fixture->stderr_pipe[1], STDERR_FILENO);
    answered_count = 0;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    char printed[256] = "";
    fixture_close(fixture);
    spf_loop_free(fixture->loop);
    server_stop(&fixture->server);
    spf_arena_free(&fixture->arena);
    fflush(stderr);
    dup2(fixture->old_stderr, STDERR_FILENO);
    close(fixture->old_stderr);
    close(fixture->stderr_pipe[1]);
    ssize_t length = read(fixture->stderr_pipe[0], printed, sizeof printed - 1);
    close(fixture->stderr_pipe[0]);
    free(fixture);
    if (length > 0)
        fprintf(stderr, "on standard error: %s\n", printed);
    return length > 0;
}

static spf_query_t *make_query_of(fixture_t *fixture, const char *name, size_t length, uint16_t type)
{
    spf_query_t *query = spf_arena_calloc(&fixture->arena, sizeof *query);
    query->name = spf_arena_copy(&fixture->arena, name, length);
    query->name_length = (uint8_t)length;
    query->type = type;
    query->state = SPF_QUERY_ASKED;
    query->arena = &fixture->arena;
    query->answered = on_answered;
    return query;
}

static spf_query_t *make_query(fixture_t *fixture, const char *name, uint16_t type)
{
    return make_query_of(fixture, name, strlen(name), type);
}

static void turn(fixture_t *fixture, int64_t timeout_us)
{
    spf_loop_events_t events;
    spf_loop_arm(fixture->loop);
    assert_true(spf_loop_poll(fixture->loop, &events, timeout_us));
    spf_loop_dispatch(fixture->loop, &events);
    spf_loop_run_timers(fixture->loop, false);
}

static const spf_answer_t *wait_for(fixture_t *fixture, const spf_query_t *query)
{
    while (query->state != SPF_QUERY_ANSWERED)
        turn(fixture, -1);
    assert_false(query->is_out_of_memory);
    return &query->answer;
}

static const spf_answer_t *ask(fixture_t *fixture, const char *name, uint16_t type)
{
    spf_query_t *query = make_query(fixture, name, type);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    return wait_for(fixture, query);
}

static void open_forward(fixture_t *fixture)
{
    if (fixture_open(fixture, SPF_DNS_FORWARD, NULL, NULL) != SPF_OK)
        fail_msg("%s", fixture->error);
}

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
    open_forward(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const spf_answer_t *answer = ask(fixture, cases[i].name, cases[i].type);
        assert_int_equal(answer->status, cases[i].status);
        assert_int_equal(answer->count, cases[i].count);
        assert_in_range(answer->ttl_s, cases[i].ttl_s ? cases[i].ttl_s - 1 : 0, cases[i].ttl_s);
        assert_int_equal(answer->dnssec, SPF_DNSSEC_INSECURE);
        if (cases[i].detail)
            assert_string_equal(answer->detail, cases[i].detail);
        else
            assert_null(answer->detail);
    }
    assert_int_equal(answered_count, sizeof cases / sizeof *cases);
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
    open_forward(fixture);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const spf_answer_t *answer = ask(fixture, names[i], SPF_TYPE_TXT);
        if (answer->status != SPF_DNS_ANSWER || answer->count != 1)
            fail_msg("%s was not forwarded", names[i]);
    }
}

/* libunbound asks again when its own timer on our loop fires. */
static void test_lost_packet(void **state)
{
    fixture_t *fixture = *state;
    open_forward(fixture);
    assert_int_equal(ask(fixture, "lost.example.com", SPF_TYPE_A)->count, 1);
    assert_true(server_questions(&fixture->server) >= 2);
}

static void test_big_text_over_tcp(void **state)
{
    fixture_t *fixture = *state;
    open_forward(fixture);
    const spf_answer_t *answer = ask(fixture, "big.example.com", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->texts[0].length, BIG_TEXT);
}

/* A cached answer is there when start returns. */
static void test_cached_answer_is_immediate(void **state)
{
    fixture_t *fixture = *state;
    open_forward(fixture);
    ask(fixture, "cached.example.com", SPF_TYPE_A);
    spf_query_t *query = make_query(fixture, "cached.example.com", SPF_TYPE_A);
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
    open_forward(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spf_query_t *query = make_query_of(fixture, cases[i].name, cases[i].length, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
        assert_int_equal(wait_for(fixture, query)->count, 1);
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
    open_forward(fixture);
    spf_query_t *query = make_query_of(fixture, name, sizeof name, SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    assert_int_equal(wait_for(fixture, query)->count, 1);
    server_assert_last_name(&fixture->server, wire, sizeof wire);
}

static void test_cancelled_question_is_silent(void **state)
{
    fixture_t *fixture = *state;
    open_forward(fixture);
    for (int i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof name, "c%d.example.com", i);
        spf_query_t *query = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
        query->state = SPF_QUERY_DROPPED;
        fixture->ops->cancel(fixture->resolver, query);
        memset(query, 0x5A, sizeof *query);
    }
    assert_int_equal(ask(fixture, "last.example.com", SPF_TYPE_A)->count, 1);
    for (int i = 0; i < 50; i++)
        turn(fixture, 1000);
    assert_int_equal(answered_count, 1);
}

static void ask_many(fixture_t *fixture, unsigned count)
{
    spf_query_t **queries = calloc(count, sizeof(spf_query_t *));
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "m%u.example.com", i);
        queries[i] = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, queries[i]), SPF_OK);
    }
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(wait_for(fixture, queries[i])->count, 1);
    assert_int_equal(answered_count, count);
    free(queries);
}

/* More than there are sockets: libunbound queues them. */
static void test_many_in_flight(void **state)
{
    open_forward(*state);
    ask_many(*state, 2000);
}

/* Fewer descriptors than sockets are wanted: it uses what there are. */
static void test_few_descriptors(void **state)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    open_forward(*state);
    ask_many(*state, 300);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Questions that a name server leaves open hold nothing else up: the next is sent at once, not when libunbound's timers
 * give one of those up. */
static void test_silent_server_blocks_nobody(void **state)
{
    enum { SILENT = 300 };
    fixture_t *fixture = *state;
    fixture->sockets = 1024;
    open_forward(fixture);
    for (int i = 0; i < SILENT; i++) {
        char name[64];
        snprintf(name, sizeof name, "silent.%d.example.com", i);
        spf_query_t *query = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    }
    spf_query_t *query = make_query(fixture, "host.example.com", SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    while (query->state != SPF_QUERY_ANSWERED) {
        spf_loop_events_t events;
        assert_true(spf_loop_poll(fixture->loop, &events, 20000000));
        assert_true(events.count > 0);
        spf_loop_dispatch(fixture->loop, &events);
    }
    assert_int_equal(query->answer.count, 1);
    assert_int_equal(answered_count, 1);
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
    open_forward(fixture);
    assert_int_equal(ask(fixture, "host.example.com", SPF_TYPE_A)->count, 1);
    assert_int_equal(ask(fixture, "big.example.com", SPF_TYPE_TXT)->texts[0].length, BIG_TEXT);
}

/* The driver has dropped its queries by then: none may be touched. */
static void test_free_with_questions_open(void **state)
{
    fixture_t *fixture = *state;
    open_forward(fixture);
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "silent.%d.example.com", i);
        spf_query_t *query = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    }
    for (int i = 0; i < 5; i++)
        turn(fixture, 1000);
    fixture_close(fixture);
    assert_int_equal(answered_count, 0);
    assert_int_equal(spf_loop_timeout_us(fixture->loop), -1);
}

static void child_of_fork(fixture_t *fixture)
{
    spf_unbound_abandon(fixture->resolver);
    spf_loop_abandon(fixture->loop);
    spf_loop_free(fixture->loop);
    fixture->loop = spf_loop_new(NULL, NULL);
    bool is_open = fixture->loop && fixture_open(fixture, SPF_DNS_FORWARD, NULL, NULL) == SPF_OK;
    bool is_right = is_open && ask(fixture, "child.example.com", SPF_TYPE_A)->count == 1;
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
    open_forward(fixture);
    for (int i = 0; i < 50; i++) {
        char name[64];
        snprintf(name, sizeof name, "f%d.example.com", i);
        queries[i] = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, queries[i]), SPF_OK);
    }
    pid_t child = fork();
    if (child == 0)
        child_of_fork(fixture);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < 50; i++)
        assert_int_equal(wait_for(fixture, queries[i])->count, 1);
    assert_int_equal(status, 0);
    assert_int_equal(answered_count, 50);
}

static void *open_and_close(void *argument)
{
    fixture_t fixture = {.sockets = 256};
    memcpy(fixture.server.address, argument, sizeof fixture.server.address);
    for (int i = 0; i < 10; i++) {
        fixture.loop = spf_loop_new(NULL, NULL);
        if (fixture_open(&fixture, SPF_DNS_FORWARD, NULL, NULL) != SPF_OK || !ask(&fixture, "t.example", SPF_TYPE_A))
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

/* ----------------------------------------------------------------------------------------------------------- zones */

static char zone_text[] = "$TTL 600\n"
                          "example.com. IN TXT \"v=spf1 \" \"mx -all\"\n"
                          "             IN MX 10 mail\n"
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
        const spf_answer_t *answer = ask(fixture, cases[i].name, cases[i].type);
        bool is_address = cases[i].type == SPF_TYPE_A || cases[i].type == SPF_TYPE_AAAA;
        if (answer->status != cases[i].status || answer->count != cases[i].count)
            fail_msg("%s %u: status %u, %u records", cases[i].name, cases[i].type, answer->status, answer->count);
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
    assert_in_range(ask(fixture, "none.example", SPF_TYPE_TXT)->ttl_s, 290, 300);
    assert_in_range(ask(fixture, "example.com", SPF_TYPE_TXT)->ttl_s, 590, 600);
    assert_in_range(ask(fixture, "mail.example.com", SPF_TYPE_A)->ttl_s, 50, 60);
    assert_int_equal(server_questions(&fixture->server), 0);
}

static void test_zones_on_top(void **state)
{
    fixture_t *fixture = *state;
    open_zone_text(fixture, SPF_DNS_FORWARD);
    RUN_CASES(fixture, zone_cases);
    RUN_CASES(fixture, on_top_cases);
    spf_query_t *query = make_query(fixture, "silent.example.net", SPF_TYPE_TXT);
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
    const spf_answer_t *answer = ask(fixture, "alias.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ERROR);
    assert_string_equal(answer->detail, "CNAME loop");
}

/* The network has answered with a CNAME, and the question is about to go back to the zones. */
static void test_cancel_between_contexts(void **state)
{
    fixture_t *fixture = *state;
    open_zone_text(fixture, SPF_DNS_FORWARD);
    spf_query_t *queries[2] = {make_query(fixture, "alias.example", SPF_TYPE_TXT),
                               make_query(fixture, "alias.example", SPF_TYPE_TXT)};
    assert_int_equal(fixture->ops->start(fixture->resolver, queries[0]), SPF_OK);
    assert_int_equal(fixture->ops->start(fixture->resolver, queries[1]), SPF_OK);
    while (spf_loop_timeout_us(fixture->loop) != 0) {
        spf_loop_events_t events;
        assert_true(spf_loop_poll(fixture->loop, &events, 1000));
        spf_loop_dispatch(fixture->loop, &events);
    }
    fixture->ops->cancel(fixture->resolver, queries[0]);
    queries[0]->state = SPF_QUERY_DROPPED;
    assert_int_equal(wait_for(fixture, queries[1])->count, 1);
    assert_int_equal(answered_count, 1);
}

static void test_no_zone_at_all(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(fixture_open(fixture, SPF_DNS_ZONES_ONLY, NULL, NULL), SPF_OK);
    assert_int_equal(ask(fixture, "example.com", SPF_TYPE_TXT)->status, SPF_DNS_NXDOMAIN);
}

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
    const spf_answer_t *answer = ask(fixture, "good.signed.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_SECURE);
    assert_int_equal(answer->count, 1);
    assert_string_equal(answer->texts[0].data, "v=spf1 -all");
    answer = ask(fixture, "host.example.com", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_ANSWER);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_INSECURE);
}

/* What was tampered with reaches nobody. */
static void test_bogus_answer(void **state)
{
    fixture_t *fixture = *state;
    fixture->server.is_tampering = true;
    open_validating(fixture);
    const spf_answer_t *answer = ask(fixture, "good.signed.example", SPF_TYPE_TXT);
    assert_int_equal(answer->status, SPF_DNS_BOGUS);
    assert_int_equal(answer->dnssec, SPF_DNSSEC_BOGUS);
    assert_int_equal(answer->count, 0);
    assert_null(answer->texts);
    assert_non_null(answer->detail);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
        TEST(test_silent_server_blocks_nobody),
        TEST(test_forwarder_on_ipv6),
        TEST(test_free_with_questions_open),
        TEST(test_fork),
        TEST(test_several_contexts_start_at_once),
        TEST(test_zones_alone),
        TEST(test_zones_on_top),
        TEST(test_cname_loop_across),
        TEST(test_cancel_between_contexts),
        TEST(test_no_zone_at_all),
        TEST(test_sources),
        TEST(test_broken_settings),
        TEST(test_anchor_that_libunbound_refuses),
        TEST(test_validated_answer),
        TEST(test_bogus_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
