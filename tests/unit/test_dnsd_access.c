/* test_dnsd_access.c - who asks and with which key decides what is answered; whole records; as tables. */
#include "test.h"

#include "dataset/dataset.h"
#include "dns/query.h"
#include "dns/reply.h"
#include "dnsd/answer.h"

#define NOW 1700000000

struct data {
	struct buf bytes;
	struct index index;
};

static void data_make(struct data *d, enum dataset_type type, const char *text)
{
	static const uint8_t seed[16] = "seed";
	struct dataset_options options = {.now_s = NOW};
	struct builder *b = builder_new(1, seed);
	struct dataset *set = dataset_new(b, type, SLICE("x"), &options);
	struct err err;

	*d = (struct data){.bytes = BUF_INIT(1 << 20)};
	assert_true(dataset_file(set, SLICE("x"), slice_str(text), 1, &err));
	assert_true(dataset_finish(set, &err) && builder_write(b, &d->bytes, &err));
	d->index.snapshot = snapshot_open(buf_slice(&d->bytes), &err);
	assert_non_null(d->index.snapshot);
	dataset_free(set);
	builder_free(b);
}

static struct domain name_of(const char *text)
{
	struct domain d;

	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

enum { IP4, IP6, NAMES, RECORDS, ACL, KEYS, GLOBAL, OPEN_KEYS, DATA_COUNT };

/* "z": all data and the acl; "k": and keys; "o": keys that let strangers in; "g": only the rule for all. */
struct world {
	struct data data[DATA_COUNT];
	struct served *served;
};

static void serve(struct world *w, const char *zone, const char *which)
{
	struct domain name = name_of(zone);

	for (; *which; which++)
		served_add_sets(served_zone(w->served, &name), &w->data[*which - '0'].index, 0,
			snapshot_set_count(w->data[*which - '0'].index.snapshot), 2100);
}

static void world_init(struct world *w)
{
	static const char ip4[] =
		"$SOA 60 ns.x h.x 1 1 1 1 30\n$NS 60 ns.x\n:2:listed $\n10.0.0.0/24\n";

	data_make(&w->data[IP4], DATASET_IP4SET, ip4);
	data_make(&w->data[IP6], DATASET_IP6TRIE, "2001:db8::/32 :6:six $\n");
	data_make(&w->data[NAMES], DATASET_DNSET, ".bad.test :4:name $\n");
	data_make(&w->data[RECORDS], DATASET_GENERIC,
		"www 300 A 192.0.2.1\nwww IN a 192.0.2.2\nwww TXT \"a \"b\" $\"\n@ MX 10 Mail.X\n"
		"@ A 192.0.2.9\nwww A 192.0.2.1\nnot AAAA ::1\nbad.test TXT also\nempty TXT "
		"\"\"\n");
	data_make(&w->data[ACL], DATASET_ACL,
		"$TTL 5\n192.0.2.1 :refuse\n192.0.2.2\n192.0.2.3 :empty\n192.0.2.4 :9:you $ again\n"
		"198.51.100.0/24 =refuse\n198.51.100.7 :pass # him\n2001:db8:1::/48 :REFUSE\n"
		":empty\n192.0.2.5\n::1\n192.0.2.6 only text\n192.0.2.7 =nonsense\n");
	data_make(&w->data[KEYS], DATASET_ACLKEY,
		"secret :pass\nOLD :empty\nall=accept\ngone :ignore\nrude :8:pay $\n");
	data_make(&w->data[GLOBAL], DATASET_ACL,
		"203.0.113.1 :ignore\n203.0.113.2 :7:all $\n192.0.2.4 :7:first $\n");
	data_make(&w->data[OPEN_KEYS], DATASET_ACLKEY, ":pass\nbanned :refuse\n");
	w->served = served_new();
	serve(w, "z", "01234");
	serve(w, "k", "01235");
	serve(w, "o", "07");
	serve(w, "g", "0");
	served_add_rule(w->served, &w->data[GLOBAL].index, 2100);
	served_seal(w->served);
}

static void world_done(struct world *w)
{
	served_free(w->served);
	for (size_t i = 0; i < DATA_COUNT; i++) {
		snapshot_close((struct snapshot *)w->data[i].index.snapshot);
		buf_done(&w->data[i].bytes);
	}
}

/* "RCODE answers|count of authority records", or "" for none at all. */
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
