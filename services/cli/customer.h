/*
 * What people type for a customer: an id, an identity (kind=value), an e-mail
 * address, or a part of a value. One thread.
 */
#ifndef SERVICES_CLI_CUSTOMER_H
#define SERVICES_CLI_CUSTOMER_H

#include "common/base/buffer.h"
#include "services/cli/cli.h"

/* Ids of the customers that `word` may stand for, at most `limit`, as a
 * PostgreSQL array literal in `ids` (empty for none), *count of them. Values are
 * normalised as the configuration says. With `parts` a word that is no id or
 * identity is looked for inside values. 0, or the exit status (told). */
int customer_find(const struct cli *cli, struct pg *pg, const char *word, bool parts, int64_t limit,
                  struct buffer *ids, int64_t *count) CHECKED;

/* Exactly one, or the exit status with a word on why not. */
int customer_find_one(const struct cli *cli, struct pg *pg, const char *word, char id[24]) CHECKED;

#endif
