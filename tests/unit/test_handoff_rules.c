/* Handoff rules: the shipped ones load, each mistake is named with its place, loops are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "folder.h"
#include "services/aggregator/handoff_rules.h"

static struct vocabulary *vocabulary;

static int load_vocabulary(void **state)
{
    (void)state;
    struct fault fault = {.detail = ""};
    return vocabulary_load("config", &vocabulary, &fault);
}

static int free_vocabulary(void **state)
{
    (void)state;
    vocabulary_free(vocabulary);
    return 0;
}

static int load(const char *content, struct handoff_rules **rules, struct fault *fault)
{
    struct folder folder;
    folder_make(&folder);
    folder_write(&folder, "handoffs.json", content);
    int rc = handoff_rules_load(folder.path, vocabulary, rules, fault);
    folder_remove(&folder);
    return rc;
}

static void shipped_rules_load(void **state)
{
    (void)state;
    struct handoff_rules *rules = NULL;
    struct fault fault = {.detail = ""};
    int rc = handoff_rules_load("config", vocabulary, &rules, &fault);
    if (rc != 0)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    assert_true(rules->count >= 7);
    handoff_rules_free(rules);
}

/* docs/protocol.md has a row for each, and for no other. */
static void shipped_rules_are_documented(void **state)
{
    (void)state;
    struct handoff_rules *rules = NULL;
    struct fault fault = {.detail = ""};
    char line[2048], row[128];
    size_t documented = 0;
    bool in_table = false;
    assert_int_equal(handoff_rules_load("config", vocabulary, &rules, &fault), 0);
    FILE *file = fopen("docs/protocol.md", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        in_table = strncmp(line, "| rule |", 8) == 0 || (in_table && line[0] == '|');
        if (!in_table || strncmp(line, "| `", 3) != 0)
            continue;
        const struct handoff_rule *rule = &rules->rules[documented++];
        assert_true(documented <= rules->count);
        snprintf(row, sizeof row, "| `%s` |", rule->name);
        if (strncmp(line, row, strlen(row)) != 0)
            fail_msg("docs/protocol.md should have the rule %s here: %s", rule->name, line);
    }
    fclose(file);
    assert_int_equal(documented, rules->count);
    handoff_rules_free(rules);
}

static void types_find_their_rules(void **state)
{
    (void)state;
    struct handoff_rules *rules = NULL;
    struct fault fault = {.detail = ""};
    assert_int_equal(
        load("[{\"rule\": \"a\", \"when\": [\"sales.deal.won\", \"sales.promise.made\"],"
             "  \"to\": \"billing\", \"ask\": \"x\", \"due\": \"4h\","
             "  \"done_when\": \"billing.invoice.issued\", \"cancel_when\": [\"sales.deal.lost\"],"
             "  \"match\": [[\"/deal\", \"/deal\"]], \"brief\": [\"/amount\"]},"
             " {\"rule\": \"b\", \"when\": \"billing.invoice.issued\", \"to\": \"owner\","
             "  \"fallback\": \"sales\", \"ask\": \"y\", \"due\": \"1d\", \"max_age\": \"7d\","
             "  \"while\": {\"open_issue\": false, \"known_for\": \"2d\", \"first\": true}}]",
             &rules, &fault),
        0);
    static const struct {
        const char *type;
        size_t count;
        const char *rule;
        enum handoff_use use;
    } cases[] = {
        {"sales.deal.won", 1, "a", HANDOFF_OPENS},
        {"sales.promise.made", 1, "a", HANDOFF_OPENS},
        {"billing.invoice.issued", 2, "a", HANDOFF_DONE},
        {"sales.deal.lost", 1, "a", HANDOFF_CANCELS},
        {"sales.deal.wo", 0, NULL, HANDOFF_OPENS},
        {"sales.deal.wonx", 0, NULL, HANDOFF_OPENS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count;
        const struct handoff_interest *found =
            handoff_rules_of(rules, span_of(cases[i].type), &count);
        assert_int_equal(count, cases[i].count);
        if (count == 0)
            continue;
        assert_string_equal(found->rule->name, cases[i].rule);
        assert_int_equal(found->use, cases[i].use);
    }
    const struct handoff_rule *b = handoff_rule_named(rules, span_of("b"));
    assert_int_equal(b->due_ms, 24 * 3600 * 1000);
    assert_int_equal(b->max_age_ms, 7LL * 24 * 3600 * 1000);
    assert_int_equal(b->open_issue, ISSUE_NONE);
    assert_int_equal(b->known_for_ms, 2LL * 24 * 3600 * 1000);
    assert_true(b->first);
    assert_null(handoff_rule_named(rules, span_of("c")));
    handoff_rules_free(rules);
}

static void no_file_is_no_rule(void **state)
{
    (void)state;
    struct folder folder;
    struct handoff_rules *rules = NULL;
    struct fault fault = {.detail = ""};
    size_t count;
    folder_make(&folder);
    assert_int_equal(handoff_rules_load(folder.path, vocabulary, &rules, &fault), 0);
    assert_int_equal(rules->count, 0);
    assert_null(handoff_rules_of(rules, span_of("sales.deal.won"), &count));
    handoff_rules_free(rules);
    folder_remove(&folder);
}

#define RULE(more)                                                                                 \
    "[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"billing\", \"ask\": \"x\", "       \
    "\"due\": \"4h\"" more "}]"

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *content, *pointer, *detail;
    } cases[] = {
        {"{}", "", "must be a list"},
        {"[1]", "/0", "must be an object"},
        {"[{}]", "/0/rule", "is required"},
        {"[{\"rule\": \"A\"}]", "/0/rule", "a-z"},
        {"[{\"rule\": \"a\"}]", "/0/when", "is required"},
        {RULE(", \"colour\": 1"), "/0/colour", ""},
        {RULE(", \"if\": {\"amount\": 1}"), "/0/if/amount", "JSON Pointer"},
        {RULE(", \"unless\": []"), "/0/unless", "must be an object"},
        {RULE(", \"while\": {}"), "/0/while", "must be an object with"},
        {RULE(", \"while\": {\"open\": true}"), "/0/while/open", ""},
        {RULE(", \"while\": {\"open_issue\": 1}"), "/0/while/open_issue", "true or false"},
        {RULE(", \"while\": {\"first\": false}"), "/0/while/first", "left out"},
        {RULE(", \"while\": {\"known_for\": \"long\"}"), "/0/while/known_for", "a duration"},
        {RULE(", \"max_age\": \"7 days\""), "/0/max_age", "a duration"},
        {RULE(", \"max_age\": 7"), "/0/max_age", "a duration"},
        {RULE(", \"fallback\": \"nobody\""), "/0/fallback", "departments/nobody.json"},
        {RULE(", \"done_when\": \"billing.invoice.isued\""), "/0/done_when",
         "did you mean \"billing.invoice.issued\""},
        {RULE(", \"done_when\": []"), "/0/done_when", "list of 1 to 32"},
        {RULE(", \"done_when\": [\"billing.invoice.issued\", \"x\"]"), "/0/done_when/1",
         "no department has"},
        {RULE(", \"done_when\": [1]"), "/0/done_when/0", "must be an event type"},
        {RULE(", \"done_when\": \"throughline.handoff.accept\""), "/0/done_when",
         "no department has"},
        {RULE(", \"done_when\": \"sales.deal.lost\", \"cancel_when\": \"sales.deal.lost\""),
         "/0/cancel_when", "has a type of \"done_when\""},
        {RULE(", \"match\": [[\"/a\", \"/b\"]]"), "/0/match", "has no use"},
        {RULE(", \"done_when\": \"sales.deal.lost\", \"match\": [[\"/a\"]]"), "/0/match/0",
         "must be a pair"},
        {RULE(", \"done_when\": \"sales.deal.lost\", \"match\": [[\"/a\", \"b\"]]"), "/0/match/0",
         "must be a JSON Pointer"},
        {RULE(", \"done_when\": \"sales.deal.lost\", \"match\": []"), "/0/match", "1 to 8 pairs"},
        {RULE(", \"brief\": [\"/a~\"]"), "/0/brief/0", "must be a JSON Pointer"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"law\"}]", "/0/to",
         "departments/law.json"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"owner\"}]", "/0/fallback",
         "is required beside"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"sales\"}]", "/0/ask",
         "is required"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"sales\", \"ask\": \"a\\nb\"}]",
         "/0/ask", "one line"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"sales\", \"ask\": \"x\"}]",
         "/0/due", "is required"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"sales\", \"ask\": \"x\", "
         "\"due\": \"0s\"}]",
         "/0/due", "a duration"},
        {"[{\"rule\": \"a\", \"when\": \"sales.deal.won\", \"to\": \"sales\", \"ask\": \"x\", "
         "\"due\": \"1h\"}, {\"rule\": \"a\"}]",
         "/1/rule", "earlier rule"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_rules *rules = NULL;
        struct fault fault = {.detail = ""};
        int rc = load(cases[i].content, &rules, &fault);
        if (rc != ERR_INVALID || strcmp(fault.pointer, cases[i].pointer) != 0 ||
            !strstr(fault.detail, cases[i].detail) || !strstr(fault.file, "handoffs.json"))
            fail_msg("%s: %d, %s%s: %s", cases[i].content, rc, fault.file, fault.pointer,
                     fault.detail);
    }
}

/* Two rules, "a" and "b", by what they open on. */
#define PAIR(a, b)                                                                                 \
    "[{\"rule\": \"a\", " a ", \"to\": \"sales\", \"ask\": \"x\", \"due\": \"1h\"},"               \
    " {\"rule\": \"b\", " b ", \"to\": \"sales\", \"ask\": \"x\", \"due\": \"1h\"}]"
#define ON(what, more) "\"when\": \"throughline.handoff." what "\"" more
#define WON            "\"when\": \"sales.deal.won\""

static void loops_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *content, *chain; /* NULL: no loop */
    } cases[] = {
        {PAIR(WON, ON("overdue", "")), "b, b"},
        {PAIR(WON, ON("overdue", ", \"if\": {\"/rule\": \"a\"}")), NULL},
        {PAIR(WON, ON("overdue", ", \"unless\": {\"/rule\": \"b\"}")), NULL},
        {PAIR(WON, ON("overdue", ", \"unless\": {\"/rule\": [\"b\", \"a\"]}")), NULL},
        {PAIR(WON, ON("overdue", ", \"unless\": {\"/rule\": \"b\", \"/state\": \"open\"}")),
         "b, b"},
        {PAIR(ON("opened", ", \"if\": {\"/rule\": \"b\"}"),
              ON("closed", ", \"if\": {\"/rule\": \"a\"}")),
         "a, b, a"},
        {PAIR(ON("opened", ", \"if\": {\"/rule\": \"b\"}"), WON), NULL},
        {PAIR(ON("opened", ", \"if\": {\"/rule\": [\"a\", \"b\"]}"), WON), "a, a"},
        {PAIR("\"when\": \"throughline.customer.stale\"", WON), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_rules *rules = NULL;
        struct fault fault = {.detail = ""};
        int rc = load(cases[i].content, &rules, &fault);
        if (rc != (cases[i].chain ? ERR_INVALID : 0) ||
            (cases[i].chain && !strstr(fault.detail, cases[i].chain)))
            fail_msg("%s: %d, %s: %s", cases[i].content, rc, fault.pointer, fault.detail);
        if (rc == 0)
            handoff_rules_free(rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_rules_load),     cmocka_unit_test(shipped_rules_are_documented),
        cmocka_unit_test(types_find_their_rules), cmocka_unit_test(no_file_is_no_rule),
        cmocka_unit_test(mistakes_are_named),     cmocka_unit_test(loops_are_found),
    };
    return cmocka_run_group_tests(tests, load_vocabulary, free_vocabulary);
}
