/* test_dnsd_answer.c - what a client hears, as tables: RFC 5782's points, rbldnsd's habits, the errors. */
#include "test.h"

#include "dns/reply.h"
#include "dnsd_world.h"

/* The reply as one line: "RCODE flags records", owners left out. */
static void describe(struct slice reply, struct buf *to)
{
	static const char *const rcodes[16] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
		"NOTIMP", "REFUSED", "?", "?", "?", "NOTAUTH", "?", "?", "?", "?", "?", "?"};
	const uint8_t *p = (const uint8_t *)reply.ptr;
	unsigned rcode = p[3] & 15u;
	struct dns_record rec;
	struct domain d;
	size_t at = 12;

	buf_add_str(to, rcodes[rcode]);
	buf_add_str(to, p[2] & 4 ? " aa" : "");
	buf_add_str(to, p[2] & 2 ? " tc" : "");
	if (dns_u16(p + 4))
		at = dns_name_skip(reply, at) + 4;
	for (unsigned section = 0; section < 3; section++)
		for (unsigned i = 0; i < dns_u16(p + 6 + 2 * section); i++) {
			size_t next = dns_record_read(reply, at, &rec);
			const uint8_t *r = p + rec.rdata;
			assert_true(next != 0);
			at = next;
			buf_add_str(to, section == 1 ? " /" : " ");
			if (rec.type == DNS_OPT) {
				buf_addf(to, "OPT%u", rec.ttl >> 24);
				continue;
			}
			if (rec.type == DNS_A)
				buf_addf(to, "%u.%u.%u.%u:%u", r[0], r[1], r[2], r[3], rec.ttl);
			else if (rec.type == DNS_TXT)
				buf_addf(to, "'%.*s':%u", r[0], r + 1, rec.ttl);
			else if (rec.type == DNS_NS && dns_name_read(reply, rec.rdata, &d))
				buf_addf(to, "NS=%s:%u", domain_text(&d).s, rec.ttl);
			else if (rec.type == DNS_SOA && dns_name_read(reply, rec.owner, &d))
				buf_addf(to, "SOA(%s,%u):%u", domain_text(&d).s,
					dns_u32(r + rec.rdata_len - 20), rec.ttl);
			else
				buf_addf(to, "type%u", rec.type);
		}
	assert_int_equal(at, reply.len);
}

static size_t query(const char *name, uint16_t type, bool edns, uint8_t *dst)
{
	struct dns_query q = {.name = world_name(name), .type = type, .id = 7, .edns = edns};

	return dns_query_write(&q, dst);
}

static const struct answer_from from_udp = {.transport = ANSWER_UDP, .now_s = WORLD_NOW};

static void check(struct world *w, const char *name, uint16_t type, const char *want)
{
	uint8_t q[DNS_QUERY_MAX], *out = mem_new(1, ANSWER_SIZE_UDP);
	_cleanup_buf_ struct buf got = BUF_INIT(65536);
	struct answer_note note;
	struct slice message = exact((const char *)q, query(name, type, false, q));
	size_t n = answer(w->served, &from_udp, message, out, &note);

	assert_true(n >= 12);
	describe(slice_of(out, n), &got);
	if (strcmp(buf_str(&got), want) != 0)
		fail_msg("%s type %u: '%s' instead of '%s'", name, type, buf_str(&got), want);
	free(out);
	exact_free(message);
}

struct question_case {
	const char *name;
	uint16_t type;
	const char *want;
};

static void check_all(struct world *w, const struct question_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(w, cases[i].name, cases[i].type, cases[i].want);
}

#define MAPPED(low) low ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example"
#define NEGATIVE " /SOA(bl.example,4711):60"
#define DOM_NEGATIVE " /SOA(dom.example,4711):60"

static const struct question_case points[] = {
	{"2.0.0.127.bl.example", DNS_A, "NOERROR aa 127.0.0.2:300 127.0.0.9:300"},
	{"2.0.0.127.bl.example", DNS_TXT, "NOERROR aa 'test 127.0.0.2':300"},
	{"9.0.0.127.bl.example", DNS_A, "NOERROR aa 127.0.0.9:300"},
	{"1.0.0.127.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},
	{"1.0.0.127.bl.example", DNS_TXT, "NXDOMAIN aa" NEGATIVE},
	{MAPPED("2"), DNS_A, "NOERROR aa 127.0.0.2:300 127.0.0.9:300"},
	{MAPPED("1"), DNS_A, "NXDOMAIN aa" NEGATIVE},
	{"test.dom.example", DNS_A, "NOERROR aa 127.0.0.4:300"},
	{"test.dom.example", DNS_TXT, "NOERROR aa 'test test':300"},
	{"TEST.Dom.Example", DNS_A, "NOERROR aa 127.0.0.4:300"},
	{"invalid.dom.example", DNS_A, "NXDOMAIN aa" DOM_NEGATIVE},
	{"2.0.0.127.dom.example", DNS_A, "NXDOMAIN aa" DOM_NEGATIVE},
	{"test.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},
};

static void test_rfc5782_points(void **state)
{
	for (int published = 0; published < 2; published++) {
		struct world w;
		world_init(&w, published);
		check_all(&w, points, ARRAY_LEN(points));
		world_done(&w);
	}
}

static const struct question_case site[] = {
	{"1.2.0.192.bl.example", DNS_A, "NOERROR aa 127.0.0.2:300 127.0.0.9:300"},
	{"1.2.0.192.bl.example", DNS_TXT,
		"NOERROR aa '192.0.2.1 is bad, see http://portal/?192.0.2.1':300 'worse: "
		"192.0.2.1':300"},
	{"1.2.0.192.bl.example", DNS_ANY, "NOERROR aa 127.0.0.2:300 127.0.0.9:300"},
	{"1.2.0.192.bl.example", DNS_AAAA, "NOERROR aa" NEGATIVE},
	{"1.2.0.192.bl.example", DNS_MX, "NOERROR aa" NEGATIVE},
	{"1.2.0.192.bl.example", DNS_NS, "NOERROR aa" NEGATIVE},
	{"2.2.0.192.bl.example", DNS_A, "NOERROR aa 127.0.0.2:10"}, /* as long as it lasts */
	{"3.2.0.192.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},    /* expired */
	{"0.100.51.198.bl.example", DNS_A, "NOERROR aa 127.0.0.2:300"},
	{"255.100.51.198.bl.example", DNS_A, "NOERROR aa 127.0.0.2:300"},
	{"0.101.51.198.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},
	{"1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example", DNS_A,
		"NOERROR aa 127.0.0.2:300"},
	{"1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example", DNS_A,
		"NXDOMAIN aa" NEGATIVE},
	{"192.bl.example", DNS_A, "NOERROR aa" NEGATIVE}, /* empty non-terminals */
	{"2.0.192.bl.example", DNS_NS, "NOERROR aa" NEGATIVE},
	{"0.0.2.bl.example", DNS_A, "NOERROR aa" NEGATIVE},
	{"256.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},
	{"x.1.2.0.192.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE},
	{"bl.example", DNS_A, "NOERROR aa" NEGATIVE},
	{"bl.example", DNS_SOA, "NOERROR aa SOA(bl.example,4711):300"},
	{"bl.example", DNS_NS, "NOERROR aa NS=ns1.bl.example:86400"},
	{"bl.example", DNS_ANY, "NOERROR aa SOA(bl.example,4711):300"},
	{"spam.test.dom.example", DNS_A, "NOERROR aa 127.0.0.4:300"},
	{"a.b.spam.test.dom.example", DNS_TXT, "NOERROR aa 'spam.test is spamvertised':300"},
	{"ham.test.dom.example", DNS_A, "NXDOMAIN aa" DOM_NEGATIVE},
	{"com.dom.example", DNS_A, "NOERROR aa" DOM_NEGATIVE},
	{"invalid.dom.example", DNS_TXT, "NXDOMAIN aa" DOM_NEGATIVE},
	{"example.com.dom.example", DNS_A, "NXDOMAIN aa" DOM_NEGATIVE},
	{"1.1.1.1.sub.bl.example", DNS_A, "NOERROR aa 127.0.0.2:2100"}, /* the longest zone */
	{"example", DNS_A, "REFUSED"},
	{".", DNS_NS, "REFUSED"},
	{"bl.example.com", DNS_A, "REFUSED"},
	{"xbl.example", DNS_A, "REFUSED"},
	{"bl.example", DNS_AXFR, "REFUSED"},
	{"1.2.3.4.broken.example", DNS_A, "SERVFAIL"},
};

static void test_site(void **state)
{
	struct world w;

	world_init(&w, true);
	check_all(&w, site, ARRAY_LEN(site));
	world_done(&w);
}

#define FILE_NEGATIVE " /SOA(file.example,777):300"

/* As Debian's rbldnsd 1.0pre answers the same data, with -a. */
static const struct question_case files[] = {
	{"4.3.2.1.file.example", DNS_A, "NOERROR aa 127.0.0.2:600 127.0.0.3:600"},
	{"4.3.2.1.file.example", DNS_TXT, "NOERROR aa 'first 1.2.3.4':600 'second 1.2.3.4':600"},
	{"4.3.2.1.file.example", DNS_ANY,
		"NOERROR aa 127.0.0.2:600 'first 1.2.3.4':600 127.0.0.3:600 'second 1.2.3.4':600"},
	{"1.1.1.10.file.example", DNS_A, "NOERROR aa 127.0.0.10:600"},
	{"1.1.1.10.file.example", DNS_TXT, "NOERROR aa" FILE_NEGATIVE},
	{"1.1.9.10.file.example", DNS_A, "NXDOMAIN aa" FILE_NEGATIVE},
	{"1.0.9.10.file.example", DNS_A, "NOERROR aa 127.0.0.11:2100"},
	{"1.0.8.10.file.example", DNS_A,
		"NOERROR aa 127.0.0.10:600 127.0.0.11:600"}, /* the least TTL */
	{"10.file.example", DNS_A, "NXDOMAIN aa" FILE_NEGATIVE},
	{"2.0.0.127.file.example", DNS_A,
		"NXDOMAIN aa" FILE_NEGATIVE}, /* nothing the files do not say */
	{"file.example", DNS_SOA, "NOERROR aa SOA(file.example,777):600"},
	{"file.example", DNS_NS, "NOERROR aa NS=ns1.file.example:600 NS=ns2.other:600"},
	{"file.example", DNS_ANY,
		"NOERROR aa SOA(file.example,777):600 NS=ns1.file.example:600 NS=ns2.other:600"},
	{"file.example", DNS_A, "NOERROR aa" FILE_NEGATIVE},
	{"1.1.1.1.proxies.comb.example", DNS_A, "NOERROR aa 127.0.0.2:2100"},
	{"1.1.1.1.relays.comb.example", DNS_A, "NOERROR aa 127.0.0.3:2100"},
	{"1.1.1.1.comb.example", DNS_A, "NOERROR aa 127.0.0.2:2100"},
	{"2.1.1.1.comb.example", DNS_A, "NXDOMAIN aa /SOA(comb.example,99):50"},
	{"1.0.8.10.turned.example", DNS_A, "NOERROR aa 127.0.0.11:600 127.0.0.10:600"},
	{"relays.comb.example", DNS_A, "NOERROR aa /SOA(comb.example,99):50"},
	{"xrelays.comb.example", DNS_A, "NXDOMAIN aa /SOA(comb.example,99):50"},
	{"bare.example", DNS_SOA, "REFUSED"},
	{"bare.example", DNS_NS, "REFUSED"},
	{"bare.example", DNS_A, "NOERROR aa"},
	{"2.1.1.1.bare.example", DNS_A, "NXDOMAIN aa"},
};

static void test_files(void **state)
{
	struct world w;

	world_init(&w, true);
	check_all(&w, files, ARRAY_LEN(files));
	world_done(&w);
}

static void test_overlay_shows(void **state)
{
	struct value v = {0x7f000005, SLICE("new $")};
	struct prefix p;
	struct world w;

	world_init(&w, true);
	prefix_parse(SLICE("203.0.113.5"), &p, NULL);
	overlay_put_prefix(w.overlay, 0, &p, &v, 0);
	check(&w, "5.113.0.203.bl.example", DNS_A, "NOERROR aa 127.0.0.5:300");
	overlay_put_prefix(w.overlay, 0, &p, NULL, 0);
	check(&w, "5.113.0.203.bl.example", DNS_A, "NXDOMAIN aa" NEGATIVE);
	world_done(&w);
}

/* Bytes in, a line out. */
static void check_bytes(
	struct world *w, const char *label, const char *bytes, size_t len, const char *want)
{
	uint8_t *out = mem_new(1, ANSWER_SIZE_UDP);
	_cleanup_buf_ struct buf got = BUF_INIT(65536);
	struct answer_note note;
	struct slice message = exact(bytes, len);
	size_t n = answer(w->served, &from_udp, message, out, &note);

	if (n)
		describe(slice_of(out, n), &got);
	if (strcmp(buf_str(&got), want) != 0)
		fail_msg("%s: '%s' instead of '%s'", label, buf_str(&got), want);
	free(out);
	exact_free(message);
}

#define ID "\x12\x34"
#define ONE "\0\1\0\0\0\0\0\0"
#define ONE_MORE "\0\1\0\0\0\0\0\1"
#define NAME "\2bl\7example\0"
#define SOA_IN "\0\6\0\1"
#define BYTES(label, bytes, want) check_bytes(&w, label, bytes, sizeof(bytes) - 1, want)

static void test_strange_messages(void **state)
{
	struct world w;

	world_init(&w, true);
	BYTES("nothing", "", "");
	BYTES("a reply", ID "\x80\0" ONE NAME SOA_IN, "");
	BYTES("header alone", ID "\1\0" ONE, "FORMERR");
	BYTES("two questions", ID "\1\0\0\2\0\0\0\0\0\0" NAME SOA_IN NAME SOA_IN, "FORMERR");
	BYTES("garbage behind", ID "\1\0" ONE NAME SOA_IN "garbage", "FORMERR");
	BYTES("pointer to itself", ID "\1\0" ONE "\xc0\x0c" SOA_IN, "FORMERR");
	BYTES("update", ID "\x28\0" ONE NAME SOA_IN, "NOTIMP");
	BYTES("chaos", ID "\1\0" ONE NAME "\0\x10\0\3", "REFUSED");
	BYTES("class any", ID "\1\0" ONE NAME "\0\6\0\xff", "NOERROR SOA(bl.example,4711):300");
	BYTES("edns 0", ID "\1\0" ONE_MORE NAME SOA_IN "\0\0\x29\x10\0\0\0\0\0\0\0",
		"NOERROR aa SOA(bl.example,4711):300 OPT0");
	BYTES("edns 1", ID "\1\0" ONE_MORE NAME SOA_IN "\0\0\x29\x10\0\0\1\0\0\0\0",
		"NOERROR OPT1");
	BYTES("tsig of nothing", ID "\1\0" ONE_MORE NAME SOA_IN "\1k\0\0\xfa\0\xff\0\0\0\0\0\0",
		"FORMERR");
	BYTES("a stranger's tsig",
		ID "\1\0" ONE_MORE NAME SOA_IN "\1k\0\0\xfa\0\xff\0\0\0\0\0\x11"
		   "\0\0\0\0\0\0\0\1\x2c\0\0\0\0\0\0\0\0",
		"NOTAUTH type250");
	world_done(&w);
}

static void test_truncation(void **state)
{
	static const struct {
		bool edns;
		enum answer_transport transport;
		size_t most;
		bool cut;
	} cases[] = {{false, ANSWER_UDP, 512, true}, {true, ANSWER_UDP, 1232, true},
		{true, ANSWER_TCP, 65535, false}};
	uint8_t q[DNS_QUERY_MAX], *out = mem_new(1, ANSWER_SIZE_TCP);
	struct answer_note note;
	struct world w;

	world_init(&w, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = query("2.2.2.2.many.example", DNS_TXT, cases[i].edns, q);
		struct answer_from from = {.transport = cases[i].transport, .now_s = WORLD_NOW};
		size_t n = answer(w.served, &from, slice_of(q, len), out, &note);
		assert_true(n <= cases[i].most && n > (cases[i].edns ? 1000 : 350));
		assert_int_equal(note.truncated, cases[i].cut);
		assert_int_equal(dns_u16(out + 2) & DNS_TC, cases[i].cut ? DNS_TC : 0);
		if (!cases[i].cut)
			assert_int_equal(dns_u16(out + 6), 16);
	}
	free(out);
	world_done(&w);
}

static void test_case_is_echoed(void **state)
{
	static const char q[] = ID "\1\0" ONE "\2bL\7eXaMpLe\0" SOA_IN;
	uint8_t out[ANSWER_SIZE_UDP];
	struct answer_note note;
	struct world w;

	world_init(&w, true);
	answer(w.served, &from_udp, slice_of(q, sizeof q - 1), out, &note);
	assert_memory_equal(out + 12, q + 12, 12);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5782_points),
		cmocka_unit_test(test_site),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_overlay_shows),
		cmocka_unit_test(test_strange_messages),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_case_is_echoed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
