#include "common/http/signature_internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/base/duration.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/event/event_time.h"

static const struct scheme *const schemes[] = {&scheme_hmac, &scheme_hubspot, &scheme_standard,
                                               &scheme_basic, &scheme_none};

/* --- the primitive --- */

/* Looked up once: a fetch costs more than a short HMAC. NULL until it has worked. */
static _Atomic(EVP_MAC *) hmac;

static EVP_MAC *fetch_hmac(void)
{
    EVP_MAC *first = atomic_load(&hmac);
    if (first)
        return first;
    EVP_MAC *fetched = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!fetched || atomic_compare_exchange_strong(&hmac, &first, fetched))
        return fetched;
    EVP_MAC_free(fetched); /* another thread came first */
    return first;
}

static bool compute(EVP_MAC_CTX *context, const char *digest, struct span key,
                    const struct span *parts, size_t part_count, unsigned char *mac, size_t *len)
{
    char name[8];
    memcpy(name, digest, strlen(digest) + 1); /* OpenSSL wants it writable */
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(context, (const unsigned char *)key.ptr, key.len, params) != 1)
        return false;
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].len &&
            EVP_MAC_update(context, (const unsigned char *)parts[i].ptr, parts[i].len) != 1)
            return false;
    return EVP_MAC_final(context, mac, len, SIGNATURE_MAC_SIZE) == 1;
}

int signature_hmac(enum signature_hash hash, struct span key, const struct span *parts,
                   size_t part_count, unsigned char mac[SIGNATURE_MAC_SIZE], size_t *len)
{
    EVP_MAC *fetched = fetch_hmac();
    EVP_MAC_CTX *context = fetched ? EVP_MAC_CTX_new(fetched) : NULL;
    bool done = context && compute(context, hash == SIGNATURE_SHA1 ? "SHA1" : "SHA256", key, parts,
                                   part_count, mac, len);
    EVP_MAC_CTX_free(context);
    if (done)
        return 0;
    log_error("libcrypto cannot compute an HMAC");
    return ERR_MEMORY;
}

/* --- what the schemes read from their configuration --- */

static void pointer_to(char pointer[64], const char *key)
{
    snprintf(pointer, 64, "/%s", key);
}

int signature_text(json_t *config, const char *key, const char *fallback, const char **out,
                   struct fault *fault)
{
    char pointer[64];
    pointer_to(pointer, key);
    json_t *value = json_object_get(config, key);
    *out = value ? json_string_value(value) : fallback;
    if (!value && !fallback)
        return fault_set(fault, pointer, "is missing");
    if (!*out)
        return fault_set(fault, pointer, "must be a string");
    if (value && !**out)
        return fault_set(fault, pointer, "must not be empty");
    return 0;
}

int signature_choice(json_t *config, const char *key, const char *const *names, int *out,
                     struct fault *fault)
{
    const char *text;
    int rc = signature_text(config, key, names[0], &text, fault);
    if (rc)
        return rc;
    for (*out = 0; names[*out]; ++*out)
        if (strcmp(names[*out], text) == 0)
            return 0;
    char pointer[64];
    pointer_to(pointer, key);
    return fault_set(fault, pointer, "\"%s\" is not known here", text);
}

int signature_secret(struct signature *signature, json_t *config, struct fault *fault)
{
    const char *secret;
    int rc = signature_text(config, "secret", NULL, &secret, fault);
    if (rc)
        return rc;
    signature->key_len = strlen(secret);
    if (signature->key_len > sizeof signature->key)
        return fault_set(fault, "/secret", "is longer than %zu bytes", sizeof signature->key);
    memcpy(signature->key, secret, signature->key_len);
    return 0;
}

int signature_tolerance(struct signature *signature, json_t *config, const char *fallback,
                        struct fault *fault)
{
    signature->tolerance_us = -1;
    if (!fallback && !json_object_get(config, "tolerance"))
        return 0;
    const char *text;
    int rc = signature_text(config, "tolerance", fallback, &text, fault);
    if (rc)
        return rc;
    int64_t ms;
    if (duration_parse(text, &ms))
        return fault_set(fault, "/tolerance", "must be a duration like \"300s\"");
    signature->tolerance_us = ms * 1000;
    return 0;
}

static int make(const struct scheme *scheme, json_t *config, struct signature **out,
                struct fault *fault)
{
    struct signature *signature = calloc(1, sizeof *signature);
    if (!signature || !(signature->config = json_deep_copy(config))) {
        free(signature);
        return ERR_MEMORY;
    }
    signature->scheme = scheme;
    int rc = scheme->configure(signature, signature->config, fault);
    if (rc) {
        signature_free(signature);
        return rc;
    }
    *out = signature;
    return 0;
}

/* One for each line of the secret, the first one's first. */
static int make_each(const struct scheme *scheme, json_t *config, const char *key,
                     struct signature **out, struct fault *fault)
{
    json_t *one = json_deep_copy(config);
    struct span rest = {json_string_value(json_object_get(config, key)),
                        json_string_length(json_object_get(config, key))};
    struct signature *first = NULL, **last = &first;
    size_t count = 0;
    int rc = one ? 0 : ERR_MEMORY;
    for (struct span line; rc == 0 && span_next_line(&rest, &line); last = &(*last)->older) {
        char pointer[64];
        pointer_to(pointer, key);
        if (++count > SIGNATURE_SECRETS)
            rc = fault_set(fault, pointer, "has more than %d lines", SIGNATURE_SECRETS);
        else if (json_object_set_new(one, key, json_stringn(line.ptr, line.len)))
            rc = ERR_MEMORY;
        else
            rc = make(scheme, one, last, fault);
        if (rc)
            break;
    }
    json_decref(one);
    if (rc)
        signature_free(first);
    else
        *out = first;
    return rc;
}

int signature_new(json_t *config, struct signature **out, struct fault *fault)
{
    const char *name;
    if (!json_is_object(config))
        return fault_set(fault, "", "must be an object with a \"scheme\"");
    int rc = signature_text(config, "scheme", NULL, &name, fault);
    if (rc)
        return rc;
    const struct scheme *scheme = NULL;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strcmp(schemes[i]->name, name) == 0)
            scheme = schemes[i];
    if (!scheme)
        return fault_set(fault, "/scheme",
                         "must be hmac, hubspot-v3, standard-webhooks, basic or none");
    rc = config_only_keys(config, "", scheme->keys, fault);
    if (rc)
        return rc;
    const char *key = scheme == &scheme_basic ? "password" : "secret";
    const char *secret = json_string_value(json_object_get(config, key));
    bool several = secret && strpbrk(secret, "\r\n") && secret[strspn(secret, "\r\n")];
    return several ? make_each(scheme, config, key, out, fault) : make(scheme, config, out, fault);
}

void signature_free(struct signature *signature)
{
    if (!signature)
        return;
    signature_free(signature->older); /* SIGNATURE_SECRETS deep at most */
    json_decref(signature->config);
    OPENSSL_cleanse(signature->key, sizeof signature->key);
    free(signature);
}

bool signature_checks_nothing(const struct signature *signature)
{
    return signature->scheme == &scheme_none;
}

const char *signature_challenge(const struct signature *signature)
{
    return signature->scheme == &scheme_basic ? "Basic realm=\"webhooks\"" : "Signature";
}

/* --- what the schemes read from a request --- */

int signature_verify(const struct signature *signature, const struct signed_message *message,
                     int64_t now_us, struct fault *fault)
{
    int rc = signature->scheme->verify(signature, message, now_us, fault);
    /* Why the newest secret does not fit is what is told. */
    for (const struct signature *older = signature->older; older && rc == ERR_INVALID;
         older = older->older) {
        int again = older->scheme->verify(older, message, now_us, NULL);
        rc = again == ERR_INVALID ? rc : again;
    }
    return rc;
}

int signature_header(const struct signed_message *message, const char *name, struct span *value,
                     struct fault *fault)
{
    *value = (struct span){NULL, 0};
    for (size_t i = 0; i < message->header_count; i++) {
        if (!span_is_nocase(message->headers[i].name, name))
            continue;
        if (value->ptr)
            return fault_set(fault, "", "the header %s came more than once", name);
        *value = message->headers[i].value;
    }
    if (!value->ptr || value->len == 0)
        return fault_set(fault, "", "the header %s is missing", name);
    return 0;
}

/* Digits alone, few enough not to overflow when scaled. */
static bool parse_unix(struct span text, int64_t scale, int64_t *us)
{
    int64_t n = 0;
    if (text.len == 0 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    if (n > INT64_MAX / 4 / scale)
        return false;
    *us = n * scale;
    return true;
}

int signature_fresh(const struct signature *signature, struct span timestamp, int64_t now_us,
                    struct fault *fault)
{
    if (signature->tolerance_us < 0)
        return 0;
    int64_t us;
    bool read =
        signature->timestamp_format == TIMESTAMP_RFC3339
            ? event_time_parse(timestamp, &us) == 0
            : parse_unix(timestamp,
                         signature->timestamp_format == TIMESTAMP_UNIX_S ? 1000000 : 1000, &us);
    if (!read)
        return fault_set(fault, "", "the timestamp cannot be read");
    if (us < now_us - signature->tolerance_us)
        return fault_set(fault, "", "the timestamp is too old");
    if (us > now_us + signature->tolerance_us)
        return fault_set(fault, "", "the timestamp lies in the future");
    return 0;
}

bool signature_matches(struct span text, bool base64, const unsigned char *mac, size_t len)
{
    unsigned char given[SIGNATURE_MAC_SIZE];
    size_t given_len;
    int rc = base64 ? base64_decode(text, given, sizeof given, &given_len)
                    : hex_decode(text, given, sizeof given, &given_len);
    return rc == 0 && given_len == len && CRYPTO_memcmp(given, mac, len) == 0;
}
