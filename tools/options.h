/* SPDX-License-Identifier: MIT */
/* The options of `spf check`. */
#ifndef SPF_TOOL_OPTIONS_H
#define SPF_TOOL_OPTIONS_H

#include "spf.h"

typedef enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_t;

/* One key and value for the configuration, in the order of the command line. */
typedef struct setting {
    const char *key, *value;
    size_t key_length;
} setting_t;

typedef struct options {
    const char *ip, *sender, *helo; /* NULL: not given */
    spf_identity_t identity;
    const char *config_file;
    const char *file;
    unsigned jobs; /* 0: not given */
    bool trace, json, would_be, help;
    color_t color;
    setting_t *settings; /* freed by options_free() */
    size_t setting_count;
} options_t;

/* Fills *options from the command line. 0, or an exit status after a message. */
int options_parse(options_t *options, int argc, char **argv);
void options_free(options_t *options);
/* What was asked for as a configuration: the file, then the settings. 0, or an exit status after a message. */
int options_configure(const options_t *options, spf_config_t **config);
void options_print_help(void);

#endif
