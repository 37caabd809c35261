/* test_dns_edns.c - EDNS options and cookies, with the examples of RFC 9018. */
#include "test.h"

#include "dns/cookie.h"

static struct slice hex(const char *text, uint8_t *dst)
{
	size_t n = 0;

	for (; text[0] && text[1]; text += 2)
		dst[n++] = (uint8_t)(ascii_hex(text[0]) << 4 | ascii_hex(text[1]));
	return slice_of(dst, n);
}

static void test_options(void **state)
{
	static const struct {
		const char *label, *bytes;
		bool ok, nsid, keepalive;
		unsigned cookie_len;
	} cases[] = {
		{"none", "", true, false, false, 0},
		{"NSID", "00030000", true, true, false, 0},
		{"keepalive", "000b0000", true, false, true, 0},
		{"keepalive with a time", "000b00020064", true, false, true, 0},
		{"keepalive of one byte", "000b000100", false, false, false, 0},
		{"unknown", "fde90003010203", true, false, false, 0},
		{"two", "fde900010100030000", true, true, false, 0},
		{"cookie",
			"000a0008"
			"0102030405060708",
			true, false, false, 8},
		{"cookie of both",
			"000a0010"
			"0102030405060708"
			"0102030405060708",
			true, false, false, 16},
		{"no cookie", "000a0000", false, false, false, 0},
		{"short cookie", "000a000701020304050607", false, false, false, 0},
		{"between",
			"000a000901020304050607"
			"0809",
			false, false, false, 0},
		{"first of two cookies",
			"000a0008"
			"0102030405060708"
			"000a0010"
			"1102030405060708"
			"0102030405060708",
			true, false, false, 8},
		{"head cut", "000300", false, false, false, 0},
		{"value cut",
			"00030002"
			"01",
			false, false, false, 0},
		{"longer than all", "0003ffff", false, false, false, 0},
		{"bytes behind", "0003000001", false, false, false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t bytes[128];
		struct slice s = hex(cases[i].bytes, bytes);
		struct dns_options o;
		s = exact(s.ptr, s.len);
		dns_options_init(&o);
		bool ok = dns_options_parse((const uint8_t *)s.ptr, s.len, &o);
		if (ok != cases[i].ok
			|| (ok
				&& (o.nsid != cases[i].nsid || o.keepalive != cases[i].keepalive
					|| o.cookie_len != cases[i].cookie_len)))
			fail_msg("%s", cases[i].label);
		if (ok && o.cookie_len)
			assert_int_equal(o.cookie[0], 1);
		exact_free(s);
	}
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(slice_str(text), &ip));
	return ip;
}

/* RFC 9018, appendix A: what came, when, from whom, and what goes back. */
static void test_cookie_examples(void **state)
{
	static const struct {
		const char *label, *secret, *client, *cookie, *made;
		uint32_t now_s;
		enum dns_cookie_state want;
	} cases[] = {
		{"A.1", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", "2464c4abcf10c957",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559731985,
			DNS_COOKIE_BAD},
		{"A.2", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480",
			"2464c4abcf10c957010000005cf7a871d4a564a1442aca77", 1559734385,
			DNS_COOKIE_OLD},
		{"A.3", "e5e973e5a6b2a43f48e7dc849e37bfcf", "203.0.113.203",
			"fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
			"fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e", 1559734700,
			DNS_COOKIE_BAD},
		{"A.3 when it was made: reserved bytes are hashed as they came",
			"e5e973e5a6b2a43f48e7dc849e37bfcf", "203.0.113.203",
			"fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", NULL, 0x5cf78f71,
			DNS_COOKIE_GOOD},
		{"A.4, old secret", "dd3bdf9344b678b185a6f5cb60fca715",
			"2001:db8:220:1:59de:d0f4:8769:82b8",
			"22681ab97d52c298010000005cf7c57926556bd0934c72f8", NULL, 1559741961,
			DNS_COOKIE_GOOD},
		{"A.4, new secret", "445536bcd2513298075a5d379663c962",
			"2001:db8:220:1:59de:d0f4:8769:82b8",
			"22681ab97d52c298010000005cf7c57926556bd0934c72f8",
			"22681ab97d52c298010000005cf7c609a6bb79d16625507a", 1559741961,
			DNS_COOKIE_BAD},
		{"another address", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.101",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985,
			DNS_COOKIE_BAD},
		{"another client part", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c958010000005cf79f111f8130c3eee29480", NULL, 1559731985,
			DNS_COOKIE_BAD},
		{"an hour old", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985 + 3600,
			DNS_COOKIE_OLD},
		{"older", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985 + 3601,
			DNS_COOKIE_BAD},
		{"half an hour old", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985 + 1800,
			DNS_COOKIE_GOOD},
		{"five minutes ahead", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985 - 300,
			DNS_COOKIE_GOOD},
		{"further", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480", NULL, 1559731985 - 301,
			DNS_COOKIE_BAD},
		{"another version", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100",
			"2464c4abcf10c957020000005cf79f111f8130c3eee29480", NULL, 1559731985,
			DNS_COOKIE_BAD},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t secret[16], made[DNS_COOKIE_SIZE], want[DNS_COOKIE_SIZE];
		struct ip client = ip_of(cases[i].client);
		struct dns_options o;
		hex(cases[i].secret, secret);
		o.cookie_len = (uint8_t)hex(cases[i].cookie, o.cookie).len;
		enum dns_cookie_state got = dns_cookie_check(secret, &client, cases[i].now_s, &o);
		if (got != cases[i].want)
			fail_msg("%s: state %d", cases[i].label, got);
		if (!cases[i].made)
			continue;
		memcpy(made, o.cookie, DNS_COOKIE_CLIENT);
		dns_cookie_make(secret, &client, cases[i].now_s, made);
		hex(cases[i].made, want);
		assert_memory_equal(made, want, sizeof want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_cookie_examples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
