/* answer.c - one question, one reply. */
#include "dnsd/answer/answer.h"

#include "dnsd/answer/fast.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/limit.h"
#include "dnsd/answer/notified.h"
#include "dnsd/answer/secondaries.h"
#include "dnsd/answer/zone.h"

#define TOGETHER 16 /* questions that wait for memory at once */

/* What can be said without looking anything up; DNS_NOERROR: go on. */
static unsigned early_rcode(enum dns_question_status status, struct reply *r)
{
	const struct dns_question *q = r->q;

	if (status == DNS_QUESTION_NOTIMP)
		return DNS_NOTIMP;
	if (status != DNS_QUESTION_OK)
		return DNS_FORMERR;
	if (q->edns && q->edns_version > 0)
		return DNS_BADVERS;
	if (q->end == 0) /* a cookie is all that is wanted */
		return r->from->identity && r->from->identity->cookies ? DNS_NOERROR : DNS_FORMERR;
	if (q->class != DNS_IN && q->class != DNS_CLASS_ANY && q->class != DNS_CH)
		return reply_error(r, DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, "no such class here");
	if (q->type == DNS_NXNAME) /* no type to ask for (RFC 9824, 3) */
		return reply_error(r, DNS_FORMERR, DNS_EDE_INVALID_TYPE, "NXNAME");
	return DNS_NOERROR;
}

static size_t reply_size(const struct dns_question *q, enum answer_transport transport)
{
	return transport == ANSWER_TCP ? ANSWER_SIZE_TCP : MIN(q->udp_size, ANSWER_SIZE_UDP);
}

static struct access find_access(const struct served *s, const struct reply *r)
{
	if (r->zone && r->zone->guarded)
		return access_of_question(s, r->zone, r->from, r->q);
	if (!r->zone && served_rules(s)->count)
		return access_of_peer(s, r->from);
	return (struct access){.action = ACCESS_PASS};
}

static uint8_t key_at(const struct reply *r)
{
	return r->access.key ? (uint8_t)(r->access.key - r->q->name.wire) : 0;
}

/* The records of the reply; returns the rcode. */
static unsigned answer_question(struct reply *r)
{
	if (r->zone)
		return zone_answer(r);
	if (r->q->class != DNS_CH)
		return reply_error(r, DNS_REFUSED, DNS_EDE_NOT_AUTHORITATIVE, "no such zone here");
	if (identity_chaos(r->from->identity, r->q, &r->w))
		return DNS_NOERROR;
	return reply_error(r, DNS_REFUSED, DNS_EDE_NOT_SUPPORTED, "not told");
}

/* Whose quotas the question counts for. */
static void note_quotas(const struct limits *l, const struct reply *r, struct answer_note *note)
{
	if (r->access.key)
		note->who = limits_key(l, slice_of(r->access.key, r->access.key_len));
	if (r->zone->quota.second || r->zone->quota.day) {
		note->quota = &r->zone->quota;
		note->zone_hash = r->zone->hash;
	}
}

size_t answer_fully(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	struct dns_question q;
	enum dns_question_status status = dns_question_parse(message, &q);
	bool proven = from->transport == ANSWER_TCP, authoritative;
	struct reply r;
	unsigned rcode;

	*ret_note = (struct answer_note){.rcode = 0};
	if (status == DNS_QUESTION_IGNORE)
		return 0;
	if (status == DNS_QUESTION_NOTIMP && (q.flags & DNS_OPCODE) == DNS_NOTIFY && from->identity
		&& from->identity->notified)
		return notified_answer(from->identity->notified, from, message, out, ret_note);
	if (status == DNS_QUESTION_OK && q.end
		&& (q.tsig || q.type == DNS_AXFR || q.type == DNS_IXFR))
		return secondaries_answer(from->identity ? from->identity->secondaries : NULL, s,
			from, &q, message, out, ret_note);
	r.q = &q;
	r.from = from;
	r.now_s = from->now_s;
	r.listed = r.known = r.always = false;
	r.a.count = r.txt.count = r.mx.count = r.other.count = 0;
	r.why_text = NULL;
	dns_writer_start(&r.w, out, reply_size(&q, from->transport), message, &q);
	rcode = early_rcode(status, &r);
	r.zone = rcode == DNS_NOERROR && q.end && q.class != DNS_CH ? served_find(s, &q) : NULL;
	r.access = find_access(s, &r);
	ret_note->key_at = key_at(&r);
	if (r.access.action == ACCESS_IGNORE)
		return 0;
	if (q.edns && status == DNS_QUESTION_OK && rcode != DNS_BADVERS)
		proven |= identity_options(from, &q, &r.w);
	if (rcode == DNS_NOERROR && q.end)
		rcode = answer_question(&r);
	if (q.edns && r.why_text)
		identity_error(&r.w, r.why, r.why_text);
	*ret_note = (struct answer_note){.rcode = (uint8_t)rcode,
		.listed = r.listed,
		.truncated = r.w.overflow,
		.proven = proven,
		.zone = r.zone ? r.zone->stats : NULL,
		.key_at = key_at(&r)};
	if (from->limits && r.zone)
		note_quotas(from->limits, &r, ret_note);
	/* For every class at once nobody has authority (RFC 1035, 6.2). */
	authoritative = (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN) && q.class != DNS_CLASS_ANY;
	return dns_writer_finish(&r.w, authoritative ? DNS_AA : 0, rcode);
}

size_t answer(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note)
{
	struct plain p;
	size_t n = 0;

	if (plain_take(&p, s, from, message)) {
		plain_look(&p);
		n = fast_answer(&p, out, ret_note);
	}
	if (n == 0)
		n = answer_fully(s, from, message, out, ret_note);
	return from->limits ? limits_apply(from->limits, from, message, out, n, ret_note) : n;
}

static void answer_some(const struct served *s, const struct answer_from *from,
	struct answer_job jobs[], size_t count)
{
	struct plain plains[TOGETHER];
	bool plain[TOGETHER];

	for (size_t i = 0; i < count; i++) {
		plain[i] = plain_take(&plains[i], s, from, jobs[i].message);
		if (plain[i])
			plain_prefetch(&plains[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (plain[i])
			plain_prefetch_behind(&plains[i]);
	for (size_t i = 0; i < count; i++)
		if (plain[i])
			plain_look(&plains[i]);
	for (size_t i = 0; i < count; i++) {
		struct answer_job *j = &jobs[i];
		j->ret_size = plain[i] ? fast_answer(&plains[i], j->out, &j->ret_note) : 0;
		if (j->ret_size && !from->limits)
			continue;
		struct answer_from one = *from;
		one.peer = j->peer;
		if (j->ret_size == 0)
			j->ret_size = answer_fully(s, &one, j->message, j->out, &j->ret_note);
		if (from->limits)
			j->ret_size = limits_apply(
				from->limits, &one, j->message, j->out, j->ret_size, &j->ret_note);
	}
}

void answer_many(const struct served *s, const struct answer_from *from, struct answer_job jobs[],
	size_t count)
{
	for (size_t i = 0; i < count; i += TOGETHER)
		answer_some(s, from, jobs + i, MIN(count - i, TOGETHER));
}
