/* SPDX-License-Identifier: MIT */
/*
 * What stands between libspf and Python, without a line of Python: contexts, jobs, which are checks and surveys, and
 * ports, where the jobs of one event loop end. Callbacks of libspf may come in any thread; here they only put the job
 * into its port's list and wake the loop. So no thread ever enters Python from inside libspf, and none holds a lock of
 * libspf in Python.
 *
 * All functions may be called from any thread, those that say "waits" without the interpreter's lock.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <spf.h>
#include <spf_resolver.h>
#include <spf_tools.h>

#include <pthread.h>
#include <sys/queue.h>

typedef struct bridge_context bridge_context_t;
typedef struct bridge_port bridge_port_t;
typedef struct bridge_job bridge_job_t;
typedef struct bridge_check bridge_check_t;
typedef struct bridge_survey bridge_survey_t;
typedef struct bridge_resolver bridge_resolver_t;
typedef struct bridge_question bridge_question_t;

/* ------------------------------------------------------------------------------------------------------------ locks */

/* Watches for forks; must have returned true before anything else is used. */
bool bridge_init(void);
/* One lock for the lists of all ports and resolvers: held for some instructions, and nothing else is locked inside. */
void bridge_lock(void);
void bridge_unlock(void);
/* Counts the forks: what was made under another number belongs to the parent. */
unsigned bridge_generation(void);

/* A descriptor that can be made readable from any thread. -1: none could be had. */
int bridge_signal_new(void);
void bridge_signal_set(int fd);
void bridge_signal_clear(int fd);

/* --------------------------------------------------------------------------------------------------------- contexts */

/* A context of one's own; with_questions: whose questions Python answers. Waits. */
spf_err_t bridge_context_new(bridge_context_t **context, spf_config_t *config, bool with_questions);
/* The process-wide one. Waits. */
spf_err_t bridge_context_shared(bridge_context_t **context, const char *config_file, char *error, size_t error_size);
/* Gives up libspf's context: nothing more can be started in it. Waits. */
void bridge_context_close(bridge_context_t *context);
/* Gives up a reference, and closes it with the last. Waits. */
void bridge_context_free(bridge_context_t *context);
/* As spf_context_process(), spf_context_pending(); a closed context has nothing to do. They wait. */
spf_err_t bridge_context_process(bridge_context_t *context);
size_t bridge_context_pending(bridge_context_t *context);
/* Whether a question was asked or cancelled, of which Python does not know yet. */
bool bridge_context_has_events(bridge_context_t *context);
/* The next question asked, a reference to it; NULL: none. */
bridge_question_t *bridge_context_take_question(bridge_context_t *context);
/* The number of the next question that was cancelled after it had been taken; 0: none. */
uint64_t bridge_context_take_cancelled(bridge_context_t *context);

/* A reference to libspf's context, to be given back with spf_context_release(); NULL once it is closed. */
spf_context_t *bridge_context_enter(bridge_context_t *context);

/* ------------------------------------------------------------------------------------------------------------ ports */

/* NULL: no memory or no descriptor, or the context is closed. Waits. */
bridge_port_t *bridge_port_new(bridge_context_t *context);
void bridge_port_free(bridge_port_t *port);
/* Readable when bridge_port_process() has something to do. */
int bridge_port_fileno(const bridge_port_t *port);
/* Does what can be done in the context without waiting. Waits (for locks). */
spf_err_t bridge_port_process(bridge_port_t *port);
/* The number of the next job of this port that has ended; 0: none. */
uint64_t bridge_port_take_done(bridge_port_t *port);

/* ------------------------------------------------------------------------------------------------------------- jobs */

/* What libspf calls its functions for one kind of job. */
typedef struct bridge_job_ops {
    size_t size; /* of a job of this kind */
    spf_err_t (*make)(bridge_job_t *job, spf_context_t *context);
    spf_err_t (*start)(bridge_job_t *job); /* to end in bridge_job_ended() */
    spf_err_t (*run)(bridge_job_t *job);
    void (*cancel)(bridge_job_t *job);
    void (*free)(bridge_job_t *job);
} bridge_job_ops_t;

/* What checks and surveys begin with. What changes after the start is guarded by the lock. */
struct bridge_job {
    const bridge_job_ops_t *ops;
    bridge_context_t *context;
    bridge_port_t *port; /* NULL: not started, or run */
    uint64_t number;
    unsigned references;          /* Python's, and that of its callback while it is in flight */
    bool is_dropped;              /* Python does not want to know any more */
    bool is_listed;               /* in the port's list */
    spf_err_t end;                /* how it ended */
    TAILQ_ENTRY(bridge_job) link; /* in the port's list */
};

/* NULL: no memory, or the context is closed. */
bridge_job_t *bridge_job_new(const bridge_job_ops_t *ops, bridge_context_t *context);
/* Cancels it if it is in flight. Waits. */
void bridge_job_free(bridge_job_t *job);
/* As spf_check_start(); its number comes out of the port when it has ended. Waits. */
spf_err_t bridge_job_start(bridge_job_t *job, bridge_port_t *port);
/* As spf_check_run(). Waits. */
spf_err_t bridge_job_run(bridge_job_t *job);
/* Ends it, if it is in flight, with SPF_ECANCELED. Waits. */
void bridge_job_cancel(bridge_job_t *job);
/* What its callback does. */
void bridge_job_ended(bridge_job_t *job, spf_err_t err);

struct bridge_check {
    bridge_job_t job; /* first */
    spf_check_t *check;
};

/* As bridge_job_new(). */
bridge_check_t *bridge_check_new(bridge_context_t *context);

/* libspf leaves a survey to one thread at a time, and its reports take long enough for others to come. */
struct bridge_survey {
    bridge_job_t job; /* first */
    spf_survey_t *survey;
    pthread_mutex_t mutex;
    unsigned generation; /* that the mutex is of */
    bool is_in_use;      /* by who has the mutex */
    bool is_torn;        /* a thread was using it when the process forked: here nobody can */
};

/* As bridge_job_new(). */
bridge_survey_t *bridge_survey_new(bridge_context_t *context);
/* Keeps other threads out. False: nobody can use it in this process. Waits. */
bool bridge_survey_enter(bridge_survey_t *survey);
void bridge_survey_leave(bridge_survey_t *survey);
/* A report while nobody else is there. NULL also: nobody can use it. Waits. */
const char *bridge_survey_report(bridge_survey_t *survey, const char *(*write)(spf_survey_t *));

/* -------------------------------------------------------------------------------------------------------- questions */

typedef TAILQ_HEAD(bridge_question_list, bridge_question) bridge_question_list_t;

/* A resolver whose questions Python answers: it keeps lists, and gives the answers from inside its operations. */
struct bridge_resolver {
    unsigned generation;
    int signal_fd; /* readable: there are answers */
    bool is_signalled;
    bridge_question_list_t asked, answered, cancelled;
};

typedef enum bridge_question_state {
    BRIDGE_ASKED,     /* in the list of those */
    BRIDGE_TAKEN,     /* Python has it */
    BRIDGE_ANSWERED,  /* in the list of those */
    BRIDGE_CANCELLED, /* in the list of those */
    BRIDGE_OVER
} bridge_question_state_t;

struct bridge_question {
    bridge_resolver_t *resolver; /* NULL: it is gone, or the parent's */
    unsigned generation;
    unsigned references;
    uint64_t number;
    bridge_question_state_t state;
    spf_query_t *query; /* NULL: nobody waits for the answer */
    char *name;
    size_t name_length;
    uint16_t type;
    /* the answer */
    uint8_t *data; /* records, each behind its length; or a packet */
    size_t size, room;
    bool is_packet;
    spf_dns_status_t status;
    uint32_t ttl_s;
    spf_dnssec_t dnssec;
    char *detail;
    TAILQ_ENTRY(bridge_question) link;
};

extern const spf_resolver_ops_t bridge_resolver_ops;
bridge_resolver_t *bridge_resolver_new(void);
bool bridge_resolver_has_events(bridge_resolver_t *resolver);
/* References, to be given back. */
bridge_question_t *bridge_resolver_take_question(bridge_resolver_t *resolver);
bridge_question_t *bridge_resolver_take_cancelled(bridge_resolver_t *resolver);

void bridge_question_free(bridge_question_t *question);
bool bridge_question_is_wanted(bridge_question_t *question);
/* Adds a record of the type asked for. SPF_EINVAL: an address of another length. */
spf_err_t bridge_question_add(bridge_question_t *question, const char *octets, size_t length);
/* Forgets what was added. */
void bridge_question_clear(bridge_question_t *question);
/* Gives the answer. False: it is not wanted any more, or was given before. */
bool bridge_question_finish(bridge_question_t *question, spf_dns_status_t status, uint32_t ttl_s, spf_dnssec_t dnssec,
                            const char *detail);
bool bridge_question_answer_packet(bridge_question_t *question, const char *octets, size_t length, spf_dnssec_t dnssec);
/* Makes it one that nobody has taken: whoever took it cannot answer. */
void bridge_question_put_back(bridge_question_t *question);

#endif
