/* SPDX-License-Identifier: MIT */
/* Contexts in a host's event loop, and without one. */
#include "exchange.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TIMER_MAX_S = 1000000 };

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
    close_fd(&context->timer_fd);
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
    context->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    context->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (event_fd < 0 || context->timer_fd < 0 || context->epoll_fd < 0 || !watch(context, event_fd) ||
        !watch(context, context->timer_fd)) {
        close_fd(&event_fd);
        close_fd(&context->timer_fd);
        close_fd(&context->epoll_fd);
        return false;
    }
    spf_lua_set_event_fd(context, event_fd);
    return true;
}

static bool is_descriptor(double number)
{
    return number >= 0 && number <= INT_MAX && number == floor(number);
}

static bool is_time(double number)
{
    return !isnan(number);
}

/* Calls a function of the resolver, which may be missing, that gives a number or nil. False: nil. */
static bool ask_resolver(lua_State *L, const char *function, double *number, bool (*is_right)(double),
                         const char *wanted)
{
    bool is_there;
    int status;

    if (!self(L)->has_resolver)
        return false;
    spf_lua_push_resolver_function(L, function);
    if (!lua_isnil(L, -1)) {
        self(L)->inside++;
        status = lua_pcall(L, 0, 1, 0);
        self(L)->inside--;
        if (status != 0)
            lua_error(L);
    }
    is_there = !lua_isnil(L, -1);
    *number = lua_tonumber(L, -1);
    if (is_there && (lua_type(L, -1) != LUA_TNUMBER || !is_right(*number)))
        luaL_error(L, "the resolver's %s() gave %s where %s or nil is wanted", function, spf_lua_shown(L, -1), wanted);
    lua_pop(L, 1);
    return is_there;
}

/* Seconds until the resolver is to process; negative: it has no time. */
static double resolver_timeout(lua_State *L)
{
    double seconds;

    if (!ask_resolver(L, "timeout", &seconds, is_time, "a number of seconds"))
        return -1;
    return seconds < 0 ? 0 : seconds; /* what was due a while ago is due now */
}

/* Makes the descriptor readable when it is time for spf_lua_process(), which sets it back. */
static void set_timer(const spf_lua_context_t *context, double seconds)
{
    struct itimerspec at = {0};

    if (seconds >= 0) {
        seconds = seconds < TIMER_MAX_S ? seconds : TIMER_MAX_S;
        at.it_value.tv_sec = (time_t)seconds;
        at.it_value.tv_nsec = (long)((seconds - (double)at.it_value.tv_sec) * 1e9);
        at.it_value.tv_nsec += at.it_value.tv_sec == 0 && at.it_value.tv_nsec == 0; /* all 0 would be never */
    }
    timerfd_settime(context->timer_fd, 0, &at, NULL);
}

static int resolver_fd(lua_State *L)
{
    double fd;

    return ask_resolver(L, "fd", &fd, is_descriptor, "a descriptor's number") ? (int)fd : -1;
}

int spf_lua_fd(lua_State *L)
{
    spf_lua_context_t *context = self(L);
    double seconds = resolver_timeout(L);
    int fd = resolver_fd(L);

    if (context->context == NULL || !open_fds(context) ||
        !watch_instead(context, &context->context_fd, spf_context_fd(context->context)) ||
        !watch_instead(context, &context->resolver_fd, fd))
        luaL_error(L, "libspf: no descriptor to be polled could be had: %s", strerror(errno));
    set_timer(context, seconds);
    if (context->has_news || !TAILQ_EMPTY(&context->taken_back))
        spf_lua_tell_host(context);
    return context->epoll_fd;
}

int spf_lua_follow_resolver(lua_State *L)
{
    spf_lua_fd(L);
    return 0;
}

/* What the host polls goes with the resolver, which may have opened a descriptor by now, and have less time. */
static void follow_resolver(lua_State *L, int error)
{
    const spf_lua_context_t *context = self(L);

    if (!context->has_resolver || context->context == NULL || context->epoll_fd < 0)
        return;
    spf_lua_push_slot(L, SPF_LUA_FOLLOW_RESOLVER);
    lua_pushvalue(L, SPF_LUA_SELF);
    spf_lua_call_protected(L, 1, error);
}

/* ------------------------------------------------------------------------------------------------------------ time */

static double earlier(double a, double b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Seconds until the library, or the resolver, can go on though the descriptors stay quiet; negative: no limit. */
static double time_left(lua_State *L)
{
    spf_lua_context_t *context = self(L);
    double seconds = resolver_timeout(L);
    int timeout_ms;

    if (context->context == NULL || context->has_news || !TAILQ_EMPTY(&context->taken_back))
        return 0;
    timeout_ms = spf_context_timeout_ms(context->context);
    return earlier(seconds, timeout_ms < 0 ? -1 : timeout_ms / 1000.0);
}

double spf_lua_timeout(lua_State *L)
{
    double seconds = time_left(L);

    return spf_lua_first_ended(self(L), NULL) != NULL ? 0 : seconds;
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
    follow_resolver(L, error);
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
    } while (context->has_news && context->context != NULL);
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

/* What is waited for is that something ends. What has ended already, its function not called yet, does not count: so a
 * context that has a resolver, where nobody else ends anything, is not asked for its own descriptor. */
bool spf_lua_block(lua_State *L, double seconds)
{
    spf_lua_context_t *context = self(L);
    struct pollfd fds[2] = {{.fd = -1, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

    if (context->has_resolver) {
        seconds = earlier(seconds, time_left(L));
        spf_lua_push_resolver_function(L, "wait");
        if (!lua_isnil(L, -1)) {
            block_in_resolver(L, seconds);
            return true;
        }
        lua_pop(L, 1);
        fds[0].fd = resolver_fd(L);
        if (context->context == NULL || context->has_news)
            return true;
        fds[1].fd = spf_context_fd(context->context);
    } else {
        seconds = earlier(seconds, spf_lua_timeout(L));
        fds[0].fd = spf_lua_fd(L);
    }
    if (poll(fds, 2, seconds < 0 ? -1 : (int)(earlier(seconds, 1e6) * 1000 + 0.999)) >= 0)
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
