/* SPDX-License-Identifier: MIT */
/*
 * The DNS server of the benchmarks, a process of its own: server ZONE. It prints its port, then obeys lines on
 * standard input: "delay US", "ttl S", "counters" (answered by "UDP TCP DROPPED TRUNCATED", counted since the last).
 */
#include "common.h"
#include "questions.h"
#include "support/dns_server.h"

#include <stdlib.h>
#include <string.h>

static void print_counters(dns_server_t *server)
{
    static dns_server_counters_t before;
    dns_server_counters_t now = dns_server_counters(server);

    printf("%lu %lu %lu %lu\n", now.udp - before.udp, now.tcp - before.tcp, now.dropped - before.dropped,
           now.truncated - before.truncated);
    before = now;
}

static void obey(dns_server_t *server, const char *order)
{
    unsigned long value;

    if (sscanf(order, "delay %lu", &value) == 1)
        dns_server_set_delay_us(server, value);
    else if (sscanf(order, "ttl %lu", &value) == 1)
        dns_server_set_ttl_s(server, (uint32_t)value);
    else if (strcmp(order, "counters\n") == 0)
        print_counters(server);
    else
        bench_fail("no order", order);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    dns_server_t *server;
    char order[128];
    zone_t *zone;

    if (argc != 2)
        bench_fail("usage", "server ZONE");
    zone = bench_zone_read(argv[1]);
    server = dns_server_start(zone);
    if (server == NULL)
        return EXIT_FAILURE;
    printf("%u\n", dns_server_port(server));
    fflush(stdout);
    while (fgets(order, sizeof order, stdin) != NULL)
        obey(server, order);
    dns_server_stop(server);
    zone_free(zone);
    return EXIT_SUCCESS;
}
