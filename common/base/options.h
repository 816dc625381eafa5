/*
 * The one table of options. From it come the keys that throughline.json may
 * have, the TL_… environment variables, `--help`, defaults, bounds, and the
 * check of docs/protocol.md and .env.example (tests/unit/test_options.c).
 */
#ifndef COMMON_BASE_OPTIONS_H
#define COMMON_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/fault.h"

enum program_kind { /* bit set: which programs an option is for */
                    PROGRAM_DEPARTMENT = 1,
                    PROGRAM_AGGREGATOR = 2,
                    PROGRAM_CLI = 4,
                    PROGRAM_ALL = 7,
};

enum option_type {
    OPTION_TEXT,     /* not empty */
    OPTION_NUMBER,   /* a whole number */
    OPTION_DURATION, /* "10s"; read as milliseconds */
    OPTION_SIZE,     /* "4 MiB"; read as bytes */
    OPTION_LEVEL,    /* "info"; read as an enum log_level */
    OPTION_FORMAT,   /* "json"; read as an enum log_format */
};

/* Bits of an option's flags. */
enum option_flag {
    OPTION_SECRET = 1,  /* never printed */
    OPTION_RELOADS = 2, /* a new value counts from SIGHUP on; else from a restart */
};

struct config_option {
    const char *key; /* in throughline.json; TL_ + upper case is its variable */
    enum option_type type;
    const char *fallback; /* the default, as text; NULL: none */
    int64_t least, most;  /* bounds of a number, of milliseconds or bytes */
    unsigned programs;
    unsigned flags;   /* OPTION_SECRET, OPTION_RELOADS */
    const char *help; /* one line */
};

extern const struct config_option config_options[];
extern const size_t config_options_count;

const struct config_option *option_find(const char *key);                /* NULL: unknown */
void option_variable(const struct config_option *option, char name[64]); /* "TL_LISTEN" */

/* The key that `name` was probably meant to be, among those of `programs`; NULL:
 * none comes near. */
const char *option_suggest(const char *name, unsigned programs);

/* Checks a value, and reads it as a number where it is one (else 0). */
int option_parse(const struct config_option *option, const char *text, int64_t *number,
                 struct fault *fault) CHECKED;

/* The options of a kind of program for --help: variable, help, default. */
void options_print_help(enum program_kind kind, FILE *out);

#endif
