/* content_policy.c - lists as rules for resolvers (response policy zones, draft-vixie-dnsop-dns-rpz): names as
 * QNAME triggers, addresses as triggers for those in answers ("32.4.3.2.1.rpz-ip"). Every trigger's CNAME says
 * what to do. What is excluded from something listed gets one that lets it pass. */
#include "dnsd/content/content_private.h"

#include "dnsd/answer/rr_list.h"

#define IP_TRIGGER "\6rpz-ip"
#define IP6_WORDS 8

static const struct domain passthru = {.len = 14, .labels = 1, .wire = "\14rpz-passthru"};

static void put(
	const struct content_place *p, const struct domain *owner, bool excluded, struct buf *to)
{
	const struct domain *target = excluded ? &passthru : p->policy;

	rr_put(to, owner, DNS_CNAME, p->policy_ttl_s, slice_of(target->wire, target->len));
}

/* ---- names ---- */

void policy_put_name(
	const struct content_place *p, const struct domain *owner, bool excluded, struct buf *to)
{
	put(p, owner, excluded, to);
}

/* "rpz-ip", "rpz-client-ip" and the like as top-level domains: who lists such a name must not make rules of
 * another kind. */
bool policy_takes_name(const struct domain *name)
{
	struct domain top = domain_parent(name, name->labels ? name->labels - 1u : 0);

	return top.labels == 0 || top.wire[0] < 4 || memcmp(top.wire + 1, "rpz-", 4) != 0;
}

/* ---- addresses ---- */

static void put_label(struct domain *d, const char *format, unsigned value)
{
	uint8_t *at = d->wire + d->len;
	int n = snprintf((char *)at + 1, 8, format, value);

	*at = (uint8_t)n;
	d->len = (uint8_t)(d->len + n + 1);
	d->labels++;
}

/* The first of the longest runs of zeros, of two words at least, is "zz" (as "::", RFC 5952, 4.2). */
static unsigned longest_zeros(const uint16_t words[IP6_WORDS], unsigned *ret_first)
{
	unsigned most = 1, run = 0;

	for (unsigned i = 0; i < IP6_WORDS; i++) {
		run = words[i] ? 0 : run + 1;
		if (run > most) {
			most = run;
			*ret_first = i + 1 - run;
		}
	}
	return most > 1 ? most : 0;
}

static void put_ip6(struct domain *d, const struct ip *ip)
{
	uint16_t words[IP6_WORDS];
	unsigned first = 0, zeros;

	for (unsigned i = 0; i < IP6_WORDS; i++)
		words[i] = (uint16_t)(ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1]);
	zeros = longest_zeros(words, &first);
	for (unsigned i = IP6_WORDS; i-- > 0;) {
		if (zeros && i == first + zeros - 1) {
			memcpy(d->wire + d->len, "\2zz", 3);
			d->len += 3;
			d->labels++;
			i = first;
			continue;
		}
		put_label(d, "%x", words[i]);
	}
}

/* False: the zone's name leaves no room. */
static bool ip_name(const struct content_place *p, const struct family *f, bits128 at,
	unsigned bits, struct domain *ret)
{
	struct ip ip = bits_ip(f, at);
	struct domain d = {0};

	put_label(&d, "%u", bits);
	if (ip.family == 6)
		put_ip6(&d, &ip);
	for (unsigned i = 4; ip.family == 4 && i-- > 0;)
		put_label(&d, "%u", ip.bytes[i]);
	memcpy(d.wire + d.len, IP_TRIGGER, sizeof IP_TRIGGER);
	d.len = (uint8_t)(d.len + sizeof IP_TRIGGER);
	d.labels++;
	return domain_join(&d, &p->name, ret);
}

/* Resolvers go by the longest prefix that has a trigger: one that says the same as the next shorter may stand
 * there. Where nothing is said and nothing shorter says anything none is needed. */
void policy_put_prefix(const struct content_place *p, const struct family *f, bits128 at,
	unsigned bits, struct buf *to)
{
	struct said said, above = {0};
	struct domain owner;

	content_ask_prefix(p, f, at, bits, &said);
	if (!said.count && bits)
		content_ask_prefix(p, f, at, bits - 1, &above);
	if ((said.count || above.count) && ip_name(p, f, at, bits, &owner))
		put(p, &owner, said.count == 0, to);
}

/* Our own lists exclude nothing, so an entry has a say in its own trigger alone. */
void policy_put_around_prefix(const struct content *c, const struct content_place *p,
	const struct prefix *key, struct buf *to)
{
	const struct family *f = key->ip.family == 4 ? &family_ip4 : &family_ip6;
	struct key_stream keys;
	unsigned len;
	bits128 at;

	key_stream_start(&keys, c, p, f, bits_of(&key->ip), 8);
	for (; key_stream_peek(&keys, &at, &len); keys.next++) {
		if (at != bits_of(&key->ip) || len > key->len)
			return;
		if (len == key->len)
			policy_put_prefix(p, f, at, len, to);
	}
}
