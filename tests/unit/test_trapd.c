/* test_trapd.c - what a mail in the trap turns into; the ring of unacknowledged mails; counting clients. */
#include "test.h"

#include "trapd/observe.h"
#include "trapd/peers.h"
#include "trapd/retry.h"

#include <stdio.h>

static const uint8_t key[16] = "sixteen bytes..";

struct world {
	struct config_trapd config;
	struct prefix relay;
	char *domains[1];
	struct observer o;
};

static void world_open(struct world *w, const char *relay, const char *domain)
{
	*w = (struct world){.config = {.host_name = "mx.trap-host.example", .sensor = "one"}};
	if (relay) {
		assert_true(prefix_parse(slice_str(relay), &w->relay, NULL));
		w->config.relays = (struct prefixes){&w->relay, 1};
	}
	if (domain) {
		w->domains[0] = (char *)domain;
		w->config.domains = (struct strings){w->domains, 1};
	}
	assert_true(observer_init(&w->o, &w->config, key, psl_builtin(), NULL));
}

static struct smtp_path path_of(const char *text)
{
	struct slice rest = slice_str(text);
	struct smtp_path p;

	assert_true(smtp_path_cut(&rest, &p));
	return p;
}

struct seen {
	struct observation ob;
	struct smtp_path to[40];
	size_t count;
};

static void observe(
	struct world *w, struct seen *s, const char *peer, const char *from, const char *content)
{
	struct smtp_mail m = {.helo = SLICE("spammer.example"),
		.recipients = s->to,
		.recipient_count = s->count,
		.mail_from = slice_str(from),
		.content = slice_str(content)};
	struct ip ip = {0};

	m.mail_from_domain = slice_skip(m.mail_from, slice_find(m.mail_from, '@') + 1);
	if (peer)
		assert_true(ip_parse(slice_str(peer), &ip));
	observe_mail(&w->o, &m, &ip, 4711, "u1", 1000, &s->ob);
}

static const char *text(const struct seen *s, size_t i, const char *field)
{
	const char *t = json_string_value(json_object_get(s->ob.evidence[i], field));

	return t ? t : "";
}

static const char spam[] = "Received: from liar.example ([8.8.8.8]) by nowhere.example; now\r\n"
			   "Subject: =?utf-8?q?Buy_now?= bait@trap.example\r\n"
			   "Content-Type: text/html\r\n\r\n"
			   "<a href=\"http://www.pills.co.uk/?u=bait@trap.example\">x</a>"
			   "<a href=\"http://trap.example/\">y</a> bait@trap.example\r\n";

static void a_spam_from_a_stranger(void **state)
{
	struct seen s = {.to = {path_of("<Bait@trap.example>")}, .count = 1};
	struct world w;
	json_t *domains;
	char *all;

	(void)state;
	world_open(&w, NULL, "trap.example");
	observe(&w, &s, "9.9.9.9", "x@sender.example", spam);
	assert_int_equal(s.ob.count, 1);
	assert_string_equal(text(&s, 0, "type"), "evidence");
	assert_string_equal(text(&s, 0, "kind"), "trap-hit");
	assert_string_equal(text(&s, 0, "class"), "spam");
	assert_string_equal(text(&s, 0, "ip"), "9.9.9.9"); /* not what the spammer wrote below */
	assert_int_equal(json_integer_value(json_object_get(s.ob.evidence[0], "port")), 4711);
	assert_string_equal(text(&s, 0, "uid"), "u1");
	assert_string_equal(text(&s, 0, "sensor"), "one");
	assert_string_equal(text(&s, 0, "helo"), "spammer.example");
	assert_string_equal(text(&s, 0, "mail_from_domain"), "sender.example");
	assert_int_equal(strlen(text(&s, 0, "trap")), 16);
	assert_int_equal(strlen(text(&s, 0, "body_hash")), 32);
	domains = json_object_get(s.ob.evidence[0], "domains");
	assert_int_equal(json_array_size(domains), 1); /* never the trap's own */
	assert_string_equal(json_string_value(json_array_get(domains, 0)), "pills.co.uk");
	assert_non_null(strstr(text(&s, 0, "subject_line"), "Buy now"));
	all = json_dumps(s.ob.evidence[0], 0);
	assert_null(strcasestr(all, "bait"));
	assert_null(strcasestr(all, "trap.example"));
	free(all);
	observation_done(&s.ob);
	observer_done(&w.o);
}

static void who_the_sender_is(void **state)
{
	static const struct {
		const char *peer, *received, *ip;
		bool port;
	} cases[] = {
		{"9.9.9.9", "", "9.9.9.9", true},
		{"2001:4860::1", "", "2001:4860::1", true},
		/* behind our relay: what it wrote on top, and nothing below the first stranger */
		{"192.0.2.25", "Received: from a ([9.9.9.9]) by relay\r\n", "9.9.9.9", false},
		{"192.0.2.25",
			"Received: from a ([192.0.2.26]) by relay\r\nReceived: from b ([9.9.9.9]) "
			"by relay2\r\n",
			"9.9.9.9", false},
		{"192.0.2.25",
			"Received: from a ([9.9.9.9]) by relay\r\nReceived: from b ([8.8.8.8]) by "
			"relay2\r\n",
			"9.9.9.9", false},
		{NULL, "Received: from a ([9.9.9.9]) by here\r\n", "9.9.9.9", false},
		{"127.0.0.1", "Received: from a ([9.9.9.9]) by here\r\n", "9.9.9.9", false},
		/* nobody who may be listed */
		{"192.0.2.25", "", "", false},
		{"192.0.2.25", "Received: by relay with nonsense\r\n", "", false},
		{"192.0.2.25", "Received: from a ([10.1.2.3]) by relay\r\n", "", false},
		{"127.0.0.1", "", "", false},
		{"10.0.0.1", "", "", false},
		{NULL, "", "", false},
		/* a stranger's Received does not count */
		{"9.9.9.9", "Received: from a ([8.8.8.8]) by relay\r\n", "9.9.9.9", true},
	};
	struct world w;

	(void)state;
	world_open(&w, "192.0.2.0/24", NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen s = {.to = {path_of("<a@b.example>")}, .count = 1};
		char content[600];

		snprintf(content, sizeof content, "%sSubject: x\r\n\r\nx\r\n", cases[i].received);
		observe(&w, &s, cases[i].peer, "x@sender.example", content);
		if (strcmp(text(&s, 0, "ip"), cases[i].ip) != 0)
			fail_msg("sender %zu: %s, not %s", i, text(&s, 0, "ip"), cases[i].ip);
		assert_int_equal(json_object_get(s.ob.evidence[0], "port") != NULL, cases[i].port);
		observation_done(&s.ob);
	}
	observer_done(&w.o);
}

static void each_trap_is_one_hit(void **state)
{
	struct seen s = {.to = {path_of("<a@trap.example>"), path_of("<B@trap.example>"),
				 path_of("<A@TRAP.example>"), path_of("<c@trap.example>")},
		.count = 4};
	struct world w;

	(void)state;
	world_open(&w, NULL, NULL);
	observe(&w, &s, "9.9.9.9", "x@sender.example", spam);
	assert_int_equal(s.ob.count, 3);
	assert_string_equal(text(&s, 0, "uid"), "u1");
	assert_string_equal(text(&s, 1, "uid"), "u1-2");
	assert_string_equal(text(&s, 2, "uid"), "u1-3");
	assert_string_not_equal(text(&s, 0, "trap"), text(&s, 1, "trap"));
	assert_string_equal(text(&s, 0, "body_hash"), text(&s, 2, "body_hash"));
	observation_done(&s.ob);
	for (s.count = 0; s.count < 40; s.count++) {
		static char addresses[40][32];

		snprintf(addresses[s.count], sizeof addresses[0], "<t%zu@trap.example>", s.count);
		s.to[s.count] = path_of(addresses[s.count]);
	}
	observe(&w, &s, "9.9.9.9", "x@sender.example", spam);
	assert_int_equal(s.ob.count, OBSERVE_MAX_TRAPS);
	observation_done(&s.ob);
	observer_done(&w.o);
}

static void what_is_no_spam_keeps_its_class(void **state)
{
	struct seen s = {.to = {path_of("<a@trap.example>")}, .count = 1};
	struct world w;

	(void)state;
	world_open(&w, NULL, NULL);
	observe(&w, &s, "9.9.9.9", "", "From: MAILER-DAEMON@mx.example\r\n\r\nno such user\r\n");
	assert_string_equal(text(&s, 0, "class"), "backscatter");
	observation_done(&s.ob);
	observe(&w, &s, "9.9.9.9", "x@y.example", "Auto-Submitted: auto-replied\r\n\r\naway\r\n");
	assert_string_equal(text(&s, 0, "class"), "auto-reply");
	observation_done(&s.ob);
	/* a mail of no bytes, and one of noise, are mails too */
	observe(&w, &s, "9.9.9.9", "x@y.example", "");
	assert_int_equal(s.ob.count, 1);
	observation_done(&s.ob);
	observe(&w, &s, "9.9.9.9", "\xff@\xfe", "\xff\xfe: \x01\r\n\r\n\x80\x81");
	assert_int_equal(s.ob.count, 1);
	observation_done(&s.ob);
	observer_done(&w.o);
}

static void the_trap_does_not_tell_itself(void **state)
{
	static const char *const tells[] = {"trap.example", "TRAP.EXAMPLE", "mx.trap-host.example",
		"host.trap.example", "example", "trap-host.example"};
	struct world w;

	(void)state;
	world_open(&w, NULL, "trap.example");
	for (size_t i = 0; i < ARRAY_LEN(tells); i++) {
		struct seen s = {.to = {path_of("<a@trap.example>")}, .count = 1};
		struct smtp_mail m = {.helo = slice_str(tells[i]),
			.recipients = s.to,
			.recipient_count = 1,
			.mail_from = SLICE("x@trap.example"),
			.mail_from_domain = slice_str(tells[i]),
			.content = SLICE("Subject: a\n\nb")};
		struct ip ip = ip4_of(0x09090909);

		observe_mail(&w.o, &m, &ip, 1, "u", 1, &s.ob);
		assert_string_equal(text(&s, 0, "helo"), "");
		assert_string_equal(text(&s, 0, "mail_from_domain"), "");
		observation_done(&s.ob);
	}
	observer_done(&w.o);
}

static void recipients(void **state)
{
	static const struct {
		const char *to;
		enum smtp_rcpt with_domains, without;
	} cases[] = {
		{"<a@trap.example>", SMTP_RCPT_OK, SMTP_RCPT_OK},
		{"<a@TRAP.example>", SMTP_RCPT_OK, SMTP_RCPT_OK},
		{"<a@sub.trap.example>", SMTP_RCPT_RELAYING, SMTP_RCPT_OK},
		{"<a@other.example>", SMTP_RCPT_RELAYING, SMTP_RCPT_OK},
		{"<a%trap.example@other.example>", SMTP_RCPT_RELAYING, SMTP_RCPT_OK},
		{"<a@[192.0.2.1]>", SMTP_RCPT_RELAYING, SMTP_RCPT_OK},
		{"<a>", SMTP_RCPT_UNKNOWN, SMTP_RCPT_OK},
		{"<postmaster>", SMTP_RCPT_UNKNOWN, SMTP_RCPT_UNKNOWN},
		{"<Postmaster@trap.example>", SMTP_RCPT_UNKNOWN, SMTP_RCPT_UNKNOWN},
		{"<abuse@trap.example>", SMTP_RCPT_UNKNOWN, SMTP_RCPT_UNKNOWN},
	};
	struct world with, without;

	(void)state;
	world_open(&with, NULL, "trap.example");
	world_open(&without, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smtp_path p = path_of(cases[i].to);

		if (observer_recipient(&with.o, &p) != cases[i].with_domains
			|| observer_recipient(&without.o, &p) != cases[i].without)
			fail_msg("recipient %s", cases[i].to);
	}
	observer_done(&with.o);
	observer_done(&without.o);
}

static void retries(void **state)
{
	struct retry_ring *r = mem_new(1, sizeof *r);
	struct smtp_path to[] = {path_of("<a@b.example>"), path_of("<c@d.example>")};
	struct smtp_path turned[] = {to[1], to[0]};
	struct smtp_mail m = {.mail_from = SLICE("x@y.example"),
		.recipients = to,
		.recipient_count = 2,
		.content = SLICE("body")};
	struct ip ip = ip4_of(0x09090909), other = ip4_of(0x09090908);
	uint64_t print = retry_fingerprint(key, &ip, &m);
	char uid[UID_SIZE];

	(void)state;
	assert_true(print != retry_fingerprint(key, &other, &m));
	m.recipients = turned;
	assert_true(print == retry_fingerprint(key, &ip, &m));
	m.recipient_count = 1;
	assert_true(print != retry_fingerprint(key, &ip, &m));
	assert_false(retry_recall(r, print, 0, uid));
	retry_remember(r, print, "abc", 0);
	assert_true(retry_recall(r, print, 1000, uid));
	assert_string_equal(uid, "abc");
	assert_false(retry_recall(r, print, 1000, uid)); /* once */
	retry_remember(r, print, "abc", 0);
	assert_false(retry_recall(r, print, (int64_t)7 * 3600 * 1000, uid)); /* too late */
	for (uint64_t i = 1; i <= RETRY_SLOTS + 1; i++)
		retry_remember(r, i, "x", 0);
	assert_false(retry_recall(r, 1, 0, uid)); /* the oldest made room */
	assert_true(retry_recall(r, 2, 0, uid));
	free(r);
}

/* A trap that was killed and remembers nothing gives the same mails the same uids. */
static void uids_survive_a_restart(void **state)
{
	struct retry_ring *first = mem_new(1, sizeof *first), *second = mem_new(1, sizeof *second);
	static const uint8_t other_key[16] = {1};
	const int64_t day_ms = (int64_t)24 * 3600 * 1000;
	char uid[6][UID_SIZE], again[UID_SIZE];

	(void)state;
	retry_uid(first, key, 77, day_ms, uid[0]);
	retry_uid(
		first, key, 77, day_ms + 1, uid[1]); /* the same mail once more counts once more */
	retry_uid(first, key, 78, day_ms, uid[2]);
	retry_uid(second, other_key, 77, day_ms, uid[3]);
	*second = (struct retry_ring){0};
	retry_uid(second, key, 77, 2 * day_ms, uid[4]);
	retry_uid(second, key, 77 + REPEAT_SLOTS, day_ms, uid[5]);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(strlen(uid[i]), UID_SIZE - 1);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(uid[i], uid[k]);
	}
	*second = (struct retry_ring){0};
	retry_uid(second, key, 77, 2 * day_ms - 1, again);
	assert_string_equal(again, uid[0]);
	retry_uid(second, key, 77, day_ms, again);
	assert_string_equal(again, uid[1]);
	free(first);
	free(second);
}

static void clients_are_counted(void **state)
{
	struct peers *p = peers_new(2);
	struct ip a = ip4_of(0x09090909), b = ip4_of(0x09090908), six, six2, far;

	(void)state;
	assert_true(
		ip_parse(SLICE("2001:4860::1"), &six) && ip_parse(SLICE("2001:4860::2"), &six2));
	assert_true(ip_parse(SLICE("2001:4860:0:1::1"), &far));
	assert_true(peers_enter(p, &a) && peers_enter(p, &a));
	assert_false(peers_enter(p, &a));
	assert_true(peers_enter(p, &b));
	peers_leave(p, &a);
	assert_true(peers_enter(p, &a));
	assert_true(peers_enter(p, &six) && peers_enter(p, &six2)); /* one /64 */
	assert_false(peers_enter(p, &six));
	assert_true(peers_enter(p, &far));
	peers_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spam_from_a_stranger),
		cmocka_unit_test(who_the_sender_is),
		cmocka_unit_test(each_trap_is_one_hit),
		cmocka_unit_test(what_is_no_spam_keeps_its_class),
		cmocka_unit_test(the_trap_does_not_tell_itself),
		cmocka_unit_test(recipients),
		cmocka_unit_test(retries),
		cmocka_unit_test(uids_survive_a_restart),
		cmocka_unit_test(clients_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
