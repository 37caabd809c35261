/* lookup.c - finds what covers an address or a name in an opened snapshot. Trusts what snapshot.c has
 * checked. */
#include "base/attr.h"
#include "index/names.h"
#include "index/snapshot.h"
#include "index/view.h"

/* First place in sorted keys[lo..hi) that is not below key. */
#define LOWER_BOUND(name, type)                                                                    \
	static inline uint32_t name(const type *keys, uint32_t lo, uint32_t hi, type key)          \
	{                                                                                          \
		while (lo < hi) {                                                                  \
			uint32_t mid = lo + (hi - lo) / 2;                                         \
                                                                                                   \
			if (keys[mid] < key)                                                       \
				lo = mid + 1;                                                      \
			else                                                                       \
				hi = mid;                                                          \
		}                                                                                  \
		return lo;                                                                         \
	}
LOWER_BOUND(lower16, uint16_t)
LOWER_BOUND(lower32, uint32_t)
LOWER_BOUND(lower64, uint64_t)

static uint32_t lower128(const uint64_t *keys, uint32_t hi, uint64_t high, uint64_t low)
{
	uint32_t lo = 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const uint64_t *k = keys + 2 * (size_t)mid;

		if (k[0] < high || (k[0] == high && k[1] < low))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The end of a run of entries from i on: no further than lookups go for one key. */
static uint32_t run_limit(uint32_t i, uint32_t count)
{
	return count - i > FORMAT_VALUES_PER_KEY ? i + FORMAT_VALUES_PER_KEY : count;
}

/* Entries i..end of equal keys that are in force become hits. */
static size_t take_entries(const struct snapshot *s, size_t set, const struct table_view *t,
	uint32_t i, uint32_t end, uint8_t family, int64_t now_s, struct hit hits[], size_t n)
{
	for (; i < end && n < SNAPSHOT_HITS_MAX; i++) {
		uint32_t expires = t->expires ? t->expires[i] : 0;

		if (expires && expires <= now_s)
			continue;
		view_value(s, set, t->values ? view_number(t->values, i, t->value_width) : 1,
			&hits[n]);
		hits[n].len = t->len;
		hits[n].scope = family;
		hits[n++].expires_s = expires;
	}
	return n;
}

static uint32_t mask4(unsigned len)
{
	return len ? UINT32_MAX << (32 - len) : 0;
}

static size_t find_ip4(const struct snapshot *s, size_t set, uint32_t address, int64_t now_s,
	struct hit hits[], size_t n)
{
	const struct set_view *v = &s->sets[set];

	for (uint32_t k = 0; k < v->count4; k++) {
		const struct table_view *t = &v->tables4[k];
		uint32_t key = address & mask4(t->len), i, end, last;

		if (t->dir) {
			const uint16_t *keys = t->keys;

			end = t->dir[(key >> 16) + 1];
			i = lower16(keys, t->dir[key >> 16], end, (uint16_t)key);
			if (i == end || keys[i] != (uint16_t)key)
				continue;
			for (last = run_limit(i, end), end = i + 1;
				end < last && keys[end] == keys[i];)
				end++;
		} else {
			const uint32_t *keys = t->keys;

			i = lower32(keys, 0, t->count, key);
			for (last = run_limit(i, t->count), end = i;
				end < last && keys[end] == key;)
				end++;
		}
		n = take_entries(s, set, t, i, end, 4, now_s, hits, n);
	}
	return n;
}

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t mask64(unsigned len)
{
	return len ? UINT64_MAX << (64 - len) : 0;
}

static size_t find_ip6(const struct snapshot *s, size_t set, const uint8_t address[16],
	int64_t now_s, struct hit hits[], size_t n)
{
	const struct set_view *v = &s->sets[set];
	const uint64_t high = load_be64(address), low = load_be64(address + 8);

	for (uint32_t k = 0; k < v->count6; k++) {
		const struct table_view *t = &v->tables6[k];
		const uint64_t *keys = t->keys;
		uint32_t i, end, last;

		if (t->key_width == 8) {
			uint64_t key = high & mask64(t->len);

			i = lower64(keys, 0, t->count, key);
			for (last = run_limit(i, t->count), end = i;
				end < last && keys[end] == key;)
				end++;
		} else {
			uint64_t key = low & mask64(t->len - 64u);

			i = lower128(keys, t->count, high, key);
			for (last = run_limit(i, t->count), end = i;
				end < last && keys[2 * (size_t)end] == high
				&& keys[2 * (size_t)end + 1] == key;)
				end++;
		}
		n = take_entries(s, set, t, i, end, 6, now_s, hits, n);
	}
	return n;
}

size_t snapshot_find_ip4(
	const struct snapshot *s, uint32_t address, int64_t now_s, struct hit hits[])
{
	size_t n = 0;

	for (size_t set = 0; set < s->head->set_count; set++)
		n = find_ip4(s, set, address, now_s, hits, n);
	return n;
}

size_t snapshot_find_ip6(
	const struct snapshot *s, const uint8_t address[16], int64_t now_s, struct hit hits[])
{
	size_t n = 0;

	for (size_t set = 0; set < s->head->set_count; set++)
		n = find_ip6(s, set, address, now_s, hits, n);
	return n;
}

size_t snapshot_find_name(const struct snapshot *s, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[])
{
	return names_find(s, s->names, name, len, labels, now_s, hits);
}
