/* SPDX-License-Identifier: MIT */
/* The resolver that libspf brings: libunbound. */
#include "dns/unbound.h"

#include "dns/packet.h"
#include "dns/ub_context.h"

#include <stdlib.h>
#include <string.h>

enum { ASKS_PER_CHUNK = 64 };

struct spf_unbound;

/* A question that libunbound works on. */
typedef struct spf_ask {
    struct spf_unbound *resolver;
    spf_query_t *query;
    struct spf_ask *next_free;
    int id;             /* libunbound's */
    bool is_submitting; /* libunbound may call back before it tells the id */
    bool is_over;
} spf_ask_t;

/* Asks are used again and again; their memory goes with the resolver. */
typedef struct spf_ask_chunk {
    struct spf_ask_chunk *next;
    spf_ask_t asks[ASKS_PER_CHUNK];
} spf_ask_chunk_t;

typedef struct spf_unbound {
    spf_ub_context_t network;
    spf_ask_chunk_t *chunks;
    spf_ask_t *free_asks;
    bool is_closing; /* no query is touched any more */
} spf_unbound_t;

static bool add_chunk(spf_unbound_t *resolver)
{
    spf_ask_chunk_t *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return false;
    chunk->next = resolver->chunks;
    resolver->chunks = chunk;
    for (size_t i = 0; i < ASKS_PER_CHUNK; i++) {
        chunk->asks[i].next_free = resolver->free_asks;
        resolver->free_asks = &chunk->asks[i];
    }
    return true;
}

static spf_ask_t *take_ask(spf_unbound_t *resolver, spf_query_t *query)
{
    if (!resolver->free_asks && !add_chunk(resolver))
        return NULL;
    spf_ask_t *ask = resolver->free_asks;
    resolver->free_asks = ask->next_free;
    *ask = (spf_ask_t){.resolver = resolver, .query = query};
    return ask;
}

static void release_ask(spf_ask_t *ask)
{
    ask->next_free = ask->resolver->free_asks;
    ask->resolver->free_asks = ask;
}

static const char *rcode_name(int rcode)
{
    return rcode == 2 ? "SERVFAIL" : rcode == 5 ? "REFUSED" : "DNS error";
}

/* Validation comes first: a bogus answer has response code 0 and holds the data that was tampered with. */
static void answer(spf_query_t *query, int rcode, const uint8_t *packet, int length, int security,
                   const char *why_bogus)
{
    spf_dnssec_t dnssec = security == 2 ? SPF_DNSSEC_SECURE : SPF_DNSSEC_INSECURE;
    if (security == 1)
        spf_query_finish(query, SPF_DNS_BOGUS, 0, SPF_DNSSEC_BOGUS, why_bogus);
    else if (packet && length > 0)
        spf_query_answer_packet(query, packet, (size_t)length, dnssec);
    else
        spf_query_finish(query, SPF_DNS_ERROR, 0, dnssec, rcode_name(rcode));
}

/* The packet is libunbound's buffer: it is read here and now. */
static void on_answer(void *argument, int rcode, void *packet, int length, int security, char *why_bogus,
                      int was_ratelimited)
{
    (void)was_ratelimited;
    spf_ask_t *ask = argument;
    if (!ask->resolver->is_closing)
        answer(ask->query, rcode, packet, length, security, why_bogus);
    ask->is_over = true;
    if (!ask->is_submitting)
        release_ask(ask);
}

static spf_err_t start(void *argument, spf_query_t *query)
{
    spf_unbound_t *resolver = argument;
    spf_ask_t *ask = take_ask(resolver, query);
    if (!ask)
        return SPF_ENOMEM;
    spf_query_set_token(query, ask);
    ask->is_submitting = true;
    bool is_asked =
        spf_ub_context_ask(&resolver->network, query->name, query->name_length, query->type, on_answer, ask, &ask->id);
    ask->is_submitting = false;
    if (!is_asked || ask->is_over)
        release_ask(ask);
    return is_asked ? SPF_OK : SPF_ERESOLVER;
}

/* libunbound does not call a cancelled question back. */
static void cancel(void *argument, spf_query_t *query)
{
    spf_unbound_t *resolver = argument;
    spf_ask_t *ask = spf_query_token(query);
    ub_cancel(resolver->network.ctx, ask->id);
    release_ask(ask);
}

static void free_resolver(void *argument)
{
    spf_unbound_t *resolver = argument;
    resolver->is_closing = true;
    spf_ub_context_clear(&resolver->network);
    for (spf_ask_chunk_t *chunk = resolver->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(resolver);
}

/* All that libunbound holds stays allocated: deleting it would take the parent's descriptors out of the epoll set that
 * is shared with it. */
void spf_unbound_abandon(void *resolver)
{
    (void)resolver;
}

static const spf_resolver_ops_t unbound_ops = {
    .size = sizeof unbound_ops,
    .start = start,
    .cancel = cancel,
    .free = free_resolver,
};

spf_err_t spf_unbound_new(const spf_resolver_ops_t **ops, void **resolver, spf_loop_t *loop,
                          const spf_dns_settings_t *settings, spf_buf_t *error)
{
    spf_unbound_t *made = calloc(1, sizeof *made);
    if (!made)
        return SPF_ENOMEM;
    spf_err_t result = spf_ub_context_init(&made->network, loop, settings, -1, error);
    if (result != SPF_OK) {
        free(made);
        return result;
    }
    *ops = &unbound_ops;
    *resolver = made;
    return SPF_OK;
}
