/* SPDX-License-Identifier: MIT */
#include "contradicted.h"

#include <string.h>

static const contradicted_t contradicted_cases[] = {
    {"pyspf-tests", "default-modifier", SPF_RESULT_NEUTRAL, "6",
     "there is no modifier \"default\": unrecognised ones are ignored, and nothing matches (4.7)"},
    {"pyspf-tests", "default-modifier-harsh", SPF_RESULT_NEUTRAL, "2.6",
     "\"ambiguous\" is no result; an unrecognised modifier is ignored (6), and nothing matches (4.7)"},
    {"blitirispf-tests", "resolution-with-10-lookups", SPF_RESULT_PERMERROR, "7.1",
     "\"include:d11\" has no dot before its toplabel: a syntax error (4.6)"},
    {"blitirispf-tests", "mx-resolution-10-terms", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
    {"blitirispf-tests", "mx-resolution-11-terms", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
    {"blitirispf-tests", "one-mx-not-found", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
    {"blitirispf-tests", "all-mx-not-found", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
    {"blitirispf-tests", "include-not-found", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
    {"blitirispf-tests", "redirect-not-found", SPF_RESULT_NONE, "4.3", "the domain is a single label"},
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
