/* SPDX-License-Identifier: MIT */
/*
 * Macro strings, RFC 7208 section 7. One tokenizer serves both passes: the text is checked in full before anything is
 * expanded, and expanded once, so nothing a sender chose is ever parsed as macro text.
 */
#ifndef SPF_SYNTAX_MACRO_H
#define SPF_SYNTAX_MACRO_H

#include "base/buf.h"
#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece of a macro string. */
typedef struct spf_macro_token {
    enum { SPF_MACRO_LITERAL, SPF_MACRO_EXPAND } kind;
    const char *text;   /* literal: its octets ("%%" gives "%", "%_" a space, "%-" "%20") */
    size_t length;      /* literal: how many */
    char letter;        /* macro-letter in lower case */
    bool url_escape;    /* it was upper case */
    bool reverse;       /* transformer "r" */
    unsigned digits;    /* how many labels to keep, 0: all; saturated at 255 */
    const char *delims; /* delimiters, as published */
    size_t delim_count; /* 0: "." */
} spf_macro_token_t;

/* Where a macro string is used: c, r and t are for explanations only (section 7.2), and an explanation's text may
 * hold spaces and any visible character. */
typedef enum spf_macro_context { SPF_MACRO_IN_RECORD, SPF_MACRO_IN_EXPLANATION } spf_macro_context_t;

/* Takes the next token from text[*position..length). 1: a token; 0: the end; -1: a syntax error at *position, and
 * *error says what was expected there (static). */
int spf_macro_next(const char *text, size_t length, size_t *position, spf_macro_context_t context,
                   spf_macro_token_t *token, const char **error);

/* Bits for the letters that a macro string uses: SPF_MACRO_BIT('p'). */
#define SPF_MACRO_BIT(letter) (UINT32_C(1) << ((letter) - 'a'))

/* What the letters stand for. Texts have lengths. */
typedef struct spf_macro_values {
    const spf_ip_t *ip;
    const char *sender;    /* s: local-part@domain */
    size_t sender_length;
    size_t local_length;   /* l: the first octets of sender; o: what follows the '@' after them */
    const char *domain;    /* d */
    size_t domain_length;
    const char *helo;      /* h */
    size_t helo_length;
    const char *validated; /* p: "unknown" if there is none */
    size_t validated_length;
    const char *receiver;  /* r */
    size_t receiver_length;
    uint64_t time_s;       /* t */
} spf_macro_values_t;

/* Expands a macro string that spf_macro_next() accepts throughout. Too long a result sets buf->full. */
void spf_macro_expand(spf_buf_t *buf, const char *text, size_t length, spf_macro_context_t context,
                      const spf_macro_values_t *values);

#endif
