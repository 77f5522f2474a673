/* SPDX-License-Identifier: MIT */
#include "support/memory_resolver.h"

#include "support/dns_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_NAME_MAX = 253, MEMORY_LABEL_MAX = 63 };

#define MEMORY_START_US UINT64_C(1000000)
#define MEMORY_EPOCH_S  UINT64_C(1700000000)
#define MEMORY_NEVER    UINT64_MAX

/* A question under way: an entry of a binary heap, the earliest first; the query's token is its index plus one. */
typedef struct memory_pending {
    uint64_t due_us;
    uint64_t order; /* among those due at the same time */
    spf_query_t *query;
} memory_pending_t;

typedef struct memory_logged {
    uint16_t type;
    char name[MEMORY_NAME_MAX + 1];
} memory_logged_t;

struct memory_resolver {
    const zone_t *zone;
    memory_options_t options;
    memory_counters_t counters;
    memory_pending_t *pending;
    size_t pending_count, pending_room;
    uint64_t now_us;
    uint64_t order;
    memory_logged_t log[MEMORY_LOG];
};

memory_resolver_t *memory_resolver_new(const zone_t *zone)
{
    memory_resolver_t *resolver = calloc(1, sizeof *resolver);
    memory_pending_t *pending = calloc(MEMORY_IN_FLIGHT, sizeof *pending);
    if (!resolver || !pending)
        abort();
    resolver->zone = zone;
    resolver->pending = pending;
    resolver->pending_room = MEMORY_IN_FLIGHT;
    resolver->now_us = MEMORY_START_US;
    return resolver;
}

void memory_resolver_free(memory_resolver_t *resolver)
{
    if (!resolver)
        return;
    free(resolver->pending);
    free(resolver);
}

void memory_resolver_set_options(memory_resolver_t *resolver, const memory_options_t *options)
{
    resolver->options = *options;
}

void memory_resolver_set_zone(memory_resolver_t *resolver, const zone_t *zone)
{
    resolver->zone = zone;
}

/* ------------------------------------------------------------------------------------------------------- the heap */

static bool memory_is_before(const memory_pending_t *a, const memory_pending_t *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void memory_place(memory_resolver_t *resolver, size_t index, memory_pending_t entry)
{
    resolver->pending[index] = entry;
    spf_query_set_token(entry.query, (void *)(uintptr_t)(index + 1));
}

static void memory_sift_up(memory_resolver_t *resolver, size_t index, memory_pending_t entry)
{
    while (index > 0 && memory_is_before(&entry, &resolver->pending[(index - 1) / 2])) {
        memory_place(resolver, index, resolver->pending[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    memory_place(resolver, index, entry);
}

static void memory_sift_down(memory_resolver_t *resolver, size_t index, memory_pending_t entry)
{
    for (size_t child; (child = 2 * index + 1) < resolver->pending_count; index = child) {
        if (child + 1 < resolver->pending_count &&
            memory_is_before(&resolver->pending[child + 1], &resolver->pending[child]))
            child++;
        if (!memory_is_before(&resolver->pending[child], &entry))
            break;
        memory_place(resolver, index, resolver->pending[child]);
    }
    memory_place(resolver, index, entry);
}

static void memory_push(memory_resolver_t *resolver, memory_pending_t entry)
{
    if (resolver->pending_count == resolver->pending_room) {
        resolver->pending_room *= 2;
        resolver->pending = reallocarray(resolver->pending, resolver->pending_room, sizeof *resolver->pending);
        if (!resolver->pending)
            abort();
    }
    memory_sift_up(resolver, resolver->pending_count++, entry);
}

static void memory_remove(memory_resolver_t *resolver, size_t index)
{
    memory_pending_t last = resolver->pending[--resolver->pending_count];
    if (index == resolver->pending_count)
        return;
    if (index > 0 && memory_is_before(&last, &resolver->pending[(index - 1) / 2]))
        memory_sift_up(resolver, index, last);
    else
        memory_sift_down(resolver, index, last);
}

/* --------------------------------------------------------------------------------------------------------- answers */

static void memory_add_text(spf_query_t *query, const zone_record_t *record)
{
    char text[DNS_PACKET_MAX];
    size_t used = 0;
    for (size_t at = 0; at < record->length; at += 1 + (size_t)record->data[at]) {
        memcpy(text + used, record->data + at + 1, record->data[at]);
        used += record->data[at];
    }
    spf_query_add_text(query, text, used);
}

static void memory_add(spf_query_t *query, const zone_record_t *record)
{
    switch (record->type) {
    case SPF_TYPE_A:
    case SPF_TYPE_AAAA:
        spf_query_add_address(query, record->data, record->length);
        break;
    case SPF_TYPE_TXT:
    case SPF_TYPE_SPF:
        memory_add_text(query, record);
        break;
    default:
        spf_query_add_host(query, (const char *)record->data, record->length);
    }
}

static void memory_answer_packet(const memory_resolver_t *resolver, spf_query_t *query, const zone_answer_t *answer)
{
    uint8_t packet[DNS_PACKET_MAX];
    dns_question_t question;
    size_t length;
    const char *name = spf_query_name(query, &length);
    dns_question_make(&question, name, length, spf_query_type(query));
    length = dns_answer_write(packet, sizeof packet, &question, answer, resolver->options.ttl_s);
    spf_query_answer_packet(query, packet, length, resolver->options.dnssec);
}

static void memory_answer(const memory_resolver_t *resolver, spf_query_t *query)
{
    static const char *const details[] = {
        [SPF_DNS_TIMEOUT] = "no answer", [SPF_DNS_ERROR] = "SERVFAIL", [SPF_DNS_BOGUS] = "signature expired"};
    size_t length;
    const char *name = spf_query_name(query, &length);
    zone_answer_t answer = zone_lookup(resolver->zone, name, length, spf_query_type(query));
    if (resolver->options.as_packets && answer.status != SPF_DNS_BOGUS && answer.status != SPF_DNS_TIMEOUT) {
        memory_answer_packet(resolver, query, &answer);
        return;
    }
    for (const zone_record_t *record = answer.record; record; record = zone_record_next(record))
        memory_add(query, record);
    spf_query_finish(query, answer.status, resolver->options.ttl_s, resolver->options.dnssec, details[answer.status]);
}

/* ------------------------------------------------------------------------------------------------ the operations */

/* What spf_query_name() and spf_query_type() promise. */
static bool memory_is_allowed(const memory_resolver_t *resolver, const spf_query_t *query)
{
    size_t length, label = 0;
    const char *name = spf_query_name(query, &length);
    if (length == 0 || length > MEMORY_NAME_MAX || name[length] != '\0' || spf_query_token(query))
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i == length || name[i] == '.') {
            if (label == 0 || label > MEMORY_LABEL_MAX)
                return false;
            label = 0;
        } else {
            if (name[i] >= 'A' && name[i] <= 'Z')
                return false;
            label++;
        }
    }
    uint16_t type = spf_query_type(query);
    return type == SPF_TYPE_A || type == SPF_TYPE_AAAA || type == SPF_TYPE_MX || type == SPF_TYPE_PTR ||
           type == SPF_TYPE_TXT || (type == SPF_TYPE_SPF && resolver->options.is_survey);
}

static void memory_log(memory_resolver_t *resolver, const spf_query_t *query)
{
    if (resolver->counters.queries > MEMORY_LOG)
        return;
    memory_logged_t *logged = &resolver->log[resolver->counters.queries - 1];
    size_t length;
    const char *name = spf_query_name(query, &length);
    logged->type = spf_query_type(query);
    memcpy(logged->name, name, length);
    logged->name[length] = '\0';
}

/* A number that looks random and depends on the seed and the question's number only (splitmix64). */
static uint64_t memory_random(uint64_t seed, uint64_t number)
{
    uint64_t mixed = seed * UINT64_C(0x9e3779b97f4a7c15) + number * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static uint64_t memory_due_us(const memory_resolver_t *resolver, spf_query_t *query, unsigned number)
{
    const memory_options_t *options = &resolver->options;
    size_t length;
    const char *name = spf_query_name(query, &length);
    bool times_out = zone_lookup(resolver->zone, name, length, spf_query_type(query)).status == SPF_DNS_TIMEOUT;
    if (number == options->lose || (times_out && !options->timeout_us))
        return MEMORY_NEVER;
    if (times_out)
        return resolver->now_us + options->timeout_us;
    uint64_t due_us = resolver->now_us + options->delay_us;
    if (options->jitter_us)
        due_us += memory_random(options->seed, number) % options->jitter_us;
    if (number == options->slow)
        due_us += options->slow_us;
    return due_us;
}

static spf_err_t memory_start(void *self, spf_query_t *query)
{
    memory_resolver_t *resolver = self;
    if (!memory_is_allowed(resolver, query)) {
        resolver->counters.violations++;
        return SPF_EINVAL;
    }
    unsigned number = ++resolver->counters.queries;
    memory_log(resolver, query);
    if (resolver->options.asked)
        resolver->options.asked(resolver->options.user_data, number);
    uint64_t due_us = memory_due_us(resolver, query, number);
    if (due_us == resolver->now_us && !resolver->options.is_late) {
        memory_answer(resolver, query);
        return SPF_OK;
    }
    memory_push(resolver, (memory_pending_t){due_us, resolver->order++, query});
    resolver->counters.in_flight++;
    if (resolver->counters.in_flight > resolver->counters.peak)
        resolver->counters.peak = resolver->counters.in_flight;
    return SPF_OK;
}

static void memory_cancel(void *self, spf_query_t *query)
{
    memory_resolver_t *resolver = self;
    size_t slot = (uintptr_t)spf_query_token(query);
    if (slot == 0 || slot > resolver->pending_count || resolver->pending[slot - 1].query != query) {
        resolver->counters.violations++;
        return;
    }
    memory_remove(resolver, slot - 1);
    resolver->counters.in_flight--;
    resolver->counters.cancelled++;
}

static int64_t memory_timeout_us(void *self)
{
    const memory_resolver_t *resolver = self;
    if (resolver->pending_count == 0 || resolver->pending[0].due_us == MEMORY_NEVER)
        return -1;
    uint64_t due_us = resolver->pending[0].due_us;
    return due_us > resolver->now_us ? (int64_t)(due_us - resolver->now_us) : 0;
}

static void memory_process(void *self)
{
    memory_resolver_t *resolver = self;
    while (memory_timeout_us(resolver) == 0) {
        spf_query_t *query = resolver->pending[0].query;
        memory_remove(resolver, 0);
        resolver->counters.in_flight--;
        memory_answer(resolver, query);
    }
}

static void memory_wait(void *self, int64_t timeout_us)
{
    memory_resolver_t *resolver = self;
    int64_t due_us = memory_timeout_us(resolver);
    if (due_us < 0 || (timeout_us >= 0 && timeout_us < due_us))
        due_us = timeout_us;
    if (due_us < 0) {
        fprintf(stderr, "memory resolver: a wait for nothing, without end\n");
        abort();
    }
    if (due_us > 0) {
        resolver->now_us += (uint64_t)due_us;
        resolver->counters.waits++;
    }
}

static uint64_t memory_now_us(void *self)
{
    return memory_resolver_now_us(self);
}

static uint64_t memory_time_s(void *self)
{
    return MEMORY_EPOCH_S + memory_resolver_now_us(self) / 1000000;
}

const spf_resolver_ops_t memory_resolver_ops = {
    .size = sizeof(spf_resolver_ops_t),
    .start = memory_start,
    .cancel = memory_cancel,
    .timeout_us = memory_timeout_us,
    .process = memory_process,
    .wait = memory_wait,
    .now_us = memory_now_us,
    .time_s = memory_time_s,
};

/* ------------------------------------------------------------------------------------------------------- the facts */

memory_counters_t memory_resolver_counters(const memory_resolver_t *resolver)
{
    return resolver->counters;
}

void memory_resolver_reset_counters(memory_resolver_t *resolver)
{
    resolver->counters = (memory_counters_t){.in_flight = resolver->counters.in_flight};
}

unsigned memory_resolver_asked(const memory_resolver_t *resolver, const char *name, uint16_t type)
{
    unsigned logged = resolver->counters.queries, count = 0;
    for (unsigned i = 0; i < logged && i < MEMORY_LOG; i++) {
        const memory_logged_t *entry = &resolver->log[i];
        if ((!name || strcmp(entry->name, name) == 0) && (type == 0 || entry->type == type))
            count++;
    }
    return count;
}

uint64_t memory_resolver_now_us(const memory_resolver_t *resolver)
{
    return resolver->now_us;
}

void memory_resolver_advance(memory_resolver_t *resolver, uint64_t us)
{
    resolver->now_us += us;
}
