/* cache.c - a chained hash table with a list of use. Pure. */
#include "resolve/cache.h"

#include "base/mem.h"
#include "base/siphash.h"

#include <stdlib.h>
#include <sys/queue.h>

#define ENTRY_BYTES_MAX ((size_t)8 * 1024)

struct entry {
	TAILQ_ENTRY(entry) use; /* the list of use, last used first */
	struct entry *next;	/* in its bucket */
	size_t bucket;
	uint32_t upstream;
	uint16_t type;
	uint16_t count;
	enum resolve_status status;
	int64_t expires_ms;
	struct domain name;
	struct slice records[]; /* and behind them their bytes */
};

struct cache {
	uint8_t secret[16];
	size_t limit, count, bucket_count;
	TAILQ_HEAD(entry_list, entry) use;
	struct entry *buckets[];
};

struct cache *cache_new(size_t entries, const uint8_t secret[16])
{
	size_t buckets = 64;
	struct cache *c;

	while (buckets < entries && buckets < (size_t)1 << 24)
		buckets *= 2;
	c = mem_new(1, sizeof *c + buckets * sizeof c->buckets[0]);
	memcpy(c->secret, secret, sizeof c->secret);
	c->limit = entries;
	c->bucket_count = buckets;
	TAILQ_INIT(&c->use);
	return c;
}

static void entry_remove(struct cache *c, struct entry *e)
{
	struct entry **at = &c->buckets[e->bucket];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	TAILQ_REMOVE(&c->use, e, use);
	c->count--;
	free(e);
}

struct cache *cache_free(struct cache *c)
{
	if (!c)
		return NULL;
	while (!TAILQ_EMPTY(&c->use))
		entry_remove(c, TAILQ_FIRST(&c->use));
	free(c);
	return NULL;
}

static size_t cache_bucket(const struct cache *c, const struct cache_key *key)
{
	uint8_t bytes[DOMAIN_WIRE_MAX + 6];
	size_t len = key->name->len;

	memcpy(bytes, key->name->wire, len);
	memcpy(bytes + len, &key->upstream, 4);
	memcpy(bytes + len + 4, &key->type, 2);
	return siphash(c->secret, slice_of(bytes, len + 6)) & (c->bucket_count - 1);
}

static struct entry *cache_entry(struct cache *c, const struct cache_key *key, size_t bucket)
{
	struct entry *e = c->buckets[bucket];

	while (e
		&& (e->upstream != key->upstream || e->type != key->type
			|| !domain_eq(&e->name, key->name)))
		e = e->next;
	return e;
}

void cache_put(struct cache *c, const struct cache_key *key, const struct resolve_answer *answer,
	int64_t now_ms)
{
	size_t bucket = cache_bucket(c, key), bytes = 0;
	struct entry *e = cache_entry(c, key, bucket);
	char *at;

	if (e)
		entry_remove(c, e);
	for (size_t i = 0; i < answer->count; i++)
		bytes += answer->records[i].len;
	if (answer->ttl_s == 0 || bytes > ENTRY_BYTES_MAX || answer->count > RESOLVE_RECORDS_MAX)
		return;
	if (c->count >= c->limit)
		entry_remove(c, TAILQ_LAST(&c->use, entry_list));
	e = mem_new(1, sizeof *e + answer->count * sizeof e->records[0] + bytes);
	e->bucket = bucket;
	e->upstream = key->upstream;
	e->type = key->type;
	e->name = *key->name;
	e->status = answer->status;
	e->expires_ms = now_ms + (int64_t)answer->ttl_s * 1000;
	e->count = (uint16_t)answer->count;
	at = (char *)&e->records[answer->count];
	for (size_t i = 0; i < answer->count; i++) {
		if (answer->records[i].len)
			memcpy(at, answer->records[i].ptr, answer->records[i].len);
		e->records[i] = slice_of(at, answer->records[i].len);
		at += answer->records[i].len;
	}
	e->next = c->buckets[bucket];
	c->buckets[bucket] = e;
	TAILQ_INSERT_HEAD(&c->use, e, use);
	c->count++;
}

bool cache_find(
	struct cache *c, const struct cache_key *key, int64_t now_ms, struct resolve_answer *ret)
{
	struct entry *e = cache_entry(c, key, cache_bucket(c, key));

	if (!e)
		return false;
	if (now_ms >= e->expires_ms) {
		entry_remove(c, e);
		return false;
	}
	TAILQ_REMOVE(&c->use, e, use);
	TAILQ_INSERT_HEAD(&c->use, e, use);
	*ret = (struct resolve_answer){
		.status = e->status,
		.ttl_s = (uint32_t)((e->expires_ms - now_ms + 999) / 1000),
		.count = e->count,
		.records = e->records,
	};
	return true;
}

size_t cache_count(const struct cache *c)
{
	return c->count;
}
