#include "services/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/base/suggest.h"
#include "common/http/http_server.h"
#include "common/http/readiness.h"
#include "common/pg/pg.h"
#include "services/aggregator/schema.h"

#define STOP_MS 1000 /* after Ctrl-C: a short statement comes to its end, a long one is left */

static void print_commands(FILE *out, const struct command *const *commands)
{
    fputs("usage: throughline COMMAND [ARGUMENTS]\n\n", out);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %-11s %s\n", (*c)->name, (*c)->purpose);
    fputs("\n"
          "after any of them:\n\n"
          "  --config DIR   the configuration folder (TL_CONFIG, default: config)\n"
          "  --json         output for programs\n"
          "  --help         of each command too\n"
          "  --version\n",
          out);
}

const struct command *cli_suggest(const struct command *const *commands, const char *word)
{
    enum { MOST = 32 };
    const char *names[MOST + 1] = {0};
    for (int i = 0; i < MOST && commands[i]; i++)
        names[i] = commands[i]->name;
    const char *near = suggest_name(word, names);
    for (int i = 0; i < MOST && commands[i]; i++) {
        bool begins = strlen(word) >= 3 && strncmp(commands[i]->name, word, strlen(word)) == 0;
        if (commands[i]->name == near || (!near && begins))
            return commands[i];
    }
    return NULL;
}

static int unknown_command(const struct command *const *commands, const char *word)
{
    const struct command *meant = cli_suggest(commands, word);
    fprintf(stderr, "throughline: there is no command \"%s\"", word);
    if (meant)
        fprintf(stderr, "; did you mean \"%s\"?", meant->name);
    fputs("\n\n", stderr);
    print_commands(stderr, commands);
    return EXIT_USAGE;
}

/* Output that did not arrive (a full disk, a closed pipe) is a failure too. */
static int close_output(int status)
{
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed)
        return status;
    int told = cli_failed("standard output cannot be written");
    return status == EXIT_OK ? told : status;
}

int cli_main(const struct command *const *commands, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0) {
        puts("throughline " THROUGHLINE_VERSION);
        return close_output(EXIT_OK);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_commands(stdout, commands);
        return close_output(EXIT_OK);
    }
    if (argc < 2) {
        print_commands(stderr, commands);
        return EXIT_USAGE;
    }
    log_init("throughline", LOG_LEVEL_WARN);
    if (stop_install() != 0)
        return EXIT_FAILED;
    const char *folder = getenv("TL_CONFIG");
    struct cli cli = {.config_dir = folder && *folder ? folder : "config"};
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, word) != 0)
            continue;
        cli.command = *c;
        int status = (*c)->run(&cli, argc - 1, argv + 1);
        config_free(cli.config);
        return close_output(status);
    }
    return unknown_command(commands, word);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("throughline: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: throughline %s %s\n", cli->command->name, cli->command->usage);
    return EXIT_USAGE;
}

int cli_failed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("throughline: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int cli_fault(const struct fault *fault)
{
    fputs("throughline: ", stderr);
    if (fault->file[0])
        fprintf(stderr, "%s: ", fault->file);
    if (fault->pointer[0])
        fprintf(stderr, "%s: ", fault->pointer);
    fprintf(stderr, "%s\n", fault->detail);
    return EXIT_USAGE;
}

int cli_load(struct cli *cli)
{
    struct fault fault = {0};
    if (cli->config)
        return 0;
    int rc = config_load(cli->config_dir, "throughline", PROGRAM_CLI, &cli->config, &fault);
    if (rc == 0)
        return 0;
    return rc == ERR_INVALID ? cli_fault(&fault)
                             : cli_failed("the configuration cannot be read: %s", error_name(rc));
}

int cli_open_database(const struct cli *cli, const char *database, struct pg **pg)
{
    const struct pg_options options = {
        .answer_ms = (int)config_number(cli->config, "database_timeout"), .stop_ms = STOP_MS};
    return pg_open(database, "throughline", &options, pg);
}

int cli_connect(struct cli *cli, struct pg **pg)
{
    int status = cli_load(cli);
    if (status != 0)
        return status;
    const char *database = config_text(cli->config, "database");
    if (!database || !*database) {
        fputs("throughline: no database is configured: set TL_DATABASE, or \"database\" in "
              "throughline.json\n",
              stderr);
        return EXIT_USAGE;
    }
    /* Why not has been logged. */
    if (cli_open_database(cli, database, pg) == 0)
        return 0;
    return cli_failed(
        "no connection: TL_DATABASE, or \"database\" in %s/throughline.json, names the "
        "database",
        cli->config_dir);
}

int cli_connect_migrated(struct cli *cli, struct pg **pg)
{
    int status = cli_connect(cli, pg);
    if (status != 0)
        return status;
    int version;
    if ((status = schema_version(*pg, &version)) != 0)
        status = cli_query_failed(*pg, status);
    else if (version < schema_newest())
        status = cli_failed("the database is at version %d of %d: run throughline migrate", version,
                            schema_newest());
    else if (version > schema_newest())
        status = cli_failed("the database is newer (%d) than this program (%d)", version,
                            schema_newest());
    if (status != 0) {
        pg_close(*pg);
        *pg = NULL;
    }
    return status;
}

int cli_query_failed(const struct pg *pg, int code)
{
    if (code == ERR_INVALID || code == ERR_CONFLICT)
        return cli_failed("the database refused (%s): %s", pg_sqlstate(pg), pg_message(pg));
    if (strcmp(pg_sqlstate(pg), "42501") == 0) /* insufficient_privilege */
        return cli_failed("the database's user needs the roles throughline_writer and "
                          "throughline_analyst_pii");
    return EXIT_FAILED;
}

/* "host:port", or "https://host:port", of a service that option `services` names. */
static bool find_named(const char *services, const char *section, char *address, size_t size)
{
    size_t name = strlen(section);
    for (const char *at = services; at && *at; at += strcspn(at, ",")) {
        at += strspn(at, ", ");
        if (strncmp(at, section, name) != 0 || at[name] != '=')
            continue;
        at += name + 1;
        if (strncmp(at, "http://", 7) == 0)
            at += 7;
        int len = snprintf(address, size, "%.*s", (int)strcspn(at, ", "), at);
        return len > 0 && (size_t)len < size;
    }
    return false;
}

bool cli_address(const struct cli *cli, const char *section, enum program_kind kind,
                 const char *fallback, char *address, size_t size, struct fault *fault)
{
    struct config *config;
    if (cli->config && find_named(config_text(cli->config, "services"), section, address, size))
        return true;
    int rc = config_load(cli->config_dir, section, kind, &config, fault);
    if (rc != 0) {
        if (rc != ERR_INVALID)
            (void)fault_set(fault, "", "cannot be read: %s", error_name(rc));
        return false;
    }
    const char *listen = config_text(config, "listen");
    if (!listen)
        listen = fallback;
    const char *scheme = http_server_has_tls(config) ? "https://" : "";
    size_t before = (size_t)snprintf(address, size, "%s", scheme);
    if (listen)
        rc = readiness_address(listen, address + before, size - before, fault);
    else
        rc = fault_set(fault, "/listen", "%s has no address", section);
    config_free(config);
    return rc == 0;
}
