/* quota.c - questions of clients, counted. */
#include "dnsd/answer/quota.h"

#include "base/mem.h"

#include <stdatomic.h>

#define BUCKETS 65536 /* of 128 bytes each: 8 MB, of which only what is used takes memory */
#define WAYS 5
#define TRIES 64
#define DAY_S 86400

struct count {
	uint64_t client;
	uint32_t day, of_day, second, of_second;
};

struct bucket {
	_Alignas(128) atomic_flag busy;
	struct count counts[WAYS];
};

struct quota {
	struct bucket buckets[BUCKETS];
};

struct quota *quota_new(void)
{
	struct quota *q = aligned_alloc(128, sizeof *q);

	if (!q)
		abort();
	memset(q, 0, sizeof *q);
	return q;
}

struct quota *quota_free(struct quota *q)
{
	free(q);
	return NULL;
}

/* Of its client, of an older day, or the least: the first that there is. */
static struct count *find(struct bucket *b, uint64_t client, uint32_t day)
{
	struct count *least = &b->counts[0];

	for (unsigned i = 0; i < WAYS; i++) {
		struct count *c = &b->counts[i];
		if (c->client == client)
			return c;
		if (least->day == day && (c->day != day || c->of_day < least->of_day))
			least = c;
	}
	*least = (struct count){.client = client, .day = day};
	return least;
}

static bool count_one(
	struct bucket *b, uint64_t client, const struct quota_limit *limit, int64_t now_s)
{
	uint32_t day = (uint32_t)(now_s / DAY_S), second = (uint32_t)now_s;
	struct count *c = find(b, client, day);

	if (c->day != day) {
		c->day = day;
		c->of_day = 0;
	}
	if (c->second != second) {
		c->second = second;
		c->of_second = 0;
	}
	c->of_day += c->of_day != UINT32_MAX;
	c->of_second++;
	return (limit->day && c->of_day > limit->day)
	       || (limit->second && c->of_second > limit->second);
}

bool quota_over(struct quota *q, uint64_t client, const struct quota_limit *limit, int64_t now_s)
{
	struct bucket *b = &q->buckets[client % BUCKETS];
	unsigned tries = 0;
	bool over;

	while (atomic_flag_test_and_set_explicit(&b->busy, memory_order_acquire))
		if (++tries == TRIES)
			return false;
	over = count_one(b, client, limit, now_s);
	atomic_flag_clear_explicit(&b->busy, memory_order_release);
	return over;
}
