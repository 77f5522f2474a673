/* SPDX-License-Identifier: MIT */
/* A question of the configuration's, and its answer; what was asked before on this connection is not asked again. */
#ifndef LIBSPF_EXIM_QUESTION_H
#define LIBSPF_EXIM_QUESTION_H

#include <spf.h>

typedef struct question {
    const char *ip;     /* "": there is no client */
    const char *sender; /* "": the null one */
    const char *helo;   /* "": none was given */
    const char *receiver;
    const char *policy; /* to be taken for the domain's own; NULL: ask DNS */
    spf_identity_t identity;
} question_t;

typedef struct answer {
    spf_result_t result;
    const char *cause;
    const char *reason;
    const char *receiver;         /* the question's */
    spf_check_t *check;           /* NULL: nothing could be checked, and the above is all there is */
    const spf_verdict_t *verdict; /* the check's */
} answer_t;

enum { COMPLAINT_MAX = 400 };

/*
 * The answer is good until the next question. False: the configuration is at fault, and the complaint says what to
 * mend. What mail and DNS say never is.
 */
bool question_ask(const question_t *question, answer_t *answer, char complaint[COMPLAINT_MAX]);

/* Chooses the configuration file from now on. False: it is at fault, as the complaint says. */
bool question_configure(const char *file, char complaint[COMPLAINT_MAX]);
/* The configuration file that was chosen; "" if none was. */
const char *question_config_file(void);

#endif
