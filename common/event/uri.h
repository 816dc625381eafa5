/* Is this text a URI by the grammar of RFC 3986? Nothing is resolved or changed. */
#ifndef COMMON_EVENT_URI_H
#define COMMON_EVENT_URI_H

#include "common/base/span.h"

/* Section 4.1: a URI, or a relative reference as "/mycontext" or "1-555". Not empty. */
bool uri_reference_valid(struct span text);

/* Section 3: with a scheme. */
bool uri_valid(struct span text);

#endif
