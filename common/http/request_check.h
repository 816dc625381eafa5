/*
 * What a request's head must look like before a byte of its body is read
 * (RFC 9112): the rules on which servers and proxies must not disagree, since
 * that is how requests are smuggled. Pure functions; any thread.
 */
#ifndef COMMON_HTTP_REQUEST_CHECK_H
#define COMMON_HTTP_REQUEST_CHECK_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/kafka/record.h"

/* Most header lines a request may have. */
#define REQUEST_HEADERS_LIMIT 100

struct request_head {
    struct span method, target, version;
    const struct record_header *headers;
    size_t header_count;
};

struct request_shape {
    bool has_body;
    int64_t content_length; /* -1: not declared */
    bool expects_continue;
};

/* 0, or the status to refuse with, `detail` saying why. After a refusal the
 * connection must be closed: nobody knows where the next request begins. */
int request_check(const struct request_head *head, struct request_shape *shape,
                  const char **detail) CHECKED;

/* The path of a target in origin or absolute form (RFC 9112 section 3.2),
 * percent-decoded once, without the query. ERR_INVALID for bad escapes and for %00. */
int request_path(struct arena *arena, struct span target, struct span *path) CHECKED;

/* `pattern` is a path, or a prefix that ends in a slash and a star. */
bool request_path_matches(struct span path, const char *pattern);

#endif
