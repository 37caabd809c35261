/* zone.h - what one zone answers: the records of a reply under construction. For answer.c. */
#pragma once

#include "dns/writer.h"
#include "dnsd/answer.h"

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
	uint16_t apex_at; /* where the zone's name stands in the message */
	bool want_a, want_txt;
	bool listed;
	struct rrset a, txt;
};

/* Writes what the zone says to r->q; returns the rcode. */
unsigned zone_answer(struct reply *r);
