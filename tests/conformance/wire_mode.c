/* SPDX-License-Identifier: MIT */
#include "wire_mode.h"

#include "support/dns_server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
    WIRE_SCENARIOS_MAX = 128,  /* each counts twice */
    WIRE_CASES_MAX = 64,       /* in a scenario */
    WIRE_DEADLINE_MS = 120000, /* where evaluation goes on after a name timed out */
    WIRE_SETTLE_MS = 25,
    WIRE_LIMIT_S = 150 /* for all of it */
};

/* A scenario has a server and contexts of its own: the names mean something else in the next. */
typedef struct wire_scenario {
    dns_server_t *server;
    spf_context_t *context;
    spf_check_t *checks[WIRE_CASES_MAX];
    size_t check_count;
} wire_scenario_t;

static bool wire_allows_temperror(const suite_case_t *test)
{
    for (unsigned i = 0; i < test->result_count; i++) {
        if (test->results[i] == SPF_RESULT_TEMPERROR)
            return true;
    }
    return false;
}

static void wire_start(wire_scenario_t *wire, const suite_scenario_t *scenario, outcome_t *outcomes, bool prefetch)
{
    *wire = (wire_scenario_t){.server = dns_server_start(scenario->zone)};
    if (!wire->server)
        abort();
    spf_config_t *config = outcome_config(prefetch);
    outcome_configure(config, "resolver", dns_server_address(wire->server));
    outcome_configure(config, "outgoing-sockets", "64");
    if (spf_context_new(&wire->context, config) != SPF_OK) {
        fprintf(stderr, "%s\n", spf_config_error(config));
        abort();
    }
    spf_config_free(config);
    for (size_t i = 0; i < scenario->case_count && i < WIRE_CASES_MAX; i++) {
        wire->checks[i] = outcome_check_new(wire->context, &scenario->cases[i]);
        spf_check_set_trace(wire->checks[i], true);
        if (!wire_allows_temperror(&scenario->cases[i]))
            spf_check_set_timeout_ms(wire->checks[i], WIRE_DEADLINE_MS);
        spf_err_t err = spf_check_start(wire->checks[i], outcome_callback, &outcomes[i]);
        if (err != SPF_OK)
            printf("%s: start: %s\n", scenario->cases[i].name, spf_strerror(err));
        wire->check_count++;
    }
}

static void wire_stop(wire_scenario_t *wire)
{
    for (size_t i = 0; i < wire->check_count; i++)
        spf_check_free(wire->checks[i]);
    spf_context_release(wire->context);
    dns_server_stop(wire->server);
}

static time_t wire_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/*
 * Takes what answers there are without waiting for those that never come. libunbound measures how fast the server is:
 * an answer that lay about while other scenarios were started would make it wait longer for each name that is dropped.
 */
static void wire_settle(const wire_scenario_t *wire)
{
    struct pollfd fd = {.fd = spf_context_fd(wire->context), .events = POLLIN};
    while (poll(&fd, 1, WIRE_SETTLE_MS) > 0)
        spf_context_process(wire->context);
}

/* A host's event loop: nothing but the contexts' descriptors. */
static void wire_loop(wire_scenario_t *wires, size_t count)
{
    time_t end_s = wire_now_s() + WIRE_LIMIT_S;
    size_t pending;
    do {
        struct pollfd fds[WIRE_SCENARIOS_MAX];
        pending = 0;
        for (size_t i = 0; i < count; i++) {
            pending += spf_context_pending(wires[i].context);
            fds[i] = (struct pollfd){.fd = spf_context_fd(wires[i].context), .events = POLLIN};
        }
        if (pending == 0 || poll(fds, count, 1000) <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (fds[i].revents)
                spf_context_process(wires[i].context);
        }
    } while (pending && wire_now_s() < end_s);
    if (pending)
        printf("%zu checks did not end within %d seconds\n", pending, WIRE_LIMIT_S);
}

/* So many servers and contexts at the same time need more descriptors than a login shell gives at first. */
static void wire_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void wire_mode_run(suite_t *const *suites, size_t suite_count, outcome_t *const *const outcomes[2])
{
    static wire_scenario_t wires[WIRE_SCENARIOS_MAX];
    size_t count = 0;
    wire_raise_descriptor_limit();
    for (int prefetch = 0; prefetch <= 1; prefetch++) {
        for (size_t i = 0; i < suite_count; i++) {
            outcome_t *next = outcomes[prefetch][i];
            for (size_t j = 0; j < suites[i]->scenario_count && count < WIRE_SCENARIOS_MAX; j++) {
                wire_start(&wires[count], &suites[i]->scenarios[j], next, prefetch);
                wire_settle(&wires[count++]);
                next += suites[i]->scenarios[j].case_count;
            }
        }
    }
    wire_loop(wires, count);
    for (size_t i = 0; i < count; i++)
        wire_stop(&wires[i]);
}
