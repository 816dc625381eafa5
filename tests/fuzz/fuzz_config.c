/*
 * Files of the configuration folder: the first line names one, the rest is what
 * stands in it. The others are small, and right.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/options.h"
#include "tests/fuzz/kit.h"

static char folder[64];

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* In memory where there is such a place: a file is written for every input. */
static void make_folder(void)
{
    char path[128];
    snprintf(folder, sizeof folder, "%s/tl-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    expect(mkdtemp(folder), "there is room for a folder");
    snprintf(path, sizeof path, "%s/departments", folder);
    expect(mkdir(path, 0700) == 0, "there is room for a folder");
    snprintf(path, sizeof path, "%s/sources", folder);
    expect(mkdir(path, 0700) == 0, "there is room for a folder");
    atexit(remove_folder);
}

/* Absent: there is no such file. */
static void write_file(const char *name, struct span text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!text.ptr) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    expect(file && fwrite(text.ptr, 1, text.len, file) == text.len && fclose(file) == 0,
           "a file can be written");
}

static void check_settings(void)
{
    static const struct {
        const char *section;
        enum program_kind kind;
    } programs[] = {{"tl-sales", PROGRAM_DEPARTMENT},
                    {"tl-aggregator", PROGRAM_AGGREGATOR},
                    {"throughline", PROGRAM_CLI}};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        struct fault fault = {.detail = ""};
        struct config *config;
        int rc = config_load(folder, programs[i].section, programs[i].kind, &config, &fault);
        expect_told(rc, &fault);
        expect(rc == 0 || fault.file[0], "a mistake has its file");
        if (rc != 0)
            continue;
        for (size_t j = 0; j < config_options_count; j++) {
            const struct config_option *option = &config_options[j];
            if (!(option->programs & programs[i].kind))
                continue;
            if (option->type == OPTION_TEXT) {
                expect(!config_text(config, option->key) || *config_text(config, option->key),
                       "a text is not empty");
            } else if (option->type != OPTION_LEVEL && option->type != OPTION_FORMAT) {
                int64_t number = config_number(config, option->key);
                expect(number >= option->least && number <= option->most,
                       "a number lies within its bounds");
            }
        }
        config_free(config);
    }
}

static void check_kinds(void)
{
    struct fault fault = {.detail = ""};
    struct identity_kinds *kinds;
    const struct identity_kind *const *all;
    int rc = identity_kinds_load(folder, &kinds, &fault);
    expect_told(rc, &fault);
    expect(rc == 0 || fault.file[0], "a mistake has its file");
    if (rc != 0)
        return;
    size_t count = identity_kinds_all(kinds, &all);
    for (size_t i = 1; i < count; i++)
        expect(all[i - 1]->rank <= all[i]->rank, "kinds stand in the order of their rank");
    for (size_t i = 0; i < count; i++)
        expect(identity_kind_find(kinds, span_of(all[i]->name)) == all[i], "a kind can be found");
    identity_kinds_free(kinds);
}

static void check_vocabulary(void)
{
    struct fault fault = {.detail = ""};
    struct vocabulary *vocabulary;
    struct sources *sources;
    int rc = vocabulary_load(folder, &vocabulary, &fault);
    expect_told(rc, &fault);
    expect(rc == 0 || fault.file[0], "a mistake has its file");
    if (rc != 0)
        return;
    for (size_t i = 0; i < vocabulary->count; i++) {
        const struct department *department = &vocabulary->departments[i];
        for (size_t j = 0; j < department->type_count; j++) {
            const struct event_type *type;
            expect(department_type(department, span_of(department->types[j].name), &type, &fault) ==
                           0 &&
                       type == &department->types[j],
                   "a type can be found");
        }
    }
    rc = sources_load(folder, vocabulary, kit_world()->kinds, &sources, &fault);
    expect_told(rc, &fault);
    expect(rc == 0 || fault.file[0], "a mistake has its file");
    if (rc == 0)
        sources_free(sources);
    vocabulary_free(vocabulary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name, *usual;
    } files[] = {{"throughline.json", "{}"},
                 {"identities.json", "{\"kinds\": {\"email\": {\"strong\": true}}}"},
                 {"departments/sales.json", "{\"events\": {\"sales.deal.won\": {}}}"},
                 {"sources/fuzz.json", NULL}};
    const size_t count = sizeof files / sizeof *files;
    struct span rest = {(const char *)data, size}, line;
    kit_world();
    if (!*folder)
        make_folder();
    if (!kit_line(&rest, &line))
        return 0;
    size_t which = 0;
    while (which < count && !span_is(line, files[which].name))
        which++;
    if (which == count)
        return 0;
    for (size_t i = 0; i < count; i++)
        write_file(files[i].name, i == which ? rest : span_of(files[i].usual));
    check_settings();
    check_kinds();
    check_vocabulary();
    kit_end();
    return 0;
}
