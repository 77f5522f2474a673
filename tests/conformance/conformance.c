/* SPDX-License-Identifier: MIT */
/*
 * The published suites through libspf.
 *
 *     conformance memory [SUITE [CASE]]    in memory, in every way that answers can come
 *     conformance wire [SUITE [CASE]]      through libunbound and a DNS server on loopback
 *
 * One line for each case that fails, then the counts of each suite. Exit status 0 if none failed.
 */
#include "contradicted.h"
#include "memory_modes.h"
#include "wire_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUITES_MAX = 8, WHERE_MAX = 300 };

typedef struct tally {
    unsigned cases, right, preferred, explained, explanations, contradicted, wrong_ways;
} tally_t;

static void print_wrong_result(const char *suite, const suite_case_t *test, const outcome_t *outcome, const char *how)
{
    const contradicted_t *contradicted = contradicted_find(suite, test->name);
    printf("%s %s (%s): expected", suite, test->name, how);
    for (unsigned i = 0; i < test->result_count && !contradicted; i++)
        printf("%s %s", i ? " or" : "", spf_result_name(test->results[i]));
    if (contradicted)
        printf(" %s by RFC 7208 section %s", spf_result_name(contradicted->result), contradicted->section);
    if (!outcome->is_done)
        printf("; it did not end\n");
    else if (outcome->err != SPF_OK)
        printf("; it ended with: %s\n", spf_strerror(outcome->err));
    else
        printf(", got %s: %s\n", spf_result_name(outcome->result), outcome->reason);
}

static void tally_outcome(tally_t *tally, const char *suite, const suite_case_t *test, const outcome_t *outcome,
                          const char *how)
{
    outcome_grade_t grade = outcome_grade(outcome, suite, test);
    bool is_contradicted = contradicted_find(suite, test->name) != NULL;
    bool has_explanation = test->explanation && !is_contradicted;
    tally->cases++;
    tally->right += grade.result_is_right;
    tally->preferred += grade.result_is_preferred;
    tally->contradicted += is_contradicted;
    tally->explanations += has_explanation;
    tally->explained += has_explanation && grade.explanation_is_right;
    if (!grade.result_is_right)
        print_wrong_result(suite, test, outcome, how);
    if (!grade.explanation_is_right)
        printf("%s %s (%s): expected the explanation \"%s\", got \"%s\"\n", suite, test->name, how, test->explanation,
               outcome->explanation);
}

static bool tally_print(const tally_t *tally, const char *suite, const char *how)
{
    printf("%s, %s: %u/%u results (%u of them preferred, %u as RFC 7208 has it against the suite), "
           "%u/%u explanations",
           suite, how, tally->right, tally->cases, tally->preferred, tally->contradicted, tally->explained,
           tally->explanations);
    if (tally->wrong_ways)
        printf(", %u times another outcome when the answers came in another way", tally->wrong_ways);
    printf("\n");
    return tally->cases > 0 && tally->right == tally->cases && tally->explained == tally->explanations &&
           tally->wrong_ways == 0;
}

/* ----------------------------------------------------------------------------------------------------------- modes */

static outcome_t *outcomes_new(const suite_t *suite)
{
    outcome_t *outcomes = calloc(suite->case_count + 1, sizeof *outcomes);
    if (!outcomes)
        abort();
    return outcomes;
}

static bool run_in_memory(suite_t *const *suites, size_t suite_count)
{
    bool is_right = true;
    for (size_t i = 0; i < suite_count; i++) {
        const suite_t *suite = suites[i];
        tally_t tally = {0};
        for (size_t j = 0; j < suite->scenario_count; j++) {
            const suite_scenario_t *scenario = &suite->scenarios[j];
            outcome_t *references = outcomes_new(suite);
            for (size_t k = 0; k < scenario->case_count; k++) {
                memory_mode_reference(&references[k], scenario->zone, &scenario->cases[k]);
                tally_outcome(&tally, suite->name, &scenario->cases[k], &references[k], "in memory");
            }
            tally.wrong_ways += memory_modes_run(suite->name, scenario, references);
            free(references);
        }
        is_right &= tally_print(&tally, suite->name, "in memory");
    }
    return is_right;
}

/* A DNS server may leave out a record that is there twice, so what comes over the wire may differ there. */
static void tally_wire(tally_t *tally, const char *suite, const suite_scenario_t *scenario, const suite_case_t *test,
                       const outcome_t *outcome, const char *how)
{
    char where[WHERE_MAX];
    outcome_t reference;
    tally_outcome(tally, suite, test, outcome, how);
    memory_mode_reference(&reference, scenario->zone, test);
    if (outcome->is_done && outcome->result == reference.result &&
        (outcome->lookups != reference.lookups || outcome->void_lookups != reference.void_lookups)) {
        snprintf(where, sizeof where, "%s %s (%s and in memory)", suite, test->name, how);
        outcome_equals(outcome, &reference, where);
        tally->wrong_ways++;
    }
}

static bool grade_wire(const suite_t *suite, const outcome_t *outcomes, const char *how)
{
    tally_t tally = {0};
    for (size_t i = 0; i < suite->scenario_count; i++) {
        const suite_scenario_t *scenario = &suite->scenarios[i];
        for (size_t j = 0; j < scenario->case_count; j++)
            tally_wire(&tally, suite->name, scenario, &scenario->cases[j], outcomes++, how);
    }
    return tally_print(&tally, suite->name, how);
}

static bool run_over_wire(suite_t *const *suites, size_t suite_count)
{
    outcome_t *outcomes[2][SUITES_MAX];
    bool is_right = true;
    for (size_t i = 0; i < suite_count; i++) {
        outcomes[0][i] = outcomes_new(suites[i]);
        outcomes[1][i] = outcomes_new(suites[i]);
    }
    wire_mode_run(suites, suite_count, (outcome_t *const *const[2]){outcomes[0], outcomes[1]});
    for (size_t i = 0; i < suite_count; i++) {
        is_right &= grade_wire(suites[i], outcomes[1][i], "over DNS");
        is_right &= grade_wire(suites[i], outcomes[0][i], "over DNS, asking nothing ahead");
        free(outcomes[0][i]);
        free(outcomes[1][i]);
    }
    return is_right;
}

int main(int argc, char **argv)
{
    suite_t *suites[SUITES_MAX];
    size_t suite_count = 0;
    bool in_memory = argc >= 2 && strcmp(argv[1], "memory") == 0;
    if (argc > 4 || (!in_memory && (argc < 2 || strcmp(argv[1], "wire") != 0))) {
        fprintf(stderr, "usage: conformance memory|wire [SUITE [CASE]]\n");
        return 64;
    }
    for (size_t i = 0; suite_name(i) && suite_count < SUITES_MAX; i++) {
        if (argc == 2 || strcmp(argv[2], suite_name(i)) == 0)
            suites[suite_count++] = suite_load(suite_name(i));
    }
    if (argc == 4 && suite_count == 1)
        suite_keep_case(suites[0], argv[3]);
    bool is_right = suite_count > 0 && (in_memory ? run_in_memory : run_over_wire)(suites, suite_count);
    for (size_t i = 0; i < suite_count; i++)
        suite_free(suites[i]);
    return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
