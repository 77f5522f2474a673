/* SPDX-License-Identifier: MIT */
#include "convert.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------- the module */

#if PY_VERSION_HEX < 0x03090000
#define PyInterpreterState_Get() (PyThreadState_Get()->interp)
#endif

PyObject *libspf_swig_init(void);
__attribute__((visibility("default"))) PyMODINIT_FUNC PyInit__libspf(void); /* which Python 3.8 does not say */

/* Python does not call PyInit__libspf() again for a second interpreter, but gives it a copy of the module. */
PyObject *main_interpreter_only(void)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main())
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_ImportError,
                    "libspf cannot be imported in a subinterpreter, because its module made by SWIG has state that "
                    "belongs to the whole process: use it in the main interpreter, its threads, or other processes");
    return NULL;
}

PyMODINIT_FUNC PyInit__libspf(void)
{
    PyObject *allowed = main_interpreter_only();

    if (allowed == NULL)
        return NULL;
    Py_DECREF(allowed);
    return bridge_init() ? libspf_swig_init() : PyErr_NoMemory();
}

/* ----------------------------------------------------------------------------------------------------- from Python */

/* As UTF-8; lone surrogates of the kind that os.fsdecode() makes stand for octets. */
static PyObject *encoded(PyObject *value, const char *name)
{
    PyObject *octets;

    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return NULL;
    PyErr_Clear();
    octets = PyUnicode_AsEncodedString(value, "utf-8", "surrogateescape");
    if (octets == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s: %R has a surrogate that stands for no octet", name, value);
    }
    return octets;
}

bool octets_from(PyObject *value, const char *name, PyObject **held, const char **octets, size_t *length)
{
    Py_ssize_t size = 0;

    *held = NULL;
    *octets = NULL;
    *length = 0;
    if (value == Py_None)
        return true;
    if (PyUnicode_Check(value)) {
        *octets = PyUnicode_AsUTF8AndSize(value, &size);
        *length = (size_t)size;
        if (*octets != NULL)
            return true;
        value = *held = encoded(value, name);
        if (value == NULL)
            return false;
    }
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s: must be str or bytes, not %s: %R", name, Py_TYPE(value)->tp_name, value);
        return false;
    }
    *octets = PyBytes_AS_STRING(value);
    *length = (size_t)PyBytes_GET_SIZE(value);
    return true;
}

bool texts_from(PyObject *tuple, const char *const **texts, size_t *count)
{
    Py_ssize_t size = PyTuple_Check(tuple) ? PyTuple_GET_SIZE(tuple) : -1;
    const char **made = size >= 0 ? PyMem_New(const char *, (size_t)size + 1) : NULL;

    if (made == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        made[i] = PyBytes_AsString(PyTuple_GET_ITEM(tuple, i));
        if (made[i] == NULL) {
            PyMem_Free(made);
            return false;
        }
    }
    *texts = made;
    *count = (size_t)size;
    return true;
}

bool text_from(PyObject *value, const char *name, PyObject **held, const char **text)
{
    size_t length;

    if (!octets_from(value, name, held, text, &length))
        return false;
    if (*text == NULL || memchr(*text, '\0', length) == NULL)
        return true;
    PyErr_Format(PyExc_ValueError, "%s: %R has a NUL, which is not allowed", name, value);
    Py_CLEAR(*held);
    return false;
}

/* ------------------------------------------------------------------------------------------------------- to Python */

PyObject *object_of_octets(const char *octets, size_t length)
{
    if (octets == NULL)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(octets, (Py_ssize_t)length, "surrogateescape");
}

PyObject *object_of_text(const char *text)
{
    return object_of_octets(text, text != NULL ? strlen(text) : 0);
}

PyObject *object_of_number_if(size_t number, bool is_there)
{
    if (!is_there)
        Py_RETURN_NONE;
    return PyLong_FromSize_t(number);
}

static PyObject *words_of(const char *(*word)(int), int count)
{
    PyObject *words = PyTuple_New(count);

    for (int i = 0; i < count && words != NULL; i++) {
        PyObject *name = object_of_text(word(i));

        if (name == NULL)
            Py_CLEAR(words);
        else
            PyTuple_SET_ITEM(words, i, name);
    }
    return words;
}

static const char *result_word(int i)
{
    return spf_result_name((spf_result_t)i);
}

static const char *cause_word(int i)
{
    return spf_cause_name((spf_cause_t)i);
}

static const char *identity_word(int i)
{
    return spf_identity_name((spf_identity_t)i);
}

static const char *dnssec_word(int i)
{
    return spf_dnssec_name((spf_dnssec_t)i);
}

static const char *outcome_word(int i)
{
    return spf_outcome_name((spf_outcome_t)i);
}

static const char *status_word(int i)
{
    return spf_node_status_name((spf_node_status_t)i);
}

static const char *severity_word(int i)
{
    return spf_severity_name((spf_severity_t)i);
}

PyObject *words_of_all(void)
{
    return Py_BuildValue("(NNNNNNN)", words_of(result_word, SPF_RESULT_PERMERROR + 1),
                         words_of(cause_word, SPF_CAUSE_DEADLINE + 1), words_of(identity_word, SPF_IDENTITY_HELO + 1),
                         words_of(dnssec_word, SPF_DNSSEC_BOGUS + 1), words_of(outcome_word, SPF_OUTCOME_UNUSABLE + 1),
                         words_of(status_word, SPF_NODE_NOT_ASKED + 1),
                         words_of(severity_word, SPF_SEVERITY_ADVICE + 1));
}

static PyObject *no_verdict(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the check has not ended, or was cancelled");
    return NULL;
}

/* In the order of FACTS in results.py. */
PyObject *facts_of(spf_check_t *check)
{
    const spf_verdict_t *verdict = spf_check_verdict(check);

    if (verdict == NULL)
        return no_verdict();
    return Py_BuildValue(
        "(iiNNONNNNiNNNNNNNNIIINdiN)", (int)verdict->result, (int)verdict->cause, object_of_text(verdict->reason),
        object_of_text(verdict->explanation), verdict->is_own_explanation ? Py_True : Py_False,
        object_of_text(verdict->ip), object_of_text(verdict->sender), object_of_text(verdict->helo),
        object_of_text(verdict->receiver), (int)verdict->identity, object_of_text(verdict->checked_domain),
        object_of_text(verdict->domain), object_of_octets(verdict->record, verdict->record_length),
        object_of_octets(verdict->term, verdict->term_length),
        object_of_number_if(verdict->term_offset, verdict->term != NULL),
        object_of_number_if(verdict->term_length, verdict->term != NULL),
        object_of_number_if(verdict->error_offset, verdict->cause == SPF_CAUSE_SYNTAX), object_of_text(verdict->target),
        verdict->lookups, verdict->void_lookups, verdict->dns_queries,
        object_of_number_if((size_t)verdict->ttl_s, verdict->ttl_s >= 0), (double)verdict->elapsed_us / 1e6,
        (int)verdict->dnssec, object_of_number_if(verdict->would_be, verdict->has_would_be));
}

PyObject *appended(PyObject *list, PyObject *item)
{
    if (item == NULL || PyList_Append(list, item) != 0)
        Py_CLEAR(list);
    Py_XDECREF(item);
    return list;
}

static PyObject *step_of(const spf_step_t *step)
{
    bool is_term = step->term != NULL;

    return Py_BuildValue("(INNNNNNiIIN)", step->depth, object_of_text(step->domain), object_of_text(step->term),
                         object_of_number_if(step->term_offset, is_term),
                         object_of_number_if(step->term_length, is_term), object_of_text(step->target),
                         object_of_text(step->answer), (int)step->outcome, step->lookups, step->void_lookups,
                         object_of_text(step->note));
}

PyObject *steps_of(spf_check_t *check)
{
    PyObject *list = PyList_New(0);
    const spf_step_t *step;

    for (size_t i = 0; list != NULL && (step = spf_check_step(check, i)) != NULL; i++)
        list = appended(list, step_of(step));
    return list;
}

PyObject *lookups_of(spf_check_t *check)
{
    PyObject *list = PyList_New(0);
    const spf_lookup_t *lookup;

    for (size_t i = 0; list != NULL && (lookup = spf_check_lookup(check, i)) != NULL; i++)
        list = appended(list, Py_BuildValue("(NNNOI)", object_of_text(lookup->domain), object_of_text(lookup->term),
                                            object_of_text(lookup->target), lookup->is_void ? Py_True : Py_False,
                                            lookup->dns_queries));
    return list;
}

PyObject *reply_of(spf_check_t *check)
{
    const spf_smtp_reply_t *reply = spf_check_smtp_reply(check);

    if (reply == NULL)
        return no_verdict();
    return Py_BuildValue("(INN)", reply->code, object_of_text(reply->enhanced), object_of_text(reply->text));
}
