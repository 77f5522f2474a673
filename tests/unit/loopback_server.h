/* SPDX-License-Identifier: MIT */
/*
 * A DNS server on loopback for tests of the resolver: what it answers, rightly or not, is chosen by the first label
 * of the name asked for: nx, nodata, servfail, refused, silent, lost (the first question only), big (over TCP), alias
 * (of held.example.org), good and signed (see server_trust_anchor); any other name has an A and a TXT record.
 */
#ifndef TESTS_UNIT_LOOPBACK_SERVER_H
#define TESTS_UNIT_LOOPBACK_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_MAX = 65535, HEADER = 12, BIG_TEXT = 6000 };

typedef struct message {
    uint8_t octets[MESSAGE_MAX];
    size_t length;
} message_t;

typedef struct server {
    int udp;
    int tcp;
    int stop[2];
    pthread_t thread;
    char address[64]; /* as the configuration key `resolver` takes it */
    message_t answer;
    pthread_mutex_t mutex;
    _Atomic bool is_tampering;
    bool has_lost_one;
    unsigned questions;
    uint8_t last_name[256];
    size_t last_name_length;
} server_t;

/* The zone signed.example., in which good.signed.example. is, as a trust-anchor file has it. */
extern const char server_trust_anchor[];

/* On a free port of 127.0.0.1. */
void server_start(server_t *server);
/* On this port, as soon as it is free; "0": on any. */
void server_start_at(server_t *server, const char *host, const char *port);
void server_stop(server_t *server);
/* Questions that came so far. */
unsigned server_questions(server_t *server);
/* Fails the test unless the last question was for this name, in wire format. */
void server_assert_last_name(server_t *server, const void *wire, size_t length);

#endif
