/* Public test vectors: $FIXTURES/vectors.json, every entry comes out as it says. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/hex.h"
#include "common/event/event_time.h"
#include "common/http/signature.h"

#define SECOND INT64_C(1000000)

static json_t *vectors;
static char body_text[256 * 1024];

static const char *fixtures(void)
{
    const char *folder = getenv("FIXTURES");
    return folder ? folder : "../shared/fixtures";
}

static const char *text_of(json_t *vector, const char *key)
{
    const char *text = json_string_value(json_object_get(vector, key));
    return text ? text : "";
}

static bool is_system(json_t *vector, const char *name)
{
    return strcmp(text_of(vector, "system"), name) == 0;
}

/* "body", or the bytes of "body_file". */
static struct span body_of(json_t *vector)
{
    const char *name = text_of(vector, "body_file");
    if (!*name)
        return span_of(text_of(vector, "body"));
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixtures(), name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    size_t len = fread(body_text, 1, sizeof body_text, file);
    fclose(file);
    return (struct span){body_text, len};
}

static void append_hash(struct buffer *out, struct span text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len;
    assert_int_equal(EVP_Digest(text.ptr, text.len, hash, &len, EVP_sha256(), NULL), 1);
    hex_append(out, (struct span){(const char *)hash, len});
}

/* --- each system's configuration and headers, from its entry --- */

#define HEADERS 4

struct attempt {
    json_t *config;
    struct record_header headers[HEADERS];
    size_t header_count;
    struct span method, target, body;
    int64_t now_us;
};

static void add_header(struct attempt *attempt, const char *name, const char *value)
{
    assert_true(attempt->header_count < HEADERS);
    attempt->headers[attempt->header_count++] =
        (struct record_header){span_of(name), span_of(value)};
}

static void prepare_stripe(json_t *vector, struct attempt *attempt)
{
    attempt->config =
        json_pack("{ss ss ss ss ss ss}", "scheme", "hmac", "secret", text_of(vector, "secret"),
                  "format", "list", "header", "Stripe-Signature", "template", "{timestamp}.{body}",
                  "tolerance", "300s");
    attempt->now_us = json_integer_value(json_object_get(vector, "valid_now")) * SECOND;
    add_header(attempt, "Stripe-Signature",
               text_of(json_object_get(vector, "headers"), "Stripe-Signature"));
}

static void prepare_hubspot(json_t *vector, struct attempt *attempt)
{
    const char *timestamp = text_of(vector, "timestamp");
    const char *uri = text_of(vector, "uri");
    attempt->config =
        json_pack("{ss ss ss}", "scheme", "hubspot-v3", "secret", text_of(vector, "secret"), "uri",
                  *uri ? uri : "https://www.example.com/webhook_uri");
    attempt->now_us = atoll(timestamp) * 1000;
    attempt->target = span_of("/webhook_uri");
    add_header(attempt, "X-HubSpot-Signature-v3", text_of(vector, "expected"));
    add_header(attempt, "X-HubSpot-Request-Timestamp", *timestamp ? timestamp : "0");
}

static void prepare_shopify(json_t *vector, struct attempt *attempt)
{
    attempt->config =
        json_pack("{ss ss ss ss}", "scheme", "hmac", "secret", text_of(vector, "secret"),
                  "encoding", "base64", "header", "X-Shopify-Hmac-Sha256");
    if (*text_of(vector, "expected"))
        add_header(attempt, "X-Shopify-Hmac-Sha256", text_of(vector, "expected"));
}

static void prepare_zendesk(json_t *vector, struct attempt *attempt)
{
    const char *timestamp = text_of(vector, "timestamp");
    attempt->config = json_pack("{ss ss ss ss ss ss ss ss}", "scheme", "hmac", "secret",
                                text_of(vector, "secret"), "encoding", "base64", "header",
                                "X-Zendesk-Webhook-Signature", "template", "{timestamp}{body}",
                                "timestamp_header", "X-Zendesk-Webhook-Signature-Timestamp",
                                "timestamp_format", "rfc3339", "tolerance", "300s");
    assert_int_equal(event_time_parse(span_of(timestamp), &attempt->now_us), 0);
    add_header(attempt, "X-Zendesk-Webhook-Signature", text_of(vector, "expected"));
    add_header(attempt, "X-Zendesk-Webhook-Signature-Timestamp", timestamp);
}

static void prepare_standard(json_t *vector, struct attempt *attempt)
{
    attempt->config =
        json_pack("{ss ss}", "scheme", "standard-webhooks", "secret", text_of(vector, "secret"));
    char signature[128]; /* ours, for the same message */
    int64_t at = atoll(text_of(vector, "timestamp"));
    assert_int_equal(signature_standard_webhook(text_of(vector, "secret"),
                                                span_of(text_of(vector, "msg_id")), at,
                                                body_of(vector), signature, sizeof signature),
                     0);
    assert_string_equal(signature, text_of(vector, "expected"));
    attempt->now_us = at * SECOND;
    add_header(attempt, "webhook-id", text_of(vector, "msg_id"));
    add_header(attempt, "webhook-timestamp", text_of(vector, "timestamp"));
    add_header(attempt, "webhook-signature", text_of(vector, "expected"));
}

static void prepare_basic(json_t *vector, struct attempt *attempt)
{
    attempt->config = json_pack("{ss ss ss}", "scheme", "basic", "user", text_of(vector, "user"),
                                "password", text_of(vector, "password"));
    add_header(attempt, "Authorization",
               text_of(json_object_get(vector, "headers"), "Authorization"));
}

static const struct {
    const char *system;
    void (*prepare)(json_t *vector, struct attempt *attempt);
    bool signs_body, has_tolerance;
} systems[] = {
    {"stripe", prepare_stripe, true, true},
    {"hubspot", prepare_hubspot, true, true},
    {"shopify", prepare_shopify, true, false},
    {"zendesk", prepare_zendesk, true, true},
    {"standardwebhooks", prepare_standard, true, true},
    {"pipedrive", prepare_basic, false, false},
};

static int try(const struct attempt *attempt, struct span body, int64_t now_us)
{
    struct signature *signature;
    struct fault fault = {0};
    if (signature_new(attempt->config, &signature, &fault))
        fail_msg("%s %s", fault.pointer, fault.detail);
    struct signed_message message = {attempt->method, attempt->target, body, attempt->headers,
                                     attempt->header_count};
    int rc = signature_verify(signature, &message, now_us, &fault);
    signature_free(signature);
    return rc;
}

static void expect(const char *id, const char *what, int got, int wanted)
{
    if (got != wanted)
        fail_msg("%s, %s: got %d instead of %d", id, what, got, wanted);
}

/* HubSpot's v1 and v2 are plain hashes over secret and request, which we do not
 * offer: the value is checked, and that v3 does not take it. */
static bool is_plain_hash(json_t *vector)
{
    return is_system(vector, "hubspot") && strcmp(text_of(vector, "version"), "v3") != 0;
}

static void check_plain_hash(json_t *vector)
{
    struct buffer text, hex;
    buffer_init(&text, sizeof body_text);
    buffer_init(&hex, 64);
    buffer_append_text(&text, text_of(vector, "secret"));
    buffer_append_text(&text, text_of(vector, "method"));
    buffer_append_text(&text, text_of(vector, "uri"));
    buffer_append_span(&text, body_of(vector));
    append_hash(&hex, buffer_span(&text));
    assert_string_equal(hex.data, text_of(vector, "expected"));
    buffer_free(&text);
    buffer_free(&hex);
}

static void check_system(json_t *vector, size_t which)
{
    const char *id = text_of(vector, "id");
    const char *method = text_of(vector, "method");
    bool valid = !json_is_false(json_object_get(vector, "valid")) && !is_plain_hash(vector);
    struct attempt attempt = {.target = span_of("/"), .method = span_of(*method ? method : "POST")};
    systems[which].prepare(vector, &attempt);
    attempt.body = body_of(vector);
    expect(id, "as it stands", try(&attempt, attempt.body, attempt.now_us),
           valid ? 0 : ERR_INVALID);
    if (valid && systems[which].signs_body) {
        char longer[sizeof body_text / 2];
        assert_true(attempt.body.len < sizeof longer);
        memcpy(longer, attempt.body.ptr, attempt.body.len);
        longer[attempt.body.len] = ' ';
        expect(id, "with one byte more",
               try(&attempt, (struct span){longer, attempt.body.len + 1}, attempt.now_us),
               ERR_INVALID);
    }
    if (valid && systems[which].has_tolerance) {
        json_t *late = json_object_get(vector, "invalid_now");
        expect(id, "too late",
               try(&attempt, attempt.body,
                   late ? json_integer_value(late) * SECOND : attempt.now_us + 301 * SECOND),
               ERR_INVALID);
        expect(id, "too early", try(&attempt, attempt.body, attempt.now_us - 401 * SECOND),
               ERR_INVALID);
    }
    json_decref(attempt.config);
}

static void check_primitive(json_t *vector)
{
    const char *expected = text_of(vector, "expected");
    struct span key = span_of(text_of(vector, "secret"));
    unsigned char raw[256];
    if (json_object_get(vector, "secret_hex")) {
        assert_int_equal(
            hex_decode(span_of(text_of(vector, "secret_hex")), raw, sizeof raw, &key.len), 0);
        key.ptr = (const char *)raw;
    }
    struct span body = body_of(vector);
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    enum signature_hash hash = strlen(expected) == 40 ? SIGNATURE_SHA1 : SIGNATURE_SHA256;
    assert_int_equal(signature_hmac(hash, key, &body, 1, mac, &len), 0);
    struct buffer hex;
    buffer_init(&hex, 64);
    hex_append(&hex, (struct span){(const char *)mac, len});
    assert_string_equal(hex.data, expected);
    buffer_free(&hex);
}

static void check_signing(json_t *vector)
{
    char text[80];
    assert_int_equal(signature_standard_webhook(
                         text_of(vector, "secret"), span_of(text_of(vector, "msg_id")),
                         atoll(text_of(vector, "timestamp")), body_of(vector), text, sizeof text),
                     0);
    assert_string_equal(text, text_of(vector, "expected"));
}

static void check_body_hash(json_t *vector)
{
    struct buffer hex;
    buffer_init(&hex, 64);
    append_hash(&hex, body_of(vector));
    assert_string_equal(hex.data, text_of(vector, "body_sha256"));
    buffer_free(&hex);
}

static void every_vector_comes_out_as_it_says(void **state)
{
    (void)state;
    size_t i, checked = 0;
    json_t *vector;
    json_array_foreach(vectors, i, vector)
    {
        if (json_object_get(vector, "body_sha256"))
            check_body_hash(vector);
        if (is_plain_hash(vector))
            check_plain_hash(vector);
        if (is_system(vector, "standardwebhooks"))
            check_signing(vector);
        if (is_system(vector, "primitive")) {
            check_primitive(vector);
            checked++;
        }
        for (size_t s = 0; s < sizeof systems / sizeof *systems; s++) {
            if (!is_system(vector, systems[s].system))
                continue;
            check_system(vector, s);
            checked++;
        }
    }
    assert_int_equal(checked, json_array_size(vectors));
    assert_true(checked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector_comes_out_as_it_says)};
    char path[512];
    snprintf(path, sizeof path, "%s/vectors.json", fixtures());
    if (access(path, R_OK) != 0) {
        printf("SKIPPED: %zu fixture tests, no fixtures at %s\n", sizeof tests / sizeof *tests,
               fixtures());
        return 0;
    }
    json_error_t error;
    vectors = json_load_file(path, 0, &error);
    if (!json_is_array(vectors)) {
        printf("%s: %s\n", path, error.text);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(vectors);
    return failed;
}
