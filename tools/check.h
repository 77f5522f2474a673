/* SPDX-License-Identifier: MIT */
/* What `spf check` is asked. */
#ifndef SPF_TOOL_CHECK_H
#define SPF_TOOL_CHECK_H

#include "options.h"

typedef struct check_options {
    options_t options;              /* first */
    const char *ip, *sender, *helo; /* NULL: not given */
    unsigned identity;              /* spf_identity_t */
    const char *file;
    unsigned jobs; /* 0: not given */
    bool trace, json, would_be;
} check_options_t;

/* What a verb exits with for a result: the same as Mail::SPF's spfquery. */
int check_status(spf_result_t result);
/* The result's word on a line of its own, coloured if that is wanted. */
void check_print_result(const options_t *options, spf_result_t result);

#endif
