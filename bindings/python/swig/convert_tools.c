/* SPDX-License-Identifier: MIT */
/* What the record tools find, as Python's values. */
#include "convert.h"

static PyObject *flag(bool value)
{
    return PyBool_FromLong(value);
}

static PyObject *ttl_of(int64_t ttl_s)
{
    return object_of_number_if((size_t)ttl_s, ttl_s >= 0);
}

/* --------------------------------------------------------------------------------------------------------- surveys */

PyObject *summary_of(const spf_survey_t *survey)
{
    const spf_survey_summary_t *summary = spf_survey_summary(survey);

    if (summary == NULL)
        return PyErr_NoMemory();
    return Py_BuildValue("(IIIIInnNNNNNNd)", summary->lookups, summary->void_lookups, summary->void_lookups6,
                         summary->max_lookups, summary->max_void_lookups, (Py_ssize_t)summary->records,
                         (Py_ssize_t)summary->networks, flag(summary->is_anybody), flag(summary->is_complete),
                         flag(summary->has_failure), flag(summary->is_permerror), flag(summary->is_permerror6),
                         ttl_of(summary->ttl_s), (double)summary->elapsed_us / 1e6);
}

static PyObject *index_of(const spf_survey_t *survey, const spf_node_t *node)
{
    const spf_node_t *one;

    for (size_t i = 0; node != NULL && (one = spf_survey_node(survey, i)) != NULL; i++)
        if (one == node)
            return PyLong_FromSize_t(i);
    Py_RETURN_NONE;
}

static PyObject *networks_of(const spf_node_term_t *term)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list != NULL && i < term->network_count; i++) {
        const spf_network_t *network = &term->networks[i];
        Py_ssize_t length = network->family == 4 ? 4 : 16;

        list = appended(list, Py_BuildValue("(y#i)", (const char *)network->octets, length, (int)network->prefix));
    }
    return list;
}

/* In the order of the fields of Term in _tools.py, as node_of() in that of Node. */
static PyObject *term_of(const spf_survey_t *survey, const spf_node_term_t *term)
{
    return Py_BuildValue(
        "(NnnNNNNNNNNNNiNNNNN)", object_of_text(term->text), (Py_ssize_t)term->offset, (Py_ssize_t)term->length,
        object_of_text(term->kind), object_of_number_if((size_t)term->result, term->is_mechanism),
        object_of_text(term->target), flag(term->depends_on_mail), flag(term->is_reached),
        object_of_number_if(term->lookup_number, term->lookup_number > 0),
        object_of_number_if(term->void_number, term->void_number > 0),
        object_of_number_if(term->void_number6, term->void_number6 > 0), flag(term->is_past_limit),
        flag(term->is_past_limit6), (int)term->status, object_of_text(term->answer), ttl_of(term->ttl_s),
        networks_of(term), PyLong_FromUnsignedLong(term->host_count), index_of(survey, term->child));
}

static PyObject *terms_of(const spf_survey_t *survey, const spf_node_t *node)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list != NULL && i < node->term_count; i++)
        list = appended(list, term_of(survey, &node->terms[i]));
    return list;
}

static PyObject *node_of(const spf_survey_t *survey, const spf_node_t *node)
{
    return Py_BuildValue(
        "(NiNNINiNNIIIIIININ)", object_of_text(node->domain), (int)node->status, object_of_text(node->detail),
        object_of_octets(node->record, node->record_length), node->record_count, ttl_of(node->ttl_s), (int)node->dnssec,
        object_of_text(node->has_syntax_error ? node->error : NULL),
        object_of_number_if(node->error_offset, node->has_syntax_error), node->lookups, node->void_lookups,
        node->void_lookups6, node->running_lookups, node->running_void_lookups, node->running_void_lookups6,
        object_of_number_if(node->answer_octets, node->answer_octets > 0), node->depth, terms_of(survey, node));
}

PyObject *nodes_of(const spf_survey_t *survey)
{
    PyObject *list = PyList_New(0);
    const spf_node_t *node;

    for (size_t i = 0; list != NULL && (node = spf_survey_node(survey, i)) != NULL; i++)
        list = appended(list, node_of(survey, node));
    return list;
}

/* --------------------------------------------------------------------------------------------------------- remarks */

PyObject *remarks_of(spf_survey_t *survey)
{
    PyObject *list = PyList_New(0);
    const spf_remark_t *remark;

    for (size_t i = 0; list != NULL && (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        bool is_certain = remark->replacement != NULL;

        list = appended(list, Py_BuildValue("(iNNNNnnNNNNNN)", (int)remark->severity, object_of_text(remark->code),
                                            object_of_text(remark->domain), index_of(survey, remark->node),
                                            object_of_octets(remark->record, remark->record_length),
                                            (Py_ssize_t)remark->offset, (Py_ssize_t)remark->length,
                                            object_of_text(remark->section), object_of_text(remark->sentence),
                                            object_of_text(remark->fix), object_of_text(remark->replacement),
                                            object_of_number_if(remark->replace_offset, is_certain),
                                            object_of_number_if(remark->replace_length, is_certain)));
    }
    return list;
}

PyObject *fixed_record_of(spf_survey_t *survey)
{
    size_t length;
    const char *record = spf_survey_fixed_record(survey, &length);

    return object_of_octets(record, length);
}

/* ---------------------------------------------------------------------------------------------------------- drafts */

PyObject *records_of(const spf_draft_t *draft)
{
    PyObject *list = PyList_New(0);
    const spf_draft_record_t *record;

    for (size_t i = 0; list != NULL && (record = spf_draft_record(draft, i)) != NULL; i++)
        list = appended(list, Py_BuildValue("(NNI)", object_of_text(record->name),
                                            object_of_octets(record->text, record->length), record->answer_octets));
    return list;
}

PyObject *notes_of(const spf_draft_t *draft)
{
    PyObject *list = PyList_New(0);
    const char *note;

    for (size_t i = 0; list != NULL && (note = spf_draft_note(draft, i)) != NULL; i++)
        list = appended(list, object_of_text(note));
    return list;
}

/* -------------------------------------------------------------------------------------------------------- evidence */

static PyObject *item_of(const spf_evidence_item_t *item)
{
    if (item == NULL)
        Py_RETURN_NONE;
    return Py_BuildValue("(NNNNNNNiNnn)", object_of_text(item->field), object_of_text(item->result),
                         object_of_number_if((size_t)item->value, item->has_result), object_of_text(item->ip),
                         object_of_text(item->sender), object_of_text(item->helo), object_of_text(item->receiver),
                         (int)item->identity, object_of_text(item->comment), (Py_ssize_t)item->offset,
                         (Py_ssize_t)item->length);
}

PyObject *evidence_of(const char *octets, size_t length)
{
    PyObject *list = PyList_New(0);
    const spf_evidence_item_t *item;
    spf_evidence_t *evidence;
    spf_err_t err;

    Py_BEGIN_ALLOW_THREADS;
    err = spf_evidence_new(&evidence, octets != NULL ? octets : "", length);
    Py_END_ALLOW_THREADS;
    if (err != SPF_OK || list == NULL) {
        Py_XDECREF(list);
        return PyErr_NoMemory();
    }
    for (size_t i = 0; list != NULL && (item = spf_evidence_item(evidence, i)) != NULL; i++)
        list = appended(list, item_of(item));
    if (list != NULL)
        list = Py_BuildValue("(NN)", list, item_of(spf_evidence_check(evidence)));
    spf_evidence_free(evidence);
    return list;
}

PyObject *advice_of(spf_check_t *check, int then)
{
    const spf_evidence_item_t item = {.has_result = true, .value = (spf_result_t)then};

    return object_of_text(spf_check_advice(check, then >= 0 ? &item : NULL));
}
