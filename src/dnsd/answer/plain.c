/* plain.c - the plain question, taken apart in one pass over its bytes. */
#include "dnsd/answer/plain.h"

#include "base/attr.h"
#include "base/bytes16.h"

#define OPT_SIZE 11
#define TAIL_SIZE 4 /* type and class */
/* Shorter ones are no entries of a list; with what follows it is enough for asked_front(). */
#define NAME_MIN (ASKED_FRONT_READS - TAIL_SIZE)

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

/* len at least NAME_MIN. Of a name shorter than 16 bytes, what stands before it is taken along. */
static void lower_name(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t at = 0; at + 16 < len; at += 16)
		store16(dst + at, lower16(load16(src + at)));
	store16(dst + len - 16, lower16(load16(src + len - 16)));
}

/* OPT at the message's end: version 0, no flags but DO, no options. */
static inline bool take_opt(struct plain *p, const uint8_t *opt)
{
	uint64_t head = load64(opt); /* root, type, size, upper bits of rcode, version, flags */
	uint32_t tail = dns_u32(opt + 7); /* flags, length of the options */

	if ((head & 0xffffff000000ff00) != (uint64_t)DNS_OPT << 40 || tail & 0x7fffffff)
		return false;
	if (!p->tcp)
		p->limit = (uint16_t)MIN(MAX(head >> 24 & 0xffff, DNS_UDP_PLAIN), ANSWER_SIZE_UDP);
	p->limit -= OPT_SIZE;
	p->edns = true;
	p->dnssec_ok = tail >> 31;
	return true;
}

/* The name in lower case goes to `room`, for those who read names. */
static __attribute__((noinline)) void keep_name(
	struct plain *p, const uint8_t *name, size_t len, size_t below)
{
	uint8_t *room = p->room + PLAIN_NAME_AT;

	lower_name(room, name, len);
	room[below] = 0;
	p->asked.name = room;
}

/* The zone of a name that begins with no address is looked for from the end. */
static __attribute__((noinline)) bool take_tail(
	struct plain *p, const struct served *s, const uint8_t *name, size_t len)
{
	size_t at = 0, below, labels = 0;

	p->zone = served_find_tail(s, name, len);
	if (!p->zone || !p->zone->plain)
		return false;
	below = len - p->zone->name.len;
	for (; at < below && name[at] - 1u < 63; at += name[at] + 1u)
		labels++;
	if (at != below || below == 0)
		return false;
	p->asked.labels = (uint8_t)labels;
	p->asked.name_len = (uint8_t)(below + 1);
	p->zone_at = (uint16_t)(DNS_HEADER_SIZE + below);
	keep_name(p, name, len, below);
	return true;
}

/* The name's zone, and what is asked of it. Nearly all names begin with an address, behind which the zone's
 * name must stand. */
static inline bool take_name(
	struct plain *p, const struct served *s, const uint8_t *name, size_t len)
{
	size_t at = asked_front(name, len, &p->asked);

	if (!at)
		return take_tail(p, s, name, len);
	p->zone = served_find_exact(s, name + at, len - at);
	if (!p->zone || !p->zone->plain)
		return false;
	p->zone_at = (uint16_t)(DNS_HEADER_SIZE + at);
	/* An address is no name where there are only addresses: no need to look there. */
	if (p->zone->reads_names)
		keep_name(p, name, len, at);
	else
		p->asked.labels = 0;
	return true;
}

/* What answer_fully() has rules for that fast.c does not know. */
static bool is_special(const struct plain *p)
{
	const struct served_zone *z = p->zone;
	const struct asked *q = &p->asked;

	if ((z->key && p->dnssec_ok) || (z->expires_s && z->expires_s <= p->now_s))
		return true;
	/* Perhaps a test entry: 127.0.0.2, "test", and the like. */
	return z->has_list && (q->is_ip4 ? q->ip4 >> 24 == 127 : q->labels == 1);
}

/* One question and nothing else but OPT; no flag has a say in the answer but RD, which comes back. Where
 * the name ends is taken from the message's end: take_name() sees whether that is so. */
bool plain_take(struct plain *p, const struct served *s, const struct answer_from *from,
	struct slice message)
{
	const uint8_t *m = (const uint8_t *)message.ptr;
	size_t len = message.len, name_len;
	uint32_t type_class;

	/* Flags and the counts of the first three sections: QUERY, one question. */
	if (len < DNS_HEADER_SIZE + NAME_MIN + TAIL_SIZE
		|| (load64(m + 2) & 0xf800ffffffffffff) != (uint64_t)1 << 32 || m[10] || m[11] > 1)
		return false;
	p->message = m;
	p->now_s = from->now_s;
	p->tcp = from->transport == ANSWER_TCP;
	p->limit = p->tcp ? ANSWER_SIZE_TCP : DNS_UDP_PLAIN;
	p->edns = p->dnssec_ok = p->way.ready = false;
	if (m[11]) {
		len -= OPT_SIZE;
		if (len < DNS_HEADER_SIZE + NAME_MIN + TAIL_SIZE || !take_opt(p, m + len))
			return false;
	}
	name_len = len - DNS_HEADER_SIZE - TAIL_SIZE;
	type_class = dns_u32(m + len - TAIL_SIZE);
	p->txt = type_class == (DNS_TXT << 16 | DNS_IN);
	if ((!p->txt && type_class != (DNS_A << 16 | DNS_IN)) || name_len > DOMAIN_WIRE_MAX)
		return false;
	p->end = (uint16_t)len;
	if (!take_name(p, s, m + DNS_HEADER_SIZE, name_len) || p->asked.is_mapped
		|| (p->zone->conditions && is_special(p)))
		return false;
	/* And the other way round. */
	if (!p->zone->reads_addresses && p->zone->reads_names)
		p->asked.is_ip4 = p->asked.is_ip6 = false;
	return true;
}

/* Of a zone of several the ways are not kept. */
static void prefetch_all(const struct plain *p, bool behind)
{
	for (size_t i = 0; i < p->zone->group_count; i++) {
		const struct served_group *g = &p->zone->groups[i];
		struct index_way way = {.ready = false};
		if (!g->place_count || !g->places[0].index)
			continue;
		if (behind)
			index_prefetch_behind(g->places[0].index, &p->asked, &way);
		else
			index_prefetch(g->places[0].index, &p->asked, &way);
	}
}

void plain_prefetch(struct plain *p)
{
	if (p->zone->only)
		index_prefetch(p->zone->only->index, &p->asked, &p->way);
	else
		prefetch_all(p, false);
}

void plain_prefetch_behind(const struct plain *p)
{
	if (p->zone->only)
		index_prefetch_behind(p->zone->only->index, &p->asked, &p->way);
	else
		prefetch_all(p, true);
}

void plain_look(struct plain *p)
{
	const struct served_place *only = p->zone->only;

	p->one = only ? index_find_one(only->index, &p->asked, &p->way, p->now_s, &p->hit)
		      : INDEX_MORE;
	if (p->one == INDEX_ONE && p->txt) {
		__builtin_prefetch(p->hit.value.text.ptr);
		__builtin_prefetch(p->hit.value.text.ptr + p->hit.value.text.len);
	}
}
