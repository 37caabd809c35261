/* one.c - the common case of a question: nothing covers it, or one entry does. No lists of hits, no merging. */
#include "index/index.h"
#include "index/names.h"
#include "index/view.h"

/* What a row says that is the only one. */
static inline __attribute__((always_inline)) enum index_one take_row(const struct snapshot *s,
	uint32_t row, uint32_t expires, uint8_t family, int64_t now_s, struct hit *ret)
{
	const struct row_node *r = &s->nodes[row];

	if (!row)
		return INDEX_NONE;
	if (r->parent)
		return INDEX_MORE;
	ret->expires_s = 0;
	if (r->expiry != ROW_NEVER) {
		ret->expires_s = r->expiry == ROW_OWN ? r[1].value : expires;
		if (ret->expires_s && ret->expires_s <= now_s)
			return INDEX_NONE;
	}
	if (!r->value || s->of_names[r->set])
		return INDEX_NONE;
	ret->excluded = false;
	ret->value = view_text(s, r->value);
	ret->set = r->set;
	ret->len = r->len;
	ret->scope = family;
	return INDEX_ONE;
}

/* Prefixes are in it, too. */
static __attribute__((noinline)) enum index_one find_wider(const struct snapshot *s,
	uint32_t address, uint32_t row, uint32_t expires, int64_t now_s, struct hit *ret)
{
	uint32_t wider = ranges4_find(&s->ranges4, address);

	if (row && wider)
		return INDEX_MORE;
	return take_row(s, row | wider, expires, 4, now_s, ret);
}

static inline __attribute__((always_inline)) enum index_one find_ip4(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit *ret)
{
	uint32_t i = (address >> HOSTS_SHIFT) - s->hosts4.first, expires = 0, row = 0;
	struct hosts4_word w;

	if (i < s->hosts4.count) {
		w = hosts4_word(&s->hosts4, i);
		if (w.bits >> (address >> 8 & 63) & 1)
			row = hosts4_look(&s->hosts4, w, address, &expires);
	}
	if (s->ranges4.keys)
		return find_wider(s, address, row, expires, now_s, ret);
	return take_row(s, row, expires, 4, now_s, ret);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static enum index_one find_ip4_popcnt(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit *ret)
{
	return find_ip4(s, address, now_s, ret);
}
#endif

static __attribute__((noinline)) enum index_one find_ip4_any(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit *ret)
{
	return find_ip4(s, address, now_s, ret);
}

static __attribute__((noinline)) enum index_one find_ip6(
	const struct index *ix, const uint8_t address[16], int64_t now_s, struct hit *ret)
{
	const struct snapshot *s = ix->snapshot;
	const uint64_t high = view_be64(address), low = view_be64(address + 8);
	uint32_t expires = 0, row = 0, other;

	if (ix->overlay && overlay_covers_ip6(ix->overlay, address))
		return INDEX_MORE;
	for (size_t i = 0; s->tables6 && i < s->tables6->count; i++) {
		other = tables6_find(s->tables6, i, high, low, &expires);
		if (row && other)
			return INDEX_MORE;
		row |= other;
	}
	return take_row(s, row, expires, 6, now_s, ret);
}

static __attribute__((noinline)) enum index_one find_name(const struct index *ix,
	const struct asked *q, const struct index_way *way, int64_t now_s, struct hit *ret)
{
	const struct snapshot *s = ix->snapshot;
	struct index_way own;

	if (ix->overlay && overlay_covers_name(ix->overlay, q->name, q->name_len, q->labels))
		return INDEX_MORE;
	if (!s->names)
		return INDEX_NONE;
	if (!way->ready) {
		names_way(s->names, q->name, q->name_len, q->labels, &own);
		way = &own;
	}
	return names_find_one(s, s->names, q->name, q->name_len, q->labels, way, now_s, ret);
}

enum index_one index_find_one(const struct index *ix, const struct asked *q,
	const struct index_way *way, int64_t now_s, struct hit *ret)
{
	if (q->is_ip4 == q->is_ip6)
		return q->is_ip4 ? INDEX_MORE : find_name(ix, q, way, now_s, ret);
	if (q->labels)
		return INDEX_MORE;
	if (q->is_ip6)
		return find_ip6(ix, q->ip6, now_s, ret);
	if (ix->overlay && overlay_covers_ip4(ix->overlay, q->ip4))
		return INDEX_MORE;
#if defined(__x86_64__)
	if (ix->snapshot->hosts4.popcnt)
		return find_ip4_popcnt(ix->snapshot, q->ip4, now_s, ret);
#endif
	return find_ip4_any(ix->snapshot, q->ip4, now_s, ret);
}
