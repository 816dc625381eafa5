/* common/metrics: counting from several threads, Prometheus' text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/metrics.h"

/* Metrics live as long as the process, so this test comes first and the others
 * use names of their own. */
static void test_render(void **state)
{
    (void)state;
    struct metric *accepted = metric_counter("throughline_test_total", "result=\"accepted\"",
                                             "Events, by \\ result.\nAll.");
    struct metric *queued = metric_gauge("throughline_test_queue_bytes", NULL, "Bytes that wait.");
    struct metric *refused =
        metric_counter("throughline_test_total", "result=\"refused\"", "another help");
    metric_add(accepted, 3);
    metric_add(accepted, 4);
    metric_set(queued, 100);
    metric_add(queued, -101);
    metric_add(refused, INT64_C(9007199254740993));
    struct buffer out;
    buffer_init(&out, 4096);
    metrics_render(&out);
    assert_string_equal(out.data, "# HELP throughline_test_total Events, by \\\\ result.\\nAll.\n"
                                  "# TYPE throughline_test_total counter\n"
                                  "throughline_test_total{result=\"accepted\"} 7\n"
                                  "throughline_test_total{result=\"refused\"} 9007199254740993\n"
                                  "# HELP throughline_test_queue_bytes Bytes that wait.\n"
                                  "# TYPE throughline_test_queue_bytes gauge\n"
                                  "throughline_test_queue_bytes -1\n");
    buffer_free(&out);
    buffer_init(&out, 40);
    metrics_render(&out);
    assert_true(out.failed);
    buffer_free(&out);
}

/* What the format asks of a histogram: buckets that add up, the last one being the count. */
static void test_histogram(void **state)
{
    (void)state;
    struct metric *records =
        metric_histogram("throughline_sizes_records", "kind=\"a\"", "Records.", 1, 10);
    const int64_t observed[] = {-3, 0, 1, 2, 3, 10, 11, 4000};
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        metric_observe(records, observed[i]);
    struct metric *time =
        metric_histogram_seconds("throughline_time_seconds", NULL, "Time.", 1000, 2000);
    metric_observe(time, 1500);
    metric_observe(time, 3000000);
    struct metric *busy = metric_counter_seconds("throughline_busy_seconds_total", NULL, "Busy.");
    metric_add(busy, 12000345);
    struct buffer out;
    buffer_init(&out, 65536);
    metrics_render(&out);
    const char *text = strstr(out.data, "# HELP throughline_sizes_records");
    assert_non_null(text);
    assert_string_equal(text, "# HELP throughline_sizes_records Records.\n"
                              "# TYPE throughline_sizes_records histogram\n"
                              "throughline_sizes_records_bucket{kind=\"a\",le=\"1\"} 3\n"
                              "throughline_sizes_records_bucket{kind=\"a\",le=\"2\"} 4\n"
                              "throughline_sizes_records_bucket{kind=\"a\",le=\"5\"} 5\n"
                              "throughline_sizes_records_bucket{kind=\"a\",le=\"10\"} 6\n"
                              "throughline_sizes_records_bucket{kind=\"a\",le=\"+Inf\"} 8\n"
                              "throughline_sizes_records_sum{kind=\"a\"} 4027\n"
                              "throughline_sizes_records_count{kind=\"a\"} 8\n"
                              "# HELP throughline_time_seconds Time.\n"
                              "# TYPE throughline_time_seconds histogram\n"
                              "throughline_time_seconds_bucket{le=\"0.001\"} 0\n"
                              "throughline_time_seconds_bucket{le=\"0.002\"} 1\n"
                              "throughline_time_seconds_bucket{le=\"+Inf\"} 2\n"
                              "throughline_time_seconds_sum 3.001500\n"
                              "throughline_time_seconds_count 2\n"
                              "# HELP throughline_busy_seconds_total Busy.\n"
                              "# TYPE throughline_busy_seconds_total counter\n"
                              "throughline_busy_seconds_total 12.000345\n");
    buffer_free(&out);
}

static void test_same(void **state)
{
    (void)state;
    struct metric *one = metric_counter("throughline_same_total", "a=\"1\"", "help");
    assert_ptr_equal(metric_counter("throughline_same_total", "a=\"1\"", "other"), one);
    assert_ptr_not_equal(metric_counter("throughline_same_total", "a=\"2\"", "help"), one);
    assert_ptr_not_equal(metric_counter("throughline_same_total", NULL, "help"), one);
    char name[] = "throughline_copied_total"; /* the caller's texts are copied */
    struct metric *copied = metric_counter(name, NULL, "help");
    name[0] = '-';
    assert_ptr_equal(metric_counter("throughline_copied_total", NULL, "help"), copied);
}

#define THREADS 4
#define ROUNDS  50000

static void *add_many(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++)
        metric_add(metric_counter("throughline_threads_total", NULL, "help"), 1);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < 20; i++) { /* rendering while others count */
        struct buffer out;
        buffer_init(&out, 65536);
        metrics_render(&out);
        assert_false(out.failed);
        buffer_free(&out);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(metric_counter("throughline_threads_total", NULL, "help")),
                     THREADS * ROUNDS);
}

/* The signal that ends a process which makes `n` metrics beside those there are; 0: none. */
static int signal_after(int n)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        freopen("/dev/null", "w", stderr);
        char label[32];
        for (int i = 0; i < n; i++) {
            snprintf(label, sizeof label, "i=\"%d\"", i);
            metric_counter("throughline_many_total", label, "help");
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_bound(void **state)
{
    (void)state;
    assert_int_equal(signal_after(2000), 0);
    assert_int_equal(signal_after(2049), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render), cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_same),   cmocka_unit_test(test_threads),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
