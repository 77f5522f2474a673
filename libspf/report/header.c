/* SPDX-License-Identifier: MIT */
/* The two header fields. Every value passes one of the value writers below, which quote and escape (RFC 7208
 * section 9.1: "does not contain malicious data"), so nothing a sender chose can end a value, a comment or a line. */
#include "report/report.h"

#include "base/ascii.h"
#include "report/text.h"
#include "syntax/macro.h"

#include <string.h>

enum {
    LINE_OCTETS = 998, /* RFC 5322 section 2.1.1 */
    LINE_COLUMNS = 78,
    TAB_COLUMNS = 8,
    FIELD_MAX = 10240,
    LOCAL_MAX = 128 /* twice what RFC 5321 section 4.5.3.1.1 allows a local-part */
};

static const spf_fold_style_t fold_styles[] = {
    [SPF_FOLD_NONE] = {.line_end = NULL, .indent = 0, .width = LINE_COLUMNS, .line_max = LINE_OCTETS},
    [SPF_FOLD_LF] = {.line_end = "\n\t", .indent = TAB_COLUMNS, .width = LINE_COLUMNS, .line_max = LINE_OCTETS},
    [SPF_FOLD_CRLF] = {.line_end = "\r\n\t", .indent = TAB_COLUMNS, .width = LINE_COLUMNS, .line_max = LINE_OCTETS},
};

/* How many octets of a value a field takes, a reason taking twice as many. Folded, the first always does; a field on
 * one line is made shorter until it keeps to LINE_OCTETS, as the last does for values of any length. */
static const size_t value_maxima[] = {448, 224, 112, 36};

/* A field in the making. */
typedef struct field {
    spf_folder_t folder;
    size_t value_max;
    const spf_verdict_t *verdict;
} field_t;

/* ------------------------------------------------------------------------------------------------- lexical tokens */

static bool all_octets(const char *text, size_t length, bool (*is_allowed)(char octet))
{
    for (size_t i = 0; i < length; i++)
        if (!is_allowed(text[i]))
            return false;
    return length > 0;
}

/* atext, RFC 5322 section 3.2.3, without the 8-bit octets that RFC 6532 adds. */
static bool is_atext(char octet)
{
    return spf_ascii_is_alphanum(octet) || (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", octet) != NULL);
}

static bool is_token_octet(char octet)
{
    return spf_ascii_is_visible(octet) && strchr("()<>@,;:\\\"/[]?=", octet) == NULL;
}

/* token := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>, RFC 2045 section 5.1. */
static bool is_token(const char *text, size_t length)
{
    return all_octets(text, length, is_token_octet);
}

/* Whether text is labels parted by single dots, each accepted by is_label; *labels counts them. */
static bool is_dotted(const char *text, size_t length, bool (*is_label)(const char *label, size_t length),
                      size_t *labels)
{
    size_t start = 0;
    *labels = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != '.')
            continue;
        if (!is_label(text + start, i - start))
            return false;
        start = i + 1;
        ++*labels;
    }
    return true;
}

static bool is_atom(const char *text, size_t length)
{
    return all_octets(text, length, is_atext);
}

/* dot-atom-text = 1*atext *("." 1*atext), RFC 5322 section 3.2.3. */
static bool is_dot_atom(const char *text, size_t length)
{
    size_t atoms;
    return is_dotted(text, length, is_atom, &atoms);
}

static bool is_ldh(char octet)
{
    return spf_ascii_is_alphanum(octet) || octet == '-';
}

/* sub-domain = Let-dig [Ldh-str], RFC 5321 section 4.1.2. */
static bool is_sub_domain(const char *text, size_t length)
{
    return all_octets(text, length, is_ldh) && text[0] != '-' && text[length - 1] != '-';
}

/* domain-name = sub-domain 1*("." sub-domain), RFC 6376 section 3.5. */
static bool is_domain_name(const char *text, size_t length)
{
    size_t labels;
    return is_dotted(text, length, is_sub_domain, &labels) && labels >= 2;
}

/* ------------------------------------------------------------------------------------------------- value writers */

typedef bool (*unquoted_t)(const char *text, size_t length);

/* Nothing may stand without quotes. */
static bool is_never(const char *text, size_t length)
{
    (void)text;
    (void)length;
    return false;
}

/* A clean copy of at most max octets, as it is if `unquoted` says it may stand so, else as a quoted-string. */
static void add_value(field_t *field, const char *text, size_t length, size_t max, unquoted_t unquoted)
{
    char storage[LINE_OCTETS];
    spf_buf_t clean;

    spf_buf_init(&clean, storage, sizeof(storage));
    spf_text_add_clipped(&clean, text, length, max, true);
    if (unquoted(clean.data, clean.len)) {
        spf_folder_add_value(&field->folder, clean.data, clean.len, "");
        return;
    }
    spf_folder_add(&field->folder, "\"");
    spf_folder_add_value(&field->folder, clean.data, clean.len, "\\\"");
    spf_folder_add(&field->folder, "\"");
}

/* The same inside a comment. */
static void add_ctext(field_t *field, const char *text)
{
    char storage[LINE_OCTETS];
    spf_buf_t clean;

    spf_buf_init(&clean, storage, sizeof(storage));
    spf_text_add_clipped(&clean, text, strlen(text), field->value_max, true);
    spf_folder_add_value(&field->folder, clean.data, clean.len, "\\()");
}

static void add_words(field_t *field, const char *words)
{
    spf_folder_add_value(&field->folder, words, strlen(words), "");
}

static void add_word(field_t *field, const char *word)
{
    spf_folder_add(&field->folder, word);
    spf_folder_break(&field->folder);
}

typedef void (*field_writer_t)(field_t *field);

/* Writes the field as long as it may be, into the arena. */
static const char *write_field(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold, field_writer_t write)
{
    char storage[FIELD_MAX];
    size_t cap = fold == SPF_FOLD_NONE ? LINE_OCTETS + 1 : sizeof(storage);
    spf_buf_t out;
    field_t field;

    for (size_t i = 0; i < sizeof(value_maxima) / sizeof(value_maxima[0]); i++) {
        spf_buf_init(&out, storage, cap);
        spf_folder_init(&field.folder, &out, &fold_styles[fold]);
        field.value_max = value_maxima[i];
        field.verdict = verdict;
        write(&field);
        if (!out.full)
            break;
    }
    return spf_arena_copy(arena, out.data, out.len);
}

/* --------------------------------------------------------------------------------------------------- Received-SPF */

/* "domain of X ... IP ...", in the manner of the RFC's examples. */
static const struct {
    const char *between;
    const char *after; /* NULL: the address is not spoken of */
} comments[] = {
    [SPF_RESULT_NONE] = {"designates no permitted senders", NULL},
    [SPF_RESULT_NEUTRAL] = {"neither permits nor denies", "as sender"},
    [SPF_RESULT_PASS] = {"designates", "as permitted sender"},
    [SPF_RESULT_FAIL] = {"does not designate", "as permitted sender"},
    [SPF_RESULT_SOFTFAIL] = {"probably does not designate", "as permitted sender"},
    [SPF_RESULT_TEMPERROR] = {"could not be asked about", "for the time being"},
    [SPF_RESULT_PERMERROR] = {"says nothing about", "because its policy is in error"},
};

/* Blanks alone would become a line of blanks, which no field may have (RFC 5322 section 3.2.2). */
static const char *checked_identity(const spf_verdict_t *verdict)
{
    const char *checked = verdict->identity == SPF_IDENTITY_HELO ? verdict->helo : verdict->sender;
    return checked[strspn(checked, " ")] != '\0' ? checked : "an unnamed client";
}

static void add_comment(field_t *field)
{
    const spf_verdict_t *verdict = field->verdict;
    spf_folder_add(&field->folder, "(");
    add_ctext(field, verdict->receiver);
    add_word(field, ":");
    add_words(field, "domain of");
    spf_folder_break(&field->folder);
    add_ctext(field, checked_identity(verdict));
    spf_folder_break(&field->folder);
    add_words(field, comments[verdict->result].between);
    if (comments[verdict->result].after != NULL) {
        spf_folder_break(&field->folder);
        add_ctext(field, verdict->ip);
        spf_folder_break(&field->folder);
        add_words(field, comments[verdict->result].after);
    }
    add_word(field, ")");
}

static spf_text_t text_of(const char *text)
{
    return (spf_text_t){.data = text, .length = text != NULL ? (uint32_t)strlen(text) : 0};
}

static spf_text_t client_ip(const spf_verdict_t *verdict)
{
    return text_of(verdict->ip);
}

static spf_text_t envelope_from(const spf_verdict_t *verdict)
{
    return text_of(verdict->identity == SPF_IDENTITY_MAILFROM ? verdict->sender : NULL);
}

static spf_text_t helo(const spf_verdict_t *verdict)
{
    return text_of(verdict->helo);
}

static spf_text_t receiver(const spf_verdict_t *verdict)
{
    return text_of(verdict->receiver);
}

static spf_text_t identity(const spf_verdict_t *verdict)
{
    return text_of(spf_identity_name(verdict->identity));
}

/* "if no mechanisms matched, substitute the word 'default'" */
static spf_text_t mechanism(const spf_verdict_t *verdict)
{
    if (verdict->cause != SPF_CAUSE_MATCH || verdict->term == NULL)
        return text_of("default");
    return (spf_text_t){.data = verdict->term, .length = (uint32_t)verdict->term_length};
}

static spf_text_t problem(const spf_verdict_t *verdict)
{
    bool is_error = verdict->result == SPF_RESULT_TEMPERROR || verdict->result == SPF_RESULT_PERMERROR;
    return text_of(is_error ? verdict->reason : NULL);
}

static const struct {
    const char *key;
    spf_text_t (*value)(const spf_verdict_t *verdict); /* no data: the pair is left out */
    unquoted_t unquoted;
    unsigned share; /* of value_max */
} pairs[] = {
    {"client-ip=", client_ip, is_dot_atom, 1}, {"envelope-from=", envelope_from, is_never, 1},
    {"helo=", helo, is_dot_atom, 1},           {"receiver=", receiver, is_dot_atom, 1},
    {"identity=", identity, is_dot_atom, 1},   {"mechanism=", mechanism, is_dot_atom, 1},
    {"problem=", problem, is_never, 2},
};

/*
 * header-field   = "Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ] CRLF
 * key-value-list = key-value-pair *( ";" [CFWS] key-value-pair ) [";"]
 * key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string )
 */
static void write_received_spf(field_t *field)
{
    add_word(field, "Received-SPF:");
    add_word(field, spf_result_name(field->verdict->result));
    add_comment(field);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        spf_text_t value = pairs[i].value(field->verdict);
        if (value.data == NULL)
            continue;
        spf_folder_add(&field->folder, pairs[i].key);
        add_value(field, value.data, value.length, pairs[i].share * field->value_max, pairs[i].unquoted);
        add_word(field, ";");
    }
}

const char *spf_report_received_spf(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold)
{
    return write_field(arena, verdict, fold, write_received_spf);
}

/* ----------------------------------------------------------------------------------------- Authentication-Results */

/* Whether the policy has provisions for the local part: RFC 8601 section 2.7.2 wants it left out otherwise, for then
 * nothing vouches for it. */
static bool policy_names_local_part(const spf_verdict_t *verdict)
{
    size_t position = 0;
    const char *error;
    spf_macro_token_t token;

    while (verdict->record != NULL && spf_macro_next(verdict->record, verdict->record_length, &position,
                                                     SPF_MACRO_IN_EXPLANATION, &token, &error) > 0)
        if (token.kind == SPF_MACRO_EXPAND && (token.letter == 's' || token.letter == 'l'))
            return true;
    return false;
}

/* What follows the last '@'. */
static const char *domain_of(const char *sender)
{
    const char *at = strrchr(sender, '@');
    return at != NULL ? at + 1 : sender;
}

/* [ local-part "@" ] domain-name where the sender has that form, else a value: a quoted-string. */
static void add_mailfrom(field_t *field, const char *sender)
{
    const char *domain = domain_of(sender);
    const char *at = domain > sender ? domain - 1 : NULL;
    size_t domain_length = strlen(domain);

    if (at != NULL && policy_names_local_part(field->verdict)) {
        if (!is_domain_name(domain, domain_length)) {
            add_value(field, sender, strlen(sender), field->value_max, is_never);
            return;
        }
        add_value(field, sender, (size_t)(at - sender), LOCAL_MAX, is_dot_atom);
        spf_folder_add(&field->folder, "@");
    }
    add_value(field, domain, domain_length, field->value_max, is_domain_name);
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue; nothing where there is nothing to report. */
static void write_propspec(field_t *field)
{
    const spf_verdict_t *verdict = field->verdict;
    if (verdict->identity == SPF_IDENTITY_HELO && verdict->helo[0] != '\0') {
        spf_folder_add(&field->folder, "smtp.helo=");
        add_value(field, verdict->helo, strlen(verdict->helo), field->value_max, is_domain_name);
    } else if (verdict->identity == SPF_IDENTITY_MAILFROM && domain_of(verdict->sender)[0] != '\0') {
        spf_folder_add(&field->folder, "smtp.mailfrom=");
        add_mailfrom(field, verdict->sender);
    }
    spf_folder_break(&field->folder);
}

/*
 * resinfo    = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
 * methodspec = [CFWS] method [CFWS] "=" [CFWS] result
 * reasonspec = "reason" [CFWS] "=" [CFWS] value
 */
static void write_resinfo(field_t *field)
{
    const spf_verdict_t *verdict = field->verdict;
    spf_folder_add(&field->folder, "spf=");
    add_word(field, spf_result_name(verdict->result));
    spf_folder_add(&field->folder, "reason=");
    add_value(field, verdict->reason, strlen(verdict->reason), 2 * field->value_max, is_token);
    spf_folder_break(&field->folder);
    write_propspec(field);
}

/* authres-header-field = "Authentication-Results:" [CFWS] authserv-id [ CFWS authres-version ] 1*resinfo [CFWS] CRLF */
static void write_authentication_results(field_t *field)
{
    const char *authserv_id = field->verdict->receiver;
    add_word(field, "Authentication-Results:");
    add_value(field, authserv_id, strlen(authserv_id), field->value_max, is_token);
    add_word(field, ";");
    write_resinfo(field);
}

const char *spf_report_authentication_results(spf_arena_t *arena, const spf_verdict_t *verdict, spf_fold_t fold,
                                              bool authserv_id)
{
    return write_field(arena, verdict, fold, authserv_id ? write_authentication_results : write_resinfo);
}
