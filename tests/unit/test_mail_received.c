/* test_mail_received.c - Received fields of many MTAs, and whom to believe. */
#include "test.h"

#include "mail/received.h"

static void test_forms(void **state)
{
	static const struct {
		const char *label, *value, *ip, *helo, *rdns, *by;
	} cases[] = {
		{"Postfix",
			"from helo.example (rdns.example [192.0.2.1])\n\tby mx.example (Postfix) "
			"with ESMTP id 1\n\tfor <t@x>; date",
			"192.0.2.1", "helo.example", "rdns.example", "mx.example"},
		{"Postfix, no reverse", "from h (unknown [192.0.2.1]) by mx (Postfix); d",
			"192.0.2.1", "h", "", "mx"},
		{"Postfix, literal HELO", "from [198.51.100.9] (r.example [192.0.2.1]) by mx; d",
			"192.0.2.1", "[198.51.100.9]", "r.example", "mx"},
		{"Postfix, TLS",
			"from h (r.example [IPv6:2001:db8::1]) (using TLSv1.3 (256/256 bits)) "
			"(Client CN \"[6.6.6.6]\") by mx; d",
			"2001:db8::1", "h", "r.example", "mx"},
		{"Postfix, no address known",
			"from h (unknown [unknown]) (Client CN \"[6.6.6.6]\") by mx; d", "", "h",
			"", "mx"},
		{"Exim",
			"from r.example ([192.0.2.1] helo=h.example) by mx with esmtp (Exim 4.94); "
			"d",
			"192.0.2.1", "h.example", "r.example", "mx"},
		{"Exim, same name", "from r.example ([192.0.2.1]) by mx with esmtp; d", "192.0.2.1",
			"r.example", "", "mx"},
		{"Exim, no reverse", "from [192.0.2.1] (helo=h.example) by mx with smtp; d",
			"192.0.2.1", "h.example", "", "mx"},
		{"Exim, port", "from [192.0.2.1] (port=1234 helo=[6.6.6.6]) by mx with smtp; d",
			"192.0.2.1", "[6.6.6.6]", "", "mx"},
		{"Exim, claims an address",
			"from r.example ([192.0.2.1] helo=[6.6.6.6] ident=[7.7.7.7]) by mx; d",
			"192.0.2.1", "[6.6.6.6]", "r.example", "mx"},
		{"Exim with port", "from r.example ([192.0.2.1]:25) by mx; d", "192.0.2.1",
			"r.example", "", "mx"},
		{"Sendmail",
			"from h (r.example [192.0.2.1])\n by mx (8.9.3/8.9.3) with ESMTP id Q; d",
			"192.0.2.1", "h", "r.example", "mx"},
		{"Sendmail, forged", "from h (r.example [192.0.2.1] (may be forged)) by mx; d",
			"192.0.2.1", "h", "r.example", "mx"},
		{"Sendmail, ident", "from h (IDENT:[6.6.6.6]@r.example [192.0.2.1]) by mx; d",
			"192.0.2.1", "h", "r.example", "mx"},
		{"qmail", "from unknown (HELO h.example) (192.0.2.1)\n  by mx with SMTP; d",
			"192.0.2.1", "h.example", "", "mx"},
		{"qmail, reverse", "from r.example (HELO h) (192.0.2.1) by mx with SMTP; d",
			"192.0.2.1", "h", "r.example", "mx"},
		{"qmail, ident", "from r.example (6.6.6.6@192.0.2.1) by mx with SMTP; d",
			"192.0.2.1", "r.example", "", "mx"},
		{"qmail, literal HELO", "from r.example (HELO [6.6.6.6]) (192.0.2.1) by mx; d",
			"192.0.2.1", "[6.6.6.6]", "r.example", "mx"},
		{"Exchange",
			"from h.example (192.0.2.1) by mx.example (203.0.113.5) with Microsoft "
			"SMTP Server id 8; d",
			"192.0.2.1", "h.example", "", "mx.example"},
		{"Exchange 2003",
			"from h ([192.0.2.1]) by mx with Microsoft SMTPSVC(5.0.2195.5329); d",
			"192.0.2.1", "h", "", "mx"},
		{"fetchmail",
			"from pop.example [192.0.2.1]\n by localhost with POP3 (fetchmail-5.9.0) "
			"for z@localhost (single-drop); d",
			"192.0.2.1", "pop.example", "pop.example", "localhost"},
		{"web form", "from [192.0.2.1] by web1.example via HTTP; d", "192.0.2.1",
			"[192.0.2.1]", "", "web1.example"},
		{"only a claim", "from 6.6.6.6 by mx with SMTP; d", "", "6.6.6.6", "", "mx"},
		{"reverse name like an address", "from h (6.6.6.6 [192.0.2.1]) by mx; d",
			"192.0.2.1", "h", "", "mx"},
		{"mapped", "from h (r.example [::ffff:192.0.2.1]) by mx; d", "192.0.2.1", "h",
			"r.example", "mx"},
		{"named by", "from by (r.example [192.0.2.1]) by mx; d", "192.0.2.1", "by",
			"r.example", "mx"},
		{"from a program", "by mx (Postfix, from userid 505) id 1; d", "", "", "", "mx"},
		{"open comment", "from h (r.example [192.0.2.1", "", "h", "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice value = exact(cases[i].value, strlen(cases[i].value));
		struct received r;

		assert_true(received_parse(value, &r));
		if (strcmp(r.ip.family ? ip_text(&r.ip).s : "", cases[i].ip) != 0
			|| !slice_eq(r.helo, slice_str(cases[i].helo))
			|| !slice_eq(r.rdns, slice_str(cases[i].rdns))
			|| !slice_eq(r.by, slice_str(cases[i].by)))
			fail_msg("%s: got ip=%s helo=%.*s rdns=%.*s by=%.*s", cases[i].label,
				r.ip.family ? ip_text(&r.ip).s : "none", SLICE_FMT(r.helo),
				SLICE_FMT(r.rdns), SLICE_FMT(r.by));
		exact_free(value);
	}
}

static void test_for(void **state)
{
	struct received r;

	assert_true(received_parse(SLICE("from a (b [192.0.2.1]) by c for <t@x.example>; d"), &r));
	assert_true(slice_eq(r.for_address, SLICE("t@x.example")));
	assert_true(received_parse(SLICE("(qmail 12 invoked from network); d"), &r));
	assert_false(r.has_from);
	assert_false(received_parse(SLICE("what is this"), &r));
	assert_false(received_parse(SLICE(""), &r));
}

#define OURS                                                                                       \
	"Received: from in.ours.example (in.ours.example [10.0.0.2]) by mx.ours.example "          \
	"(Postfix); d\n"
#define STRANGER "Received: from h (spam.example [203.0.113.66]) by in.ours.example (Postfix); d\n"
#define FORGED                                                                                     \
	"Received: from bank.example (bank.example [198.51.100.1]) by mx.ours.example (Postfix); " \
	"d\n"

#define LOCAL "Received: from localhost (localhost [127.0.0.1]) by mx.ours.example (Postfix); d\n"
#define LOCAL6 "Received: from localhost (localhost [IPv6:::1]) by mx.ours.example (Postfix); d\n"

static void test_sender(void **state)
{
	struct prefix relays[] = {{ip4_of(0x0a000000), 8}, {ip4_of(0x7f000000), 8}};
	struct slice name = SLICE("ours.example");
	static const struct {
		const char *label, *peer, *head, *want; /* NULL: nobody */
		enum { PLAIN, NAMES, FILTER } with;	/* names are checked; loopback is a relay */
	} cases[] = {
		{"the peer itself", "203.0.113.5", FORGED, "203.0.113.5", PLAIN},
		{"peer, mapped", "::ffff:203.0.113.5", FORGED, "203.0.113.5", PLAIN},
		{"one relay", "10.0.0.1", STRANGER FORGED, "203.0.113.66", PLAIN},
		{"two relays", "10.0.0.1", OURS STRANGER FORGED, "203.0.113.66", NAMES},
		{"relay, other headers between", "10.0.0.1", "Subject: x\n" STRANGER,
			"203.0.113.66", PLAIN},
		{"only our own", "10.0.0.1", OURS, NULL, PLAIN},
		{"no header", "10.0.0.1", "Subject: x\n", NULL, PLAIN},
		{"unreadable is the end", "10.0.0.1", "Received: junk\n" FORGED, NULL, PLAIN},
		{"no address is the end", "10.0.0.1",
			"Received: from h (unknown [unknown]) by mx.ours.example; d\n" FORGED, NULL,
			PLAIN},
		{"a program is the end", "10.0.0.1",
			"Received: by mx.ours.example (Postfix, from userid 33); d\n" FORGED, NULL,
			PLAIN},
		{"qmail's first line", "10.0.0.1",
			"Received: (qmail 1 invoked from network); d\n" STRANGER, "203.0.113.66",
			PLAIN},
		{"a peer on loopback is ours", "127.0.0.1", STRANGER, "203.0.113.66", PLAIN},
		{"a program on the relay, by SMTP", "127.0.0.1", LOCAL FORGED, NULL, PLAIN},
		{"the same by IPv6", "10.0.0.1", LOCAL6 FORGED, NULL, PLAIN},
		{"a filter on loopback, named a relay", "10.0.0.1", LOCAL STRANGER FORGED,
			"203.0.113.66", FILTER},
		{"not written by our name", "10.0.0.1",
			"Received: from h (x [203.0.113.9]) by evil.example; d\n", NULL, NAMES},
		{"name as suffix only at a dot", "10.0.0.1",
			"Received: from h (x [203.0.113.9]) by xours.example; d\n", NULL, NAMES},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct received_trust trust = {relays, cases[i].with == FILTER ? 2 : 1, &name,
			cases[i].with == NAMES ? 1 : 0};
		struct received_sender s;
		struct ip peer;
		bool ok;

		assert_true(ip_parse(slice_str(cases[i].peer), &peer));
		ok = received_sender(slice_str(cases[i].head), &peer, &trust, &s);
		if (ok != (cases[i].want != NULL)
			|| (ok && strcmp(ip_text(&s.ip).s, cases[i].want) != 0))
			fail_msg("%s: got %s", cases[i].label, ok ? ip_text(&s.ip).s : "nobody");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_for),
		cmocka_unit_test(test_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
