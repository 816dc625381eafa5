/* Keys and certificates of a test's own, made when they are needed. */
#ifndef TESTS_UNIT_CERTIFICATES_H
#define TESTS_UNIT_CERTIFICATES_H

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void certificate_must(int rc)
{
    if (rc < 0)
        abort();
}

static inline void certificate_write(const char *path, gnutls_datum_t pem)
{
    FILE *file = fopen(path, "w");
    if (!file || fwrite(pem.data, 1, pem.size, file) != pem.size || fclose(file) != 0)
        abort();
    gnutls_free(pem.data);
}

/* PEM files of a key and of a certificate for "localhost" that it signs itself, good for so long
 * from now; negative: it has expired. */
static inline void certificate_make(const char *certificate_path, const char *key_path, int seconds)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem;
    time_t now = time(NULL);
    certificate_must(gnutls_x509_privkey_init(&key));
    certificate_must(gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    certificate_must(gnutls_x509_crt_init(&certificate));
    certificate_must(gnutls_x509_crt_set_version(certificate, 3));
    certificate_must(gnutls_x509_crt_set_serial(certificate, &now, sizeof now));
    certificate_must(gnutls_x509_crt_set_dn(certificate, "CN=localhost", NULL));
    certificate_must(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME,
                                                          "localhost", 9, GNUTLS_FSAN_SET));
    certificate_must(gnutls_x509_crt_set_activation_time(certificate, now - 86400));
    certificate_must(gnutls_x509_crt_set_expiration_time(certificate, now + seconds));
    certificate_must(gnutls_x509_crt_set_key(certificate, key));
    certificate_must(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
    certificate_must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem));
    certificate_write(certificate_path, pem);
    certificate_must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
    certificate_write(key_path, pem);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}

#endif
