/*
 * Webhook signatures in every scheme. The input: a digit for the scheme, then
 * method and target in one line; lines of headers; a blank one; the body. "SIGNED"
 * in a header's value becomes the right signature, computed here another way, so
 * that requests that are authentic are among the inputs.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/http/signature.h"
#include "tests/fuzz/kit.h"

#define HEADERS_LIMIT 16
#define SECRET        "it is known"
#define PUBLIC_URI    "https://public.example/webhooks/hubspot"
#define NOW           KIT_NOW /* 1796083200 s */

/* What is signed, a letter a piece: b body, t timestamp, i id, m method, u URI, '.' itself. */
static const struct scheme_under_test {
    const char *config, *pieces, *timestamp_header, *id_header;
    bool base64, sha1;
} schemes[] = {
    {"{\"scheme\":\"hmac\",\"secret\":\"" SECRET "\",\"header\":\"X-Sign\"}", "b", NULL, NULL,
     false, false},
    {"{\"scheme\":\"hmac\",\"secret\":\"" SECRET "\",\"header\":\"X-Sign\",\"prefix\":\"sha1=\","
     "\"hash\":\"sha1\"}",
     "b", NULL, NULL, false, true},
    {"{\"scheme\":\"hmac\",\"secret\":\"" SECRET "\",\"header\":\"X-Sign\",\"format\":\"list\","
     "\"template\":\"{timestamp}.{body}\",\"tolerance\":\"300s\"}",
     "t.b", NULL, NULL, false, false},
    {"{\"scheme\":\"hmac\",\"secret\":\"" SECRET "\",\"header\":\"X-Sign\",\"encoding\":\"base64\","
     "\"template\":\"{id}.{timestamp}.{body}\",\"id_header\":\"X-Id\",\"timestamp_header\":"
     "\"X-Time\",\"timestamp_format\":\"rfc3339\",\"tolerance\":\"300s\"}",
     "i.t.b", "X-Time", "X-Id", true, false},
    {"{\"scheme\":\"hubspot-v3\",\"secret\":\"" SECRET "\",\"uri\":\"" PUBLIC_URI "\"}", "mubt",
     "X-HubSpot-Request-Timestamp", NULL, true, false},
    {"{\"scheme\":\"standard-webhooks\",\"secret\":\"whsec_aXQgaXMga25vd24=\"}", "i.t.b",
     "webhook-timestamp", "webhook-id", true, false},
    {"{\"scheme\":\"basic\",\"user\":\"ann\",\"password\":\"" SECRET "\"}", "", NULL, NULL, true,
     false},
    {"{\"scheme\":\"none\"}", "", NULL, NULL, false, false},
};

#define SCHEMES (sizeof schemes / sizeof *schemes)

static const struct signature *signature_of(size_t index)
{
    static struct signature *made[SCHEMES];
    struct fault fault = {.detail = ""};
    if (!made[index]) {
        json_t *config = json_loads(schemes[index].config, 0, NULL);
        expect(config && signature_new(config, &made[index], &fault) == 0, "a scheme is one");
        json_decref(config);
    }
    return made[index];
}

static struct span header(const struct signed_message *message, const char *name)
{
    for (size_t i = 0; name && i < message->header_count; i++)
        if (span_is_nocase(message->headers[i].name, name) && message->headers[i].value.ptr)
            return message->headers[i].value;
    return (struct span){"", 0};
}

/* The first "t=" of a list. */
static struct span list_timestamp(struct span list)
{
    for (size_t i = 0; i + 2 <= list.len; i++)
        if (memcmp(list.ptr + i, "t=", 2) == 0 && (i == 0 || strchr(", \t", list.ptr[i - 1]))) {
            struct span rest = {list.ptr + i + 2, list.len - i - 2};
            const char *comma = rest.len ? memchr(rest.ptr, ',', rest.len) : NULL;
            return (struct span){rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
        }
    return (struct span){"", 0};
}

/* The bytes that this scheme signs. */
static void compose(const struct scheme_under_test *scheme, const struct signed_message *message,
                    struct buffer *out)
{
    const char *query =
        message->target.len ? memchr(message->target.ptr, '?', message->target.len) : NULL;
    for (const char *piece = scheme->pieces; *piece; piece++) {
        struct span part = {piece, 1};
        if (*piece == 'b')
            part = message->body;
        else if (*piece == 'm')
            part = message->method;
        else if (*piece == 'i')
            part = header(message, scheme->id_header);
        else if (*piece == 't')
            part = scheme->timestamp_header ? header(message, scheme->timestamp_header)
                                            : list_timestamp(header(message, "X-Sign"));
        else if (*piece == 'u')
            part = span_of(PUBLIC_URI);
        buffer_append_span(out, part);
        if (*piece == 'u' && query)
            buffer_append(out, query, message->target.len - (size_t)(query - message->target.ptr));
    }
}

static void write_mac(const struct scheme_under_test *scheme, const struct buffer *signed_bytes,
                      char text[80])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(scheme->sha1 ? EVP_sha1() : EVP_sha256(), SECRET, sizeof SECRET - 1,
         (const unsigned char *)(signed_bytes->data ? signed_bytes->data : ""), signed_bytes->len,
         mac, &len);
    if (scheme->base64)
        EVP_EncodeBlock((unsigned char *)text, mac, (int)len);
    else
        for (unsigned i = 0; i < len; i++)
            snprintf(text + 2 * i, 3, "%02x", mac[i]);
}

/* Puts the signature into the headers where they ask for it. */
static void sign(struct record_header *headers, size_t count, const char *mac)
{
    static const char mark[] = "SIGNED";
    for (size_t i = 0; i < count; i++) {
        struct span value = headers[i].value;
        const char *at = value.len ? memmem(value.ptr, value.len, mark, sizeof mark - 1) : NULL;
        if (!at)
            continue;
        size_t before = (size_t)(at - value.ptr);
        char *text =
            arena_printf(kit_arena(), "%.*s%s%.*s", (int)before, value.ptr, mac,
                         (int)(value.len - before - (sizeof mark - 1)), at + sizeof mark - 1);
        expect(text, "there is memory");
        headers[i].value = kit_copy(span_of(text));
    }
}

static bool carried(const struct signed_message *message, const char *mac)
{
    for (size_t i = 0; i < message->header_count; i++) {
        struct span value = message->headers[i].value;
        if (value.len && strcasestr(kit_text(value), mac))
            return true;
    }
    return false;
}

/* What was let in is what the secret's holder has signed, and nothing else would be. */
static void expect_authentic(size_t index, const struct signed_message *message)
{
    const struct scheme_under_test *scheme = &schemes[index];
    const struct signature *signature = signature_of(index);
    struct signed_message other = *message;
    struct fault fault = {.detail = ""};
    struct buffer bytes;
    char mac[80] = "", padded[80];
    if (!*scheme->pieces)
        return;
    buffer_init(&bytes, (size_t)1024 * 1024);
    compose(scheme, message, &bytes);
    write_mac(scheme, &bytes, mac);
    if (scheme->base64) { /* padding may be missing */
        snprintf(padded, sizeof padded, "%s", mac);
        mac[strcspn(mac, "=")] = '\0';
    }
    expect(carried(message, mac), "an authentic request carries the signature");
    buffer_clear(&bytes);
    buffer_append_span(&bytes, message->body);
    buffer_append_char(&bytes, '!');
    other.body = buffer_span(&bytes);
    expect(signature_verify(signature, &other, NOW, &fault) == ERR_INVALID,
           "another body is not authentic");
    buffer_free(&bytes);
    if (index >= 2)
        expect(signature_verify(signature, message, NOW + INT64_C(601000000), &fault) ==
                       ERR_INVALID &&
                   signature_verify(signature, message, NOW - INT64_C(601000000), &fault) ==
                       ERR_INVALID,
               "a timestamp is judged");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_header headers[HEADERS_LIMIT];
    struct span rest = {(const char *)data, size}, line;
    struct fault fault = {.detail = ""};
    struct buffer bytes;
    char mac[80] = "";
    if (!kit_line(&rest, &line) || line.len == 0)
        return 0;
    size_t index = (unsigned char)line.ptr[0] % SCHEMES; /* '0' is the first */
    line = (struct span){line.ptr + 1, line.len - 1};
    const char *space = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
    size_t method = space ? (size_t)(space - line.ptr) : line.len;
    struct signed_message message = {.method = kit_copy((struct span){line.ptr, method}),
                                     .headers = headers};
    message.target = kit_copy((struct span){line.ptr + method, line.len - method});
    message.header_count = kit_headers(&rest, headers, HEADERS_LIMIT);
    message.body = kit_copy(rest);
    buffer_init(&bytes, (size_t)1024 * 1024);
    compose(&schemes[index], &message, &bytes);
    write_mac(&schemes[index], &bytes, mac);
    buffer_free(&bytes);
    sign(headers, message.header_count, mac);
    int rc = signature_verify(signature_of(index), &message, NOW, &fault);
    expect_told(rc, &fault);
    expect(rc == 0 || !strstr(fault.detail, mac), "a refusal never tells the signature");
    if (rc == 0)
        expect_authentic(index, &message);
    kit_end();
    return 0;
}
