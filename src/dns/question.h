/* question.h - a client's message as a server reads it: in place, in one pass, nothing allocated. */
#pragma once

#include "dns/edns.h"

enum dns_question_status {
	DNS_QUESTION_OK,
	DNS_QUESTION_IGNORE, /* shorter than a header, or itself a reply: an answer could start a loop */
	DNS_QUESTION_FORMERR,
	DNS_QUESTION_NOTIMP, /* another opcode than QUERY */
};

struct dns_question {
	uint16_t id, flags; /* as received; set whenever the status is not IGNORE */
	uint16_t type, class; /* 0 without a question */
	uint16_t end; /* offset behind the question: the bytes that a reply echoes; 0: none to echo,
		       * also with status OK when only a cookie is asked for (RFC 7873, 5.4) */
	bool edns, dnssec_ok, tsig;
	bool compact_ok; /* CO: knows NXDOMAIN from an NSEC record, too (RFC 9824, 5) */
	uint8_t edns_version;
	struct dns_options options;
	uint16_t udp_size;  /* what the client takes over UDP; 512 without EDNS, never less */
	struct domain name; /* in lower case; valid only when `end` is not 0 */
	uint8_t label_at
		[128]; /* where in name.wire each label starts; the root's is the last one */
};

/* Exactly one question (none: only with a cookie), of class and type any, no compression in its name; then whole records, of which
 * only OPT and TSIG are looked at (RFC 6891: one OPT at most, owned by the root); nothing behind them.
 * On FORMERR and NOTIMP what was read so far stands in *ret, for the reply. */
enum dns_question_status dns_question_parse(struct slice message, struct dns_question *ret);

/* What an IXFR question says of itself: the serial of the SOA in its authority section (RFC 1995, 3). q: as
 * parsed from this message, with status OK. False: there is none. */
bool dns_question_serial(struct slice message, const struct dns_question *q, uint32_t *ret_serial);
/* The name of the question as it came, letter case and all. */
struct domain dns_question_asked(struct slice message, const struct dns_question *q);
