/*
 * What every program does before it begins: --help, --version, --check, --healthy,
 * --config DIR; load the configuration; start the log; install stop.
 */
#ifndef COMMON_BASE_PROGRAM_H
#define COMMON_BASE_PROGRAM_H

#include "common/base/config.h"

#define THROUGHLINE_VERSION "0.1.0"

enum program_exit { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct program {
    const char *name;    /* "tl-sales" */
    const char *purpose; /* one line for --help */
    enum program_kind kind;
    bool takes_department; /* tl-department: also wants --department NAME */
    /* Validates everything this program reads beyond throughline.json; may be NULL. */
    int (*check)(const struct config *config, struct fault *fault);
    /* Asks the program that runs with this configuration whether it is ready. ERR_BUSY, with a
     * fault's detail: it is not. NULL: it has no listener, and no --healthy. */
    int (*healthy)(const struct config *config, struct fault *fault);
};

/* Handles the command line. Returns -1 to go on (config is loaded, log and stop
 * are ready), else the exit status to leave with. The config is the caller's to
 * free; its section is the program's name, or "tl-NAME" for --department NAME,
 * so config_department tells whose program this is. */
int program_start(const struct program *program, int argc, char **argv, struct config **config);

/* "tl-sales: config/throughline.json: /writers: must be …" on standard error. */
void program_print_fault(const char *name, const struct fault *fault);

#endif
