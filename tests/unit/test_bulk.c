/* test_bulk.c - much at once: lists read side by side and sorted in bins become, byte for byte, the snapshot
 * that reading line by line and sorting all at once makes. */
#include "test.h"

#include "dataset/dataset.h"
#include "index/bins.h"
#include "index/snapshot.h"
#include "io/crew.h"
#include "prop.h"

#include <stdatomic.h>

static const uint8_t seed[16] = "seed";

/* The last job first: whoever leans on their order is found out. */
static void run_backwards(const struct parallel *p, size_t jobs, parallel_job *job, void *ctx)
{
	(void)p;
	while (jobs--)
		job(ctx, jobs);
}

static const struct parallel backwards = {.width = 3, .run = run_backwards};

static int compare_keys(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static size_t without_doubles(uint32_t *keys, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || keys[i] != keys[kept - 1])
			keys[kept++] = keys[i];
	return kept;
}

/* Spread over all addresses, or crowded into some of them so that bins are lopsided. */
static uint32_t some_key(struct prop *p, int shape)
{
	uint32_t key = (uint32_t)prop_next(p);

	return shape == 0   ? key
	       : shape == 1 ? 0x0a000000u | key >> 8
	       : shape == 2 ? 0xfffff000u | key >> 20
			    : (key & 7) << 24 | (key >> 8 & 0xff00ff);
}

static void bins_sort_as_qsort_does(void **state)
{
	static const size_t sizes[] = {0, 1, 47, 49, 2048, 5000, 300000, 700001};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes) * 4; i++) {
		struct prop p = prop_new(i);
		size_t n = sizes[i / 4], want_n, got_n;
		uint32_t *want = mem_new(n, sizeof *want), *got;
		struct bins *b = bins_new();

		for (size_t k = 0; k < n; k++)
			want[k] = some_key(&p, (int)(i % 4));
		for (size_t k = 0; k < n;) {
			size_t step = 1 + prop_below(&p, 5000);

			step = MIN(step, n - k);
			bins_add(b, want + k, step);
			k += step;
		}
		qsort(want, n, sizeof *want, compare_keys);
		want_n = without_doubles(want, n);
		got = bins_take_ordered(b, &backwards, &got_n);
		assert_int_equal(got_n, want_n);
		if (n)
			assert_memory_equal(got, want, want_n * sizeof *want);
		free(got);
		free(want);
	}
}

static void bins_keep_the_order_of_coming(void **state)
{
	struct prop p = prop_new(1);
	struct bins *b = bins_new();
	size_t n = 100000, got_n, next[256] = {0};
	uint32_t *keys = mem_new(n, sizeof *keys), *got;

	(void)state;
	for (size_t k = 0; k < n; k++)
		keys[k] = some_key(&p, k % 3 == 0);
	bins_add(b, keys, n);
	got = bins_take(b, &got_n);
	assert_int_equal(got_n, n);
	for (size_t i = 0; i < n; i++) {
		size_t bin = got[i] >> 24, k = next[bin];

		assert_true(i == 0 || got[i - 1] >> 24 <= bin);
		while (keys[k] >> 24 != bin)
			k++;
		assert_int_equal(got[i], keys[k]);
		next[bin] = k + 1;
	}
	free(got);
	free(keys);
}

/* An entry: an address or prefix of some length, or a name; few keys come often, many once. */
struct entry {
	uint8_t key[16];
	struct domain name;
	uint32_t value;
	size_t at; /* when it was added */
};

static int compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = memcmp(a->key, b->key, sizeof a->key);

	c = c ? c : memcmp(a->name.wire, b->name.wire, sizeof a->name.wire);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

static struct entry some_entry(struct prop *p, unsigned len, size_t at, bool values)
{
	struct entry e = {.value = values ? prop_below(p, 40) : 0, .at = at};
	uint32_t kind = prop_below(p, 3), number = (uint32_t)prop_next(p);
	char text[40];

	if (kind == 0)
		number %= 3;
	else if (kind == 1)
		number %= 5000;
	memcpy(e.key, "\x20\x01\x0d\xb8", 4);
	memcpy(e.key + (len > 32 ? len / 8 - 4 : 0), &number, 4);
	if (len == 0) {
		memset(e.key, 0, sizeof e.key);
		snprintf(text, sizeof text, "n%u.example", number);
		assert_true(domain_parse(slice_str(text), &e.name, NULL));
	}
	return e;
}

static struct buf built(const struct entry *entries, size_t n, unsigned len, enum set_rule rule)
{
	struct buf bytes = BUF_INIT(1 << 26);
	struct builder *b = builder_new(1, seed);
	struct set_meta meta = meta_plain(len ? SET_IP : SET_NAME, rule, 300);
	struct builder_set *s = builder_set_new(b, SLICE("x"), &meta);
	struct err err;

	builder_set_parallel(b, &backwards);
	for (uint32_t v = 0; v < 40; v++)
		assert_int_equal(builder_value(s, v + 1, SLICE("")), v);
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = &entries[i];
		uint32_t value = e->value == 39 ? BUILDER_EXCLUDED : e->value, ip4;

		memcpy(&ip4, e->key, 4);
		if (len == 0)
			builder_add_name(s, &e->name, SCOPE_BOTH, value, 0);
		else if (len == 32)
			builder_add_ip4(s, ip4, len, value, 0);
		else
			builder_add_ip6(s, e->key, len, value, 0);
	}
	assert_true(builder_write(b, &bytes, &err));
	builder_free(b);
	return bytes;
}

/* What SET_FIRST is about: of sorted entries the first of each key. */
static size_t firsts(struct entry *entries, size_t n)
{
	size_t kept = 1;

	for (size_t i = 1; i < n; i++)
		if (memcmp(entries[i].key, entries[kept - 1].key, sizeof entries[i].key) != 0
			|| !domain_eq(&entries[i].name, &entries[kept - 1].name))
			entries[kept++] = entries[i];
	return kept;
}

/* Whatever the order of adding, as long as it is the same among equal keys. */
static void order_of_adding_does_not_show(void **state)
{
	static const unsigned lens[] = {0, 32, 48, 64, 128};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens) * 4; i++) {
		struct prop p = prop_new(i);
		size_t n = 20000;
		struct entry *entries = mem_new(n, sizeof *entries);
		enum set_rule rule = i % 2 ? SET_FIRST : SET_ALL;
		struct buf one, two;

		for (size_t k = 0; k < n; k++)
			entries[k] = some_entry(&p, lens[i / 4], k, i / 2 % 2);
		one = built(entries, n, lens[i / 4], rule);
		qsort(entries, n, sizeof *entries, compare_entries);
		if (rule == SET_FIRST)
			n = firsts(entries, n);
		two = built(entries, n, lens[i / 4], rule);
		assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
		buf_done(&one);
		buf_done(&two);
		free(entries);
	}
}

/* A line of a list; some are other than they look. */
static void add_line(struct prop *p, struct buf *to, bool slow)
{
	static const char *const others[] = {"", "# comment", "!10.0.0.1", "10.0.0.256", "1.2.3",
		"1.2.3.4.5", "10.0.0.1 :4:own $", ":5:five $", ":3:three", "$TTL 77", "0x1.2.3.4",
		"1.2.3.4-6", "1..2.3", ".1.2.3", "1.2.3.", "1111.2.3.4", "1.2.3.4 ", " 1.2.3.4",
		"1.2.3.4\r", "$1 word", "10.1.0.0/16", "::1", "-", "255.255.255.255", "0.0.0.0",
		"000.000.000.000", "1:2.3.4"};
	uint32_t kind = prop_below(p, 400), a = (uint32_t)prop_next(p);

	if (kind < ARRAY_LEN(others))
		buf_add_str(to, others[kind]);
	else if (kind < 300)
		buf_addf(to, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	else
		buf_addf(to, "10.0.%u.%u", a >> 8 & 3, a & 255);
	/* A blank behind it means the same and is no plain address. */
	buf_add_str(to, slow ? " \n" : "\n");
}

struct made {
	struct buf bytes, warnings;
};

static struct made make(
	enum dataset_type type, struct slice text, size_t part, const struct parallel *help)
{
	const struct dataset_options options = {.now_s = 1700000000};
	struct made m = {BUF_INIT(1 << 27), BUF_INIT(1 << 20)};
	struct builder *b = builder_new(1, seed);
	struct dataset *d;
	struct err err;
	size_t used;

	builder_set_parallel(b, help);
	d = dataset_new(b, type, SLICE("list"), &options);
	assert_true(dataset_file_begin(d, SLICE("one"), 100, &err));
	for (bool last = false; !last; text = slice_skip(text, used)) {
		struct slice s = slice_take(text, part), copy = exact(s.ptr, s.len);

		last = s.len == text.len;
		assert_true(dataset_file_part(d, copy, last, &used, &err));
		exact_free(copy);
	}
	assert_true(dataset_finish(d, &err) && builder_write(b, &m.bytes, &err));
	buf_addf(&m.warnings, "%zu ", dataset_warning_count(d));
	buf_add_slice(&m.warnings, dataset_warnings(d));
	dataset_free(d);
	builder_free(b);
	return m;
}

static void made_done(struct made *m)
{
	buf_done(&m->bytes);
	buf_done(&m->warnings);
}

static void side_by_side_is_line_by_line(void **state)
{
	static const enum dataset_type types[] = {
		DATASET_IP4SET, DATASET_IP4TRIE, DATASET_IP4TSET, DATASET_COMBINED, DATASET_DNSET};
	struct crew *crew = crew_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types) * 3; i++) {
		struct buf text = BUF_INIT(1 << 27), slow = BUF_INIT(1 << 27);
		struct prop p = prop_new(i), again = p;
		int lines = i < ARRAY_LEN(types) ? 60000 : 900;
		struct made want, got;

		for (int k = 0; k < lines; k++) {
			if (types[i % ARRAY_LEN(types)] == DATASET_COMBINED
				&& k % (lines / 3) == 0) {
				const char *head =
					k ? "$DATASET dnset x\n" : "$DATASET ip4set y @\n";

				buf_add_str(&text, head);
				buf_add_str(&slow, head);
			}
			add_line(&p, &text, false);
			add_line(&again, &slow, true);
		}
		want = make(types[i % ARRAY_LEN(types)], buf_slice(&slow), SIZE_MAX, NULL);
		for (int way = 0; way < 3; way++) {
			got = make(types[i % ARRAY_LEN(types)], buf_slice(&text),
				way ? SIZE_MAX : DATASET_PART_MIN + 77,
				way == 2 ? crew_parallel(crew) : &backwards);
			assert_string_equal(buf_str(&got.warnings), buf_str(&want.warnings));
			assert_true(slice_eq(buf_slice(&got.bytes), buf_slice(&want.bytes)));
			made_done(&got);
		}
		made_done(&want);
		buf_done(&text);
		buf_done(&slow);
	}
	crew_free(crew);
}

static void every_quad_is_read(void **state)
{
	struct buf text = BUF_INIT(1 << 27), slow = BUF_INIT(1 << 27);
	struct made want, got;

	(void)state;
	for (uint32_t i = 0; i < 1100; i++) {
		for (int place = 0; place < 4; place++) {
			char octet[8], line[40];

			snprintf(octet, sizeof octet, i % 3 ? "%u" : "%03u", i);
			snprintf(line, sizeof line, "%s.%s.%s.%s", place == 0 ? octet : "7",
				place == 1 ? octet : "88", place == 2 ? octet : "199",
				place == 3 ? octet : "0");
			buf_addf(&text, "%s\n", line);
			buf_addf(&slow, "%s \n", line);
		}
	}
	want = make(DATASET_IP4SET, buf_slice(&slow), SIZE_MAX, NULL);
	got = make(DATASET_IP4SET, buf_slice(&text), SIZE_MAX, NULL);
	assert_string_equal(buf_str(&got.warnings), buf_str(&want.warnings));
	assert_true(slice_eq(buf_slice(&got.bytes), buf_slice(&want.bytes)));
	made_done(&got);
	made_done(&want);
	buf_done(&text);
	buf_done(&slow);
}

struct count {
	atomic_size_t jobs[100];
};

static void count_job(void *ctx, size_t job)
{
	atomic_fetch_add(&((struct count *)ctx)->jobs[job], 1);
}

static void a_crew_does_each_job_once(void **state)
{
	struct crew *crew = crew_new();

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		struct count c = {0};
		size_t jobs = round % 100;

		parallel_run(crew_parallel(crew), jobs, count_job, &c);
		for (size_t i = 0; i < 100; i++)
			assert_int_equal(c.jobs[i], i < jobs);
	}
	crew_free(crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bins_sort_as_qsort_does),
		cmocka_unit_test(bins_keep_the_order_of_coming),
		cmocka_unit_test(order_of_adding_does_not_show),
		cmocka_unit_test(side_by_side_is_line_by_line),
		cmocka_unit_test(every_quad_is_read),
		cmocka_unit_test(a_crew_does_each_job_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
