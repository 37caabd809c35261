/* received.h - who handed a mail to whom: Received header fields in the forms that Postfix, Exim,
 * Sendmail, qmail, Exchange, fetchmail and others write. */
#pragma once

#include "base/ip.h"
#include "mail/header.h"

struct received {
	struct slice helo;	  /* what the client called itself; empty when not told */
	struct slice rdns;	  /* its name by reverse DNS; empty when not told or "unknown" */
	struct ip ip;		  /* of the client; family 0 when not told */
	struct slice by;	  /* the host that wrote this field */
	struct slice for_address; /* "for <...>", without the brackets */
	bool has_from; /* false: it came from a program on that host (qmail, "from userid") */
};

/* All slices point into value. False when it is no Received value at all (no "from", no "by"). */
bool received_parse(struct slice value, struct received *ret);

/* Whom we trust to tell the truth about who handed them a mail. */
struct received_trust {
	const struct prefix *relays; /* our own relays; a peer on loopback always is one */
	size_t relay_count;
	const struct slice *by_names; /* hosts (or parent domains) that they call themselves ... */
	size_t by_name_count;	      /* ... 0: not checked */
};

struct received_sender {
	struct ip ip;
	struct slice helo; /* in the mail; empty when not told */
	struct slice rdns;
	unsigned hops; /* how many Received fields were read for it; 0: the peer itself */
};

/* Who sent this mail to us: peer, when it is not one of our relays; else the first address outside
 * them, read from the top Received fields down, each believed only because the host above it, which
 * wrote it, is ours. Nothing below the first field about a stranger is looked at: a spammer writes
 * there what he likes. A relay that had it from loopback had it from a program on its host, a web form
 * perhaps: the end too, unless relays names loopback, as it must where filters hand mail back that way.
 * False when no stranger shows: mail of our own, or a field that we cannot read. */
bool received_sender(struct slice head, const struct ip *peer, const struct received_trust *trust,
	struct received_sender *ret);
