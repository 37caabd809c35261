/* wire.c - names and records in DNS messages, read without trusting a byte of them. */
#include "dns/wire.h"

#include "base/attr.h"

#define POINTERS_MAX 32

size_t dns_name_read(struct slice message, size_t at, struct domain *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t behind = 0, floor = at, n = 0;
	unsigned pointers = 0, labels = 0;
	struct domain d;

	for (;;) {
		if (at >= message.len)
			return 0;
		unsigned c = p[at];
		if (c == 0)
			break;
		if (c >= 0xc0) {
			if (at + 1 >= message.len || ++pointers > POINTERS_MAX)
				return 0;
			if (!behind)
				behind = at + 2;
			at = (c & 0x3fu) << 8 | p[at + 1];
			if (at >= floor)
				return 0; /* forwards or in a circle */
			floor = at;
			continue;
		}
		if (c > 63 || at + 1 + c >= message.len || n + c + 2 > DOMAIN_WIRE_MAX)
			return 0;
		d.wire[n++] = (uint8_t)c;
		for (size_t i = at + 1; i <= at + c; i++)
			d.wire[n++] = (uint8_t)ascii_lower((char)p[i]);
		at += c + 1;
		labels++;
	}
	d.wire[n++] = 0;
	d.len = (uint8_t)n;
	d.labels = (uint8_t)labels;
	*ret = d;
	return behind ? behind : at + 1;
}

size_t dns_name_skip(struct slice message, size_t at)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t start = at;

	while (at < message.len) {
		unsigned c = p[at];
		if (c == 0)
			return at + 1;
		if (c >= 0xc0)
			return at + 2 <= message.len ? at + 2 : 0;
		at += c + 1;
		if (c > 63 || at - start >= DOMAIN_WIRE_MAX)
			return 0;
	}
	return 0;
}

size_t dns_record_read(struct slice message, size_t at, struct dns_record *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	struct dns_record r = {.owner = (uint32_t)at};

	at = dns_name_skip(message, at);
	if (at == 0 || message.len - at < 10)
		return 0;
	r.type = dns_u16(p + at);
	r.class = dns_u16(p + at + 2);
	r.ttl = dns_u32(p + at + 4);
	if (r.ttl & 0x80000000u && r.type != DNS_OPT) /* OPT keeps flags there */
		r.ttl = 0;
	r.rdata = (uint32_t)at + 10;
	r.rdata_len = dns_u16(p + at + 8);
	if (r.rdata_len > message.len - r.rdata)
		return 0;
	*ret = r;
	return r.rdata + r.rdata_len;
}
