/*
 * A jansson tree of a text that json_scan_check has accepted. Not by jansson's own reader: that
 * ignores a failure to grow the buffer that it keeps a token in, so that without memory a string
 * loses a character unnoticed, or an assertion ends the process. For json_read; not for others.
 */
#ifndef COMMON_JSON_JSON_TREE_H
#define COMMON_JSON_JSON_TREE_H

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/span.h"

enum json_tree_trouble { JSON_TREE_MEMORY, JSON_TREE_TWICE, JSON_TREE_NUMBER };

/* The caller's to json_decref. NULL: without memory; or, at the byte `*at`, an object has a member
 * twice, or a number is past what jansson holds (64 bit for whole ones, a double for others). */
json_t *json_tree_of(struct span text, enum json_tree_trouble *trouble, size_t *at);

#endif
