/* test_mta.c - milter packets and policy requests: whole, in pieces, and broken. */
#include "test.h"

#include "base/attr.h"
#include "mta/milter.h"
#include "mta/policy.h"

/* ---- milter ---- */

#define BYTES(literal) literal, sizeof(literal) - 1

/* Reads all of `in`; each event becomes a letter. */
static void play(struct milter *m, const char *in, size_t len, char *events, struct buf *out)
{
	struct slice copy = exact(in, len), rest = copy;
	struct err err;
	size_t used;

	for (;;) {
		enum milter_event e = milter_read(m, rest, &used, out, &err);

		*events++ = ".nCMREQ!"[e];
		*events = 0;
		if (e == MILTER_MORE || e == MILTER_BAD)
			break;
		assert_true(used >= 5);
		rest = slice_skip(rest, used);
	}
	exact_free(copy);
}

static const char options_postfix[] = "\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff";
static const char connect4[] = "\0\0\0\x1c"
			       "Cmail.example\0"
			       "4\x9c\x40"
			       "192.0.2.66\0";

static void milter_started(struct milter *m, struct buf *out)
{
	char events[16];

	milter_init(m, "X-Sekisho");
	play(m, BYTES(options_postfix), events, out);
	assert_string_equal(events, "n.");
	buf_reset(out);
}

static void test_milter_options(void **state)
{
	static const struct {
		const char *label, *header, *in;
		size_t in_len;
		const char *out;
		size_t out_len;
	} cases[] = {
		{"Postfix 3.7", "X-Sekisho", BYTES(options_postfix),
			BYTES("\0\0\0\x0dO\0\0\0\6\0\0\0\x11\0\x0f\x73\xd2")},
		{"no header wanted", NULL, BYTES(options_postfix),
			BYTES("\0\0\0\x0dO\0\0\0\6\0\0\0\0\0\x0f\x73\xf2")},
		{"version 2", "X-Sekisho", BYTES("\0\0\0\x0dO\0\0\0\2\0\0\0\x1f\0\0\0\x7f"),
			BYTES("\0\0\0\x0dO\0\0\0\2\0\0\0\x11\0\0\0\x52")},
		{"newer than we", "X-Sekisho", BYTES("\0\0\0\x0dO\0\0\0\x09\0\0\0\1\0\0\0\0"),
			BYTES("\0\0\0\x0dO\0\0\0\6\0\0\0\1\0\0\0\0")},
	};
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[16];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].label);
		buf_reset(&out);
		milter_init(&m, cases[i].header);
		play(&m, cases[i].in, cases[i].in_len, events, &out);
		assert_string_equal(events, "n.");
		assert_int_equal(out.len, cases[i].out_len);
		assert_memory_equal(out.ptr, cases[i].out, out.len);
	}
}

static void test_milter_message(void **state)
{
	static const char message[] = "\0\0\0\x14"
				      "DM{auth_authen}\0joe\0"
				      "\0\0\0\x11"
				      "M<a@sender.test>\0"
				      "\0\0\0\x12"
				      "R<u@example.net>\0\0"
				      "\0\0\0\x09"
				      "DTi\0"
				      "4ABC\0"
				      "\0\0\0\x0f"
				      "Lx-sekisho\0YES\0"
				      "\0\0\0\x0a"
				      "LFrom\0a@b\0"
				      "\0\0\0\x0e"
				      "LX-Sekisho\0no\0"
				      "\0\0\0\1E";
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[32];

	milter_started(&m, &out);
	play(&m, BYTES(connect4), events, &out);
	assert_string_equal(events, "C.");
	assert_string_equal(ip_text(&m.client).s, "192.0.2.66");
	assert_string_equal(m.client_name, "mail.example");
	assert_int_equal(out.len, 0); /* Postfix does not wait there */
	play(&m, BYTES(message), events, &out);
	assert_string_equal(events, "nMRnnnnE.");
	assert_true(m.authenticated);
	assert_string_equal(m.sender, "<a@sender.test>");
	assert_string_equal(m.recipient, "<u@example.net>");
	assert_string_equal(m.queue_id, "4ABC");
	assert_int_equal(m.old_headers, 2);
	assert_int_equal(out.len, 0);

	assert_true(milter_delete_old_headers(&m, &out));
	assert_true(milter_add_header(&m, &out, SLICE("X-Sekisho"), SLICE("YES\r\nX: y")));
	milter_continue(&out);
	static const char expected[] = "\0\0\0\x10m\0\0\0\2X-Sekisho\0\0"
				       "\0\0\0\x10m\0\0\0\1X-Sekisho\0\0"
				       "\0\0\0\x15hX-Sekisho\0YES??X: y\0"
				       "\0\0\0\1c";

	assert_int_equal(out.len, sizeof expected - 1);
	assert_memory_equal(out.ptr, expected, out.len);

	/* a new message, a new client: nothing stays */
	play(&m, BYTES("\0\0\0\1A\0\0\0\2DM\0\0\0\4M<>\0"), events, &out);
	assert_string_equal(events, "nnM.");
	assert_false(m.authenticated);
	assert_int_equal(m.old_headers, 0);
	play(&m, BYTES("\0\0\0\1K\0\0\0\4M<>\0"), events, &out);
	assert_string_equal(events, "n!");
}

/* Who gave a password for one message or session has not given it for the next. */
static void test_milter_login_ends(void **state)
{
	static const char login[] = "\0\0\0\x14"
				    "DM{auth_authen}\0joe\0"
				    "\0\0\0\4M<>\0";
	static const struct {
		const char *label, *then;
		size_t len;
		const char *events;
	} cases[] = {
		{"the next message has no login", BYTES("\0\0\0\2DM\0\0\0\4M<>\0"), "nM."},
		{"an empty login",
			BYTES("\0\0\0\x11"
			      "DM{auth_authen}\0\0"
			      "\0\0\0\4M<>\0"),
			"nM."},
		{"abort", BYTES("\0\0\0\1A\0\0\0\4M<>\0"), "nM."},
		{"another client", BYTES("\0\0\0\4Cx\0L\0\0\0\4M<>\0"), "CM."},
		{"another client on the same connection",
			BYTES("\0\0\0\1K\0\0\0\4Cx\0L\0\0\0\4M<>\0"), "nCM."},
	};
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[16];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].label);
		milter_started(&m, &out);
		play(&m, BYTES(connect4), events, &out);
		play(&m, BYTES(login), events, &out);
		assert_true(m.authenticated);
		play(&m, cases[i].then, cases[i].len, events, &out);
		assert_string_equal(events, cases[i].events);
		assert_false(m.authenticated);
	}
}

static void test_milter_connect(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *events, *ip;
	} cases[] = {
		{BYTES("\0\0\0\x14"
		       "Cx\0"
		       "6\0\x19"
		       "IPv6:2001::1\0\0"),
			"C.", "2001::1"},
		{BYTES("\0\0\0\x14"
		       "Cx\0"
		       "6\0\x19"
		       "::ffff:1.2.3.4"),
			"!", NULL},
		{BYTES("\0\0\0\x15"
		       "Cx\0"
		       "6\0\x19"
		       "::ffff:1.2.3.4\0"),
			"C.", "1.2.3.4"},
		{BYTES("\0\0\0\4Cx\0L"), "C.", ""},
		{BYTES("\0\0\0\4Cx\0U"), "C.", ""},
		{BYTES("\0\0\0\3Cx\0"), "!", NULL},
		{BYTES("\0\0\0\x0e"
		       "Cx\0"
		       "4\0\x19"
		       "1.2.3.4x"),
			"!", NULL},
		{BYTES("\0\0\0\x0f"
		       "Cx\0"
		       "4\0\x19"
		       "1.2.3.4x\0"),
			"!", NULL},
	};
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[16];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		milter_started(&m, &out);
		play(&m, cases[i].in, cases[i].len, events, &out);
		print_message("%zu\n", i);
		assert_string_equal(events, cases[i].events);
		if (cases[i].ip && cases[i].ip[0])
			assert_string_equal(ip_text(&m.client).s, cases[i].ip);
		else if (cases[i].ip)
			assert_int_equal(m.client.family, 0);
	}
}

static void test_milter_bad(void **state)
{
	static const struct {
		const char *label, *in;
		size_t len;
		bool started;
	} cases[] = {
		{"no bytes in the packet", BYTES("\0\0\0\0"), false},
		{"a huge packet", BYTES("\x7f\xff\xff\xffO"), false},
		{"command before the options", BYTES("\0\0\0\1E"), false},
		{"short options", BYTES("\0\0\0\5O\0\0\0\6"), false},
		{"version 1", BYTES("\0\0\0\x0dO\0\0\0\1\0\0\0\0\0\0\0\0"), false},
		{"message before the client", BYTES("\0\0\0\4M<>\0"), true},
		{"unknown command", BYTES("\0\0\0\1z"), true},
		{"macro without a value", BYTES("\0\0\0\4DMi\0"), true},
		{"NUL as command", BYTES("\0\0\0\1\0"), true},
	};
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[16];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].label);
		if (cases[i].started)
			milter_started(&m, &out);
		else
			milter_init(&m, "X");
		play(&m, cases[i].in, cases[i].len, events, &out);
		assert_string_equal(events, "!");
	}
}

/* An MTA that waits for every answer gets every answer. */
static void test_milter_answers(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(4096);
	struct milter m;
	char events[32];

	milter_init(&m, NULL);
	play(&m, BYTES("\0\0\0\x0dO\0\0\0\2\0\0\0\0\0\0\0\0"), events, &out);
	buf_reset(&out);
	play(&m, BYTES(connect4), events, &out);
	play(&m, BYTES("\0\0\0\3Hx\0\0\0\0\4M<>\0\0\0\0\1T\0\0\0\5La\0b\0\0\0\0\1N\0\0\0\2Bx"),
		events, &out);
	assert_string_equal(events, "nMnnnn.");
	assert_int_equal(out.len, 7 * 5);
	assert_false(milter_add_header(&m, &out, SLICE("a"), SLICE("b")));
	buf_reset(&out);
	milter_reply(&out, SLICE("550 5.7.1 100% \r\n\x80"));
	assert_int_equal(out.len, 5 + 20);
	assert_memory_equal(out.ptr,
		"\0\0\0\x15"
		"y550 5.7.1 100%% ???",
		25);
}

/* ---- policy ---- */

static void test_policy(void **state)
{
	static const struct {
		const char *label, *in;
		enum policy_status status;
		size_t used;
		const char *address, *login;
	} cases[] = {
		{"whole",
			"request=smtpd_access_policy\nclient_address=192.0.2.1\nsasl_username="
			"joe\n\n",
			POLICY_READY, 72, "192.0.2.1", "joe"},
		{"two at once", "request=smtpd_access_policy\n\nrequest=x\n\n", POLICY_READY, 29,
			"", ""},
		{"the first one stands",
			"request=smtpd_access_policy\nsasl_username=\nsasl_username=joe\n\n",
			POLICY_READY, 62, "", ""},
		{"unknown names", "a=b\nrequest=smtpd_access_policy\nx-y.z==\n\n", POLICY_READY, 41,
			"", ""},
		{"nothing yet", "", POLICY_MORE, 0, NULL, NULL},
		{"half", "request=smtpd_access_policy\n", POLICY_MORE, 0, NULL, NULL},
		{"only an empty line", "\n", POLICY_BAD, 0, NULL, NULL},
		{"no request", "client_address=192.0.2.1\n\n", POLICY_BAD, 0, NULL, NULL},
		{"another request", "request=junk\n\n", POLICY_BAD, 0, NULL, NULL},
		{"no equals sign", "request=smtpd_access_policy\nx\n\n", POLICY_BAD, 0, NULL, NULL},
		{"no name", "request=smtpd_access_policy\n=x\n\n", POLICY_BAD, 0, NULL, NULL},
		{"HTTP", "GET / HTTP/1.1\nHost: x\n\n", POLICY_BAD, 0, NULL, NULL},
	};
	struct policy_request r;
	struct err err;
	size_t used;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].in, strlen(cases[i].in));

		print_message("%s\n", cases[i].label);
		used = 0;
		assert_int_equal(policy_read(in, &r, &used, &err), cases[i].status);
		assert_int_equal(used, cases[i].used);
		if (cases[i].status == POLICY_READY) {
			assert_true(slice_eq(r.client_address, slice_str(cases[i].address)));
			assert_true(slice_eq(r.sasl_username, slice_str(cases[i].login)));
		}
		exact_free(in);
	}
}

static void test_policy_limits(void **state)
{
	_cleanup_buf_ struct buf in = BUF_INIT(100000), out = BUF_INIT(1000);
	struct policy_request r;
	struct err err;
	size_t used;

	buf_add_str(&in, "request=smtpd_access_policy\n");
	while (in.len < POLICY_REQUEST_MAX)
		buf_add_str(&in, "x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	assert_int_equal(policy_read(buf_slice(&in), &r, &used, &err), POLICY_BAD);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_reset(&in);
	buf_add_str(&in, "request=smtpd_access_policy\n");
	for (int i = 0; i < 100; i++)
		buf_add_str(&in, "x=a\n");
	buf_add_str(&in, "\n");
	assert_int_equal(policy_read(buf_slice(&in), &r, &used, &err), POLICY_BAD);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(policy_read(slice_of("a=b\0c\n\n", 7), &r, &used, &err), POLICY_BAD);
	policy_write(&out, SLICE("550 5.7.1 no\r\naction=OK\n\n"));
	assert_string_equal(buf_str(&out), "action=550 5.7.1 no??action=OK??\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_milter_options),
		cmocka_unit_test(test_milter_message),
		cmocka_unit_test(test_milter_login_ends),
		cmocka_unit_test(test_milter_connect),
		cmocka_unit_test(test_milter_bad),
		cmocka_unit_test(test_milter_answers),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_policy_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
