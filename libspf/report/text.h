/* SPDX-License-Identifier: MIT */
/* What all reports need: values of bounded length, and words folded into lines. */
#ifndef SPF_REPORT_TEXT_H
#define SPF_REPORT_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds text free of controls, and of what is no UTF-8 (or, if !utf8, of all that is not ASCII). Of one longer than max
 * octets, at least 8, the middle is left out: "...". Its ends tell most: the local part, and the registered domain. */
void spf_text_add_clipped(spf_buf_t *buf, const char *text, size_t length, size_t max, bool utf8);

/* How lines are made of words. */
typedef struct spf_fold_style {
    const char *line_end; /* between two lines, in place of a space; NULL: never */
    size_t indent;        /* columns that its last octets take on the new line */
    size_t width;         /* columns of a line; a longer word stands alone on its line */
    size_t line_max;      /* octets of a line: a word that is longer than that is cut short */
} spf_fold_style_t;

enum { SPF_FOLD_WORD_MAX = 998 };

/* Builds text word by word and folds it between words: RFC 5322 section 2.2.3. */
typedef struct spf_folder {
    spf_buf_t *out;
    const spf_fold_style_t *style;
    size_t column;  /* octets and indent of the last line of out */
    bool is_begun;  /* out has a word: the next needs something between */
    bool is_cut;    /* the word was cut short */
    spf_buf_t word; /* what cannot be parted, so far */
    char storage[SPF_FOLD_WORD_MAX + 1];
} spf_folder_t;

void spf_folder_init(spf_folder_t *folder, spf_buf_t *out, const spf_fold_style_t *style);
/* More of the current word: the writer's own text. */
void spf_folder_add(spf_folder_t *folder, const char *text);
/* The same of a value that spf_text_add_clipped() made. Its spaces are places to fold, of several the last; octets that
 * occur in `specials` get a backslash (quoted-pair, RFC 5322 section 3.2.1). */
void spf_folder_add_value(spf_folder_t *folder, const char *text, size_t length, const char *specials);
/* The word ends: a space, or a fold, follows if another word does. Nothing if there is no word. */
void spf_folder_break(spf_folder_t *folder);

#endif
