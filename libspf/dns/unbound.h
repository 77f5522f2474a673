/* SPDX-License-Identifier: MIT */
/* libunbound in event mode as a resolver, on a loop of ours; with zone files alone, on top of it, or not at all. */
#ifndef SPF_DNS_UNBOUND_H
#define SPF_DNS_UNBOUND_H

#include "base/buf.h"
#include "dns/loop.h"
#include "spf_resolver.h"

/* Where the answers come from. */
typedef enum spf_dns_source {
    SPF_DNS_SYSTEM,    /* the resolvers of /etc/resolv.conf */
    SPF_DNS_FORWARD,   /* the resolvers given */
    SPF_DNS_RECURSIVE, /* full recursion from the root */
    SPF_DNS_ZONES_ONLY /* no network at all */
} spf_dns_source_t;

/* A zone: a master file, or its text. */
typedef struct spf_dns_zone {
    struct spf_dns_zone *next;
    char *path; /* or NULL */
    char *text; /* or NULL */
    size_t text_length;
} spf_dns_zone_t;

typedef struct spf_dns_settings {
    spf_dns_source_t source;
    char **forwarders; /* "ADDR" or "ADDR@PORT", checked; NULL-terminated; for SPF_DNS_FORWARD */
    spf_dns_zone_t *zones;
    char *trust_anchor; /* file, or NULL: no validation */
    uint64_t cache_bytes;
    unsigned outgoing_sockets;
} spf_dns_settings_t;

/*
 * Makes the resolver; *ops is static. The loop must outlive it. On a failure the sentence for the administrator
 * (naming file, line or value) goes into error. SPF_OK, SPF_ENOMEM, SPF_ECONFIG, SPF_ERESOLVER, SPF_ESYSTEM.
 */
spf_err_t spf_unbound_new(const spf_resolver_ops_t **ops, void **resolver, spf_loop_t *loop,
                          const spf_dns_settings_t *settings, spf_buf_t *error);
/* In the child of a fork, instead of ops->free: lets go of it without touching what it shares with the parent. */
void spf_unbound_abandon(void *resolver);

#endif
