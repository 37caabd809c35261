/* collect.h - the builder's insides, shared by builder.c (collects), order.c (sorts) and write.c. */
#pragma once

#include "index/bins.h"
#include "index/builder.h"
#include "index/format.h"

/* Entries with keys of one width, in columns; a column that would hold nothing but zeros is NULL. */
struct column_table {
	uint8_t *keys;	   /* width bytes each: u32, u64, or two u64 (high, low) */
	uint32_t *values;  /* ids of the set, or BUILDER_EXCLUDED; NULL: all 0 */
	uint32_t *expires; /* NULL: all never */
	size_t count, cap;
	struct bins *bins; /* where the keys are while they are many; NULL: in keys */
	uint8_t width;
};

struct name_table {
	char *heap; /* wire bytes, back to back */
	size_t heap_len, heap_cap;
	struct name_entry *items;
	size_t count, cap;
	bool expires;
};

struct name_entry {
	uint64_t hash; /* hash_end() of its hash_name() */
	size_t at; /* in the heap */
	uint32_t value, expires;
	uint8_t len, scope;
};

struct builder_set {
	struct builder *owner;
	char name[BUILDER_NAME_MAX + 1];
	size_t name_len;
	struct buf meta; /* encoded */
	enum set_rule rule;
	struct column_table ip4[33], ip6[129];
	struct name_table names;
	struct built_value *values;
	size_t value_count, value_cap;
	uint64_t *value_slots; /* open addressing: low half of a value's hash, then id + 1 */
	size_t slot_count; /* a power of two */
	char *text; /* templates, back to back */
	size_t text_len, text_cap;
	uint32_t value_base; /* told by the writer: how many values earlier sets have */
	uint64_t entries; /* told by the writer: after doubles went */
};

struct built_value {
	uint64_t hash;
	size_t text_at;
	uint32_t text_len, code;
};

struct builder {
	uint64_t serial;
	const struct parallel *parallel; /* NULL: no help */
	uint8_t seed[16];
	uint64_t name_key; /* hash_key() of it */
	struct builder_set **sets;
	size_t set_count, set_cap;
	uint64_t doubles; /* told by the writer */
};

/* Sorts by key (order of adding kept among equals), drops doubles by the rule, exclusions first. */
void order_table(struct column_table *t, enum set_rule rule, const struct parallel *p);

struct kept {
	uint32_t value, expires;
};
/* Adds one of several entries of the same key to the n kept (at most FORMAT_VALUES_PER_KEY) and returns
 * how many there are then; exclusions come first. */
size_t order_keep(struct kept kept[], size_t n, struct kept e, enum set_rule rule);
void column_table_done(struct column_table *t);
