/* throughline.json and the environment, read for one program. */
#include "common/base/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/json/json_pointer.h"

#define FILE_NAME "throughline.json"

/* Room for the values: the environment and the expanded strings are bounded each. */
#define MEMORY_LIMIT (16 << 20)

struct value {
    const char *text; /* NULL: unset, or not this program's */
    int64_t number;
};

struct config {
    struct arena memory; /* of everything below */
    const char *dir, *section;
    enum program_kind kind;
    struct value *values;      /* in the order of the option table */
    struct config_pair *kafka; /* ends with {NULL, NULL} */
    size_t kafka_count;
};

/* Which kind of program a top-level key is the section of; 0: it is no section. */
static unsigned section_kind(const char *key)
{
    if (strcmp(key, "throughline") == 0)
        return PROGRAM_CLI;
    if (strncmp(key, "tl-", 3) != 0)
        return 0;
    if (strcmp(key, "tl-aggregator") == 0)
        return PROGRAM_AGGREGATOR;
    return strcmp(key, "tl-timeline") == 0 ? PROGRAM_ALL : PROGRAM_DEPARTMENT;
}

/* A scalar as the text that an environment variable would have; `number` is
 * room for one. NULL for what is no string, whole number or boolean. */
static const char *scalar_text(const json_t *json, char number[24])
{
    if (json_is_string(json))
        return json_string_value(json);
    if (json_is_boolean(json))
        return json_is_true(json) ? "true" : "false";
    if (!json_is_integer(json))
        return NULL;
    snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
    return number;
}

/* A duration needs its unit, so it is no plain number; nor is a text. */
static bool may_be_number(const struct config_option *option)
{
    return option->type == OPTION_NUMBER || option->type == OPTION_SIZE;
}

/* What can be said of a value before it is expanded. */
static int check_value(const struct config_option *option, const json_t *json, struct fault *fault)
{
    char memory[24];
    int64_t number;
    const char *text = scalar_text(json, memory);
    if (text && !json_is_string(json) && !(json_is_integer(json) && may_be_number(option)))
        text = ""; /* no option takes this */
    if (text && strstr(text, "${"))
        return 0;
    return option_parse(option, text ? text : "", &number, fault);
}

static int check_kafka(json_t *kafka, const char *at, struct fault *fault)
{
    const char *key;
    json_t *value;
    char pointer[sizeof fault->pointer], memory[24];
    if (!json_is_object(kafka))
        return fault_set(fault, at, "must be an object of settings for librdkafka");
    json_object_foreach(kafka, key, value)
    {
        if (scalar_text(value, memory))
            continue;
        snprintf(pointer, sizeof pointer, "%s", at);
        json_pointer_append(pointer, sizeof pointer, key);
        return fault_set(fault, pointer, "must be a string, a whole number, true or false");
    }
    return 0;
}

static int unknown_key(const char *key, const char *pointer, unsigned programs, struct fault *fault)
{
    const char *meant = option_suggest(key, programs);
    if (option_find(key))
        return fault_set(fault, pointer, "is no setting of this program");
    if (meant)
        return fault_set(fault, pointer, "is unknown; did you mean \"%s\"?", meant);
    return fault_set(fault, pointer, "is unknown");
}

/* One object of settings, the top level (`at` is "") or a section. */
static int check_settings(json_t *object, const char *at, unsigned programs, struct fault *fault)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fault_set(fault, at, "must be an object");
    json_object_foreach(object, key, value)
    {
        char pointer[sizeof fault->pointer];
        snprintf(pointer, sizeof pointer, "%s", at);
        json_pointer_append(pointer, sizeof pointer, key);
        const struct config_option *option = option_find(key);
        unsigned section = *at ? 0 : section_kind(key);
        int rc;
        if (section)
            rc = check_settings(value, pointer, section, fault);
        else if (strcmp(key, "kafka") == 0)
            rc = check_kafka(value, pointer, fault);
        else if (!option || !(option->programs & programs))
            rc = unknown_key(key, pointer, programs, fault);
        else if ((rc = check_value(option, value, fault)))
            fault_prefix(fault, pointer);
        if (rc)
            return rc;
    }
    return 0;
}

/* A file that is not there is one without settings. */
static int read_file(const char *dir, json_t **root, struct fault *fault)
{
    int rc = config_read_json(dir, FILE_NAME, root, fault);
    if (rc == ERR_NOT_FOUND) {
        *root = json_object();
        return *root ? 0 : ERR_MEMORY;
    }
    if (rc)
        return rc;
    rc = check_settings(*root, "", PROGRAM_ALL, fault);
    if (rc) {
        json_decref(*root);
        *root = NULL;
    }
    return rc;
}

static int keep_text(struct config *config, const char *text, const char **kept)
{
    *kept = arena_strdup(&config->memory, span_of(text));
    return *kept ? 0 : ERR_MEMORY;
}

/* Expands a value of the file. What is not set is a mistake here: a token that
 * is silently none would let everybody in. */
static int expand_value(struct config *config, const json_t *json, const char *pointer,
                        const char **text, struct fault *fault)
{
    char memory[24], *expanded;
    int rc = config_expand(scalar_text(json, memory), &expanded, fault);
    if (rc == ERR_MEMORY)
        return rc;
    if (rc) {
        fault_prefix(fault, pointer);
        return ERR_INVALID;
    }
    rc = keep_text(config, expanded, text);
    free(expanded);
    return rc;
}

static int take_from_file(struct config *config, const struct config_option *option, json_t *object,
                          const char *at, struct value *value, struct fault *fault)
{
    char pointer[sizeof fault->pointer];
    snprintf(pointer, sizeof pointer, "%s", at);
    json_pointer_append(pointer, sizeof pointer, option->key);
    json_t *json = json_object_get(object, option->key);
    int rc = expand_value(config, json, pointer, &value->text, fault);
    if (rc)
        return rc;
    rc = option_parse(option, value->text, &value->number, fault);
    if (rc)
        fault_prefix(fault, pointer);
    return rc;
}

static int take_text(struct config *config, const struct config_option *option, const char *text,
                     struct value *value, struct fault *fault)
{
    int rc = option_parse(option, text, &value->number, fault);
    return rc ? rc : keep_text(config, text, &value->text);
}

/* The settings that the program reads: its own section, named by `at`, and the top level. */
struct settings {
    json_t *root, *section;
    char at[256];
};

static int take_value(struct config *config, const struct settings *settings,
                      const struct config_option *option, struct value *value, struct fault *fault)
{
    char variable[64];
    option_variable(option, variable);
    char *given = NULL;
    int rc = config_variable(variable, &given, fault);
    if (!rc)
        rc = take_text(config, option, given, value, fault);
    free(given);
    if (rc && rc != ERR_NOT_FOUND && fault)
        snprintf(fault->file, sizeof fault->file, "%s", variable);
    if (rc != ERR_NOT_FOUND)
        return rc;
    if (json_object_get(settings->section, option->key))
        return take_from_file(config, option, settings->section, settings->at, value, fault);
    if (json_object_get(settings->root, option->key))
        return take_from_file(config, option, settings->root, "", value, fault);
    return option->fallback ? take_text(config, option, option->fallback, value, fault) : 0;
}

static int take_values(struct config *config, const struct settings *settings, struct fault *fault)
{
    config->values = arena_alloc(&config->memory, config_options_count * sizeof *config->values);
    if (!config->values)
        return ERR_MEMORY;
    memset(config->values, 0, config_options_count * sizeof *config->values);
    for (size_t i = 0; i < config_options_count; i++) {
        if (!(config_options[i].programs & config->kind))
            continue;
        int rc = take_value(config, settings, &config_options[i], &config->values[i], fault);
        if (rc)
            return rc;
    }
    return 0;
}

/* All of one "kafka" object but what `winner`, another one, has too. */
static int take_pairs(struct config *config, json_t *object, const char *at, json_t *winner,
                      struct fault *fault)
{
    const char *name;
    json_t *json;
    json_object_foreach(object, name, json)
    {
        if (json_object_get(winner, name))
            continue;
        char pointer[sizeof fault->pointer];
        snprintf(pointer, sizeof pointer, "%s", at);
        json_pointer_append(pointer, sizeof pointer, name);
        struct config_pair *pair = &config->kafka[config->kafka_count];
        int rc = expand_value(config, json, pointer, &pair->value, fault);
        if (!rc)
            rc = keep_text(config, name, &pair->name);
        if (rc)
            return rc;
        config->kafka_count++;
    }
    return 0;
}

static int take_kafka(struct config *config, const struct settings *settings, struct fault *fault)
{
    json_t *common = json_object_get(settings->root, "kafka");
    json_t *own = json_object_get(settings->section, "kafka");
    size_t most = json_object_size(common) + json_object_size(own) + 1;
    config->kafka = arena_alloc(&config->memory, most * sizeof *config->kafka);
    if (!config->kafka)
        return ERR_MEMORY;
    memset(config->kafka, 0, most * sizeof *config->kafka);
    char at[sizeof settings->at + sizeof "/kafka"];
    snprintf(at, sizeof at, "%s/kafka", settings->at);
    int rc = take_pairs(config, common, "/kafka", own, fault);
    return rc ? rc : take_pairs(config, own, at, NULL, fault);
}

static int take_all(struct config *config, json_t *root, struct fault *fault)
{
    struct settings settings = {root, json_object_get(root, config->section), ""};
    json_pointer_append(settings.at, sizeof settings.at, config->section);
    int rc = take_values(config, &settings, fault);
    return rc ? rc : take_kafka(config, &settings, fault);
}

int config_load(const char *dir, const char *section, enum program_kind program,
                struct config **out, struct fault *fault)
{
    json_t *root = NULL;
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return ERR_MEMORY;
    config->kind = program;
    arena_init(&config->memory, MEMORY_LIMIT);
    int rc = keep_text(config, dir, &config->dir);
    if (!rc)
        rc = keep_text(config, section, &config->section);
    if (!rc)
        rc = read_file(dir, &root, fault);
    if (!rc)
        rc = take_all(config, root, fault);
    json_decref(root);
    if (rc) {
        config_free(config);
        return rc;
    }
    if (fault)
        fault->file[0] = '\0'; /* what goes wrong next is not this file's fault */
    *out = config;
    return 0;
}

int config_load_again(const struct config *running, struct config **out, struct fault *fault)
{
    return config_load(running->dir, running->section, running->kind, out, fault);
}

static void add_key(struct buffer *keys, const char *key)
{
    if (keys->len > 0)
        buffer_append_char(keys, ' ');
    buffer_append_text(keys, key);
}

static bool same_value(const struct config_option *option, const struct value *a,
                       const struct value *b)
{
    if (!a->text || !b->text)
        return a->text == b->text;
    return option->type == OPTION_TEXT ? strcmp(a->text, b->text) == 0 : a->number == b->number;
}

static bool same_pairs(const struct config_pair *a, const struct config_pair *b)
{
    while (a->name && b->name && strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0)
        a++, b++;
    return !a->name && !b->name;
}

void config_keep_fixed(struct config *fresh, const struct config *running, struct buffer *keys)
{
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        if ((option->flags & OPTION_RELOADS) ||
            same_value(option, &fresh->values[i], &running->values[i]))
            continue;
        fresh->values[i] = running->values[i];
        add_key(keys, option->key);
    }
    if (same_pairs(fresh->kafka, running->kafka))
        return;
    fresh->kafka = running->kafka;
    fresh->kafka_count = running->kafka_count;
    add_key(keys, "kafka");
}

void config_free(struct config *config)
{
    if (!config)
        return;
    arena_free(&config->memory);
    free(config);
}

const char *config_dir(const struct config *config)
{
    return config->dir;
}

const char *config_section(const struct config *config)
{
    return config->section;
}

const char *config_department(const struct config *config)
{
    bool department = config->kind == PROGRAM_DEPARTMENT && strncmp(config->section, "tl-", 3) == 0;
    return department ? config->section + 3 : NULL;
}

static const struct value *value_of(const struct config *config, const char *key, bool text)
{
    const struct config_option *option = option_find(key);
    if (!option || !(option->programs & config->kind) || (option->type == OPTION_TEXT) != text) {
        log_error("A setting was asked for that the option table does not have for this program",
                  LOG_TEXT("key", key));
        abort();
    }
    return &config->values[option - config_options];
}

const char *config_text(const struct config *config, const char *key)
{
    return value_of(config, key, true)->text;
}

int64_t config_number(const struct config *config, const char *key)
{
    return value_of(config, key, false)->number;
}

const struct config_pair *config_kafka(const struct config *config)
{
    return config->kafka;
}
