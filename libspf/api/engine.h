/* SPDX-License-Identifier: MIT */
/*
 * What drives the jobs (checks, surveys) of a context in one process: the loop, the resolver, the kept records. A child
 * of a fork makes itself another one. Its lock guards all of it and the jobs in flight; only waiting for descriptors
 * and callbacks happen without it. Any number of threads may wait: one of them, the leader, waits for the descriptors
 * and runs the loop for all, the others wait for it.
 */
#ifndef SPF_API_ENGINE_H
#define SPF_API_ENGINE_H

#include "api/config.h"
#include "api/job.h"
#include "api/policy_cache.h"

#include <pthread.h>

typedef struct spf_engine {
    const spf_settings_t *settings; /* the context's */
    unsigned generation;            /* spf_fork_generation() of the process that made it */
    struct spf_engine *inherited;   /* the one from before a fork: untouched, but not forgotten */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* the leader went, or a job that is waited for ended */
    unsigned users;         /* the context, and calls that are inside */
    bool has_leader;
    bool wakes_leader; /* while it waits for descriptors, another thread did what it may be waiting for */
    bool is_closed;

    spf_loop_t *loop;
    const spf_resolver_ops_t *ops;
    void *resolver;
    bool is_own_resolver; /* else the host's, which the context frees */
    spf_watch_t resolver_watch;
    spf_timer_t resolver_timer;
    spf_timer_t kick; /* wakes whoever polls, for callbacks that are due */
    spf_policy_cache_t *policies;

    spf_job_list_t in_flight;
    spf_job_list_t ready; /* an answer came */
    spf_job_list_t done;  /* a callback is due */
    size_t pending;       /* in_flight and done, without those that are waited for */
    uint64_t serial;
} spf_engine_t;

/* Makes an engine; ops NULL: libunbound as the settings say. What is wrong goes into error. */
spf_err_t spf_engine_new(spf_engine_t **engine, const spf_settings_t *settings, const spf_resolver_ops_t *ops,
                         void *resolver, spf_buf_t *error);
/* In the child: lets go of the parent's engine without touching what both share. */
void spf_engine_abandon(spf_engine_t *engine);
/* Cancels every job and gives up the context's use; it is freed when the last call inside has left. */
void spf_engine_close(spf_engine_t *engine);

/* These take the lock themselves. */
spf_err_t spf_engine_start(spf_engine_t *engine, spf_job_t *job);
spf_err_t spf_engine_run(spf_engine_t *engine, spf_job_t *job);
/* Of the engine that has it; nothing if none has. */
void spf_engine_cancel(spf_job_t *job);
spf_err_t spf_engine_process(spf_engine_t *engine);
spf_err_t spf_engine_wait(spf_engine_t *engine, int64_t timeout_us);
int64_t spf_engine_timeout_us(spf_engine_t *engine);
size_t spf_engine_pending(spf_engine_t *engine);

#endif
