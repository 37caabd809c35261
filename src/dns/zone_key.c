/* zone_key.c - the key of a signed zone, and signatures by it. */
#include "dns/zone_key.h"

#include "base/mem.h"
#include "base/siphash.h"

#include <libdnssec/error.h>
#include <libdnssec/key.h>
#include <libdnssec/sign.h>

#define KEPT_SETS 4096 /* a power of two; 16 bytes of key and 64 of signature each, twice */
#define KEPT_WAYS 2

struct zone_key {
	dnssec_key_t *key;
	dnssec_binary_t dnskey; /* the library's own memory */
	dnssec_binary_t ds;
	struct zone_key *beside; /* owned */
};

struct kept {
	uint64_t name[2]; /* two keyed hashes of what was signed; all zero: free */
	uint8_t signature[SIGNATURE_SIZE];
};

struct rrsig_cache {
	unsigned per_second, left;
	int64_t second;
	struct kept kept[KEPT_SETS][KEPT_WAYS]; /* the one used last is first */
};

static struct zone_key *broken(struct zone_key *k, int code, struct err *err)
{
	err_set(err, ERR_SYNTAX, "no private key of ECDSA P-256 in PKCS #8 form: %s",
		dnssec_strerror(code));
	return zone_key_free(k);
}

struct zone_key *zone_key_new(struct slice pem, const struct domain *zone, struct err *err)
{
	dnssec_binary_t bytes = {pem.len, (uint8_t *)pem.ptr};
	struct zone_key *k = mem_new(1, sizeof *k);
	int code = dnssec_key_new(&k->key);

	if (code == DNSSEC_EOK)
		code = dnssec_key_set_dname(k->key, zone->wire);
	if (code == DNSSEC_EOK)
		code = dnssec_key_set_flags(k->key, 257);
	if (code == DNSSEC_EOK)
		code = dnssec_key_set_algorithm(k->key, DNSSEC_KEY_ALGORITHM_ECDSA_P256_SHA256);
	if (code == DNSSEC_EOK)
		code = dnssec_key_load_pkcs8(k->key, &bytes);
	if (code == DNSSEC_EOK)
		code = dnssec_key_get_rdata(k->key, &k->dnskey);
	if (code == DNSSEC_EOK)
		code = dnssec_key_create_ds(k->key, DNSSEC_KEY_DIGEST_SHA256, &k->ds);
	return code == DNSSEC_EOK ? k : broken(k, code, err);
}

struct zone_key *zone_key_free(struct zone_key *k)
{
	if (!k)
		return NULL;
	zone_key_free(k->beside);
	dnssec_key_free(k->key);
	dnssec_binary_free(&k->ds);
	free(k);
	return NULL;
}

bool zone_key_publish(struct zone_key *k, struct zone_key *other)
{
	for (;; k = k->beside) {
		if (slice_eq(zone_key_dnskey(k), zone_key_dnskey(other)))
			return false;
		if (!k->beside)
			break;
	}
	k->beside = other;
	return true;
}

const struct zone_key *zone_key_beside(const struct zone_key *k)
{
	return k->beside;
}

struct slice zone_key_dnskey(const struct zone_key *k)
{
	return slice_of(k->dnskey.data, k->dnskey.size);
}

struct slice zone_key_ds(const struct zone_key *k)
{
	return slice_of(k->ds.data, k->ds.size);
}

uint16_t zone_key_tag(const struct zone_key *k)
{
	return dnssec_key_get_keytag(k->key);
}

struct rrsig_cache *rrsig_cache_new(unsigned per_second)
{
	struct rrsig_cache *s = mem_new(1, sizeof *s);

	s->per_second = per_second;
	return s;
}

struct rrsig_cache *rrsig_cache_free(struct rrsig_cache *s)
{
	free(s);
	return NULL;
}

static bool sign(const struct zone_key *k, struct slice data, uint8_t ret[SIGNATURE_SIZE])
{
	dnssec_sign_ctx_t *ctx = NULL;
	dnssec_binary_t bytes = {data.len, (uint8_t *)data.ptr}, signature = {0, NULL};
	bool ok = dnssec_sign_new(&ctx, k->key) == DNSSEC_EOK
		  && dnssec_sign_add(ctx, &bytes) == DNSSEC_EOK
		  && dnssec_sign_write(ctx, DNSSEC_SIGN_NORMAL, &signature) == DNSSEC_EOK
		  && signature.size == SIGNATURE_SIZE;

	if (ok)
		memcpy(ret, signature.data, SIGNATURE_SIZE);
	dnssec_binary_free(&signature);
	dnssec_sign_free(ctx);
	return ok;
}

static bool take_turn(struct rrsig_cache *s, int64_t now_s)
{
	if (s->second != now_s) {
		s->second = now_s;
		s->left = s->per_second;
	}
	return s->left && s->left--;
}

bool rrsig_cache_get(struct rrsig_cache *s, const struct zone_key *k, struct slice data,
	int64_t now_s, bool always, uint8_t ret[SIGNATURE_SIZE])
{
	/* The public key makes the hash differ from zone to zone; 128 bits of it never meet by chance, and
	 * who would make them meet gets a signature that does not verify. */
	const uint8_t *key = k->dnskey.data + k->dnskey.size - 32;
	const uint64_t name[2] = {siphash(key, data), siphash(key + 16, data)};
	struct kept *set = s->kept[name[0] % KEPT_SETS], used;

	for (unsigned i = 0; i < KEPT_WAYS; i++) {
		if (set[i].name[0] != name[0] || set[i].name[1] != name[1])
			continue;
		used = set[i];
		memmove(set + 1, set, i * sizeof *set);
		set[0] = used;
		memcpy(ret, used.signature, SIGNATURE_SIZE);
		return true;
	}
	if ((!take_turn(s, now_s) && !always) || !sign(k, data, ret))
		return false;
	memmove(set + 1, set, (KEPT_WAYS - 1) * sizeof *set);
	set[0] = (struct kept){.name = {name[0], name[1]}};
	memcpy(set[0].signature, ret, SIGNATURE_SIZE);
	return true;
}
