/* test_mail_header.c - header blocks, addresses, encoded words, parameters. */
#include "test.h"

#include "mail/charset.h"
#include "mail/header.h"

static void test_iteration(void **state)
{
	static const struct {
		const char *label, *block, *want; /* "name=value|name=value|" */
	} cases[] = {
		{"LF", "A: 1\nB: 2\n", "A= 1|B= 2|"},
		{"CRLF", "A: 1\r\nB: 2\r\n", "A= 1|B= 2|"},
		{"CR alone", "A: 1\rB: 2\r", "A= 1|B= 2|"},
		{"CR inside LF is content", "A: 1\rB: 2\nC:3\n", "A= 1\rB: 2|C=3|"},
		{"folded", "A: 1\n\tmore\n  yet\nB:2\n", "A= 1\n\tmore\n  yet|B=2|"},
		{"blank before colon", "A : 1\n", "A= 1|"},
		{"no colon is skipped", "junk line\nA: 1\n", "A= 1|"},
		{"no last line end", "A: 1", "A= 1|"},
		{"empty value", "A:\nB:\n", "A=|B=|"},
		{"name with a blank", "a b: 1\nC: 2\n", "C= 2|"},
		{"nothing", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice block = exact(cases[i].block, strlen(cases[i].block));
		struct header_iter it = header_iter_of(block);
		struct buf got = BUF_INIT(1000);
		struct header h;

		while (header_next(&it, &h)) {
			buf_add_slice(&got, h.name);
			buf_add_char(&got, '=');
			buf_add_slice(&got, h.value);
			buf_add_char(&got, '|');
		}
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].label, buf_str(&got));
		buf_done(&got);
		exact_free(block);
	}
}

static void test_split(void **state)
{
	static const struct {
		const char *mail, *head, *body;
	} cases[] = {
		{"A: 1\n\nbody\n", "A: 1\n", "body\n"},
		{"A: 1\r\n\r\nbody", "A: 1\r\n", "body"},
		{"A: 1\r\rbody\r", "A: 1\r", "body\r"},
		{"From x  Thu\nA: 1\n\nb", "A: 1\n", "b"},
		{"A: 1\n", "A: 1\n", ""},
		{"\nbody", "", "body"},
		{"", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice mail = exact(cases[i].mail, strlen(cases[i].mail)), head, body;

		header_split(mail, &head, &body);
		assert_true(slice_eq(head, slice_str(cases[i].head)));
		assert_true(slice_eq(body, slice_str(cases[i].body)));
		exact_free(mail);
	}
}

static void test_decode(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{" plain ", "plain"}, {"a\r\n b", "a b"}, {"=?iso-8859-1?Q?Gr=FC=DFe?=", "Grüße"},
		{"=?UTF-8?B?5pel5pys?=", "日本"},
		{"=?utf-8?b?5pc=?= =?utf-8?b?pQ==?= x", "日 x"}, /* one character cut in two */
		{"=?utf-8?q?a_b?=\n =?iso-8859-1?q?c?= d", "a bc d"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"}, {"=?koi8-r?B?8NLJ18XU?=", "Привет"},
		{"=?us-ascii*en?q?hi?=", "hi"}, {"=?no-such?q?a=ff?=", "a\xef\xbf\xbd"},
		{"=?broken", "=?broken"}, {"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
		{"caf\xe9", "caf\xc3\xa9"}, /* raw: not UTF-8, so windows-1252 */
		{"a\x07z", "a z"},
		{"=?utf-8?q?a=0Ab?=", "a b"}, /* no line end can be smuggled in */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].in, strlen(cases[i].in));
		struct buf got = BUF_INIT(HEADER_MAX_VALUE);

		header_decode(in, &got);
		assert_string_equal(buf_str(&got), cases[i].want);
		buf_done(&got);
		exact_free(in);
	}
}

static void test_params(void **state)
{
	static const struct {
		const char *value, *name, *want;
	} cases[] = {
		{"text/plain; charset=utf-8", "charset", "utf-8"},
		{"text/plain;charset=\"utf-8\"; x=1", "CHARSET", "utf-8"},
		{"multipart/mixed; boundary=\"a;b\\\"c\"", "boundary", "a;b\"c"},
		{"x; (note (nested) ;) name=v (c)", "name", "v"},
		{"x; name*0=ab; name*1=cd", "name", "abcd"},
		{"x; name*1=cd; name*0=ab", "name", "abcd"},
		{"x; name*=utf-8''%e6%97%a5.txt", "name", "日.txt"},
		{"x; name*0*=iso-8859-1'de'%fc; name*1=\"x\"", "name", "üx"},
		{"x; name=\"=?utf-8?q?=C3=BC?=\"", "name", "ü"},
		{"x; boundary=a/b=c", "boundary", "a/b=c"},
		{"x; charset", "charset", ""},
		{"x; other=1", "name", NULL},
		{"x; name*1=only", "name", NULL},
		{"x", "name", NULL},
		{"x; name=\"open", "name", "open"},
		{"x; name=\"ends\\", "name", "ends\\"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].value, strlen(cases[i].value));
		struct buf got = BUF_INIT(HEADER_MAX_VALUE);
		bool have = header_param(in, cases[i].name, &got);

		if (have != (cases[i].want != NULL)
			|| (have && strcmp(buf_str(&got), cases[i].want) != 0))
			fail_msg("%s: got '%s'", cases[i].value, buf_str(&got));
		buf_done(&got);
		exact_free(in);
	}
	assert_true(slice_eq(header_main(SLICE(" (c) Text/HTML ; x")), SLICE("Text/HTML")));
}

static void test_addresses(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{"a@b.example", "a@b.example|"},
		{"<a@b.example>", "a@b.example|"},
		{"<>", "|"},
		{"Name <a@b> , c@d", "a@b|c@d|"},
		{"\"x, <y@z>\" <a@b>", "a@b|"},
		{"a@b (comment <c@d>)", "a@b|"},
		{"(c (n)) a@b", "a@b|"},
		{"group: a@b, c@d;", "a@b|c@d|"},
		{"<@relay,@two:a@b>", "a@b|"},
		{"\"quoted local\"@b", "\"quoted local\"@b|"},
		{"undisclosed-recipients:;", ""},
		{"MAILER-DAEMON", ""},
		{"<open@x", ""},
		{"\"open", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].value, strlen(cases[i].value)), rest = in, address;
		struct buf got = BUF_INIT(1000);

		while (address_next(&rest, &address)) {
			buf_add_slice(&got, address);
			buf_add_char(&got, '|');
		}
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].value, buf_str(&got));
		buf_done(&got);
		exact_free(in);
	}
	assert_true(slice_eq(address_domain(SLICE("\"a@b\"@c.example")), SLICE("c.example")));
	assert_true(slice_eq(address_local(SLICE("\"a@b\"@c.example")), SLICE("\"a@b\"")));
}

/* Sizes a stranger chooses: one megabyte of what is worst takes less than a second. */
static void test_linear(void **state)
{
	static const char *const units[] = {
		"g:", "(", "\"", "<", "a@", "=?", "=?utf-8?q?", ";", "a=", "\\"};
	struct buf b = BUF_INIT((size_t)1 << 20);
	struct buf out = BUF_INIT(HEADER_MAX_VALUE);
	clock_t start;

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct slice rest, address;

		buf_reset(&b);
		while (b.len + strlen(units[i]) <= b.limit)
			buf_add_str(&b, units[i]);
		start = clock();
		rest = buf_slice(&b);
		while (address_next(&rest, &address))
			;
		buf_reset(&out);
		header_decode(buf_slice(&b), &out);
		buf_reset(&out);
		header_param(buf_slice(&b), "name", &out);
		header_main(buf_slice(&b));
		assert_true((clock() - start) / CLOCKS_PER_SEC < 1);
	}
	buf_done(&b);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iteration),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
