/* reply.h - a server's reply, taken apart by a client that trusts none of it. */
#pragma once

#include "base/buf.h"
#include "base/ip.h"
#include "dns/query.h"

#define DNS_REPLY_RECORDS 64 /* more of the asked type are counted, not kept */
#define DNS_REPLY_ALIASES 8  /* a longer CNAME chain makes the reply malformed */

enum dns_reply_status {
	DNS_REPLY_OK,	     /* rcode may still be an error */
	DNS_REPLY_STRANGE,   /* not the answer to this query (late, or forged): keep waiting */
	DNS_REPLY_MALFORMED, /* from the right server, and broken */
};

struct dns_reply {
	struct slice message; /* borrowed: must outlive the reply */
	uint16_t rcode;	      /* with the upper bits of EDNS */
	bool truncated, authoritative;
	struct domain name; /* where the CNAME chain ended; the asked name without one */
	unsigned aliases;   /* CNAMEs followed */
	uint32_t count;	    /* records of the asked type at `name`; may be over DNS_REPLY_RECORDS */
	uint32_t ttl;	    /* least TTL of those records and of the CNAMEs; 0 without any */
	bool has_soa; /* SOA in the authority section, so that a negative answer may be kept ... */
	uint32_t
		negative_ttl; /* ... for so many seconds: the lesser of its TTL and MINIMUM (RFC 2308) */
	struct domain zone;			      /* owner of that SOA */
	struct dns_record records[DNS_REPLY_RECORDS]; /* the first `count`, in the order received */
};

/* Takes a datagram or TCP message apart. `query` is what was sent: id, name (letter case as sent when
 * mix_case), type must come back. *ret is written only when the status is DNS_REPLY_OK. */
enum dns_reply_status dns_reply_parse(
	struct slice message, const struct dns_query *query, struct dns_reply *ret);

/* Number of records kept: the least of count and DNS_REPLY_RECORDS. */
unsigned dns_reply_kept(const struct dns_reply *r);
/* Record i as an address (A, AAAA), a name (PTR, NS, CNAME), a text (TXT: its strings joined, added to
 * ret). False when the record is not of such a type or malformed; the others are still good. */
bool dns_reply_ip(const struct dns_reply *r, unsigned i, struct ip *ret);
bool dns_reply_name(const struct dns_reply *r, unsigned i, struct domain *ret);
bool dns_reply_text(const struct dns_reply *r, unsigned i, struct buf *ret);
