/* SPDX-License-Identifier: MIT */
#include "core/target.h"
#include "tools/senders.h"
#include "tools/walk_impl.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- questions
 */

static bool query_is(const spf_query_t *query, const char *name, size_t length, uint16_t type)
{
    return query->type == type && query->name_length == length && memcmp(query->name, name, length) == 0;
}

static spf_query_t *query_new(spf_walk_t *walk, const char *name, size_t length, uint16_t type)
{
    spf_query_t *query = spf_arena_calloc(walk->arena, sizeof *query);
    char *copy = spf_arena_copy(walk->arena, name, length);

    if (query == NULL || copy == NULL) {
        walk->is_out_of_memory = true;
        return NULL;
    }
    query->name = copy;
    query->name_length = (uint8_t)length;
    query->type = type;
    query->arena = walk->arena;
    return query;
}

/* The query for that name and type, a new one if there is none yet. NULL: there are too many, or no memory. */
static spf_query_t *want(spf_walk_t *walk, const char *name, size_t length, uint16_t type)
{
    spf_query_t *query = walk->queries;

    while (query != NULL && !query_is(query, name, length, type))
        query = query->next;
    if (query != NULL || walk->query_count == SPF_WALK_QUESTIONS_MAX)
        return query;
    query = query_new(walk, name, length, type);
    if (query == NULL)
        return NULL;
    if (walk->last_query != NULL)
        walk->last_query->next = query;
    else
        walk->queries = query;
    walk->last_query = query;
    if (walk->next_wanted == NULL)
        walk->next_wanted = query;
    walk->query_count++;
    return query;
}

/* Whether there will be no other answer than what there is now. One that could not be stored ends the walk: nothing may
 * be read from it. */
static bool is_settled(spf_walk_t *walk, const spf_query_t *query)
{
    if (query == NULL)
        return true;
    walk->is_out_of_memory = walk->is_out_of_memory || query->is_out_of_memory;
    return query->state == SPF_QUERY_ANSWERED || walk->is_expired;
}

const spf_answer_t *spf_walk_answer(const spf_query_t *query)
{
    static const spf_answer_t too_late = {.status = SPF_DNS_TIMEOUT, .detail = "no answer in time"};

    if (query == NULL)
        return NULL;
    return query->state == SPF_QUERY_ANSWERED ? &query->answer : &too_late;
}

/* ------------------------------------------------------------------------------------------------- nodes and tasks */

static void task_add(spf_walk_t *walk, spf_walk_node_t *node, spf_walk_term_t *term)
{
    spf_walk_task_t *task = spf_arena_calloc(walk->arena, sizeof *task);

    if (task == NULL) {
        walk->is_out_of_memory = true;
        return;
    }
    task->node = node;
    task->term = term;
    TAILQ_INSERT_TAIL(&walk->tasks, task, link);
}

static spf_walk_node_t *node_new(spf_walk_t *walk, const char *name, size_t length)
{
    spf_walk_node_t *node = spf_arena_calloc(walk->arena, sizeof *node);

    if (node == NULL) {
        walk->is_out_of_memory = true;
        return NULL;
    }
    node->name = name;
    node->name_length = length;
    walk->nodes++;
    return node;
}

/* Whether the name is that of a record on the way from the first to this node. */
static bool is_on_path(const spf_walk_node_t *node, const spf_name_t *name)
{
    for (; node != NULL; node = node->parent)
        if (node->name_length == name->length && memcmp(node->name, name->text, name->length) == 0)
            return true;
    return false;
}

/* An include or redirect leads to a node of its own, unless that would never end. */
static void follow(spf_walk_t *walk, spf_walk_node_t *node, spf_walk_term_t *term, const spf_name_t *name)
{
    spf_walk_node_t *child;

    if (is_on_path(node, name)) {
        term->hindrance = SPF_NODE_LOOP;
        return;
    }
    term->hindrance = SPF_NODE_NOT_ASKED;
    if (node->depth == SPF_WALK_DEPTH_MAX || walk->nodes == SPF_WALK_NODES_MAX)
        return;
    term->own = want(walk, name->text, name->length, SPF_TYPE_TXT);
    child = term->own != NULL ? node_new(walk, term->name, name->length) : NULL;
    if (child == NULL)
        return;
    term->hindrance = SPF_NODE_RECORD;
    term->child = child;
    child->parent = node;
    child->parent_term = (uint32_t)(term - node->terms);
    child->depth = node->depth + 1;
    child->query = term->own;
    task_add(walk, child, NULL);
}

/* ------------------------------------------------------------------------------------------------------------ terms */

/* What each kind of term asks first, and in which scope. */
static const struct {
    uint16_t type;
    unsigned scope;
} questions[] = {
    [SPF_TERM_INCLUDE] = {SPF_TYPE_TXT, SPF_SURVEY_RECORDS},  [SPF_TERM_A] = {SPF_TYPE_A, SPF_SURVEY_ADDRESSES},
    [SPF_TERM_MX] = {SPF_TYPE_MX, SPF_SURVEY_ADDRESSES},      [SPF_TERM_EXISTS] = {SPF_TYPE_A, SPF_SURVEY_ADDRESSES},
    [SPF_TERM_REDIRECT] = {SPF_TYPE_TXT, SPF_SURVEY_RECORDS}, [SPF_TERM_INVALID] = {0, 0},
};

/* Whether the term has a <target-name>. */
static bool has_target(const spf_term_t *term)
{
    return questions[term->kind].type != 0 || term->kind == SPF_TERM_PTR || term->kind == SPF_TERM_EXP;
}

/* Settles term->name, as far as it is the same for every mail: macros other than d are not. */
static bool settle_name(spf_walk_t *walk, const spf_walk_node_t *node, const spf_term_t *parsed, spf_walk_term_t *term,
                        spf_name_t *name)
{
    static const spf_ip_t nobody = {.family = 4};
    const spf_macro_values_t values = {
        .ip = &nobody, .domain = node->name, .domain_length = node->name_length, .sender = "", .helo = ""};

    if ((parsed->macros & ~SPF_MACRO_BIT('d')) != 0) {
        term->hindrance = SPF_NODE_MACRO;
    } else if (node->name_length == 0 && (parsed->spec_length == 0 || parsed->macros != 0)) {
        term->hindrance = SPF_NODE_NOT_ASKED;
    } else if (!spf_target_name(name, node->name, node->name_length, node->policy->record, parsed, &values)) {
        term->hindrance = SPF_NODE_BAD_NAME;
    } else {
        term->name = spf_arena_copy(walk->arena, name->text, name->length);
        walk->is_out_of_memory = walk->is_out_of_memory || term->name == NULL;
        return term->name != NULL;
    }
    return false;
}

/* What an a, mx or exists stands for. */
static void ask_addresses(spf_walk_t *walk, spf_walk_node_t *node, const spf_term_t *parsed, spf_walk_term_t *term,
                          const spf_name_t *name)
{
    bool is_a = parsed->kind == SPF_TERM_A;

    term->own = want(walk, name->text, name->length, questions[parsed->kind].type);
    if (term->own != NULL && is_a)
        term->own6 = want(walk, name->text, name->length, SPF_TYPE_AAAA);
    if (term->own == NULL || (is_a && term->own6 == NULL))
        term->hindrance = SPF_NODE_NOT_ASKED;
    else if (parsed->kind != SPF_TERM_EXISTS)
        task_add(walk, node, term);
}

/* Of a ptr it is the client's names that are asked for; nobody is authorised by exp, so without it nothing is missing.
 */
static void ask_aside(spf_walk_t *walk, const spf_term_t *parsed, spf_walk_term_t *term, const spf_name_t *name)
{
    if (parsed->kind == SPF_TERM_PTR)
        term->hindrance = SPF_NODE_MACRO;
    else if (term->hindrance == SPF_NODE_NOT_ASKED)
        term->hindrance = SPF_NODE_RECORD;
    else if (name != NULL && (walk->question.scope & SPF_SURVEY_NEARBY) != 0)
        term->other = want(walk, name->text, name->length, SPF_TYPE_TXT);
}

static void ask_term(spf_walk_t *walk, spf_walk_node_t *node, const spf_term_t *parsed, spf_walk_term_t *term)
{
    uint16_t type = questions[parsed->kind].type;
    spf_name_t name;
    bool is_known;

    if (!has_target(parsed))
        return;
    is_known = settle_name(walk, node, parsed, term, &name);
    if (type == 0)
        ask_aside(walk, parsed, term, is_known ? &name : NULL);
    else if (is_known && (walk->question.scope & questions[parsed->kind].scope) == 0)
        term->hindrance = SPF_NODE_NOT_ASKED;
    else if (is_known && type == SPF_TYPE_TXT)
        follow(walk, node, term, &name);
    else if (is_known)
        ask_addresses(walk, node, parsed, term, &name);
}

static void ask_host(spf_walk_t *walk, spf_walk_host_t *host, const spf_text_t *text)
{
    spf_name_t name;

    if (!spf_name_from_text(&name, text->data, text->length))
        return;
    host->name = spf_arena_copy(walk->arena, name.text, name.length);
    walk->is_out_of_memory = walk->is_out_of_memory || host->name == NULL;
    host->query = want(walk, name.text, name.length, SPF_TYPE_A);
    host->query6 = want(walk, name.text, name.length, SPF_TYPE_AAAA);
}

/* The hosts of an mx; too many of them are not asked about (section 4.6.4). */
static void ask_hosts(spf_walk_t *walk, spf_walk_term_t *term, const spf_answer_t *answer)
{
    if (answer->count == 0 || answer->count > walk->question.limits.mx_hosts)
        return;
    term->hosts = spf_arena_calloc(walk->arena, answer->count * sizeof *term->hosts);
    if (term->hosts == NULL)
        walk->is_out_of_memory = true;
    for (uint32_t i = 0; term->hosts != NULL && i < answer->count; i++)
        ask_host(walk, &term->hosts[i], &answer->texts[i]);
}

/* Within SPF_SURVEY_NEARBY: where there are no addresses, perhaps a record was meant. */
static void ask_other(spf_walk_t *walk, spf_walk_term_t *term)
{
    const spf_answer_t *own = spf_walk_answer(term->own);
    const spf_answer_t *own6 = spf_walk_answer(term->own6);

    if ((walk->question.scope & SPF_SURVEY_NEARBY) != 0 && spf_answer_is_void(own) &&
        (own6 == NULL || spf_answer_is_void(own6)))
        term->other = want(walk, term->own->name, term->own->name_length, SPF_TYPE_TXT);
}

static void term_answered(spf_walk_t *walk, spf_walk_term_t *term)
{
    const spf_answer_t *answer = spf_walk_answer(term->own);

    if (term->own->type == SPF_TYPE_MX && answer->status == SPF_DNS_ANSWER)
        ask_hosts(walk, term, answer);
    ask_other(walk, term);
}

/* ---------------------------------------------------------------------------------------------------- opening nodes */

static spf_node_status_t failure_status(spf_dns_status_t status)
{
    return status == SPF_DNS_TIMEOUT ? SPF_NODE_TIMEOUT : status == SPF_DNS_BOGUS ? SPF_NODE_BOGUS : SPF_NODE_ERROR;
}

/* Octets that the records in an answer bring, whether they are compiled before or not. */
static size_t record_octets(const spf_answer_t *answer)
{
    size_t octets = 0;

    for (uint32_t i = 0; i < answer->count; i++)
        if (spf_record_is_record(answer->texts[i].data, answer->texts[i].length))
            octets += answer->texts[i].length;
    return octets;
}

/* The policy of a node, compiled once for all that ask the same; NULL sets the node's status. */
static const spf_policy_t *policy_of(spf_walk_t *walk, spf_walk_node_t *node)
{
    const spf_answer_t *answer = spf_walk_answer(node->query);
    size_t octets;

    if (answer == NULL)
        return walk->given;
    if (spf_answer_is_failure(answer)) {
        node->status = failure_status(answer->status);
        return NULL;
    }
    octets = record_octets(answer);
    if (octets > SPF_WALK_RECORD_OCTETS_MAX - walk->record_octets) {
        node->status = SPF_NODE_NOT_ASKED;
        return NULL;
    }
    walk->record_octets += octets;
    if (node->query->policy == NULL)
        node->query->policy = spf_policy_from_answer(answer, NULL, NULL);
    walk->is_out_of_memory = walk->is_out_of_memory || node->query->policy == NULL;
    return node->query->policy;
}

static void ask_terms(spf_walk_t *walk, spf_walk_node_t *node)
{
    const spf_record_t *record = node->policy->record;

    node->terms = spf_arena_calloc(walk->arena, record->term_count * sizeof *node->terms);
    if (node->terms == NULL) {
        walk->is_out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < record->term_count && !walk->is_out_of_memory; i++)
        ask_term(walk, node, &record->terms[i], &node->terms[i]);
}

static spf_query_t *want_prefixed(spf_walk_t *walk, const char *prefix, const char *name, uint16_t type)
{
    char storage[2 * SPF_NAME_MAX + 2];
    spf_name_t prefixed;
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_text(&buf, prefix);
    spf_buf_add_text(&buf, name);
    return spf_name_from_text(&prefixed, buf.data, buf.len) ? want(walk, prefixed.text, prefixed.length, type) : NULL;
}

#define SPF_X(name, prefix, type) [name] = {prefix, type},
static const struct {
    const char *prefix;
    uint16_t type;
} nearby[] = {SPF_NEARBY_MAP(SPF_X)};
#undef SPF_X

/* What is asked about the domain itself, and, where it has no record, about names that one could be at by mistake. */
static void ask_nearby(spf_walk_t *walk, bool is_missing)
{
    const spf_name_t *domain = &walk->question.domain;
    char twice[SPF_NAME_MAX + 2];

    if ((walk->question.scope & SPF_SURVEY_NEARBY) == 0 || domain->length == 0)
        return;
    memcpy(twice, domain->text, domain->length);
    memcpy(twice + domain->length, ".", 2);
    for (unsigned kind = 0; kind < SPF_NEARBY_COUNT; kind++) {
        const char *prefix = nearby[kind].prefix != NULL ? nearby[kind].prefix : twice;
        if (is_missing != (prefix[0] == '\0'))
            walk->nearby[kind] = want_prefixed(walk, prefix, domain->text, nearby[kind].type);
    }
}

/* Takes up what a node's question brought. */
static void node_open(spf_walk_t *walk, spf_walk_node_t *node)
{
    static const spf_node_status_t statuses[] = {[SPF_POLICY_NO_DOMAIN] = SPF_NODE_NO_DOMAIN,
                                                 [SPF_POLICY_NONE] = SPF_NODE_NO_RECORD,
                                                 [SPF_POLICY_RECORD] = SPF_NODE_RECORD,
                                                 [SPF_POLICY_SEVERAL] = SPF_NODE_SEVERAL};

    node->policy = policy_of(walk, node);
    if (node->policy == NULL)
        return;
    node->status = statuses[node->policy->kind];
    if (node->status == SPF_NODE_RECORD)
        ask_terms(walk, node);
    if (node->status != SPF_NODE_NO_RECORD && node->status != SPF_NODE_NO_DOMAIN)
        return;
    if (node->parent == NULL)
        ask_nearby(walk, true);
    else if ((walk->question.scope & SPF_SURVEY_NEARBY) != 0)
        node->parent->terms[node->parent_term].other = want(walk, node->name, node->name_length, SPF_TYPE_A);
}

/* ---------------------------------------------------------------------------------------------------------- the walk
 */

/* At the domain, and up to the last name of two labels; of more than eight the ones farthest down are left out
 * but for the domain itself. */
static void ask_dmarc(spf_walk_t *walk)
{
    const char *name = walk->question.domain.text;
    unsigned labels = 1;
    unsigned count = 0;

    if ((walk->question.scope & SPF_SURVEY_NEARBY) == 0 || walk->question.domain.length == 0)
        return;
    for (const char *at = name; *at != '\0'; at++)
        labels += *at == '.';
    for (; labels >= 2; labels--, name = strchr(name, '.') + 1)
        if (count == 0 || labels <= SPF_DMARC_NAMES_MAX)
            walk->dmarc[count++] = want_prefixed(walk, "_dmarc.", name, SPF_TYPE_TXT);
}

/* The first node, and what is asked for it. */
static void ask_root(spf_walk_t *walk)
{
    const spf_name_t *domain = &walk->question.domain;
    spf_walk_node_t *root = node_new(walk, domain->text, domain->length);

    walk->root = root;
    if (root == NULL)
        return;
    if (walk->given == NULL && !spf_name_is_checkable(domain)) {
        root->status = SPF_NODE_BAD_NAME;
        return;
    }
    if (walk->given == NULL)
        root->query = want(walk, domain->text, domain->length, SPF_TYPE_TXT);
    task_add(walk, root, NULL);
    ask_nearby(walk, false);
    ask_dmarc(walk);
}

spf_walk_t *spf_walk_new(spf_arena_t *arena, const spf_walk_question_t *question)
{
    spf_walk_t *walk = spf_arena_calloc(arena, sizeof *walk);

    if (walk == NULL)
        return NULL;
    walk->arena = arena;
    walk->question = *question;
    TAILQ_INIT(&walk->tasks);
    if (question->given != NULL) {
        walk->given = spf_policy_from_text(question->given, question->given_length);
        walk->is_out_of_memory = walk->given == NULL;
        walk->record_octets = question->given_length;
    }
    if (!walk->is_out_of_memory)
        ask_root(walk);
    if (!walk->is_out_of_memory)
        return walk;
    spf_walk_drop(walk);
    return NULL;
}

void spf_walk_drop(spf_walk_t *walk)
{
    if (walk == NULL)
        return;
    spf_policy_unref(walk->given);
    walk->given = NULL;
    for (spf_query_t *query = walk->queries; query != NULL; query = query->next) {
        spf_policy_unref(query->policy);
        query->policy = NULL;
    }
}

static bool task_is_ready(spf_walk_t *walk, const spf_walk_task_t *task)
{
    if (task->term == NULL)
        return is_settled(walk, task->node->query);
    return is_settled(walk, task->term->own) && is_settled(walk, task->term->own6);
}

static void task_run(spf_walk_t *walk, spf_walk_task_t *task)
{
    if (task->term == NULL)
        node_open(walk, task->node);
    else
        term_answered(walk, task->term);
}

/* Whether every answer is there. */
static bool is_answered(spf_walk_t *walk)
{
    const spf_query_t *query = walk->first_open != NULL ? walk->first_open : walk->queries;

    while (query != NULL && is_settled(walk, query)) {
        walk->first_open = query;
        query = query->next;
    }
    return query == NULL;
}

spf_eval_status_t spf_walk_step(spf_walk_t *walk)
{
    spf_walk_task_t *task = walk->is_done ? NULL : TAILQ_FIRST(&walk->tasks);
    spf_walk_task_t *next;

    for (; task != NULL && !walk->is_out_of_memory; task = next) {
        bool is_ready = task_is_ready(walk, task);
        if (is_ready && !walk->is_out_of_memory)
            task_run(walk, task);
        next = TAILQ_NEXT(task, link); /* what it brought about stands at the end */
        if (is_ready)
            TAILQ_REMOVE(&walk->tasks, task, link);
    }
    walk->is_done = walk->is_done || is_answered(walk);
    if (walk->is_out_of_memory)
        return SPF_EVAL_NOMEM;
    return walk->is_done ? SPF_EVAL_DONE : SPF_EVAL_WAIT;
}

spf_query_t *spf_walk_next_wanted(spf_walk_t *walk)
{
    spf_query_t *query = walk->next_wanted;

    if (query == NULL || walk->is_done)
        return NULL;
    walk->next_wanted = query->next;
    query->state = SPF_QUERY_ASKED;
    return query;
}

spf_query_t *spf_walk_next_unneeded(spf_walk_t *walk)
{
    spf_query_t *query = walk->is_done ? walk->queries : NULL;

    while (query != NULL && query->state != SPF_QUERY_ASKED)
        query = query->next;
    if (query != NULL)
        query->state = SPF_QUERY_DROPPED;
    return query;
}

void spf_walk_abort(spf_walk_t *walk)
{
    walk->is_done = true;
}

void spf_walk_expire(spf_walk_t *walk)
{
    walk->is_expired = true;
}

/* False without memory. */
static bool tell_anybody(spf_survey_summary_t *summary, const spf_addresses_t *senders)
{
    spf_addresses_t others = {0};
    bool is_ok;

    spf_addresses_add_everything(&others);
    spf_addresses_subtract(&others, senders);
    summary->is_anybody = spf_addresses_is_empty(&others);
    is_ok = !others.is_out_of_memory;
    spf_addresses_clear(&others);
    return is_ok;
}

/* Who may send; false without memory. */
static bool count_senders(spf_tree_t *tree)
{
    spf_addresses_t senders = {0};
    bool is_ok = spf_senders_collect(&senders, tree);

    tree->summary.networks = spf_addresses_count_networks(&senders);
    is_ok = is_ok && tell_anybody(&tree->summary, &senders);
    spf_addresses_clear(&senders);
    return is_ok;
}

spf_tree_t *spf_walk_tree(spf_walk_t *walk)
{
    spf_tree_t *tree = walk->tree != NULL ? walk->tree : spf_arena_calloc(walk->arena, sizeof *tree);

    if (walk->tree != NULL || tree == NULL)
        return tree;
    if (!spf_walk_view(walk, tree))
        return NULL;
    spf_tree_count(tree);
    if (!count_senders(tree))
        return NULL;
    walk->tree = tree;
    return tree;
}
