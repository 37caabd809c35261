/* order.c - sorts collected entries and drops doubles, so that the writer only copies. */
#include "base/mem.h"
#include "index/collect.h"

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* One pass of a radix sort over u64 words: by DIGIT_BITS bits at `shift`. */
static void radix_pass64(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
	size_t at[DIGITS] = {0}, sum = 0, c;

	for (size_t i = 0; i < n; i++)
		at[from[i] >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		c = at[d];
		at[d] = sum;
		sum += c;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* Keys alone: all entries are the same but for their key. */
static void order_keys32(struct column_table *t, const struct parallel *p)
{
	uint32_t *scratch;

	if (t->bins) {
		t->keys = (uint8_t *)bins_take_ordered(t->bins, p, &t->count);
		t->bins = NULL;
	} else {
		scratch = mem_new(MIN(t->count, BINS_SCRATCH_MAX), sizeof *scratch);
		t->count = keys_order((uint32_t *)t->keys, t->count, scratch);
		free(scratch);
	}
	t->cap = t->count;
}

struct wide {
	uint64_t high, low;
	uint32_t at;
};

static int wide_compare(const void *x, const void *y)
{
	const struct wide *a = x, *b = y;

	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The order of the entries by key, by time of adding among equals. Caller frees. */
static uint32_t *order_of(const struct column_table *t)
{
	uint32_t *order = mem_new(t->count, sizeof *order);

	if (t->width == 4) {
		uint64_t *a = mem_new(t->count, sizeof *a), *b = mem_new(t->count, sizeof *b),
			 *swap;

		for (size_t i = 0; i < t->count; i++)
			a[i] = (uint64_t)((const uint32_t *)t->keys)[i] << 32 | i;
		for (unsigned shift = 32; shift < 64; shift += DIGIT_BITS) {
			radix_pass64(a, b, t->count, shift);
			swap = a;
			a = b;
			b = swap;
		}
		for (size_t i = 0; i < t->count; i++)
			order[i] = (uint32_t)a[i];
		free(a);
		free(b);
	} else {
		struct wide *w = mem_new(t->count, sizeof *w);
		const uint64_t *keys = (const uint64_t *)t->keys;

		for (size_t i = 0; i < t->count; i++)
			w[i] = t->width == 8
				       ? (struct wide){keys[i], 0, (uint32_t)i}
				       : (struct wide){keys[2 * i], keys[2 * i + 1], (uint32_t)i};
		qsort(w, t->count, sizeof *w, wide_compare);
		for (size_t i = 0; i < t->count; i++)
			order[i] = w[i].at;
		free(w);
	}
	return order;
}

size_t order_keep(struct kept kept[], size_t n, struct kept e, enum set_rule rule)
{
	if (n && rule == SET_FIRST)
		return n;
	for (size_t i = 0; i < n; i++)
		if (kept[i].value == e.value && kept[i].expires == e.expires)
			return n;
	if (e.value == BUILDER_EXCLUDED) {
		/* An exclusion is never the one that finds no room. */
		n = MIN(n, (size_t)FORMAT_VALUES_PER_KEY - 1);
		memmove(kept + 1, kept, n * sizeof *kept);
		kept[0] = e;
		return n + 1;
	}
	if (n < FORMAT_VALUES_PER_KEY)
		kept[n++] = e;
	return n;
}

void order_table(struct column_table *t, enum set_rule rule, const struct parallel *p)
{
	struct column_table sorted = {.width = t->width};
	uint32_t *order;
	size_t w = t->width;

	if (!t->count)
		return;
	if (w == 4 && !t->values && !t->expires) {
		order_keys32(t, p);
		return;
	}
	order = order_of(t);
	sorted.keys = mem_new(t->count, w);
	sorted.values = t->values ? mem_new(t->count, sizeof(uint32_t)) : NULL;
	sorted.expires = t->expires ? mem_new(t->count, sizeof(uint32_t)) : NULL;
	for (size_t i = 0; i < t->count;) {
		const uint8_t *key = t->keys + order[i] * w;
		struct kept kept[FORMAT_VALUES_PER_KEY];
		size_t n = 0;

		for (; i < t->count && memcmp(t->keys + order[i] * w, key, w) == 0; i++)
			n = order_keep(kept, n,
				(struct kept){t->values ? t->values[order[i]] : 0,
					t->expires ? t->expires[order[i]] : 0},
				rule);
		for (size_t k = 0; k < n; k++, sorted.count++) {
			memcpy(sorted.keys + sorted.count * w, key, w);
			if (sorted.values)
				sorted.values[sorted.count] = kept[k].value;
			if (sorted.expires)
				sorted.expires[sorted.count] = kept[k].expires;
		}
	}
	free(order);
	sorted.cap = t->count;
	column_table_done(t);
	*t = sorted;
}
