/* index_model.h - what a set of entries answers, by looking at each of them: the model that snapshot
 * and overlay are held against. */
#pragma once

#include "index/builder.h"
#include "index/index.h"
#include "prop.h"

#define MODEL_MAX 4096

struct model_entry {
	bool is_name;
	struct prefix prefix;
	struct domain name;
	enum scope scope;
	bool excluded;
	uint32_t code; /* the text is "code <code> of $" */
	int64_t expires_s;
	bool gone; /* taken out again */
};

struct model {
	enum set_rule rule;
	struct model_entry items[MODEL_MAX];
	size_t count;
};

static inline bool model_same_key(const struct model_entry *a, const struct model_entry *b)
{
	if (a->is_name)
		return domain_eq(&a->name, &b->name) && a->scope == b->scope;
	return a->prefix.len == b->prefix.len && ip_eq(&a->prefix.ip, &b->prefix.ip);
}

static inline bool model_covers(
	const struct model_entry *e, const struct ip *ip, const struct domain *name)
{
	if (!e->is_name)
		return ip && prefix_contains(&e->prefix, ip);
	if (!name || !domain_is_under(name, &e->name))
		return false;
	return e->scope & (domain_eq(name, &e->name) ? SCOPE_SELF : SCOPE_BELOW);
}

static inline unsigned model_depth(const struct model *m, const struct model_entry *e)
{
	unsigned len = e->is_name ? e->name.labels : e->prefix.len;

	if (e->is_name && m->rule == SET_FIRST) /* "x" goes before ".x" */
		return len * 4 + 3 - e->scope;
	return m->rule == SET_OCTETS ? ((len ? len : 1) + 7) / 8 : len;
}

/* The codes of the answer, each once, as a bit set: codes are 1..63. */
static inline uint64_t model_ask(
	const struct model *m, const struct ip *ip, const struct domain *name, int64_t now_s)
{
	unsigned best = 0;
	uint64_t codes = 0;
	bool any = false, excluded = false;

	for (size_t i = 0; i < m->count; i++) {
		const struct model_entry *e = &m->items[i];
		bool doubled = false;

		if (!model_covers(e, ip, name) || e->gone)
			continue;
		for (size_t k = 0; m->rule == SET_FIRST && k < i; k++)
			doubled = doubled || (!m->items[k].gone && model_same_key(&m->items[k], e));
		if (doubled || (e->expires_s && e->expires_s <= now_s))
			continue;
		if (!any || model_depth(m, e) > best) {
			any = true;
			best = model_depth(m, e);
			codes = 0;
			excluded = false;
		} else if (model_depth(m, e) < best) {
			continue;
		}
		if (e->excluded)
			excluded = true;
		else
			codes |= (uint64_t)1 << e->code;
	}
	return excluded ? 0 : codes;
}

static inline void model_add_to(const struct model_entry *e, struct builder_set *s)
{
	char text[40];
	uint32_t value;

	snprintf(text, sizeof text, "code %u of $", e->code);
	value = e->excluded ? BUILDER_EXCLUDED : builder_value(s, e->code, slice_str(text));
	if (e->is_name)
		builder_add_name(s, &e->name, e->scope, value, e->expires_s);
	else
		builder_add_prefix(s, &e->prefix, value, e->expires_s);
}

/* What the index says, in the model's form; checks texts on the way. */
static inline uint64_t index_codes(const struct index *ix, size_t set, const struct ip *ip,
	const struct domain *name, int64_t now_s)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct asked q = ip ? asked_ip(ip) : asked_of(name->wire, name->len, name->labels);
	size_t n = index_find_in(ix, set, &q, now_s, hits);
	uint64_t codes = 0;
	char want[40];

	for (size_t i = 0; i < n; i++) {
		snprintf(want, sizeof want, "code %u of $", hits[i].value.code);
		if (hits[i].excluded || !slice_eq(hits[i].value.text, slice_str(want)))
			return UINT64_MAX;
		codes |= (uint64_t)1 << hits[i].value.code;
	}
	return codes;
}

/* Names of few labels, so that they meet. */
static inline struct domain model_name(struct prop *p, unsigned labels_max)
{
	static const char *const words[] = {"a", "bb", "ccc", "x-1"};
	struct domain d = {.len = 1};
	unsigned labels = 1 + prop_below(p, labels_max);
	char text[64] = "";
	size_t n = 0;

	for (unsigned i = 0; i < labels; i++)
		n += (size_t)snprintf(
			text + n, sizeof text - n, "%s%s", i ? "." : "", words[prop_below(p, 4)]);
	domain_parse(slice_of(text, n), &d, NULL);
	return d;
}

/* An address of a small world: IPv4 below 10.0.0.0/20 and around, IPv6 below 2001:db8::/32. */
static inline struct ip model_ip(struct prop *p, bool ip6)
{
	struct ip ip = {.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8}};

	if (!ip6)
		return ip4_of(0x0a000000 | prop_below(p, 2) << 12 | prop_below(p, 256)
			      | prop_below(p, 4) << 8);
	ip.bytes[7] = (uint8_t)prop_below(p, 4);
	ip.bytes[8] = (uint8_t)prop_below(p, 2);
	ip.bytes[15] = (uint8_t)prop_below(p, 8);
	return ip;
}

static inline struct model_entry model_entry(
	struct prop *p, bool names, bool excludes, bool expires)
{
	static const uint8_t lens4[] = {32, 32, 32, 31, 30, 28, 25, 24, 23, 20, 17, 16, 9, 8, 1, 0};
	static const uint8_t lens6[] = {128, 128, 127, 100, 65, 64, 64, 63, 56, 48, 33, 1, 0};
	struct model_entry e = {.is_name = names, .code = 1 + prop_below(p, 3)};
	bool ip6 = prop_below(p, 3) == 0;
	struct ip ip = model_ip(p, ip6);

	e.excluded = excludes && prop_below(p, 5) == 0;
	e.expires_s = expires && prop_below(p, 3) == 0 ? 100 + prop_below(p, 3) * 100 : 0;
	e.scope = SCOPE_SELF + prop_below(p, 3);
	e.name = model_name(p, 5);
	e.prefix = prefix_of(
		&ip, ip6 ? lens6[prop_below(p, sizeof lens6)] : lens4[prop_below(p, sizeof lens4)]);
	return e;
}
