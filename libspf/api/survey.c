/* SPDX-License-Identifier: MIT */
#include "api/survey.h"

#include "api/context.h"
#include "report/tree.h"
#include "tools/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_MAX = 64 * 1024,
    SCOPE_DEFAULT = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES,
    SCOPE_ALL = SCOPE_DEFAULT | SPF_SURVEY_NEARBY
};

/* ---------------------------------------------------------------------------------------------------------- as a job
 */

static spf_walk_t *walk_of(spf_job_t *job)
{
    return ((spf_survey_t *)job)->walk;
}

/* A machine that a failed start left behind goes first. */
static bool job_begin(spf_job_t *job, uint64_t time_s)
{
    spf_survey_t *survey = (spf_survey_t *)job;

    (void)time_s;
    spf_walk_drop(survey->walk);
    survey->walk = spf_walk_new(&survey->arena, &survey->question);
    return survey->walk != NULL;
}

static spf_eval_status_t job_step(spf_job_t *job)
{
    return spf_walk_step(walk_of(job));
}

static spf_query_t *job_next_wanted(spf_job_t *job)
{
    return spf_walk_next_wanted(walk_of(job));
}

static spf_query_t *job_next_unneeded(spf_job_t *job)
{
    return spf_walk_next_unneeded(walk_of(job));
}

static void job_abort(spf_job_t *job)
{
    spf_walk_abort(walk_of(job));
}

static void job_expire(spf_job_t *job)
{
    spf_walk_expire(walk_of(job));
}

static spf_err_t job_conclude(spf_job_t *job)
{
    spf_survey_t *survey = (spf_survey_t *)job;

    survey->tree = spf_walk_tree(survey->walk);
    if (survey->tree == NULL)
        return SPF_ENOMEM;
    survey->tree->summary.elapsed_us = job->elapsed_us;
    return SPF_OK;
}

static void job_call(spf_job_t *job, spf_err_t err)
{
    spf_survey_t *survey = (spf_survey_t *)job;

    survey->callback(survey, err, survey->user_data);
}

static const spf_job_ops_t survey_ops = {
    .begin = job_begin,
    .step = job_step,
    .next_wanted = job_next_wanted,
    .next_unneeded = job_next_unneeded,
    .abort = job_abort,
    .expire = job_expire,
    .conclude = job_conclude,
    .call = job_call,
};

/* --------------------------------------------------------------------------------------------- making and freeing */

spf_err_t spf_survey_new(spf_survey_t **survey, spf_context_t *context)
{
    int saved_errno = errno;
    spf_survey_t *made = calloc(1, sizeof *made);

    errno = saved_errno;
    if (made == NULL)
        return SPF_ENOMEM;
    made->job.ops = &survey_ops;
    made->job.timeout_us = context->settings.timeout_us;
    made->question.scope = SCOPE_DEFAULT;
    made->question.limits = context->settings.limits;
    made->context = context;
    spf_context_hold(context);
    *survey = made;
    return SPF_OK;
}

void spf_survey_cancel(spf_survey_t *survey)
{
    int saved_errno = errno;

    spf_engine_cancel(&survey->job);
    errno = saved_errno;
}

void spf_survey_free(spf_survey_t *survey)
{
    int saved_errno = errno;

    if (survey == NULL)
        return;
    spf_survey_cancel(survey);
    spf_walk_drop(survey->walk);
    spf_arena_free(&survey->arena);
    spf_context_unhold(survey->context);
    free(survey);
    errno = saved_errno;
}

/* --------------------------------------------------------------------------------------------------------- setters */

const char *spf_survey_error(const spf_survey_t *survey)
{
    return survey->error;
}

static spf_err_t refuse(spf_survey_t *survey, const char *what, const char *value, size_t length, const char *allowed)
{
    spf_buf_t buf;

    spf_buf_init(&buf, survey->error, sizeof survey->error);
    spf_buf_add_text(&buf, what);
    spf_buf_add_text(&buf, " \"");
    spf_buf_add_printable(&buf, value, length < 64 ? length : 64, false);
    spf_buf_add_text(&buf, length < 64 ? "\" " : "...\" ");
    spf_buf_add_text(&buf, allowed);
    return SPF_EINVAL;
}

static void say(spf_survey_t *survey, const char *sentence)
{
    spf_buf_t buf;

    spf_buf_init(&buf, survey->error, sizeof survey->error);
    spf_buf_add_text(&buf, sentence);
}

static spf_err_t refuse_with(spf_survey_t *survey, const char *sentence)
{
    say(survey, sentence);
    return SPF_EINVAL;
}

static bool is_settable(spf_survey_t *survey, spf_err_t *err)
{
    *err = survey->job.state == SPF_JOB_NEW ? SPF_OK : SPF_ESTATE;
    say(survey, *err == SPF_OK ? "" : "the survey was started already; a survey is made once");
    return *err == SPF_OK;
}

spf_err_t spf_survey_set_domain(spf_survey_t *survey, const char *domain, size_t length)
{
    bool is_out_of_memory;
    spf_name_t name;
    spf_err_t err;

    if (!is_settable(survey, &err))
        return err;
    if (domain == NULL)
        domain = "";
    if (length == SPF_STRLEN)
        length = strlen(domain);
    if (!spf_name_from_utf8(&name, domain, length, &is_out_of_memory))
        return is_out_of_memory
                   ? SPF_ENOMEM
                   : refuse(survey, "domain", domain, length,
                            "is no domain name: labels of 1 to 63 octets parted by dots, 253 octets in all");
    survey->question.domain = name;
    return SPF_OK;
}

spf_err_t spf_survey_set_record(spf_survey_t *survey, const char *record, size_t length)
{
    spf_walk_question_t *question = &survey->question;
    spf_strings_t strings;
    const char *written;
    spf_err_t err;

    if (!is_settable(survey, &err))
        return err;
    if (record == NULL) {
        question->given = question->written = NULL;
        return SPF_OK;
    }
    if (length == SPF_STRLEN)
        length = strlen(record);
    if (length > RECORD_MAX)
        return refuse(survey, "record", record, length, "is longer than 65536 octets");
    written = spf_arena_copy(&survey->arena, record, length);
    if (written == NULL || !spf_strings_read(&survey->arena, record, length, &strings))
        return SPF_ENOMEM;
    question->written = written;
    question->written_length = length;
    question->given = strings.text;
    question->given_length = strings.length;
    return SPF_OK;
}

spf_err_t spf_survey_set_scope(spf_survey_t *survey, unsigned scope)
{
    spf_err_t err;

    if (!is_settable(survey, &err))
        return err;
    if ((scope & ~(unsigned)SCOPE_ALL) != 0)
        return refuse_with(survey,
                           "scope: allowed are SPF_SURVEY_RECORDS, SPF_SURVEY_ADDRESSES and SPF_SURVEY_NEARBY, or'ed");
    survey->question.scope = scope;
    return SPF_OK;
}

spf_err_t spf_survey_set_timeout_ms(spf_survey_t *survey, unsigned timeout_ms)
{
    spf_err_t err;

    if (!is_settable(survey, &err))
        return err;
    if (timeout_ms < 1 || timeout_ms > SPF_TIMEOUT_MAX_MS)
        return refuse_with(survey, "timeout: allowed are 1 to 600000 milliseconds");
    survey->job.timeout_us = UINT64_C(1000) * timeout_ms;
    return SPF_OK;
}

/* --------------------------------------------------------------------------------------------------------- running */

static spf_err_t prepare(spf_survey_t *survey)
{
    spf_err_t err;

    if (!is_settable(survey, &err) || survey->question.domain.length > 0 || survey->question.given != NULL)
        return err;
    return refuse_with(survey, "a domain or a record must be set before a survey is started");
}

/* Without a callback it is waited for. */
static spf_err_t survey_go(spf_survey_t *survey, spf_survey_callback_t callback, void *user_data)
{
    int saved_errno = errno;
    spf_err_t err = prepare(survey);

    if (err == SPF_OK) {
        survey->callback = callback;
        survey->user_data = user_data;
        survey->job.is_waited_for = callback == NULL;
        err = spf_context_go(survey->context, &survey->job);
    }
    errno = saved_errno;
    return err;
}

spf_err_t spf_survey_start(spf_survey_t *survey, spf_survey_callback_t callback, void *user_data)
{
    return callback != NULL ? survey_go(survey, callback, user_data) : SPF_EINVAL;
}

spf_err_t spf_survey_run(spf_survey_t *survey)
{
    return survey_go(survey, NULL, NULL);
}

/* --------------------------------------------------------------------------------------------------- what was found */

const spf_node_t *spf_survey_node(const spf_survey_t *survey, size_t index)
{
    const spf_tree_t *tree = survey->tree;

    return tree != NULL && index < tree->node_count ? &tree->nodes[index]->view : NULL;
}

const spf_survey_summary_t *spf_survey_summary(const spf_survey_t *survey)
{
    return survey->tree != NULL ? &survey->tree->summary : NULL;
}

/* --------------------------------------------------------------------------------------------------------- reports */

const char *spf_survey_text(spf_survey_t *survey, unsigned style)
{
    enum { STYLES = sizeof survey->text / sizeof survey->text[0] };
    int saved_errno = errno;
    const char **text = &survey->text[style % STYLES];

    if (survey->tree != NULL && *text == NULL)
        *text = spf_report_tree_text(&survey->arena, survey->tree, style);
    errno = saved_errno;
    return *text;
}

const char *spf_survey_json(spf_survey_t *survey)
{
    const spf_lint_t *lint = spf_survey_lint(survey);
    int saved_errno = errno;

    if (lint != NULL && survey->json == NULL)
        survey->json = spf_report_tree_json(&survey->arena, survey->tree, lint);
    errno = saved_errno;
    return survey->json;
}

const char *spf_survey_dot(spf_survey_t *survey)
{
    int saved_errno = errno;

    if (survey->tree != NULL && survey->dot == NULL)
        survey->dot = spf_report_tree_dot(&survey->arena, survey->tree);
    errno = saved_errno;
    return survey->dot;
}
