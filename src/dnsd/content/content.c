/* content.c - what a zone is made of, and what its sets say to a block of addresses. */
#include "dnsd/content/content_private.h"

#include "base/attr.h"
#include "base/mem.h"
#include "dnsd/answer/rr_list.h"

#include <stdlib.h>

const struct family family_ip4 = {4, 8, 4, 1, 4}, family_ip6 = {6, 4, 32, 4, 0};

bits128 bits_of(const struct ip *ip)
{
	bits128 v = 0;

	for (unsigned i = 0; i < 16; i++)
		v = v << 8 | ip->bytes[i];
	return v;
}

struct ip bits_ip(const struct family *f, bits128 at)
{
	struct ip ip = {.family = f->number};

	for (unsigned i = 0; i < ip_bits(f->number) / 8; i++)
		ip.bytes[i] = (uint8_t)(at >> (120 - 8 * i));
	return ip;
}

/* ---- making one ---- */

static struct content_place *place_of(struct content *c, const struct domain *relative)
{
	struct domain name;
	struct content_place *p;

	if (!domain_join(relative, &c->zone, &name))
		return NULL;
	for (size_t i = 0; i < c->place_count; i++)
		if (domain_eq(&c->places[i].name, &name))
			return &c->places[i];
	c->places = mem_resize(c->places, (c->place_count + 1) * sizeof *c->places);
	p = &c->places[c->place_count++];
	*p = (struct content_place){.name = name, .policy_ttl_s = UINT32_MAX};
	return p;
}

static bool add_place(struct content *c, const struct served_zone *z,
	const struct served_place *from, content_index_fn *fn, void *ctx)
{
	const struct index *ix = from->index && fn ? fn(ctx, from->index) : from->index;
	struct content_place *p = place_of(c, &from->name);
	bool is_policy = z->policy != NULL;

	if (!p)
		return false;
	p->policy = z->policy;
	for (size_t i = 0; i < from->source_count; i++) {
		const struct served_source *s = &from->sources[i];
		enum set_kind kind = s->list ? s->list->kind : s->meta->kind;
		p->parts = mem_resize(p->parts, (p->part_count + 1) * sizeof *p->parts);
		p->parts[p->part_count++] = (struct content_part){.index = s->published ? ix : NULL,
			.set = s->set,
			.meta = s->meta,
			/* A list's test entries are of no use to resolvers. */
			.list = is_policy ? NULL : s->list,
			.ttl_s = s->ttl_s};
		p->policy_ttl_s = MIN(p->policy_ttl_s, s->ttl_s);
		p->has_ip = p->has_ip || kind == SET_IP;
		p->has_names = p->has_names || kind == SET_NAME;
		if (s->published)
			content_keys_add(c, ix);
	}
	return true;
}

struct content *content_new(const struct served_zone *z, content_index_fn *fn, void *ctx)
{
	struct content *c;

	if (served_lacks(z))
		return NULL;
	c = mem_new(1, sizeof *c);
	c->zone = z->name;
	c->soa = z->soa;
	c->serial = served_serial(z);
	c->ns_ttl_s = z->ns_ttl_s;
	c->ns_count = z->ns_count;
	memcpy(c->ns, z->ns, z->ns_count * sizeof *z->ns);
	c->records = BUF_INIT(SIZE_MAX);
	buf_add_slice(&c->records, buf_slice(&z->records));
	for (size_t g = 0; g < z->group_count; g++)
		for (size_t i = 0; i < z->groups[g].place_count; i++)
			if (!add_place(c, z, &z->groups[g].places[i], fn, ctx))
				return content_free(c);
	return c;
}

struct content *content_free(struct content *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->place_count; i++)
		free(c->places[i].parts);
	for (size_t i = 0; i < c->key_count; i++)
		free(c->keys[i].items);
	content_around_free(c->around);
	buf_done(&c->records);
	free(c->places);
	free(c->keys);
	free(c);
	return NULL;
}

void content_put_ns(const struct content *c, struct buf *to)
{
	for (unsigned i = 0; i < c->ns_count; i++)
		rr_put(to, &c->zone, DNS_NS, c->ns_ttl_s, slice_of(c->ns[i].wire, c->ns[i].len));
}

/* ---- asking ---- */

/* As zone.c's test_point(), for the forms that transfers carry. */
static enum {
	POINT_NONE,
	POINT_LISTED,
	POINT_UNLISTED
} point_of(const struct served_list *list, const struct block *b)
{
	uint32_t ip4 = (uint32_t)(b->at >> 96);

	if (b->depth != b->family->depth)
		return POINT_NONE;
	if (b->family->number == 6) {
		if (b->at >> 32 != 0xffff)
			return POINT_NONE;
		ip4 = (uint32_t)b->at;
	}
	if (ip4 == 0x7f000001)
		return POINT_UNLISTED;
	return ip4 == 0x7f000002 || ip4 == list->code ? POINT_LISTED : POINT_NONE;
}

void said_add(struct said *said, const struct content_part *part, const struct hit *hit)
{
	if (said->count == SNAPSHOT_HITS_MAX)
		return;
	said->items[said->count].part = part;
	said->items[said->count++].hit = *hit;
}

/* Entries that cover the whole prefix. */
static size_t find(const struct index *ix, const struct family *f, bits128 at, unsigned bits,
	struct hit hits[])
{
	struct ip ip = bits_ip(f, at);
	size_t n, kept = 0;

	if (ip.family == 4) {
		n = snapshot_find_ip4(ix->snapshot, ip4_value(&ip), 0, hits);
		n = ix->overlay ? overlay_merge_ip4(ix->overlay, ip4_value(&ip), 0, hits, n) : n;
	} else {
		n = snapshot_find_ip6(ix->snapshot, ip.bytes, 0, hits);
		n = ix->overlay ? overlay_merge_ip6(ix->overlay, ip.bytes, 0, hits, n) : n;
	}
	for (size_t i = 0; i < n; i++)
		if (hits[i].len <= bits)
			hits[kept++] = hits[i];
	return kept;
}

void said_add_set(
	struct said *said, const struct content_part *part, const struct hit hits[], size_t n)
{
	size_t first = 0, end;

	while (first < n && hits[first].set < part->set)
		first++;
	for (end = first; end < n && hits[end].set == part->set;)
		end++;
	end = first + index_select(part->meta->rule, hits + first, end - first);
	for (; first < end; first++)
		said_add(said, part, &hits[first]);
}

/* b: NULL when it is no block. */
static void ask(const struct content_place *p, const struct block *b, const struct family *f,
	bits128 at, unsigned bits, struct said *ret)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	const struct index *asked = NULL;
	size_t n = 0;

	ret->count = 0;
	for (size_t i = 0; i < p->part_count; i++) {
		const struct content_part *part = &p->parts[i];
		if (b && part->list && part->list->kind == SET_IP && point_of(part->list, b)) {
			struct hit point = {.value = {part->list->code, part->list->text},
				.len = 32,
				.scope = 4};
			if (point_of(part->list, b) == POINT_LISTED)
				said_add(ret, part, &point);
			continue;
		}
		if (!part->index || part->meta->kind != SET_IP)
			continue;
		if (asked != part->index) {
			asked = part->index;
			n = find(asked, f, at, bits, hits);
		}
		said_add_set(ret, part, hits, n);
	}
}

void content_ask(const struct content_place *p, const struct block *b, struct said *ret)
{
	ask(p, b, b->family, b->at, block_bits(b), ret);
}

void content_ask_prefix(const struct content_place *p, const struct family *f, bits128 at,
	unsigned bits, struct said *ret)
{
	ask(p, NULL, f, at, bits, ret);
}

bool said_same(const struct said *a, const struct said *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct value *x = &a->items[i].hit.value, *y = &b->items[i].hit.value;
		if (a->items[i].part != b->items[i].part || x->code != y->code
			|| !slice_eq(x->text, y->text))
			return false;
	}
	return true;
}

/* ---- records ---- */

/* All records of a set have one TTL, the least (RFC 2181, 5.2), and differ. */
struct rrset {
	size_t count;
	struct slice rdata[SNAPSHOT_HITS_MAX];
};

static void rrset_add(struct rrset *set, struct slice rdata)
{
	for (size_t i = 0; i < set->count; i++)
		if (slice_eq(set->rdata[i], rdata))
			return;
	set->rdata[set->count++] = rdata;
}

static void rrset_put(const struct rrset *set, const struct domain *owner, uint16_t type,
	uint32_t ttl, struct buf *to)
{
	for (size_t i = 0; i < set->count; i++)
		rr_put(to, owner, type, ttl, set->rdata[i]);
}

void content_put_said(const struct domain *owner, const struct said *said,
	const struct asked *asked, struct buf *to)
{
	static _Thread_local uint8_t bytes[SNAPSHOT_HITS_MAX][4 + 1 + VALUE_TEXT_MAX];
	struct rrset a = {0}, txt = {0};
	uint32_t ttl = UINT32_MAX, txt_ttl = UINT32_MAX;
	char subject[INDEX_SUBJECT_MAX];

	for (size_t i = 0; i < said->count; i++) {
		const struct content_part *part = said->items[i].part;
		const struct hit *hit = &said->items[i].hit;
		uint8_t *p = bytes[i];
		size_t len;
		dns_put_u32(p, hit->value.code);
		rrset_add(&a, slice_of(p, 4));
		ttl = MIN(ttl, part->ttl_s);
		if (!hit->value.text.len)
			continue;
		len = index_subject(part->meta, asked, hit, subject);
		len = value_expand(hit->value.text, slice_of(subject, len), (char *)p + 5);
		p[4] = (uint8_t)len;
		rrset_add(&txt, slice_of(p + 4, len + 1));
		txt_ttl = MIN(txt_ttl, part->ttl_s);
	}
	rrset_put(&a, owner, DNS_A, ttl, to);
	rrset_put(&txt, owner, DNS_TXT, txt_ttl, to);
}

static struct domain block_name(const struct content_place *p, const struct block *b)
{
	struct ip ip = bits_ip(b->family, b->at);
	struct domain d = {.len = 1}, all;
	uint8_t *at = d.wire;

	if (b->depth < b->family->depth) {
		*at++ = 1;
		*at++ = '*';
		d.labels++;
	}
	for (unsigned i = b->depth; i-- > 0; d.labels++) {
		unsigned v = b->family->step == 8 ? ip.bytes[i]
			     : i % 2		  ? ip.bytes[i / 2] & 15u
						  : ip.bytes[i / 2] >> 4;
		int n = snprintf((char *)at + 1, 4, b->family->step == 8 ? "%u" : "%x", v);
		*at = (uint8_t)n;
		at += 1 + n;
	}
	*at = 0;
	d.len = (uint8_t)(at - d.wire + 1);
	/* A zone whose name leaves no room for an address has none; its name was joined when configured. */
	return domain_join(&d, &p->name, &all) ? all : (struct domain){0};
}

void content_put_block(const struct content_place *p, const struct block *b,
	const struct said *said, struct buf *to)
{
	struct domain owner = block_name(p, b);
	struct ip ip = bits_ip(b->family, b->at);
	struct asked asked = asked_ip(&ip);

	if (owner.len && said->count)
		content_put_said(&owner, said, &asked, to);
}
