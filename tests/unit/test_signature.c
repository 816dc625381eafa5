/* Webhook signatures: hand-written vectors for every scheme, computed with Python's hmac. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/hex.h"
#include "common/http/signature.h"

#define BODY "{\"id\":\"evt_1\",\"type\":\"invoice.paid\"}"

#define STRIPE_NEW "4aa90aa69730f112c87accbf54203d1076675eae3b18a5cb82b5ab9e7f5cd5bc"
#define STRIPE_OLD "d13175aede5abd17f608014cc932a35d96e3c14e1ca5933a3a87aa37a60768fb"
#define ZEROS      "0000000000000000000000000000000000000000000000000000000000000000"
#define GITHUB     "f871ae8a02cccd9b2c4ea67bac9055664f949f089a0b12c17a03a40e6ba5e1b3"
#define STANDARD   "0Gi/DkCf6NBRp3j8R32XxneS2p0SPgzKglOmI8L3kGw="

#define STRIPE                                                                                     \
    "{\"scheme\":\"hmac\",\"secret\":\"whsec_test\",\"format\":\"list\","                          \
    "\"header\":\"Stripe-Signature\",\"template\":\"{timestamp}.{body}\",\"tolerance\":\"300s\"}"
#define GITHUB_256                                                                                 \
    "{\"scheme\":\"hmac\",\"secret\":\"topsecret\",\"header\":\"X-Hub-Signature-256\","            \
    "\"prefix\":\"sha256=\"}"
#define GITHUB_1                                                                                   \
    "{\"scheme\":\"hmac\",\"secret\":\"topsecret\",\"hash\":\"sha1\",\"prefix\":\"sha1=\","        \
    "\"header\":\"X-Hub-Signature\"}"
#define SHOPIFY                                                                                    \
    "{\"scheme\":\"hmac\",\"secret\":\"hush\",\"encoding\":\"base64\","                            \
    "\"header\":\"X-Shopify-Hmac-Sha256\"}"
#define ZENDESK                                                                                    \
    "{\"scheme\":\"hmac\",\"secret\":\"dGVzdA==\",\"encoding\":\"base64\","                        \
    "\"header\":\"X-Zendesk-Webhook-Signature\",\"template\":\"{timestamp}{body}\","               \
    "\"timestamp_header\":\"X-Zendesk-Webhook-Signature-Timestamp\","                              \
    "\"timestamp_format\":\"rfc3339\",\"tolerance\":\"300s\"}"
#define WITH_ID                                                                                    \
    "{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"Sig\",\"template\":"                       \
    "\"{id}.{timestamp}.{body}\",\"id_header\":\"Id\",\"timestamp_header\":\"Time\"}"
#define WITH_MS                                                                                    \
    "{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"Sig\",\"template\":"                       \
    "\"{timestamp}{body}\",\"timestamp_header\":\"Time\",\"timestamp_format\":\"unix_ms\","        \
    "\"tolerance\":\"2s\"}"
#define HUBSPOT                                                                                    \
    "{\"scheme\":\"hubspot-v3\",\"secret\":\"hubsecret\","                                         \
    "\"uri\":\"https://hooks.example/webhooks/hubspot\"}"
#define STANDARD_WEBHOOKS                                                                          \
    "{\"scheme\":\"standard-webhooks\",\"secret\":\"whsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg\"}"
#define BASIC "{\"scheme\":\"basic\",\"user\":\"ann\",\"password\":\"p:\303\244ss\"}"

#define SECOND      INT64_C(1000000)
#define NOW         (INT64_C(1700000000) * SECOND)
#define ZENDESK_NOW (INT64_C(1714979289) * SECOND) /* 2024-05-06T07:08:09Z */

struct check {
    const char *what, *config, *target;
    const char *headers[8]; /* name, value, … */
    const char *body;       /* NULL: BODY */
    int64_t now_us;
    bool valid;
};

#define SIG             "Stripe-Signature"
#define HUB_SIG         "X-HubSpot-Signature-v3"
#define HUB_TIME        "X-HubSpot-Request-Timestamp"
#define HUB_ESCAPED     "/webhooks/hubspot?a=%3a%2F%3F%40%21%24%27%28%29%2A%2c%3B&b=%20%41%C3%A9%3"
#define HUB_MAC_ESCAPED "Wu0ZZCg6UB5llYrUox2dwiWzDJLjzD0IrpcZRS5zXNs="
#define HUB_MAC         "LOwMsGIzQv+A8Uaze1otHBQIXE5b2Ox4dX8MseqIqYM="
#define ZEN_SIG         "X-Zendesk-Webhook-Signature"
#define ZEN_TIME        "X-Zendesk-Webhook-Signature-Timestamp"
#define ZEN_MAC         "wJWeVim01b54GPWe4CQRWEbdJeXnvssY0wL+5GTEeGU="
#define ID_MAC          "abdc44536c61036e172ecce650c20c46263ad71dda2a1c07eaa200d2b136ff7f"
#define MS_MAC          "f8d8081a79f14b12dd247b2c2a14ac93eeb66d04e1b319df9569344b8dd19e67"
#define SHOPIFY_MAC     "1eCu1jQqIoFQTxw6SDcIfIEmByY95bYBo9CP4pE1hKw="

static const struct check checks[] = {
    {"stripe", STRIPE, "/", {SIG, "t=1700000000,v1=" STRIPE_NEW}, NULL, NOW, true},
    {"header's name in another case",
     STRIPE,
     "/",
     {"stripe-signature", "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW,
     true},
    {"upper case hex",
     GITHUB_256,
     "/",
     {"X-Hub-Signature-256",
      "sha256=F871AE8A02CCCD9B2C4EA67BAC9055664F949F089A0B12C17A03A40E6BA5E1B3"},
     NULL,
     NOW,
     true},
    {"several v1, the second matches",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_OLD ", v1=" STRIPE_NEW},
     NULL,
     NOW,
     true},
    {"several v1, none matches",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_OLD ",v1=" ZEROS},
     NULL,
     NOW,
     false},
    {"v0 is not looked at", STRIPE, "/", {SIG, "t=1700000000,v0=" STRIPE_NEW}, NULL, NOW, false},
    {"another body", STRIPE, "/", {SIG, "t=1700000000,v1=" STRIPE_NEW}, BODY " ", NOW, false},
    {"another time", STRIPE, "/", {SIG, "t=1700000001,v1=" STRIPE_NEW}, NULL, NOW, false},
    {"two times", STRIPE, "/", {SIG, "t=1700000000,t=1700000000,v1=" STRIPE_NEW}, NULL, NOW, false},
    {"no time", STRIPE, "/", {SIG, "v1=" STRIPE_NEW}, NULL, NOW, false},
    {"empty list", STRIPE, "/", {SIG, ",,="}, NULL, NOW, false},
    {"cut hex", STRIPE, "/", {SIG, "t=1700000000,v1=4aa90aa69730f112"}, NULL, NOW, false},
    {"empty signature", STRIPE, "/", {SIG, "t=1700000000,v1="}, NULL, NOW, false},
    {"no header", STRIPE, "/", {"Other", "x"}, NULL, NOW, false},
    {"header twice, though both are right",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_NEW, "STRIPE-SIGNATURE", "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW,
     false},
    {"300 s later",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW + 300 * SECOND,
     true},
    {"301 s later",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW + 301 * SECOND,
     false},
    {"300 s ahead",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW - 300 * SECOND,
     true},
    {"301 s ahead",
     STRIPE,
     "/",
     {SIG, "t=1700000000,v1=" STRIPE_NEW},
     NULL,
     NOW - 301 * SECOND,
     false},

    {"github sha256", GITHUB_256, "/", {"X-Hub-Signature-256", "sha256=" GITHUB}, NULL, NOW, true},
    {"without its prefix", GITHUB_256, "/", {"X-Hub-Signature-256", GITHUB}, NULL, NOW, false},
    {"with another prefix",
     GITHUB_256,
     "/",
     {"X-Hub-Signature-256", "sha1=" GITHUB},
     NULL,
     NOW,
     false},
    {"prefix alone", GITHUB_256, "/", {"X-Hub-Signature-256", "sha256="}, NULL, NOW, false},
    {"one digit more",
     GITHUB_256,
     "/",
     {"X-Hub-Signature-256", "sha256=" GITHUB "0"},
     NULL,
     NOW,
     false},
    {"one byte more",
     GITHUB_256,
     "/",
     {"X-Hub-Signature-256", "sha256=" GITHUB "00"},
     NULL,
     NOW,
     false},
    {"github sha1",
     GITHUB_1,
     "/",
     {"X-Hub-Signature", "sha1=f8797a3764cd16944d1934d61c31e0b54f7e2d17"},
     NULL,
     NOW,
     true},
    {"sha1 with a digit changed",
     GITHUB_1,
     "/",
     {"X-Hub-Signature", "sha1=f8797a3764cd16944d1934d61c31e0b54f7e2d18"},
     NULL,
     NOW,
     false},

    {"shopify", SHOPIFY, "/", {"X-Shopify-Hmac-Sha256", SHOPIFY_MAC}, NULL, 0, true},
    {"shopify, no base64",
     SHOPIFY,
     "/",
     {"X-Shopify-Hmac-Sha256", "XXXXXaGVsbG8="},
     NULL,
     0,
     false},
    {"shopify, too short", SHOPIFY, "/", {"X-Shopify-Hmac-Sha256", "YmxhaGJsYWgK"}, NULL, 0, false},

    {"zendesk",
     ZENDESK,
     "/",
     {ZEN_SIG, ZEN_MAC, ZEN_TIME, "2024-05-06T07:08:09Z"},
     NULL,
     ZENDESK_NOW,
     true},
    {"zendesk, late",
     ZENDESK,
     "/",
     {ZEN_SIG, ZEN_MAC, ZEN_TIME, "2024-05-06T07:08:09Z"},
     NULL,
     ZENDESK_NOW + 301 * SECOND,
     false},
    {"zendesk, time in another spelling",
     ZENDESK,
     "/",
     {ZEN_SIG, ZEN_MAC, ZEN_TIME, "2024-05-06T07:08:09+00:00"},
     NULL,
     ZENDESK_NOW,
     false},
    {"zendesk, no time", ZENDESK, "/", {ZEN_SIG, ZEN_MAC}, NULL, ZENDESK_NOW, false},
    {"zendesk, two times",
     ZENDESK,
     "/",
     {ZEN_SIG, ZEN_MAC, ZEN_TIME, "2024-05-06T07:08:09Z", ZEN_TIME, "2024-05-06T07:08:09Z"},
     NULL,
     ZENDESK_NOW,
     false},

    {"id and time signed, age not judged",
     WITH_ID,
     "/",
     {"Sig", ID_MAC, "Id", "m1", "Time", "2024"},
     NULL,
     NOW,
     true},
    {"another id", WITH_ID, "/", {"Sig", ID_MAC, "Id", "m2", "Time", "2024"}, NULL, NOW, false},
    {"no id", WITH_ID, "/", {"Sig", ID_MAC, "Time", "2024"}, NULL, NOW, false},
    {"milliseconds",
     WITH_MS,
     "/",
     {"Sig", MS_MAC, "Time", "1700000000123"},
     NULL,
     NOW + 2 * SECOND + 123000,
     true},
    {"a microsecond too late",
     WITH_MS,
     "/",
     {"Sig", MS_MAC, "Time", "1700000000123"},
     NULL,
     NOW + 2 * SECOND + 123001,
     false},

    {"hubspot",
     HUBSPOT,
     "/webhooks/hubspot",
     {HUB_SIG, HUB_MAC, HUB_TIME, "1700000000123"},
     NULL,
     NOW,
     true},
    {"hubspot, twelve escapes decoded and no other",
     HUBSPOT,
     HUB_ESCAPED,
     {HUB_SIG, HUB_MAC_ESCAPED, HUB_TIME, "1700000000123"},
     NULL,
     NOW,
     true},
    {"hubspot, its query is signed",
     HUBSPOT,
     "/webhooks/hubspot?a=1",
     {HUB_SIG, HUB_MAC, HUB_TIME, "1700000000123"},
     NULL,
     NOW,
     false},
    {"hubspot, old",
     HUBSPOT,
     "/webhooks/hubspot",
     {HUB_SIG, HUB_MAC, HUB_TIME, "1700000000123"},
     NULL,
     NOW + 301 * SECOND,
     false},
    {"hubspot, no time", HUBSPOT, "/webhooks/hubspot", {HUB_SIG, HUB_MAC}, NULL, NOW, false},

    {"standard webhooks",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "Webhook-Signature",
      "v1," STANDARD},
     NULL,
     NOW,
     true},
    {"the second of several",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "webhook-signature",
      "v1,AAAA v1a,xx v1," STANDARD},
     NULL,
     NOW,
     true},
    {"v1a is another scheme",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "webhook-signature",
      "v1a," STANDARD},
     NULL,
     NOW,
     false},
    {"without a version",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "webhook-signature", STANDARD},
     NULL,
     NOW,
     false},
    {"301 s ahead of us",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "webhook-signature",
      "v1," STANDARD},
     NULL,
     NOW - 301 * SECOND,
     false},
    {"no webhook-id",
     STANDARD_WEBHOOKS,
     "/",
     {"webhook-timestamp", "1700000000", "webhook-signature", "v1," STANDARD},
     NULL,
     NOW,
     false},

    {"basic", BASIC, "/", {"Authorization", "Basic YW5uOnA6w6Rzcw=="}, NULL, NOW, true},
    {"basic in lower case",
     BASIC,
     "/",
     {"authorization", "basic YW5uOnA6w6Rzcw=="},
     NULL,
     NOW,
     true},
    {"another password", BASIC, "/", {"Authorization", "Basic YW5uOnA6w6Rzcx=="}, NULL, NOW, false},
    {"a shorter one", BASIC, "/", {"Authorization", "Basic YW5uOnA="}, NULL, NOW, false},
    {"a bearer", BASIC, "/", {"Authorization", "Bearer YW5uOnA6w6Rzcw=="}, NULL, NOW, false},
    {"no authorization", BASIC, "/", {NULL}, NULL, NOW, false},
    {"none", "{\"scheme\":\"none\"}", "/", {NULL}, NULL, NOW, true},
};

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static int verify(const struct check *check, struct fault *fault)
{
    struct record_header headers[4];
    size_t count = 0;
    for (; count < 4 && check->headers[count * 2]; count++)
        headers[count] = (struct record_header){span_of(check->headers[count * 2]),
                                                span_of(check->headers[count * 2 + 1])};
    struct signed_message message = {span_of("POST"), span_of(check->target),
                                     span_of(check->body ? check->body : BODY), headers, count};
    json_t *config = parse(check->config);
    struct signature *signature;
    if (signature_new(config, &signature, fault))
        fail_msg("%s: %s %s", check->what, fault->pointer, fault->detail);
    json_decref(config);
    int rc = signature_verify(signature, &message, check->now_us, fault);
    signature_free(signature);
    return rc;
}

static void verifies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct fault fault = {0};
        int rc = verify(&checks[i], &fault);
        if (rc != (checks[i].valid ? 0 : ERR_INVALID))
            fail_msg("%s: %d %s", checks[i].what, rc, fault.detail);
        if (rc && !fault.detail[0])
            fail_msg("%s: no reason given", checks[i].what);
    }
}

/* The same configuration with other secrets around its own; NULL: it has none. */
static char *among_others(const char *text, const char *before, const char *after)
{
    json_t *config = parse(text);
    const char *key = json_object_get(config, "password") ? "password" : "secret";
    const char *secret = json_string_value(json_object_get(config, key));
    char *all = NULL, *changed = NULL;
    if (secret) {
        assert_true(asprintf(&all, "%s%s%s", before, secret, after) > 0);
        assert_int_equal(json_object_set_new(config, key, json_string(all)), 0);
        changed = json_dumps(config, 0);
        assert_non_null(changed);
    }
    free(all);
    json_decref(config);
    return changed;
}

/* Each one's place does not matter, and what is not valid does not become so. */
static void each_of_several_secrets_counts(void **state)
{
    (void)state;
    static const char *const around[][2] = {{"b3RoZXI=\n", ""},
                                            {"", "\nb3RoZXI="},
                                            {"\r\nb3RoZXI=\r\n\r\n", "\r\n"},
                                            {"YQ==\nYg==\nYw==\n", "\n"}};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct check check = checks[i];
        char *changed = among_others(checks[i].config, around[i % 4][0], around[i % 4][1]);
        struct fault fault = {0};
        check.config = changed;
        int rc = changed ? verify(&check, &fault) : check.valid ? 0 : ERR_INVALID;
        if (check.valid ? rc != 0 : rc != ERR_INVALID || (changed && !*fault.detail))
            fail_msg("%s: %d %s", check.what, rc, fault.detail);
        free(changed);
    }
}

static const struct {
    const char *config, *pointer;
} broken[] = {
    {"[]", ""},
    {"{}", "/scheme"},
    {"{\"scheme\":\"rot13\"}", "/scheme"},
    {"{\"scheme\":\"none\",\"secret\":\"x\"}", "/secret"},
    {"{\"scheme\":\"hmac\",\"header\":\"S\"}", "/secret"},
    {"{\"scheme\":\"hmac\",\"header\":\"S\",\"secret\":\"\"}", "/secret"},
    {"{\"scheme\":\"hmac\",\"header\":\"S\",\"secret\":7}", "/secret"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\"}", "/header"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"hash\":\"md5\"}", "/hash"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"encoding\":\"hexx\"}", "/encoding"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"format\":\"json\"}", "/format"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"template\":\"{timestamp}\"}",
     "/template"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"template\":\"{body}{time}\"}",
     "/template"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"template\":\"{timestamp}{body}\"}",
     "/timestamp_header"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"template\":\"{id}{body}\"}",
     "/id_header"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"id_header\":\"I\"}", "/id_header"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"timestamp_header\":\"T\"}",
     "/timestamp_header"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"tolerance\":\"300s\"}",
     "/tolerance"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"format\":\"list\","
     "\"prefix\":\"x\"}",
     "/prefix"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"signature_member\":\"v1\"}",
     "/signature_member"},
    {"{\"scheme\":\"hmac\",\"secret\":\"k\",\"header\":\"S\",\"tolerence\":\"300s\"}",
     "/tolerence"},
    {"{\"scheme\":\"hubspot-v3\",\"secret\":\"k\"}", "/uri"},
    {"{\"scheme\":\"hubspot-v3\",\"secret\":\"k\",\"uri\":\"/webhooks\"}", "/uri"},
    {"{\"scheme\":\"hubspot-v3\",\"secret\":\"k\",\"uri\":\"https://x/\",\"tolerance\":\"soon\"}",
     "/tolerance"},
    {"{\"scheme\":\"standard-webhooks\",\"secret\":\"whsec_\"}", "/secret"},
    {"{\"scheme\":\"standard-webhooks\",\"secret\":\"whsec_not base64\"}", "/secret"},
    {"{\"scheme\":\"standard-webhooks\",\"secret\":\"YQ==\\nnot base64\"}", "/secret"},
    {"{\"scheme\":\"hmac\",\"header\":\"S\",\"secret\":\"a\\nb\\nc\\nd\\ne\"}", "/secret"},
    {"{\"scheme\":\"basic\",\"user\":\"a\",\"password\":\"a\\nb\\nc\\nd\\ne\"}", "/password"},
    {"{\"scheme\":\"basic\",\"user\":\"a:b\",\"password\":\"c\"}", "/user"},
    {"{\"scheme\":\"basic\",\"user\":\"a\"}", "/password"},
};

static void refuses_broken_configuration(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        json_t *config = parse(broken[i].config);
        struct signature *signature;
        struct fault fault = {0};
        int rc = signature_new(config, &signature, &fault);
        json_decref(config);
        if (rc != ERR_INVALID || strcmp(fault.pointer, broken[i].pointer) != 0)
            fail_msg("%s: %d at \"%s\"", broken[i].config, rc, fault.pointer);
    }
}

static void signs_standard_webhooks(void **state)
{
    (void)state;
    char text[80];
    static const char *const secrets[] = {
        "whsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg",
        "whsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg==", "c2VjcmV0LWtleS1mb3ItdGVzdHMhMg=="};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_int_equal(signature_standard_webhook(secrets[i], span_of("msg_1"), 1700000000,
                                                    span_of(BODY), text, sizeof text),
                         0);
        assert_string_equal(text, "v1," STANDARD);
    }
    assert_int_equal(
        signature_standard_webhook("whsec_!", span_of("m"), 1, span_of(BODY), text, sizeof text),
        ERR_INVALID);
    assert_int_equal(
        signature_standard_webhook(secrets[0], span_of("m"), 1, span_of(BODY), text, 47),
        ERR_LIMIT);
    char both[160];
    static const char two[] = "b3RoZXI=\nwhsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg\n";
    assert_int_equal(
        signature_standard_webhook(two, span_of("msg_1"), 1700000000, span_of(BODY), both, 96), 0);
    assert_int_equal(strlen(both), 95);
    assert_memory_equal(both, "v1,", 3);
    assert_string_equal(both + 47, " v1," STANDARD);
    assert_int_equal(
        signature_standard_webhook(two, span_of("msg_1"), 1700000000, span_of(BODY), both, 95),
        ERR_LIMIT);
    assert_int_equal(signature_standard_webhook("\n", span_of("m"), 1, span_of(BODY), both, 95),
                     ERR_INVALID);
}

static void computes_hmac_over_any_bytes(void **state)
{
    (void)state;
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    struct span parts[] = {{"", 0}, span_of("x"), {NULL, 0}};
    assert_int_equal(
        signature_hmac(SIGNATURE_SHA256, (struct span){"a\0b\xff", 4}, parts, 3, mac, &len), 0);
    struct buffer hex;
    buffer_init(&hex, 64);
    hex_append(&hex, (struct span){(const char *)mac, len});
    assert_string_equal(hex.data,
                        "60dd9568be551c56e6176df6750f068158ac7aa7c82be43f5a22f0522b6f51ad");
    buffer_free(&hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies),
        cmocka_unit_test(each_of_several_secrets_counts),
        cmocka_unit_test(refuses_broken_configuration),
        cmocka_unit_test(signs_standard_webhooks),
        cmocka_unit_test(computes_hmac_over_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
