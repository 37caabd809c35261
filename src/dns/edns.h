/* edns.h - EDNS options (RFC 6891, 6.1.2) that a server knows: NSID, cookies, TCP keepalive, errors. */
#pragma once

#include "dns/wire.h"

enum dns_option {
	DNS_OPTION_NSID = 3,	   /* RFC 5001 */
	DNS_OPTION_COOKIE = 10,	   /* RFC 7873 */
	DNS_OPTION_KEEPALIVE = 11, /* RFC 7828 */
	DNS_OPTION_EDE = 15,	   /* RFC 8914 */
};

/* Extended errors: why a reply is what it is. */
enum dns_ede {
	DNS_EDE_OTHER = 0,
	DNS_EDE_NOT_READY = 14,
	DNS_EDE_PROHIBITED = 18,
	DNS_EDE_NOT_AUTHORITATIVE = 20,
	DNS_EDE_NOT_SUPPORTED = 21,
	DNS_EDE_INVALID_DATA = 24, /* also: too old */
	DNS_EDE_INVALID_TYPE = 30, /* RFC 9824 */
};

#define DNS_COOKIE_CLIENT 8
#define DNS_COOKIE_MAX 40

/* What a client's OPT asks for. Of an option that is there twice the first one counts (RFC 7873, 5). */
struct dns_options {
	bool nsid, keepalive;
	uint8_t cookie_len; /* 0: none; 8: the client's part alone; 16 to 40: the server's behind it */
	uint8_t cookie[DNS_COOKIE_MAX];
};

static inline void dns_options_init(struct dns_options *o)
{
	o->nsid = o->keepalive = false;
	o->cookie_len = 0;
}

/* The RDATA of an OPT, read once: unknown options are passed over, but all must be whole. False: FORMERR
 * (also for a cookie or keepalive of a length that cannot be). */
bool dns_options_parse(const uint8_t *rdata, size_t len, struct dns_options *ret);
