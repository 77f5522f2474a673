/* SPDX-License-Identifier: MIT */
/* What was meant by a term with a syntax error. */
#ifndef SPF_TOOLS_LINT_GUESS_H
#define SPF_TOOLS_LINT_GUESS_H

#include "base/buf.h"
#include "tools/linter.h"

/* A term with a syntax error. */
typedef struct spf_wrong {
    spf_linter_t *linter;
    const char *text;
    size_t length;
    size_t at;    /* the octet that is wrong, up to length */
    size_t word;  /* where the name begins: behind the qualifier */
    size_t name;  /* where the name of letters, digits, "-" and "_" ends */
    size_t value; /* where what stands behind ":", "=", "/" or the like begins; length: there is nothing */
} spf_wrong_t;

typedef enum spf_guess {
    SPF_GUESS_NONE,  /* it is something else */
    SPF_GUESS_KNOWN, /* it is that, but what to put in its place is not certain */
    SPF_GUESS_MENDED /* that is written; it may have another error */
} spf_guess_t;

typedef struct spf_guess_rule {
    spf_lint_code_t code;
    spf_guess_t (*guess)(const spf_wrong_t *wrong, spf_buf_t *out);
    const char *says;   /* behind the term */
    const char *advice; /* unless the term can be mended */
} spf_guess_rule_t;

/* The first rule that knows; NULL: none does. */
const spf_guess_rule_t *spf_lint_guess(const spf_wrong_t *wrong, spf_buf_t *out, spf_guess_t *guess);
/* Takes a term of that text apart; at: the octet that is wrong. */
spf_wrong_t spf_wrong_term(spf_linter_t *linter, const char *text, size_t length, size_t at);
/* The mechanism that a name was meant to be: "ipv4" is ip4; NULL: none. With value, of value_length octets, that tells
 * ip4 from ip6. */
const char *spf_lint_meant_mechanism(const char *name, size_t length, const char *value, size_t value_length);
/* Whether one slip of a finger, or for long words two, lead from a text to a word. */
bool spf_lint_is_near(const char *text, size_t length, const char *word);
/* Octets at the start of text that look like part of a record, but are none: 0: none. With what they stand for. */
size_t spf_lint_foreign(const char *text, size_t length, spf_lint_code_t code, const char **stands_for);
/* Whether a text is a qualifier and nothing else, or one that an editor made a dash of. */
bool spf_lint_is_sign(const char *text, size_t length);
/* The first term whose name is right by the grammar and none that anybody has; NULL: there is none. */
const spf_term_t *spf_lint_odd_term(const spf_record_t *record);

/* lint_guess_address.c */
spf_guess_t spf_guess_family(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_address_as_name(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_bare_address(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_name_as_address(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_netmask(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_range(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_short(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_leading_zero(const spf_wrong_t *wrong, spf_buf_t *out);
spf_guess_t spf_guess_prefix(const spf_wrong_t *wrong, spf_buf_t *out);
/* The family, 4 or 6, of an address; 0: it is none. */
unsigned spf_lint_family(const char *text, size_t length);

#endif
