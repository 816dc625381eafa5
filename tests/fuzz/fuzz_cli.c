/*
 * What the command line reads: its arguments, a line each; the same bytes as a
 * file for `throughline send`, and as an intake's answer to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/http/readiness.h"
#include "common/json/json_scan.h"
#include "services/cli/cli.h"
#include "services/cli/send_answer.h"
#include "services/cli/send_batch.h"
#include "tests/fuzz/kit.h"

#define WORDS_LIMIT 32

static void check_arguments(struct span text)
{
    static const struct command command = {"fuzz", "[--all] A [B]", "tries arguments", "help\n",
                                           NULL};
    struct cli cli = {.command = &command};
    bool all = false;
    const char *reason = NULL, *arguments[2];
    int64_t limit = 7, wait = 7;
    const struct cli_option options[] = {{"--all", CLI_FLAG, &all},
                                         {"--reason", CLI_TEXT, &reason},
                                         {"--limit", CLI_NUMBER, &limit},
                                         {"--wait", CLI_DURATION, &wait},
                                         {0}};
    char *words[WORDS_LIMIT + 2], first[] = "fuzz";
    struct span line;
    int count = 1, status;
    words[0] = first;
    while (count <= WORDS_LIMIT && kit_line(&text, &line)) {
        words[count] = strdup(kit_text(line));
        expect(words[count++], "there is memory");
    }
    words[count] = NULL;
    bool go = cli_arguments(&cli, count, words, options, arguments, 1, 2, &status);
    if (go)
        expect(status == EXIT_OK && arguments[0], "an argument that is wanted is there");
    expect(limit >= 0 && wait >= 0, "a number is not negative");
    while (count > 1)
        free(words[--count]);
}

/* --- lines to send --- */

struct sent {
    int64_t last_line;
    size_t events, refused;
};

static int refuse(void *context, int64_t line, struct span text, bool json, const char *reason,
                  const char *pointer)
{
    struct sent *sent = context;
    expect(line >= 1 && *reason && pointer, "a refusal has a line and a reason");
    expect(text.len <= SEND_LINE_LIMIT, "a refused text is bounded");
    expect(json == (json_scan_check(text, NULL) == 0), "JSON is known as such");
    sent->refused++;
    return 0;
}

static void expect_body(const struct send_batch *batch)
{
    size_t chosen[SEND_EVENTS], cursor = 0, count = 0;
    struct buffer body;
    struct span one;
    for (size_t i = 0; i < batch->count; i++)
        chosen[i] = i;
    buffer_init(&body, (size_t)4 * 1024 * 1024);
    send_batch_body(batch, chosen, batch->count, &body);
    expect(!body.failed && json_scan_check(buffer_span(&body), NULL) == 0, "a body is JSON");
    for (; json_scan_next(buffer_span(&body), &cursor, &one); count++)
        expect_same(one, send_batch_event(batch, count), "a body has the events as they came");
    expect(count == batch->count, "a body has all events");
    buffer_free(&body);
}

static struct span without_space(struct span line)
{
    while (line.len && memchr(" \t\r", line.ptr[0], 3))
        line = (struct span){line.ptr + 1, line.len - 1};
    while (line.len && memchr(" \t\r", line.ptr[line.len - 1], 3))
        line.len--;
    return line;
}

/* Lines that are not blank, counted without a look at what is in them. */
static size_t count_lines(struct span text)
{
    struct span line;
    size_t count = 0;
    for (bool first = true; kit_line(&text, &line); first = false) {
        line = without_space(line);
        if (first && span_starts_with(line, "\xEF\xBB\xBF"))
            line = without_space((struct span){line.ptr + 3, line.len - 3});
        count += line.len > 0;
    }
    return count;
}

static void check_lines(struct span text)
{
    static struct send_batch batch;
    struct send_reader reader;
    struct sent sent = {0};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    expect(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len &&
               lseek(fd, 0, SEEK_SET) == 0,
           "there is memory for a file");
    send_batch_init(&batch);
    send_reader_init(&reader, fd, 1);
    do {
        expect(send_reader_next(&reader, &batch, refuse, &sent) == 0, "a file can be read");
        for (size_t i = 0; i < batch.count; i++) {
            expect(batch.events[i].line > sent.last_line, "lines come in their order");
            sent.last_line = batch.events[i].line;
        }
        sent.events += batch.count;
        if (batch.count > 0)
            expect_body(&batch);
    } while (batch.count > 0);
    expect(sent.events + sent.refused == count_lines(text), "each line is sent or refused");
    send_reader_free(&reader);
    send_batch_free(&batch);
    close(fd);
}

/* --- answers --- */

static void check_answer(struct span body)
{
    static const int codes[] = {202, 400, 401, 413, 429, 503};
    static struct send_verdict verdict;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct http_answer answer = {.status = codes[i], .retry_after_s = -1};
        buffer_init(&answer.body, (size_t)1024 * 1024);
        buffer_append_span(&answer.body, body);
        send_judge(&answer, 3, &verdict);
        expect((verdict.meaning == SEND_ACCEPTED) == (codes[i] == 202), "only a 202 is a yes");
        expect(verdict.blame_count <= 3, "no event is blamed that was not sent");
        for (size_t j = 0; j < verdict.blame_count; j++)
            expect(verdict.blames[j].index < 3 &&
                       (j == 0 || verdict.blames[j - 1].index < verdict.blames[j].index),
                   "each event is blamed once, in order");
        buffer_free(&answer.body);
    }
    char text[READINESS_TEXT];
    readiness_words("127.0.0.1:8101", 503, body, text);
    expect(*text && !strpbrk(text, "\r\n"), "who is not ready is told, on one line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = kit_copy((struct span){(const char *)data, size});
    check_arguments(text);
    check_lines(text);
    check_answer(text);
    kit_end();
    return 0;
}
