/* served.h - all that is answered from, as one object that never changes once sealed: zones, and for each
 * the sets that list its names. Swapped whole when a snapshot or a file changes. */
#pragma once

#include "base/buf.h"
#include "base/domain.h"
#include "dns/question.h"
#include "dnsd/answer/soa.h"
#include "dnsd/answer/quota.h"
#include "index/index.h"

#include <stdatomic.h>

/* A list of this site, as far as DNS is concerned. Owned by the caller. */
struct served_list {
	struct slice name;
	enum set_kind kind; /* SET_IP or SET_NAME */
	uint32_t code;	    /* A of its test entry */
	struct slice text;  /* TXT template of its test entry */
	uint32_t ttl_s;
	struct set_meta meta; /* stands in while nothing is published */
};

struct served_source {
	bool published; /* its place's index has a set for it */
	size_t set;
	const struct set_meta *meta;
	const struct served_list *list; /* NULL: a file's set */
	uint32_t ttl_s;
};

/* Where below the zone some sources answer; for most the zone itself (labels 0). */
struct served_place {
	struct domain name;	       /* relative to the zone */
	const struct index *index;     /* of all sources, which are asked in one walk; NULL: none */
	struct served_source *sources; /* by set ascending once sealed */
	size_t source_count;
	uint16_t *by_set; /* sealed: of each set below set_end 1 + its published source, 0: none */
	size_t set_end;
	bool reads_ip4; /* some source holds IPv4: a mapped address is not IPv6 there */
	bool reads_addresses, reads_names; /* of which kinds its published sources are */
};

/* Sealed only. The published source that answers for a set of the place's index; NULL: none here. */
static inline const struct served_source *served_source(const struct served_place *p, size_t set)
{
	return set < p->set_end && p->by_set[set] ? &p->sources[p->by_set[set] - 1] : NULL;
}

/* One data set, or all lists of this site: only the deepest place that the name lies below is asked. */
struct served_group {
	struct served_place *places; /* deepest first once sealed */
	size_t place_count;
};

struct served_glue {
	uint32_t ttl_s, address; /* host order */
	uint8_t ns;		 /* whose */
};

/* An acl or aclkey data set: its index has that one set. */
struct served_rule {
	const struct index *index;
	uint32_t ttl_s;
	bool by_key; /* else by the address of who asks */
};

struct served_rules {
	struct served_rule *items;
	size_t count;
};

struct served_zone {
	struct domain name;
	uint64_t hash;
	bool conditions; /* sealed: there may be more to a plain question (plain.c, is_special()) */
	bool plain; /* sealed: its sources all answer at its top, nothing stands in the way (fast.c) */
	bool reads_addresses, reads_names; /* sealed: of which kinds its published sources are */
	bool has_list;	    /* ours: test entries (RFC 5782, 5), minimal ANY (RFC 8482) */
	bool reads_ip4;	    /* a data set of its own (not a section of `combined`) holds IPv4 */
	bool has_ip_list;   /* "0.0.127" is an empty non-terminal there (RFC 8020) */
	bool has_name_list; /* and so is "com" */
	bool adds_ns; /* NS records and their addresses behind every answer (rbldnsd without -a) */
	struct zone_stats *stats; /* borrowed: its counters; NULL: not counted by zone */
	bool broken;		  /* its files could not be read: SERVFAIL */
	int64_t expires_s;	  /* SERVFAIL after it; 0: never */
	bool has_soa;
	struct set_soa soa;
	struct served_glue *glue; /* addresses of the ns that zones here know; filled by glue.c */
	size_t glue_count;
	const struct zone_key *key;	/* borrowed: answers are signed; NULL: not */
	struct soa_record soa_record;	/* sealed: soa, ready to be sent */
	const _Atomic uint64_t *serial; /* stands in for soa.serial; NULL: it does not */
	uint32_t ns_ttl_s;
	uint8_t ns_count;
	struct domain ns[META_NS_MAX];
	struct served_group *groups;
	size_t group_count;
	const struct served_place
		*only;	    /* sealed, of a plain zone: the one that is asked; NULL: several */
	size_t lists_group; /* 1 + the group of this site's lists; 0: none */
	struct served_rules rules;
	bool has_keys;
	struct quota_limit quota; /* of one client or key for this zone */
	bool transfer_only; /* nobody is answered but with SOA and NS: policy and catalog zones */
	const struct domain
		*policy; /* borrowed: a response policy zone (RPZ) of its lists, whose triggers have
					this CNAME; NULL: none */
	struct buf
		records; /* owned: all it holds (rr_list.h) but SOA and NS; empty: made from its groups */
	bool guarded; /* once sealed: some rule, its own or one for all zones, must be asked (access.h) */
};

struct zone_key;
struct zone_stats;
struct served;

struct served *served_new(void);
struct served *served_free(struct served *s); /* not the indexes and lists; NULL is fine */

/* The zone of that name, made when it is not there yet. Valid until served_free(). */
struct served_zone *served_zone(struct served *s, const struct domain *name);
/* A data set's sets, `count` of them from `first`, or an acl's or aclkey's only one: SOA and NS of the
 * first that has them, when the zone has none yet. default_ttl_s stands in where the set says 0. */
void served_add_sets(struct served_zone *z, const struct index *ix, size_t first, size_t count,
	uint32_t default_ttl_s);
/* A list of this site; ix NULL or without a set of that name: only its test entries are listed. */
void served_add_list(struct served_zone *z, const struct index *ix, const struct served_list *list);
/* A rule for all zones, by address. */
void served_add_rule(struct served *s, const struct index *ix, uint32_t default_ttl_s);
const struct served_rules *served_rules(const struct served *s);
/* Of several quotas the strictest counts; 0: none. */
void served_add_quota(struct served_zone *z, long second, long day);
void served_seal(struct served *s);

/* The serial that its SOA record tells now. */
static inline uint32_t served_serial(const struct served_zone *z)
{
	return z->serial ? (uint32_t)atomic_load_explicit(z->serial, memory_order_relaxed)
			 : z->soa.serial;
}

size_t served_zone_count(const struct served *s);
struct served_zone *served_zone_at(struct served *s, size_t i);
/* The zone of the longest name that is the question's or above it; NULL: not ours. Sealed only. */
const struct served_zone *served_find(const struct served *s, const struct dns_question *q);
/* The zone of exactly that name, in wire form of any case; NULL: none. Nothing of it is checked before. */
const struct served_zone *served_find_exact(
	const struct served *s, const uint8_t *name, size_t len);
/* The zone of the longest name that this one ends in: that it begins at one of its labels is the caller's
 * to check. */
const struct served_zone *served_find_tail(const struct served *s, const uint8_t *name, size_t len);
/* Why records cannot say all that the zone answers, in words: it has no SOA, its files could not be read, there are
 * whole records (`generic`) or key labels in it. NULL: they can. */
const char *served_lacks(const struct served_zone *z);
