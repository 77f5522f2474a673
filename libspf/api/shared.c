/* SPDX-License-Identifier: MIT */
/* The process-wide context that plugins and bindings use unless they are told otherwise. */
#include "api/context.h"
#include "api/fork.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static spf_context_t *shared; /* its memory is held; its references may all be gone */
static char *shared_file;     /* what it was configured from; NULL: the default file */

/* A fork while another thread makes or takes the context: the child must find the lock free. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* Handlers run in reverse order before a fork, so this lock is taken before that of api/fork.c, as in make(). */
static void watch_fork(void)
{
    spf_fork_watch();
    pthread_atfork(before_fork, after_fork, after_fork);
}

static void forget(void)
{
    if (shared == NULL)
        return;
    spf_context_unhold(shared);
    free(shared_file);
    shared = NULL;
    shared_file = NULL;
}

static void tell(char *error, size_t error_size, const char *text)
{
    spf_buf_t buf;

    if (error == NULL || error_size == 0)
        return;
    spf_buf_init(&buf, error, error_size);
    spf_buf_add(&buf, text, strnlen(text, error_size - 1));
}

static bool is_same_file(const char *config_file)
{
    if (config_file == NULL || shared_file == NULL)
        return config_file == shared_file;
    return strcmp(config_file, shared_file) == 0;
}

static spf_err_t make(const char *config_file, char *error, size_t error_size)
{
    spf_config_t *config;
    char *file = NULL;
    spf_err_t err = spf_config_new(&config);

    if (err != SPF_OK)
        return err;
    err = spf_config_load(config, config_file);
    if (err == SPF_OK && config_file != NULL && (file = strdup(config_file)) == NULL)
        err = SPF_ENOMEM;
    if (err == SPF_OK)
        err = spf_context_new(&shared, config);
    if (err == SPF_OK) {
        spf_context_hold(shared);
        shared_file = file;
    } else {
        tell(error, error_size, *spf_config_error(config) != '\0' ? spf_config_error(config) : spf_strerror(err));
        free(file);
    }
    spf_config_free(config);
    return err;
}

static spf_err_t take(const char *config_file, char *error, size_t error_size)
{
    if (shared != NULL && spf_context_try_ref(shared)) {
        if (is_same_file(config_file))
            return SPF_OK;
        spf_context_release(shared);
        tell(error, error_size, "the shared context is in use with another configuration file");
        return SPF_ESTATE;
    }
    forget();
    return make(config_file, error, error_size);
}

spf_err_t spf_context_shared(spf_context_t **context, const char *config_file, char *error, size_t error_size)
{
    spf_err_t err;

    tell(error, error_size, "");
    pthread_once(&once, watch_fork);
    pthread_mutex_lock(&lock);
    err = take(config_file, error, error_size);
    if (err == SPF_OK)
        *context = shared;
    pthread_mutex_unlock(&lock);
    return err;
}
