/*
 * Each handshake is given copies that GnuTLS frees by itself: so a certificate may be exchanged at
 * any moment, and nobody has to know who still uses the old one. Copying takes a small part of the
 * time that signing does.
 */
#include "common/http/http_server_tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/metrics.h"

#define FILE_LIMIT  ((size_t)256 * 1024)
#define CHAIN_LIMIT 16

struct pair {
    gnutls_x509_crt_t chain[CHAIN_LIMIT]; /* the server's own first */
    unsigned count;
    gnutls_x509_privkey_t key;
};

struct http_tls {
    pthread_mutex_t lock;
    struct pair shown;
};

static void pair_free(struct pair *pair)
{
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_x509_crt_deinit(pair->chain[i]);
    if (pair->key)
        gnutls_x509_privkey_deinit(pair->key);
    *pair = (struct pair){.count = 0};
}

static int read_file(const char *path, const char *pointer, struct buffer *content,
                     struct fault *fault)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_set(fault, pointer, "%s cannot be read: %s", path, strerror(errno));
    char piece[4096];
    size_t n;
    while (!content->failed && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_append(content, piece, n);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error)
        return fault_set(fault, pointer, "%s cannot be read: %s", path, strerror(error));
    if (content->failed)
        return fault_set(fault, pointer, "%s has more than %zu KiB", path, FILE_LIMIT / 1024);
    return 0;
}

static gnutls_datum_t datum_of(const struct buffer *content)
{
    return (gnutls_datum_t){(unsigned char *)content->data, (unsigned)content->len};
}

static int read_chain(const char *path, struct pair *pair, struct fault *fault)
{
    struct buffer content;
    gnutls_x509_crt_t *found = NULL;
    unsigned count = 0;
    buffer_init(&content, FILE_LIMIT);
    int rc = read_file(path, "/tls_certificate", &content, fault);
    gnutls_datum_t pem = datum_of(&content);
    int error = rc ? 0
                   : gnutls_x509_crt_list_import2(&found, &count, &pem, GNUTLS_X509_FMT_PEM,
                                                  GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    buffer_free(&content);
    if (rc)
        return rc;
    if (error < 0)
        return fault_set(
            fault, "/tls_certificate",
            "%s must be PEM certificates, the server's own first, each followed by its "
            "issuer's: %s",
            path, gnutls_strerror(error));
    for (unsigned i = 0; i < count; i++) {
        if (i < CHAIN_LIMIT)
            pair->chain[pair->count++] = found[i];
        else
            gnutls_x509_crt_deinit(found[i]);
    }
    gnutls_free(found);
    if (count > CHAIN_LIMIT)
        return fault_set(fault, "/tls_certificate", "%s has more than %d certificates", path,
                         CHAIN_LIMIT);
    return 0;
}

static int read_key(const char *path, struct pair *pair, struct fault *fault)
{
    struct buffer content;
    buffer_init(&content, FILE_LIMIT);
    int rc = read_file(path, "/tls_key", &content, fault);
    if (!rc && gnutls_x509_privkey_init(&pair->key) < 0)
        rc = ERR_MEMORY;
    gnutls_datum_t pem = datum_of(&content);
    int error = rc ? 0
                   : gnutls_x509_privkey_import2(pair->key, &pem, GNUTLS_X509_FMT_PEM, NULL,
                                                 GNUTLS_PKCS_PLAIN);
    if (content.data)
        gnutls_memset(content.data, 0, content.len);
    buffer_free(&content);
    if (error < 0)
        rc = fault_set(fault, "/tls_key", "%s must be a PEM key without a passphrase: %s", path,
                       gnutls_strerror(error));
    return rc;
}

static int check_match(const char *certificate, const char *key, const struct pair *pair,
                       struct fault *fault)
{
    unsigned char of_chain[64], of_key[64];
    size_t chain_len = sizeof of_chain, key_len = sizeof of_key;
    if (gnutls_x509_crt_get_key_id(pair->chain[0], GNUTLS_KEYID_USE_SHA256, of_chain, &chain_len) ==
            0 &&
        gnutls_x509_privkey_get_key_id(pair->key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) == 0 &&
        chain_len == key_len && memcmp(of_chain, of_key, key_len) == 0)
        return 0;
    return fault_set(fault, "/tls_key", "%s is not the key of the certificate in %s", key,
                     certificate);
}

static int read_pair(const char *certificate, const char *key, struct pair *pair,
                     struct fault *fault)
{
    *pair = (struct pair){.count = 0};
    int rc = read_chain(certificate, pair, fault);
    if (!rc)
        rc = read_key(key, pair, fault);
    if (!rc)
        rc = check_match(certificate, key, pair, fault);
    if (rc)
        pair_free(pair);
    return rc;
}

static void tell(const char *certificate, const struct pair *pair)
{
    char until[32] = "";
    time_t end = gnutls_x509_crt_get_expiration_time(pair->chain[0]);
    struct tm utc;
    if (gmtime_r(&end, &utc))
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &utc);
    metric_set(metric_gauge("throughline_http_certificate_expires_timestamp_seconds", NULL,
                            "When the listener's TLS certificate expires, as Unix time."),
               (int64_t)end);
    if (end <= time(NULL))
        log_warn("The listener's certificate has expired", LOG_TEXT("file", certificate),
                 LOG_TEXT("until", until),
                 LOG_TEXT("remedy", "put a new one in tls_certificate and tls_key"));
    else
        log_info("The listener shows a certificate", LOG_TEXT("file", certificate),
                 LOG_TEXT("until", until));
}

int http_tls_open(const char *certificate, const char *key, struct http_tls **out,
                  struct fault *fault)
{
    struct http_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return ERR_MEMORY;
    int rc = pthread_mutex_init(&tls->lock, NULL);
    if (rc) {
        free(tls);
        return ERR_MEMORY;
    }
    rc = http_tls_renew(tls, certificate, key, fault);
    if (rc) {
        http_tls_close(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

void http_tls_close(struct http_tls *tls)
{
    if (!tls)
        return;
    pair_free(&tls->shown);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

int http_tls_renew(struct http_tls *tls, const char *certificate, const char *key,
                   struct fault *fault)
{
    struct pair fresh;
    int rc = read_pair(certificate, key, &fresh, fault);
    if (rc)
        return rc;
    pthread_mutex_lock(&tls->lock);
    struct pair old = tls->shown;
    tls->shown = fresh;
    tell(certificate, &tls->shown);
    pthread_mutex_unlock(&tls->lock);
    pair_free(&old);
    return 0;
}

int http_tls_check(const char *certificate, const char *key, struct fault *fault)
{
    struct pair pair;
    int rc = read_pair(certificate, key, &pair, fault);
    if (!rc)
        pair_free(&pair);
    return rc;
}

/* --- the handshake --- */

static int copy_chain(const struct pair *pair, gnutls_pcert_st **chain, unsigned *count)
{
    gnutls_pcert_st *copies = gnutls_calloc(pair->count, sizeof *copies);
    if (!copies)
        return GNUTLS_E_MEMORY_ERROR;
    for (unsigned i = 0; i < pair->count; i++) {
        int error = gnutls_pcert_import_x509(&copies[i], pair->chain[i], 0);
        if (error < 0) {
            while (i > 0)
                gnutls_pcert_deinit(&copies[--i]);
            gnutls_free(copies);
            return error;
        }
    }
    *chain = copies;
    *count = pair->count;
    return 0;
}

static int copy_key(const struct pair *pair, gnutls_privkey_t *key)
{
    int error = gnutls_privkey_init(key);
    if (error < 0)
        return error;
    error = gnutls_privkey_import_x509(*key, pair->key, GNUTLS_PRIVKEY_IMPORT_COPY);
    if (error < 0)
        gnutls_privkey_deinit(*key);
    return error;
}

static int copy_pair(const struct pair *pair, gnutls_pcert_st **chain, unsigned *count,
                     gnutls_privkey_t *key)
{
    int error = copy_key(pair, key);
    if (error < 0)
        return error;
    error = copy_chain(pair, chain, count);
    if (error < 0)
        gnutls_privkey_deinit(*key);
    return error;
}

static int show(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                gnutls_pcert_st **chain, unsigned *count, gnutls_ocsp_data_st **ocsp,
                unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
    (void)info;
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session); /* set by libmicrohttpd */
    struct http_tls *tls = mhd ? http_tls_of(mhd) : NULL;
    if (!tls)
        return GNUTLS_E_INTERNAL_ERROR;
    pthread_mutex_lock(&tls->lock);
    int error = copy_pair(&tls->shown, chain, count, key);
    pthread_mutex_unlock(&tls->lock);
    if (error < 0)
        return error;
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}

void *http_tls_callback(void)
{
    gnutls_certificate_retrieve_function3 *function = show;
    void *pointer;
    memcpy(&pointer, &function, sizeof pointer); /* ISO C has no cast for this */
    return pointer;
}

bool http_tls_send_last(struct MHD_Connection *mhd, struct span text)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!info || !info->tls_session)
        return false;
    gnutls_session_t session = info->tls_session;
    if (gnutls_record_send(session, text.ptr, text.len) != (ssize_t)text.len)
        return false;
    gnutls_bye(session, GNUTLS_SHUT_WR);
    return true;
}
