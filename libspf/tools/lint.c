/* SPDX-License-Identifier: MIT */
/* The rules in their order, and what is made of what they say. */
#include "tools/lint.h"

#include "base/buf.h"
#include "base/name.h"
#include "tools/addresses.h"
#include "tools/linter.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTE_MAX = 96, NUMBER_SIZE = 24, NETWORK_SIZE = 64, FIRST_ROOM = 16, FIX_STEPS = 16 };

static const struct {
    const char *word;
    spf_severity_t severity;
    const char *section;
} codes[] = {
#define SPF_X(name, word, severity, section) [name] = {(word), SPF_SEVERITY_##severity, (section)},
    SPF_LINT_MAP(SPF_X)
#undef SPF_X
};

const char *spf_severity_name(spf_severity_t severity)
{
    static const char *const words[] = {
#define SPF_X(name, word) [name] = (word),
        SPF_SEVERITY_MAP(SPF_X)
#undef SPF_X
    };
    return (size_t)severity < sizeof(words) / sizeof(words[0]) ? words[severity] : "invalid";
}

/* ---------------------------------------------------------------------------------------------------------- saying */

/* Room for one more, or the spare one. */
static spf_remark_t *next_remark(spf_linter_t *linter)
{
    if (linter->count == linter->room && !linter->failed) {
        size_t room = linter->room > 0 ? 2 * linter->room : FIRST_ROOM;
        spf_remark_t *more = spf_arena_alloc(linter->arena, room * sizeof(*more));
        if (more != NULL) {
            memcpy(more, linter->remarks != NULL ? linter->remarks : more, linter->count * sizeof(*more));
            linter->remarks = more;
            linter->room = room;
        }
        linter->failed = more == NULL;
    }
    return linter->failed ? &linter->spare : &linter->remarks[linter->count++];
}

spf_remark_t *spf_lint_add(spf_linter_t *linter, spf_lint_code_t code, size_t offset, size_t length,
                           const char *sentence, const char *fix)
{
    const spf_tree_node_t *node = linter->node;
    spf_remark_t *remark = next_remark(linter);

    *remark = (spf_remark_t){
        .severity = codes[code].severity,
        .code = codes[code].word,
        .domain = linter->tree == NULL ? ""
                  : node != NULL       ? node->view.domain
                                       : linter->tree->domain,
        .node = linter->tree != NULL && node != NULL ? &node->view : NULL,
        .record = linter->text,
        .record_length = linter->length,
        .offset = offset,
        .length = length,
        .section = codes[code].section,
        .sentence = sentence,
        .fix = fix,
    };
    return remark;
}

spf_remark_t *spf_lint_add_term(spf_linter_t *linter, spf_lint_code_t code, const spf_term_t *term,
                                const char *sentence, const char *fix)
{
    return spf_lint_add(linter, code, term->offset, term->length, sentence, fix);
}

void spf_lint_replace(spf_remark_t *remark, size_t offset, size_t length, const char *replacement)
{
    remark->replace_offset = offset;
    remark->replace_length = length;
    remark->replacement = replacement;
}

void *spf_lint_alloc(spf_linter_t *linter, size_t size)
{
    void *memory = spf_arena_alloc(linter->arena, size);
    linter->failed = linter->failed || memory == NULL;
    return memory;
}

char *spf_lint_copy(spf_linter_t *linter, const char *text, size_t length)
{
    char *copy = spf_lint_alloc(linter, length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

const char *spf_lint_join(spf_linter_t *linter, const char *const *parts)
{
    size_t size = 1;
    spf_buf_t buf;
    char *text;

    for (size_t i = 0; parts[i] != NULL; i++)
        size += strlen(parts[i]);
    text = spf_lint_alloc(linter, size);
    if (text == NULL)
        return "";
    spf_buf_init(&buf, text, size);
    for (size_t i = 0; parts[i] != NULL; i++)
        spf_buf_add_text(&buf, parts[i]);
    return text;
}

/* Not through the middle of a UTF-8 character. */
static size_t clip(const char *text, size_t length)
{
    if (length <= QUOTE_MAX)
        return length;
    length = QUOTE_MAX;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

const char *spf_lint_quote(spf_linter_t *linter, const char *text, size_t length)
{
    size_t shown = clip(text, length);
    size_t size = shown + sizeof("\"...\"");
    char *quoted = spf_lint_alloc(linter, size);
    spf_buf_t buf;

    if (quoted == NULL)
        return "";
    spf_buf_init(&buf, quoted, size);
    spf_buf_add_char(&buf, '"');
    spf_buf_add_printable(&buf, text, shown, true);
    spf_buf_add_text(&buf, shown < length ? "...\"" : "\"");
    return quoted;
}

const char *spf_lint_quote_term(spf_linter_t *linter, const spf_term_t *term)
{
    return spf_lint_quote(linter, linter->text + term->offset, term->length);
}

const char *spf_lint_network(spf_linter_t *linter, const spf_network_t *network)
{
    char storage[NETWORK_SIZE];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof(storage));
    spf_network_add_text(&buf, network);
    return SPF_SAY(linter, storage);
}

const char *spf_lint_number(spf_linter_t *linter, uint64_t number)
{
    char *text = spf_lint_alloc(linter, NUMBER_SIZE);
    spf_buf_t buf;

    if (text == NULL)
        return "";
    spf_buf_init(&buf, text, NUMBER_SIZE);
    spf_buf_add_uint(&buf, number);
    return text;
}

const char *spf_lint_count(spf_linter_t *linter, uint64_t number, const char *noun)
{
    return SPF_SAY(linter, spf_lint_number(linter, number), " ", noun, number == 1 ? "" : "s");
}

/* -------------------------------------------------------------------------------------------------- about a record */

spf_record_t *spf_lint_parse(spf_linter_t *linter, const char *text, size_t length)
{
    char *copy = malloc(SPF_LINT_HEAD + length);
    spf_record_t *record = NULL;

    if (copy != NULL) {
        memcpy(copy, "v=spf1 ", SPF_LINT_HEAD);
        memcpy(copy + SPF_LINT_HEAD, text, length);
        record = spf_record_parse(copy, SPF_LINT_HEAD + length);
    }
    free(copy);
    linter->failed = linter->failed || record == NULL;
    return record;
}

bool spf_lint_is_valid(spf_linter_t *linter, const char *text, size_t length)
{
    spf_record_t *record = spf_lint_parse(linter, text, length);
    bool valid = record != NULL && record->error_term == SPF_NO_TERM;

    spf_record_unref(record);
    return valid;
}

bool spf_lint_is_term(spf_linter_t *linter, const char *text, size_t length)
{
    spf_record_t *record = spf_lint_parse(linter, text, length);
    bool is_term = record != NULL && record->error_term == SPF_NO_TERM && record->term_count == 1 &&
                   record->terms[0].kind != SPF_TERM_UNKNOWN &&
                   !(record->terms[0].kind == SPF_TERM_ALL && record->terms[0].result == SPF_RESULT_PASS);

    spf_record_unref(record);
    return is_term;
}

size_t spf_lint_word(const char *term, size_t length)
{
    return length > 0 && term[0] != '\0' && strchr("+-~?", term[0]) != NULL ? 1 : 0;
}

/* ----------------------------------------------------------------------------------------------------------- rules */

/* Whose records a rule is for. */
typedef enum scope {
    SCOPE_ANY,    /* every one that is reached */
    SCOPE_POLICY, /* the first, and those that redirects lead to from there */
    SCOPE_OWN,    /* those that the domain's owner can change: at the domain or below it */
    SCOPE_FIRST
} scope_t;

typedef struct term_rule {
    scope_t scope;
    bool needs_tree; /* it is about what DNS said */
    spf_lint_term_rule_t find;
} term_rule_t;

typedef struct node_rule {
    scope_t scope;
    bool needs_tree;
    spf_lint_node_rule_t find;
} node_rule_t;

static const term_rule_t term_rules[] = {
    {SCOPE_ANY, false, spf_lint_invalid},
    {SCOPE_OWN, false, spf_lint_qualifier},
    {SCOPE_OWN, false, spf_lint_case},
    {SCOPE_OWN, false, spf_lint_modifier},
    {SCOPE_ANY, false, spf_lint_name},
    {SCOPE_OWN, false, spf_lint_ptr},
    {SCOPE_OWN, false, spf_lint_after_all},
    {SCOPE_OWN, false, spf_lint_duplicate},
    {SCOPE_OWN, false, spf_lint_host_bits},
    {SCOPE_OWN, false, spf_lint_width},
    {SCOPE_OWN, false, spf_lint_special_network},
    {SCOPE_OWN, false, spf_lint_shadowed},
    {SCOPE_OWN, false, spf_lint_mergeable},
    {SCOPE_ANY, true, spf_lint_term_limits},
    {SCOPE_OWN, true, spf_lint_void},
    {SCOPE_ANY, true, spf_lint_mx},
    {SCOPE_OWN, true, spf_lint_idle_mx},
    {SCOPE_ANY, true, spf_lint_target},
    {SCOPE_ANY, true, spf_lint_failure},
    {SCOPE_OWN, true, spf_lint_include},
    {SCOPE_OWN, true, spf_lint_exp_target},
};

static const node_rule_t node_rules[] = {
    {SCOPE_ANY, true, spf_lint_several},
    {SCOPE_FIRST, true, spf_lint_strings},
    {SCOPE_OWN, false, spf_lint_version_case},
    {SCOPE_POLICY, false, spf_lint_all},
    {SCOPE_OWN, false, spf_lint_redirect_with_all},
    {SCOPE_OWN, false, spf_lint_exp},
    {SCOPE_OWN, true, spf_lint_size},
    {SCOPE_FIRST, true, spf_lint_near_limit},
    {SCOPE_FIRST, true, spf_lint_dmarc},
    {SCOPE_FIRST, true, spf_lint_no_record},
    {SCOPE_FIRST, true, spf_lint_nearby},
};

enum {
    TERM_RULES = sizeof(term_rules) / sizeof(term_rules[0]),
    NODE_RULES = sizeof(node_rules) / sizeof(node_rules[0])
};

static bool is_by_redirect(const spf_node_t *node)
{
    const spf_tree_node_t *parent = (const spf_tree_node_t *)node->parent;
    return parent->record->terms[node->parent_term].kind == SPF_TERM_REDIRECT;
}

/* Every include and redirect on the way to it is reached. */
static bool is_live(const spf_node_t *node)
{
    for (; node->parent != NULL; node = node->parent)
        if (!node->parent->terms[node->parent_term].is_reached)
            return false;
    return true;
}

static bool is_policy(const spf_node_t *node)
{
    for (; node->parent != NULL; node = node->parent)
        if (!is_by_redirect(node))
            return false;
    return true;
}

static bool is_own(const spf_tree_t *tree, const spf_node_t *node)
{
    const char *domain = tree->domain;
    return node->parent == NULL ||
           (domain[0] != '\0' && spf_name_is_within(node->domain, strlen(node->domain), domain, strlen(domain)));
}

static bool is_in_scope(const spf_linter_t *linter, scope_t scope)
{
    const spf_node_t *node = &linter->node->view;

    if (linter->tree == NULL || scope == SCOPE_ANY || node->parent == NULL)
        return true;
    return scope == SCOPE_OWN ? linter->is_own : scope == SCOPE_POLICY && is_policy(node);
}

/* Takes a record in hand; NULL: one that is not there. */
static void take_record(spf_linter_t *linter, const spf_record_t *record)
{
    linter->record = record;
    linter->text = record != NULL ? record->text : NULL;
    linter->length = record != NULL ? record->length : 0;
    linter->is_own = linter->tree == NULL || is_own(linter->tree, &linter->node->view);
    linter->next_term = 0;
    linter->overlaps = NULL;
    linter->all = 0;
    if (record != NULL)
        while (linter->all < record->term_count && record->terms[linter->all].kind != SPF_TERM_ALL)
            linter->all++;
}

/* Of a mechanism behind an all no more is said than that. */
static bool is_dead(const spf_linter_t *linter, uint32_t index)
{
    return index > linter->all && spf_lint_is_mechanism(&linter->record->terms[index]);
}

static void apply_term_rule(spf_linter_t *linter, const term_rule_t *rule, uint32_t index)
{
    bool is_said = rule->find == spf_lint_after_all || !is_dead(linter, index);

    if (is_said && (linter->tree != NULL || !rule->needs_tree) && is_in_scope(linter, rule->scope))
        rule->find(linter, index);
}

static void apply_term_rules(spf_linter_t *linter)
{
    uint32_t count = linter->record != NULL ? linter->record->term_count : 0;

    for (uint32_t i = 0; i < count && !linter->failed; i++)
        for (size_t rule = 0; rule < TERM_RULES && i >= linter->next_term; rule++)
            apply_term_rule(linter, &term_rules[rule], i);
}

static void apply_rules(spf_linter_t *linter)
{
    for (size_t rule = 0; rule < NODE_RULES; rule++)
        if ((linter->tree != NULL || !node_rules[rule].needs_tree) && is_in_scope(linter, node_rules[rule].scope))
            node_rules[rule].find(linter);
    apply_term_rules(linter);
}

/* ------------------------------------------------------------------------------------------------------------ order */

static int compare_places(const void *a, const void *b)
{
    const spf_remark_t *left = a, *right = b;

    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return strcmp(left->code, right->code);
}

/* Those of one node, from index on, by their place in the record. */
static void sort_from(spf_linter_t *linter, size_t index)
{
    if (linter->count > index)
        qsort(linter->remarks + index, linter->count - index, sizeof(*linter->remarks), compare_places);
}

/* Errors first; else the order stays. */
static spf_remark_t *sorted_by_severity(spf_linter_t *linter)
{
    spf_remark_t *sorted = spf_arena_alloc(linter->arena, linter->count * sizeof(*sorted));
    size_t count = 0;

    if (sorted == NULL)
        return NULL;
    for (int severity = SPF_SEVERITY_ERROR; severity <= SPF_SEVERITY_ADVICE; severity++)
        for (size_t i = 0; i < linter->count; i++)
            if ((int)linter->remarks[i].severity == severity)
                sorted[count++] = linter->remarks[i];
    return sorted;
}

/* ----------------------------------------------------------------------------------------------------------- fixing */

/* A text in the making, in the arena. */
typedef struct fixed {
    const char *text;
    size_t length;
} fixed_t;

/* Where a deleted term goes, one of the spaces around it goes too. */
static bool takes_space(const spf_buf_t *out, const fixed_t *from, const spf_remark_t *remark)
{
    size_t end = remark->replace_offset + remark->replace_length;
    bool ends = end == from->length || from->text[end] == ' ';
    return remark->replacement[0] == '\0' && ends && out->len > 0 && out->data[out->len - 1] == ' ';
}

/* Makes all fixes that do not overlap, in the order of the text. False: there is none, or no memory. */
static bool make_fixes(spf_linter_t *linter, fixed_t *text)
{
    size_t size = text->length + 1;
    size_t done = 0;
    spf_buf_t out;
    char *storage;

    for (size_t i = 0; i < linter->count; i++)
        size += linter->remarks[i].replacement != NULL ? strlen(linter->remarks[i].replacement) : 0;
    storage = spf_lint_alloc(linter, size);
    if (storage == NULL)
        return false;
    spf_buf_init(&out, storage, size);
    bool any = false;
    for (size_t i = 0; i < linter->count; i++) {
        const spf_remark_t *remark = &linter->remarks[i];
        if (remark->replacement == NULL || remark->replace_offset < done)
            continue;
        spf_buf_add(&out, text->text + done, remark->replace_offset - done);
        if (takes_space(&out, text, remark))
            out.data[--out.len] = '\0';
        spf_buf_add_text(&out, remark->replacement);
        done = remark->replace_offset + remark->replace_length;
        any = true;
    }
    spf_buf_add(&out, text->text + done, text->length - done);
    *text = (fixed_t){out.data, out.len};
    return any;
}

static int compare_replacements(const void *a, const void *b)
{
    const spf_remark_t *left = a, *right = b;

    if (left->replace_offset != right->replace_offset)
        return left->replace_offset < right->replace_offset ? -1 : 1;
    return left->replace_length < right->replace_length ? 1 : left->replace_length > right->replace_length ? -1 : 0;
}

/* Whether an error is left that the text alone tells. */
static bool has_error(const spf_linter_t *linter)
{
    for (size_t i = 0; i < linter->count; i++)
        if (linter->remarks[i].severity == SPF_SEVERITY_ERROR)
            return true;
    return false;
}

/* One round over a record's text. 1: something was fixed; 0: there was nothing; -1: it must not be offered. */
static int fix_round(spf_linter_t *linter, fixed_t *text)
{
    spf_linter_t round = {.arena = linter->arena};
    spf_record_t *record;
    int fixed = -1;

    if (!spf_record_is_record(text->text, text->length))
        return -1;
    record = spf_record_parse(text->text, text->length);
    linter->failed = linter->failed || record == NULL;
    if (record == NULL)
        return -1;
    spf_tree_node_t node = {.record = record};
    round.node = &node;
    take_record(&round, record);
    apply_rules(&round);
    if (round.count > 0)
        qsort(round.remarks, round.count, sizeof(*round.remarks), compare_replacements);
    if (make_fixes(&round, text))
        fixed = 1;
    else if (!has_error(&round))
        fixed = 0;
    linter->failed = linter->failed || round.failed;
    spf_record_unref(record);
    return round.failed ? -1 : fixed;
}

/* The text that is, or was meant to be, the first record. */
static bool find_first_text(spf_linter_t *linter, fixed_t *text)
{
    const spf_tree_node_t *node = linter->tree->node_count > 0 ? linter->tree->nodes[0] : NULL;

    if (node != NULL && node->record != NULL) {
        *text = (fixed_t){node->record->text, node->record->length};
        return node->view.record_count <= 1;
    }
    for (size_t i = 0; i < linter->count; i++) {
        if (strcmp(linter->remarks[i].code, codes[SPF_LINT_MISSPELT_VERSION].word) == 0) {
            *text = (fixed_t){linter->remarks[i].record, linter->remarks[i].record_length};
            return true;
        }
    }
    return false;
}

static fixed_t fix_record(spf_linter_t *linter)
{
    const fixed_t none = {NULL, 0};
    fixed_t original, text;
    int fixed = 1;

    if (!find_first_text(linter, &original))
        return none;
    text = original;
    if (!spf_record_is_record(text.text, text.length)) {
        text.text = spf_lint_mend_version(linter, text.text, text.length, &text.length);
        if (text.text == NULL)
            return none;
    }
    for (unsigned step = 0; step < FIX_STEPS && fixed == 1; step++)
        fixed = fix_round(linter, &text);
    bool same = text.length == original.length && memcmp(text.text, original.text, text.length) == 0;
    return fixed == 0 && !same ? text : none;
}

/* ------------------------------------------------------------------------------------------------------------ start */

const spf_lint_t *spf_lint_tree(spf_arena_t *arena, const spf_tree_t *tree)
{
    spf_linter_t linter = {.arena = arena, .tree = tree};
    spf_lint_t *lint = spf_arena_calloc(arena, sizeof(*lint));

    for (size_t i = 0; lint != NULL && i < tree->node_count; i++) {
        size_t begun = linter.count;
        linter.node = tree->nodes[i];
        if (!is_live(&linter.node->view))
            continue;
        take_record(&linter, linter.node->record);
        apply_rules(&linter);
        sort_from(&linter, begun);
    }
    if (lint == NULL || linter.failed)
        return NULL;
    fixed_t fixed = fix_record(&linter);
    lint->remarks = sorted_by_severity(&linter);
    lint->count = linter.count;
    lint->fixed = fixed.text;
    lint->fixed_length = fixed.length;
    return lint->remarks != NULL && !linter.failed ? lint : NULL;
}
