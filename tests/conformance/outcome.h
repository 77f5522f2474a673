/* SPDX-License-Identifier: MIT */
/* Cases made checks, and what came of them. */
#ifndef TESTS_CONFORMANCE_OUTCOME_H
#define TESTS_CONFORMANCE_OUTCOME_H

#include "support/memory_resolver.h"
#include "support/suite.h"

enum { OUTCOME_TEXT_MAX = 2048, OUTCOME_TRACE_MAX = 16384 };

/* What must be the same however the answers come. */
typedef struct outcome {
    bool is_done;
    spf_err_t err; /* how the check ended; what follows is set for SPF_OK only */
    spf_result_t result;
    unsigned lookups, void_lookups;
    char explanation[OUTCOME_TEXT_MAX]; /* "" if there is none */
    char reason[OUTCOME_TEXT_MAX];
    char trace[OUTCOME_TRACE_MAX]; /* "" if none was asked for */
} outcome_t;

/* A configuration as the suites assume: "DEFAULT" explains where the domain does not. Aborts if it cannot be made. */
spf_config_t *outcome_config(bool prefetch);
/* Sets a key; aborts if the library does not take it. */
void outcome_configure(spf_config_t *config, const char *key, const char *value);
/* A context on the resolver, with that configuration. */
spf_context_t *outcome_context(memory_resolver_t *resolver, bool prefetch);

/* A check of the case, not started. */
spf_check_t *outcome_check_new(spf_context_t *context, const suite_case_t *test);
void outcome_read(outcome_t *outcome, spf_check_t *check, spf_err_t err);
/* An spf_check_callback_t: reads into the outcome that is its user data. */
void outcome_callback(spf_check_t *check, spf_err_t err, void *outcome);

/* How far an outcome is what the suite, or where it contradicts it RFC 7208, wants. */
typedef struct outcome_grade {
    bool result_is_right;
    bool result_is_preferred;
    bool explanation_is_right; /* true as well where the suite states none */
} outcome_grade_t;

outcome_grade_t outcome_grade(const outcome_t *outcome, const char *suite, const suite_case_t *test);
/* Whether two are equal; if not, prints what differs, after a line that says where. */
bool outcome_equals(const outcome_t *a, const outcome_t *b, const char *where);

#endif
