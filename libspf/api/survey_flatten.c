/* SPDX-License-Identifier: MIT */
/* Flatten as a part of surveys. */
#include "api/survey.h"
#include "tools/flatten.h"
#include "tools/flatten_check.h"

#include <errno.h>
#include <string.h>

static void set_error(spf_survey_t *survey, const char *text)
{
    size_t length = strnlen(text, sizeof survey->error - 1);

    memcpy(survey->error, text, length);
    survey->error[length] = '\0';
}

/* What is wrong with the options is told also before the survey was made. */
static spf_err_t flatten(const spf_survey_t *survey, const spf_flatten_options_t *options, spf_draft_t **draft,
                         spf_buf_t *error)
{
    spf_err_t err = spf_flatten_check_options(options, error);

    if (err != SPF_OK)
        return err;
    if (survey->tree != NULL)
        return spf_flatten(draft, survey->tree, options, error);
    SPF_SENTENCE_SET(error, "flatten: the survey did not end with SPF_OK");
    return SPF_ESTATE;
}

spf_err_t spf_survey_flatten(spf_survey_t *survey, const spf_flatten_options_t *options, spf_draft_t **draft)
{
    int saved_errno = errno;
    char storage[1024];
    spf_buf_t error;
    spf_err_t err;

    *draft = NULL;
    spf_buf_init(&error, storage, sizeof storage);
    err = flatten(survey, options, draft, &error);
    set_error(survey, err == SPF_OK ? "" : err == SPF_ENOMEM ? spf_strerror(err) : error.data);
    errno = saved_errno;
    return err;
}
