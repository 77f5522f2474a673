/* SPDX-License-Identifier: MIT */
#include "bridge.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------------------ locks */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint generation;
static bool is_watching;

static void in_child(void)
{
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void watch(void)
{
    is_watching = pthread_atfork(bridge_lock, bridge_unlock, in_child) == 0;
}

bool bridge_init(void)
{
    pthread_once(&once, watch);
    return is_watching;
}

void bridge_lock(void)
{
    pthread_mutex_lock(&lock);
}

void bridge_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

unsigned bridge_generation(void)
{
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

int bridge_signal_new(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void bridge_signal_set(int fd)
{
    ssize_t written = eventfd_write(fd, 1);

    (void)written; /* it can only fail where it is set already */
}

void bridge_signal_clear(int fd)
{
    eventfd_t value;
    int status = eventfd_read(fd, &value);

    (void)status;
}

/* --------------------------------------------------------------------------------------------------------- contexts */

struct bridge_context {
    spf_context_t *context;      /* under the lock; NULL: closed */
    bridge_resolver_t *resolver; /* as long as that; NULL: libunbound */
    unsigned references;         /* Python's, jobs' and ports' */
};

static bridge_context_t *context_ref(bridge_context_t *context)
{
    bridge_lock();
    context->references++;
    bridge_unlock();
    return context;
}

spf_err_t bridge_context_new(bridge_context_t **context, spf_config_t *config, bool with_questions)
{
    bridge_context_t *made = calloc(1, sizeof *made);
    spf_err_t err = SPF_ENOMEM;

    if (made != NULL && with_questions && (made->resolver = bridge_resolver_new()) != NULL) {
        err = spf_context_new_with_resolver(&made->context, config, &bridge_resolver_ops, made->resolver);
        if (err != SPF_OK)
            bridge_resolver_ops.free(made->resolver);
    } else if (made != NULL && !with_questions) {
        err = spf_context_new(&made->context, config);
    }
    if (err != SPF_OK) {
        free(made);
        return err;
    }
    made->references = 1;
    *context = made;
    return SPF_OK;
}

spf_err_t bridge_context_shared(bridge_context_t **context, const char *config_file, char *error, size_t error_size)
{
    bridge_context_t *made = calloc(1, sizeof *made);
    spf_err_t err = SPF_ENOMEM;

    if (made != NULL)
        err = spf_context_shared(&made->context, config_file, error, error_size);
    if (err != SPF_OK) {
        free(made);
        return err;
    }
    made->references = 1;
    *context = made;
    return SPF_OK;
}

spf_context_t *bridge_context_enter(bridge_context_t *context)
{
    spf_context_t *entered;

    bridge_lock();
    entered = context->context != NULL ? spf_context_ref(context->context) : NULL;
    bridge_unlock();
    return entered;
}

void bridge_context_close(bridge_context_t *context)
{
    spf_context_t *closed;

    bridge_lock();
    closed = context->context;
    context->context = NULL;
    context->resolver = NULL;
    bridge_unlock();
    spf_context_release(closed);
}

void bridge_context_free(bridge_context_t *context)
{
    bool is_last;

    if (context == NULL)
        return;
    bridge_lock();
    is_last = --context->references == 0;
    bridge_unlock();
    if (!is_last)
        return;
    bridge_context_close(context);
    free(context);
}

spf_err_t bridge_context_process(bridge_context_t *context)
{
    spf_context_t *entered = bridge_context_enter(context);
    spf_err_t err = entered != NULL ? spf_context_process(entered) : SPF_OK;

    spf_context_release(entered);
    return err;
}

size_t bridge_context_pending(bridge_context_t *context)
{
    spf_context_t *entered = bridge_context_enter(context);
    size_t pending = entered != NULL ? spf_context_pending(entered) : 0;

    spf_context_release(entered);
    return pending;
}

/* The resolver lives as long as libspf's context, and whoever has the lock sees whether that is closed. */
bool bridge_context_has_events(bridge_context_t *context)
{
    bool has_events;

    bridge_lock();
    has_events = context->resolver != NULL && bridge_resolver_has_events(context->resolver);
    bridge_unlock();
    return has_events;
}

bridge_question_t *bridge_context_take_question(bridge_context_t *context)
{
    bridge_question_t *question;

    bridge_lock();
    question = context->resolver != NULL ? bridge_resolver_take_question(context->resolver) : NULL;
    bridge_unlock();
    return question;
}

uint64_t bridge_context_take_cancelled(bridge_context_t *context)
{
    bridge_question_t *question;
    uint64_t number;

    bridge_lock();
    question = context->resolver != NULL ? bridge_resolver_take_cancelled(context->resolver) : NULL;
    bridge_unlock();
    number = question != NULL ? question->number : 0;
    bridge_question_free(question);
    return number;
}

/* ------------------------------------------------------------------------------------------------------------ ports */

typedef TAILQ_HEAD(bridge_job_list, bridge_job) bridge_job_list_t;

struct bridge_port {
    bridge_context_t *context;
    unsigned generation;
    unsigned references; /* Python's, and those of the jobs in flight */
    int epoll_fd;        /* the context's descriptor and the signal's: what the loop watches */
    int signal_fd;
    bool is_signalled;
    bool is_processing; /* whoever does will look into the list afterwards */
    bridge_job_list_t done;
};

static bool port_watch(const bridge_port_t *port, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return fd >= 0 && epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bridge_port_t *bridge_port_new(bridge_context_t *context)
{
    spf_context_t *entered = bridge_context_enter(context);
    bridge_port_t *port = calloc(1, sizeof *port);
    bool is_made;

    if (entered == NULL || port == NULL) {
        spf_context_release(entered);
        free(port);
        return NULL;
    }
    port->context = context_ref(context);
    port->generation = bridge_generation();
    port->references = 1;
    port->signal_fd = bridge_signal_new();
    port->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    TAILQ_INIT(&port->done);
    is_made = port->epoll_fd >= 0 && port_watch(port, port->signal_fd) && port_watch(port, spf_context_fd(entered));
    spf_context_release(entered);
    if (is_made)
        return port;
    bridge_port_free(port);
    return NULL;
}

void bridge_port_free(bridge_port_t *port)
{
    bool is_last;

    if (port == NULL)
        return;
    bridge_lock();
    is_last = --port->references == 0;
    bridge_unlock();
    if (!is_last)
        return;
    if (port->signal_fd >= 0)
        close(port->signal_fd);
    if (port->epoll_fd >= 0)
        close(port->epoll_fd);
    bridge_context_free(port->context);
    free(port);
}

int bridge_port_fileno(const bridge_port_t *port)
{
    return port->epoll_fd;
}

spf_err_t bridge_port_process(bridge_port_t *port)
{
    spf_err_t err;

    if (port->generation != bridge_generation())
        return SPF_OK;
    bridge_lock();
    port->is_processing = true;
    if (port->is_signalled)
        bridge_signal_clear(port->signal_fd);
    port->is_signalled = false;
    bridge_unlock();
    err = bridge_context_process(port->context);
    bridge_lock();
    port->is_processing = false;
    bridge_unlock();
    return err;
}

uint64_t bridge_port_take_done(bridge_port_t *port)
{
    bridge_job_t *job;
    uint64_t number = 0;

    bridge_lock();
    job = TAILQ_FIRST(&port->done);
    if (job != NULL) {
        TAILQ_REMOVE(&port->done, job, link);
        job->is_listed = false;
        number = job->number;
    }
    bridge_unlock();
    return number;
}

/* With the lock. Who processes for this port right now looks into the list next. */
static void port_put(bridge_port_t *port, bridge_job_t *job)
{
    TAILQ_INSERT_TAIL(&port->done, job, link);
    job->is_listed = true;
    if (port->is_signalled || port->is_processing || port->generation != bridge_generation())
        return;
    port->is_signalled = true;
    bridge_signal_set(port->signal_fd);
}

/* ------------------------------------------------------------------------------------------------------------- jobs */

static uint64_t last_number;

bridge_job_t *bridge_job_new(const bridge_job_ops_t *ops, bridge_context_t *context)
{
    spf_context_t *entered = bridge_context_enter(context);
    bridge_job_t *job = calloc(1, ops->size);
    bool is_made = entered != NULL && job != NULL && ops->make(job, entered) == SPF_OK;

    spf_context_release(entered);
    if (!is_made) {
        free(job);
        return NULL;
    }
    bridge_lock();
    context->references++;
    job->number = ++last_number;
    bridge_unlock();
    job->ops = ops;
    job->references = 1;
    job->context = context;
    return job;
}

static void job_unref(bridge_job_t *job)
{
    bool is_last;

    bridge_lock();
    is_last = --job->references == 0;
    bridge_unlock();
    if (!is_last)
        return;
    job->ops->free(job);
    bridge_port_free(job->port);
    bridge_context_free(job->context);
    free(job);
}

void bridge_job_ended(bridge_job_t *job, spf_err_t err)
{
    bridge_lock();
    job->end = err;
    if (!job->is_dropped)
        port_put(job->port, job);
    bridge_unlock();
    job_unref(job);
}

spf_err_t bridge_job_start(bridge_job_t *job, bridge_port_t *port)
{
    spf_context_t *entered = bridge_context_enter(job->context);
    spf_err_t err;

    if (entered == NULL)
        return SPF_ESTATE;
    bridge_lock();
    port->references++;
    job->port = port;
    job->references++;
    bridge_unlock();
    err = job->ops->start(job);
    if (err != SPF_OK)
        job_unref(job);
    spf_context_release(entered);
    return err;
}

spf_err_t bridge_job_run(bridge_job_t *job)
{
    spf_context_t *entered = bridge_context_enter(job->context);
    spf_err_t err;

    if (entered == NULL)
        return SPF_ESTATE;
    err = job->ops->run(job);
    spf_context_release(entered);
    return err;
}

/* Of a context that is closed every job was cancelled, or is just being. */
void bridge_job_cancel(bridge_job_t *job)
{
    spf_context_t *entered = bridge_context_enter(job->context);

    if (entered != NULL)
        job->ops->cancel(job);
    spf_context_release(entered);
}

/* Another thread may be about to call the job back, so that it cannot be cancelled any more: it lives until then. */
void bridge_job_free(bridge_job_t *job)
{
    if (job == NULL)
        return;
    bridge_lock();
    job->is_dropped = true;
    if (job->is_listed)
        TAILQ_REMOVE(&job->port->done, job, link);
    job->is_listed = false;
    bridge_unlock();
    bridge_job_cancel(job);
    job_unref(job);
}

/* ----------------------------------------------------------------------------------------------------------- checks */

static spf_check_t *check_of(bridge_job_t *job)
{
    return ((bridge_check_t *)job)->check;
}

static spf_err_t check_make(bridge_job_t *job, spf_context_t *context)
{
    return spf_check_new(&((bridge_check_t *)job)->check, context);
}

static void check_ended(spf_check_t *check, spf_err_t err, void *job)
{
    (void)check;
    bridge_job_ended(job, err);
}

static spf_err_t check_start(bridge_job_t *job)
{
    return spf_check_start(check_of(job), check_ended, job);
}

static spf_err_t check_run(bridge_job_t *job)
{
    return spf_check_run(check_of(job));
}

static void check_cancel(bridge_job_t *job)
{
    spf_check_cancel(check_of(job));
}

static void check_free(bridge_job_t *job)
{
    spf_check_free(check_of(job));
}

bridge_check_t *bridge_check_new(bridge_context_t *context)
{
    static const bridge_job_ops_t ops = {sizeof(bridge_check_t), check_make, check_start, check_run,
                                         check_cancel,           check_free};

    return (bridge_check_t *)bridge_job_new(&ops, context);
}
