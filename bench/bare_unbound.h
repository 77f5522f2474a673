/* SPDX-License-Identifier: MIT */
/* libunbound alone, on the event loop and with the settings that libspf gives it: what DNS itself costs. */
#ifndef BENCH_BARE_UNBOUND_H
#define BENCH_BARE_UNBOUND_H

#include "questions.h"

typedef struct bare_unbound bare_unbound_t;

/* Asks the server at 127.0.0.1, port. */
bare_unbound_t *bare_unbound_new(unsigned port);
void bare_unbound_free(bare_unbound_t *bare);
/* Asks the questions of groups first to first + count - 1, those of a group that libspf asks together at once, so many
 * groups at the same time. */
void bare_unbound_ask(bare_unbound_t *bare, const question_list_t *list, size_t first, size_t count, size_t jobs);

#endif
