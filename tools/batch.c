/* SPDX-License-Identifier: MIT */
/*
 * `spf check --file`: a ring of jobs, one for each line. A new line takes the slot behind the last; output is made at
 * the first slot once its check has ended, so it comes in order and memory is bounded by the ring.
 */
#include "batch.h"

#include "lines.h"
#include "question.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_DEFAULT = 64, PROGRESS_MS = 200 };

typedef struct job {
    spf_check_t *check; /* NULL: the line was bad, error tells */
    bool is_done;
    spf_err_t err;
    unsigned long line;
    char error[QUESTION_ERROR_MAX];
} job_t;

typedef struct batch {
    const check_options_t *options;
    spf_context_t *context;
    lines_t lines;
    unsigned long line; /* lines taken so far */
    unsigned long bad_lines;
    job_t *jobs;
    size_t size, first, count;
    bool input_ended;
    bool shows_progress;
    int64_t progress_ms; /* when it was shown last */
} batch_t;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(batch_t *batch)
{
    int64_t now = now_ms();

    if (!batch->shows_progress || now - batch->progress_ms < PROGRESS_MS)
        return;
    batch->progress_ms = now;
    fprintf(stderr, "\r%lu checked, %zu under way, %lu bad lines", batch->line - (unsigned long)batch->count,
            batch->count, batch->bad_lines);
}

static void clear_progress(const batch_t *batch)
{
    if (batch->shows_progress)
        fputs("\r\033[K", stderr);
}

/* ---------------------------------------------------------------------------------------------------------- input */

/* Takes a word off the front of the line. */
static bool take_word(const char **text, const char *end, const char **word, size_t *length)
{
    while (*text < end && (**text == ' ' || **text == '\t'))
        ++*text;
    *word = *text;
    while (*text < end && **text != ' ' && **text != '\t')
        ++*text;
    *length = (size_t)(*text - *word);
    return *length > 0;
}

/* Splits IP SENDER HELO. */
static bool split(const char *line, size_t length, question_t *question)
{
    const char *end = line + length, *rest;
    size_t rest_length;

    return take_word(&line, end, &question->ip, &question->ip_length) &&
           take_word(&line, end, &question->sender, &question->sender_length) &&
           take_word(&line, end, &question->helo, &question->helo_length) &&
           !take_word(&line, end, &rest, &rest_length);
}

static void job_ended(spf_check_t *check, spf_err_t err, void *user_data)
{
    job_t *job = user_data;

    (void)check;
    job->err = err;
    job->is_done = true;
}

static spf_err_t job_start(batch_t *batch, job_t *job, const char *line, size_t length)
{
    question_t question;

    if (!split(line, length, &question)) {
        snprintf(job->error, sizeof job->error, "%s is no line of the form IP SENDER HELO",
                 tool_quote(line, length).text);
        return SPF_EINVAL;
    }
    spf_err_t err = question_check(&job->check, batch->context, batch->options, &question, job->error);
    return err == SPF_OK ? spf_check_start(job->check, job_ended, job) : err;
}

/* Gives the line a slot. An error of the line is the job's; others end the batch. */
static spf_err_t take_line(batch_t *batch, line_status_t status, const char *line, size_t length)
{
    job_t *job = &batch->jobs[(batch->first + batch->count) % batch->size];
    spf_err_t err = SPF_EINVAL;

    *job = (job_t){.line = ++batch->line};
    batch->count++;
    if (status == LINE_TOO_LONG)
        snprintf(job->error, sizeof job->error, "the line is longer than %d octets", LINE_MAX_OCTETS);
    else
        err = job_start(batch, job, line, length);
    if (err == SPF_EINVAL) {
        batch->bad_lines++;
        job->is_done = true;
        return SPF_OK;
    }
    return err;
}

/* Whether reading would not have to wait. */
static bool input_is_ready(const batch_t *batch)
{
    struct pollfd input = {.fd = batch->lines.fd, .events = POLLIN};

    return poll(&input, 1, 0) != 0;
}

/* Starts checks as long as there are lines and slots; waits for input only while nothing else is to be done. */
static int take_lines(batch_t *batch)
{
    const char *line;
    size_t length;

    while (batch->count < batch->size && !batch->input_ended) {
        line_status_t status = lines_next(&batch->lines, &line, &length);
        if (status == LINE_NO_MORE) {
            batch->input_ended = true;
        } else if (status == LINE_MISSING) {
            if (!input_is_ready(batch)) {
                fflush(stdout);
                if (batch->count > 0)
                    return 0;
            }
            if (!lines_read(&batch->lines))
                return tool_usage_error("check", "%s: cannot be read: %s", batch->options->file, strerror(errno));
        } else {
            spf_err_t err = take_line(batch, status, line, length);
            if (err != SPF_OK)
                return tool_internal_error("check", "%s", spf_strerror(err));
        }
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- output */

static void print_bad_line(const batch_t *batch, const job_t *job)
{
    if (!batch->options->json) {
        printf("error: line %lu: %s\n", job->line, job->error);
        return;
    }
    json_t *object = json_pack("{s:I, s:s}", "line", (json_int_t)job->line, "error", job->error);
    char *text = json_dumps(object, JSON_COMPACT);
    puts(text != NULL ? text : "{\"error\":\"out of memory\"}");
    free(text);
    json_decref(object);
}

static bool print_verdict(const batch_t *batch, spf_check_t *check)
{
    if (batch->options->json) {
        const char *json = spf_check_json(check);
        return json != NULL && puts(json) != EOF;
    }
    const spf_verdict_t *verdict = spf_check_verdict(check);
    printf("%s: %s %s %s: %s\n", spf_result_name(verdict->result), verdict->ip, verdict->sender, verdict->helo,
           verdict->reason);
    return true;
}

/* Puts out what has ended, in order. */
static int put_jobs(batch_t *batch)
{
    for (; batch->count > 0 && batch->jobs[batch->first].is_done; batch->count--) {
        job_t *job = &batch->jobs[batch->first];
        if (job->check == NULL)
            print_bad_line(batch, job);
        else if (job->err == SPF_OK && !print_verdict(batch, job->check))
            job->err = SPF_ENOMEM;
        spf_check_free(job->check);
        job->check = NULL;
        batch->first = (batch->first + 1) % batch->size;
        if (job->err != SPF_OK)
            return tool_internal_error("check", "line %lu: %s", job->line, spf_strerror(job->err));
    }
    return ferror(stdout) ? TOOL_INTERNAL : 0;
}

/* ----------------------------------------------------------------------------------------------------------- loop */

/* Waits until a check goes on or, if there is room for one more, until input comes. */
static int wait_for_more(batch_t *batch)
{
    spf_err_t err;

    fflush(stdout);
    if (batch->input_ended || batch->count == batch->size) {
        err = spf_context_wait(batch->context, batch->shows_progress ? PROGRESS_MS : -1);
    } else {
        struct pollfd both[] = {{.fd = spf_context_fd(batch->context), .events = POLLIN},
                                {.fd = batch->lines.fd, .events = POLLIN}};
        poll(both, 2, spf_context_timeout_ms(batch->context));
        err = spf_context_process(batch->context);
    }
    return err == SPF_OK ? 0 : tool_internal_error("check", "%s", spf_strerror(err));
}

static int batch_loop(batch_t *batch)
{
    int status = 0;

    while (status == 0 && !(batch->input_ended && batch->count == 0)) {
        status = put_jobs(batch);
        if (status == 0)
            status = take_lines(batch);
        if (status == 0 && batch->count > 0)
            status = wait_for_more(batch);
        show_progress(batch);
    }
    return status;
}

static int batch_open(batch_t *batch)
{
    const char *file = batch->options->file;

    batch->lines.fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (batch->lines.fd < 0)
        return tool_usage_error("check", "%s: cannot be read: %s", file, strerror(errno));
    batch->jobs = calloc(batch->size, sizeof *batch->jobs);
    return batch->jobs != NULL ? 0 : tool_internal_error("check", "out of memory");
}

static void batch_close(batch_t *batch)
{
    for (; batch->count > 0; batch->count--, batch->first = (batch->first + 1) % batch->size)
        spf_check_free(batch->jobs[batch->first].check);
    free(batch->jobs);
    if (batch->lines.fd > STDIN_FILENO)
        close(batch->lines.fd);
}

int batch_run(const check_options_t *options, spf_context_t *context)
{
    batch_t *batch = calloc(1, sizeof *batch);

    if (batch == NULL)
        return tool_internal_error("check", "out of memory");
    batch->options = options;
    batch->context = context;
    batch->size = options->jobs != 0 ? options->jobs : JOBS_DEFAULT;
    batch->shows_progress = isatty(STDERR_FILENO) == 1;
    int status = batch_open(batch);
    if (status == 0) {
        status = batch_loop(batch);
        clear_progress(batch);
    }
    if (status == 0 && batch->bad_lines > 0)
        status = TOOL_USAGE;
    batch_close(batch);
    free(batch);
    return status;
}
