/* SPDX-License-Identifier: MIT */
#include "contradicted.h"

#include <string.h>

static const contradicted_t contradicted_cases[] = {
    {"pyspf-tests", "default-modifier-harsh", SPF_RESULT_NEUTRAL, "2.6",
     "\"ambiguous\" is no result; an unknown modifier is ignored (6), and nothing matches (4.7)"},
};

enum { CONTRADICTED_COUNT = sizeof contradicted_cases / sizeof contradicted_cases[0] };

const contradicted_t *contradicted_find(const char *suite, const char *name)
{
    for (unsigned i = 0; i < CONTRADICTED_COUNT; i++) {
        if (strcmp(contradicted_cases[i].suite, suite) == 0 && strcmp(contradicted_cases[i].name, name) == 0)
            return &contradicted_cases[i];
    }
    return NULL;
}

unsigned contradicted_count(const char *suite)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONTRADICTED_COUNT; i++)
        count += strcmp(contradicted_cases[i].suite, suite) == 0;
    return count;
}
