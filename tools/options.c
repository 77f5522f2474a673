/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_BASE = 256, OPTIONS_MAX = 64 };

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* -------------------------------------------------------------------------------------------------- taking a value */

static void *member(options_t *options, const option_definition_t *definition)
{
    return (char *)options + definition->offset;
}

int option_take_text(options_t *options, const option_definition_t *definition, const char *value)
{
    *(const char **)member(options, definition) = value;
    return 0;
}

int option_take_flag(options_t *options, const option_definition_t *definition, const char *value)
{
    (void)value;
    *(bool *)member(options, definition) = true;
    return 0;
}

int option_take_number(options_t *options, const option_definition_t *definition, const char *value)
{
    char *end;

    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < definition->min ||
        number > definition->max)
        return tool_usage_error(options->command->verb, "--%s: %s is no whole number from %u to %u", definition->name,
                                tool_quote(value, strlen(value)).text, definition->min, definition->max);
    *(unsigned *)member(options, definition) = (unsigned)number;
    return 0;
}

int option_take_word(options_t *options, const option_definition_t *definition, const char *value)
{
    const char *word = definition->constant;
    size_t length = strlen(value);

    for (unsigned index = 0;; index++) {
        size_t word_length = strcspn(word, ",");
        if (word_length == length && memcmp(word, value, length) == 0) {
            *(unsigned *)member(options, definition) = index;
            return 0;
        }
        if (word[word_length] == '\0')
            break;
        word += word_length + strlen(", ");
    }
    return tool_usage_error(options->command->verb, "--%s: %s is none of %s", definition->name,
                            tool_quote(value, length).text, definition->constant);
}

static int add_text(options_t *options, text_list_t *list, const char *text)
{
    if (list->texts == NULL) {
        list->texts = calloc((size_t)options->argc, sizeof *list->texts);
        if (list->texts == NULL)
            return tool_internal_error(options->command->verb, "out of memory");
        options->lists[options->list_count++] = list->texts;
    }
    list->texts[list->count++] = text;
    return 0;
}

int option_take_list(options_t *options, const option_definition_t *definition, const char *value)
{
    return add_text(options, member(options, definition), value);
}

static int add_setting(options_t *options, const char *key, size_t key_length, const char *value)
{
    if (options->settings == NULL)
        options->settings = calloc((size_t)options->argc, sizeof *options->settings);
    if (options->settings == NULL)
        return tool_internal_error(options->command->verb, "out of memory");
    options->settings[options->setting_count++] = (setting_t){key, value, key_length};
    return 0;
}

int option_take_setting(options_t *options, const option_definition_t *definition, const char *value)
{
    return add_setting(options, definition->constant, strlen(definition->constant),
                       definition->preset != NULL ? definition->preset : value);
}

static int take_pair(options_t *options, const option_definition_t *definition, const char *value)
{
    const char *equals = strchr(value, '=');

    if (equals == NULL)
        return tool_usage_error(options->command->verb, "--%s: %s is not of the form KEY=VALUE", definition->name,
                                tool_quote(value, strlen(value)).text);
    return add_setting(options, value, (size_t)(equals - value), equals + 1);
}

/* ------------------------------------------------------------------------------------------------ what all verbs take
 */

static const option_definition_t dns_options[] = {
    {"resolver", "ADDR[@PORT]", OPTION_SETTING("resolver", NULL),
     "ask this one (repeatable); also system, recursive, none"},
    {"recursive", NULL, OPTION_SETTING("resolver", "recursive"), "ask the DNS from its root on"},
    {"zone", "FILE", OPTION_SETTING("zone", NULL), "answer from this zone file (repeatable)"},
    {"dnssec", "FILE", OPTION_SETTING("trust-anchor", NULL), "validate with this trust anchor"},
    {"timeout", "SECONDS", OPTION_SETTING("timeout", NULL), "for all of it, 0.001 to 600; 20 unless set"},
    {"config", "FILE", OPTION_TEXT(options_t, config_file), "instead of " SPF_CONFIG_FILE},
    {"set", "KEY=VALUE", take_pair, 0, NULL, NULL, 0, 0, "any key of libspf.conf(5) (repeatable)"},
};

static const option_definition_t common_options[] = {
    {"color", "WHEN", OPTION_WORD(options_t, color, "auto, always, never"),
     "auto (default: on a terminal, without NO_COLOR), always or never"},
    {"help", NULL, OPTION_FLAG(options_t, help), "this text"},
};

/* All options of a verb, in the order of its help. */
typedef struct table {
    const option_definition_t *rows[OPTIONS_MAX];
    size_t count;
} table_t;

static void add_rows(table_t *table, const option_definition_t *rows, size_t count)
{
    for (size_t i = 0; i < count && table->count < OPTIONS_MAX; i++)
        table->rows[table->count++] = &rows[i];
}

static table_t table_of(const command_t *command)
{
    table_t table = {.count = 0};

    add_rows(&table, command->options, command->option_count);
    if (command->asks_dns)
        add_rows(&table, dns_options, sizeof dns_options / sizeof dns_options[0]);
    add_rows(&table, common_options, sizeof common_options / sizeof common_options[0]);
    return table;
}

void command_print_help(const command_t *command)
{
    table_t table = table_of(command);

    printf("spf %s: %s\n\n%s\n", command->verb, command->summary, command->usage);
    for (size_t i = 0; i < table.count; i++) {
        const option_definition_t *row = table.rows[i];
        int width =
            printf("  --%s%s%s", row->name, row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
        printf("%*s%s\n", width < 26 ? 26 - width : 1, "", row->help);
    }
    if (command->asks_dns)
        puts("\nWith --zone, and none of --resolver, --recursive and --config, the zones stand alone.");
    if (command->notes != NULL)
        fputs(command->notes, stdout);
}

/* --------------------------------------------------------------------------------------------------------- parsing */

static int unknown_option(const command_t *command, const table_t *table, const char *argument)
{
    char names[1024] = "";

    for (size_t i = 0; i < table->count; i++) {
        strcat(names, i == 0 ? "--" : i + 1 < table->count ? ", --" : " and --");
        strcat(names, table->rows[i]->name);
    }
    return tool_usage_error(command->verb, "%s is no option; the options are %s%s",
                            tool_quote(argument, strlen(argument)).text, names,
                            command->takes_terms ? "; a term that begins with \"-\" stands behind \"--\"" : "");
}

/* What getopt_long() did not take of an argument. */
static int option_error(const command_t *command, const table_t *table, int value, const char *argument)
{
    if (value == ':')
        return tool_usage_error(command->verb, "--%s needs a value: %s", table->rows[optopt - VALUE_BASE]->name,
                                table->rows[optopt - VALUE_BASE]->value);
    if (optopt >= VALUE_BASE)
        return tool_usage_error(command->verb, "--%s takes no value", table->rows[optopt - VALUE_BASE]->name);
    return unknown_option(command, table, argument);
}

static int take_operand(options_t *options, const char *operand)
{
    const command_t *command = options->command;

    if (options->operands.count < command->operand_max)
        return add_text(options, &options->operands, operand);
    return tool_usage_error(command->verb, command->operand_max == 0 ? "%s is no option; %s" : "%s is one too many; %s",
                            tool_quote(operand, strlen(operand)).text, command->advice);
}

/* Options and operands in any order; behind "--" all are operands. 0, or an exit status after a message. */
static int parse(options_t *options, int argc, char **argv)
{
    const command_t *command = options->command;
    table_t table = table_of(command);
    struct option rows[OPTIONS_MAX + 1] = {{0}};
    int value, at, status = 0;

    for (size_t i = 0; i < table.count; i++)
        rows[i] = (struct option){table.rows[i]->name, table.rows[i]->value != NULL ? required_argument : no_argument,
                                  NULL, VALUE_BASE + (int)i};
    opterr = 0;
    while (at = optind, status == 0 && (value = getopt_long(argc, argv, "-:h", rows, NULL)) != -1) {
        if (value == 'h')
            options->help = true;
        else if (value == 1)
            status = take_operand(options, optarg);
        else if (value < VALUE_BASE)
            return option_error(command, &table, value, argv[at]);
        else
            status = table.rows[value - VALUE_BASE]->take(options, table.rows[value - VALUE_BASE], optarg);
    }
    for (int i = optind; status == 0 && i < argc; i++)
        status = take_operand(options, argv[i]);
    return status;
}

/* --------------------------------------------------------------------------------------------------- configuration */

static bool has_setting(const options_t *options, const char *key)
{
    for (size_t i = 0; i < options->setting_count; i++)
        if (options->settings[i].key_length == strlen(key) &&
            memcmp(options->settings[i].key, key, options->settings[i].key_length) == 0)
            return true;
    return false;
}

static spf_err_t apply_setting(spf_config_t *config, const setting_t *setting)
{
    char *key = strndup(setting->key, setting->key_length);

    if (key == NULL)
        return SPF_ENOMEM;
    spf_err_t err = spf_config_set(config, key, setting->value);
    free(key);
    return err;
}

static spf_err_t apply(const options_t *options, spf_config_t *config)
{
    spf_err_t err = spf_config_load(config, options->config_file);

    /* Resolvers on the command line replace the file's. Zones without any word about resolvers stand alone. */
    if (err == SPF_OK &&
        (has_setting(options, "resolver") || (has_setting(options, "zone") && options->config_file == NULL)))
        err = spf_config_set(config, "resolver", "none");
    for (size_t i = 0; err == SPF_OK && i < options->setting_count; i++)
        err = apply_setting(config, &options->settings[i]);
    return err;
}

/* A sentence for a failure of a call that was given the configuration. */
static int config_failed(const options_t *options, const spf_config_t *config, spf_err_t err)
{
    const char *error = spf_config_error(config);

    if (error[0] == '\0')
        error = spf_strerror(err);
    return err == SPF_ECONFIG ? tool_usage_error(options->command->verb, "%s", error)
                              : tool_internal_error(options->command->verb, "%s", error);
}

/* What was asked for as a configuration: the file, then the settings. 0, or an exit status after a message. */
static int configure(const options_t *options, spf_config_t **config)
{
    spf_err_t err = spf_config_new(config);

    if (err != SPF_OK)
        return tool_internal_error(options->command->verb, "%s", spf_strerror(err));
    err = apply(options, *config);
    if (err == SPF_OK)
        return 0;
    int status = config_failed(options, *config, err);
    spf_config_free(*config);
    return status;
}

static int run_with_context(options_t *options)
{
    spf_config_t *config;
    spf_context_t *context;
    int status = configure(options, &config);

    if (status != 0)
        return status;
    spf_err_t err = spf_context_new(&context, config);
    if (err != SPF_OK) {
        status = config_failed(options, config, err);
    } else {
        status = options->command->run(options, context);
        spf_context_release(context);
    }
    spf_config_free(config);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- the whole way
 */

static int parse_and_run(options_t *options, int argc, char **argv)
{
    const command_t *command = options->command;
    int status = parse(options, argc, argv);

    if (status == 0 && options->help) {
        command_print_help(command);
        return 0;
    }
    if (status == 0 && command->check != NULL)
        status = command->check(options);
    if (status != 0)
        return status;
    return command->asks_dns ? run_with_context(options) : command->run(options, NULL);
}

int command_run(const command_t *command, int argc, char **argv)
{
    options_t *options = malloc(command->size);

    if (options == NULL)
        return tool_internal_error(command->verb, "out of memory");
    memcpy(options, command->defaults, command->size);
    options->command = command;
    options->argc = argc;
    int status = parse_and_run(options, argc, argv);
    for (size_t i = 0; i < options->list_count; i++)
        free(options->lists[i]);
    free(options->settings);
    free(options);
    return status;
}

bool options_want_color(const options_t *options)
{
    const char *no_color = getenv("NO_COLOR");

    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return (no_color == NULL || no_color[0] == '\0') && isatty(STDOUT_FILENO) == 1;
}
