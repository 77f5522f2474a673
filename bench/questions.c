/* SPDX-License-Identifier: MIT */
#include "questions.h"

#include <stdlib.h>
#include <string.h>

enum { DELAY_US = 20000 };

/* The resolver in memory, with everything it is asked written down. */
typedef struct recorder {
    memory_resolver_t *resolver;
    question_group_t *group; /* of the check that runs now */
} recorder_t;

static spf_err_t record(void *self, spf_query_t *query)
{
    recorder_t *recorder = self;
    question_group_t *group = recorder->group;

    group->questions = reallocarray(group->questions, group->count + 1, sizeof *group->questions);
    if (group->questions == NULL)
        bench_fail("out of memory", "");
    group->questions[group->count++] = (question_t){.name = strdup(spf_query_name(query, NULL)),
                                                    .type = spf_query_type(query),
                                                    .asked_us = memory_resolver_now_us(recorder->resolver)};
    return memory_resolver_ops.start(recorder->resolver, query);
}

static void cancel(void *self, spf_query_t *query)
{
    memory_resolver_ops.cancel(((recorder_t *)self)->resolver, query);
}

static int64_t timeout_us(void *self)
{
    return memory_resolver_ops.timeout_us(((recorder_t *)self)->resolver);
}

static void process(void *self)
{
    memory_resolver_ops.process(((recorder_t *)self)->resolver);
}

static void wait_for(void *self, int64_t limit_us)
{
    memory_resolver_ops.wait(((recorder_t *)self)->resolver, limit_us);
}

static uint64_t now_us(void *self)
{
    return memory_resolver_now_us(((recorder_t *)self)->resolver);
}

static const spf_resolver_ops_t recorder_ops = {
    .size = sizeof(spf_resolver_ops_t),
    .start = record,
    .cancel = cancel,
    .timeout_us = timeout_us,
    .process = process,
    .wait = wait_for,
    .now_us = now_us,
};

static void run_check(spf_context_t *context, const bench_line_t *line)
{
    spf_check_t *check;

    if (spf_check_new(&check, context) != SPF_OK || spf_check_set_ip(check, line->ip) != SPF_OK ||
        spf_check_set_sender(check, line->sender, SPF_STRLEN) != SPF_OK ||
        spf_check_set_helo(check, line->helo, SPF_STRLEN) != SPF_OK || spf_check_run(check) != SPF_OK)
        bench_fail("cannot be checked", line->sender);
    spf_check_free(check);
}

question_list_t questions_find(const zone_t *zone, const bench_stream_t *stream, size_t count, bool prefetch)
{
    question_list_t list = {.groups = calloc(count, sizeof(question_group_t)), .count = count};
    recorder_t recorder = {memory_resolver_new(zone), NULL};
    memory_options_t options = {.delay_us = DELAY_US};
    spf_context_t *context;
    spf_config_t *config;

    memory_resolver_set_options(recorder.resolver, &options);
    if (list.groups == NULL || spf_config_new(&config) != SPF_OK ||
        spf_config_set(config, "prefetch", prefetch ? "yes" : "no") != SPF_OK ||
        spf_context_new_with_resolver(&context, config, &recorder_ops, &recorder) != SPF_OK)
        bench_fail("cannot be set up", "memory resolver");
    for (size_t i = 0; i < count; i++) {
        recorder.group = &list.groups[i];
        run_check(context, bench_stream_line(stream, i));
        list.questions += list.groups[i].count;
        list.groups[i].waits = memory_resolver_counters(recorder.resolver).waits - list.waits;
        list.waits += list.groups[i].waits;
    }
    spf_context_release(context);
    spf_config_free(config);
    memory_resolver_free(recorder.resolver);
    return list;
}

zone_t *bench_zone_read(const char *path)
{
    zone_t *zone = zone_new();
    char *text = bench_read_file(path);

    zone_add_lines(zone, text);
    free(text);
    return zone;
}
