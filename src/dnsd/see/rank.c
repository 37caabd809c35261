/* rank.c - the most frequent of many keys: a hash table of places, and a heap with the least of them on top. */
#include "dnsd/see/rank.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/siphash.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct place {
	struct rank_entry entry;
	uint32_t bucket, next; /* of the same bucket */
	uint32_t heap_at;
};

struct rank {
	uint8_t seed[16];
	uint32_t places, count, buckets; /* buckets: a power of two */
	struct place *all;
	uint32_t *first; /* of each bucket */
	uint32_t *heap;
};

struct rank *rank_new(size_t places, const uint8_t seed[16])
{
	struct rank *r = mem_new(1, sizeof *r);

	memcpy(r->seed, seed, sizeof r->seed);
	r->places = (uint32_t)places;
	for (r->buckets = 1; r->buckets < 2 * r->places;)
		r->buckets *= 2;
	r->all = mem_new(places, sizeof *r->all);
	r->heap = mem_new(places, sizeof *r->heap);
	r->first = mem_new(r->buckets, sizeof *r->first);
	rank_clear(r);
	return r;
}

struct rank *rank_free(struct rank *r)
{
	if (!r)
		return NULL;
	free(r->all);
	free(r->heap);
	free(r->first);
	free(r);
	return NULL;
}

void rank_clear(struct rank *r)
{
	r->count = 0;
	memset(r->first, 0xff, r->buckets * sizeof *r->first); /* NONE */
}

/* ---- the heap ---- */

static double weight_at(const struct rank *r, uint32_t at)
{
	return r->all[r->heap[at]].entry.weight;
}

static void heap_put(struct rank *r, uint32_t at, uint32_t place)
{
	r->heap[at] = place;
	r->all[place].heap_at = at;
}

static void heap_up(struct rank *r, uint32_t at)
{
	uint32_t place = r->heap[at];

	while (at > 0 && weight_at(r, (at - 1) / 2) > r->all[place].entry.weight) {
		heap_put(r, at, r->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(r, at, place);
}

static void heap_down(struct rank *r, uint32_t at)
{
	uint32_t place = r->heap[at], child;

	while ((child = 2 * at + 1) < r->count) {
		if (child + 1 < r->count && weight_at(r, child + 1) < weight_at(r, child))
			child++;
		if (weight_at(r, child) >= r->all[place].entry.weight)
			break;
		heap_put(r, at, r->heap[child]);
		at = child;
	}
	heap_put(r, at, place);
}

/* ---- the table ---- */

static uint32_t find(const struct rank *r, uint32_t bucket, struct slice key)
{
	uint32_t i = r->first[bucket];

	while (i != NONE && !slice_eq(slice_of(r->all[i].entry.key, r->all[i].entry.len), key))
		i = r->all[i].next;
	return i;
}

static void unlink_place(struct rank *r, uint32_t place)
{
	uint32_t *link = &r->first[r->all[place].bucket];

	while (*link != place)
		link = &r->all[*link].next;
	*link = r->all[place].next;
}

static void set_key(struct rank *r, uint32_t place, uint32_t bucket, struct slice key)
{
	struct place *p = &r->all[place];

	memcpy(p->entry.key, key.ptr, key.len);
	p->entry.len = (uint8_t)key.len;
	p->bucket = bucket;
	p->next = r->first[bucket];
	r->first[bucket] = place;
}

void rank_add(struct rank *r, struct slice key, double weight)
{
	uint32_t bucket, i;

	key = slice_take(key, RANK_KEY_MAX);
	bucket = (uint32_t)siphash(r->seed, key) & (r->buckets - 1);
	i = find(r, bucket, key);
	if (i == NONE && r->count < r->places) {
		i = r->count++;
		r->all[i].entry.weight = weight;
		r->all[i].entry.error = 0;
		set_key(r, i, bucket, key);
		heap_put(r, i, i);
		heap_up(r, i);
		return;
	}
	if (i == NONE) { /* the least gives way; the new one may have had as much before */
		i = r->heap[0];
		unlink_place(r, i);
		r->all[i].entry.error = r->all[i].entry.weight;
		set_key(r, i, bucket, key);
	}
	r->all[i].entry.weight += weight;
	heap_down(r, r->all[i].heap_at);
}

void rank_fade(struct rank *r, double factor)
{
	for (uint32_t i = 0; i < r->count; i++) {
		r->all[i].entry.weight *= factor;
		r->all[i].entry.error *= factor;
	}
}

/* ---- the most frequent ---- */

static int by_least(const void *a, const void *b)
{
	const struct rank_entry *const *x = a, *const *y = b;
	double left = (*x)->weight - (*x)->error, right = (*y)->weight - (*y)->error;
	int order;

	if (left != right)
		return left < right ? 1 : -1;
	order = memcmp((*x)->key, (*y)->key, MIN((*x)->len, (*y)->len));
	return order ? order : (int)(*x)->len - (int)(*y)->len;
}

size_t rank_top(const struct rank *r, struct rank_entry ret[], size_t max)
{
	const struct rank_entry **order = mem_new(r->count + 1u, sizeof *order);
	size_t n = MIN(max, r->count);

	for (uint32_t i = 0; i < r->count; i++)
		order[i] = &r->all[i].entry;
	qsort(order, r->count, sizeof *order, by_least);
	for (size_t i = 0; i < n; i++)
		ret[i] = *order[i];
	free(order);
	return n;
}
