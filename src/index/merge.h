/* merge.h - the sorted tables of several sets (collect.h) walked as one, key by key: what the writers of
 * a snapshot's parts read. */
#pragma once

#include "index/collect.h"

struct merge_entry {
	uint32_t value;	  /* 0 an exclusion, else 1 + a number among the file's values */
	uint32_t expires; /* 0 never */
	uint16_t set;
	uint8_t len;
};

/* IPv4: high is address << 6 | length, so that at one address short prefixes come first. IPv6: the two
 * halves of the address. */
struct merge_key {
	uint64_t high, low;
};

struct merge_cursor {
	struct column_table *table;
	const struct builder_set *owner;
	size_t at;
	struct merge_key key; /* at `at` */
	uint16_t set;
	uint8_t len;
};

struct merge {
	struct merge_cursor *heap; /* the smallest key first, of equals the lowest set */
	size_t count, cap;
	struct merge_entry *entries; /* at the last key */
	size_t entry_count, entry_cap;
};

/* An empty table adds nothing. Tables are freed as soon as they are read. */
void merge_add(
	struct merge *m, struct builder *b, size_t set, unsigned len, struct column_table *t);
/* The next key's entries: m->entries, sets ascending, exclusions first. False at the end. */
bool merge_next(struct merge *m, struct merge_key *ret);
void merge_done(struct merge *m);
/* What builder_set calls `id`. */
static inline uint32_t merge_value(const struct builder_set *s, uint32_t id)
{
	return id == BUILDER_EXCLUDED ? 0 : s->value_base + id + 1;
}
