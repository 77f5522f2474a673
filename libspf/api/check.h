/* SPDX-License-Identifier: MIT */
/* The inside of a check. Its owner's thread has it alone but while it is in flight, when its engine's lock guards it.
 */
#ifndef SPF_API_CHECK_H
#define SPF_API_CHECK_H

#include "core/eval.h"
#include "dns/loop.h"

#include <sys/queue.h>

typedef enum spf_check_state {
    SPF_CHECK_NEW,
    SPF_CHECK_RUNNING,
    SPF_CHECK_FINISHED, /* its callback is due */
    SPF_CHECK_DONE      /* called back, or waited for */
} spf_check_state_t;

struct spf_check {
    spf_context_t *context;
    spf_arena_t arena;
    char error[192];

    /* what is asked */
    bool has_ip;
    spf_identity_t identity;
    const char *sender; /* as given; NULL: the null reverse-path */
    size_t sender_length;
    const char *helo;
    size_t helo_length;
    const char *receiver; /* NULL: the configured one */
    uint64_t timeout_us;
    spf_question_t question;

    /* in flight */
    struct spf_engine *engine;
    spf_check_state_t state;
    spf_err_t end;
    spf_check_callback_t callback; /* NULL: somebody waits in spf_check_run() */
    void *user_data;
    spf_eval_t *eval;
    spf_timer_t deadline;
    uint64_t started_us;
    uint64_t elapsed_us;
    uint64_t serial; /* in the order of being finished */
    bool is_driven;  /* the machine is being stepped: what comes now is seen right after */
    bool has_news;
    bool is_ready;
    TAILQ_ENTRY(spf_check) link;       /* in the engine's in_flight or done */
    TAILQ_ENTRY(spf_check) ready_link; /* in its ready */

    /* what was found */
    spf_verdict_t *verdict;
    const spf_lookup_t **lookups;
};

typedef TAILQ_HEAD(spf_check_list, spf_check) spf_check_list_t;

/* check.c: fills check->question from what was set. SPF_OK, SPF_EINVAL, SPF_ENOMEM. */
spf_err_t spf_check_prepare(spf_check_t *check);
/* verdict.c: makes the verdict of a machine that is done; SPF_ENOMEM. */
spf_err_t spf_check_conclude(spf_check_t *check);

#endif
