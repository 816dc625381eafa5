/*
 * The one place that turns configuration into librdkafka's: brokers, client id,
 * the settings that throughline.json passes through ("kafka": {…}), and the
 * bridge from librdkafka's log to ours. For the files kafka_* only.
 */
#ifndef COMMON_KAFKA_KAFKA_SETTINGS_H
#define COMMON_KAFKA_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>

#include "common/base/config.h"

/* Both lists end with {NULL, NULL}; either may be NULL.
 *   defaults  what this client starts from; a setting passed through replaces it
 *   fixed     what its promises rest on: a setting passed through that would
 *             change one of them, under whatever alias, is refused
 * ERR_INVALID (unknown setting, bad value, change of a fixed one) with pointer
 * "/kafka/<setting>"; ERR_MEMORY. `*out` is the caller's, until rd_kafka_new
 * takes it. */
int kafka_settings_new(const struct config *config, const struct config_pair *defaults,
                       const struct config_pair *fixed, rd_kafka_conf_t **out,
                       struct fault *fault) CHECKED;

#endif
