/*
 * A throwaway Kafka for the demo and quick tests: librdkafka's mock cluster,
 * for other processes. It listens on a random port of 127.0.0.1, makes topics
 * as they are asked for, keeps about 5 MB per partition in memory and nothing
 * on disk. Prints its address, then serves until it is asked to end.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/program.h"
#include "common/base/stop.h"

static const char usage[] =
    "usage: tl-embedded-broker [--help | --version]\n"
    "A throwaway Kafka on a random port of 127.0.0.1; keeps nothing. Prints its address.\n";

static int serve(void)
{
    char why[256];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(settings, NULL); /* it would warn that it has no broker to talk to */
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    rd_kafka_mock_cluster_t *cluster = client ? rd_kafka_mock_cluster_new(client, 1) : NULL;
    if (!cluster) {
        const char *error = client ? "no mock cluster" : why;
        log_error("The embedded broker does not start", LOG_TEXT("error", error));
        if (client)
            rd_kafka_destroy(client);
        else
            rd_kafka_conf_destroy(settings);
        return EXIT_FAILED;
    }
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    int status = fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
    if (status == EXIT_OK)
        (void)stop_wait(-1);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("tl-embedded-broker %s\n", THROUGHLINE_VERSION);
        return EXIT_OK;
    }
    if (argc > 1) {
        bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
        fputs(usage, asked ? stdout : stderr);
        return asked ? EXIT_OK : EXIT_USAGE;
    }
    log_init("tl-embedded-broker", LOG_LEVEL_INFO);
    if (stop_install())
        return EXIT_FAILED;
    return serve();
}
