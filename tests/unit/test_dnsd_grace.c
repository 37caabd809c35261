/* test_dnsd_grace.c - what was replaced is freed after every reader has moved on, in order, and not before. */
#include "test.h"

#include "dnsd/data/grace.h"

struct freed {
	struct loop *loop;
	char order[8];
	size_t n;
};

static void free_a(void *ctx)
{
	struct freed *f = ctx;

	f->order[f->n++] = 'a';
}

static void free_b(void *ctx)
{
	struct freed *f = ctx;

	f->order[f->n++] = 'b';
}

static void end(void *ctx)
{
	loop_stop(ctx);
}

static void run_for(struct loop *l, int64_t ms)
{
	struct loop_timer *t = loop_timer_new(l, end, l);

	loop_timer_set(t, ms);
	loop_run(l);
	loop_timer_free(t);
}

static void test_waits_for_readers(void **state)
{
	struct freed f = {.loop = loop_new()};
	struct grace *g = grace_new(f.loop, 2);
	struct grace_reader *first = grace_reader(g, 0), *second = grace_reader(g, 1);

	grace_enter(first);
	grace_defer(g, free_a, &f);
	grace_enter(second); /* began after the swap: it cannot hold a */
	run_for(f.loop, 30);
	assert_string_equal(f.order, "");
	grace_defer(g, free_b, &f);
	grace_leave(first);
	run_for(f.loop, 30);
	assert_string_equal(f.order, "a");
	grace_enter(second); /* its next batch, without a pause between */
	run_for(f.loop, 30);
	assert_string_equal(f.order, "ab");
	grace_free(g);
	loop_free(f.loop);
}

static void test_end_frees_what_waits(void **state)
{
	struct freed f = {.loop = loop_new()};
	struct grace *g = grace_new(f.loop, 1);

	grace_enter(grace_reader(g, 0));
	grace_defer(g, free_b, &f);
	grace_defer(g, free_a, &f);
	grace_free(g);
	assert_string_equal(f.order, "ba");
	loop_free(f.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_for_readers),
		cmocka_unit_test(test_end_frees_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
