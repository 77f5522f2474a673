/* SPDX-License-Identifier: MIT */
#include "api/engine.h"

#include "base/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define OWNER_OF(type, member, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* ----------------------------------------------------------------------------------------------- making and freeing */

static void kick_fire(spf_timer_t *timer)
{
    (void)timer;
}

static void resolver_process(spf_engine_t *engine)
{
    if (engine->ops->process != NULL)
        engine->ops->process(engine->resolver);
}

static void resolver_timer_fire(spf_timer_t *timer)
{
    resolver_process(OWNER_OF(spf_engine_t, resolver_timer, timer));
}

static void resolver_ready(spf_watch_t *watch, uint32_t events)
{
    (void)events;
    resolver_process(OWNER_OF(spf_engine_t, resolver_watch, watch));
}

/* A resolver of the host's own: its descriptor joins the loop. */
static spf_err_t attach_resolver(spf_engine_t *engine)
{
    int fd = engine->ops->fd != NULL ? engine->ops->fd(engine->resolver) : -1;

    engine->resolver_watch.ready = resolver_ready;
    if (fd >= 0 && !spf_loop_watch(engine->loop, &engine->resolver_watch, fd, EPOLLIN))
        return SPF_ESYSTEM;
    return SPF_OK;
}

static spf_err_t engine_init(spf_engine_t *engine, const spf_resolver_ops_t *ops, void *resolver, spf_buf_t *error)
{
    engine->policies = spf_policy_cache_new(engine->settings->record_cache_bytes);
    if (engine->policies == NULL)
        return SPF_ENOMEM;
    engine->loop = ops != NULL ? spf_loop_new(ops->now_us, resolver) : spf_loop_new(NULL, NULL);
    if (engine->loop == NULL && errno == ENOMEM)
        return SPF_ENOMEM;
    if (engine->loop == NULL) {
        spf_buf_add_text(error, "no descriptor for an event loop could be had");
        return SPF_ESYSTEM;
    }
    engine->ops = ops;
    engine->resolver = resolver;
    if (ops != NULL)
        return attach_resolver(engine);
    engine->is_own_resolver = true;
    return spf_unbound_new(&engine->ops, &engine->resolver, engine->loop, &engine->settings->dns, error);
}

static void engine_free(spf_engine_t *engine)
{
    if (engine->is_own_resolver && engine->resolver != NULL)
        engine->ops->free(engine->resolver);
    spf_loop_free(engine->loop);
    spf_policy_cache_free(engine->policies);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

/* spf_engine_wait() has its time on the clock that does not jump. */
static bool cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    bool is_made;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    is_made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made;
}

spf_err_t spf_engine_new(spf_engine_t **engine, const spf_settings_t *settings, const spf_resolver_ops_t *ops,
                         void *resolver, spf_buf_t *error)
{
    spf_engine_t *made = calloc(1, sizeof *made);
    spf_err_t err;

    if (made == NULL || !cond_init(&made->changed)) {
        free(made);
        return SPF_ENOMEM;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->settings = settings;
    made->generation = spf_fork_generation();
    made->users = 1;
    made->kick.fire = kick_fire;
    made->resolver_timer.fire = resolver_timer_fire;
    TAILQ_INIT(&made->in_flight);
    TAILQ_INIT(&made->ready);
    TAILQ_INIT(&made->done);
    err = engine_init(made, ops, resolver, error);
    if (err != SPF_OK) {
        engine_free(made);
        return err;
    }
    *engine = made;
    return SPF_OK;
}

void spf_engine_abandon(spf_engine_t *engine)
{
    spf_loop_abandon(engine->loop);
    if (engine->is_own_resolver)
        spf_unbound_abandon(engine->resolver);
}

/* With the lock held, which it gives back. */
static void leave(spf_engine_t *engine)
{
    bool is_last = --engine->users == 0;

    pthread_mutex_unlock(&engine->lock);
    if (is_last)
        engine_free(engine);
}

static void enter(spf_engine_t *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->users++;
}

/* --------------------------------------------------------------------------------------------------- driving a job */

static uint64_t now_us(const spf_engine_t *engine)
{
    return spf_loop_now_us(engine->loop);
}

/* Something came for a job: it is stepped soon, or right away if it is being stepped. */
static void wake(spf_job_t *job)
{
    job->has_news = true;
    if (job->is_driven || job->is_ready)
        return;
    job->is_ready = true;
    TAILQ_INSERT_TAIL(&job->engine->ready, job, ready_link);
}

static void query_answered(spf_query_t *query)
{
    spf_job_t *job = query->owner;

    if (query->is_policy)
        spf_policy_cache_compile(job->engine->policies, query, now_us(job->engine));
    wake(job);
}

static void deadline_fire(spf_timer_t *timer)
{
    spf_job_t *job = OWNER_OF(spf_job_t, deadline, timer);

    job->ops->expire(job);
    wake(job);
}

static void ask(spf_engine_t *engine, spf_job_t *job, uint64_t at_us)
{
    spf_query_t *query;

    while ((query = job->ops->next_wanted(job)) != NULL) {
        query->owner = job;
        query->answered = query_answered;
        if (query->is_policy && spf_policy_cache_answer(engine->policies, query, at_us))
            job->has_news = true;
        else if (engine->ops->start(engine->resolver, query) != SPF_OK)
            spf_query_finish(query, SPF_DNS_ERROR, 0, SPF_DNSSEC_INSECURE, "the question could not be asked");
    }
}

static void drop_unneeded(spf_engine_t *engine, spf_job_t *job)
{
    spf_query_t *query;

    while ((query = job->ops->next_unneeded(job)) != NULL)
        engine->ops->cancel(engine->resolver, query);
}

/* Out of the lists of the jobs in flight; whatever it still asks is dropped. */
static void retire(spf_engine_t *engine, spf_job_t *job, spf_err_t err)
{
    job->ops->abort(job);
    drop_unneeded(engine, job);
    spf_loop_timer_clear(engine->loop, &job->deadline);
    if (job->is_ready)
        TAILQ_REMOVE(&engine->ready, job, ready_link);
    job->is_ready = false;
    TAILQ_REMOVE(&engine->in_flight, job, link);
    job->end = err;
    job->elapsed_us = now_us(engine) - job->started_us;
}

/* It is through: its owner may keep it for longer than the engine lives. */
static void end(spf_job_t *job)
{
    job->state = SPF_JOB_DONE;
    job->engine = NULL;
}

/* Something that a thread may be waiting for was done: the followers look, and the leader is woken by arm(). */
static void tell_waiting(spf_engine_t *engine)
{
    engine->wakes_leader = engine->has_leader;
    pthread_cond_broadcast(&engine->changed);
}

static void finish(spf_engine_t *engine, spf_job_t *job, spf_err_t err)
{
    retire(engine, job, err);
    if (!job->is_waited_for) {
        job->state = SPF_JOB_FINISHED;
        job->serial = ++engine->serial;
        TAILQ_INSERT_TAIL(&engine->done, job, link);
    } else {
        end(job);
        tell_waiting(engine);
    }
}

/* Steps the machine as far as there are answers. What evaluation needs now is asked first: only if that has to be
 * waited for is anything asked ahead. All of it happens at one time, at_us. */
static void drive(spf_engine_t *engine, spf_job_t *job, uint64_t at_us)
{
    spf_eval_status_t status;

    job->is_driven = true;
    do {
        job->has_news = false;
        status = job->ops->step(job);
        if (status == SPF_EVAL_WAIT)
            ask(engine, job, at_us);
        if (status == SPF_EVAL_WAIT && !job->has_news && engine->settings->prefetch && job->ops->prefetch != NULL) {
            status = job->ops->prefetch(job);
            if (status == SPF_EVAL_WAIT)
                ask(engine, job, at_us);
        }
    } while (status == SPF_EVAL_WAIT && job->has_news);
    job->is_driven = false;
    if (status == SPF_EVAL_WAIT)
        drop_unneeded(engine, job);
    else
        finish(engine, job, status == SPF_EVAL_DONE ? SPF_OK : SPF_ENOMEM);
}

/* Everything that can be done without waiting. */
static void turn(spf_engine_t *engine)
{
    spf_job_t *job;

    do {
        while ((job = TAILQ_FIRST(&engine->ready)) != NULL) {
            TAILQ_REMOVE(&engine->ready, job, ready_link);
            job->is_ready = false;
            drive(engine, job, now_us(engine));
        }
        spf_loop_run_timers(engine->loop, true);
    } while (!TAILQ_EMPTY(&engine->ready));
}

static spf_err_t begin(spf_engine_t *engine, spf_job_t *job)
{
    uint64_t time_s;

    if (engine->is_closed)
        return SPF_ESTATE;
    time_s = engine->ops->time_s != NULL ? engine->ops->time_s(engine->resolver) : (uint64_t)time(NULL);
    if (!job->ops->begin(job, time_s))
        return SPF_ENOMEM;
    job->started_us = now_us(engine);
    job->deadline.fire = deadline_fire;
    if (!spf_loop_timer_set(engine->loop, &job->deadline, job->started_us + job->timeout_us))
        return SPF_ENOMEM;
    job->engine = engine;
    job->state = SPF_JOB_RUNNING;
    TAILQ_INSERT_TAIL(&engine->in_flight, job, link);
    engine->pending += !job->is_waited_for;
    drive(engine, job, job->started_us);
    turn(engine);
    return SPF_OK;
}

/* ------------------------------------------------------------------------------------------------ waiting, callbacks
 */

/* Sees to it that whoever polls the descriptor, in this process or another thread, wakes up in time. Nobody does where
 * all jobs are waited for and this thread was the only one. */
static void arm(spf_engine_t *engine)
{
    if (engine->pending == 0 && !engine->has_leader)
        return;
    if (!TAILQ_EMPTY(&engine->done) || engine->wakes_leader)
        spf_loop_timer_set(engine->loop, &engine->kick, now_us(engine));
    spf_loop_arm(engine->loop);
}

/* A resolver of the host's own may want to be called though its descriptor stays quiet. */
static void set_resolver_timer(spf_engine_t *engine)
{
    int64_t timeout_us = engine->ops->timeout_us != NULL ? engine->ops->timeout_us(engine->resolver) : -1;

    if (timeout_us >= 0)
        spf_loop_timer_set(engine->loop, &engine->resolver_timer, now_us(engine) + (uint64_t)timeout_us);
    else
        spf_loop_timer_clear(engine->loop, &engine->resolver_timer);
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < 0 || (b_us >= 0 && b_us < a_us) ? b_us : a_us;
}

/* Waits for descriptors and timers, for all threads, and does what they bring. With the lock held, but while waiting.
 */
static bool lead(spf_engine_t *engine, int64_t timeout_us)
{
    spf_loop_events_t events;
    bool is_ok = true;

    set_resolver_timer(engine);
    timeout_us = earlier(timeout_us, spf_loop_timeout_us(engine->loop));
    if (engine->ops->wait != NULL) {
        engine->ops->wait(engine->resolver, timeout_us);
        resolver_process(engine);
    } else {
        engine->has_leader = true;
        pthread_mutex_unlock(&engine->lock);
        is_ok = spf_loop_poll(engine->loop, &events, timeout_us);
        pthread_mutex_lock(&engine->lock);
        engine->has_leader = engine->wakes_leader = false;
        if (is_ok)
            spf_loop_dispatch(engine->loop, &events);
    }
    turn(engine);
    pthread_cond_broadcast(&engine->changed);
    return is_ok;
}

/* Leaves the descriptors to the leader, who has to know of what this thread wants sooner. */
static void follow(spf_engine_t *engine, int64_t timeout_us)
{
    struct timespec until;

    arm(engine);
    if (timeout_us < 0) {
        pthread_cond_wait(&engine->changed, &engine->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_us / 1000000;
    until.tv_nsec += timeout_us % 1000000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
}

/* Runs the callbacks that are due now, without the lock; those that they bring about wait for the next time. */
static size_t deliver(spf_engine_t *engine)
{
    uint64_t last = engine->serial;
    size_t count = 0;
    spf_job_t *job;

    while ((job = TAILQ_FIRST(&engine->done)) != NULL && job->serial <= last) {
        TAILQ_REMOVE(&engine->done, job, link);
        engine->pending--;
        end(job);
        pthread_mutex_unlock(&engine->lock);
        if (job->end == SPF_OK)
            job->end = job->ops->conclude(job);
        job->ops->call(job, job->end);
        pthread_mutex_lock(&engine->lock);
        count++;
    }
    if (count > 0)
        tell_waiting(engine);
    return count;
}

spf_err_t spf_engine_start(spf_engine_t *engine, spf_job_t *job)
{
    spf_err_t err;

    enter(engine);
    err = begin(engine, job);
    set_resolver_timer(engine);
    arm(engine);
    leave(engine);
    return err;
}

spf_err_t spf_engine_run(spf_engine_t *engine, spf_job_t *job)
{
    spf_err_t err;

    enter(engine);
    err = begin(engine, job);
    while (err == SPF_OK && job->state != SPF_JOB_DONE) {
        if (engine->has_leader)
            follow(engine, -1);
        else if (!lead(engine, -1))
            err = SPF_ESYSTEM;
        deliver(engine);
    }
    if (job->state == SPF_JOB_RUNNING) {
        retire(engine, job, err);
        end(job);
    }
    arm(engine);
    leave(engine);
    if (err != SPF_OK)
        return err;
    if (job->end == SPF_OK)
        job->end = job->ops->conclude(job);
    return job->end;
}

/* The parent's engine, seen from a child: nothing in it may be touched, and nobody else does. */
static bool is_inherited(const spf_engine_t *engine)
{
    return engine->generation != spf_fork_generation();
}

void spf_engine_cancel(spf_job_t *job)
{
    spf_engine_t *engine = job->engine;
    bool is_in_flight;

    if (engine == NULL)
        return;
    if (is_inherited(engine)) {
        is_in_flight = spf_job_is_open(job);
        end(job);
        job->end = SPF_ECANCELED;
    } else {
        enter(engine);
        is_in_flight = spf_job_is_open(job);
        if (job->state == SPF_JOB_RUNNING)
            retire(engine, job, SPF_ECANCELED);
        else if (is_in_flight)
            TAILQ_REMOVE(&engine->done, job, link);
        if (is_in_flight) {
            end(job);
            job->end = SPF_ECANCELED;
            engine->pending -= !job->is_waited_for;
            tell_waiting(engine);
            arm(engine);
        }
        leave(engine);
    }
    if (is_in_flight && !job->is_waited_for)
        job->ops->call(job, SPF_ECANCELED);
}

void spf_engine_close(spf_engine_t *engine)
{
    spf_job_t *job;

    pthread_mutex_lock(&engine->lock);
    engine->is_closed = true;
    while ((job = TAILQ_FIRST(&engine->in_flight)) != NULL || (job = TAILQ_FIRST(&engine->done)) != NULL) {
        pthread_mutex_unlock(&engine->lock);
        spf_engine_cancel(job);
        pthread_mutex_lock(&engine->lock);
    }
    leave(engine);
}

spf_err_t spf_engine_process(spf_engine_t *engine)
{
    spf_loop_events_t events;
    bool is_ok = spf_loop_poll(engine->loop, &events, 0);

    enter(engine);
    if (is_ok)
        spf_loop_dispatch(engine->loop, &events);
    if (!engine->is_own_resolver)
        resolver_process(engine);
    turn(engine);
    deliver(engine);
    set_resolver_timer(engine);
    arm(engine);
    leave(engine);
    return is_ok ? SPF_OK : SPF_ESYSTEM;
}

spf_err_t spf_engine_wait(spf_engine_t *engine, int64_t timeout_us)
{
    bool is_ok = true;

    enter(engine);
    turn(engine);
    if (deliver(engine) == 0 && engine->pending > 0) {
        if (engine->has_leader)
            follow(engine, timeout_us);
        else
            is_ok = lead(engine, timeout_us);
        deliver(engine);
    }
    arm(engine);
    leave(engine);
    return is_ok ? SPF_OK : SPF_ESYSTEM;
}

int64_t spf_engine_timeout_us(spf_engine_t *engine)
{
    int64_t timeout_us;

    enter(engine);
    set_resolver_timer(engine);
    timeout_us = TAILQ_EMPTY(&engine->done) ? spf_loop_timeout_us(engine->loop) : 0;
    leave(engine);
    return timeout_us;
}

size_t spf_engine_pending(spf_engine_t *engine)
{
    size_t pending;

    enter(engine);
    pending = engine->pending;
    leave(engine);
    return pending;
}
