/* fast.c - the answer to a plain question, written in one go. */
#include "dnsd/answer/fast.h"

#include "base/attr.h"
#include "base/bytes16.h"

#define OPT_SIZE 11
#define A_SIZE 16   /* a record: owner as a pointer, type, class, TTL, length, address */
#define RDATA_AT 12 /* in a record */
#define TTL_AT 6
#define TXT_SIZE_MAX (RDATA_AT + 1 + VALUE_TEXT_MAX)
#define RECORDS_MAX 8 /* more go the other way */

/* len at least 16 */
static void copy(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t at = 0; at + 16 < len; at += 16)
		store16(dst + at, load16(src + at));
	store16(dst + len - 16, load16(src + len - 16));
}

/* No cache keeps one of our listings longer than it lasts. */
static inline uint32_t hit_ttl_s(
	const struct plain *p, const struct served_source *source, const struct hit *hit)
{
	if (source->list && hit->expires_s && hit->expires_s - p->now_s < source->ttl_s)
		return (uint32_t)MAX(hit->expires_s - p->now_s, 0);
	return source->ttl_s;
}

/* Owner, type, class, TTL and length of a record. */
static inline void put_head(uint8_t *to, unsigned type, uint32_t ttl_s, unsigned rdata_len)
{
	dns_put_u32(to, 0xc0000000 | DNS_HEADER_SIZE << 16 | type);
	dns_put_u16(to + 4, DNS_IN);
	dns_put_u32(to + TTL_AT, ttl_s);
	dns_put_u16(to + RDATA_AT - 2, (uint16_t)rdata_len);
}

/* Returns the size of the rdata, at most 1 + VALUE_TEXT_MAX. */
static unsigned put_text(const struct plain *p, const struct served_source *source,
	const struct hit *hit, uint8_t *rdata)
{
	char subject[INDEX_SUBJECT_MAX];
	size_t len = index_subject(source->meta, &p->asked, hit, subject);

	len = value_expand(hit->value.text, slice_of(subject, len), (char *)rdata + 1);
	rdata[0] = (uint8_t)len;
	return (unsigned)len + 1;
}

/* Behind a "no": how long it may be kept. False: it does not fit. */
static bool put_soa(const struct plain *p, uint8_t *out, unsigned *at)
{
	const struct served_zone *z = p->zone;

	if (*at + z->soa_record.len > p->limit)
		return false;
	soa_put(&z->soa_record, out + *at, *at, p->zone_at, MIN(z->soa.ttl_s, z->soa.minimum_s),
		served_serial(z));
	*at += z->soa_record.len;
	return true;
}

static inline void put_opt(uint8_t *to, bool dnssec_ok)
{
	static const uint8_t opt[OPT_SIZE] = {0, 0, DNS_OPT, DNS_UDP_EDNS >> 8, DNS_UDP_EDNS & 255};

	memcpy(to, opt, OPT_SIZE);
	to[7] = dnssec_ok ? 0x80 : 0;
}

/* Of an address that is not listed: NXDOMAIN, unless there may be names below it. Four labels of one
 * digit each may be the end of an IPv6 address. */
static bool has_names_below(const struct plain *p)
{
	return p->zone->has_ip_list && p->asked.is_ip4 && !p->asked.is_ip6
	       && p->asked.name_len == 9;
}

/* What stands around the records, `count` of which end at `at`. */
static inline __attribute__((always_inline)) size_t finish(const struct plain *p, uint8_t *out,
	unsigned at, unsigned count, bool listed, struct answer_note *ret_note)
{
	const struct served_zone *z = p->zone;
	unsigned rcode = DNS_NOERROR, authority = 0;

	if (!listed) {
		if (z->has_ip_list && !p->asked.is_ip4 && !p->asked.is_ip6)
			return 0; /* part of an address perhaps */
		if (z->has_name_list && p->asked.labels == 1)
			return 0; /* a top-level domain */
		rcode = has_names_below(p) ? DNS_NOERROR : DNS_NXDOMAIN;
	}
	if (count == 0 && z->has_soa) {
		if (!put_soa(p, out, &at))
			return 0;
		authority = 1;
	}
	copy(out, p->message, p->end);
	out[2] = (uint8_t)((DNS_QR | DNS_AA) >> 8 | (p->message[2] & DNS_RD >> 8));
	out[3] = (uint8_t)rcode;
	out[7] = (uint8_t)count;
	out[9] = (uint8_t)authority;
	if (p->edns) {
		put_opt(out + at, p->dnssec_ok);
		at += OPT_SIZE;
	}
	*ret_note = (struct answer_note){
		.rcode = (uint8_t)rcode, .listed = listed, .proven = p->tcp, .zone = z->stats};
	return at;
}

/* ---- more than one entry ---- */

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

/* A set has one TTL, the least of all that say it (as in zone.c). */
static void lower_ttl(struct fast *f, uint32_t ttl_s)
{
	f->ttl_s = ttl_s;
	for (unsigned i = 0; i < f->count; i++)
		dns_put_u32(f->out + f->records[i] + TTL_AT, ttl_s);
}

/* The record at f->at, of which the rdata stand there already: kept unless there is one like it. False:
 * it does not fit. */
static bool keep_record(struct fast *f, uint16_t type, uint32_t ttl_s, unsigned rdata_len)
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
	put_head(r, type, f->ttl_s, rdata_len);
	f->records[f->count++] = (uint16_t)f->at;
	f->at += RDATA_AT + rdata_len;
	return true;
}

static bool add_text(
	struct fast *f, const struct served_source *source, const struct hit *hit, uint32_t ttl_s)
{
	if (hit->value.text.len == 0)
		return true;
	if (f->at + TXT_SIZE_MAX > f->p->limit)
		return false; /* it might fit, but it is written before anyone knows */
	return keep_record(
		f, DNS_TXT, ttl_s, put_text(f->p, source, hit, f->out + f->at + RDATA_AT));
}

static bool add_hit(struct fast *f, const struct served_place *place, const struct hit *hit)
{
	const struct served_source *source = served_source(place, hit->set);
	uint32_t ttl_s;

	if (!source)
		return true; /* of another zone */
	f->listed = true;
	ttl_s = hit_ttl_s(f->p, source, hit);
	if (f->p->txt)
		return add_text(f, source, hit, ttl_s);
	if (f->at + A_SIZE > f->p->limit)
		return false;
	dns_put_u32(f->out + f->at + RDATA_AT, hit->value.code);
	return keep_record(f, DNS_A, ttl_s, 4);
}

static bool ask_place(struct fast *f, const struct served_place *place)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	size_t n = index_find(place->index, &f->p->asked, f->p->now_s, hits);

	for (size_t k = 0; k < n; k++)
		if (!add_hit(f, place, &hits[k]))
			return false;
	return true;
}

/* Of any number of places and entries. Apart, so that only who needs it has the room on the stack. */
static __attribute__((noinline)) size_t answer_many_hits(
	const struct plain *p, uint8_t *out, struct answer_note *ret_note)
{
	struct fast f = {.p = p, .out = out, .at = p->end};

	for (size_t i = 0; i < p->zone->group_count; i++) {
		const struct served_group *g = &p->zone->groups[i];
		if (g->place_count && g->places[0].index && !ask_place(&f, &g->places[0]))
			return 0;
	}
	return finish(p, out, f.at, f.count, f.listed, ret_note);
}

size_t fast_answer(const struct plain *p, uint8_t *out, struct answer_note *ret_note)
{
	const struct served_source *source = NULL;
	unsigned at = p->end, size;

	if (p->one == INDEX_MORE)
		return answer_many_hits(p, out, ret_note);
	if (p->one == INDEX_ONE)
		source = served_source(p->zone->only, p->hit.set);
	if (!source || (p->txt && p->hit.value.text.len == 0))
		return finish(p, out, at, 0, source != NULL, ret_note);
	if (at + (p->txt ? TXT_SIZE_MAX : A_SIZE) > p->limit)
		return 0; /* a text might fit, but it is written before anyone knows */
	if (p->txt) {
		size = put_text(p, source, &p->hit, out + at + RDATA_AT);
	} else {
		size = 4;
		dns_put_u32(out + at + RDATA_AT, p->hit.value.code);
	}
	put_head(out + at, p->txt ? DNS_TXT : DNS_A, hit_ttl_s(p, source, &p->hit), size);
	return finish(p, out, at + RDATA_AT + size, 1, true, ret_note);
}
