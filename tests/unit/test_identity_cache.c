/* The writer's memory of identities: finds, replaces, forgets the oldest, stays within its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/aggregator/identity_cache.h"

static struct span key_of(char *text, size_t size, int n)
{
    int len = snprintf(text, size, "email=customer-%d@acme.example", n);
    return (struct span){text, (size_t)len};
}

static void test_put_get(void **state)
{
    (void)state;
    struct identity_cache *cache = identity_cache_new(64 * 1024);
    struct cached_identity found;
    assert_false(identity_cache_get(cache, span_of("email=a"), &found));
    identity_cache_put(cache, span_of("email=a"), (struct cached_identity){1, 2});
    identity_cache_put(cache, span_of("email=b"), (struct cached_identity){3, 4});
    assert_true(identity_cache_get(cache, span_of("email=a"), &found));
    assert_int_equal(found.identity_id, 1);
    assert_int_equal(found.customer_id, 2);
    identity_cache_put(cache, span_of("email=a"), (struct cached_identity){1, 9});
    assert_true(identity_cache_get(cache, span_of("email=a"), &found));
    assert_int_equal(found.customer_id, 9);
    assert_false(identity_cache_get(cache, span_of("email="), &found));
    identity_cache_clear(cache);
    assert_false(identity_cache_get(cache, span_of("email=a"), &found));
    identity_cache_free(cache);
}

/* Ten times as many as fit: the newest are there, whatever is there is right, what is used stays.
 */
static void test_forgets_the_oldest(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct identity_cache *cache = identity_cache_new(128 * 1024);
    char text[64];
    struct cached_identity found;
    for (int i = 0; i < COUNT; i++) {
        identity_cache_put(cache, key_of(text, sizeof text, i), (struct cached_identity){i, i + 1});
        assert_true(
            identity_cache_get(cache, key_of(text, sizeof text, 0), &found)); /* always in use */
        assert_true(identity_cache_get(cache, key_of(text, sizeof text, i), &found));
    }
    int there = 0;
    for (int i = COUNT - 1; i >= 0; i--) {
        if (!identity_cache_get(cache, key_of(text, sizeof text, i), &found))
            continue;
        assert_int_equal(found.identity_id, i);
        assert_int_equal(found.customer_id, i + 1);
        there++;
    }
    assert_in_range(there, 200, 3000); /* 128 KiB at some 70 bytes each: bounded, and not empty */
    identity_cache_free(cache);
}

static void test_tiny_limit(void **state)
{
    (void)state;
    struct identity_cache *cache = identity_cache_new(0);
    char text[64];
    struct cached_identity found;
    for (int i = 0; i < 1000; i++) {
        identity_cache_put(cache, key_of(text, sizeof text, i), (struct cached_identity){i, i});
        if (identity_cache_get(cache, key_of(text, sizeof text, i), &found))
            assert_int_equal(found.identity_id, i);
    }
    identity_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get),
        cmocka_unit_test(test_forgets_the_oldest),
        cmocka_unit_test(test_tiny_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
