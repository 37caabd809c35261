/* bins.h - many IPv4 keys, put apart by their first octet as they come, so that ordering them is many small
 * sorts, which threads can share and which stay in the processor's cache. They stand in one growing array
 * of blocks, each of one bin, and are ordered in place. */
#pragma once

#include "base/parallel.h"

#include <stdint.h>

struct bins;

#define BINS_FROM ((size_t)1 << 17) /* fewer keys are no use to put apart */

struct bins *bins_new(void);
struct bins *bins_free(struct bins *b); /* NULL is fine; returns NULL */
void bins_add(struct bins *b, const uint32_t *keys, size_t count);
/* All keys, bin after bin, those of a bin as they came; frees b. Caller frees with free(). */
uint32_t *bins_take(struct bins *b, size_t *ret_count);
/* The same, ascending and without doubles. */
uint32_t *bins_take_ordered(struct bins *b, const struct parallel *p, size_t *ret_count);

/* The keys ascending, without doubles: returns how many are left. scratch: as many keys, or
 * BINS_SCRATCH_MAX of them. */
#define BINS_SCRATCH_MAX ((size_t)1 << 19)
size_t keys_order(uint32_t *keys, size_t count, uint32_t *scratch);
