/* test_dnsd_identity.c - what stands in OPT: NSID, cookies, keepalive, reasons; and class CHAOS. */
#include "test.h"

#include "dnsd/answer/identity.h"
#include "dnsd_world.h"

#define HEAD(qdcount) "\x12\x34\1\0\0" qdcount "\0\0\0\0\0\1"
#define LISTED "\0011\0012\0010\003192\2bl\7example\0"
#define OPT(len) "\0\0\x29\4\xd0\0\0\0\0\0" len
#define A_IN "\0\1\0\1"
#define NSID "\0\3\0\0"

static struct identity identity_of(const char *secret)
{
	char *items[] = {(char *)secret};
	struct config_dnsd c = {.nsid = (char *)"ns1",
		.version = (char *)"sekisho 1",
		.identity = (char *)"here",
		.tcp_idle = 10,
		.cookies = true,
		.cookie_secrets = {items, secret != NULL}};
	struct identity id;
	struct err err;

	assert_true(identity_init(&id, &c, (const uint8_t *)"sixteen bytes ..", &err));
	return id;
}

/* "RCODE answers; CODE=VALUE ...": values as text, what is not printable in hexadecimal. */
static void describe(struct slice reply, struct buf *to)
{
	const uint8_t *p = (const uint8_t *)reply.ptr;
	size_t at = p[5] ? dns_name_skip(reply, 12) + 4 : 12;
	unsigned records = dns_u16(p + 6) + dns_u16(p + 8) + dns_u16(p + 10), rcode = p[3] & 15u;
	struct dns_record rec = {0};

	for (unsigned i = 0; i < records; i++) {
		at = dns_record_read(reply, at, &rec);
		assert_true(at != 0);
	}
	assert_int_equal(at, reply.len);
	if (rec.type == DNS_OPT)
		rcode |= rec.ttl >> 24 << 4;
	buf_addf(to, "%u %u%s;", rcode, dns_u16(p + 6), p[2] & 2 ? " tc" : "");
	if (rec.type != DNS_OPT)
		return;
	for (size_t i = rec.rdata; i < rec.rdata + rec.rdata_len;) {
		size_t len = dns_u16(p + i + 2);
		buf_addf(to, " %u=", dns_u16(p + i));
		for (size_t k = i + 4; k < i + 4 + len; k++)
			buf_addf(to, p[k] >= ' ' && p[k] < 127 ? "%c" : "%02x", p[k]);
		i += 4 + len;
	}
}

struct asking {
	const char *label, *bytes;
	size_t len;
	const char *want;
};

static void check(const struct world *w, const struct answer_from *from, const struct asking *a)
{
	_cleanup_buf_ struct buf got = BUF_INIT(65536);
	uint8_t *out = mem_new(1, ANSWER_SIZE_TCP);
	struct slice message = exact(a->bytes, a->len);
	struct answer_note note;
	size_t n = answer(w->served, from, message, out, &note);

	assert_true(n != 0);
	describe(slice_of(out, n), &got);
	if (strcmp(buf_str(&got), a->want) != 0)
		fail_msg("%s: '%s' instead of '%s'", a->label, buf_str(&got), a->want);
	free(out);
	exact_free(message);
}

#define ASK(label, bytes, want)                                                                    \
	{                                                                                          \
		label, bytes, sizeof(bytes) - 1, want                                              \
	}

static void test_options(void **state)
{
	static const struct asking udp[] = {
		ASK("plain", HEAD("\1") LISTED A_IN OPT("\0"), "0 2;"),
		ASK("NSID", HEAD("\1") LISTED A_IN OPT("\4") NSID, "0 2; 3=ns1"),
		ASK("unknown", HEAD("\1") LISTED A_IN OPT("\6") "\xfd\xe9\0\2xx", "0 2;"),
		ASK("no keepalive over UDP", HEAD("\1") LISTED A_IN OPT("\4") "\0\x0b\0\0", "0 2;"),
		ASK("bad option", HEAD("\1") LISTED A_IN OPT("\4") "\0\x0a\0\0", "1 0;"),
		ASK("EDNS 1", HEAD("\1") LISTED A_IN "\0\0\x29\4\xd0\0\1\0\0\0\4" NSID, "16 0;"),
		ASK("foreign zone", HEAD("\1") "\1x\0" A_IN OPT("\0"),
			"5 0; 15=0014no such zone here"),
		ASK("broken zone", HEAD("\1") "\6broken\7example\0" A_IN OPT("\0"),
			"2 0; 15=0018zone data unreadable"),
		ASK("no question", HEAD("\0") OPT("\0"), "1 0;"),
		ASK("no question but NSID", HEAD("\0") OPT("\4") NSID, "1 0;"),
	};
	static const struct asking tcp[] = {
		ASK("keepalive", HEAD("\1") LISTED A_IN OPT("\4") "\0\x0b\0\0", "0 2; 11=00d"),
	};
	struct identity id = identity_of("e5e973e5a6b2a43f48e7dc849e37bfcf");
	struct answer_from from = {.now_s = WORLD_NOW, .identity = &id};
	struct world w;

	world_init(&w, true);
	for (size_t i = 0; i < ARRAY_LEN(udp); i++)
		check(&w, &from, &udp[i]);
	from.transport = ANSWER_TCP;
	for (size_t i = 0; i < ARRAY_LEN(tcp); i++)
		check(&w, &from, &tcp[i]);
	world_done(&w);
}

#define CHAOS(name) HEAD("\1") name "\0\x10\0\3" OPT("\0")

static void test_chaos(void **state)
{
	static const struct asking told[] = {
		ASK("version", CHAOS("\7version\4bind\0"), "0 1;"),
		ASK("version of the server", CHAOS("\7version\6server\0"), "0 1;"),
		ASK("id", CHAOS("\2id\6server\0"), "0 1;"),
		ASK("letter case", CHAOS("\10HostName\4BIND\0"), "0 1;"),
		ASK("another name", CHAOS("\7authors\4bind\0"), "5 0; 15=0015not told"),
		ASK("a zone of ours", CHAOS("\2bl\7example\0"), "5 0; 15=0015not told"),
		ASK("another class",
			HEAD("\1") "\7version\4bind\0"
				   "\0\x10\0\4" OPT("\0"),
			"5 0; 15=0015no such class here"),
	};
	static const struct asking silent =
		ASK("not told", CHAOS("\7version\4bind\0"), "5 0; 15=0015not told");
	struct identity id = identity_of(NULL);
	struct answer_from from = {.now_s = WORLD_NOW, .identity = &id};
	struct world w;

	world_init(&w, true);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		check(&w, &from, &told[i]);
	id.version = SLICE_EMPTY;
	check(&w, &from, &silent);
	from.identity = NULL;
	check(&w, &from, &silent);
	world_done(&w);
}

/* Asks with this cookie; the one that comes back replaces it. True: the old one proved the address. */
static bool exchange(const struct world *w, const struct answer_from *from, bool question,
	uint8_t cookie[DNS_COOKIE_SIZE], size_t len)
{
	uint8_t m[128] = {0x12, 0x34, 1, 0, 0, question, 0, 0, 0, 0, 0, 1}, out[ANSWER_SIZE_UDP];
	size_t at = 12;
	struct answer_note note;

	if (question) {
		memcpy(m + at, LISTED A_IN, sizeof(LISTED A_IN) - 1);
		at += sizeof(LISTED A_IN) - 1;
	}
	memcpy(m + at, OPT("\0"), 11);
	m[at + 10] = (uint8_t)(4 + len);
	m[at + 12] = DNS_OPTION_COOKIE;
	m[at + 14] = (uint8_t)len;
	memcpy(m + at + 15, cookie, len);
	size_t n = answer(w->served, from, slice_of(m, at + 15 + len), out, &note);
	assert_true(n > 35 && note.rcode == DNS_NOERROR);
	assert_memory_equal(out + n - 28, "\0\x0a\0\x18", 4);
	assert_memory_equal(out + n - 24, cookie, 8);
	memcpy(cookie, out + n - 24, DNS_COOKIE_SIZE);
	return note.proven;
}

static void test_cookie(void **state)
{
	struct identity id = identity_of("e5e973e5a6b2a43f48e7dc849e37bfcf"),
			random = identity_of(NULL);
	struct answer_from from = {.now_s = 1559731985, .identity = &id};
	uint8_t cookie[DNS_COOKIE_SIZE] = "\x24\x64\xc4\xab\xcf\x10\xc9\x57",
		first[DNS_COOKIE_SIZE];
	struct world w;

	world_init(&w, true);
	assert_true(ip_parse(SLICE("198.51.100.100"), &from.peer));
	assert_false(exchange(&w, &from, true, cookie, 8)); /* RFC 9018, A.1 */
	assert_memory_equal(
		cookie + 8, "\1\0\0\0\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80", 16);
	memcpy(first, cookie, sizeof first);
	from.now_s += 60;
	assert_true(exchange(&w, &from, true, cookie, 24));
	assert_memory_equal(cookie, first, sizeof first); /* young enough to stay */
	from.now_s += 2340;
	assert_true(exchange(&w, &from, true, cookie, 24)); /* A.2 */
	assert_memory_equal(cookie + 12, "\x5c\xf7\xa8\x71\xd4\xa5\x64\xa1\x44\x2a\xca\x77", 12);
	from.peer = ip4_of(1);
	assert_false(exchange(&w, &from, true, cookie, 24));
	assert_false(exchange(&w, &from, false, cookie, 8)); /* without a question */
	assert_true(exchange(&w, &from, false, cookie, 24));

	/* not where none is given */
	static const struct asking empty = ASK("no cookies",
		HEAD("\0") OPT("\x0c") "\0\x0a\0\x08"
				       "clientck",
		"1 0;");
	id.cookies = false;
	check(&w, &from, &empty);
	id.cookies = true;

	/* a second secret is understood, and answered with a cookie of the first */
	memcpy(id.secrets[1], id.secrets[0], 16);
	memset(id.secrets[0], 7, 16);
	id.secret_count = 2;
	memcpy(first, cookie, sizeof first);
	assert_true(exchange(&w, &from, true, cookie, 24));
	assert_memory_not_equal(cookie, first, sizeof first);

	/* random secrets change each day, and the last day's holds on */
	from.identity = &random;
	from.now_s = 86400 * 100 - 10;
	assert_false(exchange(&w, &from, true, cookie, 8));
	memcpy(first, cookie, sizeof first);
	from.now_s += 20;
	assert_true(exchange(&w, &from, true, cookie, 24));
	assert_memory_not_equal(cookie, first, sizeof first);
	assert_true(exchange(&w, &from, true, cookie, 24));
	world_done(&w);
}

static void test_bad_configuration(void **state)
{
	char *items[] = {(char *)"e5e973e5a6b2a43f48e7dc849e37bfc", (char *)"", (char *)"",
		(char *)"", (char *)""};
	struct config_dnsd c = {.nsid = (char *)"",
		.version = (char *)"",
		.identity = (char *)"",
		.cookie_secrets = {items, 1}};
	struct identity id;
	struct err err;

	assert_false(identity_init(&id, &c, (const uint8_t *)"sixteen bytes ..", &err));
	items[0] = (char *)"x5e973e5a6b2a43f48e7dc849e37bfcf";
	assert_false(identity_init(&id, &c, (const uint8_t *)"sixteen bytes ..", &err));
	c.cookie_secrets.count = 5;
	assert_false(identity_init(&id, &c, (const uint8_t *)"sixteen bytes ..", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_chaos),
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_bad_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
