/*
 * A strict scanner over JSON text (RFC 8259) that allocates nothing (but for
 * json_scan_grammar). It tells
 * whether bytes are JSON that every part of the system can hold, and where a
 * member's bytes begin and end, which jansson does not: event data must travel
 * byte for byte, decimals must not pass through a double.
 *
 * Valid here means: RFC 8259, well-formed UTF-8, no \u0000, no lone surrogate
 * escapes, at most JSON_DEPTH_LIMIT levels, and numbers that PostgreSQL can
 * hold without blowing up (at most 400 digits once the exponent is written out).
 * Duplicate member names are not looked for here (json_read does).
 */
#ifndef COMMON_JSON_JSON_SCAN_H
#define COMMON_JSON_JSON_SCAN_H

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/span.h"

#define JSON_DEPTH_LIMIT 128

/* The whole text is one JSON value with white space around it. The fault's
 * detail says what is wrong and at which byte, counted from 0. */
int json_scan_check(struct span text, struct fault *fault) CHECKED;

/* Is it JSON at all, by RFC 8259 alone, however deep and however large its numbers,
 * \u0000 and lone surrogate escapes included? 0, ERR_INVALID, ERR_MEMORY (not logged). */
int json_scan_grammar(struct span text, struct fault *fault) CHECKED;

/* The functions below want text that json_scan_check has accepted. */

/* The value (without white space around it) that a JSON Pointer leads to.
 * ERR_NOT_FOUND where there is none. Of duplicate members the last one wins. */
int json_scan_pointer(struct span text, const char *pointer, struct span *value) CHECKED;

/* The text of a string value, escapes resolved: in the arena, or the value's own
 * bytes where nothing had to be resolved. ERR_NOT_FOUND: the value is no string. */
int json_scan_text(struct arena *arena, struct span value, struct span *text) CHECKED;

/* The next element of an array. *cursor starts as 0. False at the end, and for
 * a text that is no array. */
bool json_scan_next(struct span array, size_t *cursor, struct span *value);

/* The next member of an object: the name is raw, with its quotes and escapes. */
bool json_scan_next_member(struct span object, size_t *cursor, struct span *name,
                           struct span *value);

#endif
