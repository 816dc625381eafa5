/* What `throughline send` decides: lines to batches, what an answer means, the file of refused
 * events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/cli/send_answer.h"
#include "services/cli/send_batch.h"
#include "services/cli/send_refused.h"

/* A file with this content, at its beginning. */
static int file_with(struct span content)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(content.ptr, 1, content.len, file), content.len);
    assert_int_equal(fflush(file), 0);
    int fd = dup(fileno(file));
    fclose(file);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

struct heard { /* what was refused: "line:json:reason;" */
    struct buffer text;
    int stop_at; /* refuse answers ERR_IO at this line */
};

static int hear(void *context, int64_t line, struct span text, bool json, const char *reason,
                const char *pointer)
{
    struct heard *heard = context;
    (void)text;
    assert_string_equal(pointer, "");
    buffer_printf(&heard->text, "%lld%s:%.20s;", (long long)line, json ? "j" : "", reason);
    return line == heard->stop_at ? ERR_IO : 0;
}

/* Reads everything; `lines` gets "1,2|3," with a bar between batches. Returns the last code. */
static int read_all(struct span content, int64_t first_line, struct buffer *lines,
                    struct heard *heard)
{
    struct send_batch *batch = malloc(sizeof *batch);
    struct send_reader reader;
    int fd = file_with(content), rc;
    send_batch_init(batch);
    send_reader_init(&reader, fd, first_line);
    while ((rc = send_reader_next(&reader, batch, hear, heard)) == 0 && batch->count > 0) {
        if (lines->len)
            buffer_append_char(lines, '|');
        for (size_t i = 0; i < batch->count; i++)
            buffer_printf(lines, "%lld,", (long long)batch->events[i].line);
    }
    send_reader_free(&reader);
    send_batch_free(batch);
    free(batch);
    close(fd);
    return rc;
}

static void lines_become_events(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        int64_t first_line;
        const char *lines, *refused;
    } cases[] = {
        {"", 1, "", ""},
        {"\n\n  \r\n", 1, "", ""},
        {"{}", 1, "1,", ""}, /* the last line without its end */
        {"{}\n{}\r\n\n {\"a\":1} \n", 1, "1,2,4,", ""},
        {"\xEF\xBB\xBF{}\n{}", 1, "1,2,", ""}, /* a byte order mark */
        {"\xEF\xBB\xBF {}\n{}", 1, "1,2,", ""},
        {"\xEF\xBB\xBF \r\n{}", 1, "2,", ""},
        {"{}\n[1]\n7\n\"x\"\n{}\n", 1, "1,5,",
         "2j:an event is a JSON o;3j:an event is a JSON o;4j:an event is a JSON o;"},
        {"{}\nbad\n{\"a\":\n{}\n", 3, "4,", "3:"},
        {"{}\n{}\n{}\n", 3, "3,", ""},
        {"{}\n", 5, "", ""},
    };
    struct buffer lines;
    struct heard heard = {.stop_at = 0};
    buffer_init(&lines, 1 << 20);
    buffer_init(&heard.text, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&lines);
        buffer_clear(&heard.text);
        assert_int_equal(read_all(span_of(cases[i].content), cases[i].first_line, &lines, &heard),
                         0);
        assert_string_equal(lines.len ? lines.data : "", cases[i].lines);
        const char *said = heard.text.len ? heard.text.data : "";
        if (i == 8) /* the scanner's own words follow */
            assert_memory_equal(said, cases[i].refused, strlen(cases[i].refused));
        else
            assert_string_equal(said, cases[i].refused);
    }
    buffer_free(&lines);
    buffer_free(&heard.text);
}

static void append_event(struct buffer *content, size_t size)
{
    buffer_append_text(content, "{\"a\":\"");
    for (size_t i = 8; i < size; i++)
        buffer_append_char(content, 'x');
    buffer_append_text(content, "\"}\n");
}

static size_t count_of(const struct buffer *text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == c;
    return count;
}

static void batches_have_bounds(void **state)
{
    (void)state;
    struct buffer content, lines;
    struct heard heard = {.stop_at = 0};
    buffer_init(&content, (size_t)16 << 20);
    buffer_init(&lines, 1 << 20);
    buffer_init(&heard.text, 1 << 20);

    for (int i = 0; i < 1201; i++) /* by number: 500, 500, 201 */
        append_event(&content, 8);
    assert_int_equal(read_all(buffer_span(&content), 1, &lines, &heard), 0);
    assert_int_equal(count_of(&lines, ','), 1201);
    assert_int_equal(count_of(&lines, '|'), 2);

    buffer_clear(&content); /* by bytes: an event that would be too much begins the next batch */
    buffer_clear(&lines);
    append_event(&content, SEND_BYTES / 2);
    append_event(&content, SEND_BYTES / 2);
    append_event(&content, 8);
    append_event(&content, SEND_BYTES + 100); /* alone, though larger than a batch */
    append_event(&content, 8);
    assert_int_equal(read_all(buffer_span(&content), 1, &lines, &heard), 0);
    assert_string_equal(lines.data, "1,2,|3,|4,|5,");

    buffer_clear(&content); /* the longest line, and one byte more */
    buffer_clear(&lines);
    append_event(&content, SEND_LINE_LIMIT);
    append_event(&content, SEND_LINE_LIMIT + 1);
    append_event(&content, 3 * SEND_LINE_LIMIT);
    append_event(&content, 8);
    assert_int_equal(heard.text.len, 0);
    assert_int_equal(read_all(buffer_span(&content), 1, &lines, &heard), 0);
    assert_string_equal(lines.data, "1,|4,");
    assert_string_equal(heard.text.data, "2:the line is longer t;3:the line is longer t;");
    buffer_free(&content);
    buffer_free(&lines);
    buffer_free(&heard.text);
}

static void a_refusal_that_fails_ends_it(void **state)
{
    (void)state;
    struct buffer lines;
    struct heard heard = {.stop_at = 2};
    buffer_init(&lines, 1024);
    buffer_init(&heard.text, 1024);
    assert_int_equal(read_all(span_of("{}\nbad\n{}\n"), 1, &lines, &heard), ERR_IO);
    buffer_free(&lines);
    buffer_free(&heard.text);
}

static void a_body_is_an_array_of_the_chosen(void **state)
{
    (void)state;
    struct send_batch *batch = malloc(sizeof *batch);
    struct send_reader reader;
    struct buffer body;
    struct heard heard = {.stop_at = 0};
    int fd = file_with(span_of("{\"n\":0}\n {\"n\":1} \n{\"n\":2}\n"));
    buffer_init(&body, 1024);
    buffer_init(&heard.text, 1024);
    send_batch_init(batch);
    send_reader_init(&reader, fd, 1);
    assert_int_equal(send_reader_next(&reader, batch, hear, &heard), 0);
    send_batch_body(batch, (const size_t[]){0, 1, 2}, 3, &body);
    assert_string_equal(body.data, "[{\"n\":0},{\"n\":1},{\"n\":2}]");
    send_batch_body(batch, (const size_t[]){2}, 1, &body);
    assert_string_equal(body.data, "[{\"n\":2}]");
    send_reader_free(&reader);
    send_batch_free(batch);
    free(batch);
    close(fd);
    buffer_free(&body);
    buffer_free(&heard.text);
}

static void an_answer_has_a_meaning(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        size_t events;
        enum send_meaning meaning;
        const char *blamed; /* "index:pointer:reason;" */
        const char *why;
    } cases[] = {
        {202, "{\"accepted\":3}", 3, SEND_ACCEPTED, "", ""},
        {200, "hello", 3, SEND_HOPELESS, "", "200"},
        {301, "", 3, SEND_HOPELESS, "", "301"},
        {401, "{\"title\":\"Unauthorized\",\"detail\":\"no token\"}", 3, SEND_HOPELESS, "",
         "401: no token"},
        {404, "{\"title\":\"Not Found\"}", 3, SEND_HOPELESS, "", "404: Not Found"},
        {415, "", 3, SEND_HOPELESS, "", "415"},
        {0, "", 3, SEND_AGAIN, "", "cut off"},
        {408, "", 3, SEND_AGAIN, "", "408"},
        {429, "", 3, SEND_AGAIN, "", "429"},
        {500, "", 3, SEND_AGAIN, "", "500"},
        {503, "{\"detail\":\"Kafka\"}", 3, SEND_AGAIN, "", "503: Kafka"},
        {400,
         "{\"detail\":\"bad\",\"errors\":[{\"index\":1,\"pointer\":\"/type\",\"detail\":\"no\"}]}",
         3, SEND_BLAMED, "1:/type:no;", "400: bad"},
        {400,
         "{\"errors\":[{\"index\":2,\"pointer\":\"\",\"detail\":\"c\"},{\"index\":0,\"pointer\":\"/"
         "a\",\"detail\":\"a\"},"
         "{\"index\":2,\"pointer\":\"/z\",\"detail\":\"second\"}]}",
         3, SEND_BLAMED, "0:/a:a;2::c;", "400"},
        {413, "{\"errors\":[{\"index\":0,\"pointer\":\"\",\"detail\":\"too large\"}]}", 3,
         SEND_BLAMED, "0::too large;", "413"},
        {413, "{\"detail\":\"the request is too large\"}", 3, SEND_REFUSED, "",
         "413: the request is too large"},
        {400, "not json", 3, SEND_REFUSED, "", "400"},
        {400, "", 3, SEND_REFUSED, "", "400"},
        {400, "[1,2]", 3, SEND_REFUSED, "", "400"},
        /* An index beyond the batch, or of the wrong type, names nobody. */
        {400,
         "{\"errors\":[{\"index\":3,\"detail\":\"x\"},{\"index\":-1,\"detail\":\"x\"},{\"index\":"
         "\"1\"},7]}",
         3, SEND_REFUSED, "", "400"},
        /* Of an only event there is no doubt. */
        {400, "{\"errors\":[{\"pointer\":\"/time\",\"detail\":\"late\"}]}", 1, SEND_BLAMED,
         "0:/time:late;", "400"},
        {400, "{\"errors\":[{\"index\":1,\"detail\":7,\"pointer\":null}]}", 3, SEND_BLAMED, "1::;",
         "400"},
    };
    struct send_verdict *verdict = malloc(sizeof *verdict);
    struct buffer said;
    buffer_init(&said, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_answer answer = {
            .status = cases[i].status, .retry_after_s = 9, .error = "cut off"};
        buffer_init(&answer.body, 4096);
        buffer_append_text(&answer.body, cases[i].body);
        send_judge(&answer, cases[i].events, verdict);
        assert_int_equal(verdict->meaning, cases[i].meaning);
        assert_int_equal(verdict->retry_after_s, 9);
        assert_string_equal(verdict->why, cases[i].why);
        buffer_clear(&said);
        for (size_t b = 0; b < verdict->blame_count; b++)
            buffer_printf(&said, "%zu:%s:%s;", verdict->blames[b].index, verdict->blames[b].pointer,
                          verdict->blames[b].reason);
        assert_string_equal(said.len ? said.data : "", cases[i].blamed);
        buffer_free(&answer.body);
    }
    buffer_free(&said);
    free(verdict);
}

static void read_file(const char *path, char text[1024])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, 1023, file)] = '\0';
    fclose(file);
}

static void refused_events_are_kept(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_cli_send.XXXXXX", input[64], expected[128], text[1024];
    assert_non_null(mkdtemp(folder));
    snprintf(input, sizeof input, "%s/e.jsonl", folder);
    snprintf(expected, sizeof expected, "%s.refused.jsonl", input);
    struct send_refused refused;
    for (int run = 0; run < 3; run++) { /* the second replaces the first, the third adds to it */
        assert_int_equal(send_refused_init(&refused, input, run == 2), 0);
        assert_string_equal(refused.path, expected);
        if (run == 0)
            assert_int_not_equal(access(expected, F_OK), 0); /* none until there is a refusal */
        assert_int_equal(
            send_refused_add(&refused, 7, span_of("{\"a\": 1.50}"), true, "say \"why\"", "/a"), 0);
        if (run == 2)
            assert_int_equal(
                send_refused_add(&refused, 8, span_of("\x1b\xff{"), false, "no JSON", ""), 0);
        assert_int_equal(refused.count, run == 2 ? 2 : 1);
        assert_int_equal(send_refused_close(&refused), 0);
    }
    read_file(expected, text);
    assert_string_equal(text, "{\"line\": 7, \"reason\": \"say \\\"why\\\"\", \"pointer\": \"/a\", "
                              "\"event\": {\"a\": 1.50}}\n"
                              "{\"line\": 7, \"reason\": \"say \\\"why\\\"\", \"pointer\": \"/a\", "
                              "\"event\": {\"a\": 1.50}}\n"
                              "{\"line\": 8, \"reason\": \"no JSON\", \"pointer\": \"\", "
                              "\"event\": \"\xef\xbf\xbd\xef\xbf\xbd{\"}\n");
    unlink(expected);
    rmdir(folder);

    assert_int_equal(send_refused_init(&refused, "-", false), 0);
    assert_string_equal(refused.path, "refused.jsonl");
    assert_int_equal(send_refused_close(&refused), 0);
    assert_int_equal(send_refused_init(&refused, "/nowhere/at/all", false), 0);
    assert_int_equal(send_refused_add(&refused, 1, span_of("{}"), true, "", ""), ERR_IO);
    assert_int_equal(send_refused_close(&refused), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_events),
        cmocka_unit_test(batches_have_bounds),
        cmocka_unit_test(a_refusal_that_fails_ends_it),
        cmocka_unit_test(a_body_is_an_array_of_the_chosen),
        cmocka_unit_test(an_answer_has_a_meaning),
        cmocka_unit_test(refused_events_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
