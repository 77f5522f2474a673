/* SPDX-License-Identifier: MIT */
#include "unit/resolver_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

_Atomic unsigned fixture_answered;

void fixture_on_answered(spf_query_t *query)
{
    (void)query;
    fixture_answered++;
}

spf_err_t fixture_open(fixture_t *fixture, spf_dns_source_t source, spf_dns_zone_t *zones, char *anchor)
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

void fixture_close(fixture_t *fixture)
{
    if (fixture->resolver)
        fixture->ops->free(fixture->resolver);
    fixture->resolver = NULL;
}

/* Everything that goes to standard error meanwhile ends in a pipe: it must be nothing. */
int fixture_set_up(void **state)
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
    fixture_answered = 0;
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
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

spf_query_t *fixture_query_of(fixture_t *fixture, const char *name, size_t length, uint16_t type)
{
    spf_query_t *query = spf_arena_calloc(&fixture->arena, sizeof *query);
    query->name = spf_arena_copy(&fixture->arena, name, length);
    query->name_length = (uint8_t)length;
    query->type = type;
    query->state = SPF_QUERY_ASKED;
    query->arena = &fixture->arena;
    query->answered = fixture_on_answered;
    return query;
}

spf_query_t *fixture_query(fixture_t *fixture, const char *name, uint16_t type)
{
    return fixture_query_of(fixture, name, strlen(name), type);
}

void fixture_turn(fixture_t *fixture, int64_t timeout_us)
{
    spf_loop_events_t events;
    spf_loop_arm(fixture->loop);
    assert_true(spf_loop_poll(fixture->loop, &events, timeout_us));
    spf_loop_dispatch(fixture->loop, &events);
    spf_loop_run_timers(fixture->loop, false);
}

const spf_answer_t *fixture_wait(fixture_t *fixture, const spf_query_t *query)
{
    while (query->state != SPF_QUERY_ANSWERED)
        fixture_turn(fixture, -1);
    assert_false(query->is_out_of_memory);
    return &query->answer;
}

const spf_answer_t *fixture_ask(fixture_t *fixture, const char *name, uint16_t type)
{
    spf_query_t *query = fixture_query(fixture, name, type);
    assert_int_equal(fixture->ops->start(fixture->resolver, query), SPF_OK);
    return fixture_wait(fixture, query);
}

void fixture_open_forward(fixture_t *fixture)
{
    if (fixture_open(fixture, SPF_DNS_FORWARD, NULL, NULL) != SPF_OK)
        fail_msg("%s", fixture->error);
}
