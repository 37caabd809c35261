/* ip.c - addresses and prefixes. */
#include "base/ip.h"
#include "base/attr.h"

#include <arpa/inet.h>
#include <stdio.h>

struct ip ip4_of(uint32_t v)
{
	struct ip ip = {.family = 4};

	ip.bytes[0] = (uint8_t)(v >> 24);
	ip.bytes[1] = (uint8_t)(v >> 16);
	ip.bytes[2] = (uint8_t)(v >> 8);
	ip.bytes[3] = (uint8_t)v;
	return ip;
}

uint32_t ip4_value(const struct ip *ip)
{
	const uint8_t *b = ip->bytes;

	if (ip->family != 4)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool ip_parse(struct slice text, struct ip *ret)
{
	char s[64];
	struct ip ip = {.family = 6};

	if (slice_starts_nocase(text, SLICE("IPv6:")))
		text = slice_skip(text, 5);
	if (!slice_copy(text, s, sizeof s))
		return false;
	if (slice_find(text, ':') == text.len) {
		/* inet_pton takes no leading zeros and no missing quads: what we want. */
		ip.family = 4;
		if (inet_pton(AF_INET, s, ip.bytes) != 1)
			return false;
	} else if (inet_pton(AF_INET6, s, ip.bytes) != 1) {
		return false;
	}
	*ret = ip;
	return true;
}

struct ip_text ip_text(const struct ip *ip)
{
	struct ip_text t = {""};

	if (ip->family)
		inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, t.s, sizeof t.s);
	else
		snprintf(t.s, sizeof t.s, "-");
	return t;
}

struct ip ip_unmap(struct ip ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct ip v4 = {.family = 4};

	if (ip.family != 6 || memcmp(ip.bytes, mapped, sizeof mapped) != 0)
		return ip;
	memcpy(v4.bytes, ip.bytes + 12, 4);
	return v4;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

struct prefix prefix_of(const struct ip *ip, unsigned len)
{
	struct prefix p = {*ip, (uint8_t)MIN(len, ip_bits(ip->family))};

	for (unsigned i = 0; i < sizeof p.ip.bytes; i++) {
		if (i * 8 >= p.len)
			p.ip.bytes[i] = 0;
		else if (p.len - i * 8 < 8)
			p.ip.bytes[i] &= (uint8_t)(0xff00 >> (p.len - i * 8));
	}
	return p;
}

bool prefix_parse(struct slice text, struct prefix *ret, struct err *err)
{
	struct slice address, rest = text;
	struct prefix p;
	struct ip ip;
	uint64_t len;

	if (!slice_cut(&rest, '/', &address) || !ip_parse(address, &ip))
		return err_set(err, ERR_SYNTAX, "'%.*s' is not an IP address or prefix",
			(int)MIN(text.len, 80), text.ptr);
	len = ip_bits(ip.family);
	if (rest.ptr && !slice_u64(rest, len, &len))
		return err_set(err, ERR_SYNTAX, "'%.*s': the prefix length must be 0 to %u",
			(int)MIN(text.len, 80), text.ptr, ip_bits(ip.family));
	p = prefix_of(&ip, (unsigned)len);
	if (!ip_eq(&p.ip, &ip))
		return err_set(err, ERR_SYNTAX, "'%.*s' has bits set behind its length: write %s",
			(int)MIN(text.len, 80), text.ptr, prefix_text(&p).s);
	*ret = p;
	return true;
}

struct prefix_text prefix_text(const struct prefix *p)
{
	struct prefix_text t;

	if (p->len == ip_bits(p->ip.family))
		snprintf(t.s, sizeof t.s, "%s", ip_text(&p->ip).s);
	else
		snprintf(t.s, sizeof t.s, "%s/%u", ip_text(&p->ip).s, p->len);
	return t;
}

bool prefix_contains(const struct prefix *p, const struct ip *ip)
{
	struct prefix cut;

	if (p->ip.family != ip->family)
		return false;
	cut = prefix_of(ip, p->len);
	return ip_eq(&cut.ip, &p->ip);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->ip);
}

struct special {
	const char *text;
	uint8_t len;
};

/* IANA IPv4 and IPv6 Special-Purpose Address Registries, multicast and reserved space added. The
 * transition prefixes (6to4, Teredo, NAT64, mapped) wrap IPv4 hosts and are nobody's to list. */
static const struct special special_space[] = {
	{"0.0.0.0", 8},
	{"10.0.0.0", 8},
	{"100.64.0.0", 10},
	{"127.0.0.0", 8},
	{"169.254.0.0", 16},
	{"172.16.0.0", 12},
	{"192.0.0.0", 24},
	{"192.0.2.0", 24},
	{"192.31.196.0", 24},
	{"192.52.193.0", 24},
	{"192.88.99.0", 24},
	{"192.168.0.0", 16},
	{"192.175.48.0", 24},
	{"198.18.0.0", 15},
	{"198.51.100.0", 24},
	{"203.0.113.0", 24},
	{"224.0.0.0", 4},
	{"240.0.0.0", 4},
	{"::", 8},
	{"64:ff9b::", 96},
	{"64:ff9b:1::", 48},
	{"100::", 64},
	{"2001::", 23},
	{"2001:db8::", 32},
	{"2002::", 16},
	{"2620:4f:8000::", 48},
	{"3fff::", 20},
	{"5f00::", 16},
	{"fc00::", 7},
	{"fe80::", 10},
	{"fec0::", 10},
	{"ff00::", 8},
};

bool prefix_is_special(const struct prefix *p)
{
	for (size_t i = 0; i < ARRAY_LEN(special_space); i++) {
		struct prefix s = {.len = special_space[i].len};

		ip_parse(slice_str(special_space[i].text), &s.ip);
		if (prefix_covers(&s, p) || prefix_covers(p, &s))
			return true;
	}
	return false;
}

bool ip_is_special(const struct ip *ip)
{
	struct prefix p = prefix_of(ip, ip_bits(ip->family));

	return prefix_is_special(&p);
}

size_t ip_reversed(const struct ip *ip, char dst[IP_REVERSED_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	if (ip->family == 4)
		return (size_t)snprintf(dst, IP_REVERSED_MAX, "%u.%u.%u.%u", ip->bytes[3],
			ip->bytes[2], ip->bytes[1], ip->bytes[0]);
	for (int i = 15; i >= 0; i--) {
		dst[n++] = hex[ip->bytes[i] & 15];
		dst[n++] = '.';
		dst[n++] = hex[ip->bytes[i] >> 4];
		dst[n++] = '.';
	}
	dst[--n] = '\0';
	return n;
}
