/* fast.c - the answer to a plain question, written in one go. */
#include "dnsd/fast.h"

#include "base/attr.h"
#include "base/bytes16.h"

#define OPT_SIZE 11
#define A_SIZE 16   /* a record: owner as a pointer, type, class, TTL, length, address */
#define RDATA_AT 12 /* in a record */
#define TTL_AT 6
#define RECORDS_MAX 8 /* more go the other way */

/* The answer on its way. */
struct fast {
	const struct plain *p;
	uint8_t *out;
	unsigned at; /* where the next record goes */
	bool listed;
	uint32_t ttl_s; /* of all records */
	unsigned count;
	uint16_t records[RECORDS_MAX]; /* where they begin */
};

/* len at least 16 */
static void copy(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t at = 0; at + 16 < len; at += 16)
		store16(dst + at, load16(src + at));
	store16(dst + len - 16, load16(src + len - 16));
}

/* A set has one TTL, the least of all that say it (as in zone.c). */
static __attribute__((noinline)) void lower_ttl(struct fast *f, uint32_t ttl_s)
{
	f->ttl_s = ttl_s;
	for (unsigned i = 0; i < f->count; i++)
		dns_put_u32(f->out + f->records[i] + TTL_AT, ttl_s);
}

/* The record at f->at, of which the rdata stand there already: kept unless there is one like it. False:
 * it does not fit. */
static inline bool keep_record(struct fast *f, uint16_t type, uint32_t ttl_s, unsigned rdata_len)
{
	uint8_t *r = f->out + f->at;

	if (f->count == 0)
		f->ttl_s = ttl_s;
	else if (ttl_s < f->ttl_s)
		lower_ttl(f, ttl_s);
	for (unsigned i = 0; i < f->count; i++) {
		const uint8_t *old = f->out + f->records[i];
		if (dns_u16(old + RDATA_AT - 2) == rdata_len
			&& memcmp(old + RDATA_AT, r + RDATA_AT, rdata_len) == 0)
			return true;
	}
	if (f->count == RECORDS_MAX || f->at + RDATA_AT + rdata_len > f->p->limit)
		return false;
	dns_put_u32(r, 0xc0000000 | DNS_HEADER_SIZE << 16 | type);
	dns_put_u16(r + 4, DNS_IN);
	dns_put_u32(r + TTL_AT, f->ttl_s);
	dns_put_u16(r + RDATA_AT - 2, (uint16_t)rdata_len);
	f->records[f->count++] = (uint16_t)f->at;
	f->at += RDATA_AT + rdata_len;
	return true;
}

static bool add_text(
	struct fast *f, const struct served_source *source, const struct hit *hit, uint32_t ttl_s)
{
	char subject[INDEX_SUBJECT_MAX];
	uint8_t *rdata = f->out + f->at + RDATA_AT;
	size_t len;

	if (hit->value.text.len == 0)
		return true;
	if (f->at + RDATA_AT + 1 + VALUE_TEXT_MAX > f->p->limit)
		return false; /* it might fit, but it is written before anyone knows */
	len = index_subject(source->meta, &f->p->asked, hit, subject);
	len = value_expand(hit->value.text, slice_of(subject, len), (char *)rdata + 1);
	rdata[0] = (uint8_t)len;
	return keep_record(f, DNS_TXT, ttl_s, (unsigned)len + 1);
}

static inline bool add_hit(struct fast *f, const struct served_place *place, const struct hit *hit)
{
	const struct served_source *source = served_source(place, hit->set);
	uint32_t ttl_s;

	if (!source)
		return true; /* of another zone */
	f->listed = true;
	ttl_s = source->ttl_s;
	if (source->list && hit->expires_s && hit->expires_s - f->p->now_s < ttl_s)
		ttl_s = (uint32_t)MAX(hit->expires_s - f->p->now_s, 0);
	if (f->p->txt)
		return add_text(f, source, hit, ttl_s);
	if (f->at + A_SIZE > f->p->limit)
		return false;
	dns_put_u32(f->out + f->at + RDATA_AT, hit->value.code);
	return keep_record(f, DNS_A, ttl_s, 4);
}

/* Apart, so that only who needs it has the room on the stack. */
static __attribute__((noinline)) bool ask_fully(struct fast *f, const struct served_place *place)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	size_t n = index_find(place->index, &f->p->asked, f->p->now_s, hits);

	for (size_t k = 0; k < n; k++)
		if (!add_hit(f, place, &hits[k]))
			return false;
	return true;
}

static inline bool ask_zone(struct fast *f)
{
	const struct served_zone *z = f->p->zone;

	for (size_t i = 0; i < z->group_count; i++) {
		const struct served_place *place = z->groups[i].places;
		struct hit hit;
		enum index_one one;
		if (z->groups[i].place_count == 0 || !place->index)
			continue;
		one = index_find_one(place->index, &f->p->asked, f->p->now_s, &hit);
		if (one == INDEX_ONE ? !add_hit(f, place, &hit)
				     : one == INDEX_MORE && !ask_fully(f, place))
			return false;
	}
	return true;
}

/* Behind a "no": how long it may be kept. False: it does not fit. */
static bool put_soa(struct fast *f)
{
	const struct served_zone *z = f->p->zone;

	if (f->at + z->soa_record.len > f->p->limit)
		return false;
	soa_put(&z->soa_record, f->out + f->at, f->at, f->p->zone_at,
		MIN(z->soa.ttl_s, z->soa.minimum_s), served_serial(z));
	f->at += z->soa_record.len;
	return true;
}

static void put_opt(struct fast *f)
{
	static const uint8_t opt[OPT_SIZE] = {0, 0, DNS_OPT, DNS_UDP_EDNS >> 8, DNS_UDP_EDNS & 255};
	uint8_t *to = f->out + f->at;

	memcpy(to, opt, OPT_SIZE);
	to[7] = f->p->dnssec_ok ? 0x80 : 0;
	f->at += OPT_SIZE;
}

/* Of an address that is not listed: NXDOMAIN, unless there may be names below it. Four labels of one
 * digit each may be the end of an IPv6 address. */
static bool has_names_below(const struct plain *p)
{
	return p->zone->has_ip_list && p->asked.is_ip4 && !p->asked.is_ip6
	       && p->asked.name_len == 9;
}

size_t fast_answer(const struct plain *p, uint8_t *out, struct answer_note *ret_note)
{
	unsigned rcode = DNS_NOERROR, authority = 0;
	struct fast f;

	f.p = p;
	f.out = out;
	f.at = p->end;
	f.count = 0;
	f.listed = false;
	if (!ask_zone(&f))
		return 0;
	if (!f.listed) {
		if (p->zone->has_ip_list && !p->asked.is_ip4 && !p->asked.is_ip6)
			return 0; /* part of an address perhaps */
		if (p->zone->has_name_list && p->asked.labels == 1)
			return 0; /* a top-level domain */
		rcode = has_names_below(p) ? DNS_NOERROR : DNS_NXDOMAIN;
	}
	if (f.count == 0 && p->zone->has_soa) {
		if (!put_soa(&f))
			return 0;
		authority = 1;
	}
	copy(out, p->message, p->end);
	out[2] = (uint8_t)((DNS_QR | DNS_AA) >> 8 | (p->message[2] & DNS_RD >> 8));
	out[3] = (uint8_t)rcode;
	dns_put_u32(out + 4, 0x00010000 | f.count);
	dns_put_u32(out + 8, authority << 16 | p->edns);
	if (p->edns)
		put_opt(&f);
	*ret_note = (struct answer_note){.rcode = (uint8_t)rcode,
		.listed = f.listed,
		.proven = p->tcp,
		.zone = p->zone->stats};
	return f.at;
}
