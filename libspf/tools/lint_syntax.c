/* SPDX-License-Identifier: MIT */
/* Terms with syntax errors: where, what was expected, and what was meant. */
#include "base/name.h"
#include "tools/lint_guess.h"

#include <string.h>

/* How long a term may be to be mended, how long what comes of it, and how many errors it may have. */
enum { TERM_MAX = 1024, MENDED_MAX = 2 * TERM_MAX, MEND_STEPS = 8 };

typedef struct mend {
    char text[MENDED_MAX]; /* terms parted by spaces */
    size_t length;
    const spf_guess_rule_t *first; /* the rule that knew the first error; NULL: none did */
    bool is_certain;               /* the text has no error left, nor a name that nobody has */
} mend_t;

/* What the text becomes with its wrong term replaced. False: it does not fit. */
static bool splice(mend_t *mend, const spf_wrong_t *wrong, const spf_buf_t *by)
{
    char text[MENDED_MAX];
    size_t start = (size_t)(wrong->text - mend->text);
    spf_buf_t buf;

    spf_buf_init(&buf, text, sizeof(text));
    spf_buf_add(&buf, mend->text, start);
    spf_buf_add(&buf, by->data, by->len);
    spf_buf_add(&buf, wrong->text + wrong->length, mend->length - start - wrong->length);
    if (buf.full || by->full)
        return false;
    memcpy(mend->text, text, buf.len);
    mend->length = buf.len;
    return true;
}

/* "all" alone says "+all", which hardly anybody means: nothing is mended to that. */
static bool lets_all_pass(const spf_record_t *record)
{
    for (uint32_t i = 0; i < record->term_count; i++)
        if (record->terms[i].kind == SPF_TERM_ALL && record->terms[i].result == SPF_RESULT_PASS)
            return true;
    return false;
}

/* One step; false: there is nothing more to be done. */
static bool mend_step(spf_linter_t *linter, mend_t *mend)
{
    spf_record_t *record = spf_lint_parse(linter, mend->text, mend->length);
    char storage[MENDED_MAX];
    spf_buf_t out;
    spf_guess_t guess = SPF_GUESS_NONE;

    if (record == NULL)
        return false;
    bool is_right = record->error_term == SPF_NO_TERM;
    const spf_term_t *odd = is_right ? spf_lint_odd_term(record) : NULL;
    if (is_right && odd == NULL) {
        mend->is_certain = !lets_all_pass(record);
        spf_record_unref(record);
        return false;
    }
    const spf_term_t *term = is_right ? odd : &record->terms[record->error_term];
    spf_wrong_t wrong = spf_wrong_term(linter, mend->text + term->offset - SPF_LINT_HEAD, term->length,
                                       (is_right ? term->spec_offset : record->error_offset) - term->offset);
    spf_record_unref(record);
    spf_buf_init(&out, storage, sizeof(storage));
    const spf_guess_rule_t *rule = spf_lint_guess(&wrong, &out, &guess);
    if (mend->first == NULL)
        mend->first = rule;
    return rule != NULL && guess == SPF_GUESS_MENDED && splice(mend, &wrong, &out);
}

static void mend_text(spf_linter_t *linter, mend_t *mend, const char *text, size_t length)
{
    *mend = (mend_t){.length = 0};
    if (length > TERM_MAX)
        return;
    memcpy(mend->text, text, length);
    mend->length = length;
    for (unsigned step = 0; step < MEND_STEPS && mend_step(linter, mend); step++)
        continue;
    while (mend->length > 0 && mend->text[mend->length - 1] == ' ')
        mend->length--;
}

/* -------------------------------------------------------------------------------------- a space inside of one term */

/* Whether a term needs what stands behind the space: "-", "include", "ip4:", and what would stand between. */
static const char *missing_joint(const char *term, size_t length)
{
    static const struct {
        const char *word, *joint;
    } words[] = {{"include", ":"}, {"exists", ":"}, {"ip4", ":"}, {"ip6", ":"}, {"redirect", "="}, {"exp", "="}};
    size_t word = spf_lint_word(term, length);

    if (spf_lint_is_sign(term, length) || strchr(":=/", term[length - 1]) != NULL)
        return "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (length - word == strlen(words[i].word) && strncasecmp(term + word, words[i].word, length - word) == 0)
            return words[i].joint;
    return NULL;
}

/* The two terms as one, mended if need be, if that is one; else NULL. */
static const char *join_terms(spf_linter_t *linter, const spf_term_t *first, const char *joint,
                              const spf_term_t *second)
{
    char text[TERM_MAX];
    spf_buf_t buf;
    mend_t mend;

    spf_buf_init(&buf, text, sizeof(text));
    spf_buf_add(&buf, linter->text + first->offset, first->length);
    spf_buf_add_text(&buf, joint);
    spf_buf_add(&buf, linter->text + second->offset, second->length);
    if (buf.full)
        return NULL;
    mend_text(linter, &mend, buf.data, buf.len);
    return mend.is_certain && spf_lint_is_term(linter, mend.text, mend.length)
               ? spf_lint_copy(linter, mend.text, mend.length)
               : NULL;
}

/* Says that two terms are one, the remark standing at octet `at`. */
static void say_joined(spf_linter_t *linter, const spf_term_t *first, const spf_term_t *second, size_t at,
                       const char *joined, const char *expected)
{
    const char *fix = SPF_SAY(linter, "Write ", spf_lint_quote(linter, joined, strlen(joined)), ".");
    const spf_term_t *wrong = at >= second->offset ? second : first;
    spf_remark_t *remark =
        spf_lint_add(linter, SPF_LINT_STRAY_SPACE, at, wrong->offset + wrong->length - at,
                     SPF_SAY(linter, spf_lint_quote_term(linter, first), " and ", spf_lint_quote_term(linter, second),
                             " are one term with a space in it: ", expected, "."),
                     fix);
    spf_lint_replace(remark, first->offset, second->offset + second->length - first->offset, joined);
}

/* "include example.com" and "ip4: 192.0.2.1" */
static bool find_space_behind(spf_linter_t *linter, uint32_t index, size_t at, const char *expected)
{
    const spf_term_t *term = &linter->record->terms[index];
    const char *joint = missing_joint(linter->text + term->offset, term->length);

    if (joint == NULL || index + 1 == linter->record->term_count)
        return false;
    const spf_term_t *next = term + 1;
    if (spf_lint_is_sign(linter->text + term->offset, term->length) ? next->kind != SPF_TERM_ALL
                                                                    : next->kind != SPF_TERM_INVALID)
        return false;
    if (linter->text[next->offset] == ':' || linter->text[next->offset] == '=')
        joint = "";
    const char *joined = join_terms(linter, term, joint, next);
    if (joined == NULL)
        return false;
    say_joined(linter, term, next, at, joined, expected);
    linter->next_term = index + 2;
    return true;
}

/* "ip4:192.0.2.0 /24" and "a :example.com" */
static bool find_space_before(spf_linter_t *linter, uint32_t index, size_t at, const char *expected)
{
    const spf_term_t *term = &linter->record->terms[index];
    const char *joined;

    if (index == 0 || term[-1].kind == SPF_TERM_INVALID || strchr("/:=", linter->text[term->offset]) == NULL ||
        linter->text[term->offset] == '\0')
        return false;
    joined = join_terms(linter, term - 1, "", term);
    if (joined == NULL)
        return false;
    say_joined(linter, term - 1, term, at, joined, expected);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- one error */

/* The redirect or exp before another one, which is wrong whatever it says; NULL: the term is none. */
static const spf_term_t *find_first(const spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const struct {
        const char *text;
        size_t length;
        int32_t first;
    } modifiers[] = {{"redirect=", 9, linter->record->redirect}, {"exp=", 4, linter->record->exp}};

    for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++)
        if (modifiers[i].first != SPF_NO_TERM && (uint32_t)modifiers[i].first < index &&
            term->length >= modifiers[i].length &&
            strncasecmp(linter->text + term->offset, modifiers[i].text, modifiers[i].length) == 0)
            return &linter->record->terms[modifiers[i].first];
    return NULL;
}

static void say_duplicate(spf_linter_t *linter, const spf_term_t *term, const spf_term_t *first)
{
    spf_remark_t *remark =
        spf_lint_add_term(linter, SPF_LINT_DUPLICATE_MODIFIER, term,
                          SPF_SAY(linter, spf_lint_quote_term(linter, term),
                                  " is there a second time: expected redirect and exp only once each."),
                          "Leave one of them.");

    if (spf_text_equals_nocase(linter->text + first->offset, first->length, linter->text + term->offset, term->length))
        spf_lint_replace(remark, term->offset, term->length, "");
}

static const char *where(spf_linter_t *linter, const spf_term_t *term, size_t at)
{
    size_t left = term->offset + term->length - at;
    return left == 0 ? "ends too early"
                     : SPF_SAY(linter, "is wrong at ", spf_lint_quote(linter, linter->text + at, left));
}

/* What the parser expected. It says that a mechanism is unknown where that is said in other words already. */
static const char *without_unknown(const char *expected)
{
    static const char unknown[] = "unknown mechanism; ";
    return strncmp(expected, unknown, sizeof(unknown) - 1) == 0 ? expected + sizeof(unknown) - 1 : expected;
}

static void say_wrong(spf_linter_t *linter, const spf_term_t *term, size_t at, const char *expected, const mend_t *mend)
{
    const spf_guess_rule_t *rule = mend->first;
    const char *says = rule != NULL ? rule->says : where(linter, term, at);
    const char *fix = rule != NULL ? rule->advice : "Correct the term or remove it.";
    const char *mended = NULL;
    spf_remark_t *remark;

    if (mend->is_certain) {
        mended = spf_lint_copy(linter, mend->text, mend->length);
        fix = mend->length > 0 ? SPF_SAY(linter, "Write ", spf_lint_quote(linter, mend->text, mend->length), ".")
                               : "Remove it.";
    }
    remark = spf_lint_add(
        linter, rule != NULL ? rule->code : SPF_LINT_SYNTAX, at, term->offset + term->length - at,
        SPF_SAY(linter, spf_lint_quote_term(linter, term), " ", says, ": ", without_unknown(expected), "."), fix);
    if (mended != NULL)
        spf_lint_replace(remark, term->offset, term->length, mended);
}

/* The term alone is parsed once more: a record tells of its first error only. */
static void find_error(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const char *text = linter->text + term->offset;
    spf_record_t *alone = spf_lint_parse(linter, text, term->length);
    mend_t mend;

    if (alone == NULL)
        return;
    size_t at = term->offset + alone->error_offset - SPF_LINT_HEAD;
    if (!find_space_behind(linter, index, at, alone->error) && !find_space_before(linter, index, at, alone->error)) {
        mend_text(linter, &mend, text, term->length);
        say_wrong(linter, term, at, alone->error, &mend);
    }
    spf_record_unref(alone);
}

void spf_lint_invalid(spf_linter_t *linter, uint32_t index)
{
    const spf_term_t *term = &linter->record->terms[index];
    const spf_term_t *first = find_first(linter, index);

    if (term->kind != SPF_TERM_INVALID)
        return;
    if (first != NULL)
        say_duplicate(linter, term, first);
    else
        find_error(linter, index);
}
