/* SPDX-License-Identifier: MIT */
/* How `spf flatten` hands a draft to others: on the standard input of a command, or to nsupdate(1). */
#ifndef SPF_TOOL_PUBLISH_H
#define SPF_TOOL_PUBLISH_H

#include "drafts.h"
#include "signals.h"

/* Where a draft goes. */
typedef struct publisher {
    const char *domain;
    const char *exec; /* a command for sh, that gets the draft in the style's format; or NULL */
    bool nsupdate;    /* send the update */
    const char *key;  /* a TSIG key file for nsupdate; or NULL */
    draft_style_t style;
    signals_t *signals; /* are taken while it runs; or NULL: none is blocked */
} publisher_t;

typedef enum publish_end {
    PUBLISHED,
    PUBLISH_FAILED, /* a message is printed */
    PUBLISH_ENDED   /* a signal wants the program to end; the command was told, and has ended */
} publish_end_t;

publish_end_t publish(const publisher_t *publisher, spf_draft_t *draft);

#endif
