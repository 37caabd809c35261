/* test_dnsd_fast.c - plain questions answered the short way get the bytes of the long one: made-up messages
 * of every kind, plain and nearly so, through both. */
#include "test.h"

#include "dns/query.h"
#include "dnsd/answer/fast.h"
#include "dnsd_world.h"
#include "prop.h"

#define ROUNDS 100000

static const char *const zones[] = {"bl.example", "dom.example", "file.example", "comb.example",
	"turned.example", "bare.example", "many.example", "sub.bl.example", "broken.example",
	"odd.example", "example", "other"};

static const char *const heads[] = {"1.2.0.192", "2.2.0.192", "3.2.0.192", "4.2.0.192",
	"0.100.51.198", "255.100.51.198", "1.0.0.127", "2.0.0.127", "9.0.0.127", "4.3.2.1",
	"1.1.1.1", "1.1.1.10", "1.0.9.10", "1.0.8.10", "2.2.2.2", "256.2.0.192", "01.002.0.192",
	"9.9.9.9", "10", "2.0.192", "x.1.2.0.192", "5.1.2.0.192", "a.b.c.d", "spam.test",
	"www.spam.test", "a.b.c.spam.test", "ham.test", "test", "invalid", "x", "sub", "proxies",
	"relays", "1.1.1.1.proxies", "1.1.1.1.relays", "ns1", "hostmaster", "",
	"1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
	"1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
	"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
	"1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.2.0.0.0.0.c.2.0.0.2",
	"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.spam.test"};

/* One that the OPT record of the query gets in its place, with a size of 11 bytes or more. */
static const struct {
	const char *bytes;
	size_t len;
} opts[] = {
#define OPT(bytes)                                                                                 \
	{                                                                                          \
		bytes, sizeof(bytes) - 1                                                           \
	}
	OPT("\0\0\x29\x04\xd0\0\0\0\0\0\0"),
	OPT("\0\0\x29\x04\xd0\0\0\x80\0\0\0"),
	OPT("\0\0\x29\0\0\0\0\0\0\0\0"),
	OPT("\0\0\x29\xff\xff\xff\0\x7f\xff\0\0"),
	OPT("\0\0\x29\x02\x58\0\1\0\0\0\0"),
	OPT("\0\0\x29\x10\0\0\0\0\0\0\4\0\3\0\0"),
	OPT("\0\0\x29\x10\0\0\0\0\0\0\1"),
	OPT("\0\0\x29\x10\0\0\0\0\0\0\0\0\0\x29\x10\0\0\0\0\0\0\0"),
	OPT("\1k\0\0\xfa\0\xff\0\0\0\0\0\0"),
};

static size_t make_message(struct prop *p, uint8_t *dst)
{
	static const uint16_t types[] = {
		DNS_A, DNS_A, DNS_A, DNS_TXT, DNS_TXT, DNS_AAAA, DNS_ANY, DNS_SOA, DNS_NS, DNS_MX};
	const char *head = heads[prop_below(p, ARRAY_LEN(heads))];
	char text[300], labels[200];
	size_t n;

	if (prop_below(p, 8) == 0) { /* of any length, for answers that just fit or do not */
		snprintf(labels, sizeof labels, "%063u.%063u.%0*u", 1, 2,
			1 + (int)prop_below(p, 63), 3);
		head = labels + prop_below(p, 127);
		head += *head == '.';
	}
	snprintf(text, sizeof text, "%s%s%s", head, *head ? "." : "",
		zones[prop_below(p, ARRAY_LEN(zones))]);
	struct dns_query q = {.name = world_name(text),
		.type = types[prop_below(p, ARRAY_LEN(types))],
		.id = (uint16_t)prop_below(p, 65536),
		.recursion = prop_below(p, 2),
		.mix_case = prop_below(p, 2)};
	for (size_t i = 0; i < sizeof q.case_bits; i++)
		q.case_bits[i] = (uint8_t)prop_below(p, 256);
	n = dns_query_write(&q, dst);
	if (prop_below(p, 2)) {
		size_t i = prop_below(p, prop_below(p, 3) ? 2 : ARRAY_LEN(opts));
		memcpy(dst + n, opts[i].bytes, opts[i].len);
		n += opts[i].len;
		dst[11] = 1;
	}
	if (prop_below(p, 4) == 0)
		dst[prop_below(p, (uint32_t)n)] = (uint8_t)prop_below(p, 256);
	if (prop_below(p, 16) == 0)
		n = prop_below(p, (uint32_t)n + 1);
	return n;
}

static void fail_with(struct slice message, struct slice fast, struct slice full)
{
	const struct slice all[] = {message, fast, full};

	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < all[i].len; k++)
			fprintf(stderr, "%02x", (uint8_t)all[i].ptr[k]);
		fprintf(stderr, "\n");
	}
	fail_msg("question, short way, long way: see above");
}

/* True when the short way answered. */
static bool check(
	struct world *w, const struct answer_from *from, struct slice bytes, bool prefetch)
{
	struct slice message = exact(bytes.ptr, bytes.len);
	size_t room = from->transport == ANSWER_TCP ? ANSWER_SIZE_TCP : ANSWER_SIZE_UDP;
	uint8_t *fast = malloc(room), *full = malloc(room);
	struct answer_note fast_note, full_note;
	struct plain p;
	size_t n = 0, m;

	if (plain_take(&p, w->served, from, message)) {
		if (prefetch)
			plain_prefetch(&p);
		plain_look(&p);
		n = fast_answer(&p, fast, &fast_note);
	}
	if (n) {
		m = answer_fully(w->served, from, message, full, &full_note);
		if (n != m || memcmp(fast, full, n) != 0)
			fail_with(message, slice_of(fast, n), slice_of(full, m));
		assert_int_equal(fast_note.rcode, full_note.rcode);
		assert_int_equal(fast_note.listed, full_note.listed);
		assert_int_equal(fast_note.truncated, full_note.truncated);
	}
	free(fast);
	free(full);
	exact_free(message);
	return n != 0;
}

static void test_same_bytes(void **state)
{
	struct prop p = prop_new(1);
	struct world w;
	unsigned fast = 0;

	world_init(&w, true);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct answer_from from = {.transport = prop_below(&p, 4) ? ANSWER_UDP : ANSWER_TCP,
			.now_s = WORLD_NOW + (i % 3) * 9};
		uint8_t bytes[512];
		size_t n = make_message(&p, bytes);
		fast += check(&w, &from, slice_of(bytes, n), i % 2);
	}
	if (fast < ROUNDS / 10)
		fail_msg("only %u of %u questions went the short way", fast, ROUNDS);
	world_done(&w);
}

#define MANY 100

/* Many at once get what each would get alone. */
static void test_many(void **state)
{
	static uint8_t bytes[MANY][512], together[MANY][ANSWER_SIZE_UDP], alone[ANSWER_SIZE_UDP];
	struct answer_from from = {.transport = ANSWER_UDP, .now_s = WORLD_NOW};
	struct prop p = prop_new(2);
	struct answer_job jobs[MANY];
	struct world w;

	world_init(&w, true);
	for (unsigned round = 0; round < 200; round++) {
		size_t count = prop_below(&p, MANY + 1);
		for (size_t i = 0; i < count; i++)
			jobs[i] = (struct answer_job){
				.message = slice_of(bytes[i], make_message(&p, bytes[i])),
				.out = together[i]};
		answer_many(w.served, &from, jobs, count);
		for (size_t i = 0; i < count; i++) {
			struct answer_note note;
			size_t n = answer(w.served, &from, jobs[i].message, alone, &note);
			assert_int_equal(n, jobs[i].ret_size);
			assert_memory_equal(alone, together[i], n);
			if (n)
				assert_memory_equal(&note, &jobs[i].ret_note, sizeof note);
		}
	}
	world_done(&w);
}

/* Each of these is common enough to be answered the short way: so that nobody loses it unseen. */
static void test_short_way_is_taken(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
	} cases[] = {{"1.2.0.192.bl.example", DNS_A}, {"1.2.0.192.bl.example", DNS_TXT},
		{"7.7.7.77.bl.example", DNS_A}, {"7.7.7.7.bl.example", DNS_TXT},
		{"4.3.2.1.file.example", DNS_A}, {"4.3.2.1.file.example", DNS_TXT},
		{"9.3.2.1.file.example", DNS_A}, {"www.spam.test.dom.example", DNS_A},
		{"www.spam.test.dom.example", DNS_TXT}, {"www.ham.test.dom.example", DNS_A},
		{"1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example",
			DNS_TXT},
		{"1.1.1.1.bare.example", DNS_A}, {"1.1.1.2.bare.example", DNS_A}};
	struct answer_from from = {.transport = ANSWER_UDP, .now_s = WORLD_NOW};
	struct world w;

	world_init(&w, true);
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		struct dns_query q = {.name = world_name(cases[i / 2].name),
			.type = cases[i / 2].type,
			.edns = i % 2};
		uint8_t bytes[DNS_QUERY_MAX];
		if (!check(&w, &from, slice_of(bytes, dns_query_write(&q, bytes)), false))
			fail_msg("%s: the long way", cases[i / 2].name);
	}
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_short_way_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
