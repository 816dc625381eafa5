#include "common/json/json_pointer.h"

#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/json/json_scan.h"
#include "common/json/json_tree.h"
#include "common/json/json_walk.h"

bool json_pointer_valid(const char *pointer)
{
    if (*pointer != '\0' && *pointer != '/')
        return false;
    for (; *pointer; pointer++)
        if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1')
            return false;
    return true;
}

static bool token_is(struct span token, const char *key)
{
    while (token.len > 0)
        if (*key == '\0' || json_next_token_byte(&token) != *key++)
            return false;
    return *key == '\0';
}

static json_t *member(json_t *object, struct span token)
{
    if (!memchr(token.ptr, '~', token.len))
        return json_object_getn(object, token.ptr, token.len);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) if (token_is(token, key)) return value;
    return NULL;
}

json_t *json_pointer_get(json_t *root, const char *pointer)
{
    if (!json_pointer_valid(pointer))
        return NULL;
    json_t *at = root;
    while (at && *pointer) {
        struct span token = json_next_token(&pointer);
        size_t index;
        if (json_is_object(at))
            at = member(at, token);
        else
            at = json_token_index(token, &index) ? json_array_get(at, index) : NULL;
    }
    return at;
}

void json_pointer_append(char *pointer, size_t size, const char *name)
{
    size_t len = strlen(pointer);
    struct span rest = span_of(name);
    if (len + 2 > size)
        return;
    pointer[len++] = '/';
    while (rest.len > 0) {
        const char *escape = *rest.ptr == '~' ? "~0" : *rest.ptr == '/' ? "~1" : NULL;
        size_t n = utf8_character(rest);
        struct span piece = escape ? span_of(escape) : (struct span){rest.ptr, n};
        if (n == 0 || len + piece.len + 1 > size)
            break;
        memcpy(pointer + len, piece.ptr, piece.len);
        len += piece.len;
        rest.ptr += n;
        rest.len -= n;
    }
    pointer[len] = '\0';
}

static int refused(struct span text, enum json_tree_trouble trouble, size_t at, struct fault *fault)
{
    if (trouble == JSON_TREE_MEMORY) {
        log_error("No memory for a JSON text", LOG_INT("bytes", text.len));
        return ERR_MEMORY;
    }
    char pointer[sizeof fault->pointer];
    json_pointer_at(text, at, pointer, sizeof pointer);
    if (trouble == JSON_TREE_TWICE)
        return fault_set(fault, pointer, "the same member stands twice in an object");
    return fault_set(fault, pointer,
                     "the number is too large; send it as a string if it is no quantity");
}

struct span json_without_mark(struct span text)
{
    if (span_starts_with(text, "\xEF\xBB\xBF"))
        text = (struct span){text.ptr + 3, text.len - 3};
    return text;
}

int json_read(struct span text, json_t **json, struct span *body, struct fault *fault)
{
    text = json_without_mark(text);
    int rc = json_scan_check(text, fault);
    if (rc)
        return rc;
    enum json_tree_trouble trouble;
    size_t at;
    *json = json_tree_of(text, &trouble, &at);
    if (!*json)
        return refused(text, trouble, at, fault);
    if (body)
        *body = text;
    return 0;
}
