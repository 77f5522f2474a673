/* SPDX-License-Identifier: MIT */
/* The tree of a walk that is done, as the public views and the tools read it. Counters are count.c's. */
#include "tools/walk_impl.h"

#include "base/ip.h"
#include "tools/terms.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_ADDRESSES = 8, SHOWN_HOST_ADDRESSES = 4, ANSWER_MAX = 4096, HOSTS_SHOWN_OCTETS = 1024 };

typedef struct view {
    spf_walk_t *walk;
    spf_arena_t *arena;
    spf_tree_t *tree;
    size_t networks; /* of all terms so far */
    bool is_out_of_memory;
} view_t;

static const char *printable(view_t *view, const char *text, size_t length)
{
    const char *copy = spf_printable_copy(view->arena, text, length, true);

    view->is_out_of_memory = view->is_out_of_memory || copy == NULL;
    return copy;
}

static void *allocate(view_t *view, size_t size)
{
    void *memory = spf_arena_calloc(view->arena, size);

    view->is_out_of_memory = view->is_out_of_memory || memory == NULL;
    return memory;
}

/* ------------------------------------------------------------------------------------------------- what DNS said */

static spf_node_status_t answer_status(const spf_answer_t *answer)
{
    switch (answer->status) {
    case SPF_DNS_ANSWER:
        return answer->count > 0 ? SPF_NODE_RECORD : SPF_NODE_NO_RECORD;
    case SPF_DNS_NXDOMAIN:
        return SPF_NODE_NO_DOMAIN;
    case SPF_DNS_TIMEOUT:
        return SPF_NODE_TIMEOUT;
    case SPF_DNS_BOGUS:
        return SPF_NODE_BOGUS;
    default:
        return SPF_NODE_ERROR;
    }
}

static const char *failure_text(const spf_answer_t *answer)
{
    static const char *const words[] = {
        [SPF_DNS_TIMEOUT] = "timeout", [SPF_DNS_ERROR] = "error", [SPF_DNS_BOGUS] = "DNSSEC validation failed"};

    return answer->detail != NULL ? answer->detail : words[answer->status];
}

/* A failure makes the tree incomplete, any other answer counts for the TTL: of the term or node, and of them all. */
static void note_answer(view_t *view, const spf_answer_t *answer, int64_t *ttl_s)
{
    spf_survey_summary_t *summary = &view->tree->summary;

    if (answer == NULL)
        return;
    if (spf_answer_is_failure(answer)) {
        summary->is_complete = false;
        summary->has_failure = true;
        return;
    }
    if (*ttl_s < 0 || answer->ttl_s < *ttl_s)
        *ttl_s = answer->ttl_s;
    if (summary->ttl_s < 0 || answer->ttl_s < summary->ttl_s)
        summary->ttl_s = answer->ttl_s;
}

static void add_address(spf_buf_t *buf, const uint8_t *octets, uint8_t family)
{
    spf_ip_t ip = {.family = family};

    memcpy(ip.octets, octets, family == 4 ? 4 : 16);
    spf_ip_add_text(buf, &ip);
}

static void add_and_more(spf_buf_t *buf, uint32_t count)
{
    spf_buf_add_text(buf, " and ");
    spf_buf_add_uint(buf, count);
    spf_buf_add_text(buf, " more");
}

static void add_addresses(spf_buf_t *buf, const spf_answer_t *answer, uint8_t family, uint32_t shown)
{
    size_t size = family == 4 ? 4 : 16;

    for (uint32_t i = 0; i < answer->count && i < shown; i++) {
        if (buf->len > 0 && buf->data[buf->len - 1] != ' ')
            spf_buf_add_char(buf, ' ');
        add_address(buf, answer->addresses + i * size, family);
    }
    if (answer->count > shown)
        add_and_more(buf, answer->count - shown);
}

/* What is no data: NXDOMAIN, nothing of the type, or a failure. */
static void add_lack(spf_buf_t *buf, const spf_answer_t *answer, const char *type)
{
    if (answer->status == SPF_DNS_NXDOMAIN) {
        spf_buf_add_text(buf, "NXDOMAIN");
    } else if (answer->status == SPF_DNS_ANSWER) {
        spf_buf_add_text(buf, "no ");
        spf_buf_add_text(buf, type);
        spf_buf_add_text(buf, " record");
    } else {
        spf_buf_add_text(buf, type);
        spf_buf_add_text(buf, ": ");
        spf_buf_add_text(buf, failure_text(answer));
    }
}

/* The addresses of a name; what it has none of is told where it matters: if it has none at all, or nobody knows. */
static void add_both(spf_buf_t *buf, const spf_answer_t *a, const spf_answer_t *aaaa, uint32_t shown)
{
    bool has_data = a->count > 0 || aaaa->count > 0;

    add_addresses(buf, a, 4, shown);
    add_addresses(buf, aaaa, 6, shown);
    if (has_data && (spf_answer_is_failure(a) || spf_answer_is_failure(aaaa))) {
        spf_buf_add_text(buf, " (");
        add_lack(buf, spf_answer_is_failure(a) ? a : aaaa, spf_answer_is_failure(a) ? "A" : "AAAA");
        spf_buf_add_char(buf, ')');
    }
    if (has_data)
        return;
    if (spf_answer_is_failure(a) == spf_answer_is_failure(aaaa) && answer_status(a) == answer_status(aaaa))
        add_lack(buf, a, spf_answer_is_failure(a) ? "A and AAAA" : "A or AAAA");
    else
        add_lack(buf, spf_answer_is_failure(aaaa) ? aaaa : a, spf_answer_is_failure(aaaa) ? "AAAA" : "A");
}

static void add_host(spf_buf_t *buf, const spf_tree_host_t *host)
{
    if (host->name == NULL) {
        spf_buf_add_text(buf, "a name that is none");
        return;
    }
    spf_buf_add_printable(buf, host->name, strlen(host->name), true);
    spf_buf_add_char(buf, ' ');
    if (host->a == NULL || host->aaaa == NULL)
        spf_buf_add_text(buf, "not asked");
    else
        add_both(buf, host->a, host->aaaa, SHOWN_HOST_ADDRESSES);
}

static void add_hosts(spf_buf_t *buf, const spf_tree_term_t *term)
{
    uint32_t count = term->own->count;

    spf_buf_add_uint(buf, count);
    spf_buf_add_text(buf, count == 1 ? " host" : " hosts");
    for (uint32_t i = 0; term->hosts != NULL && i < count; i++) {
        if (buf->len > HOSTS_SHOWN_OCTETS) {
            add_and_more(buf, count - i);
            return;
        }
        spf_buf_add_text(buf, i == 0 ? ": " : ", ");
        add_host(buf, &term->hosts[i]);
    }
}

static void add_policy(spf_buf_t *buf, const spf_walk_node_t *child)
{
    const spf_answer_t *answer = spf_walk_answer(child->query);

    if (child->status == SPF_NODE_SEVERAL) {
        spf_buf_add_uint(buf, child->policy->record_count);
        spf_buf_add_text(buf, " v=spf1 records");
    } else if (child->status == SPF_NODE_NO_RECORD && answer->count > 0) {
        spf_buf_add_uint(buf, answer->count);
        spf_buf_add_text(buf, answer->count == 1 ? " TXT record, but not v=spf1" : " TXT records, none of them v=spf1");
    } else if (child->status != SPF_NODE_RECORD && child->status != SPF_NODE_NOT_ASKED) {
        add_lack(buf, answer, "TXT");
    }
}

/* NULL: there is nothing to say. */
static const char *answer_text(view_t *view, const spf_walk_term_t *own, const spf_tree_term_t *term)
{
    char storage[ANSWER_MAX];
    spf_buf_t buf;

    if (term->own == NULL)
        return NULL;
    spf_buf_init(&buf, storage, sizeof storage);
    if (own->child != NULL)
        add_policy(&buf, own->child);
    else if (term->own6 != NULL)
        add_both(&buf, term->own, term->own6, SHOWN_ADDRESSES);
    else if (own->own->type == SPF_TYPE_MX && term->own->count > 0)
        add_hosts(&buf, term);
    else if (term->own->count > 0)
        add_addresses(&buf, term->own, 4, SHOWN_ADDRESSES);
    else
        add_lack(&buf, term->own, own->own->type == SPF_TYPE_MX ? "MX" : "A");
    return buf.len > 0 ? printable(view, buf.data, buf.len) : NULL;
}

/* ----------------------------------------------------------------------------------------------------- networks */

static spf_network_t *add_networks(spf_network_t *to, const spf_answer_t *answer, uint8_t family, uint8_t prefix)
{
    size_t size = family == 4 ? 4 : 16;

    for (uint32_t i = 0; answer != NULL && i < answer->count; i++, to++) {
        *to = (spf_network_t){.family = family, .prefix = prefix};
        memcpy(to->octets, answer->addresses + i * size, size);
        spf_network_mask(to);
    }
    return to;
}

static int compare_networks(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(spf_network_t)); /* octets all of it: the family, the prefix, the address */
}

_Static_assert(sizeof(spf_network_t) == 18, "networks have no padding that would be compared");

/* In an order of their own, whatever DNS turned them round to, and each once. */
static size_t sort_networks(spf_network_t *networks, size_t count)
{
    size_t kept = 0;

    qsort(networks, count, sizeof *networks, compare_networks);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_networks(&networks[i], &networks[kept - 1]) != 0)
            networks[kept++] = networks[i];
    return kept;
}

static size_t count_addresses(const spf_answer_t *answer)
{
    return answer != NULL ? answer->count : 0;
}

/* Room for the networks of one more term; NULL: there are too many in all, or no memory. */
static spf_network_t *allocate_networks(view_t *view, size_t count)
{
    if (count > SPF_WALK_NETWORKS_MAX - view->networks) {
        view->tree->summary.is_complete = false;
        return NULL;
    }
    view->networks += count;
    return allocate(view, count * sizeof(spf_network_t));
}

static void view_resolved(view_t *view, spf_node_term_t *to, const spf_tree_term_t *from)
{
    const spf_term_t *term = from->term;
    size_t hosts = from->hosts != NULL ? from->own->count : 0;
    size_t count = term->kind == SPF_TERM_A ? count_addresses(from->own) + count_addresses(from->own6) : 0;
    spf_network_t *networks;
    spf_network_t *end;

    for (size_t i = 0; i < hosts; i++)
        count += count_addresses(from->hosts[i].a) + count_addresses(from->hosts[i].aaaa);
    networks = count > 0 ? allocate_networks(view, count) : NULL;
    if (networks == NULL)
        return;
    end = networks;
    if (term->kind == SPF_TERM_A) {
        end = add_networks(end, from->own, 4, term->cidr4);
        end = add_networks(end, from->own6, 6, term->cidr6);
    }
    for (size_t i = 0; i < hosts; i++) {
        end = add_networks(end, from->hosts[i].a, 4, term->cidr4);
        end = add_networks(end, from->hosts[i].aaaa, 6, term->cidr6);
    }
    to->networks = networks;
    to->network_count = sort_networks(networks, (size_t)(end - networks));
}

/* What an ip4 or ip6 term names itself. */
static void view_published(view_t *view, spf_node_term_t *to, const spf_record_t *record, const spf_term_t *term)
{
    spf_network_t *network = allocate_networks(view, 1);

    if (network == NULL)
        return;
    to->networks = network;
    to->network_count = 1;
    *network = spf_term_network(record, term);
}

/* --------------------------------------------------------------------------------------------------------- terms */

static const char *kind_name(spf_term_kind_t kind)
{
    if (kind == SPF_TERM_UNKNOWN)
        return "modifier";
    return kind == SPF_TERM_INVALID ? "invalid" : spf_term_kind_name(kind);
}

static spf_node_status_t term_status(const spf_walk_term_t *own, const spf_tree_term_t *term)
{
    if (own->hindrance != SPF_NODE_RECORD || term->own == NULL)
        return own->hindrance;
    if (own->child != NULL)
        return own->child->status;
    if (term->own6 == NULL || spf_answer_is_failure(term->own))
        return answer_status(term->own);
    return spf_answer_is_failure(term->own6) || term->own->count == 0 ? answer_status(term->own6)
                                                                      : answer_status(term->own);
}

static const spf_tree_host_t *tree_hosts(view_t *view, const spf_walk_term_t *own, uint32_t count)
{
    spf_tree_host_t *hosts = own->hosts != NULL ? allocate(view, count * sizeof *hosts) : NULL;

    for (uint32_t i = 0; hosts != NULL && i < count; i++) {
        hosts[i].name = own->hosts[i].name;
        hosts[i].a = spf_walk_answer(own->hosts[i].query);
        hosts[i].aaaa = spf_walk_answer(own->hosts[i].query6);
        if (hosts[i].name != NULL && (hosts[i].a == NULL || hosts[i].aaaa == NULL))
            view->tree->summary.is_complete = false; /* past the last question that is asked */
    }
    return hosts;
}

static void tree_term(view_t *view, spf_tree_term_t *to, const spf_term_t *term, const spf_walk_term_t *own)
{
    to->term = term;
    to->name = own->name;
    to->own = spf_walk_answer(own->own);
    to->own6 = spf_walk_answer(own->own6);
    to->other = spf_walk_answer(own->other);
    to->child = own->child != NULL ? &own->child->tree : NULL;
    if (to->own != NULL)
        to->hosts = tree_hosts(view, own, to->own->count);
}

static void view_answers(view_t *view, spf_node_term_t *to, const spf_walk_term_t *own, const spf_tree_term_t *from)
{
    note_answer(view, from->own, &to->ttl_s);
    note_answer(view, from->own6, &to->ttl_s);
    for (uint32_t i = 0; from->hosts != NULL && i < from->own->count; i++) {
        note_answer(view, from->hosts[i].a, &to->ttl_s);
        note_answer(view, from->hosts[i].aaaa, &to->ttl_s);
    }
    to->answer = answer_text(view, own, from);
    if (from->term->kind == SPF_TERM_MX && from->own != NULL)
        to->host_count = from->own->count;
}

static void view_term(view_t *view, spf_node_term_t *to, const spf_record_t *record, const spf_walk_term_t *own,
                      const spf_tree_term_t *from)
{
    const spf_term_t *term = from->term;

    to->text = printable(view, record->text + term->offset, term->length);
    to->offset = term->offset;
    to->length = term->length;
    to->kind = kind_name((spf_term_kind_t)term->kind);
    to->is_mechanism = term->kind < SPF_TERM_REDIRECT;
    to->result = (spf_result_t)term->result;
    to->target = own->name != NULL ? printable(view, own->name, strlen(own->name)) : NULL;
    to->depends_on_mail = own->hindrance == SPF_NODE_MACRO;
    to->status = term_status(own, from);
    to->ttl_s = -1;
    to->child = own->child != NULL ? &own->child->tree.view : NULL;
    view_answers(view, to, own, from);
    if (own->hindrance == SPF_NODE_NOT_ASKED)
        view->tree->summary.is_complete = false;
    if (term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6)
        view_published(view, to, record, term);
    else
        view_resolved(view, to, from);
}

static void view_terms(view_t *view, spf_walk_node_t *node)
{
    const spf_record_t *record = node->tree.record;
    spf_node_term_t *views = allocate(view, record->term_count * sizeof *views);

    node->tree.terms = allocate(view, record->term_count * sizeof *node->tree.terms);
    if (view->is_out_of_memory)
        return;
    node->tree.view.terms = views;
    node->tree.view.term_count = record->term_count;
    for (uint32_t i = 0; i < record->term_count && !view->is_out_of_memory; i++) {
        tree_term(view, &node->tree.terms[i], &record->terms[i], &node->terms[i]);
        view_term(view, &views[i], record, &node->terms[i], &node->tree.terms[i]);
    }
}

/* --------------------------------------------------------------------------------------------------------- nodes */

/* Header, question, and the records with the name compressed; each string of 255 octets has one more for its length
 * (RFC 1035 section 4.1, section 3.3.14). */
static unsigned answer_octets(const spf_answer_t *answer, size_t name_length)
{
    enum { HEADER = 12, QUESTION = 4, RECORD = 12, STRING_MAX = 255 };
    size_t octets = HEADER + name_length + 2 + QUESTION;

    for (uint32_t i = 0; i < answer->count; i++) {
        size_t length = answer->texts[i].length;
        octets += RECORD + length + (length + STRING_MAX - 1) / STRING_MAX + (length == 0);
    }
    return (unsigned)octets;
}

/* The record's text as it came; of several the first. */
static void view_record_text(spf_walk_node_t *node, const spf_answer_t *answer)
{
    spf_node_t *view = &node->tree.view;

    if (node->tree.record != NULL) {
        view->record = node->tree.record->text;
        view->record_length = node->tree.record->length;
    }
    for (uint32_t i = 0; view->record == NULL && answer != NULL && i < answer->count; i++) {
        if (spf_record_is_record(answer->texts[i].data, answer->texts[i].length)) {
            view->record = answer->texts[i].data;
            view->record_length = answer->texts[i].length;
        }
    }
}

static void view_syntax(spf_node_t *view, const spf_record_t *record)
{
    if (record == NULL || record->error_term == SPF_NO_TERM)
        return;
    view->has_syntax_error = true;
    view->error_offset = record->error_offset;
    view->error = record->error;
}

static void view_node(view_t *view, spf_walk_node_t *node)
{
    const spf_answer_t *answer = spf_walk_answer(node->query);
    spf_node_t *to = &node->tree.view;

    to->parent = node->parent != NULL ? &node->parent->tree.view : NULL;
    to->parent_term = node->parent_term;
    to->depth = node->depth;
    to->domain = printable(view, node->name, node->name_length);
    to->status = node->status;
    to->ttl_s = -1;
    node->tree.name = node->name;
    node->tree.record = node->status == SPF_NODE_RECORD && node->policy != NULL ? node->policy->record : NULL;
    if (answer != NULL && !spf_answer_is_failure(answer))
        node->tree.txt = answer;
    if (answer != NULL && spf_answer_is_failure(answer))
        to->detail = printable(view, failure_text(answer), strlen(failure_text(answer)));
    note_answer(view, answer, &to->ttl_s);
    if (node->status == SPF_NODE_NOT_ASKED)
        view->tree->summary.is_complete = false;
    to->dnssec = answer != NULL ? answer->dnssec : SPF_DNSSEC_INSECURE;
    to->record_count = node->policy != NULL ? node->policy->record_count : 0;
    if (node->tree.txt != NULL)
        to->answer_octets = answer_octets(node->tree.txt, node->name_length);
    view_record_text(node, node->tree.txt);
    view_syntax(to, node->tree.record);
    view->tree->summary.records += node->tree.record != NULL;
    if (node->tree.record != NULL)
        view_terms(view, node);
}

/* The next node behind one term of another: what that leads to, or what a later one does, there or farther out. */
static spf_walk_node_t *next_node(spf_walk_node_t *node)
{
    uint32_t index = 0;

    while (node != NULL) {
        uint32_t count = node->terms != NULL ? node->policy->record->term_count : 0;
        while (index < count && node->terms[index].child == NULL)
            index++;
        if (index < count)
            return node->terms[index].child;
        index = node->parent_term + 1;
        node = node->parent;
    }
    return NULL;
}

static void view_nodes(view_t *view)
{
    spf_tree_t *tree = view->tree;

    tree->nodes = allocate(view, view->walk->nodes * sizeof *tree->nodes);
    for (spf_walk_node_t *node = view->walk->root; node != NULL && !view->is_out_of_memory; node = next_node(node)) {
        node->tree.index = tree->node_count;
        tree->nodes[tree->node_count++] = &node->tree;
        view_node(view, node);
    }
}

/* -------------------------------------------------------------------------------------------------------- nearby */

static bool has_dmarc(const spf_answer_t *answer)
{
    static const char version[] = "v=DMARC1";

    for (uint32_t i = 0; i < answer->count; i++)
        if (answer->texts[i].length >= sizeof version - 1 &&
            spf_text_equals_nocase(answer->texts[i].data, sizeof version - 1, version, sizeof version - 1))
            return true;
    return false;
}

/* The nearest record; what failed might have been nearer. */
static void view_dmarc(const spf_walk_t *walk, spf_tree_t *tree)
{
    for (unsigned i = 0; i < SPF_DMARC_NAMES_MAX; i++) {
        const spf_answer_t *answer = spf_walk_answer(walk->dmarc[i]);
        if (answer == NULL || (!spf_answer_is_failure(answer) && !has_dmarc(answer)))
            continue;
        tree->dmarc.name = walk->dmarc[i]->name;
        tree->dmarc.answer = answer;
        return;
    }
}

static void view_nearby(const spf_walk_t *walk, spf_tree_t *tree)
{
    for (unsigned kind = 0; kind < SPF_NEARBY_COUNT; kind++) {
        if (walk->nearby[kind] == NULL)
            continue;
        tree->nearby[kind].name = walk->nearby[kind]->name;
        tree->nearby[kind].answer = spf_walk_answer(walk->nearby[kind]);
    }
    view_dmarc(walk, tree);
}

bool spf_walk_view(spf_walk_t *walk, spf_tree_t *tree)
{
    const spf_walk_question_t *question = &walk->question;
    view_t view = {.walk = walk, .arena = walk->arena, .tree = tree};

    *tree = (spf_tree_t){
        .arena = walk->arena,
        .domain = printable(&view, question->domain.text, question->domain.length),
        .is_given = question->given != NULL,
        .given_text = question->written,
        .given_length = question->written_length,
        .scope = question->scope,
        .limits = question->limits,
        .summary = {.is_complete = true,
                    .ttl_s = -1,
                    .max_lookups = question->limits.lookups,
                    .max_void_lookups = question->limits.void_lookups},
    };
    view_nodes(&view);
    view_nearby(walk, tree);
    return !view.is_out_of_memory;
}
