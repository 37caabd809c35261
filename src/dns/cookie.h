/* cookie.h - server cookies that all servers of one secret understand (RFC 9018): SipHash-2-4 over the
 * client's cookie, a time and the client's address. The caller brings the time. */
#pragma once

#include "base/ip.h"
#include "dns/edns.h"

#define DNS_COOKIE_SECRET 16
#define DNS_COOKIE_SIZE 24 /* both parts */

enum dns_cookie_state {
	DNS_COOKIE_BAD,	 /* not ours, of another address, older than an hour */
	DNS_COOKIE_OLD,	 /* valid, but the client should have a new one (older than half an hour) */
	DNS_COOKIE_GOOD, /* may go back as it came */
};

/* dst: the client's 8 bytes stand there already; the server's 16 are written behind them. */
void dns_cookie_make(const uint8_t secret[DNS_COOKIE_SECRET], const struct ip *client,
	uint32_t now_s, uint8_t dst[DNS_COOKIE_SIZE]);
enum dns_cookie_state dns_cookie_check(const uint8_t secret[DNS_COOKIE_SECRET],
	const struct ip *client, uint32_t now_s, const struct dns_options *o);
