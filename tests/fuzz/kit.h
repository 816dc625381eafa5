/*
 * What the fuzz targets share. A target is a tests/fuzz/fuzz_<what>.c with one
 * LLVMFuzzerTestOneInput: it hands the bytes to parsers, and says what must hold
 * afterwards by expect(). tests/fuzz/run builds and runs them all.
 *
 * Inputs are texts where that is possible, as a person would write them (lines of
 * headers, a blank line, a body), so that a corpus can be made of real messages
 * and a finding can be read. One thread.
 */
#ifndef TESTS_FUZZ_KIT_H
#define TESTS_FUZZ_KIT_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/event/vocabulary.h"
#include "common/kafka/record.h"
#include "services/department/source_config.h"

/* libFuzzer's. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-12-01T00:00:00Z, in microseconds: what "in the future" is measured from. */
#define KIT_NOW INT64_C(1796083200000000)

/* Unless it holds, says what should have, and aborts: a finding. */
void expect(bool holds, const char *what);

/* 0, or ERR_INVALID and a fault that can be shown to people: well-formed text
 * that is not empty, and a pointer that is one. */
void expect_told(int rc, const struct fault *fault);

/* Both absent, or both there and equal. */
void expect_same(struct span a, struct span b, const char *what);

/* Copies in blocks of exactly their size, so that AddressSanitizer sees every
 * byte read beyond. They live until kit_end. kit_text ends at the first NUL. */
struct span kit_copy(struct span bytes);
const char *kit_text(struct span bytes);
void kit_end(void); /* of one input: frees copies, empties the arena */
struct arena *kit_arena(void);

/* Takes a line, without its end, off the rest. False: nothing is left. */
bool kit_line(struct span *rest, struct span *line);

/* Takes "name: value" lines up to a blank one off the rest, each name and value a copy;
 * what has no colon is a name without a value. */
size_t kit_headers(struct span *rest, struct record_header *headers, size_t limit);

/* The shipped configuration, read once. */
struct kit_world {
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct sources *sources; /* off, without their secrets; their mappings are there */
};
const struct kit_world *kit_world(void);

/* The department that an event's type belongs to, else sales. */
const struct department *kit_department(struct span type);

#endif
