/*
 * Texts of others on their way into a line of the log (logfmt and JSON), what PostgreSQL says on
 * its way there, and traceparents.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/base/log_line.h"
#include "common/event/trace_context.h"
#include "common/json/json_scan.h"
#include "common/pg/pg_words.h"
#include "tests/fuzz/kit.h"

static void check_line(const char *value, enum log_format format)
{
    struct log_line line;
    log_line_begin(&line, format);
    log_line_text(&line, "msg", "It is so");
    log_line_text(&line, "it", value);
    log_line_number(&line, "count", INT64_MIN);
    log_line_text(&line, "again", value);
    log_line_end(&line);
    expect(line.len <= LOG_LINE_LIMIT, "a line has a bound");
    expect(memchr(line.text, '\n', line.len) == line.text + line.len - 1, "a line is one line");
    struct span text = kit_copy((struct span){line.text, line.len - 1});
    expect(utf8_valid(text), "a line is UTF-8");
    for (size_t i = 0; i < text.len; i++)
        expect((unsigned char)text.ptr[i] >= ' ' && text.ptr[i] != 0x7f,
               "a line has no control characters");
    struct fault fault = {.detail = ""};
    if (format == LOG_FORMAT_JSON)
        expect(json_scan_grammar(text, &fault) == 0, "a line is JSON");
}

static size_t count(const char *text, char c)
{
    size_t found = 0;
    for (; *text; text++)
        found += *text == c;
    return found;
}

/* Words only get shorter, and what stands between quotes goes, not the quotes. */
static void check_words(const char *said)
{
    char *text = strdup(said);
    expect(text, "there is memory");
    pg_words_of_statement("22P02", text);
    expect(strlen(text) <= strlen(said), "words become no longer");
    expect(count(text, '"') == count(said, '"'), "quotes stay");
    for (char *open = strchr(text, '"'); open; open = strchr(open, '"')) {
        char *close = strchr(open + 1, '"');
        size_t len = close ? (size_t)(close - open) - 1 : strlen(open + 1);
        expect(len == 0 || (len == strlen("…") && memcmp(open + 1, "…", len) == 0),
               "values are hidden");
        open = close ? close + 1 : open + 1 + len;
    }
    strcpy(text, said);
    pg_words_of_connection(text);
    expect(strlen(text) <= strlen(said), "words become no longer");
    free(text);
}

static void check_trace(struct span text)
{
    struct span trace = trace_parent(text);
    expect(!trace.ptr ||
               (span_equal(trace, text) && trace.len >= 55 && trace.len <= TRACE_PARENT_LIMIT),
           "a traceparent is all of the text");
    for (size_t i = 0; trace.ptr && i < trace.len; i++)
        expect(trace.ptr[i] > ' ' && trace.ptr[i] <= '~', "a traceparent can stand in a header");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = kit_copy((struct span){(const char *)data, size});
    const char *value = kit_text(text);
    check_line(value, LOG_FORMAT_LOGFMT);
    check_line(value, LOG_FORMAT_JSON);
    check_words(value);
    check_trace(text);
    kit_end();
    return 0;
}
