/* test_subject.c - what stands for $ in a text, beside what printf() and inet_ntop() make of it. */
#include "test.h"

#include "index/index.h"

#include <arpa/inet.h>
#include <stdio.h>

static char text[INDEX_SUBJECT_MAX + 1];

static const char *subject(enum set_kind kind, const struct asked *q, const struct hit *hit)
{
	struct set_meta m = meta_plain(kind, SET_FIRST, 0);

	text[index_subject(&m, q, hit, text)] = '\0';
	return text;
}

static void test_ip4(void **state)
{
	struct hit hit = {.scope = 4};
	char want[32];

	for (unsigned i = 0; i < 256; i++) {
		struct asked q = {.is_ip4 = true, .ip4 = i << 24 | (255 - i) << 16 | i << 8 | i};

		snprintf(want, sizeof want, "%u.%u.%u.%u", i, 255 - i, i, i);
		assert_string_equal(subject(SET_IP, &q, &hit), want);
	}
}

/* All patterns of zero words; words of one to four digits. No dotted forms among them. */
static void test_ip6(void **state)
{
	static const unsigned words[] = {0x1, 0x23, 0x456, 0x789a, 0xbcde, 0xf, 0x8000, 0x10};
	struct hit hit = {.scope = 6};
	char want[INET6_ADDRSTRLEN];

	for (unsigned mask = 0; mask < 256; mask++) {
		struct asked q = {.is_ip6 = true};

		for (unsigned i = 0; i < 8; i++) {
			q.ip6[2 * i] = (uint8_t)(mask >> i & 1 ? words[i] >> 8 : 0);
			q.ip6[2 * i + 1] = (uint8_t)(mask >> i & 1 ? words[i] : 0);
		}
		if (mask >> 6 && (mask & 31) == 0) /* ::a.b.c.d and ::ffff:a.b.c.d */
			continue;
		inet_ntop(AF_INET6, q.ip6, want, sizeof want);
		assert_string_equal(subject(SET_IP, &q, &hit), want);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *wire;
		uint8_t wire_len, labels, entry_labels;
		const char *want;
	} cases[] = {
		{"\4spam\4test", 11, 2, 2, "spam.test"},
		{"\1a\4spam\4test", 13, 3, 2,
			"spam.test"}, /* the entry's name, not what lies below */
		{"\4a.b\\", 6, 1, 1, "a\\.b\\\\"},
		{"\3\0\x20\xff", 5, 1, 1, "\\000\\032\\255"},
		{"\6$@;\"\x7f~", 8, 1, 1, "\\$\\@\\;\\\"\\127~"},
		{"", 1, 0, 0, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice wire = exact(cases[i].wire, cases[i].wire_len);
		struct asked q = {.name = (const uint8_t *)wire.ptr,
			.name_len = cases[i].wire_len,
			.labels = cases[i].labels};
		struct hit hit = {.len = cases[i].entry_labels, .scope = SCOPE_BOTH};

		assert_string_equal(subject(SET_NAME, &q, &hit), cases[i].want);
		exact_free(wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
