/* SPDX-License-Identifier: MIT */
/* The inside of a survey. */
#ifndef SPF_API_SURVEY_H
#define SPF_API_SURVEY_H

#include "api/job.h"
#include "tools/lint.h"
#include "tools/walk.h"

struct spf_survey {
    spf_job_t job; /* first: a spf_job_t * is one of these */
    spf_context_t *context;
    spf_arena_t arena;
    char error[256];

    /* what is asked */
    spf_walk_question_t question;

    /* in flight */
    spf_survey_callback_t callback;
    void *user_data;
    spf_walk_t *walk;

    /* what was found, and what was made of it: each when it is first asked for */
    spf_tree_t *tree; /* NULL unless the survey ended with SPF_OK */
    const spf_lint_t *lint;
    const char *text[8]; /* by style */
    const char *json;
    const char *dot;
};

/* survey_lint.c, with spf_survey_remark() and spf_survey_fixed_record(): NULL without a tree or without memory. */
const spf_lint_t *spf_survey_lint(spf_survey_t *survey);

#endif
