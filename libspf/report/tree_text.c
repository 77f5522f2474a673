/* SPDX-License-Identifier: MIT */
/* The tree for a terminal: a line for each record and each term, then what they come to. */
#include "report/long_text.h"
#include "report/tree.h"
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
    {"\xe2\x94\x9c\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80 ", "\xe2\x94\x82  ", "   ", " \xe2\x86\x92 "},
    {"|- ", "`- ", "|  ", "   ", " -> "},
};

/* SGR parameters (ECMA-48 section 8.3.117), as the command line has them for results. */
typedef enum color { PLAIN, NAME, PROBLEM, NOTE, FAINT } color_t;
static const char *const colors[] = {[PLAIN] = NULL, [NAME] = "1", [PROBLEM] = "1;31", [NOTE] = "36", [FAINT] = "2"};

typedef struct writer {
    spf_long_text_t out;
    const spf_tree_t *tree;
    const strokes_t *strokes;
    unsigned style;
    bool has_note; /* the line has one: the next goes into the same brackets */
} writer_t;

static void add(writer_t *writer, const char *text)
{
    spf_long_add_text(&writer->out, text);
}

static void color_on(writer_t *writer, color_t color)
{
    if ((writer->style & SPF_TEXT_COLOR) == 0 || color == PLAIN)
        return;
    add(writer, "\033[");
    add(writer, colors[color]);
    add(writer, "m");
}

static void color_off(writer_t *writer, color_t color)
{
    if ((writer->style & SPF_TEXT_COLOR) != 0 && color != PLAIN)
        add(writer, "\033[0m");
}

static void add_printable(writer_t *writer, const char *text, size_t length)
{
    spf_long_add_printable(&writer->out, text, length, (writer->style & SPF_TEXT_ASCII) == 0);
}

static void add_colored(writer_t *writer, color_t color, const char *text)
{
    color_on(writer, color);
    add_printable(writer, text, strlen(text));
    color_off(writer, color);
}

static void end_line(writer_t *writer)
{
    if (writer->has_note)
        add_colored(writer, NOTE, "]");
    writer->has_note = false;
    add(writer, "\n");
}

/* ------------------------------------------------------------------------------------------------------------- notes
 */

/* Begins one more note in the brackets at the end of the line. */
static void begin_note(writer_t *writer)
{
    add_colored(writer, NOTE, writer->has_note ? ", " : " [");
    writer->has_note = true;
}

static void add_note(writer_t *writer, color_t color, const char *text)
{
    begin_note(writer);
    add_colored(writer, color, text);
}

/* "lookups 4 of 10", "TTL 300" */
static void add_count(writer_t *writer, color_t color, const char *what, uint64_t number, const char *rest)
{
    begin_note(writer);
    color_on(writer, color);
    add(writer, what);
    spf_long_add_uint(&writer->out, number);
    add(writer, rest);
    color_off(writer, color);
}

static void add_ttl(writer_t *writer, int64_t ttl_s)
{
    if (ttl_s >= 0)
        add_count(writer, NOTE, "TTL ", (uint64_t)ttl_s, "");
}

/* The place of a term among those that are limited. */
static void add_place(writer_t *writer, const char *what, unsigned number, unsigned limit, const char *rest)
{
    bool is_past = number > limit;

    if (number == 0)
        return;
    add_count(writer, is_past ? PROBLEM : NOTE, what, number, rest);
    if (!is_past)
        return;
    color_on(writer, PROBLEM);
    add(writer, number == limit + 1 ? ": here the limit of " : ": past the limit of ");
    spf_long_add_uint(&writer->out, limit);
    add(writer, number == limit + 1 ? " is passed" : "");
    color_off(writer, PROBLEM);
}

static void add_places(writer_t *writer, const spf_node_term_t *term)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;
    bool is_counted = term->lookup_number > summary->max_lookups || term->void_number > summary->max_void_lookups;

    add_place(writer, "lookup ", term->lookup_number, summary->max_lookups, "");
    add_place(writer, "void ", term->void_number, summary->max_void_lookups, "");
    if (term->void_number6 > 0 && term->void_number6 != term->void_number)
        add_place(writer, "void ", term->void_number6, summary->max_void_lookups, " from IPv6");
    if (term->is_past_limit && !is_counted)
        add_note(writer, PROBLEM, "past the limit");
}

/* ------------------------------------------------------------------------------------------------------------- terms
 */

static bool is_whole(const spf_network_t *network)
{
    return network->prefix == (network->family == 4 ? 32 : 128);
}

/* Whether the networks say more than the term, or the addresses that DNS gave. */
static bool tells_more(const writer_t *writer, const spf_node_term_t *term)
{
    char storage[NETWORK_TEXT_MAX];
    spf_buf_t buf;

    if (term->network_count == 0)
        return false;
    if (term->answer != NULL) {
        bool is_more = (writer->style & SPF_TEXT_NETWORKS) != 0;
        for (size_t i = 0; i < term->network_count && !is_more; i++)
            is_more = !is_whole(&term->networks[i]);
        return is_more;
    }
    spf_buf_init(&buf, storage, sizeof storage);
    spf_network_add_text(&buf, &term->networks[0]);
    return strstr(term->text, buf.data) == NULL;
}

static void add_networks(writer_t *writer, const spf_node_term_t *term)
{
    size_t shown = (writer->style & SPF_TEXT_NETWORKS) != 0 ? term->network_count : SHOWN_NETWORKS;

    add(writer, " =");
    for (size_t i = 0; i < term->network_count && i < shown; i++) {
        char storage[NETWORK_TEXT_MAX];
        spf_buf_t buf;
        spf_buf_init(&buf, storage, sizeof storage);
        spf_network_add_text(&buf, &term->networks[i]);
        add(writer, " ");
        add(writer, buf.data);
    }
    if (term->network_count > shown) {
        add(writer, " and ");
        spf_long_add_uint(&writer->out, term->network_count - shown);
        add(writer, " more");
    }
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

/* The name that is asked for, where the term does not say it: the record's domain, or by a macro. */
static bool needs_target(const spf_node_term_t *term)
{
    return term->target != NULL && strstr(term->text, term->target) == NULL;
}

static void add_answer(writer_t *writer, const spf_node_term_t *term)
{
    color_t color = is_problem(term->status) ? PROBLEM : PLAIN;

    if (needs_target(term)) {
        add(writer, writer->strokes->arrow);
        add_colored(writer, PLAIN, term->target);
    }
    if (term->answer != NULL) {
        add(writer, needs_target(term) ? ": " : writer->strokes->arrow);
        add_colored(writer, color, term->answer);
    }
    if (tells_more(writer, term))
        add_networks(writer, term);
}

static void add_term_notes(writer_t *writer, const spf_node_term_t *term)
{
    const char *note = status_note(term->status);

    if (!term->is_reached)
        add_note(writer, NOTE, "not reached");
    add_places(writer, term);
    if (note != NULL)
        add_note(writer, is_problem(term->status) ? PROBLEM : NOTE, note);
    if (strcmp(term->kind, "invalid") == 0)
        add_note(writer, PROBLEM, "syntax error");
    if (term->child == NULL)
        add_ttl(writer, term->ttl_s);
}

/* ------------------------------------------------------------------------------------------------------------- lines
 */

/* The strokes of all that a node hangs on, the outermost first. */
static void add_trunk(writer_t *writer, const spf_node_t *node)
{
    const spf_node_t *path[SPF_WALK_DEPTH_MAX + 1];
    unsigned depth = node->depth;

    for (unsigned i = depth; i > 0; i--, node = node->parent)
        path[i] = node;
    if (depth == 0)
        return;
    color_on(writer, FAINT);
    for (unsigned i = 1; i <= depth; i++)
        add(writer,
            path[i]->parent_term + 1 < path[i]->parent->term_count ? writer->strokes->on : writer->strokes->blank);
    color_off(writer, FAINT);
}

static void add_term(writer_t *writer, const spf_node_t *node, size_t index)
{
    const spf_node_term_t *term = &node->terms[index];
    bool is_out = !term->is_reached || term->is_past_limit;

    add_trunk(writer, node);
    add_colored(writer, FAINT, index + 1 < node->term_count ? writer->strokes->fork : writer->strokes->last);
    add_colored(writer, is_out ? FAINT : PLAIN, term->text);
    add_answer(writer, term);
    add_term_notes(writer, term);
    end_line(writer);
}

/* What stands in place of a record. */
static void add_lack(writer_t *writer, const spf_tree_node_t *node)
{
    color_on(writer, PROBLEM);
    add(writer, spf_report_node_lack(&node->view));
    if (node->view.status == SPF_NODE_NO_RECORD && node->txt != NULL && node->txt->count > 0) {
        add(writer, node->txt->count == 1 ? ", but another TXT record" : ", but other TXT records: ");
        if (node->txt->count > 1)
            spf_long_add_uint(&writer->out, node->txt->count);
    }
    if (node->view.detail != NULL) {
        add(writer, ": ");
        add_printable(writer, node->view.detail, strlen(node->view.detail));
    }
    color_off(writer, PROBLEM);
}

/* "lookups 3 of 10" of the first record; of another one its own, and how many there were up to its end. */
static void add_sum(writer_t *writer, const spf_node_t *node, const char *what, unsigned own, unsigned running,
                    unsigned limit)
{
    bool is_first = node->parent == NULL;
    color_t color = running > limit ? PROBLEM : NOTE;

    add_count(writer, color, what, own, is_first ? " of " : "");
    color_on(writer, color);
    if (!is_first)
        add(writer, " (");
    spf_long_add_uint(&writer->out, is_first ? limit : running);
    if (!is_first)
        add(writer, " so far)");
    color_off(writer, color);
}

static void add_sums(writer_t *writer, const spf_node_t *node)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;

    add_sum(writer, node, "lookups ", node->lookups, node->running_lookups, summary->max_lookups);
    add_sum(writer, node, "void ", node->void_lookups, node->running_void_lookups, summary->max_void_lookups);
    if (node->running_void_lookups6 != node->running_void_lookups)
        add_sum(writer, node, "from IPv6 void ", node->void_lookups6, node->running_void_lookups6,
                summary->max_void_lookups);
}

static void add_record(writer_t *writer, const spf_tree_node_t *node)
{
    const spf_node_t *view = &node->view;

    add_trunk(writer, view);
    add_colored(writer, NAME, view->domain[0] != '\0' ? view->domain : "(no domain)");
    add(writer, ": ");
    if (view->status == SPF_NODE_RECORD)
        add_printable(writer, view->record, view->record_length);
    else
        add_lack(writer, node);
    if (view->has_syntax_error) {
        add_count(writer, PROBLEM, "syntax error at octet ", view->error_offset + 1, ": ");
        add_colored(writer, PROBLEM, view->error);
    }
    if (node->record != NULL)
        add_sums(writer, view);
    add_ttl(writer, view->ttl_s);
    if (view->dnssec == SPF_DNSSEC_SECURE)
        add_note(writer, NOTE, "DNSSEC");
    end_line(writer);
}

/* Every record with its terms, each of those with what it leads to. */
static void add_tree(writer_t *writer)
{
    const spf_tree_node_t *node = writer->tree->nodes[0];
    size_t index = 0;

    add_record(writer, node);
    while (node != NULL) {
        if (index < node->view.term_count) {
            const spf_tree_node_t *child = node->terms[index].child;
            add_term(writer, &node->view, index++);
            if (child == NULL)
                continue;
            node = child;
            add_record(writer, node);
            index = 0;
        } else {
            index = node->view.parent_term + 1;
            node = (const spf_tree_node_t *)node->view.parent;
        }
    }
}

/* --------------------------------------------------------------------------------------------------------- what it is
 */

static void add_number(writer_t *writer, uint64_t number, const char *one, const char *many)
{
    spf_long_add_uint(&writer->out, number);
    add(writer, number == 1 ? one : many);
}

static void add_summary(writer_t *writer)
{
    const spf_survey_summary_t *summary = &writer->tree->summary;

    if (summary->records > 0) {
        add_number(writer, summary->records, " record, ", " records, ");
        if (summary->is_anybody)
            add(writer, "anybody may send");
        else
            add_number(writer, summary->networks, " network may send", " networks may send");
        if (!summary->is_complete)
            add(writer, summary->has_failure ? ", so far as is known: not every question was answered"
                                             : ", so far as is known: not everything was asked");
        add(writer, "\n");
    }
    if (summary->is_permerror || summary->is_permerror6) {
        color_on(writer, PROBLEM);
        add(writer, summary->is_permerror ? "mail that no term matches gets permerror"
                                          : "mail from IPv6 clients that no term matches gets permerror");
        color_off(writer, PROBLEM);
        add(writer, "\n");
    }
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
    writer_t writer = {
        .out = {.arena = arena}, .tree = tree, .strokes = &strokes[(style & SPF_TEXT_ASCII) != 0], .style = style};

    add_tree(&writer);
    add_summary(&writer);
    if (writer.out.buf.len > 0)
        writer.out.buf.data[--writer.out.buf.len] = '\0'; /* lines are parted by LF, not ended */
    return spf_long_end(&writer.out);
}
