/* SPDX-License-Identifier: MIT */
/* libunbound as a resolver: against a small DNS server on loopback, on zone files, and on both. */
#include "dns/unbound.h"

#include "core/query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ----------------------------------------------------------------------------------------------------- the server */

enum { MESSAGE_MAX = 65535, HEADER = 12, BIG_TEXT = 6000 };

typedef struct message {
    uint8_t octets[MESSAGE_MAX];
    size_t length;
} message_t;

/* What it answers is chosen by the first label of the name. */
typedef struct server {
    int udp;
    int tcp;
    int stop[2];
    pthread_t thread;
    char address[32];
    message_t answer;
    pthread_mutex_t mutex;
    _Atomic bool is_tampering;
    unsigned questions;
    uint8_t last_name[256];
    size_t last_name_length;
} server_t;

static void put(message_t *message, const void *octets, size_t length)
{
    assert_true(message->length + length <= MESSAGE_MAX);
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

/* Owner: the name of the question. */
static void put_record(message_t *message, unsigned type, uint32_t ttl_s, const void *rdata, size_t length)
{
    put16(message, 0xC000 | HEADER);
    put16(message, type);
    put16(message, 1);
    put32(message, ttl_s);
    put16(message, (unsigned)length);
    put(message, rdata, length);
}

static void put_soa(message_t *message, uint32_t ttl_s, uint32_t minimum_s)
{
    uint8_t rdata[22] = {0};
    rdata[18] = (uint8_t)(minimum_s >> 24);
    rdata[19] = (uint8_t)(minimum_s >> 16);
    rdata[20] = (uint8_t)(minimum_s >> 8);
    rdata[21] = (uint8_t)minimum_s;
    put_record(message, 6, ttl_s, rdata, sizeof rdata);
    message->octets[9] = 1;
}

static void put_big_text(message_t *message)
{
    uint8_t rdata[BIG_TEXT + BIG_TEXT / 250];
    memset(rdata, 'x', sizeof rdata);
    for (size_t at = 0; at < sizeof rdata; at += 251)
        rdata[at] = 250;
    put_record(message, 16, 300, rdata, sizeof rdata);
    message->octets[7] = 1;
}

static bool label_is(const uint8_t *name, const char *label)
{
    return name[0] == strlen(label) && memcmp(name + 1, label, name[0]) == 0;
}

static void put_alias(message_t *message)
{
    put_record(message, 5, 300, "\4held\7example\3org", 18);
    message->octets[7] = 1;
}

/*
 * signed.example. with one record, good TXT "v=spf1 -all", signed until the end of 2080 by a key whose other half was
 * thrown away: its DNSKEY, and the RRSIGs of that and of the TXT record.
 */
static const uint8_t dnskey[] = {
    0x01, 0x01, 0x03, 0x0D, 0x12, 0x71, 0x43, 0xFE, 0x32, 0xD2, 0xA8, 0x78, 0xDE, 0xAB, 0xD9, 0x10, 0xDB,
    0xA4, 0x6B, 0x11, 0x6A, 0x23, 0xB6, 0xBD, 0x07, 0xFF, 0xEE, 0xD2, 0x58, 0x67, 0xC0, 0xF8, 0xC4, 0xC9,
    0x44, 0xD1, 0x67, 0xB0, 0x4C, 0x70, 0x3E, 0x95, 0x81, 0xBC, 0xF2, 0xA6, 0xBF, 0xF0, 0xEC, 0x67, 0x8F,
    0xB0, 0x66, 0xCD, 0x9A, 0x52, 0x40, 0x96, 0x11, 0x92, 0x1D, 0xCA, 0x5E, 0x42, 0x21, 0x80, 0xB0, 0x7E,
};
static const uint8_t rrsig_dnskey[] = {
    0x00, 0x30, 0x0D, 0x02, 0x00, 0x00, 0x01, 0x2C, 0xD0, 0xCA, 0x3E, 0x7F, 0x5E, 0x0B, 0xE1, 0x00, 0xB3,
    0x5F, 0x06, 0x73, 0x69, 0x67, 0x6E, 0x65, 0x64, 0x07, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0x00,
    0x0B, 0x9C, 0xDD, 0x9A, 0x1E, 0x22, 0x64, 0x1A, 0x39, 0x7D, 0x2B, 0xE4, 0x65, 0x91, 0x79, 0xDD, 0x68,
    0x88, 0x28, 0xD7, 0xCE, 0x64, 0xCB, 0x41, 0xA2, 0x49, 0xE4, 0x72, 0xC8, 0x7D, 0x6E, 0xFA, 0xAC, 0xCC,
    0x59, 0x59, 0xF4, 0xEC, 0x2B, 0x46, 0x91, 0x63, 0x41, 0x59, 0xB7, 0xB1, 0xFC, 0xE5, 0x28, 0xC4, 0x5C,
    0x5F, 0xB3, 0x8E, 0xE8, 0x28, 0xF4, 0x02, 0x2F, 0x4E, 0x8A, 0x23, 0xB9, 0x2D,
};
static const uint8_t rrsig_txt[] = {
    0x00, 0x10, 0x0D, 0x03, 0x00, 0x00, 0x01, 0x2C, 0xD0, 0xCA, 0x3E, 0x7F, 0x5E, 0x0B, 0xE1, 0x00, 0xB3,
    0x5F, 0x06, 0x73, 0x69, 0x67, 0x6E, 0x65, 0x64, 0x07, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0x00,
    0x0D, 0x9C, 0x08, 0x02, 0xD8, 0xEA, 0xB4, 0x2D, 0x25, 0x41, 0x83, 0xE6, 0x20, 0x93, 0xE8, 0xED, 0x20,
    0x3F, 0xBD, 0x76, 0xF7, 0x5F, 0x6A, 0xFD, 0x6E, 0x4C, 0x2F, 0xAB, 0x9F, 0x83, 0x21, 0x0A, 0x22, 0x14,
    0x71, 0x4E, 0x32, 0xAC, 0x42, 0xF3, 0x7F, 0xC1, 0x33, 0x13, 0xCC, 0x9A, 0x4C, 0xC7, 0xDD, 0xBF, 0x38,
    0x37, 0x3B, 0xCC, 0xD6, 0x0D, 0x33, 0x34, 0xB5, 0xA3, 0x70, 0x2F, 0xD6, 0xD8,
};

static const char trust_anchor[] =
    "signed.example. IN DS 45919 13 2 926856403e12895b357e8cd8c3c09c935e34bd0c92d57209e46eedc2766fd3f1\n";
static const char signed_text[] = "\x0Bv=spf1 -all";
static const char tampered_text[] = "\x0Bv=spf1 +all";

static void put_signed(message_t *message, unsigned type, bool is_tampered)
{
    if (type == 48) {
        put_record(message, 48, 300, dnskey, sizeof dnskey);
        put_record(message, 46, 300, rrsig_dnskey, sizeof rrsig_dnskey);
    } else {
        put_record(message, 16, 300, is_tampered ? tampered_text : signed_text, sizeof signed_text - 1);
        put_record(message, 46, 300, rrsig_txt, sizeof rrsig_txt);
    }
    message->octets[7] = 2;
}

static void write_answer(message_t *message, const uint8_t *name, unsigned type, bool is_tcp, bool is_tampered)
{
    if (label_is(name, "signed") || label_is(name, "good")) {
        put_signed(message, type, is_tampered);
    } else if (label_is(name, "nx")) {
        message->octets[3] |= 3;
        put_soa(message, 900, 120);
    } else if (label_is(name, "servfail")) {
        message->octets[3] |= 2;
    } else if (label_is(name, "refused")) {
        message->octets[3] |= 5;
    } else if (label_is(name, "big") && is_tcp) {
        put_big_text(message);
    } else if (label_is(name, "big")) {
        message->octets[2] |= 2;
    } else if (label_is(name, "alias")) {
        put_alias(message);
    } else if (type == 1 && !label_is(name, "nodata")) {
        put_record(message, 1, 600, "\xC0\0\2\1", 4);
        message->octets[7] = 1;
    } else if (type == 16 && !label_is(name, "nodata")) {
        put_record(message, 16, 600, "\3net", 4);
        message->octets[7] = 1;
    } else {
        put_soa(message, 60, 900);
    }
}

static size_t name_length(const uint8_t *name)
{
    size_t length = 0;
    while (name[length])
        length += 1u + name[length];
    return length + 1;
}

/* False: no answer. */
static bool make_answer(server_t *server, message_t *answer, const uint8_t *question, size_t length, bool is_tcp)
{
    if (length < HEADER + 5)
        return false;
    const uint8_t *name = question + HEADER;
    size_t end = HEADER + name_length(name) + 4;
    pthread_mutex_lock(&server->mutex);
    server->questions++;
    server->last_name_length = name_length(name);
    memcpy(server->last_name, name, server->last_name_length);
    pthread_mutex_unlock(&server->mutex);
    answer->length = 0;
    put(answer, question, end);
    memcpy(answer->octets + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    write_answer(answer, name, (unsigned)(question[end - 4] << 8 | question[end - 3]), is_tcp, server->is_tampering);
    return !label_is(name, "silent");
}

static void serve_udp(server_t *server, message_t *answer)
{
    uint8_t question[1024];
    struct sockaddr_in peer;
    socklen_t peer_length = sizeof peer;
    ssize_t length = recvfrom(server->udp, question, sizeof question, 0, (struct sockaddr *)&peer, &peer_length);
    if (length > 0 && make_answer(server, answer, question, (size_t)length, false))
        sendto(server->udp, answer->octets, answer->length, 0, (struct sockaddr *)&peer, peer_length);
}

static void serve_tcp(server_t *server, message_t *answer)
{
    uint8_t question[1024];
    int fd = accept(server->tcp, NULL, NULL);
    if (recv(fd, question, 2, MSG_WAITALL) == 2) {
        ssize_t length = recv(fd, question, (size_t)(question[0] << 8 | question[1]), MSG_WAITALL);
        if (length > 0 && make_answer(server, answer, question, (size_t)length, true)) {
            uint8_t prefix[2] = {(uint8_t)(answer->length >> 8), (uint8_t)answer->length};
            send(fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
            send(fd, answer->octets, answer->length, MSG_NOSIGNAL);
        }
    }
    close(fd);
}

static void *serve(void *argument)
{
    server_t *server = argument;
    struct pollfd polled[3] = {{server->udp, POLLIN, 0}, {server->tcp, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
    while (poll(polled, 3, -1) > 0 && !polled[2].revents) {
        if (polled[0].revents)
            serve_udp(server, &server->answer);
        if (polled[1].revents)
            serve_tcp(server, &server->answer);
    }
    return NULL;
}

static void server_start(server_t *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int large = 4 << 20;
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->mutex, NULL);
    server->udp = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    assert_int_equal(bind(server->udp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(server->udp, (struct sockaddr *)&address, &length), 0);
    server->tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->tcp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->tcp, 16), 0);
    snprintf(server->address, sizeof server->address, "127.0.0.1@%u", ntohs(address.sin_port));
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(server_t *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->udp);
    close(server->tcp);
    pthread_mutex_destroy(&server->mutex);
}

static unsigned server_questions(server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    unsigned questions = server->questions;
    pthread_mutex_unlock(&server->mutex);
    return questions;
}

static void assert_last_name(server_t *server, const void *wire, size_t length)
{
    uint8_t name[256];
    pthread_mutex_lock(&server->mutex);
    size_t name_length = server->last_name_length;
    memcpy(name, server->last_name, name_length);
    pthread_mutex_unlock(&server->mutex);
    assert_int_equal(name_length, length);
    assert_memory_equal(name, wire, length);
}

/* ---------------------------------------------------------------------------------------------------- the resolver */

typedef struct fixture {
    server_t server;
    spf_loop_t *loop;
    const spf_resolver_ops_t *ops;
    void *resolver;
    spf_arena_t arena;
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
                                   .outgoing_sockets = 256};
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
    unsigned questions = server_questions(&fixture->server);
    spf_query_t *query = make_query(fixture, "cached.example.com", SPF_TYPE_A);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    assert_int_equal(query->state, SPF_QUERY_ANSWERED);
    assert_memory_equal(query->answer.addresses, "\xC0\0\2\1", 4);
    assert_int_equal(server_questions(&fixture->server), questions);
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
        assert_last_name(&fixture->server, cases[i].wire, cases[i].wire_length);
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
    assert_last_name(&fixture->server, wire, sizeof wire);
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

/* More than there are sockets: libunbound queues them. */
static void test_many_in_flight(void **state)
{
    enum { MANY = 2000 };
    fixture_t *fixture = *state;
    spf_query_t **queries = calloc(MANY, sizeof(spf_query_t *));
    open_forward(fixture);
    for (int i = 0; i < MANY; i++) {
        char name[64];
        snprintf(name, sizeof name, "m%d.example.com", i);
        queries[i] = make_query(fixture, name, SPF_TYPE_A);
        assert_int_equal(fixture->ops->start(fixture->resolver, queries[i]), SPF_OK);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(wait_for(fixture, queries[i])->count, 1);
    assert_int_equal(answered_count, MANY);
    free(queries);
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
    fixture_t fixture = {0};
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
    if (open_with_anchor(fixture, trust_anchor) != SPF_OK)
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
        TEST(test_free_with_questions_open),
        TEST(test_fork),
        TEST(test_several_contexts_start_at_once),
        TEST(test_zones_alone),
        TEST(test_zones_on_top),
        TEST(test_cname_loop_across),
        TEST(test_no_zone_at_all),
        TEST(test_sources),
        TEST(test_broken_settings),
        TEST(test_anchor_that_libunbound_refuses),
        TEST(test_validated_answer),
        TEST(test_bogus_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
