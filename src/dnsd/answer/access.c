/* access.c - who may ask what. */
#include "dnsd/answer/access.h"

/* A stronger action takes over; of two that say "always" the first one's words stay. */
static void apply(struct access *a, const struct hit *hit, uint32_t ttl_s)
{
	enum access_action action = access_of(&hit->value);

	if (action <= a->action)
		return;
	a->action = action;
	a->always = hit->value;
	a->ttl_s = ttl_s;
}

static void apply_addresses(
	struct access *a, const struct served_rules *rules, const struct ip *peer, int64_t now_s)
{
	struct asked asked = {.name = (const uint8_t *)"", .name_len = 1};
	struct hit hits[SNAPSHOT_HITS_MAX];

	asked.is_ip4 = peer->family == 4;
	asked.is_ip6 = peer->family == 6;
	asked.ip4 = ip4_value(peer);
	memcpy(asked.ip6, peer->bytes, sizeof asked.ip6);
	if (!asked.is_ip4 && !asked.is_ip6)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		const struct served_rule *r = &rules->items[i];
		if (!r->by_key && index_find(r->index, &asked, now_s, hits))
			apply(a, &hits[0], r->ttl_s);
	}
}

/* The label left of the zone is the key. Where no set of keys knows it, their words for strangers count. */
static void apply_keys(struct access *a, const struct served_zone *z, const struct dns_question *q,
	unsigned below, int64_t now_s)
{
	const uint8_t *label = q->name.wire + q->label_at[below - 1];
	uint8_t name[65];
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct access strangers = {0};
	struct asked asked;

	memcpy(name, label, label[0] + 1u);
	name[label[0] + 1] = 0;
	asked = asked_of(name, label[0] + 2u, 1);
	for (size_t i = 0; i < z->rules.count; i++) {
		const struct served_rule *r = &z->rules.items[i];
		if (!r->by_key || !index_find(r->index, &asked, now_s, hits))
			continue;
		if (hits[0].len == 0) {
			apply(&strangers, &hits[0], r->ttl_s);
			continue;
		}
		apply(a, &hits[0], r->ttl_s);
		a->key = label + 1;
		a->key_len = label[0];
	}
	if (a->key || strangers.action <= a->action)
		return;
	*a = strangers;
}

struct access access_of_peer(const struct served *s, const struct answer_from *from)
{
	struct access a = {.action = ACCESS_PASS};

	apply_addresses(&a, served_rules(s), &from->peer, from->now_s);
	return a;
}

struct access access_of_question(const struct served *s, const struct served_zone *z,
	const struct answer_from *from, const struct dns_question *q)
{
	struct access a = access_of_peer(s, from);
	unsigned below = (unsigned)q->name.labels - z->name.labels;

	apply_addresses(&a, &z->rules, &from->peer, from->now_s);
	if (z->has_keys && below)
		apply_keys(&a, z, q, below, from->now_s);
	return a;
}
