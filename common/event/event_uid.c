/* The plain SHA-256 functions: unlike EVP they neither allocate nor fail, and an
 * identifier that is asked for 100,000 times a second must do neither. OpenSSL 3
 * declares them for those who ask for the interface of 1.1. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "common/event/event_uid.h"

#include <openssl/sha.h>

static void add(SHA256_CTX *hash, struct span s)
{
    unsigned char length[4] = {(unsigned char)(s.len >> 24), (unsigned char)(s.len >> 16),
                               (unsigned char)(s.len >> 8), (unsigned char)s.len};
    SHA256_Update(hash, length, sizeof length);
    SHA256_Update(hash, s.ptr, s.len);
}

struct event_uid event_uid_of_parts(const struct span *parts, size_t count)
{
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (size_t i = 0; i < count; i++)
        add(&hash, parts[i]);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, &hash);
    struct event_uid uid;
    memcpy(uid.bytes, digest, sizeof uid.bytes);
    return uid;
}

struct event_uid event_uid_of(struct span source, struct span id)
{
    return event_uid_of_parts((const struct span[]){source, id}, 2);
}
