/* copy_index.c - the copy of a zone as an index: one walk down and up its tree. */
#include "dnsd/copy/copy_index.h"

#include "base/attr.h"
#include "base/mem.h"
#include "index/record.h"

#include <stdlib.h>

#define TTLS 16	      /* different ones that are counted */
#define VALUES_MAX 16 /* of one key that a set keeps (builder.h) */
#define LABEL_WILD 1

enum part { PART_ADDRESS, PART_NAME, PART_RECORDS, PARTS };

/* A name of the tree that exists. */
struct node {
	uint8_t key_len; /* of the walk's key, without its end */
	bool octets,
		nibbles; /* its labels are those of an IPv4, IPv6 address, or the first of one */
	bool settled;	 /* what lies below it and has no name of its own was told */
	bool covered[PARTS]; /* by the wildcard beside it */
	bool covers[PARTS];  /* once settled: it has a wildcard, which covers what lies below */
};

/* All records of one owner. */
struct group {
	size_t count, a_count, txt_count;
	bool plain;
	uint32_t ttl_s;
	uint32_t a[VALUES_MAX];
	struct slice txt[VALUES_MAX];
	struct buf records;
	uint8_t key[COPY_KEY_MAX];
	size_t key_len;
};

struct walk {
	struct builder *builder;
	struct builder_set *sets[PARTS]; /* NULL: not needed so far */
	struct copy_index *told;
	uint32_t ttl_s;
	struct set_meta meta;
	struct node nodes[129]; /* [0] is the zone itself */
	unsigned depth;
	uint8_t key[COPY_KEY_MAX]; /* of the deepest one */
	struct group group;
	struct buf text;
};

static struct builder_set *set_of(struct walk *w, enum part part)
{
	static const struct {
		const char *name;
		enum set_kind kind;
		enum set_rule rule;
	} kinds[PARTS] = {{"addresses", SET_IP, SET_ALL}, {"names", SET_NAME, SET_ALL},
		{"records", SET_RECORDS, SET_FIRST}};
	struct set_meta meta;

	if (!w->sets[part]) {
		meta = meta_plain(kinds[part].kind, kinds[part].rule, w->ttl_s);
		w->sets[part] = builder_set_new(w->builder, slice_str(kinds[part].name), &meta);
	}
	return w->sets[part];
}

/* ---- names and addresses ---- */

static bool is_octet(const uint8_t *label, size_t len)
{
	unsigned v = 0;

	if (len == 0 || len > 3 || (label[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_digit((char)label[i]))
			return false;
		v = v * 10 + label[i] - '0';
	}
	return v <= 255;
}

static unsigned octet_of(const uint8_t *label, size_t len)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++)
		v = v * 10 + label[i] - '0';
	return v;
}

static bool is_nibble(const uint8_t *label, size_t len)
{
	return len == 1 && ascii_hex((char)label[0]) >= 0;
}

/* Of the deepest node: the labels of its key. */
static struct prefix prefix4_of(const struct walk *w)
{
	struct prefix p = {.ip = {.family = 4}, .len = (uint8_t)(8 * w->depth)};
	size_t at = 0;

	for (unsigned i = 0; i < w->depth; i++, at += w->key[at])
		p.ip.bytes[i] = (uint8_t)octet_of(w->key + at + 1, w->key[at] - 1u);
	return p;
}

static struct prefix prefix6_of(const struct walk *w)
{
	struct prefix p = {.ip = {.family = 6}, .len = (uint8_t)(4 * w->depth)};

	for (unsigned i = 0; i < w->depth; i++)
		p.ip.bytes[i / 2] |=
			(uint8_t)(ascii_hex((char)w->key[2 * i + 1]) << (i % 2 ? 0 : 4));
	return p;
}

static struct domain name_of(const struct walk *w)
{
	struct domain d = {.labels = (uint8_t)w->depth};
	size_t starts[129], at = 0, n = 0;

	for (unsigned i = 0; i < w->depth; i++, at += w->key[at])
		starts[i] = at;
	for (unsigned i = w->depth; i-- > 0;) {
		uint8_t len = (uint8_t)(w->key[starts[i]] - 1);
		d.wire[n++] = len;
		memcpy(d.wire + n, w->key + starts[i] + 1, len);
		n += len;
	}
	d.wire[n++] = 0;
	d.len = (uint8_t)n;
	return d;
}

/* ---- entries ---- */

static bool is_address(const struct walk *w)
{
	const struct node *n = &w->nodes[w->depth];

	return (n->octets && w->depth == 4) || (n->nibbles && w->depth == 32);
}

/* Is a wildcard below it one of addresses? */
static bool is_network(const struct walk *w)
{
	const struct node *n = &w->nodes[w->depth];

	return (n->octets && w->depth < 4) || (n->nibbles && w->depth < 32);
}

/* An entry for the deepest node itself, or for what lies below it. */
static void put(struct walk *w, enum part part, bool below, uint32_t value)
{
	const struct node *n = &w->nodes[w->depth];
	struct builder_set *set;
	struct domain name;
	struct prefix p;

	if (part == PART_ADDRESS && !(below ? is_network(w) : is_address(w)))
		return;
	set = set_of(w, part);
	w->told->entries++;
	if (part != PART_ADDRESS) {
		name = name_of(w);
		builder_add_name(set, &name, below ? SCOPE_BELOW : SCOPE_SELF, value, 0);
		return;
	}
	if (n->octets && (below ? w->depth < 4 : w->depth == 4)) {
		p = prefix4_of(w);
		builder_add_prefix(set, &p, value, 0);
	}
	if (n->nibbles && (below ? w->depth < 32 : w->depth == 32)) {
		p = prefix6_of(w);
		builder_add_prefix(set, &p, value, 0);
	}
}

/* A text that says itself, whatever was asked. */
static struct slice template_of(struct walk *w, struct slice text)
{
	buf_reset(&w->text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '$')
			buf_add_char(&w->text, '$');
		buf_add_char(&w->text, text.ptr[i]);
	}
	return buf_slice(&w->text);
}

static void put_values(struct walk *w, enum part part, bool below)
{
	const struct group *g = &w->group;

	for (size_t i = 0; i < g->a_count || i < g->txt_count; i++) {
		struct slice text = i < g->txt_count ? g->txt[i] : SLICE_EMPTY;
		uint32_t a = g->a[MIN(i, g->a_count - 1)];
		put(w, part, below, builder_value(set_of(w, part), a, template_of(w, text)));
	}
}

/* What the group says of the deepest node, or of what lies below it. */
static void put_group(struct walk *w, bool below, bool ret_has[PARTS])
{
	bool addresses = below ? is_network(w) : is_address(w);

	ret_has[PART_ADDRESS] = w->group.plain && addresses;
	ret_has[PART_NAME] = w->group.plain && (!addresses || w->depth == 0);
	ret_has[PART_RECORDS] = !w->group.plain;
	if (ret_has[PART_RECORDS]) {
		w->told->kept++;
		put(w, PART_RECORDS, below,
			builder_value(set_of(w, PART_RECORDS), 0, buf_slice(&w->group.records)));
	}
	for (enum part part = PART_ADDRESS; part <= PART_NAME; part++)
		if (ret_has[part])
			put_values(w, part, below);
	w->told->has_addresses = w->told->has_addresses || ret_has[PART_ADDRESS];
	w->told->has_names = w->told->has_names || (ret_has[PART_NAME] && w->depth);
}

/* ---- the walk ---- */

static void exclude(struct walk *w, bool below, const bool has[PARTS])
{
	const struct node *n = &w->nodes[w->depth];

	for (enum part part = 0; part < PARTS; part++)
		if (n->covered[part] && !has[part])
			put(w, part, below, BUILDER_EXCLUDED);
}

/* The deepest node has a wildcard (the group), or none. */
static void settle(struct walk *w, bool wild)
{
	struct node *n = &w->nodes[w->depth];

	if (n->settled)
		return;
	n->settled = true;
	if (wild)
		put_group(w, true, n->covers);
	exclude(w, true, n->covers);
}

static void leave(struct walk *w)
{
	settle(w, false);
	w->depth--;
}

static void enter(struct walk *w, const uint8_t *label, size_t len)
{
	struct node *up = &w->nodes[w->depth], *n = up + 1;

	settle(w, false);
	*n = (struct node){.key_len = (uint8_t)(up->key_len + len + 1),
		.octets = up->octets && w->depth < 4 && is_octet(label, len),
		.nibbles = up->nibbles && w->depth < 32 && is_nibble(label, len)};
	memcpy(n->covered, up->covers, sizeof n->covered);
	w->key[up->key_len] = (uint8_t)(len + 1);
	memcpy(w->key + up->key_len + 1, label, len);
	w->depth++;
}

/* Goes to the group's owner, or the parent of its wildcard. New nodes on the way exist without records of
 * their own. False: a "*" in the middle of a name. */
static bool go(struct walk *w, bool *ret_wild)
{
	static const bool none[PARTS] = {false};
	const uint8_t *key = w->group.key;
	size_t at = 0;
	unsigned same = 0;

	*ret_wild = false;
	for (size_t i = 0; key[i]; i += key[i])
		if (key[i] == LABEL_WILD && key[i + 1])
			return false;
	while (same < w->depth && key[at] > LABEL_WILD && w->nodes[same + 1].key_len == at + key[at]
		&& memcmp(w->key + at, key + at, key[at]) == 0) {
		at += key[at];
		same++;
	}
	while (w->depth > same)
		leave(w);
	while (key[at] > LABEL_WILD) {
		enter(w, key + at + 1, key[at] - 1u);
		at += key[at];
		if (key[at] != 0) /* the owner itself has records */
			exclude(w, false, none);
	}
	*ret_wild = key[at] == LABEL_WILD;
	return true;
}

static void take_group(struct walk *w)
{
	bool wild, has[PARTS] = {false};

	if (w->group.count == 0)
		return;
	w->group.plain = w->group.plain && w->group.a_count;
	if (!go(w, &wild)) {
		w->told->dropped += w->group.count;
	} else if (wild) {
		settle(w, true);
	} else {
		put_group(w, false, has);
		exclude(w, false, has);
	}
}

/* ---- records ---- */

/* Signatures cannot be served from here: no proof would fit our answers. */
static bool is_dnssec(uint16_t type)
{
	return type == DNS_RRSIG || type == DNS_NSEC || type == DNS_DNSKEY || type == DNS_CDS
	       || type == DNS_CDNSKEY || type == 43 /* DS */ || type == 50 || type == 51 /* NSEC3 */
	       || type == 63 /* ZONEMD */;
}

static void group_start(struct group *g, const struct copy_cursor *c)
{
	memcpy(g->key, c->key, c->key_len);
	g->key_len = c->key_len;
	g->count = g->a_count = g->txt_count = 0;
	g->plain = true;
	buf_reset(&g->records);
}

static bool group_takes_value(struct group *g, const struct copy_record *r)
{
	size_t len = r->rdata.len;

	if (r->type == DNS_A && len == 4 && g->a_count < VALUES_MAX) {
		g->a[g->a_count++] = dns_u32((const uint8_t *)r->rdata.ptr);
		return true;
	}
	if (r->type == DNS_TXT && len >= 2 && len - 1 <= VALUE_TEXT_MAX
		&& (uint8_t)r->rdata.ptr[0] == len - 1 && g->txt_count < VALUES_MAX) {
		g->txt[g->txt_count++] = slice_skip(r->rdata, 1);
		return true;
	}
	return false;
}

static void group_add(struct walk *w, const struct copy_cursor *c)
{
	const struct copy_record *r = &c->record;
	struct group *g = &w->group;
	bool apex = c->key_len == 1;

	if (apex && (r->type == DNS_SOA || r->type == DNS_NS))
		return;
	if (is_dnssec(r->type) || g->records.len + 8 + r->rdata.len > VALUE_TEMPLATE_MAX) {
		w->told->dropped++;
		return;
	}
	g->count++;
	g->plain = group_takes_value(g, r) && g->plain && !apex && r->ttl_s == w->ttl_s;
	record_add(&g->records, &(struct record){r->type, r->ttl_s, r->rdata});
}

/* The TTL that most A records have, and NS of the zone. */
static void look_through(struct walk *w, const struct copy *copy)
{
	struct copy_cursor c = copy_first(copy);
	uint64_t counts[TTLS] = {0};
	uint32_t ttls[TTLS];
	size_t n = 0, best = 0;

	while (copy_next(&c)) {
		struct set_meta *m = &w->meta;
		if (c.key_len == 1 && c.record.type == DNS_NS && m->ns_count < META_NS_MAX
			&& dns_name_read(c.record.rdata, 0, &m->ns[m->ns_count])) {
			m->ns_ttl_s = c.record.ttl_s;
			m->ns_count++;
		}
		size_t i = 0;
		if (c.record.type != DNS_A)
			continue;
		while (i < n && ttls[i] != c.record.ttl_s)
			i++;
		if (i == n && n < TTLS)
			ttls[n++] = c.record.ttl_s;
		if (i < n && ++counts[i] > counts[best])
			best = i;
	}
	w->ttl_s = n ? ttls[best] : copy->soa_record.ttl_s;
}

static void put_head(struct walk *w, const struct copy *c)
{
	w->meta.has_soa = true;
	w->meta.ttl_s = w->ttl_s;
	w->meta.soa = (struct set_soa){.ttl_s = c->soa_record.ttl_s,
		.serial = c->soa.serial,
		.refresh_s = c->soa.refresh_s,
		.retry_s = c->soa.retry_s,
		.expire_s = c->soa.expire_s,
		.minimum_s = c->soa.minimum_s,
		.origin = c->soa.origin,
		.person = c->soa.person};
	builder_set_new(w->builder, SLICE("head"), &w->meta);
}

void copy_index(const struct copy *copy, struct builder *b, struct copy_index *ret)
{
	struct walk *w = mem_new(1, sizeof *w);
	struct copy_cursor c = copy_first(copy);

	*ret = (struct copy_index){0};
	w->builder = b;
	w->told = ret;
	w->meta = meta_plain(SET_NONE, SET_FIRST, 0);
	w->nodes[0].octets = w->nodes[0].nibbles = true;
	w->group.records = BUF_INIT(VALUE_TEMPLATE_MAX + 8);
	w->text = BUF_INIT(2 * VALUE_TEXT_MAX);
	look_through(w, copy);
	put_head(w, copy);
	while (copy_next(&c)) {
		if (c.key_len != w->group.key_len || memcmp(c.key, w->group.key, c.key_len) != 0) {
			take_group(w);
			group_start(&w->group, &c);
		}
		group_add(w, &c);
	}
	take_group(w);
	while (w->depth)
		leave(w);
	settle(w, false);
	buf_done(&w->group.records);
	buf_done(&w->text);
	free(w);
}
