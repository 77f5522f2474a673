/* SPDX-License-Identifier: MIT */
/* `spf flatten --watch`: asks again as TTLs run out, and publishes what changed; never what a failure made smaller. */
#include "flatten.h"
#include "tool.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct watch {
    flatten_options_t *own;
    spf_context_t *context;
    signals_t signals;
    bool is_failing;  /* the last round was no good */
    flattened_t last; /* what was published last; its draft NULL: nothing yet */
} watch_t;

static void say(const watch_t *watch, const char *text, const char *more)
{
    fprintf(stderr, "spf flatten: %s: %s%s\n", watch->own->domain, text, more);
}

/* ---------------------------------------------------------------------------------------------------------- waiting */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the time has come or a signal wants it to go on; false: or to end. */
static bool wait_s(watch_t *watch, int64_t seconds)
{
    signals_t *signals = &watch->signals;
    int64_t due_ms = now_ms() + seconds * 1000;

    for (int64_t left_ms = seconds * 1000; left_ms > 0 && !signals->is_ended && !signals->is_hurried;
         left_ms = due_ms - now_ms()) {
        struct pollfd pollfd = {.fd = signals->fd, .events = POLLIN};
        if (poll(&pollfd, 1, (int)left_ms) > 0)
            signals_take(signals);
    }
    return !signals->is_ended;
}

typedef struct survey_end {
    bool has_come;
    spf_err_t err;
} survey_end_t;

static void survey_ended(spf_survey_t *survey, spf_err_t err, void *user_data)
{
    survey_end_t *end = user_data;

    (void)survey;
    end->err = err;
    end->has_come = true;
}

static bool run_survey(void *user_data, spf_survey_t *survey, spf_err_t *err)
{
    watch_t *watch = user_data;
    survey_end_t end = {.has_come = false};

    *err = spf_survey_start(survey, survey_ended, &end);
    while (*err == SPF_OK && !end.has_come) {
        struct pollfd both[] = {{.fd = spf_context_fd(watch->context), .events = POLLIN},
                                {.fd = watch->signals.fd, .events = POLLIN}};
        poll(both, 2, spf_context_timeout_ms(watch->context));
        signals_take(&watch->signals);
        if (watch->signals.is_ended)
            spf_survey_cancel(survey);
        *err = spf_context_process(watch->context);
    }
    if (*err == SPF_OK)
        *err = end.err;
    return !watch->signals.is_ended;
}

/* ----------------------------------------------------------------------------------------------------------- rounds */

static void say_changes(const watch_t *watch, const spf_draft_t *draft)
{
    fprintf(stderr, "spf flatten: %s: ", watch->own->domain);
    drafts_print_changes(stderr, watch->last.draft, draft);
    fputc('\n', stderr);
}

/* Hands the draft out; whether it got there. */
static bool hand_out(watch_t *watch, spf_draft_t *draft)
{
    const publisher_t *publisher = &watch->own->publisher;

    if (publisher->exec == NULL && !publisher->nsupdate) {
        bool is_good = drafts_print(stdout, draft, &publisher->style);
        return fflush(stdout) == 0 && is_good;
    }
    switch (publish(publisher, draft)) {
    case PUBLISHED:
        say(watch, "published", "");
        return true;
    case PUBLISH_FAILED:
        say(watch, "not published; another attempt follows", "");
        return false;
    default:
        return false;
    }
}

/* A round that came to nothing changes nothing. */
static void take_failure(watch_t *watch, flattened_t *flattened)
{
    say(watch, flattened->error, watch->last.draft != NULL ? "; what was published last stays" : "");
    watch->is_failing = true;
    flatten_free(flattened);
}

static void take_draft(watch_t *watch, flattened_t *flattened)
{
    bool was_failing = watch->is_failing;

    watch->is_failing = false;
    if (watch->last.draft != NULL && drafts_are_equal(watch->last.draft, flattened->draft)) {
        if (was_failing)
            say(watch, "nothing has changed", "");
        flatten_free(flattened);
        return;
    }
    say_changes(watch, flattened->draft);
    if (hand_out(watch, flattened->draft)) {
        flatten_free(&watch->last);
        watch->last = *flattened;
    } else {
        watch->is_failing = true;
        flatten_free(flattened);
    }
}

/* How long the answers are good, within what was asked for; after a failure the shortest time. */
static int64_t interval_s(const watch_t *watch, int64_t ttl_s)
{
    const flatten_options_t *own = watch->own;

    if (watch->is_failing || ttl_s < own->min_interval_s)
        return own->min_interval_s;
    return ttl_s < own->max_interval_s ? ttl_s : own->max_interval_s;
}

/* One round; what is wrong with the question itself ends it all. */
static int take_round(watch_t *watch, int64_t *wait)
{
    flattened_t flattened;
    int status;

    if (!flatten_once(watch->own, watch->context, run_survey, watch, &flattened)) {
        flatten_free(&flattened);
        return 0;
    }
    *wait = flattened.ttl_s;
    status = flattened.status;
    if (status == TOOL_USAGE || status == TOOL_INTERNAL) {
        tool_usage_error("flatten", "%s", flattened.error);
        flatten_free(&flattened);
        return status;
    }
    if (status == FLATTEN_OK)
        take_draft(watch, &flattened);
    else
        take_failure(watch, &flattened);
    *wait = interval_s(watch, *wait);
    return 0;
}

int flatten_watch(flatten_options_t *own, spf_context_t *context)
{
    watch_t watch = {.own = own, .context = context};
    signals_t *signals = &watch.signals;
    int64_t wait = 0;
    int status;

    if (!signals_open(signals))
        return tool_internal_error("flatten", "signalfd: %s", strerror(errno));
    own->publisher.signals = signals;
    do {
        signals->is_hurried = false;
        status = take_round(&watch, &wait);
    } while (status == 0 && !ferror(stdout) && wait_s(&watch, wait));
    flatten_free(&watch.last);
    signals_close(signals);
    return status;
}
