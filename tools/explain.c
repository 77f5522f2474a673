/* SPDX-License-Identifier: MIT */
/* `spf explain`: what a header field or a message says of SPF, what DNS says now, and what can be done about it. */
#include "question.h"
#include "tool.h"

#include "spf_tools.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a message its header section is what matters; this is more than any has. */
enum { MESSAGE_MAX = 1 << 20 };

static const char verb[] = "explain";

typedef struct explain_options {
    check_options_t check; /* first: what the header does not say is given by options, and they win */
    const char *header;
} explain_options_t;

/* ------------------------------------------------------------------------------------------------- reading the text */

/* All of it, at most MESSAGE_MAX octets; NULL after a message. */
static char *read_all(FILE *file, const char *name, size_t *length)
{
    char *text = malloc(MESSAGE_MAX);

    if (text == NULL) {
        tool_internal_error(verb, "out of memory");
        return NULL;
    }
    *length = fread(text, 1, MESSAGE_MAX, file);
    if (!ferror(file))
        return text;
    tool_usage_error(verb, "%s: cannot be read: %s", name, strerror(errno));
    free(text);
    return NULL;
}

static char *read_file(const char *name, size_t *length)
{
    FILE *file;
    char *text;

    if (strcmp(name, "-") == 0) {
        if (isatty(STDIN_FILENO) == 1)
            fputs("Paste a header field or a message, then an end of file (Ctrl-D):\n", stderr);
        return read_all(stdin, "standard input", length);
    }
    file = fopen(name, "r");
    if (file == NULL) {
        tool_usage_error(verb, "%s: cannot be opened: %s", name, strerror(errno));
        return NULL;
    }
    text = read_all(file, name, length);
    fclose(file);
    return text;
}

/* The evidence in what was given, or NULL after a message. */
static spf_evidence_t *read_evidence(const explain_options_t *own)
{
    const text_list_t *operands = &own->check.options.operands;
    spf_evidence_t *evidence = NULL;
    size_t length = 0;
    char *text = NULL;
    spf_err_t err;

    if (own->header != NULL) {
        err = spf_evidence_new(&evidence, own->header, SPF_STRLEN);
    } else {
        text = read_file(operands->count > 0 ? operands->texts[0] : "-", &length);
        if (text == NULL)
            return NULL;
        err = spf_evidence_new(&evidence, text, length);
    }
    free(text);
    if (err != SPF_OK)
        tool_internal_error(verb, "%s", spf_strerror(err));
    return evidence;
}

/* ----------------------------------------------------------------------------------------------------- the question */

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

/* What the header tells, but what options say instead. 0, or an exit status after a message. */
static int make_question(question_t *question, check_options_t *check, const spf_evidence_item_t *then)
{
    static const spf_evidence_item_t nothing = {0};

    if (then == NULL)
        then = &nothing;
    question->ip = check->ip != NULL ? check->ip : then->ip;
    question->sender = check->sender != NULL ? check->sender : then->sender;
    question->helo = check->helo != NULL ? check->helo : then->helo;
    question->ip_length = length_of(question->ip);
    question->sender_length = length_of(question->sender);
    question->helo_length = length_of(question->helo);
    if (check->sender == NULL && then->identity == SPF_IDENTITY_HELO)
        check->identity = SPF_IDENTITY_HELO;
    if (question->ip == NULL && then->result != NULL)
        return tool_usage_error(verb, "%s says %s, but no field tells the client's address; --ip ADDR tells it",
                                then->field, then->result);
    if (question->ip == NULL)
        return tool_usage_error(verb, "no client address is found in the text (expected a Received-SPF, "
                                      "Authentication-Results or Received field); --ip ADDR tells it");
    if (question->sender == NULL && question->helo == NULL)
        return tool_usage_error(verb, "neither a sender nor a HELO name is found in the text; --sender MAILBOX or "
                                      "--helo NAME tells it");
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ the answer */

static void print_row(const char *name, const char *text)
{
    if (text != NULL)
        printf("%-9s %s\n", name, text[0] != '\0' ? text : "<>");
}

static void print_then(const spf_evidence_item_t *then)
{
    if (then == NULL || then->result == NULL) {
        print_row("header:", "says no SPF result");
        return;
    }
    printf("%-9s %s says %s\n", "header:", then->field, then->result);
    print_row("receiver:", then->receiver);
    print_row("comment:", then->comment);
}

static void print_text(const check_options_t *check, spf_check_t *now, const char *advice,
                       const spf_evidence_item_t *then)
{
    const spf_verdict_t *verdict = spf_check_verdict(now);

    check_print_result(&check->options, verdict->result);
    puts(verdict->reason);
    print_then(then);
    print_row("client:", verdict->ip);
    print_row("sender:", verdict->sender);
    print_row("helo:", verdict->helo[0] != '\0' ? verdict->helo : NULL);
    puts(advice);
    if (check->trace)
        printf("trace:\n%s\n", spf_check_trace_text(now));
}

static json_t *json_of_item(const spf_evidence_item_t *then)
{
    if (then == NULL)
        return json_null();
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?}", "field", then->field, "result", then->result,
                     "ip", then->ip, "sender", then->sender, "helo", then->helo, "receiver", then->receiver, "identity",
                     spf_identity_name(then->identity), "comment", then->comment);
}

static json_t *json_of_lines(const char *lines)
{
    json_t *array = json_array();

    for (; *lines != '\0'; lines += strspn(lines, "\n")) {
        size_t length = strcspn(lines, "\n");
        json_array_append_new(array, json_stringn(lines, length));
        lines += length;
    }
    return array;
}

/* False without memory. */
static bool print_json(spf_check_t *now, const char *advice, const spf_evidence_item_t *then)
{
    const char *check = spf_check_json(now);
    json_t *object =
        json_pack("{s:o, s:o, s:o}", "header", json_of_item(then), "now",
                  check != NULL ? json_loads(check, JSON_ALLOW_NUL, NULL) : NULL, "advice", json_of_lines(advice));
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text != NULL)
        puts(text);
    free(text);
    json_decref(object);
    return text != NULL;
}

static int explain(const check_options_t *check, spf_check_t *now, const spf_evidence_item_t *then)
{
    spf_err_t err = spf_check_run(now);
    const char *advice = err == SPF_OK ? spf_check_advice(now, then) : NULL;

    if (err == SPF_OK && advice == NULL)
        err = SPF_ENOMEM;
    if (err == SPF_OK && check->json && !print_json(now, advice, then))
        err = SPF_ENOMEM;
    if (err != SPF_OK)
        return tool_internal_error(verb, "%s", spf_strerror(err));
    if (!check->json)
        print_text(check, now, advice, then);
    return check_status(spf_check_verdict(now)->result);
}

static int run_with(explain_options_t *own, spf_context_t *context, const spf_evidence_t *evidence)
{
    const spf_evidence_item_t *then = spf_evidence_check(evidence);
    char error[QUESTION_ERROR_MAX];
    question_t question;
    spf_check_t *now;
    int status = make_question(&question, &own->check, then);

    if (status != 0)
        return status;
    spf_err_t err = question_check(&now, context, &own->check, &question, error);
    if (err == SPF_EINVAL)
        return tool_usage_error(verb, "%s", error);
    if (err != SPF_OK)
        return tool_internal_error(verb, "%s", spf_strerror(err));
    status = explain(&own->check, now, then);
    spf_check_free(now);
    return status;
}

static int run(options_t *options, spf_context_t *context)
{
    explain_options_t *own = (explain_options_t *)options;
    spf_evidence_t *evidence = read_evidence(own);

    if (evidence == NULL)
        return TOOL_USAGE;
    int status = run_with(own, context, evidence);
    spf_evidence_free(evidence);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the command line */

static const option_definition_t definitions[] = {
    {"header", "TEXT", OPTION_TEXT(explain_options_t, header), "the header field itself, instead of a file"},
    {"ip", "ADDR", OPTION_TEXT(explain_options_t, check.ip), "the client's address, whatever the text says"},
    {"sender", "MAILBOX", OPTION_TEXT(explain_options_t, check.sender), "the MAIL FROM, whatever the text says"},
    {"helo", "NAME", OPTION_TEXT(explain_options_t, check.helo), "the HELO name, whatever the text says"},
    {"receiver", "NAME", OPTION_SETTING("receiver", NULL), "this host's name, for %{r}"},
    {"trace", NULL, OPTION_FLAG(explain_options_t, check.trace), "a line for every step of the evaluation"},
    {"json", NULL, OPTION_FLAG(explain_options_t, check.json), "one JSON object"},
};

static int check_combination(options_t *options)
{
    if (((const explain_options_t *)options)->header != NULL && options->operands.count > 0)
        return tool_usage_error(verb, "--header and a file do not go together");
    return 0;
}

static const explain_options_t defaults = {.check = {.identity = SPF_IDENTITY_MAILFROM}};

const command_t explain_command = {
    .verb = verb,
    .summary = "what does that header mean, and what is to be done?",
    .usage = "Usage: spf explain [FILE] [OPTION]...\n"
             "       spf explain --header TEXT [OPTION]...\n\n"
             "The file, standard input unless given, holds a Received-SPF or Authentication-Results field, or a whole\n"
             "message. Its client and sender are checked again.\n",
    .notes = "Exit status: that of the check now: 0 pass, 1 fail, 2 softfail, 3 neutral, 4 permerror, 5 temperror,\n"
             "6 none; 64 usage, or the text does not tell enough, 70 internal error.\n",
    .advice = "it takes one file",
    .asks_dns = true,
    .operand_max = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .check = check_combination,
    .run = run,
    .options = definitions,
    .option_count = sizeof definitions / sizeof definitions[0],
};
