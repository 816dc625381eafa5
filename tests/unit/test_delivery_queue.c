/* Deliveries: order within a handoff, nobody delayed by another, breaker, offsets, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/department/delivery_queue.h"

static const struct delivery_limits limits = {
    .changes = 100,
    .overtaken = 10000,
    .retry_floor_ms = 100,
    .retry_ceiling_ms = 1000,
    .tries = 4,
    .refused_tries = 2,
    .give_up_ms = 100000,
    .breaker_failures = 5,
    .breaker_floor_ms = 1000,
    .breaker_ceiling_ms = 8000,
};

static int freed;

static void count_free(void *payload)
{
    (void)payload;
    freed++;
}

static struct delivery_queue *new_queue(void)
{
    freed = 0;
    struct delivery_queue *queue = delivery_queue_new(&limits, count_free);
    assert_non_null(queue);
    return queue;
}

static void add(struct delivery_queue *queue, const char *id, int64_t offset, int64_t now)
{
    assert_int_equal(delivery_queue_add(queue, 0, offset, span_of(id), offset, NULL, now), 0);
}

static struct delivery *expect(struct delivery_queue *queue, const char *id, int64_t offset,
                               int64_t now)
{
    int64_t wait;
    struct delivery *delivery = delivery_queue_next(queue, now, &wait);
    if (!delivery)
        fail_msg("nothing to deliver, expected %s", id);
    assert_true(span_is(delivery->handoff_id, id));
    assert_int_equal(delivery->offset, offset);
    return delivery;
}

static void expect_none(struct delivery_queue *queue, int64_t now)
{
    int64_t wait;
    assert_null(delivery_queue_next(queue, now, &wait));
}

static void take(struct delivery_queue *queue, struct delivery *delivery, int64_t now)
{
    assert_int_equal(delivery_queue_judge(queue, delivery, DELIVERY_TAKEN, -1, now),
                     VERDICT_DELIVERED);
    delivery_queue_settle(queue, delivery);
}

static void changes_of_one_handoff_go_in_order(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    add(queue, "a", 1, 0);
    add(queue, "b", 2, 0);
    struct delivery *first = expect(queue, "a", 0, 0);
    struct delivery *other = expect(queue, "b", 2, 0);
    expect_none(queue, 0); /* a's second waits for its first */
    take(queue, other, 0);
    assert_int_equal(delivery_queue_offset(queue, 0), 0); /* a restart reads a again, and so b */
    assert_int_equal(delivery_queue_judge(queue, first, DELIVERY_FAILED, -1, 0), VERDICT_AGAIN);
    first = expect(queue, "a", 0, 2000);
    assert_int_equal(first->tries, 2);
    take(queue, first, 2000);
    assert_int_equal(delivery_queue_offset(queue, 0), 1);
    take(queue, expect(queue, "a", 1, 2000), 2000);
    assert_int_equal(delivery_queue_offset(queue, 0), 3);
    assert_int_equal(freed, 3);
    assert_int_equal(delivery_queue_size(queue), 0);
    delivery_queue_free(queue);
}

static void one_that_is_refused_delays_nobody(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "bad", 0, 0);
    for (int i = 1; i <= 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "g%d", i);
        add(queue, id, i, 0);
    }
    struct delivery *bad = expect(queue, "bad", 0, 0);
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_REFUSED, -1, 0), VERDICT_AGAIN);
    int64_t wait;
    struct delivery *delivery;
    int taken = 0;
    while ((delivery = delivery_queue_next(queue, 0, &wait)) &&
           !span_is(delivery->handoff_id, "bad")) {
        take(queue, delivery, 0);
        taken++;
    }
    if (delivery)
        bad = delivery;
    else
        bad = expect(queue, "bad", 0, 5000);
    while (taken < 20) {
        delivery = delivery_queue_next(queue, 5000, &wait);
        assert_non_null(delivery);
        take(queue, delivery, 5000);
        taken++;
    }
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_REFUSED, -1, 5000), VERDICT_GAVE_UP);
    delivery_queue_settle(queue, bad);
    assert_int_equal(delivery_queue_offset(queue, 0), 21);
    delivery_queue_free(queue);
}

static void a_dead_receiver_uses_up_no_tries(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    add(queue, "b", 1, 0);
    int64_t now = 0, wait;
    int tries = 0;
    while (now < 90000) {
        struct delivery *delivery = delivery_queue_next(queue, now, &wait);
        if (!delivery) {
            assert_true(wait > 0);
            now += wait;
            continue;
        }
        tries++;
        assert_int_equal(delivery_queue_judge(queue, delivery, DELIVERY_FAILED, -1, now),
                         VERDICT_AGAIN);
    }
    assert_true(delivery_queue_broken(queue));
    assert_true(tries < 90); /* a probe now and then, no storm */
    struct delivery *probe = NULL;
    while (!(probe = delivery_queue_next(queue, now, &wait)))
        now += wait;
    int64_t none;
    assert_null(delivery_queue_next(queue, now + 1000000, &none)); /* one probe at a time */
    assert_int_equal(none, -1);
    take(queue, probe, now);
    assert_false(delivery_queue_broken(queue));
    while (!(probe = delivery_queue_next(queue, now, &wait)))
        now += wait;
    take(queue, probe, now);
    delivery_queue_free(queue);
}

/* `count` failures of what comes next; when the last one was judged. */
static int64_t fail_times(struct delivery_queue *queue, int count, int64_t now)
{
    int64_t wait;
    while (count > 0) {
        struct delivery *delivery = delivery_queue_next(queue, now, &wait);
        if (!delivery) {
            now += wait;
            continue;
        }
        assert_int_equal(delivery_queue_judge(queue, delivery, DELIVERY_FAILED, -1, now),
                         VERDICT_AGAIN);
        count--;
    }
    return now;
}

/* A receiver that was away and then says once that it does not want a change has said it once. */
static void failures_before_are_no_refusals(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    int64_t now = fail_times(queue, limits.refused_tries, 0);
    assert_false(delivery_queue_broken(queue));
    now += limits.retry_ceiling_ms + 1;
    struct delivery *a = expect(queue, "a", 0, now);
    assert_int_equal(delivery_queue_judge(queue, a, DELIVERY_REFUSED, -1, now), VERDICT_AGAIN);
    now += limits.retry_ceiling_ms + 1;
    a = expect(queue, "a", 0, now);
    assert_int_equal(delivery_queue_judge(queue, a, DELIVERY_REFUSED, -1, now), VERDICT_GAVE_UP);
    delivery_queue_settle(queue, a);
    delivery_queue_free(queue);
}

static void probes_use_up_no_tries(void **state)
{
    (void)state;
    struct delivery_limits patient = limits;
    patient.tries = limits.breaker_failures + 2;
    patient.give_up_ms = 10000000;
    freed = 0;
    struct delivery_queue *queue = delivery_queue_new(&patient, count_free);
    assert_non_null(queue);
    add(queue, "a", 0, 0);
    int64_t now = fail_times(queue, limits.breaker_failures, 0);
    assert_true(delivery_queue_broken(queue));
    now = fail_times(queue, 4 * patient.tries, now) + limits.breaker_ceiling_ms + 1;
    int64_t wait;
    struct delivery *a = delivery_queue_next(queue, now, &wait);
    assert_non_null(a);
    assert_int_equal(a->tries, limits.breaker_failures + 1);
    assert_int_equal(delivery_queue_judge(queue, a, DELIVERY_FAILED, -1, now), VERDICT_AGAIN);
    add(queue, "b", 1, now); /* sooner than a, which waits for its next try */
    now += limits.breaker_ceiling_ms + 1;
    take(queue, expect(queue, "b", 1, now), now);
    assert_false(delivery_queue_broken(queue));
    for (int tries = limits.breaker_failures + 1; tries < patient.tries; tries++)
        now = fail_times(queue, 1, now); /* its own again */
    a = expect(queue, "a", 0, now + limits.retry_ceiling_ms);
    assert_int_equal(a->tries, patient.tries);
    assert_int_equal(delivery_queue_judge(queue, a, DELIVERY_FAILED, -1, now), VERDICT_GAVE_UP);
    delivery_queue_settle(queue, a);
    delivery_queue_free(queue);
}

static void what_was_under_way_when_it_broke_says_nothing_new(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "slow", 0, 0);
    add(queue, "a", 1, 0);
    add(queue, "b", 2, 0);
    struct delivery *slow = expect(queue, "slow", 0, 0);
    int64_t now = fail_times(queue, limits.breaker_failures, 0) + limits.breaker_ceiling_ms, wait;
    struct delivery *probe = delivery_queue_next(queue, now, &wait);
    assert_non_null(probe);
    assert_int_equal(delivery_queue_judge(queue, slow, DELIVERY_FAILED, -1, now), VERDICT_AGAIN);
    assert_int_equal(slow->tries, 0);
    expect_none(queue, now + 2 * limits.breaker_ceiling_ms); /* still one probe at a time */
    take(queue, probe, now);
    assert_false(delivery_queue_broken(queue));
    delivery_queue_free(queue);
}

static void one_that_fails_while_others_go_is_given_up(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "hangs", 0, 0);
    int64_t now = 0, wait, offset = 1;
    for (;;) {
        struct delivery *delivery = delivery_queue_next(queue, now, &wait);
        if (!delivery) {
            now += wait;
            continue;
        }
        if (!span_is(delivery->handoff_id, "hangs")) {
            take(queue, delivery, now);
            continue;
        }
        enum delivery_verdict verdict =
            delivery_queue_judge(queue, delivery, DELIVERY_FAILED, -1, now);
        if (verdict == VERDICT_GAVE_UP) {
            assert_int_equal(delivery->tries, limits.tries);
            delivery_queue_settle(queue, delivery);
            break;
        }
        char id[16];
        snprintf(id, sizeof id, "g%d", (int)offset);
        add(queue, id, offset++, now);
    }
    delivery_queue_free(queue);
}

static void everything_ends_after_a_time(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    struct delivery *delivery = expect(queue, "a", 0, limits.give_up_ms);
    assert_int_equal(delivery_queue_judge(queue, delivery, DELIVERY_FAILED, -1, limits.give_up_ms),
                     VERDICT_GAVE_UP);
    delivery_queue_settle(queue, delivery);
    delivery_queue_free(queue);
}

static void what_the_receiver_asks_is_waited_for(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    struct delivery *delivery = expect(queue, "a", 0, 0);
    assert_int_equal(delivery_queue_judge(queue, delivery, DELIVERY_FAILED, 7000, 0),
                     VERDICT_AGAIN);
    expect_none(queue, 6999);
    take(queue, expect(queue, "a", 0, 7000), 7000);
    delivery_queue_free(queue);
}

static void it_is_bounded_by_what_is_not_settled(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    for (int i = 0; i < (int)limits.changes; i++) {
        char id[16];
        snprintf(id, sizeof id, "g%d", i);
        add(queue, id, i, 0);
    }
    assert_true(delivery_queue_full(queue));
    assert_int_equal(delivery_queue_add(queue, 0, 1000, span_of("x"), 1, NULL, 0), ERR_LIMIT);
    struct delivery *sent = expect(queue, "g0", 0, 0);
    assert_int_equal(delivery_queue_judge(queue, sent, DELIVERY_TAKEN, -1, 0), VERDICT_DELIVERED);
    assert_true(delivery_queue_full(queue)); /* its report may take its time */
    delivery_queue_settle(queue, sent);
    assert_false(delivery_queue_full(queue));
    add(queue, "x", 1000, 0);
    assert_true(delivery_queue_full(queue));
    delivery_queue_free(queue);
}

/* One comes, is taken and settled. */
static void pass_one(struct delivery_queue *queue, int64_t offset, int64_t now)
{
    char id[24];
    snprintf(id, sizeof id, "g%lld", (long long)offset);
    add(queue, id, offset, now);
    take(queue, expect(queue, id, offset, now), now);
}

static void one_that_fails_takes_the_room_of_one(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "bad", 0, 0);
    struct delivery *bad = expect(queue, "bad", 0, 0);
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_FAILED, 1000, 0), VERDICT_AGAIN);
    int64_t offset = 1;
    while (offset < 5 * (int64_t)limits.changes)
        pass_one(queue, offset++, 10);
    assert_int_equal(delivery_queue_size(queue), 1);
    assert_int_equal(freed, offset - 1);
    assert_int_equal(delivery_queue_offset(queue, 0), 0); /* a restart reads all of them again */
    add(queue, "last", offset, 20);
    struct delivery *last = expect(queue, "last", offset, 20);
    take(queue, expect(queue, "bad", 0, 2000), 2000);
    assert_int_equal(delivery_queue_offset(queue, 0), offset);
    take(queue, last, 2000);
    assert_int_equal(delivery_queue_offset(queue, 0), offset + 1);
    delivery_queue_free(queue);
}

static void what_very_many_overtook_is_given_up(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    int64_t offset = 1;
    add(queue, "bad", 0, 0);
    struct delivery *bad = expect(queue, "bad", 0, 0);
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_FAILED, 1000, 0), VERDICT_AGAIN);
    while (offset < limits.overtaken)
        pass_one(queue, offset++, 10);
    bad = expect(queue, "bad", 0, 1000);
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_FAILED, 1000, 1000), VERDICT_AGAIN);
    pass_one(queue, offset++, 1010);
    bad = expect(queue, "bad", 0, 2000);
    assert_int_equal(bad->tries, limits.tries - 1);
    assert_int_equal(delivery_queue_judge(queue, bad, DELIVERY_FAILED, 1000, 2000),
                     VERDICT_GAVE_UP);
    delivery_queue_settle(queue, bad);
    assert_int_equal(delivery_queue_offset(queue, 0), offset);
    delivery_queue_free(queue);
}

static void revoked_means_forgotten(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 0, 0);
    add(queue, "a", 1, 0);
    add(queue, "b", 2, 0);
    add(queue, "c", 3, 0);
    struct delivery *sent = expect(queue, "a", 0, 0);
    struct delivery *judged = expect(queue, "b", 2, 0);
    assert_int_equal(delivery_queue_judge(queue, judged, DELIVERY_TAKEN, -1, 0), VERDICT_DELIVERED);
    delivery_queue_revoke(queue);
    assert_int_equal(freed, 2); /* those that nobody is sending */
    assert_int_equal(delivery_queue_offset(queue, 0), -1);
    expect_none(queue, 0);
    assert_int_equal(delivery_queue_judge(queue, sent, DELIVERY_TAKEN, -1, 0), VERDICT_REVOKED);
    delivery_queue_settle(queue, judged);
    assert_int_equal(freed, 4);
    delivery_queue_free(queue);
}

/* Whatever happens: a handoff's changes come in order, all are settled, offsets never run ahead. */
static void what_was_not_tried_to_its_end_waits_as_before(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    add(queue, "a", 1, 0);
    add(queue, "a", 2, 0);
    for (int i = 0; i < 20; i++) { /* more than it has tries */
        struct delivery *cut_off = expect(queue, "a", 1, i);
        assert_int_equal(cut_off->tries, 1);
        delivery_queue_return(queue, cut_off);
    }
    assert_int_equal(delivery_queue_offset(queue, 0), 1);
    struct delivery *sent = expect(queue, "a", 1, 20);
    delivery_queue_revoke(queue);
    assert_int_equal(freed, 1);
    delivery_queue_return(queue, sent);
    assert_int_equal(freed, 2);
    delivery_queue_free(queue);
}

static void the_oldest_is_known(void **state)
{
    (void)state;
    struct delivery_queue *queue = new_queue();
    assert_null(delivery_queue_oldest(queue));
    add(queue, "a", 1, 10);
    add(queue, "b", 2, 20);
    assert_int_equal(delivery_queue_add(queue, 1, 7, span_of("c"), 1, NULL, 5), 0);
    assert_int_equal(delivery_queue_oldest(queue)->offset, 7);
    struct delivery *c = expect(queue, "c", 7, 30);
    assert_int_equal(delivery_queue_judge(queue, c, DELIVERY_TAKEN, -1, 30), VERDICT_DELIVERED);
    delivery_queue_settle(queue, c);
    assert_int_equal(delivery_queue_oldest(queue)->offset, 1);
    assert_int_equal(delivery_queue_size(queue), 2);
    delivery_queue_free(queue);
}

static void any_mixture(void **state)
{
    (void)state;
    enum { HANDOFFS = 30, CHANGES = 5000 };
    for (unsigned seed = 1; seed <= 20; seed++) {
        srand(seed);
        struct delivery_queue *queue = new_queue();
        int64_t last[HANDOFFS], now = 0, added = 0, done = 0, wait;
        bool settled[CHANGES] = {false};
        for (int i = 0; i < HANDOFFS; i++)
            last[i] = -1;
        struct delivery *sent[8] = {NULL};
        while (done < CHANGES) {
            now += rand() % 50;
            while (added < CHANGES && !delivery_queue_full(queue) && rand() % 3) {
                char id[16];
                snprintf(id, sizeof id, "%d", rand() % HANDOFFS);
                add(queue, id, added++, now);
            }
            size_t slot = (size_t)rand() % 8;
            if (!sent[slot]) {
                sent[slot] = delivery_queue_next(queue, now, &wait);
                continue;
            }
            enum delivery_outcome outcome = rand() % 4 == 0   ? DELIVERY_FAILED
                                            : rand() % 9 == 0 ? DELIVERY_REFUSED
                                                              : DELIVERY_TAKEN;
            struct delivery *delivery = sent[slot];
            sent[slot] = NULL;
            if (delivery_queue_judge(queue, delivery, outcome, -1, now) == VERDICT_AGAIN)
                continue;
            int handoff = atoi(delivery->handoff_id.ptr);
            assert_true(delivery->offset > last[handoff]);
            last[handoff] = delivery->offset;
            settled[delivery->offset] = true;
            delivery_queue_settle(queue, delivery);
            done++;
            for (int64_t i = 0; i < delivery_queue_offset(queue, 0); i++)
                assert_true(settled[i]);
        }
        assert_int_equal(delivery_queue_offset(queue, 0), CHANGES);
        assert_int_equal(freed, CHANGES);
        delivery_queue_free(queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_one_handoff_go_in_order),
        cmocka_unit_test(one_that_is_refused_delays_nobody),
        cmocka_unit_test(a_dead_receiver_uses_up_no_tries),
        cmocka_unit_test(failures_before_are_no_refusals),
        cmocka_unit_test(probes_use_up_no_tries),
        cmocka_unit_test(what_was_under_way_when_it_broke_says_nothing_new),
        cmocka_unit_test(one_that_fails_while_others_go_is_given_up),
        cmocka_unit_test(everything_ends_after_a_time),
        cmocka_unit_test(what_the_receiver_asks_is_waited_for),
        cmocka_unit_test(it_is_bounded_by_what_is_not_settled),
        cmocka_unit_test(one_that_fails_takes_the_room_of_one),
        cmocka_unit_test(what_very_many_overtook_is_given_up),
        cmocka_unit_test(revoked_means_forgotten),
        cmocka_unit_test(what_was_not_tried_to_its_end_waits_as_before),
        cmocka_unit_test(the_oldest_is_known),
        cmocka_unit_test(any_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
