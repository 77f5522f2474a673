/* SPDX-License-Identifier: MIT */
/* Contexts across fork, over real DNS on loopback: both sides go on, and neither disturbs the other. */
#include "spf.h"
#include "support/dns_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SANITIZER false
#endif

enum { DOMAINS = 64, CHECKS = 40, CHILDREN = 10, THREADS = 4 };

typedef struct world {
    pid_t server;
    spf_context_t *context;
} world_t;

/* dN.example lists 192.0.2.N, directly or through an include. */
static zone_t *zone_make(void)
{
    zone_t *zone = zone_new();

    for (unsigned i = 0; i < DOMAINS; i++) {
        char name[64];
        char text[128];
        snprintf(name, sizeof name, "d%u.example", i);
        snprintf(text, sizeof text, i % 2 ? "v=spf1 include:inner.d%u.example -all" : "v=spf1 ip4:192.0.2.%u -all", i);
        zone_add(zone, name, "TXT", text);
        snprintf(name, sizeof name, "inner.d%u.example", i);
        snprintf(text, sizeof text, "v=spf1 ip4:192.0.2.%u -all", i);
        zone_add(zone, name, "TXT", text);
    }
    return zone;
}

/* The name server of a world, in a process of its own: a thread of this one might hold the allocator's lock just when
 * it forks, and a sanitizer's allocator does not get over that. */
static void serve(uint64_t delay_us, int address_fd)
{
    const char *address;
    dns_server_t *server;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also if an assertion ends the test */
    server = dns_server_start(zone_make());
    if (server == NULL)
        _exit(1);
    dns_server_set_delay_us(server, delay_us);
    address = dns_server_address(server);
    if (write(address_fd, address, strlen(address)) < 0)
        _exit(1);
    close(address_fd);
    for (;;)
        pause();
}

static void world_open(world_t *world, uint64_t delay_us)
{
    char address[64];
    spf_config_t *config;
    ssize_t length;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    world->server = fork();
    assert_true(world->server >= 0);
    if (world->server == 0)
        serve(delay_us, ends[1]);
    close(ends[1]);
    length = read(ends[0], address, sizeof address - 1);
    assert_true(length > 0);
    address[length] = '\0';
    close(ends[0]);
    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "resolver", address), SPF_OK);
    assert_int_equal(spf_context_new(&world->context, config), SPF_OK);
    spf_config_free(config);
}

static void world_close(world_t *world)
{
    spf_context_release(world->context);
    kill(world->server, SIGKILL);
    assert_int_equal(waitpid(world->server, NULL, 0), world->server);
}

static spf_check_t *check_of(spf_context_t *context, unsigned domain, unsigned host)
{
    char ip[32];
    char sender[64];
    spf_check_t *check;

    snprintf(ip, sizeof ip, "192.0.2.%u", host);
    snprintf(sender, sizeof sender, "ann@d%u.example", domain);
    if (spf_check_new(&check, context) != SPF_OK || spf_check_set_ip(check, ip) != SPF_OK ||
        spf_check_set_sender(check, sender, SPF_STRLEN) != SPF_OK)
        return NULL;
    return check;
}

/* The i-th check of a series; even ones pass. */
static spf_check_t *check_number(spf_context_t *context, unsigned i)
{
    return check_of(context, i % DOMAINS, i % 2 ? 200 : i % DOMAINS);
}

static bool is_right(const spf_check_t *check, unsigned i)
{
    return spf_check_verdict(check) != NULL &&
           spf_check_verdict(check)->result == (i % 2 ? SPF_RESULT_FAIL : SPF_RESULT_PASS);
}

static bool run_right(spf_context_t *context, unsigned i)
{
    spf_check_t *check = check_number(context, i);
    bool right = check != NULL && spf_check_run(check) == SPF_OK && is_right(check, i);

    spf_check_free(check);
    return right;
}

typedef struct tally {
    unsigned right;
    unsigned cancelled;
    unsigned wrong;
} tally_t;

typedef struct started {
    tally_t *tally;
    unsigned number;
    spf_check_t *check;
} started_t;

static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    const started_t *started = user_data;

    if (err == SPF_ECANCELED)
        started->tally->cancelled++;
    else if (err == SPF_OK && is_right(check, started->number))
        started->tally->right++;
    else
        started->tally->wrong++;
}

static bool start_all(spf_context_t *context, started_t *started, tally_t *tally)
{
    for (unsigned i = 0; i < CHECKS; i++) {
        started[i] = (started_t){tally, i, check_number(context, i)};
        if (started[i].check == NULL || spf_check_start(started[i].check, on_end, &started[i]) != SPF_OK)
            return false;
    }
    return true;
}

static void free_all(started_t *started)
{
    for (unsigned i = 0; i < CHECKS; i++)
        spf_check_free(started[i].check);
}

static bool wait_all(spf_context_t *context)
{
    while (spf_context_pending(context) > 0)
        if (spf_context_wait(context, -1) != SPF_OK)
            return false;
    return true;
}

/* What a child does: checks of its own in both ways, beside those of its parent, which it can only free. */
static int child_main(spf_context_t *context, started_t *parents, tally_t *parents_tally)
{
    tally_t tally = {0};
    started_t started[CHECKS];
    unsigned right = 0;

    if (!start_all(context, started, &tally))
        return 2;
    for (unsigned i = 0; i < CHECKS; i++)
        right += run_right(context, i);
    if (parents != NULL) {
        free_all(parents);
        if (parents_tally->right + parents_tally->cancelled != CHECKS)
            return 3;
    }
    if (!wait_all(context))
        return 4;
    free_all(started);
    spf_context_release(context);
    return right == CHECKS && tally.right == CHECKS && tally.wrong == 0 ? 0 : 5;
}

static int exit_status_of(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_fork_in_the_middle_of_checks(void **state)
{
    world_t world;
    tally_t tally = {0};
    started_t started[CHECKS];
    pid_t children[CHILDREN];
    (void)state;

    world_open(&world, 30000);
    assert_true(start_all(world.context, started, &tally));
    spf_context_wait(world.context, 5);
    for (unsigned i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            tally_t inherited = tally; /* some may have ended already */
            for (unsigned k = 0; k < CHECKS; k++)
                started[k].tally = &inherited;
            _exit(child_main(world.context, started, &inherited));
        }
    }
    assert_true(wait_all(world.context));
    assert_int_equal(tally.right, CHECKS);
    assert_int_equal(tally.wrong + tally.cancelled, 0);
    for (unsigned i = 0; i < CHILDREN; i++)
        assert_int_equal(exit_status_of(children[i]), 0);
    assert_true(run_right(world.context, 1));
    free_all(started);
    world_close(&world);
}

/* A child that ends without a word, with everything in flight, leaves its parent's resolver alone. */
static void test_child_that_only_releases(void **state)
{
    world_t world;
    tally_t tally = {0};
    started_t started[CHECKS];
    pid_t child;
    (void)state;

    world_open(&world, 30000);
    assert_true(start_all(world.context, started, &tally));
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        spf_context_release(world.context);
        _exit(0);
    }
    assert_int_equal(exit_status_of(child), 0);
    assert_true(wait_all(world.context));
    assert_int_equal(tally.right, CHECKS);
    free_all(started);
    world_close(&world);
}

/* A context that nobody used yet, and one that is idle. */
static void test_fork_before_the_first_check(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, 0);
    for (unsigned round = 0; round < 2; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(child_main(world.context, NULL, NULL));
        for (unsigned i = 0; i < CHECKS; i++)
            assert_true(run_right(world.context, i));
        assert_int_equal(exit_status_of(child), 0);
    }
    world_close(&world);
}

static void test_grandchildren(void **state)
{
    world_t world;
    pid_t child;
    (void)state;

    world_open(&world, 0);
    assert_true(run_right(world.context, 0));
    child = fork();
    if (child == 0) {
        if (!run_right(world.context, 1))
            _exit(1);
        child = fork();
        if (child == 0)
            _exit(run_right(world.context, 2) ? 0 : 2);
        _exit(exit_status_of(child) == 0 && run_right(world.context, 3) ? 0 : 3);
    }
    assert_int_equal(exit_status_of(child), 0);
    assert_true(run_right(world.context, 4));
    world_close(&world);
}

/* Threads check all the while that another forks: the child has one thread, and no lock that it needs is held. */
static atomic_bool stop;
static atomic_uint wrong;

static void *thread_main(void *context)
{
    for (unsigned i = 0; !atomic_load(&stop); i++)
        if (!run_right(context, i))
            atomic_fetch_add(&wrong, 1);
    return NULL;
}

static void test_fork_beside_threads(void **state)
{
    world_t world;
    pthread_t threads[THREADS];
    (void)state;

    if (HAS_SANITIZER) {
        print_message("skipped: the allocators of the sanitizers may be locked in the child of a threaded process\n");
        skip();
    }
    world_open(&world, 1000);
    atomic_store(&stop, false);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, world.context), 0);
    for (unsigned i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(child_main(world.context, NULL, NULL));
        assert_int_equal(exit_status_of(child), 0);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_before_the_first_check), cmocka_unit_test(test_fork_in_the_middle_of_checks),
        cmocka_unit_test(test_child_that_only_releases),    cmocka_unit_test(test_grandchildren),
        cmocka_unit_test(test_fork_beside_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
