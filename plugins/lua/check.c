/* SPDX-License-Identifier: MIT */
/* Checks: those that are waited for, and those that go on until their function is called. */
#include "exchange.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- memory */

enum { ACCOUNT_CHECKS = 128, CHECK_BYTES = 6000 };

/*
 * What libspf holds for a result is a hundred times what Lua sees of it: in a program with much else in its memory the
 * collector would let thousands of them lie about. So Lua gets as much garbage of its own to see, which nobody touches.
 */
static void account(lua_State *L, spf_lua_context_t *context)
{
    if (++context->unaccounted < ACCOUNT_CHECKS)
        return;
    lua_newuserdata(L, (size_t)ACCOUNT_CHECKS * CHECK_BYTES);
    lua_pop(L, 1);
    context->unaccounted = 0;
}

/* ------------------------------------------------------------------------------------------------------ their ends */

/* It is not its context's any more. */
static void detach(lua_State *L, spf_lua_check_t *check)
{
    TAILQ_REMOVE(&check->context->checks, check, link);
    check->context->pending -= !check->is_waited;
    check->context = NULL;
    if (!check->is_waited)
        spf_lua_let_go(L, check);
}

void spf_lua_cancel(lua_State *L, spf_lua_check_t *check)
{
    if (check->context == NULL)
        return;
    spf_check_cancel(check->check);
    spf_lua_await_end(check);
    spf_lua_unqueue(check);
    detach(L, check);
}

void spf_lua_abandon(lua_State *L, spf_lua_check_t *check)
{
    spf_check_cancel(check->check);
    spf_lua_unqueue(check);
    if (!spf_lua_has_ended(check))
        check->check = NULL; /* another thread of the parent's was in the middle of it: better lost than touched */
    detach(L, check);
}

/* What a check has found, as a result that takes it over. */
static void hand_over(spf_lua_check_t *check, spf_lua_result_t *result)
{
    result->check = check->check;
    result->has_trace = check->wants_trace;
    check->check = NULL;
}

/* (context, address of a check that has ended): calls its function. Up to where it is taken out of the list everything
 * can fail for want of memory, and is done again the next time. */
int spf_lua_deliver(lua_State *L)
{
    spf_lua_check_t *check = lua_touserdata(L, 2);
    spf_lua_result_t *result;
    enum { CHECK = 3, FUNCTION, RESULT };

    luaL_checkstack(L, 8, "libspf");
    spf_lua_push_anchored(L, check);
    spf_lua_push_value(L, CHECK);
    if (check->end != SPF_OK) {
        lua_pushnil(L);
        lua_pushstring(L, spf_strerror(check->end));
        spf_lua_unqueue(check);
        detach(L, check);
    } else {
        result = spf_lua_push_result(L);
        lua_pushvalue(L, RESULT);
        spf_lua_set_value(L, CHECK);
        spf_lua_unqueue(check);
        detach(L, check);
        hand_over(check, result);
    }
    if (!lua_isnil(L, FUNCTION))
        lua_call(L, lua_gettop(L) - FUNCTION, 0);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- starting */

/* libspf may call back from another thread before this returns. */
static spf_err_t launch(spf_lua_context_t *context, spf_lua_check_t *check)
{
    spf_err_t err;

    check->context = context;
    TAILQ_INSERT_TAIL(&context->checks, check, link);
    context->pending += !check->is_waited;
    err = spf_check_start(check->check, spf_lua_ended, check);
    if (err == SPF_OK)
        return SPF_OK;
    TAILQ_REMOVE(&context->checks, check, link);
    context->pending -= !check->is_waited;
    check->context = NULL;
    return err;
}

static int raise_start(lua_State *L, const char *function, spf_check_t *check, spf_err_t err)
{
    const char *sentence = spf_check_error(check);

    return luaL_error(L, "%s: %s", function, *sentence != '\0' ? sentence : spf_strerror(err));
}

spf_lua_check_t *spf_lua_start(lua_State *L, const char *function, int first)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    bool has_callback;
    int callback = spf_lua_settle_arguments(L, function, first, &has_callback);
    spf_lua_check_t *check = spf_lua_new_userdata(L, sizeof(*check), SPF_LUA_CHECK);
    spf_err_t err;

    account(L, context);
    check->wants_trace = spf_lua_read_check(L, function, first, has_callback, context->context, &check->check);
    lua_pushvalue(L, callback);
    spf_lua_set_value(L, -2);
    spf_lua_anchor(L, check);
    err = launch(context, check);
    if (err != SPF_OK) {
        spf_lua_let_go(L, check);
        raise_start(L, function, check->check, err);
    }
    if (context->has_resolver)
        spf_lua_advance(L, SPF_LUA_NO_ERROR);
    return check;
}

static int start(lua_State *L)
{
    spf_lua_to_context(L, "start");
    spf_lua_start(L, "start", SPF_LUA_SELF + 1);
    return 1;
}

/* ------------------------------------------------------------------------------------------------- waiting for one */

/* The resolver is Lua's: it can only be asked while libspf is not inside. */
static void run_with_resolver(lua_State *L, const char *function, spf_lua_result_t *result, bool wants_trace)
{
    spf_lua_context_t *context = lua_touserdata(L, SPF_LUA_SELF);
    spf_lua_check_t *check = spf_lua_new_userdata(L, sizeof(*check), SPF_LUA_CHECK);
    spf_err_t err;

    check->check = result->check;
    check->wants_trace = wants_trace;
    check->is_waited = true;
    result->check = NULL;
    err = launch(context, check);
    if (err != SPF_OK)
        raise_start(L, function, check->check, err);
    for (;;) {
        spf_lua_turn(L);
        if (check->context == NULL)
            luaL_error(L, "%s: the context was closed meanwhile, or the process forked", function);
        if (spf_lua_has_ended(check))
            break;
        spf_lua_block(L, -1);
    }
    detach(L, check);
    if (check->end != SPF_OK)
        raise_start(L, function, check->check, check->end);
    hand_over(check, result);
}

static int run(lua_State *L)
{
    spf_lua_context_t *context = spf_lua_to_context(L, "check");
    spf_lua_result_t *result;
    spf_err_t err;

    spf_lua_settle_arguments(L, "check", SPF_LUA_SELF + 1, NULL);
    account(L, context);
    result = spf_lua_push_result(L);
    result->has_trace = spf_lua_read_check(L, "check", SPF_LUA_SELF + 1, false, context->context, &result->check);
    if (context->has_resolver) {
        run_with_resolver(L, "check", result, result->has_trace);
        lua_pop(L, 1);
        return 1;
    }
    err = spf_check_run(result->check);
    if (err != SPF_OK)
        raise_start(L, "check", result->check, err);
    return 1;
}

/* ----------------------------------------------------------------------------------------------------- the object */

static spf_lua_check_t *to_check(lua_State *L, const char *function)
{
    spf_lua_check_t *check = spf_lua_test_userdata(L, 1, SPF_LUA_CHECK);

    if (check == NULL)
        spf_lua_bad(L, function, "self", "%s where a check is wanted; methods are called with a colon",
                    spf_lua_shown(L, 1));
    if (check->context != NULL)
        spf_lua_context_own(L, check->context);
    return check;
}

static int check_cancel(lua_State *L)
{
    spf_lua_check_t *check = to_check(L, "cancel");

    spf_lua_cancel(L, check);
    return 0;
}

static int check_pending(lua_State *L)
{
    lua_pushboolean(L, to_check(L, "pending")->context != NULL);
    return 1;
}

/* Its value was the function, and is the result when that was called. */
static int check_index(lua_State *L)
{
    to_check(L, "result");
    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "result") != 0) {
        lua_rawget(L, lua_upvalueindex(1));
        return 1;
    }
    spf_lua_push_value(L, 1);
    if (spf_lua_test_userdata(L, -1, SPF_LUA_RESULT) == NULL)
        lua_pushnil(L);
    return 1;
}

static int check_tostring(lua_State *L)
{
    spf_lua_check_t *check = to_check(L, "tostring");

    spf_lua_push_value(L, 1);
    if (spf_lua_test_userdata(L, -1, SPF_LUA_RESULT) == NULL)
        lua_pushfstring(L, "a check that %s", check->context != NULL ? "is pending" : "was cancelled");
    else
        lua_pushliteral(L, "a check that has its result");
    return 1;
}

static int check_close(lua_State *L)
{
    spf_lua_check_t *check = luaL_checkudata(L, 1, SPF_LUA_CHECK);
    spf_check_t *owned;

    if (check->context != NULL)
        spf_lua_context_own(L, check->context);
    spf_lua_cancel(L, check);
    owned = check->check;
    check->check = NULL;
    spf_check_free(owned);
    return 0;
}

void spf_lua_open_check(lua_State *L)
{
    static const luaL_Reg methods[] = {{"cancel", check_cancel}, {"pending", check_pending}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__index", check_index},
                                           {"__tostring", check_tostring},
                                           {"__gc", check_close},
                                           {"__close", check_close},
                                           {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_CHECK, methods, metamethods);
    lua_pop(L, 1);
}

const luaL_Reg spf_lua_check_functions[] = {{"check", run}, {"start", start}, {NULL, NULL}};
