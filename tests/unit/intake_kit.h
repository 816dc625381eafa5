/*
 * A department's real front door inside the test process: the service over a
 * mock Kafka, and a client that sends bytes and reads the answer.
 */
#ifndef TESTS_UNIT_INTAKE_KIT_H
#define TESTS_UNIT_INTAKE_KIT_H

#include "tests/unit/kafka_mock.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/hex.h"
#include "common/http/signature.h"
#include "services/department/department.h"

#define KIT_TOPIC  "events.sales"
#define KIT_SECRET "it is known"

struct kit {
    struct kafka_mock mock;
    struct department_service *service;
};

struct answer {
    int status;
    char *text; /* all of it, NUL-terminated; ours to free */
    size_t len;
    json_t *json; /* the body, NULL where it is none */
};

static inline void kit_folder(struct kit *kit, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", kit->mock.dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static inline void kit_write_config(struct kit *kit)
{
    kit_folder(kit, "departments");
    kit_folder(kit, "sources");
    mock_write(&kit->mock, "identities.json",
               "{\"kinds\": {\"email\": {\"strong\": true, \"rank\": 10, \"normalise\": \"email\"},"
               "\"phone\": {\"strong\": false, \"rank\": 90},"
               "\"account.domain\": {\"strong\": true, \"rank\": 10, \"normalise\": \"domain\"}}}");
    mock_write(&kit->mock, "departments/sales.json",
               "{\"listen\": \"127.0.0.1:0\", \"events\": {"
               "\"sales.deal.won\": {\"required\": {\"amount\": \"number\", \"currency\": "
               "\"string\"}, \"summary\": \"Deal won: {/amount} {/currency}\", \"money\": "
               "\"promised\", \"touch\": true},"
               "\"sales.call.made\": {\"money\": \"none\", \"touch\": true}}}");
    mock_write(&kit->mock, "departments/billing.json",
               "{\"listen\": \"127.0.0.1:0\", \"events\": {"
               "\"billing.invoice.paid\": {\"money\": \"received\", \"touch\": false}}}");
}

/* A source that maps calls, ignores noise, and quarantines the rest. */
static inline void kit_write_source(struct kit *kit, const char *name, const char *department,
                                    const char *signature)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "sources/%s.json", name);
    snprintf(text, sizeof text,
             "{\"department\": \"%s\", \"signature\": %s, \"id\": \"/id\","
             "\"time\": {\"pointer\": \"/at\", \"format\": \"unix_s\"},"
             "\"customer\": {\"email\": \"/who\"}, \"rules\": ["
             "{\"if\": {\"/kind\": \"call\"}, \"type\": \"%s\","
             " \"data\": {\"topic\": {\"header\": \"X-Topic\"}}},"
             "{\"if\": {\"/kind\": \"noise\"}, \"ignore\": \"says nothing of a customer\"}]}",
             department, signature,
             strcmp(department, "sales") == 0 ? "sales.call.made" : "billing.invoice.paid");
    mock_write(&kit->mock, path, text);
}

static inline void kit_open(struct kit *kit, const char *settings)
{
    struct fault fault = {0};
    mock_configure(&kit->mock, settings);
    int rc = department_open(kit->mock.config, &kit->service, &fault);
    if (rc)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
}

static inline void kit_close(struct kit *kit)
{
    department_close(kit->service, 10000);
    kit->service = NULL;
}

static inline void answer_free(struct answer *answer)
{
    json_decref(answer->json);
    free(answer->text);
    *answer = (struct answer){0};
}

static inline int kit_connect(const struct kit *kit)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)department_port(kit->service)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 15};
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void kit_send(int fd, const void *bytes, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break; /* refused early: the answer says why */
        sent += (size_t)n;
    }
}

static inline struct answer kit_receive(int fd)
{
    struct answer answer = {.text = malloc(1 << 20)};
    ssize_t n;
    assert_non_null(answer.text);
    while (answer.len < (1 << 20) - 1 &&
           (n = recv(fd, answer.text + answer.len, (1 << 20) - 1 - answer.len, 0)) > 0)
        answer.len += (size_t)n;
    close(fd);
    answer.text[answer.len] = '\0';
    if (sscanf(answer.text, "HTTP/1.1 %d", &answer.status) != 1)
        fail_msg("no answer: %s", answer.text);
    const char *body = strstr(answer.text, "\r\n\r\n");
    assert_non_null(body);
    answer.json = json_loads(body + 4, JSON_DECODE_ANY, NULL);
    return answer;
}

/* Starts a request and leaves its answer to be read. `headers` are lines that
 * end in \r\n, or "". */
static inline int kit_begin(const struct kit *kit, const char *method, const char *path,
                            const char *headers, struct span body)
{
    char head[8192];
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n%s"
                     "Content-Length: %zu\r\n\r\n",
                     method, path, headers, body.len);
    assert_true(n > 0 && (size_t)n < sizeof head);
    int fd = kit_connect(kit);
    kit_send(fd, head, (size_t)n);
    kit_send(fd, body.ptr, body.len);
    return fd;
}

static inline struct answer kit_exchange(const struct kit *kit, const char *method,
                                         const char *path, const char *headers, struct span body)
{
    return kit_receive(kit_begin(kit, method, path, headers, body));
}

static inline struct answer kit_post(const struct kit *kit, const char *path, const char *headers,
                                     const char *body)
{
    return kit_exchange(kit, "POST", path, headers, span_of(body));
}

/* Posts and wants this status; the body's number `member` is returned (-1: none). */
static inline json_int_t kit_expect(const struct kit *kit, const char *path, const char *headers,
                                    const char *body, int status, const char *member)
{
    struct answer answer = kit_post(kit, path, headers, body);
    if (answer.status != status)
        fail_msg("expected %d for %.200s, got: %s", status, body, answer.text);
    json_t *value = member ? json_object_get(answer.json, member) : NULL;
    json_int_t number = value ? json_integer_value(value) : -1;
    answer_free(&answer);
    return number;
}

static inline bool kit_is_ready(void *context)
{
    struct answer answer = kit_exchange(context, "GET", "/readyz", "", span_of(""));
    bool ready = answer.status == 200;
    answer_free(&answer);
    return ready;
}

static inline void kit_wait_ready(struct kit *kit)
{
    assert_true(mock_wait(kit_is_ready, kit, 10000));
}

/* The header line "X-Signature: …" over a body. */
static inline void kit_sign(struct span body, char line[128])
{
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    struct buffer text;
    assert_int_equal(signature_hmac(SIGNATURE_SHA256, span_of(KIT_SECRET), &body, 1, mac, &len), 0);
    buffer_init(&text, 128);
    hex_append(&text, (struct span){(const char *)mac, len});
    snprintf(line, 128, "X-Signature: %s\r\n", text.data);
    buffer_free(&text);
}

/* Reads on until nothing more comes; how many records there were. */
static inline int kit_drain(struct kit *kit, int quiet_ms)
{
    int count = 0;
    while (mock_next(&kit->mock, quiet_ms))
        count++;
    return count;
}

/* The next record published; fails when none comes. */
static inline const rd_kafka_message_t *kit_next(struct kit *kit)
{
    const rd_kafka_message_t *message = mock_next(&kit->mock, 5000);
    assert_non_null(message);
    return message;
}

static inline void kit_start(struct kit *kit)
{
    *kit = (struct kit){0};
    mock_start(&kit->mock);
    assert_int_equal(rd_kafka_mock_topic_create(kit->mock.cluster, KIT_TOPIC, MOCK_PARTITIONS, 1),
                     0);
    kit_write_config(kit);
}

static inline void kit_stop(struct kit *kit)
{
    kit_close(kit);
    mock_stop(&kit->mock);
}

#endif
