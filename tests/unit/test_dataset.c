/* test_dataset.c - rbldnsd's files become the sets they mean; warnings and errors name file and line. The
 * corners of the grammar stand in tests/integration/rbl_cases.py, held against the real rbldnsd. */
#include "test.h"

#include "dataset/dataset.h"
#include "index/index.h"

static const struct dataset_options options = {.now_s = 1700000000};

struct world {
	struct builder *b;
	struct dataset *d;
	struct buf bytes;
	struct snapshot *s;
	struct err err;
};

static bool world_make(struct world *w, enum dataset_type type, const char *one, const char *two)
{
	static const uint8_t seed[16] = "seed";
	struct slice text = exact(one, strlen(one));
	bool ok;

	*w = (struct world){.b = builder_new(1, seed), .bytes = BUF_INIT(1 << 26)};
	w->d = dataset_new(w->b, type, SLICE("list"), &options);
	ok = dataset_file(w->d, SLICE("one"), text, 100, &w->err);
	exact_free(text); /* nothing may point into a file once it was read */
	if (ok && two)
		ok = dataset_file(w->d, SLICE("two"), slice_str(two), 200, &w->err);
	if (!ok || !dataset_finish(w->d, &w->err))
		return false;
	assert_true(builder_write(w->b, &w->bytes, &w->err));
	w->s = snapshot_open(buf_slice(&w->bytes), &w->err);
	assert_non_null(w->s);
	return true;
}

static void world_done(struct world *w)
{
	snapshot_close(w->s);
	buf_done(&w->bytes);
	dataset_free(w->d);
	builder_free(w->b);
}

/* The answers of set, as "127.0.0.2 text|..." */
static void answers(
	const struct world *w, size_t set, const char *question, char *dst, size_t dst_size)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	char subject[INDEX_SUBJECT_MAX], text[VALUE_TEXT_MAX];
	struct index ix = {w->s, NULL};
	struct domain d;
	struct asked q;
	struct ip ip;
	size_t n, at = 0;

	if (ip_parse(slice_str(question), &ip)) {
		q = asked_ip(&ip);
	} else {
		assert_true(domain_parse(slice_str(question), &d, NULL));
		q = asked_of(d.wire, d.len, d.labels);
	}
	n = index_find_in(&ix, set, &q, 1700000000, hits);
	dst[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t len = index_subject(snapshot_set_meta(w->s, set), &q, &hits[i], subject);

		len = value_expand(hits[i].value.text, slice_of(subject, len), text);
		at += (size_t)snprintf(dst + at, dst_size - at, "%s%u %.*s", i ? "|" : "",
			hits[i].value.code & 255, (int)len, text);
	}
}

static void each_type_answers(void **state)
{
	static const struct {
		enum dataset_type type;
		const char *text, *question, *answer;
	} cases[] = {
		{DATASET_IP4SET, ":2:is $\n10.0.0.1", "10.0.0.1", "2 is 10.0.0.1"},
		{DATASET_IP4SET, "10.0.0.0/25 :3:\n10.0.0.1 :4:", "10.0.0.1", "4 |3 "},
		{DATASET_IP4SET, "10/8 :3:\n!10.0.0.0/24", "10.0.0.1", ""},
		{DATASET_IP4SET, "10.0.0.5-9 :3:", "10.0.0.9", "3 "},
		{DATASET_IP4SET, "10.0.0.5-9 :3:", "10.0.0.10", ""},
		{DATASET_IP4SET, "10.0.0.1x\n10.0.0.1:4:glued", "10.0.0.1", "4 glued"},
		{DATASET_IP4TRIE, "10.0.0.0/25 :3:\n10.0.0.1 :4:", "10.0.0.1", "4 "},
		{DATASET_IP4TRIE, "10.0.0.1 :4:\n10.0.0.1 :5:", "10.0.0.1", "4 "},
		{DATASET_IP4TSET, "10.0.0.1 :4:\n:5:late $\n:6:", "10.0.0.1", "5 late 10.0.0.1"},
		{DATASET_IP6TRIE, "2001:db8::/32 :4:$", "2001:db8::7", "4 2001:db8::7"},
		{DATASET_IP6TSET, "2001:db8:0:1\n!2001:db8:0:1::5", "2001:db8:0:1::6", "2 "},
		{DATASET_IP6TSET, "2001:db8:0:1\n!2001:db8:0:1::5", "2001:db8:0:1::5", ""},
		{DATASET_DNSET, ".bad.example :4:$", "x.bad.example", "4 bad.example"},
		{DATASET_DNSET, "*.bad.example :4:$", "bad.example", ""},
		{DATASET_IP4SET, "$1 v$\n10.0.0.1 $1 $$ $2 $\n", "10.0.0.1", "2 v$ $ $2 10.0.0.1"},
		{DATASET_IP4SET, "$= <$=>\n10.0.0.1 x$\n", "10.0.0.1", "2 <x$>"},
		{DATASET_IP4SET, "$= <$=>\n10.0.0.1\n", "10.0.0.1", "2 <10.0.0.1>"},
		{DATASET_IP4SET, "$= <$=>\n10.0.0.1 =bare\n", "10.0.0.1", "2 bare"},
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;

		assert_true(world_make(&w, cases[i].type, cases[i].text, NULL));
		answers(&w, 0, cases[i].question, got, sizeof got);
		if (strcmp(got, cases[i].answer) != 0)
			fail_msg("%s ? %s: '%s', not '%s'", cases[i].text, cases[i].question, got,
				cases[i].answer);
		world_done(&w);
	}
}

static void sets_know_themselves(void **state)
{
	const struct set_meta *m;
	struct world w;

	(void)state;
	assert_true(world_make(&w, DATASET_IP4SET,
		"$SOA 0 ns.example host.example 0 1h 2m 1w 5\n$NS 1d ns.example -off.example "
		"ns2.example\n"
		"$TTL 15m\n$TIMESTAMP 2023:01:02:03:04:05 +1w\n$SOA 9 x y 1 1 1 1 1\n",
		"$TIMESTAMP 20230102 2024-02-29\n"));
	m = snapshot_set_meta(w.s, 0);
	assert_true(
		m->kind == SET_IP && m->rule == SET_OCTETS && m->ttl_s == 900 && m->stamp_s == 200);
	assert_true(m->has_soa && m->soa.ttl_s == 2100 && m->soa.serial == 0
		    && m->soa.refresh_s == 3600 && m->soa.retry_s == 120
		    && m->soa.expire_s == 604800 && m->soa.minimum_s == 5);
	assert_true(m->ns_count == 2 && m->ns_ttl_s == 86400);
	assert_string_equal(domain_text(&m->ns[1]).s, "ns2.example");
	assert_int_equal(m->expires_s, 1672628645 + 604800);
	assert_int_equal(dataset_warning_count(w.d), 0);
	world_done(&w);
}

static void combined_has_sections(void **state)
{
	char got[1024];
	struct world w;
	struct domain place;
	struct slice rest;

	(void)state;
	assert_true(world_make(&w, DATASET_COMBINED,
		"$SOA 1 a b 7 1 1 1 1\n$TTL 60\n$DATASET ip4set:name sub.one @ # both\n10.0.0.1 "
		":3:\n"
		"$DATASET generic @\nwww A 127.0.0.1\n$DATASET dnset names\n$TTL 90\n.bad.example "
		":4:\n",
		NULL));
	assert_int_equal(snapshot_set_count(w.s), 4);
	assert_true(
		snapshot_set_meta(w.s, 0)->kind == SET_NONE && snapshot_set_meta(w.s, 0)->has_soa);
	assert_true(!snapshot_set_meta(w.s, 1)->has_soa && snapshot_set_meta(w.s, 1)->ttl_s == 60);
	assert_true(snapshot_set_meta(w.s, 2)->kind == SET_RECORDS
		    && snapshot_set_meta(w.s, 3)->ttl_s == 90);
	rest = snapshot_set_meta(w.s, 1)->places;
	assert_true(meta_next_place(&rest, &place));
	assert_string_equal(domain_text(&place).s, "sub.one");
	assert_true(meta_next_place(&rest, &place) && place.labels == 0 && rest.len == 0);
	answers(&w, 1, "10.0.0.1", got, sizeof got);
	assert_string_equal(got, "3 ");
	answers(&w, 3, "a.bad.example", got, sizeof got);
	assert_string_equal(got, "4 ");
	assert_int_equal(dataset_warning_count(w.d), 0);
	world_done(&w);
}

static void warnings_have_lines(void **state)
{
	struct world w;
	struct buf text = BUF_INIT(1 << 16);

	(void)state;
	assert_true(world_make(
		&w, DATASET_IP4SET, "10.0.0.1\nnonsense\n10.0.0.1/24\n", "$WHAT\n10.0.0.2 :x\n"));
	assert_int_equal(dataset_warning_count(w.d), 4);
	assert_true(slice_starts(
		dataset_warnings(w.d), SLICE("one:2: not an IPv4 address or range\none:3: ")));
	assert_true(
		slice_find_nocase(dataset_warnings(w.d), SLICE("\ntwo:2: invalid A value")) < 500);
	world_done(&w);
	for (int i = 0; i < 1000; i++)
		buf_add_str(&text, "bad\n");
	assert_true(world_make(&w, DATASET_IP4TRIE, buf_str(&text), NULL));
	assert_int_equal(dataset_warning_count(w.d), 1000);
	assert_true(slice_find_nocase(dataset_warnings(w.d), SLICE("one:20:"))
		    < dataset_warnings(w.d).len);
	assert_true(slice_find_nocase(dataset_warnings(w.d), SLICE("one:21:"))
		    == dataset_warnings(w.d).len);
	world_done(&w);
	buf_done(&text);
}

static void files_are_refused(void **state)
{
	static const struct {
		enum dataset_type type;
		const char *text, *words;
	} cases[] = {
		{DATASET_COMBINED, "\n10.0.0.1\n", "one:2: an entry before any $DATASET"},
		{DATASET_COMBINED, "$DATASET ip5set @\n",
			"one:1: $DATASET cannot be of type 'ip5set'"},
		{DATASET_COMBINED, "$DATASET combined @\n", "of type 'combined'"},
		{DATASET_COMBINED, "$DATASET acl @\n", "of type 'acl'"},
		{DATASET_GENERIC, "a 1x A 127.0.0.1\n", "one:1: not a TTL"},
		{DATASET_GENERIC, "a MX 10 mx.example junk\n", "one:1: MX needs"},
		{DATASET_IP4SET, "10.0.0.1\n$TIMESTAMP 2030:01:01\n",
			"one:2: $TIMESTAMP lies in the future"},
		{DATASET_IP4SET, "\x1f\x8b gzip", "is compressed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;

		assert_false(world_make(&w, cases[i].type, cases[i].text, NULL));
		if (!strstr(w.err.text, cases[i].words))
			fail_msg("'%s' lacks '%s'", w.err.text, cases[i].words);
		world_done(&w);
	}
}

/* However a file is cut into parts, it says the same. */
static void parts_are_the_whole(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	struct world whole, w;
	char want[1024], got[1024];
	size_t used;

	(void)state;
	buf_add_str(&text, "$1 one\n:3:x $1 $\n10.0.0.1\n10.0.0.2 :4:own\n; ");
	for (int i = 0; i < 40000; i++)
		buf_add_char(&text, 'c'); /* longer than rbldnsd reads */
	buf_add_str(&text, "\n10.0.0.3\nbad\n10.0.0.4 ");
	for (int i = 0; i < 70000; i++)
		buf_add_char(&text, 't');
	buf_add_str(&text, "\nworse\n10.0.0.5");
	assert_true(world_make(&whole, DATASET_IP4TRIE, buf_str(&text), NULL));
	assert_int_equal(snapshot_set_entries(whole.s, 0), 5);
	for (size_t size = DATASET_PART_MIN; size < text.len + 1; size += 4099) {
		static const uint8_t seed[16] = "seed";
		struct slice rest = buf_slice(&text);

		w = (struct world){.b = builder_new(1, seed), .bytes = BUF_INIT(1 << 26)};
		w.d = dataset_new(w.b, DATASET_IP4TRIE, SLICE("list"), &options);
		assert_true(dataset_file_begin(w.d, SLICE("one"), 100, &w.err));
		for (bool last = false; !last; rest = slice_skip(rest, used)) {
			struct slice part = slice_take(rest, size);

			last = part.len == rest.len;
			assert_true(dataset_file_part(w.d, part, last, &used, &w.err));
			assert_true(last || used > 0);
		}
		assert_true(dataset_finish(w.d, &w.err) && builder_write(w.b, &w.bytes, &w.err));
		w.s = snapshot_open(buf_slice(&w.bytes), &w.err);
		assert_non_null(w.s);
		assert_true(slice_eq(dataset_warnings(w.d), dataset_warnings(whole.d)));
		for (int i = 0; i < 7; i++) {
			char question[16];

			snprintf(question, sizeof question, "10.0.0.%d", i);
			answers(&whole, 0, question, want, sizeof want);
			answers(&w, 0, question, got, sizeof got);
			assert_string_equal(got, want);
		}
		world_done(&w);
	}
	world_done(&whole);
	buf_done(&text);
}

static void specs(void **state)
{
	struct dataset_spec spec;
	struct err err;

	(void)state;
	assert_true(dataset_spec_parse(SLICE("bl.example:ip4trie:a,/b/c"), true, &spec, &err));
	assert_true(slice_eq(spec.zone, SLICE("bl.example")) && spec.type == DATASET_IP4TRIE
		    && slice_eq(spec.files, SLICE("a,/b/c")));
	assert_true(dataset_spec_parse(SLICE("dnset:x"), false, &spec, &err) && spec.zone.len == 0);
	assert_false(dataset_spec_parse(SLICE("dnset"), false, &spec, &err));
	assert_false(dataset_spec_parse(SLICE("dnset:"), false, &spec, &err));
	assert_false(dataset_spec_parse(SLICE("dnset:a,,b"), false, &spec, &err));
	assert_false(dataset_spec_parse(SLICE("nonset:a"), false, &spec, &err));
	assert_non_null(strstr(err.text, "ip4set"));
	assert_false(dataset_spec_parse(SLICE("dnset:a"), true, &spec, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_answers),
		cmocka_unit_test(sets_know_themselves),
		cmocka_unit_test(combined_has_sections),
		cmocka_unit_test(warnings_have_lines),
		cmocka_unit_test(files_are_refused),
		cmocka_unit_test(parts_are_the_whole),
		cmocka_unit_test(specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
