/* test_smtp.c - paths, content, the PROXY header by case tables; whole sessions by the scenarios in
 * tests/scenarios/smtp (see the README there). */
#include "test.h"

#include "smtp/data.h"
#include "smtp/proxy.h"
#include "smtp/session.h"

#include <dirent.h>
#include <stdio.h>

static void paths(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		const char *address, *local, *domain, *rest;
	} cases[] = {
		{"<a@b.example>", true, "a@b.example", "a", "b.example", ""},
		{" <a@b.example> SIZE=1", true, "a@b.example", "a", "b.example", " SIZE=1"},
		{"<>", true, "", "", "", ""},
		{"a@b.example SIZE=1", true, "a@b.example", "a", "b.example", " SIZE=1"},
		{"<@x.example,@y.example:a@b.example>", true, "a@b.example", "a", "b.example", ""},
		{"<\"a b>@\"@b.example>", true, "\"a b>@\"@b.example", "\"a b>@\"", "b.example",
			""},
		{"<a@c@b.example>", true, "a@c@b.example", "a@c", "b.example", ""},
		{"<a@[192.0.2.1]>", true, "a@[192.0.2.1]", "a", "[192.0.2.1]", ""},
		{"<postmaster>", true, "postmaster", "postmaster", "", ""},
		{"< a@b.example >", true, "a@b.example", "a", "b.example", ""},
		{"", false, 0, 0, 0, 0},
		{"<a@b.example", false, 0, 0, 0, 0},
		{"<a@b.example>x", false, 0, 0, 0, 0},
		{"<a b@b.example>", false, 0, 0, 0, 0},
		{"<a@>", false, 0, 0, 0, 0},
		{"<@b.example>", false, 0, 0, 0, 0},
		{"<a<b@c.example>", false, 0, 0, 0, 0},
		{"<\"a@b.example>", false, 0, 0, 0, 0},
		{"<a\x01@b.example>", false, 0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].in, strlen(cases[i].in)), rest = in;
		struct smtp_path p;

		if (smtp_path_cut(&rest, &p) != cases[i].ok)
			fail_msg("path %s", cases[i].in);
		if (cases[i].ok
			&& !(slice_eq(p.address, slice_str(cases[i].address))
				&& slice_eq(p.local, slice_str(cases[i].local))
				&& slice_eq(p.domain, slice_str(cases[i].domain))
				&& slice_eq(rest, slice_str(cases[i].rest))))
			fail_msg("path %s gave %.*s", cases[i].in, SLICE_FMT(p.address));
		exact_free(in);
	}
	assert_true(smtp_is_utf8(SLICE("\xe9\x96\xa2\xe6\x89\x80\xf0\x9f\x8d\xa3")));
	assert_false(smtp_is_utf8(SLICE("\xe9\x96")));
	assert_false(smtp_is_utf8(SLICE("\xc0\x80")));
	assert_false(smtp_is_utf8(SLICE("\xed\xa0\x80")));
	assert_false(smtp_is_utf8(SLICE("\xf4\x90\x80\x80")));
}

/* Every way to cut the bytes in two gives the same content and the same end. */
static void contents(void **state)
{
	static const struct {
		struct slice in;
		bool end, bare_lf;
		struct slice content, rest;
	} cases[] = {
		{SLICE("a\r\n.\r\nQUIT\r\n"), true, false, SLICE("a\r\n"), SLICE("QUIT\r\n")},
		{SLICE(".\r\n"), true, false, SLICE(""), SLICE("")},
		{SLICE("..\r\n.x\r\n...\r\n.\r\n"), true, false, SLICE(".\r\nx\r\n..\r\n"),
			SLICE("")},
		{SLICE("a\n.\nb\r\n.\r\n"), true, true, SLICE("a\n.\nb\r\n"), SLICE("")},
		{SLICE("a\n.\r\nb\r\n.\r\n"), true, true, SLICE("a\n.\r\nb\r\n"), SLICE("")},
		{SLICE("a\r\n.\nb\r\n.\r\n"), true, true, SLICE("a\r\n\nb\r\n"), SLICE("")},
		{SLICE("a\r.\rb\r\n.\r\n"), true, false, SLICE("a\r.\rb\r\n"), SLICE("")},
		{SLICE("a\r\n.\rb\r\n.\r\n"), true, false, SLICE("a\r\n\rb\r\n"), SLICE("")},
		{SLICE("a\r\n.\r\r\n.\r\n"), true, false, SLICE("a\r\n\r\r\n"), SLICE("")},
		{SLICE("a\r\r\n.\r\n"), true, false, SLICE("a\r\r\n"), SLICE("")},
		{SLICE("a\0b\r\n.\r\n"), true, false, SLICE("a\0b\r\n"), SLICE("")},
		{SLICE("a\n.\n"), false, true, SLICE("a\n.\n"), SLICE("")},
		{SLICE("a\r\n."), false, false, SLICE("a\r\n"), SLICE("")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut <= cases[i].in.len; cut++) {
			struct slice in = exact(cases[i].in.ptr, cases[i].in.len);
			struct smtp_data d = {0};
			bool end;
			size_t n;

			smtp_data_start(&d, 100);
			n = smtp_data_feed(&d, slice_take(in, cut), &end);
			if (!end)
				n += smtp_data_feed(&d, slice_skip(in, cut), &end);
			if (end != cases[i].end || d.bare_lf != cases[i].bare_lf
				|| !slice_eq(buf_slice(&d.content), cases[i].content)
				|| !slice_eq(slice_skip(in, n), cases[i].rest))
				fail_msg("content %zu cut at %zu: %s", i, cut, buf_str(&d.content));
			smtp_data_done(&d);
			exact_free(in);
		}
}

static void content_over_the_limit_is_dropped_but_its_end_is_found(void **state)
{
	struct smtp_data d = {0};
	bool end;

	(void)state;
	smtp_data_start(&d, 4);
	assert_int_equal(smtp_data_feed(&d, SLICE("abcdef\r\n.\r\nQ"), &end), 11);
	assert_true(end && d.over && d.content.len == 0);
	smtp_data_done(&d);
}

#define SIG "\r\n\r\n\0\r\nQUIT\n"

static void proxies(void **state)
{
	static const struct {
		struct slice in;
		enum proxy_result result;
		const char *source;
		unsigned port;
		bool local;
	} cases[] = {
		{SLICE(SIG "\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0\x19"), PROXY_DONE,
			"192.0.2.1", 0x1234, false},
		{SLICE(SIG "\x21\x11\0\x0f\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0\x19\x04\0\0"),
			PROXY_DONE, "192.0.2.1", 0x1234, false},
		{SLICE(SIG "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d"
			   "\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\0\x19"),
			PROXY_DONE, "2001:db8::1", 0x1234, false},
		{SLICE(SIG "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01\0\0\0\0\0\0\0"
			   "\0\0\0\xff\xff\xc0\0\x02\x02\0\x01\0\x19"),
			PROXY_DONE, "192.0.2.1", 1, false},
		{SLICE(SIG "\x20\0\0\0"), PROXY_DONE, NULL, 0, true},
		{SLICE(SIG "\x20\x11\0\x02zz"), PROXY_DONE, NULL, 0, true},
		{SLICE(SIG "\x21\0\0\0"), PROXY_DONE, NULL, 0, true},
		{SLICE(SIG "\x21\x11\0\x0b\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0"), PROXY_BAD, NULL,
			0, false},
		{SLICE(SIG "\x21\x12\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0\x19"), PROXY_BAD,
			NULL, 0, false},
		{SLICE(SIG "\x22\x11\0\0"), PROXY_BAD, NULL, 0, false},
		{SLICE(SIG "\x11\x11\0\0"), PROXY_BAD, NULL, 0, false},
		{SLICE(SIG "\x21\x11\x10\0"), PROXY_BAD, NULL, 0, false},
		{SLICE(SIG "\x21\x11\0\x0c"), PROXY_MORE, NULL, 0, false},
		{SLICE(SIG), PROXY_MORE, NULL, 0, false},
		{SLICE("\r\n\r"), PROXY_MORE, NULL, 0, false},
		{SLICE(""), PROXY_MORE, NULL, 0, false},
		{SLICE("EHLO x"), PROXY_BAD, NULL, 0, false},
		{SLICE("PROXY TCP4 "), PROXY_BAD, NULL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].in.ptr, cases[i].in.len);
		struct proxy_header h;
		struct err err = {0};

		if (proxy_parse(in, &h, &err) != cases[i].result)
			fail_msg("proxy %zu: %s", i, err.text);
		if (cases[i].result == PROXY_BAD)
			assert_true(err.text[0] != '\0');
		if (cases[i].result == PROXY_DONE) {
			assert_int_equal(h.local, cases[i].local);
			assert_int_equal(h.size, in.len);
			if (cases[i].source)
				assert_string_equal(ip_text(&h.source).s, cases[i].source);
			assert_int_equal(h.source_port, cases[i].port);
		}
		exact_free(in);
	}
}

/* ---- scenarios ---- */
struct play {
	const char *file;
	unsigned line;
	struct smtp_settings settings;
	struct smtp_session *s;
	int64_t now_ms;
	struct buf out;
	bool waiting_mail;
	struct smtp_mail mail; /* of the last MAIL event */
};

static enum smtp_rcpt scenario_recipient(void *ctx, const struct smtp_path *to)
{
	(void)ctx;
	if (slice_eq_nocase(to->local, SLICE("nobody")))
		return SMTP_RCPT_UNKNOWN;
	return slice_eq_nocase(to->domain, SLICE("trap.example")) ? SMTP_RCPT_OK
								  : SMTP_RCPT_RELAYING;
}

static struct smtp_session *session(struct play *p)
{
	if (!p->s)
		p->s = smtp_session_new(&p->settings, p->now_ms);
	return p->s;
}

static void play_fail(struct play *p, const char *what, struct slice got)
{
	fail_msg("%s:%u: %s; there is: \"%.*s\"", p->file, p->line, what, SLICE_FMT(got));
}

/* \r \n \t \0 \\ \xHH and \*N(text): text N times. */
static void unescape(struct slice in, struct buf *out)
{
	while (in.len) {
		char c = in.ptr[0];

		in = slice_skip(in, 1);
		if (c != '\\' || !in.len) {
			buf_add_char(out, c);
			continue;
		}
		c = in.ptr[0];
		in = slice_skip(in, 1);
		if (c == 'x') {
			char hex[3] = {0};

			memcpy(hex, in.ptr, MIN(in.len, 2));
			buf_add_char(out, (char)strtoul(hex, NULL, 16));
			in = slice_skip(in, 2);
		} else if (c == '*') {
			size_t open = slice_find(in, '('), close = slice_find(in, ')');
			struct slice body = slice_take(slice_skip(in, open + 1), close - open - 1);
			uint64_t n = 0;

			assert_true(slice_u64(slice_take(in, open), 1000000, &n));
			in = slice_skip(in, close + 1);
			while (n--)
				unescape(body, out);
		} else {
			buf_add_char(out, c == 'r'   ? '\r'
					  : c == 'n' ? '\n'
					  : c == 't' ? '\t'
					  : c == '0' ? '\0'
						     : c);
		}
	}
}

static bool matches(struct slice got, struct slice want)
{
	if (want.len && want.ptr[want.len - 1] == '*')
		return slice_starts(got, slice_take(want, want.len - 1));
	return slice_eq(got, want);
}

static void play_client(struct play *p, struct slice bytes, bool crlf)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(8 << 20);
	struct slice copy;

	if (p->out.len)
		play_fail(p, "said without being expected", buf_slice(&p->out));
	unescape(bytes, &raw);
	if (crlf)
		buf_add_str(&raw, "\r\n");
	copy = exact(raw.ptr, raw.len);
	smtp_session_feed(session(p), copy, p->now_ms, &p->out);
	exact_free(copy);
}

static void play_server(struct play *p, struct slice want)
{
	struct slice all = buf_slice(&p->out), rest = all, line;

	if (!slice_cut_line(&rest, &line) || !matches(line, want))
		play_fail(p, "not the reply expected", all);
	if (line.ptr[line.len] != '\r')
		play_fail(p, "the reply does not end in CR LF", all);
	buf_consume(&p->out, all.len - rest.len);
}

static void play_event(struct play *p, struct slice want)
{
	static const char *const names[] = {"none", "mail", "starttls", "close"};
	struct smtp_event e;
	char got[64];

	smtp_session_next_event(session(p), &e);
	snprintf(got, sizeof got, "%s%s%s", names[e.kind], e.why ? " " : "", e.why ? e.why : "");
	if (!slice_eq(want, slice_str(got)))
		play_fail(p, "not the event expected", slice_str(got));
	if (e.kind == SMTP_EVENT_MAIL)
		p->mail = *e.mail;
}

static void play_check(struct play *p, struct slice what, struct slice want)
{
	_cleanup_buf_ struct buf got = BUF_INIT(8 << 20), raw = BUF_INIT(8 << 20);
	const struct smtp_mail *m = &p->mail;

	unescape(want, &raw);
	if (slice_eq(what, SLICE("helo")))
		buf_add_slice(&got, m->helo);
	else if (slice_eq(what, SLICE("from")))
		buf_add_slice(&got, m->mail_from);
	else if (slice_eq(what, SLICE("to")))
		for (size_t i = 0; i < m->recipient_count; i++)
			buf_addf(&got, "%s%.*s", i ? " " : "", SLICE_FMT(m->recipients[i].address));
	else if (slice_eq(what, SLICE("content")))
		buf_add_slice(&got, m->content);
	else if (slice_eq(what, SLICE("flags")))
		buf_addf(&got, "%s%s%s%s%s", m->esmtp ? "esmtp " : "", m->tls ? "tls " : "",
			m->utf8 ? "utf8 " : "", m->early_talker ? "early " : "",
			m->bare_lf ? "bare-lf " : "");
	else
		play_fail(p, "unknown check", what);
	if (!slice_eq(slice_trim(buf_slice(&got)), slice_trim(buf_slice(&raw))))
		play_fail(p, "not what was expected of the mail", buf_slice(&got));
}

static void play_set(struct play *p, struct slice name, struct slice value)
{
	uint64_t v;

	assert_true(slice_u64(slice_trim(value), 1u << 30, &v));
	if (slice_eq(name, SLICE("max-size")))
		p->settings.max_size = v;
	else if (slice_eq(name, SLICE("max-recipients")))
		p->settings.max_recipients = (unsigned)v;
	else if (slice_eq(name, SLICE("max-errors")))
		p->settings.max_errors = (unsigned)v;
	else if (slice_eq(name, SLICE("max-junk")))
		p->settings.max_junk = (unsigned)v;
	else if (slice_eq(name, SLICE("max-mails")))
		p->settings.max_mails = (unsigned)v;
	else if (slice_eq(name, SLICE("lmtp")))
		p->settings.lmtp = v;
	else if (slice_eq(name, SLICE("starttls")))
		p->settings.starttls = v;
	else
		play_fail(p, "unknown setting", name);
}

static void play_line(struct play *p, struct slice line)
{
	struct slice word, rest = line;
	uint64_t ms;

	if (!line.len || line.ptr[0] == '#' || !slice_cut_word(&rest, &word))
		return;
	rest = slice_skip(rest, rest.len ? 1 : 0);
	if (slice_eq(word, SLICE("C:"))) {
		play_client(p, rest, true);
	} else if (slice_eq(word, SLICE("raw:"))) {
		play_client(p, rest, false);
	} else if (slice_eq(word, SLICE("S:"))) {
		play_server(p, rest);
	} else if (slice_eq(word, SLICE("event"))) {
		play_event(p, rest);
	} else if (slice_eq(word, SLICE("tick"))) {
		assert_true(slice_u64(rest, 1u << 30, &ms));
		session(p); /* begins before the time passes */
		p->now_ms += (int64_t)ms;
		smtp_session_tick(session(p), p->now_ms, &p->out);
	} else if (slice_eq(word, SLICE("answer"))) {
		smtp_session_drop_content(session(p));
		smtp_session_answer(session(p),
			slice_eq(rest, SLICE("ok")) ? SMTP_ACCEPTED : SMTP_TEMPFAIL, SLICE("4242"),
			p->now_ms, &p->out);
	} else if (slice_eq(word, SLICE("tls"))) {
		smtp_session_tls(session(p), p->now_ms);
	} else if (slice_eq(word, SLICE("shutdown"))) {
		smtp_session_end(session(p), "4.3.2", "going down", "shutdown", &p->out);
	} else if (slice_eq(word, SLICE("check")) && slice_cut_word(&rest, &word)) {
		play_check(p, word, rest);
	} else if (slice_eq(word, SLICE("set")) && slice_cut_word(&rest, &word)) {
		play_set(p, word, rest);
	} else {
		play_fail(p, "unknown step", word);
	}
}

static void play_file(const char *path)
{
	struct play p = {.file = path, .out = BUF_INIT(1 << 20)};
	struct smtp_event e;
	char line[8192];
	FILE *f = fopen(path, "r");

	p.settings = (struct smtp_settings){.host_name = "mx.example",
		.starttls = true,
		.max_size = 10000,
		.max_recipients = 5,
		.max_errors = 5,
		.max_junk = 5,
		.max_mails = 3,
		.greet_delay_ms = 100,
		.command_ms = 30000,
		.data_ms = 120000,
		.recipient = scenario_recipient};
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		size_t len = strcspn(line, "\n");

		p.line++;
		play_line(&p, slice_of(line, len));
	}
	fclose(f);
	if (p.out.len)
		play_fail(&p, "said at the end without being expected", buf_slice(&p.out));
	if (p.s && smtp_session_next_event(p.s, &e))
		play_fail(&p, "an event at the end that was not expected", SLICE_EMPTY);
	smtp_session_free(p.s);
	buf_done(&p.out);
}

static void scenarios(void **state)
{
	const char *folder = TEST_SOURCE_ROOT "/tests/scenarios/smtp";
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[4096];
	unsigned played = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (!slice_ends_nocase(slice_str(entry->d_name), SLICE(".txt")))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		play_file(path);
		played++;
	}
	closedir(d);
	assert_true(played >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(contents),
		cmocka_unit_test(content_over_the_limit_is_dropped_but_its_end_is_found),
		cmocka_unit_test(proxies),
		cmocka_unit_test(scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
