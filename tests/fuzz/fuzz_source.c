/*
 * A source's file that somebody wrote, and a webhook through it: the file, a line
 * of "--", lines of headers, a blank one, the body.
 */
#include "common/json/json_pointer.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/mapped.h"

#define HEADERS_LIMIT 16

static struct span take_file(struct span *rest)
{
    static const char mark[] = "\n--\n";
    const char *end = rest->len ? memmem(rest->ptr, rest->len, mark, sizeof mark - 1) : NULL;
    struct span file = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t taken = file.len + (end ? sizeof mark - 1 : 0);
    *rest = (struct span){rest->ptr + taken, rest->len - taken};
    return kit_copy(file);
}

static void check_signature(json_t *root)
{
    struct fault fault = {.detail = ""};
    struct signature *signature;
    int rc = signature_new(json_object_get(root, "signature"), &signature, &fault);
    expect_told(rc, &fault);
    if (rc == 0)
        signature_free(signature);
}

static void use(json_t *root, const struct department *department, struct span rest)
{
    struct record_header headers[HEADERS_LIMIT];
    struct fault fault = {.detail = ""};
    struct mapping *mapping;
    int rc = mapping_new("fuzz", root, department, kit_world()->kinds, &mapping, &fault);
    expect_told(rc, &fault);
    if (rc != 0)
        return;
    const char *const *names;
    expect(mapping_headers(mapping, &names) <= 16, "the headers that are read are bounded");
    size_t count = kit_headers(&rest, headers, HEADERS_LIMIT);
    map_body(mapping, department, kit_copy(rest), headers, count);
    mapping_free(mapping);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct fault fault = {.detail = ""};
    json_t *root;
    struct span file = take_file(&rest);
    int rc = json_read(file, &root, NULL, &fault);
    expect_told(rc, &fault);
    if (rc == 0) {
        const char *name = json_string_value(json_object_get(root, "department"));
        const struct department *department =
            vocabulary_department(kit_world()->vocabulary, span_of(name ? name : "sales"));
        check_signature(root);
        if (department && json_is_object(root))
            use(root, department, rest);
        json_decref(root);
    }
    kit_end();
    return 0;
}
