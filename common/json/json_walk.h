/*
 * What the files of common/json share with each other. Not for others.
 */
#ifndef COMMON_JSON_JSON_WALK_H
#define COMMON_JSON_JSON_WALK_H

#include "common/json/json_scan.h"

/* The UTF-16 unit of the "\uXXXX" at `p`, -1 where there is none. */
int json_unit(const char *p, const char *end);

/* Takes the first character off the raw inside of a JSON string (not empty,
 * accepted by json_scan_check) and writes it, escapes resolved, as UTF-8.
 * Returns its bytes. */
size_t json_next_character(struct span *raw, char out[4]);

/* The same for a token of a JSON Pointer: a byte, "~0" and "~1" resolved. */
char json_next_token_byte(struct span *token);

/* Takes the first token off a pointer that is not empty. */
struct span json_next_token(const char **pointer);

/* An array index by RFC 6901, section 4: digits without a leading zero. */
bool json_token_index(struct span token, size_t *index);

/* Writes the pointer of the innermost value, or member, that holds the byte at
 * `offset` of a text that json_scan_check has accepted. */
void json_pointer_at(struct span text, size_t offset, char *pointer, size_t size);

#endif
