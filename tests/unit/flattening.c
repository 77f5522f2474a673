/* SPDX-License-Identifier: MIT */
#include "unit/flattening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void flattening_run(flattening_t *flattening, const walking_input_t *input, const spf_flatten_options_t *options)
{
    spf_buf_t error;

    assert_true(walking_run(&flattening->walking, input));
    spf_buf_init(&error, flattening->error, sizeof flattening->error);
    flattening->err = spf_flatten(&flattening->draft, flattening->walking.tree, options, &error);
    assert_int_equal(flattening->draft != NULL, flattening->err == SPF_OK);
    if (flattening->err == SPF_OK)
        assert_string_equal(flattening->error, "");
    else
        assert_string_not_equal(flattening->error, "");
}

void assert_flattened(const flattening_t *flattening)
{
    if (flattening->err != SPF_OK)
        fail_msg("%s", flattening->error);
}

void flattening_free(flattening_t *flattening)
{
    spf_draft_free(flattening->draft);
    walking_free(&flattening->walking);
}

const char *draft_text(const spf_draft_t *draft)
{
    static char text[TEXT_MAX];
    const spf_draft_record_t *record;
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %s", i > 0 ? "|" : "", record->name,
                                   record->text);
    return text;
}

bool has_note(const spf_draft_t *draft, const char *part)
{
    const char *note;

    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++)
        if (part == NULL || strstr(note, part) != NULL)
            return true;
    return false;
}
