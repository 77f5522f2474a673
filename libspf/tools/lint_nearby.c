/* SPDX-License-Identifier: MIT */
/* What was meant to be a record and is none, and what people publish around one. */
#include "base/ascii.h"
#include "base/name.h"
#include "tools/lint_guess.h"
#include "tools/strings.h"

#include <string.h>

static const char version[] = "v=spf1";

enum { VERSION_LENGTH = sizeof(version) - 1, STRING_MAX = 255 };

/* ------------------------------------------------------------------------------------------------------ the version */

/* A text that is no record but was meant to be one. */
typedef struct misspelt {
    size_t wrong, wrong_length; /* the octets that make it none */
    size_t cut;                 /* "v=spf1" and, before more, a space, in place of what stands before */
    bool is_certain;
} misspelt_t;

/* Octets at the start of text that are blank, quotes or invisible. */
static size_t skip_junk(const char *text, size_t length, bool and_separators)
{
    static const spf_lint_code_t junk[] = {SPF_LINT_WHITE_SPACE, SPF_LINT_INVISIBLE, SPF_LINT_QUOTE,
                                           SPF_LINT_SMART_QUOTE};
    const char *stands_for;
    size_t at = 0;
    size_t step;

    do {
        step = at < length &&
               (text[at] == ' ' || (and_separators && text[at] != '\0' && strchr(";,.:|/=", text[at]) != NULL));
        for (size_t i = 0; step == 0 && at < length && i < sizeof(junk) / sizeof(junk[0]); i++)
            step = spf_lint_foreign(text + at, length - at, junk[i], &stands_for);
        at += step;
    } while (step > 0);
    return at;
}

static bool begins(const char *text, size_t length, const char *with)
{
    size_t octets = strlen(with);
    return octets <= length && strncasecmp(text, with, octets) == 0;
}

/* Whether text begins with a term that is right. */
static bool begins_with_term(spf_linter_t *linter, const char *text, size_t length)
{
    const char *space = memchr(text, ' ', length);

    return spf_lint_is_term(linter, text, space == NULL ? length : (size_t)(space - text));
}

/* v=spf1; a -all, v=spf1include:example.com, v=spf1<tab>a: from behind the version on. */
static bool read_glued(spf_linter_t *linter, const char *text, size_t length, size_t at, misspelt_t *misspelt)
{
    size_t behind = at + VERSION_LENGTH;
    size_t junk = skip_junk(text + behind, length - behind, true);

    *misspelt = (misspelt_t){.wrong = behind, .wrong_length = junk, .cut = behind + junk};
    misspelt->is_certain = misspelt->cut == length ||
                           begins_with_term(linter, text + misspelt->cut, length - misspelt->cut) ||
                           (junk > 0 && !spf_ascii_is_digit(text[misspelt->cut]));
    return true;
}

/* What is written in place of "v=spf1", longest first. */
static const char *const misspellings[] = {
    "v = spf1", "v= spf1", "v =spf1", "v=spf 1", "v=spf=1", "v=spf-1", "v=spf.1",
    "v==spf1",  "v: spf1", "v:spf1",  "v-spf1",  "v_spf1",  "v.spf1",  "v spf1",
    "vspf1",    "spf=1",   "spf1",    "v=spf",   "v:spf",   "spf:",    "spf",
};

/* Another word than "v=spf1" before a blank, the end or punctuation. */
static bool read_misspelling(const char *text, size_t length, size_t at, misspelt_t *misspelt)
{
    for (size_t i = 0; i < sizeof(misspellings) / sizeof(misspellings[0]); i++) {
        size_t end = at + strlen(misspellings[i]);
        if (!begins(text + at, length - at, misspellings[i]))
            continue;
        size_t junk = skip_junk(text + end, length - end, true);
        if (end < length && junk == 0)
            continue;
        *misspelt = (misspelt_t){.wrong = at, .wrong_length = end - at, .cut = end + junk, .is_certain = true};
        return true;
    }
    return false;
}

/* v=sfp1, v=spf2: of another number nobody knows what it is. */
static bool read_slip(const char *text, size_t length, size_t at, misspelt_t *misspelt)
{
    const char *space = memchr(text + at, ' ', length - at);
    size_t end = space == NULL ? length : (size_t)(space - text);
    bool is_number = begins(text + at, end - at, "v=spf");

    if (end - at < 2 || !spf_lint_is_near(text + at, end - at, version))
        return false;
    *misspelt = (misspelt_t){.wrong = at, .wrong_length = end - at, .is_certain = !is_number};
    misspelt->cut = end + skip_junk(text + end, length - end, false);
    return true;
}

static bool has_unknown_modifier(const spf_record_t *record)
{
    for (uint32_t i = 0; i < record->term_count; i++)
        if (record->terms[i].kind == SPF_TERM_UNKNOWN)
            return true;
    return false;
}

/* a mx -all: all of a record but its version; TXTv=spf1 mx -all: that may be something else. */
static bool lacks_version(spf_linter_t *linter, const char *text, size_t length, size_t at, misspelt_t *misspelt)
{
    spf_record_t *record = spf_lint_parse(linter, text + at, length - at);
    bool lacks = record != NULL && record->error_term == SPF_NO_TERM && record->term_count > 0 &&
                 record->terms[record->term_count - 1].kind == SPF_TERM_ALL;

    *misspelt = (misspelt_t){.cut = at, .is_certain = lacks && !has_unknown_modifier(record)};
    spf_record_unref(record);
    return lacks;
}

/* Terms as in a record stand somewhere in the text: without them "spf" may be the beginning of anything. */
static bool has_terms(const char *text, size_t length)
{
    static const char *const marks[] = {"include:", "ip4:", "ip6:", "redirect=", "-all", "~all", "?all", "+all", "mx "};

    for (size_t at = 0; at < length; at++)
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
            if (begins(text + at, length - at, marks[i]))
                return true;
    return false;
}

static bool read_misspelt(spf_linter_t *linter, const char *text, size_t length, misspelt_t *misspelt)
{
    size_t at = skip_junk(text, length, false);

    if (spf_record_is_record(text + at, length - at)) {
        *misspelt = (misspelt_t){.wrong_length = at, .cut = at + VERSION_LENGTH, .is_certain = true};
        misspelt->cut += misspelt->cut < length;
        return at > 0;
    }
    if (begins(text + at, length - at, version))
        return read_glued(linter, text, length, at, misspelt);
    if (has_terms(text, length) && read_misspelling(text, length, at, misspelt))
        return true;
    return read_slip(text, length, at, misspelt) || lacks_version(linter, text, length, at, misspelt);
}

static const char *replacement_of(const misspelt_t *misspelt, size_t length)
{
    return misspelt->cut < length ? "v=spf1 " : version;
}

const char *spf_lint_mend_version(spf_linter_t *linter, const char *text, size_t length, size_t *mended_length)
{
    const char *mended;
    misspelt_t misspelt;

    if (spf_record_is_record(text, length) || !read_misspelt(linter, text, length, &misspelt) || !misspelt.is_certain)
        return NULL;
    const char *rest = text + misspelt.cut;
    const char *head = replacement_of(&misspelt, length);
    char *copy = spf_lint_alloc(linter, strlen(head) + length - misspelt.cut + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, head, strlen(head));
    memcpy(copy + strlen(head), rest, length - misspelt.cut);
    *mended_length = strlen(head) + length - misspelt.cut;
    copy[*mended_length] = '\0';
    mended = copy;
    return spf_record_is_record(mended, *mended_length) ? mended : NULL;
}

/* A remark about a text other than the record of the node in hand. */
static spf_remark_t *say_about(spf_linter_t *linter, spf_lint_code_t code, const spf_text_t *text, size_t offset,
                               size_t length, const char *sentence, const char *fix)
{
    spf_remark_t *remark = spf_lint_add(linter, code, offset, length, sentence, fix);

    remark->node = NULL;
    remark->record = text->data;
    remark->record_length = text->length;
    return remark;
}

static bool is_sender_id(const spf_text_t *text)
{
    return begins(text->data, text->length, "spf2.0/");
}

/* Whether something was said about a text that is no record; needed: there is no other record. */
static bool say_misspelt(spf_linter_t *linter, const spf_text_t *text, bool needed)
{
    spf_lint_code_t code = needed ? SPF_LINT_MISSPELT_VERSION : SPF_LINT_LEFTOVER_RECORD;
    const char *quoted = spf_lint_quote(linter, text->data, text->length);
    misspelt_t misspelt;

    if (is_sender_id(text)) {
        say_about(linter, code, text, 0, strlen("spf2.0"),
                  SPF_SAY(linter, quoted, " is a record for Sender ID (RFC 4406), not for SPF, and nobody reads it."),
                  needed ? "Publish a record that begins with \"v=spf1 \"." : "Remove it.");
        return true;
    }
    if (!read_misspelt(linter, text->data, text->length, &misspelt))
        return false;
    spf_remark_t *remark =
        say_about(linter, code, text, misspelt.wrong, misspelt.wrong_length,
                  SPF_SAY(linter, quoted,
                          " looks like an SPF record and is none: it does not begin with \"v=spf1\" and a space."),
                  needed ? "Begin the record with \"v=spf1 \", and nothing before it." : "Remove it.");
    if (needed && misspelt.is_certain)
        spf_lint_replace(remark, 0, misspelt.cut, replacement_of(&misspelt, text->length));
    return true;
}

/* Whether something was said about any text of an answer that is no record. */
static bool say_misspelt_texts(spf_linter_t *linter, const spf_answer_t *answer, bool needed)
{
    bool said = false;

    if (answer == NULL || answer->status != SPF_DNS_ANSWER)
        return false;
    for (uint32_t i = 0; i < answer->count; i++)
        if (!spf_record_is_record(answer->texts[i].data, answer->texts[i].length))
            said = say_misspelt(linter, &answer->texts[i], needed) || said;
    return said;
}

/* ------------------------------------------------------------------------------------------------------- no record */

static void say_given(spf_linter_t *linter)
{
    spf_strings_t strings;

    if (!spf_strings_read(linter->arena, linter->tree->given_text, linter->tree->given_length, &strings)) {
        linter->failed = true;
        return;
    }
    spf_text_t text = {.data = strings.text, .length = (uint32_t)strings.length};
    if (!say_misspelt(linter, &text, true))
        say_about(linter, SPF_LINT_NO_RECORD, &text, 0, 0,
                  SPF_SAY(linter, spf_lint_quote(linter, text.data, text.length), " is no SPF record."),
                  "Begin the record with \"v=spf1 \".");
}

/* The first v=spf1 text of an answer; NULL: there is none. */
static const spf_text_t *find_record(const spf_answer_t *answer)
{
    if (answer == NULL || answer->status != SPF_DNS_ANSWER)
        return NULL;
    for (uint32_t i = 0; i < answer->count; i++)
        if (spf_record_is_record(answer->texts[i].data, answer->texts[i].length))
            return &answer->texts[i];
    return NULL;
}

static bool say_wrong_name(spf_linter_t *linter)
{
    static const spf_nearby_kind_t kinds[] = {SPF_NEARBY_TWICE, SPF_NEARBY_SPF, SPF_NEARBY_UNDERSCORE_SPF,
                                              SPF_NEARBY_WWW};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const spf_nearby_t *nearby = &linter->tree->nearby[kinds[i]];
        const spf_text_t *text = nearby->name != NULL ? find_record(nearby->answer) : NULL;
        if (text == NULL)
            continue;
        say_about(linter, SPF_LINT_WRONG_NAME, text, 0, 0,
                  SPF_SAY(linter, linter->tree->domain, " has no SPF record, but ",
                          spf_lint_quote(linter, nearby->name, strlen(nearby->name)),
                          " has one, which is for mail from there only."),
                  kinds[i] == SPF_NEARBY_TWICE ? "End the name in the zone file with a dot, or leave the domain out."
                                               : SPF_SAY(linter, "Publish the record at ", linter->tree->domain, "."));
        return true;
    }
    return false;
}

/* What to publish where nothing is. */
static const char *first_record(const spf_linter_t *linter)
{
    const spf_nearby_t *mx = &linter->tree->nearby[SPF_NEARBY_MX];

    if (mx->name == NULL || mx->answer == NULL || spf_answer_is_failure(mx->answer))
        return "Publish a TXT record that begins with \"v=spf1 \".";
    return spf_answer_is_void(mx->answer) ? "If it sends no mail, publish \"v=spf1 -all\"."
                                          : "If its mail hosts send its mail, publish \"v=spf1 mx ~all\".";
}

static void say_nothing_there(spf_linter_t *linter)
{
    const spf_node_t *node = &linter->node->view;
    const char *domain = spf_lint_quote(linter, node->domain, strlen(node->domain));

    if (say_misspelt_texts(linter, linter->node->txt, true) || say_wrong_name(linter))
        return;
    spf_lint_add(linter, SPF_LINT_NO_RECORD, 0, 0,
                 SPF_SAY(linter, domain,
                         node->status == SPF_NODE_NO_DOMAIN ? " does not exist (NXDOMAIN)." : " has no SPF record."),
                 node->status == SPF_NODE_NO_DOMAIN ? "Correct the name." : first_record(linter));
}

void spf_lint_no_record(spf_linter_t *linter)
{
    const spf_node_t *node = &linter->node->view;
    const char *domain = spf_lint_quote(linter, node->domain, strlen(node->domain));

    switch (node->status) {
    case SPF_NODE_NO_RECORD:
    case SPF_NODE_NO_DOMAIN:
        if (linter->tree->is_given)
            say_given(linter);
        else
            say_nothing_there(linter);
        break;
    case SPF_NODE_TIMEOUT:
    case SPF_NODE_ERROR:
    case SPF_NODE_BOGUS:
        spf_lint_add(linter, SPF_LINT_DNS_FAILURE, 0, 0,
                     SPF_SAY(linter, "The record of ", domain, " could not be asked for: ",
                             node->detail != NULL ? node->detail : spf_node_status_name(node->status),
                             "; to receivers that is a temperror."),
                     "See that every name server of the domain answers.");
        break;
    case SPF_NODE_BAD_NAME:
        spf_lint_add(linter, SPF_LINT_NO_RECORD, 0, 0, SPF_SAY(linter, domain, " is no DNS name of several labels."),
                     "Name the domain that stands behind the \"@\" of its mail.");
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------------------------------------------- what else is there */

static void say_type99(spf_linter_t *linter)
{
    const spf_answer_t *answer = linter->tree->nearby[SPF_NEARBY_TYPE99].answer;

    if (linter->tree->nearby[SPF_NEARBY_TYPE99].name == NULL || answer == NULL || spf_answer_is_failure(answer) ||
        answer->count == 0)
        return;
    bool is_alone = linter->node->view.status == SPF_NODE_NO_RECORD;
    say_about(linter, SPF_LINT_TYPE99, &answer->texts[0], 0, 0,
              SPF_SAY(linter, linter->tree->domain, " has a record of type SPF (99), which nobody asks for any more."),
              !is_alone                     ? "Remove it; the TXT record is what counts."
              : find_record(answer) != NULL ? "Publish it as a TXT record instead."
                                            : "Remove it.");
}

void spf_lint_nearby(spf_linter_t *linter)
{
    say_type99(linter);
    if (linter->node->view.status == SPF_NODE_RECORD || linter->node->view.status == SPF_NODE_SEVERAL)
        say_misspelt_texts(linter, linter->node->txt, false);
}

/* A DNS string has 255 octets at most, and name servers refuse a zone that says otherwise. */
void spf_lint_strings(spf_linter_t *linter)
{
    spf_strings_t strings;
    size_t start = 0;

    if (!linter->tree->is_given)
        return;
    if (!spf_strings_read(linter->arena, linter->tree->given_text, linter->tree->given_length, &strings)) {
        linter->failed = true;
        return;
    }
    const spf_text_t text = {.data = strings.text, .length = (uint32_t)strings.length};
    for (size_t i = 0; i < strings.count; i++) {
        size_t length = strings.ends[i] - start;
        if (length > STRING_MAX)
            say_about(
                linter, SPF_LINT_LONG_STRING, &text, start, length,
                SPF_SAY(linter, "A string of ", spf_lint_number(linter, length),
                        " octets is too long: one holds at most 255."),
                "Part it into several quoted strings, with every space inside of one: they are joined with nothing "
                "between.");
        start = strings.ends[i];
    }
}
