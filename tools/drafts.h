/* SPDX-License-Identifier: MIT */
/* How drafts are shown: by `spf compose` and `spf flatten`. */
#ifndef SPF_TOOL_DRAFTS_H
#define SPF_TOOL_DRAFTS_H

#include "spf_tools.h"

#include <stdio.h>

typedef enum draft_format { DRAFT_TEXT, DRAFT_ZONE, DRAFT_JSON, DRAFT_NSUPDATE } draft_format_t;

/* The words for them that --format takes; compose knows all but the last. */
#define DRAFT_FORMATS          "text, zone, json"
#define DRAFT_FORMATS_NSUPDATE "text, zone, json, nsupdate"

/* What zone lines and updates say beside the records. */
typedef struct draft_style {
    unsigned format;                  /* draft_format_t */
    unsigned ttl_s;                   /* 0: none is given */
    bool counts_own_only;             /* lookups of included records are not known */
    const char *update_zone, *server; /* of an update, or NULL */
} draft_style_t;

/* Prints it, lines ended. False without memory. */
bool drafts_print(FILE *to, spf_draft_t *draft, const draft_style_t *style);
/* Whether they say the same in the same records. */
bool drafts_are_equal(const spf_draft_t *a, const spf_draft_t *b);
/* Prints "added TERM ..., removed TERM ..." for the terms that only one has; before NULL: nothing was published yet. */
void drafts_print_changes(FILE *to, const spf_draft_t *before, const spf_draft_t *after);

#endif
