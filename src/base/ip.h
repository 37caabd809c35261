/* ip.h - IPv4 and IPv6 addresses and prefixes, and the names DNS blocklists ask them by. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

/* An IPv4 address stands in bytes[0..3], the rest is zero. */
struct ip {
	uint8_t family; /* 4 or 6; 0 = none */
	uint8_t bytes[16];
};

/* Bits behind `len` are zero in every prefix made here. */
struct prefix {
	struct ip ip;
	uint8_t len; /* 0..32 or 0..128 */
};

struct ip_text {
	char s[46];
};
struct prefix_text {
	char s[50];
};

static inline unsigned ip_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

struct ip ip4_of(uint32_t host_order);
uint32_t ip4_value(const struct ip *ip); /* host order; 0 for IPv6 */

/* Text forms of RFC 4291 and dotted quads; no zone ids, no leading zeros in quads. "IPv6:" before an
 * address literal (RFC 5321) is accepted. An IPv4-mapped IPv6 address stays IPv6: see ip_unmap. */
bool ip_parse(struct slice text, struct ip *ret);
struct ip_text ip_text(const struct ip *ip); /* RFC 5952 */
/* ::ffff:a.b.c.d becomes a.b.c.d; others stay. For peers of dual-stack sockets. */
struct ip ip_unmap(struct ip ip);
int ip_compare(const struct ip *a, const struct ip *b); /* family first, then value */
bool ip_eq(const struct ip *a, const struct ip *b);

/* "address" or "address/len"; bits behind len must be zero. */
bool prefix_parse(struct slice text, struct prefix *ret, struct err *err);
struct prefix_text prefix_text(
	const struct prefix *p); /* without "/32" or "/128" when it is one address */
struct prefix prefix_of(const struct ip *ip, unsigned len); /* cuts the bits behind len */
bool prefix_contains(const struct prefix *p, const struct ip *ip);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* Private, loopback, link-local, multicast, documentation and other special-purpose space (IANA
 * special-purpose registries, RFC 6890): never listed, whatever the evidence says. */
bool ip_is_special(const struct ip *ip);
/* The same for a prefix that covers or lies in special space. */
bool prefix_is_special(const struct prefix *p);

#define IP_REVERSED_MAX 64
/* The labels of RFC 5782 without the zone and without a final dot: "4.3.2.1", or 32 nibbles. */
size_t ip_reversed(const struct ip *ip, char dst[IP_REVERSED_MAX]);
