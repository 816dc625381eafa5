/*
 * The department service: what tl-sales, tl-billing, tl-service and
 * tl-department are. HTTP in (CloudEvents and webhooks), Kafka out; a request
 * is answered with 202 only after Kafka has acknowledged everything of it. And, where it is told
 * the URL of the department's own system, handoffs from Kafka to there.
 */
#ifndef SERVICES_DEPARTMENT_DEPARTMENT_H
#define SERVICES_DEPARTMENT_DEPARTMENT_H

#include "common/base/config.h"

/* The whole program; returns its exit status. `name` is the department's, or
 * NULL: then the command line says it (--department NAME). */
int department_main(const char *name, int argc, char **argv);

/* The pieces of it, for tests. A config's section is "tl-" and the department. */
struct department_service;

/* The settings of throughline.json alone: for a check of all programs' sections. */
int department_check_settings(const struct config *config, struct fault *fault) CHECKED;

/* Everything that the service reads, without opening anything: for --check. */
int department_check(const struct config *config, struct fault *fault) CHECKED;

/* Loads, opens the producer, listens. Answers requests from here on, on threads
 * of its own. `config` must outlive it. ERR_INVALID with a fault; others logged. */
int department_open(const struct config *config, struct department_service **out,
                    struct fault *fault) CHECKED;

/* Goes over to another configuration while it serves (struct reload's apply, for reload_now):
 * `context` is the service. Requests, and deliveries, that are under way keep the one they began
 * with. One thread. */
int department_reload(void *context, const struct config *fresh, struct buffer *restart,
                      struct fault *fault) CHECKED;

int department_port(const struct department_service *service);

/* Takes no more requests, answers those under way, waits for Kafka: at most
 * `ms`. NULL is fine. */
void department_close(struct department_service *service, int ms);

#endif
