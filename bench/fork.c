/* SPDX-License-Identifier: MIT */
/*
 * A process for each check, as Exim has it: fork STREAM ZONE PORT ROUNDS. In every round a child is forked for each of
 * the kinds of work below, one after the other; the time up to its end and its CPU count. One line of JSON, medians.
 */
#include "bare_unbound.h"
#include "peer_libspf2.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct bench_fork {
    bench_stream_t stream;
    question_list_t list;
    unsigned port;
    size_t line; /* whose turn it is */
} bench_fork_t;

static void do_nothing(bench_fork_t *bench)
{
    (void)bench;
}

/* A context of libunbound, and one question. */
static void do_set_up(bench_fork_t *bench)
{
    question_group_t group = {.questions = bench->list.groups[bench->line].questions, .count = 1};
    question_list_t list = {.groups = &group, .count = 1};

    if (bench->list.groups[bench->line].count > 0)
        bare_unbound_ask(bare_unbound_new(bench->port), &list, 0, 1, 1);
}

static void do_bare(bench_fork_t *bench)
{
    bare_unbound_ask(bare_unbound_new(bench->port), &bench->list, bench->line, 1, 1);
}

static void do_libspf(bench_fork_t *bench)
{
    const bench_line_t *line = &bench->stream.lines[bench->line];
    spf_config_t *config;
    spf_context_t *context;
    spf_check_t *check;
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1@%u", bench->port);
    if (spf_config_new(&config) != SPF_OK || spf_config_set(config, "resolver", address) != SPF_OK ||
        spf_context_new(&context, config) != SPF_OK || spf_check_new(&check, context) != SPF_OK ||
        spf_check_set_ip(check, line->ip) != SPF_OK ||
        spf_check_set_sender(check, line->sender, SPF_STRLEN) != SPF_OK ||
        spf_check_set_helo(check, line->helo, SPF_STRLEN) != SPF_OK || spf_check_run(check) != SPF_OK)
        bench_fail("cannot be checked", line->sender);
}

static void do_libspf2(bench_fork_t *bench)
{
    const bench_line_t *line = &bench->stream.lines[bench->line];
    peer_libspf2_t *peer = peer_libspf2_new(bench->port, false);

    if (peer == NULL)
        bench_fail("cannot be set up", "libspf2");
    peer_libspf2_check(peer, line->ip, line->sender, line->helo);
}

static const struct {
    const char *name;
    void (*work)(bench_fork_t *bench);
} kinds[] = {{"nothing", do_nothing},
             {"libunbound_one_question", do_set_up},
             {"libunbound_same_questions", do_bare},
             {"libspf", do_libspf},
             {"libspf2", do_libspf2}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static double us_of(struct timeval time)
{
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static void fork_one(bench_fork_t *bench, size_t kind, double *wall_us, double *cpu_us)
{
    uint64_t start_ns = bench_wall_ns();
    struct rusage usage;
    int status;
    pid_t child = fork();

    if (child < 0)
        bench_fail("fork", "failed");
    if (child == 0) {
        kinds[kind].work(bench);
        _exit(0);
    }
    if (wait4(child, &status, 0, &usage) != child || status != 0)
        bench_fail("a child failed at", kinds[kind].name);
    *wall_us = (double)(bench_wall_ns() - start_ns) / 1000;
    *cpu_us = us_of(usage.ru_utime) + us_of(usage.ru_stime);
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

static double median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, compare);
    return numbers[count / 2];
}

int main(int argc, char **argv)
{
    bench_fork_t bench = {0};
    double *wall_us[KINDS], *cpu_us[KINDS];
    size_t rounds;
    zone_t *zone;

    if (argc != 5)
        bench_fail("usage", "fork STREAM ZONE PORT ROUNDS");
    bench.stream = bench_stream_read(argv[1]);
    zone = bench_zone_read(argv[2]);
    bench.port = (unsigned)strtoul(argv[3], NULL, 10);
    rounds = strtoul(argv[4], NULL, 10);
    if (rounds < 1 || rounds > bench.stream.count)
        bench_fail("rounds", argv[4]);
    bench.list = questions_find(zone, &bench.stream, rounds, true);
    zone_free(zone);
    for (size_t kind = 0; kind < KINDS; kind++) {
        wall_us[kind] = calloc(rounds, sizeof(double));
        cpu_us[kind] = calloc(rounds, sizeof(double));
        if (wall_us[kind] == NULL || cpu_us[kind] == NULL)
            bench_fail("out of memory", "");
    }
    for (bench.line = 0; bench.line < rounds; bench.line++)
        for (size_t kind = 0; kind < KINDS; kind++)
            fork_one(&bench, kind, &wall_us[kind][bench.line], &cpu_us[kind][bench.line]);
    for (size_t kind = 0; kind < KINDS; kind++)
        printf("%s\"%s\": {\"wall_us\": %.0f, \"cpu_us\": %.0f}", kind > 0 ? ", " : "{", kinds[kind].name,
               median(wall_us[kind], rounds), median(cpu_us[kind], rounds));
    printf("}\n");
    return EXIT_SUCCESS;
}
