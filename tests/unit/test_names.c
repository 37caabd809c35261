/* test_names.c - the names of many sets in one table: found as a scan over each set finds them, shown once
 * each, and hashed the same whether alone or as the end of a longer name. */
#include "test.h"

#include "index/hash.h"
#include "index_model.h"

static const uint8_t seed[16] = "0123456789abcdef";

#define SETS 6

static struct model models[SETS];

static struct snapshot *open_built(struct builder *b, struct buf *bytes)
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

static struct snapshot *models_built(struct prop *p, struct buf *bytes, bool expires)
{
	struct builder *b = builder_new(1, seed);

	for (size_t set = 0; set < SETS; set++) {
		struct model *m = &models[set];
		struct set_meta meta =
			meta_plain(SET_NAME, prop_below(p, 2) ? SET_FIRST : SET_ALL, 300);
		struct builder_set *s = builder_set_new(b, SLICE("s"), &meta);

		m->rule = meta.rule;
		m->count = prop_below(p, 200);
		for (size_t i = 0; i < m->count; i++) {
			m->items[i] = model_entry(p, true, true, expires);
			model_add_to(&m->items[i], s);
		}
	}
	return open_built(b, bytes);
}

static void each_set_is_a_scan(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 30; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct index ix = {.snapshot = models_built(&p, &bytes, round % 2)};

		for (int i = 0; i < 300; i++) {
			int64_t now_s = 50 + prop_below(&p, 4) * 100;
			struct domain name = model_name(&p, 6);

			for (size_t set = 0; set < SETS; set++)
				assert_int_equal(index_codes(&ix, set, NULL, &name, now_s),
					model_ask(&models[set], NULL, &name, now_s));
		}
		snapshot_close((struct snapshot *)ix.snapshot);
		buf_done(&bytes);
	}
}

struct shown {
	uint64_t count[SETS], last_at, stop_at;
	struct domain last;
	unsigned last_scope, last_set;
};

/* In a set's model there is such an entry. */
static bool in_model(const struct snapshot_name *e)
{
	const struct model *m = &models[e->set];

	for (size_t i = 0; i < m->count; i++) {
		const struct model_entry *o = &m->items[i];

		if (domain_eq(&o->name, &e->name) && o->scope == e->scope
			&& o->excluded == e->excluded && o->expires_s == e->expires_s
			&& (e->excluded || o->code == e->value.code))
			return true;
	}
	return false;
}

static bool count_shown(const struct snapshot_name *e, void *ctx)
{
	struct shown *s = ctx;

	if (s->stop_at && e->at == s->stop_at)
		return false;
	assert_true(e->at && in_model(e));
	if (e->at == s->last_at) {
		assert_true(domain_eq(&e->name, &s->last));
		assert_true(e->scope > s->last_scope
			    || (e->scope == s->last_scope && e->set >= s->last_set));
	} else {
		assert_true(e->at > s->last_at);
	}
	s->last_at = e->at;
	s->last = e->name;
	s->last_scope = e->scope;
	s->last_set = e->set;
	s->count[e->set]++;
	return true;
}

static void entries_are_shown_once(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 20; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct snapshot *s = models_built(&p, &bytes, round % 2);
		struct shown all = {0}, parts = {0};

		assert_true(snapshot_each_name(s, 0, count_shown, &all));
		for (size_t set = 0; set < SETS; set++)
			assert_int_equal(all.count[set], snapshot_set_entries(s, set));
		/* Up to some name, and on from there. */
		parts.stop_at = all.last_at;
		assert_false(snapshot_each_name(s, 0, count_shown, &parts));
		parts.stop_at = 0;
		assert_true(snapshot_each_name(s, all.last_at, count_shown, &parts));
		assert_memory_equal(all.count, parts.count, sizeof all.count);
		snapshot_close(s);
		buf_done(&bytes);
	}
}

static struct domain numbered(unsigned i)
{
	char text[64];
	struct domain d;

	snprintf(text, sizeof text, "%s%u.%s", i % 3 ? "" : "a-long-label-of-", i,
		i % 2 ? "example" : "co.example");
	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

/* Enough for every path of buckets and filter, each with a value of its own. */
static void many_names(void **state)
{
	struct buf bytes = BUF_INIT(1 << 24);
	struct builder *b = builder_new(1, seed);
	struct set_meta meta = meta_plain(SET_NAME, SET_FIRST, 300);
	struct builder_set *s = builder_set_new(b, SLICE("s"), &meta);
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct snapshot *snap;
	const unsigned count = 70000; /* rows in numbers of 4 bytes */

	(void)state;
	for (unsigned i = 0; i < count; i += 1 + (i % 5 == 0)) {
		struct domain d = numbered(i);

		builder_add_name(
			s, &d, SCOPE_BOTH, builder_value(s, i, SLICE("")), i % 7 ? 0 : i + 1);
	}
	snap = open_built(b, &bytes);
	for (unsigned i = 0, next = 0; i < count; i++) {
		struct domain d = numbered(i), sub, www;
		bool there = i == next;

		if (there)
			next += 1 + (i % 5 == 0);
		assert_true(domain_parse(SLICE("www"), &www, NULL));
		assert_true(domain_join(&www, &d, &sub));
		assert_int_equal(
			snapshot_find_name(snap, sub.wire, sub.len, sub.labels, 0, hits), there);
		assert_int_equal(snapshot_find_name(snap, d.wire, d.len, d.labels, 0, hits), there);
		if (there)
			assert_true(hits[0].value.code == i && hits[0].len == d.labels
				    && hits[0].expires_s == (i % 7 ? 0 : i + 1));
		if (there && i % 7 == 0)
			assert_int_equal(
				snapshot_find_name(snap, d.wire, d.len, d.labels, i + 1, hits), 0);
	}
	snapshot_close(snap);
	buf_done(&bytes);
}

/* The root, 127 labels, labels of 63 bytes. */
static void extremes(void **state)
{
	struct buf bytes = BUF_INIT(1 << 20);
	struct builder *b = builder_new(1, seed);
	struct set_meta meta = meta_plain(SET_NAME, SET_ALL, 300);
	struct builder_set *s = builder_set_new(b, SLICE("s"), &meta);
	struct hit hits[SNAPSHOT_HITS_MAX];
	uint32_t value = builder_value(s, 1, SLICE(""));
	struct domain root = {.len = 1}, deep = {.len = 255, .labels = 127},
		      wide = {.len = 255, .labels = 4}, d;
	struct snapshot *snap;

	(void)state;
	for (size_t i = 0; i < 127; i++)
		memcpy(deep.wire + 2 * i, "\1a", 2);
	for (size_t i = 0; i < 4; i++) {
		wide.wire[64 * i] = i < 3 ? 63 : 61;
		memset(wide.wire + 64 * i + 1, 'a' + (int)i, i < 3 ? 63 : 61);
	}
	wide.wire[254] = 0;
	builder_add_name(s, &deep, SCOPE_SELF, value, 0);
	builder_add_name(s, &wide, SCOPE_SELF, value, 0);
	d = domain_parent(&wide, 3);
	builder_add_name(s, &d, SCOPE_BELOW, value, 0);
	d = domain_parent(&deep, 1);
	builder_add_name(s, &d, SCOPE_BELOW, value, 0);
	builder_add_name(s, &root, SCOPE_BELOW, value, 0);
	snap = open_built(b, &bytes);
	assert_int_equal(snapshot_find_name(snap, deep.wire, deep.len, deep.labels, 1, hits), 3);
	assert_true(hits[0].len == 127 && hits[1].len == 126 && hits[2].len == 0);
	assert_int_equal(snapshot_find_name(snap, wide.wire, wide.len, wide.labels, 1, hits), 3);
	assert_true(hits[0].len == 4 && hits[1].len == 1 && hits[2].len == 0);
	assert_int_equal(snapshot_find_name(snap, root.wire, root.len, 0, 1, hits), 0);
	wide.wire[253]++;
	assert_int_equal(snapshot_find_name(snap, wide.wire, wide.len, wide.labels, 1, hits), 1);
	snapshot_close(snap);
	buf_done(&bytes);
}

static void suffixes_hash_alike(void **state)
{
	struct prop p = prop_new(1);
	struct hash_suffixes s;
	uint64_t key = hash_key(seed);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t wire[255];
		size_t len = 0, labels = 0, size, at = 0;
		struct slice whole, part;
		unsigned deepest;

		while (len < 200 && prop_below(&p, 6)) {
			size = 1 + prop_below(&p, prop_below(&p, 3) ? 9 : 40);
			wire[len++] = (uint8_t)size;
			labels++;
			while (size--)
				wire[len++] = (uint8_t)prop_below(&p, 256);
		}
		wire[len++] = 0;
		deepest = prop_below(&p, 8);
		whole = exact((const char *)wire, len);
		hash_suffixes(&s, (const uint8_t *)whole.ptr, len, (unsigned)labels, deepest, key);
		for (size_t d = labels;; d--) {
			part = exact(whole.ptr + at, len - at);
			if (d <= deepest) {
				assert_true(s.hash[d]
					    == hash_name((const uint8_t *)part.ptr, part.len, key));
				assert_ptr_equal(s.at[d], whole.ptr + at);
			}
			exact_free(part);
			if (!d)
				break;
			at += wire[at] + 1u;
		}
		exact_free(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_set_is_a_scan),
		cmocka_unit_test(entries_are_shown_once),
		cmocka_unit_test(many_names),
		cmocka_unit_test(extremes),
		cmocka_unit_test(suffixes_hash_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
