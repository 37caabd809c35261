/* builder.h - collects sets of entries in memory and writes them as one snapshot (snapshot.h). One
 * thread. Entries may come in any order. */
#pragma once

#include "base/buf.h"
#include "base/domain.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/parallel.h"
#include "index/meta.h"
#include "index/value.h"

struct builder;
struct builder_set;

#define BUILDER_EXCLUDED UINT32_MAX /* the value of an entry that is an exclusion */
#define BUILDER_NAME_MAX 255	    /* of a set */

/* seed: keys the hash of domain names, so that who fills a list cannot aim at one bucket; any 16
 * bytes, random ones from who can (builder code has no clock and no randomness of its own). */
struct builder *builder_new(uint64_t serial, const uint8_t seed[16]);
struct builder *builder_free(struct builder *b); /* NULL is fine; returns NULL */
/* Who helps with what can be done side by side; borrowed. NULL, as at first: nobody. */
void builder_set_parallel(struct builder *b, const struct parallel *p);
const struct parallel *builder_parallel(const struct builder *b);

/* A new set behind those there are; it belongs to the builder. Names need not differ; a lookup by
 * name finds the first. */
struct builder_set *builder_set_new(
	struct builder *b, struct slice name, const struct set_meta *meta);
void builder_set_meta(struct builder_set *s, const struct set_meta *meta); /* replaces it */

/* An id of this set's table of values; the same value gets the same id. The first id is 0. */
uint32_t builder_value(struct builder_set *s, uint32_t code, struct slice text);
size_t builder_value_count(const struct builder_set *s);
struct value builder_value_at(const struct builder_set *s, uint32_t id);
/* Gives an id another text, for templates that are complete only at the end of the source. */
void builder_value_retext(struct builder_set *s, uint32_t id, struct slice text);

/* Under SET_ALL and SET_OCTETS a key keeps 16 different values; further ones are dropped.
 * value: an id of this set, or BUILDER_EXCLUDED. expires_s: unix seconds, 0 never, 1..2^32-1. Bits
 * behind len must be zero. */
void builder_add_ip4(
	struct builder_set *s, uint32_t address, unsigned len, uint32_t value, int64_t expires_s);
/* Many addresses (/32) of one value that never expire. */
void builder_add_ip4s(
	struct builder_set *s, const uint32_t *addresses, size_t count, uint32_t value);
void builder_add_ip6(struct builder_set *s, const uint8_t address[16], unsigned len, uint32_t value,
	int64_t expires_s);
void builder_add_prefix(
	struct builder_set *s, const struct prefix *p, uint32_t value, int64_t expires_s);
/* Every address from first to last, as the fewest prefixes. */
void builder_add_range4(
	struct builder_set *s, uint32_t first, uint32_t last, uint32_t value, int64_t expires_s);
/* The root (labels 0) means every name for SCOPE_BELOW. */
void builder_add_name(struct builder_set *s, const struct domain *name, enum scope scope,
	uint32_t value, int64_t expires_s);

/* Writes the snapshot to an empty buf and frees the entries on the way (they are needed no more:
 * only builder_free() may follow). False: over the buf's limit, or a part outgrew 32 bits. */
bool builder_write(struct builder *b, struct buf *to, struct err *err);
/* After builder_write(): addresses and prefixes that fell to others of the same key by their set's rule. */
uint64_t builder_doubles(const struct builder *b);
