/*
 * How many decimals a currency's minor unit has: ISO 4217, list one ("E", the
 * exponent), with the codes that were withdrawn since 2010 and still stand in
 * older records.
 */
#ifndef SERVICES_DEPARTMENT_CURRENCY_H
#define SERVICES_DEPARTMENT_CURRENCY_H

#include "common/base/span.h"

/* 0, 2, 3 or 4; -1 for what is no such code. Case does not count. */
int currency_exponent(struct span code);

#endif
