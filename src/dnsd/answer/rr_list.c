/* rr_list.c - resource records as bytes in a buffer. */
#include "dnsd/answer/rr_list.h"

#include "base/attr.h"
#include "base/mem.h"

#include <stdlib.h>

void rr_put(
	struct buf *to, const struct domain *owner, uint16_t type, uint32_t ttl, struct slice rdata)
{
	char *p = buf_room(to, 1u + owner->len + 8 + rdata.len);
	uint8_t *at = (uint8_t *)p;

	if (!p)
		return;
	*at++ = owner->len;
	memcpy(at, owner->wire, owner->len);
	at += owner->len;
	dns_put_u16(at, type);
	dns_put_u32(at + 2, ttl);
	dns_put_u16(at + 6, (uint16_t)rdata.len);
	memcpy(at + 8, rdata.ptr, rdata.len);
	to->len += 1u + owner->len + 8 + rdata.len;
}

void rr_put_soa(
	struct buf *to, const struct domain *zone, const struct set_soa *soa, uint32_t serial)
{
	_cleanup_buf_ struct buf rdata = BUF_INIT(2 * DOMAIN_WIRE_MAX + 20);

	buf_add(&rdata, soa->origin.wire, soa->origin.len);
	buf_add(&rdata, soa->person.wire, soa->person.len);
	buf_add_u32(&rdata, serial);
	buf_add_u32(&rdata, soa->refresh_s);
	buf_add_u32(&rdata, soa->retry_s);
	buf_add_u32(&rdata, soa->expire_s);
	buf_add_u32(&rdata, soa->minimum_s);
	rr_put(to, zone, DNS_SOA, soa->ttl_s, buf_slice(&rdata));
}

static size_t record_size(const uint8_t *at)
{
	return 1u + at[0] + 8 + dns_u16(at + 1 + at[0] + 6);
}

bool rr_next(struct slice *rest, struct rr *ret)
{
	const uint8_t *at = (const uint8_t *)rest->ptr;

	if (rest->len == 0)
		return false;
	ret->owner.len = at[0];
	ret->owner.labels = 0;
	memcpy(ret->owner.wire, at + 1, at[0]);
	for (unsigned i = 0; ret->owner.wire[i]; i += ret->owner.wire[i] + 1u)
		ret->owner.labels++;
	*rest = slice_skip(*rest, record_size(at));
	at += 1 + at[0];
	ret->type = dns_u16(at);
	ret->ttl = dns_u32(at + 2);
	ret->rdata = slice_of(at + 8, dns_u16(at + 6));
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int c = memcmp(x->ptr, y->ptr, MIN(x->len, y->len));

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

static struct slice *sorted(struct slice records, size_t *ret_count)
{
	struct slice *items = NULL;
	size_t n = 0, cap = 0;

	while (records.len) {
		size_t size = record_size((const uint8_t *)records.ptr);
		if (n == cap) {
			cap = cap ? cap * 2 : 16;
			items = mem_resize(items, cap * sizeof *items);
		}
		items[n++] = slice_take(records, size);
		records = slice_skip(records, size);
	}
	if (n > 1)
		qsort(items, n, sizeof *items, compare);
	*ret_count = n;
	return items;
}

/* once: the same record twice on one side is one record; else each counts. */
static void subtract(
	struct slice before, struct slice after, bool once, struct buf *removed, struct buf *added)
{
	size_t n, m, i = 0, k = 0;
	struct slice *old, *new;

	if (slice_eq(before, after))
		return;
	old = sorted(before, &n);
	new = sorted(after, &m);
	while (i < n || k < m) {
		int c = i == n ? 1 : k == m ? -1 : compare(&old[i], &new[k]);
		if (c < 0)
			buf_add_slice(removed, old[i]);
		else if (c > 0)
			buf_add_slice(added, new[k]);
		i += c <= 0;
		k += c >= 0;
		while (once && i && i < n && slice_eq(old[i], old[i - 1]))
			i++;
		while (once && k && k < m && slice_eq(new[k], new[k - 1]))
			k++;
	}
	free(old);
	free(new);
}

void rr_differences(struct slice before, struct slice after, struct buf *removed, struct buf *added)
{
	subtract(before, after, true, removed, added);
}

void rr_net(
	struct slice removed, struct slice added, struct buf *net_removed, struct buf *net_added)
{
	subtract(removed, added, false, net_removed, net_added);
}
