/* rate.c - response rate limiting. */
#include "dnsd/answer/rate.h"

#include "base/mem.h"
#include "base/siphash.h"

#define BUCKETS 16384 /* 1 MB */
#define WAYS 4

/* One cache line: the accounts of some networks, each in a column. */
struct bucket {
	_Alignas(64) uint32_t tag[WAYS];
	uint32_t second[WAYS]; /* that the counters are of */
	uint32_t count[WAYS], over[WAYS];
};

struct rate {
	uint32_t limit, slip;
	uint8_t key[16];
	struct bucket buckets[BUCKETS];
};

struct rate *rate_new(uint32_t limit, uint32_t slip, const uint8_t key[16])
{
	struct rate *r = aligned_alloc(64, sizeof *r);

	if (!r)
		abort();
	memset(r, 0, sizeof *r);
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
static bool matters_less(const struct bucket *b, unsigned x, unsigned y, uint32_t now_s)
{
	uint32_t age_x = now_s - b->second[x], age_y = now_s - b->second[y];

	return age_x > age_y || (age_x == age_y && b->count[x] < b->count[y]);
}

static unsigned make_room(struct bucket *b, uint32_t tag, uint32_t now_s)
{
	unsigned least = 0;

	for (unsigned i = 1; i < WAYS; i++)
		if (matters_less(b, i, least, now_s))
			least = i;
	b->tag[least] = tag;
	b->second[least] = now_s;
	b->count[least] = b->over[least] = 0;
	return least;
}

/* The account of that tag; without one, the least of the bucket becomes it. Looks at all tags whatever the
 * first ones say: a branch that nobody can foresee costs more than that. */
static unsigned find(struct bucket *b, uint32_t tag, uint32_t now_s)
{
	unsigned found = 0;

	for (unsigned i = 0; i < WAYS; i++)
		found |= (unsigned)(b->tag[i] == tag) << i;
	return found ? (unsigned)__builtin_ctz(found) : make_room(b, tag, now_s);
}

enum rate_verdict rate_check(
	struct rate *r, const struct ip *peer, enum rate_kind kind, int64_t now_s)
{
	uint64_t hash = hash_of(r, peer, kind);
	struct bucket *b = &r->buckets[hash % BUCKETS];
	unsigned i = find(b, (uint32_t)(hash >> 32), (uint32_t)now_s);

	if (b->second[i] != (uint32_t)now_s) {
		b->second[i] = (uint32_t)now_s;
		b->count[i] = b->over[i] = 0;
	}
	if (b->count[i] < r->limit) {
		b->count[i]++;
		return RATE_PASS;
	}
	return r->slip && ++b->over[i] % r->slip == 0 ? RATE_SLIP : RATE_DROP;
}
