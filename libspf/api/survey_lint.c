/* SPDX-License-Identifier: MIT */
/* Lint as a part of surveys: made when it is first asked for. */
#include "api/survey.h"

#include <errno.h>

const spf_lint_t *spf_survey_lint(spf_survey_t *survey)
{
    int saved_errno = errno;

    if (survey->tree != NULL && survey->lint == NULL)
        survey->lint = spf_lint_tree(&survey->arena, survey->tree);
    errno = saved_errno;
    return survey->lint;
}

const spf_remark_t *spf_survey_remark(spf_survey_t *survey, size_t index)
{
    const spf_lint_t *lint = spf_survey_lint(survey);

    return lint != NULL && index < lint->count ? &lint->remarks[index] : NULL;
}

const char *spf_survey_fixed_record(spf_survey_t *survey, size_t *length)
{
    const spf_lint_t *lint = spf_survey_lint(survey);

    if (length != NULL)
        *length = lint != NULL ? lint->fixed_length : 0;
    return lint != NULL ? lint->fixed : NULL;
}
