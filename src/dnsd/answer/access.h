/* access.h - who may ask what: rules by the address of who asks and by a key in the question. */
#pragma once

#include "dnsd/answer/answer.h"
#include "index/access.h"

/* What one question may have. */
struct access {
	enum access_action action;
	struct value always; /* ACCESS_ALWAYS: what every name answers; $ becomes who asks */
	uint32_t ttl_s;	     /* of it */
	/* The label that was a key, without its length byte, in the question's name; NULL: none. It is a
	 * secret: keep it out of logs. */
	const uint8_t *key;
	uint8_t key_len;
};

/* What the rules for all zones say of who asks. */
struct access access_of_peer(const struct served *s, const struct answer_from *from);
/* The same and the zone's own rules. The zone's own name needs no key: SOA and NS are for everybody whose
 * address may ask. */
struct access access_of_question(const struct served *s, const struct served_zone *z,
	const struct answer_from *from, const struct dns_question *q);
