/* meta.h - what a set knows about itself besides its entries: how it is searched, what DNS says around
 * it. Kept as bytes in the snapshot, read once at open. */
#pragma once

#include "base/buf.h"
#include "base/domain.h"

enum set_kind {
	SET_NONE,    /* no entries: only SOA and NS for the zone (head of a `combined` data set) */
	SET_IP,	     /* IPv4 and IPv6 prefixes */
	SET_NAME,    /* domain names */
	SET_RECORDS, /* whole records (record.h) under names, also the zone's own */
	SET_ACCESS,  /* addresses of those who ask: what they may */
	SET_KEYS, /* the same by a label of the name asked; the root stands for every other label */
};

/* Its entries are names, not addresses. */
static inline bool set_holds_names(enum set_kind kind)
{
	return kind == SET_NAME || kind == SET_RECORDS || kind == SET_KEYS;
}

enum set_rule {
	SET_FIRST, /* the most specific entry; of equal keys the first added stays (ip4trie, our lists) */
	SET_ALL, /* the most specific key with all its values; one exclusion there rules all out (dnset) */
	SET_OCTETS, /* like SET_ALL, with keys as wide as /8, /16, /24 and /32 (ip4set) */
};

#define META_NS_MAX 32
#define META_SIZE_MAX ((size_t)1 << 20)

struct set_soa {
	uint32_t ttl_s, serial, refresh_s, retry_s, expire_s, minimum_s;
	struct domain origin, person;
};

struct set_meta {
	enum set_kind kind;
	enum set_rule rule;
	bool reads_ip4;	   /* holds IPv4: ::ffff:a.b.c.d is a.b.c.d there and nothing else */
	uint32_t ttl_s;	   /* of A and TXT; 0: the server's default */
	int64_t stamp_s;   /* when the newest source changed: an SOA serial of 0 means this */
	int64_t expires_s; /* after it the zone must not be served ($TIMESTAMP); 0: never */
	bool has_soa;
	struct set_soa soa;
	uint32_t ns_ttl_s; /* 0: the server's default */
	uint8_t ns_count;  /* a zone takes SOA and NS each from its first set that has them */
	struct domain ns[META_NS_MAX];
	/* Where in the zone the set answers: names in wire form back to back, relative to the zone, the
	 * root label for the zone itself. Read them with meta_next_place(). */
	struct slice places;
};

/* A set that answers at the zone itself, with a rule and nothing else. */
struct set_meta meta_plain(enum set_kind kind, enum set_rule rule, uint32_t ttl_s);
void meta_encode(const struct set_meta *m, struct buf *to);
/* Slices in *ret point into bytes. */
bool meta_decode(struct slice bytes, struct set_meta *ret, struct err *err);
bool meta_next_place(struct slice *rest, struct domain *ret);
