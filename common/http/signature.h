/*
 * Webhook signatures, as a table of schemes:
 *
 *   hmac               configurable: hash, encoding, header, prefix, template, timestamp, tolerance
 *   hubspot-v3         method + public URI + body + timestamp
 *   standard-webhooks  id.timestamp.body, secret base64 after whsec_
 *   basic              HTTP Basic (RFC 7617), user:password
 *   none               nothing is checked
 *
 * Pure functions over bytes; no I/O, any thread. Compared in constant time.
 */
#ifndef COMMON_HTTP_SIGNATURE_H
#define COMMON_HTTP_SIGNATURE_H

#include <jansson.h>

#include "common/base/fault.h"
#include "common/kafka/record.h"

#define SIGNATURE_SECRETS 4

struct signature; /* one source's scheme, with its secret; read-only */

struct signed_message {
    struct span method;
    struct span target; /* path and query as sent */
    struct span body;
    const struct record_header *headers;
    size_t header_count;
};

/* `config` is a source's "signature" object, its strings expanded already. It
 * is copied. Secrets are text and taken byte for byte, but for standard-webhooks. Several, at most
 * SIGNATURE_SECRETS, stand in a line each, while senders go over from one to another: each counts.
 * Likewise passwords of one user.
 *
 *   {"scheme": "hmac", "secret": "…", "header": "X-Signature",
 *    "hash": "sha256|sha1", "encoding": "hex|base64",
 *    "template": "{timestamp}.{body}",     what is signed; places: {timestamp} {body} {id}
 *    "format": "plain",                    the header is prefix + signature
 *      "prefix": "sha256=",
 *      "timestamp_header": "…",
 *    or "format": "list",                  the header is t=…,v1=…,v1=…
 *      "timestamp_member": "t",
 *      "signature_member": "v1",
 *    "id_header": "…",
 *    "timestamp_format": "unix_s|unix_ms|rfc3339",
 *    "tolerance": "300s"}                  absent: the timestamp's age is not judged
 *
 *   {"scheme": "hubspot-v3", "secret": "…", "tolerance": "300s",
 *    "uri": "https://public.example/webhooks/hubspot"}
 *   {"scheme": "standard-webhooks", "secret": "whsec_…", "tolerance": "300s"}
 *   {"scheme": "basic", "user": "…", "password": "…"}
 *   {"scheme": "none"}
 *
 * Fault pointers are relative to `config`. */
int signature_new(json_t *config, struct signature **out, struct fault *fault) CHECKED;
void signature_free(struct signature *signature);

/* The scheme is "none": whoever sends is not known by it. */
bool signature_checks_nothing(const struct signature *signature);

/* What a 401 says in WWW-Authenticate (RFC 9110 section 11.6.1). Only Basic is one that
 * clients act on; the others have no registered name. */
const char *signature_challenge(const struct signature *signature);

/* A header that proves something must come once: doubled, it is refused. The
 * timestamp may lie `tolerance` before or after `now_us`.
 * ERR_INVALID with a reason for the log and the 401 (never the expected value). */
int signature_verify(const struct signature *signature, const struct signed_message *message,
                     int64_t now_us, struct fault *fault) CHECKED;

enum signature_hash { SIGNATURE_SHA256, SIGNATURE_SHA1 };

#define SIGNATURE_MAC_SIZE 32

/* HMAC (RFC 2104) over the parts, one after the other; `len` is 32 or 20. */
int signature_hmac(enum signature_hash hash, struct span key, const struct span *parts,
                   size_t part_count, unsigned char mac[SIGNATURE_MAC_SIZE], size_t *len) CHECKED;

/* Signs by the Standard Webhooks scheme: "v1,…" into `out`, and with several secrets, in a line
 * each, "v1,… v1,…": 50 bytes for each do. */
int signature_standard_webhook(const char *secret, struct span id, int64_t timestamp_s,
                               struct span body, char *out, size_t out_size) CHECKED;

#endif
