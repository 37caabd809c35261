/* zone.h - what one zone answers: the records of a reply under construction. For answer.c. */
#pragma once

#include "dns/writer.h"
#include "dnsd/answer/access.h"

#define RECORDS_MAX 128 /* of one type in one answer */

/* The records of one type that an answer holds so far. */
struct rrset {
	unsigned count;
	uint32_t ttl;
	uint8_t *records[RECORDS_MAX]; /* where they begin in the message */
};

/* The answer under construction. */
struct reply {
	struct dns_writer w;
	const struct dns_question *q;
	const struct served_zone *zone;
	const struct answer_from *from;
	int64_t now_s;
	struct access access;
	uint16_t apex_at; /* where the zone's name stands in the message */
	bool want_a, want_txt, want_mx;
	bool listed;
	bool known;			/* records of the name itself were found */
	bool always;			/* access.always is due */
	struct rrset a, txt, mx, other; /* other: a CNAME, or the type that was asked for */
	enum dns_ede why;		/* of an error, for those who speak EDNS ... */
	const char *why_text;		/* ... in a few words; NULL: nothing to say */
};

static inline unsigned reply_error(
	struct reply *r, unsigned rcode, enum dns_ede why, const char *text)
{
	r->why = why;
	r->why_text = text;
	return rcode;
}

/* A record of the question's name, once in its set, which keeps the least TTL of its records. */
void reply_add(struct reply *r, struct rrset *set, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len);

/* records.c: those of the records in a value (record.h) that were asked for. */
void records_answer(struct reply *r, struct slice records);
/* restricted.c: a place as those see it who may not see what it lists (ACCESS_EMPTY, ACCESS_ALWAYS). */
void restricted_ask(struct reply *r, const struct served_place *p, const struct asked *asked);
void restricted_answer(struct reply *r);

/* The deepest place of the group that the name lies below; `below`: its labels below the zone, *ret_labels: of
 * these, the ones before the place. */
const struct served_place *zone_place(const struct served_group *g, const struct dns_question *q,
	unsigned below, unsigned *ret_labels);

/* Writes what the zone says to r->q; returns the rcode. */
unsigned zone_answer(struct reply *r);
