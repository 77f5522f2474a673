/* SPDX-License-Identifier: MIT */
#include "tools/prove.h"

#include "core/eval.h"
#include "tools/addresses.h"
#include "tools/terms.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { EDGES_MAX = 65536, UNLIMITED = UINT_MAX / 2 };

/* Names of hosts that the proof makes up begin with this. */
static const char made_up[] = "_proof.";

/* What is answered to questions that the tree does not answer, because they depend on the mail. */
typedef enum oracle {
    ORACLE_NOTHING,    /* nothing matches */
    ORACLE_EVERYTHING, /* everything does */
    ORACLE_MIXTURE,    /* by their names, some do; any further number is another mixture */
    ORACLE_COUNT = ORACLE_MIXTURE + 2
} oracle_t;

/* An answer that the tree or the draft has. */
typedef struct known {
    const char *name;
    uint16_t type;
    spf_answer_t answer;
    spf_policy_t *policy; /* of TXT; one reference */
} known_t;

/* A side of the comparison: where a mail's evaluation begins, and what is known on the way. */
typedef struct side {
    spf_policy_t *first; /* one reference */
    known_t *known;      /* sorted */
    size_t known_count;
    spf_limits_t limits;
} side_t;

typedef struct edge {
    spf_number_t number;
    unsigned family;
} edge_t;

typedef struct prover {
    const spf_tree_t *tree;
    const spf_draft_t *draft;
    spf_buf_t *error;
    spf_arena_t scratch;
    side_t original, flattened;
    edge_t *edges;
    size_t edge_count, edge_room;
    const char **ptr_targets;
    size_t ptr_target_count;
    bool depends_on_mail;
} prover_t;

/* ------------------------------------------------------------------------------------------------- what is answered */

static int compare_known(const void *a, const void *b)
{
    const known_t *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (int)x->type - (int)y->type;
}

/* Also of a TXT answer that fails, which has no policy. */
static bool known_add(side_t *side, const char *name, uint16_t type, const spf_answer_t *answer)
{
    known_t *known = &side->known[side->known_count];

    if (name == NULL || answer == NULL)
        return true;
    *known = (known_t){.name = name, .type = type, .answer = *answer};
    if (type == SPF_TYPE_TXT && !spf_answer_is_failure(answer)) {
        known->policy = spf_policy_from_answer(answer, NULL, NULL);
        if (known->policy == NULL)
            return false;
    }
    side->known_count++;
    return true;
}

static uint16_t own_type(const spf_term_t *term)
{
    switch (term->kind) {
    case SPF_TERM_INCLUDE:
    case SPF_TERM_REDIRECT:
        return SPF_TYPE_TXT;
    case SPF_TERM_MX:
        return SPF_TYPE_MX;
    default:
        return SPF_TYPE_A;
    }
}

static size_t host_count(const spf_tree_term_t *term)
{
    return term->hosts != NULL ? term->own->count : 0;
}

/* All terms of a tree: no evaluation needs DNS for more of them, unless it goes round in a loop of records. */
static unsigned count_terms(const spf_tree_t *tree)
{
    size_t count = 0;

    for (size_t i = 0; i < tree->node_count; i++)
        count += tree->nodes[i]->view.term_count;
    return count < UNLIMITED ? (unsigned)count : UNLIMITED;
}

/* Answers that a tree has, at most: two for a node and for a term, two for each host. */
static size_t count_tree_answers(const spf_tree_t *tree)
{
    size_t count = 0;

    for (size_t i = 0; i < tree->node_count; i++) {
        const spf_tree_node_t *node = tree->nodes[i];
        uint32_t terms = node->record != NULL ? node->record->term_count : 0;
        count += 1 + 2 * (size_t)terms;
        for (uint32_t t = 0; t < terms; t++)
            count += 2 * host_count(&node->terms[t]);
    }
    return count;
}

static bool add_term_answers(side_t *side, const spf_tree_term_t *term)
{
    bool is_good = known_add(side, term->name, own_type(term->term), term->own) &&
                   known_add(side, term->name, SPF_TYPE_AAAA, term->own6);

    for (size_t i = 0; is_good && i < host_count(term); i++)
        is_good = known_add(side, term->hosts[i].name, SPF_TYPE_A, term->hosts[i].a) &&
                  known_add(side, term->hosts[i].name, SPF_TYPE_AAAA, term->hosts[i].aaaa);
    return is_good;
}

static bool add_tree_answers(side_t *side, const spf_tree_t *tree)
{
    for (size_t i = 0; i < tree->node_count; i++) {
        const spf_tree_node_t *node = tree->nodes[i];
        for (uint32_t t = 0; node->record != NULL && t < node->record->term_count; t++)
            if (!add_term_answers(side, &node->terms[t]))
                return false;
    }
    return true;
}

/* The draft's further records are what their names answer, whatever the tree says of these. */
static bool add_draft_answers(side_t *side, const spf_draft_t *draft, spf_arena_t *arena)
{
    for (size_t i = 1; i < draft->record_count; i++) {
        const spf_draft_record_t *record = &draft->records[i];
        spf_text_t *text = spf_arena_alloc(arena, sizeof *text);
        if (text == NULL)
            return false;
        *text = (spf_text_t){record->text, (uint32_t)record->length};
        const spf_answer_t answer = {.status = SPF_DNS_ANSWER, .count = 1, .texts = text};
        if (!known_add(side, record->name, SPF_TYPE_TXT, &answer))
            return false;
    }
    return true;
}

static bool is_drafted(const spf_draft_t *draft, const known_t *known)
{
    for (size_t i = 1; i < draft->record_count; i++)
        if (known->type == SPF_TYPE_TXT && strcmp(draft->records[i].name, known->name) == 0)
            return true;
    return false;
}

/* Drops what the draft takes the place of; then by name and type. */
static void side_finish(side_t *side, const spf_draft_t *draft)
{
    size_t count = 0;

    for (size_t i = 0; i < side->known_count; i++) {
        if (draft != NULL && i < side->known_count - (draft->record_count - 1) && is_drafted(draft, &side->known[i]))
            spf_policy_unref(side->known[i].policy);
        else
            side->known[count++] = side->known[i];
    }
    side->known_count = count;
    if (count > 0)
        qsort(side->known, count, sizeof *side->known, compare_known);
}

/* draft NULL: the tree as it is. */
static bool side_make(prover_t *prover, side_t *side, const spf_draft_t *draft)
{
    size_t count = count_tree_answers(prover->tree) + prover->draft->record_count;
    const spf_record_t *record = prover->tree->nodes[0]->record;

    side->first = draft != NULL ? spf_policy_from_text(draft->records[0].text, draft->records[0].length)
                                : spf_policy_from_text(record->text, record->length);
    side->known = spf_arena_alloc(&prover->scratch, count * sizeof *side->known);
    side->limits = (spf_limits_t){.lookups = draft != NULL ? SPF_LOOKUPS_MAX : count_terms(prover->tree),
                                  .void_lookups = UNLIMITED,
                                  .mx_hosts = prover->tree->limits.mx_hosts,
                                  .ptr_names = prover->tree->limits.ptr_names};
    if (side->first == NULL || side->known == NULL || !add_tree_answers(side, prover->tree))
        return false;
    if (draft != NULL && !add_draft_answers(side, draft, &prover->scratch))
        return false;
    side_finish(side, draft);
    return true;
}

static void side_clear(side_t *side)
{
    spf_policy_unref(side->first);
    for (size_t i = 0; i < side->known_count; i++)
        spf_policy_unref(side->known[i].policy);
}

/* ------------------------------------------------------------------------------------------------------- the oracle */

static bool chooses(oracle_t oracle, const char *name, uint16_t type)
{
    uint32_t hash = 2166136261u + type + 40503u * (uint32_t)oracle;

    if (oracle < ORACLE_MIXTURE)
        return oracle == ORACLE_EVERYTHING;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (hash ^ hash >> 15) & 1;
}

/* "_proof.NAME", where some client is; a name that is too long has none. */
static void add_host(spf_query_t *query, const char *name)
{
    char storage[SPF_NAME_MAX + 1];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_text(&buf, made_up);
    spf_buf_add_text(&buf, name);
    if (!buf.full)
        spf_query_add_host(query, buf.data, buf.len);
}

/* The client's own address, or, asked for an address of the other family (exists), any. */
static void add_client(spf_query_t *query, const spf_ip_t *client)
{
    static const uint8_t other[16] = {127, 0, 0, 2};
    size_t size = query->type == SPF_TYPE_A ? 4 : 16;
    bool is_same = (client->family == 4) == (size == 4);

    spf_query_add_address(query, is_same ? client->octets : other, size);
}

static spf_policy_t *made_up_policy(oracle_t oracle, const char *name)
{
    bool is_pass = chooses(oracle, name, SPF_TYPE_TXT);
    /* In a mixture some have no record, which is an error wherever it is met. */
    bool is_missing = oracle >= ORACLE_MIXTURE && !is_pass && chooses(oracle, name, SPF_TYPE_A);
    const char *text = is_missing ? "none" : is_pass ? "v=spf1 +all" : "v=spf1 -all";

    return spf_policy_from_text(text, strlen(text));
}

static void answer_by_oracle(const prover_t *prover, oracle_t oracle, const spf_ip_t *client, spf_query_t *query)
{
    bool is_made_up = strncmp(query->name, made_up, sizeof made_up - 1) == 0;

    if (query->is_policy) {
        query->policy = made_up_policy(oracle, query->name);
        query->is_out_of_memory = query->policy == NULL;
    } else if (query->type == SPF_TYPE_PTR) {
        for (size_t i = 0; i < prover->ptr_target_count; i++)
            if (chooses(oracle, prover->ptr_targets[i], SPF_TYPE_PTR))
                add_host(query, prover->ptr_targets[i]);
    } else if (!is_made_up && !chooses(oracle, query->name, SPF_TYPE_A)) {
        spf_query_finish(query, SPF_DNS_NXDOMAIN, 0, SPF_DNSSEC_INSECURE, NULL);
        return;
    } else if (query->type == SPF_TYPE_MX) {
        add_host(query, query->name);
    } else if (query->type != SPF_TYPE_TXT) {
        add_client(query, client);
    }
    spf_query_finish(query, SPF_DNS_ANSWER, 0, SPF_DNSSEC_INSECURE, NULL);
}

static void answer(const prover_t *prover, const side_t *side, oracle_t oracle, const spf_ip_t *client,
                   spf_query_t *query)
{
    const known_t key = {.name = query->name, .type = query->type};
    const known_t *known = bsearch(&key, side->known, side->known_count, sizeof key, compare_known);

    if (known == NULL) {
        answer_by_oracle(prover, oracle, client, query);
        return;
    }
    query->answer = known->answer;
    query->state = SPF_QUERY_ANSWERED;
    if (query->is_policy && known->policy != NULL)
        query->policy = spf_policy_ref(known->policy);
}

/* ----------------------------------------------------------------------------------------------------------- judging
 */

static const char nobody[] = "somebody@sender.example", helo[] = "helo.example", receiver[] = "receiver.example";

static spf_question_t question_of(const prover_t *prover, const side_t *side, const spf_ip_t *client)
{
    spf_question_t question = {.ip = *client,
                               .sender = nobody,
                               .sender_length = sizeof nobody - 1,
                               .local_length = strlen("somebody"),
                               .helo = helo,
                               .helo_length = sizeof helo - 1,
                               .receiver = receiver,
                               .receiver_length = sizeof receiver - 1,
                               .given = side->first,
                               .limits = side->limits};
    const char *domain = prover->draft->domain;

    /* Without a domain nothing in the record depends on it. */
    if (!spf_name_from_text(&question.domain, domain, strlen(domain)))
        spf_name_from_text(&question.domain, receiver, sizeof receiver - 1);
    return question;
}

static spf_eval_status_t judge(const prover_t *prover, const side_t *side, oracle_t oracle, const spf_ip_t *client,
                               spf_result_t *result)
{
    spf_question_t question = question_of(prover, side, client);
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_eval_t *eval = spf_eval_new(&arena, &question);
    spf_eval_status_t status = eval != NULL ? spf_eval_step(eval) : SPF_EVAL_NOMEM;

    while (status == SPF_EVAL_WAIT) {
        spf_query_t *query = spf_eval_next_wanted(eval);
        if (query == NULL)
            break;
        answer(prover, side, oracle, client, query);
        if (query->is_out_of_memory)
            status = SPF_EVAL_NOMEM;
        else
            status = spf_eval_step(eval);
    }
    if (status == SPF_EVAL_DONE)
        *result = spf_eval_finding(eval)->result;
    spf_eval_drop(eval);
    spf_arena_free(&arena);
    return status == SPF_EVAL_DONE ? SPF_EVAL_DONE : SPF_EVAL_NOMEM;
}

static spf_err_t refuse(prover_t *prover, const spf_ip_t *client, spf_result_t is, spf_result_t was)
{
    char storage[SPF_IP_TEXT_MAX];
    spf_buf_t text;

    spf_buf_init(&text, storage, sizeof storage);
    spf_ip_add_text(&text, client);
    SPF_SENTENCE_SET(prover->error, "the proof failed: for ", text.data, " the records made give ", spf_result_name(is),
                     ", those published ", spf_result_name(was));
    return SPF_EINVAL;
}

static spf_err_t compare(prover_t *prover, const edge_t *edge, oracle_t oracle)
{
    const spf_ip_t client = spf_number_to_ip(edge->number, edge->family);
    spf_result_t was, is;

    if (judge(prover, &prover->original, oracle, &client, &was) != SPF_EVAL_DONE ||
        judge(prover, &prover->flattened, oracle, &client, &is) != SPF_EVAL_DONE)
        return SPF_ENOMEM;
    return is == was ? SPF_OK : refuse(prover, &client, is, was);
}

/* ------------------------------------------------------------------------------------------------------------ edges */

static int compare_edges(const void *a, const void *b)
{
    const edge_t *x = a, *y = b;

    return x->family != y->family ? (int)x->family - (int)y->family : spf_number_compare(x->number, y->number);
}

/* Room was made for it. */
static void add_edge(prover_t *prover, spf_number_t number, unsigned family)
{
    prover->edges[prover->edge_count++] = (edge_t){number, family};
}

static void add_edges(prover_t *prover, const spf_network_t *network)
{
    unsigned family = network->family == 4 ? SPF_FAMILY_IP4 : SPF_FAMILY_IP6;
    spf_range_t range = spf_range_of_network(network);

    add_edge(prover, range.first, family);
    add_edge(prover, range.last, family);
    if (spf_number_step_down(&range.first))
        add_edge(prover, range.first, family);
    if (spf_number_step_up(&range.last, family))
        add_edge(prover, range.last, family);
}

static size_t count_networks(const prover_t *prover, spf_record_t *const *records)
{
    size_t count = 2;

    for (size_t i = 0; i < prover->tree->node_count; i++) {
        const spf_node_t *node = &prover->tree->nodes[i]->view;
        for (size_t t = 0; t < node->term_count; t++)
            count += node->terms[t].network_count;
    }
    for (size_t i = 0; i < prover->draft->record_count; i++)
        count += records[i]->net4_count + records[i]->net6_count;
    return count;
}

static void add_record_edges(prover_t *prover, const spf_record_t *record)
{
    for (uint32_t i = 0; i < record->term_count; i++) {
        if (record->terms[i].kind != SPF_TERM_IP4 && record->terms[i].kind != SPF_TERM_IP6)
            continue;
        spf_network_t network = spf_term_network(record, &record->terms[i]);
        add_edges(prover, &network);
    }
}

static void add_all_edges(prover_t *prover, spf_record_t *const *records)
{
    static const spf_network_t whole[] = {{.family = 4}, {.family = 6}};

    add_edges(prover, &whole[0]);
    add_edges(prover, &whole[1]);
    for (size_t i = 0; i < prover->tree->node_count; i++) {
        const spf_node_t *node = &prover->tree->nodes[i]->view;
        for (size_t t = 0; t < node->term_count; t++)
            for (size_t n = 0; n < node->terms[t].network_count; n++)
                add_edges(prover, &node->terms[t].networks[n]);
    }
    for (size_t i = 0; i < prover->draft->record_count; i++)
        add_record_edges(prover, records[i]);
}

static void sort_edges(prover_t *prover)
{
    size_t count = 0;

    qsort(prover->edges, prover->edge_count, sizeof *prover->edges, compare_edges);
    for (size_t i = 0; i < prover->edge_count; i++)
        if (count == 0 || compare_edges(&prover->edges[count - 1], &prover->edges[i]) != 0)
            prover->edges[count++] = prover->edges[i];
    prover->edge_count = count;
}

static spf_err_t collect_edges(prover_t *prover, spf_record_t *const *records)
{
    size_t count = count_networks(prover, records);

    prover->edges = spf_arena_alloc(&prover->scratch, 4 * count * sizeof *prover->edges);
    if (prover->edges == NULL)
        return SPF_ENOMEM;
    add_all_edges(prover, records);
    sort_edges(prover);
    if (prover->edge_count <= EDGES_MAX)
        return SPF_OK;
    SPF_SENTENCE_SET(prover->error, "there are more networks than can be compared one by one");
    return SPF_EINVAL;
}

static spf_err_t find_edges(prover_t *prover)
{
    size_t count = prover->draft->record_count;
    spf_record_t **records = spf_arena_calloc(&prover->scratch, count * sizeof *records);
    spf_err_t err = records != NULL ? SPF_OK : SPF_ENOMEM;

    for (size_t i = 0; err == SPF_OK && i < count; i++) {
        records[i] = spf_record_parse(prover->draft->records[i].text, prover->draft->records[i].length);
        err = records[i] != NULL ? SPF_OK : SPF_ENOMEM;
    }
    if (err == SPF_OK)
        err = collect_edges(prover, records);
    for (size_t i = 0; records != NULL && i < count; i++)
        spf_record_unref(records[i]);
    return err;
}

/* ------------------------------------------------------------------------------------------------------------- all */

/* Whether anything depends on the mail, and the names that ptr terms ask for. */
static bool find_targets(prover_t *prover)
{
    size_t count = 0;

    for (size_t i = 0; i < prover->tree->node_count; i++)
        count += prover->tree->nodes[i]->view.term_count;
    prover->ptr_targets = spf_arena_alloc(&prover->scratch, count * sizeof *prover->ptr_targets);
    if (prover->ptr_targets == NULL)
        return false;
    for (size_t i = 0; i < prover->tree->node_count; i++) {
        const spf_tree_node_t *node = prover->tree->nodes[i];
        for (size_t t = 0; t < node->view.term_count; t++) {
            const spf_tree_term_t *term = &node->terms[t];
            prover->depends_on_mail = prover->depends_on_mail || node->view.terms[t].depends_on_mail;
            if (term->term->kind == SPF_TERM_PTR && term->name != NULL)
                prover->ptr_targets[prover->ptr_target_count++] = term->name;
        }
    }
    return true;
}

static spf_err_t prove(prover_t *prover)
{
    spf_err_t err = SPF_OK;
    unsigned oracles;

    if (!find_targets(prover) || !side_make(prover, &prover->original, NULL) ||
        !side_make(prover, &prover->flattened, prover->draft))
        return SPF_ENOMEM;
    err = find_edges(prover);
    oracles = prover->depends_on_mail ? ORACLE_COUNT : 1;
    for (unsigned oracle = 0; err == SPF_OK && oracle < oracles; oracle++)
        for (size_t i = 0; err == SPF_OK && i < prover->edge_count; i++)
            err = compare(prover, &prover->edges[i], (oracle_t)oracle);
    return err;
}

spf_err_t spf_prove(const spf_tree_t *tree, const spf_draft_t *draft, spf_buf_t *error)
{
    prover_t prover = {.tree = tree, .draft = draft, .error = error};
    spf_err_t err = prove(&prover);

    side_clear(&prover.original);
    side_clear(&prover.flattened);
    spf_arena_free(&prover.scratch);
    return err;
}
