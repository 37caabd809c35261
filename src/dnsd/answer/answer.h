/* answer.h - one question, one reply: the whole behaviour of the server as a pure function of what is
 * served, the message and the time. UDP workers, TCP, tests and the fuzzer all call it.
 *
 * Zones of this site's lists follow RFC 5782 (5) whatever their data says: 127.0.0.2 (also as
 * ::ffff:7f00:2) and 127.0.0.<code> are listed, 127.0.0.1 is not; "test" is, "invalid" is not. Zones of
 * rbldnsd's files answer what the files say. ANY: our lists give the A records alone (RFC 8482, 4.1: one
 * RRset of those there are, which tells those who ask ANY that a name is listed); rbldnsd's files give A
 * and TXT as rbldnsd does, no more bytes than a TXT question would get. */
#pragma once

#include "base/ip.h"
#include "dns/zone_key.h"
#include "dnsd/answer/served.h"

struct zone_stats;

struct answer_note {
	uint8_t rcode;
	bool listed; /* A, TXT or ANY of a listed name */
	bool truncated;
	bool proven;		  /* by a valid cookie or TCP: the client's address is no forgery */
	bool limited, over_quota; /* so that it is not the answer (limit.h) */
	struct zone_stats
		*zone; /* the zone's counters, where they are wanted (stats.h); else NULL */
	/* Where in the question's name the label that was a key stands: keep it out of logs. 0: none. */
	uint8_t key_at;
	uint32_t zone_hash; /* with quota: which zone it is of */
	uint64_t who;	    /* that key's quotas count (limits_key()); 0: the address's */
	const struct quota_limit *quota; /* the zone's own; NULL: none */
};

enum answer_transport { ANSWER_UDP, ANSWER_TCP };

#define ANSWER_SIZE_UDP DNS_UDP_EDNS
#define ANSWER_SIZE_TCP DNS_MESSAGE_MAX

struct identity;
struct limits;

/* What an answer depends on besides the message and what is served. */
struct answer_from {
	struct ip peer; /* who asks; family 0: not known */
	enum answer_transport transport;
	int64_t now_s;
	const struct identity
		*identity;	    /* NSID, CHAOS names, cookies; NULL: says nothing of itself */
	struct limits *limits;	    /* this thread's rates and quotas; NULL: none */
	struct rrsig_cache *rrsigs; /* this thread's; NULL: signed zones answer unsigned */
};

/* out: ANSWER_SIZE_UDP or ANSWER_SIZE_TCP bytes. Returns the size of the reply; 0: none is due. */
size_t answer(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note);
/* One of several messages at hand; out and the rest as with answer(). */
struct answer_job {
	struct slice message;
	struct ip peer;
	uint8_t *out;
	size_t ret_size; /* of the reply; 0: none is due */
	struct answer_note ret_note;
};

/* As answer() for each; `from` stands for all but its peer. Waits for memory are shared: with many jobs, each
 * costs less. */
void answer_many(const struct served *s, const struct answer_from *from, struct answer_job jobs[],
	size_t count);

/* The same without the short way that plain questions take (plain.h, fast.h): for tests, which compare the two. */
size_t answer_fully(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note);
