/* soa.h - a zone's SOA record, put together once: at the zone's top, and behind every "no" (RFC 2308). */
#pragma once

#include "index/meta.h"

#define SOA_SIZE_MAX (12 + 2 * DOMAIN_WIRE_MAX + 20)
#define SOA_POINTERS_MAX 2

/* Its names are compressed against the zone's name in the question and against each other, never against
 * what the question has below the zone: so it is the same for every question but for the pointers. */
struct soa_record {
	uint16_t len;
	uint8_t pointer_count;
	struct {
		uint16_t at;	/* in bytes */
		uint16_t from;	/* what it points to: an offset in the zone's name ... */
		bool in_record; /* ... or in the record */
	} pointers[SOA_POINTERS_MAX];
	uint8_t bytes[SOA_SIZE_MAX];
};

void soa_prepare(struct soa_record *r, const struct domain *zone, const struct set_soa *soa);

/* Writes the record to dst, which has room for r->len bytes: dst is at offset `at` of the message, the
 * zone's name at zone_at; both below 16384 less SOA_SIZE_MAX. */
void soa_put(const struct soa_record *r, uint8_t *dst, unsigned at, unsigned zone_at,
	uint32_t ttl_s, uint32_t serial);
