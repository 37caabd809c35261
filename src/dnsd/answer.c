/* answer.c - one question, one reply. */
#include "dnsd/answer.h"

#include "dnsd/fast.h"
#include "dnsd/zone.h"

/* What can be said without looking anything up; DNS_NOERROR: go on. */
static unsigned early_rcode(enum dns_question_status status, const struct dns_question *q)
{
	if (status == DNS_QUESTION_NOTIMP)
		return DNS_NOTIMP;
	if (status != DNS_QUESTION_OK)
		return DNS_FORMERR;
	if (q->edns && q->edns_version > 0)
		return DNS_BADVERS;
	if (q->tsig)
		return DNS_NOTAUTH; /* no keys are known here (RFC 8945, 5.2.1) */
	if (q->class != DNS_IN && q->class != DNS_CLASS_ANY)
		return DNS_REFUSED;
	if (q->type == DNS_NXNAME) /* no type to ask for (RFC 9824, 3) */
		return DNS_FORMERR;
	if (q->type == DNS_AXFR || q->type == DNS_IXFR)
		return DNS_REFUSED;
	return DNS_NOERROR;
}

static size_t reply_size(const struct dns_question *q, enum answer_transport transport)
{
	return transport == ANSWER_TCP ? ANSWER_SIZE_TCP : MIN(q->udp_size, ANSWER_SIZE_UDP);
}

size_t answer_fully(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	struct dns_question q;
	enum dns_question_status status = dns_question_parse(message, &q);
	struct reply r;
	unsigned rcode;

	if (status == DNS_QUESTION_IGNORE)
		return 0;
	r.q = &q;
	r.from = from;
	r.now_s = from->now_s;
	r.listed = r.known = r.always = false;
	r.a.count = r.txt.count = r.mx.count = 0;
	dns_writer_start(&r.w, out, reply_size(&q, from->transport), message, &q);
	rcode = early_rcode(status, &q);
	r.zone = rcode == DNS_NOERROR ? served_find(s, &q) : NULL;
	r.access = (struct access){.action = ACCESS_PASS};
	if (r.zone && r.zone->guarded)
		r.access = access_of_question(s, r.zone, from, &q);
	else if (!r.zone && served_rules(s)->count)
		r.access = access_of_peer(s, from);
	if (r.access.action == ACCESS_IGNORE)
		return 0;
	if (r.zone)
		rcode = zone_answer(&r);
	else if (rcode == DNS_NOERROR)
		rcode = DNS_REFUSED;
	*ret_note = (struct answer_note){(uint8_t)rcode, r.listed, r.w.overflow};
	return dns_writer_finish(
		&r.w, rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN ? DNS_AA : 0, rcode);
}

size_t answer(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	size_t n = fast_answer(s, from, message, out, ret_note);

	return n ? n : answer_fully(s, from, message, out, ret_note);
}
