/* SPDX-License-Identifier: MIT */
/*
 * The resolver whose questions Python answers. libspf calls its operations with the context's lock held, so nothing of
 * Python is run in them: `start` puts the question into a list, whence Python takes it as soon as the call into libspf
 * is over; an answer, given by any thread at any time, waits in another list for `process`.
 */
#include "bridge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t last_number;

/* -------------------------------------------------------------------------------------------------------- questions */

static void question_unref(bridge_question_t *question)
{
    bool is_last;

    bridge_lock();
    is_last = --question->references == 0;
    bridge_unlock();
    if (!is_last)
        return;
    free(question->name);
    free(question->data);
    free(question->detail);
    free(question);
}

void bridge_question_free(bridge_question_t *question)
{
    if (question != NULL)
        question_unref(question);
}

static bridge_question_t *question_new(bridge_resolver_t *resolver, spf_query_t *query)
{
    bridge_question_t *question = calloc(1, sizeof *question);
    const char *name = spf_query_name(query, NULL);

    if (question == NULL)
        return NULL;
    question->name = strdup(name);
    if (question->name == NULL) {
        free(question);
        return NULL;
    }
    question->name_length = strlen(name);
    question->type = spf_query_type(query);
    question->resolver = resolver;
    question->query = query;
    question->generation = bridge_generation();
    question->references = 1;
    question->status = SPF_DNS_ERROR;
    return question;
}

/* With the lock. */
static bool is_wanted(const bridge_question_t *question)
{
    return question->state == BRIDGE_TAKEN && question->query != NULL && question->generation == bridge_generation();
}

bool bridge_question_is_wanted(bridge_question_t *question)
{
    bool wanted;

    bridge_lock();
    wanted = is_wanted(question);
    bridge_unlock();
    return wanted;
}

static bool make_room(bridge_question_t *question, size_t size)
{
    size_t room = question->room > 0 ? question->room : 64;
    uint8_t *data;

    while (room - question->size < size)
        room *= 2;
    if (room == question->room)
        return true;
    data = realloc(question->data, room);
    if (data == NULL)
        return false;
    question->data = data;
    question->room = room;
    return true;
}

static void append(bridge_question_t *question, const void *octets, size_t length)
{
    if (length > 0)
        memcpy(question->data + question->size, octets, length);
    question->size += length;
}

static size_t address_length(uint16_t type)
{
    switch (type) {
    case SPF_TYPE_A:
        return 4;
    case SPF_TYPE_AAAA:
        return 16;
    default:
        return 0;
    }
}

/* An answer is written by who has taken the question, and read by libspf only after it was given. */
spf_err_t bridge_question_add(bridge_question_t *question, const char *octets, size_t length)
{
    uint32_t size = (uint32_t)length;
    spf_err_t err = SPF_OK;

    if (length > UINT16_MAX || (address_length(question->type) != 0 && length != address_length(question->type)))
        return SPF_EINVAL;
    bridge_lock();
    if (question->state == BRIDGE_TAKEN) {
        if (make_room(question, sizeof size + length)) {
            append(question, &size, sizeof size);
            append(question, octets, length);
        } else {
            err = SPF_ENOMEM;
        }
    }
    bridge_unlock();
    return err;
}

void bridge_question_clear(bridge_question_t *question)
{
    bridge_lock();
    if (question->state == BRIDGE_TAKEN)
        question->size = 0;
    bridge_unlock();
}

/* With the lock. */
static void put_answered(bridge_question_t *question)
{
    bridge_resolver_t *resolver = question->resolver;

    question->state = BRIDGE_ANSWERED;
    TAILQ_INSERT_TAIL(&resolver->answered, question, link);
    if (resolver->is_signalled)
        return;
    resolver->is_signalled = true;
    bridge_signal_set(resolver->signal_fd);
}

bool bridge_question_finish(bridge_question_t *question, spf_dns_status_t status, uint32_t ttl_s, spf_dnssec_t dnssec,
                            const char *detail)
{
    char *copy = detail != NULL ? strdup(detail) : NULL;
    bool is_first;

    bridge_lock();
    is_first = is_wanted(question);
    if (is_first) {
        question->status = status;
        question->ttl_s = ttl_s;
        question->dnssec = dnssec;
        question->detail = copy;
        copy = NULL;
        put_answered(question);
    }
    bridge_unlock();
    free(copy);
    return is_first;
}

bool bridge_question_answer_packet(bridge_question_t *question, const char *octets, size_t length, spf_dnssec_t dnssec)
{
    bool is_first;

    bridge_lock();
    is_first = is_wanted(question) && make_room(question, length);
    if (is_first) {
        question->size = 0;
        append(question, octets, length);
        question->is_packet = true;
        question->dnssec = dnssec;
        put_answered(question);
    }
    bridge_unlock();
    return is_first;
}

void bridge_question_put_back(bridge_question_t *question)
{
    bridge_lock();
    if (is_wanted(question)) {
        question->size = 0;
        question->state = BRIDGE_ASKED;
        TAILQ_INSERT_TAIL(&question->resolver->asked, question, link);
        bridge_signal_set(question->resolver->signal_fd);
        question->resolver->is_signalled = true;
    }
    bridge_unlock();
}

/* --------------------------------------------------------------------------------------------- what Python looks at */

bool bridge_resolver_has_events(bridge_resolver_t *resolver)
{
    return resolver->generation == bridge_generation() &&
           (!TAILQ_EMPTY(&resolver->asked) || !TAILQ_EMPTY(&resolver->cancelled));
}

/* With the lock, as the next. */
bridge_question_t *bridge_resolver_take_question(bridge_resolver_t *resolver)
{
    bridge_question_t *question = TAILQ_FIRST(&resolver->asked);

    if (question == NULL || resolver->generation != bridge_generation())
        return NULL;
    TAILQ_REMOVE(&resolver->asked, question, link);
    question->state = BRIDGE_TAKEN;
    question->references++;
    if (question->number == 0)
        question->number = ++last_number;
    return question;
}

bridge_question_t *bridge_resolver_take_cancelled(bridge_resolver_t *resolver)
{
    bridge_question_t *question = TAILQ_FIRST(&resolver->cancelled);

    if (question == NULL || resolver->generation != bridge_generation())
        return NULL;
    TAILQ_REMOVE(&resolver->cancelled, question, link);
    question->state = BRIDGE_OVER;
    return question;
}

/* ------------------------------------------------------------------------------------------------------- operations */

static void lists_init(bridge_resolver_t *resolver)
{
    TAILQ_INIT(&resolver->asked);
    TAILQ_INIT(&resolver->answered);
    TAILQ_INIT(&resolver->cancelled);
    resolver->is_signalled = false;
    resolver->generation = bridge_generation();
}

bridge_resolver_t *bridge_resolver_new(void)
{
    bridge_resolver_t *resolver = calloc(1, sizeof *resolver);

    if (resolver == NULL)
        return NULL;
    resolver->signal_fd = bridge_signal_new();
    if (resolver->signal_fd < 0) {
        free(resolver);
        return NULL;
    }
    lists_init(resolver);
    return resolver;
}

/* Asked once for each engine, in the child of a fork again: what was asked before is the parent's. */
static int resolver_fd(void *data)
{
    bridge_resolver_t *resolver = data;

    if (resolver->generation == bridge_generation())
        return resolver->signal_fd;
    close(resolver->signal_fd);
    resolver->signal_fd = bridge_signal_new();
    lists_init(resolver);
    return resolver->signal_fd;
}

static spf_err_t resolver_start(void *data, spf_query_t *query)
{
    bridge_resolver_t *resolver = data;
    bridge_question_t *question = question_new(resolver, query);

    if (question == NULL)
        return SPF_ENOMEM;
    spf_query_set_token(query, question);
    bridge_lock();
    TAILQ_INSERT_TAIL(&resolver->asked, question, link);
    bridge_unlock();
    return SPF_OK;
}

static void resolver_cancel(void *data, spf_query_t *query)
{
    bridge_resolver_t *resolver = data;
    bridge_question_t *question = spf_query_token(query);
    bool is_told;

    bridge_lock();
    question->query = NULL;
    if (question->state == BRIDGE_ASKED)
        TAILQ_REMOVE(&resolver->asked, question, link);
    else if (question->state == BRIDGE_ANSWERED)
        TAILQ_REMOVE(&resolver->answered, question, link);
    /* Whoever has taken it before, even if it was put back, is told. */
    is_told = question->number != 0 && question->state != BRIDGE_ANSWERED && question->references > 1;
    question->state = is_told ? BRIDGE_CANCELLED : BRIDGE_OVER;
    if (is_told)
        TAILQ_INSERT_TAIL(&resolver->cancelled, question, link);
    bridge_unlock();
    if (!is_told)
        question_unref(question);
}

static void give(bridge_question_t *question, spf_query_t *query)
{
    spf_err_t err = SPF_OK;
    uint32_t length;

    if (question->is_packet) {
        spf_query_answer_packet(query, question->data, question->size, question->dnssec);
        return;
    }
    for (size_t at = 0; at < question->size && err == SPF_OK; at += length) {
        const char *octets;

        memcpy(&length, question->data + at, sizeof length);
        at += sizeof length;
        octets = (const char *)question->data + at;
        if (address_length(question->type) != 0)
            err = spf_query_add_address(query, (const uint8_t *)octets, length);
        else if (question->type == SPF_TYPE_TXT || question->type == SPF_TYPE_SPF)
            err = spf_query_add_text(query, octets, length);
        else
            err = spf_query_add_host(query, octets, length);
    }
    if (err == SPF_OK)
        spf_query_finish(query, question->status, question->ttl_s, question->dnssec, question->detail);
    else
        spf_query_finish(query, SPF_DNS_ERROR, 0, question->dnssec, "the resolver's answer is no such record");
}

/* The next answer; its question is out of the list, and nobody but the caller looks at it now. */
static bridge_question_t *next_answered(bridge_resolver_t *resolver, spf_query_t **query)
{
    bridge_question_t *question;

    bridge_lock();
    if (resolver->is_signalled)
        bridge_signal_clear(resolver->signal_fd);
    resolver->is_signalled = false;
    question = TAILQ_FIRST(&resolver->answered);
    if (question != NULL) {
        TAILQ_REMOVE(&resolver->answered, question, link);
        question->state = BRIDGE_OVER;
        *query = question->query;
        question->query = NULL;
    }
    bridge_unlock();
    return question;
}

static void resolver_process(void *data)
{
    bridge_question_t *question;
    spf_query_t *query;

    while ((question = next_answered(data, &query)) != NULL) {
        give(question, query);
        question_unref(question);
    }
}

/* Its context has ended, and with it every question. */
static void resolver_free(void *data)
{
    bridge_resolver_t *resolver = data;
    bridge_question_t *question;

    while ((question = TAILQ_FIRST(&resolver->cancelled)) != NULL) {
        TAILQ_REMOVE(&resolver->cancelled, question, link);
        question_unref(question);
    }
    close(resolver->signal_fd);
    free(resolver);
}

const spf_resolver_ops_t bridge_resolver_ops = {
    .size = sizeof(spf_resolver_ops_t),
    .start = resolver_start,
    .cancel = resolver_cancel,
    .fd = resolver_fd,
    .process = resolver_process,
    .free = resolver_free,
};
