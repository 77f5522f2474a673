/* SPDX-License-Identifier: MIT */
/* The record tools: surveys, which are jobs as checks are, and drafts and evidence, which wait for nothing. */

%apply (const char *octets, size_t length) { (const char *domain, size_t domain_length) };

/* A tuple of bytes. */
%typemap(in) (const char *const *texts, size_t count)
{
    if (!texts_from($input, &$1, &$2))
        SWIG_fail;
}
%typemap(freearg) (const char *const *texts, size_t count) { PyMem_Free((void *)$1); }

/* ---------------------------------------------------------------------------------------------------------- drafts */

%rename(Draft) spf_draft;
typedef struct spf_draft {} spf_draft_t;
%extend spf_draft {
    ~spf_draft() { spf_draft_free($self); }
    unsigned lookups(void);
    PyObject *records(void) { return records_of($self); }
    PyObject *notes(void) { return notes_of($self); }
    const char *zone(uint32_t ttl);
    const char *nsupdate(uint32_t ttl, const char *zone, const char *server);
    const char *json(void);
}

%thread compose;
%newobject compose;
%inline %{
/** A draft or an error code; and a sentence. */
spf_draft_t *compose(const char *const *texts, size_t count, const char *domain, const char *all, spf_err_t *failure,
                     char *error, size_t error_size)
{
    const spf_compose_options_t options = {
        .size = sizeof options, .domain = domain, .senders = texts, .sender_count = count, .all = all};
    spf_draft_t *draft;
    *failure = spf_compose(&draft, &options, error, error_size);
    return draft;
}
%}

/* --------------------------------------------------------------------------------------------------------- surveys */

JOB(bridge_survey, Survey)
%thread bridge_survey::text;
%thread bridge_survey::json;
%thread bridge_survey::dot;
%thread bridge_survey::lint;
%thread bridge_survey::flatten;
%newobject bridge_survey::flatten;
%extend bridge_survey {
    bridge_survey(bridge_context_t *context) { return bridge_survey_new(context); }
    spf_err_t set_domain(const char *domain, size_t domain_length)
    {
        return spf_survey_set_domain($self->survey, domain, domain_length);
    }
    spf_err_t set_record(const char *record, size_t record_length)
    {
        return spf_survey_set_record($self->survey, record, record_length);
    }
    spf_err_t set_scope(unsigned scope) { return spf_survey_set_scope($self->survey, scope); }
    spf_err_t set_timeout_ms(unsigned timeout_ms) { return spf_survey_set_timeout_ms($self->survey, timeout_ms); }
    const char *error(void) { return spf_survey_error($self->survey); }

    /* Of a survey that has ended well. A report is None without memory, and where is_torn() is true. */
    bool is_torn(void) { return $self->is_torn; }
    PyObject *summary(void) { return summary_of($self->survey); }
    PyObject *nodes(void) { return nodes_of($self->survey); }
    const char *json(void) { return bridge_survey_report($self, spf_survey_json); }
    const char *dot(void) { return bridge_survey_report($self, spf_survey_dot); }
    const char *text(unsigned style)
    {
        const char *text;
        if (!bridge_survey_enter($self))
            return NULL;
        text = spf_survey_text($self->survey, style);
        bridge_survey_leave($self);
        return text;
    }
    /** Makes the remarks; False if is_torn(). */
    bool lint(void)
    {
        if (!bridge_survey_enter($self))
            return false;
        spf_survey_remark($self->survey, 0);
        bridge_survey_leave($self);
        return true;
    }
    /* After that. */
    PyObject *remarks(void) { return remarks_of($self->survey); }
    PyObject *fixed_record(void) { return fixed_record_of($self->survey); }
    /** A draft or an error code; and a sentence. */
    spf_draft_t *flatten(const char *const *texts, size_t count, const char *prefix, unsigned answer_max,
                         spf_err_t *failure, char *error, size_t error_size)
    {
        const spf_flatten_options_t options = {
            .size = sizeof options, .keep = texts, .keep_count = count, .prefix = prefix, .answer_max = answer_max};
        spf_draft_t *draft = NULL;
        *failure = SPF_ESTATE;
        if (!bridge_survey_enter($self))
            return NULL;
        *failure = spf_survey_flatten($self->survey, &options, &draft);
        snprintf(error, error_size, "%s", spf_survey_error($self->survey));
        bridge_survey_leave($self);
        return draft;
    }
}

/* -------------------------------------------------------------------------------------------------------- evidence */

/** What header fields say: a list of items, and what they say together, or None. */
PyObject *evidence_of(const char *octets, size_t length);
