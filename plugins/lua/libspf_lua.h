/* SPDX-License-Identifier: MIT */
/*
 * What the sources of the Lua module share.
 *
 * Two rules carry it. No Lua code runs inside libspf: its callbacks, which may come in any thread, and its resolver
 * operations only put something into a list; Lua is told when the library has returned. So a Lua error never jumps over
 * the library's frames, and every Lua function may do what it likes, closing the context included. And everything has
 * an owner that Lua collects before anything can fail: a check is a userdata's from its first moment.
 */
#ifndef SPF_LUA_H
#define SPF_LUA_H

#include "compat.h"

#include <spf_resolver.h>
#include <stdbool.h>
#include <sys/queue.h>

#define SPF_LUA_CONTEXT  "libspf.context"
#define SPF_LUA_CHECK    "libspf.check"
#define SPF_LUA_RESULT   "libspf.result"
#define SPF_LUA_QUESTION "libspf.question"

typedef struct spf_lua_context spf_lua_context_t;
typedef struct spf_lua_check spf_lua_check_t;
typedef struct spf_lua_result spf_lua_result_t;
typedef struct spf_lua_asked spf_lua_asked_t;

/* A check that was started: the userdata itself, which stays anchored in the registry until it has ended. */
struct spf_lua_check {
    spf_check_t *check;         /* until its result takes it over */
    spf_lua_context_t *context; /* while it is pending */
    bool wants_trace;
    bool is_waited; /* its end is looked at, and no function called */
    bool is_ended;  /* with the lock (exchange.h), as the following: libspf is through with it */
    bool is_queued; /* in its context's list of those that ended */
    spf_err_t end;
    TAILQ_ENTRY(spf_lua_check) link;
    TAILQ_ENTRY(spf_lua_check) ended_link;
};

typedef TAILQ_HEAD(spf_lua_check_list, spf_lua_check) spf_lua_check_list_t;
typedef TAILQ_HEAD(spf_lua_asked_list, spf_lua_asked) spf_lua_asked_list_t;

/* A context as one Lua state has it; the shared one too: other states, in other threads, have theirs. Its value (see
 * compat.h) is a table: the resolver at 1, and the questions that the resolver has. */
struct spf_lua_context {
    spf_context_t *context; /* NULL: closed */
    bool has_resolver;      /* one written in Lua */
    unsigned inside;        /* calls under way that see to the resolver's answers themselves */
    bool has_news;          /* it has answered */
    unsigned generation;    /* of the process that the following belong to */
    int epoll_fd;           /* what the host polls: the other two and the resolver's; -1 until it asks */
    int event_fd;           /* readable while something in `ended` waits for the host */
    int context_fd;
    int resolver_fd;
    unsigned unaccounted; /* checks whose memory Lua's collector was not told of */
    size_t pending;
    spf_lua_check_list_t checks; /* all that are pending */
    spf_lua_check_list_t ended;  /* with the lock: those whose function is to be called */
    spf_lua_asked_list_t asked;  /* questions that the resolver has not been told of yet */
    spf_lua_asked_list_t given;  /* those that it has been told of */
    spf_lua_asked_list_t taken_back;
};

/* What a check has found; it owns the check. */
struct spf_lua_result {
    spf_check_t *check;
    bool has_trace;
};

/* ------------------------------------------------------------------------------------------------------ state.c */

/* What the module keeps in each state. */
typedef enum spf_lua_slot {
    SPF_LUA_ANCHORS = 1, /* the checks that are pending, by their address */
    SPF_LUA_MODULE,      /* the module's table */
    SPF_LUA_SHARED,      /* the shared context, once it is used */
    SPF_LUA_CONFIG_FILE, /* what configure() was told */
    /* What is only called protected; made beforehand, for in Lua 5.1 to push a C function takes memory. */
    SPF_LUA_DELIVER,
    SPF_LUA_ASK,
    SPF_LUA_TAKE_BACK,
    SPF_LUA_PROCESS_RESOLVER,
    SPF_LUA_SLOTS = SPF_LUA_PROCESS_RESOLVER
} spf_lua_slot_t;

void spf_lua_push_slot(lua_State *L, spf_lua_slot_t slot);
/* Pops a value into the slot. */
void spf_lua_set_slot(lua_State *L, spf_lua_slot_t slot);
/* Anchors the userdata on the top of the stack until it is let go. */
void spf_lua_anchor(lua_State *L, const void *userdata);
void spf_lua_let_go(lua_State *L, const void *userdata);
/* Pushes the userdata that is anchored, or nil. */
void spf_lua_push_anchored(lua_State *L, const void *userdata);
/* Makes a metatable. The table of its methods, which is pushed, is the metamethods' upvalue, and their __index unless
 * they have one. */
void spf_lua_new_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* -------------------------------------------------------------------------------------------------- arguments.c */

/* Raises: bad argument 'name' to 'function' (text). */
int spf_lua_bad(lua_State *L, const char *function, const char *name, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
/* Pushes how a value is shown in an error message: "..." or its kind. */
const char *spf_lua_shown(lua_State *L, int index);
/* The string at index, free of NULs; anything else raises. */
const char *spf_lua_text(lua_State *L, const char *function, const char *name, int index);
/* Milliseconds of seconds at index: none or nil is -1, no limit. */
int spf_lua_timeout_ms(lua_State *L, const char *function, int index);
/*
 * Brings the arguments from index `first` on into the one form that the following takes: a table of options, or client
 * address, sender and HELO. Unless has_callback is NULL a function (or nil) stands above them, the last argument or
 * else the table's item 1: *has_callback tells whether the table has it. @return the index of the last.
 */
int spf_lua_settle_arguments(lua_State *L, const char *function, int first, bool *has_callback);
/* Makes *check, which must be in the hands of a userdata already, from these arguments. Misuse raises. @return whether
 * a trace is wanted. */
bool spf_lua_read_check(lua_State *L, const char *function, int first, bool has_callback, spf_context_t *context,
                        spf_check_t **check);

/* ---------------------------------------------------------------------------------------------------- context.c */

/* What is called with a context has it at this index of the stack. */
enum { SPF_LUA_SELF = 1 };

/* Takes the module itself off the arguments of one of its functions, which was called with a colon. */
void spf_lua_drop_module(lua_State *L);
/* Pushes the state's shared context, which is made at its first use. Raises if that fails. */
spf_lua_context_t *spf_lua_push_shared(lua_State *L);
/*
 * The context that a function acts on, brought to SPF_LUA_SELF: the first argument of a method, or, for the module's
 * functions, the shared one, whether they were called with the module as first argument or without. Closed: raises.
 */
spf_lua_context_t *spf_lua_to_context(lua_State *L, const char *function);
/* After a fork: the checks that were pending are the parent's. Everything that is done to a context begins with it. */
void spf_lua_context_own(lua_State *L, spf_lua_context_t *context);
/* Cancels all that is pending and closes. */
void spf_lua_context_close(lua_State *L, spf_lua_context_t *context);
extern const luaL_Reg spf_lua_context_functions[];
void spf_lua_open_context(lua_State *L);

/* --------------------------------------------------------------------------------------------------- settings.c */

/* Makes the context at SPF_LUA_SELF from the table, or nil, above it. */
void spf_lua_make_context(lua_State *L, spf_lua_context_t *context);
/* Raises unless the configuration file can be read and is right. */
void spf_lua_try_config(lua_State *L, const char *file);
void spf_lua_open_settings(lua_State *L);

/* ----------------------------------------------------------------------------------------------------- events.c */

/* All of these act on the context at SPF_LUA_SELF. */

/* One descriptor for the host's loop. Raises if there is none to be had. */
int spf_lua_fd(lua_State *L);
void spf_lua_close_fds(spf_lua_context_t *context);
/* Seconds until spf_lua_process() is due though the descriptor stays quiet; negative: it is not. */
double spf_lua_timeout(lua_State *L);
/* Does what can be done without waiting and calls the functions that are due; @return how many. When all have been
 * called, the first error that one of them raised is raised. */
int spf_lua_process(lua_State *L);
/* Blocks until spf_lua_process() has something to do, at most so many seconds (negative: no limit); false: a signal
 * came. */
bool spf_lua_block(lua_State *L, double seconds);

/* Where the first error goes that the resolver or a function raised: an index of the stack with nil at it, or nowhere;
 * then the resolver is not told of what is taken back, either. */
enum { SPF_LUA_NO_ERROR = 0 };
/* Lets the library, and the resolver, go on as far as they can, and calls no functions. */
spf_err_t spf_lua_advance(lua_State *L, int error);
/* The same after what the resolver does of itself; raises its errors. */
void spf_lua_turn(lua_State *L);
/* lua_pcall() of what is on the stack, without results. */
void spf_lua_call_protected(lua_State *L, int arguments, int error);
extern const luaL_Reg spf_lua_event_functions[];

/* ------------------------------------------------------------------------------------------------------ check.c */

/*
 * Starts a check in the context at SPF_LUA_SELF from the arguments that begin at index `first` and reach to the top of
 * the stack (see spf_lua_settle_arguments()), and pushes it. Its function is called by spf_lua_process().
 */
spf_lua_check_t *spf_lua_start(lua_State *L, const char *function, int first);
/* Ends a pending check: its function is not called. */
void spf_lua_cancel(lua_State *L, spf_lua_check_t *check);
/* The same in the child of a fork, where the check is the parent's. */
void spf_lua_abandon(lua_State *L, spf_lua_check_t *check);
int spf_lua_deliver(lua_State *L);
extern const luaL_Reg spf_lua_check_functions[];
void spf_lua_open_check(lua_State *L);

/* ----------------------------------------------------------------------------------------------------- result.c */

/* Pushes an empty result, which owns the check that is put into it. */
spf_lua_result_t *spf_lua_push_result(lua_State *L);
void spf_lua_open_result(lua_State *L);

/* --------------------------------------------------------------------------------------------------- resolver.c */

extern const spf_resolver_ops_t spf_lua_resolver_ops;
/* Pushes a function of the resolver of the context at SPF_LUA_SELF, or nil. */
void spf_lua_push_resolver_function(lua_State *L, const char *function);
/* Tells the resolver of the context at SPF_LUA_SELF what was asked, and what is not wanted any more. */
void spf_lua_resolver_serve(lua_State *L, int error);
/* Forgets all questions: nobody waits for their answers any more. */
void spf_lua_resolver_drop(spf_lua_context_t *context);
int spf_lua_ask(lua_State *L);
int spf_lua_take_back(lua_State *L);
int spf_lua_process_resolver(lua_State *L);
void spf_lua_open_resolver(lua_State *L);

#endif
