/* CloudEvents as JSON, one or a batch, from the body of a request to the timeline. */
#include "common/event/event_json.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/travel.h"

static void take_event(struct span text)
{
    struct fault fault = {.detail = ""}, other = {.detail = ""};
    struct event event;
    struct event_facts facts, again;
    int rc = event_from_json(text, kit_arena(), &event, &fault);
    expect_told(rc, &fault);
    if (rc != 0)
        return;
    travel_as_json(&event);
    const struct admission admission = {kit_world()->kinds, kit_department(event.type), KIT_NOW};
    rc = event_admit(&admission, &event, NULL, kit_arena(), &facts, &fault);
    expect_told(rc, &fault);
    json_t *data = event.data_kind == EVENT_DATA_JSON
                       ? json_loadb(event.data.ptr, event.data.len,
                                    JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    if (data)
        expect(event_admit(&admission, &event, data, kit_arena(), &again, &other) == rc,
               "data parsed beforehand is judged alike");
    json_decref(data);
    if (rc == 0)
        travel_to_timeline(&admission, &event, &facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault = {.detail = ""};
    struct span body, one;
    size_t cursor = 0, count = 0;
    json_t *tree;
    int rc = json_read(kit_copy((struct span){(const char *)data, size}), &tree, &body, &fault);
    expect_told(rc, &fault);
    if (rc == 0 && json_is_array(tree))
        while (count++ < 8 && json_scan_next(body, &cursor, &one))
            take_event(kit_copy(one));
    else if (rc == 0)
        take_event(body);
    if (rc == 0)
        json_decref(tree);
    kit_end();
    return 0;
}
