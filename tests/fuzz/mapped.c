#include "tests/fuzz/mapped.h"

#include "common/base/hex.h"
#include "common/json/json_pointer.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/travel.h"

#define ELEMENTS_LIMIT 4

static void map_element(const struct mapping *mapping, const struct department *department,
                        const struct mapping_element *element, const struct record_header *headers,
                        size_t header_count)
{
    const struct admission admission = {kit_world()->kinds, department, KIT_NOW};
    struct mapped mapped;
    expect(mapping_apply(mapping, &admission, element, headers, header_count, kit_arena(),
                         &mapped) == 0,
           "an element can be mapped, whatever comes of it");
    if (mapped.outcome == MAPPED_EVENT) {
        expect(!mapped.reason, "an event needs no reason");
        travel_as_json(&mapped.event);
        travel_to_timeline(&admission, &mapped.event, &mapped.facts);
        return;
    }
    struct span reason = span_of(mapped.reason);
    expect(reason.len > 0 && reason.len <= 512, "a reason is there, and short");
    expect(utf8_valid(reason), "a reason is UTF-8");
}

void map_body(const struct mapping *mapping, const struct department *department, struct span body,
              const struct record_header *headers, size_t header_count)
{
    struct mapping_cursor cursor = {.started = false};
    struct mapping_element element;
    struct fault fault = {.detail = ""};
    struct span text;
    json_t *tree;
    int rc = json_read(body, &tree, &text, &fault);
    expect_told(rc, &fault);
    if (rc != 0)
        return;
    for (size_t i = 0; i < ELEMENTS_LIMIT && mapping_next(mapping, text, tree, &cursor, &element);
         i++) {
        expect(element.tree && element.text.ptr >= text.ptr &&
                   element.text.ptr + element.text.len <= text.ptr + text.len,
               "an element lies within the body");
        map_element(mapping, department, &element, headers, header_count);
    }
    json_decref(tree);
}
