/*
 * Text with places: "Deal won: {/amount} {/currency}". A place is a JSON
 * Pointer into a document; "{{" and "}}" are braces. A string stands as it is,
 * a number as it was written in the text, true and false as such; what is
 * missing or null, or is an object or array, becomes nothing.
 */
#ifndef COMMON_EVENT_TEMPLATE_H
#define COMMON_EVENT_TEMPLATE_H

#include "common/base/arena.h"
#include "common/base/fault.h"

/* Braces match and every place is a pointer; at most 64 texts and places. The
 * fault's pointer is left to the caller. */
int template_check(const char *text, struct fault *fault) CHECKED;

/* `document` is text that json_scan_check accepted. Absent (ptr NULL) without
 * memory. *missing, if not NULL, says whether a place had nothing to stand there,
 * or an empty text. */
struct span template_expand(const char *text, struct span document, struct arena *arena,
                            bool *missing);

#endif
