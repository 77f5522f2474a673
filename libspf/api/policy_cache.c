/* SPDX-License-Identifier: MIT */
#include "api/policy_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

/* A DNS TTL has 31 bits; a day is as long as anybody needs a record kept. */
enum { TTL_MAX_S = 86400, BUCKETS_AT_FIRST = 256 };

/* What an entry's key is. */
typedef enum key_kind { KEY_NAME, KEY_TEXT } key_kind_t;

typedef struct entry {
    struct entry *next; /* in its bucket */
    TAILQ_ENTRY(entry) use;
    uint64_t hash;
    uint64_t bytes;
    const char *key; /* of a name: behind the entry; of a text: the record's own */
    size_t key_length;
    key_kind_t kind;
    spf_policy_t *policy; /* KEY_NAME */
    uint64_t expires_us;
    spf_dnssec_t dnssec;
    spf_record_t *record; /* KEY_TEXT */
} entry_t;

typedef TAILQ_HEAD(use_list, entry) use_list_t;

struct spf_policy_cache {
    entry_t **buckets;
    size_t bucket_count; /* a power of two */
    size_t entry_count;
    use_list_t used; /* the most recently used first */
    uint64_t bytes, max_bytes;
    uint64_t seed; /* so that nobody can choose names that collide */
};

/* -------------------------------------------------------------------------------------------------------- hashing */

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    return value * UINT64_C(0xd6e8feb86659fd93);
}

static uint64_t hash_of(const spf_policy_cache_t *cache, key_kind_t kind, const char *key, size_t length)
{
    uint64_t hash = cache->seed ^ (uint64_t)kind ^ (uint64_t)length << 8;

    for (; length >= 8; key += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        hash = mix(hash ^ word);
    }
    if (length > 0) {
        uint64_t word = 0;
        memcpy(&word, key, length);
        hash = mix(hash ^ word);
    }
    return mix(hash ^ cache->seed);
}

static entry_t **bucket_of(const spf_policy_cache_t *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

/* Doubles the buckets; without memory the chains just get longer. */
static void grow(spf_policy_cache_t *cache)
{
    size_t count = 2 * cache->bucket_count;
    entry_t **buckets = calloc(count, sizeof *buckets);
    entry_t *entry;

    if (buckets == NULL)
        return;
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
    TAILQ_FOREACH(entry, &cache->used, use)
    {
        entry_t **bucket = bucket_of(cache, entry->hash);
        entry->next = *bucket;
        *bucket = entry;
    }
}

/* --------------------------------------------------------------------------------------------------- order of use */

static void touch(spf_policy_cache_t *cache, entry_t *entry)
{
    TAILQ_REMOVE(&cache->used, entry, use);
    TAILQ_INSERT_HEAD(&cache->used, entry, use);
}

static void evict(spf_policy_cache_t *cache, entry_t *entry)
{
    entry_t **at = bucket_of(cache, entry->hash);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    TAILQ_REMOVE(&cache->used, entry, use);
    cache->bytes -= entry->bytes;
    cache->entry_count--;
    spf_policy_unref(entry->policy);
    spf_record_unref(entry->record);
    free(entry);
}

/* ---------------------------------------------------------------------------------------------------------- entries */

static entry_t *find(const spf_policy_cache_t *cache, key_kind_t kind, const char *key, size_t length, uint64_t hash)
{
    entry_t *entry = *bucket_of(cache, hash);

    while (entry != NULL && !(entry->hash == hash && entry->kind == kind && entry->key_length == length &&
                              memcmp(entry->key, key, length) == 0))
        entry = entry->next;
    return entry;
}

/* A new entry with room for a copy of its key, unless that is kept elsewhere. NULL: it does not fit, or no memory. */
static entry_t *add(spf_policy_cache_t *cache, key_kind_t kind, const char *key, size_t length, bool copy_key,
                    uint64_t more_bytes, uint64_t hash)
{
    size_t size = sizeof(entry_t) + (copy_key ? length : 0);
    entry_t *entry;

    if (size + more_bytes > cache->max_bytes)
        return NULL;
    while (cache->bytes + size + more_bytes > cache->max_bytes)
        evict(cache, TAILQ_LAST(&cache->used, use_list)); /* NOLINT: the last one is another now */
    entry = calloc(1, size);
    if (entry == NULL)
        return NULL;
    entry->kind = kind;
    entry->hash = hash;
    entry->bytes = size + more_bytes;
    entry->key = copy_key ? memcpy(entry + 1, key, length) : key;
    entry->key_length = length;
    if (cache->entry_count >= cache->bucket_count)
        grow(cache);
    entry->next = *bucket_of(cache, hash);
    *bucket_of(cache, hash) = entry;
    TAILQ_INSERT_HEAD(&cache->used, entry, use);
    cache->bytes += entry->bytes;
    cache->entry_count++;
    return entry;
}

static spf_record_t *find_record(void *source, const char *text, size_t length)
{
    spf_policy_cache_t *cache = source;
    entry_t *entry = find(cache, KEY_TEXT, text, length, hash_of(cache, KEY_TEXT, text, length));

    if (entry == NULL)
        return NULL;
    touch(cache, entry);
    return spf_record_ref(entry->record);
}

static void keep_record(spf_policy_cache_t *cache, spf_record_t *record)
{
    uint64_t hash = hash_of(cache, KEY_TEXT, record->text, record->length);
    entry_t *entry;

    if (find(cache, KEY_TEXT, record->text, record->length, hash) != NULL)
        return;
    entry = add(cache, KEY_TEXT, record->text, record->length, false, record->size, hash);
    if (entry != NULL)
        entry->record = spf_record_ref(record);
}

static void keep_policy(spf_policy_cache_t *cache, const spf_query_t *query, uint64_t now_us)
{
    uint64_t hash = hash_of(cache, KEY_NAME, query->name, query->name_length);
    entry_t *entry = find(cache, KEY_NAME, query->name, query->name_length, hash);
    uint64_t ttl_s = query->answer.ttl_s < TTL_MAX_S ? query->answer.ttl_s : TTL_MAX_S;

    if (entry != NULL)
        evict(cache, entry);
    if (ttl_s == 0 || query->answer.dnssec == SPF_DNSSEC_BOGUS)
        return;
    entry = add(cache, KEY_NAME, query->name, query->name_length, true, sizeof(spf_policy_t), hash);
    if (entry == NULL)
        return;
    entry->policy = spf_policy_ref(query->policy);
    entry->dnssec = query->answer.dnssec;
    entry->expires_us = now_us + ttl_s * UINT64_C(1000000);
}

/* -------------------------------------------------------------------------------------------------------- interface */

spf_policy_cache_t *spf_policy_cache_new(uint64_t max_bytes)
{
    spf_policy_cache_t *cache = calloc(1, sizeof *cache);

    if (cache == NULL)
        return NULL;
    cache->bucket_count = BUCKETS_AT_FIRST;
    cache->buckets = calloc(cache->bucket_count, sizeof *cache->buckets);
    if (cache->buckets == NULL) {
        free(cache);
        return NULL;
    }
    TAILQ_INIT(&cache->used);
    cache->max_bytes = max_bytes;
    if (getrandom(&cache->seed, sizeof cache->seed, GRND_NONBLOCK) != sizeof cache->seed)
        cache->seed = (uint64_t)(uintptr_t)cache;
    return cache;
}

void spf_policy_cache_free(spf_policy_cache_t *cache)
{
    entry_t *entry;

    if (cache == NULL)
        return;
    while ((entry = TAILQ_FIRST(&cache->used)) != NULL)
        evict(cache, entry);
    free(cache->buckets);
    free(cache);
}

bool spf_policy_cache_answer(spf_policy_cache_t *cache, spf_query_t *query, uint64_t now_us)
{
    entry_t *entry;
    spf_answer_t *answer = &query->answer;

    if (cache->max_bytes == 0)
        return false;
    entry = find(cache, KEY_NAME, query->name, query->name_length,
                 hash_of(cache, KEY_NAME, query->name, query->name_length));
    if (entry == NULL)
        return false;
    if (entry->expires_us <= now_us) {
        evict(cache, entry);
        return false;
    }
    touch(cache, entry);
    query->policy = spf_policy_ref(entry->policy);
    answer->status = entry->policy->kind == SPF_POLICY_NO_DOMAIN ? SPF_DNS_NXDOMAIN : SPF_DNS_ANSWER;
    answer->dnssec = entry->dnssec;
    answer->ttl_s = (uint32_t)((entry->expires_us - now_us) / 1000000);
    query->state = SPF_QUERY_ANSWERED;
    return true;
}

void spf_policy_cache_compile(spf_policy_cache_t *cache, spf_query_t *query, uint64_t now_us)
{
    if (query->is_out_of_memory || spf_answer_is_failure(&query->answer))
        return;
    query->policy = spf_policy_from_answer(&query->answer, find_record, cache);
    if (query->policy == NULL) {
        query->is_out_of_memory = true;
        return;
    }
    if (cache->max_bytes == 0)
        return;
    if (query->policy->record != NULL)
        keep_record(cache, query->policy->record);
    keep_policy(cache, query, now_us);
}

uint64_t spf_policy_cache_bytes(const spf_policy_cache_t *cache)
{
    return cache->bytes;
}

size_t spf_policy_cache_entries(const spf_policy_cache_t *cache)
{
    return cache->entry_count;
}
