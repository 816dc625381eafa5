/*
 * A session goes by the rulebook that counts, and follows when another one does: between batches,
 * so that each batch is judged by one alone. Functions of a session, on its thread.
 */
#ifndef SERVICES_AGGREGATOR_FOLLOW_H
#define SERVICES_AGGREGATOR_FOLLOW_H

#include "services/aggregator/session.h"

/* Before the first record: takes the one that counts. */
void follow_begin(struct session *session);

/* Where no batch is under way, goes over to another rulebook, if there is one. What it says of
 * event types is in the database before the first row that is judged by it. session->rejoin: it has
 * other topics, for which another session must join the group. An error is the database's. */
int follow_rulebook(struct session *session) CHECKED;

/* No session is there any more that could judge. */
void follow_end(struct session *session);

#endif
