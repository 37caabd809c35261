/* query.c - a client's question as bytes. */
#include "dns/query.h"

static bool bit(const uint8_t *bits, size_t n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

size_t dns_query_write(const struct dns_query *q, uint8_t dst[DNS_QUERY_MAX])
{
	uint8_t *p = dst + DNS_HEADER_SIZE;
	size_t next_label = 0;

	memset(dst, 0, DNS_HEADER_SIZE);
	dns_put_u16(dst, q->id);
	dns_put_u16(dst + 2, q->recursion ? DNS_RD : 0);
	dns_put_u16(dst + 4, 1);
	dns_put_u16(dst + 10, q->edns);
	for (size_t i = 0; i < q->name.len; i++) {
		uint8_t c = q->name.wire[i];
		if (i == next_label)
			next_label += c + 1u;
		else if (q->mix_case && c >= 'a' && c <= 'z' && bit(q->case_bits, i))
			c = (uint8_t)(c - 32);
		*p++ = c;
	}
	dns_put_u16(p, q->type);
	dns_put_u16(p + 2, DNS_IN);
	p += 4;
	if (q->edns) {
		memset(p, 0, 11); /* root owner, no flags, no options */
		dns_put_u16(p + 1, DNS_OPT);
		dns_put_u16(p + 3, DNS_UDP_EDNS);
		p += 11;
	}
	return (size_t)(p - dst);
}
