/* SPDX-License-Identifier: MIT */
#include "api/fork.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint generation;
static bool is_watching;

static void in_child(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
    pthread_mutex_unlock(&process_lock);
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
