/* each.c - every prefix in a snapshot, for those who transfer it. */
#include "base/attr.h"
#include "index/snapshot.h"
#include "index/view.h"

struct each {
	const struct snapshot *s;
	bool (*fn)(const struct snapshot_prefix *p, void *ctx);
	void *ctx;
	struct hosts4_walk hosts;
	bool in_hosts; /* hosts stands at one that was not shown yet */
};

static bool show(
	const struct each *e, const struct row_node *r, uint32_t expires, const struct ip *address)
{
	struct snapshot_prefix p = {
		.prefix = {.ip = *address, .len = r->len},
		.value = view_text(e->s, r->value),
		.set = r->set,
		.excluded = !r->value,
	};

	if (r->expiry == ROW_OWN)
		p.expires_s = r[1].value;
	else if (r->expiry == ROW_COLUMN)
		p.expires_s = expires;
	return e->fn(&p, e->ctx);
}

/* The entries of a row whose keys are `len` bits long: of a sound row of an address all. */
static bool show_row(const struct each *e, uint32_t row, uint32_t expires, unsigned len,
	const struct ip *address)
{
	for (const struct row_node *r; row; row = r->parent) {
		r = &e->s->nodes[row];
		if (r->len == len && !show(e, r, expires, address))
			return false;
	}
	return true;
}

/* Hosts below `end`. */
static bool show_hosts(struct each *e, uint64_t end)
{
	while (e->in_hosts && e->hosts.address < end) {
		struct ip ip = ip4_of(e->hosts.address);

		if (!show_row(e, e->hosts.row, e->hosts.expires, 32, &ip))
			return false;
		e->in_hosts = hosts4_next(&e->s->hosts4, &e->hosts);
	}
	return true;
}

static uint64_t block(unsigned len)
{
	return (uint64_t)1 << (32 - len);
}

/* From start to end all addresses are covered by one row. An entry of it is shown where its block begins:
 * each block begins in one such stretch only. */
static bool show_stretch(struct each *e, uint64_t start, uint64_t end, uint32_t row)
{
	const struct row_node *nodes = e->s->nodes;
	unsigned lens[33], count = 0;

	for (uint32_t r = row; r; r = nodes[r].parent)
		if (nodes[r].len <= 32 && (!count || nodes[r].len != lens[count - 1]))
			lens[count++] = nodes[r].len;
	if (!count)
		return true;
	start = (start + block(lens[0]) - 1) & ~(block(lens[0]) - 1);
	for (; start < end; start += block(lens[0])) {
		struct ip ip = ip4_of((uint32_t)start);

		if (!show_hosts(e, start))
			return false;
		for (unsigned k = count; k--;) /* short ones first */
			if (!(start & (block(lens[k]) - 1)) && !show_row(e, row, 0, lens[k], &ip))
				return false;
	}
	return true;
}

static bool each_ip4(struct each *e, uint32_t from)
{
	const struct ranges4 *r = &e->s->ranges4;

	if (e->s->hosts4.words) {
		hosts4_walk_from(&e->s->hosts4, from, &e->hosts);
		do
			e->in_hosts = hosts4_next(&e->s->hosts4, &e->hosts);
		while (e->in_hosts && e->hosts.address < from);
	}
	for (uint32_t i = r->keys ? ranges4_place(r, from) : 0; i < r->count; i++) {
		uint64_t end = (uint64_t)UINT32_MAX + 1;
		uint32_t start = ranges4_start(r, i), row = ranges4_row(r, i);

		if (i + 1 < r->count)
			end = ranges4_start(r, i + 1);
		if (row && !show_stretch(e, MAX(start, from), end, row))
			return false;
	}
	return show_hosts(e, (uint64_t)UINT32_MAX + 1);
}

/* The table whose next key is the least of all, of equals the shortest; false: all are at their end. */
static bool next_table(const struct tables6 *t, const uint32_t at[], size_t *ret)
{
	struct table6_key least = {0}, key;
	bool any = false;

	for (size_t i = t->count; i--;) {
		if (at[i] == t->items[i].count)
			continue;
		key = tables6_key(t, i, at[i]);
		if (any && table6_key_compare(&key, &least) >= 0)
			continue;
		least = key;
		*ret = i;
		any = true;
	}
	return any;
}

static bool each_ip6(const struct each *e, const uint8_t from[16])
{
	const struct tables6 *t = e->s->tables6;
	struct table6_key first = {view_be64(from), view_be64(from + 8)};
	uint32_t at[129]; /* which of a table's keys comes next */
	size_t i = 0;

	for (size_t k = 0; t && k < t->count; k++)
		at[k] = tables6_from(t, k, &first);
	while (t && next_table(t, at, &i)) {
		struct table6_key key = tables6_key(t, i, at[i]);
		struct ip ip = {.family = 6};
		uint32_t expires = 0, row = tables6_row(t, i, at[i]++, &expires);

		for (unsigned k = 0; k < 8; k++) {
			ip.bytes[k] = (uint8_t)(key.high >> (56 - 8 * k));
			ip.bytes[8 + k] = (uint8_t)(key.low >> (56 - 8 * k));
		}
		if (!show_row(e, row, expires, t->items[i].len, &ip))
			return false;
	}
	return true;
}

bool snapshot_each_prefix(const struct snapshot *s, const struct ip *from,
	bool (*fn)(const struct snapshot_prefix *p, void *ctx), void *ctx)
{
	static const struct ip least = {.family = 4};
	struct each e = {.s = s, .fn = fn, .ctx = ctx};

	if (!from)
		from = &least;
	if (from->family == 4) {
		if (!each_ip4(&e, ip4_value(from)))
			return false;
		from = &least; /* its bytes are zero */
	}
	return each_ip6(&e, from->bytes);
}
