/* test_dns_xfr.c - zone transfers as they come in: whole, by changes, up to date, and everything that is none. */
#include "test.h"

#include "base/attr.h"
#include "dns/bulk.h"
#include "dns/xfr.h"

#define ID 7

/* A word of the alphabet that scripts of messages are written in: "5" is the SOA of serial 5, "a".."f" a record,
 * "|" begins a new message, "x" a record outside of the zone. */
static void soa_rdata(struct buf *b, uint32_t serial)
{
	buf_add(b, "\2ns\0\1h\0", 7);
	buf_add_u32(b, serial);
	for (unsigned i = 0; i < 4; i++)
		buf_add_u32(b, 60);
}

static size_t message(uint8_t dst[4096], uint16_t type, const char **script)
{
	struct dns_bulk_head h = {.id = ID, .flags = DNS_QR | DNS_AA, .type = type};
	struct dns_bulk b;
	struct domain owner;

	assert_true(domain_parse(SLICE("bl.example"), &h.zone, NULL));
	dns_bulk_start(&b, dst, 4096, &h);
	for (; **script && **script != '|'; ++*script) {
		_cleanup_buf_ struct buf rdata = BUF_INIT(100);
		char name[] = "?.bl.example";
		if (ascii_is_digit(**script)) {
			soa_rdata(&rdata, (uint32_t)(**script - '0'));
			assert_true(dns_bulk_add(&b, &h.zone, DNS_SOA, 60, buf_slice(&rdata)));
			continue;
		}
		name[0] = **script;
		assert_true(domain_parse(
			**script == 'x' ? SLICE("x.other") : slice_str(name), &owner, NULL));
		assert_true(dns_bulk_add(&b, &owner, DNS_A, 60, slice_of("\177\0\0\2", 4)));
	}
	*script += **script == '|';
	return dns_bulk_finish(&b);
}

static bool note(void *ctx, enum xfr_op op, const struct xfr_record *r, struct err *err)
{
	struct buf *to = ctx;

	(void)err;
	if (op == XFR_WHOLE) {
		buf_add_str(to, "=");
		return true;
	}
	buf_add_str(to, op == XFR_ADD ? "+" : "-");
	if (r->type == DNS_SOA) {
		struct dns_soa soa;
		assert_true(dns_soa_read(r->rdata, &soa));
		buf_addf(to, "%u", soa.serial);
	} else {
		buf_add_char(to, (char)r->owner.wire[1]);
	}
	return true;
}

/* What came of it: "bad", "more", "same", or the operations. */
static void run(struct buf *to, bool by_changes, const char *script)
{
	uint32_t ours = 3;
	uint8_t bytes[4096];
	struct domain zone;
	struct xfr x;
	struct err err;
	bool ok = true;

	assert_true(domain_parse(SLICE("bl.example"), &zone, NULL));
	xfr_start(&x, &zone, ID, by_changes ? &ours : NULL, note, to);
	while (ok && *script) {
		unsigned rcode;
		size_t n = message(bytes, by_changes ? DNS_IXFR : DNS_AXFR, &script);
		struct slice m = exact((char *)bytes, n);
		ok = xfr_take(&x, m, &rcode, &err);
		exact_free(m);
	}
	if (!ok || x.state != XFR_DONE) {
		buf_reset(to);
		buf_add_str(to, !ok ? "bad" : x.state == XFR_SAME ? "same" : "more");
	}
	xfr_done(&x);
}

static void test_scripts(void **state)
{
	static const struct {
		bool by_changes;
		const char *script, *result;
	} cases[] = {
		{false, "5ab5", "=+5+a+b"},
		{false, "5|a|b|5", "=+5+a+b"},
		{false, "5axb5", "=+5+a+b"},
		{false, "5ab", "more"},
		{false, "5", "more"},
		{false, "55", "bad"},
		{false, "a5", "bad"},
		{false, "5a6", "bad"}, /* changed meanwhile */
		{false, "5a5b", "bad"},
		{false, "5a5|b", "bad"},
		{true, "3", "same"},
		{true, "2", "same"}, /* the server is behind */
		{true, "5", "more"},
		{true, "5|ab5", "=+5+a+b"},
		{true, "5ab5", "=+5+a+b"},
		{true, "53a5b5", "-3-a+5+b"},
		{true, "5|3|a|5|b|5", "-3-a+5+b"},
		{true, "535", "more"},
		{true, "5355", "-3+5"},
		{true, "53a4b4c5d5", "-3-a+4+b-4-c+5+d"},
		{true, "53a4b", "more"},
		{true, "54a5b5", "bad"}, /* from a version that is not ours */
		{true, "53a2b", "bad"},	 /* backwards */
		{true, "53a4b3", "bad"},
		{true, "53a5b5c", "bad"},
		{true, "55", "bad"},
	};
	_cleanup_buf_ struct buf got = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&got);
		run(&got, cases[i].by_changes, cases[i].script);
		if (strcmp(buf_str(&got), cases[i].result) != 0)
			fail_msg("%s: %s, not %s", cases[i].script, buf_str(&got), cases[i].result);
	}
}

/* Of the first message everything is looked at. */
static void test_heads(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} spoilt[] = {{1, 8}, {2, 4}, {2, 0xa4}, {2, 0x86}, {3, 5}, {5, 0}, {5, 2}, {7, 0},
		{13, 'x'}, {25, 1}};
	uint8_t bytes[4096];
	struct domain zone;
	struct err err;
	unsigned rcode;

	(void)state;
	assert_true(domain_parse(SLICE("bl.example"), &zone, NULL));
	for (size_t i = 0; i <= ARRAY_LEN(spoilt); i++) {
		_cleanup_buf_ struct buf got = BUF_INIT(100);
		const char *script = "5ab5";
		size_t n = message(bytes, DNS_AXFR, &script);
		struct xfr x;
		if (i < ARRAY_LEN(spoilt))
			bytes[spoilt[i].at] = spoilt[i].value;
		xfr_start(&x, &zone, ID, NULL, note, &got);
		assert_int_equal(
			xfr_take(&x, slice_of(bytes, n), &rcode, &err), i == ARRAY_LEN(spoilt));
		if (i < ARRAY_LEN(spoilt) && spoilt[i].at == 3)
			assert_int_equal(rcode, DNS_REFUSED);
		xfr_done(&x);
	}
}

static void test_question(void **state)
{
	_cleanup_buf_ struct buf rdata = BUF_INIT(100);
	uint8_t q[XFR_QUESTION_MAX];
	struct dns_record rec;
	struct domain zone;
	uint32_t ours = 3;
	struct xfr x;
	size_t n, at;

	(void)state;
	soa_rdata(&rdata, 3);
	assert_true(domain_parse(SLICE("bl.example"), &zone, NULL));
	xfr_start(&x, &zone, ID, &ours, note, NULL);
	n = xfr_question(&x, buf_slice(&rdata), q);
	assert_memory_equal(q, "\0\7\0\0\0\1\0\0\0\1\0\0", 12);
	at = DNS_HEADER_SIZE + zone.len + 4u;
	assert_int_equal(dns_u16(q + at - 4), DNS_IXFR);
	assert_int_equal(dns_record_read(slice_of(q, n), at, &rec), n);
	assert_int_equal(rec.type, DNS_SOA);
	xfr_done(&x);
	xfr_start(&x, &zone, ID, NULL, note, NULL);
	assert_int_equal(xfr_question(&x, SLICE_EMPTY, q), at);
	xfr_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
