/* SPDX-License-Identifier: MIT */
#include "support/dns_server.h"

#include "support/dns_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SERVER_UDP,
    SERVER_LISTENER,
    SERVER_STOP,
    SERVER_FIRST_CONNECTION,
    SERVER_CONNECTIONS = 64,
    SERVER_FDS = SERVER_FIRST_CONNECTION + SERVER_CONNECTIONS,
    SERVER_BATCH = 64,       /* datagrams read before the answers that are due go out */
    SERVER_QUERY_MAX = 1024, /* octets of a question; longer ones are not for us */
    SERVER_SOCKET_BUFFER = 4 << 20,
    SERVER_BIND_TRIES = 16,
    SERVER_TTL_S = 300
};

/* A TCP connection, and what it sent of a message. */
typedef struct server_connection {
    uint64_t generation; /* tells apart those that had the same place one after the other */
    size_t used;
    uint8_t octets[2 + SERVER_QUERY_MAX];
} server_connection_t;

/* An answer that is held back. All are held back alike, so they wait in a line (but for a change of the delay). */
typedef struct server_held {
    struct server_held *next;
    uint64_t due_us;
    struct sockaddr_in to; /* over UDP */
    int connection;        /* over TCP: its place among the descriptors; 0: UDP */
    uint64_t generation;
    size_t length;
    uint8_t packet[];
} server_held_t;

struct dns_server {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows up to the counters */
    const zone_t *zone;
    uint64_t delay_us;
    uint32_t ttl_s;
    dns_server_counters_t counters;
    uint16_t port;
    char address[32];
    struct pollfd fds[SERVER_FDS]; /* the rest belongs to the thread */
    server_connection_t connections[SERVER_CONNECTIONS];
    uint64_t generation;
    server_held_t *first, *last;
    uint8_t packet[2 + DNS_PACKET_MAX]; /* the answer that is being made, after its length for TCP */
};

static uint64_t server_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static server_connection_t *server_connection(dns_server_t *server, int place)
{
    return &server->connections[place - SERVER_FIRST_CONNECTION];
}

/* ------------------------------------------------------------------------------------------------------- answers */

static void server_close(dns_server_t *server, int place)
{
    close(server->fds[place].fd);
    server->fds[place] = (struct pollfd){.fd = -1};
}

/* The packet goes out behind its length. Loopback takes it whole; a peer that does not is let go. */
static void server_send_tcp(dns_server_t *server, int place, const uint8_t *packet, size_t length)
{
    uint8_t head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    struct iovec parts[2] = {{head, sizeof head}, {(void *)(uintptr_t)packet, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(server->fds[place].fd, &message, MSG_NOSIGNAL) != (ssize_t)(length + sizeof head))
        server_close(server, place);
}

static void server_send(dns_server_t *server, const struct sockaddr_in *to, int place, const uint8_t *packet,
                        size_t length)
{
    if (place)
        server_send_tcp(server, place, packet, length);
    else
        sendto(server->fds[SERVER_UDP].fd, packet, length, 0, (const struct sockaddr *)to, sizeof *to);
}

static void server_hold(dns_server_t *server, uint64_t delay_us, const struct sockaddr_in *to, int place, size_t length)
{
    server_held_t *held = malloc(sizeof *held + length);
    if (!held)
        return;
    *held = (server_held_t){.due_us = server_now_us() + delay_us, .connection = place, .length = length};
    if (place)
        held->generation = server_connection(server, place)->generation;
    else
        held->to = *to;
    memcpy(held->packet, server->packet, length);
    if (server->last)
        server->last->next = held;
    else
        server->first = held;
    server->last = held;
}

static void server_send_due(dns_server_t *server)
{
    while (server->first && server->first->due_us <= server_now_us()) {
        server_held_t *held = server->first;
        server->first = held->next;
        if (!server->first)
            server->last = NULL;
        int place = held->connection;
        if (place == 0 ||
            (server->fds[place].fd >= 0 && server_connection(server, place)->generation == held->generation))
            server_send(server, &held->to, place, held->packet, held->length);
        free(held);
    }
}

/* Answers one question, from `to` over UDP or from the connection at `place`. */
static void server_answer(dns_server_t *server, const uint8_t *query, size_t query_length, const struct sockaddr_in *to,
                          int place)
{
    dns_question_t question;
    bool is_question = dns_question_parse(&question, query, query_length);
    size_t length = 0;
    pthread_mutex_lock(&server->lock);
    uint64_t delay_us = server->delay_us;
    uint64_t *count = place ? &server->counters.tcp : &server->counters.udp;
    ++*count;
    if (is_question) {
        zone_answer_t answer = zone_lookup(server->zone, question.name, question.name_length, question.type);
        if (answer.status != SPF_DNS_TIMEOUT)
            length = dns_answer_write(server->packet, place ? DNS_PACKET_MAX : question.udp_room, &question, &answer,
                                      server->ttl_s);
    }
    if (length == 0)
        server->counters.dropped++;
    else if (dns_answer_is_truncated(server->packet))
        server->counters.truncated++;
    pthread_mutex_unlock(&server->lock);
    if (length && delay_us)
        server_hold(server, delay_us, to, place, length);
    else if (length)
        server_send(server, to, place, server->packet, length);
}

/* --------------------------------------------------------------------------------------------------------- sockets */

static void server_read_udp(dns_server_t *server)
{
    uint8_t query[SERVER_QUERY_MAX];
    for (int i = 0; i < SERVER_BATCH; i++) {
        struct sockaddr_in from;
        socklen_t from_length = sizeof from;
        ssize_t got = recvfrom(server->fds[SERVER_UDP].fd, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from,
                               &from_length);
        if (got < 0)
            return;
        server_answer(server, query, (size_t)got, &from, 0);
    }
}

static void server_accept(dns_server_t *server)
{
    int fd = accept4(server->fds[SERVER_LISTENER].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    for (int place = SERVER_FIRST_CONNECTION; place < SERVER_FDS; place++) {
        if (server->fds[place].fd < 0) {
            server->fds[place] = (struct pollfd){.fd = fd, .events = POLLIN};
            server_connection_t *connection = server_connection(server, place);
            connection->generation = ++server->generation;
            connection->used = 0;
            return;
        }
    }
    close(fd);
}

/* Takes the whole messages out of what a connection sent. */
static void server_take_messages(dns_server_t *server, int place)
{
    server_connection_t *connection = server_connection(server, place);
    while (connection->used >= 2 && server->fds[place].fd >= 0) {
        size_t length = (size_t)connection->octets[0] << 8 | connection->octets[1];
        if (length > SERVER_QUERY_MAX) {
            server_close(server, place);
            return;
        }
        if (connection->used < 2 + length)
            return;
        server_answer(server, connection->octets + 2, length, NULL, place);
        connection->used -= 2 + length;
        memmove(connection->octets, connection->octets + 2 + length, connection->used);
    }
}

static void server_read_tcp(dns_server_t *server, int place)
{
    server_connection_t *connection = server_connection(server, place);
    ssize_t got = recv(server->fds[place].fd, connection->octets + connection->used,
                       sizeof connection->octets - connection->used, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        server_close(server, place);
        return;
    }
    connection->used += (size_t)got;
    server_take_messages(server, place);
}

static void *server_main(void *user_data)
{
    dns_server_t *server = user_data;
    while (!server->fds[SERVER_STOP].revents) {
        struct timespec limit = {0, 0};
        if (server->first) {
            uint64_t now_us = server_now_us();
            uint64_t left_us = server->first->due_us > now_us ? server->first->due_us - now_us : 0;
            limit = (struct timespec){(time_t)(left_us / 1000000), (long)(left_us % 1000000) * 1000};
        }
        if (ppoll(server->fds, SERVER_FDS, server->first ? &limit : NULL, NULL) < 0)
            continue;
        if (server->fds[SERVER_UDP].revents)
            server_read_udp(server);
        for (int place = SERVER_FIRST_CONNECTION; place < SERVER_FDS; place++) {
            if (server->fds[place].fd >= 0 && server->fds[place].revents)
                server_read_tcp(server, place);
        }
        if (server->fds[SERVER_LISTENER].revents)
            server_accept(server);
        server_send_due(server);
    }
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------- start, stop */

/* UDP on any port, then TCP on the same: another process may have taken that one. */
static bool server_bind(dns_server_t *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (udp >= 0 && tcp >= 0 && bind(udp, (struct sockaddr *)&at, length) == 0 &&
        getsockname(udp, (struct sockaddr *)&at, &length) == 0 && bind(tcp, (struct sockaddr *)&at, length) == 0 &&
        listen(tcp, SERVER_CONNECTIONS) == 0) {
        setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &(int){SERVER_SOCKET_BUFFER}, sizeof(int));
        setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &(int){SERVER_SOCKET_BUFFER}, sizeof(int));
        server->fds[SERVER_UDP] = (struct pollfd){.fd = udp, .events = POLLIN};
        server->fds[SERVER_LISTENER] = (struct pollfd){.fd = tcp, .events = POLLIN};
        server->port = ntohs(at.sin_port);
        snprintf(server->address, sizeof server->address, "127.0.0.1@%u", server->port);
        return true;
    }
    if (udp >= 0)
        close(udp);
    if (tcp >= 0)
        close(tcp);
    return false;
}

static void server_free(dns_server_t *server)
{
    for (int place = 0; place < SERVER_FDS; place++) {
        if (server->fds[place].fd >= 0)
            close(server->fds[place].fd);
    }
    for (server_held_t *held = server->first, *next; held; held = next) {
        next = held->next;
        free(held);
    }
    pthread_mutex_destroy(&server->lock);
    free(server);
}

dns_server_t *dns_server_start(const zone_t *zone)
{
    dns_server_t *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->zone = zone;
    server->ttl_s = SERVER_TTL_S;
    pthread_mutex_init(&server->lock, NULL);
    for (int place = 0; place < SERVER_FDS; place++)
        server->fds[place].fd = -1;
    bool is_bound = false;
    for (int i = 0; i < SERVER_BIND_TRIES && !is_bound; i++)
        is_bound = server_bind(server);
    server->fds[SERVER_STOP] = (struct pollfd){.fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN};
    if (!is_bound || server->fds[SERVER_STOP].fd < 0 ||
        pthread_create(&server->thread, NULL, server_main, server) != 0) {
        perror("DNS server on loopback");
        server_free(server);
        return NULL;
    }
    return server;
}

void dns_server_stop(dns_server_t *server)
{
    if (!server)
        return;
    if (eventfd_write(server->fds[SERVER_STOP].fd, 1) != 0)
        abort();
    pthread_join(server->thread, NULL);
    server_free(server);
}

uint16_t dns_server_port(const dns_server_t *server)
{
    return server->port;
}

const char *dns_server_address(const dns_server_t *server)
{
    return server->address;
}

void dns_server_set_zone(dns_server_t *server, const zone_t *zone)
{
    pthread_mutex_lock(&server->lock);
    server->zone = zone;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_set_delay_us(dns_server_t *server, uint64_t delay_us)
{
    pthread_mutex_lock(&server->lock);
    server->delay_us = delay_us;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_set_ttl_s(dns_server_t *server, uint32_t ttl_s)
{
    pthread_mutex_lock(&server->lock);
    server->ttl_s = ttl_s;
    pthread_mutex_unlock(&server->lock);
}

dns_server_counters_t dns_server_counters(dns_server_t *server)
{
    pthread_mutex_lock(&server->lock);
    dns_server_counters_t counters = server->counters;
    pthread_mutex_unlock(&server->lock);
    return counters;
}
