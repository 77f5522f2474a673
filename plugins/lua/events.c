/* SPDX-License-Identifier: MIT */
/* Contexts in a host's event loop, and without one. */
#include "exchange.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static spf_lua_context_t *self(lua_State *L)
{
    return lua_touserdata(L, SPF_LUA_SELF);
}

/* ----------------------------------------------------------------------------------------------------- descriptors */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void spf_lua_close_fds(spf_lua_context_t *context)
{
    int event_fd = context->event_fd;

    spf_lua_set_event_fd(context, -1);
    close_fd(&event_fd);
    close_fd(&context->epoll_fd);
    context->context_fd = context->resolver_fd = -1;
}

static bool watch(spf_lua_context_t *context, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(context->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

/* Puts another descriptor in the place of one that is watched, or was: its owner may have closed it. */
static bool watch_instead(spf_lua_context_t *context, int *watched, int fd)
{
    struct epoll_event unused = {0};

    if (*watched >= 0 && *watched != fd)
        epoll_ctl(context->epoll_fd, EPOLL_CTL_DEL, *watched, &unused);
    *watched = fd;
    return fd < 0 || watch(context, fd);
}

static bool open_fds(spf_lua_context_t *context)
{
    int event_fd;

    if (context->epoll_fd >= 0)
        return true;
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    context->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (event_fd < 0 || context->epoll_fd < 0 || !watch(context, event_fd)) {
        close_fd(&event_fd);
        close_fd(&context->epoll_fd);
        return false;
    }
    spf_lua_set_event_fd(context, event_fd);
    return true;
}

/* Calls a function of the resolver that may be missing; what it gives is on the stack, else nil. */
static void ask_resolver(lua_State *L, const char *function)
{
    if (!self(L)->has_resolver) {
        lua_pushnil(L);
        return;
    }
    spf_lua_push_resolver_function(L, function);
    if (!lua_isnil(L, -1))
        lua_call(L, 0, 1);
}

static int resolver_fd(lua_State *L)
{
    int fd = -1;

    ask_resolver(L, "fd");
    if (lua_type(L, -1) == LUA_TNUMBER)
        fd = (int)lua_tointeger(L, -1);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "the resolver's fd() gave %s where a descriptor's number or nil is wanted", spf_lua_shown(L, -1));
    lua_pop(L, 1);
    return fd;
}

int spf_lua_fd(lua_State *L)
{
    spf_lua_context_t *context = self(L);
    int fd = resolver_fd(L);

    if (context->context == NULL || !open_fds(context) ||
        !watch_instead(context, &context->context_fd, spf_context_fd(context->context)) ||
        !watch_instead(context, &context->resolver_fd, fd))
        luaL_error(L, "libspf: no descriptor to be polled could be had: %s", strerror(errno));
    return context->epoll_fd;
}

/* ------------------------------------------------------------------------------------------------------------ time */

static double earlier(double a, double b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

double spf_lua_timeout(lua_State *L)
{
    spf_lua_context_t *context = self(L);
    double seconds = -1;
    int timeout_ms;

    ask_resolver(L, "timeout");
    if (lua_type(L, -1) == LUA_TNUMBER)
        seconds = lua_tonumber(L, -1);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "the resolver's timeout() gave %s where seconds or nil are wanted", spf_lua_shown(L, -1));
    lua_pop(L, 1);
    if (context->context == NULL || context->has_news || !TAILQ_EMPTY(&context->taken_back) ||
        spf_lua_first_ended(context, NULL) != NULL)
        return 0;
    timeout_ms = spf_context_timeout_ms(context->context);
    return earlier(seconds, timeout_ms < 0 ? -1 : timeout_ms / 1000.0);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ------------------------------------------------------------------------------------------------------ processing */

/* What a protected call raised, on the top of the stack, goes to the caller's place for the first error, where nil
 * would be none. */
static void keep_error(lua_State *L, int error)
{
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, false);
    }
    if (error != SPF_LUA_NO_ERROR && lua_isnil(L, error))
        lua_replace(L, error);
    else
        lua_pop(L, 1);
}

void spf_lua_call_protected(lua_State *L, int arguments, int error)
{
    if (lua_pcall(L, arguments, 0, 0) != 0)
        keep_error(L, error);
}

static void process_resolver(lua_State *L, int error)
{
    if (!self(L)->has_resolver)
        return;
    spf_lua_push_slot(L, SPF_LUA_PROCESS_RESOLVER);
    lua_pushvalue(L, SPF_LUA_SELF);
    spf_lua_call_protected(L, 1, error);
}

spf_err_t spf_lua_advance(lua_State *L, int error)
{
    spf_lua_context_t *context = self(L);
    spf_err_t err = SPF_OK;

    context->inside++;
    do {
        if (context->has_resolver)
            spf_lua_resolver_serve(L, error);
        context->has_news = false;
        if (context->context != NULL)
            err = spf_context_process(context->context);
    } while (context->context != NULL && !TAILQ_EMPTY(&context->asked));
    context->inside--;
    return err;
}

/* Calls the functions of what has ended by now; those that end meanwhile wait for the next time. */
static int deliver_all(lua_State *L, int error)
{
    spf_lua_context_t *context = self(L);
    spf_lua_job_t *job;
    size_t count;
    int called = 0;

    job = spf_lua_first_ended(context, &count);
    for (; count > 0 && job != NULL; count--) {
        spf_lua_push_slot(L, SPF_LUA_DELIVER);
        lua_pushvalue(L, SPF_LUA_SELF);
        lua_pushlightuserdata(L, job);
        spf_lua_call_protected(L, 2, error);
        if (spf_lua_first_ended(context, NULL) == job)
            break; /* there was no memory to call it: it stays for the next time */
        called++;
        job = spf_lua_first_ended(context, NULL);
    }
    return called;
}

static int raise_system(lua_State *L, spf_err_t err)
{
    return luaL_error(L, "libspf: %s", spf_strerror(err));
}

int spf_lua_process(lua_State *L)
{
    spf_lua_context_t *context = self(L);
    int error = lua_gettop(L) + 1, called = 0;
    spf_err_t err = SPF_OK;

    luaL_checkstack(L, 8, "libspf");
    lua_pushnil(L);
    context->inside++;
    process_resolver(L, error);
    do {
        if (context->context != NULL)
            err = spf_lua_advance(L, error);
        called += deliver_all(L, error);
    } while (context->has_news);
    context->inside--;
    spf_lua_clear_event(context);
    if (!lua_isnil(L, error))
        lua_error(L);
    lua_pop(L, 1);
    if (err != SPF_OK)
        raise_system(L, err);
    return called;
}

void spf_lua_turn(lua_State *L)
{
    int error = lua_gettop(L) + 1;
    spf_err_t err;

    lua_pushnil(L);
    self(L)->inside++;
    process_resolver(L, error);
    self(L)->inside--;
    err = spf_lua_advance(L, error);
    if (!lua_isnil(L, error))
        lua_error(L);
    lua_pop(L, 1);
    if (err != SPF_OK)
        raise_system(L, err);
}

/* --------------------------------------------------------------------------------------------------------- waiting */

/* The resolver waits itself. */
static void block_in_resolver(lua_State *L, double seconds)
{
    spf_lua_context_t *context = self(L);
    int status;

    if (seconds >= 0)
        lua_pushnumber(L, seconds);
    else
        lua_pushnil(L);
    context->inside++;
    status = lua_pcall(L, 1, 0, 0);
    context->inside--;
    if (status != 0)
        lua_error(L);
}

bool spf_lua_block(lua_State *L, double seconds)
{
    spf_lua_context_t *context = self(L);
    struct pollfd fd = {.events = POLLIN};

    seconds = earlier(seconds, spf_lua_timeout(L));
    if (context->has_resolver) {
        spf_lua_push_resolver_function(L, "wait");
        if (!lua_isnil(L, -1)) {
            block_in_resolver(L, seconds);
            return true;
        }
        lua_pop(L, 1);
    }
    fd.fd = spf_lua_fd(L);
    if (poll(&fd, 1, seconds < 0 ? -1 : (int)(earlier(seconds, 1e6) * 1000 + 0.999)) >= 0)
        return true;
    if (errno != EINTR)
        raise_system(L, SPF_ESYSTEM);
    return false;
}

/* A signal ends it: only in Lua can its handler be run. */
static int wait(lua_State *L, int timeout_ms)
{
    spf_lua_context_t *context = self(L);
    double end = timeout_ms < 0 ? -1 : now() + timeout_ms / 1000.0, left = -1;
    int called;

    for (;;) {
        called = spf_lua_process(L);
        if (end >= 0)
            left = end - now();
        if (called > 0 || context->context == NULL || context->pending == 0 || (end >= 0 && left <= 0) ||
            !spf_lua_block(L, left))
            return called;
    }
}

/* ------------------------------------------------------------------------------------------------------- functions */

static int context_fd(lua_State *L)
{
    spf_lua_to_context(L, "fd");
    lua_pushinteger(L, spf_lua_fd(L));
    return 1;
}

static int context_timeout(lua_State *L)
{
    double seconds;

    spf_lua_to_context(L, "timeout");
    seconds = spf_lua_timeout(L);
    if (seconds < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, seconds);
    return 1;
}

/* What cqueues waits for. */
static int context_events(lua_State *L)
{
    spf_lua_to_context(L, "events");
    lua_pushliteral(L, "r");
    return 1;
}

static int context_process(lua_State *L)
{
    spf_lua_to_context(L, "process");
    lua_settop(L, SPF_LUA_SELF);
    lua_pushinteger(L, spf_lua_process(L));
    return 1;
}

static int context_wait(lua_State *L)
{
    int timeout_ms;

    spf_lua_to_context(L, "wait");
    timeout_ms = spf_lua_timeout_ms(L, "wait", SPF_LUA_SELF + 1);
    lua_settop(L, SPF_LUA_SELF);
    lua_pushinteger(L, wait(L, timeout_ms));
    return 1;
}

const luaL_Reg spf_lua_event_functions[] = {
    {"fd", context_fd},         {"pollfd", context_fd},       {"getfd", context_fd},  {"timeout", context_timeout},
    {"events", context_events}, {"process", context_process}, {"wait", context_wait}, {NULL, NULL}};
