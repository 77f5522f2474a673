/* SPDX-License-Identifier: MIT */
/* Lint's remarks for a terminal. */
#include "lint.h"

#include <stdio.h>
#include <string.h>

/* Columns of a record that are shown, and how many of them stand before what a remark is about. */
enum { SHOWN_MAX = 76, BEFORE_MAX = 40 };

static const char *const colors[] = {
    [SPF_SEVERITY_ERROR] = "1;31", [SPF_SEVERITY_WARNING] = "1;33", [SPF_SEVERITY_ADVICE] = "1;36"};

static void print_severity(const options_t *options, const spf_remark_t *remark)
{
    bool wants_color = options_want_color(options);

    printf("%s%s%s%s%s: ", wants_color ? "\033[" : "", wants_color ? colors[remark->severity] : "",
           wants_color ? "m" : "", spf_severity_name(remark->severity), wants_color ? "\033[0m" : "");
}

/* Every octet takes one column. */
static void print_octets(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
}

static void repeat(char octet, size_t count)
{
    while (count-- > 0)
        putchar(octet);
}

/* The part of the record that the remark is about, and "^~~~" below it. */
static void print_place(const spf_remark_t *remark)
{
    static const char dots[] = "...";
    const size_t dots_length = sizeof dots - 1;
    size_t start = remark->offset > BEFORE_MAX ? remark->offset - BEFORE_MAX : 0;
    if (remark->record_length <= SHOWN_MAX || start <= dots_length)
        start = 0;
    size_t shown = remark->record_length - start;
    if (shown > SHOWN_MAX + dots_length)
        shown = SHOWN_MAX;
    size_t at = remark->offset - start;
    size_t marked = remark->length < shown - at ? remark->length : shown - at;
    const char *before = start > 0 ? dots : "";

    printf("    %s", before);
    print_octets(remark->record + start, shown);
    printf("%s\n    ", start + shown < remark->record_length ? dots : "");
    repeat(' ', strlen(before) + at);
    putchar('^');
    repeat('~', marked > 0 ? marked - 1 : 0);
    putchar('\n');
}

static void print_remark(const options_t *options, const spf_remark_t *remark, const char *domain)
{
    print_severity(options, remark);
    printf("%s [%s, %s]\n", remark->sentence, remark->code, remark->section);
    if (remark->domain[0] != '\0' && strcmp(remark->domain, domain) != 0)
        printf("    in the record of %s:\n", remark->domain);
    if (remark->record != NULL && remark->offset + remark->length > 0)
        print_place(remark);
    if (remark->fix != NULL)
        printf("    fix: %s\n", remark->fix);
}

static void print_count(unsigned count, const char *word, const char *between)
{
    if (count > 0)
        printf("%s%u %s%s", between, count, word, count > 1 && word[0] != 'a' ? "s" : "");
}

void lint_print_text(const options_t *options, spf_survey_t *survey, const char *name, spf_severity_t least)
{
    unsigned counts[SPF_SEVERITY_ADVICE + 1] = {0};
    const spf_remark_t *remark;

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        counts[remark->severity]++;
        if (remark->severity <= least)
            print_remark(options, remark, spf_survey_node(survey, 0)->domain);
    }
    unsigned errors = counts[SPF_SEVERITY_ERROR], warnings = counts[SPF_SEVERITY_WARNING];
    printf("%s: ", name);
    print_count(errors, "error", "");
    print_count(warnings, "warning", errors > 0 ? ", " : "");
    print_count(counts[SPF_SEVERITY_ADVICE], "advice", errors + warnings > 0 ? ", " : "");
    puts(errors + warnings + counts[SPF_SEVERITY_ADVICE] > 0 ? "" : "nothing to remark");
}
