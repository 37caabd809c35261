/* test_catalogue.c - the table of refusals, matching, and what is read from a reply. */
#include "test.h"

#include "base/arena.h"
#include "catalogue/refusal.h"

#define ROW(id, op, list, kind, match)                                                             \
	id "\t" op "\t" list "\t" kind "\t" match                                                  \
	   "\thttps://l.example/?q=%IP%\thttps://d.example/%DOMAIN%\thow\tadvice\tsource\n"

static const char table[] = "# a comment\n\n" ROW("recv", "Op", "Op codes", "receiver",
	"error: open resolver | 127.255.255.254") ROW("ip", "Op", "Op List", "ip",
	"zone=bl.op.example | keyed=dq.op.example | op list words") ROW("dom", "Dom", "Dom List",
	"domain", "zone=dbl.dom.example") ROW("dead", "Old", "Old List", "dead", "zone=old.example")
	ROW("mask1", "One", "One", "vendor", "bl000001 | bl000011")
		ROW("mask2", "Two", "Two", "vendor", "bl000010 | bl000011")
			ROW("prov", "Prov", "Prov", "provider", "5.7.606 | [tss04]")
				ROW("local", "", "own list", "local", "blacklisted by recipient")
					ROW("dns", "", "rdns", "dns", "no reverse dns");

static struct signatures *load(void)
{
	struct err err = {0};
	struct signatures *s = signatures_parse(slice_of(table, sizeof table - 1), &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static void test_bad_tables(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{"empty", "", "no rows"},
		{"only comments", "# x\n", "no rows"},
		{"columns", "# x\na\tb\n", "line 2: a row has 10"},
		{"too many columns", "a\tb\tc\tip\tzone=a.b\t\t\t\t\t\t\n", "line 1: a row has 10"},
		{"kind", "a\tb\tc\tnokind\tzone=a.b\t\t\t\t\t\n", "'nokind'"},
		{"no match", "a\tb\tc\tip\t\t\t\t\t\t\n", "must not be empty"},
		{"zone", "a\tb\tc\tip\tzone=nodot\t\t\t\t\t\n", "'nodot' is not a zone"},
		{"short words", "a\tb\tc\tip\tzone=a.b | xyz\t\t\t\t\t\n", "too short"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].text, strlen(cases[i].text));
		struct err err = {0};

		assert_null(signatures_parse(text, &err));
		if (!strstr(err.text, cases[i].want))
			fail_msg("%s: got '%s'", cases[i].label, err.text);
		exact_free(text);
	}
}

static void ids(const struct signatures *s, const char *reply, struct buf *out)
{
	struct signature_hit hits[SIGNATURES_MAX_HITS];
	struct slice text = exact(reply, strlen(reply));
	size_t n = signatures_match(s, text, hits);

	buf_reset(out);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%.*s ", SLICE_FMT(hits[i].signature->id));
	exact_free(text);
}

static void test_matching(void **state)
{
	static const struct {
		const char *reply, *want;
	} cases[] = {
		{"blocked using bl.op.example", "ip "},
		{"blocked using 4.3.2.1.BL.Op.Example.", "ip "},
		{"blocked using xbl.op.example", ""},
		{"blocked using bl.op.example.com", ""},
		{"http://bl.op.example/x", "ip "},
		{"secret.zen.dq.op.example", "ip "},
		{"OP LIST WORDS", "ip "},
		{"stop list words", ""}, /* not within a word */
		{"5.7.606 denied", "prov "},
		{"15.7.606", ""},
		{"5.7.6061", ""},
		{"[TSS04]", "prov "},
		{"BL000011", "mask1 mask2 "},
		{"", ""},
	};
	struct signatures *s = load();
	struct buf got = BUF_INIT(1000);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ids(s, cases[i].reply, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].reply, buf_str(&got));
	}
	buf_done(&got);
	signatures_free(s);
}

static void test_keys_are_masked(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"using k3y.dq.op.example;", "using ***.dq.op.example;"},
		{"4.3.2.1.K3Y.zen.DQ.op.example", "4.3.2.1.***.***.DQ.op.example"},
		{"http://k3y.dq.op.example/?x", "http://***.dq.op.example/?x"},
		{"dq.op.example and bl.op.example", "dq.op.example and bl.op.example"},
		{"nothing here", "nothing here"},
		{"..k3y.dq.op.example..", "..***.dq.op.example.."},
	};
	struct signatures *s = load();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice in = exact(cases[i].in, strlen(cases[i].in));
		struct buf got = BUF_INIT(1000);

		signatures_mask(s, in, &got);
		assert_string_equal(buf_str(&got), cases[i].want);
		buf_done(&got);
		exact_free(in);
	}
	signatures_free(s);
}

/* "verdict zone address domain url" of each refusal. */
static void test_replies(void **state)
{
	static const struct {
		const char *label, *reply, *want;
	} cases[] = {
		{"Postfix",
			"550 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using "
			"bl.op.example; https://op.example/?ip=192.0.2.7",
			"listed bl.op.example 192.0.2.7 - https://op.example/?ip=192.0.2.7|"},
		{"a list of ours, unknown to the table",
			"550 5.7.1 Client host [2001:db8::7] blocked using trap.sekisho.example; "
			"Seen at a spamtrap. See "
			"https://portal.sekisho.example/listing/2001:db8::7",
			"listed trap.sekisho.example 2001:db8::7 - "
			"https://portal.sekisho.example/listing/2001:db8::7|"},
		{"continuation lines",
			"550-5.7.1 Client [192.0.2.7] blacklisted\n550-5.7.1 by\n550 5.7.1 "
			"recipient",
			"local-list - 192.0.2.7 - -|"},
		{"the other side's address is not ours",
			"<a@b>: host mx.example.org[198.51.100.1] said: 554 blocked using "
			"bl.op.example, 192.0.2.7",
			"listed bl.op.example 192.0.2.7 - -|"},
		{"Exim",
			"host mx.example.org [198.51.100.1]: 550 192.0.2.7 is in a black list at "
			"bl.op.example",
			"listed bl.op.example 192.0.2.7 - -|"},
		{"address with port", "rejected 192.0.2.7:3212 blocked using bl.op.example",
			"listed bl.op.example 192.0.2.7 - -|"},
		{"address in the query", "554 7.2.0.192.bl.op.example",
			"listed bl.op.example 192.0.2.7 - -|"},
		{"keyed", "554 Client host [192.0.2.7] blocked using k3y.dq.op.example",
			"listed dq.op.example 192.0.2.7 - -|"},
		{"domain list",
			"554 5.7.1 Sender address [a@spam.example] blocked using dbl.dom.example",
			"listed dbl.dom.example - spam.example -|"},
		{"dead list", "550 blocked using old.example", "dead-list old.example - - -|"},
		{"receiver's error",
			"550 [192.0.2.7] blocked using bl.op.example; Error: open resolver",
			"receiver-error - 192.0.2.7 - -|"},
		{"two lists of one code", "554 BL000011 192.0.2.7",
			"listed - 192.0.2.7 - -|listed - 192.0.2.7 - -|"},
		{"list before reverse DNS", "550 no reverse dns, blocked using bl.op.example",
			"listed bl.op.example - - -|"},
		{"reverse DNS", "550 no reverse DNS for 192.0.2.7", "dns - 192.0.2.7 - -|"},
		{"answer code is not our address", "550 bl.op.example says 127.0.0.2",
			"listed bl.op.example - - -|"},
		{"user unknown", "550 5.1.1 <a@b.example>: user unknown", ""},
		{"listed in words", "550 your name is listed in our book", ""},
		{"blocked by a person", "550 blocked by postmaster@b.example", ""},
	};
	struct signatures *s = load();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice reply = exact(cases[i].reply, strlen(cases[i].reply));
		struct arena *a = arena_new(MIME_ARENA_SIZE);
		struct buf got = BUF_INIT(10000);
		struct refusals all;

		assert_true(refusals_read(s, reply, a, &all));
		for (size_t k = 0; k < all.count; k++) {
			const struct refusal *r = &all.items[k];

			buf_addf(&got, "%s %.*s %s %s %.*s|", refusal_verdict_name(r->verdict),
				SLICE_FMT(r->zone.len ? r->zone : SLICE("-")),
				r->ip.family ? ip_text(&r->ip).s : "-",
				r->domain.len ? domain_text(&r->domain).s : "-",
				SLICE_FMT(r->url.len ? r->url : SLICE("-")));
			if (memmem(r->reply.ptr, r->reply.len, "k3y", 3))
				fail_msg("%s: the key shows", cases[i].label);
		}
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].label, buf_str(&got));
		buf_done(&got);
		arena_free(a);
		exact_free(reply);
	}
	signatures_free(s);
}

static void test_mail(void **state)
{
	static const char mail[] =
		"From: MAILER-DAEMON@x\nSubject: failed\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\n"
		"<f@b.example>: host mx[198.51.100.1] said: 550 5.7.1 Client host [192.0.2.7] "
		"blocked\n    using bl.op.example\n"
		"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
		"Final-Recipient: rfc822; f@b.example\nDiagnostic-Code: smtp; 550 5.7.1 Client "
		"host [192.0.2.7] blocked\n using bl.op.example\n"
		"--x\nContent-Type: message/rfc822\n\nSubject: blocked using "
		"old.example\n\nblocked using old.example\n--x--\n";
	struct signatures *s = load();
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct refusals all;

	assert_true(refusals_read(s, slice_of(mail, sizeof mail - 1), a, &all));
	assert_true(all.is_mail);
	assert_true(all.is_bounce);
	assert_int_equal(all.count, 1); /* told twice, said once; what came back is not looked at */
	assert_true(slice_eq(all.items[0].recipient, SLICE("f@b.example")));
	assert_true(slice_eq(all.items[0].code, SLICE("550")));
	assert_true(slice_eq(all.items[0].status, SLICE("5.7.1")));
	arena_free(a);
	signatures_free(s);
}

static void test_urls(void **state)
{
	struct refusal r = {.url = SLICE_EMPTY};
	struct buf out = BUF_INIT(1000);

	refusal_url(SLICE("https://l.example/?q=%IP%"), &r, &out);
	assert_int_equal(out.len, 0); /* needs what is not known */
	assert_true(ip_parse(SLICE("192.0.2.7"), &r.ip));
	refusal_url(SLICE("https://l.example/?q=%IP%"), &r, &out);
	assert_string_equal(buf_str(&out), "https://l.example/?q=192.0.2.7");
	buf_done(&out);
}

static void test_linear(void **state)
{
	static const char *const units[] = {"a.b ", "bl.op.example ", "xop list words", "http", "[",
		"550-", "1.2.3.4 ", "k.dq.op.example."};
	struct signatures *s = load();
	struct buf b = BUF_INIT((size_t)1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct arena *a = arena_new(MIME_ARENA_SIZE);
		clock_t start = clock();
		struct refusals all;

		buf_reset(&b);
		while (b.len + strlen(units[i]) <= b.limit)
			buf_add_str(&b, units[i]);
		refusals_read(s, buf_slice(&b), a, &all);
		if ((clock() - start) / CLOCKS_PER_SEC >= 1)
			fail_msg("'%s' repeated takes too long", units[i]);
		arena_free(a);
	}
	buf_done(&b);
	signatures_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_tables),
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_keys_are_masked),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
