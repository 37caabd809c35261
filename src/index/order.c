/* order.c - sorts collected entries and drops doubles, so that the writer only copies. */
#include "base/mem.h"
#include "index/collect.h"
#include "index/radix.h"

#define PART_BITS 8 /* names are sorted side by side in 256 parts */

static uint64_t word64(const uint64_t *item, unsigned word)
{
	(void)word;
	return *item;
}

static bool less64(const uint64_t *a, const uint64_t *b, const void *ctx)
{
	(void)ctx;
	return *a < *b;
}

RADIX_SORT(sort64, uint64_t, word64, 1, less64)

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

/* The same of 64 bits. */
static void order_keys64(struct column_table *t)
{
	uint64_t *keys = (uint64_t *)t->keys;
	size_t n = 1;

	sort64(keys, t->count, 0, NULL);
	for (size_t i = 1; i < t->count; i++)
		if (keys[i] != keys[n - 1])
			keys[n++] = keys[i];
	t->count = t->cap = n;
}

struct wide {
	uint64_t high, low;
	uint32_t at;
};

static uint64_t wide_word(const struct wide *w, unsigned word)
{
	return word ? w->low : w->high;
}

static bool wide_less(const struct wide *a, const struct wide *b, const void *ctx)
{
	(void)ctx;
	if (a->high != b->high)
		return a->high < b->high;
	return a->low != b->low ? a->low < b->low : a->at < b->at;
}

RADIX_SORT(sort_wide, struct wide, wide_word, 2, wide_less)

/* The order of the entries by key, by time of adding among equals. Caller frees. */
static uint32_t *order_of(const struct column_table *t)
{
	uint32_t *order = mem_new(t->count, sizeof *order);

	if (t->width == 4) {
		uint64_t *a = mem_new(t->count, sizeof *a);

		for (size_t i = 0; i < t->count; i++)
			a[i] = (uint64_t)((const uint32_t *)t->keys)[i] << 32 | i;
		sort64(a, t->count, 0, NULL);
		for (size_t i = 0; i < t->count; i++)
			order[i] = (uint32_t)a[i];
		free(a);
	} else {
		struct wide *w = mem_new(t->count, sizeof *w);
		const uint64_t *keys = (const uint64_t *)t->keys;

		for (size_t i = 0; i < t->count; i++)
			w[i] = t->width == 8
				       ? (struct wide){keys[i], 0, (uint32_t)i}
				       : (struct wide){keys[2 * i], keys[2 * i + 1], (uint32_t)i};
		sort_wide(w, t->count, 0, NULL);
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
	if (w == 8 && !t->values && !t->expires) {
		order_keys64(t);
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
