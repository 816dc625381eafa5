/*
 * The commit path of facts and handoffs with every call failed in turn: events that open and close
 * handoffs, what departments ask and report, and the confirming, which the relay does. Beyond what
 * test_failing_commit says: whatever fails, no handoff, and no word about one, is committed without
 * the event or the request that it came of, nothing is told twice, and in the end the handoffs are
 * what they are when nothing fails.
 */
#include "tests/unit/commit_kit.h"

#include "services/aggregator/handoff_confirm.h"

#define EVENT(id, type, time, data)                                                                \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":\"2026-01-" time      \
    "\",\"type\":\"" type "\",\"data\":" data "}"
#define ANN     "\"customer\":{\"email\":\"ann@acme.example\"}"
#define DEAL(n) "{" ANN ",\"amount\":5,\"currency\":\"EUR\",\"deal\":" n "}"
#define FORM(n)                                                                                    \
    "{" ANN ",\"text\":\"x\",\"count\":1,\"yes\":true,\"all\":{},\"some\":[],\"deal\":" n "}"
#define FIRST                                                                                      \
    "{" ANN ",\"amount\":5,\"currency\":\"EUR\",\"deal\":1,\"owner\":\"Eve\","                     \
    "\"issue\":{\"id\":\"T-1\",\"summary\":\"Slow\"},\"promises\":[\"a call\"]}"
#define NOTE                                                                                       \
    "{" ANN ",\"open\":true,\"owner\":{\"name\":\"Max\",\"role\":\"CS\"},\"kept\":[\"a call\"],"   \
    "\"issue\":{\"id\":\"T-1\",\"closed\":true}}"
#define CAT "{\"customer\":{\"stripe\":\"cus_9\",\"email\":\"cat@acme.example\"}}"

#define BEFOREHAND "00000000-0000-0000-0000-000000000001"
#define UNKNOWN    "00000000-0000-0000-0000-000000000002"

/* Old events open, too: the records are of one month, whenever the test runs. */
static const char rules_text[] =
    "[{\"rule\": \"invoice\", \"when\": \"sales.deal.won\", \"to\": \"owner\","
    "  \"fallback\": \"sales\", \"ask\": \"Issue it\", \"due\": \"4h\", \"max_age\": \"36500d\","
    "  \"done_when\": \"sales.form.sent\", \"match\": [[\"/deal\", \"/deal\"]],"
    "  \"brief\": [\"/amount\"]},"
    " {\"rule\": \"check\", \"when\": \"sales.note.taken\", \"if\": {\"/open\": true},"
    "  \"while\": {\"first\": true}, \"to\": \"sales\", \"ask\": \"Check it\", \"due\": \"4h\","
    "  \"max_age\": \"36500d\", \"cancel_when\": \"sales.form.sent\"}]";

enum { ACCEPT_SECOND, ACCEPT_FIRST, REPORT_SECOND, ACCEPT_AGAIN, REQUESTS };
static char request[REQUESTS][512];

#define ASK(id, verb, handoff, more)                                                               \
    EVENT(id, "throughline.handoff." verb, "09T10:00:00Z",                                         \
          "{\"handoff\":\"" handoff "\",\"by\":\"ann\"" more "}")

static const struct planned planned[] = {
    {0, 0, BINARY, EVENT("a", "sales.deal.won", "08T10:00:00Z", FIRST)},     /* opens, with facts */
    {0, 1, BINARY, EVENT("b", "sales.deal.won", "08T10:00:01Z", DEAL("2"))}, /* opens */
    {0, 2, GARBAGE, "no event"},
    {0, 3, BINARY, EVENT("a", "sales.deal.won", "08T10:00:00Z", FIRST)},      /* again */
    {0, 4, BINARY, EVENT("c", "sales.note.taken", "08T10:00:02Z", NOTE)},     /* opens */
    {0, 5, BINARY, EVENT("d", "sales.form.sent", "08T11:00:00Z", FORM("1"))}, /* done, cancelled */
    {0, 6, STRUCTURED, request[ACCEPT_SECOND]},
    {0, 7, STRUCTURED, ASK("f", "accept", UNKNOWN, "")}, /* of which nobody knows */
    {0, 8, STRUCTURED, request[ACCEPT_FIRST]},           /* which is done */
    {0, 9, BINARY,                                       /* which PostgreSQL refuses */
     EVENT("h", "sales.deal.won", "08T10:00:03Z",
           "{" ANN ",\"amount\":5,\"currency\":\"EUR\",\"summary\":\"unstorable\"}")},
    {0, 10, STRUCTURED, request[REPORT_SECOND]},
    {0, 11, STRUCTURED, request[ACCEPT_AGAIN]}, /* another has accepted it */
    {1, 0, BINARY, EVENT("n", "sales.form.sent", "08T12:00:00Z", FORM("3"))}, /* too early */
    {1, 1, STRUCTURED, ASK("i", "accept", BEFOREHAND, "")},
    {1, 2, STRUCTURED, ASK("j", "reassign", BEFOREHAND, ",\"to\":\"nobody\"")},
    {1, 3, BINARY, EVENT("l", "sales.note.taken", "08T10:00:04Z", CAT)},     /* which merges */
    {1, 4, BINARY, EVENT("m", "sales.deal.won", "08T10:00:05Z", DEAL("3"))}, /* opens, was done */
};

/* A handoff that is told of already. */
static void reset(void)
{
    static const struct store_handoff beforehand = {
        .column = {BEFOREHAND, "invoice", "1",    "7", "sales", "sales", "delivered", "f", "f",
                   "1",        "1",       "1",    "",  "",      "",      "",          "",  "",
                   "",         "[9]",     "1000", "1", "1",     "0",     "t",         ""}};
    store_reset(NULL, 0);
    store_put_handoff(&beforehand);
}

static void ignore(void *context, const struct pg_failure *failure)
{
    (void)context, (void)failure;
}

/* As the relay does it. */
static int confirm(void)
{
    const struct pg_options options = {.report = ignore};
    struct handoff_confirmer confirmer = {.rules = rules};
    struct pg *pg = NULL;
    int rc = database_open(config, 1, &options, &pg);
    bool more = true, told;
    for (int step = 0; rc == 0 && more && step < 100; step++) {
        rc = handoff_confirm(&confirmer, pg, &told);
        const struct store store = store_committed();
        more = store_unconfirmed(&store);
    }
    handoff_confirmer_clear(&confirmer);
    pg_close(pg);
    return rc == 0 && more ? ERR_IO : rc;
}

static const struct commit_plan the_plan = {
    planned, sizeof planned / sizeof *planned, {12, 6}, reset, confirm};

/* --- where they end without a failure --- */

/* The id of the handoff that the rule opens by the event of that id. */
static void id_of(const char *rule, const char *event_id, char id[EVENT_UID_TEXT])
{
    const struct span parts[] = {span_of(rule), span_of("/crm"), span_of(event_id)};
    const struct event_uid uid = event_uid_of_parts(parts, 3);
    event_uid_text(&uid, id);
}

static void make_request(int which, const char *event_id, const char *verb, const char *opened_by,
                         const char *by)
{
    char id[EVENT_UID_TEXT];
    id_of("invoice", opened_by, id);
    snprintf(request[which], sizeof request[which],
             "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/throughline/sales\","
             "\"time\":\"2026-01-09T10:00:00Z\",\"type\":\"throughline.handoff.%s\","
             "\"data\":{\"handoff\":\"%s\",\"by\":\"%s\",\"sequence\":1}}",
             event_id, verb, id, by);
}

/* What was said of each handoff: all kinds of it. */
static void assert_told(void)
{
    static const struct {
        const char *rule, *opened_by; /* rule NULL: the one that is there beforehand */
        const char *state, *kind;
    } expected[] = {
        {NULL, NULL, "accepted", "updated"},     {NULL, NULL, "accepted", "refused"},
        {"invoice", "a", "done", "refused"},     {"invoice", "a", "done", "ended"},
        {"invoice", "b", "accepted", "refused"}, {"invoice", "b", "accepted", "opened"},
        {"check", "c", "cancelled", "ended"},    {"invoice", "m", "done", "ended"},
    };
    const size_t count = sizeof expected / sizeof *expected;
    char id[EVENT_UID_TEXT] = BEFOREHAND;
    for (size_t i = 0; i < count; i++) {
        if (expected[i].rule)
            id_of(expected[i].rule, expected[i].opened_by, id);
        if (!store_handoff_is(&reference, id, expected[i].state, expected[i].kind))
            fail_msg("%s %s: not %s, or not %s", expected[i].rule, expected[i].opened_by,
                     expected[i].state, expected[i].kind);
    }
    assert_int_equal(reference.handoffs.count, 5);
    assert_int_equal(reference.handoffs.told_count, count + 1); /* and of the unknown one */
}

static void learn(void)
{
    failing_arm(FAILING_ALLOCATION, 0, 0);
    from_start_to_end(NULL);
    reference = store_committed();
    const struct store_partition all = sum(&reference);
    assert_int_equal(breaches, 0);
    assert_int_equal(all.timeline, 13);
    assert_int_equal(all.duplicates, 1);
    assert_int_equal(all.quarantined, 3);
    assert_int_equal(all.voided, 1);
    assert_int_equal(reference.handoffs.fact_count, 6);
    assert_told();
}

static int setup(void **state)
{
    (void)state;
    make_request(ACCEPT_SECOND, "e", "accept", "b", "ann");
    make_request(ACCEPT_FIRST, "g", "accept", "a", "ann");
    make_request(REPORT_SECOND, "k", "delivered", "b", "");
    make_request(ACCEPT_AGAIN, "o", "accept", "b", "bob");
    kit_setup(&the_plan, rules_text);
    learn();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_teardown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),
        cmocka_unit_test(kafka_calls),
        cmocka_unit_test(database_calls),
        cmocka_unit_test(statements),
    };
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return failing_report(cmocka_run_group_tests(tests, setup, teardown));
}
