/*
 * Identities: the attribute `customer`, data.customer (an input that starts with
 * '{'), and what each kind makes of a value.
 */
#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/event/identity_rule.h"
#include "common/json/json_pointer.h"
#include "tests/fuzz/kit.h"

/* A normalised value is its own normal form: else the same customer, told twice, is two. */
static void check_forms(struct span text)
{
    for (int form = IDENTITY_TEXT; form <= (int)IDENTITY_CODE; form++) {
        struct span once, twice;
        bool sound, sound_again;
        if (!event_text_valid(event_text_trim(text)))
            return;
        expect(identity_normalise((enum identity_form)form, kit_arena(), text, &once, &sound) == 0,
               "a value has a normal form");
        if (once.len == 0)
            continue; /* which is refused: nobody is known by it */
        once = kit_copy(once);
        expect(identity_normalise((enum identity_form)form, kit_arena(), once, &twice,
                                  &sound_again) == 0,
               "a normal form has a normal form");
        expect_same(once, twice, "a normal form is its own");
        expect(sound == sound_again, "a normal form is as sound");
        expect(once.len <= text.len, "a normal form is no longer");
    }
}

static bool in_order(const struct identity *a, const struct identity *b)
{
    if (a->ties != b->ties)
        return a->ties;
    if (a->kind->account != b->kind->account)
        return b->kind->account;
    if (a->kind->rank != b->kind->rank)
        return a->kind->rank < b->kind->rank;
    int order = span_compare(span_of(a->kind->name), span_of(b->kind->name));
    return order < 0 || (order == 0 && span_compare(a->value, b->value) < 0);
}

static void check_identities(const struct identities *found)
{
    struct fault fault = {.detail = ""};
    struct identities again;
    expect(found->count <= IDENTITY_COUNT_LIMIT, "identities are bounded");
    for (size_t i = 0; i < found->count; i++) {
        const struct identity *one = &found->items[i];
        expect(one->value.len > 0 && one->value.len <= IDENTITY_VALUE_LIMIT,
               "a value is bounded and not empty");
        expect(event_text_valid(one->value), "a value is text");
        expect(!one->ties || one->kind->strong, "only strong kinds tie");
        expect(i == 0 || in_order(one - 1, one), "identities are in order, each once");
        struct span key = identity_key(one, kit_arena());
        expect(key.ptr && event_text_valid(key) && !memchr(key.ptr, '&', key.len),
               "a key is one pair");
    }
    if (found->count == 0)
        return;
    struct span text = identities_to_attribute(found, kit_arena());
    expect(text.ptr, "there is memory");
    expect(identities_from_attribute(kit_world()->kinds, kit_arena(), kit_copy(text), &again,
                                     &fault) == 0,
           "the canonical attribute can be read");
    expect(identities_equal(found, &again), "the canonical attribute says the same");
    for (size_t i = 0; i < found->count; i++)
        expect(found->items[i].ties == again.items[i].ties, "what ties stays");
    expect_same(text, identities_to_attribute(&again, kit_arena()), "one text is canonical");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = kit_copy((struct span){(const char *)data, size});
    struct fault fault = {.detail = ""};
    struct identities found;
    json_t *tree = NULL;
    int rc = identities_from_attribute(kit_world()->kinds, kit_arena(), text, &found, &fault);
    expect_told(rc, &fault);
    if (rc == 0)
        check_identities(&found);
    if (size > 0 && data[0] == '{' && json_read(text, &tree, NULL, &fault) == 0) {
        rc = identities_from_data(kit_world()->kinds, kit_arena(), tree, &found, &fault);
        expect_told(rc, &fault);
        if (rc == 0)
            check_identities(&found);
        json_decref(tree);
    }
    check_forms(text);
    kit_end();
    return 0;
}
