/* notified.h - NOTIFY as it comes in (RFC 1996): who may send one for which transferred zone, and what is
 * answered. The zone is marked and somebody woken; all threads share it. */
#pragma once

#include "config/config.h"
#include "dns/tsig.h"
#include "dnsd/answer/answer.h"

struct notified_zone {
	struct domain zone;
	struct ip *ips; /* of its primaries */
	size_t ip_count;
	const struct prefixes *from; /* borrowed: others that may notify */
	const struct tsig_key *key;  /* borrowed: it must be signed with it; NULL: not */
	_Atomic unsigned
		by; /* 1 + which primary said it last (one more than there are: another one); 0: none */
};

struct notified {
	struct notified_zone *zones;
	size_t count;
	void (*wake)(void *ctx); /* from any thread, when a zone was marked that was not */
	void *ctx;
};

/* As answer_fully(), for a message with opcode NOTIFY. */
size_t notified_answer(const struct notified *n, const struct answer_from *from,
	struct slice message, uint8_t *out, struct answer_note *ret_note);
