/* SPDX-License-Identifier: MIT */
/* The trace for people, a line for each step. */
#include "report/report.h"

#include <string.h>

enum {
    INDENT = 2,
    PUNCTUATION_MAX = 96 /* what stands in a line beside the texts of its step: signs, outcome, counts, LF */
};

static const char spaces[] = "                                        ";

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

/* A record's terms stand one deeper than the record itself. */
static size_t indent_of(const spf_step_t *step)
{
    size_t indent = INDENT * ((size_t)step->depth + (step->term != NULL));
    return indent < sizeof(spaces) ? indent : sizeof(spaces) - 1;
}

/* Octets that the line of a step takes at most. */
static size_t line_max(const spf_step_t *step)
{
    return sizeof(spaces) + length_of(step->domain) + length_of(step->term) + length_of(step->target) +
           length_of(step->answer) + length_of(step->note) + PUNCTUATION_MAX;
}

static void add_in(spf_buf_t *out, const char *before, const char *text, const char *after)
{
    if (text == NULL)
        return;
    spf_buf_add_text(out, before);
    spf_buf_add_printable(out, text, strlen(text), true);
    spf_buf_add_text(out, after);
}

/* "[lookups 3, void 1]": of an include, those inside of it too. */
static void add_counts(spf_buf_t *out, const spf_step_t *step)
{
    spf_buf_add_text(out, " [lookups ");
    spf_buf_add_uint(out, step->lookups);
    spf_buf_add_text(out, ", void ");
    spf_buf_add_uint(out, step->void_lookups);
    spf_buf_add_char(out, ']');
}

/* "example.com: v=spf1 include:x -all", or in place of the record what came of asking for it. */
static void add_record_step(spf_buf_t *out, const spf_step_t *step)
{
    add_in(out, "", step->domain, ": ");
    if (step->outcome == SPF_OUTCOME_RECORD && step->answer != NULL) {
        add_in(out, "", step->answer, "");
        return;
    }
    spf_buf_add_text(out, spf_outcome_name(step->outcome));
    add_in(out, " (", step->answer, ")");
}

/* "a:x.example -> x.example (NXDOMAIN): no match [lookups 1, void 1]" */
static void add_term_step(spf_buf_t *out, const spf_step_t *step)
{
    add_in(out, "", step->term, "");
    add_in(out, " -> ", step->target, "");
    add_in(out, " (", step->answer, ")");
    spf_buf_add_text(out, ": ");
    spf_buf_add_text(out, spf_outcome_name(step->outcome));
    if (step->target != NULL)
        add_counts(out, step);
}

static void add_step(spf_buf_t *out, const spf_step_t *step)
{
    if (out->len > 0)
        spf_buf_add_char(out, '\n');
    spf_buf_add(out, spaces, indent_of(step));
    if (step->term == NULL)
        add_record_step(out, step);
    else
        add_term_step(out, step);
    add_in(out, "; ", step->note, "");
}

const char *spf_report_trace_text(spf_arena_t *arena, const spf_eval_t *eval)
{
    const spf_step_t *step;
    spf_buf_t out;
    size_t size = 1;
    char *text;

    for (size_t i = 0; (step = spf_eval_trace_step(eval, i)) != NULL; i++)
        size += line_max(step);
    text = spf_arena_alloc(arena, size);
    if (text == NULL)
        return NULL;
    spf_buf_init(&out, text, size);
    for (size_t i = 0; (step = spf_eval_trace_step(eval, i)) != NULL; i++)
        add_step(&out, step);
    spf_arena_trim(arena, text, size, out.len + 1);
    return text;
}
