#include "services/department/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/event/event.h"
#include "common/event/trace_context.h"
#include "common/http/http_client.h"
#include "common/http/signature.h"

#define ANSWER_LIMIT   (64 * 1024) /* of its body, which nobody reads */
#define SIGNATURE_SIZE (50 * SIGNATURE_SECRETS + 1)
#define HEADERS_LIMIT  6
#define HEADER_ID_SIZE (EVENT_ID_LIMIT + 32)

struct receiver {
    struct http_client *client;
    char *url, *secret, *ca_file;
    int64_t retry_after_limit_ms;
};

bool receiver_is_set(const struct config *config)
{
    return config_text(config, "deliver_url") != NULL;
}

static int check_secret(const char *secret, struct fault *fault)
{
    char signature[SIGNATURE_SIZE];
    if (!secret)
        return fault_set(fault, "/deliver_secret",
                         "is missing: deliver_url wants it, for receivers to know who sends. Set "
                         "TL_DELIVER_SECRET");
    int rc = signature_standard_webhook(secret, span_of("check"), 0, span_of(""), signature,
                                        sizeof signature);
    if (rc == ERR_INVALID)
        return fault_set(fault, "/deliver_secret", "must be base64 after whsec_");
    if (rc == ERR_LIMIT)
        return fault_set(fault, "/deliver_secret", "may have at most %d lines, a secret each",
                         SIGNATURE_SECRETS);
    return 0;
}

static int check_ca_file(const char *path, struct fault *fault)
{
    static const char mark[] = "-----BEGIN ";
    char text[64 * 1024];
    if (!path)
        return 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(fault, "/deliver_ca_file", "cannot be read: %s", strerror(errno));
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    if (memmem(text, len, mark, sizeof mark - 1))
        return 0;
    return fault_set(fault, "/deliver_ca_file", "has no certificate in PEM form");
}

int receiver_check(const struct config *config, struct fault *fault)
{
    if (!receiver_is_set(config))
        return 0;
    int rc = http_client_check_url(config_text(config, "deliver_url"), fault);
    if (rc != 0) {
        fault_prefix(fault, "/deliver_url");
        return rc;
    }
    rc = check_secret(config_text(config, "deliver_secret"), fault);
    return rc != 0 ? rc : check_ca_file(config_text(config, "deliver_ca_file"), fault);
}

/* NULL stays NULL. False without memory. */
static bool copy_text(const struct config *config, const char *key, char **copy)
{
    const char *text = config_text(config, key);
    *copy = text ? strdup(text) : NULL;
    return !text || *copy;
}

int receiver_new(const struct config *config, const atomic_bool *cut, struct receiver **out)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (!receiver)
        return ERR_MEMORY;
    bool copied = copy_text(config, "deliver_url", &receiver->url) &&
                  copy_text(config, "deliver_secret", &receiver->secret) &&
                  copy_text(config, "deliver_ca_file", &receiver->ca_file);
    const struct http_client_options options = {
        .timeout_ms = (int)config_number(config, "deliver_timeout"),
        .connect_timeout_ms = (int)config_number(config, "deliver_connect_timeout"),
        .body_limit = ANSWER_LIMIT,
        .ca_file = receiver->ca_file,
        .cut = cut,
    };
    receiver->retry_after_limit_ms = config_number(config, "deliver_retry_ceiling");
    int rc = copied ? http_client_new(&options, &receiver->client) : ERR_MEMORY;
    if (rc != 0) {
        receiver_free(receiver);
        return rc;
    }
    *out = receiver;
    return 0;
}

void receiver_free(struct receiver *receiver)
{
    if (!receiver)
        return;
    http_client_free(receiver->client);
    free(receiver->url);
    free(receiver->secret);
    free(receiver->ca_file);
    free(receiver);
}

enum delivery_outcome receiver_outcome(int status)
{
    static const int refusals[] = {400, 409, 410, 413, 415, 422};
    if (status >= 200 && status < 300)
        return DELIVERY_TAKEN;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (status == refusals[i])
            return DELIVERY_REFUSED;
    return DELIVERY_FAILED;
}

/* It goes into reports and logs: nothing of it but printable ASCII. */
static void clean(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void judge(const struct receiver *receiver, int rc, const struct http_answer *answer,
                  struct receipt *receipt)
{
    if (rc != 0) {
        snprintf(receipt->detail, sizeof receipt->detail, "did not answer: %s", answer->error);
        clean(receipt->detail);
        return;
    }
    receipt->outcome = receiver_outcome(answer->status);
    snprintf(receipt->detail, sizeof receipt->detail, "answered %d", answer->status);
    if (answer->retry_after_s < 0)
        return;
    receipt->retry_after_ms = answer->retry_after_s * INT64_C(1000);
    if (receipt->retry_after_ms > receiver->retry_after_limit_ms)
        receipt->retry_after_ms = receiver->retry_after_limit_ms;
}

void receiver_post(struct receiver *receiver, const struct handoff_change *change, int64_t now_s,
                   struct receipt *receipt)
{
    char signature[SIGNATURE_SIZE], id[HEADER_ID_SIZE], timestamp[64], proof[SIGNATURE_SIZE + 32],
        trace[TRACE_PARENT_LIMIT + 32];
    const struct span body = {change->body, change->body_len};
    *receipt = (struct receipt){.outcome = DELIVERY_FAILED, .retry_after_ms = -1};
    if (signature_standard_webhook(receiver->secret, span_of(change->event_id), now_s, body,
                                   signature, sizeof signature) != 0) {
        snprintf(receipt->detail, sizeof receipt->detail, "could not be asked: no signature");
        return;
    }
    snprintf(id, sizeof id, "webhook-id: %s", change->event_id);
    snprintf(timestamp, sizeof timestamp, "webhook-timestamp: %lld", (long long)now_s);
    snprintf(proof, sizeof proof, "webhook-signature: %s", signature);
    const char *headers[HEADERS_LIMIT] = {"Content-Type: application/cloudevents+json; "
                                          "charset=UTF-8",
                                          id, timestamp, proof};
    if (change->traceparent && strlen(change->traceparent) <= TRACE_PARENT_LIMIT) {
        snprintf(trace, sizeof trace, "traceparent: %s", change->traceparent);
        headers[4] = trace;
    }
    struct http_answer answer;
    int rc = http_client_post(receiver->client, receiver->url, headers, body, &answer);
    judge(receiver, rc, &answer, receipt);
    http_answer_free(&answer);
}
