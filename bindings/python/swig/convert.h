/* SPDX-License-Identifier: MIT */
/* C values as Python's and back. All need the interpreter's lock. */
#ifndef CONVERT_H
#define CONVERT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bridge.h"

/* None, or ImportError in a subinterpreter. */
PyObject *main_interpreter_only(void);

/* The octets of a str, bytes or None (NULL), which is the value of the argument `name`. They live as long as *held, which
 * is NULL or a new reference. False: an exception is set. */
bool octets_from(PyObject *value, const char *name, PyObject **held, const char **octets, size_t *length);
/* The same without a NUL in it. */
bool text_from(PyObject *value, const char *name, PyObject **held, const char **text);

/* New references; NULL: an exception is set. A NULL text is None. */
PyObject *object_of_text(const char *text);
PyObject *words_of_all(void);
PyObject *facts_of(spf_check_t *check);
PyObject *steps_of(spf_check_t *check);
PyObject *lookups_of(spf_check_t *check);
PyObject *reply_of(spf_check_t *check);

#endif
