/* SPDX-License-Identifier: MIT */
/* The thin part: libspf's objects as Python's. What users see is made of it in libspf/*.py. */
%module(package="libspf", threads="1") _swig
%nothread;

%{
#include "convert.h"

/* SWIG's own tables are the process's: a second interpreter would take them from the first. PyInit__libspf(), which is
 * ours, refuses it, and then calls this. */
#undef SWIG_init
#define SWIG_init libspf_swig_init
PyObject *SWIG_init(void);
%}

%include <stdint.i>

/* ---------------------------------------------------------------------------------------------------------- typemaps */

/* Octets: str (in UTF-8; lone surrogates stand for octets that are none), bytes, or None. */
%typemap(in) (const char *octets, size_t length) (PyObject *held = NULL)
{
    if (!octets_from($input, "$1_name", &held, (const char **)&$1, &$2))
        SWIG_fail;
}
%typemap(freearg) (const char *octets, size_t length) { Py_XDECREF(held$argnum); }

/* The same as a text that a NUL would end. */
%typemap(in) const char * (PyObject *held = NULL)
{
    if (!text_from($input, "$1_name", &held, (const char **)&$1))
        SWIG_fail;
}
%typemap(freearg) const char * { Py_XDECREF(held$argnum); }

%apply (const char *octets, size_t length) {
    (const char *sender, size_t sender_length), (const char *helo, size_t helo_length),
    (const char *record, size_t record_length), (const char *zone_text, size_t zone_length)
};

%typemap(out) spf_err_t { $result = PyLong_FromLong($1); }
%typemap(out) const char * { $result = object_of_text($1); }
%typemap(out) uint64_t, size_t { $result = PyLong_FromUnsignedLongLong($1); }
%typemap(out) PyObject * { $result = $1; }

%apply int { spf_dns_status_t, spf_dnssec_t, spf_fold_t, spf_identity_t };

%nodefaultctor;
%nodefaultdtor;

/* ------------------------------------------------------------------------------------------------------------- words */

/** None, or ImportError in a subinterpreter. */
PyObject *main_interpreter_only(void);
/** The version of the library that is running. */
const char *spf_version(void);
/** The message for an error code. */
const char *spf_strerror(int err);

%inline %{
/** The words of libspf's enumerations, in their order: results, causes, identities, DNSSEC, outcomes, what
 * stands where a record should be, severities. */
PyObject *words(void) { return words_of_all(); }
%}

/* --------------------------------------------------------------------------------------------------------- contexts */

%rename(Config) spf_config;
typedef struct spf_config {} spf_config_t;
%extend spf_config {
    spf_config(void)
    {
        spf_config_t *config = NULL;
        spf_config_new(&config);
        return config;
    }
    ~spf_config() { spf_config_free($self); }
    /** Sets one key: an error code. */
    spf_err_t set(const char *key, const char *value);
    /** Adds a zone given as text: an error code. */
    spf_err_t add_zone_text(const char *zone_text, size_t zone_length);
    /** Reads a file: an error code. */
    spf_err_t load(const char *path);
    /** One sentence about the last failure. */
    const char *error(void);
}

%rename(Handle) bridge_context;
typedef struct bridge_context {} bridge_context_t;
%thread open_context;
%thread open_shared;
%newobject open_context;
%newobject open_shared;
%typemap(in, numinputs=0) spf_err_t *failure (spf_err_t code) { code = SPF_OK; $1 = &code; }
%typemap(argout) spf_err_t *failure
{
    if (*$1 != SPF_OK) {
        Py_XDECREF($result);
        $result = PyLong_FromLong(*$1);
    }
}
%typemap(in, numinputs=0) (char *error, size_t error_size) (char sentence[512]) { sentence[0] = '\0'; $1 = sentence; $2 = sizeof sentence; }
%typemap(argout) (char *error, size_t error_size)
{
    PyObject *pair = Py_BuildValue("(NN)", $result, object_of_text($1));
    $result = pair;
}
%inline %{
/** A context of one's own, or an error code. */
bridge_context_t *open_context(spf_config_t *config, bool with_questions, spf_err_t *failure)
{
    bridge_context_t *context = NULL;
    *failure = bridge_context_new(&context, config, with_questions);
    return context;
}
/** The context of the process, or an error code; and a sentence. */
bridge_context_t *open_shared(const char *config_file, spf_err_t *failure, char *error, size_t error_size)
{
    bridge_context_t *context = NULL;
    *failure = bridge_context_shared(&context, config_file, error, error_size);
    return context;
}
%}

%thread bridge_context::~bridge_context;
%thread bridge_context::close;
%thread bridge_context::process;
%thread bridge_context::pending;
%newobject bridge_context::take_question;
%extend bridge_context {
    ~bridge_context() { bridge_context_free($self); }
    /** Gives up the context: nothing more can be started. */
    void close(void);
    /** Does what can be done without waiting. */
    spf_err_t process(void);
    /** How many jobs are started and have not ended. */
    size_t pending(void);
    /** Whether there are questions to take, asked or cancelled. */
    bool has_events(void);
    /** The next question for Python, or None. */
    bridge_question_t *take_question(void);
    /** The number of the next question that was cancelled, or 0. */
    uint64_t take_cancelled(void);
}

/* ------------------------------------------------------------------------------------------------------------ ports */

%rename(Port) bridge_port;
typedef struct bridge_port {} bridge_port_t;
%thread bridge_port::bridge_port;
%exception bridge_port::bridge_port
{
    $action
    if (result == NULL) {
        PyErr_SetString(PyExc_OSError, "there is no descriptor for a port, or its context is just being closed");
        SWIG_fail;
    }
}
%thread bridge_port::~bridge_port;
%thread bridge_port::process;
%extend bridge_port {
    bridge_port(bridge_context_t *context) { return bridge_port_new(context); }
    ~bridge_port() { bridge_port_free($self); }
    /** What the event loop watches for reading. */
    int fileno(void);
    /** Does what can be done without waiting. */
    spf_err_t process(void);
    /** The number of the next job that has ended, or 0. */
    uint64_t take_done(void);
}

/* ------------------------------------------------------------------------------------------------------------- jobs */

/* What checks and surveys have in common. */
%define JOB(TYPE, NAME)
%rename(NAME) TYPE;
typedef struct TYPE {} TYPE ## _t;
%exception TYPE::TYPE
{
    $action
    if (result == NULL) {
        PyErr_SetString(PyExc_MemoryError, "there is no memory for a job, or its context is just being closed");
        SWIG_fail;
    }
}
%{
#define TYPE ## _number_get(self) ((self)->job.number)
#define TYPE ## _end_get(self) ((self)->job.end)
%}
%thread TYPE::~TYPE;
%thread TYPE::start;
%thread TYPE::run;
%thread TYPE::cancel;
%extend TYPE {
    ~TYPE() { bridge_job_free(&$self->job); }
    %immutable;
    const uint64_t number;
    const spf_err_t end; /* an error code */
    %mutable;
    /** Starts it; its number comes out of the port when it has ended. */
    spf_err_t start(bridge_port_t *port) { return bridge_job_start(&$self->job, port); }
    /** Runs it and waits for its end. */
    spf_err_t run(void) { return bridge_job_run(&$self->job); }
    /** Ends it, if it is in flight. */
    void cancel(void) { bridge_job_cancel(&$self->job); }
}
%enddef

/* ----------------------------------------------------------------------------------------------------------- checks */

JOB(bridge_check, Check)
%extend bridge_check {
    /** A check of this client; if `end` is an error code, error() tells what is wrong with it. */
    bridge_check(bridge_context_t *context, const char *ip, const char *sender, size_t sender_length, const char *helo,
                 size_t helo_length)
    {
        bridge_check_t *check = bridge_check_new(context);
        if (check == NULL)
            return NULL;
        check->job.end = spf_check_set_ip(check->check, ip);
        if (check->job.end == SPF_OK)
            check->job.end = spf_check_set_sender(check->check, sender, sender_length);
        if (check->job.end == SPF_OK)
            check->job.end = spf_check_set_helo(check->check, helo, helo_length);
        return check;
    }
    spf_err_t set_identity(spf_identity_t identity) { return spf_check_set_identity($self->check, identity); }
    spf_err_t set_receiver(const char *receiver) { return spf_check_set_receiver($self->check, receiver); }
    spf_err_t set_timeout_ms(unsigned timeout_ms) { return spf_check_set_timeout_ms($self->check, timeout_ms); }
    spf_err_t set_trace(bool trace) { return spf_check_set_trace($self->check, trace); }
    spf_err_t set_would_be(bool would_be) { return spf_check_set_would_be($self->check, would_be); }
    spf_err_t set_record(const char *record, size_t record_length)
    {
        return spf_check_set_record($self->check, record, record_length);
    }
    /** One sentence about the last call that failed. */
    const char *error(void) { return spf_check_error($self->check); }

    /* Of a check that has ended well. */
    PyObject *facts(void) { return facts_of($self->check); }
    PyObject *steps(void) { return steps_of($self->check); }
    PyObject *lookups(void) { return lookups_of($self->check); }
    PyObject *smtp_reply(void) { return reply_of($self->check); }
    const char *received_spf(spf_fold_t fold) { return spf_check_received_spf($self->check, fold); }
    const char *authentication_results(spf_fold_t fold) { return spf_check_authentication_results($self->check, fold); }
    const char *authentication_resinfo(spf_fold_t fold) { return spf_check_authentication_resinfo($self->check, fold); }
    const char *trace_text(void) { return spf_check_trace_text($self->check); }
    const char *json(void) { return spf_check_json($self->check); }
    /** What can be done; in view of the number of a result that a header told, or -1. */
    PyObject *advice(int then) { return advice_of($self->check, then); }
}

%include "tools.i"

/* -------------------------------------------------------------------------------------------------------- questions */

%rename(Question) bridge_question;
%immutable;
typedef struct bridge_question {
    uint64_t number;
    uint16_t type;
} bridge_question_t;
%mutable;
%extend bridge_question {
    ~bridge_question() { bridge_question_free($self); }
    const char *name(void) { return $self->name; }
    bool is_wanted(void);
    /** Adds a record: an error code. */
    spf_err_t add(const char *octets, size_t length);
    void clear(void);
    /** Gives the answer; False if it is not wanted any more. */
    bool finish(spf_dns_status_t status, uint32_t ttl, spf_dnssec_t dnssec, const char *detail);
    /** Gives a DNS message as the answer. */
    bool answer_packet(const char *octets, size_t length, spf_dnssec_t dnssec);
    void put_back(void);
}
