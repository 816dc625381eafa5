/*
 * Why a broker's certificate was refused. Of whatever is wrong with one librdkafka says
 * "certificate verify failed" and no more; OpenSSL's reason it shows to a callback only. All
 * clients of a process speak to the same brokers with the same settings, so that one memory serves
 * them all. For the files kafka_* only; any thread.
 */
#ifndef COMMON_KAFKA_KAFKA_CERTIFICATE_H
#define COMMON_KAFKA_KAFKA_CERTIFICATE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#define KAFKA_CERTIFICATE_REASON 256

/* A client of these settings remembers why. */
void kafka_certificate_watch(rd_kafka_conf_t *conf);

/* The last reason of the last half minute: "certificate has expired (localhost:9093)". False: none.
 */
bool kafka_certificate_reason(char reason[KAFKA_CERTIFICATE_REASON]);

#endif
