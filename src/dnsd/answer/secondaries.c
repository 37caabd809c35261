/* secondaries.c - who may transfer zones. */
#include "dnsd/answer/secondaries.h"

#include "dns/bulk.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/rr_list.h"

bool secondary_has_zone(const struct secondary *s, const struct domain *zone)
{
	for (size_t i = 0; i < s->zone_count; i++)
		if (domain_eq(&s->zones[i], zone))
			return true;
	return s->zone_count == 0;
}

static bool has_address(const struct secondary *s, const struct ip *peer)
{
	for (size_t i = 0; i < s->address_count; i++)
		if (ip_eq(&s->ips[i], peer))
			return true;
	for (size_t i = 0; i < s->config->from.count; i++)
		if (prefix_contains(&s->config->from.items[i], peer))
			return true;
	return false;
}

bool secondaries_check(
	const struct secondaries *s, struct slice message, int64_t now_s, struct signer *ret)
{
	enum tsig_found found = tsig_find(message, &ret->record);

	ret->is_signed = found == TSIG_PRESENT;
	ret->error = TSIG_OK;
	tsig_chain_start(&ret->chain, NULL);
	if (found != TSIG_PRESENT)
		return found == TSIG_ABSENT;
	for (size_t i = 0; s && i < s->key_count; i++)
		if (domain_eq(&s->keys[i].name, &ret->record.name))
			tsig_chain_start(&ret->chain, &s->keys[i]);
	ret->error = ret->chain.key ? tsig_chain_check(&ret->chain, message, &ret->record, now_s)
				    : TSIG_BADKEY;
	return true;
}

bool secondaries_allow(const struct secondaries *s, const struct ip *peer,
	const struct signer *signer, const struct domain *zone)
{
	for (size_t i = 0; s && i < s->count; i++) {
		const struct secondary *e = &s->items[i];
		if ((e->key == NULL || (signer->is_signed && signer->chain.key == e->key))
			&& has_address(e, peer) && secondary_has_zone(e, zone))
			return true;
	}
	return false;
}

/* ---- answers of one message ---- */

/* IXFR over UDP: the SOA tells whether it is worth coming by TCP (RFC 1995, 4). */
static size_t answer_soa(const struct served_zone *z, const struct dns_question *q,
	struct slice message, uint8_t *out, size_t size)
{
	const struct dns_bulk_head head = {.id = q->id,
		.flags = DNS_QR | DNS_AA | (q->flags & DNS_RD),
		.zone = z->name,
		.asked = dns_question_asked(message, q),
		.type = q->type};
	_cleanup_buf_ struct buf record = BUF_INIT(2048);
	struct slice rest;
	struct dns_bulk b;
	struct rr rr;

	rr_put_soa(&record, &z->name, &z->soa, served_serial(z));
	rest = buf_slice(&record);
	dns_bulk_start(&b, out, size, &head);
	if (rr_next(&rest, &rr))
		dns_bulk_add(&b, &rr.owner, rr.type, rr.ttl, rr.rdata);
	return dns_bulk_finish(&b);
}

/* Why there is no transfer. */
struct reason {
	unsigned rcode;
	enum dns_ede code;
	const char *text; /* NULL: the rcode says enough */
};

static size_t answer_rcode(const struct dns_question *q, struct slice message,
	const struct reason *why, uint8_t *out, struct answer_note *note)
{
	struct dns_writer w;

	dns_writer_start(&w, out, DNS_UDP_PLAIN, message, q);
	if (why->text && q->edns)
		identity_error(&w, why->code, why->text);
	*note = (struct answer_note){.rcode = (uint8_t)why->rcode};
	return dns_writer_finish(&w, 0, why->rcode);
}

/* To who may transfer the zone: the transfer itself was refused, or cannot be had this way. */
static struct reason reason_of(const struct served_zone *z, const struct answer_from *from)
{
	const char *lacks = served_lacks(z);

	if (z->broken || (z->expires_s && z->expires_s <= from->now_s))
		return (struct reason){
			DNS_SERVFAIL, DNS_EDE_INVALID_DATA, lacks ? lacks : "its data is too old"};
	if (lacks)
		return (struct reason){DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, lacks};
	if (from->transport == ANSWER_UDP)
		return (struct reason){DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, "transfers come by TCP"};
	return (struct reason){DNS_REFUSED, DNS_EDE_OTHER, "too many transfers now"};
}

/* The question as it was before it was signed. */
static size_t answer_stripped(const struct served *served, const struct answer_from *from,
	const struct signer *signer, struct slice message, uint8_t *out, struct answer_note *note)
{
	uint8_t stripped[DNS_UDP_PLAIN];
	size_t len = signer->record.at;

	if (len > sizeof stripped)
		return 0;
	memcpy(stripped, message.ptr, len);
	dns_put_u16(stripped + 10, (uint16_t)(dns_u16(stripped + 10) - 1));
	return answer_fully(served, from, slice_of(stripped, len), out, note);
}

size_t secondaries_answer(const struct secondaries *s, const struct served *served,
	const struct answer_from *from, const struct dns_question *q, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	bool transfer = q->type == DNS_AXFR || q->type == DNS_IXFR, udp;
	const struct served_zone *z;
	struct reason why = {0};
	struct signer signer;
	size_t size, n = 0;

	udp = from->transport == ANSWER_UDP;
	size = udp ? ANSWER_SIZE_UDP : ANSWER_SIZE_TCP;
	if (!secondaries_check(s, message, from->now_s, &signer))
		return answer_rcode(
			q, message, &(struct reason){.rcode = DNS_FORMERR}, out, ret_note);
	z = transfer && !signer.error ? served_find_exact(served, q->name.wire, q->name.len) : NULL;
	if (signer.error) {
		why.rcode = DNS_NOTAUTH;
		n = answer_rcode(q, message, &why, out, ret_note);
	} else if (!transfer) {
		n = answer_stripped(served, from, &signer, message, out, ret_note);
	} else if (!z || !secondaries_allow(s, &from->peer, &signer, &z->name)
		   || q->class != DNS_IN) {
		why = (struct reason){DNS_REFUSED, DNS_EDE_PROHIBITED, "no transfer for you"};
		n = answer_rcode(q, message, &why, out, ret_note);
	} else if (!udp || q->type != DNS_IXFR || served_lacks(z)) {
		why = reason_of(z, from);
		n = answer_rcode(q, message, &why, out, ret_note);
	} else {
		*ret_note = (struct answer_note){0};
		n = answer_soa(z, q, message, out, size);
	}
	if (n && size - n < TSIG_SIZE_MAX + DOMAIN_WIRE_MAX && signer.is_signed) {
		/* no room for the signature: come by TCP */
		why = (struct reason){.rcode = DNS_NOERROR};
		n = answer_rcode(q, message, &why, out, ret_note);
		dns_put_u16(out + 2, dns_u16(out + 2) | DNS_TC);
		ret_note->truncated = true;
	}
	if (n && signer.is_signed)
		n = signer.error ? tsig_refuse(
			    &signer.chain, &signer.record, signer.error, out, n, size, from->now_s)
				 : tsig_chain_sign(&signer.chain, out, n, size, from->now_s);
	tsig_chain_done(&signer.chain);
	return n;
}
