/* services/aggregator/rulebook: what is read for it, and how long it lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/aggregator/rulebook.h"
#include "tests/unit/folder.h"

static struct folder folder;

#define TYPES(name) "{\"events\": {\"" name ".thing.done\": {}}}"

static int setup(void **state)
{
    (void)state;
    folder_make(&folder);
    folder_write(&folder, "identities.json",
                 "{\"kinds\": {\"email\": {\"strong\": true, \"rank\": 10}}}");
    folder_write(&folder, "departments/sales.json", TYPES("sales"));
    folder_write(&folder, "departments/billing.json", TYPES("billing"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static int load(struct rulebook **rulebook, struct fault *fault)
{
    struct config *config;
    *fault = (struct fault){.detail = ""};
    assert_int_equal(config_load(folder.path, "tl-aggregator", PROGRAM_AGGREGATOR, &config, fault),
                     0);
    int rc = rulebook_load(config, rulebook, fault);
    config_free(config); /* it is not needed any more */
    return rc;
}

static struct rulebook *loaded(void)
{
    struct fault fault;
    struct rulebook *rulebook = NULL;
    if (load(&rulebook, &fault) != 0)
        fail_msg("%s%s %s", fault.file, fault.pointer, fault.detail);
    return rulebook;
}

static void has_all_of_it(void **state)
{
    (void)state;
    folder_write(&folder, "throughline.json",
                 "{\"stale_after\": \"1h\", \"untold_after\": \"2h\", \"watch_max_age\": \"3h\","
                 " \"watch_every\": \"4s\"}");
    folder_write(&folder, "handoffs.json",
                 "[{\"rule\": \"r\", \"when\": \"sales.thing.done\", \"to\": \"billing\", \"ask\": "
                 "\"Do\", \"due\": \"1h\"}]");
    struct rulebook *rulebook = loaded();
    assert_string_equal(rulebook->topics[0], "events.billing");
    assert_string_equal(rulebook->topics[1], "events.sales");
    assert_string_equal(rulebook->topics[2], "events.throughline");
    assert_null(rulebook->topics[3]);
    assert_int_equal(rulebook->rules->count, 1);
    assert_int_equal(rulebook->vocabulary->count, 2);
    assert_non_null(identity_kind_find(rulebook->kinds, span_of("email")));
    assert_int_equal(rulebook->stale_after_ms, 3600 * 1000);
    assert_int_equal(rulebook->untold_after_ms, 2 * 3600 * 1000);
    assert_int_equal(rulebook->watch_max_age_ms, 3 * 3600 * 1000);
    assert_int_equal(rulebook->watch_every_ms, 4000);
    rulebook_release(rulebook);
    rulebook_release(NULL);
}

static const struct {
    const char *file, *text, *pointer;
} mistakes[] = {
    {"identities.json", "{\"kinds\": {\"email\": {\"strong\": 1}}}", "/kinds/email/strong"},
    {"departments/sales.json", "{\"events\": {\"sales.thing.done\": {\"money\": \"all\"}}}",
     "/events/sales.thing.done/money"},
    {"handoffs.json", "[{\"rule\": \"r\", \"when\": \"sales.thing.undone\"}]", NULL},
};

static void mistakes_name_their_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        void *unused = NULL;
        struct fault fault;
        struct rulebook *rulebook = NULL;
        teardown(&unused);
        setup(&unused);
        folder_write(&folder, mistakes[i].file, mistakes[i].text);
        if (load(&rulebook, &fault) != ERR_INVALID ||
            !folder_file_is(fault.file, mistakes[i].file) || rulebook ||
            (mistakes[i].pointer && strcmp(fault.pointer, mistakes[i].pointer) != 0))
            fail_msg("%s: %s%s %s", mistakes[i].text, fault.file, fault.pointer, fault.detail);
    }
}

static void topics_are_compared(void **state)
{
    (void)state;
    struct rulebook *two = loaded();
    folder_write(&folder, "departments/sales.json", "{\"events\": {\"sales.thing.undone\": {}}}");
    struct rulebook *other_types = loaded();
    folder_write(&folder, "departments/service.json", TYPES("service"));
    struct rulebook *three = loaded();
    assert_true(rulebook_same_topics(two, other_types));
    assert_false(rulebook_same_topics(two, three));
    assert_false(rulebook_same_topics(three, two));
    rulebook_release(two);
    rulebook_release(other_types);
    rulebook_release(three);
}

/* Who took one keeps it, whatever is put there meanwhile. */
static void a_place_has_the_newest(void **state)
{
    (void)state;
    struct snapshot_place place;
    struct rulebook *first = loaded(), *second = loaded();
    snapshot_place_init(&place);
    assert_null(rulebook_take(&place));
    snapshot_put(&place, &first->snapshot);
    struct rulebook *taken = rulebook_take(&place);
    assert_ptr_equal(taken, first);
    snapshot_put(&place, &second->snapshot);
    assert_string_equal(taken->topics[0], "events.billing"); /* it is there */
    struct rulebook *newer = rulebook_take(&place);
    assert_ptr_equal(newer, second);
    rulebook_release(taken);
    snapshot_put(&place, NULL);
    assert_string_equal(newer->topics[0], "events.billing");
    rulebook_release(newer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(has_all_of_it), TEST(mistakes_name_their_file),
                                       TEST(topics_are_compared), TEST(a_place_has_the_newest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
