/* SPDX-License-Identifier: MIT */
/* From texts to a check that can be started. */
#ifndef SPF_TOOL_QUESTION_H
#define SPF_TOOL_QUESTION_H

#include "check.h"

enum { QUESTION_ERROR_MAX = 512 };

/* One question; texts with lengths, NULL: not given. */
typedef struct question {
    const char *ip, *sender, *helo;
    size_t ip_length, sender_length, helo_length;
} question_t;

/* Makes the check. SPF_EINVAL with the sentence in error; SPF_ENOMEM. */
spf_err_t question_check(spf_check_t **check, spf_context_t *context, const check_options_t *options,
                         const question_t *question, char error[QUESTION_ERROR_MAX]);

#endif
