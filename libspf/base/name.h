/* SPDX-License-Identifier: MIT */
/*
 * Domain names as text: octets with lengths, labels parted by dots, no presentation escapes. A "DNS name" here is
 * lower case (ASCII letters only), without a trailing dot, its labels of 1 to 63 octets, 253 in all at most.
 */
#ifndef SPF_BASE_NAME_H
#define SPF_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { SPF_NAME_MAX = 253, SPF_LABEL_MAX = 63 };

typedef struct spf_name {
    unsigned char length;        /* 0: no name */
    char text[SPF_NAME_MAX + 1]; /* NUL-terminated too */
} spf_name_t;

/* Makes a DNS name of text: one trailing dot is dropped, ASCII lowered. False (and an empty name) if it is empty, too
 * long, or has a label that is empty or too long, or NUL in one: read as a C string it would be another domain's name.
 * Any other octet may stand in a label. */
bool spf_name_from_text(spf_name_t *name, const char *text, size_t length);

/* The same after dropping whole labels from the left until the rest fits 253 octets (RFC 7208 section 7.3). */
bool spf_name_from_expansion(spf_name_t *name, const char *text, size_t length);

/* Makes A-labels of the U-labels in UTF-8 text (RFC 8616), then as spf_name_from_text(). Text that is ASCII only goes
 * through unchanged, so underscores and the like survive. False also if some label is no valid U-label, or there
 * was no memory to tell. */
bool spf_name_from_utf8(spf_name_t *name, const char *text, size_t length, bool *is_out_of_memory);

/* Whether a name of text can be the <domain> of check_host(): a multi-label DNS name that is no address literal
 * (RFC 7208 section 4.3: no "[1.2.3.4]"; its last label not all digits). */
bool spf_name_is_checkable(const spf_name_t *name);

/* Whether name is domain or, on whole labels, within it. Both are DNS names. */
bool spf_name_is_within(const char *name, size_t name_length, const char *domain, size_t domain_length);

/* ASCII case-insensitive equality of two texts. */
bool spf_text_equals_nocase(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
