/* SPDX-License-Identifier: MIT */
#include "dns/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* What epoll knows of a descriptor. The generation outlives the watch: it tells an event that epoll reported for an
 * earlier watch of the same descriptor number from one for the present watch. */
typedef struct spf_loop_entry {
    spf_watch_t *watch;
    uint32_t generation;
} spf_loop_entry_t;

struct spf_loop {
    uint64_t (*now_us)(void *clock);
    void *clock;
    int epoll_fd;
    int timer_fd;
    bool is_armed;   /* the timerfd will expire at armed_us, or has and that was not dispatched yet */
    bool is_running; /* inside spf_loop_run_timers() */
    uint64_t armed_us;
    uint64_t run_us;    /* the time that spf_loop_run_timers() took for now */
    uint64_t order;     /* of the timer set next */
    spf_timer_t **heap; /* heap[0] is not used: slot i has its children at 2i and 2i + 1 */
    size_t timer_count;
    size_t heap_size;
    spf_loop_entry_t *entries; /* by descriptor */
    size_t entry_count;
};

static const uint64_t timer_event = UINT64_MAX; /* epoll's mark of the timerfd; no descriptor has this number */

static uint64_t monotonic_now_us(void *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The timerfd is watched edge-triggered: every expiry is reported once, so it need never be read. */
static bool open_descriptors(spf_loop_t *loop)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = timer_event};
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return loop->epoll_fd >= 0 && loop->timer_fd >= 0 &&
           epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) == 0;
}

spf_loop_t *spf_loop_new(uint64_t (*now_us)(void *clock), void *clock)
{
    spf_loop_t *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->now_us = now_us ? now_us : monotonic_now_us;
    loop->clock = clock;
    if (!open_descriptors(loop)) {
        int error = errno;
        spf_loop_free(loop);
        errno = error;
        return NULL;
    }
    return loop;
}

void spf_loop_abandon(spf_loop_t *loop)
{
    close_descriptor(&loop->timer_fd);
    close_descriptor(&loop->epoll_fd);
}

void spf_loop_free(spf_loop_t *loop)
{
    if (!loop)
        return;
    spf_loop_abandon(loop);
    free(loop->heap);
    free(loop->entries);
    free(loop);
}

int spf_loop_fd(const spf_loop_t *loop)
{
    return loop->epoll_fd;
}

uint64_t spf_loop_now_us(const spf_loop_t *loop)
{
    return loop->now_us(loop->clock);
}

/* ---------------------------------------------------------------------------------------------------------- timers */

static bool is_before(const spf_timer_t *a, const spf_timer_t *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void place(spf_loop_t *loop, spf_timer_t *timer, size_t slot)
{
    loop->heap[slot] = timer;
    timer->slot = slot;
}

static void sift_up(spf_loop_t *loop, spf_timer_t *timer, size_t slot)
{
    for (; slot > 1 && is_before(timer, loop->heap[slot / 2]); slot /= 2)
        place(loop, loop->heap[slot / 2], slot);
    place(loop, timer, slot);
}

static void sift_down(spf_loop_t *loop, spf_timer_t *timer, size_t slot)
{
    for (size_t child; (child = 2 * slot) <= loop->timer_count; slot = child) {
        if (child < loop->timer_count && is_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!is_before(loop->heap[child], timer))
            break;
        place(loop, loop->heap[child], slot);
    }
    place(loop, timer, slot);
}

/* Puts a timer into a free slot of the heap, where its time may fit neither those above nor those below. */
static void settle(spf_loop_t *loop, spf_timer_t *timer, size_t slot)
{
    if (slot > 1 && is_before(timer, loop->heap[slot / 2]))
        sift_up(loop, timer, slot);
    else
        sift_down(loop, timer, slot);
}

static bool grow_heap(spf_loop_t *loop)
{
    if (loop->timer_count + 1 < loop->heap_size)
        return true;
    size_t size = loop->heap_size ? loop->heap_size * 2 : 64;
    spf_timer_t **heap = size <= SIZE_MAX / sizeof *heap ? realloc(loop->heap, size * sizeof *heap) : NULL;
    if (!heap)
        return false;
    loop->heap = heap;
    loop->heap_size = size;
    return true;
}

bool spf_loop_timer_set(spf_loop_t *loop, spf_timer_t *timer, uint64_t due_us)
{
    if (!timer->slot && !grow_heap(loop))
        return false;
    /* While timers are fired, one set to a time that is over comes after all that were due already. */
    timer->due_us = loop->is_running && due_us < loop->run_us ? loop->run_us : due_us;
    timer->order = loop->order++;
    settle(loop, timer, timer->slot ? timer->slot : ++loop->timer_count);
    return true;
}

void spf_loop_timer_clear(spf_loop_t *loop, spf_timer_t *timer)
{
    size_t slot = timer->slot;
    if (!slot)
        return;
    timer->slot = 0;
    spf_timer_t *last = loop->heap[loop->timer_count--];
    if (last != timer)
        settle(loop, last, slot);
}

/* Fires the timers that are due by now and were set before this began. */
static void run_round(spf_loop_t *loop, uint64_t now_us)
{
    uint64_t end = loop->order;
    loop->run_us = now_us;
    while (loop->timer_count) {
        spf_timer_t *timer = loop->heap[1];
        if (timer->due_us > now_us || timer->order >= end)
            break;
        spf_loop_timer_clear(loop, timer);
        timer->fire(timer);
    }
}

void spf_loop_run_timers(spf_loop_t *loop, bool until_quiet)
{
    if (!loop->timer_count || loop->is_running)
        return;
    loop->is_running = true;
    do {
        run_round(loop, spf_loop_now_us(loop));
    } while (until_quiet && spf_loop_timeout_us(loop) == 0);
    loop->is_running = false;
}

int64_t spf_loop_timeout_us(const spf_loop_t *loop)
{
    if (!loop->timer_count)
        return -1;
    uint64_t due_us = loop->heap[1]->due_us;
    uint64_t now_us = spf_loop_now_us(loop);
    if (due_us <= now_us)
        return 0;
    return due_us - now_us > INT64_MAX ? INT64_MAX : (int64_t)(due_us - now_us);
}

/* --------------------------------------------------------------------------------------------------------- watches */

static bool grow_entries(spf_loop_t *loop, size_t fd)
{
    if (fd < loop->entry_count)
        return true;
    size_t count = loop->entry_count ? loop->entry_count : 64;
    while (count <= fd)
        count *= 2;
    spf_loop_entry_t *entries = realloc(loop->entries, count * sizeof *entries);
    if (!entries)
        return false;
    memset(entries + loop->entry_count, 0, (count - loop->entry_count) * sizeof *entries);
    loop->entries = entries;
    loop->entry_count = count;
    return true;
}

/* A descriptor may have been closed before its watch was ended, which takes it out of the epoll set: nothing to say
 * about an error then. */
static void unwatch(spf_loop_t *loop, spf_watch_t *watch)
{
    if (!watch->events)
        return;
    loop->entries[watch->fd].watch = NULL;
    watch->events = 0;
    struct epoll_event unused = {0};
    int error = errno;
    if (loop->epoll_fd >= 0)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &unused);
    errno = error;
}

bool spf_loop_watch(spf_loop_t *loop, spf_watch_t *watch, int fd, uint32_t events)
{
    if (!events || watch->fd != fd)
        unwatch(loop, watch);
    if (!events)
        return true;
    if (fd < 0 || loop->epoll_fd < 0) {
        errno = EBADF;
        return false;
    }
    if (!grow_entries(loop, (size_t)fd)) {
        errno = ENOMEM;
        return false;
    }
    spf_loop_entry_t *entry = &loop->entries[fd];
    /* A watch that is still here when another comes was left behind by a close of the descriptor. */
    if (entry->watch && entry->watch != watch)
        unwatch(loop, entry->watch);
    int operation = watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (operation == EPOLL_CTL_ADD)
        entry->generation++;
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)entry->generation << 32 | (uint32_t)fd};
    if (epoll_ctl(loop->epoll_fd, operation, fd, &event) != 0)
        return false;
    entry->watch = watch;
    watch->fd = fd;
    watch->events = events;
    watch->generation = entry->generation;
    return true;
}

/* --------------------------------------------------------------------------------------------------------- waiting */

/* A timerfd that expires too early costs one needless wake-up; moving it back would cost a system call for nearly
 * every question, whose own timer is nearly always cleared in time. So it is only ever moved forward. */
void spf_loop_arm(spf_loop_t *loop)
{
    if (!loop->timer_count || loop->timer_fd < 0)
        return;
    uint64_t due_us = loop->heap[1]->due_us;
    if (loop->is_armed && loop->armed_us <= due_us)
        return;
    bool is_absolute = loop->now_us == monotonic_now_us;
    uint64_t value_us = is_absolute ? due_us : (uint64_t)spf_loop_timeout_us(loop);
    if (!value_us) /* which would disarm it */
        value_us = 1;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(value_us / 1000000), .tv_nsec = (long)(value_us % 1000000 * 1000)}};
    loop->is_armed = timerfd_settime(loop->timer_fd, is_absolute ? TFD_TIMER_ABSTIME : 0, &when, NULL) == 0;
    loop->armed_us = due_us;
}

static int timeout_ms(int64_t timeout_us)
{
    if (timeout_us < 0)
        return -1;
    int64_t rounded_up = timeout_us / 1000 + (timeout_us % 1000 != 0);
    return rounded_up > INT_MAX ? INT_MAX : (int)rounded_up;
}

bool spf_loop_poll(spf_loop_t *loop, spf_loop_events_t *events, int64_t timeout_us)
{
    events->count = epoll_wait(loop->epoll_fd, events->events, SPF_LOOP_EVENTS, timeout_ms(timeout_us));
    if (events->count >= 0)
        return true;
    events->count = 0;
    return errno == EINTR;
}

void spf_loop_dispatch(spf_loop_t *loop, const spf_loop_events_t *events)
{
    for (int i = 0; i < events->count; i++) {
        const struct epoll_event *event = &events->events[i];
        if (event->data.u64 == timer_event) {
            loop->is_armed = false;
            continue;
        }
        uint32_t fd = (uint32_t)event->data.u64;
        if (fd >= loop->entry_count)
            continue;
        spf_watch_t *watch = loop->entries[fd].watch;
        if (watch && watch->generation == (uint32_t)(event->data.u64 >> 32))
            watch->ready(watch, event->events);
    }
}
