/* notified.c - NOTIFY as it comes in. */
#include "dnsd/answer/notified.h"

#include "dns/writer.h"
#include "dnsd/answer/identity.h"

#define MESSAGE_MAX 4096 /* an SOA, OPT and TSIG are far below it */

static struct notified_zone *find_zone(const struct notified *n, const struct domain *zone)
{
	for (size_t i = 0; i < n->count; i++)
		if (domain_eq(&n->zones[i].zone, zone))
			return &n->zones[i];
	return NULL;
}

/* 1 + which primary it is, or one more than there are; 0: nobody who may notify. */
static unsigned sender(const struct notified_zone *z, const struct ip *peer)
{
	for (size_t i = 0; i < z->ip_count; i++)
		if (ip_eq(&z->ips[i], peer))
			return (unsigned)i + 1;
	for (size_t i = 0; i < z->from->count; i++)
		if (prefix_contains(&z->from->items[i], peer))
			return (unsigned)z->ip_count + 1;
	return 0;
}

struct verdict {
	unsigned rcode;
	enum dns_ede why;
	const char *text;
	bool is_signed;
	struct tsig_record record;
	struct tsig_chain chain;
	enum tsig_error error;
};

static void refuse(struct verdict *v, unsigned rcode, enum dns_ede why, const char *text)
{
	v->rcode = rcode;
	v->why = why;
	v->text = text;
}

/* Marks the zone when all is well. */
static void judge(const struct notified *n, const struct answer_from *from,
	const struct dns_question *q, struct slice message, struct verdict *v)
{
	struct notified_zone *z = find_zone(n, &q->name);
	unsigned by = z ? sender(z, &from->peer) : 0;

	v->is_signed = q->tsig && tsig_find(message, &v->record) == TSIG_PRESENT;
	if (v->is_signed && z && z->key) {
		tsig_chain_start(&v->chain, z->key);
		v->error = tsig_chain_check(&v->chain, message, &v->record, from->now_s);
	} else if (v->is_signed) {
		v->error = TSIG_BADKEY;
	}
	if (v->error)
		v->rcode = DNS_NOTAUTH;
	else if (q->type != DNS_SOA || q->class != DNS_IN)
		refuse(v, DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, "NOTIFY of what");
	else if (!z)
		refuse(v, DNS_REFUSED, DNS_EDE_NOT_AUTHORITATIVE, "not a zone that is transferred");
	else if (by == 0 || (z->key && !v->is_signed))
		refuse(v, DNS_REFUSED, DNS_EDE_PROHIBITED, "NOTIFY is not taken from you");
	else if (atomic_exchange(&z->by, by) == 0)
		n->wake(n->ctx);
}

size_t notified_answer(const struct notified *n, const struct answer_from *from,
	struct slice message, uint8_t *out, struct answer_note *ret_note)
{
	size_t size = from->transport == ANSWER_UDP ? ANSWER_SIZE_UDP : ANSWER_SIZE_TCP, len;
	struct verdict v = {.rcode = DNS_NOERROR};
	uint8_t plain[MESSAGE_MAX];
	struct dns_question q;
	struct dns_writer w;

	*ret_note = (struct answer_note){0};
	if (message.len > sizeof plain)
		return 0;
	/* It is read as a question, which it looks like in all but its opcode. */
	memcpy(plain, message.ptr, message.len);
	plain[2] &= (uint8_t) ~(DNS_OPCODE >> 8);
	if (dns_question_parse(slice_of(plain, message.len), &q) != DNS_QUESTION_OK || !q.end)
		v.rcode = DNS_FORMERR;
	else
		judge(n, from, &q, message, &v);
	q.flags = dns_u16((const uint8_t *)message.ptr + 2);
	dns_writer_start(&w, out, DNS_UDP_PLAIN, message, &q);
	if (v.text && q.edns)
		identity_error(&w, v.why, v.text);
	len = dns_writer_finish(&w, v.rcode == DNS_NOERROR ? DNS_AA : 0, v.rcode);
	if (v.is_signed)
		len = v.error ? tsig_refuse(
			      &v.chain, &v.record, v.error, out, len, size, from->now_s)
			      : tsig_chain_sign(&v.chain, out, len, size, from->now_s);
	tsig_chain_done(&v.chain);
	ret_note->rcode = (uint8_t)v.rcode;
	return len;
}
