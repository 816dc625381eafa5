#include "common/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a character, never in the middle of its UTF-8 bytes: a fault is sent
 * back to the client as JSON. */
static void cut_at_character(char *text, size_t size)
{
    size_t len = strlen(text);
    if (len + 1 < size)
        return;
    while (len > 0 && ((unsigned char)text[len - 1] & 0xC0) == 0x80)
        len--;
    if (len > 0 && (unsigned char)text[len - 1] >= 0xC0)
        len--;
    else
        len = strlen(text);
    text[len] = '\0';
}

/* A pointer is not cut within an escape either: "~" alone would make it none (RFC 6901 section 3).
 */
static void cut_pointer(struct fault *fault)
{
    size_t size = sizeof fault->pointer;
    cut_at_character(fault->pointer, size);
    size_t len = strlen(fault->pointer);
    if (len + 1 == size && fault->pointer[len - 1] == '~')
        fault->pointer[len - 1] = '\0';
}

int fault_set(struct fault *fault, const char *pointer, const char *detail, ...)
{
    if (!fault)
        return ERR_INVALID;
    if (pointer != fault->pointer) {
        snprintf(fault->pointer, sizeof fault->pointer, "%s", pointer);
        cut_pointer(fault);
    }
    va_list args;
    va_start(args, detail);
    vsnprintf(fault->detail, sizeof fault->detail, detail, args);
    va_end(args);
    cut_at_character(fault->detail, sizeof fault->detail);
    return ERR_INVALID;
}

void fault_prefix(struct fault *fault, const char *prefix)
{
    if (!fault)
        return;
    char whole[sizeof fault->pointer * 2];
    snprintf(whole, sizeof whole, "%s%s", prefix, fault->pointer);
    snprintf(fault->pointer, sizeof fault->pointer, "%.*s", (int)sizeof fault->pointer - 1, whole);
    cut_pointer(fault);
}
