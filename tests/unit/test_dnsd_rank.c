/* test_dnsd_rank.c - the ranking against exact counts, on skewed and on even streams, and under hostile ones. */
#include "test.h"

#include "dnsd/see/rank.h"

#define KEYS 20000
#define PLACES 256

static const uint8_t seed[16] = {1, 2, 3};
static uint64_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static struct slice key_of(uint32_t k, char dst[32])
{
	return slice_of(dst, (size_t)snprintf(dst, 32, "key-%u", k));
}

static uint32_t number_of(const struct rank_entry *e)
{
	char text[RANK_KEY_MAX + 1];

	memcpy(text, e->key, e->len);
	text[e->len] = '\0';
	return (uint32_t)strtoul(text + 4, NULL, 10);
}

/* Half of the range of the last key each time: key k has about 2^-k of all, from there on even. */
static uint32_t skewed(void)
{
	uint32_t k = 0;

	while (k < 12 && next_random() & 1)
		k++;
	return k < 12 ? k : 12 + next_random() % (KEYS - 12);
}

static uint32_t even(void)
{
	return next_random() % KEYS;
}

/* What the structure promises, whatever comes. */
static void check_bounds(const struct rank *r, const double *exact, double total)
{
	static struct rank_entry top[PLACES];
	static bool ranked[KEYS];
	size_t n = rank_top(r, top, PLACES);
	double last = 1e300;

	memset(ranked, 0, sizeof ranked);
	for (size_t i = 0; i < n; i++) {
		double is = exact[number_of(&top[i])], least = top[i].weight - top[i].error;
		assert_false(ranked[number_of(&top[i])]);
		ranked[number_of(&top[i])] = true;
		assert_true(top[i].weight >= is * (1 - 1e-9));
		assert_true(least <= is * (1 + 1e-9));
		assert_true(least <= last);
		last = least;
	}
	for (size_t k = 0; k < KEYS; k++)
		if (exact[k] > total / PLACES && !ranked[k])
			fail_msg("key %zu has %.0f of %.0f and is missing", k, exact[k], total);
}

static void run(uint32_t (*draw)(void), double fade)
{
	struct rank *r = rank_new(PLACES, seed);
	double *exact = mem_new(KEYS, sizeof *exact), total = 0;
	char text[32];

	random_state = 42;
	for (int i = 0; i < 200000; i++) {
		uint32_t k = draw(), weight = 1 + next_random() % 64;
		exact[k] += weight;
		total += weight;
		rank_add(r, key_of(k, text), weight);
		if (fade < 1 && i % 1000 == 0) {
			rank_fade(r, fade);
			total *= fade;
			for (size_t n = 0; n < KEYS; n++)
				exact[n] *= fade;
		}
		if (i % 40000 == 39999)
			check_bounds(r, exact, total);
	}
	free(exact);
	rank_free(r);
}

static void test_skewed(void **state)
{
	run(skewed, 1);
	run(skewed, 0.9);
}

static void test_even(void **state)
{
	run(even, 1);
	run(even, 0.9);
}

static void test_skewed_order(void **state)
{
	struct rank *r = rank_new(PLACES, seed);
	struct rank_entry top[8];
	char text[32];

	random_state = 7;
	for (int i = 0; i < 200000; i++)
		rank_add(r, key_of(skewed(), text), 1);
	assert_int_equal(rank_top(r, top, 8), 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(number_of(&top[i]), i);
	rank_free(r);
}

static void test_exact_with_few_keys(void **state)
{
	struct rank *r = rank_new(4, seed);
	struct rank_entry top[8];

	assert_int_equal(rank_top(r, top, 8), 0);
	rank_add(r, SLICE("b"), 1);
	rank_add(r, SLICE("a"), 1);
	rank_add(r, SLICE("c"), 5);
	rank_add(r, SLICE(""), 2);
	assert_int_equal(rank_top(r, top, 8), 4);
	assert_true(top[0].key[0] == 'c' && top[0].weight == 5 && top[0].error == 0);
	assert_int_equal(top[1].len, 0);
	assert_true(top[2].key[0] == 'a' && top[3].key[0] == 'b'); /* equal ones by name */
	rank_add(r, SLICE("d"), 1);				   /* takes the place of a or b */
	assert_int_equal(rank_top(r, top, 2), 2);
	rank_clear(r);
	assert_int_equal(rank_top(r, top, 8), 0);
	rank_free(r);
}

static void test_long_keys(void **state)
{
	struct rank *r = rank_new(2, seed);
	char *key = mem_new(1, 300);
	struct rank_entry top[2];

	memset(key, 'x', 300);
	rank_add(r, slice_of(key, 300), 1);
	rank_add(r, slice_of(key, 255), 1);
	assert_int_equal(rank_top(r, top, 2), 1);
	assert_int_equal(top[0].len, 255);
	assert_true(top[0].weight == 2);
	free(key);
	rank_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_skewed),
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_skewed_order),
		cmocka_unit_test(test_exact_with_few_keys),
		cmocka_unit_test(test_long_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
