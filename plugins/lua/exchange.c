/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_open;
static unsigned generation = 1; /* only a child writes it, while it has one thread */

/* ----------------------------------------------------------------------------------------------------------- forks */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
    generation++;
    pthread_mutex_unlock(&lock);
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER; /* those who waited are not here */
}

/* A callback may just be returning, in another thread, when a state that is closed unloads its modules; and handlers of
 * forks stay for good. So this one is never unloaded. */
static bool stay_loaded(void)
{
    Dl_info here;

    return dladdr(&lock, &here) != 0 && dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != NULL;
}

static void open_once(void)
{
    is_open = stay_loaded() && pthread_atfork(before_fork, after_fork, in_child) == 0;
}

bool spf_lua_exchange_open(void)
{
    pthread_once(&once, open_once);
    return is_open;
}

unsigned spf_lua_generation(void)
{
    return generation;
}

/* ------------------------------------------------------------------------------------------------------------ ends */

/* With the lock. */
static void tell_host(spf_lua_context_t *context)
{
    if (context->event_fd >= 0)
        eventfd_write(context->event_fd, 1);
}

void spf_lua_ended(spf_lua_job_t *job, spf_err_t err)
{
    pthread_mutex_lock(&lock);
    job->end = err;
    job->is_ended = true;
    if (err != SPF_ECANCELED && !job->is_waited) {
        job->is_queued = true;
        TAILQ_INSERT_TAIL(&job->context->ended, job, ended_link);
        tell_host(job->context);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void spf_lua_await_end(spf_lua_job_t *job)
{
    pthread_mutex_lock(&lock);
    while (!job->is_ended)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

bool spf_lua_has_ended(spf_lua_job_t *job)
{
    bool has_ended;

    pthread_mutex_lock(&lock);
    has_ended = job->is_ended;
    pthread_mutex_unlock(&lock);
    return has_ended;
}

bool spf_lua_is_due(spf_lua_job_t *job)
{
    bool is_due;

    pthread_mutex_lock(&lock);
    is_due = job->is_queued;
    pthread_mutex_unlock(&lock);
    return is_due;
}

void spf_lua_unqueue(spf_lua_job_t *job)
{
    pthread_mutex_lock(&lock);
    if (job->is_queued)
        TAILQ_REMOVE(&job->context->ended, job, ended_link);
    job->is_queued = false;
    pthread_mutex_unlock(&lock);
}

spf_lua_job_t *spf_lua_first_ended(spf_lua_context_t *context, size_t *count)
{
    spf_lua_job_t *first, *job;

    pthread_mutex_lock(&lock);
    first = TAILQ_FIRST(&context->ended);
    if (count != NULL) {
        *count = 0;
        TAILQ_FOREACH(job, &context->ended, ended_link)
        ++*count;
    }
    pthread_mutex_unlock(&lock);
    return first;
}

/* ------------------------------------------------------------------------------------------------------- the event */

void spf_lua_set_event_fd(spf_lua_context_t *context, int fd)
{
    pthread_mutex_lock(&lock);
    context->event_fd = fd;
    if (!TAILQ_EMPTY(&context->ended))
        tell_host(context);
    pthread_mutex_unlock(&lock);
}

void spf_lua_tell_host(spf_lua_context_t *context)
{
    pthread_mutex_lock(&lock);
    tell_host(context);
    pthread_mutex_unlock(&lock);
}

void spf_lua_clear_event(spf_lua_context_t *context)
{
    eventfd_t value;

    pthread_mutex_lock(&lock);
    if (context->event_fd >= 0 && TAILQ_EMPTY(&context->ended) && TAILQ_EMPTY(&context->taken_back))
        eventfd_read(context->event_fd, &value);
    pthread_mutex_unlock(&lock);
}
