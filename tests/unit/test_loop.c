/* SPDX-License-Identifier: MIT */
/* The event loop: timers in order, watches that come and go while events are dispatched, a fork. */
#include "dns/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t virtual_us;

static uint64_t virtual_now(void *clock)
{
    assert_ptr_equal(clock, &virtual_us);
    return virtual_us;
}

static int set_up(void **state)
{
    virtual_us = 1000;
    *state = spf_loop_new(virtual_now, &virtual_us);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    spf_loop_free(*state);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- timers */

enum { TIMERS = 500 };

typedef struct probe {
    spf_timer_t timer; /* first */
    spf_loop_t *loop;
    unsigned fired;
    struct probe *victim; /* cleared or moved when this one fires */
    uint64_t victim_due_us;
    bool clears;
} probe_t;

static probe_t *fired_order[2 * TIMERS];
static size_t fired_count;

static void on_fire(spf_timer_t *timer)
{
    probe_t *probe = (probe_t *)(void *)timer;
    assert_int_equal(timer->slot, 0);
    probe->fired++;
    fired_order[fired_count++] = probe;
    if (probe->victim && probe->clears)
        spf_loop_timer_clear(probe->loop, &probe->victim->timer);
    else if (probe->victim)
        assert_true(spf_loop_timer_set(probe->loop, &probe->victim->timer, probe->victim_due_us));
}

static void probe_init(probe_t *probe, spf_loop_t *loop)
{
    *probe = (probe_t){.timer.fire = on_fire, .loop = loop};
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Set, moved and cleared at random: those left fire once each, in the order of their times. */
static void test_timers_fire_in_order(void **state)
{
    static probe_t probes[TIMERS];
    spf_loop_t *loop = *state;
    uint32_t seed = 7;
    fired_count = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        probe_init(&probes[i], loop);
        assert_true(spf_loop_timer_set(loop, &probes[i].timer, next_random(&seed) % 1000));
    }
    for (size_t i = 0; i < TIMERS; i += 3)
        assert_true(spf_loop_timer_set(loop, &probes[i].timer, next_random(&seed) % 1000));
    for (size_t i = 0; i < TIMERS; i += 5)
        spf_loop_timer_clear(loop, &probes[i].timer);
    spf_loop_run_timers(loop, false);
    assert_int_equal(fired_count, TIMERS - TIMERS / 5);
    for (size_t i = 1; i < fired_count; i++)
        assert_true(fired_order[i - 1]->timer.due_us <= fired_order[i]->timer.due_us);
    for (size_t i = 0; i < TIMERS; i++)
        assert_int_equal(probes[i].fired, i % 5 != 0);
    assert_int_equal(spf_loop_timeout_us(loop), -1);
}

static void test_ties_fire_in_the_order_set(void **state)
{
    probe_t probes[10];
    fired_count = 0;
    for (size_t i = 0; i < 10; i++) {
        probe_init(&probes[i], *state);
        assert_true(spf_loop_timer_set(*state, &probes[i].timer, 500));
    }
    spf_loop_run_timers(*state, false);
    for (size_t i = 0; i < 10; i++)
        assert_ptr_equal(fired_order[i], &probes[i]);
}

static void test_only_due_timers_fire(void **state)
{
    probe_t probe;
    probe_init(&probe, *state);
    assert_int_equal(spf_loop_timeout_us(*state), -1);
    assert_true(spf_loop_timer_set(*state, &probe.timer, 1700));
    assert_int_equal(spf_loop_timeout_us(*state), 700);
    spf_loop_run_timers(*state, true);
    assert_int_equal(probe.fired, 0);
    virtual_us = 1700;
    assert_int_equal(spf_loop_timeout_us(*state), 0);
    spf_loop_run_timers(*state, true);
    assert_int_equal(probe.fired, 1);
}

static void test_callbacks_clear_and_move_others(void **state)
{
    probe_t first, cleared, moved, mover;
    fired_count = 0;
    probe_init(&first, *state);
    probe_init(&cleared, *state);
    probe_init(&moved, *state);
    probe_init(&mover, *state);
    first.victim = &cleared;
    first.clears = true;
    mover.victim = &moved;
    mover.victim_due_us = 5000;
    assert_true(spf_loop_timer_set(*state, &first.timer, 1));
    assert_true(spf_loop_timer_set(*state, &mover.timer, 2));
    assert_true(spf_loop_timer_set(*state, &cleared.timer, 3));
    assert_true(spf_loop_timer_set(*state, &moved.timer, 4));
    spf_loop_run_timers(*state, true);
    assert_int_equal(fired_count, 2);
    assert_int_equal(spf_loop_timeout_us(*state), 4000);
    spf_loop_timer_clear(*state, &cleared.timer);
}

/* One set meanwhile, to a time before all others, waits for the next run and holds up nobody. */
static void test_timer_set_meanwhile_waits(void **state)
{
    probe_t setter, late, other;
    fired_count = 0;
    probe_init(&setter, *state);
    probe_init(&late, *state);
    probe_init(&other, *state);
    setter.victim = &late;
    setter.victim_due_us = 0;
    assert_true(spf_loop_timer_set(*state, &setter.timer, 10));
    assert_true(spf_loop_timer_set(*state, &other.timer, 900));
    spf_loop_run_timers(*state, false);
    assert_int_equal(fired_count, 2);
    assert_ptr_equal(fired_order[1], &other);
    assert_int_equal(spf_loop_timeout_us(*state), 0);
    spf_loop_run_timers(*state, false);
    assert_ptr_equal(fired_order[2], &late);
    setter.fired = late.fired = 0;
    assert_true(spf_loop_timer_set(*state, &setter.timer, 10));
    spf_loop_run_timers(*state, true);
    assert_int_equal(setter.fired + late.fired, 2);
}

/* --------------------------------------------------------------------------------------------------------- watches */

typedef struct end {
    spf_watch_t watch; /* first */
    spf_loop_t *loop;
    int fds[2];
    unsigned calls;
    struct end *victim;    /* closed when this one is ready */
    struct end *successor; /* opened then, probably with the victim's descriptor */
} end_t;

static void end_open(end_t *end, spf_loop_t *loop);

static void end_close(end_t *end)
{
    assert_true(spf_loop_watch(end->loop, &end->watch, end->fds[0], 0));
    close(end->fds[0]);
    close(end->fds[1]);
    end->fds[0] = -1;
}

static void on_ready(spf_watch_t *watch, uint32_t events)
{
    end_t *end = (end_t *)(void *)watch;
    char octet;
    assert_true(events & EPOLLIN);
    assert_int_equal(read(end->fds[0], &octet, 1), 1);
    end->calls++;
    if (end->victim && end->victim->fds[0] >= 0) {
        end_close(end->victim);
        end_open(end->successor, end->loop);
    }
}

static void end_open(end_t *end, spf_loop_t *loop)
{
    end->loop = loop;
    end->watch.ready = on_ready;
    assert_int_equal(pipe2(end->fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(spf_loop_watch(loop, &end->watch, end->fds[0], EPOLLIN));
}

static void end_write(const end_t *end)
{
    assert_int_equal(write(end->fds[1], "x", 1), 1);
}

static int turn(spf_loop_t *loop)
{
    spf_loop_events_t events;
    assert_true(spf_loop_poll(loop, &events, 0));
    spf_loop_dispatch(loop, &events);
    return events.count;
}

static void test_watch_is_level_triggered(void **state)
{
    end_t end = {0};
    end_open(&end, *state);
    assert_int_equal(turn(*state), 0);
    end_write(&end);
    end_write(&end);
    turn(*state);
    turn(*state);
    turn(*state);
    assert_int_equal(end.calls, 2);
    end_write(&end);
    assert_true(spf_loop_watch(*state, &end.watch, end.fds[0], 0));
    assert_int_equal(turn(*state), 0);
    end_close(&end);
}

static void test_watch_moves_and_changes(void **state)
{
    end_t first = {0}, second = {0};
    end_open(&first, *state);
    end_open(&second, *state);
    assert_true(spf_loop_watch(*state, &second.watch, second.fds[0], 0));
    assert_true(spf_loop_watch(*state, &first.watch, second.fds[0], EPOLLIN));
    end_write(&first);
    assert_int_equal(turn(*state), 0);
    assert_true(spf_loop_watch(*state, &first.watch, second.fds[0], EPOLLOUT));
    end_write(&second);
    assert_int_equal(turn(*state), 0);
    assert_false(spf_loop_watch(*state, &second.watch, -1, EPOLLIN));
    assert_int_equal(errno, EBADF);
    assert_true(spf_loop_watch(*state, &first.watch, second.fds[0], 0));
    end_close(&first);
    end_close(&second);
}

/* Both are ready; each closes the other, and a new watch gets the descriptor: the event reported for the one that is
 * gone must reach nobody. */
static void test_stale_event_is_skipped(void **state)
{
    end_t ends[2] = {0};
    end_t successor = {0};
    end_open(&ends[0], *state);
    end_open(&ends[1], *state);
    for (int i = 0; i < 2; i++) {
        ends[i].victim = &ends[1 - i];
        ends[i].successor = &successor;
        end_write(&ends[i]);
    }
    assert_int_equal(turn(*state), 2);
    assert_int_equal(ends[0].calls + ends[1].calls, 1);
    assert_int_equal(successor.calls, 0);
    end_write(&successor);
    turn(*state);
    assert_int_equal(successor.calls, 1);
    end_close(&successor);
    end_close(ends[0].fds[0] >= 0 ? &ends[0] : &ends[1]);
}

/* A descriptor that was closed before its watch was ended, and came back in another's hands. */
static void test_descriptor_closed_first(void **state)
{
    end_t old = {0}, new = {0};
    end_open(&old, *state);
    int fd = old.fds[0];
    close(old.fds[0]);
    close(old.fds[1]);
    end_open(&new, *state);
    assert_int_equal(new.fds[0], fd);
    assert_int_equal(old.watch.events, 0);
    assert_true(spf_loop_watch(*state, &old.watch, fd, 0));
    end_write(&new);
    turn(*state);
    assert_int_equal(new.calls, 1);
    end_close(&new);
}

static void test_descriptor_that_cannot_be_watched(void **state)
{
    FILE *file = tmpfile();
    end_t end = {0};
    int fd = fileno(file);
    assert_false(spf_loop_watch(*state, &end.watch, fd, EPOLLIN));
    assert_int_equal(errno, EPERM);
    assert_int_equal(end.watch.events, 0);
    assert_true(spf_loop_watch(*state, &end.watch, fd, 0));
    assert_false(spf_loop_watch(*state, &end.watch, -1, EPOLLIN));
    assert_int_equal(errno, EBADF);
    fclose(file);
}

/* More than one wait reports. */
static void test_many_watches(void **state)
{
    enum { MANY = 200 };
    static end_t ends[MANY];
    for (int i = 0; i < MANY; i++) {
        ends[i] = (end_t){0};
        end_open(&ends[i], *state);
        end_write(&ends[i]);
    }
    while (turn(*state) > 0)
        continue;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(ends[i].calls, 1);
        end_close(&ends[i]);
    }
}

/* --------------------------------------------------------------------------------------------------------- waiting */

static bool is_readable(const spf_loop_t *loop, int timeout_ms)
{
    struct pollfd polled = {spf_loop_fd(loop), POLLIN, 0};
    return poll(&polled, 1, timeout_ms) == 1;
}

static void test_host_is_woken_for_timers(void **state)
{
    (void)state;
    probe_t soon, later;
    spf_loop_t *loop = spf_loop_new(NULL, NULL);
    probe_init(&soon, loop);
    probe_init(&later, loop);
    assert_true(spf_loop_timer_set(loop, &later.timer, spf_loop_now_us(loop) + 3600000000));
    spf_loop_arm(loop);
    assert_false(is_readable(loop, 0));
    assert_true(spf_loop_timer_set(loop, &soon.timer, spf_loop_now_us(loop) + 1000));
    spf_loop_arm(loop);
    assert_true(is_readable(loop, 60000));
    turn(loop);
    assert_false(is_readable(loop, 0));
    spf_loop_run_timers(loop, false);
    assert_int_equal(soon.fired, 1);
    assert_true(spf_loop_timer_set(loop, &soon.timer, 0));
    spf_loop_arm(loop);
    assert_true(is_readable(loop, 60000));
    spf_loop_free(loop);
}

/* On a clock of its own the waiting is relative. */
static void test_virtual_clock_arms_too(void **state)
{
    probe_t probe;
    spf_loop_events_t events;
    probe_init(&probe, *state);
    assert_true(spf_loop_timer_set(*state, &probe.timer, 2000));
    spf_loop_arm(*state);
    assert_true(spf_loop_poll(*state, &events, -1));
    assert_int_equal(events.count, 1);
    spf_loop_dispatch(*state, &events);
    assert_int_equal(probe.fired, 0);
}

static void test_fork_leaves_the_parent_alone(void **state)
{
    end_t end = {0};
    int status;
    end_open(&end, *state);
    pid_t child = fork();
    if (child == 0) {
        spf_loop_abandon(*state);
        bool is_refused = !spf_loop_watch(*state, &end.watch, end.fds[0], EPOLLOUT);
        bool is_ended = spf_loop_watch(*state, &end.watch, end.fds[0], 0);
        bool is_closed = spf_loop_fd(*state) == -1;
        spf_loop_free(*state);
        _exit(is_refused && is_ended && is_closed ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    end_write(&end);
    turn(*state);
    assert_int_equal(end.calls, 1);
    end_close(&end);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_order),
        TEST(test_ties_fire_in_the_order_set),
        TEST(test_only_due_timers_fire),
        TEST(test_callbacks_clear_and_move_others),
        TEST(test_timer_set_meanwhile_waits),
        TEST(test_watch_is_level_triggered),
        TEST(test_watch_moves_and_changes),
        TEST(test_stale_event_is_skipped),
        TEST(test_descriptor_closed_first),
        TEST(test_many_watches),
        TEST(test_descriptor_that_cannot_be_watched),
        TEST(test_host_is_woken_for_timers),
        TEST(test_virtual_clock_arms_too),
        TEST(test_fork_leaves_the_parent_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
