/* overlay.h - what changed since the snapshot was written. One writer thread, any number of reader
 * threads; readers never wait and never write. A record replaces the snapshot's entries of the same
 * key: listed with a value, or gone. It belongs to one snapshot: sets are numbered as there.
 *
 * Memory that readers may still look at is freed by a grace period that the caller drives:
 *   writer:  overlay_grace_start(o) notes what has been replaced so far;
 *            then waits until every reader has been quiet once (between two questions, holding no
 *            hit): say each worker counts its loops, and all counts moved or the worker sleeps;
 *            then overlay_grace_end(o) frees it.
 * A writer that never does so leaks until overlay_free(), and breaks nothing. */
#pragma once

#include "base/domain.h"
#include "base/ip.h"
#include "index/value.h"

struct overlay;
struct snapshot;

struct overlay *overlay_new(
	const struct snapshot *s);		 /* takes the count of sets and the seed, no more */
struct overlay *overlay_free(struct overlay *o); /* no reader may be inside; NULL is fine */

/* listed: NULL when the key is gone now. The text is copied. expires_s: 0 never. */
void overlay_put_prefix(struct overlay *o, size_t set, const struct prefix *key,
	const struct value *listed, int64_t expires_s);
void overlay_put_name(struct overlay *o, size_t set, const struct domain *name, enum scope scope,
	const struct value *listed, int64_t expires_s);
size_t overlay_count(const struct overlay *o); /* records held, for deciding on a new snapshot */

void overlay_grace_start(struct overlay *o); /* nothing when the last one has not ended */
void overlay_grace_end(struct overlay *o);

/* Reader's side: puts the overlay's records of all sets in the place of the n hits of their keys that a
 * snapshot lookup gave (sets ascending, in each most specific first; so it stays) and returns the new
 * count, at most SNAPSHOT_HITS_MAX. Without records of the kind asked it costs one look. */
size_t overlay_merge_ip4(
	const struct overlay *o, uint32_t address, int64_t now_s, struct hit hits[], size_t n);
size_t overlay_merge_ip6(const struct overlay *o, const uint8_t address[16], int64_t now_s,
	struct hit hits[], size_t n);
size_t overlay_merge_name(const struct overlay *o, const uint8_t *name, size_t len, unsigned labels,
	int64_t now_s, struct hit hits[], size_t n);
/* Whether there is a record of any set that covers the question: listed, gone or expired. */
bool overlay_covers_ip4(const struct overlay *o, uint32_t address);
bool overlay_covers_ip6(const struct overlay *o, const uint8_t address[16]);
bool overlay_covers_name(const struct overlay *o, const uint8_t *name, size_t len, unsigned labels);

/* ---- for transfers and new snapshots: from the writer's thread, or on a copy from any ---- */

/* The overlay as it is now, which nobody changes any more; free it by overlay_free(). */
struct overlay *overlay_copy(const struct overlay *o);

/* Is there a record (listed or gone) for exactly this key? */
bool overlay_has_prefix(const struct overlay *o, size_t set, const struct prefix *key);
bool overlay_has_name(
	const struct overlay *o, size_t set, const struct domain *name, enum scope scope);

struct overlay_entry {
	size_t set;
	bool is_name;
	struct prefix prefix; /* unless is_name */
	struct domain name;   /* if is_name */
	enum scope scope;
	bool listed;	    /* false: gone */
	struct value value; /* if listed; the text lives as long as the record */
	int64_t expires_s;  /* 0: never. It may have passed. */
};

struct overlay_cursor { /* starts as {0} */
	size_t family, slot;
	const void *next;
};

/* Every record of all sets once, in no order; false at the end. No put in between. */
bool overlay_next(const struct overlay *o, struct overlay_cursor *c, struct overlay_entry *ret);
