/* secondaries.h - who may transfer zones, by address and by key; and questions that are signed with such a
 * key. Made once, shared by all threads. */
#pragma once

#include "config/config.h"
#include "dns/tsig.h"
#include "dnsd/answer/answer.h"
#include "io/socket.h"

struct secondary {
	const struct config_secondary *config; /* borrowed */
	const struct tsig_key *key;	       /* NULL: none */
	struct socket_address *addresses;
	struct ip *ips;
	struct domain *zones; /* none: all */
	size_t address_count, zone_count;
};

struct secondaries {
	struct tsig_key *keys;
	struct secondary *items;
	size_t key_count, count;
};

/* Reads the files of secrets. The configuration must outlive it. */
bool secondaries_init(struct secondaries *s, const struct config_dnsd *config, struct err *err);
void secondaries_done(struct secondaries *s);
bool secondary_has_zone(const struct secondary *s, const struct domain *zone);

/* What a message says about who sent it. */
struct signer {
	bool is_signed;
	struct tsig_record record;
	struct tsig_chain chain; /* with a key when it is known; tsig_chain_done() it */
	enum tsig_error error;
};

/* False: the records of the message are malformed. */
bool secondaries_check(
	const struct secondaries *s, struct slice message, int64_t now_s, struct signer *ret);
/* May they transfer the zone? `signer`: without an error. */
bool secondaries_allow(const struct secondaries *s, const struct ip *peer,
	const struct signer *signer, const struct domain *zone);

/* The answer to a message that is signed or asks for IXFR or AXFR and is not answered by a transfer (UDP;
 * refused). As answer_fully(), which it asks for signed questions of other types. s may be NULL. */
size_t secondaries_answer(const struct secondaries *s, const struct served *served,
	const struct answer_from *from, const struct dns_question *q, struct slice message,
	uint8_t *out, struct answer_note *ret_note);
