/* SPDX-License-Identifier: MIT */
/* A text of any length in the making: it grows in the arena. */
#ifndef SPF_REPORT_LONG_TEXT_H
#define SPF_REPORT_LONG_TEXT_H

#include "base/buf.h"

/* Zero-initialise but for the arena. */
typedef struct spf_long_text {
    spf_arena_t *arena;
    spf_buf_t buf; /* what there is so far */
    bool failed;   /* no memory: nothing is added any more */
} spf_long_text_t;

void spf_long_add(spf_long_text_t *text, const char *octets, size_t length);
void spf_long_add_text(spf_long_text_t *text, const char *word);
void spf_long_add_uint(spf_long_text_t *text, uint64_t number);
/* As spf_buf_add_printable(). */
void spf_long_add_printable(spf_long_text_t *text, const char *octets, size_t length, bool utf8);
/* The text, NULL without memory. */
const char *spf_long_end(spf_long_text_t *text);

#endif
