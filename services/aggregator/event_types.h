/* What the vocabularies say of each event type, for the views (store.event_types). */
#ifndef SERVICES_AGGREGATOR_EVENT_TYPES_H
#define SERVICES_AGGREGATOR_EVENT_TYPES_H

#include "common/event/vocabulary.h"
#include "common/pg/pg.h"

/* Puts or corrects every type of the vocabulary; types that are gone from it stay, for the events
 * that are there. */
int event_types_put(struct pg *pg, const struct vocabulary *vocabulary) CHECKED;

#endif
