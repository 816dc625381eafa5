#include "common/kafka/kafka_certificate.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define KEPT_MS 30000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static char last[KAFKA_CERTIFICATE_REASON];
static int64_t last_ms;

/* Judges nothing: what OpenSSL has found stays as it is. */
static int on_certificate(rd_kafka_t *kafka, const char *broker, int32_t id, int *error, int depth,
                          const char *der, size_t size, char *text, size_t text_size, void *opaque)
{
    (void)kafka, (void)id, (void)depth, (void)der, (void)size, (void)opaque;
    if (*error == X509_V_OK)
        return 1;
    snprintf(text, text_size, "%s", X509_verify_cert_error_string(*error));
    pthread_mutex_lock(&lock);
    snprintf(last, sizeof last, "%s (%s)", text, broker);
    last_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&lock);
    return 0;
}

void kafka_certificate_watch(rd_kafka_conf_t *conf)
{
    if (rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate) != RD_KAFKA_CONF_OK)
        log_debug("librdkafka was built without TLS");
}

bool kafka_certificate_reason(char reason[KAFKA_CERTIFICATE_REASON])
{
    pthread_mutex_lock(&lock);
    bool known = last[0] && clock_monotonic_ms() - last_ms < KEPT_MS;
    snprintf(reason, KAFKA_CERTIFICATE_REASON, "%s", known ? last : "");
    pthread_mutex_unlock(&lock);
    return known;
}
