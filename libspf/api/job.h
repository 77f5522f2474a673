/* SPDX-License-Identifier: MIT */
/*
 * What an engine drives: a sans-I/O machine that wants answers, with a deadline and a callback. Checks and surveys are
 * jobs: each embeds one as its first member. Its owner's thread has it alone but while it is in flight, when its
 * engine's lock guards it.
 */
#ifndef SPF_API_JOB_H
#define SPF_API_JOB_H

#include "core/eval.h"
#include "dns/loop.h"

#include <stdatomic.h>
#include <sys/queue.h>

typedef struct spf_job spf_job_t;

/* What kind of job it is; the machine's operations are as core/eval.h has them. */
typedef struct spf_job_ops {
    bool (*begin)(spf_job_t *job, uint64_t time_s); /* makes the machine; false without memory */
    spf_eval_status_t (*step)(spf_job_t *job);
    spf_eval_status_t (*prefetch)(spf_job_t *job); /* NULL: asks for all it can at once */
    spf_query_t *(*next_wanted)(spf_job_t *job);
    spf_query_t *(*next_unneeded)(spf_job_t *job);
    void (*abort)(spf_job_t *job);
    void (*expire)(spf_job_t *job);
    spf_err_t (*conclude)(spf_job_t *job);       /* the machine is done: makes what its owner reads; without the lock */
    void (*call)(spf_job_t *job, spf_err_t err); /* the owner's callback */
} spf_job_ops_t;

typedef enum spf_job_state {
    SPF_JOB_NEW,
    SPF_JOB_RUNNING,
    SPF_JOB_FINISHED, /* its callback is due */
    SPF_JOB_DONE      /* called back, or waited for */
} spf_job_state_t;

struct spf_job {
    const spf_job_ops_t *ops;
    _Atomic(struct spf_engine *) engine; /* while it is open; whoever cancels looks at it without the lock */
    uint64_t timeout_us;
    spf_job_state_t state;
    spf_err_t end;
    bool is_waited_for; /* somebody waits in spf_engine_run(): there is no callback */
    spf_timer_t deadline;
    uint64_t started_us;
    uint64_t elapsed_us;
    uint64_t serial; /* in the order of being finished */
    bool is_driven;  /* the machine is being stepped: what comes now is seen right after */
    bool has_news;
    bool is_ready;
    TAILQ_ENTRY(spf_job) link;       /* in the engine's in_flight or done */
    TAILQ_ENTRY(spf_job) ready_link; /* in its ready */
};

typedef TAILQ_HEAD(spf_job_list, spf_job) spf_job_list_t;

enum { SPF_TIMEOUT_MAX_MS = 600000 };

/* In flight, or its callback is due. */
static inline bool spf_job_is_open(const spf_job_t *job)
{
    return job->state == SPF_JOB_RUNNING || job->state == SPF_JOB_FINISHED;
}

#endif
