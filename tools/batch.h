/* SPDX-License-Identifier: MIT */
/* `spf check --file`: a check for every line. */
#ifndef SPF_TOOL_BATCH_H
#define SPF_TOOL_BATCH_H

#include "check.h"

/* Returns the exit status. */
int batch_run(const check_options_t *options, spf_context_t *context);

#endif
