/*
 * The configuration folder: throughline.json with common settings on top and a
 * section per program ("tl-sales": {…}), read for one program. A value is
 * taken from, in this order: its TL_… variable, the program's section, the top
 * level, the option table's default.
 *
 * "${NAME}" in any string stands for an environment variable, "${file:PATH}"
 * for a file's content without its last newline; a variable that is not set is taken from
 * the file of its name in the folder that TL_SECRETS names, if there is one. Only where the value
 * counts, so that a program needs the secrets of no other. Unknown keys, wrong types and duplicate
 * keys, in other programs' sections too, are errors that name file (or variable) and pointer.
 *
 * A struct config is read-only after config_load (and config_keep_fixed): any thread may read it.
 */
#ifndef COMMON_BASE_CONFIG_H
#define COMMON_BASE_CONFIG_H

#include <jansson.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/fault.h"
#include "common/base/options.h"

struct config;

struct config_pair { /* a librdkafka setting from "kafka": {…} */
    const char *name, *value;
};

/* `section` is the program's name, "tl-sales" or "throughline". A folder
 * without throughline.json is fine: everything has a default. */
int config_load(const char *dir, const char *section, enum program_kind program,
                struct config **out, struct fault *fault) CHECKED;
void config_free(struct config *config);

/* The same folder, for the same program, as it is now. */
int config_load_again(const struct config *running, struct config **out,
                      struct fault *fault) CHECKED;

/* What a running program cannot change: where such an option of `fresh` (in the option table
 * without OPTION_RELOADS), or a "kafka" setting, differs from `running`, it gets the value of that,
 * and its key is appended to `keys`, a blank between them. `running` must outlive `fresh`. Before
 * others read `fresh`. */
void config_keep_fixed(struct config *fresh, const struct config *running, struct buffer *keys);

const char *config_dir(const struct config *config);
const char *config_section(const struct config *config);
/* "sales" of section "tl-sales"; of a program that is no department, NULL. */
const char *config_department(const struct config *config);

/* NULL where unset and without default. Owned by `config`. Asking with a key
 * that is not in the table for this kind of program, or is of another type, is
 * a bug and aborts. */
const char *config_text(const struct config *config, const char *key);
int64_t config_number(const struct config *config, const char *key); /* also ms, bytes, level */

/* Settings to pass on to librdkafka: the top level's "kafka" object, then the
 * section's, later ones win. Ends with {NULL, NULL}. */
const struct config_pair *config_kafka(const struct config *config);

/* The folder to use: `given` (--config, may be NULL), else TL_CONFIG, else
 * "config". ERR_INVALID when it does not exist. */
int config_find_dir(const char *given, const char **dir, struct fault *fault) CHECKED;

/* Reads one JSON file of the folder ("departments/sales.json"), at most 1 MiB,
 * without expanding ${…}. fault->file names it ("config/departments/sales.json").
 * ERR_NOT_FOUND, with fault, where there is none. Caller json_decref's *out. */
int config_read_json(const char *dir, const char *name, json_t **out, struct fault *fault) CHECKED;

/* A variable's value: from the environment, else from the file of its name in the folder that
 * TL_SECRETS names. ERR_NOT_FOUND (with fault) where neither has it, ERR_INVALID for a file that
 * cannot be read or has more than 64 KiB. *out is malloc'ed. */
int config_variable(const char *name, char **out, struct fault *fault) CHECKED;

/* Expands ${…} in `text`. ERR_NOT_FOUND (with fault) when a variable or file
 * does not exist or is empty; ERR_INVALID for another form, or a file that cannot be
 * read or has more than 64 KiB. *out is malloc'ed. */
int config_expand(const char *text, char **out, struct fault *fault) CHECKED;

/* Calls `visit` for every *.json of a sub-folder in the order of their names,
 * with the name without ".json"; fault->file names the file. Stops at the first
 * non-zero answer and returns it. A missing folder has no files. */
int config_each(const char *dir, const char *subfolder,
                int (*visit)(const char *name, json_t *root, void *context, struct fault *fault),
                void *context, struct fault *fault) CHECKED;

/* ERR_INVALID at the first member of `object` that is not in `allowed` (ends
 * with NULL); `at` is the object's own pointer. */
int config_only_keys(json_t *object, const char *at, const char *const *allowed,
                     struct fault *fault) CHECKED;

#endif
