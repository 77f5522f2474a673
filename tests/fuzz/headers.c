/* SPDX-License-Identifier: MIT */
/*
 * The input is lines: digits that choose result, cause, identity and the rest of the numbers; the client's address;
 * then, each hostile, sender, HELO, receiver, domain, reason, explanation, term and record of a verdict.
 */
#include "fuzz/fuzz.h"

#include "report/report.h"
#include "unit/grammar.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_OCTETS = 998, REPLY_LINE_MAX = 450, PAIRS_MAX = 7 };

enum { IP, SENDER, HELO, RECEIVER, DOMAIN, REASON, EXPLANATION, TERM, STRINGS };

typedef struct input {
    char *strings[STRINGS];
    fuzz_text_t record;
    spf_verdict_t verdict;
} input_t;

static const char *const line_ends[] = {[SPF_FOLD_NONE] = "", [SPF_FOLD_LF] = "\n", [SPF_FOLD_CRLF] = "\r\n"};

/* ------------------------------------------------------------------------------------------------------ the input */

static unsigned choice(const char *digits, size_t length, size_t index, unsigned count)
{
    return index < length ? (unsigned char)digits[index] % 16u % count : 0;
}

/* The address is the one text in a verdict that nobody else chooses. */
static const char *address(const char *text)
{
    spf_ip_t ip;
    return spf_ip_parse_client(&ip, text, strlen(text)) ? text : "192.0.2.7";
}

static void input_read(input_t *input, const uint8_t *data, size_t size)
{
    fuzz_lines_t lines = fuzz_lines(data, size);
    const char *digits = "";
    size_t length = 0;

    fuzz_lines_next(&lines, &digits, &length);
    for (size_t i = 0; i < STRINGS; i++)
        input->strings[i] = fuzz_lines_string(&lines);
    input->record = fuzz_lines_text(&lines);
    input->verdict = (spf_verdict_t){
        .result = (spf_result_t)choice(digits, length, 0, 7),
        .cause = (spf_cause_t)choice(digits, length, 1, 16),
        .identity = (spf_identity_t)choice(digits, length, 2, 2),
        .ip = address(input->strings[IP]),
        .sender = input->strings[SENDER],
        .helo = input->strings[HELO],
        .receiver = input->strings[RECEIVER],
        .checked_domain = input->strings[DOMAIN],
        .domain = input->strings[DOMAIN],
        .reason = input->strings[REASON],
        .explanation = input->strings[EXPLANATION][0] != '\0' ? input->strings[EXPLANATION] : NULL,
        .term = choice(digits, length, 3, 2) > 0 ? NULL : input->strings[TERM],
        .term_length = strlen(input->strings[TERM]),
        .record = input->record.length > 0 ? input->record.data : NULL,
        .record_length = input->record.length,
        .ttl_s = (int64_t)choice(digits, length, 4, 16) - 1,
        .has_would_be = choice(digits, length, 5, 2) > 0,
        .would_be = (spf_result_t)choice(digits, length, 5, 7),
        .dnssec = (spf_dnssec_t)choice(digits, length, 6, 3),
    };
}

static void input_free(input_t *input)
{
    for (size_t i = 0; i < STRINGS; i++)
        free(input->strings[i]);
    fuzz_text_free(&input->record);
}

/* ---------------------------------------------------------------------------------------------------- the two fields
 */

/* RFC 5322 sections 2.1.1 and 2.2.3: lines of at most 998 octets, none of them blank, each but the first begun by a
 * tab. Where they are folded is for the unit tests: a hostile value can have more blanks in a row than a line has room.
 */
static void expect_field_lines(const char *field, const char *line_end)
{
    size_t end_length = strlen(line_end);

    for (;;) {
        size_t length = strcspn(field, "\r\n");
        fuzz_expect(length <= LINE_MAX_OCTETS, "a line of a field has at most 998 octets");
        fuzz_expect(strspn(field, " \t") < length, "no line of a field is blank");
        if (field[length] == '\0')
            return;
        field += length;
        fuzz_expect(end_length > 0 && strncmp(field, line_end, end_length) == 0 && field[end_length] == '\t',
                    "a line of a field ends in a fold");
        field += end_length;
    }
}

static bool is_text(const grammar_text_t *text, const char *expected)
{
    return strcmp(text->data, expected) == 0;
}

/* The pairs are ours and nobody else's, in order. */
static void expect_pairs(const grammar_received_spf_t *read, const spf_verdict_t *verdict)
{
    bool is_mailfrom = verdict->identity == SPF_IDENTITY_MAILFROM;
    bool is_error = verdict->result == SPF_RESULT_TEMPERROR || verdict->result == SPF_RESULT_PERMERROR;
    const char *const keys[PAIRS_MAX] = {
        "client-ip", is_mailfrom ? "envelope-from" : NULL, "helo", "receiver", "identity",
        "mechanism", is_error ? "problem" : NULL,
    };
    size_t count = 0;

    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (keys[i] == NULL)
            continue;
        fuzz_expect(count < read->pair_count && is_text(&read->pairs[count].key, keys[i]), "Received-SPF has our keys");
        if (strcmp(keys[i], "identity") == 0)
            fuzz_expect(is_text(&read->pairs[count].value, spf_identity_name(verdict->identity)), "identity is ours");
        count++;
    }
    fuzz_expect(count == read->pair_count, "Received-SPF has no keys but ours");
}

static void expect_received_spf(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold)
{
    static grammar_received_spf_t read;
    const char *field = spf_report_received_spf(arena, verdict, fold);

    fuzz_expect(field != NULL, "Received-SPF is made");
    expect_field_lines(field, line_ends[fold]);
    fuzz_expect(grammar_read_received_spf(&read, field, line_ends[fold]) == NULL, "Received-SPF keeps to its grammar");
    fuzz_expect(is_text(&read.result, spf_result_name(verdict->result)), "Received-SPF has the result");
    expect_pairs(&read, verdict);
}

static void expect_results(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold, bool authserv_id)
{
    static grammar_results_t read;
    const char *field = spf_report_authentication_results(arena, verdict, fold, authserv_id);

    fuzz_expect(field != NULL, "Authentication-Results is made");
    expect_field_lines(field, line_ends[fold]);
    fuzz_expect(grammar_read_results(&read, field, line_ends[fold], authserv_id) == NULL,
                "Authentication-Results keeps to its grammar");
    fuzz_expect(is_text(&read.method, "spf") && is_text(&read.result, spf_result_name(verdict->result)),
                "Authentication-Results has the result");
    if (read.has_property)
        fuzz_expect(is_text(&read.ptype, "smtp") &&
                        is_text(&read.property, verdict->identity == SPF_IDENTITY_HELO ? "helo" : "mailfrom"),
                    "Authentication-Results has the identity");
}

/* ------------------------------------------------------------------------------------------------- reply, trace, JSON
 */

/* Printable lines, none empty. */
static void expect_lines(const char *text, size_t line_max)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        fuzz_expect(length > 0 && length <= line_max, "a line is neither empty nor too long");
        fuzz_expect(fuzz_is_printable_utf8(text, length), "a line is printable");
        text += length;
        if (*text == '\n')
            fuzz_expect(*++text != '\0', "no line end stands at the end");
    }
}

static void expect_reply(spf_arena_t *arena, const spf_verdict_t *verdict)
{
    const spf_smtp_reply_t *reply = spf_report_smtp_reply(arena, verdict);

    fuzz_expect(reply != NULL && reply->text[0] != '\0', "a reply has a text");
    fuzz_expect(reply->code == 250 || reply->code == 451 || reply->code == 550, "a reply has its code");
    fuzz_expect(reply->enhanced[0] - '0' == (int)(reply->code / 100), "a reply's codes agree");
    expect_lines(reply->text, REPLY_LINE_MAX);
    for (const char *at = reply->text; *at != '\0'; at++)
        fuzz_expect(*at == '\n' || fuzz_is_printable_ascii(at, 1), "a reply is ASCII");
}

static void expect_string(const json_t *object, const char *key, const char *value)
{
    const json_t *string = json_object_get(object, key);

    if (value == NULL)
        fuzz_expect(json_is_null(string), "what is absent is null in JSON");
    else if (fuzz_is_printable_utf8(value, strlen(value)))
        fuzz_expect(json_is_string(string) && strcmp(json_string_value(string), value) == 0, "JSON has the value");
    else
        fuzz_expect(json_is_string(string), "JSON has a value");
}

static void expect_json(spf_arena_t *arena, const spf_verdict_t *verdict, const spf_eval_t *eval)
{
    const char *text = spf_report_json(arena, verdict, eval);
    json_error_t error;
    json_t *object;

    fuzz_expect(text != NULL, "JSON is made");
    /* DEL need not be escaped (RFC 8259 section 7), and a record may hold it. */
    for (const char *at = text; *at != '\0'; at += strspn(at, "\x7f")) {
        size_t length = strcspn(at, "\x7f");
        fuzz_expect(fuzz_is_printable_utf8(at, length), "JSON is one line of UTF-8");
        at += length;
    }
    object = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    fuzz_expect(json_is_object(object), "JSON can be read");
    expect_string(object, "result", spf_result_name(verdict->result));
    expect_string(object, "sender", verdict->sender);
    expect_string(object, "helo", verdict->helo);
    expect_string(object, "reason", verdict->reason);
    expect_string(object, "explanation", verdict->explanation);
    json_decref(object);
}

/* ------------------------------------------------------------------------------------------------------- the trace */

/* A machine that evaluated the hostile record, if it is one, for hostile names, and got no answers. */
static spf_eval_t *evaluate(spf_arena_t *arena, const input_t *input, spf_policy_t *policy)
{
    const spf_verdict_t *verdict = &input->verdict;
    spf_question_t question = {
        .ip = {.family = 4, .octets = {192, 0, 2, 7}},
        .sender = verdict->sender,
        .sender_length = strlen(verdict->sender),
        .local_length = strcspn(verdict->sender, "@"),
        .helo = verdict->helo,
        .helo_length = strlen(verdict->helo),
        .receiver = verdict->receiver,
        .receiver_length = strlen(verdict->receiver),
        .given = policy,
        .limits = {.lookups = 10, .void_lookups = 2, .mx_hosts = 10, .ptr_names = 10},
        .wants_trace = true,
    };
    spf_eval_t *eval;

    spf_name_from_text(&question.domain, verdict->domain, strlen(verdict->domain));
    eval = spf_eval_new(arena, &question);
    fuzz_expect(eval != NULL, "there is memory");
    while (spf_eval_step(eval) == SPF_EVAL_WAIT)
        spf_eval_expire(eval);
    return eval;
}

static void expect_trace(spf_arena_t *arena, const input_t *input)
{
    spf_policy_t *policy =
        spf_policy_from_text(input->record.length > 0 ? input->record.data : "", input->record.length);
    spf_eval_t *eval = evaluate(arena, input, policy);
    const char *trace = spf_report_trace_text(arena, eval);
    size_t steps = 0;
    size_t lines = trace[0] != '\0';

    expect_lines(trace, strlen(trace));
    while (spf_eval_trace_step(eval, steps) != NULL)
        steps++;
    for (const char *at = trace; *at != '\0'; at++)
        lines += *at == '\n';
    fuzz_expect(lines == steps, "the trace has a line for each step");
    expect_json(arena, &input->verdict, eval);
    spf_eval_drop(eval);
    spf_policy_unref(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spf_arena_t arena = SPF_ARENA_EMPTY;
    input_t input;

    input_read(&input, data, size);
    for (spf_fold_t fold = SPF_FOLD_NONE; fold <= SPF_FOLD_CRLF; fold++) {
        expect_received_spf(&arena, &input.verdict, fold);
        expect_results(&arena, &input.verdict, fold, true);
        expect_results(&arena, &input.verdict, fold, false);
    }
    expect_reply(&arena, &input.verdict);
    expect_trace(&arena, &input);
    input_free(&input);
    spf_arena_free(&arena);
    return 0;
}
