/* SPDX-License-Identifier: MIT */
#include "unit/evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "evaluation: %s\n", what);
    abort();
}

static void add_records(spf_query_t *query, const zone_record_t *record)
{
    for (; record != NULL; record = zone_record_next(record)) {
        const char *text = (const char *)record->data;
        char joined[65536];
        size_t length = 0;

        if (query->type == SPF_TYPE_A || query->type == SPF_TYPE_AAAA) {
            spf_query_add_address(query, record->data, record->length);
        } else if (query->type == SPF_TYPE_TXT || query->type == SPF_TYPE_SPF) {
            for (size_t i = 0; i < record->length; i += 1u + record->data[i]) {
                memcpy(joined + length, text + i + 1, record->data[i]);
                length += record->data[i];
            }
            spf_query_add_text(query, joined, length);
        } else {
            spf_query_add_host(query, text, record->length);
        }
    }
}

void evaluation_answer(spf_query_t *query, const zone_t *zone)
{
    static const char *const details[] = {[SPF_DNS_ERROR] = "SERVFAIL", [SPF_DNS_BOGUS] = NULL};
    zone_answer_t found = zone_lookup(zone, query->name, query->name_length, query->type);

    if (found.status == SPF_DNS_ANSWER)
        add_records(query, found.record);
    spf_query_finish(query, found.status, 300, SPF_DNSSEC_INSECURE, details[found.status]);
    if (query->is_policy && !spf_answer_is_failure(&query->answer))
        query->policy = spf_policy_from_answer(&query->answer, NULL, NULL);
}

static void drive(spf_eval_t *eval, const zone_t *zone, const char *lost)
{
    spf_eval_status_t status;
    spf_query_t *query;

    while ((status = spf_eval_step(eval)) == SPF_EVAL_WAIT) {
        query = spf_eval_next_wanted(eval);
        if (query == NULL || (lost != NULL && strcmp(query->name, lost) == 0))
            spf_eval_expire(eval);
        else
            evaluation_answer(query, zone);
    }
    expect(status == SPF_EVAL_DONE, "no memory");
}

static void set_identity(evaluation_t *evaluation, const evaluation_input_t *input)
{
    bool is_out_of_memory;
    spf_question_t *question = &evaluation->question;
    const char *at;
    int length = input->sender != NULL
                     ? snprintf(evaluation->sender, sizeof(evaluation->sender), "%s", input->sender)
                     : snprintf(evaluation->sender, sizeof(evaluation->sender), "postmaster@%s", input->helo);

    expect(length >= 0 && (size_t)length < sizeof(evaluation->sender), "sender too long");
    at = strrchr(evaluation->sender, '@');
    expect(at != NULL, "a sender has an @");
    question->sender = evaluation->sender;
    question->sender_length = (size_t)length;
    question->local_length = (size_t)(at - evaluation->sender);
    spf_name_from_utf8(&question->domain, at + 1, strlen(at + 1), &is_out_of_memory);
    question->helo = input->helo;
    question->helo_length = strlen(input->helo);
}

void evaluation_run(evaluation_t *evaluation, const evaluation_input_t *input)
{
    spf_question_t *question = &evaluation->question;
    zone_t *zone = zone_new();

    *evaluation = (evaluation_t){.arena = SPF_ARENA_EMPTY};
    zone_add_lines(zone, input->zone);
    set_identity(evaluation, input);
    expect(spf_ip_parse_client(&question->ip, input->ip, strlen(input->ip)), "client address");
    question->receiver = "mx.example.org";
    question->receiver_length = strlen(question->receiver);
    question->limits = (spf_limits_t){.lookups = input->lookups > 0 ? input->lookups : SPF_LOOKUPS_MAX,
                                      .void_lookups = input->void_lookups > 0 ? input->void_lookups : 2,
                                      .mx_hosts = input->mx_hosts > 0 ? input->mx_hosts : SPF_HOSTS_MAX,
                                      .ptr_names = SPF_HOSTS_MAX};
    question->wants_trace = true;
    evaluation->eval = spf_eval_new(&evaluation->arena, question);
    expect(evaluation->eval != NULL, "no memory");
    drive(evaluation->eval, zone, input->lost);
    zone_free(zone);
}

void evaluation_free(evaluation_t *evaluation)
{
    spf_eval_drop(evaluation->eval);
    spf_arena_free(&evaluation->arena);
}
