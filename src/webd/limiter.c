/* limiter.c - buckets of tokens in a keyed hash table, four places for each hash. */
#include "webd/limiter.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/siphash.h"

#define WAYS 4

/* The generic cell rate algorithm: one instant per bucket instead of a count and a time. */
struct bucket {
	struct ip ip;
	int64_t full_at_ms; /* when it will be full again; past: it is full */
};

struct limiter {
	uint8_t key[16];
	size_t sets;
	int64_t interval_ms, depth_ms;
	struct bucket buckets[];
};

struct limiter *limiter_new(size_t slots, long burst, int64_t interval_ms, const uint8_t key[16])
{
	size_t sets = MAX(slots / WAYS, (size_t)1);
	struct limiter *l = mem_new(1, sizeof *l + sets * WAYS * sizeof l->buckets[0]);

	memcpy(l->key, key, sizeof l->key);
	l->sets = sets;
	l->interval_ms = interval_ms;
	l->depth_ms = interval_ms * burst;
	return l;
}

struct limiter *limiter_free(struct limiter *l)
{
	free(l);
	return NULL;
}

bool limiter_take(struct limiter *l, const struct ip *ip, int64_t now_mono_ms, int64_t *ret_wait_ms)
{
	struct ip key = prefix_of(ip, ip->family == 6 ? 64 : 32).ip;
	uint64_t hash = siphash(l->key, slice_of(&key, sizeof key));
	struct bucket *set = &l->buckets[hash % l->sets * WAYS], *b = set;
	int64_t full_at_ms;

	for (size_t i = 0; i < WAYS; i++) {
		if (ip_eq(&set[i].ip, &key)) {
			b = &set[i];
			break;
		}
		if (set[i].full_at_ms < b->full_at_ms)
			b = &set[i];
	}
	if (!ip_eq(&b->ip, &key))
		*b = (struct bucket){.ip = key, .full_at_ms = now_mono_ms};
	full_at_ms = MAX(b->full_at_ms, now_mono_ms) + l->interval_ms;
	if (full_at_ms - now_mono_ms > l->depth_ms) {
		*ret_wait_ms = full_at_ms - now_mono_ms - l->depth_ms;
		return false;
	}
	b->full_at_ms = full_at_ms;
	return true;
}
