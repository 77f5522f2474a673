/* SPDX-License-Identifier: MIT */
/* The published test suites for SPF, read from where Debian installs them. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include "support/zone_data.h"

enum { SUITE_RESULTS_MAX = 4 };

typedef struct suite_case {
    char *name;
    char *host;
    char *helo;     /* "" if none is given */
    char *mailfrom; /* "" if none is given */
    size_t helo_length, mailfrom_length;
    spf_result_t results[SUITE_RESULTS_MAX]; /* those allowed, the preferred one first */
    unsigned result_count;                   /* 0: the suite wants something that is no result of RFC 7208 */
    char *explanation;                       /* NULL: any will do */
} suite_case_t;

typedef struct suite_scenario {
    char *description;
    zone_t *zone;
    suite_case_t *cases;
    size_t case_count;
} suite_scenario_t;

typedef struct suite {
    const char *name;
    suite_scenario_t *scenarios;
    size_t scenario_count;
    size_t case_count;
} suite_t;

/* The suites there are; NULL past the last. */
const char *suite_name(size_t index);
/* Loads one; aborts the program if it is not there or not understood. */
suite_t *suite_load(const char *name);
/* Forgets all cases but those of that name. */
void suite_keep_case(suite_t *suite, const char *name);
void suite_free(suite_t *suite);

#endif
