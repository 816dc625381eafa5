/*
 * The head of an HTTP request: a line with method, target and version, lines of
 * headers; and an address to listen at, or of a proxy, in the version's place or a header's value.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/hex.h"
#include "common/http/http_server_internal.h"
#include "common/http/problem.h"
#include "tests/fuzz/kit.h"

#define HEADERS_LIMIT 110

static struct span take_word(struct span *line)
{
    const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
    struct span word = {line->ptr, space ? (size_t)(space - line->ptr) : line->len};
    size_t taken = word.len + (space ? 1 : 0);
    *line = (struct span){line->ptr + taken, line->len - taken};
    return kit_copy(word);
}

static size_t count_named(const struct request_head *head, const char *name, struct span *value)
{
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++)
        if (span_is_nocase(head->headers[i].name, name)) {
            *value = head->headers[i].value;
            count++;
        }
    return count;
}

/* What was let through has one meaning only (RFC 9112 sections 3.2 and 6.3). */
static void expect_unambiguous(const struct request_head *head, const struct request_shape *shape)
{
    struct span host, length, coding;
    size_t hosts = count_named(head, "Host", &host);
    size_t lengths = count_named(head, "Content-Length", &length);
    size_t codings = count_named(head, "Transfer-Encoding", &coding);
    bool http_1_0 = span_is(head->version, "HTTP/1.0");
    expect(hosts == 1 || (hosts == 0 && http_1_0), "there is one Host");
    expect(lengths + codings <= 1, "the body's length is told once");
    expect(!codings || (span_is_nocase(coding, "chunked") && !http_1_0), "chunked is the coding");
    expect(shape->has_body == (codings == 1 || (lengths == 1 && shape->content_length > 0)),
           "a body is there where it was told");
    if (lengths == 1) {
        const char *text = kit_text(length);
        expect(strlen(text) == length.len && strspn(text, "0123456789") == length.len,
               "a length is digits alone");
        expect(strtoll(text, NULL, 10) == shape->content_length, "a length is what it says");
    } else {
        expect(shape->content_length == -1, "no length was told");
    }
    for (size_t i = 0; i < head->header_count; i++)
        for (size_t j = 0; j < head->headers[i].value.len; j++)
            expect((unsigned char)head->headers[i].value.ptr[j] >= 0x20 ||
                       head->headers[i].value.ptr[j] == '\t',
                   "no header has a line of its own within");
}

static void check_path(struct span target)
{
    struct span path, query = target;
    if (request_path(kit_arena(), target, &path) != 0)
        return;
    expect(path.len > 0 && !memchr(path.ptr, '\0', path.len), "a path is not empty and no NUL");
    expect(path.len <= target.len || span_is(path, "/"), "a path is no longer than its target");
    expect(!request_path_matches(path, "/webhooks/*") || span_starts_with(path, "/webhooks/"),
           "a prefix is one");
    /* Encoded and decoded again it is the same path. */
    struct buffer text;
    buffer_init(&text, 65536 * 3);
    buffer_append_char(&text, '/');
    percent_append(&text, path);
    if (!text.failed)
        expect(request_path(kit_arena(), buffer_span(&text), &query) == 0 &&
                   query.len == path.len + 1 && memcmp(query.ptr + 1, path.ptr, path.len) == 0,
               "a path survives its encoding");
    buffer_free(&text);
}

/* Nobody is let in who does not know the token. */
static void check_bearer(const struct record_header *headers, size_t count)
{
    struct http_request request = {.header_count = count};
    struct record_header own[HEADERS_LIMIT];
    struct span given = {NULL, 0};
    memcpy(own, headers, count * sizeof *own);
    request.headers = own;
    for (size_t i = count; i > 0; i--)
        if (span_is_nocase(headers[i - 1].name, "Authorization"))
            given = headers[i - 1].value;
    expect(http_bearer_ok(&request, NULL), "without a token everybody may");
    bool ok = http_bearer_ok(&request, "sesame");
    bool tail = given.len >= 6 && memcmp(given.ptr + given.len - 6, "sesame", 6) == 0;
    expect(!ok || (tail && strncasecmp(given.ptr, "Bearer ", 7) == 0), "a token is known or not");
}

static void check_address(struct span text)
{
    bool loopback = false;
    const char *address = kit_text(text);
    if (http_listen_is_loopback(address, &loopback) == 0 && loopback)
        expect(strstr(address, "127.") || strstr(address, "::1") || strstr(address, ":1]") ||
                   strcasestr(address, "localhost") || strchr(address, '['),
               "loopback looks like it");
}

static bool client_is(const struct forwarded_client *client, const char *text)
{
    struct in6_addr address;
    expect(forwarded_address(span_of(text), &address) == 0, "an address of the test's");
    return memcmp(&client->address, &address, sizeof address) == 0;
}

/* Whatever stands left of what a trusted proxy appends changes nothing; nobody else is believed. */
static void check_forwarded(const struct record_header *headers, size_t count)
{
    struct record_header own[HEADERS_LIMIT + 1];
    struct forwarded_trust trust;
    struct forwarded_client client;
    struct in6_addr proxy, stranger;
    expect(forwarded_trust_parse("10.0.0.0/8, fd00::/8", &trust, NULL) == 0, "a list of proxies");
    expect(forwarded_address(span_of("10.0.0.1"), &proxy) == 0, "a proxy");
    expect(forwarded_address(span_of("192.0.2.1"), &stranger) == 0, "a stranger");
    memcpy(own, headers, count * sizeof *own);
    for (size_t i = 0; i < count; i += 2) /* else none would be found */
        own[i].name = span_of("X-Forwarded-For");
    forwarded_resolve(&trust, &stranger, true, own, count, &client);
    expect(client_is(&client, "192.0.2.1") && client.https, "a stranger speaks for itself");
    forwarded_resolve(&trust, &proxy, false, own, count, &client);
    struct forwarded_client before = client;
    own[count] = (struct record_header){span_of("X-Forwarded-For"), span_of("10.0.0.1")};
    forwarded_resolve(&trust, &proxy, false, own, count + 1, &client);
    expect(memcmp(&client.address, &before.address, sizeof client.address) == 0 ||
               forwarded_trusts(&trust, &client.address),
           "a proxy more is a hop more");
    own[count].value = span_of("203.0.113.9");
    forwarded_resolve(&trust, &proxy, false, own, count + 1, &client);
    expect(client_is(&client, "203.0.113.9"), "who connected to the proxy is the client");
}

static void check_forwarded_address(struct span text)
{
    struct in6_addr address, again;
    struct forwarded_trust trust;
    char plain[INET6_ADDRSTRLEN];
    if (forwarded_address(text, &address) == 0) {
        expect(inet_ntop(AF_INET6, &address, plain, sizeof plain) != NULL, "an address has a text");
        expect(forwarded_address(span_of(plain), &again) == 0 &&
                   memcmp(&address, &again, sizeof address) == 0,
               "an address is the same when it is read again");
    }
    if (forwarded_trust_parse(kit_text(text), &trust, NULL) == 0)
        for (size_t i = 0; i < trust.count; i++)
            expect(forwarded_trusts(&trust, &trust.networks[i].address),
                   "a network has its first address");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_header headers[HEADERS_LIMIT];
    struct span rest = {(const char *)data, size}, line = {"", 0};
    struct request_shape shape;
    const char *detail = NULL;
    kit_line(&rest, &line);
    struct request_head head = {.headers = headers};
    head.method = take_word(&line);
    head.target = take_word(&line);
    head.version = take_word(&line);
    head.header_count = kit_headers(&rest, headers, HEADERS_LIMIT);
    int status = request_check(&head, &shape, &detail);
    expect(status == 0 || status == 400 || status == 417 || status == 431 || status == 501,
           "a refusal has its status");
    expect(status == 0 || detail, "a refusal has a reason");
    if (status == 0) {
        expect_unambiguous(&head, &shape);
        check_path(head.target);
    }
    check_bearer(headers, head.header_count);
    check_forwarded(headers, head.header_count);
    check_forwarded_address(kit_copy(head.version));
    check_address(head.version);
    for (size_t i = 0; i < head.header_count && i < 8; i++)
        if (headers[i].value.ptr) {
            check_address(headers[i].value);
            check_forwarded_address(headers[i].value);
        }
    kit_end();
    return 0;
}
