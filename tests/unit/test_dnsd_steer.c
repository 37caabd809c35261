/* test_dnsd_steer.c - when workers share what one processor receives. */
#include "test.h"

#include "base/attr.h"
#include "dnsd/path/steer.h"

static void test_uneven(void **state)
{
	static const struct {
		uint64_t counts[4];
		size_t count;
		bool want;
	} cases[] = {
		{{0, 0}, 2, false},
		{{40000, 0}, 2, false}, /* one can do that */
		{{200000, 0}, 2, true},
		{{200000, 60000}, 2, true},
		{{200000, 80000}, 2, false},
		{{200000, 200000}, 2, false},
		{{0, 0, 200000, 0}, 4, true},
		{{200000, 200000, 0, 0}, 4, true},
		{{200000, 200000, 200000, 0}, 4, false},
		{{900000}, 1, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(steer_uneven(cases[i].counts, cases[i].count), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_uneven)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
