/*
 * The one table of options. From it come the keys that throughline.json may
 * have, the TL_… environment variables, `--help`, defaults, and the check of
 * docs/protocol.md and .env.example (tests/unit).
 */
#ifndef COMMON_BASE_OPTIONS_H
#define COMMON_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum program_kind { /* bit set: which programs an option is for */
                    PROGRAM_DEPARTMENT = 1,
                    PROGRAM_AGGREGATOR = 2,
                    PROGRAM_CLI = 4,
                    PROGRAM_ALL = 7,
};

enum option_type {
    OPTION_TEXT,
    OPTION_NUMBER,   /* whole number ≥ 0 */
    OPTION_FLAG,     /* true or false */
    OPTION_DURATION, /* "10s"; read as milliseconds */
    OPTION_SIZE,     /* "4 MiB"; read as bytes */
};

struct option {
    const char *key; /* in throughline.json; TL_ + upper case is its variable */
    enum option_type type;
    const char *fallback; /* the default, as text; NULL: none */
    unsigned programs;
    bool secret;      /* never printed */
    const char *help; /* one line */
};

extern const struct option options[];
extern const size_t options_count;

const struct option *option_find(const char *key);                /* NULL: unknown */
void option_variable(const struct option *option, char name[64]); /* "TL_LISTEN" */

#endif
