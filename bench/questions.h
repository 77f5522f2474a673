/* SPDX-License-Identifier: MIT */
/* The DNS questions that libspf asks for each check of a stream, found out over the zone in memory. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include "common.h"
#include "support/memory_resolver.h"

typedef struct question {
    char *name;
    uint16_t type;
    uint64_t asked_us; /* in virtual time: questions of a check that have it in common are asked together */
} question_t;

/* The questions of one check, in order. */
typedef struct question_group {
    question_t *questions;
    size_t count;
    size_t waits; /* DNS round trips, if all answers take the same time */
} question_group_t;

typedef struct question_list {
    question_group_t *groups; /* one for each line */
    size_t count;
    size_t questions; /* of all */
    size_t waits;     /* of all */
} question_list_t;

question_list_t questions_find(const zone_t *zone, const bench_stream_t *stream, size_t count, bool prefetch);
zone_t *bench_zone_read(const char *path);

#endif
