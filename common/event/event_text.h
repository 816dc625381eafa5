/*
 * Text as CloudEvents' type String allows it (spec, section 3.2): well-formed
 * UTF-8 without control characters (U+0000-1F, U+007F-9F) and noncharacters.
 * Attributes, and whatever is to become one, must be such text; else a record
 * we wrote ourselves could not be read back.
 */
#ifndef COMMON_EVENT_EVENT_TEXT_H
#define COMMON_EVENT_EVENT_TEXT_H

#include "common/base/arena.h"

#define EVENT_TEXT_QUOTE 68 /* bytes for event_text_quote's result */

bool event_text_valid(struct span text);

/* Without white space (ASCII) at both ends. */
struct span event_text_trim(struct span text);

/* One line for people out of any well-formed UTF-8: trimmed, what is not allowed
 * becomes a space, and what is longer than `limit` bytes is cut at a character
 * and ends in "…". The result may be part of `text`. ptr NULL without memory. */
struct span event_text_line(struct arena *arena, struct span text, size_t limit);

/* The beginning of a text from outside, fit to stand in a fault's detail: what is
 * not printable ASCII becomes '?'. Returns `quoted`. */
const char *event_text_quote(struct span text, char quoted[EVENT_TEXT_QUOTE]);

#endif
