/* SPDX-License-Identifier: MIT */
/*
 * require "libspf.rspamd": checks that wait in rspamd's own event loop, so that the worker scans other mail meanwhile.
 *
 * rspamd shows Lua neither its descriptors nor the bookkeeping of a scan, and has no headers to build against. But its
 * libraries export their functions: those used here are looked up when the module is opened, and where one is missing
 * available() says so. Nothing is assumed of the layout of rspamd's data; ev_once() needs none of libev's.
 *
 * A check that waits is an event of its task's session and of the symbol that asked for it: the task does not end, and
 * symbols that depend on this one do not run, before the check has ended. When the task dies first, rspamd calls the
 * event's finalizer, and the check is cancelled. A check may end while other code of the worker runs (inside a blocking
 * check of the same context, say): its function is called from the event loop, never from inside such code.
 *
 * A worker's tasks keep its configuration and with it its Lua state, and the process ends with the loop: so whatever a
 * loop or a session knows of here is there as long as they are.
 */
#include "libspf_lua.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WAIT          "libspf.rspamd.wait"
#define WATCH         "libspf.rspamd.watch"
#define HOST          "libspf.rspamd.host"
#define DUPLICATE     "libspf.rspamd.duplicate"
#define DUPLICATES    "libspf.rspamd.duplicates" /* in the registry: contexts, which it does not keep, to duplicates */
#define SUBSYSTEM     "libspf"
#define READABLE      1    /* libev's EV_READ */
#define POLL_PERIOD_S 0.05 /* where there is no descriptor to watch */

/* X(return type, name, parameters): what is used of librspamd-server, and of libev, which comes with it. */
#define HOST_FUNCTIONS(X)                                                                                              \
    X(void, ev_once, (void *loop, int fd, int events, double timeout_s, void (*call)(int, void *), void *user_data))   \
    X(void, ev_feed_fd_event, (void *loop, int fd, int events))                                                        \
    X(void *, rspamd_session_add_event_full,                                                                           \
      (void *session, void (*finalizer)(void *), void *user_data, const char *subsystem, const char *location))        \
    X(void *, rspamd_symcache_get_cur_item, (void *task))                                                              \
    X(void *, rspamd_symcache_set_cur_item, (void *task, void *item))                                                  \
    X(unsigned, rspamd_symcache_item_async_inc_full,                                                                   \
      (void *task, void *item, const char *subsystem, const char *location))                                           \
    X(int, rspamd_symcache_item_async_dec_check_full,                                                                  \
      (void *task, void *item, const char *subsystem, const char *location))

typedef struct watch watch_t;
typedef TAILQ_HEAD(watch_list, watch) watch_list_t;

/* A check and the task that waits for it. Anchored until its finalizer has run. Its value is a table: */
enum { WAIT_FUNCTION = 1, WAIT_TASK, WAIT_WATCH, WAIT_CHECK, WAIT_RESULT, WAIT_MESSAGE, WAIT_ITEMS = WAIT_MESSAGE };

typedef struct wait {
    watch_t *watch;
    void *task;
    void *session;
    void *item;             /* of the symbol that asked; NULL outside of symbols */
    bool is_begun;          /* the session knows of it */
    bool is_ended;          /* but not told yet */
    TAILQ_ENTRY(wait) link; /* while it is ended */
} wait_t;

typedef TAILQ_HEAD(wait_list, wait) wait_list_t;

/* A context in an event loop. Anchored while the loop is to call it. Its value is the context's userdata. */
struct watch {
    struct host *host;
    const void *context; /* its address */
    void *loop;
    int fd; /* what was asked to be watched */
    bool is_armed;
    bool is_inside; /* on_ready() is at work */
    size_t waits;
    wait_list_t ended;
    TAILQ_ENTRY(watch) link;
};

/* A context's descriptor and its duplicate. The loop watches this one: libev aborts where a descriptor is closed that
 * it watches, as a rule may close a context. It lives as long as the context, for one that is closed while what it
 * duplicates is open leaves its entry in the kernel's epoll set, and libev makes a new set for each event from such. */
typedef struct {
    int context_fd;
    int fd;
} duplicate_t;

typedef struct host {
#define X(type, name, parameters) type(*name) parameters;
    HOST_FUNCTIONS(X)
#undef X
    /* One of these two: the first is an older rspamd's. */
    void (*rspamd_session_remove_event_full)(void *session, void (*finalizer)(void *), void *user_data,
                                             const char *location);
    void (*rspamd_session_remove_event)(void *session, void (*finalizer)(void *), void *user_data);
    const char *missing; /* the first function that is missing, or NULL */
    lua_State *thread;   /* where functions are called: the threads that started checks may be gone by then */
    size_t waits;
    watch_list_t watches;
} host_t;

/* What stands at the bottom of that thread: functions to be called protected, made beforehand, for nothing can be
 * pushed without memory. Each takes an address. */
enum { GO_ON = 1, CALL_BACK, FORGET, LOG };

/* Sets a pointer to a function. @return false if there is none of that name. */
static bool find(void *function, const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static void host_find(host_t *host)
{
#define X(type, name, parameters)                                                                                      \
    if (!find(&host->name, #name) && !host->missing)                                                                   \
        host->missing = #name;
    HOST_FUNCTIONS(X)
#undef X
    if (!find(&host->rspamd_session_remove_event_full, "rspamd_session_remove_event_full") &&
        !find(&host->rspamd_session_remove_event, "rspamd_session_remove_event") && !host->missing)
        host->missing = "rspamd_session_remove_event";
}

/* Calls one of the thread's functions. An error goes into rspamd's log, for the task of the wait if there is one. */
static void host_call(host_t *host, int function, void *argument, wait_t *wait)
{
    lua_State *L = host->thread;
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 4))
        return;
    lua_pushvalue(L, function);
    lua_pushlightuserdata(L, argument);
    if (lua_pcall(L, 1, 0, 0) != 0) {
        lua_pushvalue(L, LOG);
        lua_pushlightuserdata(L, wait);
        lua_pushvalue(L, -3);
        (void)lua_pcall(L, 2, 0, 0);
    }
    lua_settop(L, top);
}

/* Pushes an item of a wait's value. */
static void push_of_wait(lua_State *L, const wait_t *wait, int item)
{
    spf_lua_push_anchored(L, wait);
    spf_lua_push_value(L, -1);
    lua_rawgeti(L, -1, item);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* LOG(wait, error): rspamd_logger.errx(task, "libspf: %1", error) */
static int log_error(lua_State *L)
{
    const wait_t *wait = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rspamd_logger");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "errx");
    if (wait)
        push_of_wait(L, wait, WAIT_TASK);
    else
        lua_getglobal(L, "rspamd_config");
    lua_pushliteral(L, "libspf: %1");
    lua_pushvalue(L, 2);
    lua_call(L, 3, 0);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ in the loop */

static void on_ready(int events, void *user_data);

/* Asks to be called when the context has something to do. Its descriptor is readable at its deadlines too. */
static void watch_arm(watch_t *watch)
{
    if (watch->is_armed)
        return;
    watch->is_armed = true;
    watch->host->ev_once(watch->loop, watch->fd, watch->fd < 0 ? 0 : READABLE, watch->fd < 0 ? POLL_PERIOD_S : -1,
                         on_ready, watch);
}

/* There is something to do now, or nothing any more: ev_once() cannot be taken back. */
static void watch_wake(watch_t *watch)
{
    if (!watch->is_inside && watch->is_armed && watch->fd >= 0)
        watch->host->ev_feed_fd_event(watch->loop, watch->fd, READABLE);
}

/* Calls a method of the object at index, with nothing else. */
static void call_method(lua_State *L, int object, const char *method, int results)
{
    lua_getfield(L, object, method);
    lua_pushvalue(L, object);
    lua_call(L, 1, results);
}

/* Pushes the duplicate of the context at index. */
static duplicate_t *push_duplicate(lua_State *L, int context)
{
    lua_getfield(L, LUA_REGISTRYINDEX, DUPLICATES);
    lua_pushvalue(L, context);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) {
        duplicate_t *fresh = spf_lua_new_userdata(L, sizeof *fresh, DUPLICATE);
        fresh->context_fd = fresh->fd = -1;
        lua_replace(L, -2);
        lua_pushvalue(L, context);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

static void duplicate_set(duplicate_t *duplicate, int fd)
{
    if (duplicate->fd >= 0)
        close(duplicate->fd);
    duplicate->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    duplicate->context_fd = duplicate->fd < 0 ? -1 : fd;
}

static int duplicate_gc(lua_State *L)
{
    duplicate_set(lua_touserdata(L, 1), -1);
    return 0;
}

/* Asks the context at index for the descriptor to watch; without one it is looked after now and then. */
static void watch_set_fd(lua_State *L, watch_t *watch, int context)
{
    call_method(L, context, "fd", 1);
    int fd = lua_isnumber(L, -1) ? (int)lua_tointeger(L, -1) : -1;
    duplicate_t *duplicate = push_duplicate(L, context);
    if (fd != duplicate->context_fd)
        duplicate_set(duplicate, fd);
    watch->fd = duplicate->fd;
    lua_pop(L, 2);
}

/* GO_ON(watch) */
static int go_on(lua_State *L)
{
    watch_t *watch = lua_touserdata(L, 1);
    spf_lua_push_anchored(L, watch);
    spf_lua_push_value(L, -1);
    watch_set_fd(L, watch, lua_gettop(L));
    call_method(L, lua_gettop(L), "process", 0);
    return 0;
}

/* CALL_BACK(wait) */
static int call_back(lua_State *L)
{
    const wait_t *wait = lua_touserdata(L, 1);
    push_of_wait(L, wait, WAIT_FUNCTION);
    push_of_wait(L, wait, WAIT_RESULT);
    push_of_wait(L, wait, WAIT_MESSAGE);
    lua_call(L, 2, 0);
    return 0;
}

/* FORGET(wait): nobody wants to know any more. */
static int forget(lua_State *L)
{
    const wait_t *wait = lua_touserdata(L, 1);
    push_of_wait(L, wait, WAIT_CHECK);
    call_method(L, lua_gettop(L), "cancel", 0);
    return 0;
}

/* The finalizer: of a check that has ended and was told, or of one whose task dies. */
static void on_finalize(void *user_data)
{
    wait_t *wait = user_data;
    watch_t *watch = wait->watch;
    host_t *host = watch->host;
    if (wait->is_ended)
        TAILQ_REMOVE(&watch->ended, wait, link);
    else
        host_call(host, FORGET, wait, NULL);
    wait->is_begun = false;
    host->waits--;
    if (--watch->waits == 0)
        watch_wake(watch);
    spf_lua_let_go(host->thread, wait);
}

/* Runs the finalizer. The session may be through with its task then, and free it. */
static void remove_event(host_t *host, wait_t *wait)
{
    if (host->rspamd_session_remove_event_full)
        host->rspamd_session_remove_event_full(wait->session, on_finalize, wait, __func__);
    else
        host->rspamd_session_remove_event(wait->session, on_finalize, wait);
}

/* Tells the task. The wait is gone then. */
static void wait_finish(wait_t *wait)
{
    host_t *host = wait->watch->host;
    void *before = host->rspamd_symcache_get_cur_item(wait->task);
    host->rspamd_symcache_set_cur_item(wait->task, wait->item);
    host_call(host, CALL_BACK, wait, wait);
    host->rspamd_symcache_set_cur_item(wait->task, before);
    if (wait->item)
        host->rspamd_symcache_item_async_dec_check_full(wait->task, wait->item, SUBSYSTEM, __func__);
    remove_event(host, wait);
}

static void on_ready(int events, void *user_data)
{
    watch_t *watch = user_data;
    wait_t *wait;
    (void)events;
    watch->is_armed = false;
    watch->is_inside = true;
    host_call(watch->host, GO_ON, watch, NULL);
    while ((wait = TAILQ_FIRST(&watch->ended)))
        wait_finish(wait);
    watch->is_inside = false;
    if (watch->waits > 0)
        watch_arm(watch);
    if (!watch->is_armed) {
        TAILQ_REMOVE(&watch->host->watches, watch, link);
        spf_lua_let_go(watch->host->thread, watch);
    }
}

/* The function that libspf calls, with a result or with nil and a message: the task is told from the loop. */
static int on_end(lua_State *L)
{
    wait_t *wait = lua_touserdata(L, lua_upvalueindex(1));
    if (!wait->is_begun)
        return 0;
    lua_settop(L, 2);
    spf_lua_push_value(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_rawseti(L, 1, WAIT_MESSAGE);
    lua_rawseti(L, 1, WAIT_RESULT);
    wait->is_ended = true;
    TAILQ_INSERT_TAIL(&wait->watch->ended, wait, link);
    watch_wake(wait->watch);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- functions */

/* The stack of start(): its arguments, and what it makes. */
enum { TASK = 1, OPTIONS, FUNCTION, CONTEXT, WATCHED, WAITING, STARTED };

/* What a method of the task gives: a userdata that holds a pointer. */
static void *task_pointer(lua_State *L, const char *method)
{
    lua_getfield(L, TASK, method);
    lua_pushvalue(L, TASK);
    lua_call(L, 1, 1);
    void **holder = lua_touserdata(L, -1);
    void *pointer = holder ? *holder : NULL;
    lua_pop(L, 1);
    if (!pointer)
        spf_lua_bad(L, "start", "task", "%s gives nothing: this task is not being scanned", method);
    return pointer;
}

static void *check_task(lua_State *L)
{
    const char *class = NULL;
    if (lua_type(L, TASK) == LUA_TUSERDATA && luaL_getmetafield(L, TASK, "class"))
        class = lua_tostring(L, -1);
    if (!class || strcmp(class, "rspamd{task}") != 0)
        spf_lua_bad(L, "start", "task", "%s: a task of rspamd", spf_lua_shown(L, TASK));
    lua_settop(L, CONTEXT);
    return *(void **)lua_touserdata(L, TASK);
}

/* Sets an item of the value of the wait at index to the value on the top of the stack, and pops that. */
static void wait_set(lua_State *L, int index, int item)
{
    spf_lua_push_value(L, index);
    lua_insert(L, -2);
    lua_rawseti(L, -2, item);
    lua_pop(L, 1);
}

/* Makes sure of a context: without one it is the module, whose functions act on the shared one. */
static void check_context(lua_State *L)
{
    if (lua_isnil(L, CONTEXT)) {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "libspf");
        lua_call(L, 1, 1);
        lua_replace(L, CONTEXT);
    } else if (!spf_lua_test_userdata(L, CONTEXT, SPF_LUA_CONTEXT)) {
        spf_lua_bad(L, "start", "context", "%s: a context, or nothing for the shared one", spf_lua_shown(L, CONTEXT));
    }
}

/* Pushes the watch of the context in that loop. */
static watch_t *push_watch(lua_State *L, host_t *host, void *loop)
{
    const void *context = lua_topointer(L, CONTEXT);
    watch_t *watch;
    for (watch = TAILQ_FIRST(&host->watches); watch; watch = TAILQ_NEXT(watch, link)) {
        if (watch->context == context && watch->loop == loop) {
            spf_lua_push_anchored(L, watch);
            return watch;
        }
    }
    watch = spf_lua_new_userdata(L, sizeof *watch, WATCH);
    watch->host = host;
    watch->context = context;
    watch->fd = -1;
    watch->loop = loop;
    TAILQ_INIT(&watch->ended);
    lua_pushvalue(L, CONTEXT);
    spf_lua_set_value(L, -2);
    return watch;
}

/* Pushes a wait of that watch, which is on the top of the stack. */
static wait_t *push_wait(lua_State *L, void *task, void *session)
{
    wait_t *wait = spf_lua_new_userdata(L, sizeof *wait, WAIT);
    wait->watch = lua_touserdata(L, -2);
    wait->task = task;
    wait->session = session;
    lua_createtable(L, WAIT_ITEMS, 0);
    spf_lua_set_value(L, -2);
    lua_pushvalue(L, FUNCTION);
    wait_set(L, WAITING, WAIT_FUNCTION);
    lua_pushvalue(L, TASK);
    wait_set(L, WAITING, WAIT_TASK);
    lua_pushvalue(L, WATCHED);
    wait_set(L, WAITING, WAIT_WATCH);
    return wait;
}

/* context:start(options, on_end) */
static void push_check(lua_State *L)
{
    lua_getfield(L, CONTEXT, "start");
    lua_pushvalue(L, CONTEXT);
    lua_pushvalue(L, OPTIONS);
    lua_pushvalue(L, WAITING);
    lua_pushcclosure(L, on_end, 1);
    lua_call(L, 3, 1);
    lua_pushvalue(L, STARTED);
    wait_set(L, WAITING, WAIT_CHECK);
}

/* The session and the symbol that runs wait from now on. @return false if the task is ending already. */
static bool wait_begin(host_t *host, wait_t *wait)
{
    if (!host->rspamd_session_add_event_full(wait->session, on_finalize, wait, SUBSYSTEM, __func__))
        return false;
    wait->item = host->rspamd_symcache_get_cur_item(wait->task);
    if (wait->item)
        host->rspamd_symcache_item_async_inc_full(wait->task, wait->item, SUBSYSTEM, __func__);
    wait->is_begun = true;
    wait->watch->waits++;
    host->waits++;
    return true;
}

/* The watch at index is anchored, and known to the host. */
static void watch_keep(lua_State *L, int index)
{
    watch_t *watch = lua_touserdata(L, index);
    if (watch->is_armed || watch->is_inside)
        return;
    lua_pushvalue(L, index);
    spf_lua_anchor(L, watch);
    lua_pop(L, 1);
    TAILQ_INSERT_TAIL(&watch->host->watches, watch, link);
}

/* start(task, options, function [, context]) -> true, or nil and a message */
static int start(lua_State *L)
{
    host_t *host = lua_touserdata(L, lua_upvalueindex(1));
    if (host->missing)
        return luaL_error(L, "libspf.rspamd works in rspamd only: there is no %s in this process", host->missing);
    lua_settop(L, CONTEXT);
    void *task = check_task(L);
    void *loop = task_pointer(L, "get_ev_base"), *session = task_pointer(L, "get_session");
    if (!lua_isfunction(L, FUNCTION))
        return spf_lua_bad(L, "start", "function", "%s: a function that takes the result", spf_lua_shown(L, FUNCTION));
    check_context(L);
    watch_t *watch = push_watch(L, host, loop);
    wait_t *wait = push_wait(L, task, session);

    push_check(L);
    if (!watch->is_armed)
        watch_set_fd(L, watch, CONTEXT);
    lua_pushvalue(L, WAITING);
    spf_lua_anchor(L, wait);
    watch_keep(L, WATCHED);
    if (!wait_begin(host, wait)) {
        call_method(L, STARTED, "cancel", 0);
        spf_lua_let_go(L, wait);
        lua_pushnil(L);
        lua_pushliteral(L, "the task is ending");
        watch_arm(watch);
        return 2;
    }
    watch_arm(watch);
    lua_pushboolean(L, true);
    return 1;
}

/* available() -> true, or false and what is missing */
static int available(lua_State *L)
{
    const host_t *host = lua_touserdata(L, lua_upvalueindex(1));
    lua_pushboolean(L, !host->missing);
    if (!host->missing)
        return 1;
    lua_pushfstring(L, "missing symbol %s", host->missing);
    return 2;
}

/* pending() -> how many checks tasks wait for, and how many contexts are watched */
static int pending(lua_State *L)
{
    const host_t *host = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer watches = 0;
    for (const watch_t *watch = TAILQ_FIRST(&host->watches); watch; watch = TAILQ_NEXT(watch, link))
        watches++;
    lua_pushinteger(L, (lua_Integer)host->waits);
    lua_pushinteger(L, watches);
    return 2;
}

/* ---------------------------------------------------------------------------------------------------------- opening */

/* Pushes the host, which stays for good: a loop may know of it. */
static void push_host(lua_State *L)
{
    static const lua_CFunction functions[] = {
        [GO_ON] = go_on, [CALL_BACK] = call_back, [FORGET] = forget, [LOG] = log_error};
    host_t *host = spf_lua_new_userdata(L, sizeof *host, HOST);
    TAILQ_INIT(&host->watches);
    host_find(host);
    host->thread = lua_newthread(L);
    for (int i = GO_ON; i <= LOG; i++)
        lua_pushcfunction(host->thread, functions[i]);
    spf_lua_set_value(L, -2);
    spf_lua_anchor(L, host);
}

static void open_duplicates(lua_State *L)
{
    luaL_newmetatable(L, DUPLICATE);
    lua_pushcfunction(L, duplicate_gc);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, DUPLICATES);
    lua_pop(L, 1);
}

SPF_LUA_EXPORT int luaopen_libspf_rspamd(lua_State *L);

int luaopen_libspf_rspamd(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"available", available}, {"pending", pending}, {"start", start}, {NULL, NULL}};
    lua_getglobal(L, "require");
    lua_pushliteral(L, "libspf");
    lua_call(L, 1, 0);
    luaL_newmetatable(L, WAIT);
    luaL_newmetatable(L, WATCH);
    luaL_newmetatable(L, HOST);
    open_duplicates(L);
    lua_newtable(L);
    push_host(L);
    spf_lua_set_functions(L, functions, 1);
    return 1;
}
