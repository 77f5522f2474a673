/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    REPLY_LINE_MAX = 74, /* octets; Exim breaks lines of more than 75 */
    STEP_MAX = 400,      /* octets of one step of a trace */
    STEPS_LEFT = 40,     /* octets to tell of steps that have no room */
    NUMBER_MAX = 24
};

static void add(text_t *text, const char *octets, size_t length)
{
    size_t room = text->max - text->length;

    if (length > room)
        length = room;
    memcpy(text->data + text->length, octets, length);
    text->length += length;
}

static void add_text(text_t *text, const char *octets)
{
    if (octets != NULL)
        add(text, octets, strlen(octets));
}

static bool is_line_end(const text_t *text, size_t at)
{
    bool is_fold = at + 1 < text->length && text->data[at + 1] == '\t';

    return text->data[at] == '\n' &&
           (text->line_ends == LINE_ENDS_ANY || (text->line_ends == LINE_ENDS_FOLDED && is_fold));
}

void text_clean(text_t *text)
{
    for (size_t i = 0; i < text->length; i++) {
        unsigned char octet = (unsigned char)text->data[i];
        bool is_control = octet < ' ' || octet == 0x7f;
        if (is_line_end(text, i))
            i += text->line_ends == LINE_ENDS_FOLDED;
        else if (is_control)
            text->data[i] = '?';
    }
}

/* ------------------------------------------------------------------------------------------------ the plain texts */

void text_write_reason(text_t *text, const answer_t *answer)
{
    add_text(text, answer->reason);
}

void text_write_explanation(text_t *text, const answer_t *answer)
{
    if (answer->verdict != NULL)
        add_text(text, answer->verdict->explanation);
}

/*
 * Fields are folded. One that has no room is left out: half of one would say something else.
 * Where nothing could be checked the reason is a text of this program's own, and the fields need no quoting.
 */
static void write_field(text_t *text, const char *field)
{
    if (field != NULL && strlen(field) <= HEADER_MAX)
        add_text(text, field);
}

static void add_own_resinfo(text_t *text, const answer_t *answer)
{
    add_text(text, "spf=");
    add_text(text, spf_result_name(answer->result));
    add_text(text, "\n\treason=\"");
    add_text(text, answer->reason);
    add_text(text, "\"");
}

static void field_begin(text_t *text)
{
    text->max = HEADER_MAX;
    text->line_ends = LINE_ENDS_FOLDED;
}

void text_write_received_header(text_t *text, const answer_t *answer)
{
    field_begin(text);
    if (answer->check != NULL) {
        write_field(text, spf_check_received_spf(answer->check, SPF_FOLD_LF));
        return;
    }
    add_text(text, "Received-SPF: ");
    add_text(text, spf_result_name(answer->result));
    add_text(text, "\n\t(");
    add_text(text, answer->reason);
    add_text(text, ")");
}

void text_write_authres(text_t *text, const answer_t *answer)
{
    field_begin(text);
    if (answer->check != NULL) {
        write_field(text, spf_check_authentication_results(answer->check, SPF_FOLD_LF));
        return;
    }
    add_text(text, "Authentication-Results: ");
    add_text(text, answer->receiver);
    add_text(text, "; ");
    add_own_resinfo(text, answer);
}

void text_write_resinfo(text_t *text, const answer_t *answer)
{
    field_begin(text);
    if (answer->check != NULL)
        write_field(text, spf_check_authentication_resinfo(answer->check, SPF_FOLD_LF));
    else
        add_own_resinfo(text, answer);
}

/* --------------------------------------------------------------------------------------------------------- reply */

/*
 * Exim's own 550 and 451 are the right codes, and it complains in its panic log about one that does not suit the verb.
 * RFC 2034 section 4 wants the enhanced code in every line, and Exim puts none there by itself: so lines are broken
 * before Exim would break them, and each has the code.
 */
static void add_reply_line(text_t *text, const char *enhanced, const char *line, size_t length)
{
    if (text->length > 0)
        add_text(text, "\n");
    if (*enhanced != '\0') {
        add_text(text, enhanced);
        add_text(text, " ");
    }
    add(text, line, length);
}

/* Octets of the line that goes up to a line end or the last blank that has room; a long word is a line. */
static size_t reply_line_length(const char *line, size_t room)
{
    size_t length = strcspn(line, "\n");
    size_t fits;

    if (length <= room)
        return length;
    for (fits = room; fits > 0 && line[fits] != ' '; fits--)
        ;
    return fits > 0 ? fits : strcspn(line, " \n");
}

static void add_reply_lines(text_t *text, const char *enhanced, const char *lines)
{
    size_t room = REPLY_LINE_MAX - strlen(enhanced) - 1;

    while (*lines != '\0') {
        size_t length = reply_line_length(lines, room);
        add_reply_line(text, enhanced, lines, length);
        lines += length + (lines[length] != '\0');
    }
}

void text_write_reply(text_t *text, const answer_t *answer)
{
    const spf_smtp_reply_t *reply = answer->check != NULL ? spf_check_smtp_reply(answer->check) : NULL;

    text->line_ends = LINE_ENDS_ANY;
    if (reply != NULL)
        /* Who refuses a mail that SPF does not refuse has a reason of his own, and a code for it. */
        add_reply_lines(text, reply->code >= 400 ? reply->enhanced : "", reply->text);
    else
        add_reply_lines(text, answer->result == SPF_RESULT_TEMPERROR ? "4.7.24" : "", answer->reason);
}

/* --------------------------------------------------------------------------------------------------------- trace */

static size_t count_lines(const char *lines)
{
    size_t count = 1;

    while ((lines = strchr(lines, '\n')) != NULL) {
        count++;
        lines++;
    }
    return count;
}

void text_write_trace(text_t *text, const answer_t *answer)
{
    const char *line = answer->check != NULL ? spf_check_trace_text(answer->check) : NULL;
    char rest[STEPS_LEFT];

    text->line_ends = LINE_ENDS_ANY;
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n");
        size_t shown = length < STEP_MAX ? length : STEP_MAX;
        if (text->length > 0)
            add_text(text, "\n");
        if (text->max - text->length < shown + STEPS_LEFT) {
            snprintf(rest, sizeof(rest), "and %zu steps more", count_lines(line));
            add_text(text, rest);
            return;
        }
        add(text, line, shown);
        line += length + (line[length] != '\0');
    }
}

/* -------------------------------------------------------------------------------------------------------- detail */

/*
 * What ${extract} reads: key="value", where a backslash makes the next octet an ordinary one. All values together,
 * with what keys and quotes take, are below TEXT_MAX. A value that has no room ends in dots.
 */
static void add_pair(text_t *text, const char *key, const char *value, size_t max)
{
    size_t end;

    add_text(text, text->length > 0 ? " " : "");
    add_text(text, key);
    add_text(text, "=\"");
    end = text->length + max;
    for (; value != NULL && *value != '\0' && text->length < end; value++) {
        if (*value == '"' || *value == '\\')
            add(text, "\\", 1);
        add(text, value, 1);
    }
    add_text(text, value != NULL && *value != '\0' ? "...\"" : "\"");
}

static void add_number(text_t *text, const char *key, int64_t value)
{
    char digits[NUMBER_MAX];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    add_pair(text, key, digits, sizeof(digits));
}

static void add_verdict(text_t *text, const spf_verdict_t *verdict)
{
    add_pair(text, "explanation", verdict->explanation, 1500);
    add_pair(text, "domain", verdict->domain, 255);
    add_pair(text, "term", verdict->term, 500);
    add_pair(text, "target", verdict->target, 255);
    add_number(text, "lookups", verdict->lookups);
    add_number(text, "voids", verdict->void_lookups);
    add_number(text, "queries", verdict->dns_queries);
    add_number(text, "ttl", verdict->ttl_s);
    add_pair(text, "dnssec", spf_dnssec_name(verdict->dnssec), 20);
    add_number(text, "ms", (int64_t)(verdict->elapsed_us / 1000));
    add_pair(text, "identity", spf_identity_name(verdict->identity), 20);
    add_pair(text, "checked", verdict->checked_domain, 255);
    add_pair(text, "ip", verdict->ip, 50);
    add_pair(text, "sender", verdict->sender, 500);
    add_pair(text, "helo", verdict->helo, 300);
}

void text_write_detail(text_t *text, const answer_t *answer)
{
    const spf_smtp_reply_t *reply = answer->check != NULL ? spf_check_smtp_reply(answer->check) : NULL;
    bool is_temporary = answer->result == SPF_RESULT_TEMPERROR;

    add_pair(text, "result", spf_result_name(answer->result), 20);
    add_pair(text, "cause", answer->cause, 40);
    add_pair(text, "reason", answer->reason, 1500);
    add_number(text, "code", reply != NULL ? reply->code : is_temporary ? 451 : 250);
    add_pair(text, "enhanced", reply != NULL ? reply->enhanced : is_temporary ? "4.7.24" : "2.7.0", 20);
    if (answer->verdict != NULL)
        add_verdict(text, answer->verdict);
}
