/* SPDX-License-Identifier: MIT */
/*
 * Each record of the tree becomes a plan (tools/plan.h), those that others lead to first: an include adds the addresses
 * that its record lets pass, a redirect all of the other plan. What depends on the mail is a term that keeps its place.
 */
#include "tools/flatten.h"

#include "tools/flatten_check.h"
#include "tools/pack.h"
#include "tools/plan.h"
#include "tools/prove.h"
#include "tools/terms.h"

#include <string.h>

/* What fits every DNS answer over UDP, and what nearly every one with EDNS. */
enum { ANSWER_USUAL = 512, ANSWER_EDNS = 1232, TAIL_MAX = 16 };

/* In answers beyond 512 octets, which need EDNS: an OPT record (RFC 6891 section 6.1.2) and a cookie (RFC 7873 section
 * 4) of 8 octets from the client and 16 from the server. */
enum { OPT_OCTETS = 11 + 4 + 8 + 16 };

/* What a record of the tree became. */
typedef struct flat {
    spf_plan_t plan;
    bool is_redirect_bound; /* the redirect that is left means something else in another domain's record */
    const char *exp;        /* as it is written for the first record; NULL: there is none */
    bool is_exp_lost;       /* there is one, and it cannot be written there */
} flat_t;

typedef struct flattener {
    const spf_tree_t *tree;
    spf_flatten_check_t check; /* which of the nodes are to be flattened */
    spf_flatten_options_t options;
    spf_draft_t *draft;
    spf_arena_t scratch;
    flat_t *flats;
    bool is_out_of_memory;
    spf_buf_t *error;
} flattener_t;

/* Why a term stays. */
static const char as_asked[] = "as asked";
static const char of_the_mail[] = "what it stands for depends on the mail";
static const char of_no_address[] = "it does not stand for addresses";
static const char of_its_order[] = "its terms cannot be taken out of it without a change of their order";

/* ------------------------------------------------------------------------------------------------------------ terms */

/* Text for the term of a node as it is written in the first record. NULL: it cannot be, or no memory. */
static const char *text_of(flattener_t *flattener, size_t index, const spf_term_t *term, bool *is_bound)
{
    const spf_tree_node_t *node = flattener->tree->nodes[index];

    return spf_term_text(&flattener->draft->arena, node->record, term, index > 0 ? node->name : NULL, is_bound);
}

static unsigned lookups_of(const flattener_t *flattener, const spf_tree_term_t *term)
{
    size_t child = spf_flatten_index(flattener->tree, term->child);

    return 1 + (child < flattener->tree->node_count ? flattener->check.lookups[child] : 0);
}

/* A term that stays as it is; one that only its own domain can use is marked. */
static bool keep_term(flattener_t *flattener, size_t index, const spf_tree_term_t *term, const char *why)
{
    spf_plan_item_t *item;
    bool is_bound;
    const char *text = text_of(flattener, index, term->term, &is_bound);

    if (text == NULL && !is_bound)
        return false;
    item = spf_plan_add_term(&flattener->flats[index].plan, (spf_result_t)term->term->result,
                             (spf_term_kind_t)term->term->kind, text != NULL ? text : "", lookups_of(flattener, term));
    if (item == NULL)
        return false;
    item->is_bound = is_bound;
    item->why = why;
    return true;
}

static bool add_networks(flattener_t *flattener, size_t index, const spf_node_term_t *view)
{
    spf_addresses_t *set = spf_plan_addresses(&flattener->flats[index].plan, view->result);

    for (size_t i = 0; set != NULL && i < view->network_count; i++)
        spf_addresses_add_network(set, &view->networks[i]);
    return set != NULL;
}

/* --------------------------------------------------------------------------------------------------------- includes */

/* What the items of an included record leave undecided, as they are gone through. */
typedef struct included {
    spf_addresses_t decided;
    bool has_refused_some; /* some addresses are decided otherwise than by pass */
    bool may_refuse;       /* a term may decide otherwise for any address */
    bool is_out_of_memory;
} included_t;

static bool is_pass(const spf_plan_item_t *item)
{
    return item->result == SPF_RESULT_PASS;
}

/* Whether the item may stand in the record that includes, or, not being pass, be left out of it. */
static bool may_lift(included_t *included, const spf_plan_item_t *item)
{
    spf_addresses_t own = {0};
    bool is_empty;

    if (item->term != NULL) {
        if (item->is_bound || (!is_pass(item) && item->kind == SPF_TERM_INCLUDE))
            return false;
        if (is_pass(item))
            return !included->has_refused_some && !included->may_refuse;
        included->may_refuse = true;
        return true;
    }
    spf_addresses_add(&own, &item->addresses);
    spf_addresses_subtract(&own, &included->decided);
    is_empty = spf_addresses_is_empty(&own);
    spf_addresses_add(&included->decided, &item->addresses);
    included->is_out_of_memory =
        included->is_out_of_memory || own.is_out_of_memory || included->decided.is_out_of_memory;
    spf_addresses_clear(&own);
    if (is_empty)
        return true;
    if (!is_pass(item))
        included->has_refused_some = true;
    return !is_pass(item) || !included->may_refuse;
}

/*
 * Whether what a record lets pass can be said by its items alone, one after the other: a match of any other qualifier
 * ends the record (RFC 7208 section 5.2), which nothing in the record that includes can say. So where such a match may
 * come first, only addresses that it does not concern may follow.
 */
static bool can_lift(flattener_t *flattener, const flat_t *flat)
{
    const spf_plan_t *plan = &flat->plan;
    included_t included = {.may_refuse = false};
    bool result = true;

    for (const spf_plan_item_t *item = plan->first; result && item != NULL; item = item->next)
        result = may_lift(&included, item);
    if (plan->redirect != NULL)
        result = result && !flat->is_redirect_bound && !included.has_refused_some && !included.may_refuse;
    else if (plan->otherwise == SPF_RESULT_PASS)
        result = result && !included.may_refuse;
    spf_addresses_clear(&included.decided);
    flattener->is_out_of_memory = flattener->is_out_of_memory || included.is_out_of_memory;
    return result;
}

static bool lift_addresses(spf_plan_t *to, spf_result_t result, spf_addresses_t *decided, const spf_addresses_t *from)
{
    spf_addresses_t own = {0};
    spf_addresses_t *set = spf_plan_addresses(to, result);

    spf_addresses_add(&own, from);
    spf_addresses_subtract(&own, decided);
    if (set != NULL)
        spf_addresses_add(set, &own);
    spf_addresses_clear(&own);
    return set != NULL;
}

static bool lift_term(spf_plan_t *to, spf_result_t result, const spf_plan_item_t *from)
{
    spf_plan_item_t *item = spf_plan_add_term(to, result, (spf_term_kind_t)from->kind, from->term, from->lookups);

    if (item != NULL)
        item->why = from->why;
    return item != NULL;
}

/* A redirect that is left says of an included record what an include of its target says. */
static bool lift_redirect(flattener_t *flattener, spf_plan_t *to, spf_result_t result, const spf_plan_t *plan)
{
    const char *spec = plan->redirect + strlen("redirect=");
    size_t size = strlen(spec) + sizeof "include:";
    char *text = spf_arena_alloc(&flattener->draft->arena, size);
    spf_plan_item_t *item;
    spf_buf_t buf;

    if (text == NULL)
        return false;
    spf_buf_init(&buf, text, size);
    spf_buf_add_text(&buf, "include:");
    spf_buf_add_text(&buf, spec);
    item = spf_plan_add_term(to, result, SPF_TERM_INCLUDE, text, plan->redirect_lookups);
    if (item != NULL)
        item->why = plan->redirect_why;
    return item != NULL;
}

/* Puts what an included record lets pass into the one that includes it, with that include's result. */
static bool lift(flattener_t *flattener, spf_plan_t *to, spf_result_t result, const spf_plan_t *plan)
{
    spf_addresses_t decided = {0}, everything = {0};
    bool is_good = true;

    for (const spf_plan_item_t *item = plan->first; is_good && item != NULL; item = item->next) {
        if (item->term != NULL) {
            is_good = !is_pass(item) || lift_term(to, result, item);
            continue;
        }
        if (is_pass(item))
            is_good = lift_addresses(to, result, &decided, &item->addresses);
        spf_addresses_add(&decided, &item->addresses);
    }
    if (is_good && plan->redirect != NULL) {
        is_good = lift_redirect(flattener, to, result, plan);
    } else if (is_good && plan->otherwise == SPF_RESULT_PASS) {
        spf_addresses_add_everything(&everything);
        is_good = lift_addresses(to, result, &decided, &everything);
    }
    is_good = is_good && !decided.is_out_of_memory && !everything.is_out_of_memory;
    spf_addresses_clear(&decided);
    spf_addresses_clear(&everything);
    return is_good;
}

static bool take_include(flattener_t *flattener, size_t index, const spf_tree_term_t *term)
{
    size_t child = spf_flatten_index(flattener->tree, term->child);

    if (spf_flatten_is_kept(&flattener->check, term))
        return keep_term(flattener, index, term, as_asked);
    if (child == flattener->tree->node_count)
        return keep_term(flattener, index, term, of_the_mail);
    if (!can_lift(flattener, &flattener->flats[child]))
        return keep_term(flattener, index, term, of_its_order);
    return lift(flattener, &flattener->flats[index].plan, (spf_result_t)term->term->result,
                &flattener->flats[child].plan);
}

/* -------------------------------------------------------------------------------------------------------- redirects */

static bool has_bound_term(const flat_t *flat)
{
    for (const spf_plan_item_t *item = flat->plan.first; item != NULL; item = item->next)
        if (item->term != NULL && item->is_bound)
            return true;
    return flat->is_redirect_bound;
}

static bool can_fail(const spf_plan_t *plan)
{
    for (const spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        if (item->result == SPF_RESULT_FAIL)
            return true;
    return plan->otherwise == SPF_RESULT_FAIL;
}

static bool keep_redirect(flattener_t *flattener, size_t index, const spf_tree_term_t *term, const char *why)
{
    flat_t *flat = &flattener->flats[index];
    spf_plan_t *plan = &flat->plan;
    const char *text = text_of(flattener, index, term->term, &flat->is_redirect_bound);

    if (text == NULL && !flat->is_redirect_bound)
        return false;
    plan->redirect = text != NULL ? text : "redirect=";
    plan->redirect_why = why;
    plan->redirect_lookups = lookups_of(flattener, term);
    return true;
}

/* The explanation is that of the record which fails (section 6.2); one record can have only one. */
static bool take_exp(flattener_t *flattener, size_t index, size_t child)
{
    flat_t *flat = &flattener->flats[index];
    const flat_t *from = &flattener->flats[child];

    if (!can_fail(&from->plan))
        return true;
    if (can_fail(&flat->plan) && flat->exp != NULL &&
        !SPF_DRAFT_ADD_NOTE(flattener->draft, "The explanation of ", flattener->tree->nodes[index]->name,
                            "'s own fails gives way to that of ", flattener->tree->nodes[child]->name, "."))
        return false;
    flat->exp = from->exp;
    flat->is_exp_lost = from->is_exp_lost;
    return from->exp == NULL ||
           SPF_DRAFT_ADD_NOTE(flattener->draft, "The explanation is that of ", flattener->tree->nodes[child]->name,
                              "; %{d} in its text now stands for ", flattener->tree->nodes[0]->name, ".");
}

/* The other record's items behind one's own: it is left without any. */
static void append_plan(spf_plan_t *to, spf_plan_t *from)
{
    spf_plan_item_t **end = &to->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = from->first;
    from->first = NULL;
    to->has_all = from->has_all;
    to->otherwise = from->otherwise;
    to->redirect = from->redirect;
    to->redirect_why = from->redirect_why;
    to->redirect_lookups = from->redirect_lookups;
}

static bool take_redirect(flattener_t *flattener, size_t index, const spf_tree_term_t *term)
{
    flat_t *flat = &flattener->flats[index];
    size_t child = spf_flatten_index(flattener->tree, term->child);

    if (spf_flatten_is_kept(&flattener->check, term))
        return keep_redirect(flattener, index, term, as_asked);
    if (child == flattener->tree->node_count)
        return keep_redirect(flattener, index, term, of_the_mail);
    if (has_bound_term(&flattener->flats[child]))
        return keep_redirect(flattener, index, term, of_its_order);
    if (!take_exp(flattener, index, child))
        return false;
    append_plan(&flat->plan, &flattener->flats[child].plan);
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- records */

static bool take_term(flattener_t *flattener, size_t index, size_t at)
{
    const spf_tree_node_t *node = flattener->tree->nodes[index];
    const spf_tree_term_t *term = &node->terms[at];
    const spf_node_term_t *view = &node->view.terms[at];
    flat_t *flat = &flattener->flats[index];

    switch (term->term->kind) {
    case SPF_TERM_ALL:
        flat->plan.has_all = true;
        flat->plan.otherwise = term->term->result;
        return true;
    case SPF_TERM_INCLUDE:
        return take_include(flattener, index, term);
    case SPF_TERM_IP4:
    case SPF_TERM_IP6:
        return add_networks(flattener, index, view);
    case SPF_TERM_A:
    case SPF_TERM_MX:
        return view->depends_on_mail ? keep_term(flattener, index, term, of_the_mail)
                                     : add_networks(flattener, index, view);
    default:
        return keep_term(flattener, index, term, view->depends_on_mail ? of_the_mail : of_no_address);
    }
}

static bool read_exp(flattener_t *flattener, size_t index)
{
    const spf_record_t *record = flattener->tree->nodes[index]->record;
    flat_t *flat = &flattener->flats[index];

    if (record->exp == SPF_NO_TERM)
        return true;
    flat->exp = text_of(flattener, index, &record->terms[record->exp], &flat->is_exp_lost);
    return flat->exp != NULL || flat->is_exp_lost;
}

/* Its mechanisms in order, then its redirect (section 6.1). */
static bool flatten_node(flattener_t *flattener, size_t index)
{
    const spf_tree_node_t *node = flattener->tree->nodes[index];
    const spf_record_t *record = node->record;
    bool is_good = read_exp(flattener, index);

    for (uint32_t i = 0; is_good && i < record->term_count; i++)
        if (record->terms[i].kind < SPF_TERM_REDIRECT && spf_flatten_is_reached(record, i))
            is_good = take_term(flattener, index, i);
    if (is_good && record->redirect != SPF_NO_TERM && !record->has_all)
        is_good = take_redirect(flattener, index, &node->terms[record->redirect]);
    return is_good && !flattener->is_out_of_memory && !flattener->flats[index].plan.is_out_of_memory;
}

static bool flatten_nodes(flattener_t *flattener)
{
    size_t count = flattener->tree->node_count;

    flattener->flats = spf_arena_calloc(&flattener->scratch, count * sizeof *flattener->flats);
    if (flattener->flats == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        spf_plan_init(&flattener->flats[i].plan, &flattener->scratch);
    for (size_t i = count; i-- > 0;)
        if (flattener->check.is_live[i] && !flatten_node(flattener, i))
            return false;
    return true;
}

static void clear_nodes(flattener_t *flattener)
{
    for (size_t i = 0; flattener->flats != NULL && i < flattener->tree->node_count; i++)
        spf_plan_clear(&flattener->flats[i].plan);
}

/* ------------------------------------------------------------------------------------------------------------ notes */

static bool note_kept(flattener_t *flattener, const char *term, const char *why)
{
    return SPF_DRAFT_ADD_NOTE(flattener->draft, term, " stays as it is: ", why, ".");
}

static bool note_limits(flattener_t *flattener)
{
    const spf_survey_summary_t *summary = &flattener->tree->summary;

    if (summary->lookups <= summary->max_lookups && summary->void_lookups <= summary->max_void_lookups &&
        summary->void_lookups6 <= summary->max_void_lookups)
        return true;
    return SPF_DRAFT_ADD_NOTE(flattener->draft,
                              "As it is published, the record goes past the limits of RFC 7208 section 4.6.4, so that "
                              "mail may get permerror: flattened, it says what it would without them.");
}

static bool note_all(flattener_t *flattener, const flat_t *root)
{
    const spf_flatten_check_t *check = &flattener->check;
    bool is_good = note_limits(flattener);

    for (const spf_plan_item_t *item = root->plan.first; is_good && item != NULL; item = item->next)
        if (item->term != NULL)
            is_good = note_kept(flattener, item->term, item->why);
    if (is_good && root->plan.redirect != NULL)
        is_good = note_kept(flattener, root->plan.redirect, root->plan.redirect_why);
    if (is_good && root->is_exp_lost)
        is_good = SPF_DRAFT_ADD_NOTE(flattener->draft, "The explanation of another domain's record cannot be taken "
                                                       "over: fails have none.");
    for (size_t i = 0; is_good && i < check->keep_count; i++)
        if (!check->keep[i].is_found)
            is_good = SPF_DRAFT_ADD_NOTE(flattener->draft, "Nothing leads to ", check->keep[i].name.text,
                                         ", which was to be kept.");
    return is_good;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

/* A name that some term which stays leads to is not ours to write; nor are those that a given record leads to, which
 * stands elsewhere and is flattened again. */
static bool is_taken(void *user_data, const char *name)
{
    const flattener_t *flattener = user_data;

    for (size_t i = 0; i < flattener->tree->node_count; i++) {
        bool stays = flattener->tree->is_given || !flattener->check.is_live[i];
        if (stays && strcmp(flattener->tree->nodes[i]->name, name) == 0)
            return true;
    }
    for (const spf_plan_item_t *item = flattener->flats[0].plan.first; item != NULL; item = item->next) {
        const char *colon = item->term != NULL ? strchr(item->term, ':') : NULL;
        if (colon != NULL && strcmp(colon + 1, name) == 0)
            return true;
    }
    return false;
}

/* The modifiers at the end: the explanation, and those of the first record that nobody here knows. */
static bool list_tail(flattener_t *flattener, const flat_t *root, const char **tail, size_t *count)
{
    const spf_record_t *record = flattener->tree->nodes[0]->record;

    *count = 0;
    if (root->exp != NULL)
        tail[(*count)++] = root->exp;
    for (uint32_t i = 0; i < record->term_count && *count < TAIL_MAX; i++) {
        const spf_term_t *term = &record->terms[i];
        if (term->kind != SPF_TERM_UNKNOWN)
            continue;
        tail[*count] = spf_arena_copy(&flattener->scratch, record->text + term->offset, term->length);
        if (tail[(*count)++] == NULL)
            return false;
    }
    return true;
}

static spf_err_t check_lookups(flattener_t *flattener)
{
    if (flattener->draft->lookups <= SPF_LOOKUPS_MAX)
        return SPF_OK;
    SPF_SENTENCE_SET(flattener->error, "the terms that must stay take more than ten lookups by themselves");
    return SPF_EINVAL;
}

/* What an answer of that size has room for. */
static size_t room_of(size_t answer_max)
{
    return answer_max > ANSWER_USUAL + OPT_OCTETS ? answer_max - OPT_OCTETS
           : answer_max > ANSWER_USUAL            ? ANSWER_USUAL
                                                  : answer_max;
}

static spf_err_t write_records(flattener_t *flattener, size_t answer_max)
{
    const char *tail[TAIL_MAX + 1];
    spf_pack_options_t pack = {.prefix = flattener->options.prefix,
                               .answer_max = room_of(answer_max),
                               .tail = tail,
                               .is_taken = is_taken,
                               .user_data = flattener};

    if (!list_tail(flattener, &flattener->flats[0], tail, &pack.tail_count))
        return SPF_ENOMEM;
    return spf_pack(flattener->draft, &flattener->flats[0].plan, &pack, flattener->error);
}

/* Unless a size was asked for, larger records are better than none. */
static spf_err_t write_in_some_size(flattener_t *flattener)
{
    unsigned answer_max = flattener->options.answer_max;
    spf_err_t err = write_records(flattener, answer_max != 0 ? answer_max : ANSWER_USUAL);

    if (err != SPF_EINVAL || answer_max != 0)
        return err;
    err = write_records(flattener, ANSWER_EDNS);
    if (err != SPF_OK)
        return err;
    return SPF_DRAFT_ADD_NOTE(
               flattener->draft,
               "In DNS answers of 512 octets, as RFC 7208 section 3.4 recommends, it would take more than "
               "ten lookups: the answers have up to 1232, which needs EDNS or TCP.")
               ? SPF_OK
               : SPF_ENOMEM;
}

static spf_err_t write_draft(flattener_t *flattener)
{
    flat_t *root = &flattener->flats[0];
    spf_err_t err;

    spf_plan_settle(&root->plan, SPF_PLAN_TERMS_STAY);
    if (spf_plan_is_out_of_memory(&root->plan))
        return SPF_ENOMEM;
    err = write_in_some_size(flattener);
    if (err == SPF_OK)
        err = check_lookups(flattener);
    if (err == SPF_OK && !note_all(flattener, root))
        err = SPF_ENOMEM;
    return err == SPF_OK ? spf_prove(flattener->tree, flattener->draft, flattener->error) : err;
}

/* What the domain publishes as TXT now; NULL: nobody knows. */
static const spf_answer_t *published_txt(const spf_tree_t *tree)
{
    const spf_answer_t *txt = tree->is_given ? tree->nearby[SPF_NEARBY_TXT].answer : tree->nodes[0]->txt;

    return txt != NULL && !spf_answer_is_failure(txt) ? txt : NULL;
}

static spf_err_t flatten(flattener_t *flattener)
{
    const spf_tree_t *tree = flattener->tree;
    const spf_tree_node_t *root = tree->nodes[0];
    const spf_answer_t *txt = published_txt(tree);
    spf_err_t err =
        spf_flatten_check(&flattener->check, &flattener->scratch, tree, &flattener->options, flattener->error);

    if (err != SPF_OK)
        return err;
    flattener->draft = spf_draft_new(root->name, strlen(root->name));
    if (flattener->draft == NULL || (txt != NULL && !spf_draft_set_others(flattener->draft, txt)) ||
        !flatten_nodes(flattener))
        return SPF_ENOMEM;
    return write_draft(flattener);
}

spf_err_t spf_flatten(spf_draft_t **draft, const spf_tree_t *tree, const spf_flatten_options_t *options,
                      spf_buf_t *error)
{
    flattener_t flattener = {.tree = tree, .options = spf_flatten_known_options(options), .error = error};
    spf_err_t err = spf_flatten_check_options(options, error);

    *draft = NULL;
    if (err == SPF_OK)
        err = flatten(&flattener);
    clear_nodes(&flattener);
    spf_arena_free(&flattener.scratch);
    if (err == SPF_OK)
        *draft = flattener.draft;
    else
        spf_draft_free(flattener.draft);
    return err;
}
