/* The front door in tests that fail every call in turn: what is asked of it, and what it may
 * answer. A 202 is given only for what Kafka has acknowledged, all of it; anything else is the
 * answer that the request gets without a failure, 503, or a connection that is cut. */
#ifndef TESTS_UNIT_FAILING_DOOR_H
#define TESTS_UNIT_FAILING_DOOR_H

#include "common/metrics.h"
#include "tests/unit/failing.h"
#include "tests/unit/intake_kit.h"

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH      "Content-Type: application/cloudevents-batch+json\r\n"
#define EVENT(id, type)                                                                            \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":"                     \
    "\"2026-01-08T10:12:07Z\",\"type\":\"" type "\",\"data\":{\"amount\":12.5,\"currency\":"       \
    "\"EUR\",\"promises\":[\"a call\"],\"customer\":{\"email\":\"ann@acme.example\","              \
    "\"account\":{\"domain\":\"acme.example\"}}}}"
#define CALL(id, kind)                                                                             \
    "{\"id\":\"" id "\",\"at\":1767867127,\"who\":\"ann@acme.example\",\"kind\":\"" kind "\"}"

#define TEN(text) text text text text text text text text text text
#define LONG      TEN(TEN("1234567890"))

static struct kit kit;

struct request {
    const char *name, *method, *path, *headers, *body;
    int status;         /* without a failure */
    const char *answer; /* its body; NULL: any */
    int records;        /* that a 202 stands for */
    bool sign;
};

static const struct request requests[] = {
    {"an event", "POST", "/events", STRUCTURED, EVENT("1", "sales.deal.won"), 202,
     "{\"accepted\":1}", 1, false},
    {"a batch", "POST", "/events", BATCH,
     "[" EVENT("1", "sales.deal.won") "," EVENT("2", "sales.call.made") "," EVENT(
         "3", "sales.deal.won") "]",
     202, "{\"accepted\":3}", 3, false},
    {"an event in binary mode", "POST", "/events",
     "ce-specversion: 1.0\r\nce-id: 7\r\nce-source: /crm\r\nce-type: sales.deal.won\r\n"
     "ce-time: 2026-01-08T10:12:07Z\r\nce-customer: email=ann%40acme.example\r\n"
     "Content-Type: application/json\r\n",
     "{\"amount\":12.5,\"currency\":\"EUR\"}", 202, "{\"accepted\":1}", 1, false},
    {"an invalid event", "POST", "/events", STRUCTURED, EVENT("1", "sales.deal.lost"), 400, NULL, 0,
     false},
    {"a batch with an invalid event", "POST", "/events", BATCH,
     "[" EVENT("1", "sales.deal.won") "," EVENT("2", "sales.deal.lost") "]", 400, NULL, 0, false},
    {"a webhook", "POST", "/webhooks/phone", "X-Topic: calls\r\n", CALL("1", "call"), 202,
     "{\"accepted\":1,\"ignored\":0,\"quarantined\":0}", 1, true},
    {"a webhook that cannot be mapped", "POST", "/webhooks/phone", "X-Topic: calls\r\n",
     CALL("1", "unheard-of"), 202, "{\"accepted\":0,\"ignored\":0,\"quarantined\":1}", 1, true},
    {"a webhook that is ignored", "POST", "/webhooks/phone", "", CALL("1", "noise"), 202,
     "{\"accepted\":0,\"ignored\":1,\"quarantined\":0}", 0, true},
    {"a webhook that cannot be held", "POST", "/webhooks/phone", "", "{\"id\":\"1\",\"id\":\"2\"}",
     202, "{\"accepted\":0,\"ignored\":0,\"quarantined\":1}", 1, true},
    {"a webhook with a wrong signature", "POST", "/webhooks/phone", "X-Signature: 00\r\n",
     CALL("1", "call"), 401, NULL, 0, false},
    {"a handshake", "OPTIONS", "/events", "WebHook-Request-Origin: crm.example\r\n", "", 200, NULL,
     0, false},
    {"an unknown path", "GET", "/nothing", "", "", 404, NULL, 0, false},
    {"a long path", "GET", "/nothing/" LONG LONG LONG "%41", "", "", 404, NULL, 0, false},
    {"metrics", "GET", "/metrics", "", "", 200, NULL, 0, false},
};

struct reply {
    int status; /* 0: the connection was cut */
    char body[4096];
};

/* As kit_exchange, but a cut connection is an answer, too. */
static inline struct reply ask(const struct request *request)
{
    struct reply reply = {0};
    char text[16384], headers[1024];
    char signature[128] = "";
    if (request->sign)
        kit_sign(span_of(request->body), signature);
    snprintf(headers, sizeof headers, "%s%s", request->headers, signature);
    int fd = kit_begin(&kit, request->method, request->path, headers, span_of(request->body));
    size_t len = 0;
    ssize_t n;
    while (len < sizeof text - 1 && (n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
        len += (size_t)n;
    close(fd);
    text[len] = '\0';
    const char *body = strstr(text, "\r\n\r\n");
    if (body && sscanf(text, "HTTP/1.1 %d", &reply.status) == 1)
        snprintf(reply.body, sizeof reply.body, "%s", body + 4);
    return reply;
}

static inline bool as_usual(const struct request *request, const struct reply *reply)
{
    return reply->status == request->status &&
           (!request->answer || strcmp(reply->body, request->answer) == 0);
}

static inline bool works(void *context)
{
    const struct request *request = context;
    struct reply reply = ask(request);
    return as_usual(request, &reply);
}

static size_t breaches;

static inline void complain(const struct request *request, const char *what,
                            const struct reply *reply)
{
    print_error("%s, %s: %s: %d %s\n", request->name, failing_point(), what, reply->status,
                reply->body);
    breaches++;
}

static inline bool struck(const char *call)
{
    return failing_struck() && strcmp(failing_struck(), call) == 0;
}

static inline void configure(void)
{
    kit_start(&kit);
    kit_write_source(&kit, "phone", "sales",
                     "{\"scheme\": \"hmac\", \"secret\": \"" KIT_SECRET
                     "\", \"header\": \"X-Signature\"}");
    mock_configure(&kit.mock,
                   "{\"tl-sales\": {\"publish_linger\": \"0ms\", \"http_read_deadline\": "
                   "\"1s\", \"http_idle\": \"1s\"}}");
}

#endif
