/* test_dns_dnstap.c - events byte for byte, and control frames. */
#include "test.h"

#include "dns/dnstap.h"

static void check_event(const struct dnstap_event *e, const char *want, size_t want_len)
{
	struct buf b = BUF_INIT(4096);

	dnstap_write(&b, e);
	assert_int_equal(b.len, want_len);
	assert_memory_equal(b.ptr, want, want_len);
	buf_done(&b);
}

#define EXPECT(e, literal) check_event(e, literal, sizeof(literal) - 1)

static void test_events(void **state)
{
	struct dnstap_event e = {.identity = SLICE("ns1"),
		.version = SLICE("v"),
		.peer = {.family = 4, .bytes = {192, 0, 2, 1}},
		.port = 4053,
		.time_ns = 1700000000250000000,
		.query = SLICE("question")};

	EXPECT(&e, "\0\0\0\x32"
		   "\x0a\x03ns1"
		   "\x12\x01v"
		   "\x72\xa4\x80\x00"
		   "\x08\x01\x10\x01\x18\x01\x22\x04\xc0\x00\x02\x01\x30\xd5\x1f"
		   "\x60\x80\xe2\xcf\xaa\x06\x6d\x80\xb2\xe6\x0e"
		   "\x72\x08question"
		   "\x78\x01");
	e = (struct dnstap_event){.peer = {.family = 6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 9}},
		.tcp = true,
		.time_ns = 1,
		.query = SLICE("q"),
		.response = SLICE("answer")};
	EXPECT(&e, "\0\0\0\x3a"
		   "\x72\xb4\x80\x00"
		   "\x08\x02\x10\x02\x18\x02"
		   "\x22\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
		   "\x60\x00\x6d\x01\0\0\0"
		   "\x72\x01q"
		   "\x80\x01\x00\x8d\x01\x01\0\0\0"
		   "\x92\x01\x06"
		   "answer"
		   "\x78\x01");
}

/* Longer than what one group of the length holds. */
static void test_long_event(void **state)
{
	struct buf b = BUF_INIT(DNSTAP_FRAME_MAX(2 * 65535, 0, 0));
	char *bytes = mem_new(1, 65535);
	struct dnstap_event e = {
		.query = slice_of(bytes, 65535), .response = slice_of(bytes, 65535)};

	dnstap_write(&b, &e);
	assert_false(b.failed);
	const uint8_t *p = (const uint8_t *)b.ptr;
	assert_int_equal((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3], b.len - 4);
	size_t inner = (p[5] & 0x7fu) | (p[6] & 0x7fu) << 7 | (size_t)p[7] << 14;
	assert_int_equal(inner, b.len - 4 - 4 - 2);
	buf_done(&b);
	b = BUF_INIT(100); /* no room: nothing but the mark */
	dnstap_write(&b, &e);
	assert_true(b.failed);
	buf_done(&b);
	free(bytes);
}

#define CONTENT "\0\0\0\1\0\0\0\x16protobuf:dnstap.Dnstap"

static const struct {
	const char *name, *bytes;
	size_t len;
	int want; /* as returned */
	enum dnstap_control control;
} controls[] = {
#define FRAME(s) s, sizeof(s) - 1
	{"accept", FRAME("\0\0\0\0\0\0\0\x22\0\0\0\1" CONTENT), 42, DNSTAP_ACCEPT},
	{"accept of anything", FRAME("\0\0\0\0\0\0\0\4\0\0\0\1"), 12, DNSTAP_ACCEPT},
	{"accept of several", FRAME("\0\0\0\0\0\0\0\x2b\0\0\0\1\0\0\0\1\0\0\0\1x" CONTENT), 51,
		DNSTAP_ACCEPT},
	{"accept of other content", FRAME("\0\0\0\0\0\0\0\x0d\0\0\0\1\0\0\0\1\0\0\0\1x"), -1, 0},
	{"content longer than the frame", FRAME("\0\0\0\0\0\0\0\x0d\0\0\0\1\0\0\0\1\0\0\0\2x"), -1,
		0},
	{"another field", FRAME("\0\0\0\0\0\0\0\x0d\0\0\0\1\0\0\0\2\0\0\0\1x"), -1, 0},
	{"finish", FRAME("\0\0\0\0\0\0\0\4\0\0\0\5"), 12, DNSTAP_FINISH},
	{"with more behind", FRAME("\0\0\0\0\0\0\0\4\0\0\0\5more"), 12, DNSTAP_FINISH},
	{"not whole", FRAME("\0\0\0\0\0\0\0\4\0\0\0"), 0, 0},
	{"nothing", FRAME(""), 0, 0},
	{"data", FRAME("\0\0\0\1\0\0\0\4\0\0\0\5"), -1, 0},
	{"too long", FRAME("\0\0\0\0\0\0\2\1\0\0\0\5"), -1, 0},
	{"too short", FRAME("\0\0\0\0\0\0\0\3\0\0\0\5"), -1, 0},
	{"an unknown one", FRAME("\0\0\0\0\0\0\0\4\0\0\0\6"), -1, 0},
};

static void test_controls(void **state)
{
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
		struct slice in = exact(controls[i].bytes, controls[i].len);
		enum dnstap_control got = 0;
		int n = dnstap_read_control(in, &got);
		if (n != controls[i].want || (n > 0 && got != controls[i].control))
			fail_msg("%s: %d, control %d", controls[i].name, n, (int)got);
		exact_free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_events),
		cmocka_unit_test(test_long_event), cmocka_unit_test(test_controls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
