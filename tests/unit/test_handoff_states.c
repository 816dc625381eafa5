/* Every state with every action: docs/protocol.md shows the table that the code uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/aggregator/handoff_states.h"

#define DOCUMENT "docs/protocol.md"
#define HEAD     "| action |"
#define LINE     512

/* The next cell of "| a | b |", without blanks and back quotes; NULL at the end of the line. */
static char *next_cell(char **line)
{
    char *begin = *line + strspn(*line, "| `"), *end = strchr(begin, '|');
    if (!end)
        return NULL;
    *line = end;
    while (end > begin && strchr(" `", end[-1]))
        end--;
    *end = '\0';
    (*line)++;
    return begin;
}

/* What the document has to say of it. */
static const char *expected(enum handoff_state state, enum handoff_action action)
{
    struct handoff_move move = handoff_move(state, action);
    if (move.effect == EFFECT_MOVES)
        return handoff_state_name(move.next);
    return move.effect == EFFECT_REFUSED ? "refused" : "\xe2\x80\x93";
}

static FILE *open_table(char line[LINE])
{
    FILE *file = fopen(DOCUMENT, "r");
    assert_non_null(file);
    while (fgets(line, LINE, file))
        if (strncmp(line, HEAD, strlen(HEAD)) == 0)
            return file;
    fail_msg("%s has no line that begins with %s", DOCUMENT, HEAD);
    return NULL;
}

static void the_document_shows_the_table(void **state)
{
    (void)state;
    char line[LINE], *at = line;
    FILE *file = open_table(line);
    assert_string_equal(next_cell(&at), "action");
    for (int s = 0; s < HANDOFF_STATES; s++)
        assert_string_equal(next_cell(&at), handoff_state_name((enum handoff_state)s));
    assert_null(next_cell(&at));
    assert_non_null(fgets(line, LINE, file)); /* |---| */
    for (int a = 0; a < HANDOFF_ACTIONS; a++) {
        assert_non_null(fgets(at = line, LINE, file));
        assert_string_equal(next_cell(&at), handoff_action_name((enum handoff_action)a));
        for (int s = 0; s < HANDOFF_STATES; s++) {
            const char *cell = next_cell(&at);
            const char *code = expected((enum handoff_state)s, (enum handoff_action)a);
            if (!cell || strcmp(cell, code) != 0)
                fail_msg("%s while %s: %s says \"%s\", the code \"%s\"",
                         handoff_action_name((enum handoff_action)a),
                         handoff_state_name((enum handoff_state)s), DOCUMENT, cell ? cell : "",
                         code);
        }
    }
    assert_string_equal(fgets(line, LINE, file), "\n"); /* and nothing more */
    fclose(file);
}

/* What holds whatever the table says: closed is closed but for what was declined, no report or
 * event is refused, and each state has its name. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (int s = 0; s < HANDOFF_STATES; s++) {
        enum handoff_state from = (enum handoff_state)s, named;
        assert_true(handoff_state_named(span_of(handoff_state_name(from)), &named) &&
                    named == from);
        for (int a = 0; a < HANDOFF_ACTIONS; a++) {
            enum handoff_action action = (enum handoff_action)a;
            struct handoff_move move = handoff_move(from, action);
            bool asked = action == ACTION_ACCEPT || action == ACTION_DECLINE ||
                         action == ACTION_REASSIGN || action == ACTION_DONE;
            if (!asked)
                assert_int_not_equal(move.effect, EFFECT_REFUSED);
            if (handoff_is_closed(from) && !(from == HANDOFF_DECLINED && action == ACTION_REASSIGN))
                assert_int_not_equal(move.effect, EFFECT_MOVES);
        }
    }
    enum handoff_state none;
    assert_false(handoff_state_named(span_of("finished"), &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_shows_the_table),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
