/*
 * The rules that facts obey wherever they come from: event_admit applies them to
 * what it finds in data, event_facts_from_extensions to what another program
 * wrote into a record. Pure.
 */
#ifndef COMMON_EVENT_FACT_CHECKS_H
#define COMMON_EVENT_FACT_CHECKS_H

#include "common/event/admission.h"

/* Is it the name of an extension that facts travel as (EVENT_FACTS of them)? */
bool facts_name(struct span name);

/* The type is the department's (*type NULL: one that it accepts unknown), and the
 * time lies from 1970 on and at most 24 h ahead. */
int facts_check_type(const struct admission *admission, const struct event *event,
                     const struct event_type **type, struct fault *fault) CHECKED;
int facts_check_time(const struct admission *admission, const struct event *event,
                     int64_t *occurred_at, struct fault *fault) CHECKED;

/* An owner's name as one line; absent where nothing but white space is there. */
int facts_owner(struct arena *arena, struct span text, const char *pointer, struct span *owner,
                struct fault *fault) CHECKED;

/* A summary as one line, cut; absent where nothing but white space is there. */
int facts_summary(struct arena *arena, struct span text, struct span *summary) CHECKED;

int facts_amount(struct arena *arena, struct span text, const char *pointer, struct span *amount,
                 struct fault *fault) CHECKED;

/* Three capital letters, as ISO 4217 has them. */
int facts_check_currency(struct span text, const char *pointer, struct fault *fault) CHECKED;

/* A sum that counts as money has a currency. `type` may be NULL. */
int facts_check_money(const struct event_type *type, const struct event_facts *facts,
                      const char *pointer, struct fault *fault) CHECKED;

/* Members of data that have to be opened. */
enum fact_members { FACT_ISSUE = 1, FACT_KEPT = 2, FACT_OWNER = 4, FACT_PROMISES = 8 };

/* Their list as text: in alphabetical order, joined by commas. */
struct span facts_list(unsigned members);
/* Is this such a list? */
bool facts_list_valid(struct span text);

#endif
