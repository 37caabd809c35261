/* test_codes.c - patterns of return codes: what they match, what they weigh, what is refused. */
#include "test.h"

#include "base/attr.h"
#include "base/ip.h"
#include "resolve/codes.h"

static uint32_t code_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(slice_str(text), &ip));
	return ip4_value(&ip);
}

static void test_matches(void **state)
{
	static const struct {
		const char *pattern, *code;
		bool matches;
	} cases[] = {
		{"127.0.0.2", "127.0.0.2", true},
		{"127.0.0.2", "127.0.0.3", false},
		{"127.0.0.2", "127.0.1.2", false},
		{" 127.0.0.2 ", "127.0.0.2", true},
		{"127.0.0.[2..11]", "127.0.0.2", true},
		{"127.0.0.[2..11]", "127.0.0.11", true},
		{"127.0.0.[2..11]", "127.0.0.12", false},
		{"127.0.0.[2..11]", "127.0.0.1", false},
		{"127.0.[0;2].[2;4..8]", "127.0.2.6", true},
		{"127.0.[0;2].[2;4..8]", "127.0.1.6", false},
		{"127.0.[0;2].[2;4..8]", "127.0.2.3", false},
		{"127.[0..255].[0..255].[0..255]", "127.255.0.63", true},
		{"127.[0..255].[0..255].[0..255]", "128.255.0.63", false},
		{"127.0.0.64*2", "127.0.0.64", true},
	};
	struct code_pattern p;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s %s\n", cases[i].pattern, cases[i].code);
		assert_true(code_pattern_parse(slice_str(cases[i].pattern), &p, NULL));
		assert_int_equal(
			code_pattern_matches(&p, code_of(cases[i].code)), cases[i].matches);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {"", "127", "127.0.0", "127.0.0.", "127.0.0.256",
		"127.0.0.2.3", "127.0.0.[2..]", "127.0.0.[..2]", "127.0.0.[3..2]", "127.0.0.[]",
		"127.0.0.[2", "127.0.0.2]", "127.0.0.[2]x", "127.0.0.2*", "127.0.0.2*x",
		"127.0.0.2*1001", "127.0.0.2*--1", "10.0.0.2", "[126;127].0.0.2", "127.0.0.-2",
		"127.0.0.2..3.4", "127..0.0.2", "127.0.0.0000002", "[127.0.0.2"};
	struct code_pattern p;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice s = exact(cases[i], strlen(cases[i]));

		print_message("'%s'\n", cases[i]);
		assert_false(code_pattern_parse(s, &p, &err));
		assert_int_equal(err.kind, ERR_SYNTAX);
		exact_free(s);
	}
}

static void test_weights(void **state)
{
	static const char *const texts[] = {
		"127.0.0.2*3", "127.0.0.[3..4]", "127.0.0.[4..9]", "127.0.0.10*-2"};
	static const struct {
		const char *codes[3];
		bool hit;
		long weight;
	} cases[] = {
		{{"127.0.0.2"}, true, 3},
		{{"127.0.0.3"}, true, 5},
		{{"127.0.0.4"}, true, 5}, /* two patterns without a weight count once */
		{{"127.0.0.2", "127.0.0.4"}, true, 8},
		{{"127.0.0.2", "127.0.0.10"}, true, 1},
		{{"127.0.0.11"}, false, 0},
		{{"127.0.0.11", "127.0.0.10"}, true, -2},
	};
	struct code_set set, none = {0};
	uint32_t codes[3];
	long weight;

	assert_true(code_set_parse(texts, ARRAY_LEN(texts), &set, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = 0;

		for (; n < 3 && cases[i].codes[n]; n++)
			codes[n] = code_of(cases[i].codes[n]);
		weight = 0;
		assert_int_equal(code_set_weight(&set, codes, n, 5, &weight), cases[i].hit);
		assert_int_equal(weight, cases[i].weight);
	}
	codes[0] = code_of("127.9.9.9");
	assert_true(code_set_weight(&none, codes, 1, 4, &weight));
	assert_int_equal(weight, 4);
	codes[0] = code_of("127.0.0.1");
	assert_false(code_set_weight(&none, codes, 1, 4, &weight));
	codes[0] = code_of("10.0.0.2");
	assert_false(code_set_weight(&none, codes, 1, 4, &weight));
	assert_false(code_set_parse((const char *const[]){"127.0.0.2", "x"}, 2, &none, NULL));
	code_set_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
