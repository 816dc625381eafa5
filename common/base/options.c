#include "common/base/options.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/base/log.h"
#include "common/base/suggest.h"

#define DEPARTMENT PROGRAM_DEPARTMENT
#define AGGREGATOR PROGRAM_AGGREGATOR
#define CLI        PROGRAM_CLI
#define ALL        PROGRAM_ALL
#define SERVICES   (PROGRAM_DEPARTMENT | PROGRAM_AGGREGATOR)

#define SECRET  OPTION_SECRET
#define RELOADS OPTION_RELOADS

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SEC INT64_C(1000)

/* Key, type, default, least, most, programs, flags, help: a line for each. */
/* clang-format off */
const struct config_option config_options[] = {
    {"brokers", OPTION_TEXT, "127.0.0.1:9092", 0, 0, ALL, 0, "Kafka's bootstrap servers, host:port, separated by commas"},
    {"database", OPTION_TEXT, NULL, 0, 0, AGGREGATOR | CLI, SECRET, "PostgreSQL: a libpq connection string or URI"},
    {"log_level", OPTION_LEVEL, "info", 0, 0, ALL, RELOADS, "what is logged: error, warn, info or debug"},
    {"log_format", OPTION_FORMAT, "logfmt", 0, 0, SERVICES, 0, "how it is logged, an event a line: logfmt or json"},
    {"listen", OPTION_TEXT, NULL, 0, 0, SERVICES, 0, "address to listen on, host:port; each program has its own default"},
    {"token", OPTION_TEXT, NULL, 0, 0, DEPARTMENT | CLI, SECRET | RELOADS, "bearer token that /events and /handoffs want and the command line sends; of several, one a line, each counts and the first is sent"},

    {"request_limit", OPTION_SIZE, "1 MiB", KIB, 16 * MIB, DEPARTMENT, 0, "largest body of a request; 413 above"},
    {"event_limit", OPTION_SIZE, "256 KiB", KIB, MIB, DEPARTMENT, RELOADS, "largest event of POST /events; 413 above"},
    {"http_connections", OPTION_NUMBER, "1024", 1, 65536, SERVICES, 0, "most connections at a time"},
    {"http_connections_per_client", OPTION_NUMBER, "0", 0, 65536, SERVICES, 0, "most connections of one address at a time; 0: no bound"},
    {"http_read_deadline", OPTION_DURATION, "10s", 100, 3600 * SEC, SERVICES, 0, "a request must be complete so long after its first byte"},
    {"http_idle", OPTION_DURATION, "60s", 100, 86400 * SEC, SERVICES, 0, "a connection without a request is closed after this"},
    {"http_memory", OPTION_SIZE, "16 MiB", MIB, GIB, SERVICES, 0, "memory for unanswered requests, head and body; 503 above"},
    {"tls_certificate", OPTION_TEXT, NULL, 0, 0, SERVICES, RELOADS, "PEM file of the listener's certificate and its issuers'; without it HTTP is plain"},
    {"tls_key", OPTION_TEXT, NULL, 0, 0, SERVICES, RELOADS, "PEM file of its key, without a passphrase"},
    {"trusted_proxies", OPTION_TEXT, NULL, 0, 0, SERVICES, 0, "addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count"},
    {"send_ca_file", OPTION_TEXT, NULL, 0, 0, CLI, 0, "certificates that those of departments are checked against by send; else the system's"},

    {"publish_timeout", OPTION_DURATION, "4s", 100, 300 * SEC, SERVICES, 0, "how long Kafka may take to acknowledge; above, a department answers 503"},
    {"publish_queue_records", OPTION_NUMBER, "20000", 1, 10000000, SERVICES, 0, "most records waiting for Kafka; above, a department answers 503"},
    {"publish_queue_bytes", OPTION_SIZE, "16 MiB", 4 * MIB, GIB, SERVICES, 0, "memory for records waiting for Kafka; above, a department answers 503"},
    {"publish_linger", OPTION_DURATION, "2ms", 0, SEC, SERVICES, 0, "how long a record waits for others to share its way to Kafka"},

    {"deliver_url", OPTION_TEXT, NULL, 0, 0, DEPARTMENT, SECRET | RELOADS, "where the department's handoffs are POSTed; without it they stay open"},
    {"deliver_secret", OPTION_TEXT, NULL, 0, 0, DEPARTMENT, SECRET | RELOADS, "what signs them (Standard Webhooks): whsec_ and base64; several, one a line, all sign"},
    {"deliver_ca_file", OPTION_TEXT, NULL, 0, 0, DEPARTMENT, RELOADS, "certificates that the receiver's is checked against; else the system's"},
    {"deliver_timeout", OPTION_DURATION, "10s", 100, 300 * SEC, DEPARTMENT, RELOADS, "how long the receiver may take for an answer"},
    {"deliver_connect_timeout", OPTION_DURATION, "3s", 100, 60 * SEC, DEPARTMENT, RELOADS, "how long connecting to the receiver may take"},
    {"deliver_threads", OPTION_NUMBER, "8", 1, 64, DEPARTMENT, 0, "most deliveries at a time"},
    {"deliver_queue_records", OPTION_NUMBER, "10000", 1, 1000000, DEPARTMENT, 0, "most changes that wait for the receiver; more wait in Kafka"},
    {"deliver_queue_bytes", OPTION_SIZE, "8 MiB", MIB, GIB, DEPARTMENT, 0, "memory for changes that wait for the receiver; more wait in Kafka"},
    {"deliver_retry_floor", OPTION_DURATION, "1s", 1, 3600 * SEC, DEPARTMENT, 0, "wait before the second try of a change, doubled with jitter"},
    {"deliver_retry_ceiling", OPTION_DURATION, "5m", 1, 86400 * SEC, DEPARTMENT, 0, "longest wait before another try, also where the receiver asks for more"},
    {"deliver_tries", OPTION_NUMBER, "12", 1, 1000, DEPARTMENT, 0, "tries of a change that fails while the receiver takes others"},
    {"deliver_refused_tries", OPTION_NUMBER, "5", 1, 1000, DEPARTMENT, 0, "tries of a change that the receiver refuses"},
    {"deliver_give_up", OPTION_DURATION, "3d", SEC, 31 * 86400 * SEC, DEPARTMENT, 0, "after so long a change is not tried any more"},
    {"deliver_breaker_failures", OPTION_NUMBER, "10", 1, 1000, DEPARTMENT, 0, "so many failures in a row, and only one delivery at a time tries whether the receiver is back"},
    {"deliver_breaker_floor", OPTION_DURATION, "1s", 1, 3600 * SEC, DEPARTMENT, 0, "wait before the first of these, doubled with jitter"},
    {"deliver_breaker_ceiling", OPTION_DURATION, "30s", 1, 3600 * SEC, DEPARTMENT, 0, "longest wait before another of these"},

    {"group", OPTION_TEXT, "throughline", 0, 0, DEPARTMENT | AGGREGATOR | CLI, 0, "the aggregators' consumer group; a department's inbox adds a dash and its name"},
    {"writers", OPTION_NUMBER, "2", 1, 62, AGGREGATOR, 0, "threads that write to PostgreSQL, each with its own connection"},
    {"batch_events", OPTION_NUMBER, "10000", 1, 1000000, AGGREGATOR, 0, "most events of a transaction"},
    {"batch_bytes", OPTION_SIZE, "8 MiB", KIB, GIB, AGGREGATOR, 0, "most bytes of a transaction's events"},
    {"batch_wait", OPTION_DURATION, "50ms", 0, 60 * SEC, AGGREGATOR, 0, "how long a batch that is not full waits for more"},
    {"identity_cache", OPTION_SIZE, "16 MiB", 0, GIB, AGGREGATOR, 0, "memory of all writers together for identities they have seen"},
    {"lock_timeout", OPTION_DURATION, "2s", 10, 300 * SEC, AGGREGATOR, 0, "how long a writer that takes a partition over waits for its predecessor's batch before it ends it"},
    {"database_timeout", OPTION_DURATION, "60s", SEC, 3600 * SEC, AGGREGATOR | CLI, 0, "how long PostgreSQL may take for a statement; then the connection is given up, and opened anew"},
    {"quarantine_limit", OPTION_NUMBER, "100000", 1, 1000000000, AGGREGATOR, 0, "most records in quarantine; above, a partition with another one pauses"},
    {"stale_after", OPTION_DURATION, "90d", 1, INT64_C(36500) * 86400 * SEC, AGGREGATOR, RELOADS, "a customer with whom nobody was in contact for so long is stale; a department may have a time of its own"},
    {"untold_after", OPTION_DURATION, "4h", 1, INT64_C(36500) * 86400 * SEC, AGGREGATOR, RELOADS, "an issue that is open for so long, and of which the customer was not told, is untold"},
    {"watch_max_age", OPTION_DURATION, "365d", 1, INT64_C(36500) * 86400 * SEC, AGGREGATOR, RELOADS, "who is stale, or not told, since longer ago is listed, but not raised any more"},
    {"watch_every", OPTION_DURATION, "1s", 10, 3600 * SEC, AGGREGATOR, RELOADS, "how often it is looked for what is overdue, stale or untold"},
    {"lease", OPTION_DURATION, "10s", 500, 3600 * SEC, AGGREGATOR, 0, "who relays the outbox, or watches, and does not show for so long, is ended by another aggregator"},
    {"services", OPTION_TEXT, NULL, 0, 0, CLI, 0, "where services are asked that are not where they listen: tl-sales=sales:8101,tl-billing=https://billing:8102"},
    {"topic_partitions", OPTION_NUMBER, "6", 1, 1000, CLI, 0, "partitions of a topic that throughline migrate makes: so many writers can share it out"},
    {"topic_replication", OPTION_NUMBER, "0", 0, 32, CLI, 0, "replicas of such a topic; 0: as the brokers' default.replication.factor says"},
    {"topic_min_insync", OPTION_NUMBER, "0", 0, 32, CLI, 0, "its min.insync.replicas, which have an event before it is acknowledged; 0: as the brokers' says"},
    {"topic_retention", OPTION_DURATION, "7d", 3600 * SEC, INT64_C(36500) * 86400 * SEC, CLI, 0, "how long it keeps events, and so how long an aggregator may be away"},
    {"fetch_bytes", OPTION_SIZE, "4 MiB", 64 * KIB, GIB, SERVICES, 0, "memory of each writer, or of an inbox, for records fetched ahead"},
};
/* clang-format on */

const size_t config_options_count = sizeof config_options / sizeof *config_options;

const struct config_option *option_find(const char *key)
{
    for (size_t i = 0; i < config_options_count; i++)
        if (strcmp(config_options[i].key, key) == 0)
            return &config_options[i];
    return NULL;
}

void option_variable(const struct config_option *option, char name[64])
{
    snprintf(name, 64, "TL_%s", option->key);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
}

const char *option_suggest(const char *name, unsigned programs)
{
    const char *keys[sizeof config_options / sizeof *config_options + 1] = {0};
    size_t n = 0;
    for (size_t i = 0; i < config_options_count; i++)
        if (config_options[i].programs & programs)
            keys[n++] = config_options[i].key;
    return suggest_name(name, keys);
}

static int parse_number(const char *text, int64_t *number)
{
    int64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && value < INT64_MAX / 10 - 1; p++)
        value = value * 10 + (*p - '0');
    *number = value;
    return p > text && *p == '\0' ? 0 : ERR_INVALID;
}

static int parse_level(const char *text, int64_t *number)
{
    *number = log_level_from_text(text);
    return *number >= 0 ? 0 : ERR_INVALID;
}

static int parse_format(const char *text, int64_t *number)
{
    *number = log_format_from_text(text);
    return *number >= 0 ? 0 : ERR_INVALID;
}

static int parse_text(const char *text, int64_t *number)
{
    *number = 0;
    return *text ? 0 : ERR_INVALID;
}

static const struct {
    int (*parse)(const char *text, int64_t *number);
    const char *form, *unit;
} types[] = {
    [OPTION_TEXT] = {parse_text, "a text that is not empty", ""},
    [OPTION_NUMBER] = {parse_number, "a whole number", ""},
    [OPTION_DURATION] = {duration_parse, "a duration like \"500ms\", \"10s\" or \"4h\"", " ms"},
    [OPTION_SIZE] = {size_parse, "a size like \"64 KiB\" or \"4 MiB\"", " bytes"},
    [OPTION_LEVEL] = {parse_level, "one of error, warn, info and debug", ""},
    [OPTION_FORMAT] = {parse_format, "logfmt or json", ""},
};

int option_parse(const struct config_option *option, const char *text, int64_t *number,
                 struct fault *fault)
{
    if (types[option->type].parse(text, number))
        return fault_set(fault, "", "must be %s", types[option->type].form);
    if (option->most > 0 && (*number < option->least || *number > option->most))
        return fault_set(fault, "", "must be from %" PRId64 " to %" PRId64 "%s", option->least,
                         option->most, types[option->type].unit);
    return 0;
}

void options_print_help(enum program_kind kind, FILE *out)
{
    fputs("Settings, each an environment variable (which wins) or, in lower case and without\n"
          "TL_, a key of throughline.json:\n\n",
          out);
    for (const struct config_option *option = config_options;
         option < config_options + config_options_count; option++) {
        if (!(option->programs & kind))
            continue;
        char name[64];
        option_variable(option, name);
        fprintf(out, "  %-31s %s\n", name, option->help);
        if (option->fallback)
            fprintf(out, "  %-31s (default %s)\n", "", option->fallback);
    }
}
