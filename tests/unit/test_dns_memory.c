/* SPDX-License-Identifier: MIT */
/* What the resolver's layer does when the n-th allocation fails, for every n. Libunbound's own do not: it does not bear
 * that. */
#include "core/query.h"
#include "dns/unbound.h"
#include "dns/zones.h"
#include "unit/failing_memory.h"
#include "unit/loopback_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------------------------------------ zones */

typedef struct zone_attempt {
    const char *path;
    char text[64];
    spf_err_t result; /* without failures */
} zone_attempt_t;

static spf_err_t merge(void *argument)
{
    zone_attempt_t *attempt = argument;
    spf_dns_zone_t text = {.text = attempt->text, .text_length = strlen(attempt->text)};
    spf_dns_zone_t file = {.path = (char *)attempt->path, .next = &text};
    char storage[128];
    spf_buf_t error;
    int fd;
    spf_buf_init(&error, storage, sizeof storage);
    spf_err_t result = spf_zones_merge(&file, &fd, &error);
    if (result == SPF_OK)
        close(fd);
    return result == attempt->result ? SPF_OK : result;
}

static spf_err_t check_anchor(void *path)
{
    char storage[128];
    spf_buf_t error;
    spf_buf_init(&error, storage, sizeof storage);
    return spf_zones_check_anchor(path, &error);
}

static void test_zones(void **state)
{
    (void)state;
    static const char data[] = "a. A 192.0.2.1\n. DS 1 8 2 ABCD\n";
    char path[] = "/tmp/spf-test-memory-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, data, sizeof data - 1), sizeof data - 1);
    close(fd);
    failing_memory_run(merge, &(zone_attempt_t){path, "b. TXT x", SPF_OK}, false);
    failing_memory_run(merge, &(zone_attempt_t){path, "b. TXTT x", SPF_ECONFIG}, false);
    failing_memory_run(check_anchor, path, false);
    unlink(path);
}

/* ------------------------------------------------------------------------------------------------------------- loop */

enum { TIMERS = 200, WATCHED = 300 };

static void never(spf_timer_t *timer)
{
    (void)timer;
    fail();
}

static void never_ready(spf_watch_t *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    fail();
}

/* What was set before a failure stays as it was. */
static spf_err_t grow_loop(void *argument)
{
    const int *fd = argument;
    static spf_timer_t timers[TIMERS];
    spf_watch_t watch = {.ready = never_ready}, high = {.ready = never_ready};
    spf_err_t result = SPF_OK;
    spf_loop_t *loop = spf_loop_new(NULL, NULL);
    if (!loop)
        return errno == ENOMEM ? SPF_ENOMEM : SPF_ESYSTEM;
    memset(timers, 0, sizeof timers);
    unsigned set = 0;
    for (; set < TIMERS && result == SPF_OK; set++) {
        timers[set].fire = never;
        if (!spf_loop_timer_set(loop, &timers[set], spf_loop_now_us(loop) + 3600000000 - set))
            result = SPF_ENOMEM;
    }
    if (result != SPF_OK)
        assert_int_equal(timers[--set].slot, 0);
    while (set > 0)
        spf_loop_timer_clear(loop, &timers[--set]);
    assert_int_equal(spf_loop_timeout_us(loop), -1);
    if (result == SPF_OK && !spf_loop_watch(loop, &watch, fd[0], EPOLLIN))
        result = errno == ENOMEM ? SPF_ENOMEM : SPF_ESYSTEM;
    if (result == SPF_OK && !spf_loop_watch(loop, &high, fd[1], EPOLLIN)) {
        result = errno == ENOMEM ? SPF_ENOMEM : SPF_ESYSTEM;
        assert_int_equal(watch.events, EPOLLIN);
        assert_int_equal(high.events, 0);
    }
    spf_loop_free(loop);
    return result;
}

static void test_loop(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int fds[2] = {ends[0], dup2(ends[0], WATCHED)};
    assert_int_equal(fds[1], WATCHED);
    failing_memory_run(grow_loop, fds, false);
    close(fds[1]);
    close(ends[0]);
    close(ends[1]);
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static void make_query(spf_query_t *query, spf_arena_t *arena, const char *name, uint16_t type)
{
    *query = (spf_query_t){
        .name = name, .name_length = (uint8_t)strlen(name), .type = type, .state = SPF_QUERY_ASKED, .arena = arena};
}

/* Enough records that the arena and the list of them grow several times. */
static spf_err_t answer_by_records(void *argument)
{
    enum { RECORDS = 300 };
    uint16_t type = *(uint16_t *)argument;
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_query_t query;
    spf_err_t result = SPF_OK;
    make_query(&query, &arena, "example.com", type);
    unsigned count = 0;
    for (; count < RECORDS && result == SPF_OK; count++) {
        if (type == SPF_TYPE_TXT)
            result = spf_query_add_text(&query, "v=spf1 -all and more", SPF_STRLEN);
        else if (type == SPF_TYPE_MX)
            result = spf_query_add_host(&query, "mail.example.com", SPF_STRLEN);
        else
            result = spf_query_add_address(&query, (const uint8_t *)"0123456789abcdef", 16);
    }
    assert_int_equal(query.answer.count, result == SPF_OK ? count : count - 1);
    assert_int_equal(query.is_out_of_memory, result != SPF_OK);
    spf_query_finish(&query, SPF_DNS_ANSWER, 300, SPF_DNSSEC_INSECURE, "with some detail");
    assert_int_equal(query.state, SPF_QUERY_ANSWERED);
    if (query.answer.count)
        assert_true(query.answer.addresses || query.answer.texts);
    result = query.is_out_of_memory ? SPF_ENOMEM : result;
    spf_arena_free(&arena);
    return result;
}

/* Header, question, and 50 records with the name of the question. */
static size_t write_packet(uint8_t *packet, uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *rdata;
        size_t length;
    } records[] = {{SPF_TYPE_TXT, "\x0Bv=spf1 -all", 12},
                   {SPF_TYPE_MX, "\0\1\4mail\xC0\x0C", 9},
                   {SPF_TYPE_PTR, "\4mail\xC0\x0C", 7},
                   {SPF_TYPE_A, "1234", 4}};
    size_t length = 12;
    memcpy(packet, "\0\1\x81\x80\0\1\0\x32\0\0\0\0", 12);
    memcpy(packet + length, "\7example\3com\0\0\0\0\1", 17);
    packet[length + 14] = (uint8_t)type;
    length += 17;
    for (int i = 0; i < 50; i++) {
        size_t kind = 0;
        while (records[kind].type != type)
            kind++;
        memcpy(packet + length, "\xC0\x0C\0\0\0\1\0\0\1\0\0", 12);
        packet[length + 3] = (uint8_t)type;
        packet[length + 11] = (uint8_t)records[kind].length;
        memcpy(packet + length + 12, records[kind].rdata, records[kind].length);
        length += 12 + records[kind].length;
    }
    return length;
}

static spf_err_t answer_by_packet(void *argument)
{
    uint16_t type = *(uint16_t *)argument;
    uint8_t packet[4096];
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_query_t query;
    make_query(&query, &arena, "example.com", type);
    spf_query_answer_packet(&query, packet, write_packet(packet, type), SPF_DNSSEC_INSECURE);
    assert_int_equal(query.state, SPF_QUERY_ANSWERED);
    assert_int_equal(query.answer.status, SPF_DNS_ANSWER);
    assert_int_equal(query.answer.count, query.is_out_of_memory ? 0 : 50);
    spf_arena_free(&arena);
    return query.is_out_of_memory ? SPF_ENOMEM : SPF_OK;
}

static void test_answers(void **state)
{
    static uint16_t by_records[] = {SPF_TYPE_TXT, SPF_TYPE_MX, SPF_TYPE_AAAA};
    static uint16_t by_packet[] = {SPF_TYPE_TXT, SPF_TYPE_MX, SPF_TYPE_PTR, SPF_TYPE_A};
    (void)state;
    for (size_t i = 0; i < sizeof by_records / sizeof *by_records; i++)
        failing_memory_run(answer_by_records, &by_records[i], false);
    for (size_t i = 0; i < sizeof by_packet / sizeof *by_packet; i++)
        failing_memory_run(answer_by_packet, &by_packet[i], false);
}

/* ---------------------------------------------------------------------------------------------------- the resolver */

typedef struct fixture {
    spf_loop_t *loop;
    const spf_resolver_ops_t *ops;
    void *resolver;
} fixture_t;

static spf_err_t fixture_open(fixture_t *fixture, char *forwarder)
{
    static char text[] = "alias.example. CNAME host.example.net.\n";
    char *forwarders[] = {forwarder, NULL};
    spf_dns_zone_t zone = {.text = text, .text_length = sizeof text - 1};
    spf_dns_settings_t settings = {.source = SPF_DNS_FORWARD,
                                   .forwarders = forwarders,
                                   .zones = &zone,
                                   .cache_bytes = 1 << 20,
                                   .outgoing_sockets = 16};
    char storage[256];
    spf_buf_t error;
    spf_buf_init(&error, storage, sizeof storage);
    fixture->loop = spf_loop_new(NULL, NULL);
    if (!fixture->loop)
        return errno == ENOMEM ? SPF_ENOMEM : SPF_ESYSTEM;
    return spf_unbound_new(&fixture->ops, &fixture->resolver, fixture->loop, &settings, &error);
}

static void fixture_close(fixture_t *fixture)
{
    if (fixture->resolver)
        fixture->ops->free(fixture->resolver);
    spf_loop_free(fixture->loop);
}

/* Nothing but memory can have been missing. */
static spf_err_t result_of(const spf_query_t *query, spf_err_t started)
{
    if (started != SPF_OK) {
        assert_int_equal(query->state, SPF_QUERY_ASKED);
        assert_true(started == SPF_ERESOLVER || query->is_out_of_memory);
        return SPF_ENOMEM;
    }
    if (query->is_out_of_memory || query->answer.status == SPF_DNS_ERROR)
        return SPF_ENOMEM;
    return query->answer.count == 1 ? SPF_OK : SPF_ERESOLVER;
}

/* Waits for the answer, which comes in any case. */
static spf_err_t ask(fixture_t *fixture, const char *name)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_query_t query;
    make_query(&query, &arena, name, SPF_TYPE_A);
    spf_err_t result = fixture->ops->start(fixture->resolver, &query);
    while (result == SPF_OK && query.state == SPF_QUERY_ASKED) {
        spf_loop_events_t events;
        spf_loop_arm(fixture->loop);
        assert_true(spf_loop_poll(fixture->loop, &events, -1));
        spf_loop_dispatch(fixture->loop, &events);
        spf_loop_run_timers(fixture->loop, false);
    }
    result = result_of(&query, result);
    spf_arena_free(&arena);
    return result;
}

/* From the network alone, and from the zones on to the network; whatever happened, the last is answered right. */
static spf_err_t resolve(void *forwarder)
{
    fixture_t fixture = {0};
    spf_err_t result = fixture_open(&fixture, forwarder);
    if (result == SPF_OK) {
        spf_err_t direct = ask(&fixture, "host.example");
        spf_err_t through = ask(&fixture, "alias.example");
        bool is_met = failing_memory_was_met();
        result = ask(&fixture, "last.example");
        assert_true(!is_met || result == SPF_OK);
        result = direct != SPF_OK ? direct : through != SPF_OK ? through : result;
    }
    fixture_close(&fixture);
    return result;
}

static void test_resolver(void **state)
{
    (void)state;
    server_t server;
    server_start(&server);
    failing_memory_run(resolve, server.address, true);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
