/* SPDX-License-Identifier: MIT */
/* What the measuring programs share: clocks, input, and the way they take orders and report. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include "spf.h"

#include <stdio.h>

typedef struct bench_line {
    const char *ip, *sender, *helo;
} bench_line_t;

typedef struct bench_stream {
    bench_line_t *lines;
    size_t count;
} bench_stream_t;

/* What a run over part of a stream tells, one entry for each check. */
typedef struct bench_report {
    char *results;        /* letters, see bench_letter() */
    uint64_t *elapsed_us; /* of each check */
    uint64_t queries;     /* DNS questions of all; 0 if nobody knows */
    uint64_t heap_peak;   /* octets in use at most, above what there was at the start; 0 if nobody knows */
} bench_report_t;

/* Runs the checks of lines first to first + count - 1, counted round the end of the stream. */
typedef void (*bench_run_t)(void *self, const bench_stream_t *stream, size_t first, size_t count,
                            bench_report_t *report);

/* Ends the program with a line on standard error. */
void bench_fail(const char *what, const char *value) __attribute__((noreturn));
char *bench_read_file(const char *path);
bench_stream_t bench_stream_read(const char *path);
const bench_line_t *bench_stream_line(const bench_stream_t *stream, size_t index);

uint64_t bench_wall_ns(void);
uint64_t bench_cpu_ns(void); /* of this process, user and system */
size_t bench_heap_used(void);

/* One letter for each result: O(none) N(eutral) P(ass) F(ail) S(oftfail) T(emperror) E (permerror). */
char bench_letter(spf_result_t result);

/* Obeys lines of "run FIRST COUNT" on standard input, each answered by one line of JSON: checks, wall_us, cpu_us,
 * queries, heap_peak, results, elapsed_us. */
int bench_serve(const char *stream_path, bench_run_t run, void *self);

#endif
