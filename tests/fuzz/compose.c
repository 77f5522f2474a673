/* SPDX-License-Identifier: MIT */
/* Each line of the input is a sender, the first is the domain and the second the all: a record that can be read, and
 * composed again is the same, or a sentence. */
#include "fuzz/fuzz.h"

#include "spf_tools.h"
#include "syntax/record.h"

#include <stdlib.h>
#include <string.h>

enum { SENDERS_MAX = 32, ERROR_MAX = 300 };

static void expect_record(const spf_draft_record_t *record, const char *domain)
{
    const char *const senders[] = {record->text};
    const spf_compose_options_t options = {
        .size = sizeof options, .domain = domain, .senders = senders, .sender_count = 1};
    spf_record_t *parsed = spf_record_parse(record->text, record->length);
    spf_draft_t *again;

    fuzz_expect(parsed != NULL && parsed->error_term == SPF_NO_TERM, "a record can be read");
    fuzz_expect(fuzz_is_printable_ascii(record->text, record->length), "a record is printable");
    fuzz_expect(spf_compose(&again, &options, NULL, 0) == SPF_OK, "a record can be composed again");
    fuzz_expect(strcmp(spf_draft_record(again, 0)->text, record->text) == 0, "and is the same then");
    spf_draft_free(again);
    spf_record_unref(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_lines_t lines = fuzz_lines(data, size);
    char *domain = fuzz_lines_string(&lines), *all = fuzz_lines_string(&lines);
    char *senders[SENDERS_MAX];
    char error[ERROR_MAX];
    spf_compose_options_t options = {.size = sizeof options,
                                     .domain = domain[0] != '\0' ? domain : NULL,
                                     .senders = (const char *const *)senders,
                                     .all = all[0] != '\0' ? all : NULL};
    spf_draft_t *draft;

    while (lines.at < lines.end && options.sender_count < SENDERS_MAX)
        senders[options.sender_count++] = fuzz_lines_string(&lines);
    spf_err_t err = spf_compose(&draft, &options, error, sizeof error);
    fuzz_expect(err == SPF_OK || err == SPF_EINVAL, "there is memory");
    fuzz_expect((error[0] != '\0') == (err == SPF_EINVAL), "an error has a sentence");
    if (err == SPF_OK) {
        expect_record(spf_draft_record(draft, 0), options.domain);
        fuzz_expect(spf_draft_zone(draft, 1) != NULL && spf_draft_json(draft) != NULL, "a draft can be written");
    }
    spf_draft_free(draft);
    for (size_t i = 0; i < options.sender_count; i++)
        free(senders[i]);
    free(all);
    free(domain);
    return 0;
}
