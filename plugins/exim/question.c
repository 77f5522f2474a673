/* SPDX-License-Identifier: MIT */
#include "question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEPT_MAX = 16,    /* answers */
    KEPT_S = 300,     /* how long one is good: the daemon, which may ask too, lives for months */
    VALUE_MAX = 4096, /* what libspf takes */
    KEY_PARTS = 6
};

typedef struct kept {
    char *key;
    size_t key_length;
    spf_check_t *check;
    time_t asked_s;
} kept_t;

/* Exim's process of a connection has one thread. Nothing is made before the first question. */
static spf_context_t *context;
static char *config_file;
static pid_t owner; /* the process that kept these */
static kept_t kept[KEPT_MAX];
static unsigned next_kept;

/* ------------------------------------------------------------------------------------------------ what was asked */

static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void kept_clear(kept_t *old)
{
    spf_check_free(old->check);
    free(old->key);
    *old = (kept_t){0};
}

static void kept_clear_all(void)
{
    for (unsigned i = 0; i < KEPT_MAX; i++)
        kept_clear(&kept[i]);
}

/* The daemon's answers are not those of the connections it forks. */
static void kept_own(void)
{
    if (owner != getpid()) {
        kept_clear_all();
        owner = getpid();
    }
}

/* The parts of a question, each with the NUL at its end. NULL: no memory. */
static char *key_new(const question_t *question, size_t *length)
{
    const char *parts[KEY_PARTS] = {spf_identity_name(question->identity),
                                    question->ip,
                                    question->sender,
                                    question->helo,
                                    question->receiver,
                                    question->policy != NULL ? question->policy : ""};
    size_t sizes[KEY_PARTS], at = 0;
    char *key;

    *length = 0;
    for (unsigned i = 0; i < KEY_PARTS; i++)
        *length += sizes[i] = strlen(parts[i]) + 1;
    key = malloc(*length);
    for (unsigned i = 0; i < KEY_PARTS && key != NULL; at += sizes[i++])
        memcpy(key + at, parts[i], sizes[i]);
    return key;
}

static spf_check_t *kept_find(const char *key, size_t length)
{
    time_t now = now_s();

    for (unsigned i = 0; i < KEPT_MAX; i++) {
        if (kept[i].key != NULL && kept[i].key_length == length && memcmp(kept[i].key, key, length) == 0 &&
            now - kept[i].asked_s < KEPT_S)
            return kept[i].check;
    }
    return NULL;
}

/* In place of the oldest one. Takes both. */
static void kept_add(char *key, size_t length, spf_check_t *check)
{
    kept_clear(&kept[next_kept]);
    kept[next_kept] = (kept_t){.key = key, .key_length = length, .check = check, .asked_s = now_s()};
    next_kept = (next_kept + 1) % KEPT_MAX;
}

/* ------------------------------------------------------------------------------------------------- configuration */

static void complain(char complaint[COMPLAINT_MAX], const char *what)
{
    snprintf(complaint, COMPLAINT_MAX, "%s", what);
}

static spf_err_t context_open(char complaint[COMPLAINT_MAX])
{
    char error[COMPLAINT_MAX] = "";
    spf_err_t err;

    if (context != NULL)
        return SPF_OK;
    err = spf_context_shared(&context, config_file, error, sizeof(error));
    if (err != SPF_OK)
        complain(complaint, error[0] != '\0' ? error : spf_strerror(err));
    return err;
}

static void context_close(void)
{
    kept_clear_all();
    spf_context_release(context);
    context = NULL;
    free(config_file);
    config_file = NULL;
}

bool question_configure(const char *file, char complaint[COMPLAINT_MAX])
{
    if (context == NULL || strcmp(file, question_config_file()) != 0) {
        context_close();
        config_file = strdup(file);
        if (config_file == NULL) {
            complain(complaint, spf_strerror(SPF_ENOMEM));
            return false;
        }
    }
    if (context_open(complaint) == SPF_OK)
        return true;
    context_close();
    return false;
}

const char *question_config_file(void)
{
    return config_file != NULL ? config_file : "";
}

/* -------------------------------------------------------------------------------------------------------- asking */

/* Longer than libspf takes: its end is the part that counts, for it has the domain. */
static const char *value_end(const char *value)
{
    size_t length = strlen(value);
    return length > VALUE_MAX ? value + length - VALUE_MAX : value;
}

static spf_err_t check_set(spf_check_t *check, const question_t *question)
{
    spf_err_t err = spf_check_set_ip(check, question->ip);

    if (err == SPF_OK)
        err = spf_check_set_sender(check, value_end(question->sender), SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_check_set_helo(check, value_end(question->helo), SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_check_set_identity(check, question->identity);
    if (err == SPF_OK)
        err = spf_check_set_receiver(check, question->receiver);
    if (err == SPF_OK)
        err = spf_check_set_record(check, question->policy, SPF_STRLEN);
    if (err == SPF_OK)
        err = spf_check_set_trace(check, true);
    return err;
}

static spf_err_t check_ask(spf_check_t **check, const question_t *question, char complaint[COMPLAINT_MAX])
{
    spf_err_t err = context_open(complaint);

    if (err != SPF_OK)
        return err;
    err = spf_check_new(check, context);
    if (err != SPF_OK)
        return err;
    err = check_set(*check, question);
    if (err == SPF_OK)
        err = spf_check_run(*check);
    if (err == SPF_OK)
        return SPF_OK;
    complain(complaint, *spf_check_error(*check) != '\0' ? spf_check_error(*check) : spf_strerror(err));
    spf_check_free(*check);
    *check = NULL;
    return err;
}

static void answer_from(answer_t *answer, spf_check_t *check)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);

    *answer = (answer_t){.result = verdict->result,
                         .cause = spf_cause_name(verdict->cause),
                         .reason = verdict->reason,
                         .receiver = verdict->receiver,
                         .check = check,
                         .verdict = verdict};
}

/* What the configuration can mend is its fault; that this host lacks memory or sockets is for the mail to wait out. */
static bool is_misuse(spf_err_t err)
{
    return err == SPF_EINVAL || err == SPF_ECONFIG || err == SPF_ESTATE;
}

static bool ask_anew(const question_t *question, answer_t *answer, char *key, size_t length,
                     char complaint[COMPLAINT_MAX])
{
    spf_check_t *check = NULL;
    spf_err_t err = key != NULL ? check_ask(&check, question, complaint) : SPF_ENOMEM;

    if (err != SPF_OK) {
        free(key);
        *answer = (answer_t){.result = SPF_RESULT_TEMPERROR,
                             .cause = "local-error",
                             .reason = spf_strerror(err),
                             .receiver = question->receiver};
        return !is_misuse(err);
    }
    kept_add(key, length, check);
    answer_from(answer, check);
    return true;
}

bool question_ask(const question_t *question, answer_t *answer, char complaint[COMPLAINT_MAX])
{
    size_t length;
    char *key;
    spf_check_t *check;

    if (*question->ip == '\0') {
        *answer = (answer_t){.result = SPF_RESULT_NONE,
                             .cause = "no-client",
                             .reason = "the message did not come over the network: there is no client address",
                             .receiver = question->receiver};
        return true;
    }
    kept_own();
    key = key_new(question, &length);
    check = key != NULL ? kept_find(key, length) : NULL;
    if (check == NULL)
        return ask_anew(question, answer, key, length, complaint);
    free(key);
    answer_from(answer, check);
    return true;
}
