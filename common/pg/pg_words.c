#include "common/pg/pg_words.h"

#include <stdbool.h>
#include <string.h>

#define HIDDEN "…"

/* libpq 15 to 17, fe-connect.c: what it says of a connection string that it cannot read. */
static const char *const forms[] = {
    "missing \"=\"", "missing key/value", "extra key/value", "invalid ",        "unterminated ",
    "unexpected ",   "end of string",     "trailing data",   "could not match", "forbidden value"};

static bool is_of_form(const char *message)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strncmp(message, forms[i], strlen(forms[i])) == 0)
            return true;
    return false;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* Puts HIDDEN, or as much of it as there is room for, in place of `len` bytes; returns what
 * follows. */
static char *hide(char *at, size_t len)
{
    size_t mark = len < sizeof HIDDEN - 1 ? 0 : sizeof HIDDEN - 1;
    memcpy(at, HIDDEN, mark);
    memmove(at + mark, at + len, strlen(at + len) + 1);
    return at + mark;
}

/* Every text between double quotes that `hidden` wants hidden: how many of its first bytes. A quote
 * that is not closed hides all that follows. */
static void hide_quoted(char *message, size_t (*hidden)(const char *before, size_t len,
                                                        const char *quoted, size_t n))
{
    for (char *open = strchr(message, '"'); open; open = strchr(open, '"')) {
        char *text = open + 1, *close = strchr(text, '"');
        size_t n = close ? (size_t)(close - text) : strlen(text);
        size_t some = hidden(message, (size_t)(open - message), text, n);
        char *rest = some > 0 ? hide(text, some) + (n - some) : text + n;
        open = *rest ? rest + 1 : rest;
    }
}

static size_t all(const char *before, size_t len, const char *quoted, size_t n)
{
    (void)before, (void)len, (void)quoted;
    return n;
}

static size_t all_but_names_of_options(const char *before, size_t len, const char *quoted, size_t n)
{
    bool kept = (n == 1 && *quoted == '=') || ends_with(before, len, "for connection option ");
    return kept ? 0 : n;
}

static size_t up_to_the_last_at(const char *before, size_t len, const char *quoted, size_t n)
{
    (void)before, (void)len;
    while (n > 0 && quoted[n - 1] != '@')
        n--;
    return n;
}

void pg_words_of_connection(char *message)
{
    hide_quoted(message, is_of_form(message) ? all_but_names_of_options : up_to_the_last_at);
}

void pg_words_of_statement(const char *sqlstate, char *message)
{
    if (strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "P0", 2) == 0)
        hide_quoted(message, all);
}
