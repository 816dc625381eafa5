/* What the files of the signature schemes share. */
#ifndef COMMON_HTTP_SIGNATURE_INTERNAL_H
#define COMMON_HTTP_SIGNATURE_INTERNAL_H

#include "common/http/signature.h"

#define SIGNATURE_SECRET_LIMIT    1024
#define SIGNATURE_TEMPLATE_PIECES 16

struct scheme {
    const char *name;
    const char *const *keys; /* the members a configuration may have; ends with NULL */
    int (*configure)(struct signature *signature, json_t *config, struct fault *fault);
    int (*verify)(const struct signature *signature, const struct signed_message *message,
                  int64_t now_us, struct fault *fault);
};

extern const struct scheme scheme_hmac, scheme_hubspot, scheme_standard, scheme_basic, scheme_none;

enum timestamp_format { TIMESTAMP_UNIX_S, TIMESTAMP_UNIX_MS, TIMESTAMP_RFC3339 };

enum piece_kind { PIECE_TEXT, PIECE_TIMESTAMP, PIECE_BODY, PIECE_ID };

struct template_piece {
    enum piece_kind kind;
    struct span text;
};

struct signature {
    const struct scheme *scheme;
    json_t *config; /* our copy; the texts below are its */
    unsigned char key[SIGNATURE_SECRET_LIMIT];
    size_t key_len;
    enum timestamp_format timestamp_format;
    int64_t tolerance_us; /* -1: not judged */

    /* hmac */
    enum signature_hash hash;
    bool base64, list;
    const char *header, *prefix, *timestamp_header, *id_header;
    const char *timestamp_member, *signature_member;
    struct template_piece pieces[SIGNATURE_TEMPLATE_PIECES];
    size_t piece_count;

    const char *uri; /* hubspot-v3 */

    struct signature *older; /* the same with the secret's next line; NULL: there is none */
};

/* A member's text, `fallback` where there is none; ERR_INVALID for another type
 * or an empty text. `fallback` NULL: it must be there. */
int signature_text(json_t *config, const char *key, const char *fallback, const char **out,
                   struct fault *fault) CHECKED;

/* A member's text as its place among `names` (ends with NULL); the first is the default. */
int signature_choice(json_t *config, const char *key, const char *const *names, int *out,
                     struct fault *fault) CHECKED;

/* "secret", byte for byte. */
int signature_secret(struct signature *signature, json_t *config, struct fault *fault) CHECKED;

/* "tolerance"; `fallback` NULL: not judged unless set. */
int signature_tolerance(struct signature *signature, json_t *config, const char *fallback,
                        struct fault *fault) CHECKED;

/* The value of a header that must be there, and once. */
int signature_header(const struct signed_message *message, const char *name, struct span *value,
                     struct fault *fault) CHECKED;

/* Within the tolerance, both ways? Reads the timestamp only where it is judged. */
int signature_fresh(const struct signature *signature, struct span timestamp, int64_t now_us,
                    struct fault *fault) CHECKED;

/* Does the text, hex or base64, stand for exactly these bytes? In constant time. */
bool signature_matches(struct span text, bool base64, const unsigned char *mac, size_t len);

/* The key after "whsec_", decoded. */
int signature_standard_key(struct span secret, unsigned char key[SIGNATURE_SECRET_LIMIT],
                           size_t *len) CHECKED;

#endif
