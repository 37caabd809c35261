/* test_dnsd_copy.c - copies of zones: changes to them against a plain list of records, and what is answered from
 * them against RFC 4592 taken at its word. */
#include "test.h"

#include "base/attr.h"
#include "dns/wire.h"
#include "dnsd/answer/answer.h"
#include "dnsd/copy/copy.h"
#include "dnsd/copy/copy_index.h"
#include "prop.h"

#include <stdio.h>

#define RECORDS 64
#define DEEP "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."

struct record {
	struct domain owner;
	uint16_t type;
	uint32_t ttl_s;
	uint8_t rdata[8];
	uint8_t len;
};

struct zone {
	struct domain name;
	struct record items[RECORDS];
	size_t count;
};

static struct domain name_of(const char *text)
{
	struct domain d;

	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

static struct slice soa_rdata(struct buf *b, uint32_t serial)
{
	buf_reset(b);
	buf_add(b, "\2ns\0\1h\0", 7);
	buf_add_u32(b, serial);
	for (unsigned i = 0; i < 4; i++)
		buf_add_u32(b, 60);
	return buf_slice(b);
}

static void take(struct copy_changes *c, enum xfr_op op, const struct domain *owner, uint16_t type,
	uint32_t ttl_s, struct slice rdata)
{
	struct xfr_record r = {*owner, type, ttl_s, rdata};
	struct err err;

	assert_true(copy_changes_take(c, op, &r, &err));
}

static void take_soa(struct copy_changes *c, enum xfr_op op, uint32_t serial)
{
	_cleanup_buf_ struct buf b = BUF_INIT(100);

	take(c, op, &c->zone, DNS_SOA, 60, soa_rdata(&b, serial));
}

static void take_record(struct copy_changes *c, enum xfr_op op, const struct record *r)
{
	take(c, op, &r->owner, r->type, r->ttl_s, slice_of(r->rdata, r->len));
}

static void write_whole(const struct zone *z, uint32_t serial, struct buf *to)
{
	struct copy_changes c;
	struct err err;

	copy_changes_init(&c, &z->name, 1 << 20);
	assert_true(copy_changes_take(&c, XFR_WHOLE, NULL, &err));
	take_soa(&c, XFR_ADD, serial);
	for (size_t i = 0; i < z->count; i++)
		take_record(&c, XFR_ADD, &z->items[i]);
	*to = BUF_INIT(1 << 20);
	assert_true(copy_merge(NULL, &c, to, &err));
	copy_changes_done(&c);
}

static void random_name(struct prop *p, bool wild, char dst[128])
{
	static const char *const labels[] = {"1", "2", "a", "10", "1"};
	bool deep = prop_below(p, 4) == 0;
	unsigned depth = 1 + prop_below(p, 5);
	size_t n = 0;

	if (wild && prop_below(p, 2))
		n += (size_t)snprintf(dst, 128, "*.");
	for (unsigned i = 0; i < depth; i++)
		n += (size_t)snprintf(
			dst + n, 128 - n, "%s.", labels[prop_below(p, ARRAY_LEN(labels))]);
	snprintf(dst + n, 128 - n, "%sz.example", deep ? DEEP : "");
}

static struct record random_record(struct prop *p)
{
	struct record r;
	char name[128];

	random_name(p, true, name);
	if (prop_below(p, 30) == 0)
		snprintf(name, sizeof name, "*.z.example");
	r.owner = name_of(name);
	r.ttl_s = prop_below(p, 12) ? 300 : 60;
	r.type = DNS_A;
	r.len = 4;
	memcpy(r.rdata, (uint8_t[]){127, 0, 0, (uint8_t)(2 + prop_below(p, 3))}, 4);
	switch (prop_below(p, 12)) {
	case 0:
		r.type = DNS_MX;
		memcpy(r.rdata, "\0\1\1x\0", r.len = 5);
		break;
	case 1:
	case 2:
	case 3:
		r.type = DNS_TXT;
		memcpy(r.rdata, "\3$$a", r.len = 4);
		r.rdata[3] = (uint8_t)('a' + prop_below(p, 2));
		break;
	}
	return r;
}

static bool same_record(const struct record *a, const struct record *b)
{
	return domain_eq(&a->owner, &b->owner) && a->type == b->type && a->len == b->len
	       && memcmp(a->rdata, b->rdata, a->len) == 0;
}

static struct record *find(struct zone *z, const struct record *r)
{
	for (size_t i = 0; i < z->count; i++)
		if (same_record(&z->items[i], r))
			return &z->items[i];
	return NULL;
}

static void random_zone(struct prop *p, struct zone *z)
{
	size_t count = prop_below(p, 40);

	z->name = name_of("z.example");
	for (z->count = 0; z->count < count;) {
		struct record r = random_record(p);
		/* one TTL a set (RFC 2181, 5.2) */
		for (size_t i = 0; i < z->count; i++)
			if (domain_eq(&z->items[i].owner, &r.owner) && z->items[i].type == r.type)
				r.ttl_s = z->items[i].ttl_s;
		if (find(z, &r))
			count--;
		else
			z->items[z->count++] = r;
	}
}

/* ---- changes ---- */

static void test_changes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct prop p = prop_new(round);
		_cleanup_buf_ struct buf before = BUF_INIT(0), after = BUF_INIT(0);
		_cleanup_buf_ struct buf merged = BUF_INIT(1 << 20);
		struct copy_changes c;
		struct copy old;
		struct zone z;
		struct err err;

		random_zone(&p, &z);
		write_whole(&z, 1, &before);
		assert_true(copy_open(buf_slice(&before), &z.name, &old, &err));
		assert_int_equal(old.count, z.count + 1);
		assert_int_equal(old.soa.serial, 1);
		copy_changes_init(&c, &z.name, 1 << 20);
		for (uint32_t serial = 1; serial < 4; serial++) {
			take_soa(&c, XFR_REMOVE, serial);
			for (unsigned n = prop_below(&p, 5); n && z.count; n--) {
				size_t i = prop_below(&p, (uint32_t)z.count);
				take_record(&c, XFR_REMOVE, &z.items[i]);
				z.items[i] = z.items[--z.count];
			}
			take_soa(&c, XFR_ADD, serial + 1);
			for (unsigned n = prop_below(&p, 5); n; n--) {
				struct record r = random_record(&p);
				if (find(&z, &r))
					continue;
				take_record(&c, XFR_ADD, &r);
				z.items[z.count++] = r;
			}
		}
		assert_true(copy_merge(&old, &c, &merged, &err));
		copy_changes_done(&c);
		write_whole(&z, 4, &after);
		if (!slice_eq(buf_slice(&merged), buf_slice(&after)))
			fail_msg("PROP_SEED=%u", 20261124 + round);
	}
}

/* Changes that do not fit what is there are none; and a limit. */
static void test_contradictions(void **state)
{
	static const uint8_t a[] = {127, 0, 0, 2};
	_cleanup_buf_ struct buf before = BUF_INIT(0);
	struct zone z = {.name = name_of("z.example"), .count = 1};
	struct copy old;
	struct err err;

	(void)state;
	z.items[0] = (struct record){name_of("a.z.example"), DNS_A, 60, {127, 0, 0, 2}, 4};
	write_whole(&z, 1, &before);
	assert_true(copy_open(buf_slice(&before), &z.name, &old, &err));
	for (unsigned i = 0; i < 5; i++) {
		static const struct {
			enum xfr_op op;
			const char *name;
			bool ok;
		} cases[] = {{XFR_REMOVE, "a.z.example", true}, {XFR_REMOVE, "b.z.example", false},
			{XFR_ADD, "a.z.example", false}, {XFR_ADD, "b.z.example", true}};
		_cleanup_buf_ struct buf to = BUF_INIT(i == 4 ? 50 : 1000);
		struct domain name = name_of(cases[i % 4].name);
		struct copy_changes c;

		copy_changes_init(&c, &z.name, 1000);
		take(&c, cases[i % 4].op, &name, DNS_A, 60, slice_of(a, 4));
		assert_int_equal(copy_merge(&old, &c, &to, &err), cases[i % 4].ok && i < 4);
		copy_changes_done(&c);
	}
	for (size_t limit = 0; limit < 100; limit += 99) {
		struct xfr_record r = {z.name, DNS_A, 60, slice_of(a, 4)};
		struct copy_changes c;
		copy_changes_init(&c, &z.name, limit);
		assert_int_equal(copy_changes_take(&c, XFR_ADD, &r, &err), limit > 0);
		copy_changes_done(&c);
	}
}

/* No byte can be wrong. */
static void test_damage(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct prop p = prop_new(1);
	struct domain other = name_of("y.example");
	struct copy c;
	struct zone z;
	struct err err;

	(void)state;
	random_zone(&p, &z);
	write_whole(&z, 1, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct slice cut = exact(bytes.ptr, len);
		assert_false(copy_open(cut, &z.name, &c, &err));
		exact_free(cut);
		bytes.ptr[len] ^= 4;
		assert_false(copy_open(buf_slice(&bytes), &z.name, &c, &err));
		bytes.ptr[len] ^= 4;
	}
	assert_false(copy_open(buf_slice(&bytes), &other, &c, &err));
	assert_true(copy_open(buf_slice(&bytes), &z.name, &c, &err));
}

/* ---- answers ---- */

/* The owner whose records answer the name; NULL: none. exists: the name is there. */
static const struct domain *owner_for(
	const struct zone *z, const struct domain *name, struct domain *wild, bool *ret_exists)
{
	static const struct domain star = {.len = 3, .labels = 1, .wire = "\1*"};

	*ret_exists = false;
	for (size_t i = 0; i < z->count; i++) {
		if (domain_eq(&z->items[i].owner, name))
			return *ret_exists = true, &z->items[i].owner;
		*ret_exists = *ret_exists || domain_is_under(&z->items[i].owner, name);
	}
	if (*ret_exists)
		return NULL;
	for (unsigned up = 1; up <= (unsigned)name->labels - z->name.labels; up++) {
		struct domain above = domain_parent(name, up);
		bool there = above.labels == z->name.labels;
		domain_join(&star, &above, wild);
		for (size_t i = 0; i < z->count; i++) {
			if (domain_eq(&z->items[i].owner, wild))
				return *ret_exists = true, &z->items[i].owner;
			there = there || domain_is_under(&z->items[i].owner, &above);
		}
		if (there)
			return NULL;
	}
	return NULL;
}

static bool is_label_of(const uint8_t *label, bool octet)
{
	return octet ? label[1] != 'a' : label[0] == 1;
}

/* Labels of an address, `whole` all of it. */
static bool is_address(const struct domain *name, unsigned labels, bool whole)
{
	for (unsigned octet = 0; octet < 2; octet++) {
		unsigned at = 0, i = 0, size = octet ? 4 : 32;
		while (i < labels && is_label_of(name->wire + at, octet)) {
			at += name->wire[at] + 1u;
			i++;
		}
		if (i == labels && (whole ? labels == size : labels < size))
			return true;
	}
	return false;
}

/* A name that is no address below a wildcard of addresses: see copy_index.h. */
static bool is_known_difference(
	const struct zone *z, const struct domain *name, const struct domain *owner)
{
	unsigned below = (unsigned)name->labels - z->name.labels;
	struct domain parent;

	if (!owner || owner->wire[1] != '*' || owner->wire[0] != 1)
		return false;
	parent = domain_parent(owner, 1);
	if (parent.labels == z->name.labels)
		return false;
	if (!is_address(&parent, (unsigned)parent.labels - z->name.labels, false))
		return false;
	for (unsigned size = 4; size <= 32; size += 28)
		if (below == size && is_address(name, below, true))
			return false;
	return true;
}

static size_t question(uint8_t dst[512], const struct domain *name, uint16_t type)
{
	memset(dst, 0, DNS_HEADER_SIZE);
	dst[5] = 1;
	memcpy(dst + DNS_HEADER_SIZE, name->wire, name->len);
	dns_put_u16(dst + DNS_HEADER_SIZE + name->len, type);
	dns_put_u16(dst + DNS_HEADER_SIZE + name->len + 2, DNS_IN);
	return DNS_HEADER_SIZE + name->len + 4u;
}

static void check_answer(const struct zone *z, const struct served *s, const struct domain *name,
	uint16_t type, unsigned round)
{
	const struct answer_from from = {.transport = ANSWER_TCP, .now_s = 1};
	static uint8_t q[512], out[ANSWER_SIZE_TCP];
	struct domain wild;
	const struct domain *owner;
	struct answer_note note;
	struct dns_record rec;
	size_t n, at, expected = 0, found = 0;
	bool exists;

	owner = owner_for(z, name, &wild, &exists);
	if (is_known_difference(z, name, owner))
		return;
	n = question(q, name, type);
	at = n;
	n = answer(s, &from, slice_of(q, n), out, &note);
	assert_true(n > 0);
	for (unsigned i = 0; i < dns_u16(out + 6); i++) {
		at = dns_record_read(slice_of(out, n), at, &rec);
		assert_true(at > 0 && rec.type == type);
		for (size_t k = 0; owner && k < z->count; k++)
			found += domain_eq(&z->items[k].owner, owner) && z->items[k].type == type
				 && z->items[k].len == rec.rdata_len && z->items[k].ttl_s == rec.ttl
				 && memcmp(z->items[k].rdata, out + rec.rdata, rec.rdata_len) == 0;
	}
	for (size_t k = 0; owner && k < z->count; k++)
		expected += domain_eq(&z->items[k].owner, owner) && z->items[k].type == type;
	if (found != expected || dns_u16(out + 6) != expected
		|| (owner && note.rcode != DNS_NOERROR))
		fail_msg("PROP_SEED=%u: %s %u: %zu of %zu, %u told, rcode %u", 20261124 + round,
			domain_text(name).s, type, found, expected, dns_u16(out + 6), note.rcode);
}

static void test_answers(void **state)
{
	static const uint8_t seed[16];

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct prop p = prop_new(round);
		_cleanup_buf_ struct buf bytes = BUF_INIT(0), snapshot = BUF_INIT(1 << 24);
		struct builder *b = builder_new(1, seed);
		struct index ix = {0};
		struct served *s = served_new();
		struct served_zone *sz;
		struct copy_index told;
		struct copy c;
		struct zone z;
		struct err err;

		random_zone(&p, &z);
		write_whole(&z, 1, &bytes);
		assert_true(copy_open(buf_slice(&bytes), &z.name, &c, &err));
		copy_index(&c, b, &told);
		assert_int_equal(told.dropped, 0);
		assert_true(builder_write(b, &snapshot, &err));
		builder_free(b);
		ix.snapshot = snapshot_open(buf_slice(&snapshot), &err);
		assert_non_null(ix.snapshot);
		sz = served_zone(s, &z.name);
		served_add_sets(sz, &ix, 0, snapshot_set_count(ix.snapshot), 0);
		served_seal(s);
		for (unsigned i = 0; i < 60; i++) {
			static const uint16_t types[] = {DNS_A, DNS_TXT, DNS_MX};
			struct domain name;
			char text[128];
			random_name(&p, false, text);
			name = name_of(text);
			check_answer(&z, s, &name, types[prop_below(&p, 3)], round);
		}
		served_free(s);
		snapshot_close((struct snapshot *)ix.snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
