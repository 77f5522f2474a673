/* SPDX-License-Identifier: MIT */
/* `spf lint`: is this record, or the one of this domain, right? */
#include "lint.h"

#include "tool.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit statuses, beside TOOL_... */
enum { STATUS_OK = 0, STATUS_ERRORS = 1, STATUS_WARNINGS = 2, STATUS_TEMPORARY = 5 };

enum { INPUT_MAX = 64 * 1024 };

static const char verb[] = "lint";

typedef struct lint_options {
    options_t options;  /* first */
    const char *domain; /* that the given records are for */
    const char *file;   /* read a record from there */
    unsigned least;     /* spf_severity_t */
    bool fix, json, sarif, strict, offline;
    lint_sarif_t *log;
} lint_options_t;

/* What is linted. */
typedef struct subject {
    const char *domain; /* NULL: none */
    const char *record; /* NULL: the domain's own */
    size_t length;
    const char *name; /* what people call it */
    const char *file; /* see lint_sarif_add() */
} subject_t;

/* ----------------------------------------------------------------------------------------------------- the answer */

/* One of a worse kind before one of a better: errors, DNS that failed, warnings. */
static int status_of(const lint_options_t *own, spf_survey_t *survey)
{
    const spf_remark_t *remark;
    bool has_failure = false, has_warning = false;

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        bool is_failure = strcmp(remark->code, "dns-failure") == 0;
        if (remark->severity == SPF_SEVERITY_ERROR && !is_failure)
            return STATUS_ERRORS;
        has_failure = has_failure || is_failure;
        has_warning = has_warning || remark->severity == SPF_SEVERITY_WARNING;
    }
    if (has_failure)
        return STATUS_TEMPORARY;
    return own->strict && has_warning ? STATUS_WARNINGS : STATUS_OK;
}

static int worse_of(int a, int b)
{
    static const int order[] = {TOOL_INTERNAL, TOOL_USAGE, STATUS_ERRORS, STATUS_TEMPORARY, STATUS_WARNINGS};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return STATUS_OK;
}

/* Whether the record, with all that can be mended mended, is a permerror by its text alone. */
static bool is_broken(spf_survey_t *survey)
{
    const spf_node_t *node = spf_survey_node(survey, 0);
    const spf_remark_t *remark;

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++)
        if (remark->node == node && strcmp(remark->code, "bad-target") == 0)
            return true;
    return node->record == NULL || node->has_syntax_error || node->record_count > 1;
}

/* The fixed record alone on a line; the record as it is, if there is nothing to fix. */
static int print_fixed(const subject_t *subject, spf_survey_t *survey)
{
    const spf_node_t *node = spf_survey_node(survey, 0);
    size_t length;
    const char *fixed = spf_survey_fixed_record(survey, &length);

    if (fixed == NULL && is_broken(survey)) {
        fprintf(stderr,
                "spf lint: %s: what the record should be is not certain; without --fix lint tells what is wrong\n",
                subject->name);
        return STATUS_ERRORS;
    }
    fwrite(fixed != NULL ? fixed : node->record, 1, fixed != NULL ? length : node->record_length, stdout);
    putchar('\n');
    return STATUS_OK;
}

static bool is_left_out(const lint_options_t *own, const json_t *remark)
{
    const char *word = json_string_value(json_object_get(remark, "severity"));

    for (unsigned severity = own->least + 1; severity <= SPF_SEVERITY_ADVICE; severity++)
        if (word != NULL && strcmp(word, spf_severity_name((spf_severity_t)severity)) == 0)
            return true;
    return false;
}

/* The survey's object without the remarks that are not wanted; to be freed. NULL without memory. */
static char *without_remarks(const lint_options_t *own, const char *text)
{
    json_t *object = json_loads(text, JSON_ALLOW_NUL, NULL);
    json_t *remarks = json_object_get(object, "remarks");
    char *left;

    for (size_t i = json_array_size(remarks); i-- > 0;)
        if (is_left_out(own, json_array_get(remarks, i)))
            json_array_remove(remarks, i);
    left = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(object);
    return left;
}

/* False without memory. */
static bool print_json(const lint_options_t *own, spf_survey_t *survey)
{
    const char *text = spf_survey_json(survey);
    char *left = text != NULL && own->least < SPF_SEVERITY_ADVICE ? without_remarks(own, text) : NULL;

    if (own->least < SPF_SEVERITY_ADVICE)
        text = left;
    if (text != NULL)
        puts(text);
    free(left);
    return text != NULL;
}

static int print_survey(const lint_options_t *own, const subject_t *subject, spf_survey_t *survey)
{
    if (own->fix)
        return print_fixed(subject, survey);
    if (own->sarif) {
        lint_sarif_add(own->log, survey, &(lint_source_t){subject->file, subject->record, subject->length}, own->least);
    } else if (own->json) {
        if (!print_json(own, survey))
            return tool_internal_error(verb, "%s", spf_strerror(SPF_ENOMEM));
    } else {
        lint_print_text(&own->options, survey, subject->name, (spf_severity_t)own->least);
    }
    return status_of(own, survey);
}

/* ----------------------------------------------------------------------------------------------------- the question */

static spf_err_t set_question(const lint_options_t *own, const subject_t *subject, spf_survey_t *survey)
{
    unsigned scope = own->offline ? 0 : SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY;
    spf_err_t err = spf_survey_set_scope(survey, scope);

    if (err == SPF_OK && subject->domain != NULL)
        err = spf_survey_set_domain(survey, subject->domain, SPF_STRLEN);
    if (err == SPF_OK && subject->record != NULL)
        err = spf_survey_set_record(survey, subject->record, subject->length);
    return err;
}

static int lint(const lint_options_t *own, spf_context_t *context, const subject_t *subject)
{
    spf_survey_t *survey;
    spf_err_t err = spf_survey_new(&survey, context);
    int status;

    if (err != SPF_OK)
        return tool_internal_error(verb, "%s", spf_strerror(err));
    err = set_question(own, subject, survey);
    if (err == SPF_EINVAL) {
        status = tool_usage_error(verb, "%s", spf_survey_error(survey));
    } else {
        if (err == SPF_OK)
            err = spf_survey_run(survey);
        status =
            err == SPF_OK ? print_survey(own, subject, survey) : tool_internal_error(verb, "%s", spf_strerror(err));
    }
    spf_survey_free(survey);
    return status;
}

/* A domain has no blanks, colons, quotes or equals signs; no record does without all of them. */
static bool is_record(const char *operand)
{
    return strpbrk(operand, " =:\"\t\n") != NULL;
}

/* ann@example.com is neither. */
static int refuse_mailbox(const char *operand, const char *at)
{
    return tool_usage_error(verb, "%s is a mailbox; expected is its domain, %s, or a record",
                            tool_quote(operand, strlen(operand)).text, tool_quote(at + 1, strlen(at + 1)).text);
}

static int lint_operand(const lint_options_t *own, spf_context_t *context, const char *operand)
{
    if (is_record(operand))
        return lint(own, context,
                    &(subject_t){.domain = own->domain,
                                 .record = operand,
                                 .length = strlen(operand),
                                 .name = own->domain != NULL ? own->domain : "record",
                                 .file = "record"});
    const char *at = strrchr(operand, '@');
    if (at != NULL)
        return refuse_mailbox(operand, at);
    return lint(own, context, &(subject_t){.domain = operand, .name = operand});
}

/* The record in a file, without the line end behind it. 0, or an exit status after a message. */
static int read_record(const char *path, char *text, size_t *length)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "r");

    if (file == NULL)
        return tool_usage_error(verb, "cannot read %s: %s", tool_quote(path, strlen(path)).text, strerror(errno));
    *length = fread(text, 1, INPUT_MAX + 1, file);
    int error = ferror(file) ? errno : 0;
    if (!is_input)
        fclose(file);
    if (error != 0)
        return tool_usage_error(verb, "cannot read %s: %s", tool_quote(path, strlen(path)).text, strerror(error));
    if (*length > INPUT_MAX)
        return tool_usage_error(verb, "%s is longer than a record can be, 64 KiB", tool_quote(path, strlen(path)).text);
    while (*length > 0 && (text[*length - 1] == '\n' || text[*length - 1] == '\r'))
        --*length;
    return 0;
}

static int lint_file(const lint_options_t *own, spf_context_t *context)
{
    static char text[INPUT_MAX + 1];
    size_t length = 0;
    int status = read_record(own->file, text, &length);

    if (status != 0)
        return status;
    return lint(own, context,
                &(subject_t){.domain = own->domain,
                             .record = text,
                             .length = length,
                             .name = own->file,
                             .file = strcmp(own->file, "-") == 0 ? "record" : own->file});
}

static int run(options_t *options, spf_context_t *context)
{
    lint_options_t *own = (lint_options_t *)options;
    int status = STATUS_OK;

    if (own->sarif && (own->log = lint_sarif_new()) == NULL)
        return tool_internal_error(verb, "%s", spf_strerror(SPF_ENOMEM));
    if (own->file != NULL)
        status = lint_file(own, context);
    for (size_t i = 0; i < options->operands.count; i++)
        status = worse_of(status, lint_operand(own, context, options->operands.texts[i]));
    if (own->sarif && !lint_sarif_print(own->log, status != TOOL_USAGE && status != TOOL_INTERNAL))
        status = tool_internal_error(verb, "%s", spf_strerror(SPF_ENOMEM));
    lint_sarif_free(own->log);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the command line */

static const option_definition_t definitions[] = {
    {"domain", "DOMAIN", OPTION_TEXT(lint_options_t, domain), "which the given records are for"},
    {"file", "FILE", OPTION_TEXT(lint_options_t, file), "a record in a file; \"-\": standard input"},
    {"fix", NULL, OPTION_FLAG(lint_options_t, fix), "print the corrected record, and only where it is certain"},
    {"severity", "WORD", OPTION_WORD(lint_options_t, least, "error, warning, advice"),
     "leave out what is less than error, warning or advice (default)"},
    {"strict", NULL, OPTION_FLAG(lint_options_t, strict), "warnings, too, make the exit status other than 0"},
    {"offline", NULL, OPTION_FLAG(lint_options_t, offline), "ask DNS for nothing but the records of the domains"},
    {"json", NULL, OPTION_FLAG(lint_options_t, json), "one JSON object a line for each DOMAIN and RECORD"},
    {"sarif", NULL, OPTION_FLAG(lint_options_t, sarif), "one SARIF 2.1.0 log"},
};

static int check_combination(options_t *options)
{
    const lint_options_t *own = (const lint_options_t *)options;

    if (own->json + own->sarif + own->fix > 1)
        return tool_usage_error(verb, "of --fix, --json and --sarif only one can be given");
    if (own->options.operands.count == 0 && own->file == NULL)
        return tool_usage_error(verb,
                                "what to lint is missing, as in spf lint example.com or spf lint \"v=spf1 mx -all\"");
    return 0;
}

static const lint_options_t defaults = {.least = SPF_SEVERITY_ADVICE};

const command_t lint_command = {
    .verb = verb,
    .summary = "is this record right?",
    .usage = "Usage: spf lint DOMAIN... [OPTION]...\n"
             "       spf lint \"RECORD\"... [--domain DOMAIN] [OPTION]...\n"
             "       spf lint --file FILE [--domain DOMAIN] [OPTION]...\n",
    .notes =
        "Exit status: 0 no errors, 1 errors, 2 warnings (with --strict), 5 DNS failed for some of it; with --fix 0 a\n"
        "record, 1 what it should be is not certain; 64 usage, 70 internal error.\n",
    .asks_dns = true,
    .operand_max = SIZE_MAX,
    .defaults = &defaults,
    .size = sizeof defaults,
    .check = check_combination,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
