#include "common/base/list.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 32 /* elements */

int list_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t larger = *capacity > 0 ? *capacity * 2 : FIRST;
    void *array;
    memcpy(&array, items, sizeof array); /* whatever it points to */
    array = realloc(array, larger * size);
    if (!array)
        return ERR_MEMORY;
    memcpy(items, &array, sizeof array);
    *capacity = larger;
    return 0;
}
