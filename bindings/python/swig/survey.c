/* SPDX-License-Identifier: MIT */
/* Surveys, and their use by one thread after the other. */
#include "bridge.h"

/* --------------------------------------------------------------------------------------------------------- as a job */

static spf_survey_t *survey_of(bridge_job_t *job)
{
    return ((bridge_survey_t *)job)->survey;
}

static spf_err_t survey_make(bridge_job_t *job, spf_context_t *context)
{
    bridge_survey_t *survey = (bridge_survey_t *)job;

    survey->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    survey->generation = bridge_generation();
    return spf_survey_new(&survey->survey, context);
}

static void survey_ended(spf_survey_t *survey, spf_err_t err, void *job)
{
    (void)survey;
    bridge_job_ended(job, err);
}

static spf_err_t survey_start(bridge_job_t *job)
{
    return spf_survey_start(survey_of(job), survey_ended, job);
}

static spf_err_t survey_run(bridge_job_t *job)
{
    return spf_survey_run(survey_of(job));
}

static void survey_cancel(bridge_job_t *job)
{
    spf_survey_cancel(survey_of(job));
}

static void survey_free(bridge_job_t *job)
{
    spf_survey_free(survey_of(job));
}

bridge_survey_t *bridge_survey_new(bridge_context_t *context)
{
    static const bridge_job_ops_t ops = {sizeof(bridge_survey_t), survey_make, survey_start, survey_run,
                                         survey_cancel,           survey_free};

    return (bridge_survey_t *)bridge_job_new(&ops, context);
}

/* ----------------------------------------------------------------------------------------------------- being used */

/* A fork copies the mutex as another thread may hold it, and the survey as that thread may just be changing it. */
bool bridge_survey_enter(bridge_survey_t *survey)
{
    bool is_torn;

    bridge_lock();
    if (survey->generation != bridge_generation()) {
        survey->generation = bridge_generation();
        survey->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        survey->is_torn = survey->is_torn || survey->is_in_use;
    }
    is_torn = survey->is_torn;
    bridge_unlock();
    if (is_torn)
        return false;
    pthread_mutex_lock(&survey->mutex);
    survey->is_in_use = true;
    return true;
}

void bridge_survey_leave(bridge_survey_t *survey)
{
    survey->is_in_use = false;
    pthread_mutex_unlock(&survey->mutex);
}

const char *bridge_survey_report(bridge_survey_t *survey, const char *(*write)(spf_survey_t *))
{
    const char *text;

    if (!bridge_survey_enter(survey))
        return NULL;
    text = write(survey->survey);
    bridge_survey_leave(survey);
    return text;
}
