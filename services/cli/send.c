#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/retry.h"
#include "common/base/stop.h"
#include "common/event/vocabulary.h"
#include "services/cli/cli.h"
#include "services/cli/progress.h"
#include "services/cli/send_answer.h"
#include "services/cli/send_batch.h"
#include "services/cli/send_refused.h"

#define REQUEST_MS     30000
#define ANSWER_LIMIT   ((size_t)1024 * 1024)
#define BODY_LIMIT     (SEND_BYTES + SEND_LINE_LIMIT + SEND_EVENTS + 2)
#define RETRY_FLOOR_MS 200
#define RETRY_MOST_MS  5000
#define RETRY_AFTER_S  60 /* more than this is not waited at a time */

struct sending {
    char url[512];
    char *authorization; /* NULL: no token */
    int64_t give_up_ms;
    bool told_waiting; /* said once a silence, not once a try */

    struct http_client *client;
    struct send_reader reader;
    struct send_batch batch;
    struct send_verdict verdict;
    struct send_refused refused;
    struct buffer body;
    struct progress progress;
    int64_t accepted;
    int64_t go_on_at; /* the line to go on with after giving up */
};

static void show_progress(struct sending *s, const char *note)
{
    int64_t unread = (int64_t)(s->reader.rest.len - s->reader.at);
    progress_show(&s->progress, s->reader.bytes - unread, s->accepted + s->refused.count, note);
}

static int refuse_line(void *context, int64_t line, struct span text, bool json, const char *reason,
                       const char *pointer)
{
    struct sending *s = context;
    return send_refused_add(&s->refused, line, text, json, reason, pointer);
}

static int refuse_event(struct sending *s, size_t index, const char *reason, const char *pointer)
{
    return send_refused_add(&s->refused, s->batch.events[index].line,
                            send_batch_event(&s->batch, index), true, reason, pointer);
}

/* One request; what became of it is in s->verdict. */
static int ask(struct sending *s, const size_t *chosen, size_t count)
{
    const char *headers[] = {"Content-Type: application/cloudevents-batch+json", s->authorization,
                             NULL};
    struct http_answer answer;
    send_batch_body(&s->batch, chosen, count, &s->body);
    if (s->body.failed)
        return ERR_MEMORY;
    int rc = http_client_post(s->client, s->url, headers, buffer_span(&s->body), &answer);
    if (rc == ERR_MEMORY) {
        http_answer_free(&answer);
        return rc;
    }
    /* Without an answer, or with one too long to be an intake's, it is not known: again. */
    if (rc != 0)
        answer.status = 0;
    send_judge(&answer, count, &s->verdict);
    http_answer_free(&answer);
    return 0;
}

/* Asks until there is an answer that decides something. */
static int ask_until_decided(struct sending *s, const size_t *chosen, size_t count)
{
    struct retry retry;
    retry_init(&retry, RETRY_FLOOR_MS, RETRY_MOST_MS, 0);
    int64_t deadline = clock_monotonic_ms() + s->give_up_ms;
    for (;;) {
        if (stop_requested())
            return ERR_STOPPED;
        int rc = ask(s, chosen, count);
        if (rc != 0 || s->verdict.meaning != SEND_AGAIN) {
            s->told_waiting = false;
            return rc;
        }
        int64_t wait = retry_next_ms(&retry);
        int told_s =
            s->verdict.retry_after_s < RETRY_AFTER_S ? s->verdict.retry_after_s : RETRY_AFTER_S;
        if (wait < (int64_t)told_s * 1000)
            wait = (int64_t)told_s * 1000;
        if (clock_monotonic_ms() + wait > deadline)
            return ERR_BUSY;
        if (!s->progress.on && !s->told_waiting)
            fprintf(stderr, "throughline: %s (%s); trying again\n", s->url, s->verdict.why);
        s->told_waiting = true;
        show_progress(s, s->verdict.why);
        if (stop_wait((int)wait))
            return ERR_STOPPED;
    }
}

/* Refuses those that are to blame and takes them out of `chosen`. */
static int take_out_blamed(struct sending *s, size_t *chosen, size_t *count)
{
    size_t kept = 0, next = 0;
    for (size_t i = 0; i < *count; i++) {
        const struct send_blame *blame = &s->verdict.blames[next];
        if (next == s->verdict.blame_count || blame->index != i) {
            chosen[kept++] = chosen[i];
            continue;
        }
        int rc = refuse_event(s, chosen[i], blame->reason, blame->pointer);
        if (rc != 0)
            return rc;
        next++;
    }
    *count = kept;
    return 0;
}

/* Delivers these events of the batch: each ends accepted or refused. The depth of recursion is
 * bounded: each call halves. */
static int deliver(struct sending *s, size_t *chosen, size_t count)
{
    while (count > 0) {
        s->go_on_at = s->batch.events[chosen[0]].line;
        int rc = ask_until_decided(s, chosen, count);
        if (rc != 0)
            return rc;
        switch (s->verdict.meaning) {
        case SEND_ACCEPTED:
            s->accepted += (int64_t)count;
            return 0;
        case SEND_BLAMED:
            rc = take_out_blamed(s, chosen, &count);
            break;
        case SEND_REFUSED:
            if (count == 1)
                return refuse_event(s, chosen[0], s->verdict.why, "");
            rc = deliver(s, chosen, count / 2);
            chosen += count / 2;
            count -= count / 2;
            break;
        default:
            return ERR_IO;
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int send_all(struct sending *s)
{
    size_t chosen[SEND_EVENTS];
    for (;;) {
        s->go_on_at = s->reader.held ? s->reader.line : s->reader.line + 1;
        int rc = send_reader_next(&s->reader, &s->batch, refuse_line, s);
        if (rc == 0 && s->batch.count == 0)
            return 0;
        for (size_t i = 0; i < s->batch.count; i++)
            chosen[i] = i;
        if (rc == 0)
            rc = deliver(s, chosen, s->batch.count);
        if (rc != 0)
            return rc;
        show_progress(s, NULL);
    }
}

static int sum_up(const struct cli *cli, const struct sending *s, const char *input, int rc)
{
    double seconds = (double)(clock_monotonic_ms() - s->progress.since) / 1000;
    double rate = seconds > 0 ? (double)s->accepted / seconds : 0;
    if (cli->json) {
        printf("{\"accepted\": %lld, \"refused\": %lld, \"seconds\": %.3f, \"go_on_at_line\": ",
               (long long)s->accepted, (long long)s->refused.count, seconds);
        if (rc == 0)
            puts("null}");
        else
            printf("%lld}\n", (long long)s->go_on_at);
    } else {
        printf("%lld accepted, %lld refused, %.1f s, %.0f/s\n", (long long)s->accepted,
               (long long)s->refused.count, seconds, rate);
        if (s->refused.count > 0)
            printf("refused events and why: %s\n", s->refused.path);
    }
    if (rc == 0)
        return s->refused.count > 0 ? EXIT_REFUSED : EXIT_OK;
    /* Of a file that cannot be read or written the reason has been logged. */
    bool answered = rc == ERR_BUSY || s->verdict.meaning == SEND_HOPELESS;
    const char *why = rc == ERR_STOPPED ? "stopped" : answered ? s->verdict.why : error_name(rc);
    fprintf(stderr, "throughline: gave up%s%s; go on with: throughline send %s --from-line %lld\n",
            *why ? ": " : "", why, input, (long long)s->go_on_at);
    return EXIT_FAILED;
}

/* The address of a department's intake, from --url or the configuration. 0 or the exit status. */
static int find_url(struct cli *cli, const char *department, const char *url, char out[512])
{
    char address[256];
    if (!url) {
        struct fault fault = {0};
        struct vocabulary *vocabulary;
        char section[64];
        snprintf(section, sizeof section, "tl-%s", department);
        if (vocabulary_load(cli->config_dir, &vocabulary, &fault) != 0)
            return cli_fault(&fault);
        const struct department *known = vocabulary_department(vocabulary, span_of(department));
        bool found = known && cli_address(cli, section, PROGRAM_DEPARTMENT, known->listen, address,
                                          sizeof address, &fault);
        vocabulary_free(vocabulary);
        if (!known)
            return cli_usage(cli, "there is no department \"%s\" in %s/departments", department,
                             cli->config_dir);
        if (!found)
            return cli_fault(&fault);
    } else if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return cli_usage(cli, "--url wants http://HOST:PORT");
    }
    const char *base = url ? url : address;
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/')
        len--;
    bool whole = len > 7 && strncmp(base + len - 7, "/events", 7) == 0;
    int written = snprintf(out, 512, "%s%.*s%s", strstr(base, "://") ? "" : "http://", (int)len,
                           base, whole ? "" : "/events");
    return written < 512 ? 0 : cli_usage(cli, "the address is too long");
}

/* Size of a regular file; 0 for anything else. */
static int64_t size_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

static int send_file(const struct cli *cli, struct sending *s, const char *input, int fd,
                     int64_t from_line, bool quiet)
{
    const struct http_client_options options = {.timeout_ms = REQUEST_MS,
                                                .body_limit = ANSWER_LIMIT,
                                                .ca_file =
                                                    config_text(cli->config, "send_ca_file")};
    int rc = http_client_new(&options, &s->client);
    if (rc == 0)
        rc = send_refused_init(&s->refused, input, from_line > 1);
    if (rc != 0) {
        http_client_free(s->client);
        return cli_failed("%s", error_name(rc));
    }
    send_reader_init(&s->reader, fd, from_line);
    send_batch_init(&s->batch);
    buffer_init(&s->body, BODY_LIMIT);
    progress_begin(&s->progress, !quiet && !cli->json, size_of(fd));
    rc = send_all(s);
    progress_end(&s->progress);
    int status = sum_up(cli, s, input, rc);
    if (send_refused_close(&s->refused) != 0)
        status = EXIT_FAILED;
    buffer_free(&s->body);
    send_batch_free(&s->batch);
    send_reader_free(&s->reader);
    http_client_free(s->client);
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const char *input, *department = NULL, *url = NULL;
    int64_t from_line = 1, give_up_ms = INT64_C(5) * 60 * 1000;
    bool quiet = false;
    const struct cli_option choices[] = {
        {"--department", CLI_TEXT, &department}, {"--url", CLI_TEXT, &url},
        {"--from-line", CLI_NUMBER, &from_line}, {"--give-up", CLI_DURATION, &give_up_ms},
        {"--quiet", CLI_FLAG, &quiet},           {0}};
    int status;
    if (!cli_arguments(cli, argc, argv, choices, &input, 1, 1, &status))
        return status;
    if (!department && !url)
        return cli_usage(cli, "whose events are they? --department is missing");
    struct sending *s = calloc(1, sizeof *s);
    if (!s)
        return cli_failed("no memory");
    status = cli_load(cli);
    if (status == 0)
        status = find_url(cli, department, url, s->url);
    int fd = STDIN_FILENO;
    if (status == 0 && strcmp(input, "-") != 0 && (fd = open(input, O_RDONLY | O_CLOEXEC)) < 0)
        status = cli_failed("%s: %s", input, strerror(errno));
    const char *token = status == 0 ? config_text(cli->config, "token") : NULL;
    struct span lines = span_of(token), newest; /* the others are going out of use */
    if (token && span_next_line(&lines, &newest) &&
        asprintf(&s->authorization, "Authorization: Bearer %.*s", SPAN_ARGS(newest)) < 0)
        status = cli_failed("no memory");
    if (status == 0) {
        s->give_up_ms = give_up_ms;
        status = send_file(cli, s, input, fd, from_line, quiet);
    }
    if (fd > STDIN_FILENO)
        close(fd);
    free(s->authorization);
    free(s);
    return status;
}

const struct command command_send = {
    "send",
    "FILE|- --department NAME [--url URL] [--from-line N] [--give-up TIME] [--quiet]",
    "send events, a JSON object a line, to a department",
    "Sends CloudEvents from FILE or standard input (-), in batches through POST /events. To send\n"
    "a file again does no harm: events that are there are recognised. What is refused goes to\n"
    "FILE.refused.jsonl (of standard input: refused.jsonl) with its line, the reason and the\n"
    "place in the event; the rest is sent all the same.\n"
    "\n"
    "  --department NAME  whose events they are; the address comes from the configuration\n"
    "  --url URL          the department service's address instead: http://127.0.0.1:8101\n"
    "  --from-line N      skips what is before line N; adds to the file of refused events\n"
    "  --give-up TIME     how long to try again while nothing is taken; 5m unless told\n"
    "  --quiet            no progress bar\n"
    "\n"
    "TL_TOKEN, or \"token\" in throughline.json, is sent as the bearer token.\n"
    "\n"
    "exit status: 0 all were accepted; 3 some were refused; 1 gave up, and says with which line\n"
    "to go on; 2 wrong usage or configuration\n",
    run,
};
