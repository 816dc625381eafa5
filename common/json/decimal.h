/* Decimal numbers as text, exactly: never through a double. */
#ifndef COMMON_JSON_DECIMAL_H
#define COMMON_JSON_DECIMAL_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/fault.h"

/* At most this many digits before, and after, the decimal point. */
#define DECIMAL_DIGITS 60

/* A JSON number token, or the same grammar as text ("20.00", "-1.5e3"), written
 * out plainly without exponent: "1.5e3" → "1500". Trailing zeros after the
 * point are kept, minus zero is zero. `shift` moves the point: -2 makes "2000"
 * "20.00". ERR_INVALID (pointer "") for another grammar or too many digits. */
int decimal_normalise(struct arena *arena, struct span text, int shift, struct span *out,
                      struct fault *fault) CHECKED;

/* A text from decimal_normalise as PostgreSQL's binary numeric (numeric_send):
 * digits, weight, sign, scale, digits to base 10000; without the field's length. */
void decimal_append_numeric(struct buffer *out, struct span decimal);

#endif
