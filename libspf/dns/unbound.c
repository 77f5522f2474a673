/* SPDX-License-Identifier: MIT */
/*
 * The resolver that libspf brings: up to two libunbound contexts, one that answers from zone files and one for the
 * network. With both, a question goes to the zones first; what they do not hold is asked of the network, also where a
 * CNAME leads out of the zones, or from the network back into them.
 */
#include "dns/unbound.h"

#include "dns/packet.h"
#include "dns/ub_context.h"
#include "dns/zones.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

enum { ASKS_PER_CHUNK = 64, HOPS_MAX = 16 };

typedef struct spf_unbound spf_unbound_t;

/* A question that libunbound works on. */
typedef struct spf_ask {
    spf_unbound_t *resolver;
    spf_query_t *query;
    spf_ub_context_t *context; /* whom it was put to */
    const char *name;          /* the query's, or what that is an alias of */
    LIST_ENTRY(spf_ask) link;  /* in the list of those that are free, or that hop */
    uint32_t ttl_max_s;        /* lowest TTL of the CNAMEs that led to name */
    int id;                    /* libunbound's */
    uint8_t name_length;
    uint8_t hops; /* from one context to the other */
    bool is_hopping;
    bool is_in_zones;   /* the name has records in the zones, if not of this type */
    bool is_insecure;   /* an answer on the way was not validated */
    bool is_submitting; /* libunbound may call back before it tells the id */
    bool is_called_back;
} spf_ask_t;

typedef LIST_HEAD(spf_asks, spf_ask) spf_asks_t;

/* Asks are used again and again; their memory goes with the resolver. */
typedef struct spf_ask_chunk {
    struct spf_ask_chunk *next;
    spf_ask_t asks[ASKS_PER_CHUNK];
} spf_ask_chunk_t;

struct spf_unbound {
    spf_ub_context_t zones;
    spf_ub_context_t network;
    spf_loop_t *loop;
    spf_timer_t hop_timer;
    spf_asks_t hopping; /* to be put to the other context once libunbound's calls have returned */
    spf_ask_chunk_t *chunks;
    spf_asks_t free_asks;
    spf_unbound_t *next_abandoned;
    bool is_closing; /* no query is touched any more */
};

static bool add_chunk(spf_unbound_t *resolver)
{
    spf_ask_chunk_t *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return false;
    chunk->next = resolver->chunks;
    resolver->chunks = chunk;
    for (size_t i = 0; i < ASKS_PER_CHUNK; i++)
        LIST_INSERT_HEAD(&resolver->free_asks, &chunk->asks[i], link);
    return true;
}

static spf_ask_t *take_ask(spf_unbound_t *resolver, spf_query_t *query)
{
    if (LIST_EMPTY(&resolver->free_asks) && !add_chunk(resolver))
        return NULL;
    spf_ask_t *ask = LIST_FIRST(&resolver->free_asks);
    LIST_REMOVE(ask, link);
    *ask = (spf_ask_t){.resolver = resolver,
                       .query = query,
                       .context = spf_ub_context_is_open(&resolver->zones) ? &resolver->zones : &resolver->network,
                       .name = query->name,
                       .name_length = query->name_length,
                       .ttl_max_s = UINT32_MAX};
    return ask;
}

static void release_ask(spf_ask_t *ask)
{
    LIST_INSERT_HEAD(&ask->resolver->free_asks, ask, link);
}

/* ------------------------------------------------------------------------------------------------------ submitting */

static void on_answer(void *argument, int rcode, void *packet, int length, int security, char *why_bogus,
                      int was_ratelimited);

/* False if libunbound refused; the ask is released then. */
static bool submit(spf_ask_t *ask)
{
    ask->is_submitting = true;
    ask->is_called_back = false;
    bool is_taken =
        spf_ub_context_ask(ask->context, ask->name, ask->name_length, ask->query->type, on_answer, ask, &ask->id);
    ask->is_submitting = false;
    if (!is_taken || (ask->is_called_back && !ask->is_hopping))
        release_ask(ask);
    return is_taken;
}

static void run_hops(spf_unbound_t *resolver)
{
    spf_ask_t *ask;
    while ((ask = LIST_FIRST(&resolver->hopping))) {
        spf_query_t *query = ask->query;
        LIST_REMOVE(ask, link);
        ask->is_hopping = false;
        if (!submit(ask))
            spf_query_finish(query, SPF_DNS_ERROR, 0, SPF_DNSSEC_INSECURE, "libunbound refused the question");
    }
    spf_loop_timer_clear(resolver->loop, &resolver->hop_timer);
}

static void on_hop_timer(spf_timer_t *timer)
{
    run_hops((spf_unbound_t *)(void *)((char *)timer - offsetof(spf_unbound_t, hop_timer)));
}

/* ---------------------------------------------------------------------------------------------------------- answers */

/* Puts the question, now for the name at the end of the CNAMEs, to the other context. */
static bool hop(spf_ask_t *ask, const spf_packet_t *packet)
{
    spf_unbound_t *resolver = ask->resolver;
    spf_name_t owner;
    if (packet->cnames) {
        if (!spf_packet_owner(packet, &owner))
            return false;
        ask->name = spf_arena_copy(ask->query->arena, owner.text, owner.length);
        ask->name_length = owner.length;
        if (packet->ttl_s < ask->ttl_max_s)
            ask->ttl_max_s = packet->ttl_s;
    }
    if (!ask->name || !spf_loop_timer_set(resolver->loop, &resolver->hop_timer, spf_loop_now_us(resolver->loop))) {
        ask->query->is_out_of_memory = true;
        return false;
    }
    ask->context = ask->context == &resolver->zones ? &resolver->network : &resolver->zones;
    ask->hops++;
    ask->is_hopping = true;
    LIST_INSERT_HEAD(&resolver->hopping, ask, link);
    return true;
}

static bool must_hop(const spf_ask_t *ask, const spf_packet_t *packet)
{
    const spf_unbound_t *resolver = ask->resolver;
    if (!spf_ub_context_is_open(&resolver->zones) || !spf_ub_context_is_open(&resolver->network))
        return false;
    return ask->context == &resolver->zones ? spf_packet_is_void(packet)
                                            : packet->cnames > 0 && packet->status != SPF_DNS_ERROR;
}

static void answer_packet(spf_ask_t *ask, const uint8_t *data, size_t length, bool is_secure)
{
    spf_packet_t packet;
    spf_packet_read(&packet, data, length, ask->name, ask->name_length, ask->query->type);
    bool is_from_zones = ask->context == &ask->resolver->zones;
    bool is_last = !must_hop(ask, &packet);
    /* Where zones have nothing, what the network says counts alone. */
    ask->is_insecure = ask->is_insecure || (!is_secure && (is_last || !is_from_zones));
    if (!is_last) {
        if (ask->hops == HOPS_MAX) {
            spf_query_finish(ask->query, SPF_DNS_ERROR, 0, SPF_DNSSEC_INSECURE, "CNAME loop");
            return;
        }
        if (packet.cnames)
            ask->is_insecure = ask->is_insecure || is_from_zones;
        ask->is_in_zones = is_from_zones && packet.status == SPF_DNS_ANSWER;
        if (hop(ask, &packet))
            return;
    }
    /* The name exists, whatever the network says. */
    if (packet.status == SPF_DNS_NXDOMAIN && ask->is_in_zones)
        packet.status = SPF_DNS_ANSWER;
    spf_packet_answer(&packet, ask->query, ask->is_insecure ? SPF_DNSSEC_INSECURE : SPF_DNSSEC_SECURE, ask->ttl_max_s);
}

/* Validation comes first: a bogus answer has response code 0 and holds the data that was tampered with. Without a
 * packet there is nothing but the response code. */
static void answer(spf_ask_t *ask, int rcode, const uint8_t *packet, int length, int security, const char *why_bogus)
{
    enum { SECURITY_BOGUS = 1, SECURITY_SECURE = 2 };
    if (security == SECURITY_BOGUS)
        spf_query_finish(ask->query, SPF_DNS_BOGUS, 0, SPF_DNSSEC_BOGUS, why_bogus);
    else if (packet && length > 0 && (rcode == ns_r_noerror || rcode == ns_r_nxdomain))
        answer_packet(ask, packet, (size_t)length, security == SECURITY_SECURE);
    else
        spf_query_finish(ask->query, SPF_DNS_ERROR, 0, SPF_DNSSEC_INSECURE, spf_packet_rcode_name((unsigned)rcode));
}

/* The packet is libunbound's buffer, which its next question overwrites: it is read here and now. */
static void on_answer(void *argument, int rcode, void *packet, int length, int security, char *why_bogus,
                      int was_ratelimited)
{
    (void)was_ratelimited;
    spf_ask_t *ask = argument;
    ask->is_called_back = true;
    if (!ask->resolver->is_closing)
        answer(ask, rcode, packet, length, security, why_bogus);
    if (!ask->is_submitting && !ask->is_hopping)
        release_ask(ask);
}

/* ------------------------------------------------------------------------------------------------------- operations */

static spf_err_t start(void *argument, spf_query_t *query)
{
    spf_unbound_t *resolver = argument;
    spf_ask_t *ask = take_ask(resolver, query);
    if (!ask) {
        query->is_out_of_memory = true;
        return SPF_ENOMEM;
    }
    spf_query_set_token(query, ask);
    if (!submit(ask))
        return SPF_ERESOLVER;
    run_hops(resolver);
    return SPF_OK;
}

/* libunbound does not call a cancelled question back. */
static void cancel(void *argument, spf_query_t *query)
{
    (void)argument;
    spf_ask_t *ask = spf_query_token(query);
    if (ask->is_hopping)
        LIST_REMOVE(ask, link);
    else
        ub_cancel(ask->context->ctx, ask->id);
    release_ask(ask);
}

/* libunbound calls open questions back from inside; their queries may be gone. */
static void free_resolver(void *argument)
{
    spf_unbound_t *resolver = argument;
    resolver->is_closing = true;
    spf_ub_context_clear(&resolver->zones);
    spf_ub_context_clear(&resolver->network);
    spf_loop_timer_clear(resolver->loop, &resolver->hop_timer);
    for (spf_ask_chunk_t *chunk = resolver->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(resolver);
}

/* All that libunbound holds stays allocated: to delete it would call questions back that are the parent's, and take
 * the parent's descriptors out of the epoll set that is shared with it. The list shows leak checkers that it is meant.
 */
static _Atomic(spf_unbound_t *) abandoned;

void spf_unbound_abandon(void *argument)
{
    spf_unbound_t *resolver = argument;
    resolver->next_abandoned = atomic_load(&abandoned);
    while (!atomic_compare_exchange_weak(&abandoned, &resolver->next_abandoned, resolver))
        continue;
}

static const spf_resolver_ops_t unbound_ops = {
    .size = sizeof unbound_ops,
    .start = start,
    .cancel = cancel,
    .free = free_resolver,
};

/* libunbound has read the zones when its context is set up: the file is not needed longer. */
static spf_err_t init_zones(spf_unbound_t *resolver, const spf_dns_settings_t *settings, spf_buf_t *error)
{
    int fd;
    spf_err_t result = spf_zones_merge(settings->zones, &fd, error);
    if (result != SPF_OK)
        return result;
    result = spf_ub_context_init(&resolver->zones, resolver->loop, settings, fd, error);
    close(fd);
    return result;
}

spf_err_t spf_unbound_new(const spf_resolver_ops_t **ops, void **resolver, spf_loop_t *loop,
                          const spf_dns_settings_t *settings, spf_buf_t *error)
{
    spf_unbound_t *made = calloc(1, sizeof *made);
    if (!made)
        return SPF_ENOMEM;
    made->loop = loop;
    made->hop_timer.fire = on_hop_timer;
    spf_err_t result = settings->trust_anchor ? spf_zones_check_anchor(settings->trust_anchor, error) : SPF_OK;
    if (result == SPF_OK && (settings->zones || settings->source == SPF_DNS_ZONES_ONLY))
        result = init_zones(made, settings, error);
    if (result == SPF_OK && settings->source != SPF_DNS_ZONES_ONLY)
        result = spf_ub_context_init(&made->network, loop, settings, -1, error);
    if (result != SPF_OK) {
        free_resolver(made);
        return result;
    }
    *ops = &unbound_ops;
    *resolver = made;
    return SPF_OK;
}
