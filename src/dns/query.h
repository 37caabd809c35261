/* query.h - a client's question as bytes. The caller brings the randomness (id, letter case) and the
 * socket. */
#pragma once

#include "dns/wire.h"

#define DNS_QUERY_MAX (DNS_HEADER_SIZE + DOMAIN_WIRE_MAX + 4 + 11)

struct dns_query {
	struct domain name;
	uint16_t type; /* class is always IN */
	uint16_t id;
	bool recursion; /* RD: asked of a resolver */
	bool edns;	/* OPT with a buffer of 1232 bytes; off for the second try after FORMERR */
	bool mix_case;	/* letters take random case ("0x20"), which the reply must echo */
	uint8_t case_bits[32]; /* random: bit n decides on byte n of the name */
};

/* Returns the number of bytes written to dst. */
size_t dns_query_write(const struct dns_query *q, uint8_t dst[DNS_QUERY_MAX]);
