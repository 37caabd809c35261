/* question.c - a client's message as a server reads it. */
#include "dns/question.h"

/* The name of the question, lower-cased into q. Returns the offset behind it, 0 when malformed. */
static size_t take_name(const uint8_t *p, size_t len, struct dns_question *q)
{
	size_t at = DNS_HEADER_SIZE, n = 0;
	unsigned labels = 0;

	for (;;) {
		if (at >= len)
			return 0;
		unsigned c = p[at];
		q->label_at[labels] = (uint8_t)n;
		if (c == 0)
			break;
		if (c > 63 || at + 1 + c >= len || n + c + 2 > DOMAIN_WIRE_MAX)
			return 0;
		q->name.wire[n++] = (uint8_t)c;
		for (const uint8_t *s = p + at + 1, *end = s + c; s < end; s++)
			q->name.wire[n++] = (uint8_t)ascii_lower((char)*s);
		at += c + 1;
		labels++;
	}
	q->name.wire[n++] = 0;
	q->name.len = (uint8_t)n;
	q->name.labels = (uint8_t)labels;
	return at + 1;
}

/* Options are ignored, but they must be whole. */
static bool options_whole(const uint8_t *p, size_t len)
{
	while (len >= 4 && dns_u16(p + 2) <= len - 4) {
		size_t n = 4u + dns_u16(p + 2);
		p += n;
		len -= n;
	}
	return len == 0;
}

static bool take_opt(struct slice message, const struct dns_record *rec, struct dns_question *q)
{
	const uint8_t *p = (const uint8_t *)message.ptr;

	if (q->edns || p[rec->owner] != 0)
		return false;
	q->edns = true;
	q->edns_version = (uint8_t)(rec->ttl >> 16);
	q->dnssec_ok = (rec->ttl & 0x8000) != 0;
	q->compact_ok = (rec->ttl & 0x4000) != 0;
	if (rec->class > DNS_UDP_PLAIN)
		q->udp_size = rec->class;
	return options_whole(p + rec->rdata, rec->rdata_len);
}

enum dns_question_status dns_question_parse(struct slice message, struct dns_question *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_question *q = ret;
	struct dns_record rec;
	size_t at;
	unsigned before, records;

	if (message.len < DNS_HEADER_SIZE || p[2] & DNS_QR >> 8)
		return DNS_QUESTION_IGNORE;
	q->id = dns_u16(p);
	q->flags = dns_u16(p + 2);
	q->end = 0;
	q->edns = q->dnssec_ok = q->compact_ok = q->tsig = false;
	q->edns_version = 0;
	q->udp_size = DNS_UDP_PLAIN;
	if (q->flags & DNS_OPCODE)
		return DNS_QUESTION_NOTIMP;
	if (dns_u16(p + 4) != 1) /* RFC 9619 */
		return DNS_QUESTION_FORMERR;
	at = take_name(p, message.len, q);
	if (at == 0 || message.len - at < 4)
		return DNS_QUESTION_FORMERR;
	q->type = dns_u16(p + at);
	q->class = dns_u16(p + at + 2);
	at += 4;
	q->end = (uint16_t)at;
	before = dns_u16(p + 6) + dns_u16(p + 8);
	records = before + dns_u16(p + 10);
	for (unsigned i = 0; i < records; i++) {
		if (q->tsig || (at = dns_record_read(message, at, &rec)) == 0)
			return DNS_QUESTION_FORMERR; /* TSIG must be the last one */
		if (rec.type == DNS_OPT && (i < before || !take_opt(message, &rec, q)))
			return DNS_QUESTION_FORMERR;
		if (rec.type == DNS_TSIG)
			q->tsig = true;
	}
	return at == message.len ? DNS_QUESTION_OK : DNS_QUESTION_FORMERR;
}
