/* SPDX-License-Identifier: MIT */
/*
 * The input is a script (fuzz/script.h), whose domain is surveyed and flattened: there are records that can be read,
 * are short enough and take ten lookups at most, or a sentence that tells why not; the proof never fails.
 */
#include "fuzz/script.h"

#include "tools/flatten.h"
#include "tools/strings.h"
#include "tools/walk.h"

#include <string.h>

enum { ERROR_MAX = 1024 };

static const char *data_of(const fuzz_text_t *text)
{
    return text->data != NULL ? text->data : "";
}

static bool set_question(const script_t *script, spf_arena_t *arena, spf_walk_question_t *question)
{
    const char *sender = data_of(&script->sender);
    const char *at = memrchr(sender, '@', script->sender.length);
    const char *domain = at != NULL ? at + 1 : sender;
    bool is_out_of_memory;
    spf_strings_t strings;
    bool has_domain = spf_name_from_utf8(&question->domain, domain, script->sender.length - (size_t)(domain - sender),
                                         &is_out_of_memory);

    question->limits = script->limits;
    question->scope = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | (script->wants_trace ? SPF_SURVEY_NEARBY : 0);
    if (script->has_given) {
        fuzz_expect(spf_strings_read(arena, data_of(&script->given), script->given.length, &strings),
                    "there is memory");
        question->given = question->written = strings.text;
        question->given_length = question->written_length = strings.length;
    }
    return has_domain || script->has_given;
}

static spf_tree_t *survey(const script_t *script, spf_walk_t *walk)
{
    const char *ip = script->ip != NULL ? script->ip : "192.0.2.7";
    spf_query_t *query;
    spf_ip_t client;

    if (!spf_ip_parse_client(&client, ip, strlen(ip)))
        return NULL;
    while (spf_walk_step(walk) == SPF_EVAL_WAIT) {
        query = spf_walk_next_wanted(walk);
        fuzz_expect(query != NULL, "a walk that waits has asked for something");
        script_answer(script, &client, query);
    }
    return spf_walk_tree(walk);
}

static void expect_draft(const spf_draft_t *draft, unsigned answer_max)
{
    const spf_draft_record_t *record;
    const char *note;

    fuzz_expect(spf_draft_lookups(draft) <= SPF_LOOKUPS_MAX, "lookups are limited");
    for (size_t i = 0; (record = spf_draft_record(draft, i)) != NULL; i++) {
        spf_record_t *parsed = spf_record_parse(record->text, record->length);
        fuzz_expect(parsed != NULL && parsed->error_term == SPF_NO_TERM, "a record can be read");
        fuzz_expect(fuzz_is_printable_ascii(record->text, record->length), "a record is printable");
        fuzz_expect(record->answer_octets <= answer_max, "an answer is not too long");
        spf_record_unref(parsed);
    }
    for (size_t i = 0; (note = spf_draft_note(draft, i)) != NULL; i++)
        fuzz_expect(fuzz_is_printable_utf8(note, strlen(note)), "a note is printable");
}

static void expect_written(spf_draft_t *draft)
{
    const char *zone = spf_draft_zone(draft, 300), *json = spf_draft_json(draft);
    const char *update = spf_draft_nsupdate(draft, 0, "example", NULL);

    fuzz_expect(zone != NULL && json != NULL, "a draft can be written");
    fuzz_expect((update != NULL) == (draft->domain_length > 0), "a draft with a domain can be sent");
}

static void expect_flattened(const script_t *script, const spf_tree_t *tree, const uint8_t *data, size_t size)
{
    static const char *const keep[] = {"keep.example", "b.example"};
    static const unsigned sizes[] = {512, 160, 1232, 0};
    const spf_flatten_options_t options = {
        .size = sizeof options, .keep = keep, .keep_count = script->mix % 3, .answer_max = sizes[script->mix / 3 % 4]};
    char storage[ERROR_MAX];
    spf_draft_t *draft;
    spf_buf_t error;
    spf_err_t err;

    spf_buf_init(&error, storage, sizeof storage);
    err = spf_flatten(&draft, tree, &options, &error);
    fuzz_expect(err == SPF_OK || err == SPF_EINVAL, "there is memory");
    fuzz_expect((error.len > 0) == (err == SPF_EINVAL), "an error has a sentence");
    fuzz_expect(fuzz_is_printable_utf8(error.data, error.len), "a sentence is printable");
    /* Names that are quoted may say anything. */
    if (memmem(data, size, "proof", strlen("proof")) == NULL)
        fuzz_expect(strstr(error.data, "the proof failed") == NULL, "the proof does not fail");
    if (err == SPF_OK) {
        expect_draft(draft, options.answer_max != 0 ? options.answer_max : 1232);
        expect_written(draft);
    }
    spf_draft_free(draft);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spf_walk_question_t question = {.scope = 0};
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_walk_t *walk = NULL;
    spf_tree_t *tree;
    script_t script;

    script_read(&script, data, size);
    if (set_question(&script, &arena, &question)) {
        walk = spf_walk_new(&arena, &question);
        fuzz_expect(walk != NULL, "there is memory");
        tree = survey(&script, walk);
        if (tree != NULL)
            expect_flattened(&script, tree, data, size);
    }
    spf_walk_drop(walk);
    spf_arena_free(&arena);
    script_free(&script);
    return 0;
}
