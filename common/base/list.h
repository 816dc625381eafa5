/* Lists that grow: an array, how many elements are in it, and for how many there is room. */
#ifndef COMMON_BASE_LIST_H
#define COMMON_BASE_LIST_H

#include <stddef.h>

#include "common/base/error.h"

/* Room for one more element of `size` bytes; `items` is the address of the array's pointer.
 * ERR_MEMORY leaves the list as it was. The caller frees the array. */
int list_grow(void *items, size_t count, size_t *capacity, size_t size) CHECKED;

#endif
