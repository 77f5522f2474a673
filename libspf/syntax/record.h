/* SPDX-License-Identifier: MIT */
/*
 * A v=spf1 record compiled to typed terms with their byte offsets (RFC 7208 sections 4.5, 4.6.1, 5, 6 and 12).
 * Immutable and reference-counted once parsed, so threads and caches share it.
 */
#ifndef SPF_SYNTAX_RECORD_H
#define SPF_SYNTAX_RECORD_H

#include "spf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(enumerator, name): every kind of term. Mechanisms come first. */
#define SPF_TERM_MAP(X)                                                                                                \
    X(SPF_TERM_ALL, "all")                                                                                             \
    X(SPF_TERM_INCLUDE, "include")                                                                                     \
    X(SPF_TERM_A, "a")                                                                                                 \
    X(SPF_TERM_MX, "mx")                                                                                               \
    X(SPF_TERM_PTR, "ptr")                                                                                             \
    X(SPF_TERM_IP4, "ip4")                                                                                             \
    X(SPF_TERM_IP6, "ip6")                                                                                             \
    X(SPF_TERM_EXISTS, "exists")                                                                                       \
    X(SPF_TERM_REDIRECT, "redirect")                                                                                   \
    X(SPF_TERM_EXP, "exp")                                                                                             \
    X(SPF_TERM_UNKNOWN, "")       /* an unknown modifier */                                                            \
    X(SPF_TERM_INVALID, "")       /* a syntax error: kept so that a would-be evaluation can skip it */

typedef enum spf_term_kind {
#define SPF_X(name, word) name,
    SPF_TERM_MAP(SPF_X)
#undef SPF_X
} spf_term_kind_t;

typedef struct spf_term {
    uint8_t kind;         /* spf_term_kind_t */
    uint8_t result;       /* of a mechanism: the spf_result_t that its qualifier gives on match */
    uint8_t cidr4;        /* prefix length for IPv4, 32 unless given */
    uint8_t cidr6;        /* prefix length for IPv6, 128 unless given */
    uint32_t offset;      /* of the term in the record's text */
    uint32_t length;      /* of the term, qualifier included */
    uint32_t spec_offset; /* of its domain-spec, network or macro-string in the record's text */
    uint32_t spec_length; /* 0: the term has none, the current <domain> is meant */
    uint32_t macros;      /* SPF_MACRO_BIT() of the letters in it; 0: it is literal, and see has_macro */
    bool has_macro;       /* "%" occurs at all (also %%, %_, %-): it must be expanded */
    uint32_t run_end;     /* of a network: index of the first term behind it that is no network */
    uint32_t net4, net6;  /* index of the first of net4s/net6s that stands at or behind this term */
} spf_term_t;

typedef struct spf_net4 {
    uint32_t address; /* host order, masked */
    uint32_t mask;
    uint32_t term;    /* index of its term */
} spf_net4_t;

typedef struct spf_net6 {
    uint8_t address[16];
    uint32_t prefix;
    uint32_t term;
} spf_net6_t;

enum { SPF_NO_TERM = -1 };

typedef struct spf_record {
    size_t size;               /* octets of memory that it takes, for caches */
    const char *text;          /* as published, NUL-terminated too */
    size_t length;
    const spf_term_t *terms;   /* in published order, modifiers among them */
    uint32_t term_count;
    const spf_net4_t *net4s;   /* the ip4 networks in order, packed for a quick scan */
    uint32_t net4_count;
    const spf_net6_t *net6s;
    uint32_t net6_count;
    int32_t redirect;          /* index of the term, or SPF_NO_TERM */
    int32_t exp;
    bool has_all;
    int32_t error_term;        /* index of the first SPF_TERM_INVALID, or SPF_NO_TERM: the record is valid */
    size_t error_offset;       /* the octet that is wrong */
    const char *error;         /* what was expected there, in words, static: "expected a prefix length of 0 to 32" */
} spf_record_t;

/* Whether text is a record: "v=spf1", in any case, and then a space or the end (section 4.5). */
bool spf_record_is_record(const char *text, size_t length);

/*
 * Compiles a text that spf_record_is_record() accepts. A syntax error is not a failure: all terms are parsed, the
 * wrong ones become SPF_TERM_INVALID, and error_* tell of the first. NULL only without memory, which a text of more than
 * 16 MiB counts as.
 */
spf_record_t *spf_record_parse(const char *text, size_t length);
/* One reference more; one less, and with the last it is freed. NULL is ignored. Thread-safe. */
spf_record_t *spf_record_ref(const spf_record_t *record);
void spf_record_unref(const spf_record_t *record);

#endif
