/* JSON Pointer (RFC 6901) over jansson trees, and reading JSON from outside. */
#ifndef COMMON_JSON_JSON_POINTER_H
#define COMMON_JSON_JSON_POINTER_H

#include <jansson.h>

#include "common/base/fault.h"
#include "common/base/span.h"

/* "" or "/a/0/b~1c"; also rejects a bad "~" escape. */
bool json_pointer_valid(const char *pointer);

/* Borrowed; NULL where the pointer leads nowhere. */
json_t *json_pointer_get(json_t *root, const char *pointer);

/* Appends "/name" to a pointer, escaped; cut silently at `size`. */
void json_pointer_append(char *pointer, size_t size, const char *name);

/* The text after a UTF-8 byte order mark, which RFC 8259 lets a reader skip. */
struct span json_without_mark(struct span text);

/* Parses text from outside: a UTF-8 byte order mark is skipped; then
 * json_scan_check, then a tree, with duplicates rejected. ERR_INVALID, ERR_MEMORY. `json` is the
 * caller's to json_decref. `body`, if not NULL, receives the text after the mark. */
int json_read(struct span text, json_t **json, struct span *body, struct fault *fault) CHECKED;

#endif
