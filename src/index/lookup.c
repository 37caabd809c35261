/* lookup.c - finds what covers an address or a name in an opened snapshot. Trusts what snapshot.c has
 * checked. */
#include "base/attr.h"
#include "index/names.h"
#include "index/snapshot.h"
#include "index/view.h"

/* The entries of a row that are in force become hits. `expires`: what ROW_COLUMN means. */
static inline size_t take_row(const struct snapshot *s, uint32_t row, uint32_t expires,
	uint8_t family, int64_t now_s, struct hit hits[], size_t n)
{
	for (const struct row_node *r; row && n < SNAPSHOT_HITS_MAX; row = r->parent) {
		struct hit *h = &hits[n];

		r = &s->nodes[row];
		h->expires_s = 0;
		if (r->expiry != ROW_NEVER) {
			h->expires_s = r->expiry == ROW_OWN ? r[1].value : expires;
			if (h->expires_s && h->expires_s <= now_s)
				continue;
		}
		h->excluded = !r->value;
		h->value = view_text(s, r->value);
		h->set = r->set;
		h->len = r->len;
		h->scope = family;
		n++;
	}
	return n;
}

/* From most specific first to sets ascending, and in each most specific first: most are already. */
static void order_sets(struct hit hits[], size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct hit h = hits[i];
		size_t k = i;

		if (hits[i - 1].set <= h.set)
			continue;
		for (; k && hits[k - 1].set > h.set; k--)
			hits[k] = hits[k - 1];
		hits[k] = h;
	}
}

size_t snapshot_find_ip4(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit hits[])
{
	uint32_t expires = 0, row;
	size_t n = 0;

	row = hosts4_find(&s->hosts4, address, &expires);
	n = take_row(s, row, expires, 4, now_s, hits, n);
	if (s->ranges4.keys) {
		row = ranges4_find(&s->ranges4, address);
		n = take_row(s, row, 0, 4, now_s, hits, n);
	}
	if (n > 1)
		order_sets(hits, n);
	return n;
}

size_t snapshot_find_ip6(
	const struct snapshot *s, const uint8_t address[16], int64_t now_s, struct hit hits[])
{
	const uint64_t high = view_be64(address), low = view_be64(address + 8);
	uint32_t expires = 0, row;
	size_t n = 0;

	for (size_t i = 0; s->tables6 && i < s->tables6->count; i++) {
		row = tables6_find(s->tables6, i, high, low, &expires);
		n = take_row(s, row, expires, 6, now_s, hits, n);
	}
	if (n > 1)
		order_sets(hits, n);
	return n;
}

size_t snapshot_find_name(const struct snapshot *s, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[])
{
	size_t n = names_find(s, s->names, name, len, labels, now_s, hits);

	if (n > 1)
		order_sets(hits, n);
	return n;
}
