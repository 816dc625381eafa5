/*
 * The command line's frame: one table of commands, each with its usage and
 * help, and what they share. A command is a function that reads its arguments
 * with cli_arguments, does its work and returns the exit status. One thread.
 */
#ifndef SERVICES_CLI_CLI_H
#define SERVICES_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/config.h"
#include "common/base/program.h"

struct pg;

enum { EXIT_REFUSED = 3 }; /* send: some events were refused */

struct cli {
    const struct command *command;
    const char *config_dir;
    bool json;             /* --json was given */
    struct config *config; /* of section "throughline"; NULL until cli_load */
};

struct command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *purpose; /* one line */
    const char *help;    /* options and exit statuses, lines of at most 90 columns */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

/* A file each. */
extern const struct command command_migrate, command_check, command_status, command_send,
    command_customers, command_timeline, command_handoffs, command_quarantine, command_replay,
    command_reconcile;

/* Finds argv[1] in `commands` (ends with NULL) and runs it. */
int cli_main(const struct command *const *commands, int argc, char **argv);

enum cli_option_type { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_DURATION };

struct cli_option {
    const char *name; /* "--limit" */
    enum cli_option_type type;
    void *value; /* bool *, const char **, int64_t * (for a duration: milliseconds) */
};

/* Reads options in any place, "--name value" or "--name=value", after "--"
 * arguments only; --config, --json and --help are everybody's. `choices` ends
 * with a NULL name (NULL: none). At least `min` and at most `max` arguments go to
 * `arguments`, the rest is NULL. True to go on; else *status is the exit status
 * (help was asked for, or the usage was wrong and has been told). */
bool cli_arguments(struct cli *cli, int argc, char **argv, const struct cli_option *choices,
                   const char **arguments, int min, int max, int *status);

/* "throughline: …" on standard error. Returns EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same without a word on usage. Returns EXIT_FAILED. */
int cli_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* File, pointer and what to do about it. Returns EXIT_USAGE. */
int cli_fault(const struct fault *fault);

/* Loads the configuration of section "throughline", once. 0, or the exit status to
 * leave with (told). */
int cli_load(struct cli *cli) CHECKED;

/* Connects to `database`, option database_timeout being what an answer may take (pg_set_answer_ms
 * for longer work). A code; why not has been logged. */
int cli_open_database(const struct cli *cli, const char *database, struct pg **pg) CHECKED;

/* Connects to the database of the configuration. 0, or the exit status (told). */
int cli_connect(struct cli *cli, struct pg **pg) CHECKED;

/* As cli_connect, and refuses a database that was not migrated to this version. */
int cli_connect_migrated(struct cli *cli, struct pg **pg) CHECKED;

/* A statement failed with `code`: told on standard error, where it has not been logged already.
 * Returns EXIT_FAILED. */
int cli_query_failed(const struct pg *pg, int code);

/* The command that `word` was probably meant to be; NULL: none comes near. */
const struct command *cli_suggest(const struct command *const *commands, const char *word);

/* Where a program is asked: where option `services` says (after cli_load), else where it listens,
 * "127.0.0.1:8101" or "https://127.0.0.1:8101", as its own configuration
 * says, else `fallback` (may be NULL); a wildcard address becomes loopback. `section` is its name,
 * "tl-sales". False (told in `fault`) when its configuration is wrong or says nothing. `address`
 * has room for `size`. */
bool cli_address(const struct cli *cli, const char *section, enum program_kind kind,
                 const char *fallback, char *address, size_t size, struct fault *fault);

#endif
