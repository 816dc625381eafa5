/* A folder of its own for a test that reads files, gone when the test ends. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct folder {
    char path[64];
};

static inline void folder_make(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/tl-unit-XXXXXX");
    if (!mkdtemp(folder->path))
        abort();
}

/* Writes "departments/sales.json", making the sub-folder where there is none. */
static inline void folder_write(const struct folder *folder, const char *name, const char *text)
{
    char path[256];
    const char *slash = strchr(name, '/');
    snprintf(path, sizeof path, "%s/%.*s", folder->path, slash ? (int)(slash - name) : 0, name);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

/* A path that ends in "/departments/sales.json", as faults name files. */
static inline bool folder_file_is(const char *path, const char *name)
{
    size_t len = strlen(path), tail = strlen(name);
    return len > tail && path[len - tail - 1] == '/' && strcmp(path + len - tail, name) == 0;
}

static inline void folder_remove(const struct folder *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder->path);
    if (system(command) != 0)
        abort();
}

#endif
