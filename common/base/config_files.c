/* The files of a configuration folder: reading, listing, expanding, unknown keys. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/config.h"
#include "common/base/suggest.h"
#include "common/json/json_pointer.h"

#define FILE_LIMIT     (1 << 20) /* bytes of a JSON file */
#define EXPANDED_LIMIT (1 << 16) /* bytes of an expanded string */
#define FILES_LIMIT    1000      /* files of a sub-folder */

static void set_file(struct fault *fault, const char *dir, const char *name)
{
    if (!fault)
        return;
    snprintf(fault->file, sizeof fault->file, "%s/%s", dir, name);
    fault->pointer[0] = fault->detail[0] = '\0';
}

int config_find_dir(const char *given, const char **dir, struct fault *fault)
{
    const char *named = given ? given : getenv("TL_CONFIG");
    struct stat info;
    bool told = named && *named;
    *dir = told ? named : "config";
    if (stat(*dir, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    if (!told)
        return fault_set(fault, "",
                         "there is no folder config here: name it by --config or TL_CONFIG");
    if (fault)
        snprintf(fault->file, sizeof fault->file, "%s", given ? "--config" : "TL_CONFIG");
    return fault_set(fault, "", "there is no folder %s", named);
}

/* Appends the file's content. ERR_NOT_FOUND where there is none, ERR_LIMIT
 * where it is longer than the buffer takes, ERR_IO otherwise, with errno. */
static int read_whole(const char *path, struct buffer *content)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    char piece[4096];
    size_t n;
    while (!content->failed && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_append(content, piece, n);
    int rc = 0;
    if (ferror(file))
        rc = ERR_IO;
    else if (content->failed)
        rc = ERR_LIMIT;
    int saved = errno;
    fclose(file);
    errno = saved;
    return rc;
}

static int read_fault(int rc, const char *path, size_t limit, struct fault *fault)
{
    if (rc == ERR_LIMIT)
        return fault_set(fault, "", "%s has more than %zu KiB", path, limit / 1024);
    int invalid = fault_set(fault, "", "%s cannot be read: %s", path,
                            strerror(rc == ERR_NOT_FOUND ? ENOENT : errno));
    return rc == ERR_NOT_FOUND ? rc : invalid;
}

int config_read_json(const char *dir, const char *name, json_t **out, struct fault *fault)
{
    char path[4096];
    set_file(fault, dir, name);
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return fault_set(fault, "", "the path is too long");
    struct buffer content;
    buffer_init(&content, FILE_LIMIT);
    int rc = read_whole(path, &content);
    if (rc)
        rc = read_fault(rc, "the file", FILE_LIMIT, fault);
    else
        rc = json_read(buffer_span(&content), out, NULL, fault);
    buffer_free(&content);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct file_names {
    char *names[FILES_LIMIT]; /* "sales.json" */
    size_t count;
};

static int list_files(DIR *folder, struct file_names *files, struct fault *fault)
{
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0)
            continue;
        if (files->count == FILES_LIMIT)
            return fault_set(fault, "", "there are more than %d files", FILES_LIMIT);
        if (!(files->names[files->count] = strdup(entry->d_name)))
            return ERR_MEMORY;
        files->count++;
    }
    qsort(files->names, files->count, sizeof *files->names, by_name);
    return 0;
}

/* `file` is "sales.json"; it is cut to "sales" for the visitor. */
static int visit_file(const char *dir, const char *subfolder, char *file,
                      int (*visit)(const char *name, json_t *root, void *context,
                                   struct fault *fault),
                      void *context, struct fault *fault)
{
    char path[512];
    if (snprintf(path, sizeof path, "%s/%s", subfolder, file) >= (int)sizeof path)
        return fault_set(fault, "", "a file's name is too long");
    json_t *root;
    int rc = config_read_json(dir, path, &root, fault);
    if (rc)
        return rc;
    file[strlen(file) - strlen(".json")] = '\0';
    rc = visit(file, root, context, fault);
    json_decref(root);
    return rc;
}

int config_each(const char *dir, const char *subfolder,
                int (*visit)(const char *name, json_t *root, void *context, struct fault *fault),
                void *context, struct fault *fault)
{
    char path[4096];
    set_file(fault, dir, subfolder);
    if (snprintf(path, sizeof path, "%s/%s", dir, subfolder) >= (int)sizeof path)
        return fault_set(fault, "", "the path is too long");
    DIR *folder = opendir(path);
    if (!folder && errno == ENOENT)
        return 0;
    if (!folder)
        return fault_set(fault, "", "the folder cannot be read: %s", strerror(errno));
    struct file_names *files = calloc(1, sizeof *files);
    int rc = files ? list_files(folder, files, fault) : ERR_MEMORY;
    closedir(folder);
    for (size_t i = 0; files && i < files->count; i++) {
        if (!rc)
            rc = visit_file(dir, subfolder, files->names[i], visit, context, fault);
        free(files->names[i]);
    }
    free(files);
    if (!rc && fault)
        fault->file[0] = '\0'; /* what goes wrong next is not the last file's fault */
    return rc;
}

/* The content of the file without its last newline. */
static int expand_file(const char *path, struct buffer *out, struct fault *fault)
{
    size_t before = out->len;
    int rc = read_whole(path, out);
    if (rc)
        return read_fault(rc, path, EXPANDED_LIMIT, fault);
    if (out->len > before && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
    if (out->len == before) {
        fault_set(fault, "", "the file %s is empty", path);
        return ERR_NOT_FOUND;
    }
    if (memchr(out->data + before, '\0', out->len - before))
        return fault_set(fault, "", "the file %s is no text", path);
    return 0;
}

/* An empty variable counts as unset, an empty file as none. */
static int expand_variable(const char *name, struct buffer *out, struct fault *fault)
{
    const char *value = getenv(name), *folder = getenv("TL_SECRETS");
    char path[4096];
    if (value && *value) {
        buffer_append_text(out, value);
        return 0;
    }
    if (folder && *folder) {
        if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
            return fault_set(fault, "", "the path in TL_SECRETS is too long");
        int rc = expand_file(path, out, fault);
        if (rc == ERR_NOT_FOUND)
            fault_set(fault, "", "neither the environment variable %s is set, nor is there %s",
                      name, path);
        return rc;
    }
    fault_set(fault, "", "the environment variable %s is not set", name);
    return ERR_NOT_FOUND;
}

int config_variable(const char *name, char **out, struct fault *fault)
{
    struct buffer value;
    buffer_init(&value, EXPANDED_LIMIT);
    int rc = expand_variable(name, &value, fault);
    *out = NULL;
    if (!rc && (value.failed || !(*out = strdup(value.data))))
        rc = ERR_MEMORY;
    buffer_free(&value);
    return rc;
}

static bool variable_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return strspn(name, letters) > 0 && name[strspn(name, more)] == '\0';
}

/* `place` is what stands between the braces. */
static int expand_place(struct span place, struct buffer *out, struct fault *fault)
{
    char name[4096];
    if (place.len >= sizeof name)
        return fault_set(fault, "", "what stands in ${…} is too long");
    memcpy(name, place.ptr, place.len);
    name[place.len] = '\0';
    if (strncmp(name, "file:", 5) == 0 && name[5])
        return expand_file(name + 5, out, fault);
    if (variable_name(name))
        return expand_variable(name, out, fault);
    return fault_set(fault, "", "${%s} must be ${NAME} of an environment variable or ${file:PATH}",
                     name);
}

static int expand_into(const char *text, struct buffer *out, struct fault *fault)
{
    const char *start;
    while ((start = strstr(text, "${"))) {
        const char *end = strchr(start, '}');
        if (!end)
            return fault_set(fault, "", "a \"${\" needs its \"}\"");
        buffer_append(out, text, (size_t)(start - text));
        int rc = expand_place((struct span){start + 2, (size_t)(end - start) - 2}, out, fault);
        if (rc)
            return rc;
        text = end + 1;
    }
    buffer_append_text(out, text);
    return 0;
}

int config_expand(const char *text, char **out, struct fault *fault)
{
    struct buffer expanded;
    buffer_init(&expanded, EXPANDED_LIMIT);
    int rc = expand_into(text, &expanded, fault);
    if (!rc && expanded.failed)
        rc = fault_set(fault, "", "the text is longer than 64 KiB");
    if (!rc && !(*out = strdup(expanded.data ? expanded.data : "")))
        rc = ERR_MEMORY;
    buffer_free(&expanded);
    return rc;
}

int config_only_keys(json_t *object, const char *at, const char *const *allowed,
                     struct fault *fault)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fault_set(fault, at, "must be an object");
    json_object_foreach(object, key, value)
    {
        const char *const *name = allowed;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (*name)
            continue;
        char pointer[sizeof fault->pointer];
        snprintf(pointer, sizeof pointer, "%s", at);
        json_pointer_append(pointer, sizeof pointer, key);
        const char *meant = suggest_name(key, allowed);
        if (meant)
            return fault_set(fault, pointer, "is unknown; did you mean \"%s\"?", meant);
        return fault_set(fault, pointer, "is unknown");
    }
    return 0;
}
