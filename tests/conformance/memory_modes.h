/* SPDX-License-Identifier: MIT */
/* Every case through the resolver in memory, with its answers coming in every way that they can. */
#ifndef TESTS_CONFORMANCE_MEMORY_MODES_H
#define TESTS_CONFORMANCE_MEMORY_MODES_H

#include "outcome.h"

/* The outcome that all others are measured by: answers at once, one question after the other. */
void memory_mode_reference(outcome_t *outcome, const zone_t *zone, const suite_case_t *test);
/*
 * Runs all cases of a scenario in every mode against their reference outcomes, in the order of the cases. Returns how
 * many went another way; each has been printed.
 */
unsigned memory_modes_run(const char *suite, const suite_scenario_t *scenario, const outcome_t *references);

#endif
