/* test_dnsd_metrics.c - requests, and names with awkward letters. That the text is Prometheus' format, the
 * integration test checks on the real server. */
#include "test.h"

#include "dnsd/see/metrics.h"

static const struct {
	const char *bytes;
	enum metrics_request want;
} requests[] = {
	{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", METRICS_GET},
	{"GET /metrics?a=b HTTP/1.0\r\n\r\n", METRICS_GET},
	{"HEAD /metrics HTTP/1.1\r\n\r\n", METRICS_HEAD},
	{"GET / HTTP/1.1\r\n\r\n", METRICS_NOT_FOUND},
	{"GET /metrics/ HTTP/1.1\r\n\r\n", METRICS_NOT_FOUND},
	{"POST /metrics HTTP/1.1\r\n\r\n", METRICS_NOT_ALLOWED},
	{"GET /metrics HTTP/2\r\n\r\n", METRICS_BAD},
	{"GET metrics HTTP/1.1\r\n\r\n", METRICS_BAD},
	{"GET  HTTP/1.1\r\n\r\n", METRICS_BAD},
	{"GET\r\n\r\n", METRICS_BAD},
	{"\r\n\r\n", METRICS_BAD},
	{"GET /metrics HTTP/1.1\r\nHost: x\r\n", METRICS_MORE},
	{"", METRICS_MORE},
};

static void test_requests(void **state)
{
	char *much = mem_new(1, 9000);

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct slice in = exact(requests[i].bytes, strlen(requests[i].bytes));
		enum metrics_request got = metrics_request_parse(in);
		if (got != requests[i].want)
			fail_msg("%s: %d", requests[i].bytes, (int)got);
		exact_free(in);
	}
	memset(much, 'a', 9000);
	assert_int_equal(metrics_request_parse(slice_of(much, 8191)), METRICS_MORE);
	assert_int_equal(metrics_request_parse(slice_of(much, 8192)), METRICS_BAD);
	free(much);
}

static void test_text(void **state)
{
	struct metrics m = {.transports = {"udp"},
		.transport_count = 1,
		.data = &(struct metrics_data){.name = "ip4set:a\"b\\c\nd", .entries = 7},
		.data_count = 1};
	struct buf b = BUF_INIT(METRICS_TEXT_MAX);

	stats_bump(&m.stats[0].rcode[DNS_NXDOMAIN], 18446744073709551615u);
	metrics_text(&m, &b);
	assert_false(b.failed);
	assert_non_null(strstr(buf_str(&b),
		"\nsekisho_dnsd_responses_total{transport=\"udp\",rcode=\"NXDOMAIN\"} "
		"18446744073709551615\n"));
	assert_non_null(strstr(
		buf_str(&b), "\nsekisho_dnsd_data_entries{data=\"ip4set:a\\\"b\\\\c d\"} 7\n"));
	assert_null(strstr(buf_str(&b), "snapshot"));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests), cmocka_unit_test(test_text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
