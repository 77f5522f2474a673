/* SPDX-License-Identifier: MIT */
/*
 * The command line of a verb: one table for parsing, messages and help. What a verb takes goes into a struct of its own
 * that begins with an options_t; where answers come from, colours and help are the same for all.
 */
#ifndef SPF_TOOL_OPTIONS_H
#define SPF_TOOL_OPTIONS_H

#include "spf.h"

typedef struct options options_t;

/* One option. `take` stores its value, NULL if it takes none, or prints a message and returns an exit status. */
typedef struct option_definition {
    const char *name;
    const char *value; /* what its value is called; NULL: it takes none */
    int (*take)(options_t *options, const struct option_definition *definition, const char *value);
    size_t offset;        /* of the member that it sets, in the verb's struct */
    const char *constant; /* a key of the configuration; or the words that are allowed: "auto, always, never" */
    const char *preset;   /* the value that the key is set to; NULL: the option's own */
    unsigned min, max;    /* of a number */
    const char *help;
} option_definition_t;

/* Rows of such a table: "name", "VALUE", one of these, "help". The member is one of `type`. */
#define OPTION_TEXT(type, member)             option_take_text, offsetof(type, member), NULL, NULL, 0, 0
#define OPTION_FLAG(type, member)             option_take_flag, offsetof(type, member), NULL, NULL, 0, 0
#define OPTION_NUMBER(type, member, min, max) option_take_number, offsetof(type, member), NULL, NULL, min, max
#define OPTION_WORD(type, member, words)      option_take_word, offsetof(type, member), words, NULL, 0, 0
#define OPTION_LIST(type, member)             option_take_list, offsetof(type, member), NULL, NULL, 0, 0
#define OPTION_SETTING(key, value)            option_take_setting, 0, key, value, 0, 0
int option_take_text(options_t *options, const option_definition_t *definition, const char *value);   /* const char * */
int option_take_flag(options_t *options, const option_definition_t *definition, const char *value);   /* bool */
int option_take_number(options_t *options, const option_definition_t *definition, const char *value); /* unsigned */
int option_take_word(options_t *options, const option_definition_t *definition,
                     const char *value); /* unsigned: which */
int option_take_list(options_t *options, const option_definition_t *definition, const char *value); /* text_list_t */
int option_take_setting(options_t *options, const option_definition_t *definition, const char *value);

/* A verb. What it takes goes into a copy of its defaults, which begin with an options_t. */
typedef struct command {
    const char *verb;
    const char *summary;
    const char *usage;  /* what stands above the options in the help, lines ended */
    const char *notes;  /* what stands below; or NULL */
    bool takes_terms;   /* of a record, among its operands */
    const char *advice; /* told to who gives an operand too many: "everything is given by options" */
    bool asks_dns;      /* takes the options about where answers come from */
    size_t operand_max; /* SIZE_MAX: any number */
    const void *defaults;
    size_t size;
    int (*check)(options_t *options); /* which options need, or exclude, each other: 0 or an exit status; or NULL */
    int (*run)(options_t *options, spf_context_t *context); /* the exit status; context NULL if it asks no DNS */
    const option_definition_t *options;
    size_t option_count;
} command_t;

/* Texts of the command line, in its order. */
typedef struct text_list {
    const char **texts;
    size_t count;
} text_list_t;

/* One key and value for the configuration, in the order of the command line. */
typedef struct setting {
    const char *key, *value;
    size_t key_length;
} setting_t;

struct options {
    const command_t *command;
    int argc; /* bounds every list */
    text_list_t operands;
    const char *config_file;
    bool help;
    unsigned color; /* color_t */
    setting_t *settings;
    size_t setting_count;
    void *lists[8]; /* to be freed */
    size_t list_count;
};

/* The whole way of a verb: parses, and prints the help or runs it. argv[0] is the verb. The exit status. */
int command_run(const command_t *command, int argc, char **argv);
void command_print_help(const command_t *command);

/* Whether what goes to standard output is to be coloured. */
bool options_want_color(const options_t *options);

extern const command_t check_command, compose_command, explain_command, flatten_command, lint_command, lookup_command;

#endif
