/* SPDX-License-Identifier: MIT */
#include "base/fork.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t process_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint generation;
static bool is_watching;

/* The lock was taken before the fork by a thread that has another number here: it is made anew. */
static void in_child(void)
{
    process_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void watch(void)
{
    is_watching = pthread_atfork(spf_fork_lock, spf_fork_unlock, in_child) == 0;
}

bool spf_fork_watch(void)
{
    pthread_once(&once, watch);
    return is_watching;
}

unsigned spf_fork_generation(void)
{
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

void spf_fork_lock(void)
{
    pthread_mutex_lock(&process_lock);
}

void spf_fork_unlock(void)
{
    pthread_mutex_unlock(&process_lock);
}
