/* SPDX-License-Identifier: MIT */
/* `spf lookup`: what a domain publishes, with everything that leads to. */
#include "options.h"
#include "tool.h"

#include "spf_tools.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Exit statuses, beside TOOL_...; the numbers are those of the results that mail gets. */
enum { STATUS_OK = 0, STATUS_PROBLEM = 1, STATUS_TEMPORARY = 5, STATUS_NONE = 6 };

static const char verb[] = "lookup";

typedef struct lookup_options {
    options_t options; /* first */
    const char *record;
    bool json, dot, all_networks, ascii;
} lookup_options_t;

/* ------------------------------------------------------------------------------------------------------- the answer */

static bool is_utf8_terminal(void)
{
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static unsigned text_style(const lookup_options_t *own)
{
    unsigned style = own->all_networks ? SPF_TEXT_NETWORKS : 0;

    if (own->ascii || !is_utf8_terminal())
        style |= SPF_TEXT_ASCII;
    if (options_want_color(&own->options))
        style |= SPF_TEXT_COLOR;
    return style;
}

/* A sentence of lint may quote from a record. */
static void print_words(const char *text, bool ascii)
{
    for (; *text != '\0'; text++)
        putchar(ascii && (unsigned char)*text >= 0x80 ? '?' : *text);
}

/* Of lint's remarks those that tell why mail fails, and what was found beside the record; spf lint has the rest. */
static void print_remarks(spf_survey_t *survey, bool ascii)
{
    const spf_remark_t *remark;

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        if (remark->severity != SPF_SEVERITY_ERROR && remark->node != NULL)
            continue;
        printf("%s: ", spf_severity_name(remark->severity));
        print_words(remark->sentence, ascii);
        putchar(remark->fix != NULL ? ' ' : '\n');
        if (remark->fix == NULL)
            continue;
        print_words(remark->fix, ascii);
        putchar('\n');
    }
}

/* False without memory. */
static bool print_survey(const lookup_options_t *own, spf_survey_t *survey)
{
    unsigned style = text_style(own);
    const char *text = own->json  ? spf_survey_json(survey)
                       : own->dot ? spf_survey_dot(survey)
                                  : spf_survey_text(survey, style);

    if (text == NULL)
        return false;
    puts(text);
    if (!own->json && !own->dot)
        print_remarks(survey, (style & SPF_TEXT_ASCII) != 0);
    return true;
}

static int status_of(const spf_survey_t *survey)
{
    const spf_survey_summary_t *summary = spf_survey_summary(survey);

    switch (spf_survey_node(survey, 0)->status) {
    case SPF_NODE_NO_DOMAIN:
    case SPF_NODE_NO_RECORD:
    case SPF_NODE_BAD_NAME:
        return STATUS_NONE;
    default:
        break;
    }
    if (summary->is_permerror || summary->is_permerror6)
        return STATUS_PROBLEM;
    return summary->has_failure ? STATUS_TEMPORARY : STATUS_OK;
}

/* ----------------------------------------------------------------------------------------------------- the question */

static spf_err_t set_question(const lookup_options_t *own, spf_survey_t *survey)
{
    const text_list_t *operands = &own->options.operands;
    spf_err_t err = spf_survey_set_scope(survey, SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY);

    if (err == SPF_OK && operands->count > 0)
        err = spf_survey_set_domain(survey, operands->texts[0], SPF_STRLEN);
    if (err == SPF_OK && own->record != NULL)
        err = spf_survey_set_record(survey, own->record, SPF_STRLEN);
    return err;
}

static int lookup(const lookup_options_t *own, spf_survey_t *survey)
{
    spf_err_t err = set_question(own, survey);

    if (err == SPF_EINVAL)
        return tool_usage_error(verb, "%s", spf_survey_error(survey));
    if (err == SPF_OK)
        err = spf_survey_run(survey);
    if (err == SPF_OK && !print_survey(own, survey))
        err = SPF_ENOMEM;
    return err == SPF_OK ? status_of(survey) : tool_internal_error(verb, "%s", spf_strerror(err));
}

static int run(options_t *options, spf_context_t *context)
{
    spf_survey_t *survey;
    spf_err_t err = spf_survey_new(&survey, context);

    if (err != SPF_OK)
        return tool_internal_error(verb, "%s", spf_strerror(err));
    int status = lookup((const lookup_options_t *)options, survey);
    spf_survey_free(survey);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the command line */

static const option_definition_t definitions[] = {
    {"record", "TEXT", OPTION_TEXT(lookup_options_t, record), "what if the domain published this record?"},
    {"all-networks", NULL, OPTION_FLAG(lookup_options_t, all_networks), "every network, not only the first few"},
    {"ascii", NULL, OPTION_FLAG(lookup_options_t, ascii), "a tree without UTF-8 lines, whatever the locale"},
    {"json", NULL, OPTION_FLAG(lookup_options_t, json), "one JSON object"},
    {"dot", NULL, OPTION_FLAG(lookup_options_t, dot), "a digraph for Graphviz: spf lookup --dot DOMAIN | dot -Tsvg"},
};

static int check_combination(options_t *options)
{
    const lookup_options_t *own = (const lookup_options_t *)options;
    const text_list_t *operands = &own->options.operands;

    if (own->json && own->dot)
        return tool_usage_error(verb, "--json and --dot do not go together");
    if (operands->count == 0 && own->record == NULL)
        return tool_usage_error(verb, "the domain is missing, as in spf lookup example.com");
    return operands->count > 0 ? tool_check_domain(verb, operands->texts[0]) : 0;
}

static const lookup_options_t defaults = {.record = NULL};

const command_t lookup_command = {
    .verb = verb,
    .summary = "what does a domain publish, and what does that lead to?",
    .usage = "Usage: spf lookup DOMAIN [OPTION]...\n"
             "       spf lookup [DOMAIN] --record TEXT [OPTION]...\n",
    .notes =
        "Exit status: 0 a record within the limits, 1 it has a problem that fails mail, 5 DNS failed for some of it,\n"
        "6 there is no record; 64 usage, 70 internal error.\n",
    .advice = "one domain is looked up at a time",
    .asks_dns = true,
    .operand_max = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .check = check_combination,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
