/* SPDX-License-Identifier: MIT */
/* Text in lines of 80 columns, in colours if so wanted. Lines are parted at spaces; a word that is longer stays whole.
 */
#ifndef SPF_REPORT_WRAPPED_H
#define SPF_REPORT_WRAPPED_H

#include "report/long_text.h"

/* What text looks like: SGR parameters (ECMA-48 section 8.3.117), as the command line has them for results. */
typedef enum spf_color {
    SPF_COLOR_PLAIN,
    SPF_COLOR_NAME,
    SPF_COLOR_PROBLEM,
    SPF_COLOR_NOTE,
    SPF_COLOR_FAINT
} spf_color_t;

enum { SPF_WRAPPED_LEAD_MAX = 256 };

/* Begin with spf_wrapped_init(). */
typedef struct spf_wrapped {
    spf_long_text_t out;
    spf_long_text_t word; /* not in a line yet: what follows may belong to it */
    size_t word_width;    /* in columns */
    size_t column, limit; /* of the line */
    bool has_words;       /* the line, behind what leads it in */
    bool is_ascii, is_colored;
    char rest[SPF_WRAPPED_LEAD_MAX]; /* before what goes on in a further line */
} spf_wrapped_t;

void spf_wrapped_init(spf_wrapped_t *wrapped, spf_arena_t *arena, bool is_ascii, bool is_colored);
/* Begins a line with `lead`; `rest` stands before what does not fit into it. */
void spf_wrapped_begin(spf_wrapped_t *wrapped, const char *lead, const char *rest);
/* Text that is one word with what stands before and behind it; what is not printable is replaced. */
void spf_wrapped_add(spf_wrapped_t *wrapped, spf_color_t color, const char *text);
void spf_wrapped_add_uint(spf_wrapped_t *wrapped, spf_color_t color, uint64_t number);
/* Text that is words where it has spaces. */
void spf_wrapped_add_words(spf_wrapped_t *wrapped, spf_color_t color, const char *text, size_t length);
/* A space, or the end of the line. */
void spf_wrapped_space(spf_wrapped_t *wrapped);
void spf_wrapped_end_line(spf_wrapped_t *wrapped);
/* The lines, parted by LF; NULL without memory. */
const char *spf_wrapped_end(spf_wrapped_t *wrapped);

#endif
