/* cache.h - answers kept for as long as they are good, a bounded number of them; the one not used for
 * the longest time makes room. Pure: the time is an argument. */
#pragma once

#include "resolve/resolve.h"

struct cache;

/* What an answer is kept under. */
struct cache_key {
	uint32_t upstream; /* answers of different servers are never mixed */
	uint16_t type;
	const struct domain *name;
};

/* secret: names come from strangers, so the table's hash is keyed. entries >= 1. */
struct cache *cache_new(size_t entries, const uint8_t secret[16]);
struct cache *cache_free(struct cache *c); /* NULL is fine; returns NULL */

/* Keeps a copy for answer->ttl_s seconds (0: not kept) in place of an older one. Answers of more than
 * 8 KiB are not kept. */
void cache_put(struct cache *c, const struct cache_key *key, const struct resolve_answer *answer,
	int64_t now_ms);
/* False when there is none that is still good. *ret borrows until the next cache_put(); its ttl_s is
 * what is left. */
bool cache_find(
	struct cache *c, const struct cache_key *key, int64_t now_ms, struct resolve_answer *ret);
size_t cache_count(const struct cache *c);
