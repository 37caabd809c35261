/* test_index_sets.c - several sets in one snapshot: one question gives each set the answer that a scan over
 * its entries gives, with many addresses and few, under an overlay too; and every entry is walked once. */
#include "test.h"

#include "index_model.h"

#define SETS_MAX 5

static const uint8_t seed[16] = "0123456789abcdef";
static struct model models[SETS_MAX];
static struct set_meta metas[SETS_MAX];
static size_t set_count;

/* far: one more address, so far from the others that a bitmap over all between would not pay. */
static struct builder *sets_built(struct prop *p, bool with_names, bool far)
{
	struct builder *b = builder_new(1, seed);

	set_count = 1 + prop_below(p, SETS_MAX);
	for (size_t i = 0; i < set_count; i++) {
		struct model *m = &models[i];
		bool names = with_names && prop_below(p, 3) == 0;
		bool excludes = prop_below(p, 2), expires = prop_below(p, 2);
		struct builder_set *s;

		m->rule = names ? prop_below(p, 2) : prop_below(p, 3);
		metas[i] = meta_plain(names ? SET_NAME : SET_IP, m->rule, 300);
		s = builder_set_new(b, SLICE("s"), &metas[i]);
		m->count = prop_below(p, 50);
		for (size_t k = 0; k < m->count; k++)
			m->items[k] = model_entry(p, names, excludes, expires);
		if (far && !names)
			m->items[m->count++] = (struct model_entry){
				.prefix = {.ip = ip4_of(0xdf010203), .len = 32}, .code = 4};
		for (size_t k = 0; k < m->count; k++)
			model_add_to(&m->items[k], s);
	}
	return b;
}

static struct snapshot *opened(struct builder *b, struct buf *bytes)
{
	struct err err;
	struct snapshot *s;

	assert_true(builder_write(b, bytes, &err));
	builder_free(b);
	s = snapshot_open(buf_slice(bytes), &err);
	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static void change_something(struct prop *p, struct overlay *o)
{
	size_t set = prop_below(p, (uint32_t)set_count);
	struct model *m = &models[set];
	bool names = metas[set].kind == SET_NAME;
	struct model_entry e = model_entry(p, names, false, true);
	struct value v;
	char text[40];

	for (size_t i = 0; i < m->count; i++)
		if (model_same_key(&m->items[i], &e))
			m->items[i].gone = true;
	e.gone = prop_below(p, 3) == 0;
	snprintf(text, sizeof text, "code %u of $", e.code);
	v = (struct value){e.code, slice_str(text)};
	if (names)
		overlay_put_name(o, set, &e.name, e.scope, e.gone ? NULL : &v, e.expires_s);
	else
		overlay_put_prefix(o, set, &e.prefix, e.gone ? NULL : &v, e.expires_s);
	m->items[m->count++] = e;
}

static void ask_all_sets(
	const struct index *ix, const struct ip *ip, const struct domain *name, int64_t now_s)
{
	struct asked q = ip ? asked_ip(ip) : asked_of(name->wire, name->len, name->labels);
	struct hit hits[SNAPSHOT_HITS_MAX];
	size_t n = index_find(ix, &q, now_s, hits), h = 0;

	for (size_t set = 0; set < set_count; set++) {
		bool names = metas[set].kind == SET_NAME;
		uint64_t want = 0, got = 0;

		if (names == !ip)
			want = model_ask(&models[set], ip, name, now_s);
		for (; h < n && hits[h].set == set; h++)
			got |= (uint64_t)1 << hits[h].value.code;
		if (want != got)
			fail_msg("%s of set %zu at %d: %llx, not %llx",
				ip ? ip_text(ip).s : domain_text(name).s, set, (int)now_s,
				(unsigned long long)got, (unsigned long long)want);
	}
	assert_int_equal(h, n);
}

static void each_set_answers_for_itself(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 120; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct builder *b = sets_built(&p, true, round & 1);
		struct snapshot *s = opened(b, &bytes);
		struct overlay *o = round & 2 ? overlay_new(s) : NULL;
		struct index ix = {s, o};

		for (int i = 0; i < 200; i++) {
			int64_t now_s = 50 + prop_below(&p, 4) * 100;
			struct ip ip = model_ip(&p, prop_below(&p, 3) == 0);
			struct domain name = model_name(&p, 6);
			bool names = prop_below(&p, 3) == 0;

			if (o && i % 4 == 0)
				change_something(&p, o);
			ask_all_sets(&ix, names ? NULL : &ip, names ? &name : NULL, now_s);
		}
		overlay_free(o);
		snapshot_close(s);
		buf_done(&bytes);
	}
}

/* Full /24s, empty ones and all between, so that every form of a word of the bitmap is met. */
static void every_address_of_a_dense_list(void **state)
{
	static uint8_t codes[1 << 18]; /* of 10.0.0.0/14 and around */

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 26);
		struct builder *b = builder_new(1, seed);
		struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
		struct builder_set *s = builder_set_new(b, SLICE("s"), &meta);
		unsigned code_max = (unsigned[]){1, 2, 63}[round % 3];
		struct hit hits[SNAPSHOT_HITS_MAX];
		struct snapshot *snap;

		memset(codes, 0, sizeof codes);
		for (unsigned i = 0; i < sizeof codes; i++) {
			uint32_t wanted = (i >> 8) % 7 * (i >> 8) % 11; /* of ten in this /24 */
			uint32_t value;

			if (prop_below(&p, 10) >= wanted && (i >> 8) % 64)
				continue;
			codes[i] = (uint8_t)(1 + prop_below(&p, code_max));
			value = builder_value(s, codes[i], SLICE("x"));
			builder_add_ip4(s, 0x0a000000 + i, 32, value,
				round < 3 ? 0 : (int64_t)codes[i] * 1000 + i % 50);
		}
		snap = opened(b, &bytes);
		for (uint32_t i = 0; i < sizeof codes; i++) {
			size_t n = snapshot_find_ip4(snap, 0x0a000000 + i, 1, hits);

			assert_int_equal(n, codes[i] != 0);
			if (!n)
				continue;
			assert_int_equal(hits[0].value.code, codes[i]);
			assert_int_equal(hits[0].expires_s,
				round < 3 ? 0 : (int64_t)codes[i] * 1000 + i % 50);
		}
		assert_int_equal(snapshot_find_ip4(snap, 0x09ffffff, 1, hits), 0);
		assert_int_equal(snapshot_find_ip4(snap, 0x0a000000 + sizeof codes, 1, hits), 0);
		snapshot_close(snap);
		buf_done(&bytes);
	}
}

/* ---- walking ---- */

#define WALKED_MAX 1024

struct walked {
	struct snapshot_prefix items[WALKED_MAX];
	size_t count, stop_at;
};

static bool note(const struct snapshot_prefix *p, void *ctx)
{
	struct walked *w = ctx;

	assert_true(w->count < WALKED_MAX);
	w->items[w->count++] = *p;
	return w->count != w->stop_at;
}

static int ip_order(const struct ip *a, const struct ip *b)
{
	return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, 16);
}

/* In the order that the header promises. */
static bool goes_before(const struct snapshot_prefix *a, const struct snapshot_prefix *b)
{
	int c = ip_order(&a->prefix.ip, &b->prefix.ip);

	if (c)
		return c < 0;
	if (a->prefix.len != b->prefix.len)
		return a->prefix.len < b->prefix.len;
	if (a->set != b->set)
		return a->set < b->set;
	return a->excluded || !b->excluded;
}

/* Whether set and entry are the snapshot's as the rule keeps them: equal keys once, or equal values once. */
static bool is_kept(const struct model *m, size_t at)
{
	const struct model_entry *e = &m->items[at], *o;

	for (size_t i = 0; i < at; i++) {
		o = &m->items[i];
		if (!model_same_key(o, e))
			continue;
		if (m->rule == SET_FIRST)
			return false;
		if (o->excluded == e->excluded && (e->excluded || o->code == e->code)
			&& o->expires_s == e->expires_s)
			return false;
	}
	return true;
}

static bool was_walked(const struct walked *w, size_t set, const struct model_entry *e)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct snapshot_prefix *p = &w->items[i];

		if (p->set == set && ip_eq(&p->prefix.ip, &e->prefix.ip)
			&& p->prefix.len == e->prefix.len && p->excluded == e->excluded
			&& p->expires_s == e->expires_s
			&& (e->excluded || p->value.code == e->code))
			return true;
	}
	return false;
}

static void every_prefix_once_and_in_order(void **state)
{
	static struct walked all, rest;

	(void)state;
	for (uint64_t round = 0; round < 60; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct snapshot *s = opened(sets_built(&p, false, round & 1), &bytes);
		size_t kept = 0;

		all.count = all.stop_at = 0;
		assert_true(snapshot_each_prefix(s, NULL, note, &all));
		for (size_t i = 1; i < all.count; i++)
			assert_true(goes_before(&all.items[i - 1], &all.items[i]));
		for (size_t set = 0; set < set_count; set++) {
			for (size_t i = 0; i < models[set].count; i++) {
				if (!is_kept(&models[set], i))
					continue;
				kept++;
				assert_true(was_walked(&all, set, &models[set].items[i]));
			}
		}
		assert_int_equal(all.count, kept);
		for (int i = 0; i < 20; i++) { /* from any address on; the rest is the same */
			struct ip from = model_ip(&p, i & 1);
			size_t first = 0;

			if (i < 10 && all.count)
				from = all.items[prop_below(&p, (uint32_t)all.count)].prefix.ip;
			while (first < all.count
				&& ip_order(&all.items[first].prefix.ip, &from) < 0)
				first++;
			rest.count = rest.stop_at = 0;
			assert_true(snapshot_each_prefix(s, &from, note, &rest));
			assert_int_equal(rest.count, all.count - first);
			for (size_t k = 0; k < rest.count; k++)
				assert_memory_equal(&rest.items[k].prefix,
					&all.items[first + k].prefix, sizeof(struct prefix));
		}
		rest.count = 0;
		rest.stop_at = 1 + all.count / 2;
		if (all.count)
			assert_false(snapshot_each_prefix(s, NULL, note, &rest));
		assert_int_equal(rest.count, all.count ? rest.stop_at : 0);
		snapshot_close(s);
		buf_done(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_set_answers_for_itself),
		cmocka_unit_test(every_address_of_a_dense_list),
		cmocka_unit_test(every_prefix_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
