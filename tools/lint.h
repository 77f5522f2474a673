/* SPDX-License-Identifier: MIT */
/* What `spf lint` prints, by form. */
#ifndef SPF_TOOL_LINT_H
#define SPF_TOOL_LINT_H

#include "options.h"

#include "spf_tools.h"

/* Remarks for a person, each with the record and a line that points into it. Those less severe than least are left
 * out. */
void lint_print_text(const options_t *options, spf_survey_t *survey, const char *name, spf_severity_t least);

/* A log of SARIF 2.1.0, of any number of surveys. */
typedef struct lint_sarif lint_sarif_t;
/* NULL without memory. */
lint_sarif_t *lint_sarif_new(void);
/* Where a record stands that is given, and what stands there; a NULL file: the domain's TXT records are meant. */
typedef struct lint_source {
    const char *file, *text;
    size_t length;
} lint_source_t;
void lint_sarif_add(lint_sarif_t *sarif, spf_survey_t *survey, const lint_source_t *source, spf_severity_t least);
/* Prints it; is_whole: everything could be linted that was to be. False without memory. */
bool lint_sarif_print(const lint_sarif_t *sarif, bool is_whole);
void lint_sarif_free(lint_sarif_t *sarif);

#endif
