/*
 * A department's inbox: reads handoffs.<department>, a thread of its own, and hands every change
 * of a handoff to the delivery desk. At least once: Kafka is told of an offset when all before it
 * is done with. What is no change of a handoff is logged, counted and passed over. Whatever ails
 * Kafka, the inbox tries again; the intake does not notice.
 */
#ifndef SERVICES_DEPARTMENT_INBOX_H
#define SERVICES_DEPARTMENT_INBOX_H

#include "services/department/delivery.h"

struct inbox;

/* Its settings, without connecting: for --check. */
int inbox_check(const struct config *config, struct fault *fault) CHECKED;

/* Starts the thread. `config`, `department` and `desk` must outlive it. ERR_MEMORY, ERR_IO. */
int inbox_open(const struct config *config, const char *department, struct delivery_desk *desk,
               struct inbox **out) CHECKED;

/* Takes nothing new from here on; waits at most `ms` for what is under way, tells Kafka how far
 * things got, leaves the group. Returns at once: the rest is done by the thread. NULL is fine. */
void inbox_stop(struct inbox *inbox, int ms);

/* Waits for the thread, a few seconds longer than inbox_stop was told. NULL is fine. */
void inbox_close(struct inbox *inbox);

#endif
