/* edns.c - EDNS options that a server knows. */
#include "dns/edns.h"

static bool take_cookie(const uint8_t *p, size_t len, struct dns_options *o)
{
	if (len != DNS_COOKIE_CLIENT && (len < 16 || len > DNS_COOKIE_MAX)) /* RFC 7873, 5.2.2 */
		return false;
	if (o->cookie_len)
		return true;
	memcpy(o->cookie, p, len);
	o->cookie_len = (uint8_t)len;
	return true;
}

static bool take_option(unsigned code, const uint8_t *p, size_t len, struct dns_options *o)
{
	switch (code) {
	case DNS_OPTION_NSID:
		o->nsid = true;
		return true;
	case DNS_OPTION_COOKIE:
		return take_cookie(p, len, o);
	case DNS_OPTION_KEEPALIVE:
		o->keepalive = true;
		return len == 0 || len == 2;
	default:
		return true;
	}
}

bool dns_options_parse(const uint8_t *rdata, size_t len, struct dns_options *ret)
{
	while (len >= 4 && dns_u16(rdata + 2) <= len - 4) {
		size_t n = dns_u16(rdata + 2);
		if (!take_option(dns_u16(rdata), rdata + 4, n, ret))
			return false;
		rdata += 4 + n;
		len -= 4 + n;
	}
	return len == 0;
}
