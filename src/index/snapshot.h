/* snapshot.h - a read-only view of the bytes builder.c writes (mapped, not parsed): several sets of
 * prefixes and names. One CRC32C covers every byte, and every offset is checked at open, so lookups
 * trust. The format stands in docs/decisions/0014-inside-a-snapshot.md. Many threads may read. */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "index/meta.h"
#include "index/value.h"

struct snapshot;

/* Most entries that may cover one question, and thus the room `hits` needs. */
#define SNAPSHOT_HITS_MAX 128

/* bytes must stay mapped, and 8-byte aligned, until snapshot_close(); they are not owned. NULL: cut
 * short, changed, of another version or byte order, with words in err. Costs one pass over the bytes. */
struct snapshot *snapshot_open(struct slice bytes, struct err *err);
struct snapshot *snapshot_close(struct snapshot *s); /* NULL is fine; returns NULL */

const uint8_t *snapshot_seed(const struct snapshot *s); /* 16 bytes: the key of its hashes */
uint64_t snapshot_serial(const struct snapshot *s);
size_t snapshot_set_count(const struct snapshot *s);
struct slice snapshot_set_name(const struct snapshot *s, size_t set);
const struct set_meta *snapshot_set_meta(const struct snapshot *s, size_t set);
/* The first set of that name; false when there is none. */
bool snapshot_set_find(const struct snapshot *s, struct slice name, size_t *ret_set);
uint64_t snapshot_set_entries(const struct snapshot *s, size_t set);

/* Every entry of any set in force at now_s that covers the question: sets ascending, in each most
 * specific first ("x" before ".x"), exclusions before values of the same key; returns how many, at most
 * SNAPSHOT_HITS_MAX. What they amount to says index_select() (index.h). */
size_t snapshot_find_ip4(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit hits[]);
size_t snapshot_find_ip6(
	const struct snapshot *s, const uint8_t address[16], int64_t now_s, struct hit hits[]);
/* name: wire form, lower case, with the root label at the end; labels without it. */
size_t snapshot_find_name(const struct snapshot *s, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[]);

/* An entry as it was added. */
struct snapshot_name {
	struct domain name;
	enum scope scope;
	struct value value;
	int64_t expires_s; /* 0: never */
	uint64_t at;	   /* of the name, for going on there */
	uint16_t set;
	bool excluded;
};

/* Shows fn every name's entries in every set once, expired ones too, in no order but that all of a name
 * stand together: more specific scopes first, in one scope sets ascending, exclusions before values.
 * from: 0, or the `at` of a name shown before, to begin with that. Otherwise as snapshot_each_prefix(). */
bool snapshot_each_name(const struct snapshot *s, uint64_t from,
	bool (*fn)(const struct snapshot_name *e, void *ctx), void *ctx);

struct snapshot_prefix {
	struct prefix prefix;
	struct value value;
	int64_t expires_s; /* 0: never */
	uint16_t set;
	bool excluded;
};

/* Shows fn every prefix of every set once, expired ones too: IPv4 before IPv6, each by address, at one
 * address short prefixes first, of one prefix sets ascending, exclusions before values of the same key.
 * from: those at smaller addresses are left out at no cost; NULL: none is. (A transfer goes on where its
 * last message ended.) fn returns false to end it; false then. What fn sees lives until it returns, except
 * value.text, which lives as long as the snapshot. */
bool snapshot_each_prefix(const struct snapshot *s, const struct ip *from,
	bool (*fn)(const struct snapshot_prefix *p, void *ctx), void *ctx);
