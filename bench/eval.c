/* SPDX-License-Identifier: MIT */
/* The evaluation of one parsed record alone, no DNS and no verdict: nanoseconds for each number of networks. */
#include "core/eval.h"
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15, TIMES = 20000, TEXT_ROOM = 16384 };

/* networks in it, none of which is the client's, then -all. */
static spf_policy_t *make_policy(unsigned networks)
{
    char text[TEXT_ROOM] = "v=spf1";
    spf_policy_t *policy;
    size_t used = strlen(text);

    for (unsigned i = 0; i < networks; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " ip4:10.%u.%u.0/28", i / 256, i % 256);
    snprintf(text + used, sizeof text - used, " -all");
    policy = spf_policy_from_text(text, strlen(text));
    if (policy == NULL || policy->kind != SPF_POLICY_RECORD)
        bench_fail("no record", text);
    return policy;
}

static spf_question_t make_question(spf_policy_t *policy)
{
    spf_question_t question = {.sender = "ann@example.com",
                               .sender_length = 15,
                               .local_length = 3,
                               .helo = "",
                               .receiver = "",
                               .given = policy,
                               .limits = {10, 2, 10, 10}};

    if (!spf_ip_parse_client(&question.ip, "192.0.2.7", 9) || !spf_name_from_text(&question.domain, "example.com", 11))
        bench_fail("no question", "");
    return question;
}

static double round_ns(const spf_question_t *question)
{
    uint64_t start_ns = bench_cpu_ns();

    for (unsigned i = 0; i < TIMES; i++) {
        spf_arena_t arena = SPF_ARENA_EMPTY;
        spf_eval_t *eval = spf_eval_new(&arena, question);
        if (eval == NULL || spf_eval_step(eval) != SPF_EVAL_DONE || spf_eval_finding(eval)->result != SPF_RESULT_FAIL)
            bench_fail("unexpected", "result");
        spf_eval_drop(eval);
        spf_arena_free(&arena);
    }
    return (double)(bench_cpu_ns() - start_ns) / TIMES;
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

int main(void)
{
    static const unsigned networks[] = {5, 40, 400};
    enum { KINDS = sizeof networks / sizeof *networks };
    double ns[KINDS][ROUNDS];
    spf_question_t questions[KINDS];

    for (size_t i = 0; i < KINDS; i++)
        questions[i] = make_question(make_policy(networks[i]));
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < KINDS; i++)
            ns[i][round] = round_ns(&questions[i]);
    for (size_t i = 0; i < KINDS; i++) {
        qsort(ns[i], ROUNDS, sizeof ns[i][0], compare);
        printf("%s\"%u\": %.1f", i > 0 ? ", " : "{", networks[i], ns[i][ROUNDS / 2]);
        spf_policy_unref(questions[i].given);
    }
    printf("}\n");
    return EXIT_SUCCESS;
}
