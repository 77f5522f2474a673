/* SPDX-License-Identifier: MIT */
/* The options of `spf check`: one table for parsing, messages and help. */
#include "options.h"

#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 10000, VALUE_BASE = 256 };

typedef struct definition {
    const char *name;
    const char *value; /* what its value is called; NULL: it takes none */
    int (*take)(options_t *options, const struct definition *definition, const char *value);
    size_t offset;        /* of the member of options_t that it sets */
    const char *setting;  /* the key of the configuration that it sets */
    const char *constant; /* the value that it sets the key to */
    const char *help;
} definition_t;

static int take_text(options_t *options, const definition_t *definition, const char *value)
{
    *(const char **)((char *)options + definition->offset) = value;
    return 0;
}

static int take_flag(options_t *options, const definition_t *definition, const char *value)
{
    (void)value;
    *(bool *)((char *)options + definition->offset) = true;
    return 0;
}

static void add_setting(options_t *options, const char *key, size_t key_length, const char *value)
{
    options->settings[options->setting_count++] = (setting_t){key, value, key_length};
}

static int take_setting(options_t *options, const definition_t *definition, const char *value)
{
    add_setting(options, definition->setting, strlen(definition->setting),
                definition->constant != NULL ? definition->constant : value);
    return 0;
}

static int take_pair(options_t *options, const definition_t *definition, const char *value)
{
    const char *equals = strchr(value, '=');

    (void)definition;
    if (equals == NULL)
        return tool_usage_error("check", "--set: %s is not of the form KEY=VALUE",
                                tool_quote(value, strlen(value)).text);
    add_setting(options, value, (size_t)(equals - value), equals + 1);
    return 0;
}

static int take_identity(options_t *options, const definition_t *definition, const char *value)
{
    (void)definition;
    for (spf_identity_t identity = SPF_IDENTITY_MAILFROM; identity <= SPF_IDENTITY_HELO; identity++) {
        if (strcmp(value, spf_identity_name(identity)) == 0) {
            options->identity = identity;
            return 0;
        }
    }
    return tool_usage_error("check", "--identity: %s is neither mailfrom nor helo",
                            tool_quote(value, strlen(value)).text);
}

static int take_color(options_t *options, const definition_t *definition, const char *value)
{
    static const char *const words[] = {[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

    (void)definition;
    for (color_t color = COLOR_AUTO; color <= COLOR_NEVER; color++) {
        if (strcmp(value, words[color]) == 0) {
            options->color = color;
            return 0;
        }
    }
    return tool_usage_error("check", "--color: %s is none of auto, always and never",
                            tool_quote(value, strlen(value)).text);
}

static int take_jobs(options_t *options, const definition_t *definition, const char *value)
{
    char *end;

    (void)definition;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < 1 || number > JOBS_MAX)
        return tool_usage_error("check", "--jobs: %s is no whole number from 1 to %d",
                                tool_quote(value, strlen(value)).text, JOBS_MAX);
    options->jobs = (unsigned)number;
    return 0;
}

#define TEXT(member)        take_text, offsetof(options_t, member), NULL, NULL
#define FLAG(member)        take_flag, offsetof(options_t, member), NULL, NULL
#define SETTING(key, value) take_setting, 0, key, value
#define OTHER(function)     function, 0, NULL, NULL

static const definition_t definitions[] = {
    {"ip", "ADDR", TEXT(ip), "the client's IPv4 or IPv6 address"},
    {"sender", "MAILBOX", TEXT(sender), "the MAIL FROM; <> is the null sender"},
    {"helo", "NAME", TEXT(helo), "the HELO or EHLO name"},
    {"identity", "WHICH", OTHER(take_identity), "mailfrom (default) or helo"},
    {"receiver", "NAME", SETTING("receiver", NULL), "this host's name, for %{r} and the header fields"},
    {"resolver", "ADDR[@PORT]", SETTING("resolver", NULL), "ask this one (repeatable); also system, recursive, none"},
    {"recursive", NULL, SETTING("resolver", "recursive"), "ask the DNS from its root on"},
    {"zone", "FILE", SETTING("zone", NULL), "answer from this zone file (repeatable)"},
    {"dnssec", "FILE", SETTING("trust-anchor", NULL), "validate with this trust anchor"},
    {"timeout", "SECONDS", SETTING("timeout", NULL), "for the whole check, 0.001 to 600; 20 unless set"},
    {"no-prefetch", NULL, SETTING("prefetch", "no"), "ask for one term at a time"},
    {"config", "FILE", TEXT(config_file), "instead of " SPF_CONFIG_FILE},
    {"set", "KEY=VALUE", OTHER(take_pair), "any key of libspf.conf(5) (repeatable)"},
    {"would-be", NULL, FLAG(would_be), "after a permerror: the result without the terms in error"},
    {"trace", NULL, FLAG(trace), "a line for every step of the evaluation"},
    {"json", NULL, FLAG(json), "one JSON object"},
    {"file", "FILE", TEXT(file), "check every line, IP SENDER HELO, of a file; - is standard input"},
    {"jobs", "N", OTHER(take_jobs), "with --file: checks at the same time, 1 to 10000; 64 unless set"},
    {"color", "WHEN", OTHER(take_color), "auto (default: on a terminal, without NO_COLOR), always or never"},
    {"help", NULL, FLAG(help), "this text"},
};

enum { COUNT = sizeof definitions / sizeof definitions[0] };

void options_print_help(void)
{
    fputs("spf check: may this client send mail for this domain, and why?\n\n"
          "Usage: spf check --ip ADDR [--sender MAILBOX] [--helo NAME] [OPTION]...\n"
          "       spf check --file FILE [--jobs N] [OPTION]...\n\n",
          stdout);
    for (size_t i = 0; i < COUNT; i++) {
        const definition_t *definition = &definitions[i];
        int width = printf("  --%s%s%s", definition->name, definition->value != NULL ? " " : "",
                           definition->value != NULL ? definition->value : "");
        printf("%*s%s\n", width < 26 ? 26 - width : 1, "", definition->help);
    }
    fputs("\nWith --zone, and none of --resolver, --recursive and --config, the zones stand alone.\n"
          "Exit status: 0 pass, 1 fail, 2 softfail, 3 neutral, 4 permerror, 5 temperror, 6 none;\n"
          "with --file 0 once every line is checked; 64 usage or bad input, 70 internal error.\n",
          stdout);
}

static int unknown_option(const char *argument)
{
    char names[512] = "";

    for (size_t i = 0; i < COUNT; i++) {
        strcat(names, i == 0 ? "--" : i + 1 < COUNT ? ", --" : " and --");
        strcat(names, definitions[i].name);
    }
    return tool_usage_error("check", "%s is no option; the options are %s", tool_quote(argument, strlen(argument)).text,
                            names);
}

/* What getopt_long() did not take. */
static int option_error(int value, char **argv)
{
    if (value == ':')
        return tool_usage_error("check", "--%s needs a value: %s", definitions[optopt - VALUE_BASE].name,
                                definitions[optopt - VALUE_BASE].value);
    if (optopt >= VALUE_BASE)
        return tool_usage_error("check", "--%s takes no value", definitions[optopt - VALUE_BASE].name);
    return unknown_option(optopt != 0 ? (char[]){'-', (char)optopt, '\0'} : argv[optind - 1]);
}

static int take_options(options_t *options, int argc, char **argv)
{
    struct option table[COUNT + 1] = {{0}};
    int value, status = 0;

    for (int i = 0; i < COUNT; i++)
        table[i] = (struct option){definitions[i].name, definitions[i].value != NULL ? required_argument : no_argument,
                                   NULL, VALUE_BASE + i};
    opterr = 0;
    while (status == 0 && (value = getopt_long(argc, argv, "+:h", table, NULL)) != -1) {
        if (value == 'h')
            options->help = true;
        else if (value < VALUE_BASE)
            return option_error(value, argv);
        else
            status = definitions[value - VALUE_BASE].take(options, &definitions[value - VALUE_BASE], optarg);
    }
    if (status == 0 && optind < argc)
        return tool_usage_error("check", "%s is no option; everything is given by options, as in --ip 192.0.2.1",
                                tool_quote(argv[optind], strlen(argv[optind])).text);
    return status;
}

/* Which options need, or exclude, each other. */
static int check_combination(const options_t *options)
{
    if (options->file != NULL) {
        if (options->ip != NULL || options->sender != NULL || options->helo != NULL)
            return tool_usage_error("check", "--file brings addresses, senders and names; --ip, --sender and --helo "
                                             "do not go with it");
        if (options->trace && !options->json)
            return tool_usage_error("check", "--trace goes with --file only in --json");
        return 0;
    }
    if (options->jobs != 0)
        return tool_usage_error("check", "--jobs goes only with --file");
    if (options->ip == NULL)
        return tool_usage_error("check", "--ip ADDR, the client's address, is missing");
    if (options->identity == SPF_IDENTITY_HELO && options->helo == NULL)
        return tool_usage_error("check", "--helo NAME is missing, which --identity helo is about");
    if (options->sender == NULL && options->helo == NULL)
        return tool_usage_error("check", "--sender MAILBOX or --helo NAME is missing, whose domain is checked");
    return 0;
}

int options_parse(options_t *options, int argc, char **argv)
{
    *options = (options_t){.identity = SPF_IDENTITY_MAILFROM};
    options->settings = calloc((size_t)argc, sizeof *options->settings);
    if (options->settings == NULL)
        return tool_internal_error("check", "out of memory");
    int status = take_options(options, argc, argv);
    return status != 0 || options->help ? status : check_combination(options);
}

void options_free(options_t *options)
{
    free(options->settings);
}

static int config_failed(spf_config_t *config, spf_err_t err)
{
    if (err == SPF_ECONFIG)
        return tool_usage_error("check", "%s", spf_config_error(config));
    return tool_internal_error("check", "%s", spf_strerror(err));
}

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

int options_configure(const options_t *options, spf_config_t **config)
{
    spf_err_t err = spf_config_new(config);

    if (err != SPF_OK)
        return tool_internal_error("check", "%s", spf_strerror(err));
    err = apply(options, *config);
    if (err == SPF_OK)
        return 0;
    int status = config_failed(*config, err);
    spf_config_free(*config);
    return status;
}
