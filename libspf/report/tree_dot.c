/* SPDX-License-Identifier: MIT */
/* The tree as a Graphviz digraph: a box for each record with its terms, an edge for what leads to another. */
#include "report/long_text.h"
#include "report/tree.h"

#include <string.h>

/* Printable text within a quoted string of the DOT language; in labels, "&#27;" would be a character. */
static void add_text(spf_long_text_t *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            spf_long_add_text(out, "\\");
        spf_long_add(out, text, 1);
        if (*text == '&')
            spf_long_add_text(out, "amp;");
    }
}

static void add_count(spf_long_text_t *out, const char *what, uint64_t number)
{
    spf_long_add_text(out, what);
    spf_long_add_uint(out, number);
}

static bool is_edge(const spf_node_term_t *term)
{
    return strcmp(term->kind, "include") == 0 || strcmp(term->kind, "redirect") == 0;
}

/* A line of the box: the term, its place, what DNS said. */
static void add_term(spf_long_text_t *out, const spf_node_term_t *term)
{
    add_text(out, term->text);
    if (term->lookup_number > 0)
        add_count(out, " #", term->lookup_number);
    if (term->answer != NULL && !is_edge(term)) {
        spf_long_add_text(out, ": ");
        add_text(out, term->answer);
    }
    if (!term->is_reached)
        spf_long_add_text(out, " (not reached)");
    else if (term->is_past_limit)
        spf_long_add_text(out, " (past the limit)");
    spf_long_add_text(out, "\\l");
}

static void add_node(spf_long_text_t *out, const spf_tree_node_t *node)
{
    const spf_node_t *view = &node->view;
    bool is_wrong = view->status != SPF_NODE_RECORD || view->has_syntax_error;

    add_count(out, "  n", node->index);
    spf_long_add_text(out, " [label=\"");
    add_text(out, view->domain[0] != '\0' ? view->domain : "(no domain)");
    if (view->status == SPF_NODE_RECORD) {
        add_count(out, "\\nlookups ", view->lookups);
        if (view->void_lookups > 0)
            add_count(out, ", void ", view->void_lookups);
    } else {
        spf_long_add_text(out, "\\n");
        add_text(out, spf_report_node_lack(view));
    }
    spf_long_add_text(out, "\\n");
    for (size_t i = 0; i < view->term_count; i++)
        add_term(out, &view->terms[i]);
    spf_long_add_text(out, is_wrong ? "\", color=red];\n" : "\"];\n");
}

/* The record above with that name, which a loop leads back to. */
static const spf_tree_node_t *above(const spf_tree_node_t *node, const char *name)
{
    while (node != NULL && strcmp(node->name, name) != 0)
        node = (const spf_tree_node_t *)node->view.parent;
    return node;
}

static void add_edge(spf_long_text_t *out, const spf_tree_node_t *node, const spf_tree_term_t *term,
                     const spf_node_term_t *view)
{
    bool is_loop = view->status == SPF_NODE_LOOP;
    const spf_tree_node_t *to = is_loop ? above(node, term->name) : term->child;

    if (to == NULL)
        return;
    add_count(out, "  n", node->index);
    add_count(out, " -> n", to->index);
    spf_long_add_text(out, " [label=\"");
    spf_long_add_text(out, view->kind);
    if (view->lookup_number > 0)
        add_count(out, " #", view->lookup_number);
    spf_long_add_text(out, is_loop            ? "\", style=dashed, color=red];\n"
                           : view->is_reached ? "\"];\n"
                                              : "\", style=dotted];\n");
}

const char *spf_report_tree_dot(spf_arena_t *arena, const spf_tree_t *tree)
{
    spf_long_text_t out = {.arena = arena};

    spf_long_add_text(&out, "digraph spf {\n  node [shape=box, fontname=\"monospace\"];\n");
    for (size_t i = 0; i < tree->node_count; i++)
        add_node(&out, tree->nodes[i]);
    for (size_t i = 0; i < tree->node_count; i++)
        for (size_t j = 0; j < tree->nodes[i]->view.term_count; j++)
            add_edge(&out, tree->nodes[i], &tree->nodes[i]->terms[j], &tree->nodes[i]->view.terms[j]);
    spf_long_add_text(&out, "}");
    return spf_long_end(&out);
}
