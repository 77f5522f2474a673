/* SPDX-License-Identifier: MIT */
/* One context, many threads: every one of them may wait for a check, start checks, and make and give up references. */
#include "spf.h"
#include "support/dns_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 8, CHECKS = 1000, DOMAINS = 200 };

typedef struct world {
    zone_t *zone;
    dns_server_t *server;
    spf_context_t *context;
} world_t;

static void world_open(world_t *world, const char *record_cache)
{
    spf_config_t *config;

    world->zone = zone_new();
    for (unsigned i = 0; i < DOMAINS; i++) {
        char name[64];
        char text[128];
        snprintf(name, sizeof name, "d%u.example", i);
        snprintf(text, sizeof text, "v=spf1 a:host%u.example include:shared.example -all", i % 10);
        zone_add(world->zone, name, "TXT", text);
    }
    for (unsigned i = 0; i < 10; i++) {
        char name[64];
        snprintf(name, sizeof name, "host%u.example", i);
        zone_add(world->zone, name, "A", "192.0.2.1");
    }
    zone_add(world->zone, "shared.example", "TXT", "v=spf1 ip4:198.51.100.0/24 -all");
    world->server = dns_server_start(world->zone);
    assert_non_null(world->server);
    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "resolver", dns_server_address(world->server)), SPF_OK);
    assert_int_equal(spf_config_set(config, "record-cache", record_cache), SPF_OK);
    assert_int_equal(spf_context_new(&world->context, config), SPF_OK);
    spf_config_free(config);
}

static void world_close(world_t *world)
{
    spf_context_release(world->context);
    dns_server_stop(world->server);
    zone_free(world->zone);
}

typedef struct worker {
    pthread_t thread;
    unsigned number;
    spf_context_t *context;
    atomic_uint right;
    atomic_uint wrong;
} worker_t;

static const struct {
    const char *ip;
    spf_result_t result;
} expected[] = {{"192.0.2.1", SPF_RESULT_PASS}, {"198.51.100.9", SPF_RESULT_PASS}, {"203.0.113.1", SPF_RESULT_FAIL}};

static spf_check_t *check_number(spf_context_t *context, unsigned i)
{
    char sender[64];
    spf_check_t *check = NULL;

    snprintf(sender, sizeof sender, "ann@d%u.example", i % DOMAINS);
    if (spf_check_new(&check, context) == SPF_OK && spf_check_set_ip(check, expected[i % 3].ip) == SPF_OK)
        spf_check_set_sender(check, sender, SPF_STRLEN);
    return check;
}

static void judge(worker_t *worker, const spf_check_t *check, spf_err_t err, unsigned i)
{
    bool right = err == SPF_OK && spf_check_verdict(check)->result == expected[i % 3].result;

    atomic_fetch_add(right ? &worker->right : &worker->wrong, 1);
}

static void *run_checks(void *argument)
{
    worker_t *worker = argument;

    for (unsigned i = 0; i < CHECKS; i++) {
        unsigned number = worker->number * 7 + i;
        spf_check_t *check = check_number(worker->context, number);
        judge(worker, check, spf_check_run(check), number);
        spf_check_free(check);
    }
    return NULL;
}

typedef struct started {
    worker_t *worker;
    unsigned number;
} started_t;

/* Runs in whichever thread waits. */
static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    started_t *started = user_data;

    judge(started->worker, check, err, started->number);
    spf_check_free(check);
}

static void *start_checks(void *argument)
{
    worker_t *worker = argument;
    started_t started[CHECKS];

    for (unsigned i = 0; i < CHECKS; i++) {
        spf_check_t *check = check_number(worker->context, worker->number * 7 + i);
        started[i] = (started_t){worker, worker->number * 7 + i};
        if (spf_check_start(check, on_end, &started[i]) != SPF_OK)
            atomic_fetch_add(&worker->wrong, 1);
        if (i % 50 == 0)
            spf_context_process(worker->context);
    }
    while (atomic_load(&worker->right) + atomic_load(&worker->wrong) < CHECKS)
        spf_context_wait(worker->context, 20);
    return NULL;
}

static void *start_or_run(void *argument)
{
    worker_t *worker = argument;

    return worker->number % 2 ? start_checks(worker) : run_checks(worker);
}

static void work(world_t *world, void *(*what)(void *))
{
    worker_t workers[THREADS] = {{0}};

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].number = i;
        workers[i].context = world->context;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, what, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].right, CHECKS);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_int_equal(spf_context_pending(world->context), 0);
}

static void test_blocking_checks(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, "8m");
    work(&world, run_checks);
    world_close(&world);
}

static void test_blocking_checks_without_kept_records(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, "0");
    work(&world, run_checks);
    world_close(&world);
}

static void test_callbacks_and_blocking_checks(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, "8m");
    work(&world, start_or_run);
    world_close(&world);
}

/* A resolver that never answers. */
static spf_err_t never_start(void *resolver, spf_query_t *query)
{
    (void)resolver;
    (void)query;
    return SPF_OK;
}

static void never_cancel(void *resolver, spf_query_t *query)
{
    (void)resolver;
    (void)query;
}

static const spf_resolver_ops_t never_ops = {.size = sizeof never_ops, .start = never_start, .cancel = never_cancel};

typedef struct waiter {
    pthread_t thread;
    spf_context_t *context;
    unsigned timeout_ms;
    atomic_bool is_over;
} waiter_t;

static void *wait_in_vain(void *argument)
{
    waiter_t *waiter = argument;
    spf_check_t *check = check_number(waiter->context, 0);

    spf_check_set_timeout_ms(check, waiter->timeout_ms);
    if (spf_check_run(check) == SPF_OK && spf_check_verdict(check)->cause == SPF_CAUSE_DEADLINE)
        atomic_store(&waiter->is_over, true);
    spf_check_free(check);
    return NULL;
}

/* One thread waits for the descriptors, for long; another's deadline, which comes later and is due sooner, must wake
 * it. */
static void test_a_follower_keeps_its_deadline(void **state)
{
    spf_context_t *context;
    waiter_t patient = {.timeout_ms = 5000};
    waiter_t hasty = {.timeout_ms = 50};
    (void)state;

    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &never_ops, NULL), SPF_OK);
    patient.context = hasty.context = context;
    assert_int_equal(pthread_create(&patient.thread, NULL, wait_in_vain, &patient), 0);
    usleep(200000); /* so that it leads; if it does not yet, the test just says less */
    assert_int_equal(pthread_create(&hasty.thread, NULL, wait_in_vain, &hasty), 0);
    pthread_join(hasty.thread, NULL);
    assert_true(atomic_load(&hasty.is_over));
    assert_false(atomic_load(&patient.is_over));
    pthread_join(patient.thread, NULL);
    assert_true(atomic_load(&patient.is_over));
    spf_context_release(context);
}

/* A resolver that answers when it is told to, from inside `process`. */
typedef struct obedient {
    spf_query_t *_Atomic query;
    atomic_bool may_answer;
} obedient_t;

static spf_err_t obedient_start(void *resolver, spf_query_t *query)
{
    atomic_store(&((obedient_t *)resolver)->query, query);
    return SPF_OK;
}

static void obedient_cancel(void *resolver, spf_query_t *query)
{
    (void)query;
    atomic_store(&((obedient_t *)resolver)->query, NULL);
}

static void obedient_process(void *resolver)
{
    obedient_t *obedient = resolver;
    spf_query_t *query = atomic_load(&obedient->query);

    if (query == NULL || !atomic_load(&obedient->may_answer))
        return;
    atomic_store(&obedient->query, NULL);
    spf_query_finish(query, SPF_DNS_NXDOMAIN, 0, SPF_DNSSEC_INSECURE, NULL);
}

static const spf_resolver_ops_t obedient_ops = {
    .size = sizeof obedient_ops, .start = obedient_start, .cancel = obedient_cancel, .process = obedient_process};

static void *run_one(void *argument)
{
    spf_check_t *check = check_number(argument, 0);
    spf_err_t err = spf_check_run(check);

    spf_check_free(check);
    return err == SPF_OK ? argument : NULL;
}

static void on_end_of_one(spf_check_t *check, spf_err_t err, void *user_data)
{
    (void)err;
    (void)user_data;
    spf_check_free(check);
}

static void *wait_for_one(void *argument)
{
    spf_check_t *check = check_number(argument, 0);

    if (spf_check_start(check, on_end_of_one, NULL) != SPF_OK)
        return NULL;
    while (spf_context_pending(argument) > 0)
        spf_context_wait(argument, -1);
    return argument;
}

/* A thread that waits for descriptors learns that another one, which only processes, has done what it waits for. */
static void another_processes(void *(*what)(void *))
{
    obedient_t obedient = {.query = NULL};
    struct timespec until;
    spf_context_t *context;
    pthread_t thread;
    void *returned;

    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &obedient_ops, &obedient), SPF_OK);
    assert_int_equal(pthread_create(&thread, NULL, what, context), 0);
    while (atomic_load(&obedient.query) == NULL)
        usleep(1000);
    usleep(50000); /* so that it waits; if it does not yet, the test just says less */
    atomic_store(&obedient.may_answer, true);
    assert_int_equal(spf_context_process(context), SPF_OK);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 15; /* before the check's deadline would wake it */
    assert_int_equal(pthread_timedjoin_np(thread, &returned, &until), 0);
    assert_ptr_equal(returned, context);
    spf_context_release(context);
}

static void test_a_thread_that_runs_is_woken_by_one_that_processes(void **state)
{
    (void)state;
    another_processes(run_one);
}

static void test_a_thread_that_waits_is_woken_by_one_that_processes(void **state)
{
    (void)state;
    another_processes(wait_for_one);
}

static void *wait_for_all(void *context)
{
    while (spf_context_pending(context) > 0)
        spf_context_wait(context, -1);
    return context;
}

/* A thread that waits for descriptors learns that another one has cancelled what it waits for. */
static void test_a_thread_that_waits_is_woken_by_one_that_cancels(void **state)
{
    struct timespec until;
    spf_context_t *context;
    spf_check_t *check;
    pthread_t thread;
    void *returned;
    (void)state;

    assert_int_equal(spf_context_new_with_resolver(&context, NULL, &never_ops, NULL), SPF_OK);
    check = check_number(context, 0);
    assert_int_equal(spf_check_set_timeout_ms(check, 600000), SPF_OK);
    assert_int_equal(spf_check_start(check, on_end_of_one, NULL), SPF_OK);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_all, context), 0);
    usleep(50000); /* so that it waits; if it does not yet, the test just says less */
    spf_check_cancel(check);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 15;
    assert_int_equal(pthread_timedjoin_np(thread, &returned, &until), 0);
    assert_ptr_equal(returned, context);
    spf_context_release(context);
}

/* The shared context comes and goes with its users. */
static void *take_and_give(void *argument)
{
    worker_t *worker = argument;

    for (unsigned i = 0; i < 50; i++) {
        spf_context_t *context;
        if (spf_context_shared(&context, NULL, NULL, 0) != SPF_OK) {
            atomic_fetch_add(&worker->wrong, 1);
            continue;
        }
        spf_context_release(context);
        atomic_fetch_add(&worker->right, CHECKS / 50);
    }
    return NULL;
}

static void test_shared_context(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, "8m");
    work(&world, take_and_give);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking_checks),
        cmocka_unit_test(test_blocking_checks_without_kept_records),
        cmocka_unit_test(test_callbacks_and_blocking_checks),
        cmocka_unit_test(test_a_follower_keeps_its_deadline),
        cmocka_unit_test(test_a_thread_that_runs_is_woken_by_one_that_processes),
        cmocka_unit_test(test_a_thread_that_waits_is_woken_by_one_that_processes),
        cmocka_unit_test(test_a_thread_that_waits_is_woken_by_one_that_cancels),
        cmocka_unit_test(test_shared_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
