/* SPDX-License-Identifier: MIT */
/* The signals of a verb that goes on until one ends it. */
#ifndef SPF_TOOL_SIGNALS_H
#define SPF_TOOL_SIGNALS_H

#include <stdbool.h>

typedef struct signals {
    int fd;          /* a signalfd(2): readable when one has come, SIGCHLD too */
    bool is_ended;   /* SIGTERM or SIGINT has come */
    bool is_hurried; /* SIGHUP has come: what is to be done later is wanted at once; whoever does it sets this back */
} signals_t;

/* Blocks them for the process and opens the descriptor; false: errno says why. */
bool signals_open(signals_t *signals);
void signals_close(signals_t *signals);

/* Notes what has come since; does not wait. */
void signals_take(signals_t *signals);

#endif
