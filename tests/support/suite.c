/* SPDX-License-Identifier: MIT */
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>

/* The openspf suites come from python3-spf, where they are as published; golang-blitiri-go-spf-dev has its own. */
#define SUITE_PYSPF   "/usr/share/doc/python3-spf/"
#define SUITE_BLITIRI "/usr/share/gocode/src/blitiri.com.ar/go/spf/testdata/"

static const struct {
    const char *name;
    const char *path;
} suite_files[] = {
    {"rfc7208-tests", SUITE_PYSPF "rfc7208-tests.yml.gz"},
    {"rfc4408-tests", SUITE_PYSPF "rfc4408-tests.yml.gz"},
    {"pyspf-tests", SUITE_BLITIRI "pyspf-tests.yml"},
    {"blitirispf-tests", SUITE_BLITIRI "blitirispf-tests.yml"},
};

enum { SUITE_STRING_MAX = 255, SUITE_STRINGS_MAX = 64 };

/* One document of the file that is being read. */
typedef struct suite_reader {
    const char *path;
    yaml_document_t *document;
} suite_reader_t;

static void suite_fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    abort();
}

static void *suite_grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count + 1, size);
    if (!grown)
        suite_fail("test suite", "out of memory");
    memset((char *)grown + count * size, 0, size);
    return grown;
}

static char *suite_copy(const char *text, size_t length)
{
    char *copy = suite_grow(NULL, length, 1);
    memcpy(copy, text, length);
    return copy;
}

static yaml_node_t *suite_node(const suite_reader_t *reader, int index)
{
    yaml_node_t *node = yaml_document_get_node(reader->document, index);
    if (!node)
        suite_fail(reader->path, "a node is missing");
    return node;
}

static const char *suite_scalar(const suite_reader_t *reader, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        suite_fail(reader->path, "expected a scalar");
    return (const char *)node->data.scalar.value;
}

static const char *suite_scalar_at(const suite_reader_t *reader, int index)
{
    return suite_scalar(reader, suite_node(reader, index));
}

/* The value of a key in a mapping, NULL without. */
static yaml_node_t *suite_value(const suite_reader_t *reader, const yaml_node_t *mapping, const char *key)
{
    if (mapping->type != YAML_MAPPING_NODE)
        suite_fail(reader->path, "expected a mapping");
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++) {
        if (strcmp(suite_scalar_at(reader, pair->key), key) == 0)
            return suite_node(reader, pair->value);
    }
    return NULL;
}

/* The character-strings of a TXT record that is being read. */
typedef struct suite_strings {
    const char *texts[SUITE_STRINGS_MAX];
    size_t lengths[SUITE_STRINGS_MAX];
    size_t count;
} suite_strings_t;

/* A text is split where it is too long for DNS. */
static void suite_add_string(suite_strings_t *strings, const char *text, size_t length)
{
    do {
        size_t part = length < SUITE_STRING_MAX ? length : SUITE_STRING_MAX;
        if (strings->count == SUITE_STRINGS_MAX)
            suite_fail("test suite", "too long a TXT record");
        strings->texts[strings->count] = text;
        strings->lengths[strings->count++] = part;
        text += part;
        length -= part;
    } while (length);
}

/* A TXT record: one text, or a list of strings. DNS has none without strings: an empty list is an empty one. */
static void suite_add_text(const suite_reader_t *reader, zone_t *zone, const char *name, const yaml_node_t *value)
{
    suite_strings_t strings = {.count = 0};
    if (value->type == YAML_SCALAR_NODE)
        suite_add_string(&strings, suite_scalar(reader, value), value->data.scalar.length);
    else
        for (const yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top;
             item++) {
            const yaml_node_t *node = suite_node(reader, *item);
            suite_add_string(&strings, suite_scalar(reader, node), node->data.scalar.length);
        }
    if (strings.count == 0)
        suite_add_string(&strings, "", 0);
    zone_add_strings(zone, name, strings.texts, strings.lengths, strings.count);
}

static void suite_add_mx(const suite_reader_t *reader, zone_t *zone, const char *name, const yaml_node_t *value)
{
    if (value->type != YAML_SEQUENCE_NODE || value->data.sequence.items.top - value->data.sequence.items.start != 2)
        suite_fail(reader->path, "expected [preference, host]");
    const yaml_node_item_t *items = value->data.sequence.items.start;
    char text[300];
    snprintf(text, sizeof text, "%s %s", suite_scalar_at(reader, items[0]), suite_scalar_at(reader, items[1]));
    zone_add(zone, name, "MX", text);
}

/*
 * One record, {type: value}. The value TIMEOUT is a failure of that type; the types TIMEOUT and SERVFAIL are one of
 * all types not listed. A record of type SPF is served as TXT unless the name has TXT records of its own.
 */
static void suite_add_record(const suite_reader_t *reader, zone_t *zone, const char *name, const char *type,
                             const yaml_node_t *value, bool has_txt)
{
    bool is_text = strcmp(type, "TXT") == 0 || (strcmp(type, "SPF") == 0 && !has_txt);
    const char *scalar = value->type == YAML_SCALAR_NODE ? suite_scalar(reader, value) : "";
    if (strcmp(type, "TIMEOUT") == 0 || strcmp(type, "SERVFAIL") == 0)
        zone_add(zone, name, "*", type);
    else if (strcmp(scalar, "NONE") == 0 || (strcmp(type, "SPF") == 0 && has_txt))
        return;
    else if (strcmp(scalar, "TIMEOUT") == 0)
        zone_add(zone, name, is_text ? "TXT" : type, scalar);
    else if (is_text)
        suite_add_text(reader, zone, name, value);
    else if (strcmp(type, "MX") == 0)
        suite_add_mx(reader, zone, name, value);
    else
        zone_add(zone, name, type, scalar);
}

static bool suite_has_txt(const suite_reader_t *reader, const yaml_node_t *records)
{
    for (const yaml_node_item_t *item = records->data.sequence.items.start; item < records->data.sequence.items.top;
         item++) {
        const yaml_node_t *record = suite_node(reader, *item);
        if (record->type == YAML_MAPPING_NODE && suite_value(reader, record, "TXT"))
            return true;
    }
    return false;
}

static void suite_add_name(const suite_reader_t *reader, zone_t *zone, const char *name, const yaml_node_t *records)
{
    if (records->type != YAML_SEQUENCE_NODE)
        suite_fail(reader->path, "expected a list of records");
    bool has_txt = suite_has_txt(reader, records);
    for (const yaml_node_item_t *item = records->data.sequence.items.start; item < records->data.sequence.items.top;
         item++) {
        const yaml_node_t *record = suite_node(reader, *item);
        if (record->type == YAML_SCALAR_NODE) {
            zone_add(zone, name, "*", suite_scalar(reader, record));
            continue;
        }
        for (const yaml_node_pair_t *pair = record->data.mapping.pairs.start; pair < record->data.mapping.pairs.top;
             pair++)
            suite_add_record(reader, zone, name, suite_scalar_at(reader, pair->key), suite_node(reader, pair->value),
                             has_txt);
    }
}

/* What DNS cannot hold is not served: the suites list names with labels that are too long. */
static zone_t *suite_read_zone(const suite_reader_t *reader, const yaml_node_t *zonedata)
{
    zone_t *zone = zone_new();
    for (const yaml_node_pair_t *pair = zonedata->data.mapping.pairs.start; pair < zonedata->data.mapping.pairs.top;
         pair++) {
        const char *name = suite_scalar_at(reader, pair->key);
        if (zone_name_is_valid(name, strlen(name)))
            suite_add_name(reader, zone, name, suite_node(reader, pair->value));
    }
    return zone;
}

static char *suite_text(const suite_reader_t *reader, const yaml_node_t *test, const char *key, size_t *length)
{
    const yaml_node_t *node = suite_value(reader, test, key);
    *length = node ? node->data.scalar.length : 0;
    return node ? suite_copy(suite_scalar(reader, node), *length) : NULL;
}

static void suite_add_result(suite_case_t *test, const char *word)
{
    spf_result_t result;
    if (test->result_count < SUITE_RESULTS_MAX && spf_result_from_name(word, &result))
        test->results[test->result_count++] = result;
}

static void suite_read_case(const suite_reader_t *reader, suite_case_t *test, const char *name, const yaml_node_t *node)
{
    size_t length;
    test->name = suite_copy(name, strlen(name));
    test->host = suite_text(reader, node, "host", &length);
    test->helo = suite_text(reader, node, "helo", &test->helo_length);
    test->mailfrom = suite_text(reader, node, "mailfrom", &test->mailfrom_length);
    test->explanation = suite_text(reader, node, "explanation", &length);
    if (!test->helo)
        test->helo = suite_copy("", 0);
    const yaml_node_t *result = suite_value(reader, node, "result");
    if (!test->host || !test->mailfrom || !result)
        suite_fail(reader->path, "a case has no host, mailfrom or result");
    if (result->type == YAML_SCALAR_NODE)
        suite_add_result(test, suite_scalar(reader, result));
    else
        for (const yaml_node_item_t *item = result->data.sequence.items.start; item < result->data.sequence.items.top;
             item++)
            suite_add_result(test, suite_scalar_at(reader, *item));
}

static void suite_read_scenario(const suite_reader_t *reader, suite_scenario_t *scenario)
{
    const yaml_node_t *root = yaml_document_get_root_node(reader->document);
    const yaml_node_t *tests = suite_value(reader, root, "tests");
    const yaml_node_t *zonedata = suite_value(reader, root, "zonedata");
    if (!tests || !zonedata)
        suite_fail(reader->path, "a scenario has no tests or no zonedata");
    size_t length;
    scenario->description = suite_text(reader, root, "description", &length);
    scenario->zone = suite_read_zone(reader, zonedata);
    for (const yaml_node_pair_t *pair = tests->data.mapping.pairs.start; pair < tests->data.mapping.pairs.top; pair++) {
        scenario->cases = suite_grow(scenario->cases, scenario->case_count, sizeof *scenario->cases);
        suite_read_case(reader, &scenario->cases[scenario->case_count++], suite_scalar_at(reader, pair->key),
                        suite_node(reader, pair->value));
    }
}

static int suite_gzread(void *file, unsigned char *buffer, size_t size, size_t *length)
{
    int got = gzread(file, buffer, (unsigned)size);
    *length = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static void suite_read(suite_t *suite, const char *path)
{
    gzFile file = gzopen(path, "rb");
    if (!file)
        suite_fail(path, "cannot be opened (packages python3-spf and golang-blitiri-go-spf-dev)");
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input(&parser, suite_gzread, file);
    for (;;) {
        yaml_document_t document;
        if (!yaml_parser_load(&parser, &document))
            suite_fail(path, parser.problem);
        bool is_last = !yaml_document_get_root_node(&document);
        if (!is_last) {
            suite->scenarios = suite_grow(suite->scenarios, suite->scenario_count, sizeof *suite->scenarios);
            suite_scenario_t *scenario = &suite->scenarios[suite->scenario_count++];
            suite_read_scenario(&(suite_reader_t){path, &document}, scenario);
            suite->case_count += scenario->case_count;
        }
        yaml_document_delete(&document);
        if (is_last)
            break;
    }
    yaml_parser_delete(&parser);
    gzclose(file);
}

const char *suite_name(size_t index)
{
    return index < sizeof suite_files / sizeof suite_files[0] ? suite_files[index].name : NULL;
}

suite_t *suite_load(const char *name)
{
    suite_t *suite = suite_grow(NULL, 0, sizeof *suite);
    for (size_t i = 0; suite_name(i); i++) {
        if (strcmp(suite_name(i), name) == 0) {
            suite->name = suite_name(i);
            suite_read(suite, suite_files[i].path);
        }
    }
    if (!suite->name)
        suite_fail(name, "no such suite");
    return suite;
}

static void suite_case_clear(suite_case_t *test)
{
    free(test->name);
    free(test->host);
    free(test->helo);
    free(test->mailfrom);
    free(test->explanation);
}

void suite_keep_case(suite_t *suite, const char *name)
{
    suite->case_count = 0;
    for (size_t i = 0; i < suite->scenario_count; i++) {
        suite_scenario_t *scenario = &suite->scenarios[i];
        size_t kept = 0;
        for (size_t j = 0; j < scenario->case_count; j++) {
            if (strcmp(scenario->cases[j].name, name) == 0)
                scenario->cases[kept++] = scenario->cases[j];
            else
                suite_case_clear(&scenario->cases[j]);
        }
        scenario->case_count = kept;
        suite->case_count += kept;
    }
}

void suite_free(suite_t *suite)
{
    if (!suite)
        return;
    for (size_t i = 0; i < suite->scenario_count; i++) {
        suite_scenario_t *scenario = &suite->scenarios[i];
        for (size_t j = 0; j < scenario->case_count; j++)
            suite_case_clear(&scenario->cases[j]);
        free(scenario->cases);
        free(scenario->description);
        zone_free(scenario->zone);
    }
    free(suite->scenarios);
    free(suite);
}
