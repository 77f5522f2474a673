/* SPDX-License-Identifier: MIT */
/* libunbound alone on the questions that libspf asks: bare STREAM ZONE PORT JOBS */
#include "bare_unbound.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench_bare {
    const zone_t *zone;
    bare_unbound_t *unbound;
    question_list_t list;
    size_t jobs;
} bench_bare_t;

static void run(void *self, const bench_stream_t *stream, size_t first, size_t count, bench_report_t *report)
{
    bench_bare_t *bench = self;

    (void)stream;
    bare_unbound_ask(bench->unbound, &bench->list, first, count, bench->jobs);
    for (size_t i = 0; i < count; i++)
        report->queries += bench->list.groups[(first + i) % bench->list.count].count;
    memset(report->results, '-', count);
}

int main(int argc, char **argv)
{
    bench_bare_t bench = {0};
    bench_stream_t stream;

    if (argc != 5)
        bench_fail("usage", "bare STREAM ZONE PORT JOBS");
    stream = bench_stream_read(argv[1]);
    bench.zone = bench_zone_read(argv[2]);
    bench.list = questions_find(bench.zone, &stream, stream.count, true);
    bench.unbound = bare_unbound_new((unsigned)strtoul(argv[3], NULL, 10));
    bench.jobs = strtoul(argv[4], NULL, 10);
    return bench_serve(argv[1], run, &bench);
}
