/* SPDX-License-Identifier: MIT */
/* The cases of the published suites that RFC 7208 contradicts, and what it says instead. */
#ifndef TESTS_CONFORMANCE_CONTRADICTED_H
#define TESTS_CONFORMANCE_CONTRADICTED_H

#include "spf.h"

typedef struct contradicted {
    const char *suite;
    const char *name;
    spf_result_t result; /* by RFC 7208 */
    const char *section; /* of RFC 7208 */
    const char *why;
} contradicted_t;

/* NULL if RFC 7208 does not contradict the case. */
const contradicted_t *contradicted_find(const char *suite, const char *name);

#endif
