/* SPDX-License-Identifier: MIT */
#include "memory_modes.h"

#include <stdio.h>
#include <string.h>

enum { MODE_SEEDS = 12, MODE_WHERE_MAX = 300, MODE_QUERIES_MAX = 200 };

#define MODE_DELAY_US   20000
#define MODE_JITTER_US  100000
#define MODE_SLOW_US    5000000
#define MODE_TTL_S      300
#define MODE_TIMEOUT_US 2000000

static const struct {
    const char *name;
    memory_options_t options;
} memory_modes[] = {
    {"at once", {.timeout_us = MODE_TIMEOUT_US}},
    {"at once, to be kept", {.ttl_s = MODE_TTL_S, .timeout_us = MODE_TIMEOUT_US}},
    {"at once, as packets", {.as_packets = true, .ttl_s = MODE_TTL_S, .timeout_us = MODE_TIMEOUT_US}},
    {"later", {.is_late = true, .timeout_us = MODE_TIMEOUT_US}},
    {"after 20 ms", {.delay_us = MODE_DELAY_US, .ttl_s = MODE_TTL_S, .timeout_us = MODE_TIMEOUT_US}},
    {"after 20 ms, as packets", {.delay_us = MODE_DELAY_US, .as_packets = true, .timeout_us = MODE_TIMEOUT_US}},
};

/* One run: the case, how, and where to say that it happened. */
typedef struct mode_run {
    const suite_scenario_t *scenario;
    const suite_case_t *test;
    const outcome_t *reference;
    char where[MODE_WHERE_MAX];
} mode_run_t;

void memory_mode_reference(outcome_t *outcome, const zone_t *zone, const suite_case_t *test)
{
    memory_resolver_t *resolver = memory_resolver_new(zone);
    memory_resolver_set_options(resolver, &(memory_options_t){.timeout_us = MODE_TIMEOUT_US});
    spf_context_t *context = outcome_context(resolver, false);
    spf_check_t *check = outcome_check_new(context, test);
    spf_check_set_trace(check, true);
    outcome_read(outcome, check, spf_check_run(check));
    spf_check_free(check);
    spf_context_release(context);
    memory_resolver_free(resolver);
}

/* What holds for the resolver after every check. */
static bool mode_resolver_is_clean(const memory_resolver_t *resolver, const char *where)
{
    memory_counters_t counters = memory_resolver_counters(resolver);
    if (counters.in_flight == 0 && counters.violations == 0)
        return true;
    printf("%s: %u questions left, %u not allowed\n", where, counters.in_flight, counters.violations);
    return false;
}

/* Blocking, and with would_be, which must not change anything. */
static bool mode_run_blocking(mode_run_t *run, spf_context_t *context, const memory_resolver_t *resolver,
                              bool wants_would_be)
{
    outcome_t outcome;
    spf_check_t *check = outcome_check_new(context, run->test);
    spf_check_set_trace(check, true);
    spf_check_set_would_be(check, wants_would_be);
    outcome_read(&outcome, check, spf_check_run(check));
    bool is_right = outcome_equals(run->reference, &outcome, run->where);
    spf_check_free(check);
    return mode_resolver_is_clean(resolver, run->where) && is_right;
}

/* All cases of a scenario at the same time in one context. */
static unsigned mode_run_together(const char *suite, const suite_scenario_t *scenario, const outcome_t *references,
                                  const memory_options_t *options, const char *mode, bool prefetch)
{
    static outcome_t outcomes[64];
    spf_check_t *checks[64];
    unsigned wrong = 0;
    memory_resolver_t *resolver = memory_resolver_new(scenario->zone);
    memory_resolver_set_options(resolver, options);
    spf_context_t *context = outcome_context(resolver, prefetch);
    for (size_t i = 0; i < scenario->case_count; i++) {
        memset(&outcomes[i], 0, sizeof outcomes[i]);
        checks[i] = outcome_check_new(context, &scenario->cases[i]);
        spf_check_set_trace(checks[i], true);
        spf_err_t err = spf_check_start(checks[i], outcome_callback, &outcomes[i]);
        if (err != SPF_OK || outcomes[i].is_done)
            printf("%s %s: start gave %s%s\n", suite, scenario->cases[i].name, spf_strerror(err),
                   outcomes[i].is_done ? ", with a callback" : "");
    }
    while (spf_context_pending(context))
        spf_context_wait(context, -1);
    for (size_t i = 0; i < scenario->case_count; i++) {
        char where[MODE_WHERE_MAX];
        snprintf(where, sizeof where, "%s %s, together, %s, prefetch %d", suite, scenario->cases[i].name, mode,
                 prefetch);
        wrong += !outcome_equals(&references[i], &outcomes[i], where);
        spf_check_free(checks[i]);
    }
    wrong += !mode_resolver_is_clean(resolver, suite);
    spf_context_release(context);
    memory_resolver_free(resolver);
    return wrong;
}

/* Each case alone, twice in the same context, so that the second finds what the first one kept. */
static unsigned mode_run_one_by_one(const char *suite, const suite_scenario_t *scenario, const outcome_t *references,
                                    const memory_options_t *options, const char *mode, bool prefetch)
{
    unsigned wrong = 0;
    memory_resolver_t *resolver = memory_resolver_new(scenario->zone);
    memory_resolver_set_options(resolver, options);
    spf_context_t *context = outcome_context(resolver, prefetch);
    for (size_t i = 0; i < scenario->case_count; i++) {
        mode_run_t run = {.scenario = scenario, .test = &scenario->cases[i], .reference = &references[i]};
        for (int round = 1; round <= 2; round++) {
            snprintf(run.where, sizeof run.where, "%s %s, %s, prefetch %d, round %d", suite, run.test->name, mode,
                     prefetch, round);
            wrong += !mode_run_blocking(&run, context, resolver, round == 2);
        }
    }
    spf_context_release(context);
    memory_resolver_free(resolver);
    return wrong;
}

/* ------------------------------------------------------------------------------------ one question goes another way */

typedef enum mode_fault { MODE_SLOW, MODE_LOSE, MODE_CANCEL, MODE_FREE } mode_fault_t;

static const char *const mode_fault_names[] = {"slow", "lost", "cancelled", "freed"};

static void mode_count_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    (void)check;
    unsigned *ends = user_data;
    ends[0]++;
    ends[1] += err == SPF_ECANCELED;
}

/* Ends the check by another hand after it waited `waits` times; true once it is over before. */
static bool mode_run_ended(mode_run_t *run, spf_context_t *context, unsigned waits, bool by_free, bool *is_right)
{
    unsigned ends[2] = {0, 0};
    spf_check_t *check = outcome_check_new(context, run->test);
    *is_right = spf_check_start(check, mode_count_end, ends) == SPF_OK && ends[0] == 0;
    for (unsigned i = 0; i < waits && spf_context_pending(context); i++)
        spf_context_wait(context, -1);
    bool is_over = !spf_context_pending(context);
    if (!by_free)
        spf_check_cancel(check);
    spf_check_free(check);
    *is_right &= ends[0] == 1 && ends[1] == !is_over && !spf_context_pending(context);
    if (!*is_right)
        printf("%s: %u callbacks, %u with ECANCELED\n", run->where, ends[0], ends[1]);
    return is_over;
}

/* The n-th question is answered late, or never; true once there are fewer questions. */
static bool mode_run_faulty(mode_run_t *run, spf_context_t *context, const memory_resolver_t *resolver,
                            mode_fault_t fault, unsigned number, bool *is_right)
{
    outcome_t outcome;
    spf_check_t *check = outcome_check_new(context, run->test);
    spf_check_set_trace(check, true);
    uint64_t start_us = memory_resolver_now_us(resolver);
    outcome_read(&outcome, check, spf_check_run(check));
    if (fault == MODE_SLOW)
        *is_right = outcome_equals(run->reference, &outcome, run->where);
    else
        *is_right = outcome.err == SPF_OK && memory_resolver_now_us(resolver) - start_us <= 20000000;
    if (!*is_right && fault == MODE_LOSE)
        printf("%s: %s after %ju us\n", run->where, spf_strerror(outcome.err),
               (uintmax_t)(memory_resolver_now_us(resolver) - start_us));
    spf_check_free(check);
    return memory_resolver_counters(resolver).queries < number;
}

static unsigned mode_run_fault(const char *suite, mode_run_t *run, mode_fault_t fault, bool prefetch)
{
    unsigned wrong = 0;
    bool is_over = false;
    for (unsigned number = 1; !is_over && number < MODE_QUERIES_MAX; number++) {
        bool is_right;
        memory_resolver_t *resolver = memory_resolver_new(run->scenario->zone);
        memory_resolver_set_options(resolver, &(memory_options_t){.delay_us = MODE_DELAY_US,
                                                                  .timeout_us = MODE_TIMEOUT_US,
                                                                  .slow = fault == MODE_SLOW ? number : 0,
                                                                  .slow_us = MODE_SLOW_US,
                                                                  .lose = fault == MODE_LOSE ? number : 0});
        spf_context_t *context = outcome_context(resolver, prefetch);
        snprintf(run->where, sizeof run->where, "%s %s, %s at %u, prefetch %d", suite, run->test->name,
                 mode_fault_names[fault], number, prefetch);
        if (fault == MODE_CANCEL || fault == MODE_FREE)
            is_over = mode_run_ended(run, context, number - 1, fault == MODE_FREE, &is_right);
        else
            is_over = mode_run_faulty(run, context, resolver, fault, number, &is_right);
        wrong += !is_right || !mode_resolver_is_clean(resolver, run->where);
        spf_context_release(context);
        memory_resolver_free(resolver);
    }
    return wrong;
}

static unsigned mode_run_faults(const char *suite, const suite_scenario_t *scenario, const outcome_t *references,
                                bool prefetch)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < scenario->case_count; i++) {
        mode_run_t run = {.scenario = scenario, .test = &scenario->cases[i], .reference = &references[i]};
        for (mode_fault_t fault = MODE_SLOW; fault <= MODE_FREE; fault++)
            wrong += mode_run_fault(suite, &run, fault, prefetch);
    }
    return wrong;
}

unsigned memory_modes_run(const char *suite, const suite_scenario_t *scenario, const outcome_t *references)
{
    unsigned wrong = 0;
    for (int prefetch = 0; prefetch <= 1; prefetch++) {
        for (size_t i = 0; i < sizeof memory_modes / sizeof memory_modes[0]; i++) {
            wrong += mode_run_one_by_one(suite, scenario, references, &memory_modes[i].options, memory_modes[i].name,
                                         prefetch);
            wrong += mode_run_together(suite, scenario, references, &memory_modes[i].options, memory_modes[i].name,
                                       prefetch);
        }
        for (uint64_t seed = 1; seed <= MODE_SEEDS; seed++) {
            memory_options_t options = {
                .timeout_us = MODE_TIMEOUT_US, .jitter_us = MODE_JITTER_US, .seed = seed, .is_late = true};
            char mode[32];
            snprintf(mode, sizeof mode, "seed %ju", (uintmax_t)seed);
            wrong += mode_run_one_by_one(suite, scenario, references, &options, mode, prefetch);
            wrong += mode_run_together(suite, scenario, references, &options, mode, prefetch);
        }
        wrong += mode_run_faults(suite, scenario, references, prefetch);
    }
    return wrong;
}
