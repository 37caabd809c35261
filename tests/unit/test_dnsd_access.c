/* test_dnsd_access.c - who asks and with which key decides what is answered; whole records; as tables. */
#include "test.h"

#include "access_world.h"

/* "RCODE answers|count of authority records", "+" and that of additional ones; or "" for none at all. */
static void ask(
	const struct world *w, const char *peer, const char *name, uint16_t type, struct buf *to)
{
	struct answer_from from = {.transport = ANSWER_UDP, .now_s = NOW};
	struct dns_query query = {.name = name_of(name), .type = type, .id = 7};
	uint8_t q[DNS_QUERY_MAX], out[ANSWER_SIZE_UDP];
	struct answer_note note;
	struct dns_record rec;
	size_t n, at;

	assert_true(ip_parse(slice_str(peer), &from.peer));
	n = answer(w->served, &from, slice_of(q, dns_query_write(&query, q)), out, &note);
	buf_reset(to);
	if (!n)
		return;
	buf_addf(to, "%u", out[3] & 15u);
	at = dns_name_skip(slice_of(out, n), 12) + 4;
	for (unsigned i = 0; i < dns_u16(out + 6); i++) {
		at = dns_record_read(slice_of(out, n), at, &rec);
		assert_true(at != 0);
		const uint8_t *r = out + rec.rdata;
		if (rec.type == DNS_A)
			buf_addf(to, " %u.%u:%u", r[0], r[3], rec.ttl);
		else if (rec.type == DNS_TXT)
			buf_addf(to, " '%.*s':%u", r[0], r + 1, rec.ttl);
		else
			buf_addf(to, " type%u", rec.type);
	}
	buf_addf(to, "|%u", dns_u16(out + 8));
	if (dns_u16(out + 10))
		buf_addf(to, "+%u", dns_u16(out + 10));
}

#define FREE "192.0.2.99"

static const struct question_case {
	const char *peer, *name;
	uint16_t type;
	const char *want;
} cases[] = {
	/* whole records */
	{FREE, "www.z", DNS_A, "0 192.1:300 192.2:300|0"}, /* one TTL for a set, no record twice */
	{FREE, "www.z", DNS_TXT, "0 'a \"b\" $':2100|0"},
	{FREE, "www.z", DNS_MX, "0|1"},
	{FREE, "WWW.z", DNS_ANY, "0 192.1:300 192.2:300 'a \"b\" $':2100|0"},
	{FREE, "z", DNS_MX, "0 type15|0"},
	{FREE, "z", DNS_A, "0 192.9:2100|0"},
	{FREE, "not.z", DNS_A, "3|1"},
	{FREE, "a.www.z", DNS_A, "3|1"},
	{FREE, "bad.test.z", DNS_TXT, "0 'name bad.test':2100 'also':2100|0"},
	{FREE, "empty.z", DNS_TXT, "0 '':2100|0"},
	/* with NS and their addresses; nothing of it fits behind much */
	{FREE, "1.0.0.10.n", DNS_A, "0 127.2:2100|2+2"},
	{FREE, "n", DNS_NS, "0 type2 type2|2+2"},
	{FREE, "1.0.0.11.n", DNS_A, "3|1"},
	/* by address */
	{FREE, "1.0.0.10.z", DNS_A, "0 127.2:2100|0"},
	{"192.0.2.1", "1.0.0.10.z", DNS_A, "5|0"},
	{"192.0.2.1", "z", DNS_SOA, "5|0"},
	{"192.0.2.1", "1.0.0.10.g", DNS_A, "0 127.2:2100|0"},
	{"192.0.2.2", "1.0.0.10.z", DNS_A, ""},
	{"192.0.2.3", "1.0.0.10.z", DNS_A, "3|1"},
	{"192.0.2.3", "z", DNS_SOA, "0 type6|0"},
	{"192.0.2.3", "www.z", DNS_A, "0 192.1:300 192.2:300|0"},
	{"192.0.2.3", "bad.test.z", DNS_TXT, "0 'also':2100|0"},
	{"192.0.2.5", "1.0.0.10.z", DNS_A, "3|1"},
	{"192.0.2.6", "1.0.0.10.z", DNS_TXT, "0 'only text':5|0"},
	{"192.0.2.7", "1.0.0.10.z", DNS_A, "0 127.2:2100|0"},
	{"198.51.100.6", "1.0.0.10.z", DNS_A, "5|0"},
	{"198.51.100.7", "1.0.0.10.z", DNS_A, "0 127.2:2100|0"},
	{"2001:db8:1::5", "1.0.0.10.z", DNS_A, "5|0"},
	{"2001:db8:2::5", "1.0.0.10.z", DNS_A, "0 127.2:2100|0"},
	{"::1", "1.0.0.10.z", DNS_A, "3|1"},
	/* the rule for all zones; the stronger wins, of equals the one for all */
	{"203.0.113.1", "1.0.0.10.g", DNS_A, ""},
	{"203.0.113.1", "elsewhere", DNS_A, ""},
	{"203.0.113.2", "9.9.9.9.g", DNS_A, "0 127.7:2100|0"},
	{"203.0.113.2", "9.9.9.9.z", DNS_TXT, "0 'all 203.0.113.2':2100|0"},
	{"203.0.113.2", "good.z", DNS_A, "0 127.7:2100|0"},
	{"203.0.113.2", "good.g", DNS_A, "3|1"}, /* no list there could hold a name */
	{"203.0.113.2", "z", DNS_A, "0 192.9:2100|0"},
	{"192.0.2.4", "9.9.9.9.z", DNS_TXT, "0 'first 192.0.2.4':2100|0"},
	/* by key */
	{FREE, "1.0.0.10.k", DNS_A, "5|0"},
	{FREE, "1.0.0.10.wrong.k", DNS_A, "5|0"},
	{FREE, "1.0.0.10.secret.k", DNS_A, "0 127.2:2100|0"},
	{FREE, "1.0.0.10.SeCret.k", DNS_TXT, "0 'listed 10.0.0.1':2100|0"},
	{FREE, "9.0.0.11.secret.k", DNS_A, "3|1"},
	{FREE, "x.bad.test.all.k", DNS_TXT, "0 'name bad.test':2100|0"},
	{FREE, "www.secret.k", DNS_A, "0 192.1:300 192.2:300|0"},
	{FREE, "secret.k", DNS_A, "0 192.9:2100|0"}, /* as the zone itself */
	{FREE, "k", DNS_SOA, "0 type6|0"},
	{FREE, "1.0.0.10.old.k", DNS_A, "3|1"},
	{FREE, "1.0.0.10.gone.k", DNS_A, ""},
	{FREE, "9.0.0.10.rude.k", DNS_TXT, "0 'pay " FREE "':2100|0"},
	{"203.0.113.1", "1.0.0.10.secret.k", DNS_A, ""},
	{FREE, "1.0.0.10.secret.t", DNS_A, "0 127.2:2100|0"}, /* one set knows it */
	{FREE, "1.0.0.10.guest.t", DNS_A, "0 127.2:2100|0"},
	{FREE, "1.0.0.10.old.t", DNS_A, "3|1"}, /* both do: the stronger wins */
	{FREE, "1.0.0.10.wrong.t", DNS_A, "5|0"},
	{FREE, "1.0.0.10.o", DNS_A, "0 127.2:2100|0"},
	{FREE, "1.0.0.10.banned.o", DNS_A, "5|0"},
	{FREE, "1.0.0.10.other.o", DNS_A, "3|1"},
};

static void each_asker_hears_his_part(void **state)
{
	_cleanup_buf_ struct buf got = BUF_INIT(65536);
	struct world w;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ask(&w, cases[i].peer, cases[i].name, cases[i].type, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s asks %s type %u: '%s' instead of '%s'", cases[i].peer,
				cases[i].name, cases[i].type, buf_str(&got), cases[i].want);
	}
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_asker_hears_his_part)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
