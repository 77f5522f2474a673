/* SPDX-License-Identifier: MIT */
/*
 * Heap that a check in flight needs, the resolver's own left out: memory ZONE STREAM. 10 000 checks are started at
 * once over a resolver in memory; between the waves of answers, what is in use is divided by the checks that are still
 * in flight, and the most that comes out counts. Answers have TTL 0, so nothing is shared or kept: the worst case.
 */
#include "questions.h"

#include <stdlib.h>

enum { CHECKS = 10000, FEW = 2000, DELAY_US = 20000 };

static void must(spf_err_t err, const char *what)
{
    if (err != SPF_OK)
        bench_fail(what, spf_strerror(err));
}

static void on_end(spf_check_t *check, spf_err_t err, void *user_data)
{
    size_t *ended = user_data;

    must(err, "check");
    spf_check_free(check);
    ++*ended;
}

/* The most octets for each check in flight, as long as they are not few. */
static double wave(spf_context_t *context, const bench_stream_t *stream)
{
    size_t before = bench_heap_used(), ended = 0;
    double peak = 0;

    for (size_t i = 0; i < CHECKS; i++) {
        const bench_line_t *line = bench_stream_line(stream, i);
        spf_check_t *check;
        must(spf_check_new(&check, context), "check");
        must(spf_check_set_ip(check, line->ip), line->ip);
        must(spf_check_set_sender(check, line->sender, SPF_STRLEN), line->sender);
        must(spf_check_set_helo(check, line->helo, SPF_STRLEN), line->helo);
        must(spf_check_start(check, on_end, &ended), "start");
    }
    while (ended < CHECKS) {
        double each = ((double)bench_heap_used() - (double)before) / (double)(CHECKS - ended);
        if (each > peak && CHECKS - ended >= FEW)
            peak = each;
        must(spf_context_wait(context, -1), "wait");
    }
    return peak;
}

/* Octets a check. The first wave is not counted: it makes the resolver's own table grow. */
static double measure(const zone_t *zone, const bench_stream_t *stream)
{
    memory_resolver_t *resolver = memory_resolver_new(zone);
    memory_options_t options = {.delay_us = DELAY_US};
    spf_context_t *context;
    spf_config_t *config;
    double peak;

    must(spf_config_new(&config), "configuration");
    memory_resolver_set_options(resolver, &options);
    must(spf_context_new_with_resolver(&context, config, &memory_resolver_ops, resolver), "context");
    wave(context, stream);
    peak = wave(context, stream);
    spf_context_release(context);
    spf_config_free(config);
    memory_resolver_free(resolver);
    return peak;
}

int main(int argc, char **argv)
{
    bench_stream_t stream;
    zone_t *zone;

    if (argc != 3)
        bench_fail("usage", "memory ZONE STREAM");
    zone = bench_zone_read(argv[1]);
    stream = bench_stream_read(argv[2]);
    printf("{\"octets\": %.0f}\n", measure(zone, &stream));
    return EXIT_SUCCESS;
}
