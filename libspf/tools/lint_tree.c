/* SPDX-License-Identifier: MIT */
/* Rules about what DNS said to a record's terms, and about its limits. */
#include "base/name.h"
#include "tools/addresses.h"
#include "tools/linter.h"

#include <string.h>

/* ANSWER_MAX and TEXT_MAX are those of RFC 7208 section 3.4. */
enum { ANSWER_MAX = 512, TEXT_MAX = 450, NEAR = 1 };

static const spf_node_term_t *view_of(const spf_linter_t *linter, uint32_t index)
{
    return &linter->node->view.terms[index];
}

static const char *target_of(spf_linter_t *linter, const spf_node_term_t *view)
{
    const char *name = view->target != NULL ? view->target : view->text;
    return spf_lint_quote(linter, name, strlen(name));
}

/* What a term is about, what it is, and what DNS said; only of one that is reached. */
typedef struct place {
    const spf_term_t *term;
    const spf_node_term_t *view;
    const spf_tree_term_t *tree;
} place_t;

static bool take_place(const spf_linter_t *linter, uint32_t index, place_t *place)
{
    *place = (place_t){&linter->record->terms[index], view_of(linter, index), &linter->node->terms[index]};
    return place->view->is_reached;
}

static bool is_failing(spf_node_status_t status)
{
    return status == SPF_NODE_TIMEOUT || status == SPF_NODE_ERROR || status == SPF_NODE_BOGUS;
}

/* ----------------------------------------------------------------------------------------------------------- limits */

/* By which term of the first record a deeper one is come to; "" for one of its own. */
static const char *way_to(spf_linter_t *linter)
{
    const spf_node_t *node = &linter->node->view;

    if (node->parent == NULL)
        return "";
    while (node->parent->parent != NULL)
        node = node->parent;
    const char *by = node->parent->terms[node->parent_term].text;
    return SPF_SAY(linter, ", come to by ", spf_lint_quote(linter, by, strlen(by)), ",");
}

static void say_limit(spf_linter_t *linter, spf_lint_code_t code, const place_t *place, const char *what,
                      const char *whose, const char *fix)
{
    spf_lint_add_term(linter, code, place->term,
                      SPF_SAY(linter, spf_lint_quote_term(linter, place->term), way_to(linter), " is ", what, whose,
                              ": the check ends there in permerror."),
                      fix);
}

void spf_lint_term_limits(spf_linter_t *linter, uint32_t index)
{
    const spf_survey_summary_t *summary = &linter->tree->summary;
    place_t place;

    if (!take_place(linter, index, &place))
        return;
    if (place.view->lookup_number == summary->max_lookups + 1)
        say_limit(linter, SPF_LINT_LOOKUP_LIMIT, &place,
                  SPF_SAY(linter, "the term that needs more than the ", spf_lint_number(linter, summary->max_lookups),
                          " lookups allowed"),
                  "", "Remove includes that are not needed, or write their networks in their place.");
    bool is_void = place.view->void_number == summary->max_void_lookups + 1;
    bool is_void6 = place.view->void_number6 == summary->max_void_lookups + 1;
    if (is_void || is_void6)
        say_limit(linter, SPF_LINT_VOID_LIMIT, &place,
                  SPF_SAY(linter, "one void lookup more than the ", spf_lint_number(linter, summary->max_void_lookups),
                          " allowed"),
                  is_void && is_void6 ? ""
                  : is_void           ? " for IPv4 clients"
                                      : " for IPv6 clients",
                  "Remove the terms whose names have no records.");
}

void spf_lint_near_limit(spf_linter_t *linter)
{
    const spf_survey_summary_t *summary = &linter->tree->summary;

    if (summary->lookups > summary->max_lookups || summary->lookups + NEAR < summary->max_lookups)
        return;
    spf_lint_add(linter, SPF_LINT_NEAR_LOOKUP_LIMIT, 0, 0,
                 SPF_SAY(linter, "The record takes ", spf_lint_number(linter, summary->lookups), " of the ",
                         spf_lint_number(linter, summary->max_lookups),
                         " lookups allowed: any include that grows can break it."),
                 "Remove includes that are not needed, or flatten the record.");
}

void spf_lint_mx(spf_linter_t *linter, uint32_t index)
{
    place_t place;

    if (!take_place(linter, index, &place) || place.term->kind != SPF_TERM_MX ||
        place.view->host_count <= linter->tree->limits.mx_hosts)
        return;
    spf_lint_add_term(linter, SPF_LINT_MX_LIMIT, place.term,
                      SPF_SAY(linter, target_of(linter, place.view), " has ",
                              spf_lint_count(linter, place.view->host_count, "mail host"), "; more than ",
                              spf_lint_number(linter, linter->tree->limits.mx_hosts),
                              " for an mx term are a permerror."),
                      "Name the networks of the hosts in its place.");
}

/* ----------------------------------------------------------------------------------------------------- void lookups */

static bool has_policy(const spf_answer_t *answer)
{
    for (uint32_t i = 0; answer != NULL && answer->status == SPF_DNS_ANSWER && i < answer->count; i++)
        if (spf_record_is_record(answer->texts[i].data, answer->texts[i].length))
            return true;
    return false;
}

/* Whether a name is of the record in hand, or of one that leads to it: an include of that would be a loop. */
static bool is_on_the_way(const spf_linter_t *linter, const char *name)
{
    for (const spf_node_t *node = &linter->node->view; name != NULL && node != NULL; node = node->parent)
        if (spf_text_equals_nocase(name, strlen(name), node->domain, strlen(node->domain)))
            return true;
    return false;
}

static void say_void(spf_linter_t *linter, const place_t *place)
{
    const char *whose = place->view->void_number == 0    ? " for IPv6 clients"
                        : place->view->void_number6 == 0 ? " for IPv4 clients"
                                                         : "";
    const char *quoted = spf_lint_quote_term(linter, place->term);

    if (has_policy(place->tree->other) && !is_on_the_way(linter, place->view->target))
        spf_lint_add_term(
            linter, SPF_LINT_NAME_IS_POLICY, place->term,
            SPF_SAY(linter, quoted, " finds no address: ", target_of(linter, place->view),
                    " is the name of an SPF record."),
            SPF_SAY(linter, "Write include: before ", target_of(linter, place->view), " if that is meant."));
    else
        spf_lint_add_term(linter, SPF_LINT_VOID_LOOKUP, place->term,
                          SPF_SAY(linter, quoted, " is a void lookup", whose, ": ", target_of(linter, place->view),
                                  " has no records of the type asked for."),
                          "Correct the name or remove the term.");
}

/* One that is void for IPv6 clients only is a hazard once such are as many as are allowed. */
void spf_lint_void(spf_linter_t *linter, uint32_t index)
{
    const spf_survey_summary_t *summary = &linter->tree->summary;
    place_t place;

    if (!take_place(linter, index, &place) || place.term->kind == SPF_TERM_INCLUDE ||
        place.term->kind == SPF_TERM_REDIRECT)
        return;
    if (place.view->void_number > 0)
        say_void(linter, &place);
    else if (place.view->void_number6 > 0 && summary->void_lookups6 >= summary->max_void_lookups)
        spf_lint_add_term(linter, SPF_LINT_IPV6_VOID, place.term,
                          SPF_SAY(linter, target_of(linter, place.view),
                                  " has no IPv6 address: for IPv6 clients this is one of ",
                                  spf_lint_count(linter, summary->void_lookups6, "void lookup"), ", and ",
                                  spf_lint_number(linter, summary->max_void_lookups), " are allowed."),
                          "Name its addresses with ip4.");
}

/* ---------------------------------------------------------------------------------------------------------- targets */

static spf_node_status_t target_status(const place_t *place)
{
    return place->view->child != NULL ? place->view->child->status : place->view->status;
}

static void say_no_record(spf_linter_t *linter, const place_t *place, bool is_nxdomain)
{
    const spf_answer_t *host = place->tree->other;
    const char *quoted = spf_lint_quote_term(linter, place->term);
    const char *name = target_of(linter, place->view);

    if (host != NULL && host->status == SPF_DNS_ANSWER && host->count > 0)
        spf_lint_add_term(linter, SPF_LINT_TARGET_IS_HOST, place->term,
                          SPF_SAY(linter, quoted, " is a permerror: ", name, " is a host without an SPF record."),
                          SPF_SAY(linter, "Write a: before ", name, " if the host's address is meant."));
    else
        spf_lint_add_term(linter, SPF_LINT_TARGET_NO_RECORD, place->term,
                          SPF_SAY(linter, quoted, " is a permerror: ", name,
                                  is_nxdomain ? " does not exist." : " has no SPF record."),
                          "Correct the name or remove the term.");
}

void spf_lint_target(spf_linter_t *linter, uint32_t index)
{
    place_t place;

    if (!take_place(linter, index, &place) ||
        (place.term->kind != SPF_TERM_INCLUDE && place.term->kind != SPF_TERM_REDIRECT))
        return;
    spf_node_status_t status = target_status(&place);
    if (status == SPF_NODE_NO_RECORD || status == SPF_NODE_NO_DOMAIN)
        say_no_record(linter, &place, status == SPF_NODE_NO_DOMAIN);
    else if (status == SPF_NODE_LOOP)
        spf_lint_add_term(linter, SPF_LINT_LOOP, place.term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, place.term),
                                  " leads back to a record that it comes from, until the lookup limit ends the check."),
                          "Remove it.");
    else if (status == SPF_NODE_BAD_NAME && place.term->has_macro) /* of others the text tells */
        spf_lint_add_term(linter, SPF_LINT_BAD_TARGET, place.term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, place.term),
                                  " expands to what is no DNS name; that is a permerror."),
                          "Correct the name.");
}

/* Any host of an mx that fails makes a temperror of what no other host matches. */
static const spf_answer_t *failing_host(const spf_tree_term_t *term)
{
    uint32_t count = term->hosts != NULL && term->own != NULL ? term->own->count : 0;

    for (uint32_t i = 0; i < count; i++) {
        const spf_tree_host_t *host = &term->hosts[i];
        if (host->a != NULL && spf_answer_is_failure(host->a))
            return host->a;
        if (host->aaaa != NULL && spf_answer_is_failure(host->aaaa))
            return host->aaaa;
    }
    return NULL;
}

static const char *failure_of(const place_t *place)
{
    const spf_answer_t *host = failing_host(place->tree);
    spf_node_status_t status = target_status(place);

    if (place->tree->own6 != NULL && spf_answer_is_failure(place->tree->own6))
        host = place->tree->own6;
    if (is_failing(status))
        return place->view->answer != NULL                                        ? place->view->answer
               : place->view->child != NULL && place->view->child->detail != NULL ? place->view->child->detail
                                                                                  : spf_node_status_name(status);
    if (host == NULL)
        return NULL;
    return host->detail != NULL ? host->detail : host->status == SPF_DNS_TIMEOUT ? "timeout" : "a failure";
}

void spf_lint_failure(spf_linter_t *linter, uint32_t index)
{
    place_t place;
    const char *failure;

    if (!take_place(linter, index, &place) || place.term->kind >= SPF_TERM_EXP)
        return;
    failure = failure_of(&place);
    if (failure != NULL)
        spf_lint_add_term(linter, SPF_LINT_DNS_FAILURE, place.term,
                          SPF_SAY(linter, "The name servers of ", target_of(linter, place.view), " do not answer for ",
                                  spf_lint_quote_term(linter, place.term), " (", failure,
                                  "): mail gets temperror there."),
                          "Ask again later; if it stays, remove the term.");
}

/* A null MX (RFC 7505), or hosts that are gone: no void lookup, as there are MX records. */
void spf_lint_idle_mx(spf_linter_t *linter, uint32_t index)
{
    place_t place;

    if (!take_place(linter, index, &place) || place.term->kind != SPF_TERM_MX || place.view->is_past_limit ||
        place.view->host_count == 0 || place.view->host_count > linter->tree->limits.mx_hosts ||
        place.view->network_count > 0 || (linter->tree->scope & SPF_SURVEY_ADDRESSES) == 0 ||
        failure_of(&place) != NULL)
        return;
    spf_lint_add_term(linter, SPF_LINT_MX_NO_ADDRESS, place.term,
                      SPF_SAY(linter, spf_lint_quote_term(linter, place.term), " matches nothing: no mail host of ",
                              target_of(linter, place.view), " has an address."),
                      "Name what sends the mail, or remove the term.");
}

/* An explanation is one TXT record: RFC 7208 section 6.2. */
void spf_lint_exp_target(spf_linter_t *linter, uint32_t index)
{
    const spf_answer_t *texts;
    place_t place;

    take_place(linter, index, &place);
    texts = place.tree->other;
    if (place.term->kind != SPF_TERM_EXP || texts == NULL || spf_answer_is_failure(texts) || texts->count == 1)
        return;
    spf_lint_add_term(linter, SPF_LINT_EXP_UNUSABLE, place.term,
                      SPF_SAY(linter, spf_lint_quote_term(linter, place.term),
                              " explains nothing: ", target_of(linter, place.view), " has ",
                              texts->count == 0 ? "no TXT record." : "several TXT records."),
                      SPF_SAY(linter, "Publish one TXT record at ", target_of(linter, place.view), ", or remove exp."));
}

/* --------------------------------------------------------------------------------------------------------- includes */

static size_t index_of(const spf_tree_t *tree, const spf_node_t *node)
{
    size_t i = 0;
    while (i < tree->node_count && &tree->nodes[i]->view != node)
        i++;
    return i;
}

/* What an include may pass, at most. */
typedef struct passing {
    spf_addresses_t set;
    bool is_unknown; /* nobody knows what else */
} passing_t;

static void add_networks(spf_addresses_t *set, const spf_node_term_t *view)
{
    for (size_t i = 0; i < view->network_count; i++)
        spf_addresses_add_network(set, &view->networks[i]);
}

/* Everything that the record and those below it might pass. */
static void collect_below(const spf_tree_t *tree, const spf_node_t *child, passing_t *passing)
{
    for (size_t i = index_of(tree, child); i < tree->node_count; i++) {
        const spf_tree_node_t *node = tree->nodes[i];
        if (&node->view != child && node->view.depth <= child->depth)
            break;
        passing->is_unknown =
            passing->is_unknown || node->view.status != SPF_NODE_RECORD || node->view.has_syntax_error;
        for (size_t j = 0; j < node->view.term_count; j++) {
            const spf_node_term_t *view = &node->view.terms[j];
            bool passes = view->is_mechanism && view->is_reached && view->result == SPF_RESULT_PASS;
            if (!passes && node->record->terms[j].kind != SPF_TERM_REDIRECT)
                continue;
            passing->is_unknown = passing->is_unknown || view->depends_on_mail || view->status != SPF_NODE_RECORD ||
                                  node->record->terms[j].kind == SPF_TERM_ALL || view->is_past_limit;
            add_networks(&passing->set, view);
        }
    }
}

/* What the record decides without the include, and as it does: what stands before it, and what follows it up to a
 * mechanism with another result. */
static void collect_beside(const spf_linter_t *linter, uint32_t index, spf_addresses_t *set)
{
    const spf_term_t *terms = linter->record->terms;

    for (uint32_t i = 0; i < linter->record->term_count; i++) {
        if (i > index && spf_lint_is_mechanism(&terms[i]) && terms[i].result != terms[index].result)
            break;
        if (terms[i].kind != SPF_TERM_INCLUDE && spf_lint_is_mechanism(&terms[i]))
            add_networks(set, view_of(linter, i));
    }
}

static void say_unused(spf_linter_t *linter, uint32_t index, const place_t *place)
{
    passing_t below = {.is_unknown = false};
    spf_addresses_t beside = {.is_out_of_memory = false};

    collect_below(linter->tree, place->view->child, &below);
    if (!below.is_unknown)
        collect_beside(linter, index, &beside);
    bool lets_nobody = spf_addresses_is_empty(&below.set);
    spf_addresses_subtract(&below.set, &beside);
    linter->failed = linter->failed || below.set.is_out_of_memory;
    if (!below.is_unknown && spf_addresses_is_empty(&below.set))
        spf_lint_add_term(linter, SPF_LINT_UNUSED_INCLUDE, place->term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, place->term),
                                  lets_nobody ? " adds nothing: the record there lets nobody send."
                                              : " adds nothing: the record names all of its networks itself."),
                          "Remove it.");
    spf_addresses_clear(&below.set);
    spf_addresses_clear(&beside);
}

static bool has_plus_all(const spf_tree_node_t *node)
{
    const spf_record_t *record = node->record;

    for (uint32_t i = 0; record != NULL && record->error_term == SPF_NO_TERM && i < record->term_count; i++)
        if (record->terms[i].kind == SPF_TERM_ALL)
            return record->terms[i].result == SPF_RESULT_PASS;
    return false;
}

/* Whether a pass of the node is one of the record above: by redirects, and includes that pass. */
static bool passes_up(const spf_node_t *node, const spf_node_t *above)
{
    for (; node != above; node = node->parent) {
        const spf_node_term_t *by = &node->parent->terms[node->parent_term];
        if (!by->is_reached || (by->is_mechanism && by->result != SPF_RESULT_PASS))
            return false;
    }
    return true;
}

/* The record at or below an include's by which it matches everybody; NULL: there is none. */
static const spf_node_t *find_plus_all(const spf_tree_t *tree, const spf_node_t *child)
{
    for (size_t i = index_of(tree, child); i < tree->node_count; i++) {
        const spf_tree_node_t *node = tree->nodes[i];
        if (&node->view != child && node->view.depth <= child->depth)
            break;
        if (has_plus_all(node) && passes_up(&node->view, child))
            return &node->view;
    }
    return NULL;
}

void spf_lint_include(spf_linter_t *linter, uint32_t index)
{
    const spf_node_t *open;
    place_t place;

    if (!take_place(linter, index, &place) || place.term->kind != SPF_TERM_INCLUDE || place.view->is_past_limit ||
        place.view->child == NULL || place.view->child->status != SPF_NODE_RECORD)
        return;
    open = find_plus_all(linter->tree, place.view->child);
    if (open != NULL)
        spf_lint_add_term(linter, SPF_LINT_INCLUDE_PLUS_ALL, place.term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, place.term), " matches everybody: the record of ",
                                  spf_lint_quote(linter, open->domain, strlen(open->domain)), " has \"+all\"."),
                          "Remove it.");
    else if ((linter->tree->scope & SPF_SURVEY_ADDRESSES) != 0)
        say_unused(linter, index, &place);
}

/* ------------------------------------------------------------------------------------------------------ whole records
 */

void spf_lint_several(spf_linter_t *linter)
{
    const spf_node_t *node = &linter->node->view;

    if (node->status != SPF_NODE_SEVERAL)
        return;
    spf_remark_t *remark = spf_lint_add(linter, SPF_LINT_SEVERAL_RECORDS, 0, 0,
                                        SPF_SAY(linter, spf_lint_quote(linter, node->domain, strlen(node->domain)),
                                                " has ", spf_lint_number(linter, node->record_count),
                                                " SPF records; more than one is a permerror."),
                                        "Merge them into one record.");
    remark->record = node->record;
    remark->record_length = node->record_length;
}

/* RFC 7208 section 3.4 says SHOULD: what is longer takes TCP, or EDNS. */
void spf_lint_size(spf_linter_t *linter)
{
    const spf_node_t *node = &linter->node->view;
    size_t text = strlen(node->domain) + linter->length;

    if (linter->record == NULL || (node->answer_octets == 0 ? text <= TEXT_MAX : node->answer_octets <= ANSWER_MAX))
        return;
    spf_lint_add(linter, SPF_LINT_LONG_RECORD, 0, 0,
                 node->answer_octets == 0
                     ? SPF_SAY(linter, "The record and its name have ", spf_lint_number(linter, text),
                               " octets; with more than 450 the answer may not fit in one UDP packet.")
                     : SPF_SAY(linter, "The answer with the TXT records of ",
                               spf_lint_quote(linter, node->domain, strlen(node->domain)), " has ",
                               spf_lint_number(linter, node->answer_octets),
                               " octets; more than 512 may not fit in one UDP packet."),
                 "Move a part of it to an include, or other TXT records to another name.");
}

/* ------------------------------------------------------------------------------------------------------------ DMARC */

typedef enum dmarc { DMARC_UNKNOWN, DMARC_NONE, DMARC_MONITORS, DMARC_ENFORCES } dmarc_t;

/* The value of a tag in a record: RFC 7489 section 6.3. false: it is not there. */
static bool read_tag(const spf_text_t *record, const char *tag, spf_text_t *value)
{
    const char *end = record->data + record->length;
    size_t length = strlen(tag);

    for (const char *at = record->data; at < end;) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        stop = stop == NULL ? end : stop;
        while (at < stop && *at == ' ')
            at++;
        const char *behind = at + length;
        bool is_tag = (size_t)(stop - at) > length && strncasecmp(at, tag, length) == 0;
        while (is_tag && behind < stop && *behind == ' ')
            behind++;
        if (is_tag && behind < stop && *behind == '=') {
            for (behind++; behind < stop && *behind == ' ';)
                behind++;
            *value = (spf_text_t){behind, (uint32_t)(stop - behind)};
            return true;
        }
        at = stop + 1;
    }
    return false;
}

/* For a domain below the one that publishes it, "sp" goes before "p". */
static dmarc_t read_dmarc(const spf_text_t *record, bool is_above)
{
    spf_text_t value;

    if (!(is_above && read_tag(record, "sp", &value)) && !read_tag(record, "p", &value))
        return DMARC_MONITORS;
    return value.length >= 4 && strncasecmp(value.data, "none", 4) == 0 ? DMARC_MONITORS : DMARC_ENFORCES;
}

static bool is_dmarc(const spf_text_t *text)
{
    static const char version[] = "v=DMARC1";
    size_t length = sizeof(version) - 1;

    if (text->length < length || strncasecmp(text->data, version, length) != 0)
        return false;
    return text->length == length || text->data[length] == ';' || text->data[length] == ' ' ||
           text->data[length] == '\t';
}

static dmarc_t find_dmarc(const spf_tree_t *tree)
{
    static const char prefix[] = "_dmarc.";
    const spf_text_t *record = NULL;
    const spf_answer_t *answer = tree->dmarc.answer;
    const char *name = tree->dmarc.name;
    bool is_above = name == NULL || strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
                    strcmp(name + sizeof(prefix) - 1, tree->domain) != 0;

    /* Records at names with an underscore are there for includes: no mail comes from there. */
    if ((tree->scope & SPF_SURVEY_NEARBY) == 0 || tree->domain[0] == '\0' || tree->domain[0] == '_')
        return DMARC_UNKNOWN;
    if (answer == NULL)
        return DMARC_NONE;
    if (spf_answer_is_failure(answer))
        return DMARC_UNKNOWN;
    for (uint32_t i = 0; i < answer->count; i++) {
        if (!is_dmarc(&answer->texts[i]))
            continue;
        if (record != NULL) /* nobody follows either: RFC 7489 section 6.6.3 */
            return DMARC_UNKNOWN;
        record = &answer->texts[i];
    }
    return record != NULL ? read_dmarc(record, is_above) : DMARC_NONE;
}

void spf_lint_dmarc(spf_linter_t *linter)
{
    dmarc_t dmarc = find_dmarc(linter->tree);
    const spf_term_t *all;

    if (linter->record == NULL || linter->all == linter->record->term_count || dmarc == DMARC_UNKNOWN)
        return;
    all = &linter->record->terms[linter->all];
    bool is_strict = all->result == SPF_RESULT_FAIL;
    if (!is_strict && all->result != SPF_RESULT_SOFTFAIL)
        return;
    const char *quoted = spf_lint_quote_term(linter, all);
    if (dmarc == DMARC_ENFORCES && is_strict && linter->record->term_count > 1)
        spf_lint_add_term(
            linter, SPF_LINT_FAIL_WITH_DMARC, all,
            SPF_SAY(linter, quoted, " makes some receivers refuse forwarded mail before they look at DKIM and DMARC."),
            "Write \"~all\": with the DMARC policy that the domain has, it protects as well.");
    else if (dmarc == DMARC_NONE)
        spf_lint_add_term(linter, SPF_LINT_ALL_WITHOUT_DMARC, all,
                          SPF_SAY(linter, quoted,
                                  " says nothing about the From: header that people see, and there is no ",
                                  "DMARC policy that does."),
                          SPF_SAY(linter, "Publish a DMARC record at _dmarc.", linter->tree->domain, "."));
}
