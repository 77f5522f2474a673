/* SPDX-License-Identifier: MIT */
/* A walk over a zone in memory, driven to its end without a context. */
#ifndef TESTS_UNIT_WALKING_H
#define TESTS_UNIT_WALKING_H

#include "support/zone_data.h"
#include "tools/walk.h"

/* In which order what is asked at the same time is answered. */
typedef enum walking_order { WALKING_FIRST, WALKING_LAST, WALKING_RANDOM } walking_order_t;

typedef struct walking_input {
    const zone_t *zone;
    const char *domain; /* NULL: none */
    const char *record; /* given; NULL: asked for */
    unsigned scope;     /* 0: records and addresses; WALKING_NOTHING: that */
    walking_order_t order;
    unsigned seed;    /* for WALKING_RANDOM */
    const char *lost; /* questions for this name are never answered: the deadline passes; or NULL */
    unsigned answers; /* the deadline passes after as many; 0: not before all */
} walking_input_t;

enum { WALKING_NOTHING = 1 << 16 };

typedef struct walking {
    spf_arena_t arena;
    spf_walk_question_t question;
    spf_walk_t *walk;
    spf_tree_t *tree; /* NULL without memory */
    unsigned asked;   /* questions */
    unsigned dropped; /* questions that were no longer needed */
    unsigned rounds;  /* how often it had to wait, if all that is asked is answered at once */
} walking_t;

/* False without memory; aborts the program if it cannot be done otherwise. */
bool walking_run(walking_t *walking, const walking_input_t *input);
void walking_free(walking_t *walking);

/* The tree as lines, what a test compares. A static text. */
const char *walking_dump(const walking_t *walking);

#endif
