#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/event/vocabulary.h"
#include "common/json/json_pointer.h"
#include "common/kafka/kafka_admin.h"
#include "services/aggregator/handoff_rules.h"
#include "services/cli/cli.h"
#include "services/cli/text.h"
#include "services/department/department.h"
#include "services/department/source_config.h"

#define FAULTS 64

struct findings {
    struct buffer off; /* a line for each source that is off */
    const char *config_dir;
    struct fault faults[FAULTS]; /* each once */
    size_t count;
};

/* throughline.json is read for each program: what is wrong with it is told once. */
static void note(struct findings *found, int rc, struct fault *fault)
{
    if (rc != ERR_INVALID && !fault->detail[0])
        (void)fault_set(fault, fault->pointer, "cannot be read: %s", error_name(rc));
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->faults[i].file, fault->file) == 0 &&
            strcmp(found->faults[i].pointer, fault->pointer) == 0 &&
            strcmp(found->faults[i].detail, fault->detail) == 0)
            return;
    if (found->count < FAULTS)
        found->faults[found->count++] = *fault;
}

static void check_section(struct findings *found, const char *section, enum program_kind kind)
{
    struct fault fault = {0};
    struct config *config;
    int rc = config_load(found->config_dir, section, kind, &config, &fault);
    if (rc != 0) {
        note(found, rc, &fault);
        return;
    }
    rc = kind == PROGRAM_DEPARTMENT ? department_check_settings(config, &fault)
                                    : kafka_admin_check(config, &fault);
    if (rc != 0 && !fault.file[0])
        snprintf(fault.file, sizeof fault.file, "%s/throughline.json", found->config_dir);
    if (rc != 0)
        note(found, rc, &fault);
    config_free(config);
}

/* A section that no program reads: a service's name mistyped, or its department's file is away. */
static void check_sections(struct findings *found, const struct vocabulary *vocabulary)
{
    struct fault fault = {0};
    json_t *root, *value;
    const char *key;
    if (config_read_json(found->config_dir, "throughline.json", &root, &fault) != 0)
        return; /* told already, where that is wrong */
    json_object_foreach(root, key, value)
    {
        char pointer[sizeof fault.pointer] = "";
        if (strncmp(key, "tl-", 3) != 0 || strcmp(key, "tl-aggregator") == 0 ||
            strcmp(key, "tl-timeline") == 0 || vocabulary_department(vocabulary, span_of(key + 3)))
            continue;
        json_pointer_append(pointer, sizeof pointer, key);
        note(found,
             fault_set(&fault, pointer, "is no program: there is no departments/%s.json", key + 3),
             &fault);
    }
    json_decref(root);
}

static void note_off(struct findings *found, const struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->items[i].off)
            buffer_printf(&found->off, "  source %s is off: %s\n", sources->items[i].name,
                          sources->items[i].off);
}

static void check_rules(struct findings *found, const struct vocabulary *vocabulary)
{
    struct fault fault = {0};
    struct handoff_rules *rules = NULL;
    int rc = handoff_rules_load(found->config_dir, vocabulary, &rules, &fault);
    if (rc != 0)
        note(found, rc, &fault);
    handoff_rules_free(rules);
}

/* Sources and rules name departments and kinds, so they are looked at only where those are well. */
static void check_files(struct findings *found)
{
    struct fault fault = {0};
    struct identity_kinds *kinds = NULL;
    struct vocabulary *vocabulary = NULL;
    struct sources *sources = NULL;
    int rc = identity_kinds_load(found->config_dir, &kinds, &fault);
    if (rc != 0)
        note(found, rc, &fault);
    fault = (struct fault){0};
    rc = vocabulary_load(found->config_dir, &vocabulary, &fault);
    if (rc != 0)
        note(found, rc, &fault);
    for (size_t i = 0; vocabulary && i < vocabulary->count; i++) {
        char section[64];
        snprintf(section, sizeof section, "tl-%s", vocabulary->departments[i].name);
        check_section(found, section, PROGRAM_DEPARTMENT);
    }
    if (vocabulary) {
        check_sections(found, vocabulary);
        check_rules(found, vocabulary);
    }
    fault = (struct fault){0};
    if (kinds && vocabulary &&
        (rc = sources_load(found->config_dir, vocabulary, kinds, &sources, &fault)) != 0)
        note(found, rc, &fault);
    if (sources) {
        note_off(found, sources);
        sources_free(sources);
    }
    if (vocabulary)
        vocabulary_free(vocabulary);
    if (kinds)
        identity_kinds_free(kinds);
}

static void print_json(const struct findings *found)
{
    struct buffer out;
    buffer_init(&out, (size_t)1024 * 1024);
    for (size_t i = 0; i < found->count; i++) {
        const struct fault *fault = &found->faults[i];
        buffer_append_text(&out, i ? ",\n  {\"file\": " : "\n  {\"file\": ");
        text_append_json(&out, span_of(fault->file));
        buffer_append_text(&out, ", \"pointer\": ");
        text_append_json(&out, span_of(fault->pointer));
        buffer_append_text(&out, ", \"detail\": ");
        text_append_json(&out, span_of(fault->detail));
        buffer_append_char(&out, '}');
    }
    printf("{\"ok\": %s, \"faults\": [%.*s]}\n", found->count ? "false" : "true", (int)out.len,
           out.len ? out.data : "");
    buffer_free(&out);
}

static int run(struct cli *cli, int argc, char **argv)
{
    int status;
    if (!cli_arguments(cli, argc, argv, NULL, NULL, 0, 0, &status))
        return status;
    struct findings *found = calloc(1, sizeof *found);
    if (!found)
        return cli_failed("no memory");
    found->config_dir = cli->config_dir;
    buffer_init(&found->off, (size_t)64 * 1024);
    check_section(found, "throughline", PROGRAM_CLI);
    check_section(found, "tl-aggregator", PROGRAM_AGGREGATOR);
    check_files(found);
    if (cli->json)
        print_json(found);
    else if (found->count == 0)
        printf("the configuration in %s is valid\n%.*s", cli->config_dir, (int)found->off.len,
               found->off.len ? found->off.data : "");
    for (size_t i = 0; i < found->count && !cli->json; i++)
        (void)cli_fault(&found->faults[i]);
    status = found->count ? EXIT_USAGE : EXIT_OK;
    buffer_free(&found->off);
    free(found);
    return status;
}

const struct command command_check = {
    "check",
    "",
    "validate the whole configuration",
    "Reads every file of the configuration folder as the programs would, and names file and JSON\n"
    "Pointer of what is wrong; names the sources that are off. Asks no server.\n"
    "\n"
    "exit status: 0 all is well; 2 something is wrong\n",
    run,
};
