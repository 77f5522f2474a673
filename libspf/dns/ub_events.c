/* SPDX-License-Identifier: MIT */
#include "dns/ub_events.h"

#include <stdlib.h>
#include <sys/time.h>

typedef struct spf_ub_event {
    struct ub_event event; /* first: libunbound knows us by its address */
    spf_ub_base_t *base;
    spf_watch_t watch;
    spf_timer_t timer;
    uint64_t interval_us; /* of the timeout; 0: none */
    int fd;
    short bits;   /* UB_EV_... */
    bool is_soon; /* in the list of timers without delay */
    TAILQ_ENTRY(spf_ub_event) soon_link;
    void (*callback)(int fd, short bits, void *argument);
    void *argument;
} spf_ub_event_t;

static spf_ub_event_t *own_event(struct ub_event *event)
{
    return (spf_ub_event_t *)(void *)event;
}

/* ------------------------------------------------------------------------------------------- timers without delay */

static void soon_add(spf_ub_event_t *event)
{
    if (!event->is_soon)
        TAILQ_INSERT_TAIL(&event->base->soon, event, soon_link);
    event->is_soon = true;
}

static void soon_remove(spf_ub_event_t *event)
{
    if (event->is_soon)
        TAILQ_REMOVE(&event->base->soon, event, soon_link);
    event->is_soon = false;
}

void spf_ub_base_enter(spf_ub_base_t *base)
{
    base->depth++;
}

void spf_ub_base_leave(spf_ub_base_t *base)
{
    spf_ub_event_t *event;
    while (base->depth == 1 && (event = TAILQ_FIRST(&base->soon))) {
        soon_remove(event);
        event->callback(event->fd, UB_EV_TIMEOUT, event->argument);
    }
    base->depth--;
}

/* --------------------------------------------------------------------------------------------------------- events */

static bool set_timeout(spf_ub_event_t *event, const struct timeval *delay)
{
    event->interval_us = (uint64_t)delay->tv_sec * 1000000 + (uint64_t)delay->tv_usec;
    if (event->interval_us == 0 && event->fd < 0) {
        soon_add(event);
        return true;
    }
    spf_loop_t *loop = event->base->loop;
    return spf_loop_timer_set(loop, &event->timer, spf_loop_now_us(loop) + event->interval_us);
}

static void deactivate(spf_ub_event_t *event)
{
    spf_loop_t *loop = event->base->loop;
    soon_remove(event);
    spf_loop_timer_clear(loop, &event->timer);
    event->interval_us = 0;
    spf_loop_watch(loop, &event->watch, event->fd, 0);
}

/* The event may be freed by its callback: that comes last. */
static void call_back(spf_ub_event_t *event, short bits)
{
    spf_ub_base_t *base = event->base;
    spf_ub_base_enter(base);
    event->callback(event->fd, bits, event->argument);
    spf_ub_base_leave(base);
}

static void on_ready(spf_watch_t *watch, uint32_t events)
{
    spf_ub_event_t *event = (spf_ub_event_t *)(void *)((char *)watch - offsetof(spf_ub_event_t, watch));
    uint32_t broken = events & (EPOLLERR | EPOLLHUP);
    int bits = 0;
    if (events & EPOLLIN || broken)
        bits |= event->bits & UB_EV_READ;
    if (events & EPOLLOUT || broken)
        bits |= event->bits & UB_EV_WRITE;
    if (!(event->bits & UB_EV_PERSIST))
        deactivate(event);
    else if (event->interval_us) /* of inactivity: it begins anew. Moving a timer needs no memory. */
        spf_loop_timer_set(event->base->loop, &event->timer, spf_loop_now_us(event->base->loop) + event->interval_us);
    call_back(event, (short)bits);
}

static void on_timer(spf_timer_t *timer)
{
    spf_ub_event_t *event = (spf_ub_event_t *)(void *)((char *)timer - offsetof(spf_ub_event_t, timer));
    deactivate(event); /* persistent or not: libunbound gives up what timed out */
    call_back(event, UB_EV_TIMEOUT);
}

static void event_add_bits(struct ub_event *event, short bits)
{
    own_event(event)->bits = (short)(own_event(event)->bits | bits);
}

static void event_del_bits(struct ub_event *event, short bits)
{
    own_event(event)->bits = (short)(own_event(event)->bits & ~bits);
}

static void event_set_fd(struct ub_event *event, int fd)
{
    own_event(event)->fd = fd;
}

static void event_free(struct ub_event *event)
{
    deactivate(own_event(event));
    free(event);
}

static int event_add(struct ub_event *ub_event, struct timeval *timeout)
{
    spf_ub_event_t *event = own_event(ub_event);
    uint32_t events =
        (event->bits & UB_EV_READ ? (uint32_t)EPOLLIN : 0) | (event->bits & UB_EV_WRITE ? (uint32_t)EPOLLOUT : 0);
    if (timeout && !set_timeout(event, timeout))
        return -1;
    if (events && !spf_loop_watch(event->base->loop, &event->watch, event->fd, events)) {
        deactivate(event);
        return -1;
    }
    return 0;
}

static int event_del(struct ub_event *event)
{
    deactivate(own_event(event));
    return 0;
}

static int event_add_timer(struct ub_event *event, struct ub_event_base *base, void (*callback)(int, short, void *),
                           void *argument, struct timeval *timeout)
{
    (void)base; /* the one it was made for */
    deactivate(own_event(event));
    own_event(event)->callback = callback;
    own_event(event)->argument = argument;
    return set_timeout(own_event(event), timeout) ? 0 : -1;
}

static struct ub_event_vmt event_vmt = {
    .add_bits = event_add_bits,
    .del_bits = event_del_bits,
    .set_fd = event_set_fd,
    .free = event_free,
    .add = event_add,
    .del = event_del,
    .add_timer = event_add_timer,
    .del_timer = event_del,
};

static struct ub_event *event_new(struct ub_event_base *base, int fd, short bits, void (*callback)(int, short, void *),
                                  void *argument)
{
    spf_ub_event_t *event = calloc(1, sizeof *event);
    if (!event)
        return NULL;
    event->event = (struct ub_event){.magic = UB_EVENT_MAGIC, .vmt = &event_vmt};
    event->base = (spf_ub_base_t *)(void *)base;
    event->fd = fd;
    event->bits = bits;
    event->callback = callback;
    event->argument = argument;
    event->watch.ready = on_ready;
    event->timer.fire = on_timer;
    return &event->event;
}

/* When libunbound fails to set itself up it frees the base, which is not its own. */
static void base_free(struct ub_event_base *base)
{
    (void)base;
}

static struct ub_event_base_vmt base_vmt = {.new_event = event_new, .free = base_free};

void spf_ub_base_init(spf_ub_base_t *base, spf_loop_t *loop)
{
    *base = (spf_ub_base_t){.base = {.magic = UB_EVENT_MAGIC, .vmt = &base_vmt}, .loop = loop};
    TAILQ_INIT(&base->soon);
}
