/* SPDX-License-Identifier: MIT */
/* A context: settings, references, and the engine of the present process. */
#ifndef SPF_API_CONTEXT_H
#define SPF_API_CONTEXT_H

#include "api/engine.h"

#include <stdatomic.h>

struct spf_context {
    atomic_uint references; /* the callers' */
    atomic_uint holders;    /* the callers, all as one, and every check: the memory lives as long */
    spf_settings_t settings;
    const spf_resolver_ops_t *ops; /* of the host's resolver, a copy of the caller's as far as it goes; NULL: ours */
    spf_resolver_ops_t ops_copy;
    void *resolver;
    _Atomic(spf_engine_t *) engine;
};

/* The engine of this process: after a fork a new one. What is wrong goes into error, which may be NULL. */
spf_err_t spf_context_engine(spf_context_t *context, spf_engine_t **engine, spf_buf_t *error);
/* Starts a job in the engine of this process or, if it is waited for, runs it. */
spf_err_t spf_context_go(spf_context_t *context, spf_job_t *job);
/* A check or survey holds its context's memory. */
void spf_context_hold(spf_context_t *context);
void spf_context_unhold(spf_context_t *context);
/* Another reference, unless the last is gone already: for the shared context. */
bool spf_context_try_ref(spf_context_t *context);

#endif
