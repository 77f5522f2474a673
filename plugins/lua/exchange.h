/* SPDX-License-Identifier: MIT */
/*
 * Where the threads meet: libspf calls back in whatever thread drives the context, and that only puts the job into
 * the list of its own state. One lock for the process, never held while libspf or Lua is called.
 */
#ifndef SPF_LUA_EXCHANGE_H
#define SPF_LUA_EXCHANGE_H

#include "libspf_lua.h"

/* To be called once before anything else; false without memory. */
bool spf_lua_exchange_open(void);
/* A number that changes in the child of every fork. */
unsigned spf_lua_generation(void);

/* What the callback of every job comes to. */
void spf_lua_ended(spf_lua_job_t *job, spf_err_t err);
/* Waits until libspf is through with a job that was cancelled: another thread may be about to call it back. */
void spf_lua_await_end(spf_lua_job_t *job);
/* Whether it has ended. */
bool spf_lua_has_ended(spf_lua_job_t *job);
/* Whether it has ended and its function is to be called. */
bool spf_lua_is_due(spf_lua_job_t *job);
/* Takes it out of its context's list. */
void spf_lua_unqueue(spf_lua_job_t *job);

/* The first job whose function is to be called, or NULL, and how many there are. */
spf_lua_job_t *spf_lua_first_ended(spf_lua_context_t *context, size_t *count);
/* Sets the descriptor that tells the host of them (-1: none), makes it readable, or sets it back if nothing is left. */
void spf_lua_set_event_fd(spf_lua_context_t *context, int fd);
void spf_lua_tell_host(spf_lua_context_t *context);
void spf_lua_clear_event(spf_lua_context_t *context);

#endif
