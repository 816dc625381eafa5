/*
 * JSON from outside: the scanner, the walks over it, JSON Pointers and json_read,
 * beside what jansson makes of the same bytes. A first line that starts with '/'
 * is a pointer to follow.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/json/decimal.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "tests/fuzz/kit.h"

#define NODES_LIMIT 200

/* The scanner's two judgements, and jansson's, agree but for what json_scan.h says. */
static void compare_judgements(struct span text)
{
    struct fault strict = {.detail = ""}, loose = {.detail = ""};
    json_error_t error;
    int check = json_scan_check(text, &strict), grammar = json_scan_grammar(text, &loose);
    expect_told(check, &strict);
    expect_told(grammar, &loose);
    expect(check != 0 || grammar == 0, "what is taken here is JSON by RFC 8259");
    if (check != 0 && grammar == 0)
        expect(strstr(strict.detail, "past what is taken here"),
               "JSON beyond our bounds is told so");
    json_t *tree = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool nul = text.len && memchr(text.ptr, '\0', text.len); /* jansson skips some */
    expect(!tree || nul || grammar == 0, "what jansson reads is JSON by RFC 8259");
    if (!tree && check == 0)
        expect(json_error_code(&error) == json_error_numeric_overflow,
               "jansson reads what is taken here, but for large numbers");
    json_decref(tree);
}

/* A value's bytes mean what jansson's node says. */
static void compare_value(struct span raw, json_t *node)
{
    struct span text, decimal;
    struct fault fault = {.detail = ""};
    expect(raw.len > 0, "a value has bytes");
    expect((json_scan_text(kit_arena(), raw, &text) == 0) == json_is_string(node),
           "a string is a string");
    if (json_is_string(node))
        expect(span_equal(text, (struct span){json_string_value(node), json_string_length(node)}),
               "a string has the same characters");
    else if (json_is_integer(node))
        expect(strtoll(kit_text(raw), NULL, 10) == json_integer_value(node),
               "a whole number is the same");
    if (json_is_number(node))
        expect_told(decimal_normalise(kit_arena(), raw, 0, &decimal, &fault), &fault);
}

/* The value that `pointer` leads to is this node, by bytes and by tree. */
static void follow(struct span text, json_t *root, const char *pointer, json_t *node)
{
    struct span raw;
    expect(json_pointer_get(root, pointer) == node, "a pointer leads through the tree");
    expect(json_scan_pointer(text, pointer, &raw) == 0, "a pointer leads through the text");
    expect(raw.ptr >= text.ptr && raw.ptr + raw.len <= text.ptr + text.len,
           "a value lies within the text");
    compare_value(raw, node);
}

/* Every node of the tree, as far as pointers of that size go. Not recursive: an
 * element is known by the pointer that leads to it. */
static void walk(struct span text, json_t *root, const char *pointer, json_t *node, size_t *left)
{
    char at[200];
    const char *name;
    json_t *value;
    size_t index;
    if (*left == 0)
        return;
    --*left;
    follow(text, root, pointer, node);
    json_object_foreach(node, name, value)
    {
        snprintf(at, sizeof at, "%s", pointer);
        if (strlen(at) + 2 * strlen(name) + 2 < sizeof at) {
            json_pointer_append(at, sizeof at, name);
            walk(text, root, at, value, left);
        }
    }
    json_array_foreach(node, index, value) if (strlen(pointer) + 24 < sizeof at)
    {
        snprintf(at, sizeof at, "%s/%zu", pointer, index);
        walk(text, root, at, value, left);
    }
}

/* Members and elements one after the other: as many as the tree has. */
static void count_items(struct span text, json_t *root)
{
    struct span name, value, raw;
    size_t cursor = 0, count = 0;
    if (json_scan_pointer(text, "", &raw) != 0)
        expect(false, "the whole text is a value");
    while (json_is_object(root) && json_scan_next_member(raw, &cursor, &name, &value))
        count++;
    expect(!json_is_object(root) || count == json_object_size(root), "all members are met");
    for (count = 0; json_is_array(root) && json_scan_next(raw, &cursor, &value); count++)
        compare_value(value, json_array_get(root, count));
    expect(!json_is_array(root) || count == json_array_size(root), "all elements are met");
}

static void read_and_walk(struct span text, const char *pointer)
{
    struct fault fault = {.detail = ""};
    struct span body, raw;
    size_t left = NODES_LIMIT;
    json_t *root;
    int rc = json_read(text, &root, &body, &fault);
    expect_told(rc, &fault);
    if (rc == 0) {
        walk(body, root, "", root, &left);
        count_items(body, root);
        expect((json_scan_pointer(body, pointer, &raw) == 0) ==
                   (json_pointer_get(root, pointer) != NULL),
               "text and tree agree on where a pointer leads");
        json_decref(root);
        return;
    }
    /* Members that stand twice: the last one counts, in the text as in the tree. */
    root = json_scan_check(text, NULL) == 0 ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL)
                                            : NULL;
    if (root)
        walk(text, root, "", root, &left);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size}, line = {"", 0};
    if (size > 0 && data[0] == '/')
        kit_line(&text, &line);
    const char *pointer = kit_text(line);
    text = kit_copy(text);
    compare_judgements(text);
    read_and_walk(text, pointer);
    kit_end();
    return 0;
}
