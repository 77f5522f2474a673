/* SPDX-License-Identifier: MIT */
#include "tools/flatten_check.h"

#include "base/ascii.h"
#include "tools/draft.h"
#include "tools/terms.h"

#include <string.h>

size_t spf_flatten_index(const spf_tree_t *tree, const spf_tree_node_t *node)
{
    return node != NULL ? node->index : tree->node_count;
}

bool spf_flatten_is_reached(const spf_record_t *record, uint32_t index)
{
    if (record->terms[index].kind >= SPF_TERM_REDIRECT)
        return !record->has_all;
    for (uint32_t i = 0; record->has_all && i < index; i++)
        if (record->terms[i].kind == SPF_TERM_ALL)
            return false;
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- options
 */

enum { ANSWER_LEAST = 128, ANSWER_LARGEST = 65535 };

spf_flatten_options_t spf_flatten_known_options(const spf_flatten_options_t *options)
{
    spf_flatten_options_t known = {0};

    if (options != NULL)
        memcpy(&known, options, options->size < sizeof known ? options->size : sizeof known);
    if (known.prefix == NULL)
        known.prefix = "_spf";
    return known;
}

/* Labels of letters, digits, hyphens and underscores; a number follows. */
static bool is_prefix(const char *prefix)
{
    char last = '.';

    for (; *prefix != '\0'; prefix++) {
        if (!spf_ascii_is_alphanum(*prefix) && *prefix != '-' && *prefix != '_' && (*prefix != '.' || last == '.'))
            return false;
        last = *prefix;
    }
    return true;
}

static spf_err_t check_keep(const spf_flatten_options_t *options, spf_buf_t *error)
{
    for (size_t i = 0; i < options->keep_count; i++) {
        const char *text = options->keep[i];
        bool is_out_of_memory = false;
        spf_name_t name;
        if (spf_name_from_utf8(&name, text, strlen(text), &is_out_of_memory))
            continue;
        if (is_out_of_memory)
            return SPF_ENOMEM;
        SPF_SENTENCE_SET(error, "\"", text, "\" is no domain name");
        return SPF_EINVAL;
    }
    return SPF_OK;
}

static void refuse_answer_max(unsigned answer_max, spf_buf_t *error)
{
    char storage[16];
    spf_buf_t number;

    spf_buf_init(&number, storage, sizeof storage);
    spf_buf_add_uint(&number, answer_max);
    SPF_SENTENCE_SET(error, "an answer has 128 to 65535 octets, not ", number.data);
}

spf_err_t spf_flatten_check_options(const spf_flatten_options_t *options, spf_buf_t *error)
{
    const spf_flatten_options_t known = spf_flatten_known_options(options);

    if (!is_prefix(known.prefix)) {
        SPF_SENTENCE_SET(error, "the prefix \"", known.prefix,
                         "\" is none: expected letters, digits, hyphens and underscores");
        return SPF_EINVAL;
    }
    if (known.answer_max != 0 && (known.answer_max < ANSWER_LEAST || known.answer_max > ANSWER_LARGEST)) {
        refuse_answer_max(known.answer_max, error);
        return SPF_EINVAL;
    }
    return check_keep(&known, error);
}

/* ------------------------------------------------------------------------------------------------------------- keep
 */

static spf_flatten_keep_t *find_keep(const spf_flatten_check_t *check, const char *name)
{
    for (size_t i = 0; name != NULL && i < check->keep_count; i++)
        if (strcmp(check->keep[i].name.text, name) == 0)
            return &check->keep[i];
    return NULL;
}

bool spf_flatten_is_kept(const spf_flatten_check_t *check, const spf_tree_term_t *term)
{
    return find_keep(check, term->name) != NULL;
}

/* The options were checked. */
static spf_err_t read_keep(spf_flatten_check_t *check, spf_arena_t *arena, const spf_flatten_options_t *options)
{
    if (options->keep_count > SIZE_MAX / sizeof *check->keep)
        return SPF_ENOMEM;
    check->keep = spf_arena_calloc(arena, options->keep_count * sizeof *check->keep);
    if (check->keep == NULL)
        return SPF_ENOMEM;
    for (size_t i = 0; i < options->keep_count; i++) {
        const char *text = options->keep[i];
        bool is_out_of_memory;
        if (!spf_name_from_utf8(&check->keep[i].name, text, strlen(text), &is_out_of_memory))
            return SPF_ENOMEM;
    }
    check->keep_count = options->keep_count;
    return SPF_OK;
}

/* ----------------------------------------------------------------------------------------------- what stands against
 */

typedef struct checker {
    spf_flatten_check_t *check;
    const spf_tree_t *tree;
    spf_buf_t *error;
} checker_t;

/* "include:b.example in the record of a.example: TEXT" */
static spf_err_t refuse_term(checker_t *checker, const spf_tree_node_t *node, const spf_node_term_t *view,
                             const char *text, const char *more)
{
    SPF_SENTENCE_SET(checker->error, view->text, " in the record of ", node->view.domain, ": ", text, more);
    return SPF_EINVAL;
}

static const char not_known[] = "; what is not known cannot be flattened, lest senders are left out";

static spf_err_t refuse_gap(checker_t *checker, const spf_tree_node_t *node, const spf_node_term_t *view,
                            const char *what)
{
    return refuse_term(checker, node, view, what, not_known);
}

/* What a status means for a term that stands for addresses or another record; NULL: nothing is wrong. */
static const char *gap_of(spf_node_status_t status)
{
    switch (status) {
    case SPF_NODE_TIMEOUT:
        return "its DNS lookup timed out";
    case SPF_NODE_ERROR:
        return "its DNS lookup failed";
    case SPF_NODE_BOGUS:
        return "DNSSEC validation of its answer failed";
    case SPF_NODE_NOT_ASKED:
        return "it was not looked up";
    default:
        return NULL;
    }
}

static const char *mistake_of(spf_node_status_t status)
{
    switch (status) {
    case SPF_NODE_NO_DOMAIN:
        return "its domain does not exist";
    case SPF_NODE_NO_RECORD:
        return "its domain has no SPF record";
    case SPF_NODE_SEVERAL:
        return "its domain has several SPF records";
    case SPF_NODE_BAD_NAME:
        return "it leads to no domain name";
    case SPF_NODE_LOOP:
        return "it leads back to a record that it is part of";
    default:
        return NULL;
    }
}

static bool is_gap(const spf_answer_t *answer)
{
    return answer == NULL || spf_answer_is_failure(answer);
}

/* A host of an mx that was not answered for; NULL: there is none. */
static const spf_tree_host_t *host_gap(const spf_tree_term_t *term)
{
    for (uint32_t i = 0; i < term->own->count; i++)
        if (term->hosts[i].name != NULL && (is_gap(term->hosts[i].a) || is_gap(term->hosts[i].aaaa)))
            return &term->hosts[i];
    return NULL;
}

static spf_err_t check_mx(checker_t *checker, const spf_tree_node_t *node, size_t index)
{
    const spf_tree_term_t *term = &node->terms[index];
    const spf_node_term_t *view = &node->view.terms[index];
    const spf_tree_host_t *gap;

    if (view->host_count > checker->tree->limits.mx_hosts)
        return refuse_term(checker, node, view,
                           "it has more hosts than RFC 7208 section 4.6.4 allows: ", "mail gets permerror");
    if (term->own->count > 0 && term->hosts == NULL)
        return refuse_gap(checker, node, view, "its hosts were not looked up");
    gap = host_gap(term);
    if (gap == NULL)
        return SPF_OK;
    SPF_SENTENCE_SET(checker->error, view->text, " in the record of ", node->view.domain,
                     ": the DNS lookup of its host ", gap->name, " failed", not_known);
    return SPF_EINVAL;
}

static size_t count_addresses(const spf_answer_t *answer)
{
    return answer != NULL ? answer->count : 0;
}

static size_t count_all_addresses(const spf_tree_term_t *term)
{
    size_t count = 0;

    if (term->term->kind == SPF_TERM_A)
        return count_addresses(term->own) + count_addresses(term->own6);
    for (uint32_t i = 0; i < term->own->count; i++)
        count += count_addresses(term->hosts[i].a) + count_addresses(term->hosts[i].aaaa);
    return count;
}

static spf_err_t check_hosts(checker_t *checker, const spf_tree_node_t *node, size_t index)
{
    const spf_tree_term_t *term = &node->terms[index];
    const spf_node_term_t *view = &node->view.terms[index];
    const char *gap = gap_of(view->status);

    if (gap != NULL)
        return refuse_gap(checker, node, view, gap);
    if (term->own == NULL)
        return SPF_OK; /* its name is none, or depends on the mail */
    if (term->term->kind == SPF_TERM_MX) {
        spf_err_t err = check_mx(checker, node, index);
        if (err != SPF_OK)
            return err;
    } else if (is_gap(term->own6)) {
        return refuse_gap(checker, node, view, "its DNS lookup failed");
    }
    if (count_all_addresses(term) > 0 && view->network_count == 0)
        return refuse_gap(checker, node, view, "there are more networks than a survey takes");
    return SPF_OK;
}

static spf_err_t check_other_record(checker_t *checker, const spf_tree_node_t *node, size_t index)
{
    const spf_tree_term_t *term = &node->terms[index];
    const spf_node_term_t *view = &node->view.terms[index];
    spf_flatten_keep_t *keep = find_keep(checker->check, term->name);
    const char *gap = gap_of(view->status);
    const char *mistake = mistake_of(view->status);

    if (keep != NULL) {
        keep->is_found = true;
        return SPF_OK;
    }
    if (gap != NULL)
        return refuse_gap(checker, node, view, gap);
    if (mistake != NULL)
        return refuse_term(checker, node, view, mistake, ": mail gets permerror");
    if (term->child != NULL)
        checker->check->is_live[spf_flatten_index(checker->tree, term->child)] = true;
    return SPF_OK;
}

static spf_err_t check_term(checker_t *checker, const spf_tree_node_t *node, size_t index)
{
    switch (node->terms[index].term->kind) {
    case SPF_TERM_INCLUDE:
    case SPF_TERM_REDIRECT:
        return check_other_record(checker, node, index);
    case SPF_TERM_A:
    case SPF_TERM_MX:
        return check_hosts(checker, node, index);
    case SPF_TERM_IP4:
    case SPF_TERM_IP6:
        if (node->view.terms[index].network_count == 0)
            return refuse_gap(checker, node, &node->view.terms[index], "there are more networks than a survey takes");
        return SPF_OK;
    default:
        return SPF_OK;
    }
}

static spf_err_t check_node(checker_t *checker, const spf_tree_node_t *node)
{
    spf_err_t err = SPF_OK;

    if (node->view.has_syntax_error) {
        SPF_SENTENCE_SET(checker->error, "the record of ", node->view.domain,
                         " has a syntax error: ", node->view.error != NULL ? node->view.error : "it cannot be read");
        return SPF_EINVAL;
    }
    for (uint32_t i = 0; err == SPF_OK && i < node->record->term_count; i++)
        if (spf_flatten_is_reached(node->record, i))
            err = check_term(checker, node, i);
    return err;
}

/* Section 4.3. A given record needs no domain, or one that mail is checked for. */
static bool is_checkable(const spf_tree_node_t *root)
{
    spf_name_t name;

    return root->name[0] == '\0' ||
           (spf_name_from_text(&name, root->name, strlen(root->name)) && spf_name_is_checkable(&name));
}

static spf_err_t check_root(checker_t *checker)
{
    const spf_tree_t *tree = checker->tree;
    const unsigned scope = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES;
    const spf_node_t *root = &tree->nodes[0]->view;
    const char *gap = gap_of(root->status), *mistake = mistake_of(root->status);

    if (tree->is_given && root->status == SPF_NODE_NO_RECORD) {
        SPF_SENTENCE_SET(checker->error, "the record that is given does not begin with \"v=spf1\" and a space");
        return SPF_EINVAL;
    }
    if (!is_checkable(tree->nodes[0])) {
        SPF_SENTENCE_SET(checker->error, root->domain, " is no domain that mail is checked for");
        return SPF_EINVAL;
    }
    if (gap != NULL || mistake != NULL) {
        SPF_SENTENCE_SET(checker->error, root->domain, " cannot be flattened: ", gap != NULL ? gap : mistake);
        return SPF_EINVAL;
    }
    if ((tree->scope & scope) == scope)
        return SPF_OK;
    SPF_SENTENCE_SET(checker->error, "the survey did not look for records and addresses");
    return SPF_EINVAL;
}

/* What a record leads to stands behind it in the tree. */
static void count_lookups(checker_t *checker)
{
    unsigned *lookups = checker->check->lookups;

    for (size_t i = checker->tree->node_count; i-- > 0;) {
        const spf_tree_node_t *node = checker->tree->nodes[i];
        for (uint32_t t = 0; node->record != NULL && t < node->record->term_count; t++) {
            const spf_tree_term_t *term = &node->terms[t];
            if (!spf_term_needs_dns(term->term) || !spf_flatten_is_reached(node->record, t))
                continue;
            lookups[i] += 1 + (term->child != NULL ? lookups[spf_flatten_index(checker->tree, term->child)] : 0);
        }
    }
}

spf_err_t spf_flatten_check(spf_flatten_check_t *check, spf_arena_t *arena, const spf_tree_t *tree,
                            const spf_flatten_options_t *options, spf_buf_t *error)
{
    checker_t checker = {.check = check, .tree = tree, .error = error};
    spf_err_t err = read_keep(check, arena, options);

    if (err != SPF_OK)
        return err;
    check->is_live = spf_arena_calloc(arena, tree->node_count * sizeof *check->is_live);
    check->lookups = spf_arena_calloc(arena, tree->node_count * sizeof *check->lookups);
    if (check->is_live == NULL || check->lookups == NULL)
        return SPF_ENOMEM;
    count_lookups(&checker);
    check->is_live[0] = true;
    err = check_root(&checker);
    for (size_t i = 0; err == SPF_OK && i < tree->node_count; i++)
        if (check->is_live[i])
            err = check_node(&checker, tree->nodes[i]);
    return err;
}
