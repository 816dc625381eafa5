/*
 * Who asks, where proxies stand in between: a proxy appends to X-Forwarded-For whom it had the
 * request from, and tells in X-Forwarded-Proto how. Anybody may send these headers, so they are
 * believed only of addresses that the operator trusts, and of each hop only as far as the one that
 * told of it is trusted: from the right, the first that is not is the client. What stands further
 * left is what that client says of itself, and counts for nothing. `Forwarded` (RFC 7239) and other
 * headers are not looked at.
 *
 * Pure functions over what they are given; any thread.
 */
#ifndef COMMON_HTTP_FORWARDED_H
#define COMMON_HTTP_FORWARDED_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/fault.h"
#include "common/kafka/record.h"

#define FORWARDED_NETWORKS 64 /* most that may be trusted */
#define FORWARDED_HOPS     32 /* most that are followed: the client is then the last of these */

struct forwarded_network {
    struct in6_addr address; /* IPv4 mapped, as all addresses here */
    unsigned bits;           /* 0 to 128 */
};

struct forwarded_trust {
    struct forwarded_network networks[FORWARDED_NETWORKS];
    size_t count;
};

struct forwarded_client {
    struct in6_addr address;
    bool https;
};

/* "10.1.0.0/16, 192.0.2.7, fd00::/8": addresses and networks, separated by commas or spaces; NULL:
 * nobody. ERR_INVALID, which says what is wrong, with pointer "". */
int forwarded_trust_parse(const char *text, struct forwarded_trust *trust,
                          struct fault *fault) CHECKED;

bool forwarded_trusts(const struct forwarded_trust *trust, const struct in6_addr *address);

/* The client of a request that `peer` has sent over a connection that is, or is not, TLS. What is
 * malformed ends the way to the left: the client is then the trusted proxy that sent it on. */
void forwarded_resolve(const struct forwarded_trust *trust, const struct in6_addr *peer, bool https,
                       const struct record_header *headers, size_t count,
                       struct forwarded_client *client);

/* "192.0.2.7", "2001:db8::7", "192.0.2.7:4711", "[2001:db8::7]:4711"; nothing around it.
 * ERR_INVALID. */
int forwarded_address(struct span text, struct in6_addr *address) CHECKED;

#endif
