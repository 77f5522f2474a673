/* SPDX-License-Identifier: MIT */
/* `spf check`: one check, or with --file one for every line. */
#include "batch.h"
#include "question.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a result shows on a terminal, and what the command exits with: the same as Mail::SPF's spfquery. */
static const struct {
    int status;
    const char *color; /* SGR parameters */
} looks[] = {
    [SPF_RESULT_PASS] = {0, "32"},    [SPF_RESULT_FAIL] = {1, "31"},      [SPF_RESULT_SOFTFAIL] = {2, "33"},
    [SPF_RESULT_NEUTRAL] = {3, "36"}, [SPF_RESULT_PERMERROR] = {4, "35"}, [SPF_RESULT_TEMPERROR] = {5, "35"},
    [SPF_RESULT_NONE] = {6, "36"},
};

static bool wants_color(const options_t *options)
{
    const char *no_color = getenv("NO_COLOR");

    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return (no_color == NULL || no_color[0] == '\0') && isatty(STDOUT_FILENO) == 1;
}

static void print_result(const options_t *options, spf_result_t result)
{
    if (wants_color(options))
        printf("\033[1;%sm%s\033[0m\n", looks[result].color, spf_result_name(result));
    else
        puts(spf_result_name(result));
}

/* False without memory. */
static bool print_text(const options_t *options, spf_check_t *check)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);
    const char *received = spf_check_received_spf(check, SPF_FOLD_LF);
    const char *results = spf_check_authentication_results(check, SPF_FOLD_LF);
    const char *trace = options->trace ? spf_check_trace_text(check) : "";

    if (received == NULL || results == NULL || trace == NULL)
        return false;
    print_result(options, verdict->result);
    puts(verdict->reason);
    if (verdict->has_would_be)
        printf("without the terms in error: %s\n", spf_result_name(verdict->would_be));
    if (verdict->explanation != NULL)
        printf("explanation: %s\n", verdict->explanation);
    printf("%s\n%s\n", received, results);
    if (options->trace)
        printf("trace:\n%s\n", trace);
    return true;
}

static bool print_json(spf_check_t *check)
{
    const char *json = spf_check_json(check);

    return json != NULL && puts(json) != EOF;
}

static int run_one(const options_t *options, spf_check_t *check)
{
    spf_err_t err = spf_check_run(check);

    if (err == SPF_OK && !(options->json ? print_json(check) : print_text(options, check)))
        err = SPF_ENOMEM;
    if (err != SPF_OK)
        return tool_internal_error("check", "%s", spf_strerror(err));
    return looks[spf_check_verdict(check)->result].status;
}

static int check_one(const options_t *options, spf_context_t *context)
{
    const question_t question = {
        .ip = options->ip,
        .ip_length = strlen(options->ip),
        .sender = options->sender,
        .sender_length = options->sender != NULL ? strlen(options->sender) : 0,
        .helo = options->helo,
        .helo_length = options->helo != NULL ? strlen(options->helo) : 0,
    };
    char error[QUESTION_ERROR_MAX];
    spf_check_t *check;
    spf_err_t err = question_check(&check, context, options, &question, error);

    if (err == SPF_EINVAL)
        return tool_usage_error("check", "%s", error);
    if (err != SPF_OK)
        return tool_internal_error("check", "%s", spf_strerror(err));
    int status = run_one(options, check);
    spf_check_free(check);
    return status;
}

static int with_config(const options_t *options, spf_config_t *config)
{
    spf_context_t *context;
    spf_err_t err = spf_context_new(&context, config);

    if (err != SPF_OK) {
        const char *error = spf_config_error(config);
        if (error[0] == '\0')
            error = spf_strerror(err);
        return err == SPF_ECONFIG ? tool_usage_error("check", "%s", error) : tool_internal_error("check", "%s", error);
    }
    int status = options->file != NULL ? batch_run(options, context) : check_one(options, context);
    spf_context_release(context);
    return status;
}

static int with_options(const options_t *options)
{
    spf_config_t *config;
    int status = options_configure(options, &config);

    if (status != 0)
        return status;
    status = with_config(options, config);
    spf_config_free(config);
    return status;
}

int check_run(int argc, char **argv)
{
    options_t options;
    int status = options_parse(&options, argc, argv);

    if (status == 0 && options.help)
        options_print_help();
    else if (status == 0)
        status = with_options(&options);
    options_free(&options);
    return status;
}

void check_help(void)
{
    options_print_help();
}
