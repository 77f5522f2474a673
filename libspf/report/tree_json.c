/* SPDX-License-Identifier: MIT */
#include "report/object.h"
#include "report/tree.h"
#include "tools/addresses.h"

#include <string.h>

enum { NETWORK_TEXT_MAX = SPF_IP_TEXT_MAX + 4 };

/* ------------------------------------------------------------------------------------------------------------- terms
 */

static json_t *network_string(const spf_network_t *network)
{
    char storage[NETWORK_TEXT_MAX];
    spf_buf_t buf;

    spf_buf_init(&buf, storage, sizeof(storage));
    spf_network_add_text(&buf, network);
    return json_stringn_nocheck(buf.data, buf.len);
}

static json_t *networks_array(const spf_node_term_t *term)
{
    json_t *array = json_array();

    for (size_t i = 0; i < term->network_count; i++) {
        if (!spf_json_append(array, network_string(&term->networks[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static void set_flag(spf_object_t *object, const char *key, bool value)
{
    spf_object_set(object, key, json_boolean(value));
}

static void set_counters(spf_object_t *object, const spf_node_term_t *term)
{
    set_flag(object, "reached", term->is_reached);
    spf_object_set_number_if(object, "lookup", term->lookup_number, term->lookup_number > 0);
    spf_object_set_number_if(object, "void_lookup", term->void_number, term->void_number > 0);
    spf_object_set_number_if(object, "void_lookup_ipv6", term->void_number6, term->void_number6 > 0);
    set_flag(object, "past_limit", term->is_past_limit);
    set_flag(object, "past_limit_ipv6", term->is_past_limit6);
}

/* child: the object of the node that it leads to, which is taken; NULL: there is none. */
static json_t *term_object(spf_arena_t *arena, const spf_node_term_t *term, json_t *child)
{
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_text(&object, "term", term->text);
    spf_object_set_number(&object, "offset", term->offset);
    spf_object_set_number(&object, "length", term->length);
    spf_object_set_text(&object, "kind", term->kind);
    spf_object_set_text(&object, "result", term->is_mechanism ? spf_result_name(term->result) : NULL);
    spf_object_set_text(&object, "target", term->target);
    set_flag(&object, "depends_on_mail", term->depends_on_mail);
    set_counters(&object, term);
    spf_object_set_text(&object, "status", spf_node_status_name(term->status));
    spf_object_set_text(&object, "answer", term->answer);
    spf_object_set_number_if(&object, "ttl", (uint64_t)term->ttl_s, term->ttl_s >= 0);
    spf_object_set(&object, "networks", networks_array(term));
    spf_object_set_number_if(&object, "hosts", term->host_count, strcmp(term->kind, "mx") == 0);
    spf_object_set(&object, "child", child != NULL ? child : json_null());
    return spf_object_end(&object);
}

/* ------------------------------------------------------------------------------------------------------------- nodes
 */

static json_t *error_object(spf_arena_t *arena, const spf_node_t *node)
{
    spf_object_t object;

    if (!node->has_syntax_error)
        return json_null();
    object = spf_object_begin(arena);
    spf_object_set_number(&object, "offset", node->error_offset);
    spf_object_set_text(&object, "message", node->error);
    return spf_object_end(&object);
}

/* Of several records all of them; else null. */
static json_t *records_array(spf_arena_t *arena, const spf_tree_node_t *node)
{
    json_t *array;

    if (node->view.status != SPF_NODE_SEVERAL || node->txt == NULL)
        return json_null();
    array = json_array();
    for (uint32_t i = 0; i < node->txt->count; i++) {
        const spf_text_t *text = &node->txt->texts[i];
        if (!spf_record_is_record(text->data, text->length))
            continue;
        if (!spf_json_append(array, spf_json_octets(arena, text->data, text->length))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* The node's terms; the objects of the nodes that they lead to are taken. */
static json_t *terms_array(spf_arena_t *arena, const spf_tree_node_t *node, json_t **nodes)
{
    json_t *array = json_array();
    bool failed = array == NULL;

    for (size_t i = 0; i < node->view.term_count; i++) {
        const spf_tree_node_t *child = node->terms[i].child;
        json_t *taken = child != NULL ? nodes[child->index] : NULL;
        if (child != NULL)
            nodes[child->index] = NULL;
        failed = !spf_json_append(array, term_object(arena, &node->view.terms[i], taken)) || failed;
    }
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *node_object(spf_arena_t *arena, const spf_tree_node_t *node, json_t **nodes)
{
    const spf_node_t *view = &node->view;
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_text(&object, "domain", view->domain);
    spf_object_set_text(&object, "status", spf_node_status_name(view->status));
    spf_object_set_text(&object, "detail", view->detail);
    spf_object_set_octets(&object, "record", view->record, view->record_length);
    spf_object_set_number(&object, "record_count", view->record_count);
    spf_object_set(&object, "records", records_array(arena, node));
    spf_object_set_number_if(&object, "ttl", (uint64_t)view->ttl_s, view->ttl_s >= 0);
    spf_object_set_text(&object, "dnssec", spf_dnssec_name(view->dnssec));
    spf_object_set_number_if(&object, "answer_octets", view->answer_octets, view->answer_octets > 0);
    spf_object_set(&object, "syntax_error", error_object(arena, view));
    spf_object_set_number(&object, "lookups", view->lookups);
    spf_object_set_number(&object, "void_lookups", view->void_lookups);
    spf_object_set_number(&object, "void_lookups_ipv6", view->void_lookups6);
    spf_object_set_number(&object, "running_lookups", view->running_lookups);
    spf_object_set_number(&object, "running_void_lookups", view->running_void_lookups);
    spf_object_set_number(&object, "running_void_lookups_ipv6", view->running_void_lookups6);
    spf_object_set(&object, "terms", terms_array(arena, node, nodes));
    return spf_object_end(&object);
}

/* The first node's object, with all the others in it. They are made from the last on: each comes behind what leads to
 * it, so what it leads to is there when it is made. */
static json_t *tree_object(spf_arena_t *arena, const spf_tree_t *tree)
{
    json_t **nodes = spf_arena_calloc(arena, tree->node_count * sizeof(*nodes));
    bool failed = nodes == NULL;

    for (size_t i = tree->node_count; nodes != NULL && i-- > 0;) {
        nodes[i] = node_object(arena, tree->nodes[i], nodes);
        failed = nodes[i] == NULL || failed;
    }
    if (!failed)
        return nodes[0];
    for (size_t i = 0; nodes != NULL && i < tree->node_count; i++)
        json_decref(nodes[i]);
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- remarks
 */

/* The text that a remark is about is told only where the tree does not have it: it can be long, and remarks many. */
static bool is_in_tree(const spf_remark_t *remark)
{
    return remark->node != NULL && remark->record == remark->node->record;
}

static json_t *remark_object(spf_arena_t *arena, const spf_remark_t *remark)
{
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_text(&object, "severity", spf_severity_name(remark->severity));
    spf_object_set_text(&object, "code", remark->code);
    spf_object_set_text(&object, "domain", remark->domain);
    spf_object_set_octets(&object, "record", is_in_tree(remark) ? NULL : remark->record, remark->record_length);
    spf_object_set_number(&object, "offset", remark->offset);
    spf_object_set_number(&object, "length", remark->length);
    spf_object_set_text(&object, "section", remark->section);
    spf_object_set_text(&object, "sentence", remark->sentence);
    spf_object_set_text(&object, "fix", remark->fix);
    spf_object_set_text(&object, "replacement", remark->replacement);
    spf_object_set_number_if(&object, "replace_offset", remark->replace_offset, remark->replacement != NULL);
    spf_object_set_number_if(&object, "replace_length", remark->replace_length, remark->replacement != NULL);
    return spf_object_end(&object);
}

static json_t *remarks_array(spf_arena_t *arena, const spf_lint_t *lint)
{
    json_t *array = json_array();

    for (size_t i = 0; i < lint->count; i++) {
        if (!spf_json_append(array, remark_object(arena, &lint->remarks[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* ------------------------------------------------------------------------------------------------------------- whole
 */

static json_t *summary_object(spf_arena_t *arena, const spf_survey_summary_t *summary)
{
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_number(&object, "lookups", summary->lookups);
    spf_object_set_number(&object, "max_lookups", summary->max_lookups);
    spf_object_set_number(&object, "void_lookups", summary->void_lookups);
    spf_object_set_number(&object, "void_lookups_ipv6", summary->void_lookups6);
    spf_object_set_number(&object, "max_void_lookups", summary->max_void_lookups);
    spf_object_set_number(&object, "records", summary->records);
    spf_object_set_number(&object, "networks", summary->networks);
    set_flag(&object, "anybody", summary->is_anybody);
    set_flag(&object, "complete", summary->is_complete);
    set_flag(&object, "failure", summary->has_failure);
    set_flag(&object, "permerror", summary->is_permerror);
    set_flag(&object, "permerror_ipv6", summary->is_permerror6);
    spf_object_set_number_if(&object, "ttl", (uint64_t)summary->ttl_s, summary->ttl_s >= 0);
    spf_object_set(&object, "elapsed_ms", json_real((double)summary->elapsed_us / 1000.0));
    return spf_object_end(&object);
}

static json_t *survey_object(spf_arena_t *arena, const spf_tree_t *tree, const spf_lint_t *lint)
{
    spf_object_t object = spf_object_begin(arena);

    spf_object_set_text(&object, "domain", tree->domain);
    set_flag(&object, "given", tree->is_given);
    spf_object_set(&object, "summary", summary_object(arena, &tree->summary));
    spf_object_set(&object, "tree", tree_object(arena, tree));
    spf_object_set(&object, "remarks", remarks_array(arena, lint));
    spf_object_set_octets(&object, "fixed_record", lint->fixed, lint->fixed_length);
    return spf_object_end(&object);
}

const char *spf_report_tree_json(spf_arena_t *arena, const spf_tree_t *tree, const spf_lint_t *lint)
{
    spf_arena_t scratch = SPF_ARENA_EMPTY;
    json_t *object = survey_object(&scratch, tree, lint);
    const char *text = object != NULL ? spf_json_text(arena, object) : NULL;

    json_decref(object);
    spf_arena_free(&scratch);
    return text;
}
