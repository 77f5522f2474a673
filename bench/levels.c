/* SPDX-License-Identifier: MIT */
/* Round trips and questions of a check with nothing cached, counted in virtual time: levels ZONE STREAM */
#include "questions.h"

#include <stdlib.h>

static double share_of_at_most(const question_list_t *list, size_t waits)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->groups[i].waits <= waits;
    return (double)count / (double)list->count;
}

static void print(const zone_t *zone, const bench_stream_t *stream, const char *name, bool prefetch)
{
    question_list_t list = questions_find(zone, stream, stream->count, prefetch);

    printf("\"%s\": {\"round_trips\": %.4f, \"at_most_two\": %.4f, \"queries\": %.4f}", name,
           (double)list.waits / (double)list.count, share_of_at_most(&list, 2),
           (double)list.questions / (double)list.count);
}

int main(int argc, char **argv)
{
    bench_stream_t stream;
    zone_t *zone;

    if (argc != 3)
        bench_fail("usage", "levels ZONE STREAM");
    zone = bench_zone_read(argv[1]);
    stream = bench_stream_read(argv[2]);
    printf("{");
    print(zone, &stream, "prefetch", true);
    printf(", ");
    print(zone, &stream, "no_prefetch", false);
    printf("}\n");
    return EXIT_SUCCESS;
}
