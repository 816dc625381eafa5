#include "common/kafka/kafka_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/kafka/kafka_certificate.h"

#define VALUE_SIZE  512
#define FIXED_LIMIT 32

/* Each failed attempt of a connection or a request, over and over: kafka_watch tells of the trouble
 * as a whole, once. */
static bool is_an_attempt(const char *facility)
{
    return strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
           strcmp(facility, "REQTMOUT") == 0 || strcmp(facility, "COMMITFAIL") == 0 ||
           strcmp(facility, "SSLCERTVRFY") == 0;
}

/* Runs on librdkafka's own threads. Its levels are syslog's. */
static void forward_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    enum log_level ours = LOG_LEVEL_DEBUG;
    if (is_an_attempt(facility))
        ours = LOG_LEVEL_DEBUG;
    else if (level <= 3)
        ours = LOG_LEVEL_ERROR;
    else if (level == 4)
        ours = LOG_LEVEL_WARN;
    else if (level <= 6)
        ours = LOG_LEVEL_INFO;
    log_write(ours, "Kafka client",
              LOG_FIELDS(LOG_TEXT("client", kafka ? rd_kafka_name(kafka) : ""),
                         LOG_TEXT("facility", facility), LOG_TEXT("text", text)));
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct fault *fault)
{
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) == RD_KAFKA_CONF_OK)
        return 0;
    char pointer[sizeof fault->pointer];
    snprintf(pointer, sizeof pointer, "/kafka/%s", name);
    return fault_set(fault, pointer, "librdkafka does not take it: %s", error);
}

static int set_all(rd_kafka_conf_t *conf, const struct config_pair *pairs, struct fault *fault)
{
    for (; pairs && pairs->name; pairs++) {
        int rc = set(conf, pairs->name, pairs->value, fault);
        if (rc)
            return rc;
    }
    return 0;
}

/* librdkafka looks at files only when a client is made. */
static int check_file(const struct config_pair *pair, struct fault *fault)
{
    static const char *const files[] = {"ssl.ca.location", "ssl.certificate.location",
                                        "ssl.key.location", "ssl.keystore.location",
                                        "ssl.crl.location"};
    char pointer[sizeof fault->pointer];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(pair->name, files[i]) != 0 || strcmp(pair->value, "probe") == 0 ||
            access(pair->value, R_OK) == 0)
            continue;
        snprintf(pointer, sizeof pointer, "/kafka/%s", pair->name);
        return fault_set(fault, pointer, "%s cannot be read: %s", pair->value, strerror(errno));
    }
    return 0;
}

/* The values as librdkafka writes them, so that aliases and other spellings of
 * the same value ("all", "-1") compare equal. */
struct snapshot {
    char values[FIXED_LIMIT][VALUE_SIZE];
};

static void read_value(const rd_kafka_conf_t *conf, const char *name, char value[VALUE_SIZE])
{
    size_t size = VALUE_SIZE;
    if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK)
        value[0] = '\0';
}

static void take_snapshot(const rd_kafka_conf_t *conf, const struct config_pair *fixed,
                          struct snapshot *snapshot)
{
    for (size_t i = 0; fixed && fixed[i].name && i < FIXED_LIMIT; i++)
        read_value(conf, fixed[i].name, snapshot->values[i]);
}

static int check_fixed(const rd_kafka_conf_t *conf, const struct config_pair *fixed,
                       const struct snapshot *snapshot, const char *setting, struct fault *fault)
{
    for (size_t i = 0; fixed && fixed[i].name && i < FIXED_LIMIT; i++) {
        char now[VALUE_SIZE];
        read_value(conf, fixed[i].name, now);
        if (strcmp(now, snapshot->values[i]) == 0)
            continue;
        char pointer[sizeof fault->pointer];
        snprintf(pointer, sizeof pointer, "/kafka/%s", setting);
        return fault_set(fault, pointer,
                         "would set %s to %s, but it has to stay %s: leave this setting out",
                         fixed[i].name, now, snapshot->values[i]);
    }
    return 0;
}

/* What makes no client, or one that never logs in, for a reason that is better told now. */
static int check_login(const rd_kafka_conf_t *conf, struct fault *fault)
{
    char protocol[VALUE_SIZE], mechanism[VALUE_SIZE], user[VALUE_SIZE], password[VALUE_SIZE];
    read_value(conf, "security.protocol", protocol);
    read_value(conf, "sasl.mechanism", mechanism);
    read_value(conf, "sasl.username", user);
    read_value(conf, "sasl.password", password);
    bool logs_in = strncmp(protocol, "sasl", 4) == 0;
    if (!logs_in && (user[0] || password[0]))
        return fault_set(fault, "/kafka/security.protocol",
                         "is %s, by which nobody logs in: sasl.username and sasl.password want "
                         "sasl_ssl",
                         protocol);
    bool by_password = strncmp(mechanism, "SCRAM", 5) == 0 || strcmp(mechanism, "PLAIN") == 0;
    if (logs_in && by_password && (!user[0] || !password[0]))
        return fault_set(fault, user[0] ? "/kafka/sasl.password" : "/kafka/sasl.username",
                         "is missing: %s wants sasl.username and sasl.password", mechanism);
    return 0;
}

static int pass_through(rd_kafka_conf_t *conf, const struct config *config,
                        const struct config_pair *fixed, struct fault *fault)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return ERR_MEMORY;
    take_snapshot(conf, fixed, snapshot);
    int rc = 0;
    for (const struct config_pair *pair = config_kafka(config); !rc && pair->name; pair++) {
        rc = set(conf, pair->name, pair->value, fault);
        if (!rc)
            rc = check_file(pair, fault);
        if (!rc)
            rc = check_fixed(conf, fixed, snapshot, pair->name, fault);
    }
    free(snapshot);
    return rc ? rc : check_login(conf, fault);
}

int kafka_settings_new(const struct config *config, const struct config_pair *defaults,
                       const struct config_pair *fixed, rd_kafka_conf_t **out, struct fault *fault)
{
    const struct config_pair base[] = {
        {"bootstrap.servers", config_text(config, "brokers")},
        {"client.id", config_section(config)},
        /* Small requests wait for no full segment; 2.0.2 leaves Nagle on. */
        {"socket.nagle.disable", "true"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!conf)
        return ERR_MEMORY;
    rd_kafka_conf_set_log_cb(conf, forward_log);
    kafka_certificate_watch(conf);

    int rc = set_all(conf, base, fault);
    if (!rc)
        rc = set_all(conf, defaults, fault);
    if (!rc)
        rc = set_all(conf, fixed, fault);
    if (!rc)
        rc = pass_through(conf, config, fixed, fault);
    if (rc) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    *out = conf;
    return 0;
}
