/* SPDX-License-Identifier: MIT */
/* The spf command: finds the verb and lets it run. */
#include "options.h"
#include "tool.h"

#include "spf.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int help_run(int argc, char **argv);
static int version_run(int argc, char **argv);

/* A command, or what is none: its name, what it does, and what it is. */
static const struct verb {
    const command_t *command;
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {.command = &check_command},
    {.command = &compose_command},
    {.command = &explain_command},
    {.command = &flatten_command},
    {.command = &lint_command},
    {.command = &lookup_command},
    {NULL, "help", "what there is, or, for a verb, all of its options", help_run},
    {NULL, "version", "the version", version_run},
};

enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static const char *name_of(const struct verb *verb)
{
    return verb->command != NULL ? verb->command->verb : verb->name;
}

static const char *summary_of(const struct verb *verb)
{
    return verb->command != NULL ? verb->command->summary : verb->summary;
}

static void print_error(const char *verb, const char *format, va_list arguments)
{
    fprintf(stderr, verb != NULL ? "spf %s: " : "spf: ", verb);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int tool_usage_error(const char *verb, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_error(verb, format, arguments);
    va_end(arguments);
    return TOOL_USAGE;
}

int tool_internal_error(const char *verb, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_error(verb, format, arguments);
    va_end(arguments);
    return TOOL_INTERNAL;
}

tool_quoted_t tool_quote(const char *text, size_t length)
{
    enum { SHOWN_MAX = 80 };
    tool_quoted_t quoted = {""};
    char *to = quoted.text;

    *to++ = '"';
    for (size_t i = 0; i < length && i < SHOWN_MAX; i++)
        *to++ = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    strcpy(to, length > SHOWN_MAX ? "...\"" : "\"");
    return quoted;
}

bool tool_has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
            return true;
    return false;
}

int tool_check_domain(const char *verb, const char *domain)
{
    const char *at = strrchr(domain, '@');

    if (at != NULL)
        return tool_usage_error(verb, "%s is a mailbox; expected is its domain, %s",
                                tool_quote(domain, strlen(domain)).text, tool_quote(at + 1, strlen(at + 1)).text);
    if (strpbrk(domain, " /:") != NULL || tool_has_control(domain, strlen(domain)))
        return tool_usage_error(verb, "%s is no domain name, as in example.com; a record is given by --record",
                                tool_quote(domain, strlen(domain)).text);
    return 0;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(name_of(&verbs[i]), name) == 0)
            return &verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    char names[256] = "";

    for (size_t i = 0; i < VERB_COUNT; i++) {
        strcat(names, i == 0 ? "" : i + 1 < VERB_COUNT ? ", " : " and ");
        strcat(names, name_of(&verbs[i]));
    }
    return tool_usage_error(NULL, "%s is no verb; the verbs are %s", tool_quote(name, strlen(name)).text, names);
}

static void print_overview(FILE *to)
{
    fputs("spf: Sender Policy Framework (RFC 7208)\n\nUsage: spf VERB [OPTION]...\n\n", to);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  spf %-8s %s\n", name_of(&verbs[i]), summary_of(&verbs[i]));
    fputs("\n'spf help VERB' tells the options of a verb; so do the manual pages, spf(1) first.\n", to);
}

static int help_run(int argc, char **argv)
{
    if (argc > 2)
        return tool_usage_error("help", "%s is one argument too many; help takes one verb at most",
                                tool_quote(argv[2], strlen(argv[2])).text);
    if (argc < 2) {
        print_overview(stdout);
        return 0;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (verb == NULL)
        return unknown_verb(argv[1]);
    if (verb->command != NULL)
        command_print_help(verb->command);
    else
        printf("spf %s: %s\n", verb->name, verb->summary);
    return 0;
}

static int version_run(int argc, char **argv)
{
    if (argc > 1)
        return tool_usage_error("version", "%s is one argument too many; version takes none",
                                tool_quote(argv[1], strlen(argv[1])).text);
    printf("spf %s (libspf %s)\n", SPF_VERSION, spf_version());
    return 0;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return TOOL_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const struct verb *verb = find_verb(name);
    if (verb == NULL)
        return unknown_verb(name);
    return verb->command != NULL ? command_run(verb->command, argc - 1, argv + 1) : verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    /* A reader that goes away, of the output or of a DNS connection, is no reason to die in the middle. */
    signal(SIGPIPE, SIG_IGN);
    int status = run(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return errno == EPIPE ? TOOL_INTERNAL : tool_internal_error(NULL, "cannot write the output: %s", strerror(errno));
}
