/* SPDX-License-Identifier: MIT */
/* libspf2 over the stream: libspf2 STREAM PORT cache|no-cache */
#include "common.h"
#include "peer_libspf2.h"

#include <stdlib.h>
#include <string.h>

static void run(void *self, const bench_stream_t *stream, size_t first, size_t count, bench_report_t *report)
{
    for (size_t i = 0; i < count; i++) {
        const bench_line_t *line = bench_stream_line(stream, first + i);
        uint64_t start_ns = bench_wall_ns();
        report->results[i] = peer_libspf2_check(self, line->ip, line->sender, line->helo);
        report->elapsed_us[i] = (bench_wall_ns() - start_ns) / 1000;
    }
}

int main(int argc, char **argv)
{
    peer_libspf2_t *peer;
    int status;

    if (argc != 4)
        bench_fail("usage", "libspf2 STREAM PORT cache|no-cache");
    peer = peer_libspf2_new((unsigned)strtoul(argv[2], NULL, 10), strcmp(argv[3], "cache") == 0);
    if (peer == NULL)
        bench_fail("cannot be set up", "libspf2");
    status = bench_serve(argv[1], run, peer);
    peer_libspf2_free(peer);
    return status;
}
