#include "common/base/program.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/stop.h"

#define DEPARTMENT_LIMIT 32 /* letters of a department's name */

/* The name on log lines, which may come until the process has ended. */
static char section_name[sizeof "tl-" + DEPARTMENT_LIMIT];

struct arguments {
    const char *config, *department;
    bool check, healthy;
};

static void print_help(const struct program *program)
{
    printf("%s: %s\n\n", program->name, program->purpose);
    printf("usage: %s %s[--config DIR] [--check%s]\n\n", program->name,
           program->takes_department ? "--department NAME " : "",
           program->healthy ? " | --healthy" : "");
    if (program->takes_department)
        puts("  --department NAME   the department, which has a file departments/NAME.json");
    puts("  --config DIR        the configuration folder (TL_CONFIG, default config)\n"
         "  --check             validate the configuration, tell what is wrong with it, and end");
    if (program->healthy)
        puts("  --healthy           ask the one that runs with this configuration whether it is\n"
             "                      ready, and end: 0 it is, 1 it is not (told what is missing)");
    puts("  --help, --version\n\n"
         "Exit status: 0 ended as asked, 1 failed, 2 wrong usage or configuration.\n");
    options_print_help(program->kind, stdout);
}

static int usage(const struct program *program, const char *problem)
{
    fprintf(stderr, "%s: %s; --help tells more\n", program->name, problem);
    return EXIT_USAGE;
}

static bool department_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    return strspn(name, letters) > 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) &&
           strlen(name) <= DEPARTMENT_LIMIT;
}

/* -1 to go on, else the exit status. */
static int parse(const struct program *program, int argc, char **argv, struct arguments *arguments)
{
    enum word { CONFIG = 1, DEPARTMENT, CHECK, HEALTHY, HELP, VERSION };
    static const struct option words[] = {
        {"config", required_argument, NULL, CONFIG},
        {"department", required_argument, NULL, DEPARTMENT},
        {"check", no_argument, NULL, CHECK},
        {"healthy", no_argument, NULL, HEALTHY},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {0},
    };
    optind = 0; /* from the beginning, whoever has parsed before */
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (word == HELP) {
            print_help(program);
            return EXIT_OK;
        }
        if (word == VERSION) {
            printf("%s %s\n", program->name, THROUGHLINE_VERSION);
            return EXIT_OK;
        }
        if (word == CONFIG)
            arguments->config = optarg;
        else if (word == CHECK)
            arguments->check = true;
        else if (word == HEALTHY && program->healthy)
            arguments->healthy = true;
        else if (word == DEPARTMENT && program->takes_department)
            arguments->department = optarg;
        else /* getopt_long has told */
            return usage(program, word == DEPARTMENT ? "--department is fixed"
                                  : word == HEALTHY  ? "it has no listener to ask"
                                                     : "wrong usage");
    }
    if (optind < argc)
        return usage(program, "takes no arguments but its options");
    if (program->takes_department && !arguments->department)
        return usage(program, "--department NAME is missing");
    if (program->takes_department && !department_name(arguments->department))
        return usage(program,
                     "a department is named by 1 to 32 of a-z, 0-9 and \"-\", a letter first");
    return -1;
}

void program_print_fault(const char *name, const struct fault *fault)
{
    fprintf(stderr, "%s: %s%s%s%s%s\n", name, fault->file, *fault->file ? ": " : "", fault->pointer,
            *fault->pointer ? ": " : "", fault->detail);
}

/* What was refused is the configuration's fault and told here; the rest was logged. */
static int failed(int rc, const struct fault *fault)
{
    if (!*fault->detail) {
        fprintf(stderr, "%s: %s\n", section_name, error_name(rc));
        return EXIT_FAILED;
    }
    program_print_fault(section_name, fault);
    return EXIT_USAGE;
}

static int check(const struct program *program, const struct config *config)
{
    struct fault fault = {.file = ""};
    int rc = program->check ? program->check(config, &fault) : 0;
    if (rc)
        return failed(rc, &fault);
    puts("configuration is valid");
    return EXIT_OK;
}

/* For a container's health check, to which anything but 0 and 1 means nothing. */
static int healthy(const struct program *program, const struct config *config)
{
    struct fault fault = {.file = ""};
    int rc = program->healthy(config, &fault);
    if (rc) {
        (void)failed(rc, &fault);
        return EXIT_FAILED;
    }
    puts("ready");
    return EXIT_OK;
}

static int end_at_once(const struct program *program, const struct arguments *arguments,
                       const struct config *config)
{
    if (arguments->check)
        return check(program, config);
    if (arguments->healthy)
        return healthy(program, config);
    return stop_install() || stop_install_reload() ? EXIT_FAILED : -1;
}

int program_start(const struct program *program, int argc, char **argv, struct config **config)
{
    struct arguments arguments = {.config = NULL};
    struct fault fault = {.file = ""};
    const char *dir;
    *config = NULL;
    int status = parse(program, argc, argv, &arguments);
    if (status >= 0)
        return status;
    snprintf(section_name, sizeof section_name, "%s%s",
             arguments.department ? "tl-" : program->name,
             arguments.department ? arguments.department : "");
    log_init(section_name, LOG_LEVEL_INFO);
    int rc = config_find_dir(arguments.config, &dir, &fault);
    if (!rc)
        rc = config_load(dir, section_name, program->kind, config, &fault);
    if (rc) {
        status = failed(rc, &fault);
        return arguments.healthy ? EXIT_FAILED : status;
    }
    log_init(section_name, (enum log_level)config_number(*config, "log_level"));
    log_set_format((enum log_format)config_number(*config, "log_format"));
    status = end_at_once(program, &arguments, *config);
    if (status >= 0) {
        config_free(*config);
        *config = NULL;
    }
    return status;
}
