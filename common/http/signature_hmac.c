/* The configurable scheme: how most systems sign, each in its own spelling. */
#include <stdio.h>

#include "common/http/signature_internal.h"

static const char *const keys[] = {"scheme",           "secret",           "hash",
                                   "encoding",         "header",           "format",
                                   "prefix",           "template",         "timestamp_header",
                                   "id_header",        "timestamp_member", "signature_member",
                                   "timestamp_format", "tolerance",        NULL};

/* --- the template --- */

static const struct {
    const char *text;
    enum piece_kind kind;
} places[] = {{"{timestamp}", PIECE_TIMESTAMP}, {"{body}", PIECE_BODY}, {"{id}", PIECE_ID}};

static bool add_piece(struct signature *signature, enum piece_kind kind, struct span text)
{
    if (signature->piece_count == SIGNATURE_TEMPLATE_PIECES)
        return false;
    struct template_piece *piece = &signature->pieces[signature->piece_count++];
    piece->kind = kind;
    piece->text = text;
    return true;
}

static bool uses(const struct signature *signature, enum piece_kind kind)
{
    for (size_t i = 0; i < signature->piece_count; i++)
        if (signature->pieces[i].kind == kind)
            return true;
    return false;
}

/* The length of the place that `text` starts with; 0: none. */
static size_t place_at(const char *text, enum piece_kind *kind)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t len = strlen(places[i].text);
        if (strncmp(text, places[i].text, len) == 0) {
            *kind = places[i].kind;
            return len;
        }
    }
    return 0;
}

static int parse_template(struct signature *signature, const char *text, struct fault *fault)
{
    bool fits = true;
    while (*text && fits) {
        enum piece_kind kind = PIECE_TEXT;
        size_t len = strcspn(text, "{");
        if (len == 0)
            len = place_at(text, &kind);
        if (len == 0)
            return fault_set(fault, "/template", "has {timestamp}, {body} and {id} for places");
        fits = add_piece(signature, kind, (struct span){text, len});
        text += len;
    }
    if (!fits)
        return fault_set(fault, "/template", "has more than %d parts", SIGNATURE_TEMPLATE_PIECES);
    if (!uses(signature, PIECE_BODY))
        return fault_set(fault, "/template", "must have {body}: what is not signed can be forged");
    return 0;
}

/* --- configuration --- */

static int absent(json_t *config, const char *key, const char *why, struct fault *fault)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s", key);
    return json_object_get(config, key) ? fault_set(fault, pointer, "%s", why) : 0;
}

/* A list tells the timestamp among its members, a plain header has another for it. */
static int configure_list(struct signature *signature, json_t *config, struct fault *fault)
{
    int rc = signature_text(config, "timestamp_member", "t", &signature->timestamp_member, fault);
    if (rc == 0)
        rc = signature_text(config, "signature_member", "v1", &signature->signature_member, fault);
    if (rc == 0)
        rc = absent(config, "prefix", "is for the plain format", fault);
    if (rc == 0)
        rc = absent(config, "timestamp_header", "is for the plain format", fault);
    return rc;
}

static int configure_plain(struct signature *signature, json_t *config, struct fault *fault)
{
    int rc = absent(config, "timestamp_member", "is for the list format", fault);
    if (rc == 0)
        rc = absent(config, "signature_member", "is for the list format", fault);
    signature->prefix = "";
    if (rc == 0 && json_object_get(config, "prefix"))
        rc = signature_text(config, "prefix", NULL, &signature->prefix, fault);
    if (rc == 0 && uses(signature, PIECE_TIMESTAMP))
        rc = signature_text(config, "timestamp_header", NULL, &signature->timestamp_header, fault);
    else if (rc == 0)
        rc = absent(config, "timestamp_header", "has no {timestamp} in the template", fault);
    return rc;
}

static int configure_places(struct signature *signature, json_t *config, struct fault *fault)
{
    const char *template;
    int rc = signature_text(config, "template", "{body}", &template, fault);
    if (rc == 0)
        rc = parse_template(signature, template, fault);
    if (rc == 0)
        rc = signature->list ? configure_list(signature, config, fault)
                             : configure_plain(signature, config, fault);
    if (rc)
        return rc;
    if (uses(signature, PIECE_ID))
        return signature_text(config, "id_header", NULL, &signature->id_header, fault);
    return absent(config, "id_header", "has no {id} in the template", fault);
}

static int configure_age(struct signature *signature, json_t *config, struct fault *fault)
{
    static const char *const formats[] = {"unix_s", "unix_ms", "rfc3339", NULL};
    int format;
    int rc = signature_choice(config, "timestamp_format", formats, &format, fault);
    if (rc == 0)
        rc = signature_tolerance(signature, config, NULL, fault);
    if (rc)
        return rc;
    signature->timestamp_format = (enum timestamp_format)format;
    if (signature->tolerance_us >= 0 && !uses(signature, PIECE_TIMESTAMP))
        return fault_set(
            fault, "/tolerance",
            "needs {timestamp} in the template: one that is not signed proves nothing");
    return 0;
}

static int configure(struct signature *signature, json_t *config, struct fault *fault)
{
    static const char *const hashes[] = {"sha256", "sha1", NULL};
    static const char *const encodings[] = {"hex", "base64", NULL};
    static const char *const formats[] = {"plain", "list", NULL};
    int hash, encoding, format;
    int rc = signature_secret(signature, config, fault);
    if (rc == 0)
        rc = signature_choice(config, "hash", hashes, &hash, fault);
    if (rc == 0)
        rc = signature_choice(config, "encoding", encodings, &encoding, fault);
    if (rc == 0)
        rc = signature_choice(config, "format", formats, &format, fault);
    if (rc == 0)
        rc = signature_text(config, "header", NULL, &signature->header, fault);
    if (rc)
        return rc;
    signature->hash = hash == 1 ? SIGNATURE_SHA1 : SIGNATURE_SHA256;
    signature->base64 = encoding == 1;
    signature->list = format == 1;
    rc = configure_places(signature, config, fault);
    return rc ? rc : configure_age(signature, config, fault);
}

/* --- verification --- */

/* What a request says: the values of the template's places. */
struct claim {
    struct span header, timestamp, id, body;
};

static struct span trim(struct span text)
{
    while (text.len && strchr(" \t", text.ptr[0]))
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len && strchr(" \t", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* The next "name=value" of a list; false at its end. Others are skipped. */
static bool next_member(struct span *list, struct span *name, struct span *value)
{
    while (list->len) {
        const char *comma = memchr(list->ptr, ',', list->len);
        struct span member = {list->ptr, comma ? (size_t)(comma - list->ptr) : list->len};
        size_t taken = member.len + (comma ? 1 : 0);
        *list = (struct span){list->ptr + taken, list->len - taken};
        member = trim(member);
        const char *equals = member.len ? memchr(member.ptr, '=', member.len) : NULL;
        if (!equals)
            continue;
        *name = (struct span){member.ptr, (size_t)(equals - member.ptr)};
        *value = (struct span){equals + 1, member.len - name->len - 1};
        return true;
    }
    return false;
}

static int list_timestamp(const struct signature *signature, struct claim *claim,
                          struct fault *fault)
{
    struct span list = claim->header, name, value;
    while (next_member(&list, &name, &value)) {
        if (!span_is(name, signature->timestamp_member))
            continue;
        if (claim->timestamp.ptr)
            return fault_set(fault, "", "the header %s has two timestamps", signature->header);
        claim->timestamp = value;
    }
    if (!claim->timestamp.ptr)
        return fault_set(fault, "", "the header %s has no timestamp", signature->header);
    return 0;
}

static int read_claim(const struct signature *signature, const struct signed_message *message,
                      struct claim *claim, struct fault *fault)
{
    *claim = (struct claim){.body = message->body};
    int rc = signature_header(message, signature->header, &claim->header, fault);
    if (rc == 0 && uses(signature, PIECE_ID))
        rc = signature_header(message, signature->id_header, &claim->id, fault);
    if (rc || !uses(signature, PIECE_TIMESTAMP))
        return rc;
    return signature->list
               ? list_timestamp(signature, claim, fault)
               : signature_header(message, signature->timestamp_header, &claim->timestamp, fault);
}

static struct span piece_value(const struct template_piece *piece, const struct claim *claim)
{
    switch (piece->kind) {
    case PIECE_TIMESTAMP:
        return claim->timestamp;
    case PIECE_BODY:
        return claim->body;
    case PIECE_ID:
        return claim->id;
    case PIECE_TEXT:
        break;
    }
    return piece->text;
}

/* Any one of a list's signatures may match: senders sign with the old and the new secret. */
static bool list_matches(const struct signature *signature, struct span list,
                         const unsigned char *mac, size_t len)
{
    struct span name, value;
    while (next_member(&list, &name, &value))
        if (span_is(name, signature->signature_member) &&
            signature_matches(value, signature->base64, mac, len))
            return true;
    return false;
}

static bool plain_matches(const struct signature *signature, struct span header,
                          const unsigned char *mac, size_t len)
{
    size_t skip = strlen(signature->prefix);
    if (!span_starts_with(header, signature->prefix))
        return false;
    struct span text = {header.ptr + skip, header.len - skip};
    return signature_matches(text, signature->base64, mac, len);
}

static int verify(const struct signature *signature, const struct signed_message *message,
                  int64_t now_us, struct fault *fault)
{
    struct claim claim;
    int rc = read_claim(signature, message, &claim, fault);
    if (rc)
        return rc;
    struct span parts[SIGNATURE_TEMPLATE_PIECES];
    for (size_t i = 0; i < signature->piece_count; i++)
        parts[i] = piece_value(&signature->pieces[i], &claim);
    unsigned char mac[SIGNATURE_MAC_SIZE];
    size_t len;
    struct span key = {(const char *)signature->key, signature->key_len};
    rc = signature_hmac(signature->hash, key, parts, signature->piece_count, mac, &len);
    if (rc)
        return rc;
    bool ok = signature->list ? list_matches(signature, claim.header, mac, len)
                              : plain_matches(signature, claim.header, mac, len);
    if (!ok)
        return fault_set(fault, "", "the signature in %s does not match", signature->header);
    return signature_fresh(signature, claim.timestamp, now_us, fault);
}

const struct scheme scheme_hmac = {"hmac", keys, configure, verify};
