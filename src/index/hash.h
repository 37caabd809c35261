/* hash.h - the keyed hash of the index's tables of names and changes: a polynomial over the integers
 * modulo 2^61 - 1 whose point is the key (Carter and Wegman, 1979). Who does not know the key makes two
 * given names of n chunks meet with a chance of at most n / 2^59, so who fills a list cannot aim at a
 * bucket. One multiplication takes in 7 bytes, and a name grows label by label from the root: one pass
 * gives the hash of every suffix. */
#pragma once

#include "base/siphash.h"

#include <endian.h>

#define HASH_PRIME ((UINT64_C(1) << 61) - 1)
#define HASH_DEPTH_MAX 127 /* labels of the longest name */

/* The key for one seed. Below 2^60, so that hash_step() needs no last reduction to stay in 64 bits. */
static inline uint64_t hash_key(const uint8_t seed[16])
{
	return siphash(seed, SLICE("index")) >> 4 | 1;
}

/* chunk: below 2^56. */
static inline uint64_t hash_step(uint64_t h, uint64_t chunk, uint64_t key)
{
	unsigned __int128 x = (unsigned __int128)(h + chunk) * key;

	return ((uint64_t)x & HASH_PRIME) + (uint64_t)(x >> 61);
}

/* What tables use of it: buckets by the upper half, tags by hash_tag(). */
static inline uint64_t hash_end(uint64_t h)
{
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

/* Never 0. */
static inline uint8_t hash_tag(uint64_t hash)
{
	uint8_t tag = (uint8_t)(hash >> 24);

	return tag ? tag : 1;
}

/* 0..count-1 */
static inline uint64_t hash_place(uint64_t hash, uint64_t count)
{
	return (hash >> 32) * count >> 32;
}

/* n bytes (1 to 7) at p, which lie between begin and end. */
static inline uint64_t hash_chunk(
	const uint8_t *p, size_t n, const uint8_t *begin, const uint8_t *end)
{
	uint64_t v = 0;

	if (end - p >= 8) {
		memcpy(&v, p, 8);
		v = le64toh(v);
	} else if (end - begin >= 8) { /* a name's last label: read so as to end there */
		memcpy(&v, end - 8, 8);
		v = le64toh(v) >> 8 * (8 - (end - p));
	} else {
		for (size_t i = 0; i < n; i++)
			v |= (uint64_t)p[i] << 8 * i;
	}
	return v & UINT64_MAX >> (64 - 8 * n);
}

/* A name's suffixes: with d labels it begins at at[d] and hashes to hash[d] (for tables: hash_end()). */
struct hash_suffixes {
	const uint8_t *at[HASH_DEPTH_MAX + 1];
	uint64_t hash[HASH_DEPTH_MAX + 1];
};

/* Those of up to `deepest` labels. name: wire form with the root label at its end; it must be valid. */
static inline void hash_suffixes(struct hash_suffixes *s, const uint8_t *name, size_t len,
	unsigned labels, unsigned deepest, uint64_t key)
{
	const uint8_t *begin = name, *end = name + len, *p;
	uint64_t h = 0;

	for (; labels > deepest; labels--)
		name += name[0] + 1;
	for (unsigned d = labels; d; d--) {
		s->at[d] = name;
		name += name[0] + 1;
	}
	s->at[0] = name;
	s->hash[0] = 0;
	for (unsigned d = 1; d <= labels; d++) {
		size_t n = s->at[d][0] + 1u;

		for (p = s->at[d]; n > 7; p += 7, n -= 7)
			h = hash_step(h, hash_chunk(p, 7, begin, end), key);
		h = hash_step(h, hash_chunk(p, n, begin, end), key);
		s->hash[d] = h;
	}
}

/* Of a whole name. */
static inline uint64_t hash_name(const uint8_t *name, size_t len, uint64_t key)
{
	struct hash_suffixes s;
	unsigned labels = 0;

	for (const uint8_t *p = name; p[0]; p += p[0] + 1)
		labels++;
	hash_suffixes(&s, name, len, labels, labels, key);
	return s.hash[labels];
}
