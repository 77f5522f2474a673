/* SPDX-License-Identifier: MIT */
/* The process-wide context that plugins and bindings use unless they are told otherwise. */
#include "api/context.h"
#include "base/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Both under the process's lock. */
static spf_context_t *shared; /* its memory is held; its references may all be gone */
static char *shared_file;     /* what it was configured from; NULL: the default file */

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

/* A reference to the context there is, or else to a new one. */
static spf_err_t take(spf_context_t **context, const char *config_file, char *error, size_t error_size)
{
    spf_err_t err;

    if (shared != NULL && spf_context_try_ref(shared)) {
        *context = shared;
        return is_same_file(config_file) ? SPF_OK : SPF_ESTATE;
    }
    *context = NULL;
    forget();
    err = make(config_file, error, error_size);
    if (err == SPF_OK)
        *context = shared;
    return err;
}

spf_err_t spf_context_shared(spf_context_t **context, const char *config_file, char *error, size_t error_size)
{
    int saved_errno = errno;
    spf_context_t *taken;
    spf_err_t err;

    tell(error, error_size, "");
    if (!spf_fork_watch())
        return SPF_ENOMEM;
    spf_fork_lock();
    err = take(&taken, config_file, error, error_size);
    spf_fork_unlock();
    if (err == SPF_OK) {
        *context = taken;
    } else if (taken != NULL) {
        spf_context_release(taken);
        tell(error, error_size, "the shared context is in use with another configuration file");
    }
    errno = saved_errno;
    return err;
}
