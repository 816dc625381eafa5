/*
 * The system itself as a department: the vocabulary of events.throughline, by which the aggregator
 * decodes what it has said. Built in; no door can be started for it, and no file of the
 * configuration may have its name. Nothing of it is money, or counts as contact with the customer.
 */
#ifndef COMMON_EVENT_SYSTEM_DEPARTMENT_H
#define COMMON_EVENT_SYSTEM_DEPARTMENT_H

#include "common/event/vocabulary.h"

const struct department *system_department(void);

#endif
