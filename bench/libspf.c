/* SPDX-License-Identifier: MIT */
/*
 * libspf over the stream: libspf STREAM [fresh] [jobs=N] [KEY=VALUE of a configuration]...
 * Without jobs each check is waited for; with it so many are in flight on the one thread. With "fresh" every run has a
 * context of its own, so nothing is cached at its start.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench_libspf {
    spf_config_t *config;
    spf_context_t *context;
    bool is_fresh;
    size_t jobs; /* 0: blocking */
} bench_libspf_t;

/* A run with checks in flight. */
typedef struct flight {
    const bench_libspf_t *bench;
    const bench_stream_t *stream;
    size_t first, next, end;
    bench_report_t *report;
    size_t heap_at_start;
} flight_t;

/* A check in flight, and which it is. */
typedef struct slot {
    flight_t *flight;
    size_t index;
} slot_t;

static void must(spf_err_t err, const char *what)
{
    if (err != SPF_OK)
        bench_fail(what, spf_strerror(err));
}

static spf_check_t *make_check(spf_context_t *context, const bench_line_t *line)
{
    spf_check_t *check;

    must(spf_check_new(&check, context), "check");
    must(spf_check_set_ip(check, line->ip), line->ip);
    must(spf_check_set_sender(check, line->sender, SPF_STRLEN), line->sender);
    must(spf_check_set_helo(check, line->helo, SPF_STRLEN), line->helo);
    return check;
}

static void take_verdict(spf_check_t *check, bench_report_t *report, size_t index)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);

    report->results[index] = bench_letter(verdict->result);
    report->elapsed_us[index] = verdict->elapsed_us;
    report->queries += verdict->dns_queries;
    spf_check_free(check);
}

static void run_blocking(const bench_libspf_t *bench, const bench_stream_t *stream, size_t first, size_t count,
                         bench_report_t *report)
{
    for (size_t i = 0; i < count; i++) {
        spf_check_t *check = make_check(bench->context, bench_stream_line(stream, first + i));
        must(spf_check_run(check), "run");
        take_verdict(check, report, i);
    }
}

static void on_end(spf_check_t *check, spf_err_t err, void *user_data);

static void start_next(flight_t *flight, slot_t *slot)
{
    spf_check_t *check = make_check(flight->bench->context, bench_stream_line(flight->stream, flight->next));

    slot->index = flight->next++ - flight->first;
    must(spf_check_start(check, on_end, slot), "start");
}

static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    slot_t *slot = user_data;
    flight_t *flight = slot->flight;

    must(err, "check");
    take_verdict(check, flight->report, slot->index);
    if (flight->next < flight->end)
        start_next(flight, slot);
}

static void watch_heap(const flight_t *flight)
{
    size_t used = bench_heap_used();

    if (used > flight->heap_at_start && used - flight->heap_at_start > flight->report->heap_peak)
        flight->report->heap_peak = used - flight->heap_at_start;
}

static void run_in_flight(const bench_libspf_t *bench, const bench_stream_t *stream, size_t first, size_t count,
                          bench_report_t *report)
{
    flight_t flight = {bench, stream, first, first, first + count, report, bench_heap_used()};
    slot_t *slots = calloc(bench->jobs, sizeof *slots);

    if (slots == NULL)
        bench_fail("out of memory", "");
    for (size_t i = 0; i < bench->jobs && flight.next < flight.end; i++) {
        slots[i].flight = &flight;
        start_next(&flight, &slots[i]);
    }
    watch_heap(&flight);
    while (spf_context_pending(bench->context) > 0)
        must(spf_context_wait(bench->context, -1), "wait");
    watch_heap(&flight);
    free(slots);
}

static void run(void *self, const bench_stream_t *stream, size_t first, size_t count, bench_report_t *report)
{
    bench_libspf_t *bench = self;

    if (bench->context == NULL)
        must(spf_context_new(&bench->context, bench->config), spf_config_error(bench->config));
    if (bench->jobs > 0)
        run_in_flight(bench, stream, first, count, report);
    else
        run_blocking(bench, stream, first, count, report);
    if (!bench->is_fresh)
        return;
    spf_context_release(bench->context);
    bench->context = NULL;
}

static void set_option(bench_libspf_t *bench, char *option)
{
    char *value = strchr(option, '=');

    if (value == NULL) {
        bench->is_fresh = true;
        return;
    }
    *value++ = '\0';
    if (strcmp(option, "jobs") == 0)
        bench->jobs = strtoul(value, NULL, 10);
    else if (spf_config_set(bench->config, option, value) != SPF_OK)
        bench_fail("option", spf_config_error(bench->config));
}

int main(int argc, char **argv)
{
    bench_libspf_t bench = {NULL, NULL, false, 0};
    int status;

    if (argc < 2)
        bench_fail("usage", "libspf STREAM [fresh] [jobs=N] [KEY=VALUE]...");
    must(spf_config_new(&bench.config), "configuration");
    for (int i = 2; i < argc; i++)
        set_option(&bench, argv[i]);
    status = bench_serve(argv[1], run, &bench);
    spf_context_release(bench.context);
    spf_config_free(bench.config);
    return status;
}
