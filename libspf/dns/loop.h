/* SPDX-License-Identifier: MIT */
/*
 * The event loop of a context: one epoll descriptor, a timerfd inside it, a heap of timers. libunbound's events and
 * the deadlines of checks live on it. Single-threaded but for spf_loop_poll(), which may run while another thread,
 * under the context's lock, uses the rest: watches are looked up by descriptor and generation when they are
 * dispatched, so one that went away meanwhile is simply skipped.
 */
#ifndef SPF_DNS_LOOP_H
#define SPF_DNS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

typedef struct spf_loop spf_loop_t;

/* Embedded in its owner. Zero-initialise it, and set fire, before the first use. */
typedef struct spf_timer {
    uint64_t due_us;
    uint64_t order; /* of those due at the same time, the one set first fires first */
    size_t slot;    /* in the heap, counted from 1; 0: not set */
    void (*fire)(struct spf_timer *timer);
} spf_timer_t;

/* Embedded in its owner. Zero-initialise it, and set ready, before the first use. */
typedef struct spf_watch {
    int fd;
    uint32_t events; /* EPOLLIN, EPOLLOUT; 0: not watched */
    uint32_t generation;
    void (*ready)(struct spf_watch *watch, uint32_t events);
} spf_watch_t;

enum { SPF_LOOP_EVENTS = 64 };

/* What one wait brought: filled by spf_loop_poll(), eaten by spf_loop_dispatch(). */
typedef struct spf_loop_events {
    int count;
    struct epoll_event events[SPF_LOOP_EVENTS];
} spf_loop_events_t;

/* A loop on a clock (NULL: CLOCK_MONOTONIC). NULL with errno set. */
spf_loop_t *spf_loop_new(uint64_t (*now_us)(void *clock), void *clock);
void spf_loop_free(spf_loop_t *loop);
/* In the child of a fork: from now on nothing touches the epoll set that is shared with the parent; the child's own
 * copies of the epoll and timer descriptors are closed. Only spf_loop_free() may follow. */
void spf_loop_abandon(spf_loop_t *loop);

/* The descriptor for a host's loop. */
int spf_loop_fd(const spf_loop_t *loop);
uint64_t spf_loop_now_us(const spf_loop_t *loop);

/* Sets or moves a timer. False without memory. */
bool spf_loop_timer_set(spf_loop_t *loop, spf_timer_t *timer, uint64_t due_us);
void spf_loop_timer_clear(spf_loop_t *loop, spf_timer_t *timer);
/* Fires the timers that are due when it is called, in order; one set meanwhile, even due at once, waits for the next
 * call unless `until_quiet`. */
void spf_loop_run_timers(spf_loop_t *loop, bool until_quiet);
/* Microseconds until the next timer is due; 0: now; -1: there is none. */
int64_t spf_loop_timeout_us(const spf_loop_t *loop);

/* Watches watch->fd for events (level-triggered); events 0 ends it. False with errno set. */
bool spf_loop_watch(spf_loop_t *loop, spf_watch_t *watch, int fd, uint32_t events);

/* Makes the loop's descriptor become readable when the next timer is due: to be called before a host polls it. Costs
 * a system call only if the time changed since the last. */
void spf_loop_arm(spf_loop_t *loop);
/* Waits for events, at most timeout_us (-1: no limit), not longer than the time armed. The only call that needs no
 * lock. False on an error other than EINTR. */
bool spf_loop_poll(spf_loop_t *loop, spf_loop_events_t *events, int64_t timeout_us);
/* Calls the watches that became ready. */
void spf_loop_dispatch(spf_loop_t *loop, const spf_loop_events_t *events);

#endif
