/* bulk.h - messages full of records of one zone, each with a name of its own: zone transfers. Names are
 * compressed against the one before, which for names in tree order leaves a label or two. */
#pragma once

#include "dns/wire.h"

/* Pointers reach this far, and a message of this size holds some 800 records. */
#define DNS_BULK_SIZE 16384
/* Pointers in one name: readers give up after some number, dnspython after 16. */
#define DNS_BULK_HOPS_MAX 8

struct dns_bulk {
	uint8_t *start, *at, *end;
	uint16_t answers;
	struct domain owner;	/* of the last record */
	uint16_t label_at[128]; /* where its labels stand, by distance from the root */
	uint8_t hops[128];	/* pointers that are followed from there */
};

struct dns_bulk_head {
	uint16_t id, flags; /* flags: as sent, rcode included */
	struct domain zone;
	struct domain
		asked; /* the same name as it was asked, in letter case; len 0: as `zone` has it */
	uint16_t type; /* of the question, which every message repeats */
};

/* dst: `size` bytes, at least DNS_UDP_PLAIN, at most DNS_BULK_SIZE are used. */
void dns_bulk_start(struct dns_bulk *b, uint8_t *dst, size_t size, const struct dns_bulk_head *h);
/* owner: at or below the zone. False: it does not fit, and is not there. rdata goes as it is. */
bool dns_bulk_add(struct dns_bulk *b, const struct domain *owner, uint16_t type, uint32_t ttl,
	struct slice rdata);
/* Returns the length of the message. */
size_t dns_bulk_finish(struct dns_bulk *b);
