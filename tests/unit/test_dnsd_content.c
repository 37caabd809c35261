/* test_dnsd_content.c - a zone's contents as records: a server that knows only these records (a model of
 * one, with wildcards as RFC 4592 has them) answers as answer() does; and the differences of single changes
 * add up to the contents after them. */
#include "test.h"

#include "base/mem.h"
#include "dnsd/answer/answer.h"
#include "dnsd/content/content.h"
#include "dnsd/answer/rr_list.h"
#include "index/builder.h"
#include "prop.h"

#define NOW 1000000

/* ---- a secondary: records by owner, and every name on the way to them ---- */

#define NODES 262144 /* a power of two; more than any world here needs */

struct node {
	struct domain name;
	struct buf records; /* without those of other names */
};

struct secondary {
	struct node *nodes[NODES];
	size_t records, node_count;
};

static struct node *node_at(struct secondary *s, const struct domain *name, bool make)
{
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < name->len; i++)
		h = (h ^ name->wire[i]) * 16777619u;
	for (;; h++) {
		struct node **n = &s->nodes[h % NODES];
		if (*n && domain_eq(&(*n)->name, name))
			return *n;
		if (*n)
			continue;
		if (!make)
			return NULL;
		assert_true(++s->node_count < NODES / 2);
		*n = mem_new(1, sizeof **n);
		**n = (struct node){.name = *name, .records = BUF_INIT(1 << 20)};
		return *n;
	}
}

static void secondary_add(struct secondary *s, struct slice records)
{
	struct rr r;
	struct slice rest = records;

	for (const char *at = rest.ptr; rr_next(&rest, &r); at = rest.ptr) {
		struct slice bytes = slice_of(at, (size_t)(rest.ptr - at)), others, before;
		struct node *n = node_at(s, &r.owner, true);
		struct rr o;
		others = buf_slice(&n->records);
		for (before = others; rr_next(&others, &o); before = others)
			if (slice_eq(slice_take(before, before.len - others.len), bytes))
				fail_msg("%s: twice", domain_text(&r.owner).s);
		buf_add_slice(&n->records, bytes);
		s->records++;
		for (unsigned i = 1; i < r.owner.labels; i++) {
			struct domain up = domain_parent(&r.owner, i);
			node_at(s, &up, true);
		}
	}
}

static void secondary_remove(struct secondary *s, struct slice records)
{
	struct rr r, o;
	struct slice rest = records;

	for (const char *at = rest.ptr; rr_next(&rest, &r); at = rest.ptr) {
		struct slice bytes = slice_of(at, (size_t)(rest.ptr - at)), others, before;
		struct node *n = node_at(s, &r.owner, false);
		struct buf kept = BUF_INIT(1 << 20);
		bool found = false;
		assert_non_null(n);
		others = buf_slice(&n->records);
		for (before = others; rr_next(&others, &o); before = others) {
			struct slice one = slice_take(before, before.len - others.len);
			if (slice_eq(one, bytes))
				found = true;
			else
				buf_add_slice(&kept, one);
		}
		if (!found)
			fail_msg("%s: removed and not there", domain_text(&r.owner).s);
		buf_done(&n->records);
		n->records = kept;
		s->records--;
	}
}

static struct secondary *secondary_free(struct secondary *s)
{
	for (size_t i = 0; i < NODES; i++)
		if (s->nodes[i]) {
			buf_done(&s->nodes[i]->records);
			free(s->nodes[i]);
		}
	free(s);
	return NULL;
}

/* Names without records are there only on the way to others: made anew after removals. */
static struct secondary *secondary_settled(struct secondary *s)
{
	struct secondary *fresh = mem_new(1, sizeof *fresh);

	for (size_t i = 0; i < NODES; i++)
		if (s->nodes[i])
			secondary_add(fresh, buf_slice(&s->nodes[i]->records));
	secondary_free(s);
	return fresh;
}

/* The A and TXT records that a secondary answers, sorted, as text without the owner. */
static void secondary_ask(struct secondary *s, const struct domain *name, struct buf *ret)
{
	struct node *n = node_at(s, name, false);
	struct slice rest;
	struct rr r;

	for (unsigned i = 1; !n && i <= name->labels; i++) {
		struct domain encloser = domain_parent(name, i), star = {.len = 3, .labels = 1},
			      wild;
		if (!node_at(s, &encloser, false))
			continue;
		memcpy(star.wire, "\1*", 3);
		assert_true(domain_join(&star, &encloser, &wild));
		n = node_at(s, &wild, false);
		break;
	}
	if (!n)
		return;
	rest = buf_slice(&n->records);
	while (rr_next(&rest, &r))
		if (r.type == DNS_A || r.type == DNS_TXT)
			rr_put(ret, name, r.type, r.ttl, r.rdata);
}

/* What answer() says. */
static void primary_ask(const struct served *served, const struct domain *name, struct buf *ret)
{
	static uint8_t reply[ANSWER_SIZE_TCP];
	const uint16_t types[] = {DNS_A, DNS_TXT};
	struct answer_from from = {.transport = ANSWER_TCP, .now_s = NOW};
	struct answer_note note;
	struct dns_record rec;

	for (size_t t = 0; t < 2; t++) {
		uint8_t m[DNS_HEADER_SIZE + DOMAIN_WIRE_MAX + 4] = {0, 1, 0, 0, 0, 1};
		size_t len = DNS_HEADER_SIZE + name->len + 4u, n, at;
		memcpy(m + DNS_HEADER_SIZE, name->wire, name->len);
		dns_put_u16(m + len - 4, types[t]);
		dns_put_u16(m + len - 2, DNS_IN);
		n = answer(served, &from, slice_of(m, len), reply, &note);
		assert_true(n > 0);
		at = len;
		for (unsigned i = 0; i < dns_u16(reply + 6); i++) {
			at = dns_record_read(slice_of(reply, n), at, &rec);
			assert_int_not_equal(at, 0);
			rr_put(ret, name, rec.type, rec.ttl,
				slice_of(reply + rec.rdata, rec.rdata_len));
		}
	}
}

static void assert_same_answer(
	struct secondary *s, const struct served *served, const struct domain *name)
{
	_cleanup_buf_ struct buf here = BUF_INIT(1 << 20), there = BUF_INIT(1 << 20),
				 less = BUF_INIT(1 << 20), more = BUF_INIT(1 << 20);

	primary_ask(served, name, &here);
	secondary_ask(s, name, &there);
	rr_differences(buf_slice(&here), buf_slice(&there), &less, &more);
	if (less.len || more.len)
		fail_msg("%s: a secondary answers %s", domain_text(name).s,
			less.len && more.len ? "something else"
			: less.len	     ? "less"
					     : "more");
}

/* ---- worlds ---- */

static struct domain domain_of(const char *text)
{
	struct domain d;

	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

struct world {
	struct buf bytes;
	struct index index;
	struct served_list lists[2];
	struct served *served;
	_Atomic uint64_t serial;
};

/* Few different addresses, so that entries lie in each other; both families where names may be mixed up. */
static struct prefix any_prefix(struct prop *p)
{
	static const uint8_t octets[] = {1, 2, 3, 10, 200, 127, 0};
	struct ip ip = {.family = prop_below(p, 3) ? 4 : 6};
	unsigned len;

	if (ip.family == 4) {
		for (unsigned i = 0; i < 4; i++)
			ip.bytes[i] = i == 0			   ? octets[2 + prop_below(p, 4)]
				      : i == 3 && prop_below(p, 2) ? (uint8_t)prop_below(p, 256)
								   : octets[prop_below(p, 7)];
		len = prop_below(p, 2)	  ? 32
		      : prop_below(p, 3)  ? 24
		      : prop_below(p, 4)  ? 9 + prop_below(p, 23)
		      : prop_below(p, 20) ? 16
					  : 8;
	} else {
		ip.bytes[0] = prop_below(p, 2) ? 0x20 : 0x12;
		ip.bytes[1] = prop_below(p, 2) ? 0x01 : 0x31;
		for (unsigned i = 2; i < 16; i++)
			ip.bytes[i] = prop_below(p, 3) ? 0 : (uint8_t)prop_below(p, 2);
		len = prop_below(p, 2) ? 128 : prop_below(p, 2) ? 64 : 12 + prop_below(p, 117);
	}
	return prefix_of(&ip, len);
}

static struct domain name_of(const struct ip *ip, const char *zone)
{
	char text[IP_REVERSED_MAX + 64];
	size_t n = ip_reversed(ip, text);
	struct domain d;

	snprintf(text + n, sizeof text - n, ".%s", zone);
	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

/* Not those that transfers leave out. */
static bool is_transferred(const struct ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return ip->family == 4
	       || ((ip->bytes[0] != 0x20 || ip->bytes[1] != 2)
		       && memcmp(ip->bytes, mapped, 12) != 0);
}

static void ask_around(struct prop *p, struct secondary *s, const struct served *served,
	const struct prefix keys[], size_t count)
{
	for (unsigned i = 0; i < 400; i++) {
		const struct prefix *k = &keys[prop_below(p, (uint32_t)count)];
		struct ip ip = k->ip;
		struct domain name;
		unsigned bits = ip_bits(ip.family);
		if (prop_below(p, 4) == 0)
			ip = any_prefix(p).ip;
		else /* inside, at its ends, just outside */
			for (unsigned b = prop_below(p, bits); b < bits; b++)
				if (prop_below(p, 2))
					ip.bytes[b / 8] ^= (uint8_t)(0x80 >> b % 8);
		if (!is_transferred(&ip))
			continue;
		name = name_of(&ip, "bl.example");
		assert_same_answer(s, served, &name);
	}
}

static struct world *world_new(struct prop *p, struct prefix keys[], size_t count, bool list)
{
	static const enum set_rule rules[] = {SET_FIRST, SET_ALL, SET_OCTETS};
	const uint8_t seed[16] = {1};
	struct world *w = mem_new(1, sizeof *w);
	struct builder *b = builder_new(1, seed);
	unsigned sets = list ? 1 : 1 + prop_below(p, 3);
	struct err err;

	for (unsigned i = 0; i < sets; i++) {
		struct set_meta m =
			meta_plain(SET_IP, list ? SET_FIRST : rules[prop_below(p, 3)], 300);
		struct builder_set *s;
		m.has_soa = true;
		m.soa = (struct set_soa){1, 2, 3, 4, 5, 6, {.len = 1}, {.len = 1}};
		s = builder_set_new(b, SLICE("set"), &m);
		for (size_t k = i; k < count; k += sets) {
			uint32_t value = builder_value(s, 0x7f000002 + prop_below(p, 3),
				prop_below(p, 2) ? SLICE("a text") : SLICE_EMPTY);
			keys[k] = any_prefix(p);
			if (!list && prop_below(p, 4) == 0)
				value = BUILDER_EXCLUDED;
			builder_add_prefix(s, &keys[k], value, 0);
		}
	}
	w->bytes = BUF_INIT(1 << 24);
	assert_true(builder_write(b, &w->bytes, &err));
	builder_free(b);
	w->index.snapshot = snapshot_open(buf_slice(&w->bytes), &err);
	assert_non_null(w->index.snapshot);
	w->served = served_new();
	struct domain zone;
	domain_parse(SLICE("bl.example"), &zone, NULL);
	struct served_zone *z = served_zone(w->served, &zone);
	if (list) {
		w->index.overlay = overlay_new(w->index.snapshot);
		w->lists[0] = (struct served_list){.name = SLICE("set"),
			.kind = SET_IP,
			.code = 0x7f000003,
			.text = SLICE("$ is bad"),
			.ttl_s = 300};
		z->has_soa = true;
		z->serial = &w->serial;
		served_add_list(z, &w->index, &w->lists[0]);
	} else {
		served_add_sets(z, &w->index, 0, sets, 60);
	}
	served_seal(w->served);
	return w;
}

static void world_free(struct world *w)
{
	served_free(w->served);
	overlay_free((struct overlay *)w->index.overlay);
	snapshot_close((struct snapshot *)w->index.snapshot);
	buf_done(&w->bytes);
	free(w);
}

static struct content *content_of(const struct world *w)
{
	struct dns_question q = {0};
	struct content *c;

	domain_parse(SLICE("bl.example"), &q.name, NULL);
	q.label_at[1] = 3;
	q.label_at[2] = 11;
	c = content_new(served_find(w->served, &q), NULL, NULL);
	assert_non_null(c);
	return c;
}

static struct secondary *transfer(const struct content *c)
{
	struct secondary *s = mem_new(1, sizeof *s);
	struct content_walk *w = content_walk_new(c);
	struct buf b = BUF_INIT(1 << 24);
	bool more = true;

	while (more) {
		buf_reset(&b);
		more = content_walk_more(w, 1000, &b);
		assert_false(b.failed);
		secondary_add(s, buf_slice(&b));
	}
	buf_done(&b);
	content_walk_free(w);
	return s;
}

static void test_files(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct prop p = prop_new(round);
		struct prefix keys[40];
		size_t count = 1 + prop_below(&p, ARRAY_LEN(keys));
		struct world *w = world_new(&p, keys, count, false);
		struct content *c = content_of(w);
		struct secondary *s = transfer(c);

		print_message(
			"seed %u: %zu records of %zu keys\n", 20261124 + round, s->records, count);
		ask_around(&p, s, w->served, keys, count);
		secondary_free(s);
		content_free(c);
		world_free(w);
	}
}

static void one_change(struct prop *p, struct world *w, struct content *c, struct secondary *s,
	struct prefix keys[], size_t count)
{
	_cleanup_buf_ struct buf before = BUF_INIT(1 << 24), after = BUF_INIT(1 << 24),
				 gone = BUF_INIT(1 << 24), come = BUF_INIT(1 << 24);
	struct prefix *key = &keys[prop_below(p, (uint32_t)count)];
	struct value value = {0x7f000002 + prop_below(p, 3), SLICE("changed")};
	bool listed = prop_below(p, 2);

	if (listed && prop_below(p, 2))
		*key = any_prefix(p);
	assert_true(content_put_around_prefix(c, key, &before));
	overlay_put_prefix((struct overlay *)w->index.overlay, 0, key, listed ? &value : NULL, 0);
	content_changed_prefix(c, &w->index, 0, key, listed);
	assert_true(content_put_around_prefix(c, key, &after));
	rr_differences(buf_slice(&before), buf_slice(&after), &gone, &come);
	secondary_remove(s, buf_slice(&gone));
	secondary_add(s, buf_slice(&come));
}

static void test_changes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		struct prop p = prop_new(round);
		struct prefix keys[30];
		size_t count = 1 + prop_below(&p, ARRAY_LEN(keys));
		struct world *w = world_new(&p, keys, count, true);
		struct content *c = content_of(w);
		struct secondary *s = transfer(c), *anew;

		print_message(
			"seed %u: %zu records of %zu keys\n", 20261124 + round, s->records, count);
		ask_around(&p, s, w->served, keys, count);
		for (unsigned i = 0; i < 40; i++)
			one_change(&p, w, c, s, keys, count);
		s = secondary_settled(s);
		ask_around(&p, s, w->served, keys, count);
		content_free(c);
		c = content_of(w);
		anew = transfer(c);
		assert_int_equal(s->records, anew->records);
		ask_around(&p, anew, w->served, keys, count);
		secondary_free(anew);
		secondary_free(s);
		content_free(c);
		world_free(w);
	}
}

/* ---- domain names ---- */

static struct domain any_name(struct prop *p, unsigned labels_max)
{
	unsigned labels = 1 + prop_below(p, labels_max);
	char text[64];
	size_t n = 0;
	struct domain d;

	if (prop_below(p, 20) == 0)
		return domain_of(prop_below(p, 2) ? "test" : "x.invalid");
	for (unsigned i = 0; i < labels; i++) {
		text[n++] = (char)('a' + prop_below(p, i + 1 == labels ? 2 : 4));
		text[n++] = '.';
	}
	text[n] = 0;
	assert_true(domain_parse(slice_of(text, n), &d, NULL));
	return d;
}

static void ask_names(struct prop *p, struct secondary *s, const struct served *served)
{
	const struct domain zone = domain_of("bl.example");

	for (unsigned i = 0; i < 600; i++) {
		struct domain d = any_name(p, 5), all;
		assert_true(domain_join(&d, &zone, &all));
		assert_same_answer(s, served, &all);
	}
}

/* lists: 0: as from files; else so many lists of a site in one zone. */
static struct world *names_world_new(struct prop *p, unsigned count, unsigned lists)
{
	const uint8_t seed[16] = {1};
	struct world *w = mem_new(1, sizeof *w);
	struct builder *b = builder_new(1, seed);
	unsigned sets = lists ? lists : 1 + prop_below(p, 2);
	struct domain zone = domain_of("bl.example");
	struct served_zone *z;
	struct err err;

	for (unsigned i = 0; i < sets; i++) {
		struct set_meta m =
			meta_plain(SET_NAME, lists || prop_below(p, 2) ? SET_FIRST : SET_ALL, 300);
		struct builder_set *s;
		m.has_soa = true;
		m.soa = (struct set_soa){1, 2, 3, 4, 5, 6, {.len = 1}, {.len = 1}};
		s = builder_set_new(b, i ? SLICE("other") : SLICE("set"), &m);
		for (unsigned k = i; k < count; k += sets) {
			struct domain name = any_name(p, 4);
			uint32_t value =
				builder_value(s, 0x7f000002 + prop_below(p, 3), SLICE("$ is bad"));
			if (!lists && prop_below(p, 4) == 0)
				value = BUILDER_EXCLUDED;
			if (!lists && prop_below(p, 30) == 0)
				name = (struct domain){.len = 1};
			builder_add_name(s, &name,
				lists	      ? SCOPE_BOTH
				: name.labels ? 1 + prop_below(p, 3)
					      : SCOPE_BELOW,
				value, 0);
		}
	}
	w->bytes = BUF_INIT(1 << 24);
	assert_true(builder_write(b, &w->bytes, &err));
	builder_free(b);
	w->index.snapshot = snapshot_open(buf_slice(&w->bytes), &err);
	assert_non_null(w->index.snapshot);
	w->served = served_new();
	z = served_zone(w->served, &zone);
	if (lists) {
		w->index.overlay = overlay_new(w->index.snapshot);
		z->has_soa = true;
		z->serial = &w->serial;
		for (unsigned i = 0; i < lists; i++) {
			w->lists[i] =
				(struct served_list){.name = i ? SLICE("other") : SLICE("set"),
					.kind = SET_NAME,
					.code = 0x7f000003 + i,
					.text = SLICE("$ is bad"),
					.ttl_s = 300};
			served_add_list(z, &w->index, &w->lists[i]);
		}
	} else {
		served_add_sets(z, &w->index, 0, sets, 60);
	}
	served_seal(w->served);
	return w;
}

static void test_name_files(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct prop p = prop_new(round);
		struct world *w = names_world_new(&p, 1 + prop_below(&p, 25), 0);
		struct content *c = content_of(w);
		struct secondary *s = transfer(c);

		print_message("seed %u: %zu records\n", 20261124 + round, s->records);
		ask_names(&p, s, w->served);
		secondary_free(s);
		content_free(c);
		world_free(w);
	}
}

static void one_name_change(
	struct prop *p, struct world *w, struct content *c, struct secondary *s, unsigned lists)
{
	_cleanup_buf_ struct buf before = BUF_INIT(1 << 24), after = BUF_INIT(1 << 24),
				 gone = BUF_INIT(1 << 24), come = BUF_INIT(1 << 24);
	struct value value = {0x7f000002 + prop_below(p, 3), SLICE("changed $")};
	struct domain name = any_name(p, 4);
	bool listed = prop_below(p, 2);

	assert_true(content_put_around_name(c, &name, &before));
	overlay_put_name((struct overlay *)w->index.overlay, prop_below(p, lists), &name,
		SCOPE_BOTH, listed ? &value : NULL, 0);
	content_changed_name(c, &name);
	assert_true(content_put_around_name(c, &name, &after));
	content_rest(c);
	rr_differences(buf_slice(&before), buf_slice(&after), &gone, &come);
	secondary_remove(s, buf_slice(&gone));
	secondary_add(s, buf_slice(&come));
}

static void test_name_changes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct prop p = prop_new(round);
		unsigned lists = 1 + prop_below(&p, 2);
		struct world *w = names_world_new(&p, 1 + prop_below(&p, 30), lists);
		struct content *c = content_of(w);
		struct secondary *s = transfer(c), *anew;

		content_watch_names(c);
		print_message(
			"seed %u: %zu records of %u lists\n", 20261124 + round, s->records, lists);
		ask_names(&p, s, w->served);
		for (unsigned i = 0; i < 60; i++)
			one_name_change(&p, w, c, s, lists);
		s = secondary_settled(s);
		ask_names(&p, s, w->served);
		content_free(c);
		c = content_of(w);
		anew = transfer(c);
		ask_names(&p, anew, w->served);
		assert_int_equal(s->records, anew->records);
		secondary_free(anew);
		secondary_free(s);
		content_free(c);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_name_files),
		cmocka_unit_test(test_name_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
