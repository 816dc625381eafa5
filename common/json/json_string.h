/* The text that a JSON string stands for, without building a tree. */
#ifndef COMMON_JSON_JSON_STRING_H
#define COMMON_JSON_JSON_STRING_H

#include "common/base/arena.h"
#include "common/base/error.h"

/* `value` is a value with its quotes, out of text that json_scan_check accepted.
 * The result is part of `value` where nothing is escaped, else of the arena.
 * ERR_INVALID where the value is no string; ERR_MEMORY. */
int json_string_decode(struct arena *arena, struct span value, struct span *text) CHECKED;

#endif
