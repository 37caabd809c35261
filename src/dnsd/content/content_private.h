/* content_private.h - inside of a zone's contents: for content*.c alone. */
#pragma once

#include "dnsd/content/content.h"

/* An IPv4 address stands in the upper 32 bits, so that both families walk the same way. */
typedef unsigned __int128 bits128;

struct family {
	uint8_t number;	      /* 4, 6 */
	uint8_t step;	      /* bits of a label: 8, 4 */
	uint8_t depth;	      /* labels of an address: 4, 32 */
	uint8_t wild_from;    /* no wildcard above this depth ... */
	uint8_t wild_nibbles; /* ... and none below it when all labels so far are nibbles */
};

/* A wildcard of one family must not answer for the other: *.2.1.zone holds whole branches of IPv6. Names of
 * IPv6 are nibbles all over; names of IPv4 have four labels. */
extern const struct family family_ip4, family_ip6;

struct block { /* 2^(width - bits) addresses */
	const struct family *family;
	bits128 at;
	unsigned depth; /* labels */
};

static inline unsigned block_bits(const struct block *b)
{
	return b->depth * b->family->step;
}

/* The last address; all ones behind the family's width do not hurt. */
static inline bits128 block_last(const struct block *b)
{
	unsigned bits = block_bits(b);

	return bits ? b->at | (((bits128)1 << (128 - bits)) - 1) : ~(bits128)0;
}

bits128 bits_of(const struct ip *ip);
struct ip bits_ip(const struct family *f, bits128 at);

struct content_key {
	bits128 at;
	uint16_t set;
	uint8_t family, len;
	bool listed; /* false: gone, whatever the snapshot says */
};

/* Sorted by family, address, length, set. */
struct content_keys {
	const struct index *index;
	struct content_key *items;
	size_t count, cap;
};

/* What covers a block, or a name. */
struct said {
	size_t count;
	struct {
		const struct content_part *part;
		struct hit hit;
	} items[SNAPSHOT_HITS_MAX];
};

/* What all addresses of the block have in common: entries no longer than it. */
void content_ask(const struct content_place *p, const struct block *b, struct said *ret);
/* The same of any prefix, test entries left out. */
void content_ask_prefix(const struct content_place *p, const struct family *f, bits128 at,
	unsigned bits, struct said *ret);
void said_add(struct said *said, const struct content_part *part, const struct hit *hit);
/* What the part's rule makes of hits of all sets. */
void said_add_set(
	struct said *said, const struct content_part *part, const struct hit hits[], size_t n);
bool said_same(const struct said *a, const struct said *b);
void content_put_block(const struct content_place *p, const struct block *b,
	const struct said *said, struct buf *to);
/* A and TXT of what was said, each record once. */
void content_put_said(const struct domain *owner, const struct said *said,
	const struct asked *asked, struct buf *to);

/* ---- which keys there are: content_keys.c ---- */

/* The index's changes, unless they are there already. */
void content_keys_add(struct content *c, const struct index *ix);

/* Keys of a place by address, at one address short ones first, each once. */
#define KEYS_AT_ONCE 512
struct key_stream {
	const struct content *content;
	const struct content_place *place;
	const struct family *family;
	size_t room; /* read so many at once: at most KEYS_AT_ONCE */
	size_t count, next;
	bool at_end; /* nothing behind those in items */
	struct {
		bits128 at;
		uint8_t len;
	} items[KEYS_AT_ONCE];
};

void key_stream_start(struct key_stream *s, const struct content *c, const struct content_place *p,
	const struct family *f, bits128 from, size_t room);
/* The next key without taking it; false at the end. */
bool key_stream_peek(struct key_stream *s, bits128 *ret_at, unsigned *ret_len);
/* A key lies inside the block and is longer than it. */
bool content_has_inside(
	const struct content *c, const struct content_place *p, const struct block *b);

/* ---- response policy zones: content_policy.c ---- */

/* The trigger for a key of the place, when it needs one. */
void policy_put_prefix(const struct content_place *p, const struct family *f, bits128 at,
	unsigned bits, struct buf *to);
/* The same for an entry that may come or go, if it is there. */
void policy_put_around_prefix(const struct content *c, const struct content_place *p,
	const struct prefix *key, struct buf *to);
/* For a name or a wildcard. excluded: it is not listed, but something above it is. */
void policy_put_name(
	const struct content_place *p, const struct domain *owner, bool excluded, struct buf *to);
/* Names that resolvers would not take for those of domains. */
bool policy_takes_name(const struct domain *name);

/* ---- domain names: content_names.c ---- */

struct names_walk;

struct names_walk *names_walk_new(const struct content *c, const struct content_place *p);
struct names_walk *names_walk_free(struct names_walk *w);
/* As content_walk_more(). */
bool names_walk_more(struct names_walk *w, size_t least, struct buf *to);

void content_around_free(struct content_around *a); /* NULL is fine */
