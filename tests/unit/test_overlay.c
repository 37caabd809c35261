/* test_overlay.c - a snapshot under an overlay answers what a snapshot built anew answers; readers may
 * read while the writer writes. */
#include "test.h"

#include "index_model.h"

#include <pthread.h>
#include <stdatomic.h>

static const uint8_t seed[16] = "0123456789abcdef";
static struct model model;

static struct snapshot *snapshot_of(struct prop *p, struct buf *bytes, const struct set_meta *meta)
{
	struct builder *b = builder_new(1, seed);
	struct builder_set *s = builder_set_new(b, SLICE("s"), meta);
	struct snapshot *snap;

	for (size_t i = 0; i < model.count; i++)
		model_add_to(&model.items[i], s);
	assert_true(builder_write(b, bytes, NULL));
	builder_free(b);
	snap = snapshot_open(buf_slice(bytes), NULL);
	assert_non_null(snap);
	return snap;
}

/* Listed anew or taken out: in the model and in the overlay. */
static void change_something(
	struct prop *p, struct overlay *o, size_t set, struct model *m, bool names)
{
	struct model_entry e = model_entry(p, names, false, true);
	char text[40];
	struct value v;

	if (m->count && prop_below(p, 2)) { /* a key that is there */
		const struct model_entry *old = &m->items[prop_below(p, (uint32_t)m->count)];

		e.prefix = old->prefix;
		e.name = old->name;
		e.scope = old->scope;
	}
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

static void overlay_is_a_rebuilt_snapshot(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 40; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		bool names = round % 4 == 3;
		struct set_meta meta =
			meta_plain(names ? SET_NAME : SET_IP, names ? round % 2 : round % 3, 300);
		struct index ix = {0};
		struct overlay *o;

		model.rule = meta.rule;
		model.count = prop_below(&p, 120);
		for (size_t i = 0; i < model.count; i++)
			model.items[i] = model_entry(&p, names, round % 5, true);
		ix.snapshot = snapshot_of(&p, &bytes, &meta);
		ix.overlay = o = overlay_new(ix.snapshot);
		for (int i = 0; i < 300; i++) {
			int64_t now_s = 50 + prop_below(&p, 4) * 100;
			struct ip ip = model_ip(&p, prop_below(&p, 3) == 0);
			struct domain name = model_name(&p, 6);

			if (i % 3 == 0)
				change_something(&p, o, 0, &model, names);
			if (i % 50 == 49) {
				overlay_grace_start(o);
				overlay_grace_end(o);
			}
			assert_int_equal(index_codes(&ix, 0, names ? NULL : &ip,
						 names ? &name : NULL, now_s),
				model_ask(&model, names ? NULL : &ip, names ? &name : NULL, now_s));
		}
		overlay_free(o);
		snapshot_close((struct snapshot *)ix.snapshot);
		buf_done(&bytes);
	}
}

#define SETS 5

static struct model models[SETS];

static struct snapshot *snapshot_of_models(struct buf *bytes)
{
	struct builder *b = builder_new(1, seed);
	struct snapshot *snap;

	for (size_t set = 0; set < SETS; set++) {
		struct set_meta meta =
			meta_plain(set < 2 ? SET_IP : SET_NAME, models[set].rule, 300);
		struct builder_set *s = builder_set_new(b, SLICE("s"), &meta);

		for (size_t i = 0; i < models[set].count; i++)
			model_add_to(&models[set].items[i], s);
	}
	assert_true(builder_write(b, bytes, NULL));
	builder_free(b);
	snap = snapshot_open(buf_slice(bytes), NULL);
	assert_non_null(snap);
	return snap;
}

static void ask_models(struct prop *p, const struct index *ix)
{
	int64_t now_s = 50 + prop_below(p, 4) * 100;
	struct ip ip = model_ip(p, prop_below(p, 3) == 0);
	struct domain name = model_name(p, 6);

	for (size_t set = 0; set < SETS; set++) {
		const struct ip *asked_ip = set < 2 ? &ip : NULL;
		const struct domain *asked = set < 2 ? NULL : &name;

		assert_int_equal(index_codes(ix, set, asked_ip, asked, now_s),
			model_ask(&models[set], asked_ip, asked, now_s));
	}
}

/* Every record is seen once, under a key it is found by. */
static void check_records(const struct overlay *o)
{
	struct overlay_cursor c = {0};
	struct overlay_entry e;
	size_t count = 0;

	for (; overlay_next(o, &c, &e); count++) {
		const struct model *m = &models[e.set];
		struct model_entry key = {
			.is_name = e.is_name, .prefix = e.prefix, .name = e.name, .scope = e.scope};
		size_t last = m->count;

		assert_true(e.is_name ? overlay_has_name(o, e.set, &e.name, e.scope)
				      : overlay_has_prefix(o, e.set, &e.prefix));
		while (last && !model_same_key(&m->items[last - 1], &key))
			last--;
		assert_true(last && m->items[last - 1].gone == !e.listed
			    && m->items[last - 1].expires_s == e.expires_s
			    && (!e.listed || m->items[last - 1].code == e.value.code));
		if (e.is_name)
			assert_false(overlay_has_name(o, SETS, &e.name, e.scope));
		else
			assert_false(overlay_has_prefix(o, SETS, &e.prefix));
	}
	assert_int_equal(count, overlay_count(o));
}

/* Keys in several sets at once, and a copy that stays as it was. */
static void sets_keep_apart(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 20; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct index ix = {0};
		struct overlay *o, *copy;

		for (size_t set = 0; set < SETS; set++) {
			struct model *m = &models[set];

			m->rule = set < 2 ? (round + set) % 3 : (round + set) % 2;
			m->count = prop_below(&p, 100);
			for (size_t i = 0; i < m->count; i++)
				m->items[i] = model_entry(&p, set >= 2, round % 5, true);
		}
		ix.snapshot = snapshot_of_models(&bytes);
		ix.overlay = o = overlay_new(ix.snapshot);
		for (int i = 0; i < 300; i++) {
			size_t set = prop_below(&p, SETS);

			change_something(&p, o, set, &models[set], set >= 2);
			ask_models(&p, &ix);
		}
		check_records(o);
		copy = overlay_copy(o);
		overlay_put_prefix(o, 0, &(struct prefix){.ip = ip4_of(0)}, NULL, 0);
		check_records(copy);
		overlay_free(o);
		ix.overlay = copy;
		for (int i = 0; i < 100; i++)
			ask_models(&p, &ix);
		overlay_free(copy);
		snapshot_close((struct snapshot *)ix.snapshot);
		buf_done(&bytes);
	}
}

static void what_is_removed_uncovers_what_is_above(void **state)
{
	struct buf bytes = BUF_INIT(1 << 20);
	struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct index ix = {0};
	struct overlay *o;
	struct prefix wide, one;
	struct ip ip = ip4_of(0x0a010203);

	(void)state;
	assert_true(prefix_parse(SLICE("10.1.2.0/24"), &wide, NULL));
	assert_true(prefix_parse(SLICE("10.1.2.3"), &one, NULL));
	model.count = 2;
	model.items[0] = (struct model_entry){.prefix = wide, .code = 4};
	model.items[1] = (struct model_entry){.prefix = one, .code = 5};
	ix.snapshot = snapshot_of(NULL, &bytes, &meta);
	ix.overlay = o = overlay_new(ix.snapshot);
	assert_int_equal(index_codes(&ix, 0, &ip, NULL, 1), 1 << 5);
	overlay_put_prefix(o, 0, &one, NULL, 0);
	assert_int_equal(index_codes(&ix, 0, &ip, NULL, 1), 1 << 4);
	overlay_put_prefix(o, 0, &wide, NULL, 0);
	assert_int_equal(index_codes(&ix, 0, &ip, NULL, 1), 0);
	overlay_put_prefix(o, 0, &one, &(struct value){6, SLICE("code 6 of $")}, 10);
	assert_int_equal(index_codes(&ix, 0, &ip, NULL, 9), 1 << 6);
	assert_int_equal(index_codes(&ix, 0, &ip, NULL, 10), 0);
	assert_int_equal(overlay_count(o), 2);
	overlay_free(o);
	snapshot_close((struct snapshot *)ix.snapshot);
	buf_done(&bytes);
}

#define READERS 2
#define KEYS 3000

struct readers {
	struct index ix;
	_Atomic uint64_t loops[READERS];
	_Atomic size_t written;
	_Atomic bool stop, wrong;
};

struct reader_arg {
	struct readers *all;
	int number;
};

/* Every key below `written` must be there, with the text of its code. */
static void *reader_main(void *arg)
{
	struct reader_arg *a = arg;
	struct readers *r = a->all;
	struct prop p = prop_new((uint64_t)a->number);

	while (!atomic_load(&r->stop)) {
		size_t written = atomic_load(&r->written);

		if (written) {
			struct ip ip = ip4_of(prop_below(&p, (uint32_t)written));
			uint64_t codes = index_codes(&r->ix, 0, &ip, NULL, 1);

			if (codes != 2 && codes != 4)
				atomic_store(&r->wrong, true);
		}
		atomic_fetch_add(&r->loops[a->number], 1);
	}
	return NULL;
}

static void wait_for_readers(struct readers *r)
{
	uint64_t seen[READERS];

	for (int i = 0; i < READERS; i++)
		seen[i] = atomic_load(&r->loops[i]);
	for (int i = 0; i < READERS; i++)
		while (atomic_load(&r->loops[i]) < seen[i] + 1)
			sched_yield();
}

static void readers_never_wait(void **state)
{
	struct buf bytes = BUF_INIT(1 << 20);
	struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct readers r = {0};
	struct reader_arg args[READERS];
	pthread_t threads[READERS];
	struct overlay *o;

	(void)state;
	model.count = 0;
	r.ix.snapshot = snapshot_of(NULL, &bytes, &meta);
	r.ix.overlay = o = overlay_new(r.ix.snapshot);
	for (int i = 0; i < READERS; i++) {
		args[i] = (struct reader_arg){&r, i};
		assert_int_equal(pthread_create(&threads[i], NULL, reader_main, &args[i]), 0);
	}
	for (uint32_t i = 0; i < KEYS; i++) {
		struct prefix key = {.ip = ip4_of(i), .len = 32};
		struct value one = {1, SLICE("code 1 of $")}, two = {2, SLICE("code 2 of $")};

		overlay_put_prefix(o, 0, &key, &one, 0);
		atomic_store(&r.written, i + 1);
		key.ip = ip4_of(i / 2);
		overlay_put_prefix(o, 0, &key, i % 2 ? &one : &two, 0);
		if (i % 64 == 0) {
			overlay_grace_start(o);
			wait_for_readers(&r);
			overlay_grace_end(o);
		}
	}
	atomic_store(&r.stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_false(atomic_load(&r.wrong));
	overlay_free(o);
	snapshot_close((struct snapshot *)r.ix.snapshot);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlay_is_a_rebuilt_snapshot),
		cmocka_unit_test(sets_keep_apart),
		cmocka_unit_test(what_is_removed_uncovers_what_is_above),
		cmocka_unit_test(readers_never_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
