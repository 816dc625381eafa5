/* The plain SHA-256 functions: unlike EVP they neither allocate nor fail, and an
 * identifier that is asked for 100,000 times a second must do neither. OpenSSL 3
 * declares them for those who ask for the interface of 1.1. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "common/event/event_uid.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "common/base/hex.h"

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

void event_uid_text(const struct event_uid *uid, char text[EVENT_UID_TEXT])
{
    const unsigned char *b = uid->bytes;
    snprintf(text, EVENT_UID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

int event_uid_parse(struct span text, struct event_uid *uid)
{
    char digits[32];
    size_t count = 0, len;
    if (text.len != EVENT_UID_TEXT - 1)
        return ERR_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text.ptr[i] == '-'))
            return ERR_INVALID;
        if (!dash)
            digits[count++] = text.ptr[i];
    }
    return hex_decode((struct span){digits, count}, uid->bytes, sizeof uid->bytes, &len);
}
