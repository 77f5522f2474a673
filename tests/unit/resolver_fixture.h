/* SPDX-License-Identifier: MIT */
/* libunbound as a resolver, with a small DNS server on loopback, for tests that ask it without an evaluator. */
#ifndef TESTS_UNIT_RESOLVER_FIXTURE_H
#define TESTS_UNIT_RESOLVER_FIXTURE_H

#include "core/query.h"
#include "dns/unbound.h"
#include "unit/loopback_server.h"

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

/* Answers since the test began. */
extern _Atomic unsigned fixture_answered;

/* For cmocka: starts the server, and fails a test that writes to standard error. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Makes the resolver, the server being its forwarder; anchor: the path of a file, or NULL. */
spf_err_t fixture_open(fixture_t *fixture, spf_dns_source_t source, spf_dns_zone_t *zones, char *anchor);
/* The same for the server alone; it must work. */
void fixture_open_forward(fixture_t *fixture);
void fixture_close(fixture_t *fixture);

/* A question, ready to be started. */
spf_query_t *fixture_query_of(fixture_t *fixture, const char *name, size_t length, uint16_t type);
spf_query_t *fixture_query(fixture_t *fixture, const char *name, uint16_t type);
/* What such a question calls when it is answered, unless the test sets something else. */
void fixture_on_answered(spf_query_t *query);

/* Waits once for descriptors and timers, and does what they bring. */
void fixture_turn(fixture_t *fixture, int64_t timeout_us);
/* Waits for the answer of a question that was started. */
const spf_answer_t *fixture_wait(fixture_t *fixture, const spf_query_t *query);
const spf_answer_t *fixture_ask(fixture_t *fixture, const char *name, uint16_t type);

#endif
