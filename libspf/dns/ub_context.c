/* SPDX-License-Identifier: MIT */
#include "dns/ub_context.h"

#include "base/ascii.h"
#include "base/fork.h"
#include "base/name.h"
#include "dns/ub_options.h"

enum { CLASS_IN = 1 };

static spf_err_t set_up(spf_ub_context_t *context, const spf_dns_settings_t *settings, int zone_fd, spf_buf_t *error)
{
    context->ctx = ub_ctx_create_ub_event(&context->base.base);
    if (!context->ctx) {
        spf_buf_add_text(error, "libunbound could not make a context");
        return SPF_ENOMEM;
    }
    ub_ctx_debugout(context->ctx, NULL); /* nothing goes to standard error */
    spf_err_t result = spf_ub_options_apply(context->ctx, settings, zone_fd, error);
    if (result == SPF_OK)
        return SPF_OK;
    ub_ctx_delete(context->ctx);
    context->ctx = NULL;
    return result;
}

spf_err_t spf_ub_context_init(spf_ub_context_t *context, spf_loop_t *loop, const spf_dns_settings_t *settings,
                              int zone_fd, spf_buf_t *error)
{
    spf_ub_base_init(&context->base, loop);
    context->is_warm = false;
    spf_fork_lock();
    spf_err_t result = set_up(context, settings, zone_fd, error);
    spf_fork_unlock();
    return result;
}

bool spf_ub_context_is_open(const spf_ub_context_t *context)
{
    return context->ctx != NULL;
}

void spf_ub_context_clear(spf_ub_context_t *context)
{
    if (!context->ctx)
        return;
    spf_ub_base_enter(&context->base);
    spf_fork_lock(); /* deleting it touches locks that all contexts share */
    ub_ctx_delete(context->ctx);
    spf_fork_unlock();
    context->ctx = NULL;
}

/* How many octets at the start of a name stand for themselves: those of host names, and "_". */
static size_t plain_length(const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && (spf_ascii_is_alphanum(name[i]) || name[i] == '.' || name[i] == '-' || name[i] == '_'))
        i++;
    return i;
}

/* Presentation format (RFC 1035 section 5.1): all other octets as \DDD, so that nothing of a name that a sender or a
 * record chose is read as anything but itself. */
static void add_presentation(spf_buf_t *buf, const char *name, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t plain = plain_length(name + i, length - i);
        spf_buf_add(buf, name + i, plain);
        i += plain;
        if (i == length)
            break;
        unsigned octet = (unsigned char)name[i++];
        char escape[4] = {'\\', (char)('0' + octet / 100), (char)('0' + octet / 10 % 10), (char)('0' + octet % 10)};
        spf_buf_add(buf, escape, sizeof escape);
    }
    spf_buf_add_char(buf, '.');
}

bool spf_ub_context_ask(spf_ub_context_t *context, const char *name, size_t length, uint16_t type,
                        ub_event_callback_type callback, void *argument, int *id)
{
    char storage[4 * SPF_NAME_MAX + 2];
    spf_buf_t text;
    spf_buf_init(&text, storage, sizeof storage);
    add_presentation(&text, name, length);
    if (text.full)
        return false;
    bool is_first = !context->is_warm;
    /* libunbound sets process-wide things up when a context is made and when it is first used, or used again after
     * that failed: only one thread at a time may be there, and no fork may happen meanwhile. */
    if (is_first)
        spf_fork_lock();
    spf_ub_base_enter(&context->base);
    int result = ub_resolve_event(context->ctx, storage, type, CLASS_IN, argument, callback, id);
    context->is_warm = context->is_warm || result == 0;
    if (is_first)
        spf_fork_unlock();
    spf_ub_base_leave(&context->base);
    return result == 0;
}
