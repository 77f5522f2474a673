/* SPDX-License-Identifier: MIT */
#include "unit/walking.h"

#include "base/ip.h"
#include "unit/evaluation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 2 * SPF_WALK_QUESTIONS_MAX, DUMP_MAX = 1 << 20 };

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "walking: %s\n", what);
    abort();
}

/* --------------------------------------------------------------------------------------------------------- driving */

/* What is asked and not answered. */
typedef struct open {
    spf_query_t *queries[OPEN_MAX];
    size_t count;
    size_t level; /* of them, how many belong to the present round */
} open_t;

static void ask_all(walking_t *walking, open_t *open, const char *lost)
{
    spf_query_t *query;

    while ((query = spf_walk_next_wanted(walking->walk)) != NULL) {
        walking->asked++;
        if (lost != NULL && strcmp(query->name, lost) == 0)
            continue;
        expect(open->count < OPEN_MAX, "too many questions");
        open->queries[open->count++] = query;
    }
}

static spf_query_t *take(open_t *open, const walking_input_t *input, unsigned *state)
{
    size_t index = 0;
    spf_query_t *query;

    *state = *state * 1103515245 + 12345;
    if (input->order != WALKING_FIRST)
        index = input->order == WALKING_LAST ? open->count - 1 : (*state >> 8) % open->count;
    query = open->queries[index];
    memmove(open->queries + index, open->queries + index + 1, (open->count - index - 1) * sizeof(query));
    open->count--;
    return query;
}

static spf_eval_status_t drive(walking_t *walking, const walking_input_t *input)
{
    static open_t open;
    unsigned state = input->seed;
    unsigned answered = 0;
    spf_eval_status_t status;

    open.count = open.level = 0;
    while ((status = spf_walk_step(walking->walk)) == SPF_EVAL_WAIT) {
        ask_all(walking, &open, input->lost);
        if (open.count == 0 || (input->answers != 0 && answered == input->answers)) {
            spf_walk_expire(walking->walk);
            continue;
        }
        if (open.level == 0) {
            open.level = open.count;
            walking->rounds++;
        }
        evaluation_answer(take(&open, input, &state), input->zone);
        open.level--;
        answered++;
    }
    while (spf_walk_next_unneeded(walking->walk) != NULL)
        walking->dropped++;
    return status;
}

static void set_question(walking_t *walking, const walking_input_t *input)
{
    spf_walk_question_t *question = &walking->question;

    if (input->domain != NULL)
        spf_name_from_text(&question->domain, input->domain, strlen(input->domain));
    if (input->record != NULL) {
        question->given = question->written = input->record;
        question->given_length = question->written_length = strlen(input->record);
    }
    question->scope =
        input->scope != 0 ? input->scope & ~(unsigned)WALKING_NOTHING : SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES;
    question->limits =
        (spf_limits_t){.lookups = SPF_LOOKUPS_MAX, .void_lookups = 2, .mx_hosts = SPF_HOSTS_MAX, .ptr_names = 10};
}

bool walking_run(walking_t *walking, const walking_input_t *input)
{
    *walking = (walking_t){.arena = SPF_ARENA_EMPTY};
    set_question(walking, input);
    walking->walk = spf_walk_new(&walking->arena, &walking->question);
    if (walking->walk == NULL || drive(walking, input) != SPF_EVAL_DONE)
        return false;
    walking->tree = spf_walk_tree(walking->walk);
    return walking->tree != NULL;
}

void walking_free(walking_t *walking)
{
    spf_walk_drop(walking->walk);
    spf_arena_free(&walking->arena);
}

/* --------------------------------------------------------------------------------------------------------- dumping */

static char dump[DUMP_MAX];
static size_t dump_length;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(dump + dump_length, sizeof(dump) - dump_length, format, arguments);
    va_end(arguments);
    expect(length >= 0 && (size_t)length < sizeof(dump) - dump_length, "the dump is too long");
    dump_length += (size_t)length;
}

static void add_network(const spf_network_t *network)
{
    char storage[SPF_IP_TEXT_MAX];
    spf_ip_t ip = {.family = network->family};
    spf_buf_t buf;

    memcpy(ip.octets, network->octets, sizeof(ip.octets));
    spf_buf_init(&buf, storage, sizeof(storage));
    spf_ip_add_text(&buf, &ip);
    add(" %s/%u", buf.data, network->prefix);
}

static void add_term(const spf_node_t *node, const spf_node_term_t *term, const spf_tree_term_t *tree)
{
    add("%*s%s %s", (int)node->depth * 2 + 2, "", term->text, term->kind);
    if (term->is_mechanism)
        add(" %s", spf_result_name(term->result));
    if (term->target != NULL)
        add(" ->%s", term->target);
    if (term->status != SPF_NODE_RECORD)
        add(" %s", spf_node_status_name(term->status));
    if (!term->is_reached)
        add(" unreached");
    if (term->lookup_number > 0)
        add(" #%u", term->lookup_number);
    if (term->void_number > 0 || term->void_number6 > 0)
        add(" v%u/%u", term->void_number, term->void_number6);
    if (term->is_past_limit || term->is_past_limit6)
        add(" past%s%s", term->is_past_limit ? "4" : "", term->is_past_limit6 ? "6" : "");
    if (term->depends_on_mail)
        add(" mail");
    if (term->host_count > 0)
        add(" hosts=%u", term->host_count);
    if (term->ttl_s >= 0)
        add(" ttl=%" PRId64, term->ttl_s);
    for (size_t i = 0; i < term->network_count; i++)
        add_network(&term->networks[i]);
    if (term->answer != NULL)
        add(" [%s]", term->answer);
    if (tree->other != NULL)
        add(" (other: status %d, %u)", tree->other->status, tree->other->count);
    add("\n");
}

static void add_node(const spf_tree_node_t *tree)
{
    const spf_node_t *node = &tree->view;

    add("%*s%s %s", (int)node->depth * 2, "", node->domain, spf_node_status_name(node->status));
    if (node->detail != NULL)
        add(" (%s)", node->detail);
    if (node->record_count > 1)
        add(" records=%u", node->record_count);
    if (node->ttl_s >= 0)
        add(" ttl=%" PRId64, node->ttl_s);
    if (node->has_syntax_error)
        add(" error@%zu", node->error_offset);
    if (node->answer_octets > 0)
        add(" octets=%u", node->answer_octets);
    add(" lookups=%u voids=%u/%u\n", node->lookups, node->void_lookups, node->void_lookups6);
    for (size_t i = 0; i < node->term_count; i++)
        add_term(node, &node->terms[i], &tree->terms[i]);
}

static void add_nearby(const char *kind, const spf_nearby_t *nearby)
{
    if (nearby->name != NULL)
        add("%s %s: status %d, %u\n", kind, nearby->name, nearby->answer->status, nearby->answer->count);
}

const char *walking_dump(const walking_t *walking)
{
#define SPF_X(name, prefix, type) #name,
    static const char *const kinds[] = {SPF_NEARBY_MAP(SPF_X)};
#undef SPF_X
    const spf_tree_t *tree = walking->tree;
    const spf_survey_summary_t *summary = &tree->summary;

    dump_length = 0;
    for (size_t i = 0; i < tree->node_count; i++)
        add_node(tree->nodes[i]);
    for (unsigned kind = 0; kind < SPF_NEARBY_COUNT; kind++)
        add_nearby(kinds[kind] + strlen("SPF_NEARBY_"), &tree->nearby[kind]);
    add_nearby("DMARC", &tree->dmarc);
    add("lookups=%u voids=%u/%u records=%zu", summary->lookups, summary->void_lookups, summary->void_lookups6,
        summary->records);
    add(" senders=%zu", summary->networks);
    if (summary->ttl_s >= 0)
        add(" ttl=%" PRId64, summary->ttl_s);
    add("%s%s%s\n", summary->is_complete ? "" : " incomplete", summary->is_permerror ? " permerror4" : "",
        summary->is_permerror6 ? " permerror6" : "");
    return dump;
}
