/* SPDX-License-Identifier: MIT */
/* Character classes of RFC 5234 appendix B.1, whatever the locale. Octets above 0x7f belong to none. */
#ifndef SPF_BASE_ASCII_H
#define SPF_BASE_ASCII_H

#include <stdbool.h>

static inline bool spf_ascii_is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

static inline char spf_ascii_lower(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
}

static inline bool spf_ascii_is_alpha(char octet)
{
    char lower = spf_ascii_lower(octet);
    return lower >= 'a' && lower <= 'z';
}

static inline bool spf_ascii_is_alphanum(char octet)
{
    return spf_ascii_is_alpha(octet) || spf_ascii_is_digit(octet);
}

/* VCHAR: printable, the space not included. */
static inline bool spf_ascii_is_visible(char octet)
{
    return octet >= 0x21 && octet <= 0x7e;
}

#endif
