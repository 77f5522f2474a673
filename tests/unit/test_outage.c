/* SPDX-License-Identifier: MIT */
/* A resolver that goes away and comes back on the same port: while it is away checks end in temperror at their
 * deadline, and soon after they are answered as before. */
#include "spf.h"
#include "unit/loopback_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { AWAY_S = 25, BACK_S = 30, PAUSE_US = 100000, SHORT_MS = 1000, LONG_MS = 20000 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Asks about a domain that nobody asked about before. */
static spf_result_t result_of_next(spf_context_t *context, unsigned timeout_ms)
{
    static unsigned number;
    char sender[64];
    spf_check_t *check;
    snprintf(sender, sizeof sender, "ann@host%u.example.com", number++);
    assert_int_equal(spf_check_new(&check, context), SPF_OK);
    assert_int_equal(spf_check_set_ip(check, "192.0.2.1"), SPF_OK);
    assert_int_equal(spf_check_set_sender(check, sender, SPF_STRLEN), SPF_OK);
    assert_int_equal(spf_check_set_timeout_ms(check, timeout_ms), SPF_OK);
    assert_int_equal(spf_check_run(check), SPF_OK);
    spf_result_t result = spf_check_verdict(check)->result;
    spf_check_free(check);
    return result;
}

static spf_context_t *make_context(const char *resolver)
{
    spf_config_t *config;
    spf_context_t *context;
    assert_int_equal(spf_config_new(&config), SPF_OK);
    assert_int_equal(spf_config_set(config, "resolver", resolver), SPF_OK);
    assert_int_equal(spf_context_new(&context, config), SPF_OK);
    spf_config_free(config);
    return context;
}

static void test_resolver_comes_back(void **state)
{
    (void)state;
    server_t server;
    /* An address of this process's own: while the server is away nobody else takes its port. */
    char host[16], port[8];
    unsigned pid = (unsigned)getpid();
    snprintf(host, sizeof host, "127.%u.%u.%u", 1 + (pid >> 16 & 127), pid >> 8 & 255, pid & 255);
    server_start_at(&server, host, "0");
    snprintf(port, sizeof port, "%s", strchr(server.address, '@') + 1);
    spf_context_t *context = make_context(server.address);
    assert_int_equal(result_of_next(context, LONG_MS), SPF_RESULT_NONE);
    server_stop(&server);
    for (double end_s = now_s() + AWAY_S; now_s() < end_s; usleep(PAUSE_US))
        assert_int_equal(result_of_next(context, SHORT_MS), SPF_RESULT_TEMPERROR);
    server_start_at(&server, host, port);
    for (double end_s = now_s() + BACK_S; result_of_next(context, SHORT_MS) != SPF_RESULT_NONE; usleep(PAUSE_US))
        assert_true(now_s() < end_s);
    assert_int_equal(result_of_next(context, LONG_MS), SPF_RESULT_NONE);
    spf_context_release(context);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resolver_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
