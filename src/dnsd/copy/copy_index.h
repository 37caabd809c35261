/* copy_index.h - what the copy of somebody else's zone (copy.h) says, as an index: reversed addresses and
 * wildcards above them become prefixes, other names stay names, and the zone answers as RFC 4592 has it. Pure.
 *
 * A records with TXT records beside them, all of one TTL, become values; where a name has others, too, or
 * others alone, all of its records are kept as they are, more slowly found. A name that exists ends what a
 * wildcard above it says: there stands an exclusion.
 *
 * What differs from a server that goes by the records alone: "x.2.0.192" is no address, and a wildcard of
 * addresses does not cover it; names without records exist only where they could be a part of an address, or
 * are a top-level domain; IPv6 addresses with an IPv4 one inside (::ffff:0:0/96, 2002::/16) are listed as that is,
 * unless they are themselves. Records of DNSSEC are not served; there are no referrals, and a CNAME is not followed. */
#pragma once

#include "dnsd/copy/copy.h"
#include "index/builder.h"

struct copy_index {
	uint64_t entries;
	uint64_t kept;	  /* names whose records are kept as they are */
	uint64_t dropped; /* records that are not served */
	bool has_addresses, has_names;
};

/* Adds the zone's sets to the builder: a head with SOA and NS, and those that it needs. */
void copy_index(const struct copy *c, struct builder *b, struct copy_index *ret);
