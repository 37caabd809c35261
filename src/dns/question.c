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
	return rec->rdata_len == 0
	       || dns_options_parse(p + rec->rdata, rec->rdata_len, &q->options);
}

/* The records behind the question; returns the offset behind them, 0 when malformed. */
static size_t take_records(struct slice message, size_t at, struct dns_question *q)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	unsigned before = dns_u16(p + 6) + dns_u16(p + 8), records = before + dns_u16(p + 10);
	struct dns_record rec;

	for (unsigned i = 0; i < records; i++) {
		if (q->tsig || (at = dns_record_read(message, at, &rec)) == 0)
			return 0; /* TSIG must be the last one */
		if (rec.type == DNS_OPT && (i < before || !take_opt(message, &rec, q)))
			return 0;
		if (rec.type == DNS_TSIG)
			q->tsig = true;
	}
	return at;
}

enum dns_question_status dns_question_parse(struct slice message, struct dns_question *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_question *q = ret;
	size_t at = DNS_HEADER_SIZE;

	if (message.len < DNS_HEADER_SIZE || p[2] & DNS_QR >> 8)
		return DNS_QUESTION_IGNORE;
	q->id = dns_u16(p);
	q->flags = dns_u16(p + 2);
	q->end = q->type = q->class = 0;
	q->edns = q->dnssec_ok = q->compact_ok = q->tsig = false;
	q->edns_version = 0;
	dns_options_init(&q->options);
	q->udp_size = DNS_UDP_PLAIN;
	if (q->flags & DNS_OPCODE)
		return DNS_QUESTION_NOTIMP;
	if (dns_u16(p + 4) > 1) /* RFC 9619 */
		return DNS_QUESTION_FORMERR;
	if (dns_u16(p + 4) == 1) {
		at = take_name(p, message.len, q);
		if (at == 0 || message.len - at < 4)
			return DNS_QUESTION_FORMERR;
		q->type = dns_u16(p + at);
		q->class = dns_u16(p + at + 2);
		at += 4;
		q->end = (uint16_t)at;
	}
	if (take_records(message, at, q) != message.len || (q->end == 0 && !q->options.cookie_len))
		return DNS_QUESTION_FORMERR;
	return DNS_QUESTION_OK;
}

bool dns_question_serial(struct slice message, const struct dns_question *q, uint32_t *ret_serial)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_record rec;
	size_t at = q->end;

	for (unsigned i = dns_u16(p + 6); i > 0; i--)
		if ((at = dns_record_read(message, at, &rec)) == 0)
			return false;
	if (dns_u16(p + 8) == 0 || dns_record_read(message, at, &rec) == 0 || rec.type != DNS_SOA)
		return false;
	at = dns_name_skip(message, rec.rdata);
	at = at ? dns_name_skip(message, at) : 0;
	if (at == 0 || at + 20 != (size_t)rec.rdata + rec.rdata_len)
		return false;
	*ret_serial = dns_u32(p + at);
	return true;
}

struct domain dns_question_asked(struct slice message, const struct dns_question *q)
{
	struct domain d = q->name;

	memcpy(d.wire, message.ptr + DNS_HEADER_SIZE, d.len);
	return d;
}
