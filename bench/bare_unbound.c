/* SPDX-License-Identifier: MIT */
#include "bare_unbound.h"

#include "dns/ub_context.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_BYTES = 48 << 20, SOCKETS = 1024 };

struct bare_unbound {
    spf_loop_t *loop;
    spf_ub_context_t context;
};

/* A group under way: the question that is next, and how many are open. */
typedef struct job {
    const question_group_t *group;
    size_t next, open;
} job_t;

bare_unbound_t *bare_unbound_new(unsigned port)
{
    bare_unbound_t *bare = calloc(1, sizeof *bare);
    char address[32], sentence[256];
    char *forwarders[] = {address, NULL};
    spf_dns_settings_t settings = {
        .source = SPF_DNS_FORWARD, .forwarders = forwarders, .cache_bytes = CACHE_BYTES, .outgoing_sockets = SOCKETS};
    spf_buf_t error;

    if (bare == NULL)
        bench_fail("out of memory", "");
    snprintf(address, sizeof address, "127.0.0.1@%u", port);
    spf_buf_init(&error, sentence, sizeof sentence);
    bare->loop = spf_loop_new(NULL, NULL);
    if (bare->loop == NULL || spf_ub_context_init(&bare->context, bare->loop, &settings, -1, &error) != SPF_OK)
        bench_fail("libunbound", sentence);
    return bare;
}

void bare_unbound_free(bare_unbound_t *bare)
{
    spf_ub_context_clear(&bare->context);
    spf_loop_free(bare->loop);
    free(bare);
}

static void answered(void *argument, int rcode, void *packet, int length, int secure, char *why, int rate_limited)
{
    (void)rcode, (void)packet, (void)length, (void)secure, (void)why, (void)rate_limited;
    ((job_t *)argument)->open--;
}

/* The questions that are asked together with the next. */
static void ask_wave(bare_unbound_t *bare, job_t *job)
{
    const question_t *question = &job->group->questions[job->next];
    uint64_t asked_us = question->asked_us;
    int id;

    for (; job->next < job->group->count && question->asked_us == asked_us; job->next++, question++) {
        job->open++;
        if (!spf_ub_context_ask(&bare->context, question->name, strlen(question->name), question->type, answered, job,
                                &id))
            bench_fail("libunbound refuses", question->name);
    }
}

static void wait_for_events(bare_unbound_t *bare)
{
    spf_loop_events_t events;

    spf_loop_poll(bare->loop, &events, spf_loop_timeout_us(bare->loop));
    spf_loop_dispatch(bare->loop, &events);
    spf_loop_run_timers(bare->loop, true);
}

static bool is_over(const job_t *job)
{
    return job->open == 0 && (job->group == NULL || job->next == job->group->count);
}

void bare_unbound_ask(bare_unbound_t *bare, const question_list_t *list, size_t first, size_t count, size_t jobs)
{
    job_t *job = calloc(jobs, sizeof *job);
    size_t next = first;
    bool is_busy = true;

    if (job == NULL)
        bench_fail("out of memory", "");
    while (is_busy) {
        is_busy = false;
        for (size_t i = 0; i < jobs; i++) {
            while (is_over(&job[i]) && next < first + count)
                job[i] = (job_t){.group = &list->groups[next++ % list->count]};
            while (job[i].open == 0 && !is_over(&job[i]))
                ask_wave(bare, &job[i]);
            is_busy = is_busy || !is_over(&job[i]);
        }
        if (is_busy)
            wait_for_events(bare);
    }
    free(job);
}
