/* cookie.c - server cookies. */
#include "dns/cookie.h"

#include "base/siphash.h"

#define VERSION 1
#define PAST_S 3600
#define RENEW_S 1800
#define FUTURE_S 300 /* clocks of other servers with the same secret */
#define HASH_AT 16   /* behind client cookie, version, three reserved bytes, time */

static void hash(
	const uint8_t *secret, const struct ip *client, const uint8_t *cookie, uint8_t dst[8])
{
	uint8_t in[HASH_AT + 16];
	size_t n = client->family == 6 ? 16 : 4;
	uint64_t h;

	memcpy(in, cookie, HASH_AT);
	memcpy(in + HASH_AT, client->bytes, n);
	h = siphash(secret, slice_of(in, HASH_AT + n));
	for (unsigned i = 0; i < 8; i++)
		dst[i] = (uint8_t)(h >> 8 * i);
}

void dns_cookie_make(const uint8_t secret[DNS_COOKIE_SECRET], const struct ip *client,
	uint32_t now_s, uint8_t dst[DNS_COOKIE_SIZE])
{
	dst[8] = VERSION;
	dst[9] = dst[10] = dst[11] = 0;
	dns_put_u32(dst + 12, now_s);
	hash(secret, client, dst, dst + HASH_AT);
}

enum dns_cookie_state dns_cookie_check(const uint8_t secret[DNS_COOKIE_SECRET],
	const struct ip *client, uint32_t now_s, const struct dns_options *o)
{
	uint8_t want[8];
	unsigned differs = 0;
	int32_t age_s;

	if (o->cookie_len != DNS_COOKIE_SIZE || o->cookie[8] != VERSION)
		return DNS_COOKIE_BAD;
	age_s = (int32_t)(now_s - dns_u32(o->cookie + 12)); /* RFC 1982 */
	if (age_s > PAST_S || age_s < -FUTURE_S)
		return DNS_COOKIE_BAD;
	hash(secret, client, o->cookie, want);
	for (unsigned i = 0; i < 8; i++) /* in a time that does not tell how much was right */
		differs |= want[i] ^ o->cookie[HASH_AT + i];
	if (differs)
		return DNS_COOKIE_BAD;
	return age_s > RENEW_S ? DNS_COOKIE_OLD : DNS_COOKIE_GOOD;
}
