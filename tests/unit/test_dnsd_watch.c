/* test_dnsd_watch.c - samples of questions: only while somebody watches, as many as they stand for, without keys,
 * and never more than there is room for. */
#include "test.h"

#include "dnsd/see/watch.h"

struct seen {
	size_t count;
	uint64_t weight;
	struct watch_sample last;
};

static void see(void *ctx, const struct watch_sample *s)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->weight += s->weight;
	seen->last = *s;
}

static struct seen drain(struct watches *w)
{
	struct seen seen = {0};

	watches_drain(w, see, &seen);
	return seen;
}

/* What a thread does with a question. */
static bool question(struct watch *w, struct slice message, const struct answer_note *note)
{
	struct ip ip;

	assert_true(ip_parse(SLICE("192.0.2.1"), &ip));
	if (!watch_on(w) || !watch_turn(w))
		return false;
	watch_take(w, ANSWER_UDP, &ip, message, 100, note, 5000);
	return true;
}

static void questions(struct watch *w, size_t n)
{
	const struct answer_note note = {.listed = true};

	while (n-- > 0)
		question(w, SLICE("0123456789ab\1a\0"), &note);
}

static void test_on_and_off(void **state)
{
	struct watches *w = watches_new(2);
	struct watch *one = watches_get(w, 1);

	questions(one, 1000);
	assert_false(watch_on(one));
	assert_int_equal(drain(w).count, 0);
	watches_start(w); /* counts first */
	questions(one, 1000);
	assert_int_equal(drain(w).count, 0);
	assert_int_equal(watches_every(w), 0);
	watches_adapt(w, 1000);
	assert_int_equal(watches_every(w), 1);
	questions(one, 100);
	assert_int_equal(drain(w).count, 100);
	watches_stop(w);
	assert_false(watch_on(one));
	questions(one, 100);
	assert_int_equal(drain(w).count, 0);
	watches_free(w);
}

/* At 64,000 in a second, one in 32; together they stand for all. */
static void test_weights(void **state)
{
	struct watches *w = watches_new(1);
	struct watch *one = watches_get(w, 0);
	struct seen seen = {0};

	watches_start(w);
	questions(one, 64000);
	watches_adapt(w, 1000);
	assert_int_equal(watches_every(w), 32);
	for (int i = 0; i < 100; i++) {
		questions(one, 6400);
		watches_drain(w, see, &seen);
	}
	assert_int_equal(watches_lost(w), 0);
	assert_int_equal(seen.weight, seen.count * 32);
	assert_true(seen.weight > 640000 * 0.9 && seen.weight < 640000 * 1.1);
	watches_free(w);
}

/* The loop does not come: what does not fit is counted, what is there stays whole. */
static void test_full(void **state)
{
	struct watches *w = watches_new(1);
	struct watch *one = watches_get(w, 0);
	struct seen seen;

	watches_start(w);
	watches_adapt(w, 1000);
	questions(one, 5000);
	seen = drain(w);
	assert_true(seen.count > 0 && seen.count < 5000);
	assert_int_equal(seen.count + watches_lost(w), 5000);
	questions(one, 10);
	assert_int_equal(drain(w).count, 10);
	watches_free(w);
}

#define HEAD "idFFqdanauad"
#define BARE "idFFqd\0\0\0\0\0\0"
#define TAIL "\0\0\1\0\1"

static const struct {
	const char *label;
	struct slice message;
	uint8_t key_at;
	struct slice want;
} copies[] = {
	{"question alone", {HEAD "\1a\2bc" TAIL, 22}, 0, {BARE "\1a\2bc" TAIL, 22}},
	{"key first", {HEAD "\3key\2bc" TAIL, 24}, 1, {BARE "\2bc" TAIL, 20}},
	{"key within", {HEAD "\1a\3key\2bc" TAIL, 26}, 3, {BARE "\1a\2bc" TAIL, 22}},
	{"key that ends nowhere", {HEAD "\1a\77key", 18}, 3, {BARE, 12}},
	{"key behind the end", {HEAD "\1a", 14}, 200, {BARE, 12}},
	{"no header", {"idFF", 4}, 0, {"idFF", 4}},
	{"nothing", {"", 0}, 0, {"", 0}},
};

static void test_copies(void **state)
{
	struct watches *w = watches_new(1);

	watches_start(w);
	watches_adapt(w, 1000);
	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		const struct answer_note note = {.rcode = 3, .key_at = copies[i].key_at};
		struct slice message = exact(copies[i].message.ptr, copies[i].message.len);
		struct seen seen;
		assert_true(question(watches_get(w, 0), message, &note));
		seen = drain(w);
		if (!slice_eq(slice_of(seen.last.query, seen.last.len), copies[i].want))
			fail_msg("%s", copies[i].label);
		assert_int_equal(seen.last.rcode, 3);
		assert_int_equal(seen.last.latency_ns, 5000);
		exact_free(message);
	}
	watches_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_and_off),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
