/* SPDX-License-Identifier: MIT */
/*
 * The tree for a terminal: each record in full, below it a line for each of its terms that says more than the record
 * does, then what it all comes to.
 */
#include "base/ascii.h"
#include "report/tree.h"
#include "report/wrapped.h"
#include "tools/addresses.h"
#include "tools/walk.h"

#include <string.h>

enum { SHOWN_NETWORKS = 8, NETWORK_TEXT_MAX = SPF_IP_TEXT_MAX + 4 };

/* What lines are drawn with, in UTF-8 and in ASCII. */
typedef struct strokes {
    const char *fork, *last; /* before a term */
    const char *on, *blank;  /* before what hangs on a term */
    const char *arrow;
} strokes_t;

static const strokes_t strokes[] = {
    {"\xe2\x94\x9c\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80 ", "\xe2\x94\x82  ", "   ", "\xe2\x86\x92"},
    {"|- ", "`- ", "|  ", "   ", "->"},
};

typedef struct writer {
    spf_wrapped_t lines;
    const spf_tree_t *tree;
    const strokes_t *strokes;
    unsigned style;
    uint32_t *ends; /* for each node: the place behind the last term that has a line */
    bool has_note;  /* the line has one: the next goes into the same brackets */
} writer_t;

static void add(writer_t *writer, spf_color_t color, const char *text)
{
    spf_wrapped_add(&writer->lines, color, text);
}

static void add_words(writer_t *writer, spf_color_t color, const char *text)
{
    spf_wrapped_add_words(&writer->lines, color, text, strlen(text));
}

static void end_line(writer_t *writer)
{
    if (writer->has_note)
        add(writer, SPF_COLOR_NOTE, "]");
    writer->has_note = false;
    spf_wrapped_end_line(&writer->lines);
}

/* ------------------------------------------------------------------------------------------------------------- notes
 */

/* Begins one more note in the brackets at the end of the line. */
static void begin_note(writer_t *writer)
{
    if (writer->has_note)
        add(writer, SPF_COLOR_NOTE, ",");
    spf_wrapped_space(&writer->lines);
    if (!writer->has_note)
        add(writer, SPF_COLOR_NOTE, "[");
    writer->has_note = true;
}

static void add_note(writer_t *writer, spf_color_t color, const char *text)
{
    begin_note(writer);
    add(writer, color, text);
}

/* "TTL 300", "lookups 4 of 10" */
static void add_count(writer_t *writer, spf_color_t color, const char *what, uint64_t number, const char *rest)
{
    add_note(writer, color, what);
    spf_wrapped_add_uint(&writer->lines, color, number);
    add(writer, color, rest);
}

static void add_ttl(writer_t *writer, int64_t ttl_s)
{
    if (ttl_s >= 0)
        add_count(writer, SPF_COLOR_NOTE, "TTL ", (uint64_t)ttl_s, "");
}

/* The place of a term among those that are limited; where the limit falls, it is told. */
static void add_place(writer_t *writer, const char *what, unsigned number, unsigned limit, const char *rest)
{
    spf_color_t color = number > limit ? SPF_COLOR_PROBLEM : SPF_COLOR_NOTE;

    if (number == 0)
        return;
    add_count(writer, color, what, number, rest);
    if (number != limit + 1)
        return;
    add(writer, color, ": here the limit of ");
    spf_wrapped_add_uint(&writer->lines, color, limit);
    add(writer, color, " is passed");
}

static void add_places(writer_t *writer, const spf_node_term_t *term)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;
    unsigned lookups = summary->max_lookups + 1, voids = summary->max_void_lookups + 1;

    add_place(writer, "lookup ", term->lookup_number, summary->max_lookups, "");
    add_place(writer, "void ", term->void_number, summary->max_void_lookups, "");
    if (term->void_number6 > 0 && term->void_number6 != term->void_number)
        add_place(writer, "void ", term->void_number6, summary->max_void_lookups, " from IPv6");
    if (term->is_past_limit && term->lookup_number != lookups && term->void_number != voids)
        add_note(writer, SPF_COLOR_PROBLEM, "past the limit");
}

/* "lookups 3 of 10" of the first record. */
static void add_total(writer_t *writer, const char *what, unsigned number, unsigned limit, const char *rest)
{
    spf_color_t color = number > limit ? SPF_COLOR_PROBLEM : SPF_COLOR_NOTE;

    add_count(writer, color, what, number, " of ");
    spf_wrapped_add_uint(&writer->lines, color, limit);
    add(writer, color, rest);
}

/* "3 below: 5 so far": what another record brings, and how many there were up to its end. */
static void add_share(writer_t *writer, const char *what, unsigned own, unsigned running, unsigned limit,
                      const char *rest)
{
    spf_color_t color = running > limit ? SPF_COLOR_PROBLEM : SPF_COLOR_NOTE;

    if (own == 0)
        return;
    add_count(writer, color, what, own, rest);
    add(writer, color, ": ");
    spf_wrapped_add_uint(&writer->lines, color, running);
    add(writer, color, " so far");
}

static void add_sums(writer_t *writer, const spf_node_t *node)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;
    unsigned voids = summary->max_void_lookups;
    bool is_other6 = node->void_lookups6 != node->void_lookups;

    if (node->parent != NULL) {
        add_share(writer, "", node->lookups, node->running_lookups, summary->max_lookups, " below");
        add_share(writer, "void ", node->void_lookups, node->running_void_lookups, voids, " below");
        if (is_other6)
            add_share(writer, "void ", node->void_lookups6, node->running_void_lookups6, voids, " below from IPv6");
        return;
    }
    add_total(writer, "lookups ", node->lookups, summary->max_lookups, "");
    if (node->void_lookups > 0)
        add_total(writer, "void ", node->void_lookups, voids, "");
    if (node->void_lookups6 > 0 && is_other6)
        add_total(writer, "void ", node->void_lookups6, voids, " from IPv6");
}

/* What is to be told of a node beside its record. */
static void add_node_notes(writer_t *writer, const spf_tree_node_t *node)
{
    const spf_node_t *view = &node->view;

    if (node->record != NULL)
        add_sums(writer, view);
    add_ttl(writer, view->ttl_s);
    if (view->dnssec == SPF_DNSSEC_SECURE)
        add_note(writer, SPF_COLOR_NOTE, "DNSSEC");
    if (!view->has_syntax_error)
        return;
    add_count(writer, SPF_COLOR_PROBLEM, "syntax error at octet ", view->error_offset + 1, ": ");
    if (view->error != NULL)
        add_words(writer, SPF_COLOR_PROBLEM, view->error);
}

/* ------------------------------------------------------------------------------------------------------------- terms
 */

static bool is_whole(const spf_network_t *network)
{
    return network->prefix == (network->family == 4 ? 32 : 128);
}

/* Whether the term is the network as it would be written; case is no matter. */
static bool is_written_so(const spf_node_term_t *term, const spf_network_t *network)
{
    char written[NETWORK_TEXT_MAX], storage[NETWORK_TEXT_MAX];
    const char *colon = strchr(term->text, ':');
    spf_buf_t buf;
    size_t length;

    spf_buf_init(&buf, storage, sizeof storage);
    spf_network_add_text(&buf, network);
    if (colon == NULL || strlen(colon + 1) >= sizeof written)
        return false;
    length = strlen(colon + 1);
    for (size_t i = 0; i <= length; i++)
        written[i] = spf_ascii_lower(colon[1 + i]);
    return strncmp(written, buf.data, buf.len) == 0;
}

/* Whether the networks say more than the term, or the addresses that DNS gave. */
static bool tells_more(const writer_t *writer, const spf_node_term_t *term)
{
    if (term->network_count == 0)
        return false;
    if (term->answer == NULL)
        return !is_written_so(term, &term->networks[0]);
    for (size_t i = 0; i < term->network_count; i++)
        if (!is_whole(&term->networks[i]))
            return true;
    return (writer->style & SPF_TEXT_NETWORKS) != 0;
}

static void add_networks(writer_t *writer, const spf_node_term_t *term)
{
    size_t shown = (writer->style & SPF_TEXT_NETWORKS) != 0 ? term->network_count : SHOWN_NETWORKS;

    add_words(writer, SPF_COLOR_PLAIN, " =");
    for (size_t i = 0; i < term->network_count && i < shown; i++) {
        char storage[NETWORK_TEXT_MAX];
        spf_buf_t buf;
        spf_buf_init(&buf, storage, sizeof storage);
        spf_network_add_text(&buf, &term->networks[i]);
        spf_wrapped_space(&writer->lines);
        add(writer, SPF_COLOR_PLAIN, buf.data);
    }
    if (term->network_count <= shown)
        return;
    add_words(writer, SPF_COLOR_PLAIN, " and ");
    spf_wrapped_add_uint(&writer->lines, SPF_COLOR_PLAIN, term->network_count - shown);
    add_words(writer, SPF_COLOR_PLAIN, " more");
}

/* What the words of a term's status do not tell by its answer. */
static const char *status_note(spf_node_status_t status)
{
    switch (status) {
    case SPF_NODE_BAD_NAME:
        return "leads to no DNS name";
    case SPF_NODE_LOOP:
        return "leads back to a record above: a loop";
    case SPF_NODE_NOT_ASKED:
        return "not asked";
    case SPF_NODE_MACRO:
        return "depends on the mail";
    default:
        return NULL;
    }
}

static bool is_problem(spf_node_status_t status)
{
    return status != SPF_NODE_RECORD && status != SPF_NODE_MACRO && status != SPF_NODE_NOT_ASKED;
}

/* Whether mail gets to the record at all. */
static bool is_reached(const spf_node_t *node)
{
    return node->parent == NULL || node->parent->terms[node->parent_term].is_reached;
}

/* Whether there is more to tell of a term than the record says. */
static bool is_told(const writer_t *writer, const spf_node_t *node, const spf_node_term_t *term)
{
    bool is_aside = strcmp(term->kind, "exp") == 0 && !is_problem(term->status);

    if (term->child != NULL || term->lookup_number > 0 || strcmp(term->kind, "invalid") == 0)
        return true;
    return !is_aside && (term->answer != NULL || term->status != SPF_NODE_RECORD || tells_more(writer, term) ||
                         (!term->is_reached && is_reached(node)));
}

/* The name that is asked for, where the term does not say it: the record's domain, or by a macro. */
static bool needs_target(const spf_node_term_t *term)
{
    return term->target != NULL && strstr(term->text, term->target) == NULL;
}

/* What stands in place of a record. */
static void add_lack(writer_t *writer, const spf_tree_node_t *node)
{
    const spf_node_t *view = &node->view;

    add_words(writer, SPF_COLOR_PROBLEM, spf_report_node_lack(view));
    if (view->status == SPF_NODE_NO_RECORD && node->txt != NULL && node->txt->count == 1)
        add_words(writer, SPF_COLOR_PROBLEM, ", but another TXT record");
    if (view->status == SPF_NODE_NO_RECORD && node->txt != NULL && node->txt->count > 1) {
        add_words(writer, SPF_COLOR_PROBLEM, ", but other TXT records: ");
        spf_wrapped_add_uint(&writer->lines, SPF_COLOR_PROBLEM, node->txt->count);
    }
    if (view->detail == NULL)
        return;
    add_words(writer, SPF_COLOR_PROBLEM, ": ");
    add_words(writer, SPF_COLOR_PROBLEM, view->detail);
}

static void add_arrow(writer_t *writer)
{
    spf_wrapped_space(&writer->lines);
    add(writer, SPF_COLOR_PLAIN, writer->strokes->arrow);
    spf_wrapped_space(&writer->lines);
}

/* What DNS said: of what leads to a record only what is wrong with that. */
static void add_answer(writer_t *writer, const spf_node_term_t *term, const spf_tree_node_t *child)
{
    bool is_lack = child != NULL && child->record == NULL;
    bool is_answer = child == NULL && term->answer != NULL;

    if (needs_target(term)) {
        add_arrow(writer);
        add(writer, SPF_COLOR_PLAIN, term->target);
        if (is_lack || is_answer)
            add_words(writer, SPF_COLOR_PLAIN, ": ");
    } else if (is_lack || is_answer) {
        add_arrow(writer);
    }
    if (is_lack)
        add_lack(writer, child);
    if (is_answer)
        add_words(writer, is_problem(term->status) ? SPF_COLOR_PROBLEM : SPF_COLOR_PLAIN, term->answer);
    if (tells_more(writer, term))
        add_networks(writer, term);
}

static void add_term_notes(writer_t *writer, const spf_node_term_t *term, const spf_tree_node_t *child)
{
    const char *note = status_note(term->status);

    if (!term->is_reached)
        add_note(writer, SPF_COLOR_NOTE, "not reached");
    add_places(writer, term);
    if (note != NULL && child == NULL)
        add_note(writer, is_problem(term->status) ? SPF_COLOR_PROBLEM : SPF_COLOR_NOTE, note);
    if (strcmp(term->kind, "invalid") == 0)
        add_note(writer, SPF_COLOR_PROBLEM, "syntax error");
    if (child == NULL)
        add_ttl(writer, term->ttl_s);
    else
        add_node_notes(writer, child);
}

/* ------------------------------------------------------------------------------------------------------------- lines
 */

/* Begins a line below all that a node hangs on: the strokes of these, the outermost first, then its own. */
static void begin_line(writer_t *writer, const spf_node_t *node, const char *own, const char *own_rest)
{
    bool goes_on[SPF_WALK_DEPTH_MAX + 1] = {false};
    char lead_storage[SPF_WRAPPED_LEAD_MAX], rest_storage[SPF_WRAPPED_LEAD_MAX];
    unsigned depth = node->depth;
    spf_buf_t lead, rest;

    for (unsigned i = depth; i > 0; i--, node = node->parent)
        goes_on[i] = node->parent_term + 1 < writer->ends[((const spf_tree_node_t *)node->parent)->index];
    spf_buf_init(&lead, lead_storage, sizeof lead_storage);
    spf_buf_init(&rest, rest_storage, sizeof rest_storage);
    for (unsigned i = 1; i <= depth; i++)
        spf_buf_add_text(&lead, goes_on[i] ? writer->strokes->on : writer->strokes->blank);
    spf_buf_add(&rest, lead.data, lead.len);
    spf_buf_add_text(&lead, own);
    spf_buf_add_text(&rest, own_rest);
    spf_wrapped_begin(&writer->lines, lead.data, rest.data);
}

static void write_term(writer_t *writer, const spf_tree_node_t *node, size_t index)
{
    const spf_node_term_t *term = &node->view.terms[index];
    const spf_tree_node_t *child = node->terms[index].child;
    const strokes_t *of = writer->strokes;
    bool goes_on = index + 1 < writer->ends[node->index];
    bool is_out = !term->is_reached || term->is_past_limit;

    begin_line(writer, &node->view, goes_on ? of->fork : of->last, goes_on ? of->on : of->blank);
    add(writer, is_out ? SPF_COLOR_FAINT : child != NULL ? SPF_COLOR_NAME : SPF_COLOR_PLAIN, term->text);
    add_answer(writer, term, child);
    add_term_notes(writer, term, child);
    end_line(writer);
}

static void write_text(writer_t *writer, const spf_tree_node_t *node, const char *text, size_t length)
{
    const char *own = writer->ends[node->index] > 0 ? writer->strokes->on : writer->strokes->blank;

    begin_line(writer, &node->view, own, own);
    spf_wrapped_add_words(&writer->lines, SPF_COLOR_PLAIN, text, length);
    end_line(writer);
}

/* The record; of several all of them. */
static void write_record(writer_t *writer, const spf_tree_node_t *node)
{
    const spf_node_t *view = &node->view;

    if (view->status == SPF_NODE_RECORD)
        write_text(writer, node, view->record, view->record_length);
    if (view->status != SPF_NODE_SEVERAL || node->txt == NULL)
        return;
    for (uint32_t i = 0; i < node->txt->count; i++)
        if (spf_record_is_record(node->txt->texts[i].data, node->txt->texts[i].length))
            write_text(writer, node, node->txt->texts[i].data, node->txt->texts[i].length);
}

static void write_root(writer_t *writer)
{
    const spf_tree_node_t *root = writer->tree->nodes[0];

    spf_wrapped_begin(&writer->lines, "", writer->strokes->blank);
    add(writer, SPF_COLOR_NAME, root->view.domain[0] != '\0' ? root->view.domain : "(no domain)");
    if (root->record == NULL) {
        add_words(writer, SPF_COLOR_PLAIN, ": ");
        add_lack(writer, root);
    }
    add_node_notes(writer, root);
    end_line(writer);
    write_record(writer, root);
}

/* Every record with its terms, each of those with what it leads to. */
static void write_tree(writer_t *writer)
{
    const spf_tree_node_t *node = writer->tree->nodes[0];
    size_t index = 0;

    write_root(writer);
    while (node != NULL) {
        if (index < writer->ends[node->index]) {
            const spf_tree_node_t *child = node->terms[index].child;
            if (is_told(writer, &node->view, &node->view.terms[index]))
                write_term(writer, node, index);
            index++;
            if (child == NULL)
                continue;
            node = child;
            write_record(writer, node);
            index = 0;
        } else {
            index = node->view.parent_term + 1;
            node = (const spf_tree_node_t *)node->view.parent;
        }
    }
}

/* False without memory. */
static bool find_ends(writer_t *writer, spf_arena_t *arena)
{
    const spf_tree_t *tree = writer->tree;

    writer->ends = spf_arena_calloc(arena, tree->node_count * sizeof *writer->ends);
    for (size_t i = 0; writer->ends != NULL && i < tree->node_count; i++) {
        const spf_node_t *node = &tree->nodes[i]->view;
        size_t end = node->term_count;
        while (end > 0 && !is_told(writer, node, &node->terms[end - 1]))
            end--;
        writer->ends[i] = (uint32_t)end;
    }
    return writer->ends != NULL;
}

/* --------------------------------------------------------------------------------------------------------- what it is
 */

static void add_number(writer_t *writer, uint64_t number, const char *one, const char *many)
{
    spf_wrapped_add_uint(&writer->lines, SPF_COLOR_PLAIN, number);
    add_words(writer, SPF_COLOR_PLAIN, number == 1 ? one : many);
}

static void write_senders(writer_t *writer)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;

    spf_wrapped_begin(&writer->lines, "", "");
    add_number(writer, summary->records, " record, ", " records, ");
    if (summary->is_anybody)
        add_words(writer, SPF_COLOR_PLAIN, "anybody may send");
    else
        add_number(writer, summary->networks, " network may send", " networks may send");
    if (!summary->is_complete)
        add_words(writer, SPF_COLOR_PLAIN,
                  summary->has_failure ? ", so far as is known: not every question was answered"
                                       : ", so far as is known: not everything was asked");
    end_line(writer);
}

static void write_summary(writer_t *writer)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;

    if (summary->records > 0)
        write_senders(writer);
    if (!summary->is_permerror && !summary->is_permerror6)
        return;
    spf_wrapped_begin(&writer->lines, "", "");
    add_words(writer, SPF_COLOR_PROBLEM,
              summary->is_permerror ? "mail that no term matches gets permerror"
                                    : "mail from IPv6 clients that no term matches gets permerror");
    end_line(writer);
}

const char *spf_report_node_lack(const spf_node_t *node)
{
    static const char *const texts[] = {
        [SPF_NODE_RECORD] = "",
        [SPF_NODE_NO_DOMAIN] = "there is no such domain (NXDOMAIN)",
        [SPF_NODE_NO_RECORD] = "no SPF record",
        [SPF_NODE_SEVERAL] = "several SPF records, which is a permerror",
        [SPF_NODE_TIMEOUT] = "DNS did not answer",
        [SPF_NODE_ERROR] = "DNS failed",
        [SPF_NODE_BOGUS] = "DNSSEC says that the answer is forged",
        [SPF_NODE_BAD_NAME] = "no domain that mail can come from",
        [SPF_NODE_MACRO] = "depends on the mail",
        [SPF_NODE_LOOP] = "a loop",
        [SPF_NODE_NOT_ASKED] = "not followed: the records are more than a survey takes up",
    };

    return texts[node->status];
}

const char *spf_report_tree_text(spf_arena_t *arena, const spf_tree_t *tree, unsigned style)
{
    bool is_ascii = (style & SPF_TEXT_ASCII) != 0;
    spf_arena_t scratch = SPF_ARENA_EMPTY;
    writer_t writer = {.tree = tree, .strokes = &strokes[is_ascii], .style = style};
    const char *text = NULL;

    spf_wrapped_init(&writer.lines, arena, is_ascii, (style & SPF_TEXT_COLOR) != 0);
    if (find_ends(&writer, &scratch)) {
        write_tree(&writer);
        write_summary(&writer);
        text = spf_wrapped_end(&writer.lines);
    }
    spf_arena_free(&scratch);
    return text;
}
