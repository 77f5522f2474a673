/* SPDX-License-Identifier: MIT */
#include "api/context.h"

#include "base/fork.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- engine */

/* With the process's lock: nobody else makes an engine now. */
static spf_err_t engine_renew(spf_context_t *context, spf_engine_t **engine, spf_buf_t *error)
{
    spf_engine_t *old = atomic_load(&context->engine);
    spf_err_t err;

    if (old != NULL && old->generation == spf_fork_generation()) {
        *engine = old;
        return SPF_OK;
    }
    err = spf_engine_new(engine, &context->settings, context->ops, context->resolver, error);
    if (err != SPF_OK)
        return err;
    if (old != NULL)
        spf_engine_abandon(old);
    (*engine)->inherited = old;
    atomic_store(&context->engine, *engine);
    return SPF_OK;
}

spf_err_t spf_context_engine(spf_context_t *context, spf_engine_t **engine, spf_buf_t *error)
{
    char storage[1];
    spf_buf_t nowhere;
    spf_err_t err;

    *engine = atomic_load(&context->engine);
    if (*engine != NULL && (*engine)->generation == spf_fork_generation())
        return SPF_OK;
    spf_buf_init(&nowhere, storage, sizeof storage);
    spf_fork_lock();
    err = engine_renew(context, engine, error != NULL ? error : &nowhere);
    spf_fork_unlock();
    return err;
}

/* ---------------------------------------------------------------------------------------------- making and references
 */

void spf_context_hold(spf_context_t *context)
{
    atomic_fetch_add_explicit(&context->holders, 1, memory_order_relaxed);
}

void spf_context_unhold(spf_context_t *context)
{
    if (atomic_fetch_sub_explicit(&context->holders, 1, memory_order_acq_rel) != 1)
        return;
    spf_settings_clear(&context->settings);
    free(context);
}

bool spf_context_try_ref(spf_context_t *context)
{
    unsigned references = atomic_load(&context->references);

    while (references > 0)
        if (atomic_compare_exchange_weak(&context->references, &references, references + 1))
            return true;
    return false;
}

spf_context_t *spf_context_ref(spf_context_t *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

/* The engines of the processes this one was forked from are left as they are; only the present one is closed. */
static void close_engine(spf_context_t *context)
{
    spf_engine_t *engine = atomic_load(&context->engine);

    if (engine != NULL && engine->generation == spf_fork_generation())
        spf_engine_close(engine);
    else if (engine != NULL)
        spf_engine_abandon(engine);
}

void spf_context_release(spf_context_t *context)
{
    int saved_errno = errno;

    if (context == NULL || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    close_engine(context);
    if (context->ops != NULL && context->ops->free != NULL)
        context->ops->free(context->resolver);
    spf_context_unhold(context);
    errno = saved_errno;
}

static spf_context_t *context_alloc(const spf_settings_t *settings)
{
    spf_context_t *context = calloc(1, sizeof *context);

    if (context == NULL)
        return NULL;
    atomic_init(&context->references, 1);
    atomic_init(&context->holders, 1);
    atomic_init(&context->engine, NULL);
    if (!spf_settings_copy(&context->settings, settings)) {
        free(context);
        return NULL;
    }
    return context;
}

static spf_err_t context_make(spf_context_t **context, spf_config_t *config, const spf_resolver_ops_t *ops,
                              void *resolver)
{
    spf_context_t *made;
    spf_engine_t *engine;
    spf_buf_t error;
    spf_err_t err;

    spf_buf_init(&error, config->error, sizeof config->error);
    if (!spf_fork_watch())
        return SPF_ENOMEM;
    made = context_alloc(&config->settings);
    if (made == NULL)
        return SPF_ENOMEM;
    if (ops != NULL) {
        /* A caller built against an older header has fewer members. */
        memcpy(&made->ops_copy, ops, ops->size < sizeof *ops ? ops->size : sizeof *ops);
        made->ops = &made->ops_copy;
        made->resolver = resolver;
    }
    err = spf_context_engine(made, &engine, &error);
    if (err != SPF_OK) {
        made->ops = NULL;
        spf_context_release(made);
        return err;
    }
    *context = made;
    return SPF_OK;
}

static spf_err_t context_make_default(spf_context_t **context, const spf_resolver_ops_t *ops, void *resolver)
{
    spf_config_t *config;
    spf_err_t err = spf_config_new(&config);

    if (err != SPF_OK)
        return err;
    err = context_make(context, config, ops, resolver);
    spf_config_free(config);
    return err;
}

spf_err_t spf_context_new_with_resolver(spf_context_t **context, spf_config_t *config, const spf_resolver_ops_t *ops,
                                        void *resolver)
{
    int saved_errno = errno;
    spf_err_t err =
        config != NULL ? context_make(context, config, ops, resolver) : context_make_default(context, ops, resolver);

    errno = saved_errno;
    return err;
}

spf_err_t spf_context_new(spf_context_t **context, spf_config_t *config)
{
    return spf_context_new_with_resolver(context, config, NULL, NULL);
}

/* ------------------------------------------------------------------------------------------------------------ jobs */

spf_err_t spf_context_go(spf_context_t *context, spf_job_t *job)
{
    spf_engine_t *engine;
    spf_err_t err = spf_context_engine(context, &engine, NULL);

    if (err != SPF_OK)
        return err;
    return job->is_waited_for ? spf_engine_run(engine, job) : spf_engine_start(engine, job);
}

/* ------------------------------------------------------------------------------------------------- the host's loop */

int spf_context_fd(spf_context_t *context)
{
    int saved_errno = errno;
    spf_engine_t *engine;
    spf_err_t err = spf_context_engine(context, &engine, NULL);

    errno = saved_errno;
    return err == SPF_OK ? spf_loop_fd(engine->loop) : -1;
}

int spf_context_timeout_ms(spf_context_t *context)
{
    int saved_errno = errno;
    spf_engine_t *engine;
    int64_t timeout_us = -1;

    if (spf_context_engine(context, &engine, NULL) == SPF_OK)
        timeout_us = spf_engine_timeout_us(engine);
    errno = saved_errno;
    if (timeout_us < 0)
        return -1;
    return timeout_us > INT64_C(1000) * INT_MAX ? INT_MAX : (int)((timeout_us + 999) / 1000);
}

spf_err_t spf_context_process(spf_context_t *context)
{
    int saved_errno = errno;
    spf_engine_t *engine;
    spf_err_t err = spf_context_engine(context, &engine, NULL);

    if (err == SPF_OK)
        err = spf_engine_process(engine);
    errno = saved_errno;
    return err;
}

spf_err_t spf_context_wait(spf_context_t *context, int timeout_ms)
{
    int saved_errno = errno;
    spf_engine_t *engine;
    spf_err_t err = spf_context_engine(context, &engine, NULL);

    if (err == SPF_OK)
        err = spf_engine_wait(engine, timeout_ms < 0 ? -1 : INT64_C(1000) * timeout_ms);
    errno = saved_errno;
    return err;
}

size_t spf_context_pending(spf_context_t *context)
{
    int saved_errno = errno;
    spf_engine_t *engine;
    size_t pending = 0;

    if (spf_context_engine(context, &engine, NULL) == SPF_OK)
        pending = spf_engine_pending(engine);
    errno = saved_errno;
    return pending;
}
