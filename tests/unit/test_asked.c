/* test_asked.c - "4.3.2.1" and nibbles read from names, beside a reader that takes them digit by digit. */
#include "test.h"

#include "index/index.h"

#include <stdio.h>

static uint64_t dice = 1;

static uint32_t below(uint32_t bound)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((dice >> 33) % bound);
}

/* Wire form without the root label; dots between labels. */
static size_t wire_of(const char *text, uint8_t *dst)
{
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, ".");

		dst[n] = (uint8_t)len;
		memcpy(dst + n + 1, text, len);
		n += len + 1;
		text += len + (text[len] == '.');
	}
	return n;
}

static bool plain_ip4(const char *text, uint32_t *ret)
{
	uint32_t address = 0;

	for (unsigned i = 0; i < 4; i++) {
		size_t len = strspn(text, "0123456789");
		unsigned value = 0;

		for (size_t k = 0; k < len; k++)
			value = value * 10 + (unsigned)(text[k] - '0');
		if (len < 1 || len > 3 || value > 255 || text[len] != (i < 3 ? '.' : '\0'))
			return false;
		address |= value << (8 * i);
		text += len + 1;
	}
	*ret = address;
	return true;
}

static bool plain_ip6(const char *text, uint8_t ret[16])
{
	if (strlen(text) != 63)
		return false;
	for (unsigned i = 0; i < 32; i++) {
		char c = text[2 * i];
		const char *at = strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c);

		if (!c || !at || (i < 31 && text[2 * i + 1] != '.'))
			return false;
		uint8_t v = (uint8_t)(strlen("0123456789abcdef") - strlen(at));
		ret[15 - i / 2] = (uint8_t)(i % 2 ? v << 4 | ret[15 - i / 2] : v);
	}
	return true;
}

/* A front of bytes of which asked_front() may read no more than it says. */
static size_t front_of(const uint8_t *bytes, size_t len, struct asked *ret)
{
	uint8_t padded[300] = "123";
	struct slice name;
	size_t front;

	memcpy(padded + ASKED_BEFORE, bytes, len);
	memset(padded + ASKED_BEFORE + len, '1',
		len < ASKED_FRONT_READS ? ASKED_FRONT_READS - len : 0);
	name = exact((const char *)padded,
		ASKED_BEFORE + (len < ASKED_FRONT_READS ? ASKED_FRONT_READS : len));
	front = asked_front((const uint8_t *)name.ptr + ASKED_BEFORE, len, ret);
	exact_free(name);
	return front;
}

static void check(const char *text)
{
	uint8_t wire[300], ip6[16] = {0};
	size_t n = wire_of(text, wire);
	struct asked q, counted;
	struct slice name;
	uint32_t ip4 = 0;
	char longer[300];
	size_t front;
	unsigned labels = 0;
	bool is_ip4 = plain_ip4(text, &ip4), is_ip6 = plain_ip6(text, ip6);

	for (size_t i = 0; i < n; i += wire[i] + 1u)
		labels++;
	wire[n] = 0;
	name = exact((const char *)wire, n + 1);
	counted = asked_of((const uint8_t *)name.ptr, n + 1, labels);
	exact_free(name);
	snprintf(longer, sizeof longer, "%s.example", text);
	wire_of(longer, wire);
	front = front_of(wire, n + 9, &q);
	/* Of five labels the first four may be an address. */
	if (is_ip4 || is_ip6 ? front != n : front == n)
		fail_msg("'%s' is taken for something else in front", text);
	if (counted.labels != labels || counted.is_ip6 != is_ip6
		|| (!is_ip6 && counted.is_ip4 != is_ip4)
		|| (front == n
			&& (q.labels != labels || q.is_ip6 != is_ip6 || q.is_ip4 != counted.is_ip4
				|| q.is_mapped != counted.is_mapped)))
		fail_msg("'%s' is taken for something else", text);
	if (is_ip4)
		assert_true(q.ip4 == ip4 && counted.ip4 == ip4);
	if (is_ip6) {
		assert_memory_equal(q.ip6, ip6, 16);
		assert_memory_equal(counted.ip6, ip6, 16);
	}
}

/* Octets as people and attackers write them, one byte wrong now and then. */
static void test_octets(void **state)
{
	static const char *const odd[] = {"256", "999", "00", "007", "1a", "a", "0000", "/", ":"};
	char text[64];

	for (unsigned i = 0; i < 20000; i++) {
		size_t n = 0;

		for (unsigned k = 0; k < 4 + (below(20) == 0); k++) {
			const char *dot = k ? "." : "";

			if (below(20) == 0)
				n += (size_t)snprintf(
					text + n, sizeof text - n, "%s%s", dot, odd[below(9)]);
			else
				n += (size_t)snprintf(
					text + n, sizeof text - n, "%s%u", dot, below(256));
		}
		check(text);
	}
	for (unsigned c = 1; c < 256; c++)
		for (unsigned at = 0; at < 11; at++) {
			char bytes[] = "12.3.45.678";

			if (bytes[at] == '.' || c == '.')
				continue;
			bytes[at] = (char)c;
			check(bytes);
		}
}

static void test_nibbles(void **state)
{
	char text[64];

	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned k = 0; k < 32; k++) {
			text[2 * k] = "0123456789abcdef"[below(16)];
			text[2 * k + 1] = '.';
		}
		if (i % 4 == 0) /* 6to4 and mapped */
			memcpy(text + (i % 8 ? 56 : 16),
				i % 8 ? "2.0.0.2"
				      : "f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
				i % 8 ? 7 : 47);
		text[63] = '\0';
		if (i % 2 && below(2)) {
			unsigned c = 1 + below(255);
			text[2 * below(32)] = (char)(c == '.' ? '0' : c);
		}
		check(text);
	}
}

static void test_ip4_inside(void **state)
{
	struct asked q;
	uint8_t wire[300];
	size_t n = wire_of("2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", wire);

	wire[n] = 0;
	q = asked_of(wire, n + 1, 32);
	assert_true(q.is_ip6 && q.is_mapped && q.is_ip4 && q.ip4 == 0x7f000002);
	n = wire_of("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.2.0.2.0.0.2", wire);
	wire[n] = 0;
	q = asked_of(wire, n + 1, 32);
	assert_true(q.is_ip6 && !q.is_mapped && q.is_ip4 && q.ip4 == 0x02010000);
}

/* Bytes of any kind, cut anywhere: nothing is read behind them. */
static void test_cut(void **state)
{
	uint8_t wire[300];
	size_t n = wire_of(
		"123.12.1.234.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", wire);
	struct asked q;

	for (size_t start = 0; start < n; start++)
		for (size_t len = 1; start + len <= n; len++) {
			assert_true(front_of(wire + start, len, &q) < len);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_nibbles),
		cmocka_unit_test(test_ip4_inside),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
