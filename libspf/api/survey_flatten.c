/* SPDX-License-Identifier: MIT */
/* Flatten as a part of surveys. */
#include "api/survey.h"
#include "tools/flatten.h"

#include <errno.h>
#include <string.h>

static void set_error(spf_survey_t *survey, const char *text)
{
    size_t length = strnlen(text, sizeof survey->error - 1);

    memcpy(survey->error, text, length);
    survey->error[length] = '\0';
}

spf_err_t spf_survey_flatten(spf_survey_t *survey, const spf_flatten_options_t *options, spf_draft_t **draft)
{
    int saved_errno = errno;
    char storage[1024];
    spf_buf_t error;
    spf_err_t err;

    *draft = NULL;
    if (survey->tree == NULL) {
        set_error(survey, "flatten: the survey did not end with SPF_OK");
        return SPF_ESTATE;
    }
    spf_buf_init(&error, storage, sizeof storage);
    err = spf_flatten(draft, survey->tree, options, &error);
    set_error(survey, err == SPF_OK ? "" : err == SPF_EINVAL ? error.data : spf_strerror(err));
    errno = saved_errno;
    return err;
}
