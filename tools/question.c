/* SPDX-License-Identifier: MIT */
/* From texts to a check that can be started; what is wrong with a text is said here. */
#include "question.h"

#include "tool.h"

#include <stdio.h>
#include <string.h>

/* Drops the angle brackets of a reverse-path. */
static void strip_brackets(const char **text, size_t *length)
{
    if (*length >= 2 && (*text)[0] == '<' && (*text)[*length - 1] == '>') {
        *text += 1;
        *length -= 2;
    }
}

/* A sender has a domain and no control characters, or is the null one. */
static bool sender_is_good(const char *sender, size_t length)
{
    return !tool_has_control(sender, length) && (length == 0 || sender[length - 1] != '@');
}

static spf_err_t invalid(char error[QUESTION_ERROR_MAX], const char *what, const char *text, size_t length,
                         const char *problem)
{
    snprintf(error, QUESTION_ERROR_MAX, "%s: %s %s", what, tool_quote(text, length).text, problem);
    return SPF_EINVAL;
}

static spf_err_t set_ip(spf_check_t *check, const char *ip, size_t length, char error[QUESTION_ERROR_MAX])
{
    char text[64];

    if (length >= sizeof text || tool_has_control(ip, length))
        return invalid(error, "ip", ip, length, "is no IPv4 or IPv6 address");
    memcpy(text, ip, length);
    text[length] = '\0';
    return spf_check_set_ip(check, text);
}

static spf_err_t set_sender(spf_check_t *check, const char *sender, size_t length, char error[QUESTION_ERROR_MAX])
{
    if (sender == NULL)
        return SPF_OK;
    strip_brackets(&sender, &length);
    if (!sender_is_good(sender, length))
        return invalid(error, "sender", sender, length,
                       "is no mailbox: expected LOCAL-PART@DOMAIN without control characters, or <>");
    return spf_check_set_sender(check, sender, length);
}

static spf_err_t set_helo(spf_check_t *check, const char *helo, size_t length, char error[QUESTION_ERROR_MAX])
{
    if (helo == NULL)
        return SPF_OK;
    if (tool_has_control(helo, length))
        return invalid(error, "helo", helo, length, "is no HELO name: expected one without control characters");
    return spf_check_set_helo(check, helo, length);
}

static spf_err_t set_all(spf_check_t *check, const check_options_t *options, const question_t *question,
                         char error[QUESTION_ERROR_MAX])
{
    spf_err_t err = set_ip(check, question->ip, question->ip_length, error);

    if (err == SPF_OK)
        err = set_sender(check, question->sender, question->sender_length, error);
    if (err == SPF_OK)
        err = set_helo(check, question->helo, question->helo_length, error);
    if (err == SPF_OK)
        err = spf_check_set_identity(check, (spf_identity_t)options->identity);
    if (err == SPF_OK)
        err = spf_check_set_trace(check, options->trace);
    if (err == SPF_OK)
        err = spf_check_set_would_be(check, options->would_be);
    return err;
}

spf_err_t question_check(spf_check_t **check, spf_context_t *context, const check_options_t *options,
                         const question_t *question, char error[QUESTION_ERROR_MAX])
{
    spf_err_t err = spf_check_new(check, context);

    error[0] = '\0';
    if (err != SPF_OK)
        return err;
    err = set_all(*check, options, question, error);
    if (err == SPF_OK)
        return SPF_OK;
    if (error[0] == '\0')
        snprintf(error, QUESTION_ERROR_MAX, "%s", spf_check_error(*check));
    spf_check_free(*check);
    *check = NULL;
    return err;
}
