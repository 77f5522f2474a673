/* SPDX-License-Identifier: MIT */
#include "api/check.h"

#include "api/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

static const char postmaster[] = "postmaster";

/* ---------------------------------------------------------------------------------------------------------- as a job
 */

static spf_eval_t *eval_of(spf_job_t *job)
{
    return ((spf_check_t *)job)->eval;
}

/* A machine that a failed start left behind goes first. */
static bool job_begin(spf_job_t *job, uint64_t time_s)
{
    spf_check_t *check = (spf_check_t *)job;

    spf_eval_drop(check->eval);
    check->question.time_s = time_s;
    check->eval = spf_eval_new(&check->arena, &check->question);
    return check->eval != NULL;
}

static spf_eval_status_t job_step(spf_job_t *job)
{
    return spf_eval_step(eval_of(job));
}

static spf_eval_status_t job_prefetch(spf_job_t *job)
{
    return spf_eval_prefetch(eval_of(job));
}

static spf_query_t *job_next_wanted(spf_job_t *job)
{
    return spf_eval_next_wanted(eval_of(job));
}

static spf_query_t *job_next_unneeded(spf_job_t *job)
{
    return spf_eval_next_unneeded(eval_of(job));
}

static void job_abort(spf_job_t *job)
{
    spf_eval_abort(eval_of(job));
}

static void job_expire(spf_job_t *job)
{
    spf_eval_expire(eval_of(job));
}

static spf_err_t job_conclude(spf_job_t *job)
{
    return spf_check_conclude((spf_check_t *)job);
}

static void job_call(spf_job_t *job, spf_err_t err)
{
    spf_check_t *check = (spf_check_t *)job;

    check->callback(check, err, check->user_data);
}

static const spf_job_ops_t check_ops = {
    .begin = job_begin,
    .step = job_step,
    .prefetch = job_prefetch,
    .next_wanted = job_next_wanted,
    .next_unneeded = job_next_unneeded,
    .abort = job_abort,
    .expire = job_expire,
    .conclude = job_conclude,
    .call = job_call,
};

/* --------------------------------------------------------------------------------------------- making and freeing */

spf_err_t spf_check_new(spf_check_t **check, spf_context_t *context)
{
    int saved_errno = errno;
    spf_check_t *made = malloc(sizeof *made); /* which is quicker than calloc() where pieces are used again */

    errno = saved_errno;
    if (made == NULL)
        return SPF_ENOMEM;
    *made = (spf_check_t){0};
    made->job.ops = &check_ops;
    made->job.timeout_us = context->settings.timeout_us;
    made->context = context;
    spf_context_hold(context);
    *check = made;
    return SPF_OK;
}

void spf_check_cancel(spf_check_t *check)
{
    int saved_errno = errno;

    spf_engine_cancel(&check->job);
    errno = saved_errno;
}

void spf_check_free(spf_check_t *check)
{
    int saved_errno = errno;

    if (check == NULL)
        return;
    spf_check_cancel(check);
    spf_eval_drop(check->eval);
    spf_policy_unref(check->question.given);
    spf_arena_free(&check->arena);
    spf_context_unhold(check->context);
    free(check);
    errno = saved_errno;
}

/* --------------------------------------------------------------------------------------------------------- setters */

const char *spf_check_error(const spf_check_t *check)
{
    return check->error;
}

static spf_err_t refuse(spf_check_t *check, const char *what, const char *value, size_t length, const char *allowed)
{
    spf_buf_t buf;

    spf_buf_init(&buf, check->error, sizeof check->error);
    spf_buf_add_text(&buf, what);
    spf_buf_add_text(&buf, " \"");
    spf_buf_add_printable(&buf, value, length < 64 ? length : 64, false);
    spf_buf_add_text(&buf, length < 64 ? "\" " : "...\" ");
    spf_buf_add_text(&buf, allowed);
    return SPF_EINVAL;
}

static bool is_settable(spf_check_t *check, spf_err_t *err)
{
    spf_buf_t buf;

    *err = check->job.state == SPF_JOB_NEW ? SPF_OK : SPF_ESTATE;
    spf_buf_init(&buf, check->error, sizeof check->error);
    if (*err != SPF_OK)
        spf_buf_add_text(&buf, "the check was started already; a check answers one question");
    return *err == SPF_OK;
}

/* Copies a text of any octets into the check. */
static spf_err_t set_text(spf_check_t *check, const char *what, const char *text, size_t length, const char **to,
                          size_t *to_length)
{
    spf_err_t err;
    char *copy;

    if (!is_settable(check, &err))
        return err;
    if (text == NULL)
        text = "";
    if (length == SPF_STRLEN)
        length = strlen(text);
    if (length > TEXT_MAX)
        return refuse(check, what, text, length, "is longer than 4096 octets");
    copy = spf_arena_copy(&check->arena, text, length);
    if (copy == NULL)
        return SPF_ENOMEM;
    *to = copy;
    *to_length = length;
    return SPF_OK;
}

spf_err_t spf_check_set_ip(spf_check_t *check, const char *address)
{
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (address == NULL)
        address = "";
    if (!spf_ip_parse_client(&check->question.ip, address, strlen(address)))
        return refuse(check, "client address", address, strlen(address),
                      "is no IPv4 (192.0.2.1) or IPv6 (2001:db8::1) address");
    check->has_ip = true;
    return SPF_OK;
}

spf_err_t spf_check_set_ip_octets(spf_check_t *check, const uint8_t *octets, size_t length)
{
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (!spf_ip_from_octets(&check->question.ip, octets, length))
        return refuse(check, "client address", "", 0, "must have 4 or 16 octets");
    check->has_ip = true;
    return SPF_OK;
}

spf_err_t spf_check_set_sender(spf_check_t *check, const char *sender, size_t length)
{
    spf_err_t err = set_text(check, "sender", sender, length, &check->sender, &check->sender_length);

    if (err == SPF_OK && check->sender_length == 2 && memcmp(check->sender, "<>", 2) == 0)
        check->sender_length = 0;
    return err;
}

spf_err_t spf_check_set_helo(spf_check_t *check, const char *helo, size_t length)
{
    return set_text(check, "HELO", helo, length, &check->helo, &check->helo_length);
}

spf_err_t spf_check_set_identity(spf_check_t *check, spf_identity_t identity)
{
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (identity != SPF_IDENTITY_MAILFROM && identity != SPF_IDENTITY_HELO)
        return refuse(check, "identity", "", 0, "must be SPF_IDENTITY_MAILFROM or SPF_IDENTITY_HELO");
    check->identity = identity;
    return SPF_OK;
}

spf_err_t spf_check_set_receiver(spf_check_t *check, const char *receiver)
{
    size_t length;
    spf_err_t err;

    if (receiver != NULL && *receiver != '\0')
        return set_text(check, "receiver", receiver, SPF_STRLEN, &check->receiver, &length);
    if (is_settable(check, &err))
        check->receiver = NULL;
    return err;
}

spf_err_t spf_check_set_timeout_ms(spf_check_t *check, unsigned timeout_ms)
{
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (timeout_ms < 1 || timeout_ms > SPF_TIMEOUT_MAX_MS)
        return refuse(check, "timeout", "", 0, "must be 1 to 600000 milliseconds");
    check->job.timeout_us = UINT64_C(1000) * timeout_ms;
    return SPF_OK;
}

spf_err_t spf_check_set_trace(spf_check_t *check, bool trace)
{
    spf_err_t err;

    if (is_settable(check, &err))
        check->question.wants_trace = trace;
    return err;
}

spf_err_t spf_check_set_would_be(spf_check_t *check, bool would_be)
{
    spf_err_t err;

    if (is_settable(check, &err))
        check->question.wants_would_be = would_be;
    return err;
}

spf_err_t spf_check_set_record(spf_check_t *check, const char *record, size_t length)
{
    spf_policy_t *policy = NULL;
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (record != NULL) {
        length = length == SPF_STRLEN ? strlen(record) : length;
        if (length > UINT16_MAX || !spf_record_is_record(record, length))
            return refuse(check, "record", record, length, "must begin with \"v=spf1\" and have at most 65535 octets");
        policy = spf_policy_from_text(record, length);
        if (policy == NULL)
            return SPF_ENOMEM;
    }
    spf_policy_unref(check->question.given);
    check->question.given = policy;
    return SPF_OK;
}

/* -------------------------------------------------------------------------------------------------------- question */

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

/* The domain part as macros give it: as it was written, but for U-labels, which become A-labels (RFC 8616). */
static void written_domain(const char **domain, size_t *length, const spf_name_t *name)
{
    if (is_ascii(*domain, *length) || name->length == 0)
        return;
    *domain = name->text;
    *length = name->length;
}

/* <sender> and <domain> of a reverse-path or a HELO name: the last '@' splits, a missing local part is postmaster
 * (section 4.3). */
static spf_err_t prepare_sender(spf_check_t *check, const char *mailbox, size_t length)
{
    spf_question_t *question = &check->question;
    const char *at = memrchr(mailbox, '@', length);
    const char *local = at != NULL ? mailbox : "";
    size_t local_length = at != NULL ? (size_t)(at - mailbox) : 0;
    const char *domain = at != NULL ? at + 1 : mailbox;
    size_t domain_length = length - (size_t)(domain - mailbox);
    size_t size = sizeof postmaster + length + SPF_NAME_MAX + 2;
    char *sender = spf_arena_alloc(&check->arena, size);
    bool is_out_of_memory;
    spf_buf_t buf;

    if (sender == NULL)
        return SPF_ENOMEM;
    spf_name_from_utf8(&question->domain, domain, domain_length, &is_out_of_memory);
    if (is_out_of_memory)
        return SPF_ENOMEM;
    written_domain(&domain, &domain_length, &question->domain);
    spf_buf_init(&buf, sender, size);
    if (local_length == 0) {
        local = postmaster;
        local_length = sizeof postmaster - 1;
    }
    spf_buf_add(&buf, local, local_length);
    spf_buf_add_char(&buf, '@');
    spf_buf_add(&buf, domain, domain_length);
    spf_arena_trim(&check->arena, sender, size, buf.len + 1);
    question->sender = sender;
    question->sender_length = buf.len;
    question->local_length = local_length;
    return SPF_OK;
}

/* %{h} is the HELO name with its U-labels as A-labels. */
static spf_err_t prepare_helo(spf_check_t *check)
{
    spf_question_t *question = &check->question;
    spf_name_t name;
    bool is_out_of_memory;
    const char *helo = check->helo != NULL ? check->helo : "";

    question->helo = helo;
    question->helo_length = check->helo_length;
    if (is_ascii(helo, check->helo_length))
        return SPF_OK;
    if (!spf_name_from_utf8(&name, helo, check->helo_length, &is_out_of_memory))
        return is_out_of_memory ? SPF_ENOMEM : SPF_OK;
    question->helo = spf_arena_copy(&check->arena, name.text, name.length);
    question->helo_length = name.length;
    return question->helo != NULL ? SPF_OK : SPF_ENOMEM;
}

/* A HELO argument is a domain, never a mailbox: whatever stands before an '@' in it is part of a name that is none. */
static spf_err_t prepare_identity(spf_check_t *check)
{
    char storage[TEXT_MAX + 2];
    spf_buf_t buf;

    if (check->identity == SPF_IDENTITY_MAILFROM && check->sender_length > 0)
        return prepare_sender(check, check->sender, check->sender_length);
    spf_buf_init(&buf, storage, sizeof storage);
    spf_buf_add_char(&buf, '@');
    spf_buf_add(&buf, check->question.helo, check->question.helo_length);
    if (memchr(check->question.helo, '@', check->question.helo_length) != NULL)
        buf.len = 1;
    return prepare_sender(check, buf.data, buf.len);
}

spf_err_t spf_check_prepare(spf_check_t *check)
{
    const spf_settings_t *settings = &check->context->settings;
    spf_question_t *question = &check->question;
    spf_err_t err;

    if (!is_settable(check, &err))
        return err;
    if (!check->has_ip)
        return refuse(check, "client address", "", 0, "must be set before a check is started");
    question->receiver = check->receiver != NULL ? check->receiver : settings->receiver;
    question->receiver_length = strlen(question->receiver);
    question->default_explanation = settings->explanation;
    question->default_explanation_length = settings->explanation != NULL ? strlen(settings->explanation) : 0;
    question->limits = settings->limits;
    err = prepare_helo(check);
    return err == SPF_OK ? prepare_identity(check) : err;
}

/* --------------------------------------------------------------------------------------------------------- running */

/* Without a callback it is waited for. */
static spf_err_t check_go(spf_check_t *check, spf_check_callback_t callback, void *user_data)
{
    int saved_errno = errno;
    spf_err_t err = spf_check_prepare(check);

    if (err == SPF_OK) {
        check->callback = callback;
        check->user_data = user_data;
        check->job.is_waited_for = callback == NULL;
        err = spf_context_go(check->context, &check->job);
    }
    errno = saved_errno;
    return err;
}

spf_err_t spf_check_start(spf_check_t *check, spf_check_callback_t callback, void *user_data)
{
    return callback != NULL ? check_go(check, callback, user_data) : SPF_EINVAL;
}

spf_err_t spf_check_run(spf_check_t *check)
{
    return check_go(check, NULL, NULL);
}
