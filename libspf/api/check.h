/* SPDX-License-Identifier: MIT */
/* The inside of a check. */
#ifndef SPF_API_CHECK_H
#define SPF_API_CHECK_H

#include "api/job.h"

struct spf_check {
    spf_job_t job; /* first: a spf_job_t * is one of these */
    spf_context_t *context;
    spf_arena_t arena;
    char error[192];

    /* what is asked */
    bool has_ip;
    spf_identity_t identity;
    const char *sender; /* as given; NULL: the null reverse-path */
    size_t sender_length;
    const char *helo;
    size_t helo_length;
    const char *receiver; /* NULL: the configured one */
    spf_question_t question;

    /* in flight */
    spf_check_callback_t callback;
    void *user_data;
    spf_eval_t *eval;

    /* what was found */
    spf_verdict_t *verdict;
    const spf_lookup_t **lookups;
};

/* check.c: fills check->question from what was set. SPF_OK, SPF_EINVAL, SPF_ENOMEM. */
spf_err_t spf_check_prepare(spf_check_t *check);
/* verdict.c: makes the verdict of a machine that is done; SPF_ENOMEM. */
spf_err_t spf_check_conclude(spf_check_t *check);

#endif
