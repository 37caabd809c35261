/* soa.c - a zone's SOA record, put together once. */
#include "dnsd/answer/soa.h"

#include "dns/wire.h"

#define POINTER 0xc000u
#define RDATA_AT 12

/* Where in d, at the start of a label, the last `len` bytes of a name stand as its end; -1: nowhere. */
static int tail_at(const struct domain *d, const uint8_t *tail, unsigned len)
{
	unsigned at = 0, from = (unsigned)d->len - len;

	if (len > d->len || memcmp(d->wire + from, tail, len) != 0)
		return -1;
	while (at < from)
		at += d->wire[at] + 1u;
	return at == from ? (int)at : -1;
}

static void put_pointer(struct soa_record *r, unsigned from, bool in_record)
{
	r->pointers[r->pointer_count].at = r->len;
	r->pointers[r->pointer_count].from = (uint16_t)from;
	r->pointers[r->pointer_count].in_record = in_record;
	r->pointer_count++;
	r->len += 2;
}

/* `before`: a name whose first `literal` bytes stand at before_at in the record; NULL: none. */
static unsigned put_name(struct soa_record *r, const struct domain *name, const struct domain *zone,
	const struct domain *before, unsigned before_at, unsigned literal)
{
	unsigned at = 0;
	int found = -1;

	for (; name->wire[at]; at += name->wire[at] + 1u) {
		const uint8_t *tail = name->wire + at;
		unsigned len = (unsigned)name->len - at;

		found = tail_at(zone, tail, len);
		if (found >= 0)
			break;
		found = before ? tail_at(before, tail, len) : -1;
		if (found >= 0 && (unsigned)found < literal)
			break;
		found = -1;
	}
	memcpy(r->bytes + r->len, name->wire, at + (found < 0));
	r->len += (uint16_t)(at + (found < 0));
	if (found >= 0 && tail_at(zone, name->wire + at, (unsigned)name->len - at) >= 0)
		put_pointer(r, (unsigned)found, false);
	else if (found >= 0)
		put_pointer(r, before_at + (unsigned)found, true);
	return at;
}

void soa_prepare(struct soa_record *r, const struct domain *zone, const struct set_soa *soa)
{
	unsigned literal;
	uint8_t *p;

	*r = (struct soa_record){.len = RDATA_AT};
	dns_put_u16(r->bytes + 2, DNS_SOA);
	dns_put_u16(r->bytes + 4, DNS_IN);
	literal = put_name(r, &soa->origin, zone, NULL, 0, 0);
	put_name(r, &soa->person, zone, &soa->origin, RDATA_AT, literal);
	p = r->bytes + r->len;
	dns_put_u32(p + 4, soa->refresh_s);
	dns_put_u32(p + 8, soa->retry_s);
	dns_put_u32(p + 12, soa->expire_s);
	dns_put_u32(p + 16, soa->minimum_s);
	r->len += 20;
	dns_put_u16(r->bytes + RDATA_AT - 2, (uint16_t)(r->len - RDATA_AT));
}

void soa_put(const struct soa_record *r, uint8_t *dst, unsigned at, unsigned zone_at,
	uint32_t ttl_s, uint32_t serial)
{
	memcpy(dst, r->bytes, r->len);
	dns_put_u16(dst, (uint16_t)(POINTER | zone_at));
	dns_put_u32(dst + 6, ttl_s);
	dns_put_u32(dst + r->len - 20, serial);
	for (unsigned i = 0; i < r->pointer_count; i++)
		dns_put_u16(dst + r->pointers[i].at,
			(uint16_t)(POINTER
				   | ((r->pointers[i].in_record ? at : zone_at)
					   + r->pointers[i].from)));
}
