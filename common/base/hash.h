/*
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF") under a
 * key drawn at random when the process first asks: hash tables filled from
 * outside cannot be flooded with collisions. Any thread.
 */
#ifndef COMMON_BASE_HASH_H
#define COMMON_BASE_HASH_H

#include <stdint.h>

#include "common/base/span.h"

uint64_t hash_span(struct span s);

#endif
