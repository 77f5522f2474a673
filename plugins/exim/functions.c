/* SPDX-License-Identifier: MIT */
/* The functions that Exim's ${dlfunc} calls. */
#include "exim_api.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a function may be told besides client address, sender and HELO. */
typedef enum extra {
    EXTRA_NONE,
    EXTRA_POLICY,  /* a policy to go by where the domain has none */
    EXTRA_QUESTION /* which identity to check, or a policy to take for the domain's own */
} extra_t;

typedef struct function {
    const char *name;
    spf_identity_t identity;
    extra_t extra;
    const char *policy;  /* unless told otherwise */
    text_write_t *write; /* NULL: the result's word */
} function_t;

/* What Exim's own option spf_guess has for a default. */
#define BEST_GUESS "v=spf1 a/24 mx/24 ptr ?all"

/* X(name, identity, what else it takes, policy, what it yields) */
#define FUNCTION_MAP(X)                                                                                                \
    X(spf, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, NULL)                                                          \
    X(spf_helo, SPF_IDENTITY_HELO, EXTRA_NONE, NULL, NULL)                                                             \
    X(spf_best_guess, SPF_IDENTITY_MAILFROM, EXTRA_POLICY, BEST_GUESS, NULL)                                           \
    X(spf_reason, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_reason)                                      \
    X(spf_detail, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_detail)                                      \
    X(spf_received_header, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_received_header)                    \
    X(spf_authres, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_authres)                                    \
    X(spf_resinfo, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_resinfo)                                    \
    X(spf_reply, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_reply)                                        \
    X(spf_explanation, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_explanation)                            \
    X(spf_trace, SPF_IDENTITY_MAILFROM, EXTRA_QUESTION, NULL, text_write_trace)

static const char *const arguments_wanted[] = {
    [EXTRA_NONE] = "nothing, then Exim's own client address, sender and HELO are taken, or these three in this order",
    [EXTRA_POLICY] =
        "nothing, then Exim's own client address, sender and HELO are taken, or these three in this order, "
        "and after them, or alone, a policy (v=spf1 ...)",
    [EXTRA_QUESTION] = "nothing, then Exim's own client address, sender and HELO are taken, or these three in this "
                       "order, and after them, or alone, \"helo\", \"mailfrom\" or a policy (v=spf1 ...)",
};

/* ------------------------------------------------------------------------------------------------------ to Exim */

static uschar *tainted_copy(const char *octets, size_t length)
{
    uschar *copy = exim_tainted_new((int)length + 1);

    memcpy(copy, octets, length);
    copy[length] = '\0';
    return copy;
}

/* Exim logs what is yielded with FAIL, and answers 451. */
static int fail(uschar **yield, const char *name, const char *complaint)
{
    text_t text = {.max = TEXT_MAX};
    int length = snprintf(text.data, TEXT_MAX, "%s: %s", name, complaint);

    text.length = length < TEXT_MAX ? (size_t)length : TEXT_MAX - 1;
    text_clean(&text);
    *yield = tainted_copy(text.data, text.length);
    return FAIL;
}

/* The word is one of seven that nobody but this program wrote: it may be part of a file name. */
static uschar *result_word(spf_result_t result)
{
    return US spf_result_name(result);
}

/* ---------------------------------------------------------------------------------------------------- arguments */

static const char *text_or_empty(const uschar *text)
{
    return text != NULL ? (const char *)text : "";
}

static const char *expanded(const char *variable)
{
    return text_or_empty(expand_string(US variable));
}

static bool is_policy(const char *text)
{
    static const char version[] = "v=spf1";
    size_t length = sizeof(version) - 1;

    return strncasecmp(text, version, length) == 0 && (text[length] == ' ' || text[length] == '\0');
}

static bool take_extra(question_t *question, extra_t extra, const char *text)
{
    if (extra != EXTRA_NONE && is_policy(text)) {
        question->policy = text;
        return true;
    }
    if (extra != EXTRA_QUESTION)
        return false;
    for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++) {
        if (strcasecmp(text, spf_identity_name(identity)) == 0) {
            question->identity = identity;
            return true;
        }
    }
    return false;
}

/* [client address, sender, HELO] [what else] */
static bool take_arguments(question_t *question, const function_t *function, int argc, uschar *argv[])
{
    int given = argc >= 3 ? 3 : 0;

    *question = (question_t){
        .receiver = expanded("$primary_hostname"), .policy = function->policy, .identity = function->identity};
    if (given == 3) {
        question->ip = text_or_empty(argv[0]);
        question->sender = text_or_empty(argv[1]);
        question->helo = text_or_empty(argv[2]);
    } else {
        question->ip = text_or_empty(sender_host_address);
        question->sender = text_or_empty(sender_address);
        question->helo = expanded("$sender_helo_name");
    }
    return argc == given || (argc == given + 1 && take_extra(question, function->extra, text_or_empty(argv[given])));
}

/* -------------------------------------------------------------------------------------------------------- calls */

/* Exim 4.96 hands on a wrong count, and no more than seven arguments, if there are eight. */
enum { ARGUMENTS_MAX = 7 };

static int fail_arguments(uschar **yield, const function_t *function, int argc, uschar *argv[])
{
    char complaint[COMPLAINT_MAX];
    const char *last = argc > 0 && argc <= ARGUMENTS_MAX ? text_or_empty(argv[argc - 1]) : "";

    snprintf(complaint, sizeof(complaint), "%d argument%s, the last \"%.40s\", where it takes %s", argc,
             argc == 1 ? "" : "s", last, arguments_wanted[function->extra]);
    return fail(yield, function->name, complaint);
}

/* As with Exim's own spf_guess, a domain that publishes a policy is taken at its word. */
static bool ask(const function_t *function, question_t *question, answer_t *answer, char complaint[COMPLAINT_MAX])
{
    const char *guess = question->policy;

    if (function->extra != EXTRA_POLICY)
        return question_ask(question, answer, complaint);
    question->policy = NULL;
    if (!question_ask(question, answer, complaint))
        return false;
    question->policy = guess;
    return answer->result != SPF_RESULT_NONE || question_ask(question, answer, complaint);
}

static int call(const function_t *function, uschar **yield, int argc, uschar *argv[])
{
    char complaint[COMPLAINT_MAX] = "";
    question_t question;
    answer_t answer;
    text_t text;

    if (!take_arguments(&question, function, argc, argv))
        return fail_arguments(yield, function, argc, argv);
    if (!ask(function, &question, &answer, complaint))
        return fail(yield, function->name, complaint);
    if (function->write == NULL) {
        *yield = result_word(answer.result);
        return OK;
    }
    text.length = 0;
    text.max = TEXT_MAX;
    text.line_ends = LINE_ENDS_NONE;
    function->write(&text, &answer);
    text_clean(&text);
    *yield = tainted_copy(text.data, text.length);
    return OK;
}

#define X(function, its_identity, its_extra, its_policy, its_write)                                                    \
    SPF_API exim_dlfunc_t function;                                                                                    \
    int function(uschar **yield, int argc, uschar *argv[])                                                             \
    {                                                                                                                  \
        static const function_t row = {.name = #function,                                                              \
                                       .identity = its_identity,                                                       \
                                       .extra = its_extra,                                                             \
                                       .policy = its_policy,                                                           \
                                       .write = its_write};                                                            \
        return call(&row, yield, argc, argv);                                                                          \
    }
FUNCTION_MAP(X)
#undef X

/* Not about mail: chooses the configuration file, and yields nothing; without an argument, which one is chosen. */
SPF_API exim_dlfunc_t spf_config;
int spf_config(uschar **yield, int argc, uschar *argv[])
{
    char complaint[COMPLAINT_MAX] = "";

    if (argc > 1 || (argc == 1 && *text_or_empty(argv[0]) != '/'))
        return fail(yield, "spf_config", "it takes one argument, the absolute name of a configuration file");
    if (argc == 1 && !question_configure(text_or_empty(argv[0]), complaint))
        return fail(yield, "spf_config", complaint);
    *yield = argc == 1 ? US "" : tainted_copy(question_config_file(), strlen(question_config_file()));
    return OK;
}
