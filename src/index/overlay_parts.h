/* overlay_parts.h - the overlay's insides: shared by overlay.c (changes, copies) and overlay_find.c
 * (reads). */
#pragma once

#include "index/hash.h"
#include "index/overlay.h"

#include <stdatomic.h>

struct record {
	_Atomic(struct record *) next; /* of the same key, by set, then by scope */
	uint64_t hash;
	int64_t expires_s;
	uint32_t code, text_len;
	uint16_t set;
	bool listed;
	uint8_t len;   /* prefix length, or labels */
	uint8_t scope; /* of a name; 4 or 6 for addresses */
	uint8_t key_len;
	uint8_t bytes[]; /* key (an address whose host bits are 0, or a wire name), then text */
};

typedef _Atomic(struct record *) record_slot;

/* Open addressing, never more than half full. Most questions end at a tag, which is 0 in a free slot. */
struct table {
	size_t size, count; /* count: keys, the writer's */
	_Atomic uint8_t *tags;
	record_slot slots[];
};

enum { FAMILY_IP4, FAMILY_IP6, FAMILY_NAME, FAMILIES };

struct family {
	_Atomic(struct table *) table;
	_Atomic uint64_t lens[3]; /* prefix lengths, or counts of labels, that are in use */
};

struct retired {
	void **items;
	size_t count, cap;
};

struct overlay {
	struct family families[FAMILIES];
	uint64_t key;
	_Atomic size_t count;
	struct retired fresh, waiting;
	bool in_grace;
};

struct key {
	uint64_t hash;
	uint8_t len, key_len;
	const uint8_t *bytes;
};

/* size: of the address's bytes. */
static inline struct key key_of_address(
	const struct overlay *o, const uint8_t *bytes, size_t size, unsigned len)
{
	uint64_t chunk = len, h = 0;

	for (size_t i = 0; i < size; i++) {
		chunk = chunk << 8 | bytes[i];
		if (i % 6 == 5) {
			h = hash_step(h, chunk, o->key);
			chunk = 0;
		}
	}
	h = hash_step(h, chunk, o->key);
	return (struct key){hash_end(h), (uint8_t)len, (uint8_t)size, bytes};
}

static inline struct key key_of_prefix(const struct overlay *o, const struct prefix *p)
{
	return key_of_address(o, p->ip.bytes, p->ip.family == 4 ? 4 : 16, p->len);
}

static inline struct key key_of_name(const struct overlay *o, const struct domain *d)
{
	uint64_t h = hash_name(d->wire, d->len, o->key);

	return (struct key){hash_end(h), d->labels, d->len, d->wire};
}

static inline size_t first_slot(const struct table *t, uint64_t hash)
{
	return (size_t)(hash >> 32) & (t->size - 1);
}

/* The slot of the key's chain, NULL when there is none. */
static inline record_slot *slot_of(struct table *t, const struct key *k)
{
	const uint8_t want = hash_tag(k->hash);
	uint8_t tag;

	for (size_t i = first_slot(t, k->hash);; i = (i + 1) & (t->size - 1)) {
		const struct record *r;

		tag = atomic_load_explicit(&t->tags[i], memory_order_acquire);
		if (!tag)
			return NULL;
		if (tag != want)
			continue;
		r = atomic_load_explicit(&t->slots[i], memory_order_acquire);
		if (r->hash == k->hash && r->len == k->len && r->key_len == k->key_len
			&& memcmp(r->bytes, k->bytes, k->key_len) == 0)
			return &t->slots[i];
	}
}

static inline struct table *table_of(const struct overlay *o, size_t family)
{
	return atomic_load_explicit(
		&((struct overlay *)o)->families[family].table, memory_order_acquire);
}

static inline struct record *next_of(const struct record *r)
{
	return atomic_load_explicit(&((struct record *)r)->next, memory_order_acquire);
}

static inline uint64_t lens_of(const struct overlay *o, size_t family, unsigned word)
{
	return atomic_load_explicit(
		&((struct overlay *)o)->families[family].lens[word], memory_order_acquire);
}
