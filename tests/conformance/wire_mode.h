/* SPDX-License-Identifier: MIT */
/* Every case through libunbound and a DNS server on loopback, all at the same time, so that their timeouts overlap. */
#ifndef TESTS_CONFORMANCE_WIRE_MODE_H
#define TESTS_CONFORMANCE_WIRE_MODE_H

#include "outcome.h"

/*
 * Runs all cases of the suites, asking ahead and not. outcomes[prefetch][suite] has a place for each case of the
 * suite, in order; what is not over in time stays without outcome.
 */
void wire_mode_run(suite_t *const *suites, size_t suite_count, outcome_t *const *const outcomes[2]);

#endif
