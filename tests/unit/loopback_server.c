/* SPDX-License-Identifier: MIT */
#include "unit/loopback_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIND_TRIES = 500 };

static void put(message_t *message, const void *octets, size_t length)
{
    assert_true(message->length + length <= MESSAGE_MAX);
    memcpy(message->octets + message->length, octets, length);
    message->length += length;
}

static void put16(message_t *message, unsigned value)
{
    put(message, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put32(message_t *message, uint32_t value)
{
    put16(message, value >> 16);
    put16(message, value & 0xFFFF);
}

/* Owner: the name of the question. */
static void put_record(message_t *message, unsigned type, uint32_t ttl_s, const void *rdata, size_t length)
{
    put16(message, 0xC000 | HEADER);
    put16(message, type);
    put16(message, 1);
    put32(message, ttl_s);
    put16(message, (unsigned)length);
    put(message, rdata, length);
}

static void put_soa(message_t *message, uint32_t ttl_s, uint32_t minimum_s)
{
    uint8_t rdata[22] = {0};
    rdata[18] = (uint8_t)(minimum_s >> 24);
    rdata[19] = (uint8_t)(minimum_s >> 16);
    rdata[20] = (uint8_t)(minimum_s >> 8);
    rdata[21] = (uint8_t)minimum_s;
    put_record(message, 6, ttl_s, rdata, sizeof rdata);
    message->octets[9] = 1;
}

static void put_big_text(message_t *message)
{
    uint8_t rdata[BIG_TEXT + BIG_TEXT / 250];
    memset(rdata, 'x', sizeof rdata);
    for (size_t at = 0; at < sizeof rdata; at += 251)
        rdata[at] = 250;
    put_record(message, 16, 300, rdata, sizeof rdata);
    message->octets[7] = 1;
}

static bool label_is(const uint8_t *name, const char *label)
{
    return name[0] == strlen(label) && memcmp(name + 1, label, name[0]) == 0;
}

static void put_alias(message_t *message)
{
    put_record(message, 5, 300, "\4held\7example\3org", 18);
    message->octets[7] = 1;
}

/*
 * signed.example. with one record, good TXT "v=spf1 -all", signed until the end of 2080 by a key whose other half was
 * thrown away: its DNSKEY, and the RRSIGs of that and of the TXT record.
 */
static const uint8_t dnskey[] = {
    0x01, 0x01, 0x03, 0x0D, 0x12, 0x71, 0x43, 0xFE, 0x32, 0xD2, 0xA8, 0x78, 0xDE, 0xAB, 0xD9, 0x10, 0xDB,
    0xA4, 0x6B, 0x11, 0x6A, 0x23, 0xB6, 0xBD, 0x07, 0xFF, 0xEE, 0xD2, 0x58, 0x67, 0xC0, 0xF8, 0xC4, 0xC9,
    0x44, 0xD1, 0x67, 0xB0, 0x4C, 0x70, 0x3E, 0x95, 0x81, 0xBC, 0xF2, 0xA6, 0xBF, 0xF0, 0xEC, 0x67, 0x8F,
    0xB0, 0x66, 0xCD, 0x9A, 0x52, 0x40, 0x96, 0x11, 0x92, 0x1D, 0xCA, 0x5E, 0x42, 0x21, 0x80, 0xB0, 0x7E,
};
static const uint8_t rrsig_dnskey[] = {
    0x00, 0x30, 0x0D, 0x02, 0x00, 0x00, 0x01, 0x2C, 0xD0, 0xCA, 0x3E, 0x7F, 0x5E, 0x0B, 0xE1, 0x00, 0xB3,
    0x5F, 0x06, 0x73, 0x69, 0x67, 0x6E, 0x65, 0x64, 0x07, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0x00,
    0x0B, 0x9C, 0xDD, 0x9A, 0x1E, 0x22, 0x64, 0x1A, 0x39, 0x7D, 0x2B, 0xE4, 0x65, 0x91, 0x79, 0xDD, 0x68,
    0x88, 0x28, 0xD7, 0xCE, 0x64, 0xCB, 0x41, 0xA2, 0x49, 0xE4, 0x72, 0xC8, 0x7D, 0x6E, 0xFA, 0xAC, 0xCC,
    0x59, 0x59, 0xF4, 0xEC, 0x2B, 0x46, 0x91, 0x63, 0x41, 0x59, 0xB7, 0xB1, 0xFC, 0xE5, 0x28, 0xC4, 0x5C,
    0x5F, 0xB3, 0x8E, 0xE8, 0x28, 0xF4, 0x02, 0x2F, 0x4E, 0x8A, 0x23, 0xB9, 0x2D,
};
static const uint8_t rrsig_txt[] = {
    0x00, 0x10, 0x0D, 0x03, 0x00, 0x00, 0x01, 0x2C, 0xD0, 0xCA, 0x3E, 0x7F, 0x5E, 0x0B, 0xE1, 0x00, 0xB3,
    0x5F, 0x06, 0x73, 0x69, 0x67, 0x6E, 0x65, 0x64, 0x07, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0x00,
    0x0D, 0x9C, 0x08, 0x02, 0xD8, 0xEA, 0xB4, 0x2D, 0x25, 0x41, 0x83, 0xE6, 0x20, 0x93, 0xE8, 0xED, 0x20,
    0x3F, 0xBD, 0x76, 0xF7, 0x5F, 0x6A, 0xFD, 0x6E, 0x4C, 0x2F, 0xAB, 0x9F, 0x83, 0x21, 0x0A, 0x22, 0x14,
    0x71, 0x4E, 0x32, 0xAC, 0x42, 0xF3, 0x7F, 0xC1, 0x33, 0x13, 0xCC, 0x9A, 0x4C, 0xC7, 0xDD, 0xBF, 0x38,
    0x37, 0x3B, 0xCC, 0xD6, 0x0D, 0x33, 0x34, 0xB5, 0xA3, 0x70, 0x2F, 0xD6, 0xD8,
};

const char server_trust_anchor[] =
    "signed.example. IN DS 45919 13 2 926856403e12895b357e8cd8c3c09c935e34bd0c92d57209e46eedc2766fd3f1\n";
static const char signed_text[] = "\x0Bv=spf1 -all";
static const char tampered_text[] = "\x0Bv=spf1 +all";

static void put_signed(message_t *message, unsigned type, bool is_tampered)
{
    if (type == 48) {
        put_record(message, 48, 300, dnskey, sizeof dnskey);
        put_record(message, 46, 300, rrsig_dnskey, sizeof rrsig_dnskey);
    } else {
        put_record(message, 16, 300, is_tampered ? tampered_text : signed_text, sizeof signed_text - 1);
        put_record(message, 46, 300, rrsig_txt, sizeof rrsig_txt);
    }
    message->octets[7] = 2;
}

static void write_answer(message_t *message, const uint8_t *name, unsigned type, bool is_tcp, bool is_tampered)
{
    if (label_is(name, "signed") || label_is(name, "good")) {
        put_signed(message, type, is_tampered);
    } else if (label_is(name, "nx")) {
        message->octets[3] |= 3;
        put_soa(message, 900, 120);
    } else if (label_is(name, "servfail")) {
        message->octets[3] |= 2;
    } else if (label_is(name, "refused")) {
        message->octets[3] |= 5;
    } else if (label_is(name, "big") && is_tcp) {
        put_big_text(message);
    } else if (label_is(name, "big")) {
        message->octets[2] |= 2;
    } else if (label_is(name, "alias")) {
        put_alias(message);
    } else if (type == 1 && !label_is(name, "nodata")) {
        put_record(message, 1, 600, "\xC0\0\2\1", 4);
        message->octets[7] = 1;
    } else if (type == 16 && !label_is(name, "nodata")) {
        put_record(message, 16, 600, "\3net", 4);
        message->octets[7] = 1;
    } else {
        put_soa(message, 60, 900);
    }
}

static size_t name_length(const uint8_t *name)
{
    size_t length = 0;
    while (name[length])
        length += 1u + name[length];
    return length + 1;
}

/* False: no answer. */
static bool make_answer(server_t *server, message_t *answer, const uint8_t *question, size_t length, bool is_tcp)
{
    if (length < HEADER + 5)
        return false;
    const uint8_t *name = question + HEADER;
    size_t end = HEADER + name_length(name) + 4;
    pthread_mutex_lock(&server->mutex);
    server->questions++;
    server->last_name_length = name_length(name);
    memcpy(server->last_name, name, server->last_name_length);
    pthread_mutex_unlock(&server->mutex);
    answer->length = 0;
    put(answer, question, end);
    memcpy(answer->octets + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    write_answer(answer, name, (unsigned)(question[end - 4] << 8 | question[end - 3]), is_tcp, server->is_tampering);
    if (label_is(name, "lost") && !server->has_lost_one) {
        server->has_lost_one = true;
        return false;
    }
    return !label_is(name, "silent");
}

static void serve_udp(server_t *server, message_t *answer)
{
    uint8_t question[1024];
    struct sockaddr_storage peer;
    socklen_t peer_length = sizeof peer;
    ssize_t length = recvfrom(server->udp, question, sizeof question, 0, (struct sockaddr *)&peer, &peer_length);
    if (length > 0 && make_answer(server, answer, question, (size_t)length, false))
        sendto(server->udp, answer->octets, answer->length, 0, (struct sockaddr *)&peer, peer_length);
}

static void serve_tcp(server_t *server, message_t *answer)
{
    uint8_t question[1024];
    int fd = accept(server->tcp, NULL, NULL);
    if (recv(fd, question, 2, MSG_WAITALL) == 2) {
        ssize_t length = recv(fd, question, (size_t)(question[0] << 8 | question[1]), MSG_WAITALL);
        if (length > 0 && make_answer(server, answer, question, (size_t)length, true)) {
            uint8_t prefix[2] = {(uint8_t)(answer->length >> 8), (uint8_t)answer->length};
            send(fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
            send(fd, answer->octets, answer->length, MSG_NOSIGNAL);
        }
    }
    close(fd);
}

static void *serve(void *argument)
{
    server_t *server = argument;
    struct pollfd polled[3] = {{server->udp, POLLIN, 0}, {server->tcp, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
    while (poll(polled, 3, -1) > 0 && !polled[2].revents) {
        if (polled[0].revents)
            serve_udp(server, &server->answer);
        if (polled[1].revents)
            serve_tcp(server, &server->answer);
    }
    return NULL;
}

static int socket_bound(int type, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type};
    struct addrinfo *at;
    int reuse = 1;
    assert_int_equal(getaddrinfo(host, port, &hints, &at), 0);
    int fd = socket(at->ai_family, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse); /* connections of an earlier server linger */
    if (fd >= 0 && bind(fd, at->ai_addr, at->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(at);
    return fd;
}

static void port_of(int fd, char *port, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(getnameinfo((struct sockaddr *)&address, length, NULL, 0, port, (socklen_t)size, NI_NUMERICSERV),
                     0);
}

/* UDP first, then TCP on the same port, which somebody else may have for the moment. */
static bool server_bind(server_t *server, const char *host, const char *wanted)
{
    char port[8] = "";
    server->udp = socket_bound(SOCK_DGRAM, host, wanted);
    if (server->udp < 0)
        return false;
    port_of(server->udp, port, sizeof port);
    server->tcp = socket_bound(SOCK_STREAM, host, port);
    if (server->tcp < 0) {
        close(server->udp);
        return false;
    }
    snprintf(server->address, sizeof server->address, "%s@%s", host, port);
    return true;
}

void server_start_at(server_t *server, const char *host, const char *port)
{
    int large = 4 << 20;
    memset(server, 0, sizeof *server);
    for (int tries = 0; !server_bind(server, host, port); tries++) {
        assert_true(tries < BIND_TRIES);
        usleep(10000);
    }
    pthread_mutex_init(&server->mutex, NULL);
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    assert_int_equal(listen(server->tcp, 16), 0);
    assert_int_equal(pipe2(server->stop, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void server_start(server_t *server)
{
    server_start_at(server, "127.0.0.1", "0");
}

void server_stop(server_t *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->udp);
    close(server->tcp);
    pthread_mutex_destroy(&server->mutex);
}

unsigned server_questions(server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    unsigned questions = server->questions;
    pthread_mutex_unlock(&server->mutex);
    return questions;
}

void server_assert_last_name(server_t *server, const void *wire, size_t length)
{
    uint8_t name[256];
    pthread_mutex_lock(&server->mutex);
    size_t name_length = server->last_name_length;
    memcpy(name, server->last_name, name_length);
    pthread_mutex_unlock(&server->mutex);
    assert_int_equal(name_length, length);
    assert_memory_equal(name, wire, length);
}
