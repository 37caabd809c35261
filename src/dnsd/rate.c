/* rate.c - response rate limiting. */
#include "dnsd/rate.h"

#include "base/mem.h"
#include "base/siphash.h"

#define BUCKETS 16384 /* of one cache line each: 1 MB */
#define WAYS 4

struct account {
	uint32_t tag;
	uint32_t second; /* that the counters are of */
	uint32_t count, over;
};

struct rate {
	uint32_t limit, slip;
	uint8_t key[16];
	struct account accounts[BUCKETS][WAYS];
};

struct rate *rate_new(uint32_t limit, uint32_t slip, const uint8_t key[16])
{
	struct rate *r = mem_new(1, sizeof *r);

	r->limit = limit;
	r->slip = slip;
	memcpy(r->key, key, sizeof r->key);
	return r;
}

struct rate *rate_free(struct rate *r)
{
	free(r);
	return NULL;
}

static uint64_t hash_of(const struct rate *r, const struct ip *peer, enum rate_kind kind)
{
	uint8_t in[8] = {(uint8_t)(peer->family | (unsigned)kind << 4)};

	memcpy(in + 1, peer->bytes, peer->family == 6 ? 7 : 3);
	return siphash(r->key, slice_of(in, sizeof in));
}

/* Silent for longer, or as long and got less. */
static bool matters_less(const struct account *a, const struct account *b, uint32_t now_s)
{
	uint32_t age_a = now_s - a->second, age_b = now_s - b->second;

	return age_a > age_b || (age_a == age_b && a->count < b->count);
}

/* The account of that tag; without one, the least of the bucket becomes it. */
static struct account *find(struct account *bucket, uint32_t tag, uint32_t now_s)
{
	struct account *least = bucket;

	for (unsigned i = 0; i < WAYS; i++) {
		if (bucket[i].tag == tag)
			return &bucket[i];
		if (matters_less(&bucket[i], least, now_s))
			least = &bucket[i];
	}
	*least = (struct account){.tag = tag, .second = now_s};
	return least;
}

enum rate_verdict rate_check(
	struct rate *r, const struct ip *peer, enum rate_kind kind, int64_t now_s)
{
	uint64_t hash = hash_of(r, peer, kind);
	struct account *a =
		find(r->accounts[hash % BUCKETS], (uint32_t)(hash >> 32), (uint32_t)now_s);

	if (a->second != (uint32_t)now_s) {
		a->second = (uint32_t)now_s;
		a->count = a->over = 0;
	}
	if (a->count < r->limit) {
		a->count++;
		return RATE_PASS;
	}
	return r->slip && ++a->over % r->slip == 0 ? RATE_SLIP : RATE_DROP;
}
