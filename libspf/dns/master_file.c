/* SPDX-License-Identifier: MIT */
#include "dns/master_file.h"

#include "base/name.h"

#include <string.h>

enum { DEFAULT_TTL_S = 3600, TTL_MAX_S = INT32_MAX, SHOWN_MAX = 64 };

/* The types that may stand in a zone, whether or not SPF asks for them: the names tell a slip from a record. */
static const char *const known_types[] = {
    "A",     "AAAA",   "AFSDB", "APL",   "CAA",        "CDNSKEY",    "CDS",   "CERT",     "CNAME", "CSYNC",  "DHCID",
    "DNAME", "DNSKEY", "DS",    "EUI48", "EUI64",      "HINFO",      "HTTPS", "IPSECKEY", "KX",    "LOC",    "MX",
    "NAPTR", "NS",     "NSEC",  "NSEC3", "NSEC3PARAM", "OPENPGPKEY", "PTR",   "RP",       "RRSIG", "SMIMEA", "SOA",
    "SPF",   "SRV",    "SSHFP", "SVCB",  "TLSA",       "TXT",        "URI",   "ZONEMD",
};

void spf_master_init(spf_master_t *master, const char *source, const char *text, size_t length, spf_buf_t *error)
{
    *master = (spf_master_t){
        .source = source, .text = text, .length = length, .line = 1, .ttl_s = DEFAULT_TTL_S, .error = error};
    master->origin.length = 1;
}

bool spf_master_fail(spf_master_t *master, const char *problem, const spf_master_token_t *token)
{
    spf_buf_add_text(master->error, master->source);
    spf_buf_add_char(master->error, ':');
    spf_buf_add_uint(master->error, master->line);
    spf_buf_add_text(master->error, ": ");
    if (token) {
        spf_buf_add_char(master->error, '"');
        spf_buf_add_printable(master->error, token->text, token->length < SHOWN_MAX ? token->length : SHOWN_MAX, false);
        spf_buf_add_text(master->error, "\": ");
    }
    spf_buf_add_text(master->error, problem);
    return false;
}

static spf_master_next_t error(spf_master_t *master, const char *problem, const spf_master_token_t *token)
{
    spf_master_fail(master, problem, token);
    return SPF_MASTER_ERROR;
}

/* ---------------------------------------------------------------------------------------------------------- tokens */

static bool is_word_octet(char octet)
{
    return (unsigned char)octet > ' ' && octet != 0x7F && !strchr("();\"", octet);
}

/* The end of a word, or of a quoted string, from an offset on. An escape takes the octet after it along. */
static size_t token_end(const spf_master_t *master, size_t at, bool is_quoted)
{
    while (at < master->length && master->text[at] != '\n') {
        if (is_quoted ? master->text[at] == '"' : !is_word_octet(master->text[at]))
            break;
        bool is_escape = master->text[at] == '\\' && at + 1 < master->length && master->text[at + 1] != '\n';
        at += is_escape ? 2 : 1;
    }
    return at;
}

static spf_master_next_t read_token(spf_master_t *master, spf_master_token_t *token)
{
    bool is_quoted = master->text[master->at] == '"';
    size_t start = master->at + is_quoted;
    size_t end = token_end(master, start, is_quoted);
    if (end == master->at)
        return error(master, "a control character; allowed are printable characters and \\DDD for others", NULL);
    *token = (spf_master_token_t){master->text + start, end - start, is_quoted};
    if (is_quoted && (end == master->length || master->text[end] != '"'))
        return error(master, "a quoted string must end in \" on the same line", NULL);
    master->at = end + is_quoted;
    return SPF_MASTER_ITEM;
}

static void skip_comment(spf_master_t *master)
{
    while (master->at < master->length && master->text[master->at] != '\n')
        master->at++;
}

/* Parentheses hide line ends (RFC 1035 section 5.1). The line end after an entry is left where it is. */
spf_master_next_t spf_master_next_token(spf_master_t *master, spf_master_token_t *token)
{
    for (; master->at < master->length; master->at++) {
        switch (master->text[master->at]) {
        case ' ':
        case '\t':
        case '\r':
            break;
        case '(':
            master->depth++;
            break;
        case ')':
            if (!master->depth)
                return error(master, "a ) without its (", NULL);
            master->depth--;
            break;
        case ';':
            skip_comment(master);
            master->at--;
            break;
        case '\n':
            if (!master->depth)
                return SPF_MASTER_END;
            master->line++;
            break;
        default:
            return read_token(master, token);
        }
    }
    return master->depth ? error(master, "the file ends inside of ( )", NULL) : SPF_MASTER_END;
}

static bool token_is(const spf_master_token_t *token, const char *word)
{
    return !token->is_quoted && spf_text_equals_nocase(token->text, token->length, word, strlen(word));
}

/* --------------------------------------------------------------------------------------------------- names, strings */

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* One octet, written as itself, \X or \DDD; *at moves past it. False for a bad escape. */
static bool read_octet(const spf_master_token_t *token, size_t *at, uint8_t *octet)
{
    const char *text = token->text + *at;
    size_t left = token->length - *at;
    *octet = (uint8_t)text[0];
    if (text[0] != '\\') {
        *at += 1;
        return true;
    }
    if (left < 2)
        return false;
    *octet = (uint8_t)text[1];
    if (!is_digit(text[1])) {
        *at += 2;
        return true;
    }
    if (left < 4 || !is_digit(text[2]) || !is_digit(text[3]))
        return false;
    int number = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    *octet = (uint8_t)number;
    *at += 4;
    return number <= UINT8_MAX;
}

static const char bad_escape[] = "bad escape; allowed are \\DDD with DDD up to 255, and \\ before a character";

bool spf_master_string(spf_master_t *master, const spf_master_token_t *token, uint8_t *octets, size_t *length)
{
    *length = 0;
    for (size_t at = 0; at < token->length; ++*length) {
        uint8_t octet;
        if (!read_octet(token, &at, &octet))
            return spf_master_fail(master, bad_escape, token);
        if (*length == SPF_CHARACTER_STRING_MAX)
            return spf_master_fail(master, "a string has at most 255 octets; write several: \"...\" \"...\"", token);
        octets[*length] = octet;
    }
    return true;
}

static bool add_origin(spf_master_t *master, const spf_master_token_t *token, spf_wire_name_t *name, size_t length)
{
    if (length + master->origin.length > SPF_WIRE_NAME_MAX)
        return spf_master_fail(master, "a name has at most 253 octets", token);
    memcpy(name->octets + length, master->origin.octets, master->origin.length);
    name->length = (uint8_t)(length + master->origin.length);
    return true;
}

bool spf_master_name(spf_master_t *master, const spf_master_token_t *token, spf_wire_name_t *name)
{
    static const char bad_label[] = "not a name; its labels must have 1 to 63 octets, at most 253 in all";
    size_t start = 0;  /* where the length octet of the present label goes */
    size_t length = 0; /* of that label */
    if (token_is(token, "@"))
        return add_origin(master, token, name, 0);
    if (token_is(token, ".")) {
        *name = (spf_wire_name_t){.length = 1};
        return true;
    }
    for (size_t at = 0; at < token->length;) {
        bool is_dot = token->text[at] == '.';
        uint8_t octet;
        if (!read_octet(token, &at, &octet))
            return spf_master_fail(master, bad_escape, token);
        if (is_dot ? length == 0 : (length == SPF_LABEL_MAX || start + length + 2 >= SPF_WIRE_NAME_MAX))
            return spf_master_fail(master, bad_label, token);
        if (!is_dot) {
            name->octets[start + ++length] = octet;
            continue;
        }
        name->octets[start] = (uint8_t)length;
        start += length + 1;
        length = 0;
    }
    if (token->length == 0)
        return spf_master_fail(master, bad_label, token);
    if (length > 0) {
        name->octets[start] = (uint8_t)length;
        return add_origin(master, token, name, start + length + 1);
    }
    name->octets[start] = 0;
    name->length = (uint8_t)(start + 1);
    return true;
}

/* --------------------------------------------------------------------------------------------------------- entries */

static uint32_t unit_seconds(char unit)
{
    static const struct {
        char unit, upper;
        uint32_t seconds;
    } units[] = {{'s', 'S', 1}, {'m', 'M', 60}, {'h', 'H', 3600}, {'d', 'D', 86400}, {'w', 'W', 604800}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (unit == units[i].unit || unit == units[i].upper)
            return units[i].seconds;
    }
    return 0;
}

/* Seconds, or numbers each with its unit, as in 1h30m. */
static bool token_ttl(const spf_master_token_t *token, uint32_t *ttl_s)
{
    uint64_t total = 0;
    uint64_t number = 0;
    bool has_number = false;
    for (size_t i = 0; i < token->length; i++) {
        if (is_digit(token->text[i])) {
            number = number * 10 + (uint64_t)(token->text[i] - '0');
            has_number = true;
        } else {
            if (!has_number || !unit_seconds(token->text[i]))
                return false;
            total += number * unit_seconds(token->text[i]);
            number = 0;
            has_number = false;
        }
        if (number > TTL_MAX_S || total > TTL_MAX_S)
            return false;
    }
    total += number;
    *ttl_s = (uint32_t)total;
    return token->length > 0 && !token->is_quoted && total <= TTL_MAX_S;
}

static bool is_numbered_type(const spf_master_token_t *token)
{
    enum { PREFIX = 4 };
    if (token->length <= PREFIX || token->length > PREFIX + 5 ||
        !spf_text_equals_nocase(token->text, PREFIX, "TYPE", PREFIX))
        return false;
    for (size_t i = PREFIX; i < token->length; i++) {
        if (!is_digit(token->text[i]))
            return false;
    }
    return true;
}

static bool token_type(const spf_master_token_t *token, const char **type)
{
    *type = NULL;
    for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++) {
        if (token_is(token, known_types[i])) {
            *type = known_types[i];
            return true;
        }
    }
    return is_numbered_type(token);
}

/* [<TTL>] [<class>] <type>, the first two in either order. */
static bool read_type(spf_master_t *master, spf_master_record_t *record)
{
    spf_master_token_t token;
    spf_master_next_t next;
    record->ttl_s = master->ttl_s;
    while ((next = spf_master_next_token(master, &token)) == SPF_MASTER_ITEM) {
        if (token_is(&token, "IN") || token_ttl(&token, &record->ttl_s))
            continue;
        if (token_type(&token, &record->type))
            return true;
        return spf_master_fail(master, "expected is [TTL] [IN] TYPE, TYPE being A, AAAA, CNAME, MX, PTR, TXT, ...",
                               &token);
    }
    return next == SPF_MASTER_END ? spf_master_fail(master, "the record ends before its type", NULL) : false;
}

static bool read_directive(spf_master_t *master, const spf_master_token_t *directive)
{
    spf_master_token_t value;
    spf_master_token_t more;
    bool is_origin = token_is(directive, "$ORIGIN");
    if (!is_origin && !token_is(directive, "$TTL"))
        return spf_master_fail(master, "not supported; allowed are $ORIGIN and $TTL", directive);
    spf_master_next_t next = spf_master_next_token(master, &value);
    if (next != SPF_MASTER_ITEM)
        return next == SPF_MASTER_END ? spf_master_fail(master, "a value must follow", directive) : false;
    if (is_origin) {
        spf_wire_name_t origin;
        if (!spf_master_name(master, &value, &origin))
            return false;
        master->origin = origin;
    } else if (!token_ttl(&value, &master->ttl_s)) {
        return spf_master_fail(master, "not a TTL; allowed are seconds up to 2147483647, or as in 1h30m", &value);
    }
    next = spf_master_next_token(master, &more);
    return next == SPF_MASTER_ITEM ? spf_master_fail(master, "nothing may follow the value", &more)
                                   : next == SPF_MASTER_END;
}

/* An owner name, or a blank for the last one's. Reads on up to the type. */
static spf_master_next_t read_entry(spf_master_t *master, spf_master_record_t *record, bool *is_record)
{
    char first = master->text[master->at];
    const spf_master_t before = *master;
    spf_master_token_t token;
    *is_record = false;
    spf_master_next_t next = spf_master_next_token(master, &token);
    if (next != SPF_MASTER_ITEM)
        return next;
    if (first == '$')
        return read_directive(master, &token) ? SPF_MASTER_ITEM : SPF_MASTER_ERROR;
    if (first != ' ' && first != '\t') {
        if (!spf_master_name(master, &token, &master->owner))
            return SPF_MASTER_ERROR;
        master->has_owner = true;
    } else if (!master->has_owner) {
        return error(master, "the first record needs an owner name at the start of its line", NULL);
    } else {
        *master = before; /* the token is the TTL, class or type */
    }
    record->owner = &master->owner;
    *is_record = true;
    return read_type(master, record) ? SPF_MASTER_ITEM : SPF_MASTER_ERROR;
}

spf_master_next_t spf_master_next_record(spf_master_t *master, spf_master_record_t *record)
{
    while (master->at < master->length) {
        if (master->text[master->at] == '\n') {
            master->at++;
            master->line++;
            continue;
        }
        bool is_record;
        if (read_entry(master, record, &is_record) == SPF_MASTER_ERROR)
            return SPF_MASTER_ERROR;
        if (is_record)
            return SPF_MASTER_ITEM;
    }
    return SPF_MASTER_END;
}
