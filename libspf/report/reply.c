/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include "report/text.h"

#include <string.h>

/* RFC 5321 section 4.5.3.1.5 allows a reply line 512 octets, code and enhanced code included. */
enum { LINE_MAX_OCTETS = 450, WORDS_MAX = 64, PART_MAX = 2048, DOMAIN_MAX = 253, TEXT_MAX = 3 * PART_MAX };

static const spf_fold_style_t reply_style = {.line_end = "\n", .width = LINE_MAX_OCTETS, .line_max = LINE_MAX_OCTETS};

/* RFC 7208 section 8, with the enhanced codes of RFC 7372 section 3.2 in place of its own. */
static const struct {
    unsigned code;
    const char *enhanced;
    const char *says;
} replies[] = {
    [SPF_RESULT_NONE] = {250, "2.7.0", "check found no policy: "},
    [SPF_RESULT_NEUTRAL] = {250, "2.7.0", "check was neutral: "},
    [SPF_RESULT_PASS] = {250, "2.7.0", "check passed: "},
    [SPF_RESULT_FAIL] = {550, "5.7.23", "check failed: "},
    [SPF_RESULT_SOFTFAIL] = {250, "2.7.0", "check softly failed: "},
    [SPF_RESULT_TEMPERROR] = {451, "4.7.24", "check met a temporary error: "},
    [SPF_RESULT_PERMERROR] = {550, "5.7.24", "check met a permanent error: "},
};

/* A line, or as many as it takes: own words, then a text that others chose. */
static void add_lines(spf_buf_t *out, const char *identity, const char *says, const char *text)
{
    char storage[PART_MAX + WORDS_MAX];
    spf_buf_t line;
    spf_folder_t folder;

    spf_buf_init(&line, storage, sizeof(storage));
    spf_buf_add_text(&line, identity);
    spf_buf_add_text(&line, says);
    spf_text_add_clipped(&line, text, strlen(text), PART_MAX, false);
    spf_folder_init(&folder, out, &reply_style);
    spf_folder_add_value(&folder, line.data, line.len, "");
    spf_folder_break(&folder);
}

/* Section 8.4: what the sender's domain says is marked as such. */
static void add_explanation(spf_buf_t *out, const spf_verdict_t *verdict)
{
    spf_buf_add_char(out, '\n');
    if (!verdict->is_own_explanation) {
        spf_buf_add_text(out, "The domain ");
        spf_text_add_clipped(out, verdict->domain, strlen(verdict->domain), DOMAIN_MAX, false);
        spf_buf_add_text(out, " explains:\n");
    }
    add_lines(out, "", "", verdict->explanation);
}

const spf_smtp_reply_t *spf_report_smtp_reply(spf_arena_t *arena, const spf_verdict_t *verdict)
{
    char storage[TEXT_MAX];
    spf_buf_t out;
    const char *identity = verdict->identity == SPF_IDENTITY_HELO ? "SPF HELO " : "SPF MAIL FROM ";
    spf_smtp_reply_t *reply = spf_arena_calloc(arena, sizeof(*reply));

    if (reply == NULL)
        return NULL;
    spf_buf_init(&out, storage, sizeof(storage));
    add_lines(&out, identity, replies[verdict->result].says, verdict->reason);
    if (verdict->result == SPF_RESULT_FAIL && verdict->explanation != NULL)
        add_explanation(&out, verdict);
    reply->code = replies[verdict->result].code;
    reply->enhanced = replies[verdict->result].enhanced;
    reply->text = spf_arena_copy(arena, out.data, out.len);
    return reply->text != NULL ? reply : NULL;
}
