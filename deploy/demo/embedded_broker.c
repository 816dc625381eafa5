/*
 * A throwaway Kafka for the demo and quick tests: librdkafka's mock cluster,
 * for other processes. It listens on a random port of 127.0.0.1, makes topics
 * as they are asked for, keeps about 5 MB per partition in memory and nothing
 * on disk. Tells its address, then serves until it is asked to end.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/program.h"
#include "common/base/stop.h"

#define PARTITIONS_LIMIT 1000
#define TOPICS_LIMIT     32

static const char usage[] =
    "usage: tl-embedded-broker [--file PATH] [--partitions N --topic NAME ...]\n"
    "\n"
    "A throwaway Kafka on a random port of 127.0.0.1; it keeps nothing. Prints\n"
    "bootstrap=127.0.0.1:PORT and serves until SIGTERM.\n"
    "\n"
    "  --file PATH     also writes 127.0.0.1:PORT there, at once or not at all\n"
    "  --topic NAME    makes this topic at the start; may be given several times.\n"
    "                  Others are made when asked for, with 4 partitions\n"
    "  --partitions N  of the topics named by --topic (default 4)\n"
    "  --help, --version\n";

struct arguments {
    const char *file;
    const char *topics[TOPICS_LIMIT];
    size_t topic_count;
    long partitions;
};

/* False where the option or its value is none of ours. */
static bool take_option(const char *name, const char *value, struct arguments *arguments)
{
    char *end = NULL;
    if (!value)
        return false;
    if (strcmp(name, "--file") == 0) {
        arguments->file = value;
        return true;
    }
    if (strcmp(name, "--topic") == 0 && arguments->topic_count < TOPICS_LIMIT) {
        arguments->topics[arguments->topic_count++] = value;
        return true;
    }
    if (strcmp(name, "--partitions") == 0) {
        arguments->partitions = strtol(value, &end, 10);
        return *value && !*end && arguments->partitions >= 1 &&
               arguments->partitions <= PARTITIONS_LIMIT;
    }
    return false;
}

/* -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("tl-embedded-broker %s\n", THROUGHLINE_VERSION);
            return EXIT_OK;
        }
        if (!take_option(argv[i], argv[i + 1], arguments)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    return -1;
}

/* Whoever waits for the file finds it whole: written beside, then renamed. */
static int write_address(const char *path, const char *address)
{
    char beside[4096];
    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside) {
        log_error("the path is too long", LOG_TEXT("path", path));
        return ERR_IO;
    }
    FILE *file = fopen(beside, "we");
    bool written = file && fprintf(file, "%s\n", address) > 0;
    if (file && fclose(file))
        written = false;
    if (written && rename(beside, path) == 0)
        return 0;
    log_error("cannot write the address", LOG_TEXT("path", path),
              LOG_TEXT("error", strerror(errno)));
    return ERR_IO;
}

static int tell_address(const char *address, const struct arguments *arguments)
{
    printf("bootstrap=%s\n", address);
    if (fflush(stdout))
        return ERR_IO;
    return arguments->file ? write_address(arguments->file, address) : 0;
}

static int make_topics(rd_kafka_mock_cluster_t *cluster, const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->topic_count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(cluster, arguments->topics[i],
                                                               (int)arguments->partitions, 1);
        if (error) {
            log_error("cannot make the topic", LOG_TEXT("topic", arguments->topics[i]),
                      LOG_TEXT("error", rd_kafka_err2str(error)));
            return ERR_IO;
        }
    }
    return 0;
}

static int serve(rd_kafka_t *client, const struct arguments *arguments)
{
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    if (!cluster) {
        log_error("the mock cluster does not start");
        return EXIT_FAILED;
    }
    int rc = make_topics(cluster, arguments);
    if (!rc)
        rc = tell_address(rd_kafka_mock_cluster_bootstraps(cluster), arguments);
    if (!rc)
        stop_wait(-1);
    rd_kafka_mock_cluster_destroy(cluster);
    return rc ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
    char error[256];
    struct arguments arguments = {.partitions = 4};
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;
    log_init("tl-embedded-broker", LOG_LEVEL_INFO);
    if (stop_install())
        return EXIT_FAILED;

    /* The cluster lives in a client, which itself talks to nobody. */
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(settings, NULL); /* it would warn that it has no broker to talk to */
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, error, sizeof error);
    if (!client) {
        log_error("the embedded broker does not start", LOG_TEXT("error", error));
        rd_kafka_conf_destroy(settings);
        return EXIT_FAILED;
    }
    status = serve(client, &arguments);
    rd_kafka_destroy(client);
    return status;
}
