/* Bytes as text and back: hex, base64 (RFC 4648), percent-encoding (RFC 3986). */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include "common/base/arena.h"
#include "common/base/buffer.h"

/* A digit's value, in either case; -1 for anything else. */
int hex_digit(char c);

void hex_append(struct buffer *out, struct span bytes); /* lower case */
/* Writes at most `max` bytes to out; ERR_INVALID for odd length, other digits or too long. */
int hex_decode(struct span text, unsigned char *out, size_t max, size_t *len) CHECKED;

void base64_append(struct buffer *out, struct span bytes); /* padded, standard alphabet */
/* Standard alphabet; padding may be missing (Standard Webhooks' secrets);
 * stray characters and non-zero rest bits are ERR_INVALID. */
int base64_decode(struct span text, unsigned char *out, size_t max, size_t *len) CHECKED;

/* Everything but ALPHA DIGIT - . _ ~ as %XX. */
void percent_append(struct buffer *out, struct span bytes);
/* The same into memory that has room for three times as much; returns the end. */
char *percent_write(char *out, struct span bytes);
/* %XX decoded once; '+' stays a plus; a bare or cut '%' is ERR_INVALID. The
 * result may be `text` itself where nothing had to be decoded. */
int percent_decode(struct arena *arena, struct span text, struct span *out) CHECKED;

/* Well-formed UTF-8 by RFC 3629: no overlong forms, surrogates or NUL. */
bool utf8_valid(struct span text);
/* How many bytes the first character has, by the same rules; 0: it has none. */
size_t utf8_character(struct span text);

#endif
