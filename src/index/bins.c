/* bins.c - IPv4 keys in bins by their first octet, and how they become one ordered array in place. */
#include "index/bins.h"

#include "base/attr.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BINS 256
#define BLOCK ((size_t)2048) /* keys; a power of two */
#define FEW 48		     /* sorted by insertion */

struct bins {
	uint32_t *keys;
	uint8_t *bin_of; /* each block's */
	size_t blocks, cap;
	size_t at[BINS]; /* where the next key goes; a multiple of BLOCK: a new block */
	size_t count[BINS];
};

struct bins *bins_new(void)
{
	return mem_new(1, sizeof(struct bins));
}

struct bins *bins_free(struct bins *b)
{
	if (!b)
		return NULL;
	free(b->keys);
	free(b->bin_of);
	free(b);
	return NULL;
}

static void block_add(struct bins *b, size_t bin)
{
	if (b->blocks == b->cap) {
		b->cap = b->cap ? b->cap * 2 : BINS;
		b->keys = mem_resize(b->keys, b->cap * BLOCK * sizeof *b->keys);
		b->bin_of = mem_resize(b->bin_of, b->cap);
	}
	b->bin_of[b->blocks] = (uint8_t)bin;
	b->at[bin] = b->blocks++ * BLOCK;
}

void bins_add(struct bins *b, const uint32_t *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t bin = keys[i] >> 24;

		if (b->at[bin] % BLOCK == 0)
			block_add(b, bin);
		b->keys[b->at[bin]++] = keys[i];
	}
}

/* ---- from blocks to one array ---- */

/* Where each block goes: bin after bin, within one as they came. Caller frees. */
static uint32_t *block_places(struct bins *b)
{
	uint32_t *place = mem_new(b->blocks, sizeof *place), next[BINS], sum = 0;
	size_t blocks_of[BINS] = {0};

	for (size_t i = 0; i < b->blocks; i++)
		blocks_of[b->bin_of[i]]++;
	for (size_t bin = 0; bin < BINS; bin++) {
		size_t last = b->at[bin] % BLOCK;

		b->count[bin] = blocks_of[bin] * BLOCK - (last ? BLOCK - last : 0);
		next[bin] = sum;
		sum += (uint32_t)blocks_of[bin];
	}
	for (size_t i = 0; i < b->blocks; i++)
		place[i] = next[b->bin_of[i]]++;
	return place;
}

static void blocks_permute(uint32_t *keys, uint32_t *place, size_t blocks)
{
	uint32_t held[BLOCK], swap[BLOCK];
	const size_t size = sizeof held;

	for (size_t i = 0; i < blocks; i++) {
		size_t to = place[i];

		if (to == i)
			continue;
		memcpy(held, keys + i * BLOCK, size);
		while (to != i) {
			size_t next = place[to];

			memcpy(swap, keys + to * BLOCK, size);
			memcpy(keys + to * BLOCK, held, size);
			memcpy(held, swap, size);
			place[to] = (uint32_t)to;
			to = next;
		}
		memcpy(keys + i * BLOCK, held, size);
	}
}

/* ret_counts: how many in each bin. */
static uint32_t *take(struct bins *b, size_t ret_counts[BINS], size_t *ret_count)
{
	uint32_t *place = block_places(b), *keys = b->keys;
	size_t from = 0, to = 0;

	blocks_permute(keys, place, b->blocks);
	free(place);
	for (size_t bin = 0; bin < BINS; bin++) { /* close the gaps behind each bin's last block */
		if (from != to && b->count[bin])
			memmove(keys + to, keys + from, b->count[bin] * sizeof *keys);
		to += b->count[bin];
		from += (b->count[bin] + BLOCK - 1) / BLOCK * BLOCK;
	}
	memcpy(ret_counts, b->count, sizeof b->count);
	*ret_count = to;
	b->keys = NULL;
	bins_free(b);
	return keys;
}

uint32_t *bins_take(struct bins *b, size_t *ret_count)
{
	size_t counts[BINS];

	return take(b, counts, ret_count);
}

/* ---- ordering ---- */

static bool ascends(const uint32_t *keys, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (keys[i - 1] > keys[i])
			return false;
	return true;
}

static void insert_sort(uint32_t *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t key = a[i];
		size_t at = i;

		for (; at && a[at - 1] > key; at--)
			a[at] = a[at - 1];
		a[at] = key;
	}
}

#define DIGIT_MAX 12

static void radix_pass(const uint32_t *from, uint32_t *to, size_t n, unsigned shift, unsigned bits)
{
	uint32_t at[1 << DIGIT_MAX], sum = 0, c, mask = (1u << bits) - 1;

	memset(at, 0, sizeof at[0] << bits);
	for (size_t i = 0; i < n; i++)
		at[from[i] >> shift & mask]++;
	for (size_t d = 0; d <= mask; d++) {
		c = at[d];
		at[d] = sum;
		sum += c;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> shift & mask]++] = from[i];
}

/* Keys that differ in their low `bits` bits only; an even number of passes, so that they end where they
 * were. */
static void radix_sort(uint32_t *a, size_t n, unsigned bits, uint32_t *scratch)
{
	unsigned passes = bits > 2 * DIGIT_MAX || n < (1u << DIGIT_MAX) ? 4 : 2;
	unsigned digit = (bits + passes - 1) / passes;

	for (unsigned i = 0; i < passes; i += 2) {
		radix_pass(a, scratch, n, i * digit, digit);
		radix_pass(scratch, a, n, (i + 1) * digit, digit);
	}
}

/* In place, each key swapped to where the keys of its digit go; sizes of the 256 parts in ret. */
static void part_by_octet(uint32_t *a, size_t n, unsigned shift, size_t ret_sizes[BINS])
{
	size_t at[BINS], end[BINS], sum = 0;

	memset(ret_sizes, 0, BINS * sizeof *ret_sizes);
	for (size_t i = 0; i < n; i++)
		ret_sizes[a[i] >> shift & (BINS - 1)]++;
	for (size_t d = 0; d < BINS; d++) {
		at[d] = sum;
		end[d] = sum += ret_sizes[d];
	}
	for (size_t d = 0; d < BINS; d++) {
		while (at[d] < end[d]) {
			uint32_t key = a[at[d]], swap;

			for (size_t to; (to = key >> shift & (BINS - 1)) != d; key = swap) {
				swap = a[at[to]];
				a[at[to]++] = key;
			}
			a[at[d]++] = key;
		}
	}
}

/* Keys that differ in their low `bits` bits only. */
static void sort_bits(uint32_t *a, size_t n, unsigned bits, uint32_t *scratch)
{
	size_t sizes[BINS];

	if (ascends(a, n)) /* many lists come sorted */
		return;
	if (n <= FEW) {
		insert_sort(a, n);
		return;
	}
	if (n <= BINS_SCRATCH_MAX) {
		radix_sort(a, n, bits, scratch);
		return;
	}
	part_by_octet(a, n, bits - 8, sizes);
	for (size_t d = 0; d < BINS && bits > 8; d++) {
		sort_bits(a, sizes[d], bits - 8, scratch);
		a += sizes[d];
	}
}

static size_t drop_doubles(uint32_t *a, size_t n)
{
	size_t kept = n ? 1 : 0;

	for (size_t i = 1; i < n; i++)
		if (a[i] != a[kept - 1])
			a[kept++] = a[i];
	return kept;
}

size_t keys_order(uint32_t *keys, size_t count, uint32_t *scratch)
{
	sort_bits(keys, count, 32, scratch);
	return drop_doubles(keys, count);
}

struct ordering {
	uint32_t *keys;
	size_t from[BINS], count[BINS], largest;
	atomic_size_t next;
};

/* One of several that take bin after bin. */
static void order_bins(void *ctx, size_t job)
{
	struct ordering *o = ctx;
	uint32_t *scratch = mem_new(MIN(o->largest, BINS_SCRATCH_MAX), sizeof *scratch);
	size_t bin;

	(void)job;
	while ((bin = atomic_fetch_add(&o->next, 1)) < BINS) {
		uint32_t *a = o->keys + o->from[bin];

		sort_bits(a, o->count[bin], 24, scratch);
		o->count[bin] = drop_doubles(a, o->count[bin]);
	}
	free(scratch);
}

uint32_t *bins_take_ordered(struct bins *b, const struct parallel *p, size_t *ret_count)
{
	struct ordering *o = mem_new(1, sizeof *o);
	size_t sum = 0, kept = 0;
	uint32_t *keys;

	keys = o->keys = take(b, o->count, ret_count);
	for (size_t bin = 0; bin < BINS; bin++) {
		o->from[bin] = sum;
		sum += o->count[bin];
		o->largest = MAX(o->largest, o->count[bin]);
	}
	parallel_run(p, parallel_width(p), order_bins, o);
	for (size_t bin = 0; bin < BINS; bin++) {
		if (o->from[bin] != kept)
			memmove(keys + kept, keys + o->from[bin], o->count[bin] * sizeof *keys);
		kept += o->count[bin];
	}
	free(o);
	*ret_count = kept;
	return keys;
}
