#include "common/http/request_check.h"

#include "common/base/hex.h"

/* RFC 9110 section 5.6.2: tchar. */
static bool is_token(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.len > 0;
}

/* RFC 9110 section 5.5: no control characters but the tab; bytes above 127 are opaque. */
static bool is_field_value(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static bool is_visible_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c >= 0x7F)
            return false;
    }
    return text.len > 0;
}

/* "http://authority" of an absolute form: its length, 0 for an origin form. */
static size_t authority_end(struct span target)
{
    size_t start = 0;
    struct span scheme = {target.ptr, target.len < 8 ? target.len : 8};
    if (span_is_nocase(scheme, "https://"))
        start = 8;
    scheme.len = target.len < 7 ? target.len : 7;
    if (span_is_nocase(scheme, "http://"))
        start = 7;
    if (start == 0)
        return 0;
    size_t end = start;
    while (end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?')
        end++;
    return end;
}

/* A fragment is the client's own: one that is sent is read differently by everybody. */
static bool is_target(struct span target)
{
    if (!is_visible_ascii(target) || memchr(target.ptr, '#', target.len))
        return false;
    return target.ptr[0] == '/' || authority_end(target) > 0;
}

static bool is_host(struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (strchr(" \t,/\\@?#", value.ptr[i]))
            return false;
    return true;
}

/* Digits only, and a number that fits: no sign, list, space or hex. */
static bool parse_length(struct span value, int64_t *length)
{
    int64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        int digit = value.ptr[i] - '0';
        if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *length = n;
    return value.len > 0;
}

struct framing { /* how often each came, and what it said last */
    unsigned hosts, lengths, codings;
    struct span host, length, coding;
    bool expects_more; /* than 100-continue */
};

static int check_fields(const struct request_head *head, struct framing *framing,
                        struct request_shape *shape, const char **detail)
{
    for (size_t i = 0; i < head->header_count; i++) {
        struct span name = head->headers[i].name, value = head->headers[i].value;
        if (!is_token(name)) {
            *detail = "a header's name is no token; no space may stand before the colon";
            return 400;
        }
        if (!is_field_value(value)) {
            *detail = "a header's value has a control character";
            return 400;
        }
        if (span_is_nocase(name, "Host")) {
            framing->hosts++;
            framing->host = value;
        } else if (span_is_nocase(name, "Content-Length")) {
            framing->lengths++;
            framing->length = value;
        } else if (span_is_nocase(name, "Transfer-Encoding")) {
            framing->codings++;
            framing->coding = value;
        } else if (span_is_nocase(name, "Expect")) {
            shape->expects_continue = span_is_nocase(value, "100-continue");
            framing->expects_more |= !shape->expects_continue;
        }
    }
    return 0;
}

static int check_framing(const struct framing *framing, bool http_1_0, struct request_shape *shape,
                         const char **detail)
{
    if (framing->hosts > 1 || (framing->hosts == 0 && !http_1_0)) {
        *detail = "there must be exactly one Host header";
        return 400;
    }
    if (framing->hosts == 1 && !is_host(framing->host)) {
        *detail = "the Host header must be a host and a port";
        return 400;
    }
    if (framing->lengths + framing->codings > 1) {
        *detail = "Content-Length and Transfer-Encoding exclude each other, and each may come once";
        return 400;
    }
    if (framing->codings == 1) {
        if (http_1_0) {
            *detail = "HTTP/1.0 has no Transfer-Encoding";
            return 400;
        }
        if (!span_is_nocase(framing->coding, "chunked")) {
            *detail = "the only Transfer-Encoding understood is chunked";
            return 501;
        }
        shape->has_body = true;
    }
    if (framing->lengths == 1) {
        if (!parse_length(framing->length, &shape->content_length)) {
            *detail = "Content-Length must be a whole number";
            return 400;
        }
        shape->has_body = shape->content_length > 0;
    }
    return 0;
}

int request_check(const struct request_head *head, struct request_shape *shape, const char **detail)
{
    *shape = (struct request_shape){.content_length = -1};
    if (!is_token(head->method)) {
        *detail = "the method is no token";
        return 400;
    }
    if (!is_target(head->target)) {
        *detail = "the request target must be a path that starts with a slash, percent-encoded";
        return 400;
    }
    if (head->header_count > REQUEST_HEADERS_LIMIT) {
        *detail = "there are too many headers";
        return 431;
    }
    struct framing framing = {0};
    bool http_1_0 = span_is(head->version, "HTTP/1.0");
    int status = check_fields(head, &framing, shape, detail);
    if (status == 0)
        status = check_framing(&framing, http_1_0, shape, detail);
    if (status == 0 && framing.expects_more && !http_1_0) {
        *detail = "the only expectation understood is 100-continue";
        status = 417;
    }
    return status;
}

int request_path(struct arena *arena, struct span target, struct span *path)
{
    size_t start = authority_end(target);
    struct span raw = {target.ptr + start, target.len - start};
    const char *query = raw.len ? memchr(raw.ptr, '?', raw.len) : NULL;
    if (query)
        raw.len = (size_t)(query - raw.ptr);
    if (raw.len == 0) { /* "http://host" asks for "/" (RFC 9112 section 3.2.1) */
        *path = span_of("/");
        return 0;
    }
    int rc = percent_decode(arena, raw, path);
    if (rc == 0 && memchr(path->ptr, '\0', path->len))
        rc = ERR_INVALID;
    return rc;
}

bool request_path_matches(struct span path, const char *pattern)
{
    size_t len = strlen(pattern);
    if (len >= 2 && pattern[len - 1] == '*' && pattern[len - 2] == '/')
        return path.len >= len - 1 && memcmp(path.ptr, pattern, len - 1) == 0;
    return span_is(path, pattern);
}
