/* SPDX-License-Identifier: MIT */
/* Flattening a zone in memory, for the tests of flatten. */
#ifndef SPF_TEST_FLATTENING_H
#define SPF_TEST_FLATTENING_H

#include "tools/flatten.h"
#include "unit/walking.h"

enum { ERROR_MAX = 1024, TEXT_MAX = 65536 };

/* A flattening of a zone in memory. */
typedef struct flattening {
    walking_t walking;
    spf_draft_t *draft;
    spf_err_t err;
    char error[ERROR_MAX];
} flattening_t;

/* Walks, and flattens what was found; options may be NULL. */
void flattening_run(flattening_t *flattening, const walking_input_t *input, const spf_flatten_options_t *options);
void assert_flattened(const flattening_t *flattening);
void flattening_free(flattening_t *flattening);

/* "NAME TEXT|NAME TEXT": all records of the draft. Valid until the next call. */
const char *draft_text(const spf_draft_t *draft);
/* Whether a note holds this part; NULL: whether there is one. */
bool has_note(const spf_draft_t *draft, const char *part);

#endif
