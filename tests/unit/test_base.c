/* test_base.c - addresses, names, spans of time, buffers, arenas. */
#include "test.h"

#include "base/arena.h"
#include "base/domain.h"
#include "base/duration.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/siphash.h"

static void slices(void **state)
{
	struct slice rest = slice_str("a,,b"), word;
	uint64_t v;

	(void)state;
	assert_true(slice_cut(&rest, ',', &word) && slice_eq(word, SLICE("a")));
	assert_true(slice_cut(&rest, ',', &word) && word.len == 0);
	assert_true(slice_cut(&rest, ',', &word) && slice_eq(word, SLICE("b")));
	assert_false(slice_cut(&rest, ',', &word));
	assert_true(slice_u64(SLICE("65535"), 65535, &v) && v == 65535);
	assert_false(slice_u64(SLICE("65536"), 65535, &v));
	assert_false(slice_u64(SLICE("18446744073709551616"), UINT64_MAX, &v));
	assert_true(slice_u64(SLICE("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
	assert_false(slice_u64(SLICE(""), 9, &v));
	assert_false(slice_u64(SLICE("-1"), 9, &v));
	assert_int_equal(slice_find_nocase(SLICE("Hello World"), SLICE("WORLD")), 6);
}

static void buffers_keep_their_limit(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_addf(&b, "%d", 1234567);
	assert_false(b.failed);
	buf_add_str(&b, "89");
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "1234567");
	buf_add_char(&b, 'x'); /* stays failed though it would fit */
	assert_int_equal(b.len, 7);
	buf_reset(&b);
	buf_add_u32(&b, 0x01020304);
	buf_add_u16(&b, 0x0506);
	buf_consume(&b, 3);
	assert_memory_equal(b.ptr, "\x04\x05\x06", 3);
	buf_done(&b);
}

static void arenas_keep_their_limit(void **state)
{
	struct arena *a = arena_new(100000);

	(void)state;
	for (int i = 0; i < 90; i++)
		assert_non_null(arena_alloc(a, 1000));
	assert_non_null(arena_alloc(a, 8000));
	assert_null(arena_alloc(a, 50000));
	assert_true(arena_failed(a));
	arena_reset(a);
	assert_false(arena_failed(a));
	assert_true(slice_eq(arena_copy(a, SLICE("abc")), SLICE("abc")));
	assert_null(arena_free(a));
}

static void addresses(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8::1", "2001:db8::1"},
		{"IPv6:::1", "::1"},
		{"192.0.2.01", NULL},
		{"192.0.2", NULL},
		{"1.2.3.256", NULL},
		{"", NULL},
		{":::", NULL},
		{"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
		{"fe80::1%eth0", NULL},
	};
	char reversed[IP_REVERSED_MAX];
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool ok = ip_parse(slice_str(cases[i].in), &ip);
		assert_int_equal(ok, cases[i].out != NULL);
		if (ok)
			assert_string_equal(ip_text(&ip).s, cases[i].out);
	}
	assert_true(ip_parse(SLICE("::ffff:1.2.3.4"), &ip));
	ip = ip_unmap(ip);
	assert_string_equal(ip_text(&ip).s, "1.2.3.4");
	ip_reversed(&ip, reversed);
	assert_string_equal(reversed, "4.3.2.1");
	assert_true(ip_parse(SLICE("2001:db8::567:89ab"), &ip));
	ip_reversed(&ip, reversed);
	assert_string_equal(
		reversed, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
}

static void prefixes(void **state)
{
	struct prefix p, q;
	struct ip ip;
	struct err err;

	(void)state;
	assert_true(prefix_parse(SLICE("192.0.2.0/24"), &p, &err));
	assert_true(ip_parse(SLICE("192.0.2.255"), &ip) && prefix_contains(&p, &ip));
	assert_true(ip_parse(SLICE("192.0.3.0"), &ip) && !prefix_contains(&p, &ip));
	assert_false(prefix_parse(SLICE("192.0.2.1/24"), &p, &err));
	assert_non_null(strstr(err.text, "192.0.2.0/24"));
	assert_false(prefix_parse(SLICE("192.0.2.0/33"), &p, &err));
	assert_true(prefix_parse(SLICE("2001:db8::/32"), &q, &err));
	assert_true(prefix_is_special(&q));
	assert_true(prefix_parse(SLICE("8.8.8.8"), &q, &err) && !prefix_is_special(&q));
	assert_string_equal(prefix_text(&q).s, "8.8.8.8");
	assert_true(prefix_parse(SLICE("0.0.0.0/0"), &q, &err) && prefix_is_special(&q));
	assert_true(ip_parse(SLICE("10.1.2.3"), &ip) && ip_is_special(&ip));
	assert_true(ip_parse(SLICE("2a00:1450::1"), &ip) && !ip_is_special(&ip));
}

static void domains(void **state)
{
	struct domain d, e, joined;
	struct err err;
	char longest[300];

	(void)state;
	assert_true(domain_parse(SLICE("WWW.Example."), &d, &err));
	assert_string_equal(domain_text(&d).s, "www.example");
	assert_int_equal(d.labels, 2);
	assert_true(domain_parse(SLICE("example"), &e, &err));
	assert_true(domain_is_under(&d, &e) && !domain_is_under(&e, &d));
	assert_true(domain_join(&d, &e, &joined));
	assert_string_equal(domain_text(&joined).s, "www.example.example");
	assert_true(domain_parse(SLICE("a\\.b\\032c.x"), &d, &err));
	assert_int_equal(d.labels, 2);
	assert_string_equal(domain_text(&d).s, "a\\.b\\032c.x");
	assert_false(domain_parse(SLICE("a..b"), &d, &err));
	assert_false(domain_parse(SLICE(".a"), &d, &err));
	assert_false(domain_parse(SLICE("a b"), &d, &err));
	assert_false(domain_parse(SLICE(""), &d, &err));
	assert_true(domain_parse(SLICE("."), &d, &err) && d.len == 1 && d.labels == 0);
	assert_true(domain_parse_idn(SLICE("例え.テスト"), &d, &err));
	assert_string_equal(domain_text(&d).s, "xn--r8jz45g.xn--zckzah");
	memset(longest, 'a', sizeof longest);
	for (int i = 63; i < 250; i += 64)
		longest[i] = '.';
	assert_true(domain_parse(slice_of(longest, 253), &d, &err));
	assert_int_equal(d.len, 255);
	assert_true(domain_from_wire(d.wire, d.len, &e) && domain_eq(&d, &e));
	assert_false(domain_from_wire(d.wire, d.len - 1u, &e));
	assert_false(domain_parse(slice_of(longest, 254), &d, &err));
	assert_false(domain_parse(
		slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64),
		&d, &err));
}

static void times(void **state)
{
	int64_t v;

	(void)state;
	assert_true(duration_parse(SLICE("1d12h"), &v) && v == 129600);
	assert_string_equal(duration_text(129600).s, "1d12h");
	assert_true(duration_parse(SLICE("90"), &v) && v == 90);
	assert_false(duration_parse(SLICE("d"), &v));
	assert_false(duration_parse(SLICE("200000w"), &v));
	assert_true(time_parse(SLICE("2026-11-24T03:25:00Z"), &v));
	assert_string_equal(time_text(v).s, "2026-11-24T03:25:00Z");
}

static void siphash_of_its_paper(void **state)
{
	uint8_t key[16], in[15];

	(void)state;
	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (int i = 0; i < 15; i++)
		in[i] = (uint8_t)i;
	/* Appendix A of the SipHash paper. */
	assert_int_equal(siphash(key, slice_of(in, 15)), 0xa129ca6149be45e5);
}

static void quoted_words_stay_on_one_line(void **state)
{
	(void)state;
	assert_string_equal(log_quote(SLICE("a\"b\nc")).s, "\"a\\\"b\\x0ac\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices),
		cmocka_unit_test(buffers_keep_their_limit),
		cmocka_unit_test(arenas_keep_their_limit),
		cmocka_unit_test(addresses),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(domains),
		cmocka_unit_test(times),
		cmocka_unit_test(siphash_of_its_paper),
		cmocka_unit_test(quoted_words_stay_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
