/* SPDX-License-Identifier: MIT */
/* What `spf lint` prints, by form. */
#ifndef SPF_TOOL_LINT_H
#define SPF_TOOL_LINT_H

#include "options.h"

#include "spf_tools.h"

/* Remarks for a person, each with the record and a line that points into it. Those less severe than worst are left
 * out. */
void lint_print_text(const options_t *options, spf_survey_t *survey, const char *name, spf_severity_t least);

/* A log of SARIF 2.1.0, of any number of surveys. */
typedef struct lint_sarif lint_sarif_t;
/* NULL without memory. */
lint_sarif_t *lint_sarif_new(void);
/* uri: of the text that the remarks are about; NULL: that of the domain's TXT records (RFC 4501). */
void lint_sarif_add(lint_sarif_t *sarif, spf_survey_t *survey, const char *uri, spf_severity_t least);
/* Prints it. False without memory. */
bool lint_sarif_print(const lint_sarif_t *sarif);
void lint_sarif_free(lint_sarif_t *sarif);

#endif
