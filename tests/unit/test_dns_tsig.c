/* test_dns_tsig.c - signatures of both ends, and what is said of those that do not fit; messages full of
 * records. */
#include "test.h"

#include "base/mem.h"
#include "dns/bulk.h"
#include "dns/tsig.h"

#define NOW 1800000000

static struct tsig_key key_of(const char *name, const char *algorithm, const char *secret)
{
	struct tsig_key k;
	struct domain d;
	struct err err;

	assert_true(domain_parse(slice_str(name), &d, &err));
	assert_true(tsig_key_init(&k, &d, algorithm, slice_str(secret), &err));
	return k;
}

static size_t question(uint8_t dst[1024], uint16_t id)
{
	struct dns_bulk_head h = {.id = id, .type = DNS_AXFR};
	struct dns_bulk b;

	assert_true(domain_parse(SLICE("bl.example"), &h.zone, NULL));
	dns_bulk_start(&b, dst, 1024, &h);
	return dns_bulk_finish(&b);
}

static void test_key(void **state)
{
	struct domain d = {.len = 1};
	struct tsig_key k;
	struct err err;

	(void)state;
	assert_false(tsig_key_init(&k, &d, "hmac-md6", SLICE("AAAA"), &err));
	assert_false(tsig_key_init(&k, &d, "hmac-sha256", SLICE(""), &err));
	assert_false(tsig_key_init(&k, &d, "hmac-sha256", SLICE("no base64!"), &err));
	assert_true(tsig_key_init(&k, &d, "hmac-sha512", SLICE("Zm9vYmFy"), &err));
	assert_int_equal(k.secret_len, 6);
	assert_memory_equal(k.secret, "foobar", 6);
}

/* A whole transfer: every message signed by the server, checked by the client. */
static void test_exchange(void **state)
{
	static const char *const algorithms[] = {"hmac-md5", "hmac-sha1", "hmac-sha224",
		"hmac-sha256", "hmac-sha384", "hmac-sha512"};

	(void)state;
	for (size_t a = 0; a < ARRAY_LEN(algorithms); a++) {
		struct tsig_key key = key_of("Key.Example", algorithms[a], "c2VrcmV0IHNlY3JldA==");
		struct tsig_chain client, server;
		struct tsig_record r;
		uint8_t m[1024];
		size_t n;

		tsig_chain_start(&client, &key);
		tsig_chain_start(&server, &key);
		n = tsig_chain_sign(&client, m, question(m, 7), sizeof m, NOW);
		assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
		m[0] ^= 1; /* a forwarder's new id: the original one counts */
		assert_int_equal(tsig_chain_check(&server, slice_of(m, n), &r, NOW + 2), TSIG_OK);
		for (unsigned i = 0; i < 4; i++) {
			n = question(m, 7);
			n = tsig_chain_sign(&server, m, n, sizeof m, NOW + i);
			assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
			assert_int_equal(
				tsig_chain_check(&client, slice_of(m, n), &r, NOW), TSIG_OK);
			assert_true(tsig_chain_is_signed(&client));
		}
	}
}

/* Some servers sign only now and then: what lies between counts all the same. */
static void test_unsigned_between(void **state)
{
	struct tsig_key key = key_of("k", "hmac-sha256", "c2VrcmV0");
	struct tsig_record r;
	uint8_t m[1024], between[1024];
	size_t n, len = question(between, 7);

	(void)state;
	for (unsigned forged = 0; forged < 2; forged++) {
		struct tsig_chain client, server;

		tsig_chain_start(&client, &key);
		tsig_chain_start(&server, &key);
		n = tsig_chain_sign(&client, m, question(m, 7), sizeof m, NOW);
		assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
		assert_int_equal(tsig_chain_check(&server, slice_of(m, n), &r, NOW), TSIG_OK);
		n = tsig_chain_sign(&server, m, question(m, 7), sizeof m, NOW);
		assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
		assert_int_equal(tsig_chain_check(&client, slice_of(m, n), &r, NOW), TSIG_OK);
		/* the server's digest runs over it too: as a client's does */
		between[DNS_HEADER_SIZE + 1] = 'b';
		assert_int_equal(
			tsig_chain_check(&server, slice_of(between, len), NULL, NOW), TSIG_OK);
		between[DNS_HEADER_SIZE + 1] = forged ? 'c' : 'b';
		assert_int_equal(
			tsig_chain_check(&client, slice_of(between, len), NULL, NOW), TSIG_OK);
		assert_false(tsig_chain_is_signed(&client));
		n = tsig_chain_sign(&server, m, question(m, 7), sizeof m, NOW);
		assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
		assert_int_equal(tsig_chain_check(&client, slice_of(m, n), &r, NOW),
			forged ? TSIG_BADSIG : TSIG_OK);
		tsig_chain_done(&client);
		tsig_chain_done(&server);
	}
}

static void test_refusals(void **state)
{
	struct tsig_key key = key_of("k", "hmac-sha256", "c2VrcmV0"),
			other = key_of("k", "hmac-sha256", "b3RoZXI="),
			stranger = key_of("l", "hmac-sha256", "c2VrcmV0"),
			algorithm = key_of("k", "hmac-sha1", "c2VrcmV0");
	const struct {
		const struct tsig_key *signer;
		int64_t now_s;
		enum tsig_error want;
	} cases[] = {{&key, NOW, TSIG_OK}, {&key, NOW + 300, TSIG_OK},
		{&key, NOW + 301, TSIG_BADTIME}, {&key, NOW - 301, TSIG_BADTIME},
		{&other, NOW, TSIG_BADSIG}, {&stranger, NOW, TSIG_BADKEY},
		{&algorithm, NOW, TSIG_BADKEY}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tsig_chain client, server;
		struct tsig_record r, back;
		uint8_t m[1024], reply[2048];
		size_t n;

		tsig_chain_start(&client, cases[i].signer);
		tsig_chain_start(&server, &key);
		n = tsig_chain_sign(&client, m, question(m, 7), sizeof m, NOW);
		assert_int_equal(tsig_find(slice_of(m, n), &r), TSIG_PRESENT);
		assert_int_equal(tsig_chain_check(&server, slice_of(m, n), &r, cases[i].now_s),
			cases[i].want);
		if (!cases[i].want)
			continue;
		n = question(reply, 7);
		n = tsig_refuse(&server, &r, cases[i].want, reply, n, sizeof reply, NOW + 301);
		assert_int_equal(tsig_find(slice_of(reply, n), &back), TSIG_PRESENT);
		assert_int_equal(back.error, cases[i].want);
		assert_int_equal(back.mac.len, cases[i].want == TSIG_BADTIME ? 32 : 0);
		assert_int_equal(back.other.len, cases[i].want == TSIG_BADTIME ? 6 : 0);
		if (cases[i].want == TSIG_BADTIME)
			assert_int_equal(
				tsig_chain_check(&client, slice_of(reply, n), &back, NOW), TSIG_OK);
		tsig_chain_done(&server);
		tsig_chain_done(&client);
	}
}

/* Any bit of a signed question changed: never good. */
static void test_every_bit(void **state)
{
	struct tsig_key key = key_of("k", "hmac-sha256", "c2VrcmV0");
	struct tsig_chain client, server;
	struct tsig_record r;
	uint8_t m[1024];
	size_t n;

	(void)state;
	tsig_chain_start(&client, &key);
	n = tsig_chain_sign(&client, m, question(m, 7), sizeof m, NOW);
	for (size_t bit = 16; bit < n * 8; bit++) { /* the id may change on the way */
		uint8_t *copy = mem_new(1, n);

		memcpy(copy, m, n);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		tsig_chain_start(&server, &key);
		if (tsig_find(slice_of(copy, n), &r) == TSIG_PRESENT
			&& tsig_chain_check(&server, slice_of(copy, n), &r, NOW) == TSIG_OK)
			/* only the case of the names in it, which does not count there */
			assert_true(bit % 8 == 5 && ascii_is_alpha((char)m[bit / 8])
				    && bit / 8 >= r.at);
		tsig_chain_done(&server);
		free(copy);
	}
}

static struct domain domain_of(const char *text)
{
	struct domain d;

	assert_true(domain_parse(slice_str(text), &d, NULL));
	return d;
}

/* Every name comes out as it went in, whatever it was compressed against. */
static void test_bulk(void **state)
{
	static const char *const names[] = {"bl.example", "1.2.3.4.bl.example",
		"2.2.3.4.bl.example", "*.3.4.bl.example", "*.3.4.bl.example", "4.bl.example",
		"x.4.bl.example", "a.b.c.d.e.f.bl.example", "b.c.d.e.f.bl.example", "bl.example",
		"a.bl.example"};
	struct dns_bulk_head h = {.id = 1, .flags = DNS_QR | DNS_AA, .type = DNS_AXFR};
	uint8_t m[1024];
	struct dns_bulk b;
	struct dns_record rec;
	struct domain got, want;
	size_t n, at;

	(void)state;
	h.zone = domain_of("bl.example");
	dns_bulk_start(&b, m, sizeof m, &h);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		want = domain_of(names[i]);
		assert_true(dns_bulk_add(&b, &want, DNS_A, 60, SLICE("\x7f\0\0\2")));
	}
	n = dns_bulk_finish(&b);
	assert_int_equal(dns_u16(m + 6), ARRAY_LEN(names));
	at = DNS_HEADER_SIZE + h.zone.len + 4;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		at = dns_record_read(slice_of(m, n), at, &rec);
		assert_int_not_equal(at, 0);
		assert_int_not_equal(dns_name_read(slice_of(m, n), rec.owner, &got), 0);
		assert_string_equal(domain_text(&got).s, names[i]);
		assert_int_equal(rec.ttl, 60);
		assert_memory_equal(m + rec.rdata, "\x7f\0\0\2", 4);
	}
	assert_int_equal(at, n);
	/* full: the record is not there, the message still whole */
	dns_bulk_start(&b, m, 512, &h);
	want = domain_of("1.2.3.4.bl.example");
	for (n = 0; dns_bulk_add(&b, &want, DNS_A, 60, SLICE("\x7f\0\0\2")); n++)
		continue;
	assert_int_equal(n, (512 - DNS_HEADER_SIZE - h.zone.len - 4 - 8) / 16);
	assert_true(dns_bulk_finish(&b) <= 512);
}

static unsigned pointers_of(const uint8_t *m, size_t at)
{
	unsigned n = 0;

	while (m[at]) {
		if (m[at] < 64) {
			at += m[at] + 1u;
			continue;
		}
		at = dns_u16(m + at) & 0x3fff;
		n++;
	}
	return n;
}

/* A name below the one before, forty times: no reader has to follow more pointers than it would. */
static void test_bulk_hops(void **state)
{
	struct dns_bulk_head h = {.id = 1, .type = DNS_AXFR, .zone = domain_of("bl.example")};
	struct domain name = h.zone, label = domain_of("a"), longer, got;
	uint8_t m[4096];
	struct dns_bulk b;
	struct dns_record rec;
	size_t n, at;

	(void)state;
	dns_bulk_start(&b, m, sizeof m, &h);
	for (unsigned i = 0; i < 40; i++) {
		assert_true(domain_join(&label, &name, &longer));
		name = longer;
		assert_true(dns_bulk_add(&b, &name, DNS_A, 60, SLICE("\x7f\0\0\2")));
	}
	n = dns_bulk_finish(&b);
	at = DNS_HEADER_SIZE + h.zone.len + 4;
	for (unsigned i = 0; i < 40; i++) {
		at = dns_record_read(slice_of(m, n), at, &rec);
		assert_int_not_equal(at, 0);
		assert_int_not_equal(dns_name_read(slice_of(m, n), rec.owner, &got), 0);
		assert_int_equal(got.labels, 3 + i);
		assert_true(pointers_of(m, rec.owner) <= DNS_BULK_HOPS_MAX);
	}
	assert_true(domain_eq(&got, &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_hops),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_unsigned_between),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
