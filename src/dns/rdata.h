/* rdata.h - the data of a record, taken out of its message: names in it without compression and in lower
 * case, so that equal data are equal bytes (RFC 4034, 6.2). */
#pragma once

#include "base/buf.h"
#include "dns/wire.h"

/* Types whose names may be compressed or differ in case (RFC 3597, 4) are rewritten, others copied. Adds to
 * the buffer. False: malformed, or longer than 65535 bytes. */
bool dns_rdata_read(struct slice message, const struct dns_record *r, struct buf *to);

/* What a SOA's data say, uncompressed. */
struct dns_soa {
	struct domain origin, person;
	uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};

bool dns_soa_read(struct slice rdata, struct dns_soa *ret);
