/* The listener's certificate: shown, exchanged while it runs, and refused where it is no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/http/http_client.h"
#include "common/metrics.h"
#include "tests/unit/certificates.h"
#include "tests/unit/folder.h"
#include "tests/unit/http_held.h"

#define DAY 86400

static struct folder folder;
static char certificate[96], key[96], other_certificate[96], other_key[96], settings[2048];

static const struct http_route routes[] = {
    {"POST", "/hold", hold, NULL},
    {"GET", "/ok", answer_ok, NULL},
};

static int setup(void **state)
{
    (void)state;
    folder_make(&folder);
    snprintf(certificate, sizeof certificate, "%s/certificate.pem", folder.path);
    snprintf(key, sizeof key, "%s/key.pem", folder.path);
    snprintf(other_certificate, sizeof other_certificate, "%s/other.pem", folder.path);
    snprintf(other_key, sizeof other_key, "%s/other-key.pem", folder.path);
    certificate_make(certificate, key, DAY);
    certificate_make(other_certificate, other_key, DAY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

/* Freed by the caller. */
static struct config *config_with(const char *certificate_file, const char *key_file)
{
    struct config *config;
    struct fault fault = {.detail = ""};
    snprintf(settings, sizeof settings, "{%s%s%s%s%s%s%s}",
             certificate_file ? "\"tls_certificate\": \"" : "",
             certificate_file ? certificate_file : "", certificate_file ? "\"" : "",
             certificate_file && key_file ? ", " : "", key_file ? "\"tls_key\": \"" : "",
             key_file ? key_file : "", key_file ? "\"" : "");
    folder_write(&folder, "throughline.json", settings);
    if (config_load(folder.path, "tl-sales", PROGRAM_DEPARTMENT, &config, &fault))
        fail_msg("%s: %s", fault.pointer, fault.detail);
    return config;
}

static struct http_server *start_with(const struct config *config, unsigned threads)
{
    struct http_server_options options = usual_options(routes, sizeof routes / sizeof *routes);
    http_server_configure(&options, config);
    options.listen = "127.0.0.1:0";
    options.threads = threads;
    return start_server(options);
}

/* The status of a request by somebody who trusts that certificate alone; 0: none. */
static int ask(const struct http_server *server, const char *trusts, char error[256])
{
    struct http_client *client;
    struct http_answer answer;
    char url[64];
    const struct http_client_options options = {
        .timeout_ms = KIT_PATIENCE_S * 1000, .body_limit = 4096, .ca_file = trusts, .direct = true};
    assert_int_equal(http_client_new(&options, &client), 0);
    snprintf(url, sizeof url, "https://localhost:%d/ok", http_server_port(server));
    int rc = http_client_get(client, url, NULL, &answer);
    int status = rc ? 0 : answer.status;
    snprintf(error, 256, "%s", answer.error);
    http_answer_free(&answer);
    http_client_free(client);
    return status;
}

static void who_trusts_the_certificate_is_served(void **state)
{
    char error[256];
    (void)state;
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct config *config = config_with(certificate, key);
        assert_int_equal(http_server_check(config, NULL), 0);
        assert_true(http_server_has_tls(config));
        struct http_server *server = start_with(config, threads);
        assert_int_equal(ask(server, certificate, error), 200);
        assert_int_equal(ask(server, other_certificate, error), 0);
        assert_non_null(strstr(error, "certificate"));
        http_server_stop(server, 1000);
        config_free(config);
    }
}

static void plain_http_is_not_answered(void **state)
{
    (void)state;
    struct config *config = config_with(certificate, key);
    struct http_server *server = start_with(config, 2);
    int fd = kit_connect(http_server_port(server));
    struct kit_answer answer;
    kit_send_text(fd, GET_OK);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, KIT_CLOSED);
    assert_null(strstr(answer.head, "HTTP/"));
    close(fd);
    http_server_stop(server, 1000);
    config_free(config);
}

static int64_t refused(void)
{
    return metric_value(metric_counter("throughline_http_refused_total", "code=\"503\"", ""));
}

/* A connection past the limit is closed without a word, since nothing could be read of one; and
 * counted. */
static void one_too_many_is_told_nothing_in_plain_text(void **state)
{
    (void)state;
    struct config *config = config_with(certificate, key);
    struct http_server_options options = usual_options(routes, sizeof routes / sizeof *routes);
    http_server_configure(&options, config);
    options.connection_limit = 1;
    struct http_server *server = start_server(options);
    struct kit_answer answer;
    int64_t before = refused();
    int first = kit_connect(http_server_port(server)),
        second = kit_connect(http_server_port(server));
    kit_read(second, &answer, true);
    assert_int_equal(answer.status, KIT_CLOSED);
    assert_int_equal(strlen(answer.head), 0);
    assert_int_equal(refused(), before + 1);
    close(first);
    close(second);
    http_server_stop(server, 1000);
    config_free(config);
}

static void a_certificate_is_exchanged_while_it_runs(void **state)
{
    char error[256];
    struct fault fault = {.detail = ""};
    (void)state;
    struct config *first = config_with(certificate, key);
    struct http_server *server = start_with(first, 2);
    assert_int_equal(ask(server, certificate, error), 200);

    struct config *second = config_with(other_certificate, other_key);
    assert_int_equal(http_server_renew(server, second, &fault), 0);
    assert_int_equal(ask(server, other_certificate, error), 200);
    assert_int_equal(ask(server, certificate, error), 0);

    /* What is no good leaves it as it is. */
    struct config *mixed = config_with(certificate, other_key), *off = config_with(NULL, NULL);
    assert_int_equal(http_server_renew(server, mixed, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/tls_key");
    assert_int_equal(http_server_renew(server, off, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.detail, "restart"));
    assert_int_equal(ask(server, other_certificate, error), 200);
    http_server_stop(server, 1000);

    /* Without TLS there is nothing to renew, and it cannot be switched on. */
    server = start_with(off, 2);
    assert_int_equal(http_server_renew(server, off, &fault), 0);
    assert_int_equal(http_server_renew(server, first, &fault), ERR_INVALID);
    http_server_stop(server, 1000);
    config_free(first);
    config_free(second);
    config_free(mixed);
    config_free(off);
}

static void files_that_are_no_good_are_refused(void **state)
{
    char none[96], text[96], empty[96];
    (void)state;
    folder_write(&folder, "text.pem", "hello\n");
    folder_write(&folder, "empty.pem", "");
    snprintf(none, sizeof none, "%s/none.pem", folder.path);
    snprintf(text, sizeof text, "%s/text.pem", folder.path);
    snprintf(empty, sizeof empty, "%s/empty.pem", folder.path);
    const struct {
        const char *certificate, *key, *pointer, *words;
    } rows[] = {
        {none, key, "/tls_certificate", "none.pem cannot be read: No such file"},
        {text, key, "/tls_certificate", "text.pem must be PEM certificates"},
        {empty, key, "/tls_certificate", "empty.pem must be PEM certificates"},
        {key, key, "/tls_certificate", "key.pem must be PEM certificates"},
        {folder.path, key, "/tls_certificate", "cannot be read: Is a directory"},
        {certificate, none, "/tls_key", "none.pem cannot be read: No such file"},
        {certificate, text, "/tls_key", "text.pem must be a PEM key"},
        {certificate, certificate, "/tls_key", "certificate.pem must be a PEM key"},
        {certificate, other_key, "/tls_key", "other-key.pem is not the key of the certificate"},
        {certificate, NULL, "/tls_key", "is missing"},
        {NULL, key, "/tls_certificate", "is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.detail = ""};
        struct config *config = config_with(rows[i].certificate, rows[i].key);
        struct http_server_options options = usual_options(routes, sizeof routes / sizeof *routes);
        struct http_server *server = NULL;
        assert_int_equal(http_server_check(config, &fault), ERR_INVALID);
        assert_string_equal(fault.pointer, rows[i].pointer);
        if (!strstr(fault.detail, rows[i].words))
            fail_msg("%s: \"%s\"", rows[i].words, fault.detail);
        http_server_configure(&options, config);
        assert_int_equal(http_server_start(&options, &server), ERR_INVALID);
        config_free(config);
    }
}

static void when_it_expires_is_a_metric(void **state)
{
    (void)state;
    char error[256], expired[96], expired_key[96];
    snprintf(expired, sizeof expired, "%s/expired.pem", folder.path);
    snprintf(expired_key, sizeof expired_key, "%s/expired-key.pem", folder.path);
    certificate_make(expired, expired_key, -60);
    struct config *config = config_with(expired, expired_key);
    struct http_server *server = start_with(config, 2); /* for those who do not look */
    struct metric *metric =
        metric_gauge("throughline_http_certificate_expires_timestamp_seconds", NULL, "");
    int64_t left = metric_value(metric) - time(NULL);
    assert_true(left <= -60 && left > -600);
    assert_int_equal(ask(server, expired, error), 0);
    assert_non_null(strstr(error, "expired"));
    http_server_stop(server, 1000);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_trusts_the_certificate_is_served),
        cmocka_unit_test(plain_http_is_not_answered),
        cmocka_unit_test(one_too_many_is_told_nothing_in_plain_text),
        cmocka_unit_test(a_certificate_is_exchanged_while_it_runs),
        cmocka_unit_test(files_that_are_no_good_are_refused),
        cmocka_unit_test(when_it_expires_is_a_metric),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
