/* SPDX-License-Identifier: MIT */
/* What the functions yield: an answer in the words of an SMTP reply, a header, a line for ${extract} and so on. */
#ifndef LIBSPF_EXIM_TEXT_H
#define LIBSPF_EXIM_TEXT_H

#include "question.h"

/*
 * Exim gives up on more than 8192 octets in a line of its log, on more than 16384 in a line to the client, and on more
 * than 32768 wherever it formats a text; headers pass through none of the first two.
 */
enum { TEXT_MAX = 8000, HEADER_MAX = 30000 };

/* Which line ends a text may have. */
typedef enum line_ends {
    LINE_ENDS_NONE,
    LINE_ENDS_FOLDED, /* of a header: each is followed by a tab */
    LINE_ENDS_ANY     /* of a reply or a trace */
} line_ends_t;

typedef struct text {
    char data[HEADER_MAX + 1]; /* not terminated */
    size_t length;
    size_t max;
    line_ends_t line_ends;
} text_t;

typedef void text_write_t(text_t *text, const answer_t *answer);

text_write_t text_write_reason, text_write_detail, text_write_received_header, text_write_authres, text_write_resinfo,
    text_write_reply, text_write_explanation, text_write_trace;

/* Leaves no control character in it but the line ends that it may have. */
void text_clean(text_t *text);

#endif
