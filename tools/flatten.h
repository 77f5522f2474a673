/* SPDX-License-Identifier: MIT */
/* `spf flatten`, once or watching. */
#ifndef SPF_TOOL_FLATTEN_H
#define SPF_TOOL_FLATTEN_H

#include "options.h"
#include "publish.h"

/* Exit statuses, beside TOOL_...; where there are such, the numbers of the results that mail gets. */
enum { FLATTEN_OK = 0, FLATTEN_REFUSED = 1, FLATTEN_NOT_PUBLISHED = 2, FLATTEN_TEMPORARY = 5, FLATTEN_NONE = 6 };

typedef struct flatten_options {
    options_t options; /* first */
    const char *domain;
    const char *from, *record; /* where the record is that is flattened; or NULL: at the domain */
    text_list_t keep;
    const char *prefix;
    unsigned answer_max;
    bool watch;
    unsigned min_interval_s, max_interval_s;
    publisher_t publisher;
} flatten_options_t;

/* A survey that was made, and its draft. */
typedef struct flattened {
    spf_survey_t *survey;
    spf_draft_t *draft;
    int status;    /* FLATTEN_...; if it is FLATTEN_OK there is a draft, else a message in error */
    int64_t ttl_s; /* after which the answers may be others; -1: not known */
    char error[512];
} flattened_t;

/* Runs a survey; false if it was interrupted. */
typedef bool survey_runner_t(void *user_data, spf_survey_t *survey, spf_err_t *err);

/* Surveys and flattens; false if it was interrupted. To be freed in any case. */
bool flatten_once(const flatten_options_t *own, spf_context_t *context, survey_runner_t *run, void *user_data,
                  flattened_t *flattened);
void flatten_free(flattened_t *flattened);

/* watch.c: goes on until a signal ends it. The exit status. */
int flatten_watch(flatten_options_t *own, spf_context_t *context);

#endif
