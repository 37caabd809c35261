/* test_dnsd_limit.c - rates and quotas: who is over them, and what is said then. */
#include "test.h"

#include "dns/query.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/limit.h"
#include "dnsd/answer/rate.h"
#include "dnsd_world.h"

#define KEY ((const uint8_t *)"sixteen bytes ..")

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(slice_str(text), &ip));
	return ip;
}

static void test_rate(void **state)
{
	struct rate *r = rate_new(3, 2, KEY);
	struct ip a = ip_of("192.0.2.1"), neighbour = ip_of("192.0.2.200"),
		  other = ip_of("192.0.3.1"), six = ip_of("2001:db8:0:100::1"),
		  same56 = ip_of("2001:db8:0:1ff::2"), other56 = ip_of("2001:db8:0:200::1");

	for (int second = 10; second < 12; second++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(
				rate_check(r, i % 2 ? &neighbour : &a, RATE_LISTED, second),
				RATE_PASS);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(rate_check(r, &a, RATE_LISTED, second), RATE_DROP);
			assert_int_equal(rate_check(r, &neighbour, RATE_LISTED, second), RATE_SLIP);
		}
		assert_int_equal(rate_check(r, &a, RATE_NXDOMAIN, second), RATE_PASS);
		assert_int_equal(rate_check(r, &other, RATE_LISTED, second), RATE_PASS);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_check(r, &six, RATE_ERROR, 20), RATE_PASS);
	assert_int_equal(rate_check(r, &same56, RATE_ERROR, 20), RATE_DROP);
	assert_int_equal(rate_check(r, &other56, RATE_ERROR, 20), RATE_PASS);
	rate_free(r);
	r = rate_new(1, 0, KEY);
	assert_int_equal(rate_check(r, &a, RATE_LISTED, 1), RATE_PASS);
	for (int i = 0; i < 9; i++)
		assert_int_equal(rate_check(r, &a, RATE_LISTED, 1), RATE_DROP);
	rate_free(r);
}

/* Whoever floods stays known while strangers fill the table. */
static void test_rate_table_full(void **state)
{
	struct rate *r = rate_new(5, 0, KEY);
	struct ip flood = ip_of("192.0.2.1");
	unsigned passed = 0;

	for (uint32_t i = 0; i < 1000000; i++) {
		struct ip stranger = ip4_of(i << 8);
		if (i % 4 == 0)
			passed += rate_check(r, &flood, RATE_LISTED, 7) == RATE_PASS;
		rate_check(r, &stranger, RATE_LISTED, 7);
	}
	assert_true(passed < 50);
	rate_free(r);
}

static void test_quota(void **state)
{
	static const struct quota_limit of_second = {2, 0}, of_day = {0, 3}, none = {0, 0};
	struct quota *q = quota_new();
	const int64_t day = 86400 * 1000;

	assert_false(quota_over(q, 1, &of_second, day));
	assert_false(quota_over(q, 1, &of_second, day));
	assert_true(quota_over(q, 1, &of_second, day));
	assert_false(quota_over(q, 1, &of_second, day + 1));
	for (int i = 0; i < 3; i++)
		assert_false(quota_over(q, 2, &of_day, day + i));
	assert_true(quota_over(q, 2, &of_day, day + 86399));
	assert_false(quota_over(q, 2, &of_day, day + 86400));
	for (int i = 0; i < 10; i++)
		assert_false(quota_over(q, 3, &none, day));
	/* the same place of the table: who asked much stays, the others make room for each other */
	for (uint64_t i = 1; i < 1000; i++)
		quota_over(q, 2 + (i << 16), &of_day, day + 86400);
	for (int i = 0; i < 2; i++)
		quota_over(q, 2, &of_day, day + 86400);
	for (uint64_t i = 1; i < 1000; i++)
		quota_over(q, 2 + (i << 16), &of_day, day + 86400);
	quota_free(q);
}

struct asking {
	struct world w;
	struct config config;
	struct limits_setup setup;
	struct identity identity;
	struct answer_from from;
	struct answer_note note;
	uint8_t out[ANSWER_SIZE_UDP];
};

static struct asking *asking_new(struct config_dnsd dnsd)
{
	struct asking *a = mem_new(1, sizeof *a);
	struct err err;

	world_init(&a->w, true);
	dnsd.nsid = dnsd.version = dnsd.identity = (char *)"";
	dnsd.cookies = true;
	a->config.dnsd = dnsd;
	limits_setup_init(&a->setup, &a->config, KEY);
	assert_true(identity_init(&a->identity, &a->config.dnsd, KEY, &err));
	a->from = (struct answer_from){.peer = ip_of("192.0.2.1"),
		.now_s = WORLD_NOW,
		.identity = &a->identity,
		.limits = limits_new(&a->setup)};
	return a;
}

static void asking_free(struct asking *a)
{
	limits_free(a->from.limits);
	limits_setup_done(&a->setup);
	world_done(&a->w);
	free(a);
}

/* 0: no reply; else 1000 * flags (TC 2, AA 4) + 100 * answers + rcode. */
static unsigned ask(struct asking *a, const char *name, bool edns, const char *option)
{
	struct dns_query q = {.name = world_name(name), .type = DNS_A, .id = 7, .edns = edns};
	uint8_t message[DNS_QUERY_MAX + 64];
	size_t len = dns_query_write(&q, message), n;

	if (option) { /* a client's cookie */
		message[len - 1] = 12;
		memcpy(message + len, option, 12);
		len += 12;
	}
	n = answer(a->w.served, &a->from, slice_of(message, len), a->out, &a->note);
	return n ? 1000u * (a->out[2] & 6u) + 100u * a->out[7] + (a->out[3] & 15u) : 0;
}

#define LISTED "1.2.0.192.bl.example"
#define UNLISTED "9.9.9.99.bl.example"

static void test_rate_of_answers(void **state)
{
	struct asking *a = asking_new((struct config_dnsd){.rate_limit = 2, .rate_slip = 2});

	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(a, LISTED, true, NULL), 4200);
	assert_int_equal(ask(a, LISTED, true, NULL), 0);
	assert_true(a->note.limited);
	assert_int_equal(ask(a, LISTED, true, NULL), 2000);
	assert_true(a->note.limited && a->note.truncated);
	assert_int_equal(ask(a, LISTED, true, NULL), 0);
	assert_int_equal(ask(a, LISTED, true,
				 "\0\x0a\0\x08"
				 "cookie..")
				 & 15,
		DNS_BADCOOKIE & 15);
	assert_int_equal(a->note.rcode, DNS_BADCOOKIE);
	assert_int_equal(ask(a, UNLISTED, false, NULL), 4003);
	a->from.transport = ANSWER_TCP;
	for (int i = 0; i < 9; i++)
		assert_int_equal(ask(a, LISTED, true, NULL), 4200);
	asking_free(a);
}

static void test_unlimited(void **state)
{
	struct prefix mine;
	struct err err;

	assert_true(prefix_parse(SLICE("192.0.2.0/24"), &mine, &err));
	struct asking *a = asking_new(
		(struct config_dnsd){.rate_limit = 1, .quota_day = 1, .unlimited = {&mine, 1}});
	for (int i = 0; i < 9; i++)
		assert_int_equal(ask(a, LISTED, true, NULL), 4200);
	a->from.peer = ip_of("192.0.3.1");
	assert_int_equal(ask(a, LISTED, true, NULL), 4200);
	assert_int_equal(ask(a, LISTED, true, NULL), 5);
	assert_true(a->note.over_quota);
	asking_free(a);
}

static void test_quota_of_answers(void **state)
{
	struct asking *a = asking_new((struct config_dnsd){.quota_second = 2});

	for (int second = 0; second < 2; second++) {
		for (int i = 0; i < 2; i++)
			assert_int_equal(ask(a, UNLISTED, true, NULL), 4003);
		for (int i = 0; i < 3; i++)
			assert_int_equal(ask(a, LISTED, i > 0, NULL), 5);
		a->from.now_s++;
	}
	asking_free(a);
	a = asking_new((struct config_dnsd){.quota_day = 1, .quota_answer = QUOTA_CODE});
	assert_int_equal(ask(a, UNLISTED, false, NULL), 4003);
	assert_int_equal(ask(a, UNLISTED, false, NULL), 4100);
	assert_memory_equal(a->out + 12 + 25 + 12, "\x7f\xff\xff\xff", 4);
	assert_false(a->note.listed);
	assert_int_equal(ask(a, "foreign.zone", false, NULL), 5);
	asking_free(a);
}

static void test_quota_of_zone(void **state)
{
	struct config_list list = {.quota_day = 2};
	struct asking *a = asking_new((struct config_dnsd){.rate_limit = 0});
	struct domain name = world_name("bl.example");

	a->config.lists = &list;
	a->config.list_count = 1;
	limits_setup_init(&a->setup, &a->config, KEY);
	limits_free(a->from.limits);
	a->from.limits = limits_new(&a->setup);
	served_zone(a->w.served, &name)->plain = false; /* as served_seal() would find it */
	served_add_quota(served_zone(a->w.served, &name), 0, 2);
	served_add_quota(served_zone(a->w.served, &name), 0, 5); /* the strictest counts */
	assert_int_equal(ask(a, LISTED, false, NULL), 4200);
	assert_int_equal(ask(a, UNLISTED, false, NULL), 4003);
	assert_int_equal(ask(a, LISTED, false, NULL), 5);
	assert_int_equal(ask(a, "test.dom.example", false, NULL), 4100);
	a->from.peer = ip_of("192.0.2.2");
	assert_int_equal(ask(a, LISTED, false, NULL), 4200);
	asking_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_table_full),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_rate_of_answers),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_quota_of_answers),
		cmocka_unit_test(test_quota_of_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
