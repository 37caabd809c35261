/* fast.c - the plain question, answered in one pass over its bytes. */
#include "dnsd/fast.h"

#include "base/attr.h"

#define OPT_SIZE 11
#define TAIL_SIZE 4 /* type and class */
#define NAME_MIN 4  /* shorter ones are no entries of a list */
#define A_SIZE 16   /* a record: owner as a pointer, type, class, TTL, length, address */
#define RDATA_AT 12 /* in a record */
#define TTL_AT 6
#define NAME_AT 16    /* in struct plain's room: lower_name() writes in front of a short name */
#define RECORDS_MAX 8 /* more go the other way */

/* The sixteen bytes that a step takes; GCC and Clang know how on any machine. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

struct plain {
	const uint8_t *message;
	uint8_t *out;
	const struct served_zone *zone;
	struct asked asked;
	int64_t now_s;
	unsigned end;	  /* of the question */
	unsigned zone_at; /* where the zone's name stands in the message */
	unsigned limit;	  /* offset in out that no record may pass: the room for OPT is taken off */
	unsigned at;	  /* where the next record goes */
	bool txt, edns, dnssec_ok, listed;
	uint32_t ttl_s; /* of all records */
	unsigned count;
	uint16_t records[RECORDS_MAX]; /* where they begin */
	uint8_t room[NAME_AT + DOMAIN_WIRE_MAX];
};

static bytes16 load16(const uint8_t *p)
{
	bytes16 v;

	memcpy(&v, p, sizeof v);
	return v;
}

static void store16(uint8_t *p, bytes16 v)
{
	memcpy(p, &v, sizeof v);
}

static bytes16 lower16(bytes16 v)
{
	return v | ((bytes16)((v >= 'A') & (v <= 'Z')) & 0x20);
}

/* len at least NAME_MIN. Of a name shorter than 16 bytes, what stands before it is taken along. */
static void lower_name(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t at = 0; at + 16 < len; at += 16)
		store16(dst + at, lower16(load16(src + at)));
	store16(dst + len - 16, lower16(load16(src + len - 16)));
}

/* len at least 16 */
static void copy(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t at = 0; at + 16 < len; at += 16)
		store16(dst + at, load16(src + at));
	store16(dst + len - 16, load16(src + len - 16));
}

/* OPT at the message's end: version 0, no flags but DO, no options. */
static bool take_opt(struct plain *p, size_t *len, enum answer_transport transport)
{
	const uint8_t *opt = p->message + *len - OPT_SIZE;
	unsigned size;

	if (opt[0] != 0 || dns_u16(opt + 1) != DNS_OPT || opt[6] != 0 || opt[7] & 0x7f
		|| opt[8] != 0 || dns_u16(opt + 9) != 0)
		return false;
	size = MIN(MAX(dns_u16(opt + 3), DNS_UDP_PLAIN), ANSWER_SIZE_UDP);
	p->edns = true;
	p->dnssec_ok = opt[7] & 0x80;
	p->limit = (transport == ANSWER_TCP ? ANSWER_SIZE_TCP : size) - OPT_SIZE;
	*len -= OPT_SIZE;
	return true;
}

/* The name's zone, and what is asked of it. Nearly all names begin with an address, behind which the zone's
 * name must stand; else the zone is looked for from the end. */
static bool take_name(struct plain *p, const struct served *s, uint8_t *name, size_t len)
{
	size_t at = asked_front(name, len, &p->asked), below, labels = 0;

	if (at) {
		p->zone = served_find_exact(s, name + at, len - at);
	} else {
		p->zone = served_find_tail(s, name, len);
		below = p->zone ? len - p->zone->name.len : 0;
		for (; at < below && name[at] - 1u < 63; at += name[at] + 1u)
			labels++;
		if (at != below)
			return false;
		p->asked.labels = (uint8_t)labels;
		p->asked.name_len = (uint8_t)(below + 1);
	}
	if (!p->zone || !p->zone->plain || at == 0)
		return false;
	p->zone_at = (unsigned)(DNS_HEADER_SIZE + at);
	name[at] = 0;
	return true;
}

/* One question and nothing else but OPT; no flag has a say in the answer but RD, which comes back. Where
 * the name ends is taken from the message's end: take_name() sees whether that is so. */
static bool take_message(
	struct plain *p, const struct served *s, size_t len, enum answer_transport transport)
{
	const uint8_t *m = p->message;
	size_t name_len;

	if (len < DNS_HEADER_SIZE + NAME_MIN + TAIL_SIZE + OPT_SIZE
		|| m[2] & (DNS_QR | DNS_OPCODE) >> 8 || dns_u32(m + 4) != 0x00010000
		|| dns_u32(m + 8) > 1)
		return false;
	p->edns = p->dnssec_ok = false;
	p->limit = transport == ANSWER_TCP ? ANSWER_SIZE_TCP : DNS_UDP_PLAIN;
	if (m[11] && !take_opt(p, &len, transport))
		return false;
	name_len = len - DNS_HEADER_SIZE - TAIL_SIZE;
	if (name_len > DOMAIN_WIRE_MAX || dns_u16(m + len - 2) != DNS_IN)
		return false;
	p->end = p->at = (unsigned)len;
	p->txt = dns_u16(m + len - 4) == DNS_TXT;
	if (!p->txt && dns_u16(m + len - 4) != DNS_A)
		return false;
	lower_name(p->room + NAME_AT, m + DNS_HEADER_SIZE, name_len);
	return take_name(p, s, p->room + NAME_AT, name_len);
}

/* What answer_fully() has rules for that are not repeated here. */
static bool is_special(const struct plain *p)
{
	const struct served_zone *z = p->zone;
	const struct asked *q = &p->asked;

	if (q->is_mapped || (z->key && p->dnssec_ok) || (z->expires_s && z->expires_s <= p->now_s))
		return true;
	/* Perhaps a test entry: 127.0.0.2, "test", and the like. */
	return z->has_list && (q->is_ip4 ? q->ip4 >> 24 == 127 : q->labels == 1);
}

static const struct served_source *source_of(const struct served_place *place, unsigned set)
{
	for (size_t i = 0; i < place->source_count; i++)
		if (place->sources[i].set == set && place->sources[i].published)
			return &place->sources[i];
	return NULL;
}

/* A set has one TTL, the least of all that say it (as in zone.c). */
static void lower_ttl(struct plain *p, uint32_t ttl_s)
{
	if (p->count && ttl_s >= p->ttl_s)
		return;
	p->ttl_s = ttl_s;
	for (unsigned i = 0; i < p->count; i++)
		dns_put_u32(p->out + p->records[i] + TTL_AT, ttl_s);
}

/* The record at p->at, of which the rdata stand there already: kept unless there is one like it. False:
 * it does not fit. */
static bool keep_record(struct plain *p, uint16_t type, uint32_t ttl_s, unsigned rdata_len)
{
	uint8_t *r = p->out + p->at;

	lower_ttl(p, ttl_s);
	for (unsigned i = 0; i < p->count; i++) {
		const uint8_t *old = p->out + p->records[i];
		if (dns_u16(old + RDATA_AT - 2) == rdata_len
			&& memcmp(old + RDATA_AT, r + RDATA_AT, rdata_len) == 0)
			return true;
	}
	if (p->count == RECORDS_MAX || p->at + RDATA_AT + rdata_len > p->limit)
		return false;
	dns_put_u32(r, 0xc0000000 | DNS_HEADER_SIZE << 16 | type);
	dns_put_u16(r + 4, DNS_IN);
	dns_put_u32(r + TTL_AT, p->ttl_s);
	dns_put_u16(r + RDATA_AT - 2, (uint16_t)rdata_len);
	p->records[p->count++] = (uint16_t)p->at;
	p->at += RDATA_AT + rdata_len;
	return true;
}

static bool add_text(
	struct plain *p, const struct served_source *source, const struct hit *hit, uint32_t ttl_s)
{
	char subject[INDEX_SUBJECT_MAX];
	uint8_t *rdata = p->out + p->at + RDATA_AT;
	size_t len;

	if (hit->value.text.len == 0)
		return true;
	if (p->at + RDATA_AT + 1 + VALUE_TEXT_MAX > p->limit)
		return false; /* it might fit, but it is written before anyone knows */
	len = index_subject(source->meta, &p->asked, hit, subject);
	len = value_expand(hit->value.text, slice_of(subject, len), (char *)rdata + 1);
	rdata[0] = (uint8_t)len;
	return keep_record(p, DNS_TXT, ttl_s, (unsigned)len + 1);
}

static bool add_hit(struct plain *p, const struct served_place *place, const struct hit *hit)
{
	const struct served_source *source = source_of(place, hit->set);
	uint32_t ttl_s;

	if (!source)
		return true; /* of another zone */
	p->listed = true;
	ttl_s = source->ttl_s;
	if (source->list && hit->expires_s && hit->expires_s - p->now_s < ttl_s)
		ttl_s = (uint32_t)MAX(hit->expires_s - p->now_s, 0);
	if (p->txt)
		return add_text(p, source, hit, ttl_s);
	if (p->at + A_SIZE > p->limit)
		return false;
	dns_put_u32(p->out + p->at + RDATA_AT, hit->value.code);
	return keep_record(p, DNS_A, ttl_s, 4);
}

/* An address is no name where there are only addresses, and the other way round. */
static size_t ask_place(struct plain *p, const struct served_place *place, struct hit hits[])
{
	struct asked q;

	if (!place->index)
		return 0;
	if (place->reads_names == place->reads_addresses)
		return index_find(place->index, &p->asked, p->now_s, hits);
	q = p->asked;
	if (place->reads_names)
		q.is_ip4 = q.is_ip6 = false;
	else if (q.is_ip4 || q.is_ip6)
		q.labels = 0;
	else
		return 0;
	return index_find(place->index, &q, p->now_s, hits);
}

static bool ask_zone(struct plain *p)
{
	struct hit hits[SNAPSHOT_HITS_MAX];

	for (size_t i = 0; i < p->zone->group_count; i++) {
		const struct served_group *g = &p->zone->groups[i];
		size_t n = g->place_count ? ask_place(p, &g->places[0], hits) : 0;
		for (size_t k = 0; k < n; k++)
			if (!add_hit(p, &g->places[0], &hits[k]))
				return false;
	}
	return true;
}

/* Behind a "no": how long it may be kept. False: it does not fit. */
static bool put_soa(struct plain *p)
{
	const struct served_zone *z = p->zone;

	if (p->at + z->soa_record.len > p->limit)
		return false;
	soa_put(&z->soa_record, p->out + p->at, p->at, p->zone_at,
		MIN(z->soa.ttl_s, z->soa.minimum_s), served_serial(z));
	p->at += z->soa_record.len;
	return true;
}

static void put_opt(struct plain *p)
{
	static const uint8_t opt[OPT_SIZE] = {0, 0, DNS_OPT, DNS_UDP_EDNS >> 8, DNS_UDP_EDNS & 255};
	uint8_t *to = p->out + p->at;

	memcpy(to, opt, OPT_SIZE);
	to[7] = p->dnssec_ok ? 0x80 : 0;
	p->at += OPT_SIZE;
}

/* Of an address that is not listed: NXDOMAIN, unless there may be names below it. Four labels of one
 * digit each may be the end of an IPv6 address. */
static bool has_names_below(const struct plain *p)
{
	return p->zone->has_ip_list && p->asked.is_ip4 && !p->asked.is_ip6
	       && p->asked.name_len == 9;
}

size_t fast_answer(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	struct plain p;
	unsigned rcode = DNS_NOERROR, authority = 0;

	p.message = (const uint8_t *)message.ptr;
	p.out = out;
	p.now_s = from->now_s;
	if (!take_message(&p, s, message.len, from->transport) || is_special(&p))
		return 0;
	p.count = 0;
	p.listed = false;
	if (!ask_zone(&p))
		return 0;
	if (!p.listed) {
		if (p.zone->has_ip_list && !p.asked.is_ip4 && !p.asked.is_ip6)
			return 0; /* part of an address perhaps */
		rcode = has_names_below(&p) ? DNS_NOERROR : DNS_NXDOMAIN;
	}
	if (p.count == 0 && p.zone->has_soa) {
		if (!put_soa(&p))
			return 0;
		authority = 1;
	}
	copy(out, p.message, p.end);
	out[2] = (uint8_t)((DNS_QR | DNS_AA) >> 8 | (p.message[2] & DNS_RD >> 8));
	out[3] = (uint8_t)rcode;
	dns_put_u32(out + 4, 0x00010000 | p.count);
	dns_put_u32(out + 8, authority << 16 | p.edns);
	if (p.edns)
		put_opt(&p);
	*ret_note = (struct answer_note){.rcode = (uint8_t)rcode,
		.listed = p.listed,
		.proven = from->transport == ANSWER_TCP};
	return p.at;
}
