/* SPDX-License-Identifier: MIT */
/*
 * Header fields of a message, read leniently: pasted text, wrong line ends and sloppy software are the normal case.
 * Nothing is copied; nothing recurses; every call goes forward by at least an octet, so that any text is read in linear
 * time.
 */
#ifndef SPF_TOOLS_FIELDS_H
#define SPF_TOOLS_FIELDS_H

#include "core/answer.h"

/* A place in a text. */
typedef struct spf_scan {
    const char *at;
    const char *end;
} spf_scan_t;

/* A header field; its body may hold line ends, each of them before white space (RFC 5322 section 2.2.3). */
typedef struct spf_field {
    spf_text_t name;
    spf_text_t body;
} spf_field_t;

/* The next field of a header section: it ends at an empty line. Lines that are none are skipped. False at the end. */
bool spf_fields_next(spf_scan_t *scan, spf_field_t *field);

typedef enum spf_item_kind {
    SPF_ITEM_END,
    SPF_ITEM_SEMICOLON,
    SPF_ITEM_COMMENT, /* value: what stands between the parentheses, quoted pairs as they are */
    SPF_ITEM_WORD,    /* value */
    SPF_ITEM_PAIR     /* key=value */
} spf_item_kind_t;

typedef struct spf_item {
    spf_item_kind_t kind;
    spf_text_t key;
    spf_text_t value; /* of a quoted string: what stands between the quotes, quoted pairs as they are */
} spf_item_t;

/* The next item of a structured body, as those of RFC 7208 section 9.1 and RFC 8601 section 2.2. A value ends at white
 * space, a semicolon or a parenthesis that no quotes hold; an "=" in it is its own. */
spf_item_t spf_items_next(spf_scan_t *scan);

#endif
