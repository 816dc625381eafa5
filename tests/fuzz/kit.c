#include "tests/fuzz/kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/hex.h"
#include "common/json/json_pointer.h"

#define COPIES_LIMIT 512
#define ARENA_LIMIT  ((size_t)64 * 1024 * 1024)

static void *copies[COPIES_LIMIT];
static size_t copy_count;
static struct arena arena;

/* $FUZZ_CPU_SECONDS: when this process has used so much processor time, libFuzzer
 * is asked to finish (SIGUSR1). Its own -max_total_time counts what the clock on
 * the wall says, which on a busy machine is no measure. */
static void limit_cpu(void)
{
    const char *seconds = getenv("FUZZ_CPU_SECONDS");
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec spec = {.it_value.tv_sec = seconds ? atoi(seconds) : 0};
    if (!seconds)
        return;
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0 ||
        timer_settime(timer, 0, &spec, NULL) != 0)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    arena_init(&arena, ARENA_LIMIT);
    limit_cpu();
    return 0;
}

void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

void expect_told(int rc, const struct fault *fault)
{
    if (rc == 0)
        return;
    if (rc != ERR_INVALID || !*fault->detail || !utf8_valid(span_of(fault->detail)) ||
        !utf8_valid(span_of(fault->pointer)) || !json_pointer_valid(fault->pointer)) {
        fprintf(stderr, "%s: \"%s\" at \"%s\"\n", error_name(rc), fault->detail, fault->pointer);
        expect(false, "bad input is ERR_INVALID and well told");
    }
}

void expect_same(struct span a, struct span b, const char *what)
{
    if (!a.ptr == !b.ptr && span_equal(a, b))
        return;
    fprintf(stderr, "\"%.*s\" is not \"%.*s\"\n", SPAN_ARGS(a), SPAN_ARGS(b));
    expect(false, what);
}

static void *keep(size_t size)
{
    expect(copy_count < COPIES_LIMIT, "there is room for another copy");
    void *copy = malloc(size);
    expect(copy, "there is memory");
    copies[copy_count++] = copy;
    return copy;
}

struct span kit_copy(struct span bytes)
{
    char *copy = keep(bytes.len);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return (struct span){copy, bytes.len};
}

const char *kit_text(struct span bytes)
{
    size_t len = bytes.len ? strnlen(bytes.ptr, bytes.len) : 0;
    char *copy = keep(len + 1);
    if (len)
        memcpy(copy, bytes.ptr, len);
    copy[len] = '\0';
    return copy;
}

void kit_end(void)
{
    while (copy_count > 0)
        free(copies[--copy_count]);
    arena_reset(&arena);
}

struct arena *kit_arena(void)
{
    return &arena;
}

bool kit_line(struct span *rest, struct span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    *line = (struct span){rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t taken = line->len + (end ? 1 : 0);
    *rest = (struct span){rest->ptr + taken, rest->len - taken};
    return true;
}

size_t kit_headers(struct span *rest, struct record_header *headers, size_t limit)
{
    struct span line;
    size_t count = 0;
    while (kit_line(rest, &line) && line.len > 0) {
        if (count == limit)
            continue;
        const char *colon = memchr(line.ptr, ':', line.len);
        struct span name = {line.ptr, colon ? (size_t)(colon - line.ptr) : line.len};
        struct span value = {line.ptr + name.len + 1, colon ? line.len - name.len - 1 : 0};
        if (value.len > 0 && value.ptr[0] == ' ')
            value = (struct span){value.ptr + 1, value.len - 1};
        headers[count++] = (struct record_header){kit_copy(name),
                                                  colon ? kit_copy(value) : (struct span){NULL, 0}};
    }
    return count;
}

const struct kit_world *kit_world(void)
{
    static struct kit_world world;
    struct fault fault = {.detail = ""};
    if (world.kinds)
        return &world;
    if (identity_kinds_load("config", &world.kinds, &fault) != 0 ||
        vocabulary_load("config", &world.vocabulary, &fault) != 0 ||
        sources_load("config", world.vocabulary, world.kinds, &world.sources, &fault) != 0) {
        fprintf(stderr, "%s%s: %s\n", fault.file, fault.pointer, fault.detail);
        exit(2);
    }
    return &world;
}

const struct department *kit_department(struct span type)
{
    const struct vocabulary *vocabulary = kit_world()->vocabulary;
    const char *dot = type.len ? memchr(type.ptr, '.', type.len) : NULL;
    struct span name = {type.ptr, dot ? (size_t)(dot - type.ptr) : 0};
    const struct department *department = vocabulary_department(vocabulary, name);
    return department ? department : vocabulary_department(vocabulary, span_of("sales"));
}
