/* Reading a command's options and arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/duration.h"
#include "services/cli/cli.h"

struct cursor {
    int argc, at;
    char **argv;
};

static void print_help(const struct command *command)
{
    printf("throughline %s: %s\nusage: throughline %s %s\n\n%s", command->name, command->purpose,
           command->name, command->usage, command->help);
    fputs("\nand for every command: --config DIR, --json, --help\n", stdout);
}

static bool whole_number(const char *text, int64_t *number)
{
    char *end;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits])
        return false;
    *number = strtoll(text, &end, 10);
    return true;
}

/* NULL: fine; else what the option wants. */
static const char *store(const struct cli_option *option, const char *text)
{
    switch (option->type) {
    case CLI_FLAG:
        *(bool *)option->value = true;
        return NULL;
    case CLI_TEXT:
        *(const char **)option->value = text;
        return NULL;
    case CLI_NUMBER:
        return whole_number(text, option->value) ? NULL : "a whole number";
    case CLI_DURATION:
        return duration_parse(text, option->value) == 0 ? NULL : "a time like 500ms, 10s or 5m";
    }
    return "something else";
}

static const struct cli_option *find(const struct cli_option *choices, const char *word, size_t len)
{
    for (; choices && choices->name; choices++)
        if (strlen(choices->name) == len && strncmp(choices->name, word, len) == 0)
            return choices;
    return NULL;
}

/* Reads the option at the cursor. 0, or EXIT_USAGE. */
static int read_option(struct cli *cli, struct cursor *in, const struct cli_option *choices)
{
    const struct cli_option everybodys[] = {
        {"--config", CLI_TEXT, &cli->config_dir}, {"--json", CLI_FLAG, &cli->json}, {0}};
    const char *word = in->argv[in->at++];
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *option = find(choices, word, len);
    if (!option)
        option = find(everybodys, word, len);
    if (!option)
        return cli_usage(cli, "there is no option %.*s", (int)len, word);
    const char *text = equals ? equals + 1 : NULL;
    if (option->type == CLI_FLAG && text)
        return cli_usage(cli, "%s takes no value", option->name);
    if (option->type != CLI_FLAG && !text) {
        if (in->at == in->argc)
            return cli_usage(cli, "%s wants a value", option->name);
        text = in->argv[in->at++];
    }
    const char *wants = store(option, text);
    return wants ? cli_usage(cli, "%s wants %s, not \"%s\"", option->name, wants, text) : 0;
}

bool cli_arguments(struct cli *cli, int argc, char **argv, const struct cli_option *choices,
                   const char **arguments, int min, int max, int *status)
{
    struct cursor in = {argc, 1, argv};
    int count = 0;
    bool only_arguments = false;
    *status = EXIT_OK;
    while (in.at < argc && *status == EXIT_OK) {
        const char *word = argv[in.at];
        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = true;
            in.at++;
        } else if (!only_arguments && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_help(cli->command);
            return false;
        } else if (!only_arguments && word[0] == '-' && word[1]) {
            *status = read_option(cli, &in, choices);
        } else if (count == max) {
            *status = cli_usage(cli, "\"%s\" is one argument too many", word);
        } else {
            arguments[count++] = word;
            in.at++;
        }
    }
    if (*status == EXIT_OK && count < min)
        *status = cli_usage(cli, "an argument is missing");
    for (int i = count; i < max; i++)
        arguments[i] = NULL;
    return *status == EXIT_OK;
}
