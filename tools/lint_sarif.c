/* SPDX-License-Identifier: MIT */
/* Lint's remarks as a log in the Static Analysis Results Interchange Format, 2.1.0 (OASIS). */
#include "lint.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI_MAX = 1024, HELP_URI_MAX = 128 };

struct lint_sarif {
    json_t *rules; /* one for each code there is a result of */
    json_t *results;
    bool failed; /* no memory */
};

lint_sarif_t *lint_sarif_new(void)
{
    lint_sarif_t *sarif = calloc(1, sizeof *sarif);

    if (sarif == NULL)
        return NULL;
    sarif->rules = json_array();
    sarif->results = json_array();
    return sarif;
}

void lint_sarif_free(lint_sarif_t *sarif)
{
    if (sarif == NULL)
        return;
    json_decref(sarif->rules);
    json_decref(sarif->results);
    free(sarif);
}

/* json_pack() gives NULL also for what it was given as NULL. */
static json_t *checked(lint_sarif_t *sarif, json_t *json)
{
    sarif->failed = sarif->failed || json == NULL;
    return json;
}

static json_t *message(const char *text)
{
    return json_pack("{s:s}", "text", text);
}

typedef struct help_uri {
    char text[HELP_URI_MAX];
} help_uri_t;

/* Where "RFC 7208 section 4.6.4" can be read. */
static help_uri_t help_uri(const char *section)
{
    const char *rfc = section + strcspn(section, "0123456789");
    const char *number = strrchr(section, ' ');
    help_uri_t uri;

    snprintf(uri.text, sizeof uri.text, "https://www.rfc-editor.org/rfc/rfc%.*s.html#section-%s",
             (int)strcspn(rfc, " "), rfc, number != NULL ? number + 1 : "");
    return uri;
}

/* The index of the code's rule, which is made if it is not there. */
static size_t rule_of(lint_sarif_t *sarif, const spf_remark_t *remark)
{
    size_t index;
    json_t *rule;

    json_array_foreach(sarif->rules, index, rule) if (strcmp(json_string_value(json_object_get(rule, "id")),
                                                             remark->code) == 0) return index;
    rule = json_pack("{s:s, s:o, s:s}", "id", remark->code, "shortDescription", message(remark->section), "helpUri",
                     help_uri(remark->section).text);
    checked(sarif, rule);
    if (json_array_append_new(sarif->rules, rule) != 0)
        sarif->failed = true;
    return json_array_size(sarif->rules) - 1;
}

/* A place as people count: lines, and columns of Unicode characters, from 1. */
typedef struct position {
    json_int_t line, column;
} position_t;

static position_t position_of(const char *text, size_t offset)
{
    position_t position = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        bool is_line_end = text[i] == '\n';
        position.line += is_line_end;
        position.column = is_line_end ? 1 : position.column + (((unsigned char)text[i] & 0xc0) != 0x80);
    }
    return position;
}

static json_t *region(const spf_remark_t *remark, size_t offset, size_t length)
{
    position_t start = {1, 1}, end = {1, 1};

    if (remark->record != NULL) {
        start = position_of(remark->record, offset);
        end = position_of(remark->record, offset + length);
    }
    return json_pack("{s:I, s:I, s:I, s:I}", "startLine", start.line, "startColumn", start.column, "endLine", end.line,
                     "endColumn", end.column);
}

static json_t *location(const spf_remark_t *remark, const char *uri, bool has_place)
{
    return json_pack("{s:{s:{s:s}, s:o*}}", "physicalLocation", "artifactLocation", "uri", uri, "region",
                     has_place ? region(remark, remark->offset, remark->length) : NULL);
}

static json_t *fix(const spf_remark_t *remark, const char *uri)
{
    return json_pack("{s:o, s:[{s:{s:s}, s:[{s:o, s:{s:s}}]}]}", "description", message(remark->fix), "artifactChanges",
                     "artifactLocation", "uri", uri, "replacements", "deletedRegion",
                     region(remark, remark->replace_offset, remark->replace_length), "insertedContent", "text",
                     remark->replacement);
}

static const char *const levels[] = {
    [SPF_SEVERITY_ERROR] = "error", [SPF_SEVERITY_WARNING] = "warning", [SPF_SEVERITY_ADVICE] = "note"};

static void add_remark(lint_sarif_t *sarif, const spf_remark_t *remark, const char *uri, bool has_place)
{
    char text[URI_MAX * 4];

    snprintf(text, sizeof text, "%s%s%s", remark->sentence, remark->fix != NULL ? " " : "",
             remark->fix != NULL ? remark->fix : "");
    json_t *result = json_pack("{s:s, s:I, s:s, s:o, s:[o]}", "ruleId", remark->code, "ruleIndex",
                               (json_int_t)rule_of(sarif, remark), "level", levels[remark->severity], "message",
                               message(text), "locations", location(remark, uri, has_place));
    if (checked(sarif, result) != NULL && has_place && remark->replacement != NULL && remark->fix != NULL &&
        json_object_set_new(result, "fixes", json_pack("[o]", fix(remark, uri))) != 0)
        sarif->failed = true;
    if (json_array_append_new(sarif->results, result) != 0)
        sarif->failed = true;
}

/* Octets that may not stand in a URI are escaped (RFC 3986); what is too long is cut. */
static void add_escaped(char uri[URI_MAX], const char *text, const char *plain)
{
    size_t length = strlen(uri);

    for (; *text != '\0' && length < URI_MAX - 4; text++) {
        bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= '0' && *text <= '9') || strchr(plain, *text) != NULL;
        length += (size_t)snprintf(uri + length, URI_MAX - length, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

/* A file, or the TXT records of a name (RFC 4501). */
static void make_uri(char uri[URI_MAX], const char *file, const char *domain)
{
    static const char query[] = "?type=TXT";

    strcpy(uri, file != NULL ? "" : "dns:");
    if (file != NULL) {
        add_escaped(uri, file, "-._~/");
        return;
    }
    add_escaped(uri, domain, "-._~");
    if (strlen(uri) + sizeof query <= URI_MAX)
        strcat(uri, query);
}

/* Places in a record that was given as quoted strings are not those in the strings. */
static bool is_as_given(const spf_remark_t *remark, const char *given, size_t length)
{
    return remark->record == NULL || (remark->record_length == length && memcmp(remark->record, given, length) == 0);
}

void lint_sarif_add(lint_sarif_t *sarif, spf_survey_t *survey, const lint_source_t *source, spf_severity_t least)
{
    const spf_node_t *first = spf_survey_node(survey, 0);
    const spf_remark_t *remark;
    char uri[URI_MAX];

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        bool is_given = remark->node == first || remark->node == NULL;
        if (remark->severity > least)
            continue;
        make_uri(uri, is_given ? source->file : NULL, remark->domain);
        add_remark(sarif, remark, uri,
                   !is_given || source->text == NULL || is_as_given(remark, source->text, source->length));
    }
}

bool lint_sarif_print(const lint_sarif_t *sarif, bool is_whole)
{
    json_t *log =
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:O}}, s:[{s:b}], s:s, s:O}]}", "$schema",
                  "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name",
                  "spf lint", "version", spf_version(), "rules", sarif->rules, "invocations", "executionSuccessful",
                  is_whole, "columnKind", "unicodeCodePoints", "results", sarif->results);
    bool printed = log != NULL && !sarif->failed && json_dumpf(log, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0;

    if (printed)
        putchar('\n');
    json_decref(log);
    return printed;
}
