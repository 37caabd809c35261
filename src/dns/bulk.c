/* bulk.c - messages full of records of one zone. */
#include "dns/bulk.h"

#include "base/attr.h"

/* Where each label of a name begins, the last one first: label i from the root is wire[starts[i]]. */
static unsigned label_starts(const struct domain *d, uint8_t starts[128])
{
	unsigned at = 0, n = d->labels;

	for (unsigned i = 0; i < n; i++) {
		starts[n - 1 - i] = (uint8_t)at;
		at += d->wire[at] + 1u;
	}
	return n;
}

void dns_bulk_start(struct dns_bulk *b, uint8_t *dst, size_t size, const struct dns_bulk_head *h)
{
	uint8_t starts[128];
	unsigned labels = label_starts(&h->zone, starts);

	b->start = dst;
	b->end = dst + MIN(size, DNS_BULK_SIZE);
	b->answers = 0;
	b->owner = h->zone;
	memset(dst, 0, DNS_HEADER_SIZE);
	dns_put_u16(dst, h->id);
	dns_put_u16(dst + 2, h->flags);
	dns_put_u16(dst + 4, 1);
	memcpy(dst + DNS_HEADER_SIZE, h->asked.len ? h->asked.wire : h->zone.wire, h->zone.len);
	b->at = dst + DNS_HEADER_SIZE + h->zone.len;
	dns_put_u16(b->at, h->type);
	dns_put_u16(b->at + 2, DNS_IN);
	b->at += 4;
	for (unsigned i = 0; i < labels; i++)
		b->label_at[i] = (uint16_t)(DNS_HEADER_SIZE + starts[i]);
	memset(b->hops, 0, sizeof b->hops);
}

/* How many labels at the end of the two names are the same. */
static unsigned shared_labels(const struct domain *a, const uint8_t *a_starts,
	const struct domain *b, const uint8_t *b_starts)
{
	unsigned max = MIN(a->labels, b->labels), n = 0;

	for (; n < max; n++) {
		const uint8_t *x = a->wire + a_starts[n], *y = b->wire + b_starts[n];
		if (x[0] != y[0] || memcmp(x + 1, y + 1, x[0]) != 0)
			break;
	}
	return n;
}

bool dns_bulk_add(struct dns_bulk *b, const struct domain *owner, uint16_t type, uint32_t ttl,
	struct slice rdata)
{
	uint8_t starts[128], before[128];
	unsigned labels = label_starts(owner, starts), shared, literal;
	uint8_t *p = b->at;
	size_t need;

	label_starts(&b->owner, before);
	shared = shared_labels(owner, starts, &b->owner, before);
	while (shared && b->hops[shared - 1] + 1 > DNS_BULK_HOPS_MAX)
		shared--;
	literal = shared ? starts[shared - 1] : owner->len - 1u;
	need = literal + (shared ? 2u : 1u) + 10 + rdata.len;
	if (need > (size_t)(b->end - p) || b->answers == UINT16_MAX || rdata.len > UINT16_MAX)
		return false;
	memcpy(p, owner->wire, literal);
	for (unsigned i = shared; i < labels; i++) {
		b->label_at[i] = (uint16_t)(p - b->start + starts[i]);
		b->hops[i] = shared ? (uint8_t)(b->hops[shared - 1] + 1) : 0;
	}
	p += literal;
	if (shared) {
		dns_put_u16(p, (uint16_t)(0xc000 | b->label_at[shared - 1]));
		p += 2;
	} else {
		*p++ = 0;
	}
	b->owner = *owner;
	dns_put_u16(p, type);
	dns_put_u16(p + 2, DNS_IN);
	dns_put_u32(p + 4, ttl);
	dns_put_u16(p + 8, (uint16_t)rdata.len);
	memcpy(p + 10, rdata.ptr, rdata.len);
	b->at = p + 10 + rdata.len;
	b->answers++;
	return true;
}

size_t dns_bulk_finish(struct dns_bulk *b)
{
	dns_put_u16(b->start + 6, b->answers);
	return (size_t)(b->at - b->start);
}
