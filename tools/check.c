/* SPDX-License-Identifier: MIT */
/* `spf check`: one check, or with --file one for every line. */
#include "check.h"
#include "batch.h"
#include "question.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>

/* How a result shows on a terminal, and what the command exits with. */
static const struct {
    int status;
    const char *color; /* SGR parameters */
} looks[] = {
    [SPF_RESULT_PASS] = {0, "32"},    [SPF_RESULT_FAIL] = {1, "31"},      [SPF_RESULT_SOFTFAIL] = {2, "33"},
    [SPF_RESULT_NEUTRAL] = {3, "36"}, [SPF_RESULT_PERMERROR] = {4, "35"}, [SPF_RESULT_TEMPERROR] = {5, "35"},
    [SPF_RESULT_NONE] = {6, "36"},
};

int check_status(spf_result_t result)
{
    return looks[result].status;
}

void check_print_result(const options_t *options, spf_result_t result)
{
    if (options_want_color(options))
        printf("\033[1;%sm%s\033[0m\n", looks[result].color, spf_result_name(result));
    else
        puts(spf_result_name(result));
}

/* False without memory. */
static bool print_text(const check_options_t *options, spf_check_t *check)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);
    const char *received = spf_check_received_spf(check, SPF_FOLD_LF);
    const char *results = spf_check_authentication_results(check, SPF_FOLD_LF);
    const char *trace = options->trace ? spf_check_trace_text(check) : "";

    if (received == NULL || results == NULL || trace == NULL)
        return false;
    check_print_result(&options->options, verdict->result);
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

static int run_one(const check_options_t *options, spf_check_t *check)
{
    spf_err_t err = spf_check_run(check);

    if (err == SPF_OK && !(options->json ? print_json(check) : print_text(options, check)))
        err = SPF_ENOMEM;
    if (err != SPF_OK)
        return tool_internal_error("check", "%s", spf_strerror(err));
    return check_status(spf_check_verdict(check)->result);
}

static int check_one(const check_options_t *options, spf_context_t *context)
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

static int run(options_t *options, spf_context_t *context)
{
    const check_options_t *own = (const check_options_t *)options;

    return own->file != NULL ? batch_run(own, context) : check_one(own, context);
}

/* ------------------------------------------------------------------------------------------------ the command line */

static const option_definition_t definitions[] = {
    {"ip", "ADDR", OPTION_TEXT(check_options_t, ip), "the client's IPv4 or IPv6 address"},
    {"sender", "MAILBOX", OPTION_TEXT(check_options_t, sender), "the MAIL FROM; <> is the null sender"},
    {"helo", "NAME", OPTION_TEXT(check_options_t, helo), "the HELO or EHLO name"},
    {"identity", "WHICH", OPTION_WORD(check_options_t, identity, "mailfrom, helo"), "mailfrom (default) or helo"},
    {"receiver", "NAME", OPTION_SETTING("receiver", NULL), "this host's name, for %{r} and the header fields"},
    {"no-prefetch", NULL, OPTION_SETTING("prefetch", "no"), "ask for one term at a time"},
    {"would-be", NULL, OPTION_FLAG(check_options_t, would_be),
     "after a permerror: the result without the terms in error"},
    {"trace", NULL, OPTION_FLAG(check_options_t, trace), "a line for every step of the evaluation"},
    {"json", NULL, OPTION_FLAG(check_options_t, json), "one JSON object"},
    {"file", "FILE", OPTION_TEXT(check_options_t, file),
     "check every line, IP SENDER HELO, of a file; - is standard input"},
    {"jobs", "N", OPTION_NUMBER(check_options_t, jobs, 1, 10000),
     "with --file: checks at the same time, 1 to 10000; 64 unless set"},
};

/* Which options need, or exclude, each other. */
static int check_combination(options_t *options)
{
    const check_options_t *own = (const check_options_t *)options;

    if (own->file != NULL) {
        if (own->ip != NULL || own->sender != NULL || own->helo != NULL)
            return tool_usage_error("check", "--file brings addresses, senders and names; --ip, --sender and --helo "
                                             "do not go with it");
        if (own->trace && !own->json)
            return tool_usage_error("check", "--trace goes with --file only in --json");
        return 0;
    }
    if (own->jobs != 0)
        return tool_usage_error("check", "--jobs goes only with --file");
    if (own->ip == NULL)
        return tool_usage_error("check", "--ip ADDR, the client's address, is missing");
    if (own->identity == SPF_IDENTITY_HELO && own->helo == NULL)
        return tool_usage_error("check", "--helo NAME is missing, which --identity helo is about");
    if (own->sender == NULL && own->helo == NULL)
        return tool_usage_error("check", "--sender MAILBOX or --helo NAME is missing, whose domain is checked");
    return 0;
}

static const check_options_t defaults = {.identity = SPF_IDENTITY_MAILFROM};

const command_t check_command = {
    .verb = "check",
    .summary = "may this client send mail for this domain, and why?",
    .usage = "Usage: spf check --ip ADDR [--sender MAILBOX] [--helo NAME] [OPTION]...\n"
             "       spf check --file FILE [--jobs N] [OPTION]...\n",
    .notes = "Exit status: 0 pass, 1 fail, 2 softfail, 3 neutral, 4 permerror, 5 temperror, 6 none;\n"
             "with --file 0 once every line is checked; 64 usage or bad input, 70 internal error.\n",
    .advice = "everything is given by options, as in --ip 192.0.2.1",
    .asks_dns = true,
    .defaults = &defaults,
    .size = sizeof defaults,
    .check = check_combination,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
