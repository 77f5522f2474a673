/* SPDX-License-Identifier: MIT */
/* Contexts: the shared one and those of a program's own. */
#include "exchange.h"

/* One has its caches from the beginning, and descriptors, of which there are fewer. */
static spf_lua_context_t *push_context(lua_State *L)
{
    enum { CONTEXT_OCTETS = 330000 };
    spf_lua_context_t *context;

    spf_lua_account(L, CONTEXT_OCTETS);
    context = spf_lua_new_userdata(L, sizeof(*context), SPF_LUA_CONTEXT);
    context->generation = spf_lua_generation();
    context->epoll_fd = context->event_fd = context->timer_fd = context->context_fd = context->resolver_fd = -1;
    TAILQ_INIT(&context->jobs);
    TAILQ_INIT(&context->ended);
    TAILQ_INIT(&context->asked);
    TAILQ_INIT(&context->given);
    TAILQ_INIT(&context->taken_back);
    return context;
}

spf_lua_context_t *spf_lua_push_shared(lua_State *L)
{
    char error[512];
    const char *file;
    spf_lua_context_t *context;
    spf_err_t err;

    spf_lua_push_slot(L, SPF_LUA_SHARED);
    if (!lua_isnil(L, -1))
        return lua_touserdata(L, -1);
    lua_pop(L, 1);
    context = push_context(L);
    spf_lua_push_slot(L, SPF_LUA_SHARED);
    if (!lua_isnil(L, -1)) {
        lua_replace(L, -2); /* a finalizer was faster */
        return lua_touserdata(L, -1);
    }
    lua_pop(L, 1);
    spf_lua_push_slot(L, SPF_LUA_CONFIG_FILE);
    file = lua_tostring(L, -1);
    err = spf_context_shared(&context->context, file, error, sizeof(error));
    if (err != SPF_OK)
        luaL_error(L, "libspf: %s", error[0] != '\0' ? error : spf_strerror(err));
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    spf_lua_set_slot(L, SPF_LUA_SHARED);
    return context;
}

void spf_lua_drop_module(lua_State *L)
{
    bool is_module;

    spf_lua_push_slot(L, SPF_LUA_MODULE);
    is_module = lua_gettop(L) > 1 && lua_rawequal(L, 1, -1);
    lua_pop(L, 1);
    if (is_module)
        lua_remove(L, 1);
}

/* The functions of the module itself have a boolean for upvalue. */
static spf_lua_context_t *to_any_context(lua_State *L, const char *function)
{
    spf_lua_context_t *context;

    luaL_checkstack(L, 8, function);
    if (lua_isboolean(L, lua_upvalueindex(1))) {
        spf_lua_drop_module(L);
        context = spf_lua_push_shared(L);
        lua_insert(L, SPF_LUA_SELF);
    } else {
        context = spf_lua_test_userdata(L, SPF_LUA_SELF, SPF_LUA_CONTEXT);
        if (context == NULL)
            spf_lua_bad(L, function, "self", "%s where a context is wanted; methods are called with a colon",
                        spf_lua_shown(L, SPF_LUA_SELF));
    }
    spf_lua_context_own(L, context);
    return context;
}

spf_lua_context_t *spf_lua_to_context(lua_State *L, const char *function)
{
    spf_lua_context_t *context = to_any_context(L, function);

    if (context->context == NULL)
        luaL_error(L, "'%s' of a context that was closed", function);
    return context;
}

void spf_lua_context_own(lua_State *L, spf_lua_context_t *context)
{
    spf_lua_job_t *job;

    if (context->generation == spf_lua_generation())
        return;
    context->generation = spf_lua_generation();
    spf_lua_close_fds(context);
    spf_lua_resolver_drop(context);
    while ((job = TAILQ_FIRST(&context->jobs)) != NULL)
        spf_lua_abandon(L, job);
}

static void cancel_all(lua_State *L, spf_lua_context_t *context)
{
    spf_lua_job_t *job;

    while ((job = TAILQ_FIRST(&context->jobs)) != NULL)
        spf_lua_cancel(L, job);
}

void spf_lua_context_close(lua_State *L, spf_lua_context_t *context)
{
    spf_context_t *owned = context->context;

    spf_lua_context_own(L, context);
    cancel_all(L, context);
    spf_lua_resolver_drop(context);
    spf_lua_close_fds(context);
    context->context = NULL;
    spf_context_release(owned);
}

/* ----------------------------------------------------------------------------------------------------- the object */

static int context_gc(lua_State *L)
{
    spf_lua_context_close(L, luaL_checkudata(L, SPF_LUA_SELF, SPF_LUA_CONTEXT));
    return 0;
}

/* The resolver is told what is not wanted any more. */
static int context_close(lua_State *L)
{
    spf_lua_context_t *context = to_any_context(L, "close");
    int error;

    if (context->context == NULL)
        return 0;
    lua_settop(L, SPF_LUA_SELF);
    lua_pushnil(L);
    error = lua_gettop(L);
    cancel_all(L, context);
    if (context->has_resolver)
        spf_lua_resolver_serve(L, error);
    spf_lua_context_close(L, context);
    lua_settop(L, error);
    return lua_isnil(L, error) ? 0 : lua_error(L);
}

static int context_pending(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)to_any_context(L, "pending")->pending);
    return 1;
}

static int context_tostring(lua_State *L)
{
    spf_lua_context_t *context = to_any_context(L, "tostring");

    if (context->context == NULL)
        lua_pushliteral(L, "a closed context of libspf");
    else
        lua_pushfstring(L, "a context of libspf with %d pending checks and surveys", (int)context->pending);
    return 1;
}

/* libspf.context{...} */
static int new_context(lua_State *L)
{
    spf_lua_context_t *context;

    spf_lua_drop_module(L);
    lua_settop(L, 1);
    if (!lua_isnil(L, 1) && !lua_istable(L, 1))
        spf_lua_bad(L, "context", "settings", "%s where a table is wanted", spf_lua_shown(L, 1));
    context = push_context(L);
    lua_insert(L, SPF_LUA_SELF);
    spf_lua_make_context(L, context);
    lua_settop(L, SPF_LUA_SELF);
    return 1;
}

const luaL_Reg spf_lua_context_functions[] = {{"pending", context_pending}, {NULL, NULL}};

void spf_lua_open_context(lua_State *L)
{
    static const luaL_Reg methods[] = {{"close", context_close}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {
        {"__tostring", context_tostring}, {"__gc", context_gc}, {"__close", context_close}, {NULL, NULL}};

    spf_lua_new_class(L, SPF_LUA_CONTEXT, methods, metamethods);
    spf_lua_set_functions(L, spf_lua_context_functions, 0);
    spf_lua_set_functions(L, spf_lua_event_functions, 0);
    spf_lua_set_functions(L, spf_lua_check_functions, 0);
    spf_lua_set_functions(L, spf_lua_survey_functions, 0);
    lua_pop(L, 1);
    spf_lua_push_slot(L, SPF_LUA_MODULE);
    lua_pushcfunction(L, new_context);
    lua_setfield(L, -2, "context");
    lua_pop(L, 1);
}
