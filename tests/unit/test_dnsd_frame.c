/* test_dnsd_frame.c - UDP datagrams in Ethernet frames: which are found, and the bytes of what answers. */
#include "test.h"

#include "dnsd/path/frame.h"

#define TO "\x02\x00\x00\x00\x00\x01"
#define FROM "\x02\x00\x00\x00\x00\x02"
#define IP4(len, rest)                                                                             \
	"\x08\x00"                                                                                 \
	"\x45\x00\x00" len rest
#define IP4_PLAIN "\x12\x34\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x02\x0a\x00\x00\x01"
#define UDP(len) "\x12\x34\x00\x35\x00" len "\x00\x00"
#define IP6(len, next)                                                                             \
	"\x86\xdd"                                                                                 \
	"\x60\x00\x00\x00\x00" len next "\x40"
#define IP6_FROM "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define IP6_TO "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *payload; /* NULL: nothing for us */
} cases[] = {
	{"ipv4", BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x0b") "abc"), "abc"},
	{"ipv4, padded to Ethernet's least",
		BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x0b") "abc\0\0\0\0\0\0\0\0\0\0"), "abc"},
	{"ipv4, nothing in it", BYTES(TO FROM IP4("\x1c", IP4_PLAIN) UDP("\x08")), ""},
	{"vlan", BYTES(TO FROM "\x81\x00\x60\x07" IP4("\x1f", IP4_PLAIN) UDP("\x0b") "abc"), "abc"},
	{"ipv6", BYTES(TO FROM IP6("\x0b", "\x11") IP6_FROM IP6_TO UDP("\x0b") "abc"), "abc"},
	{"udp shorter than ip", BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x0a") "abc"), "ab"},
	{"udp longer than ip", BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x0c") "abcd"), NULL},
	{"udp shorter than its header", BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x07") "abc"),
		NULL},
	{"ip longer than the frame", BYTES(TO FROM IP4("\x20", IP4_PLAIN) UDP("\x0c") "abc"), NULL},
	{"ip shorter than udp's header", BYTES(TO FROM IP4("\x1b", IP4_PLAIN) UDP("\x08")), NULL},
	{"ip shorter than its own", BYTES(TO FROM IP4("\x13", IP4_PLAIN) UDP("\x08")), NULL},
	{"ipv4 with options",
		BYTES(TO FROM "\x08\x00\x46\x00\x00\x23" IP4_PLAIN "\1\1\1\1" UDP("\x0b") "abc"),
		NULL},
	{"first fragment",
		BYTES(TO FROM IP4("\x1f", "\x12\x34\x20\x00\x40\x11\x00\x00\x0a\x00\x00\x02"
					  "\x0a\x00\x00\x01") UDP("\x0b") "abc"),
		NULL},
	{"later fragment",
		BYTES(TO FROM IP4("\x1f", "\x12\x34\x00\x01\x40\x11\x00\x00\x0a\x00\x00\x02"
					  "\x0a\x00\x00\x01") UDP("\x0b") "abc"),
		NULL},
	{"tcp",
		BYTES(TO FROM IP4("\x1f", "\x12\x34\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x02"
					  "\x0a\x00\x00\x01") UDP("\x0b") "abc"),
		NULL},
	{"from a multicast address",
		BYTES(TO FROM IP4("\x1f", "\x12\x34\x00\x00\x40\x11\x00\x00\xe0\x00\x00\x02"
					  "\x0a\x00\x00\x01") UDP("\x0b") "abc"),
		NULL},
	{"from a group of stations",
		BYTES(TO "\x03\x00\x00\x00\x00\x02" IP4("\x1f", IP4_PLAIN) UDP("\x0b") "abc"),
		NULL},
	{"from port 0",
		BYTES(TO FROM IP4("\x1f", IP4_PLAIN) "\x00\x00\x00\x35\x00\x0b\x00\x00"
						     "abc"),
		NULL},
	{"ipv6 with an extension header",
		BYTES(TO FROM IP6("\x13", "\x3c") IP6_FROM IP6_TO
			"\x11\0\1\4\0\0\0\0" UDP("\x0b") "abc"),
		NULL},
	{"ipv6 cut short", BYTES(TO FROM IP6("\x0b", "\x11") IP6_FROM "\xfd\0\0\0"), NULL},
	{"arp",
		BYTES(TO FROM "\x08\x06"
			      "\0\1\x08\0\6\4\0\1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
		NULL},
	{"two vlan tags",
		BYTES(TO FROM "\x81\x00\x00\x07\x81\x00\x00\x08" IP4("\x1f", IP4_PLAIN)
				UDP("\x0b") "abc"),
		NULL},
	{"an Ethernet header alone", BYTES(TO FROM "\x08\x00"), NULL},
	{"nothing", BYTES(""), NULL},
};

static void test_parse(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice in = exact(cases[i].bytes, cases[i].len);
		struct frame f;
		bool found = frame_parse(in, &f);
		if (found != (cases[i].payload != NULL)
			|| (found && !slice_eq(f.payload, slice_str(cases[i].payload))))
			fail_msg("%s: %s", cases[i].name, found ? "found" : "not found");
		exact_free(in);
	}
}

static void check_answer(
	const char *in, size_t in_len, const char *want, size_t want_len, const char *payload)
{
	struct slice bytes = exact(in, in_len);
	uint8_t *out = malloc(want_len);
	struct frame f;

	assert_true(frame_parse(bytes, &f));
	memcpy(out + f.headers, payload, strlen(payload));
	assert_int_equal(frame_answer(&f, bytes, out, strlen(payload)), want_len);
	assert_memory_equal(out, want, want_len);
	free(out);
	exact_free(bytes);
}

/* Checksums by hand: RFC 1071 over the words of header, or of addresses, protocol, length and datagram. */
static void test_answer(void **state)
{
	check_answer(BYTES(TO FROM IP4("\x1f", IP4_PLAIN) UDP("\x0b") "abc"),
		BYTES(FROM TO "\x08\x00"
			      "\x45\x00\x00\x21\x00\x00\x40\x00\x40\x11\x26\xca"
			      "\x0a\x00\x00\x01\x0a\x00\x00\x02"
			      "\x00\x35\x12\x34\x00\x0d\x95\x96"
			      "hello"),
		"hello");
	check_answer(BYTES(TO FROM "\x81\x00\x60\x07" IP6("\x0b", "\x11")
				     IP6_FROM IP6_TO UDP("\x0b") "abc"),
		BYTES(FROM TO "\x81\x00\x60\x07\x86\xdd"
			      "\x60\x00\x00\x00\x00\x0c\x11\x40" IP6_TO IP6_FROM
			      "\x00\x35\x12\x34\x00\x0c\x02\x76"
			      "wxyz"),
		"wxyz");
}

static uint32_t plain_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* All lengths, all-ones bytes too (the sum carries most with them): added up with what stands in the
 * checksum's place, it is all ones. */
static void test_checksum(void **state)
{
	static const char in[] = TO FROM IP6("\x0b", "\x11") IP6_FROM IP6_TO UDP("\x0b") "abc";
	uint8_t out[FRAME_HEADERS_MAX + 1400];
	struct frame f;

	assert_true(frame_parse(slice_of(BYTES(in)), &f));
	for (size_t len = 0; len <= 1300; len++) {
		uint32_t sum;
		for (size_t i = 0; i < len; i++)
			out[f.headers + i] = len % 3 ? (uint8_t)(i * 7 + len) : 0xff;
		size_t n = frame_answer(&f, slice_of(BYTES(in)), out, len);
		sum = plain_sum(out + 22, n - 22, (uint32_t)(8 + len) + 17);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse),
		cmocka_unit_test(test_answer), cmocka_unit_test(test_checksum)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
