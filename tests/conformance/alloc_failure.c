/* SPDX-License-Identifier: MIT */
/*
 * Every case of the suites with the n-th allocation failing, for every n: each run ends in SPF_ENOMEM from some call,
 * or in the right verdict, and leaves nothing behind.
 *
 *     alloc_failure [SUITE [CASE]]
 *
 * The linker sends the library's allocations through the __wrap functions below; jansson's come by its own hook, and
 * libidn2's conversion fails like an allocation. Only what is called while armed is counted.
 */
#include "memory_modes.h"

#include <errno.h>
#include <idn2.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILURES_MAX = 5000, FILE_PATH_MAX = 64 };

/* ------------------------------------------------------------------------------------------------------ allocations */

static struct {
    bool is_armed;
    bool may_fail;
    unsigned count;   /* allocations so far */
    unsigned fail_at; /* the one that fails, from 1 */
    long live;        /* made and not freed */
} memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
int __real_idn2_to_ascii_8z(const char *input, char **output, int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);
int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags);

static bool memory_fails(void)
{
    if (!memory.is_armed || !memory.may_fail || ++memory.count != memory.fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

static void *memory_made(void *made, const void *old)
{
    if (memory.is_armed && made && !old)
        memory.live++;
    return made;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_malloc(size), NULL);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_calloc(count, size), NULL);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : memory_made(__real_realloc(old, size), old);
}

void __wrap_free(void *old)
{
    if (memory.is_armed && old)
        memory.live--;
    __real_free(old);
}

int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags)
{
    return memory_fails() ? IDN2_MALLOC : __real_idn2_to_ascii_8z(input, output, flags);
}

/* ----------------------------------------------------------------------------------------------------- what is done */

/* A case on its way through the API. */
typedef struct attempt {
    const suite_case_t *test;
    memory_resolver_t *resolver; /* NULL: an embedded zone through libunbound */
    const char *config_file;
    bool is_async;
    spf_config_t *config;
    spf_context_t *context;
    spf_check_t *check;
    outcome_t *outcome;
    unsigned set_up; /* allocations before the check was made */
} attempt_t;

static spf_err_t attempt_configure(attempt_t *attempt)
{
    static const char zone[] = "$ORIGIN example.com.\n@ 300 IN TXT \"v=spf1 -all\"\n";
    spf_err_t err = spf_config_new(&attempt->config);
    if (err == SPF_OK)
        err = spf_config_load(attempt->config, attempt->config_file);
    if (err == SPF_OK)
        err = spf_config_set(attempt->config, "prefetch", attempt->is_async ? "yes" : "no");
    if (err == SPF_OK && !attempt->resolver)
        err = spf_config_add_zone_text(attempt->config, zone, sizeof zone - 1);
    if (err != SPF_OK)
        return err;
    if (attempt->resolver)
        return spf_context_new_with_resolver(&attempt->context, attempt->config, &memory_resolver_ops,
                                             attempt->resolver);
    return spf_context_new(&attempt->context, attempt->config);
}

static spf_err_t attempt_prepare(attempt_t *attempt)
{
    const suite_case_t *test = attempt->test;
    spf_err_t err = spf_check_new(&attempt->check, attempt->context);
    if (err == SPF_OK)
        err = spf_check_set_ip(attempt->check, test->host);
    if (err == SPF_OK)
        err = spf_check_set_sender(attempt->check, test->mailfrom, test->mailfrom_length);
    if (err == SPF_OK)
        err = spf_check_set_helo(attempt->check, test->helo, test->helo_length);
    if (err == SPF_OK)
        err = spf_check_set_receiver(attempt->check, "receiver.example.org");
    if (err == SPF_OK)
        err = spf_check_set_trace(attempt->check, true);
    if (err == SPF_OK)
        err = spf_check_set_would_be(attempt->check, true);
    return err;
}

typedef struct attempt_end {
    unsigned calls;
    spf_err_t err;
} attempt_end_t;

static void attempt_ended(spf_check_t *check, spf_err_t err, void *user_data)
{
    (void)check;
    attempt_end_t *end = user_data;
    end->calls++;
    end->err = err;
}

static spf_err_t attempt_evaluate(attempt_t *attempt)
{
    if (!attempt->is_async)
        return spf_check_run(attempt->check);
    attempt_end_t end = {0, SPF_OK};
    spf_err_t err = spf_check_start(attempt->check, attempt_ended, &end);
    if (err != SPF_OK)
        return end.calls == 0 ? err : SPF_ESTATE;
    while (end.calls == 0 && err == SPF_OK)
        err = spf_context_wait(attempt->context, -1);
    if (err != SPF_OK)
        return err;
    return end.calls == 1 ? end.err : SPF_ESTATE;
}

/* All reports; without memory they give NULL. */
static spf_err_t attempt_report(attempt_t *attempt)
{
    spf_check_t *check = attempt->check;
    const spf_verdict_t *verdict = spf_check_verdict(check);
    bool is_whole = verdict && verdict->reason;
    is_whole = is_whole && spf_check_received_spf(check, SPF_FOLD_CRLF);
    is_whole = is_whole && spf_check_authentication_results(check, SPF_FOLD_LF);
    is_whole = is_whole && spf_check_authentication_resinfo(check, SPF_FOLD_NONE);
    is_whole = is_whole && spf_check_smtp_reply(check);
    is_whole = is_whole && spf_check_trace_text(check);
    is_whole = is_whole && spf_check_json(check);
    for (unsigned i = 0; is_whole && i < verdict->lookups && i < 10; i++)
        is_whole = spf_check_lookup(check, i) != NULL;
    return is_whole ? SPF_OK : SPF_ENOMEM;
}

static spf_err_t attempt_run(attempt_t *attempt)
{
    spf_err_t err = attempt_configure(attempt);
    attempt->set_up = memory.count;
    if (err == SPF_OK)
        err = attempt_prepare(attempt);
    if (err == SPF_OK)
        err = attempt_evaluate(attempt);
    if (err == SPF_OK && !attempt->is_async) /* the reports are the same for both */
        err = attempt_report(attempt);
    if (err == SPF_OK) {
        memory.may_fail = false;
        outcome_read(attempt->outcome, attempt->check, err);
    }
    spf_check_free(attempt->check);
    spf_context_release(attempt->context);
    spf_config_free(attempt->config);
    return err;
}

/* ------------------------------------------------------------------------------------------------------ every failure
 */

/* How one attempt with one failure went; prints what is wrong. */
static bool failure_is_handled(const attempt_t *attempt, spf_err_t err, const outcome_t *reference, const char *where)
{
    bool is_right = true;
    if (memory.live != 0) {
        printf("%s: %ld allocations left when allocation %u failed\n", where, memory.live, memory.fail_at);
        is_right = false;
    }
    if (err != SPF_OK && (err != SPF_ENOMEM || memory.count < memory.fail_at)) {
        printf("%s: allocation %u of %u failed: %s\n", where, memory.fail_at, memory.count, spf_strerror(err));
        is_right = false;
    }
    if (err == SPF_OK && reference)
        is_right &= outcome_equals(reference, attempt->outcome, where);
    if (attempt->resolver && memory_resolver_counters(attempt->resolver).in_flight) {
        printf("%s: questions are still in flight after allocation %u failed\n", where, memory.fail_at);
        is_right = false;
    }
    return is_right;
}

/*
 * Returns how many attempts it took, 0 if one went wrong. *first: the first allocation to fail; then, the first one
 * behind the set-up, which is the same for every case.
 */
static unsigned failures_run(const zone_t *zone, const suite_case_t *test, const outcome_t *reference,
                             const char *config_file, bool is_async, const char *where, unsigned *first)
{
    static outcome_t outcome;
    unsigned took = 0;
    memory_resolver_t *resolver = zone ? memory_resolver_new(zone) : NULL;
    if (resolver)
        memory_resolver_set_options(resolver, &(memory_options_t){.delay_us = is_async ? 20000 : 0,
                                                                  .timeout_us = 2000000,
                                                                  .as_packets = is_async,
                                                                  .ttl_s = 300});
    for (unsigned fail_at = *first; fail_at < FAILURES_MAX; fail_at++) {
        attempt_t attempt = {
            .test = test, .resolver = resolver, .config_file = config_file, .is_async = is_async, .outcome = &outcome};
        memory.count = 0;
        memory.live = 0;
        memory.fail_at = fail_at;
        memory.may_fail = true;
        memory.is_armed = true;
        spf_err_t err = attempt_run(&attempt);
        memory.is_armed = false;
        if (!failure_is_handled(&attempt, err, reference, where))
            break;
        if (memory.count < fail_at) {
            took = fail_at - *first + 1;
            *first = attempt.set_up + 1;
            break;
        }
    }
    memory_resolver_free(resolver);
    if (!took)
        printf("%s: stopped there, or not through after %u attempts\n", where, (unsigned)FAILURES_MAX);
    return took;
}

/* ------------------------------------------------------------------------------------------------------------- main */

static bool run_suite(suite_t *suite, const char *config_file)
{
    static outcome_t reference;
    unsigned wrong = 0, first = 1;
    unsigned long attempts = 0;
    for (size_t i = 0; i < suite->scenario_count; i++) {
        const suite_scenario_t *scenario = &suite->scenarios[i];
        for (size_t j = 0; j < scenario->case_count; j++) {
            memory_mode_reference(&reference, scenario->zone, &scenario->cases[j]);
            for (int is_async = 0; is_async <= 1; is_async++) {
                char where[200];
                snprintf(where, sizeof where, "%s %s, %s", suite->name, scenario->cases[j].name,
                         is_async ? "asynchronous" : "blocking");
                unsigned took =
                    failures_run(scenario->zone, &scenario->cases[j], &reference, config_file, is_async, where, &first);
                attempts += took;
                wrong += took == 0;
            }
        }
    }
    printf("%s: %zu cases, %lu attempts with an allocation failing, %u wrong\n", suite->name, suite->case_count,
           attempts, wrong);
    return suite->case_count > 0 && wrong == 0;
}

/* The same with libunbound and an embedded zone. */
static bool run_embedded(const char *config_file)
{
    char host[] = "192.0.2.1", helo[] = "", sender[] = "ann@example.com";
    suite_case_t test = {.host = host, .helo = helo, .mailfrom = sender, .mailfrom_length = strlen(sender)};
    unsigned first = 1;
    unsigned took = failures_run(NULL, &test, NULL, config_file, false, "embedded zone", &first);
    printf("embedded zone: %u attempts with an allocation failing\n", took);
    return took > 0;
}

static void write_config(char *path)
{
    static const char text[] = "# what the suites assume\nexplanation: DEFAULT\nreceiver: receiver.example.org\n"
                               "resolver: none\ntimeout: 20\nrecord-cache: 1m\n";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1 || close(fd) != 0)
        abort();
}

int main(int argc, char **argv)
{
    char path[FILE_PATH_MAX] = "/tmp/libspf-alloc-failure-XXXXXX";
    bool is_right = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
    write_config(path);
    for (size_t i = 0; suite_name(i); i++) {
        if (argc > 1 && strcmp(argv[1], suite_name(i)) != 0)
            continue;
        suite_t *suite = suite_load(suite_name(i));
        if (argc > 2)
            suite_keep_case(suite, argv[2]);
        is_right &= run_suite(suite, path);
        suite_free(suite);
    }
    if (argc == 1)
        is_right &= run_embedded(path);
    unlink(path);
    return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
