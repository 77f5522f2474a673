/* SPDX-License-Identifier: MIT */
/* C values as Python's and back. All need the interpreter's lock. */
#ifndef CONVERT_H
#define CONVERT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bridge.h"

/* None, or ImportError in a subinterpreter. */
PyObject *main_interpreter_only(void);

/* The octets of a str, bytes or None (NULL), which is the value of the argument `name`. They live as long as *held,
 * which is NULL or a new reference. False: an exception is set. */
bool octets_from(PyObject *value, const char *name, PyObject **held, const char **octets, size_t *length);
/* The same without a NUL in it. */
bool text_from(PyObject *value, const char *name, PyObject **held, const char **text);

/* The texts in a tuple of bytes, which must live as long; the array is to be given to PyMem_Free(). */
bool texts_from(PyObject *tuple, const char *const **texts, size_t *count);

/* New references; NULL: an exception is set. A NULL text is None. */
PyObject *object_of_text(const char *text);
PyObject *object_of_octets(const char *octets, size_t length);
PyObject *object_of_number_if(size_t number, bool is_there);
/* The list with the item, both of which it takes; NULL if one of them is. */
PyObject *appended(PyObject *list, PyObject *item);
PyObject *words_of_all(void);
PyObject *facts_of(spf_check_t *check);
PyObject *steps_of(spf_check_t *check);
PyObject *lookups_of(spf_check_t *check);
PyObject *reply_of(spf_check_t *check);
PyObject *advice_of(spf_check_t *check, int then);

/* Of a survey that has ended well; remarks of one that was linted. */
PyObject *summary_of(const spf_survey_t *survey);
PyObject *nodes_of(const spf_survey_t *survey);
PyObject *remarks_of(spf_survey_t *survey);
PyObject *fixed_record_of(spf_survey_t *survey);
PyObject *records_of(const spf_draft_t *draft);
PyObject *notes_of(const spf_draft_t *draft);
/* What a text says, and what all of it says of one check. */
PyObject *evidence_of(const char *octets, size_t length);

#endif
