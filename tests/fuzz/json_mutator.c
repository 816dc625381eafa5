/*
 * Mutations that leave JSON JSON: a value takes another's place, or one of those
 * that are known to hurt. Bytes changed at random are hardly ever JSON, and then
 * what lies behind the scanner is never reached. Every other mutation, and every one of an
 * input that has no JSON in it, is libFuzzer's own.
 */
#include <stdlib.h>

#include "common/json/json_scan.h"
#include "tests/fuzz/kit.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#define VALUES_LIMIT 512

static const char *const hurtful[] = {"null",
                                      "true",
                                      "0",
                                      "-0.0",
                                      "1e399",
                                      "1E-60",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "12345678901234567890.12",
                                      "1767867127",
                                      "1767867127672",
                                      "-1",
                                      "\"\"",
                                      "\" \"",
                                      "[]",
                                      "{}",
                                      "[null]",
                                      "\"2026-01-08T10:12:07.672717Z\"",
                                      "\"2030-01-01T00:00:00Z\"",
                                      "\"20.00\"",
                                      "\"1e60\"",
                                      "\"EUR\"",
                                      "\"eur\"",
                                      "\"a@b.example\"",
                                      "\"A@B.example..\"",
                                      "\"+49 (0)30 123456\"",
                                      "\"\\u00e4\\ud83d\\ude00\"",
                                      "\"\\n\\u0085\\ufdd0\"",
                                      "[{\"a\":[1,2]},\"b\"]",
                                      "{\"a\":{\"b\":null}}",
                                      "\"/a~1b/0\"",
                                      "\"{/a}{{\""};

/* Every value in the text, a name of a member counting as one. */
static size_t collect(struct span whole, struct span *values)
{
    size_t count = 1;
    values[0] = whole;
    for (size_t i = 0; i < count; i++) {
        struct span name, value;
        size_t cursor = 0;
        while (count + 1 < VALUES_LIMIT && json_scan_next(values[i], &cursor, &value))
            values[count++] = value;
        cursor = 0;
        while (count + 2 < VALUES_LIMIT &&
               json_scan_next_member(values[i], &cursor, &name, &value)) {
            values[count++] = name;
            values[count++] = value;
        }
    }
    return count;
}

/* The JSON in the input: what follows the first bracket, or, of two documents with a
 * line of "--" between them, one. Absent where there is none. */
static struct span find_json(const uint8_t *data, size_t size, bool second)
{
    struct span text = {(const char *)data, size}, value;
    const char *mark = size ? memmem(data, size, "\n--\n", 4) : NULL;
    if (mark && second)
        text = (struct span){mark + 4, size - (size_t)(mark + 4 - text.ptr)};
    else if (mark)
        text.len = (size_t)(mark - text.ptr);
    while (text.len && *text.ptr != '{' && *text.ptr != '[')
        text = (struct span){text.ptr + 1, text.len - 1};
    if (text.len == 0 || json_scan_check(text, NULL) != 0 ||
        json_scan_pointer(text, "", &value) != 0)
        return (struct span){NULL, 0};
    return value;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static struct span values[VALUES_LIMIT];
    struct span json = find_json(data, size, seed & 1);
    if (seed & 2 || !json.ptr)
        return LLVMFuzzerMutate(data, size, max_size);
    srandom(seed);
    size_t count = collect(json, values);
    struct span old = values[(size_t)random() % count], with;
    if (random() & 1)
        with = span_of(hurtful[(size_t)random() % (sizeof hurtful / sizeof *hurtful)]);
    else
        with = values[(size_t)random() % count];
    char *copy = malloc(with.len + 1);
    if (!copy || size - old.len + with.len > max_size) {
        free(copy);
        return LLVMFuzzerMutate(data, size, max_size);
    }
    memcpy(copy, with.ptr, with.len);
    size_t at = (size_t)(old.ptr - (const char *)data);
    memmove(data + at + with.len, data + at + old.len, size - at - old.len);
    memcpy(data + at, copy, with.len);
    free(copy);
    return size - old.len + with.len;
}
