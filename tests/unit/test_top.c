/* test_top.c - `sekisho top` on replies that are written down: rates, screens, and text that wants to do more
 * than be read. */
#include "test.h"

#include "tools/table.h"
#include "tools/top_private.h"
#include "tools/words.h"

#include <locale.h>

static const char before_text[] =
	"{'now':1000000,'started':0,'latency_ns':[[1024,5],[4096,5]],'transports':["
	"{'transport':'udp','address':'a','queries':100,'listed':10,'sent_bytes':0,'responses':{'"
	"nxdomain':50}},"
	"{'transport':'udp','address':'b','queries':10,'responses':{}},"
	"{'transport':'tcp','queries':7,'responses':{}}]}";
static const char now_text[] =
	"{'version':'1','now':1002000,'started':0,'every':64,'tcp_sessions':12345,"
	"'latency_ns':[[1024,55],[2048,40],[4096,10],[1000000,5]],'transports':["
	"{'transport':'udp','address':'a','queries':2100,'listed':1010,'sent_bytes':4000000,"
	"'responses':{'nxdomain':1050}},"
	"{'transport':'udp','address':'b','queries':10,'responses':{}},"
	"{'transport':'tcp','queries':9,'responses':{}}],"
	"'lists':[{'name':'bad','least':500.0,'most':500.0},{'name':'d\\u00f6m','least':1.5,'most':"
	"9.0}],"
	"'zones':[{'name':'bl.example','least':1001.0,'most':1001.0}],"
	"'clients':[{'name':'192.0.2.1','least':12345.0,'most':12345.0}],"
	"'names':[{'name':'\\u001b]0;owned\\u0007\\u202e\\u009b31m','least':3.0,'most':3.0}]}";

static json_t *load(const char *text)
{
	char *copy = mem_str(text);
	json_t *o;

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	o = json_loads(copy, 0, NULL);
	assert_non_null(o);
	free(copy);
	return o;
}

static void near(double is, double want)
{
	if (is < want - 0.001 || is > want + 0.001)
		fail_msg("%f is not %f", is, want);
}

static void test_rates(void **state)
{
	json_t *before = load(before_text), *now = load(now_text), *told;
	struct top_rates r;

	top_rates_of(before, now, &r);
	near(r.seconds, 2);
	near(r.queries, 1001);
	near(r.listed, 500);
	near(r.nxdomain, 500);
	near(r.sent_bytes, 2e6);
	assert_int_equal(r.transport_count, 2);
	near(r.transports[0].queries, 1000);
	near(r.transports[1].queries, 1);
	/* 50, 40, 5 and 5 of 100 */
	near(r.latency_us[0], 1.024);
	near(r.latency_us[1], 2.048);
	near(r.latency_us[2], 1000);
	near(r.latency_us[3], 1000);
	told = top_json(&r);
	near(json_real_value(json_object_get(told, "queries")), 1001);
	assert_int_equal(json_array_size(json_object_get(told, "lists")), 2);
	json_decref(told);
	/* the first reply, and a server that was started anew */
	top_rates_of(NULL, now, &r);
	near(r.seconds, 0);
	near(r.queries, 0);
	json_object_set_new(before, "started", json_integer(5));
	top_rates_of(before, now, &r);
	near(r.queries, 0);
	json_decref(before);
	json_decref(now);
}

static void draw(const json_t *before, const json_t *now, size_t width, size_t height, bool marks,
	struct buf *to)
{
	const struct top_screen s = {width, height, marks};
	struct top_rates r;

	top_rates_of(before, now, &r);
	top_draw(&r, &s, to);
}

/* Whatever the size: so many lines, none too long, nothing but text. */
static void test_sizes(void **state)
{
	json_t *before = load(before_text), *now = load(now_text);

	for (size_t width = 1; width <= 260; width += width < 100 ? 1 : 17)
		for (size_t height = 1; height <= 70; height += 3) {
			struct buf b = BUF_INIT(1 << 20);
			struct slice rest, line;
			size_t lines = 0;
			draw(before, now, width, height, false, &b);
			rest = buf_slice(&b);
			while (slice_cut(&rest, '\n', &line)) {
				lines++;
				if (words_width(line) > width)
					fail_msg("%zux%zu: '%.*s'", width, height, SLICE_FMT(line));
				for (size_t i = 0; i < line.len; i++)
					assert_true((unsigned char)line.ptr[i] >= 0x20);
			}
			assert_true(lines <= height);
			buf_done(&b);
		}
	json_decref(before);
	json_decref(now);
}

static void test_screen(void **state)
{
	json_t *before = load(before_text), *now = load(now_text);
	struct buf b = BUF_INIT(1 << 20);

	draw(before, now, 80, 24, false, &b);
	assert_non_null(strstr(buf_str(&b), "queries 1,001/s  udp 1,000 tcp 1.0"));
	assert_non_null(strstr(buf_str(&b), "listed 500 (50%)  nxdomain 500 (50%)"));
	assert_non_null(strstr(buf_str(&b), "50% 1.0 us  90% 2.0 us  99% 1.0 ms"));
	assert_non_null(strstr(buf_str(&b), "12,345 TCP sessions  one in 64 sampled"));
	assert_non_null(strstr(buf_str(&b), "d\xc3\xb6m"));
	assert_non_null(strstr(buf_str(&b), "1.5+"));
	assert_non_null(strstr(buf_str(&b), "?]0;owned???31m"));
	assert_null(strchr(buf_str(&b), '\033'));
	buf_reset(&b);
	draw(before, now, 80, 24, true, &b);
	assert_non_null(strstr(buf_str(&b), "\2CLIENTS"));
	assert_int_equal(buf_str(&b)[0], TOP_REVERSE);
	assert_null(strchr(buf_str(&b), '\033'));
	buf_done(&b);
	json_decref(before);
	json_decref(now);
}

static const struct {
	const char *text;
	size_t width;
	bool right;
	const char *want;
} fits[] = {
	{"abc", 5, false, "abc  "}, {"abc", 5, true, "  abc"}, {"abc", 3, true, "abc"},
	{"abcd", 3, false, "ab~"}, {"abcd", 1, false, "~"}, {"abcd", 0, false, ""},
	{"", 2, false, "  "},
	{"\xe9\x96\xa2\xe6\x89\x80", 4, false, "\xe9\x96\xa2\xe6\x89\x80"}, /* two columns each */
	{"\xe9\x96\xa2\xe6\x89\x80", 3, false, "\xe9\x96\xa2~"},
	{"\xe9\x96\xa2\xe6\x89\x80", 2, false, "~ "}, {"\x1b[31m", 5, false, "?[31m"},
	{"\xc2\x9b"
	 "1",
		2, false, "?1"}, /* C1 */
	{"\xe2\x80\xae"
	 "a",
		2, false, "?a"},	   /* right to left */
	{"\xff\xc0\x80", 3, false, "???"}, /* no UTF-8 */
	{"\xed\xa0\x80", 3, false, "???"}, /* a surrogate */
	{"\xe9\x96", 2, false, "??"},	   /* cut short */
	{"a\xcc\x81", 2, false, "a?"},	   /* combining */
};

static void test_words(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(fits); i++) {
		struct slice in = exact(fits[i].text, strlen(fits[i].text));
		struct buf b = BUF_INIT(1000);
		words_fit(&b, in, fits[i].width, fits[i].right);
		if (strcmp(buf_str(&b), fits[i].want) != 0)
			fail_msg("%zu: '%s'", i, buf_str(&b));
		buf_done(&b);
		exact_free(in);
	}
}

static void test_table(void **state)
{
	static const struct column columns[] = {
		COLUMN_FLEXIBLE("NAME"), COLUMN_NUMBER("N"), COLUMN_TEXT("X")};
	struct table t = table_of(columns, ARRAY_LEN(columns));
	struct buf b = BUF_INIT(10000);

	table_cell(&t, SLICE("a rather long name"));
	table_cellf(&t, "%d", 5);
	table_cell(&t, SLICE(""));
	table_cell(&t, SLICE("b\n"));
	table_cellf(&t, "%d", 1234);
	table_cell(&t, SLICE("y"));
	assert_int_equal(table_rows(&t), 2);
	table_print(&t, 10, SIZE_MAX, &b);
	assert_string_equal(buf_str(&b), "  NAME                   N  X\n"
					 "  a rather long name     5\n"
					 "  b?                  1234  y\n");
	buf_reset(&b);
	table_print(&t, 1, 20, &b);
	assert_string_equal(buf_str(&b), "  NAME          N  X\n  a rather lo~  5\n");
	buf_done(&b);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_table),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
