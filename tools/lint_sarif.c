/* SPDX-License-Identifier: MIT */
/* Lint's remarks as a log in the Static Analysis Results Interchange Format, 2.1.0 (OASIS). */
#include "lint.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI_MAX = 1024 };

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

/* The index of the code's rule, which is made if it is not there. */
static size_t rule_of(lint_sarif_t *sarif, const spf_remark_t *remark)
{
    size_t index;
    json_t *rule;

    json_array_foreach(sarif->rules, index, rule) if (strcmp(json_string_value(json_object_get(rule, "id")),
                                                             remark->code) == 0) return index;
    rule = json_pack("{s:s, s:o, s:s}", "id", remark->code, "shortDescription", message(remark->section), "helpUri",
                     "https://www.rfc-editor.org/rfc/rfc7208");
    checked(sarif, rule);
    if (json_array_append_new(sarif->rules, rule) != 0)
        sarif->failed = true;
    return json_array_size(sarif->rules) - 1;
}

/* A record is one line; columns count from 1. */
static json_t *region(size_t offset, size_t length)
{
    return json_pack("{s:i, s:I, s:I}", "startLine", 1, "startColumn", (json_int_t)offset + 1, "endColumn",
                     (json_int_t)(offset + length) + 1);
}

static json_t *location(const spf_remark_t *remark, const char *uri)
{
    return json_pack("{s:{s:{s:s}, s:o}}", "physicalLocation", "artifactLocation", "uri", uri, "region",
                     region(remark->offset, remark->length));
}

static json_t *fix(const spf_remark_t *remark, const char *uri)
{
    return json_pack("{s:o, s:[{s:{s:s}, s:[{s:o, s:{s:s}}]}]}", "description", message(remark->fix), "artifactChanges",
                     "artifactLocation", "uri", uri, "replacements", "deletedRegion",
                     region(remark->replace_offset, remark->replace_length), "insertedContent", "text",
                     remark->replacement);
}

static const char *const levels[] = {
    [SPF_SEVERITY_ERROR] = "error", [SPF_SEVERITY_WARNING] = "warning", [SPF_SEVERITY_ADVICE] = "note"};

static void add_remark(lint_sarif_t *sarif, const spf_remark_t *remark, const char *uri)
{
    char text[URI_MAX * 4];

    snprintf(text, sizeof text, "%s%s%s", remark->sentence, remark->fix != NULL ? " " : "",
             remark->fix != NULL ? remark->fix : "");
    json_t *result = json_pack("{s:s, s:I, s:s, s:o, s:[o]}", "ruleId", remark->code, "ruleIndex",
                               (json_int_t)rule_of(sarif, remark), "level", levels[remark->severity], "message",
                               message(text), "locations", location(remark, uri));
    if (checked(sarif, result) != NULL && remark->replacement != NULL && remark->fix != NULL &&
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

void lint_sarif_add(lint_sarif_t *sarif, spf_survey_t *survey, const char *file, spf_severity_t least)
{
    const spf_node_t *first = spf_survey_node(survey, 0);
    const spf_remark_t *remark;
    char uri[URI_MAX];

    for (size_t i = 0; (remark = spf_survey_remark(survey, i)) != NULL; i++) {
        bool is_given = remark->node == first || remark->node == NULL;
        if (remark->severity > least)
            continue;
        make_uri(uri, is_given ? file : NULL, remark->domain);
        add_remark(sarif, remark, uri);
    }
}

bool lint_sarif_print(const lint_sarif_t *sarif)
{
    json_t *log = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:O}}, s:s, s:O}]}", "$schema",
                            "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool",
                            "driver", "name", "spf lint", "version", spf_version(), "rules", sarif->rules, "columnKind",
                            "unicodeCodePoints", "results", sarif->results);
    bool printed = log != NULL && !sarif->failed && json_dumpf(log, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0;

    if (printed)
        putchar('\n');
    json_decref(log);
    return printed;
}
