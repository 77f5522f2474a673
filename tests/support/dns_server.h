/* SPDX-License-Identifier: MIT */
/*
 * A DNS server over a zone, in a thread of its own: UDP and TCP on one port of 127.0.0.1, chosen by the kernel.
 * Questions for what times out are dropped, answers that do not fit the asker's EDNS size have the TC bit, negative
 * answers an SOA.
 */
#ifndef TESTS_SUPPORT_DNS_SERVER_H
#define TESTS_SUPPORT_DNS_SERVER_H

#include "support/zone_data.h"

typedef struct dns_server dns_server_t;

typedef struct dns_server_counters {
    uint64_t udp;       /* questions over UDP */
    uint64_t tcp;       /* questions over TCP */
    uint64_t dropped;   /* of them, how many were left without answer */
    uint64_t truncated; /* answers with the TC bit */
} dns_server_counters_t;

/* Serves the zone, which must outlive it. NULL after a line on standard error. */
dns_server_t *dns_server_start(const zone_t *zone);
void dns_server_stop(dns_server_t *server);

uint16_t dns_server_port(const dns_server_t *server);
/* "127.0.0.1@PORT", as the configuration key `resolver` takes it. */
const char *dns_server_address(const dns_server_t *server);

/* These may be called at any time, from any thread. */
void dns_server_set_zone(dns_server_t *server, const zone_t *zone);
/* How long every answer is held back; any number of them at once. */
void dns_server_set_delay_us(dns_server_t *server, uint64_t delay_us);
/* The TTL of records and negative answers; 300 unless set. */
void dns_server_set_ttl_s(dns_server_t *server, uint32_t ttl_s);
dns_server_counters_t dns_server_counters(dns_server_t *server);

#endif
