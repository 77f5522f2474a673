/* SPDX-License-Identifier: MIT */
#include "tools/plan.h"

#include <string.h>

void spf_plan_init(spf_plan_t *plan, spf_arena_t *arena)
{
    *plan = (spf_plan_t){.arena = arena, .otherwise = SPF_RESULT_NEUTRAL};
}

/* What could not be stored is remembered. */
static void item_clear(spf_plan_t *plan, spf_plan_item_t *item)
{
    plan->is_out_of_memory = plan->is_out_of_memory || item->addresses.is_out_of_memory || item->own.is_out_of_memory;
    spf_addresses_clear(&item->addresses);
    spf_addresses_clear(&item->own);
}

void spf_plan_clear(spf_plan_t *plan)
{
    for (spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        item_clear(plan, item);
    spf_plan_init(plan, plan->arena);
}

bool spf_plan_is_out_of_memory(const spf_plan_t *plan)
{
    for (const spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        if (item->addresses.is_out_of_memory || item->own.is_out_of_memory)
            return true;
    return plan->is_out_of_memory;
}

char spf_plan_qualifier(spf_result_t result)
{
    static const char qualifiers[] = {
        [SPF_RESULT_PASS] = '\0', [SPF_RESULT_FAIL] = '-', [SPF_RESULT_SOFTFAIL] = '~', [SPF_RESULT_NEUTRAL] = '?'};

    return qualifiers[result];
}

/* ------------------------------------------------------------------------------------------------------- building */

static spf_plan_item_t *append(spf_plan_t *plan, spf_result_t result)
{
    spf_plan_item_t *item = spf_arena_calloc(plan->arena, sizeof *item);
    spf_plan_item_t **end = &plan->first;

    if (item == NULL) {
        plan->is_out_of_memory = true;
        return NULL;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = item;
    item->result = (uint8_t)result;
    return item;
}

spf_plan_item_t *spf_plan_last(const spf_plan_t *plan)
{
    spf_plan_item_t *item = plan->first;

    while (item != NULL && item->next != NULL)
        item = item->next;
    return item;
}

spf_addresses_t *spf_plan_addresses(spf_plan_t *plan, spf_result_t result)
{
    spf_plan_item_t *item = spf_plan_last(plan);

    if (item == NULL || item->term != NULL || item->result != result)
        item = append(plan, result);
    return item != NULL ? &item->addresses : NULL;
}

spf_plan_item_t *spf_plan_add_term(spf_plan_t *plan, spf_result_t result, spf_term_kind_t kind, const char *term,
                                   unsigned lookups)
{
    spf_plan_item_t *item = append(plan, result);

    if (item != NULL) {
        item->kind = (uint8_t)kind;
        item->term = term;
        item->lookups = lookups;
    }
    return item;
}

/* ------------------------------------------------------------------------------------------------------- settling */

typedef struct settler {
    spf_plan_t *plan;
    spf_plan_order_t order;
    spf_plan_item_t *first;  /* of the new order */
    spf_addresses_t decided; /* by the addresses before */
} settler_t;

static void forget_decided(settler_t *settler)
{
    settler->plan->is_out_of_memory = settler->plan->is_out_of_memory || settler->decided.is_out_of_memory;
    spf_addresses_clear(&settler->decided);
}

/* Terms that cost less come first. */
static unsigned rank(const spf_plan_item_t *item)
{
    static const uint8_t ranks[] = {[SPF_TERM_A] = 1,      [SPF_TERM_MX] = 2,  [SPF_TERM_INCLUDE] = 3,
                                    [SPF_TERM_EXISTS] = 4, [SPF_TERM_PTR] = 5, [SPF_TERM_UNKNOWN] = 0};

    return item->term == NULL ? 0 : ranks[item->kind];
}

static void insert(spf_plan_item_t **place, spf_plan_item_t *item)
{
    item->next = *place;
    *place = item;
}

/* Behind the last item that `item` must not change places with: terms and addresses of the same result may change
 * them, as whichever of the two matches, the result is that. */
static spf_plan_item_t **place_in_order(settler_t *settler, const spf_plan_item_t *item)
{
    spf_plan_item_t **place = &settler->first;

    for (spf_plan_item_t **at = place; *at != NULL; at = &(*at)->next)
        if (settler->order == SPF_PLAN_TERMS_STAY || (*at)->result != item->result || rank(*at) <= rank(item))
            place = &(*at)->next;
    return place;
}

/* A term that stands there already matched before, or never will. */
static bool is_repeated(const settler_t *settler, const spf_plan_item_t *item)
{
    for (const spf_plan_item_t *at = settler->first; at != NULL; at = at->next)
        if (at->term != NULL && strcmp(at->term, item->term) == 0)
            return true;
    return false;
}

static bool is_everything(spf_plan_t *plan, const spf_addresses_t *set)
{
    spf_addresses_t rest = {0};
    bool result;

    spf_addresses_add_everything(&rest);
    spf_addresses_subtract(&rest, set);
    result = spf_addresses_is_empty(&rest);
    plan->is_out_of_memory = plan->is_out_of_memory || rest.is_out_of_memory;
    spf_addresses_clear(&rest);
    return result;
}

/* Whether they have an address in common. */
static bool sets_meet(spf_plan_t *plan, const spf_addresses_t *a, const spf_addresses_t *b)
{
    spf_addresses_t both = {0};
    bool result;

    spf_addresses_add(&both, a);
    spf_addresses_intersect(&both, b);
    result = !spf_addresses_is_empty(&both);
    plan->is_out_of_memory = plan->is_out_of_memory || both.is_out_of_memory;
    spf_addresses_clear(&both);
    return result;
}

/* The addresses with the same result that others may join. Terms part them, and so do addresses with another result
 * that lie within: behind these, networks may hold them. */
static spf_plan_item_t *find_group(settler_t *settler, const spf_plan_item_t *item)
{
    spf_plan_item_t *group = NULL;

    for (spf_plan_item_t *at = settler->first; at != NULL; at = at->next) {
        bool is_same = at->result == item->result;
        bool parts = at->term != NULL ? settler->order == SPF_PLAN_TERMS_STAY || !is_same
                                      : !is_same && sets_meet(settler->plan, &item->addresses, &at->own);
        if (parts)
            group = NULL;
        else if (at->term == NULL && is_same && group == NULL)
            group = at;
    }
    return group;
}

static void insert_addresses(settler_t *settler, spf_plan_item_t *item)
{
    spf_plan_item_t *group = find_group(settler, item);

    if (group == NULL) {
        insert(place_in_order(settler, item), item);
        return;
    }
    spf_addresses_add(&group->own, &item->own);
    spf_addresses_add(&group->addresses, &item->addresses);
    item_clear(settler->plan, item);
}

/* Leaves out the networks that hold none of the item's own addresses: they would only part it from others. */
static void forget_idle_networks(spf_plan_item_t *item)
{
    spf_cover_t cover = {.set = &item->addresses};
    spf_addresses_t left = {0};
    spf_network_t network;

    while (spf_cover_next(&cover, &network))
        if (spf_addresses_meets_network(&item->own, &network))
            spf_addresses_add_network(&left, &network);
    left.is_out_of_memory = left.is_out_of_memory || item->addresses.is_out_of_memory;
    spf_addresses_clear(&item->addresses);
    item->addresses = left;
}

/* False: no address is left undecided. */
static bool settle_addresses(settler_t *settler, spf_plan_item_t *item)
{
    spf_addresses_clear(&item->own);
    spf_addresses_add(&item->own, &item->addresses);
    spf_addresses_subtract(&item->own, &settler->decided);
    spf_addresses_add(&settler->decided, &item->addresses);
    if (is_everything(settler->plan, &settler->decided)) {
        item_clear(settler->plan, item);
        return false;
    }
    if (spf_addresses_is_empty(&item->own) && !item->own.is_out_of_memory) {
        item_clear(settler->plan, item);
        return true;
    }
    forget_idle_networks(item);
    insert_addresses(settler, item);
    return true;
}

/* The items in their new order, up to the one that decides all that is left: that one is an all. */
static void settle_order(settler_t *settler)
{
    spf_plan_t *plan = settler->plan;
    spf_plan_item_t *item = plan->first, *next;

    for (bool is_over = false; item != NULL; item = next) {
        next = item->next;
        if (is_over) {
            item_clear(plan, item);
        } else if (item->term != NULL) {
            if (!is_repeated(settler, item))
                insert(place_in_order(settler, item), item);
        } else {
            spf_result_t result = item->result;
            is_over = !settle_addresses(settler, item);
            if (!is_over)
                continue;
            plan->has_all = true;
            plan->otherwise = (uint8_t)result;
            plan->redirect = NULL;
            plan->redirect_lookups = 0;
        }
    }
}

/* Whether what comes behind these addresses gives them the same, so that they need not be there. */
static bool is_idle(spf_plan_t *plan, const spf_plan_item_t *item)
{
    if (item->term != NULL || plan->redirect != NULL || item->result != plan->otherwise)
        return false;
    for (const spf_plan_item_t *behind = item->next; behind != NULL; behind = behind->next)
        if (behind->term != NULL || sets_meet(plan, &behind->addresses, &item->own))
            return false;
    return true;
}

static bool drop_idle(settler_t *settler)
{
    bool is_dropped = false;

    for (spf_plan_item_t **at = &settler->first; *at != NULL;) {
        if (is_idle(settler->plan, *at)) {
            item_clear(settler->plan, *at);
            *at = (*at)->next;
            is_dropped = true;
        } else {
            at = &(*at)->next;
        }
    }
    return is_dropped;
}

/* From now on the addresses that items name are their own, and those that are decided before them: a network may go on
 * holding these. */
static void settle_extents(settler_t *settler)
{
    forget_decided(settler);
    for (spf_plan_item_t *item = settler->first; item != NULL; item = item->next) {
        if (item->term != NULL)
            continue;
        spf_addresses_intersect(&item->addresses, &settler->decided);
        spf_addresses_add(&item->addresses, &item->own);
        spf_addresses_add(&settler->decided, &item->own);
    }
}

/* Of the networks that make up its addresses, each as large as can be, those that hold some of its own. */
static void choose_networks(spf_plan_t *plan, spf_plan_item_t *item)
{
    spf_cover_t cover = {.set = &item->addresses};
    size_t room = spf_addresses_count_networks(&item->addresses);
    spf_network_t network;

    item->network_count = 0;
    item->networks =
        room < SIZE_MAX / sizeof *item->networks ? spf_arena_alloc(plan->arena, room * sizeof *item->networks) : NULL;
    if (item->networks == NULL) {
        plan->is_out_of_memory = true;
        return;
    }
    while (spf_cover_next(&cover, &network))
        if (spf_addresses_meets_network(&item->own, &network))
            item->networks[item->network_count++] = network;
}

static void settle(settler_t *settler, spf_plan_t *plan)
{
    bool is_changed;

    /* Where something is dropped, what stood on its two sides comes together. */
    do {
        forget_decided(settler);
        settler->first = NULL;
        settle_order(settler);
        settle_extents(settler);
        is_changed = drop_idle(settler);
        plan->first = settler->first;
    } while (is_changed);
    for (spf_plan_item_t *item = plan->first; item != NULL; item = item->next)
        if (item->term == NULL)
            choose_networks(plan, item);
}

/* Addresses at the very end; NULL: there are none. */
static spf_plan_item_t *last_addresses(const spf_plan_t *plan)
{
    spf_plan_item_t *item = plan->first;

    while (item != NULL && item->next != NULL)
        item = item->next;
    return item != NULL && item->term == NULL && plan->redirect == NULL ? item : NULL;
}

/* Where nearly all addresses that are left have one result, it is shorter to name the others, and let the rest fall to
 * an all. False: it is not. */
static bool invert(settler_t *settler, spf_plan_t *plan)
{
    spf_plan_item_t *last = last_addresses(plan);
    spf_plan_item_t others = {0};

    if (last == NULL)
        return false;
    spf_addresses_add_everything(&others.own);
    spf_addresses_add(&others.addresses, &others.own);
    spf_addresses_subtract(&others.own, &settler->decided);
    spf_addresses_subtract(&others.addresses, &last->own);
    choose_networks(plan, &others);
    if (others.own.is_out_of_memory || others.addresses.is_out_of_memory)
        plan->is_out_of_memory = true;
    if (plan->is_out_of_memory || others.network_count >= last->network_count) {
        item_clear(plan, &others);
        return false;
    }
    item_clear(plan, last);
    last->own = others.own;
    last->addresses = others.addresses;
    others.result = last->result;
    last->result = plan->otherwise;
    plan->otherwise = others.result;
    plan->has_all = true;
    return true;
}

void spf_plan_settle(spf_plan_t *plan, spf_plan_order_t order)
{
    settler_t settler = {.plan = plan, .order = order};

    settle(&settler, plan);
    if (order == SPF_PLAN_TERMS_STAY && invert(&settler, plan))
        settle(&settler, plan);
    forget_decided(&settler);
}
