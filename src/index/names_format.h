/* names_format.h - how names lie in the file: for names.c (reads) and names_write.c only. */
#pragma once

#include "index/value.h"

#include <stdint.h>

#define NAMES_PER_BUCKET 4 /* on average */
#define NAMES_PER_WORD 8   /* of the filter */

/* A record: wire length without the root label u8, row number (less row_base) in row_width bytes,
 * expires u32 if has_expires (what ROW_COLUMN means), wire bytes without the root label. Not aligned. */
struct file_names {
	uint64_t filter_at;	     /* u64[filter_words] */
	uint64_t dir_at;	     /* u32[bucket_count + 1]: where buckets begin in the heap */
	uint64_t heap_at, heap_size; /* records, bucket after bucket */
	uint64_t self[2], below[2];  /* bit d: there are entries of d labels for SELF, for BELOW */
	uint32_t filter_words, bucket_count, row_base;
	uint8_t row_width; /* 1, 2, 4 */
	uint8_t row_bits;
	uint8_t has_expires;
	uint8_t deepest; /* labels of the longest */
};

/* A name sets four bits in one word of the filter (a blocked Bloom filter): of those not there, one in
 * thirty passes. */
static inline uint64_t names_filter_bits(uint64_t hash)
{
	return (uint64_t)1 << (hash & 63) | (uint64_t)1 << (hash >> 6 & 63)
	       | (uint64_t)1 << (hash >> 12 & 63) | (uint64_t)1 << (hash >> 18 & 63);
}

/* A row's nodes carry a scope as the length of a key, so that "x" is more specific than ".x". */
static inline uint8_t names_scope_len(unsigned scope)
{
	return (uint8_t)(SCOPE_BOTH - scope);
}
