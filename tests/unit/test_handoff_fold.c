/* What events and requests do to handoffs: every state with every action, and who closes whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "folder.h"
#include "services/aggregator/handoff_fold.h"

#define MS 1000

static struct vocabulary *vocabulary;
static struct handoff_rules *rules;

static const char RULES[] =
    "[{\"rule\": \"plain\", \"when\": \"sales.deal.won\", \"to\": \"billing\", \"ask\": \"x\","
    "  \"due\": \"4h\", \"done_when\": \"billing.invoice.issued\","
    "  \"cancel_when\": \"sales.deal.lost\"},"
    " {\"rule\": \"matched\", \"when\": \"sales.deal.won\", \"to\": \"billing\", \"ask\": \"x\","
    "  \"due\": \"4h\", \"done_when\": \"billing.invoice.issued\","
    "  \"match\": [[\"/deal\", \"/for/deal\"]]}]";

static int load(void **state)
{
    (void)state;
    struct folder folder;
    struct fault fault = {.detail = ""};
    folder_make(&folder);
    folder_write(&folder, "handoffs.json", RULES);
    int rc = vocabulary_load("config", &vocabulary, &fault);
    if (rc == 0)
        rc = handoff_rules_load(folder.path, vocabulary, &rules, &fault);
    folder_remove(&folder);
    return rc;
}

static int unload(void **state)
{
    (void)state;
    handoff_rules_free(rules);
    vocabulary_free(vocabulary);
    return 0;
}

static struct handoff opened(const char *rule, int number, int64_t occurred_at)
{
    return (struct handoff){.id = {.bytes = {(unsigned char)number}},
                            .rule = span_of(rule),
                            .customer_id = 1,
                            .occurred_at = occurred_at,
                            .opened_at = occurred_at,
                            .due_at = occurred_at + 100};
}

static struct handoff_closing closing(int number, enum handoff_use use, int64_t occurred_at)
{
    return (struct handoff_closing){.customer_id = 1,
                                    .occurred_at = occurred_at,
                                    .uid = {.bytes = {(unsigned char)number}},
                                    .rule = handoff_rule_named(rules, span_of("plain")),
                                    .use = use,
                                    .event_id = span_of("e")};
}

static void fold(struct handoff *handoffs, size_t handoff_count, struct handoff_closing *closings,
                 size_t closing_count)
{
    handoff_sort_closings(closings, closing_count);
    handoff_fold_closings(handoffs, handoff_count, closings, closing_count);
}

static void every_state_meets_every_action(void **state)
{
    (void)state;
    for (int s = 0; s < HANDOFF_STATES; s++) {
        for (int a = 0; a < HANDOFF_ACTIONS; a++) {
            struct handoff handoff = opened("plain", 1, 50);
            handoff.state = (enum handoff_state)s;
            const struct handoff before = handoff;
            struct handoff_request request = {.action = (enum handoff_action)a,
                                              .occurred_at = 70,
                                              .by = span_of("ann"),
                                              .to = span_of("sales")};
            struct handoff_move move = handoff_move(handoff.state, request.action);
            assert_int_equal(handoff_fold_request(&handoff, &request, 4), move.effect);
            assert_int_equal(handoff.changed, move.effect == EFFECT_MOVES);
            if (move.effect == EFFECT_MOVES)
                assert_int_equal(handoff.state, move.next);
            else
                assert_memory_equal(&handoff, &before, sizeof handoff);
            /* What is closed says when; what is not, does not. */
            if (handoff.changed)
                assert_int_equal(handoff_is_closed(handoff.state), handoff.closed_at != 0);
            /* Nobody but people brings back what is closed, and only what was declined. */
            if (handoff_is_closed(before.state) && !handoff_is_closed(handoff.state)) {
                assert_int_equal(before.state, HANDOFF_DECLINED);
                assert_int_equal(a, ACTION_REASSIGN);
            }
        }
    }
}

static void a_request_leaves_its_trace(void **state)
{
    (void)state;
    struct handoff handoff = opened("plain", 1, 50);
    struct handoff_request accept = {
        .action = ACTION_ACCEPT, .occurred_at = 60, .by = span_of("ann")};
    assert_int_equal(handoff_fold_request(&handoff, &accept, 4), EFFECT_MOVES);
    assert_int_equal(handoff.accepted_at, 60);
    assert_true(span_is(handoff.accepted_by, "ann"));
    assert_int_equal(handoff.sequence, 1);
    assert_int_equal(handoff_fold_request(&handoff, &accept, 4), EFFECT_NOTHING);
    accept.by = span_of("bob");
    assert_int_equal(handoff_fold_request(&handoff, &accept, 4), EFFECT_REFUSED);

    struct handoff_request late = {.action = ACTION_OVERDUE, .occurred_at = 500};
    assert_int_equal(handoff_fold_request(&handoff, &late, 4), EFFECT_MOVES);
    assert_true(handoff.overdue);

    struct handoff_request reassign = {
        .action = ACTION_REASSIGN, .occurred_at = 600, .to = span_of("sales")};
    assert_int_equal(handoff_fold_request(&handoff, &reassign, 4), EFFECT_MOVES);
    assert_int_equal(handoff.due_at, 600 + 4 * MS);
    assert_false(handoff.overdue);
    assert_true(span_is(handoff.to, "sales"));
    assert_int_equal(handoff.accepted_at, 0);
    assert_int_equal(handoff.state, HANDOFF_OPEN);

    struct handoff_request report = {.action = ACTION_DELIVERED, .occurred_at = 700};
    int64_t sequence = handoff.sequence;
    assert_int_equal(handoff_fold_request(&handoff, &report, 4), EFFECT_MOVES);
    assert_int_equal(handoff.delivered_at, 700);
    assert_int_equal(handoff.sequence, sequence); /* no news to the receiver */
}

static void a_report_is_nobodys_words(void **state)
{
    (void)state;
    struct handoff handoff = opened("plain", 1, 50);
    struct handoff_request reassign = {.action = ACTION_REASSIGN,
                                       .occurred_at = 60,
                                       .to = span_of("sales"),
                                       .note = span_of("yours, I think")};
    struct handoff_request given_up = {.action = ACTION_UNDELIVERABLE,
                                       .occurred_at = 70,
                                       .note = span_of("5 tries; the receiver answered 422")};
    struct handoff_request delivered = {.action = ACTION_DELIVERED, .occurred_at = 80};
    assert_int_equal(handoff_fold_request(&handoff, &reassign, 4), EFFECT_MOVES);
    assert_int_equal(handoff_fold_request(&handoff, &given_up, 4), EFFECT_MOVES);
    assert_true(handoff.undeliverable);
    assert_true(span_is(handoff.note, "yours, I think"));
    assert_int_equal(handoff_fold_request(&handoff, &delivered, 4), EFFECT_MOVES);
    assert_true(span_is(handoff.note, "yours, I think"));
}

static void the_oldest_closes_first(void **state)
{
    (void)state;
    struct handoff handoffs[] = {opened("plain", 1, 30), opened("plain", 2, 10),
                                 opened("plain", 3, 20)};
    struct handoff_closing events[] = {closing(9, HANDOFF_DONE, 25)};
    fold(handoffs, 3, events, 1);
    assert_int_equal(handoffs[0].state, HANDOFF_OPEN);
    assert_int_equal(handoffs[1].state, HANDOFF_FINISHED);
    assert_int_equal(handoffs[1].closed_at, 25);
    assert_int_equal(handoffs[2].state, HANDOFF_OPEN);
}

static void one_event_closes_one_of_a_rule(void **state)
{
    (void)state;
    struct handoff handoffs[] = {opened("plain", 1, 10), opened("plain", 2, 10)};
    struct handoff_closing events[] = {closing(9, HANDOFF_DONE, 40),
                                       closing(8, HANDOFF_CANCELS, 30),
                                       closing(7, HANDOFF_CANCELS, 50)};
    fold(handoffs, 2, events, 3);
    assert_int_equal(handoffs[0].state, HANDOFF_CANCELLED); /* 30 came before 40 */
    assert_int_equal(handoffs[0].closed_at, 30);
    assert_int_equal(handoffs[1].state, HANDOFF_FINISHED);
    assert_int_equal(handoffs[1].closed_at, 40);
}

/* The batch has it, and the timeline, too. */
static void an_event_that_is_listed_twice_closes_once(void **state)
{
    (void)state;
    struct handoff handoffs[] = {opened("plain", 1, 10), opened("plain", 2, 10)};
    struct handoff_closing events[] = {closing(9, HANDOFF_DONE, 40), closing(9, HANDOFF_DONE, 40)};
    fold(handoffs, 2, events, 2);
    assert_int_equal(handoffs[0].state, HANDOFF_FINISHED);
    assert_int_equal(handoffs[1].state, HANDOFF_OPEN);
}

static void an_event_may_close_its_account_s(void **state)
{
    (void)state;
    struct handoff handoffs[] = {opened("plain", 1, 10), opened("plain", 2, 5)};
    handoffs[1].customer_id = 7;
    struct handoff_closing event = closing(9, HANDOFF_DONE, 40);
    event.account_customer_id = 7;
    fold(handoffs, 2, &event, 1); /* the oldest of both customers' */
    assert_int_equal(handoffs[0].state, HANDOFF_OPEN);
    assert_int_equal(handoffs[1].state, HANDOFF_FINISHED);
}

static void what_does_not_close(void **state)
{
    (void)state;
    struct handoff handoffs[] = {opened("plain", 1, 50), opened("gone", 2, 10),
                                 opened("plain", 3, 10), opened("plain", 4, 10)};
    handoffs[2].customer_id = 2;
    handoffs[3].state = HANDOFF_DECLINED;
    struct handoff_closing events[] = {closing(9, HANDOFF_DONE, 49)};
    fold(handoffs, 4, events, 1);
    for (int i = 0; i < 4; i++)
        assert_false(handoffs[i].changed);
    /* The very moment of the opening counts. */
    struct handoff_closing same = closing(9, HANDOFF_DONE, 50);
    fold(handoffs, 4, &same, 1);
    assert_true(handoffs[0].changed);
}

static void matching_values_decide(void **state)
{
    (void)state;
    static const struct {
        const char *opening, *closing;
        bool matches;
    } cases[] = {
        {"{\"deal\": \"D1\"}", "{\"for\": {\"deal\": \"D1\"}}", true},
        {"{\"deal\": \"D1\"}", "{\"for\": {\"deal\": \"D2\"}}", false},
        {"{\"deal\": 7}", "{\"for\": {\"deal\": 7}}", true},
        {"{\"deal\": 7}", "{\"for\": {\"deal\": \"7\"}}", false},
        {"{}", "{\"for\": {\"deal\": \"D1\"}}", false},
        {"{}", "{}", false},
        {"{\"deal\": null}", "{\"for\": {\"deal\": null}}", false},
        {"{\"deal\": \"D1\"}", "[]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct handoff_rule *rule = handoff_rule_named(rules, span_of("matched"));
        json_t *data = json_loads(cases[i].opening, 0, NULL);
        json_t *other = json_loads(cases[i].closing, 0, NULL);
        json_t *values = handoff_match_values(rule, data);
        assert_int_equal(json_array_size(values), 1);
        assert_int_equal(handoff_matches(rule, values, other), cases[i].matches);
        json_decref(values);
        json_decref(other);
        json_decref(data);
    }
    const struct handoff_rule *rule = handoff_rule_named(rules, span_of("matched"));
    json_t *values = json_pack("[s]", "D1");
    assert_false(handoff_matches(rule, values, NULL));
    json_decref(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_meets_every_action),
        cmocka_unit_test(a_request_leaves_its_trace),
        cmocka_unit_test(a_report_is_nobodys_words),
        cmocka_unit_test(the_oldest_closes_first),
        cmocka_unit_test(one_event_closes_one_of_a_rule),
        cmocka_unit_test(an_event_that_is_listed_twice_closes_once),
        cmocka_unit_test(an_event_may_close_its_account_s),
        cmocka_unit_test(what_does_not_close),
        cmocka_unit_test(matching_values_decide),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
