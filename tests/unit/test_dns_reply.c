/* test_dns_reply.c - queries as sent, replies as they come back: good, foreign and broken ones. */
#include "test.h"

#include "dns/reply.h"

#define Q 12 /* offset of the question's name */

static struct domain name_of(const char *s)
{
	struct domain d;

	assert_true(domain_parse(slice_str(s), &d, NULL));
	return d;
}

/* Starts a reply to q: header and question, no records. */
static struct buf reply_to(const struct dns_query *q, unsigned flags)
{
	struct buf b = BUF_INIT(DNS_MESSAGE_MAX);
	uint8_t sent[DNS_QUERY_MAX];

	dns_query_write(q, sent);
	buf_add(&b, sent, 12 + q->name.len + 4u);
	dns_put_u16((uint8_t *)b.ptr + 2, (uint16_t)(DNS_QR | flags));
	dns_put_u16((uint8_t *)b.ptr + 10, 0);
	return b;
}

enum { ANSWER = 6, AUTHORITY = 8, ADDITIONAL = 10 };

static void add_record(struct buf *b, int section, const void *owner, size_t owner_len,
	uint16_t type, uint32_t ttl, const void *rdata, size_t len)
{
	uint8_t *count = (uint8_t *)b->ptr + section;

	dns_put_u16(count, (uint16_t)(dns_u16(count) + 1));
	buf_add(b, owner, owner_len);
	buf_add_u16(b, type);
	buf_add_u16(b, DNS_IN);
	buf_add_u32(b, ttl);
	buf_add_u16(b, (uint16_t)len);
	buf_add(b, rdata, len);
}

#define TO_QNAME "\xc0\x0c", 2

static enum dns_reply_status parse(struct buf *b, const struct dns_query *q, struct dns_reply *ret)
{
	static struct slice kept; /* the reply borrows its bytes: keep them until the next call */

	exact_free(kept);
	kept = exact(b->ptr, b->len);
	buf_done(b);
	return dns_reply_parse(kept, q, ret);
}

static struct dns_query query_of(const char *name, uint16_t type)
{
	return (struct dns_query){
		.name = name_of(name), .type = type, .id = 0x1234, .recursion = true};
}

static void test_query_bytes(void **state)
{
	struct dns_query q = query_of("2.0.0.127.bl.example", DNS_A);
	uint8_t b[DNS_QUERY_MAX];
	static const char want[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
				   "\x01"
				   "2\x01"
				   "0\x01"
				   "0\x03"
				   "127\x02"
				   "bl\x07"
				   "example\x00\x00\x01\x00\x01"
				   "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";

	q.edns = true;
	assert_int_equal(dns_query_write(&q, b), sizeof want - 1);
	assert_memory_equal(b, want, sizeof want - 1);
	q.mix_case = true;
	memset(q.case_bits, 0xff, sizeof q.case_bits);
	dns_query_write(&q, b);
	assert_memory_equal(b + Q,
		"\x01"
		"2\x01"
		"0\x01"
		"0\x03"
		"127\x02"
		"BL\x07"
		"EXAMPLE",
		21);
}

static void test_addresses(void **state)
{
	struct dns_query q = query_of("2.0.0.127.bl.example", DNS_A);
	struct buf b = reply_to(&q, DNS_AA);
	struct dns_reply r;
	struct ip ip;

	add_record(&b, ANSWER, TO_QNAME, DNS_A, 300, "\x7f\0\0\x02", 4);
	add_record(&b, ANSWER, TO_QNAME, DNS_A, 60, "\x7f\0\0\x03", 4);
	add_record(&b, ANSWER, TO_QNAME, DNS_TXT, 10, "\1a", 2);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.ttl, 60);
	assert_true(r.authoritative);
	assert_true(dns_reply_ip(&r, 1, &ip));
	assert_string_equal(ip_text(&ip).s, "127.0.0.3");
	assert_false(dns_reply_ip(&r, 2, &ip));
}

static void test_aliases_and_ptr(void **state)
{
	struct dns_query q = query_of("4.3.2.1.in-addr.arpa", DNS_PTR);
	struct buf b = reply_to(&q, 0);
	struct dns_reply r;
	struct domain d;
	size_t alias_at;

	/* RFC 2317 delegation; the records in the wrong order on purpose */
	alias_at = b.len + 2 + 10;
	add_record(&b, ANSWER, TO_QNAME, DNS_CNAME, 50, "\2x4\1c\0", 6);
	uint8_t owner[2] = {0xc0, (uint8_t)alias_at};
	add_record(&b, ANSWER, owner, 2, DNS_PTR, 90, "\4mail\7example\0", 14);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.aliases, 1);
	assert_int_equal(r.ttl, 50);
	assert_true(dns_reply_name(&r, 0, &d));
	assert_string_equal(domain_text(&d).s, "mail.example");
	assert_string_equal(domain_text(&r.name).s, "x4.c");
}

static void test_text(void **state)
{
	struct dns_query q = query_of("2.0.0.127.bl.example", DNS_TXT);
	struct buf b = reply_to(&q, 0);
	_cleanup_buf_ struct buf text = BUF_INIT(600);
	struct dns_reply r;

	add_record(&b, ANSWER, TO_QNAME, DNS_TXT, 300, "\3one\0\4 two", 10);
	add_record(&b, ANSWER, TO_QNAME, DNS_TXT, 300, "\5one", 4);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_true(dns_reply_text(&r, 0, &text));
	assert_string_equal(text.ptr, "one two");
	assert_false(dns_reply_text(&r, 1, &text));
	assert_string_equal(text.ptr, "one two");
}

static void test_negative(void **state)
{
	struct dns_query q = query_of("1.0.0.127.bl.example", DNS_A);
	struct buf b = reply_to(&q, DNS_NXDOMAIN);
	struct dns_reply r;
	char soa[22] = {0};

	memcpy(soa + 18, "\0\0\0\x78", 4); /* MINIMUM 120 */
	add_record(&b, AUTHORITY, "\2bl\7example\0", 12, DNS_SOA, 900, soa, sizeof soa);
	add_record(&b, ADDITIONAL, "", 1, DNS_OPT, 0x01000000, "", 0);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_int_equal(r.rcode, DNS_NXDOMAIN + 16);
	assert_true(r.has_soa);
	assert_int_equal(r.negative_ttl, 120);
	assert_string_equal(domain_text(&r.zone).s, "bl.example");
}

static void test_strange(void **state)
{
	struct dns_query q = query_of("1.0.0.127.bl.example", DNS_A), other = q;
	struct dns_reply r;
	struct buf b;

	other.id++;
	b = reply_to(&other, 0);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_STRANGE);
	other = query_of("2.0.0.127.bl.example", DNS_A);
	b = reply_to(&other, 0);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_STRANGE);
	b = reply_to(&q, 0);
	b.ptr[2] = 0; /* a query, not a reply */
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_STRANGE);
	b = reply_to(&q, 0);
	b.ptr[Q + 11] = 'B'; /* case matters only when we mixed it */
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	q.mix_case = true;
	b = reply_to(&q, 0);
	b.ptr[Q + 11] = 'B';
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_STRANGE);
	for (size_t len = 0; len < 12; len++) {
		b = reply_to(&q, 0);
		b.len = len;
		assert_int_equal(parse(&b, &q, &r), DNS_REPLY_STRANGE);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *label, *rdata;
		size_t len;
	} cases[] = {
		{"alias points at itself", "\xc0\x0c", 2},
		{"alias points forwards", "\xc0\xff", 2},
		{"alias name is cut", "\3ab", 3},
		{"alias with bytes behind it", "\1a\0x", 4},
		{"alias with a reserved label type",
			"\x41"
			"a\0",
			3},
		{"alias is empty", "", 0},
	};
	struct dns_query q = query_of("1.0.0.127.bl.example", DNS_A);
	struct dns_reply r;
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		b = reply_to(&q, 0);
		add_record(&b, ANSWER, TO_QNAME, DNS_CNAME, 5, cases[i].rdata, cases[i].len);
		if (parse(&b, &q, &r) != DNS_REPLY_MALFORMED)
			fail_msg("%s", cases[i].label);
	}
	/* forwards, to where a good name stands */
	b = reply_to(&q, 0);
	uint8_t ahead[2] = {0xc0, (uint8_t)(b.len + 12 + 2 + 12)};
	add_record(&b, ANSWER, TO_QNAME, DNS_CNAME, 5, ahead, 2);
	add_record(&b, ANSWER, TO_QNAME, DNS_TXT, 5, "\1x\0", 3);
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_MALFORMED);
	b = reply_to(&q, 0);
	add_record(&b, ANSWER, TO_QNAME, DNS_A, 5, "\x7f\0\0\2", 4);
	b.len--;
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_MALFORMED);
	/* Cut and saying so: the caller goes to TCP. */
	b = reply_to(&q, DNS_TC);
	add_record(&b, ANSWER, TO_QNAME, DNS_A, 5, "\x7f\0\0\2", 4);
	b.len--;
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_true(r.truncated);
	assert_int_equal(r.count, 0);
	/* FORMERR without the question, as servers that do not know EDNS may send it */
	b = reply_to(&q, DNS_FORMERR);
	memset(b.ptr + 4, 0, 8);
	b.len = 12;
	assert_int_equal(parse(&b, &q, &r), DNS_REPLY_OK);
	assert_int_equal(r.rcode, DNS_FORMERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_bytes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_aliases_and_ptr),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_negative),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
