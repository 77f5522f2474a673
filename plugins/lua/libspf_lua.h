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
#include <spf_tools.h>
#include <stdbool.h>
#include <sys/queue.h>

#define SPF_LUA_CONTEXT  "libspf.context"
#define SPF_LUA_JOB      "libspf.job"
#define SPF_LUA_RESULT   "libspf.result"
#define SPF_LUA_SURVEY   "libspf.survey"
#define SPF_LUA_DRAFT    "libspf.draft"
#define SPF_LUA_QUESTION "libspf.question"

typedef struct spf_lua_context spf_lua_context_t;
typedef struct spf_lua_job spf_lua_job_t;
typedef struct spf_lua_result spf_lua_result_t;
typedef struct spf_lua_asked spf_lua_asked_t;

/* What is started and waited for in one way: checks (check.c) and surveys (survey.c). The subject is libspf's object.
 */
typedef struct spf_lua_kind {
    const char *name;   /* for people */
    const char *result; /* the class of what it becomes, a spf_lua_result_t */
    size_t octets;      /* that libspf holds for one, about */
    int positions;      /* how many arguments can be given without a name */
    /* Makes *subject, which must be in the hands of a userdata already, from the arguments (see
     * spf_lua_settle_arguments()). Misuse raises. @return whether a trace is wanted. */
    bool (*read)(lua_State *L, const char *function, int first, bool has_callback, spf_context_t *context,
                 void **subject);
    spf_err_t (*start)(spf_lua_job_t *job); /* its callback calls spf_lua_ended() */
    spf_err_t (*run)(void *subject);
    size_t (*more_octets)(const void *subject, bool has_trace); /* once it has ended, for what it was about */
    void (*cancel)(void *subject);
    void (*free)(void *subject);
    const char *(*error)(const void *subject);
} spf_lua_kind_t;

/* One that was started: the userdata itself, which stays anchored in the registry until it has ended. */
struct spf_lua_job {
    const spf_lua_kind_t *kind;
    void *subject;              /* until its result takes it over */
    spf_lua_context_t *context; /* while it is pending */
    bool has_trace;
    bool is_waited; /* its end is looked at, and no function called */
    bool is_ended;  /* with the lock (exchange.h), as the following: libspf is through with it */
    bool is_queued; /* in its context's list of those that ended */
    spf_err_t end;
    TAILQ_ENTRY(spf_lua_job) link;
    TAILQ_ENTRY(spf_lua_job) ended_link;
};

typedef TAILQ_HEAD(spf_lua_job_list, spf_lua_job) spf_lua_job_list_t;
typedef TAILQ_HEAD(spf_lua_asked_list, spf_lua_asked) spf_lua_asked_list_t;

/* A context as one Lua state has it; the shared one too: other states, in other threads, have theirs. Its value (see
 * compat.h) is a table: the resolver at 1, and the questions that the resolver has. */
struct spf_lua_context {
    spf_context_t *context; /* NULL: closed */
    bool has_resolver;      /* one written in Lua */
    unsigned inside;        /* calls under way that see to the resolver's answers themselves */
    bool has_news;          /* it has answered */
    unsigned generation;    /* of the process that the following belong to */
    int epoll_fd;           /* what the host polls: the others and the resolver's; -1 until it asks */
    int event_fd;           /* readable while something in `ended`, or `taken_back`, waits for the host */
    int timer_fd;           /* for the time that the resolver tells */
    int context_fd;
    int resolver_fd;
    size_t pending;
    spf_lua_job_list_t jobs;    /* all that are pending */
    spf_lua_job_list_t ended;   /* with the lock: those whose function is to be called */
    spf_lua_asked_list_t asked; /* questions that the resolver has not been told of yet */
    spf_lua_asked_list_t given; /* those that it has been told of */
    spf_lua_asked_list_t taken_back;
};

/* What was found, the value of a userdata of its kind's class; it owns the subject. */
struct spf_lua_result {
    const spf_lua_kind_t *kind;
    void *subject; /* NULL: closed */
    bool has_trace;
};

/* ------------------------------------------------------------------------------------------------------ state.c */

/* What the module keeps in each state. */
typedef enum spf_lua_slot {
    SPF_LUA_ANCHORS = 1, /* the jobs that are pending, by their address */
    SPF_LUA_MODULE,      /* the module's table */
    SPF_LUA_SHARED,      /* the shared context, once it is used */
    SPF_LUA_CONFIG_FILE, /* what configure() was told */
    SPF_LUA_UNACCOUNTED, /* octets that Lua's collector was not told of yet */
    /* What is only called protected; made beforehand, for in Lua 5.1 to push a C function takes memory. */
    SPF_LUA_DELIVER,
    SPF_LUA_ASK,
    SPF_LUA_TAKE_BACK,
    SPF_LUA_PROCESS_RESOLVER,
    SPF_LUA_FOLLOW_RESOLVER,
    SPF_LUA_SLOTS = SPF_LUA_FOLLOW_RESOLVER
} spf_lua_slot_t;

void spf_lua_push_slot(lua_State *L, spf_lua_slot_t slot);
/* Pops a value into the slot. */
void spf_lua_set_slot(lua_State *L, spf_lua_slot_t slot);
/* Anchors the userdata on the top of the stack until it is let go. */
void spf_lua_anchor(lua_State *L, const void *userdata);
void spf_lua_let_go(lua_State *L, const void *userdata);
/* Pushes the userdata that is anchored, or nil. */
void spf_lua_push_anchored(lua_State *L, const void *userdata);
/*
 * Tells Lua's collector of memory that an object of a few octets holds outside of Lua. In a program with much else in
 * its memory it would let thousands of them lie about. Raises without memory.
 */
void spf_lua_account(lua_State *L, size_t octets);
/* Makes a metatable. The table of its methods, which is pushed, is the metamethods' upvalue, and their __index unless
 * they have one. */
void spf_lua_new_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* -------------------------------------------------------------------------------------------------- arguments.c */

/* Raises: bad argument 'name' to 'function' (text). */
int spf_lua_bad(lua_State *L, const char *function, const char *name, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
/* The same for the value at index, which is not what is wanted. */
void spf_lua_bad_kind(lua_State *L, const char *function, const char *name, int index, const char *wanted)
    __attribute__((noreturn));
/* Pushes how a value is shown in an error message: "..." or its kind. */
const char *spf_lua_shown(lua_State *L, int index);
/* The string at index, free of NULs; anything else raises. */
const char *spf_lua_text(lua_State *L, const char *function, const char *name, int index);
/* The same, with any octets in it. */
const char *spf_lua_octets(lua_State *L, const char *function, const char *name, int index, size_t *length);
bool spf_lua_flag(lua_State *L, const char *function, const char *name, int index);
spf_identity_t spf_lua_identity(lua_State *L, const char *function, const char *name, int index);
/* Milliseconds of seconds at index: none or nil is -1, no limit. */
int spf_lua_timeout_ms(lua_State *L, const char *function, int index);
/* Milliseconds of the seconds that the whole of something may take. */
unsigned spf_lua_deadline_ms(lua_State *L, const char *function, const char *name, int index);
/* A whole number at index, in these bounds; none or nil is 0. */
unsigned spf_lua_number(lua_State *L, const char *function, const char *name, int index, unsigned least,
                        unsigned largest);
/* How many items the array at index (counted from the bottom) has. It has all from the first on, and nothing else but
 * members of the names in the list that NULL ends; anything else raises. */
int spf_lua_count_items(lua_State *L, const char *function, const char *name, int index, const char *const *others);
/*
 * The texts in the array at index, or the one text there; nil: none. They are pushed as a userdata, and good as long as
 * that and the array are.
 */
const char *const *spf_lua_texts(lua_State *L, const char *function, const char *name, int index, size_t *count);

/* A table of options in the making. */
typedef struct spf_lua_reading {
    lua_State *L;
    const char *function;
    void *target;                             /* what the values go to */
    const char *(*error)(const void *target); /* of a value that it refused; NULL: it refuses none */
} spf_lua_reading_t;

/* What takes it raises for a wrong value itself, or gives SPF_EINVAL; the stack stays as it is. */
typedef struct spf_lua_option {
    const char *name;
    spf_err_t (*take)(const spf_lua_reading_t *reading, const char *name, int index);
} spf_lua_option_t;

void spf_lua_take(const spf_lua_reading_t *reading, const spf_lua_option_t *option, int index);
/* Takes all of a table, the last of the options being without a name; has_callback: but for its item 1. */
void spf_lua_read_table(const spf_lua_reading_t *reading, const spf_lua_option_t *options, int table,
                        bool has_callback);
/*
 * Brings the arguments from index `first` on into the one form that is read: a table of options, or so many positions.
 * Unless has_callback is NULL a function (or nil) stands above them, the last argument or else the table's item 1:
 * *has_callback tells whether the table has it. @return the index of the last.
 */
int spf_lua_settle_arguments(lua_State *L, const char *function, int first, int positions, bool *has_callback);

/* ----------------------------------------------------------------------------------------------------- tables.c */

/* Sets a member of the table on the top of the stack; no text: none. */
void spf_lua_set_text(lua_State *L, const char *key, const char *text);
void spf_lua_set_octets(lua_State *L, const char *key, const char *octets, size_t length);
void spf_lua_set_number(lua_State *L, const char *key, lua_Integer number);
void spf_lua_set_flag(lua_State *L, const char *key, bool flag);
/* Pushes a text, or nil. */
void spf_lua_push_text(lua_State *L, const char *text);
/* Where something starts, counted from 1, as Lua does. */
lua_Integer spf_lua_position(size_t offset);
/* Pushes what a function of that name gives, a text that is NULL without memory, which raises. */
int spf_lua_report(lua_State *L, const char *function, const char *text);

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
/* (context): watches the descriptor and the time that the resolver has now. */
int spf_lua_follow_resolver(lua_State *L);
/* Lets the library, and the resolver, go on as far as they can, and calls no functions. */
spf_err_t spf_lua_advance(lua_State *L, int error);
/* The same after what the resolver does of itself; raises its errors. */
void spf_lua_turn(lua_State *L);
/* lua_pcall() of what is on the stack, without results. */
void spf_lua_call_protected(lua_State *L, int arguments, int error);
extern const luaL_Reg spf_lua_event_functions[];

/* -------------------------------------------------------------------------------------------------------- job.c */

/*
 * Starts a job in the context at SPF_LUA_SELF from the arguments that begin at index `first` and reach to the top of
 * the stack (see spf_lua_settle_arguments()), and pushes it. Its function is called by spf_lua_process().
 */
spf_lua_job_t *spf_lua_start(lua_State *L, const spf_lua_kind_t *kind, const char *function, int first);
/* Does it and pushes the result. */
spf_lua_result_t *spf_lua_run(lua_State *L, const spf_lua_kind_t *kind, const char *function, int first);
/* Ends a pending job: its function is not called. */
void spf_lua_cancel(lua_State *L, spf_lua_job_t *job);
/* The same in the child of a fork, where it is the parent's. */
void spf_lua_abandon(lua_State *L, spf_lua_job_t *job);
int spf_lua_deliver(lua_State *L);
void spf_lua_close_result(spf_lua_result_t *result);
void spf_lua_open_job(lua_State *L);

/* ------------------------------------------------------------------------------------------ check.c and survey.c */

extern const spf_lua_kind_t spf_lua_check, spf_lua_survey;
extern const luaL_Reg spf_lua_check_functions[], spf_lua_survey_functions[];
void spf_lua_open_survey(lua_State *L);

/* ------------------------------------------------------------------------------------------------------ draft.c */

/* Pushes an empty draft; what is put into it is freed with it. */
spf_draft_t **spf_lua_push_draft(lua_State *L);
extern const luaL_Reg spf_lua_draft_functions[];
void spf_lua_open_draft(lua_State *L);

/* --------------------------------------------------------------------------------------------------- evidence.c */

/* What can be done about the result at index 1, with the item of evidence behind it, or nil. */
int spf_lua_advice(lua_State *L, spf_check_t *check);
extern const luaL_Reg spf_lua_evidence_functions[];
void spf_lua_open_evidence(lua_State *L);

/* ----------------------------------------------------------------------------------------------------- result.c */

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
