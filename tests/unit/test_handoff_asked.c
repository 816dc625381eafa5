/* What departments ask and report of handoffs: what is read, what is refused and where, ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/event/system_events.h"
#include "services/aggregator/handoff_asked.h"

#define ID    "c0ffee00-0123-4567-89ab-cdef00112233"
#define KNOWN "\"handoff\": \"" ID "\""

static const unsigned char id_bytes[16] = {0xc0, 0xff, 0xee, 0x00, 0x01, 0x23, 0x45, 0x67,
                                           0x89, 0xab, 0xcd, 0xef, 0x00, 0x11, 0x22, 0x33};

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static int read_json(const char *type, const char *data, struct handoff_asked *asked,
                     struct fault *fault)
{
    const struct event event = {
        .type = span_of(type), .data_kind = EVENT_DATA_JSON, .data = span_of(data)};
    *fault = (struct fault){.detail = ""};
    return handoff_asked_read(&event, &arena, asked, fault);
}

static void assert_refused(const char *type, const char *data, const char *pointer)
{
    struct handoff_asked asked;
    struct fault fault;
    int rc = read_json(type, data, &asked, &fault);
    if (rc != ERR_INVALID || strcmp(fault.pointer, pointer) != 0 || fault.detail[0] == '\0')
        fail_msg("%s %s: %s, %s: %s", type, data, error_name(rc), fault.pointer, fault.detail);
}

/* Absent: NULL. */
static void assert_text(struct span text, const char *expected)
{
    assert_int_equal(text.ptr != NULL, expected != NULL);
    assert_true(!expected || span_is(text, expected));
}

static void every_type_has_its_action(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum handoff_action action;
    } cases[] = {
        {"throughline.handoff.accept", ACTION_ACCEPT},
        {"throughline.handoff.decline", ACTION_DECLINE},
        {"throughline.handoff.done", ACTION_DONE},
        {"throughline.handoff.reassign", ACTION_REASSIGN},
        {"throughline.handoff.delivered", ACTION_DELIVERED},
        {"throughline.handoff.undeliverable", ACTION_UNDELIVERABLE},
    };
    static const char *const others[] = {"throughline.handoff.opened",
                                         "throughline.handoff.closed",
                                         "throughline.handoff.accep",
                                         "throughline.handoff.accepted",
                                         "accept",
                                         ""};
    enum handoff_action action;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(handoff_action_of(span_of(cases[i].type), &action));
        assert_int_equal(action, cases[i].action);
        assert_int_equal(system_event_of(span_of(cases[i].type)), SYSTEM_IS_TOLD);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(handoff_action_of(span_of(others[i]), &action));
}

static void what_is_asked_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data;
        enum handoff_action action;
        const char *by, *note, *to;
        int64_t sequence;
    } cases[] = {
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": \"ann\"}", ACTION_ACCEPT, "ann", NULL, NULL, 0},
        {TYPE_HANDOFF_DECLINE, "{" KNOWN ", \"by\": \"ann\", \"note\": \"not ours\"}",
         ACTION_DECLINE, "ann", "not ours", NULL, 0},
        {TYPE_HANDOFF_DONE, "{" KNOWN ", \"by\": \"J\xc3\xbcrgen\", \"note\": null, \"to\": \"\"}",
         ACTION_DONE, "J\xc3\xbcrgen", NULL, NULL, 0},
        {TYPE_HANDOFF_REASSIGN, "{" KNOWN ", \"by\": \"ann\", \"to\": \"billing\"}",
         ACTION_REASSIGN, "ann", NULL, "billing", 0},
        {TYPE_HANDOFF_DELIVERED, "{" KNOWN ", \"sequence\": 7}", ACTION_DELIVERED, NULL, NULL, NULL,
         7},
        {TYPE_HANDOFF_UNDELIVERABLE, "{" KNOWN ", \"sequence\": \"7\", \"note\": \"410 Gone\"}",
         ACTION_UNDELIVERABLE, NULL, "410 Gone", NULL, 0},
        {TYPE_HANDOFF_ACCEPT, "\xef\xbb\xbf{" KNOWN ", \"by\": \"ann\", \"more\": [1]}",
         ACTION_ACCEPT, "ann", NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_asked asked;
        struct fault fault;
        if (read_json(cases[i].type, cases[i].data, &asked, &fault) != 0)
            fail_msg("%s: %s: %s", cases[i].data, fault.pointer, fault.detail);
        assert_int_equal(asked.action, cases[i].action);
        assert_memory_equal(asked.handoff.bytes, id_bytes, sizeof id_bytes);
        assert_text(asked.by, cases[i].by);
        assert_text(asked.note, cases[i].note);
        assert_text(asked.to, cases[i].to);
        assert_int_equal(asked.sequence, cases[i].sequence);
    }
}

static void each_refusal_names_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data, *pointer;
    } cases[] = {
        {"sales.note.taken", "{" KNOWN ", \"by\": \"ann\"}", "/type"},
        {TYPE_HANDOFF_OPENED, "{" KNOWN ", \"by\": \"ann\"}", "/type"},
        {TYPE_HANDOFF_ACCEPT, "", "/data"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN, "/data"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": \"a\", \"by\": \"b\"}", "/data/by"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": \"a\\u0000n\"}", "/data"},
        {TYPE_HANDOFF_ACCEPT, "[]", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "\"" ID "\"", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "{\"by\": \"ann\"}", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "{\"handoff\": null, \"by\": \"ann\"}", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "{\"handoff\": 7, \"by\": \"ann\"}", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "{\"handoff\": \"7\", \"by\": \"ann\"}", "/data/handoff"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN "}", "/data/by"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": \"\"}", "/data/by"},
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": 7}", "/data/by"},
        {TYPE_HANDOFF_DONE, "{" KNOWN ", \"note\": \"all done\"}", "/data/by"},
        {TYPE_HANDOFF_DONE, "{" KNOWN ", \"by\": \"ann\", \"note\": []}", "/data/note"},
        {TYPE_HANDOFF_DECLINE, "{" KNOWN ", \"by\": \"ann\"}", "/data/note"},
        {TYPE_HANDOFF_DECLINE, "{" KNOWN ", \"by\": \"ann\", \"note\": \"\"}", "/data/note"},
        {TYPE_HANDOFF_REASSIGN, "{" KNOWN ", \"by\": \"ann\"}", "/data/to"},
        {TYPE_HANDOFF_REASSIGN, "{" KNOWN ", \"by\": \"ann\", \"to\": null}", "/data/to"},
        {TYPE_HANDOFF_REASSIGN, "{" KNOWN ", \"by\": \"ann\", \"to\": {}}", "/data/to"},
        {TYPE_HANDOFF_UNDELIVERABLE, "{" KNOWN ", \"note\": false}", "/data/note"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].type, cases[i].data, cases[i].pointer);
}

static void data_of_another_kind_is_refused(void **state)
{
    (void)state;
    static const enum event_data kinds[] = {EVENT_DATA_NONE, EVENT_DATA_BINARY};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct event event = {.type = span_of(TYPE_HANDOFF_ACCEPT), .data_kind = kinds[i]};
        struct handoff_asked asked;
        struct fault fault = {.detail = ""};
        assert_int_equal(handoff_asked_read(&event, &arena, &asked, &fault), ERR_INVALID);
        assert_string_equal(fault.pointer, "/data");
    }
}

/* Bytes, not characters: what just fits is read whole, one byte more is refused. */
static void texts_have_limits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *rest, *pointer;
        size_t limit;
    } cases[] = {
        {"by", "\"x\": 1", "/data/by", HANDOFF_BY_LIMIT},
        {"note", "\"by\": \"ann\"", "/data/note", HANDOFF_NOTE_LIMIT},
        {"to", "\"by\": \"ann\"", "/data/to", 64},
    };
    static char text[HANDOFF_NOTE_LIMIT + 2], data[HANDOFF_NOTE_LIMIT + 200];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_asked asked;
        struct fault fault;
        memset(text, 'x', sizeof text);
        text[cases[i].limit] = '\0';
        snprintf(data, sizeof data, "{" KNOWN ", %s, \"%s\": \"%s\"}", cases[i].rest, cases[i].name,
                 text);
        if (read_json(TYPE_HANDOFF_DONE, data, &asked, &fault) != 0)
            fail_msg("%s: %s: %s", cases[i].name, fault.pointer, fault.detail);
        const struct span read[] = {asked.by, asked.note, asked.to};
        assert_text(read[i], text);
        snprintf(data, sizeof data, "{" KNOWN ", %s, \"%s\": \"%sx\"}", cases[i].rest,
                 cases[i].name, text);
        assert_refused(TYPE_HANDOFF_DONE, data, cases[i].pointer);
    }
}

static void an_id_is_a_uuid_both_ways(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "c0ffee00012345678 9abcdef00112233",
        "c0ffee000123456789abcdef00112233",
        "c0ffee00-0123-4567-89ab-cdef0011223",
        "c0ffee00-0123-4567-89ab-cdef001122334",
        "c0ffee0-00123-4567-89ab-cdef00112233",
        "c0ffee00-0123-4567-89ab-cdef0011223g",
        "c0ffee00-0123-4567-89ab-cdef0011223-",
        "c0ffee00-0123-4567-89ab cdef00112233",
        "{0ffee00-0123-4567-89ab-cdef0011223}",
    };
    struct event_uid id;
    char text[EVENT_UID_TEXT];
    assert_int_equal(event_uid_parse(span_of(ID), &id), 0);
    assert_memory_equal(id.bytes, id_bytes, sizeof id_bytes);
    event_uid_text(&id, text);
    assert_string_equal(text, ID);
    memset(&id, 0, sizeof id);
    assert_int_equal(event_uid_parse(span_of("C0FFEE00-0123-4567-89AB-CDEF00112233"), &id), 0);
    assert_memory_equal(id.bytes, id_bytes, sizeof id_bytes);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (event_uid_parse(span_of(others[i]), &id) != ERR_INVALID)
            fail_msg("taken for an id: %s", others[i]);
}

static void the_summary_says_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data, *line;
    } cases[] = {
        {TYPE_HANDOFF_ACCEPT, "{" KNOWN ", \"by\": \"ann\"}", "Asked: accept (ann)"},
        {TYPE_HANDOFF_REASSIGN,
         "{" KNOWN ", \"by\": \"ann\", \"to\": \"billing\", \"note\": \"not\\nours\"}",
         "Asked: reassign to billing (ann): not ours"},
        {TYPE_HANDOFF_DELIVERED, "{" KNOWN ", \"sequence\": 1}", "Handoff: delivered"},
        {TYPE_HANDOFF_UNDELIVERABLE, "{" KNOWN ", \"note\": \"410\"}",
         "Handoff: undeliverable: 410"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct handoff_asked asked;
        struct fault fault;
        struct span summary;
        assert_int_equal(read_json(cases[i].type, cases[i].data, &asked, &fault), 0);
        assert_int_equal(handoff_asked_summary(&asked, &arena, &summary), 0);
        if (!span_is(summary, cases[i].line))
            fail_msg("%.*s", SPAN_ARGS(summary));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_action),
        cmocka_unit_test(what_is_asked_is_read),
        cmocka_unit_test(each_refusal_names_its_place),
        cmocka_unit_test(data_of_another_kind_is_refused),
        cmocka_unit_test(texts_have_limits),
        cmocka_unit_test(an_id_is_a_uuid_both_ways),
        cmocka_unit_test(the_summary_says_what_was_asked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
