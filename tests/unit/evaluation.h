/* SPDX-License-Identifier: MIT */
/* An evaluation over a zone in memory, driven to its end without a context: what the reports are made of. */
#ifndef TESTS_UNIT_EVALUATION_H
#define TESTS_UNIT_EVALUATION_H

#include "base/arena.h"
#include "core/eval.h"
#include "support/zone_data.h"

/* What is asked. A NULL sender asks for the HELO identity. */
typedef struct evaluation_input {
    const char *zone; /* lines of "name type value", each ended by LF */
    const char *ip;
    const char *sender;
    const char *helo;
    const char *lost; /* questions for this name are never answered: the deadline passes; or NULL */
    unsigned lookups; /* limits other than those of RFC 7208; 0: those */
    unsigned void_lookups;
    unsigned mx_hosts;
} evaluation_input_t;

typedef struct evaluation {
    spf_arena_t arena;
    spf_question_t question;
    spf_eval_t *eval;
    char sender[1024];
} evaluation_t;

/* Evaluates with a trace; aborts the program if that cannot be done. */
void evaluation_run(evaluation_t *evaluation, const evaluation_input_t *input);
void evaluation_free(evaluation_t *evaluation);

/* Answers a question as the zone has it, with a TTL of 300. */
void evaluation_answer(spf_query_t *query, const zone_t *zone);

#endif
