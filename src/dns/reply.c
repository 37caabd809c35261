/* reply.c - a server's reply, taken apart by a client that trusts none of it. */
#include "dns/reply.h"

/* Aliases are looked for again from the first answer after each hop, so answers are limited: hops times
 * answers is the work a hostile reply can cause. */
#define ANSWERS_MAX 512

static bool is_ours(struct slice message, const struct dns_query *q)
{
	uint8_t sent[DNS_QUERY_MAX];
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t question = q->name.len + 4u;

	if (message.len < DNS_HEADER_SIZE)
		return false;
	dns_query_write(q, sent);
	if (dns_u16(p) != q->id || (dns_u16(p + 2) & (DNS_QR | DNS_OPCODE)) != DNS_QR)
		return false;
	/* A server that cannot read us may leave the question out; nothing in it is used then. */
	if (dns_u16(p + 4) == 0)
		return (dns_u16(p + 2) & DNS_RCODE) != DNS_NOERROR && !q->mix_case;
	if (dns_u16(p + 4) != 1 || message.len < DNS_HEADER_SIZE + question)
		return false;
	return q->mix_case ? memcmp(p + DNS_HEADER_SIZE, sent + DNS_HEADER_SIZE, question) == 0
			   : slice_eq_nocase(slice_of(p + DNS_HEADER_SIZE, question),
				   slice_of(sent + DNS_HEADER_SIZE, question));
}

/* One pass over the answers: follows the next alias (true), or else collects the records asked for. */
static bool answers_pass(
	struct dns_reply *r, size_t at, unsigned answers, uint16_t type, bool *ret_bad)
{
	struct dns_record rec;
	struct domain owner;

	r->count = 0;
	for (unsigned i = 0; i < answers; i++) {
		size_t next = dns_record_read(r->message, at, &rec);
		at = next;
		if (rec.class != DNS_IN || (rec.type != type && rec.type != DNS_CNAME))
			continue;
		if (!dns_name_read(r->message, rec.owner, &owner)) {
			*ret_bad = true;
			return false;
		}
		if (!domain_eq(&owner, &r->name))
			continue;
		if (rec.type == type) {
			if (r->count < DNS_REPLY_RECORDS)
				r->records[r->count] = rec;
			r->count++;
			r->ttl = MIN(r->ttl, rec.ttl);
			continue;
		}
		if (dns_name_read(r->message, rec.rdata, &r->name) != rec.rdata + rec.rdata_len
			|| ++r->aliases > DNS_REPLY_ALIASES) {
			*ret_bad = true;
			return false;
		}
		r->ttl = MIN(r->ttl, rec.ttl);
		return true;
	}
	return false;
}

static void take_soa(struct dns_reply *r, const struct dns_record *rec)
{
	struct domain skip;
	size_t at;

	if (r->has_soa || rec->class != DNS_IN || !dns_name_read(r->message, rec->owner, &r->zone)
		|| !domain_is_under(&r->name, &r->zone))
		return;
	at = dns_name_read(r->message, rec->rdata, &skip);
	at = at ? dns_name_read(r->message, at, &skip) : 0;
	if (at == 0 || at + 20 != rec->rdata + rec->rdata_len)
		return;
	r->has_soa = true;
	r->negative_ttl = MIN(rec->ttl, dns_u32((const uint8_t *)r->message.ptr + at + 16));
}

enum dns_reply_status dns_reply_parse(
	struct slice message, const struct dns_query *query, struct dns_reply *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_reply r;
	struct dns_record rec;
	size_t at;
	unsigned counts[3], flags;
	bool bad = false;

	if (!is_ours(message, query))
		return DNS_REPLY_STRANGE;
	memset(&r, 0, offsetof(struct dns_reply, records));
	flags = dns_u16(p + 2);
	r.message = message;
	r.rcode = flags & DNS_RCODE;
	r.truncated = (flags & DNS_TC) != 0;
	r.authoritative = (flags & DNS_AA) != 0;
	r.name = query->name;
	r.ttl = UINT32_MAX;
	for (unsigned i = 0; i < 3; i++)
		counts[i] = dns_u16(p + 6 + 2 * i);
	if (dns_u16(p + 4) == 0 || r.truncated) {
		/* The rest may be cut anywhere; the caller asks again over TCP, or gives up. */
		r.ttl = 0;
		*ret = r;
		return DNS_REPLY_OK;
	}
	if (counts[0] > ANSWERS_MAX)
		return DNS_REPLY_MALFORMED;
	size_t answers = DNS_HEADER_SIZE + query->name.len + 4u;
	at = answers;
	for (unsigned i = 0; i < counts[0]; i++)
		if ((at = dns_record_read(message, at, &rec)) == 0)
			return DNS_REPLY_MALFORMED;
	while (answers_pass(&r, answers, counts[0], query->type, &bad))
		;
	if (bad)
		return DNS_REPLY_MALFORMED;
	for (unsigned i = 0; i < counts[1] + counts[2]; i++) {
		if ((at = dns_record_read(message, at, &rec)) == 0)
			return DNS_REPLY_MALFORMED;
		if (i < counts[1] && rec.type == DNS_SOA)
			take_soa(&r, &rec);
		else if (i >= counts[1] && rec.type == DNS_OPT)
			r.rcode = (uint16_t)((r.rcode & DNS_RCODE) | (rec.ttl >> 24 << 4));
	}
	if (r.ttl == UINT32_MAX)
		r.ttl = 0;
	*ret = r;
	return DNS_REPLY_OK;
}

unsigned dns_reply_kept(const struct dns_reply *r)
{
	return MIN(r->count, DNS_REPLY_RECORDS);
}

static const struct dns_record *record_at(const struct dns_reply *r, unsigned i)
{
	return i < dns_reply_kept(r) ? &r->records[i] : NULL;
}

bool dns_reply_ip(const struct dns_reply *r, unsigned i, struct ip *ret)
{
	const struct dns_record *rec = record_at(r, i);
	struct ip ip = {0};

	if (rec && rec->type == DNS_A && rec->rdata_len == 4)
		ip.family = 4;
	else if (rec && rec->type == DNS_AAAA && rec->rdata_len == 16)
		ip.family = 6;
	else
		return false;
	memcpy(ip.bytes, r->message.ptr + rec->rdata, rec->rdata_len);
	*ret = ip;
	return true;
}

bool dns_reply_name(const struct dns_reply *r, unsigned i, struct domain *ret)
{
	const struct dns_record *rec = record_at(r, i);
	struct domain d;

	if (!rec || (rec->type != DNS_PTR && rec->type != DNS_NS && rec->type != DNS_CNAME)
		|| dns_name_read(r->message, rec->rdata, &d) != rec->rdata + rec->rdata_len)
		return false;
	*ret = d;
	return true;
}

bool dns_reply_text(const struct dns_reply *r, unsigned i, struct buf *ret)
{
	const struct dns_record *rec = record_at(r, i);
	struct slice rdata;

	if (!rec || rec->type != DNS_TXT)
		return false;
	rdata = slice_of(r->message.ptr + rec->rdata, rec->rdata_len);
	for (struct slice s = rdata; s.len; s = slice_skip(s, 1u + (uint8_t)s.ptr[0]))
		if ((uint8_t)s.ptr[0] >= s.len)
			return false;
	for (struct slice s = rdata; s.len; s = slice_skip(s, 1u + (uint8_t)s.ptr[0]))
		buf_add(ret, s.ptr + 1, (uint8_t)s.ptr[0]);
	return true;
}
