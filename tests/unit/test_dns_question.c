/* test_dns_question.c - what a server reads and writes: questions, records, compression, truncation. */
#include "test.h"

#include "dns/reply.h"
#include "dns/writer.h"

#define HEAD "\x12\x34\x01\x00"
#define ONE "\0\1\0\0\0\0\0\0"
#define ONE_OPT "\0\1\0\0\0\0\0\1"
#define NAME "\2BL\7example\0"
#define IN_A "\0\1\0\1"
#define OPT "\0\0\x29\x10\0\0\0\x80\0\0\0"

static void test_question_parse(void **state)
{
#define CASE(label, bytes, status)                                                                 \
	{                                                                                          \
		label, bytes, sizeof(bytes) - 1, DNS_QUESTION_##status                             \
	}
	static const struct {
		const char *label, *bytes;
		size_t len;
		enum dns_question_status want;
	} cases[] = {
		CASE("plain", HEAD ONE NAME IN_A, OK),
		CASE("root", HEAD ONE "\0" IN_A, OK),
		CASE("with OPT", HEAD ONE_OPT NAME IN_A OPT, OK),
		CASE("answers in a question",
			HEAD "\0\1\0\1\0\0\0\0" NAME IN_A "\0\0\1\0\1\0\0\0\0\0\0", OK),
		CASE("empty", "", IGNORE),
		CASE("eleven bytes", HEAD "\0\1\0\0\0\0\0", IGNORE),
		CASE("a reply", "\x12\x34\x80\x00" ONE NAME IN_A, IGNORE),
		CASE("notify", "\x12\x34\x20\x00" ONE NAME IN_A, NOTIMP),
		CASE("no question", HEAD "\0\0\0\0\0\0\0\0", FORMERR),
		CASE("two questions", HEAD "\0\2\0\0\0\0\0\0" NAME IN_A NAME IN_A, FORMERR),
		CASE("name cut", HEAD ONE "\2BL\7exam", FORMERR),
		CASE("name without root", HEAD ONE "\2BL", FORMERR),
		CASE("no type", HEAD ONE NAME, FORMERR),
		CASE("half a class", HEAD ONE NAME "\0\1\0", FORMERR),
		CASE("compressed name", HEAD ONE "\2BL\xc0\x0c" IN_A, FORMERR),
		CASE("reserved label",
			HEAD ONE "\x42"
				 "BL\0" IN_A,
			FORMERR),
		CASE("garbage behind", HEAD ONE NAME IN_A "x", FORMERR),
		CASE("record missing", HEAD ONE_OPT NAME IN_A, FORMERR),
		CASE("record cut", HEAD ONE_OPT NAME IN_A "\0\0\x29\x10\0\0\0\x80\0\0\1", FORMERR),
		CASE("two OPT", HEAD "\0\1\0\0\0\0\0\2" NAME IN_A OPT OPT, FORMERR),
		CASE("OPT with a name", HEAD ONE_OPT NAME IN_A "\1a" OPT, FORMERR),
		CASE("OPT as answer", HEAD "\0\1\0\1\0\0\0\0" NAME IN_A OPT, FORMERR),
		CASE("option cut", HEAD ONE_OPT NAME IN_A "\0\0\x29\x10\0\0\0\x80\0\0\4\0\x0a\0\1",
			FORMERR),
		CASE("option whole",
			HEAD ONE_OPT NAME IN_A "\0\0\x29\x10\0\0\0\x80\0\0\5\xfd\xe9\0\1x", OK),
		CASE("option past the end",
			HEAD ONE_OPT NAME IN_A "\0\0\x29\x10\0\0\0\x80\0\0\5\0\x0a\xff\xffx",
			FORMERR),
	};
#undef CASE
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice s = exact(cases[i].bytes, cases[i].len);
		struct dns_question q;
		enum dns_question_status got = dns_question_parse(s, &q);
		if (got != cases[i].want)
			fail_msg("%s: got %d", cases[i].label, got);
		if (got != DNS_QUESTION_IGNORE)
			assert_int_equal(q.id, 0x1234);
		exact_free(s);
	}
}

static void test_cookie_alone(void **state)
{
	struct slice s = exact(HEAD "\0\0\0\0\0\0\0\1"
				    "\0\0\x29\x10\0\0\0\0\0\0\x0c\0\x0a\0\x08"
				    "8 bytes.",
		12 + 11 + 12);
	struct dns_question q;

	memset(&q, 0xff, sizeof q); /* nothing of an earlier question may show through */
	assert_int_equal(dns_question_parse(s, &q), DNS_QUESTION_OK);
	assert_int_equal(q.end | q.type | q.class, 0);
	assert_int_equal(q.options.cookie_len, 8);
	exact_free(s);
}

static void test_question_fields(void **state)
{
	struct slice s = exact(HEAD ONE_OPT NAME IN_A OPT, 12 + 12 + 4 + 11);
	struct dns_question q;

	assert_int_equal(dns_question_parse(s, &q), DNS_QUESTION_OK);
	assert_string_equal(domain_text(&q.name).s, "bl.example");
	assert_int_equal(q.name.labels, 2);
	assert_int_equal(q.label_at[1], 3);
	assert_int_equal(q.label_at[2], 11);
	assert_int_equal(q.end, 28);
	assert_int_equal(q.udp_size, 4096);
	assert_true(q.edns && q.dnssec_ok && !q.tsig);
	exact_free(s);
}

static void test_long_names(void **state)
{
	/* 127 labels of one byte are 255 bytes; one byte more is not a name. */
	for (unsigned longer = 0; longer < 2; longer++) {
		struct buf b = BUF_INIT(1000);
		struct dns_question q;
		buf_add(&b, HEAD ONE, 12);
		for (unsigned i = 0; i < 126; i++)
			buf_add(&b, "\1a", 2);
		buf_add(&b, longer ? "\2ab" : "\1a", 2 + longer);
		buf_add(&b, "\0" IN_A, 5);
		struct slice s = exact(b.ptr, b.len);
		assert_int_equal(
			dns_question_parse(s, &q), longer ? DNS_QUESTION_FORMERR : DNS_QUESTION_OK);
		if (!longer)
			assert_int_equal(q.name.labels, 127);
		exact_free(s);
		buf_done(&b);
	}
}

static struct dns_question question(struct slice s)
{
	struct dns_question q;

	assert_int_equal(dns_question_parse(s, &q), DNS_QUESTION_OK);
	return q;
}

static struct domain name_of(const char *s)
{
	struct domain d;

	assert_true(domain_parse(slice_str(s), &d, NULL));
	return d;
}

static void test_compression(void **state)
{
	struct slice s = exact(HEAD ONE NAME "\0\2\0\1", 28);
	struct dns_question q = question(s);
	struct domain names[] = {name_of("ns1.bl.example"), name_of("ns2.other"),
		name_of("ns3.other"), name_of("bl.example"), name_of("xbl.example")};
	_cleanup_buf_ struct buf got = BUF_INIT(1000);
	uint8_t out[DNS_UDP_PLAIN];
	struct dns_writer w;

	dns_writer_start(&w, out, sizeof out, s, &q);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		dns_record_begin(&w, DNS_HEADER_SIZE, DNS_NS, 60);
		dns_record_name(&w, &names[i]);
		assert_true(dns_record_end(&w, DNS_ANSWER));
		buf_add(&got, w.rdata, (size_t)(w.at - w.rdata));
	}
	size_t n = dns_writer_finish(&w, DNS_AA, DNS_NOERROR);

	/* All of it reads back as the same names, and none is written twice. */
	size_t at = q.end;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct dns_record rec;
		struct domain d;
		at = dns_record_read(slice_of(out, n), at, &rec);
		assert_true(dns_name_read(slice_of(out, n), rec.rdata, &d) != 0);
		assert_true(domain_eq(&d, &names[i]));
	}
	assert_int_equal(at, n);
	assert_int_equal(got.len, 6 + 11 + 6 + 2 + 6);
	exact_free(s);
}

/* The bytes of "zz" stand at the end of the question, but inside a label: no place to point at. */
static void test_compression_keeps_to_labels(void **state)
{
	struct slice s = exact(HEAD ONE "\4y\2zz\0\0\2\0\1", 12 + 6 + 4);
	struct dns_question q = question(s);
	struct domain name = name_of("zz"), d;
	uint8_t out[DNS_UDP_PLAIN];
	struct dns_writer w;

	dns_writer_start(&w, out, sizeof out, s, &q);
	dns_record_begin(&w, DNS_HEADER_SIZE, DNS_NS, 60);
	dns_record_name(&w, &name);
	assert_true(dns_record_end(&w, DNS_ANSWER));
	assert_int_equal(w.at - w.rdata, 4);
	assert_true(dns_name_read(slice_of(out, (size_t)(w.at - out)), (size_t)(w.rdata - out), &d)
		    != 0);
	assert_true(domain_eq(&d, &name));
	exact_free(s);
}

static void test_truncation(void **state)
{
	struct slice s = exact(HEAD ONE_OPT NAME IN_A OPT, 39);
	struct dns_question q = question(s);
	uint8_t *out = mem_new(1, DNS_UDP_PLAIN); /* of exact size: ASan sees a byte too many */
	static const char big[600];
	struct dns_writer w;
	unsigned kept = 0;
	size_t n;

	dns_writer_start(&w, out, DNS_UDP_PLAIN, s, &q);
	for (unsigned i = 0; i < 100; i++) {
		dns_record_begin(&w, DNS_HEADER_SIZE, DNS_A, 60);
		dns_record_u32(&w, 0x7f000002);
		kept += dns_record_end(&w, DNS_ANSWER);
	}
	n = dns_writer_finish(&w, DNS_AA, DNS_NOERROR);
	assert_int_equal(kept, (512 - 28 - 11) / 16);
	assert_int_equal(n, 28 + 11 + kept * 16);
	assert_int_equal(dns_u16(out + 2), DNS_QR | DNS_AA | DNS_TC | DNS_RD);
	assert_int_equal(dns_u16(out + 6), kept);
	/* an authority section that does not fit is only left out */
	dns_writer_start(&w, out, DNS_UDP_PLAIN, s, &q);
	dns_record_begin(&w, DNS_HEADER_SIZE, DNS_TXT, 60);
	dns_record_text(&w, slice_of(big, sizeof big));
	assert_false(dns_record_end(&w, DNS_AUTHORITY));
	n = dns_writer_finish(&w, 0, DNS_BADVERS);
	assert_int_equal(dns_u16(out + 2), DNS_QR | DNS_RD);
	assert_int_equal(n, 39);
	assert_int_equal(out[28 + 5], 1);    /* 16 >> 4 */
	assert_int_equal(out[28 + 7], 0x80); /* DO */
	free(out);
	exact_free(s);
}

static void test_text_is_cut_into_strings(void **state)
{
	struct slice s = exact(HEAD ONE NAME "\0\x10\0\1", 28);
	struct dns_question q = question(s);
	uint8_t out[1500];
	char text[300];
	struct dns_writer w;
	struct dns_record rec;
	size_t n;

	memset(text, 'x', sizeof text);
	dns_writer_start(&w, out, sizeof out, s, &q);
	dns_record_begin(&w, DNS_HEADER_SIZE, DNS_TXT, 60);
	dns_record_text(&w, slice_of(text, sizeof text));
	assert_true(dns_record_end(&w, DNS_ANSWER));
	dns_record_begin(&w, DNS_HEADER_SIZE, DNS_TXT, 60);
	dns_record_text(&w, SLICE_EMPTY);
	assert_true(dns_record_end(&w, DNS_ANSWER));
	n = dns_writer_finish(&w, 0, 0);
	n = dns_record_read(slice_of(out, n), q.end, &rec);
	assert_int_equal(rec.rdata_len, 302);
	assert_int_equal(out[rec.rdata], 255);
	assert_int_equal(out[rec.rdata + 256], 45);
	dns_record_read(slice_of(out, sizeof out), n, &rec);
	assert_int_equal(rec.rdata_len, 1);
	exact_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_parse),
		cmocka_unit_test(test_cookie_alone),
		cmocka_unit_test(test_question_fields),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_compression_keeps_to_labels),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_text_is_cut_into_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
