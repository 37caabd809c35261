/* plain.h - the plain question, taken apart in one pass over its bytes. For answer.c and fast.c.
 *
 * Plain is what nearly all questions to a blocklist are: A or TXT, class IN, no EDNS options, a name below
 * a zone whose lists all answer at its top. Whoever adds something that a plain question's answer may depend
 * on makes the zone not plain (zone_is_plain() in served.c), or teaches it to fast.c. */
#pragma once

#include "dnsd/answer/answer.h"

#define PLAIN_NAME_AT 16 /* in `room`: a step of 16 bytes may write in front of a short name */

/* Points into the message and what is served. */
struct plain {
	const uint8_t *message;
	const struct served_zone *zone;
	struct asked asked; /* its name stands in `room` */
	int64_t now_s;
	uint16_t end;	  /* of the question */
	uint16_t zone_at; /* where the zone's name stands in the message */
	uint16_t limit;	  /* no record ends behind it: the room for OPT is taken off */
	bool txt, edns, dnssec_ok, tcp;
	enum index_one one; /* what plain_look() found, in `hit` */
	struct hit hit;
	struct index_way way; /* of zone->only's index */
	uint8_t room[PLAIN_NAME_AT + DOMAIN_WIRE_MAX];
};

/* False: not plain. */
bool plain_take(struct plain *p, const struct served *s, const struct answer_from *from,
	struct slice message);
/* As index_prefetch() and index_prefetch_behind(), for each index that will be asked. */
void plain_prefetch(struct plain *p);
void plain_prefetch_behind(const struct plain *p);
/* Asks the zone's only index, where there is one: before fast_answer(). */
void plain_look(struct plain *p);
