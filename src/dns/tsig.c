/* tsig.c - signed messages: what goes into the digest, and the record around it. */
#include "dns/tsig.h"

#include "base/mem.h"

#include <gnutls/gnutls.h>
#include <libdnssec/tsig.h>
#include <stdlib.h>

bool tsig_key_init(struct tsig_key *ret, const struct domain *name, const char *algorithm,
	struct slice secret, struct err *err)
{
	dnssec_binary_t base64 = {.data = (uint8_t *)secret.ptr, .size = secret.len}, raw = {0};
	struct tsig_key key = {.name = *name};
	bool ok;

	key.algorithm = (uint8_t)dnssec_tsig_algorithm_from_name(algorithm);
	if (key.algorithm == DNSSEC_TSIG_UNKNOWN)
		return err_set(err, ERR_SYNTAX,
			"algorithm \"%s\" is not known: hmac-sha256 is what most use", algorithm);
	ok = secret.len && dnssec_binary_from_base64(&base64, &raw) == 0 && raw.size
	     && raw.size <= sizeof key.secret;
	if (ok) {
		key.secret_len = (uint16_t)raw.size;
		memcpy(key.secret, raw.data, raw.size);
		*ret = key;
	}
	dnssec_binary_free(&raw);
	return ok ? true
		  : err_set(err, ERR_SYNTAX,
			  "the secret is no base64 of 1 to %d bytes: tsig-keygen makes one",
			  TSIG_SECRET_MAX);
}

static bool take_rdata(struct slice message, const struct dns_record *rec, struct tsig_record *r)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t at = dns_name_read(message, rec->owner, &r->name), end = rec->rdata + rec->rdata_len;

	/* The algorithm's name is not compressed (RFC 8945, 4.2), so it ends where skipping it ends. */
	if (at == 0 || rec->class != DNS_CLASS_ANY || dns_u32(p + rec->rdata - 6) != 0)
		return false;
	at = dns_name_read(slice_take(message, end), rec->rdata, &r->algorithm);
	if (at == 0 || at > end || end - at < 10)
		return false;
	r->time_s = (uint64_t)dns_u16(p + at) << 32 | dns_u32(p + at + 2);
	r->fudge_s = dns_u16(p + at + 6);
	r->mac = slice_of(p + at + 10, dns_u16(p + at + 8));
	at += 10;
	if (end - at < r->mac.len || end - at - r->mac.len < 6)
		return false;
	at += r->mac.len;
	r->original_id = dns_u16(p + at);
	r->error = dns_u16(p + at + 2);
	r->other = slice_of(p + at + 6, dns_u16(p + at + 4));
	return end - at - 6 == r->other.len;
}

enum tsig_found tsig_find(struct slice message, struct tsig_record *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_record rec;
	size_t at = DNS_HEADER_SIZE, start;
	unsigned questions, records;

	if (message.len < DNS_HEADER_SIZE)
		return TSIG_MALFORMED;
	questions = dns_u16(p + 4);
	records = dns_u16(p + 6) + dns_u16(p + 8) + dns_u16(p + 10);
	for (unsigned i = 0; i < questions; i++) {
		at = dns_name_skip(message, at);
		if (at == 0 || message.len - at < 4)
			return TSIG_MALFORMED;
		at += 4;
	}
	for (unsigned i = 0; i < records; i++) {
		start = at;
		at = dns_record_read(message, at, &rec);
		if (at == 0)
			return TSIG_MALFORMED;
		if (rec.type != DNS_TSIG)
			continue;
		if (i + 1 != records || dns_u16(p + 10) == 0 || at != message.len
			|| !take_rdata(message, &rec, ret))
			return TSIG_MALFORMED;
		ret->at = start;
		return TSIG_PRESENT;
	}
	return TSIG_ABSENT;
}

/* ---- the digest ---- */

static void add(struct tsig_chain *c, const void *bytes, size_t len)
{
	dnssec_binary_t b = {.data = (uint8_t *)bytes, .size = len};

	if (len)
		dnssec_tsig_add(c->digest, &b);
}

static void add_u16(struct tsig_chain *c, uint16_t v)
{
	uint8_t b[2];

	dns_put_u16(b, v);
	add(c, b, sizeof b);
}

static void add_time(struct tsig_chain *c, uint64_t time_s, uint16_t fudge_s)
{
	add_u16(c, (uint16_t)(time_s >> 32));
	add_u16(c, (uint16_t)(time_s >> 16));
	add_u16(c, (uint16_t)time_s);
	add_u16(c, fudge_s);
}

/* The last signature, when there is one; then the message, as it was before it got one of its own. */
static void add_message(
	struct tsig_chain *c, const uint8_t *message, size_t len, uint16_t id, bool has_tsig)
{
	dnssec_binary_t secret = {.data = (uint8_t *)c->key->secret, .size = c->key->secret_len};
	uint8_t head[DNS_HEADER_SIZE];

	if (!c->digest) {
		if (dnssec_tsig_new(&c->digest, c->key->algorithm, &secret) != 0)
			abort();
		if (c->step > 0) {
			add_u16(c, (uint16_t)c->mac_len);
			add(c, c->mac, c->mac_len);
		}
	}
	memcpy(head, message, sizeof head);
	dns_put_u16(head, id);
	if (has_tsig)
		dns_put_u16(head + 10, (uint16_t)(dns_u16(head + 10) - 1));
	add(c, head, sizeof head);
	add(c, message + sizeof head, len - sizeof head);
}

/* Question and first reply: all of TSIG's fields; later ones: the time alone (RFC 8945, 5.3.1). */
static size_t finish(struct tsig_chain *c, uint64_t time_s, uint16_t fudge_s, uint16_t error,
	struct slice other, uint8_t mac[TSIG_MAC_MAX])
{
	const uint8_t *algorithm = dnssec_tsig_algorithm_to_dname(c->key->algorithm);
	size_t size = dnssec_tsig_size(c->digest);

	if (c->step < 2) {
		add(c, c->key->name.wire, c->key->name.len);
		add_u16(c, DNS_CLASS_ANY);
		add(c, "\0\0\0", 4); /* TTL */
		add(c, algorithm, strlen((const char *)algorithm) + 1);
		add_time(c, time_s, fudge_s);
		add_u16(c, error);
		add_u16(c, (uint16_t)other.len);
		add(c, other.ptr, other.len);
	} else {
		add_time(c, time_s, fudge_s);
	}
	dnssec_tsig_write(c->digest, mac);
	dnssec_tsig_free(c->digest);
	c->digest = NULL;
	return size;
}

static void keep_mac(struct tsig_chain *c, const uint8_t *mac, size_t len)
{
	memcpy(c->mac, mac, len);
	c->mac_len = len;
	c->step++;
	c->unsigned_count = 0;
}

void tsig_chain_start(struct tsig_chain *c, const struct tsig_key *key)
{
	*c = (struct tsig_chain){.key = key};
}

void tsig_chain_done(struct tsig_chain *c)
{
	if (c->digest)
		dnssec_tsig_free(c->digest);
	c->digest = NULL;
}

bool tsig_chain_is_signed(const struct tsig_chain *c)
{
	return c->step > 1 && c->unsigned_count == 0;
}

/* ---- the record ---- */

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	if (len)
		memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *put_u16(uint8_t *at, uint16_t v)
{
	dns_put_u16(at, v);
	return at + 2;
}

static size_t append(uint8_t *message, size_t len, struct slice name, struct slice algorithm,
	const struct tsig_record *r)
{
	uint8_t *at = put(message + len, name.ptr, name.len), *rdata;

	at = put_u16(at, DNS_TSIG);
	at = put_u16(at, DNS_CLASS_ANY);
	at = put(at, "\0\0\0", 4);
	rdata = at + 2;
	at = put(rdata, algorithm.ptr, algorithm.len);
	at = put_u16(at, (uint16_t)(r->time_s >> 32));
	at = put_u16(at, (uint16_t)(r->time_s >> 16));
	at = put_u16(at, (uint16_t)r->time_s);
	at = put_u16(at, r->fudge_s);
	at = put_u16(at, (uint16_t)r->mac.len);
	at = put(at, r->mac.ptr, r->mac.len);
	at = put_u16(at, r->original_id);
	at = put_u16(at, r->error);
	at = put_u16(at, (uint16_t)r->other.len);
	at = put(at, r->other.ptr, r->other.len);
	dns_put_u16(rdata - 2, (uint16_t)(at - rdata));
	dns_put_u16(message + 10, (uint16_t)(dns_u16(message + 10) + 1));
	return (size_t)(at - message);
}

static size_t sign(struct tsig_chain *c, uint8_t *message, size_t len, uint64_t time_s,
	uint16_t error, struct slice other)
{
	const char *algorithm = (const char *)dnssec_tsig_algorithm_to_dname(c->key->algorithm);
	struct tsig_record r = {.time_s = time_s,
		.fudge_s = TSIG_FUDGE_S,
		.original_id = dns_u16(message),
		.error = error,
		.other = other};
	uint8_t mac[TSIG_MAC_MAX];

	add_message(c, message, len, r.original_id, false);
	r.mac = slice_of(mac, finish(c, time_s, TSIG_FUDGE_S, error, other, mac));
	keep_mac(c, mac, r.mac.len);
	return append(message, len, slice_of(c->key->name.wire, c->key->name.len),
		slice_of(algorithm, strlen(algorithm) + 1), &r);
}

size_t tsig_chain_sign(
	struct tsig_chain *c, uint8_t *message, size_t len, size_t size, int64_t now_s)
{
	if (size - len < TSIG_SIZE_MAX)
		return 0;
	return sign(c, message, len, (uint64_t)now_s, TSIG_OK, SLICE_EMPTY);
}

enum tsig_error tsig_chain_check(
	struct tsig_chain *c, struct slice message, const struct tsig_record *record, int64_t now_s)
{
	const char *algorithm = (const char *)dnssec_tsig_algorithm_to_dname(c->key->algorithm);
	const uint8_t *bytes = (const uint8_t *)message.ptr;
	uint8_t mac[TSIG_MAC_MAX];
	size_t len;
	int64_t off;

	if (!record) {
		if (c->step < 2 || ++c->unsigned_count > TSIG_UNSIGNED_MAX)
			return TSIG_BADSIG;
		add_message(c, bytes, message.len, dns_u16(bytes), false);
		return TSIG_OK;
	}
	if (!domain_eq(&record->name, &c->key->name)
		|| record->algorithm.len != strlen(algorithm) + 1
		|| memcmp(record->algorithm.wire, algorithm, record->algorithm.len) != 0)
		return TSIG_BADKEY;
	add_message(c, bytes, record->at, record->original_id, true);
	len = finish(c, record->time_s, record->fudge_s, record->error, record->other, mac);
	if (record->mac.len != len)
		return record->mac.len && record->mac.len < len ? TSIG_BADTRUNC : TSIG_BADSIG;
	if (gnutls_memcmp(mac, record->mac.ptr, len) != 0)
		return TSIG_BADSIG;
	keep_mac(c, mac, len);
	off = now_s - (int64_t)record->time_s;
	return off > record->fudge_s || -off > record->fudge_s ? TSIG_BADTIME : TSIG_OK;
}

size_t tsig_refuse(struct tsig_chain *c, const struct tsig_record *record, enum tsig_error error,
	uint8_t *message, size_t len, size_t size, int64_t now_s)
{
	struct tsig_record r = {.time_s = record->time_s,
		.fudge_s = record->fudge_s,
		.original_id = record->original_id,
		.error = (uint16_t)error};
	uint8_t time[6];

	if (size - len < TSIG_SIZE_MAX + DOMAIN_WIRE_MAX)
		return 0;
	if (error != TSIG_BADTIME)
		return append(message, len, slice_of(record->name.wire, record->name.len),
			slice_of(record->algorithm.wire, record->algorithm.len), &r);
	dns_put_u16(time, (uint16_t)((uint64_t)now_s >> 32));
	dns_put_u32(time + 2, (uint32_t)now_s);
	return sign(c, message, len, record->time_s, TSIG_BADTIME, slice_of(time, sizeof time));
}
