#include "tests/unit/failing.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISSES 3 /* after so many rounds that do not get to their call there is none */

static struct {
    pthread_mutex_t lock;
    bool armed;
    enum failing_kind kind;
    size_t nth, calls;
    int way, ways;
    const char *struck;
    char point[160];
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
    size_t calls, rounds;
} totals[FAILING_KINDS];

static _Thread_local bool exempt_thread;

static const char *const kind_names[FAILING_KINDS] = {
    "allocations", "librdkafka calls", "libmicrohttpd calls", "libpq calls", "statements"};

void failing_exempt(bool exempt)
{
    exempt_thread = exempt;
}

void failing_arm(enum failing_kind kind, size_t nth, int way)
{
    pthread_mutex_lock(&plan.lock);
    plan.armed = true;
    plan.kind = kind;
    plan.nth = nth;
    plan.calls = 0;
    plan.way = way;
    plan.ways = 1;
    plan.struck = NULL;
    pthread_mutex_unlock(&plan.lock);
}

void failing_disarm(void)
{
    pthread_mutex_lock(&plan.lock);
    plan.armed = false;
    pthread_mutex_unlock(&plan.lock);
}

const char *failing_struck(void)
{
    pthread_mutex_lock(&plan.lock);
    const char *struck = plan.struck;
    pthread_mutex_unlock(&plan.lock);
    return struck;
}

int failing_ways(void)
{
    return plan.ways;
}

int failing_now(enum failing_kind kind, const char *call, int ways)
{
    if (exempt_thread)
        return -1;
    int way = -1;
    pthread_mutex_lock(&plan.lock);
    if (plan.armed && plan.kind == kind) {
        plan.calls++;
        if (plan.calls == plan.nth && plan.way < ways) {
            plan.struck = call;
            plan.ways = ways;
            way = plan.way;
        } else if (kind == FAILING_ALLOCATION && plan.way == 1 && plan.calls > plan.nth) {
            way = 1;
        }
    }
    pthread_mutex_unlock(&plan.lock);
    return way;
}

const char *failing_point(void)
{
    pthread_mutex_lock(&plan.lock);
    snprintf(plan.point, sizeof plan.point, "%s: %zu (%s), way %d", kind_names[plan.kind], plan.nth,
             plan.struck ? plan.struck : "not reached", plan.way);
    pthread_mutex_unlock(&plan.lock);
    return plan.point;
}

size_t failing_each(const char *name, enum failing_kind kind, void (*round)(void *context),
                    void *context)
{
    size_t failed = 0, rounds = 0;
    int missed =
        0; /* other threads' calls come and go: one round that does not get there may err */
    for (size_t nth = 1; missed < MISSES; nth++) {
        int ways = 1;
        for (int way = 0; way < ways; way++) {
            failing_arm(kind, nth, way);
            round(context);
            failing_disarm();
            if (!failing_struck())
                break;
            ways = failing_ways();
            failed += way == 0;
            rounds++;
        }
        missed = failing_struck() ? 0 : missed + 1;
    }
    printf("%s: %zu %s, %zu ways\n", name, failed, kind_names[kind], rounds);
    fflush(stdout);
    totals[kind].calls += failed;
    totals[kind].rounds += rounds;
    return failed;
}

int failing_report(int failed_tests)
{
    printf("failed in turn: %s:", program_invocation_short_name);
    const char *comma = "";
    for (int kind = 0; kind < FAILING_KINDS; kind++) {
        if (totals[kind].calls == 0)
            continue;
        printf("%s %zu %s (%zu ways)", comma, totals[kind].calls, kind_names[kind],
               totals[kind].rounds);
        comma = ",";
    }
    printf("\n");
    return failed_tests;
}

/* --- allocations --- */

/* The linker's names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static bool refused(const char *call)
{
    return failing_now(FAILING_ALLOCATION, call, 2) >= 0;
}

void *__wrap_malloc(size_t size)
{
    return refused("malloc") ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused("calloc") ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refused("realloc") ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return refused("strdup") ? NULL : __real_strdup(text);
}

static void *jansson_malloc(size_t size)
{
    return refused("jansson's malloc") ? NULL : __real_malloc(size);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refused("OpenSSL's malloc") ? NULL : __real_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refused("OpenSSL's realloc") ? NULL : __real_realloc(old, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

void failing_init(void)
{
    json_set_alloc_funcs(jansson_malloc, free);
    if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free)) {
        fprintf(stderr, "OpenSSL has allocated already\n");
        exit(1);
    }
}
