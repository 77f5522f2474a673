/* SPDX-License-Identifier: MIT */
/*
 * A program with Lua in it, for what an interpreter alone cannot do:
 *
 *     host SCRIPT [ARGUMENT...]             as an interpreter; built with a sanitizer, it has its run-time library
 *     host --times N SCRIPT [ARGUMENT...]   N states after each other, each closed with whatever the script left behind
 *     host --threads N SCRIPT [ARGUMENT...] N states at once, each in a thread of its own, whose number is `thread`
 *
 * Scripts find these functions:
 *
 *     fork()            "parent" or "child"
 *     wait_for_child()  its exit status
 *     leave(status)     ends the child at once: what its parent had under way is lost in it, and not freed
 *     readable(fd[, n]) whether poll() says so, in n milliseconds at most or else now
 *     fail_after(n)     from now on Lua has n more allocations, and then no memory
 *     fail_no_more()    ends that; gives how many allocations failed
 *     fail_library_after(n), fail_library_no_more()  the same for what is not Lua's, where no sanitizer sees to memory
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 16 };

/* What a script is run with. */
typedef struct job {
    int argc;
    char **argv; /* argv[0] is the script */
    int number;  /* of the thread */
    bool is_limited;
    unsigned long left, failed; /* allocations */
    bool has_failed;
} job_t;

/* What this thread allocates, and not for Lua. */
static _Thread_local struct {
    bool is_limited;
    unsigned long left, failed;
} library;

#ifdef HOST_FAILS_LIBRARY
#define LUA_REALLOC __libc_realloc
#define EVERYBODYS  __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool fails(void)
{
    if (!library.is_limited)
        return false;
    if (library.left == 0)
        library.failed++;
    else
        library.left--;
    if (library.failed > 0)
        errno = ENOMEM;
    return library.failed > 0;
}

EVERYBODYS void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

EVERYBODYS void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

EVERYBODYS void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
#else
#define LUA_REALLOC realloc
#endif

/* ---------------------------------------------------------------------------------------------------- for scripts */

static int fork_function(lua_State *L)
{
    pid_t pid = fork();

    lua_pushstring(L, pid == 0 ? "child" : pid > 0 ? "parent" : NULL);
    return 1;
}

/* The exit status of a child. */
static int wait_function(lua_State *L)
{
    int status = -1;

    wait(&status);
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 1;
}

static int leave(lua_State *L)
{
    fflush(NULL);
    _exit((int)luaL_checkinteger(L, 1));
}

static job_t *job_of(lua_State *L)
{
    void *job;

    lua_getallocf(L, &job);
    return job;
}

static int fail_after(lua_State *L)
{
    job_t *job = job_of(L);

    job->left = (unsigned long)luaL_checkinteger(L, 1);
    job->failed = 0;
    job->is_limited = true;
    return 0;
}

static int fail_no_more(lua_State *L)
{
    job_t *job = job_of(L);

    job->is_limited = false;
    lua_pushinteger(L, (lua_Integer)job->failed);
    return 1;
}

static int fail_library_after(lua_State *L)
{
    library.left = (unsigned long)luaL_checkinteger(L, 1);
    library.failed = 0;
    library.is_limited = true;
    return 0;
}

static int fail_library_no_more(lua_State *L)
{
    library.is_limited = false;
    lua_pushinteger(L, (lua_Integer)library.failed);
    return 1;
}

/* --------------------------------------------------------------------------------------------------------- states */

static int readable(lua_State *L)
{
    struct pollfd watched = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};

    lua_pushboolean(L, poll(&watched, 1, (int)luaL_optinteger(L, 2, 0)) == 1);
    return 1;
}

/* Lua counts on it that making something smaller does not fail. */
static void *allocate(void *user_data, void *old, size_t old_size, size_t size)
{
    job_t *job = user_data;

    if (size == 0) {
        free(old);
        return NULL;
    }
    if (job->is_limited && (old == NULL || size > old_size)) {
        if (job->left == 0) {
            job->failed++;
            return NULL;
        }
        job->left--;
    }
    return LUA_REALLOC(old, size);
}

static int traceback(lua_State *L)
{
    lua_getglobal(L, "debug");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "traceback");
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

static void prepare(lua_State *L, const job_t *job)
{
    luaL_openlibs(L);
    lua_createtable(L, job->argc, 0);
    for (int i = 0; i < job->argc; i++) {
        lua_pushstring(L, job->argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
    lua_pushinteger(L, job->number);
    lua_setglobal(L, "thread");
    lua_register(L, "fork", fork_function);
    lua_register(L, "wait_for_child", wait_function);
    lua_register(L, "leave", leave);
    lua_register(L, "readable", readable);
    lua_register(L, "fail_after", fail_after);
    lua_register(L, "fail_no_more", fail_no_more);
#ifdef HOST_FAILS_LIBRARY
    lua_register(L, "fail_library_after", fail_library_after);
    lua_register(L, "fail_library_no_more", fail_library_no_more);
#else
    (void)fail_library_after, (void)fail_library_no_more;
#endif
}

static void *run(void *argument)
{
    job_t *job = argument;
    lua_State *L = lua_newstate(allocate, job);

    prepare(L, job);
    lua_pushcfunction(L, traceback);
    job->has_failed = luaL_loadfile(L, job->argv[0]) != 0 || lua_pcall(L, 0, 0, -2) != 0;
    job->is_limited = false;
    if (job->has_failed)
        fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return NULL;
}

static bool run_times(int times, int argc, char **argv)
{
    job_t job = {.argc = argc, .argv = argv};

    for (int i = 0; i < times && !job.has_failed; i++)
        run(&job);
    return !job.has_failed;
}

static bool run_threads(int count, int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    job_t jobs[THREADS_MAX];
    bool has_failed = false;

    for (int i = 0; i < count; i++) {
        jobs[i] = (job_t){.argc = argc, .argv = argv, .number = i + 1};
        if (pthread_create(&threads[i], NULL, run, &jobs[i]) != 0)
            abort();
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        has_failed = has_failed || jobs[i].has_failed;
    }
    return !has_failed;
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[2]) : 0;

    if (count > 0 && strcmp(argv[1], "--times") == 0)
        return !run_times(count, argc - 3, argv + 3);
    if (count > 0 && count <= THREADS_MAX && strcmp(argv[1], "--threads") == 0)
        return !run_threads(count, argc - 3, argv + 3);
    if (argc > 1)
        return !run_times(1, argc - 1, argv + 1);
    fprintf(stderr, "usage: host [--times N | --threads N] SCRIPT [ARGUMENT...]\n");
    return 64;
}
