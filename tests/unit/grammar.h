/* SPDX-License-Identifier: MIT */
/*
 * Readers of the two header fields, written from the ABNF of RFC 7208 section 9.1, RFC 8601 section 2.2, RFC 5322
 * sections 3.2.1 to 3.2.4 and RFC 6532, and from nothing else: they share no code with the library.
 */
#ifndef TESTS_UNIT_GRAMMAR_H
#define TESTS_UNIT_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

enum { GRAMMAR_PAIRS_MAX = 16, GRAMMAR_TEXT_MAX = 4096 };

typedef struct grammar_text {
    char data[GRAMMAR_TEXT_MAX]; /* unquoted, a fold or tab read as a space */
    size_t length;
} grammar_text_t;

typedef struct grammar_received_spf {
    grammar_text_t result;
    grammar_text_t comment;
    size_t pair_count;
    struct grammar_pair {
        grammar_text_t key, value;
        bool is_quoted;
    } pairs[GRAMMAR_PAIRS_MAX];
} grammar_received_spf_t;

typedef struct grammar_results {
    grammar_text_t authserv_id, method, result, reason;
    bool has_property;
    bool is_mailbox; /* pvalue is [ [ local-part ] "@" ] domain-name, not a value */
    grammar_text_t ptype, property, pvalue;
} grammar_results_t;

/* Reads a whole field whose lines end in line_end ("" if it is not folded). NULL, or where it stops to be one. */
const char *grammar_read_received_spf(grammar_received_spf_t *read, const char *field, const char *line_end);
/* The same; without an authserv-id it is the resinfo alone, its semicolon left out. */
const char *grammar_read_results(grammar_results_t *read, const char *field, const char *line_end, bool authserv_id);

/* NULL, or the line that is longer than 998 octets, consists of blanks, or could have been folded at 78 columns. */
const char *grammar_bad_line(const char *field, const char *line_end);

#endif
