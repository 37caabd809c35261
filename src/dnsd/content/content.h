/* content.h - a zone's contents as records, for transfers: a server that knows nothing but these records
 * answers every address and every name as we do. How that is done stands in
 * docs/decisions/0020-zones-as-records.md: in short, entries on octet (nibble) borders become wildcards, others are
 * expanded to the next border; below a wildcard every name that exists gets records of its own, since a
 * wildcard stops there; around what is excluded from a range the range is expanded.
 *
 * What differs: IPv4 addresses inside IPv6 ones (::ffff:a.b.c.d, 2002::/16) are not listed there; $ in the
 * text of a wildcard is the block's first address; entries that have expired stay until they are removed
 * (listd removes them within seconds). Response policy zones, which only resolvers understand, say the same
 * in their own way (content_policy.c). Pure: reads what it was given and nothing else. */
#pragma once

#include "base/buf.h"
#include "dnsd/answer/served.h"

/* One set as it answers at a place. */
struct content_part {
	const struct index *index; /* NULL: nothing published, only test entries */
	size_t set;
	const struct set_meta *meta;
	const struct served_list *list; /* NULL: a file's set */
	uint32_t ttl_s;
};

/* What the sets of one place say together. */
struct content_place {
	struct domain name; /* absolute */
	struct content_part *parts;
	size_t part_count;
	bool has_ip, has_names;
	const struct domain *policy; /* content_policy.c; NULL: no policy zone */
	uint32_t policy_ttl_s;
};

struct content_keys; /* the changes of one index, sorted */

struct content {
	struct domain zone;
	struct set_soa soa;
	uint32_t serial;
	uint32_t ns_ttl_s;
	uint8_t ns_count;
	struct domain ns[META_NS_MAX];
	struct content_place *places;
	size_t place_count;
	struct content_keys *keys;
	size_t key_count;	       /* of indexes */
	struct content_around *around; /* NULL: names are not watched */
	struct buf records;	       /* all of it, when the zone has them at hand */
};

/* Copies what the zone is made of; the indexes and lists must outlive it. Their overlays must not change
 * during any call here; content_changed_prefix() tells that they have. fn: called for each place, gives the
 * index to use instead; NULL: the served ones. NULL: see served_lacks(). */
typedef const struct index *content_index_fn(void *ctx, const struct index *ix);
struct content *content_new(const struct served_zone *z, content_index_fn *fn, void *ctx);
struct content *content_free(struct content *c); /* NULL is fine */

void content_put_ns(const struct content *c, struct buf *to);

/* ---- all of it ---- */

struct content_walk;

struct content_walk *content_walk_new(const struct content *c);
struct content_walk *content_walk_free(struct content_walk *w);
/* Adds some records (rr_list.h), SOA and NS not among them; about `least` bytes, and one block's more.
 * False: that was the end. */
bool content_walk_more(struct content_walk *w, size_t least, struct buf *to);

/* ---- one entry ---- */

/* Before any change of names is looked at: remembers above which names there are others (some bytes for each
 * of them). */
void content_watch_names(struct content *c);
/* The index has changed at this key: to be called after every change, so that the next calls see it. */
void content_changed_prefix(struct content *c, const struct index *ix, size_t set,
	const struct prefix *key, bool listed);
void content_changed_name(struct content *c, const struct domain *name);
/* Adds every record that may come or go when entries of this key come or go. False: more than the buffer's
 * limit, or, of names, more work than is good for one go: see content_rest(). */
bool content_put_around_prefix(const struct content *c, const struct prefix *key, struct buf *to);
bool content_put_around_name(struct content *c, const struct domain *name, struct buf *to);
/* Names must be searched for others below them only when there may be some; so many times between two calls
 * of this. */
#define CONTENT_SEARCHES 16
void content_rest(struct content *c);
