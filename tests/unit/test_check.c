/* SPDX-License-Identifier: MIT */
/* The contract of checks and contexts: callbacks, cancelling, freeing, the host's loop. */
#include "spf.h"
#include "support/memory_resolver.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---------------------------------------------------------------------------------------------------------- a world */

typedef struct world {
    zone_t *zone;
    memory_resolver_t *resolver;
    spf_context_t *context;
} world_t;

static const char zone_lines[] = "example.com TXT v=spf1 a mx include:inner.example -all\n"
                                 "example.com A 192.0.2.1\n"
                                 "example.com MX 10 mx.example.com\n"
                                 "mx.example.com A 192.0.2.2\n"
                                 "inner.example TXT v=spf1 ip4:192.0.2.3 -all\n"
                                 "silent.example * TIMEOUT\n";

static void world_open(world_t *world, const memory_options_t *options)
{
    world->zone = zone_new();
    zone_add_lines(world->zone, zone_lines);
    world->resolver = memory_resolver_new(world->zone);
    memory_resolver_set_options(world->resolver, options);
    assert_int_equal(spf_context_new_with_resolver(&world->context, NULL, &memory_resolver_ops, world->resolver),
                     SPF_OK);
}

static void world_close(world_t *world)
{
    spf_context_release(world->context);
    assert_int_equal(memory_resolver_counters(world->resolver).in_flight, 0);
    memory_resolver_free(world->resolver);
    zone_free(world->zone);
}

static spf_check_t *check_of(const world_t *world, const char *ip, const char *sender)
{
    spf_check_t *check;

    assert_int_equal(spf_check_new(&check, world->context), SPF_OK);
    assert_int_equal(spf_check_set_ip(check, ip), SPF_OK);
    assert_int_equal(spf_check_set_sender(check, sender, SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_set_helo(check, "helo.example.com", SPF_STRLEN), SPF_OK);
    return check;
}

/* What a callback saw, and what it is to do. */
typedef struct seen {
    unsigned calls;
    spf_err_t err;
    spf_result_t result;
    bool frees;           /* its check, from inside the callback */
    spf_check_t *cancels; /* another one */
    unsigned starts;      /* so many more checks, one after the other */
    const world_t *world;
    spf_context_t *releases;
} seen_t;

static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    seen_t *seen = user_data;

    seen->calls++;
    seen->err = err;
    if (err == SPF_OK)
        seen->result = spf_check_verdict(check)->result;
    else
        assert_null(spf_check_verdict(check));
    if (seen->cancels != NULL)
        spf_check_cancel(seen->cancels);
    if (seen->frees)
        spf_check_free(check);
    if (seen->starts > 0) {
        seen->starts--;
        assert_int_equal(spf_check_start(check_of(seen->world, "192.0.2.3", "ann@example.com"), on_end, seen), SPF_OK);
    }
    spf_context_release(seen->releases);
    seen->releases = NULL;
}

static void wait_for_all(const world_t *world)
{
    for (unsigned turns = 0; spf_context_pending(world->context) > 0; turns++) {
        assert_true(turns < 1000000);
        assert_int_equal(spf_context_wait(world->context, -1), SPF_OK);
    }
}

/* -------------------------------------------------------------------------------------------------------- callbacks */

static void test_one_callback_never_inside_start(void **state)
{
    static const memory_options_t ways[] = {{0}, {.is_late = true}, {.delay_us = 20000}};
    (void)state;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        world_t world;
        seen_t seen = {0};
        world_open(&world, &ways[i]);
        spf_check_t *check = check_of(&world, "192.0.2.3", "ann@example.com");
        assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
        assert_int_equal(seen.calls, 0);
        assert_null(spf_check_verdict(check));
        assert_int_equal(spf_context_pending(world.context), 1);
        wait_for_all(&world);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.err, SPF_OK);
        assert_int_equal(seen.result, SPF_RESULT_PASS);
        assert_int_equal(spf_context_wait(world.context, -1), SPF_OK);
        assert_int_equal(seen.calls, 1);
        spf_check_free(check);
        world_close(&world);
    }
}

static void test_failed_start_has_no_callback(void **state)
{
    world_t world;
    seen_t seen = {0};
    spf_check_t *check;
    (void)state;

    world_open(&world, &(memory_options_t){0});
    assert_int_equal(spf_check_new(&check, world.context), SPF_OK);
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_EINVAL);
    assert_string_equal(spf_check_error(check), "client address \"\" must be set before a check is started");
    assert_int_equal(spf_check_set_ip(check, "192.0.2.3"), SPF_OK);
    assert_int_equal(spf_check_start(check, NULL, &seen), SPF_EINVAL);
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_ESTATE);
    assert_int_equal(spf_check_run(check), SPF_ESTATE);
    assert_int_equal(spf_check_set_ip(check, "192.0.2.4"), SPF_ESTATE);
    wait_for_all(&world);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.result, SPF_RESULT_NONE);
    spf_check_free(check);
    world_close(&world);
}

static void test_cancel_calls_back_at_once_and_once(void **state)
{
    world_t world;
    seen_t seen = {0};
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 20000});
    spf_check_t *check = check_of(&world, "192.0.2.9", "ann@example.com");
    spf_check_cancel(check);
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
    spf_check_cancel(check);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.err, SPF_ECANCELED);
    assert_int_equal(spf_context_pending(world.context), 0);
    assert_int_equal(memory_resolver_counters(world.resolver).in_flight, 0);
    spf_check_cancel(check);
    spf_check_free(check);
    assert_int_equal(seen.calls, 1);
    world_close(&world);
}

/* A check that is over, but not yet called back, can still be cancelled. */
static void test_cancel_of_a_finished_check(void **state)
{
    world_t world;
    seen_t seen = {0};
    (void)state;

    world_open(&world, &(memory_options_t){0});
    spf_check_t *check = check_of(&world, "192.0.2.9", "ann@example.com");
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
    spf_check_free(check);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.err, SPF_ECANCELED);
    assert_int_equal(spf_context_process(world.context), SPF_OK);
    assert_int_equal(seen.calls, 1);
    world_close(&world);
}

/* Cancels after every possible number of waits. */
static void test_cancel_at_every_step(void **state)
{
    (void)state;

    for (unsigned waits = 0; waits < 6; waits++) {
        world_t world;
        seen_t seen = {0};
        world_open(&world, &(memory_options_t){.delay_us = 20000, .jitter_us = 5000, .seed = waits});
        spf_check_t *check = check_of(&world, "192.0.2.9", "ann@example.com");
        assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
        for (unsigned i = 0; i < waits; i++)
            spf_context_wait(world.context, -1);
        spf_check_free(check);
        assert_int_equal(seen.calls, 1);
        world_close(&world);
    }
}

static void test_free_inside_the_callback(void **state)
{
    world_t world;
    seen_t seen = {.frees = true};
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 1000});
    assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &seen), SPF_OK);
    wait_for_all(&world);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.result, SPF_RESULT_PASS);
    world_close(&world);
}

static void test_start_inside_the_callback(void **state)
{
    static const memory_options_t ways[] = {{0}, {.delay_us = 1000}};
    (void)state;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        world_t world;
        world_open(&world, &ways[i]);
        seen_t seen = {.frees = true, .starts = 20, .world = &world};
        assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &seen), SPF_OK);
        wait_for_all(&world);
        assert_int_equal(seen.calls, 21);
        world_close(&world);
    }
}

static void test_cancel_of_another_inside_the_callback(void **state)
{
    world_t world;
    seen_t first = {.frees = true};
    seen_t second = {0};
    (void)state;

    world_open(&world, &(memory_options_t){0});
    second.cancels = NULL;
    spf_check_t *other = check_of(&world, "192.0.2.3", "ann@example.com");
    first.cancels = other;
    assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &first), SPF_OK);
    assert_int_equal(spf_check_start(other, on_end, &second), SPF_OK);
    wait_for_all(&world);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 1);
    assert_int_equal(second.err, SPF_ECANCELED);
    spf_check_free(other);
    world_close(&world);
}

static void test_release_cancels_what_is_in_flight(void **state)
{
    world_t world;
    seen_t seen[5] = {{0}};
    spf_check_t *checks[5];
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 20000});
    for (size_t i = 0; i < 5; i++) {
        checks[i] = check_of(&world, "192.0.2.9", "ann@example.com");
        assert_int_equal(spf_check_start(checks[i], on_end, &seen[i]), SPF_OK);
    }
    spf_context_release(world.context);
    world.context = NULL;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(seen[i].calls, 1);
        assert_int_equal(seen[i].err, SPF_ECANCELED);
        spf_check_cancel(checks[i]); /* the context is gone, and nothing is left to do */
        assert_int_equal(seen[i].calls, 1);
        spf_check_free(checks[i]);
    }
    world_close(&world);
}

static void test_release_inside_the_callback(void **state)
{
    world_t world;
    seen_t first = {.frees = true};
    seen_t second = {.frees = true};
    (void)state;

    world_open(&world, &(memory_options_t){0});
    first.releases = world.context;
    assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &first), SPF_OK);
    assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &second), SPF_OK);
    assert_int_equal(spf_context_wait(world.context, -1), SPF_OK);
    world.context = NULL;
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 1);
    assert_int_equal(second.err, SPF_ECANCELED);
    world_close(&world);
}

static void test_a_check_outlives_its_context(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, &(memory_options_t){0});
    spf_check_t *check = check_of(&world, "192.0.2.3", "ann@example.com");
    assert_int_equal(spf_check_run(check), SPF_OK);
    spf_context_release(world.context);
    world.context = NULL;
    assert_int_equal(spf_check_verdict(check)->result, SPF_RESULT_PASS);
    assert_non_null(spf_check_received_spf(check, SPF_FOLD_LF));
    spf_check_free(check);
    world_close(&world);
}

/* ------------------------------------------------------------------------------------------------------- in numbers */

enum { MANY = 10000 };

static void test_ten_thousand_in_flight(void **state)
{
    world_t world;
    seen_t seen = {.frees = true};
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 20000, .jitter_us = 30000, .seed = 7});
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &seen), SPF_OK);
    assert_int_equal(spf_context_pending(world.context), MANY);
    wait_for_all(&world);
    assert_int_equal(seen.calls, MANY);
    world_close(&world);
}

/* A blocking check goes on while others are in flight, and their callbacks run in it. */
static void test_run_beside_others(void **state)
{
    world_t world;
    seen_t seen = {.frees = true};
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 20000});
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(spf_check_start(check_of(&world, "192.0.2.3", "ann@example.com"), on_end, &seen), SPF_OK);
    spf_check_t *check = check_of(&world, "192.0.2.9", "ann@example.com");
    assert_int_equal(spf_check_run(check), SPF_OK);
    assert_int_equal(spf_check_verdict(check)->result, SPF_RESULT_FAIL);
    spf_check_free(check);
    wait_for_all(&world);
    assert_int_equal(seen.calls, 10);
    world_close(&world);
}

static void test_deadline(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, &(memory_options_t){.delay_us = 1000});
    spf_check_t *check = check_of(&world, "192.0.2.9", "ann@silent.example");
    assert_int_equal(spf_check_set_timeout_ms(check, 3000), SPF_OK);
    assert_int_equal(spf_check_run(check), SPF_OK);
    const spf_verdict_t *verdict = spf_check_verdict(check);
    assert_int_equal(verdict->result, SPF_RESULT_TEMPERROR);
    assert_int_equal(verdict->cause, SPF_CAUSE_DEADLINE);
    assert_string_equal(verdict->target, "silent.example");
    assert_int_equal(verdict->elapsed_us, 3000000);
    spf_check_free(check);
    world_close(&world);
}

/* ------------------------------------------------------------------------------------------------- the host's loop */

/* A host that only polls the descriptor and calls process gets every callback. */
static void test_one_descriptor(void **state)
{
    spf_config_t *config;
    spf_context_t *context;
    spf_check_t *check;
    seen_t seen = {0};
    static const char zone[] = "example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
    (void)state;

    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "resolver", "none"), SPF_OK);
    assert_int_equal(spf_config_add_zone_text(config, zone, sizeof zone - 1), SPF_OK);
    assert_int_equal(spf_context_new(&context, config), SPF_OK);
    spf_config_free(config);
    assert_int_equal(spf_check_new(&check, context), SPF_OK);
    assert_int_equal(spf_check_set_ip(check, "192.0.2.1"), SPF_OK);
    assert_int_equal(spf_check_set_sender(check, "ann@example.com", SPF_STRLEN), SPF_OK);
    errno = 99;
    assert_int_equal(spf_check_start(check, on_end, &seen), SPF_OK);
    assert_int_equal(errno, 99);
    for (unsigned turns = 0; seen.calls == 0; turns++) {
        struct pollfd poller = {.fd = spf_context_fd(context), .events = POLLIN};
        assert_true(turns < 100);
        assert_int_equal(poll(&poller, 1, 10000), 1);
        assert_int_equal(spf_context_process(context), SPF_OK);
    }
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.result, SPF_RESULT_PASS);
    assert_int_equal(spf_context_timeout_ms(context) == 0, 0);
    spf_check_free(check);
    spf_context_release(context);
}

static void test_shared_context(void **state)
{
    spf_context_t *one;
    spf_context_t *two;
    char error[200] = "?";
    (void)state;

    assert_int_equal(spf_context_shared(&one, "/nowhere/libspf.conf", error, sizeof error), SPF_ECONFIG);
    assert_non_null(strstr(error, "/nowhere/libspf.conf"));
    assert_int_equal(spf_context_shared(&one, NULL, error, sizeof error), SPF_OK);
    assert_string_equal(error, "");
    assert_int_equal(spf_context_shared(&two, NULL, NULL, 0), SPF_OK);
    assert_ptr_equal(one, two);
    spf_context_release(one);
    assert_int_equal(spf_context_shared(&one, "/etc/other.conf", error, sizeof error), SPF_ESTATE);
    spf_context_release(two);
    assert_int_equal(spf_context_shared(&one, NULL, error, sizeof error), SPF_OK);
    spf_context_release(one);
}

/* ---------------------------------------------------------------------------------------------------------- setters */

static void test_setters_refuse_with_a_sentence(void **state)
{
    world_t world;
    spf_check_t *check;
    char text[5000];
    (void)state;

    world_open(&world, &(memory_options_t){0});
    assert_int_equal(spf_check_new(&check, world.context), SPF_OK);
    assert_string_equal(spf_check_error(check), "");
    assert_int_equal(spf_check_set_ip(check, "192.0.2.256"), SPF_EINVAL);
    assert_string_equal(spf_check_error(check),
                        "client address \"192.0.2.256\" is no IPv4 (192.0.2.1) or IPv6 (2001:db8::1) address");
    memset(text, 'a', sizeof text);
    assert_int_equal(spf_check_set_sender(check, text, 4096), SPF_OK);
    assert_string_equal(spf_check_error(check), "");
    assert_int_equal(spf_check_set_sender(check, text, 4097), SPF_EINVAL);
    assert_non_null(strstr(spf_check_error(check), "is longer than 4096 octets"));
    assert_int_equal(spf_check_set_helo(check, text, sizeof text), SPF_EINVAL);
    assert_int_equal(spf_check_set_timeout_ms(check, 0), SPF_EINVAL);
    assert_int_equal(spf_check_set_timeout_ms(check, 600001), SPF_EINVAL);
    assert_int_equal(spf_check_set_ip_octets(check, (const uint8_t *)text, 5), SPF_EINVAL);
    assert_int_equal(spf_check_set_identity(check, (spf_identity_t)7), SPF_EINVAL);
    assert_int_equal(spf_check_set_record(check, "v=spf2", SPF_STRLEN), SPF_EINVAL);
    spf_check_free(check);
    world_close(&world);
}

static void test_a_given_record_is_not_asked_for(void **state)
{
    world_t world;
    (void)state;

    world_open(&world, &(memory_options_t){0});
    spf_check_t *check = check_of(&world, "192.0.2.77", "ann@example.com");
    assert_int_equal(spf_check_set_record(check, "v=spf1 ip4:192.0.2.77 -all", SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_run(check), SPF_OK);
    assert_int_equal(spf_check_verdict(check)->result, SPF_RESULT_PASS);
    assert_int_equal(memory_resolver_counters(world.resolver).queries, 0);
    spf_check_free(check);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_callback_never_inside_start),
        cmocka_unit_test(test_failed_start_has_no_callback),
        cmocka_unit_test(test_cancel_calls_back_at_once_and_once),
        cmocka_unit_test(test_cancel_of_a_finished_check),
        cmocka_unit_test(test_cancel_at_every_step),
        cmocka_unit_test(test_free_inside_the_callback),
        cmocka_unit_test(test_start_inside_the_callback),
        cmocka_unit_test(test_cancel_of_another_inside_the_callback),
        cmocka_unit_test(test_release_cancels_what_is_in_flight),
        cmocka_unit_test(test_release_inside_the_callback),
        cmocka_unit_test(test_a_check_outlives_its_context),
        cmocka_unit_test(test_ten_thousand_in_flight),
        cmocka_unit_test(test_run_beside_others),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_one_descriptor),
        cmocka_unit_test(test_shared_context),
        cmocka_unit_test(test_setters_refuse_with_a_sentence),
        cmocka_unit_test(test_a_given_record_is_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
