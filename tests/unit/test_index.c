/* test_index.c - snapshots answer what a scan over their entries answers, refuse every change of a
 * byte, and templates, questions and change records keep their rules. */
#include "test.h"

#include "index/changelog.h"
#include "index/crc32c.h"
#include "index/format.h"
#include "index_model.h"

static const uint8_t seed[16] = "0123456789abcdef";
static struct model model;

static struct snapshot *open_built(struct builder *b, struct buf *bytes)
{
	struct err err;
	struct snapshot *s;

	assert_true(builder_write(b, bytes, &err));
	builder_free(b);
	s = snapshot_open(buf_slice(bytes), &err);
	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static void ask_everything(
	struct prop *p, const struct index *ix, size_t set, bool names, int questions)
{
	for (int i = 0; i < questions; i++) {
		int64_t now_s = 50 + prop_below(p, 4) * 100;
		struct ip ip = model_ip(p, prop_below(p, 3) == 0);
		struct domain name = model_name(p, 6);
		uint64_t want = model_ask(&model, names ? NULL : &ip, names ? &name : NULL, now_s);
		uint64_t got =
			index_codes(ix, set, names ? NULL : &ip, names ? &name : NULL, now_s);

		if (want != got)
			fail_msg("%s at %d: %llx, not %llx",
				names ? domain_text(&name).s : ip_text(&ip).s, (int)now_s,
				(unsigned long long)got, (unsigned long long)want);
	}
}

static void snapshot_is_a_linear_scan(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 60; round++) {
		struct prop p = prop_new(round);
		struct buf bytes = BUF_INIT(1 << 24);
		struct builder *b = builder_new(round, seed);
		bool names = round % 4 == 3;
		struct set_meta meta = meta_plain(names ? SET_NAME : SET_IP,
			names ? round % 8 == 3 ? SET_ALL : SET_FIRST : round % 3, 300);
		struct builder_set *other = builder_set_new(b, SLICE("other"), &meta), *s;
		struct index ix = {0};
		size_t set;

		model_add_to(
			&(struct model_entry){.code = 63, .prefix = {.ip = {.family = 4}}}, other);
		s = builder_set_new(b, SLICE("tested"), &meta);
		model.rule = meta.rule;
		model.count = prop_below(&p, 250);
		for (size_t i = 0; i < model.count; i++) {
			model.items[i] = model_entry(&p, names, round % 5, round % 2);
			model_add_to(&model.items[i], s);
		}
		ix.snapshot = open_built(b, &bytes);
		assert_true(snapshot_set_find(ix.snapshot, SLICE("tested"), &set) && set == 1);
		ask_everything(&p, &ix, set, names, 400);
		snapshot_close((struct snapshot *)ix.snapshot);
		buf_done(&bytes);
	}
}

/* Enough of one length for the directory form, with and without columns. */
static void many_addresses(void **state)
{
	(void)state;
	for (unsigned columns = 0; columns < 2; columns++) {
		struct prop p = prop_new(columns);
		struct buf bytes = BUF_INIT(1 << 24);
		struct builder *b = builder_new(1, seed);
		struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
		struct builder_set *s = builder_set_new(b, SLICE("many"), &meta);
		struct hit hits[SNAPSHOT_HITS_MAX];
		struct snapshot *snap;
		uint32_t v = builder_value(s, 2, SLICE("")),
			 v3 = builder_value(s, 3, SLICE("three"));

		/* x / 7 decides whether x is in, so that the test needs no table of its own. */
		for (int i = 0; i < 60000; i++) {
			uint32_t x = prop_below(&p, 1 << 20) * 4099;

			if (x / 7 % 2)
				builder_add_ip4(s, x, 32, columns && x % 3 == 0 ? v3 : v,
					columns ? 1000 : 0);
		}
		for (uint32_t x = 0xfffffff0; x; x++)
			builder_add_ip4(s, x, 32, v, 0);
		builder_add_ip4(s, 0, 32, v, 0);
		snap = open_built(b, &bytes);
		assert_int_equal(snapshot_find_ip4(snap, 0, 1, hits), 1);
		assert_int_equal(snapshot_find_ip4(snap, UINT32_MAX, 1, hits), 1);
		p = prop_new(columns);
		for (int i = 0; i < 60000; i++) {
			uint32_t x = prop_below(&p, 1 << 20) * 4099;
			size_t n = snapshot_find_ip4(snap, x, 999, hits);

			if (x == 0 || x >= 0xfffffff0)
				continue;
			assert_int_equal(n, x / 7 % 2);
			if (n)
				assert_int_equal(hits[0].value.code, columns && x % 3 == 0 ? 3 : 2);
			assert_int_equal(snapshot_find_ip4(snap, x, 1000, hits), columns ? 0 : n);
		}
		snapshot_close(snap);
		buf_done(&bytes);
	}
}

static struct buf small_snapshot(void)
{
	struct buf bytes = BUF_INIT(1 << 20);
	struct builder *b = builder_new(77, seed);
	struct prop p = prop_new(5);
	struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct builder_set *s = builder_set_new(b, SLICE("a"), &meta);

	for (int i = 0; i < 20; i++)
		model_add_to(&(struct model_entry){.code = 1,
				     .prefix = model_entry(&p, false, 0, 0).prefix},
			s);
	meta = meta_plain(SET_NAME, SET_ALL, 300);
	s = builder_set_new(b, SLICE("b"), &meta);
	for (int i = 0; i < 20; i++) {
		struct model_entry e = model_entry(&p, true, true, true);

		model_add_to(&e, s);
	}
	assert_true(builder_write(b, &bytes, NULL));
	builder_free(b);
	return bytes;
}

static void changed_bytes_are_refused(void **state)
{
	struct buf bytes = small_snapshot();
	struct snapshot *s = snapshot_open(buf_slice(&bytes), NULL);
	struct err err;

	(void)state;
	assert_non_null(s);
	assert_int_equal(snapshot_serial(s), 77);
	snapshot_close(s);
	for (size_t n = 0; n < bytes.len; n++) {
		struct slice cut = exact(bytes.ptr, n);

		assert_null(snapshot_open(cut, &err));
		assert_int_equal(err.kind, ERR_CORRUPT);
		exact_free(cut);
	}
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_null(snapshot_open(buf_slice(&bytes), &err));
		bytes.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_null(snapshot_close(snapshot_open(buf_slice(&bytes), &err)));
	buf_done(&bytes);
}

static void meta_keeps_everything(void **state)
{
	struct set_meta m = meta_plain(SET_NAME, SET_ALL, 900), got;
	struct buf bytes = BUF_INIT(META_SIZE_MAX);
	struct slice rest, copy;
	struct domain d;

	(void)state;
	m.has_soa = true;
	m.soa = (struct set_soa){.ttl_s = 1,
		.serial = 2,
		.refresh_s = 3,
		.retry_s = 4,
		.expire_s = 5,
		.minimum_s = 6};
	assert_true(domain_parse(SLICE("ns1.example"), &m.soa.origin, NULL));
	assert_true(domain_parse(SLICE("admin.example"), &m.soa.person, NULL));
	m.ns_ttl_s = 7;
	m.ns_count = 2;
	m.ns[0] = m.soa.origin;
	m.ns[1] = m.soa.person;
	m.stamp_s = 1700000000;
	m.expires_s = 1800000000;
	m.places = slice_of("\4spam\0\0\1a\1b\0", 12);
	meta_encode(&m, &bytes);
	copy = exact(bytes.ptr, bytes.len);
	assert_true(meta_decode(copy, &got, NULL));
	assert_true(
		got.has_soa && got.soa.minimum_s == 6 && domain_eq(&got.soa.person, &m.soa.person));
	assert_true(got.ns_count == 2 && domain_eq(&got.ns[1], &m.ns[1]) && got.ns_ttl_s == 7);
	assert_true(got.ttl_s == 900 && got.stamp_s == m.stamp_s && got.expires_s == m.expires_s);
	rest = got.places;
	assert_true(meta_next_place(&rest, &d) && d.labels == 1
		    && strcmp(domain_text(&d).s, "spam") == 0);
	assert_true(meta_next_place(&rest, &d) && d.labels == 0);
	assert_true(meta_next_place(&rest, &d) && strcmp(domain_text(&d).s, "a.b") == 0);
	assert_int_equal(rest.len, 0);
	exact_free(copy);
	for (size_t n = 0; n < bytes.len; n++) {
		copy = exact(bytes.ptr, n);
		assert_false(meta_decode(copy, &got, NULL));
		exact_free(copy);
	}
	buf_done(&bytes);
}

static void templates(void **state)
{
	static const struct {
		const char *text, *asked, *out;
	} cases[] = {
		{"see $", "1.2.3.4", "see 1.2.3.4"},
		{"$$5 for $$$", "x", "$5 for $x"},
		{"", "x", ""},
		{"$", "", ""},
		{"a$b$c", "-", "a-b-c"},
		{"end$$", "x", "end$"},
	};
	char dst[VALUE_TEXT_MAX], longer[400];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		n = value_expand(slice_str(cases[i].text), slice_str(cases[i].asked), dst);
		assert_true(slice_eq(slice_of(dst, n), slice_str(cases[i].out)));
	}
	memset(longer, 'y', sizeof longer);
	assert_int_equal(value_expand(slice_of(longer, 400), SLICE("x"), dst), VALUE_TEXT_MAX);
	longer[250] = '$';
	n = value_expand(slice_of(longer, 400), SLICE("0123456789"), dst);
	assert_true(n == VALUE_TEXT_MAX && memcmp(dst + 250, "0123", 4) == 0);
	for (size_t i = 0; i < 400; i++)
		longer[i] = '$';
	assert_int_equal(value_expand(slice_of(longer, 400), SLICE("x"), dst), 200);
}

static void questions(void **state)
{
	static const struct {
		const char *name;
		bool ip4, ip6;
		uint32_t address;
	} cases[] = {
		{"4.3.2.1", true, false, 0x01020304},
		{"004.03.2.1", true, false, 0x01020304},
		{"256.3.2.1", false, false, 0},
		{"4.3.2", false, false, 0},
		{"a.3.2.1", false, false, 0},
		{"0004.3.2.1", false, false, 0},
		{"5.4.3.2.1", false, false, 0},
		{"4.0.3.0.2.0.1.0.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", true, true,
			0x01020304},
		{"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.3.0.2.0.1.0.2.0.0.2", true, true,
			0x01020304},
		{"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.3.0.2.0.1.0.1.0.0.2", false, true, 0},
		{"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.3.0.2.0.1.0.1.0.0.2", false, false,
			0},
	};
	struct domain d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct asked q;

		assert_true(domain_parse(slice_str(cases[i].name), &d, NULL));
		q = asked_of(d.wire, d.len, d.labels);
		if (q.is_ip4 != cases[i].ip4 || q.is_ip6 != cases[i].ip6
			|| q.ip4 != cases[i].address)
			fail_msg("%s", cases[i].name);
	}
}

static void checksums(void **state)
{
	static char bytes[200000];

	(void)state;
	/* RFC 3720, B.4 */
	assert_int_equal(crc32c(0, SLICE("123456789")), 0xe3069283);
	memset(bytes, 0xff, 32);
	assert_int_equal(crc32c(0, slice_of(bytes, 32)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 255);
	for (size_t n = 0; n < 300; n++)
		assert_int_equal(
			crc32c(5, slice_of(bytes, n)), crc32c_portable(5, slice_of(bytes, n)));
	/* Long ones go in lanes. */
	for (size_t n = 49000; n < sizeof bytes; n += 4999)
		assert_int_equal(
			crc32c(5, slice_of(bytes, n)), crc32c_portable(5, slice_of(bytes, n)));
}

static void change_records(void **state)
{
	struct change c = {.serial = 9,
			      .op = CHANGE_ADD,
			      .set = SLICE("spam"),
			      .is_name = true,
			      .scope = SCOPE_BOTH,
			      .value = {0x7f000002, SLICE("see $")},
			      .expires_s = 1800000000},
		      got;
	struct buf log = BUF_INIT(1 << 16);
	struct err err;
	size_t used, first;

	(void)state;
	assert_true(domain_parse(SLICE("bad.example"), &c.name, NULL));
	assert_true(change_encode(&c, &log, &err));
	first = log.len;
	c = (struct change){.serial = 10, .op = CHANGE_REMOVE, .set = SLICE("spam")};
	assert_true(prefix_parse(SLICE("2001:db8::/64"), &c.prefix, NULL));
	assert_true(change_encode(&c, &log, &err));
	for (size_t n = 0; n < log.len; n++) {
		struct slice cut = exact(log.ptr, n);

		assert_int_equal(change_decode(cut, &got, &used, &err),
			n < first ? CHANGE_MORE : CHANGE_READ);
		exact_free(cut);
	}
	assert_int_equal(change_decode(buf_slice(&log), &got, &used, &err), CHANGE_READ);
	assert_int_equal(used, first);
	assert_true(got.serial == 9 && got.is_name && got.scope == SCOPE_BOTH
		    && got.expires_s == 1800000000);
	assert_true(slice_eq(got.value.text, SLICE("see $")) && got.value.code == 0x7f000002);
	assert_string_equal(domain_text(&got.name).s, "bad.example");
	assert_int_equal(
		change_decode(slice_skip(buf_slice(&log), first), &got, &used, &err), CHANGE_READ);
	assert_true(got.op == CHANGE_REMOVE && got.prefix.len == 64 && used == log.len - first);
	for (size_t bit = 32; bit < first * 8; bit++) {
		log.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(change_decode(buf_slice(&log), &got, &used, &err), CHANGE_CORRUPT);
		log.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	c.set = SLICE("");
	assert_false(change_encode(&c, &log, &err));
	buf_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_is_a_linear_scan),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(changed_bytes_are_refused),
		cmocka_unit_test(meta_keeps_everything),
		cmocka_unit_test(templates),
		cmocka_unit_test(questions),
		cmocka_unit_test(checksums),
		cmocka_unit_test(change_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
