/* SPDX-License-Identifier: MIT */
#include "common.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_fail(const char *what, const char *value)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, value);
    exit(EXIT_FAILURE);
}

char *bench_read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    if (file == NULL || getdelim(&text, &room, '\0', file) < 0)
        bench_fail("cannot be read", path);
    fclose(file);
    return text;
}

bench_stream_t bench_stream_read(const char *path)
{
    bench_stream_t stream = {NULL, 0};
    char *next = bench_read_file(path);
    char *line;

    while ((line = strsep(&next, "\n")) != NULL && *line != '\0') {
        bench_line_t parsed;
        stream.lines = reallocarray(stream.lines, stream.count + 1, sizeof *stream.lines);
        parsed.ip = strsep(&line, " ");
        parsed.sender = strsep(&line, " ");
        parsed.helo = line;
        if (stream.lines == NULL || parsed.helo == NULL)
            bench_fail("no line of IP SENDER HELO", parsed.ip);
        stream.lines[stream.count++] = parsed;
    }
    return stream;
}

const bench_line_t *bench_stream_line(const bench_stream_t *stream, size_t index)
{
    return &stream->lines[index % stream->count];
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t bench_wall_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void)
{
    return now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

size_t bench_heap_used(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

char bench_letter(spf_result_t result)
{
    static const char letters[] = {
        [SPF_RESULT_NONE] = 'O',     [SPF_RESULT_NEUTRAL] = 'N',   [SPF_RESULT_PASS] = 'P',     [SPF_RESULT_FAIL] = 'F',
        [SPF_RESULT_SOFTFAIL] = 'S', [SPF_RESULT_TEMPERROR] = 'T', [SPF_RESULT_PERMERROR] = 'E'};

    return letters[result];
}

static void print_report(const bench_report_t *report, size_t count, uint64_t wall_ns, uint64_t cpu_ns)
{
    printf("{\"checks\": %zu, \"wall_us\": %.1f, \"cpu_us\": %.1f, \"queries\": %lu, \"heap_peak\": %lu, ", count,
           (double)wall_ns / 1000, (double)cpu_ns / 1000, report->queries, report->heap_peak);
    printf("\"results\": \"%.*s\", \"elapsed_us\": [", (int)count, report->results);
    for (size_t i = 0; i < count; i++)
        printf("%s%lu", i > 0 ? "," : "", report->elapsed_us[i]);
    printf("]}\n");
    fflush(stdout);
}

/* The report's arrays are used again, so that a run that is like the one before finds the heap as that one did. */
static void serve_run(const bench_stream_t *stream, bench_run_t run, void *self, size_t first, size_t count,
                      bench_report_t *report)
{
    uint64_t wall_ns, cpu_ns;

    report->results = reallocarray(report->results, count, 1);
    report->elapsed_us = reallocarray(report->elapsed_us, count, sizeof *report->elapsed_us);
    if (report->results == NULL || report->elapsed_us == NULL)
        bench_fail("out of memory", "");
    memset(report->elapsed_us, 0, count * sizeof *report->elapsed_us);
    report->queries = report->heap_peak = 0;
    wall_ns = bench_wall_ns();
    cpu_ns = bench_cpu_ns();
    run(self, stream, first, count, report);
    cpu_ns = bench_cpu_ns() - cpu_ns;
    wall_ns = bench_wall_ns() - wall_ns;
    print_report(report, count, wall_ns, cpu_ns);
}

int bench_serve(const char *stream_path, bench_run_t run, void *self)
{
    bench_stream_t stream = bench_stream_read(stream_path);
    bench_report_t report = {0};
    char order[128];

    while (fgets(order, sizeof order, stdin) != NULL) {
        size_t first, count;
        if (sscanf(order, "run %zu %zu", &first, &count) != 2)
            bench_fail("no order", order);
        serve_run(&stream, run, self, first, count, &report);
    }
    free(report.results);
    free(report.elapsed_us);
    return EXIT_SUCCESS;
}
