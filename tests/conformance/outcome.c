/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include "contradicted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void outcome_require(spf_err_t err, const char *what)
{
    if (err == SPF_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, spf_strerror(err));
    abort();
}

void outcome_configure(spf_config_t *config, const char *key, const char *value)
{
    outcome_require(spf_config_set(config, key, value), key);
}

spf_config_t *outcome_config(bool prefetch)
{
    spf_config_t *config;
    outcome_require(spf_config_new(&config), "spf_config_new");
    outcome_configure(config, "explanation", "DEFAULT");
    outcome_configure(config, "receiver", "receiver.example.org");
    outcome_configure(config, "prefetch", prefetch ? "yes" : "no");
    return config;
}

spf_context_t *outcome_context(memory_resolver_t *resolver, bool prefetch)
{
    spf_context_t *context;
    spf_config_t *config = outcome_config(prefetch);
    outcome_require(spf_context_new_with_resolver(&context, config, &memory_resolver_ops, resolver),
                    "spf_context_new_with_resolver");
    spf_config_free(config);
    return context;
}

spf_check_t *outcome_check_new(spf_context_t *context, const suite_case_t *test)
{
    spf_check_t *check;
    outcome_require(spf_check_new(&check, context), "spf_check_new");
    outcome_require(spf_check_set_ip(check, test->host), test->host);
    outcome_require(spf_check_set_sender(check, test->mailfrom, test->mailfrom_length), test->mailfrom);
    outcome_require(spf_check_set_helo(check, test->helo, test->helo_length), test->helo);
    return check;
}

static void outcome_copy(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from ? from : "");
}

void outcome_read(outcome_t *outcome, spf_check_t *check, spf_err_t err)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);
    *outcome = (outcome_t){.is_done = true, .err = err};
    if (err != SPF_OK || !verdict)
        return;
    outcome->result = verdict->result;
    outcome->lookups = verdict->lookups;
    outcome->void_lookups = verdict->void_lookups;
    outcome_copy(outcome->explanation, sizeof outcome->explanation, verdict->explanation);
    outcome_copy(outcome->reason, sizeof outcome->reason, verdict->reason);
    outcome_copy(outcome->trace, sizeof outcome->trace, spf_check_trace_text(check));
}

void outcome_callback(spf_check_t *check, spf_err_t err, void *outcome)
{
    outcome_read(outcome, check, err);
}

outcome_grade_t outcome_grade(const outcome_t *outcome, const char *suite, const suite_case_t *test)
{
    outcome_grade_t grade = {false, false, false};
    if (!outcome->is_done || outcome->err != SPF_OK)
        return grade;
    const contradicted_t *contradicted = contradicted_find(suite, test->name);
    grade.explanation_is_right =
        contradicted || !test->explanation || strcmp(outcome->explanation, test->explanation) == 0;
    if (contradicted) {
        grade.result_is_right = outcome->result == contradicted->result;
        return grade;
    }
    for (unsigned i = 0; i < test->result_count; i++)
        grade.result_is_right |= outcome->result == test->results[i];
    grade.result_is_preferred = test->result_count && outcome->result == test->results[0];
    return grade;
}

static bool outcome_text_equals(const char *a, const char *b, const char *where, const char *what)
{
    if (strcmp(a, b) == 0)
        return true;
    printf("%s: %s differs:\n%s\n--- and ---\n%s\n", where, what, a, b);
    return false;
}

/* Whether a host of an mx or ptr matched: the first one whose address is known does, whichever that is. */
static bool outcome_has_any_host(const outcome_t *outcome)
{
    return strstr(outcome->trace, "; by MX host ") || strstr(outcome->trace, "; validated name ");
}

bool outcome_equals(const outcome_t *a, const outcome_t *b, const char *where)
{
    bool equal = true;
    if (a->err != b->err || a->result != b->result) {
        printf("%s: %s %s, and %s %s\n", where, spf_strerror(a->err), spf_result_name(a->result), spf_strerror(b->err),
               spf_result_name(b->result));
        equal = false;
    }
    if (a->lookups != b->lookups || a->void_lookups != b->void_lookups) {
        printf("%s: %u lookups (%u void), and %u (%u)\n", where, a->lookups, a->void_lookups, b->lookups,
               b->void_lookups);
        equal = false;
    }
    equal &= outcome_text_equals(a->explanation, b->explanation, where, "the explanation");
    if (outcome_has_any_host(a) && outcome_has_any_host(b))
        return equal;
    equal &= outcome_text_equals(a->reason, b->reason, where, "the reason");
    if (*a->trace && *b->trace)
        equal &= outcome_text_equals(a->trace, b->trace, where, "the trace");
    return equal;
}
