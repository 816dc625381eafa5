/* The schemes that are no plain HMAC over a template. */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/hex.h"
#include "common/http/signature_internal.h"

#define DEFAULT_TOLERANCE "300s"

/* --- hubspot-v3: method + URI + body + timestamp, base64 --- */

#define HUBSPOT_URI_LIMIT (64 * 1024)

static int configure_hubspot(struct signature *signature, json_t *config, struct fault *fault)
{
    int rc = signature_secret(signature, config, fault);
    if (rc == 0)
        rc = signature_text(config, "uri", NULL, &signature->uri, fault);
    if (rc == 0)
        rc = signature_tolerance(signature, config, DEFAULT_TOLERANCE, fault);
    if (rc)
        return rc;
    if (strncmp(signature->uri, "https://", 8) != 0 && strncmp(signature->uri, "http://", 7) != 0)
        return fault_set(fault, "/uri",
                         "must be the public address, https://…, that HubSpot calls");
    signature->timestamp_format = TIMESTAMP_UNIX_MS;
    return 0;
}

/* HubSpot signs the URI with these, and only these, decoded. 0: leave it as it is. */
static char hubspot_decoded(const char *escape)
{
    static const struct {
        char digits[3], plain;
    } table[] = {{"3A", ':'},  {"2F", '/'}, {"3F", '?'}, {"40", '@'}, {"21", '!'}, {"24", '$'},
                 {"27", '\''}, {"28", '('}, {"29", ')'}, {"2A", '*'}, {"2C", ','}, {"3B", ';'}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (span_is_nocase((struct span){escape, 2}, table[i].digits))
            return table[i].plain;
    return 0;
}

static void append_hubspot_decoded(struct buffer *out, struct span uri)
{
    for (size_t i = 0; i < uri.len; i++) {
        char plain = uri.ptr[i] == '%' && uri.len - i >= 3 ? hubspot_decoded(uri.ptr + i + 1) : 0;
        buffer_append_char(out, plain ? plain : uri.ptr[i]);
        if (plain)
            i += 2;
    }
}

static void append_hubspot_uri(struct buffer *out, const char *uri, struct span target)
{
    append_hubspot_decoded(out, span_of(uri));
    const char *query = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    if (query && !strchr(uri, '?'))
        append_hubspot_decoded(out,
                               (struct span){query, target.len - (size_t)(query - target.ptr)});
}

static int verify_hubspot(const struct signature *signature, const struct signed_message *message,
                          int64_t now_us, struct fault *fault)
{
    static const char header[] = "X-HubSpot-Signature-v3";
    struct span given, timestamp;
    int rc = signature_header(message, header, &given, fault);
    if (rc == 0)
        rc = signature_header(message, "X-HubSpot-Request-Timestamp", &timestamp, fault);
    if (rc)
        return rc;
    struct buffer uri;
    buffer_init(&uri, HUBSPOT_URI_LIMIT);
    append_hubspot_uri(&uri, signature->uri, message->target);
    struct span parts[] = {message->method, buffer_span(&uri), message->body, timestamp};
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    rc = uri.failed
             ? ERR_MEMORY
             : signature_hmac(SIGNATURE_SHA256,
                              (struct span){(const char *)signature->key, signature->key_len},
                              parts, 4, mac, &len);
    buffer_free(&uri);
    if (rc)
        return rc;
    if (!signature_matches(given, true, mac, len))
        return fault_set(fault, "", "the signature in %s does not match", header);
    return signature_fresh(signature, timestamp, now_us, fault);
}

static const char *const hubspot_keys[] = {"scheme", "secret", "uri", "tolerance", NULL};
const struct scheme scheme_hubspot = {"hubspot-v3", hubspot_keys, configure_hubspot,
                                      verify_hubspot};

/* --- standard-webhooks: id.timestamp.body, base64, several signatures --- */

int signature_standard_key(struct span secret, unsigned char key[SIGNATURE_SECRET_LIMIT],
                           size_t *len)
{
    static const char prefix[] = "whsec_";
    struct span text = secret;
    if (span_starts_with(text, prefix))
        text = (struct span){text.ptr + sizeof prefix - 1, text.len - (sizeof prefix - 1)};
    int rc = base64_decode(text, key, SIGNATURE_SECRET_LIMIT, len);
    return rc ? rc : *len > 0 ? 0 : ERR_INVALID;
}

static int configure_standard(struct signature *signature, json_t *config, struct fault *fault)
{
    const char *secret;
    int rc = signature_text(config, "secret", NULL, &secret, fault);
    if (rc)
        return rc;
    if (signature_standard_key(span_of(secret), signature->key, &signature->key_len))
        return fault_set(fault, "/secret", "must be base64 after whsec_");
    signature->timestamp_format = TIMESTAMP_UNIX_S;
    return signature_tolerance(signature, config, DEFAULT_TOLERANCE, fault);
}

static int standard_mac(struct span key, struct span id, struct span timestamp, struct span body,
                        unsigned char mac[SIGNATURE_MAC_SIZE], size_t *len)
{
    struct span parts[] = {id, span_of("."), timestamp, span_of("."), body};
    return signature_hmac(SIGNATURE_SHA256, key, parts, 5, mac, len);
}

/* "v1,… v1,… v1a,…": any v1 may match; other versions are other schemes. */
static bool standard_matches(struct span list, const unsigned char *mac, size_t len)
{
    while (list.len) {
        const char *space = memchr(list.ptr, ' ', list.len);
        struct span entry = {list.ptr, space ? (size_t)(space - list.ptr) : list.len};
        size_t taken = entry.len + (space ? 1 : 0);
        list = (struct span){list.ptr + taken, list.len - taken};
        if (span_starts_with(entry, "v1,") &&
            signature_matches((struct span){entry.ptr + 3, entry.len - 3}, true, mac, len))
            return true;
    }
    return false;
}

static int verify_standard(const struct signature *signature, const struct signed_message *message,
                           int64_t now_us, struct fault *fault)
{
    struct span id, timestamp, given;
    int rc = signature_header(message, "webhook-id", &id, fault);
    if (rc == 0)
        rc = signature_header(message, "webhook-timestamp", &timestamp, fault);
    if (rc == 0)
        rc = signature_header(message, "webhook-signature", &given, fault);
    if (rc)
        return rc;
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    rc = standard_mac((struct span){(const char *)signature->key, signature->key_len}, id,
                      timestamp, message->body, mac, &len);
    if (rc)
        return rc;
    if (!standard_matches(given, mac, len))
        return fault_set(fault, "", "no signature in webhook-signature matches");
    return signature_fresh(signature, timestamp, now_us, fault);
}

#define PROOF_LEN (sizeof "v1," - 1 + 44) /* of 32 bytes in base64 */

/* Appends "v1,…", after a blank where others came before. */
static int append_proof(struct buffer *out, struct span secret, struct span id,
                        struct span timestamp, struct span body)
{
    unsigned char key[SIGNATURE_SECRET_LIMIT], mac[SIGNATURE_MAC_SIZE];
    size_t key_len, len;
    int rc = signature_standard_key(secret, key, &key_len);
    if (rc == 0)
        rc =
            standard_mac((struct span){(const char *)key, key_len}, id, timestamp, body, mac, &len);
    OPENSSL_cleanse(key, sizeof key);
    if (rc)
        return rc;
    buffer_append_text(out, out->len > 0 ? " v1," : "v1,");
    base64_append(out, (struct span){(const char *)mac, len});
    return out->failed ? ERR_MEMORY : 0;
}

int signature_standard_webhook(const char *secret, struct span id, int64_t timestamp_s,
                               struct span body, char *out, size_t out_size)
{
    char timestamp[24];
    struct span rest = span_of(secret), line;
    struct buffer text;
    int rc = span_next_line(&rest, &line) ? 0 : ERR_INVALID;
    snprintf(timestamp, sizeof timestamp, "%" PRId64, timestamp_s);
    buffer_init(&text, out_size);
    while (rc == 0 && line.len > 0) {
        rc = text.len + (text.len > 0) + PROOF_LEN >= out_size
                 ? ERR_LIMIT
                 : append_proof(&text, line, id, span_of(timestamp), body);
        span_next_line(&rest, &line);
    }
    if (rc == 0)
        snprintf(out, out_size, "%s", text.data);
    buffer_free(&text);
    return rc;
}

static const char *const standard_keys[] = {"scheme", "secret", "tolerance", NULL};
const struct scheme scheme_standard = {"standard-webhooks", standard_keys, configure_standard,
                                       verify_standard};

/* --- basic: RFC 7617 --- */

static int configure_basic(struct signature *signature, json_t *config, struct fault *fault)
{
    const char *user, *password;
    int rc = signature_text(config, "user", NULL, &user, fault);
    if (rc == 0)
        rc = signature_text(config, "password", NULL, &password, fault);
    if (rc)
        return rc;
    if (strchr(user, ':'))
        return fault_set(fault, "/user", "must not have a colon (RFC 7617)");
    size_t user_len = strlen(user), password_len = strlen(password);
    if (user_len + 1 + password_len > sizeof signature->key)
        return fault_set(fault, "", "user and password are longer than %zu bytes",
                         sizeof signature->key - 1);
    memcpy(signature->key, user, user_len);
    signature->key[user_len] = ':';
    memcpy(signature->key + user_len + 1, password, password_len);
    signature->key_len = user_len + 1 + password_len;
    return 0;
}

static int verify_basic(const struct signature *signature, const struct signed_message *message,
                        int64_t now_us, struct fault *fault)
{
    (void)now_us;
    static const char scheme[] = "Basic ";
    const size_t skip = sizeof scheme - 1;
    struct span value;
    int rc = signature_header(message, "Authorization", &value, fault);
    if (rc)
        return rc;
    if (value.len < skip || !span_is_nocase((struct span){value.ptr, skip}, scheme))
        return fault_set(fault, "", "the Authorization is not Basic");
    unsigned char given[SIGNATURE_SECRET_LIMIT];
    size_t len;
    rc =
        base64_decode((struct span){value.ptr + skip, value.len - skip}, given, sizeof given, &len);
    if (rc || len != signature->key_len || CRYPTO_memcmp(given, signature->key, len) != 0)
        return fault_set(fault, "", "user or password is wrong");
    return 0;
}

static const char *const basic_keys[] = {"scheme", "user", "password", NULL};
const struct scheme scheme_basic = {"basic", basic_keys, configure_basic, verify_basic};

/* --- none --- */

static int configure_none(struct signature *signature, json_t *config, struct fault *fault)
{
    (void)signature, (void)config, (void)fault;
    return 0;
}

static int verify_none(const struct signature *signature, const struct signed_message *message,
                       int64_t now_us, struct fault *fault)
{
    (void)signature, (void)message, (void)now_us, (void)fault;
    return 0;
}

static const char *const none_keys[] = {"scheme", NULL};
const struct scheme scheme_none = {"none", none_keys, configure_none, verify_none};
