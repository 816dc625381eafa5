/* "Did you mean …?" for names that are unknown. Pure. */
#ifndef COMMON_BASE_SUGGEST_H
#define COMMON_BASE_SUGGEST_H

/* The name of the list (ends with NULL) that is nearest to `name`, at most two
 * letters off and not more than a third of it; NULL: none is. */
const char *suggest_name(const char *name, const char *const *names);

#endif
