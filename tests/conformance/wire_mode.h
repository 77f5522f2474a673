/* SPDX-License-Identifier: MIT */
/* Every case through libunbound and a DNS server on loopback, all at the same time, so that their timeouts overlap. */
#ifndef TESTS_CONFORMANCE_WIRE_MODE_H
#define TESTS_CONFORMANCE_WIRE_MODE_H

#include "outcome.h"

/*
 * Runs all cases of the suites, with or without asking ahead; outcomes[suite] has a place for each of its cases, in
 * order. What is not over in time stays without outcome.
 */
void wire_mode_run(suite_t *const *suites, size_t suite_count, outcome_t *const *outcomes, bool prefetch);

#endif
