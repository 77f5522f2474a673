/* SPDX-License-Identifier: MIT */
/* What checks and surveys have in common: they are waited for, or go on until their function is called. */
#include "exchange.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------------ their ends */

/* It is not its context's any more. */
static void detach(lua_State *L, spf_lua_job_t *job)
{
    TAILQ_REMOVE(&job->context->jobs, job, link);
    job->context->pending -= !job->is_waited;
    job->context = NULL;
    if (!job->is_waited)
        spf_lua_let_go(L, job);
}

static void free_subject(spf_lua_job_t *job)
{
    void *owned = job->subject;

    job->subject = NULL;
    if (owned != NULL)
        job->kind->free(owned);
}

void spf_lua_cancel(lua_State *L, spf_lua_job_t *job)
{
    if (job->context == NULL)
        return;
    job->kind->cancel(job->subject);
    spf_lua_await_end(job);
    spf_lua_unqueue(job);
    if (!TAILQ_EMPTY(&job->context->taken_back))
        spf_lua_tell_host(job->context);
    detach(L, job);
    free_subject(job);
}

void spf_lua_abandon(lua_State *L, spf_lua_job_t *job)
{
    job->kind->cancel(job->subject);
    spf_lua_unqueue(job);
    if (!spf_lua_has_ended(job))
        job->subject = NULL; /* another thread of the parent's was in the middle of it: better lost than touched */
    detach(L, job);
    free_subject(job);
}

static spf_lua_result_t *push_result(lua_State *L, const spf_lua_kind_t *kind)
{
    spf_lua_result_t *result = spf_lua_new_userdata(L, sizeof(*result), kind->result);

    result->kind = kind;
    return result;
}

void spf_lua_close_result(spf_lua_result_t *result)
{
    void *owned = result->subject;

    result->subject = NULL;
    if (owned != NULL)
        result->kind->free(owned);
}

/* What was found, as a result that takes it over. */
static void hand_over(spf_lua_job_t *job, spf_lua_result_t *result)
{
    result->subject = job->subject;
    result->has_trace = job->has_trace;
    job->subject = NULL;
}

/* Pushes what its function is called with; all that takes memory. NULL: nil and a message. */
static spf_lua_result_t *push_end(lua_State *L, const spf_lua_job_t *job)
{
    if (job->end != SPF_OK) {
        lua_pushnil(L);
        lua_pushstring(L, spf_strerror(job->end));
        return NULL;
    }
    spf_lua_account(L, job->kind->more_octets(job->subject, job->has_trace));
    return push_result(L, job->kind);
}

/*
 * (context, address of a job that has ended): calls its function. Up to where it is taken out of the list everything
 * can fail for want of memory, and is done again the next time; and whatever asks for memory may run a finalizer, which
 * may cancel the job or close the context.
 */
int spf_lua_deliver(lua_State *L)
{
    spf_lua_job_t *job = lua_touserdata(L, 2);
    spf_lua_result_t *result;
    enum { JOB = 3, FUNCTION, RESULT };

    luaL_checkstack(L, 8, "libspf");
    spf_lua_push_anchored(L, job);
    if (lua_isnil(L, JOB) || !spf_lua_is_due(job))
        return 0;
    spf_lua_push_value(L, JOB);
    result = push_end(L, job);
    if (!spf_lua_is_due(job))
        return 0;
    if (result != NULL) {
        lua_pushvalue(L, RESULT);
        spf_lua_set_value(L, JOB);
        hand_over(job, result);
    }
    spf_lua_unqueue(job);
    detach(L, job);
    if (!lua_isnil(L, FUNCTION))
        lua_call(L, lua_gettop(L) - FUNCTION, 0);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- starting */

/* libspf may call back from another thread before this returns. */
static spf_err_t launch(spf_lua_context_t *context, spf_lua_job_t *job)
{
    spf_err_t err;

    job->context = context;
    TAILQ_INSERT_TAIL(&context->jobs, job, link);
    context->pending += !job->is_waited;
    err = job->kind->start(job);
    if (err == SPF_OK)
        return SPF_OK;
    TAILQ_REMOVE(&context->jobs, job, link);
    context->pending -= !job->is_waited;
    job->context = NULL;
    return err;
}

static int raise_start(lua_State *L, const char *function, const spf_lua_kind_t *kind, const void *subject,
                       spf_err_t err)
{
    const char *sentence = kind->error(subject);

    return luaL_error(L, "%s: %s", function, *sentence != '\0' ? sentence : spf_strerror(err));
}

static spf_lua_job_t *push_job(lua_State *L, const spf_lua_kind_t *kind)
{
    spf_lua_job_t *job = spf_lua_new_userdata(L, sizeof(*job), SPF_LUA_JOB);

    job->kind = kind;
    return job;
}

/* A finalizer may have closed it since it was looked at, for want of memory. From here until the subject is started
 * nothing may ask for any: only errors do. */
static spf_context_t *open_context(lua_State *L, const char *function)
{
    const spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);

    if (context->context == NULL)
        luaL_error(L, "'%s' of a context that was closed", function);
    return context->context;
}

spf_lua_job_t *spf_lua_start(lua_State *L, const spf_lua_kind_t *kind, const char *function, int first)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    bool has_callback;
    int callback = spf_lua_settle_arguments(L, function, first, kind->positions, &has_callback);
    spf_lua_job_t *job = push_job(L, kind);
    spf_err_t err;

    spf_lua_account(L, kind->octets);
    lua_pushvalue(L, callback);
    spf_lua_set_value(L, -2);
    job->has_trace = kind->read(L, function, first, has_callback, open_context(L, function), &job->subject);
    spf_lua_anchor(L, job);
    err = launch(context, job);
    if (err != SPF_OK) {
        spf_lua_let_go(L, job);
        raise_start(L, function, kind, job->subject, err);
    }
    if (context->has_resolver)
        spf_lua_advance(L, SPF_LUA_NO_ERROR);
    return job;
}

/* ------------------------------------------------------------------------------------------------- waiting for one */

/* The resolver is Lua's: it can only be asked while libspf is not inside. */
static void run_with_resolver(lua_State *L, const char *function, spf_lua_job_t *job, spf_lua_result_t *result)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    spf_err_t err;

    job->subject = result->subject;
    job->has_trace = result->has_trace;
    job->is_waited = true;
    result->subject = NULL;
    err = launch(context, job);
    if (err != SPF_OK)
        raise_start(L, function, job->kind, job->subject, err);
    for (;;) {
        spf_lua_turn(L);
        if (job->context == NULL)
            luaL_error(L, "%s: the context was closed meanwhile, or the process forked", function);
        if (spf_lua_has_ended(job))
            break;
        spf_lua_block(L, -1);
    }
    detach(L, job);
    if (job->end != SPF_OK)
        raise_start(L, function, job->kind, job->subject, job->end);
    hand_over(job, result);
}

spf_lua_result_t *spf_lua_run(lua_State *L, const spf_lua_kind_t *kind, const char *function, int first)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    spf_lua_result_t *result;
    spf_lua_job_t *job = NULL;
    spf_err_t err;
    int found;

    spf_lua_settle_arguments(L, function, first, kind->positions, NULL);
    spf_lua_account(L, kind->octets);
    result = push_result(L, kind);
    found = lua_gettop(L);
    if (context->has_resolver)
        job = push_job(L, kind);
    result->has_trace = kind->read(L, function, first, false, open_context(L, function), &result->subject);
    if (job != NULL) {
        run_with_resolver(L, function, job, result);
    } else {
        err = kind->run(result->subject);
        if (err != SPF_OK)
            raise_start(L, function, kind, result->subject, err);
    }
    lua_settop(L, found);
    spf_lua_account(L, kind->more_octets(result->subject, result->has_trace));
    return result;
}

/* ----------------------------------------------------------------------------------------------------- the object */

static spf_lua_job_t *to_job(lua_State *L, const char *function)
{
    spf_lua_job_t *job = spf_lua_test_userdata(L, 1, SPF_LUA_JOB);

    if (job == NULL)
        spf_lua_bad(L, function, "self",
                    "%s where a check or survey that was started is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    if (job->context != NULL)
        spf_lua_context_own(L, job->context);
    return job;
}

static int job_cancel(lua_State *L)
{
    spf_lua_job_t *job = to_job(L, "cancel");

    spf_lua_cancel(L, job);
    return 0;
}

static int job_pending(lua_State *L)
{
    lua_pushboolean(L, to_job(L, "pending")->context != NULL);
    return 1;
}

/* Pushes its value, which was the function, and is the result when that was called; false: it has none. */
static bool push_outcome(lua_State *L, const spf_lua_job_t *job)
{
    spf_lua_push_value(L, 1);
    return spf_lua_test_userdata(L, -1, job->kind->result) != NULL;
}

static int job_index(lua_State *L)
{
    spf_lua_job_t *job = to_job(L, "result");

    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "result") != 0)
        lua_rawget(L, lua_upvalueindex(1));
    else if (!push_outcome(L, job))
        lua_pushnil(L);
    return 1;
}

static int job_tostring(lua_State *L)
{
    spf_lua_job_t *job = to_job(L, "tostring");

    if (push_outcome(L, job))
        lua_pushfstring(L, "a %s that has its result", job->kind->name);
    else
        lua_pushfstring(L, "a %s that %s", job->kind->name, job->context != NULL ? "is pending" : "was cancelled");
    return 1;
}

static int job_close(lua_State *L)
{
    spf_lua_job_t *job = luaL_checkudata(L, 1, SPF_LUA_JOB);

    if (job->context != NULL)
        spf_lua_context_own(L, job->context);
    spf_lua_cancel(L, job);
    free_subject(job);
    return 0;
}

void spf_lua_open_job(lua_State *L)
{
    static const luaL_Reg methods[] = {{"cancel", job_cancel}, {"pending", job_pending}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__index", job_index},
                                           {"__tostring", job_tostring},
                                           {"__gc", job_close},
                                           {"__close", job_close},
                                           {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_JOB, methods, metamethods);
    lua_pop(L, 1);
}
