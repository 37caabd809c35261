/* zone_key.h - the key of a signed zone, and signatures by it: ECDSA P-256 with SHA-256 (RFC 6605), one
 * key for everything (RFC 6781, 3.1: a combined signing key). */
#pragma once

#include "base/domain.h"
#include "base/err.h"
#include "base/slice.h"

#define SIGNATURE_SIZE 64

struct zone_key;

/* pem: the private key as PKCS #8. */
struct zone_key *zone_key_new(struct slice pem, const struct domain *zone, struct err *err);
struct zone_key *zone_key_free(struct zone_key *k); /* NULL is fine; returns NULL */

/* While one key follows another, resolvers and the parent must know both: `other`, which k owns from now on, signs
 * nothing, but its records stand beside k's. False: k has that one already, and `other` is the caller's still. */
bool zone_key_publish(struct zone_key *k, struct zone_key *other);
const struct zone_key *zone_key_beside(
	const struct zone_key *k); /* the next of them; NULL: no more */

struct slice zone_key_dnskey(const struct zone_key *k); /* RDATA, also of CDNSKEY */
struct slice zone_key_ds(const struct zone_key *k);	/* RDATA with SHA-256, also of CDS */
uint16_t zone_key_tag(const struct zone_key *k);

/* Signatures made by one thread, kept while they are good for another answer, and a limit on how many are
 * made in a second: names that nobody asked before are what a flood consists of. */
struct rrsig_cache;

struct rrsig_cache *rrsig_cache_new(unsigned per_second);
struct rrsig_cache *rrsig_cache_free(struct rrsig_cache *s);
/* The signature over `data`, kept or new. False: the limit of this second is reached, unless `always`;
 * or the library failed. */
bool rrsig_cache_get(struct rrsig_cache *s, const struct zone_key *k, struct slice data,
	int64_t now_s, bool always, uint8_t ret[SIGNATURE_SIZE]);
