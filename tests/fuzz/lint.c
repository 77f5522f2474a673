/* SPDX-License-Identifier: MIT */
/* The input is what somebody gives to lint: a record, something like one, or what stands behind the version. */
#include "fuzz/fuzz.h"

#include "tools/lint.h"
#include "tools/strings.h"
#include "tools/walk.h"

#include <string.h>

enum { SCOPE_NOTHING = 0 };

typedef struct linted {
    spf_arena_t arena;
    spf_walk_t *walk;
    const spf_lint_t *lint;
} linted_t;

/* Asks nothing: what is said comes from the text alone. */
static linted_t lint_text(const char *text, size_t length)
{
    linted_t linted = {.arena = SPF_ARENA_EMPTY};
    spf_strings_t strings;

    fuzz_expect(spf_strings_read(&linted.arena, text, length, &strings), "memory");
    const spf_walk_question_t question = {
        .given = strings.text,
        .given_length = strings.length,
        .written = text,
        .written_length = length,
        .scope = SCOPE_NOTHING,
        .limits = {.lookups = SPF_LOOKUPS_MAX, .void_lookups = 2, .mx_hosts = SPF_HOSTS_MAX, .ptr_names = 10},
    };
    linted.walk = spf_walk_new(&linted.arena, &question);
    fuzz_expect(linted.walk != NULL && spf_walk_step(linted.walk) == SPF_EVAL_DONE, "nothing is asked");
    const spf_tree_t *tree = spf_walk_tree(linted.walk);
    fuzz_expect(tree != NULL, "memory");
    linted.lint = spf_lint_tree(&linted.arena, tree);
    fuzz_expect(linted.lint != NULL, "memory");
    return linted;
}

static void linted_free(linted_t *linted)
{
    spf_walk_drop(linted->walk);
    spf_arena_free(&linted->arena);
}

static bool is_sentence(const char *text)
{
    return text[0] != '\0' && fuzz_is_printable_utf8(text, strlen(text)) && text[strlen(text) - 1] == '.';
}

static void expect_remark(const spf_remark_t *remark)
{
    fuzz_expect(remark->offset <= remark->record_length && remark->length <= remark->record_length - remark->offset,
                "a remark is about octets of the record");
    fuzz_expect(is_sentence(remark->sentence), "it is a sentence");
    fuzz_expect(remark->fix == NULL || is_sentence(remark->fix), "what to do is one too");
    if (remark->replacement == NULL)
        return;
    fuzz_expect(remark->replace_offset <= remark->record_length &&
                    remark->replace_length <= remark->record_length - remark->replace_offset,
                "what is replaced are octets of the record");
    fuzz_expect(fuzz_is_printable_ascii(remark->replacement, strlen(remark->replacement)), "by printable ASCII");
}

static void expect_fixed(const spf_lint_t *lint)
{
    linted_t again;
    spf_record_t *record;

    if (lint->fixed == NULL)
        return;
    fuzz_expect(spf_record_is_record(lint->fixed, lint->fixed_length), "a fixed record is a record");
    record = spf_record_parse(lint->fixed, lint->fixed_length);
    fuzz_expect(record != NULL && record->error_term == SPF_NO_TERM, "without a syntax error");
    spf_record_unref(record);
    again = lint_text(lint->fixed, lint->fixed_length);
    fuzz_expect(again.lint->fixed == NULL, "and with nothing left to fix");
    for (size_t i = 0; i < again.lint->count; i++)
        fuzz_expect(again.lint->remarks[i].replacement == NULL, "in no remark");
    linted_free(&again);
}

/* The record's first syntax error is an error where it stands. */
static void expect_error(const spf_lint_t *lint, const char *text, size_t length)
{
    spf_record_t *record;
    bool found = false;

    if (!spf_record_is_record(text, length))
        return;
    record = spf_record_parse(text, length);
    fuzz_expect(record != NULL, "memory");
    for (size_t i = 0; i < lint->count; i++)
        found = found ||
                (lint->remarks[i].severity == SPF_SEVERITY_ERROR && lint->remarks[i].offset == record->error_offset);
    fuzz_expect(record->error_term == SPF_NO_TERM || found, "a syntax error is found where it stands");
    spf_record_unref(record);
}

static void lint_input(const char *text, size_t length)
{
    linted_t linted = lint_text(text, length);

    for (size_t i = 0; i < linted.lint->count; i++)
        expect_remark(&linted.lint->remarks[i]);
    expect_error(linted.lint, text, length);
    expect_fixed(linted.lint);
    linted_free(&linted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char version[] = "v=spf1 ";
    fuzz_text_t text = fuzz_text_copy(data, size);
    fuzz_text_t record = fuzz_text_join(version, sizeof(version) - 1, data, size);

    lint_input(text.data, text.length);
    lint_input(record.data, record.length);
    fuzz_text_free(&text);
    fuzz_text_free(&record);
    return 0;
}
