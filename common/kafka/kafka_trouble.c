#include "common/kafka/kafka_trouble.h"

#include <stdio.h>

#include "common/base/log.h"
#include "common/kafka/kafka_end.h"
#include "common/metrics.h"

static const struct {
    const char *cause;  /* the metric's label */
    const char *words;  /* of readiness */
    const char *remedy; /* of the log */
} kinds[KAFKA_TROUBLE_KINDS] = {
    [KAFKA_TROUBLE_AWAY] = {"away", "Kafka: no broker answers",
                            "start the brokers, or mend TL_BROKERS; it goes on by itself then"},
    [KAFKA_TROUBLE_NAME] = {"name", "Kafka: a broker's host name is not known",
                            "mend the host names in TL_BROKERS, or the name service; names that "
                            "brokers give of themselves are their advertised.listeners"},
    [KAFKA_TROUBLE_CREDENTIALS] = {"credentials", "Kafka: the brokers refuse the credentials",
                                   "mend sasl.username and sasl.password under \"kafka\" and start "
                                   "again, or the user at the brokers; SCRAM with brokers of Kafka "
                                   "4 wants librdkafka 2.6.1 or newer"},
    [KAFKA_TROUBLE_TLS] = {"tls", "Kafka: no TLS connection with the brokers",
                           "mend security.protocol and ssl.* under \"kafka\", or the brokers' "
                           "certificates"},
    [KAFKA_TROUBLE_TOPIC] = {"topic", "Kafka: a topic is missing",
                             "make the topic: kafka-topics --create; it is found by itself then"},
    [KAFKA_TROUBLE_LEADER] = {"leader", "Kafka: no partition of a topic has a leader",
                              "start the brokers that hold the topic"},
    [KAFKA_TROUBLE_PERMISSION] = {"permission", "Kafka: the user may not use a topic or the group",
                                  "give the user the rights: kafka-acls --add; an intake wants "
                                  "Describe and Write of its topic and IdempotentWrite, an "
                                  "aggregator Describe and Read of topics and group"},
};

enum kafka_trouble kafka_trouble_of(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        return KAFKA_TROUBLE_AWAY;
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return KAFKA_TROUBLE_NAME;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
        return KAFKA_TROUBLE_CREDENTIALS;
    case RD_KAFKA_RESP_ERR__SSL:
        return KAFKA_TROUBLE_TLS;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return KAFKA_TROUBLE_TOPIC;
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        return KAFKA_TROUBLE_LEADER;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return KAFKA_TROUBLE_PERMISSION;
    default:
        return KAFKA_TROUBLE_NONE;
    }
}

const char *kafka_trouble_words(enum kafka_trouble trouble)
{
    return kinds[trouble].words;
}

static struct metric *gauge(enum kafka_trouble trouble)
{
    char label[64];
    snprintf(label, sizeof label, "cause=\"%s\"", kinds[trouble].cause);
    return metric_gauge("throughline_kafka_trouble", label,
                        "Clients and topics that Kafka trouble of this kind holds up now");
}

void kafka_trouble_metrics(void)
{
    for (int i = KAFKA_TROUBLE_NONE + 1; i < KAFKA_TROUBLE_KINDS; i++)
        metric_add(gauge((enum kafka_trouble)i), 0);
    kafka_end_metrics();
}

void kafka_trouble_change(enum kafka_trouble from, enum kafka_trouble to, const char *topic,
                          const char *error)
{
    if (from == to)
        return;
    if (from != KAFKA_TROUBLE_NONE)
        metric_add(gauge(from), -1);
    if (to == KAFKA_TROUBLE_NONE) {
        log_info("Kafka serves us again", LOG_TEXT("topic", topic),
                 LOG_TEXT("was", kinds[from].cause));
        return;
    }
    metric_add(gauge(to), +1);
    log_warn(kinds[to].words, LOG_TEXT("topic", topic), LOG_TEXT("error", error),
             LOG_TEXT("remedy", kinds[to].remedy));
}

void kafka_trouble_leave(enum kafka_trouble trouble)
{
    if (trouble != KAFKA_TROUBLE_NONE)
        metric_add(gauge(trouble), -1);
}
