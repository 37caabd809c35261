/* tables6.c - IPv6 prefixes in buckets by a keyed permutation of their bits. */
#include "index/tables6.h"
#include "base/attr.h"
#include "base/mem.h"
#include "index/layout.h"
#include "index/view.h"

#define PER_BUCKET 8 /* and a half of it at least */
#define BUCKET_BITS_MAX 28

/* Odd numbers, out of the seed: one each is multiplied with. */
static void multipliers(const uint8_t seed[16], uint64_t ret[2])
{
	for (int i = 0; i < 2; i++)
		ret[i] = bits_load(seed + 8 * i) | 1;
}

/* A permutation of the numbers of `bits` bits. */
static inline uint64_t mix(uint64_t x, unsigned bits, const uint64_t multiply[2])
{
	const unsigned half = (bits + 1) / 2;
	const uint64_t mask = bits_mask(bits);

	x ^= x >> half;
	x = x * multiply[0] & mask;
	x ^= x >> half;
	x = x * multiply[1] & mask;
	return x ^ x >> half;
}

/* What undoes a multiplication (Newton: each step doubles the bits that are right). */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

static uint64_t unmix(uint64_t x, unsigned bits, const uint64_t inverses[2])
{
	const unsigned half = (bits + 1) / 2;
	const uint64_t mask = bits_mask(bits);

	x ^= x >> half;
	x = x * inverses[1] & mask;
	x ^= x >> half;
	x = x * inverses[0] & mask;
	return x ^ x >> half;
}

/* The bits of an address that are the key of a table, mixed. */
static inline uint64_t key_of(unsigned len, uint64_t high, uint64_t low, const uint64_t multiply[2])
{
	if (len <= 64)
		return mix(len ? high >> (64 - len) : 0, len, multiply);
	low &= ~bits_mask(128 - len);
	return mix(low ^ mix(high, 64, multiply), 64, multiply);
}

static unsigned key_bits(unsigned len)
{
	return MIN(len, 64u);
}

static unsigned rest_bits(unsigned len, unsigned bucket_bits)
{
	return key_bits(len) - bucket_bits;
}

static unsigned cell_bits(const struct file_table6 *f)
{
	return rest_bits(f->len, f->bucket_bits) + (f->len > 64 ? 64u : 0u) + f->row_bits
	       + (f->expires ? 32u : 0u);
}

static uint64_t bucket_of(uint64_t key, unsigned len, unsigned bucket_bits)
{
	return bucket_bits ? key >> rest_bits(len, bucket_bits) : 0;
}

/* ---- writing ---- */

struct keys6 {
	struct key6 {
		uint64_t key, high;
		uint32_t row, expires;
	} * items;
	size_t count;
	bool expires;
};

static struct keys6 keys_of(
	struct builder *b, unsigned len, struct rows_writer *w, const uint64_t multiply[2])
{
	struct keys6 k = {0};
	struct merge m = {0};
	struct merge_key key;
	size_t total = 0;

	for (size_t i = 0; i < b->set_count; i++) {
		total += b->sets[i]->ip6[len].count;
		k.expires = k.expires || b->sets[i]->ip6[len].expires;
		merge_add(&m, b, i, len, &b->sets[i]->ip6[len]);
	}
	k.items = mem_new(total + 1, sizeof *k.items);
	for (; merge_next(&m, &key); k.count++) {
		struct key6 *e = &k.items[k.count];

		e->key = key_of(len, key.high, key.low, multiply);
		e->high = key.high;
		e->row = rows_put(w, m.entries, m.entry_count, 0, k.expires ? &e->expires : NULL);
	}
	merge_done(&m);
	return k;
}

static void put_cell(
	const struct file_table6 *f, const struct key6 *k, uint8_t *cells, uint64_t index)
{
	unsigned rest = rest_bits(f->len, f->bucket_bits);
	uint64_t at = index * cell_bits(f);

	bits_put(cells, at, rest, k->key & bits_mask(rest));
	at += rest;
	if (f->len > 64) {
		bits_put(cells, at, 64, k->high);
		at += 64;
	}
	bits_put(cells, at, f->row_bits, k->row - f->row_base);
	if (f->expires)
		bits_put(cells, at + f->row_bits, 32, k->expires);
}

static void put_table(const struct keys6 *k, struct file_table6 *f, struct buf *to)
{
	const size_t buckets = (size_t)1 << f->bucket_bits;
	const size_t size = (size_t)((uint64_t)k->count * cell_bits(f) + 7) / 8 + BITS_PAD;
	uint32_t *dir = mem_new(buckets + 1, sizeof *dir), *next;
	uint8_t *cells;

	for (size_t i = 0; i < k->count; i++)
		dir[bucket_of(k->items[i].key, f->len, f->bucket_bits) + 1]++;
	for (size_t i = 0; i < buckets; i++)
		dir[i + 1] += dir[i];
	f->dir_at = layout_add(to, dir, (buckets + 1) * sizeof *dir);
	layout_pad(to);
	f->cells_at = to->len;
	cells = (uint8_t *)buf_room(to, size);
	if (cells) {
		memset(cells, 0, size);
		next = dir; /* where the next cell of a bucket goes */
		for (size_t i = 0; i < k->count; i++)
			put_cell(f, &k->items[i], cells,
				next[bucket_of(k->items[i].key, f->len, f->bucket_bits)]++);
		to->len += size;
	}
	free(dir);
}

bool tables6_write(
	struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at, struct err *err)
{
	struct file_table6 tables[129];
	struct file_tables6 part = {0};
	uint64_t multiply[2];

	*ret_at = 0;
	multipliers(b->seed, multiply);
	for (int len = 128; len >= 0; len--) {
		struct file_table6 f = {.len = (uint8_t)len};
		struct keys6 k;

		rows_begin(w);
		k = keys_of(b, (unsigned)len, w, multiply);
		if (k.count >= UINT32_MAX) {
			free(k.items);
			return err_set(
				err, ERR_LIMIT, "more than 2^32 IPv6 prefixes of one length");
		}
		if (k.count) {
			f.count = (uint32_t)k.count;
			f.expires = k.expires;
			f.row_base = (uint32_t)w->base;
			f.row_bits = rows_end(w, w->base);
			while (f.bucket_bits < MIN(len, BUCKET_BITS_MAX)
				&& (size_t)PER_BUCKET << f.bucket_bits < k.count)
				f.bucket_bits++;
			put_table(&k, &f, to);
			tables[part.count++] = f;
		}
		free(k.items);
	}
	if (!part.count)
		return true;
	part.tables_at = layout_add(to, tables, part.count * sizeof tables[0]);
	*ret_at = layout_add(to, &part, sizeof part);
	return true;
}

/* ---- opening ---- */

static uint64_t cell_row_at(const struct table6 *t, uint64_t index)
{
	return index * t->cell_bits + t->rest_bits + (t->len > 64 ? 64u : 0u);
}

static bool open_table(const struct snapshot *s, const struct file_table6 *f, struct table6 *ret)
{
	struct table6 t;

	if (f->len > 128 || f->bucket_bits > MIN(f->len, BUCKET_BITS_MAX) || f->row_bits > 32
		|| f->expires > 1)
		return false;
	t = (struct table6){
		.dir = view_part(s, f->dir_at, ((uint64_t)1 << f->bucket_bits) + 1, 4, 8),
		.cells = view_part(s, f->cells_at,
			((uint64_t)f->count * cell_bits(f) + 7) / 8 + BITS_PAD, 1, 8),
		.count = f->count,
		.row_base = f->row_base,
		.len = f->len,
		.key_bits = (uint8_t)key_bits(f->len),
		.rest_bits = (uint8_t)rest_bits(f->len, f->bucket_bits),
		.row_bits = f->row_bits,
		.cell_bits = (uint8_t)cell_bits(f),
		.expires = f->expires,
	};
	if (!t.dir || !t.cells || !view_dir_ok(t.dir, (size_t)1 << f->bucket_bits, t.count))
		return false;
	if (!rows_cover(s->nodes, s->node_count, t.row_base,
		    t.row_base + ((uint64_t)1 << t.row_bits))) {
		for (uint32_t i = 0; i < t.count; i++)
			if (!rows_has(s->nodes, s->node_count,
				    t.row_base + bits_get(t.cells, cell_row_at(&t, i), t.row_bits)))
				return false;
	}
	*ret = t;
	return true;
}

struct tables6 *tables6_open(const struct snapshot *s, uint64_t at)
{
	const struct file_tables6 *part = view_part(s, at, 1, sizeof *part, 8);
	const struct file_table6 *f;
	struct tables6 *t;

	if (!part || part->count > 129
		|| !(f = view_part(s, part->tables_at, part->count, sizeof *f, 8)))
		return NULL;
	t = mem_new(1, sizeof *t);
	t->items = mem_new(part->count + 1, sizeof *t->items);
	multipliers(s->head->seed, t->multiply);
	for (int i = 0; i < 2; i++)
		t->inverses[i] = inverse(t->multiply[i]);
	for (t->count = 0; t->count < part->count; t->count++) {
		size_t i = t->count;

		/* Each length once, long ones first: lookups give the most specific first. */
		if (!open_table(s, &f[i], &t->items[i])
			|| (i && t->items[i].len >= t->items[i - 1].len)) {
			tables6_close(t);
			return NULL;
		}
	}
	return t;
}

void tables6_close(struct tables6 *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(atomic_load(&t->items[i].order));
	free(t->items);
	free(t);
}

/* ---- asking ---- */

static uint32_t cell_read(const struct table6 *t, uint64_t index, uint32_t *ret_expires)
{
	uint64_t at = cell_row_at(t, index);

	if (t->expires)
		*ret_expires = (uint32_t)bits_get(t->cells, at + t->row_bits, 32);
	return t->row_base + (uint32_t)bits_get(t->cells, at, t->row_bits);
}

void tables6_prefetch(
	const struct tables6 *tables, size_t i, uint64_t high, uint64_t low, bool behind)
{
	const struct table6 *t = &tables->items[i];
	uint64_t key = key_of(t->len, high, low, tables->multiply);
	const uint32_t *dir = t->dir + (t->key_bits > t->rest_bits ? key >> t->rest_bits : 0);

	if (behind)
		__builtin_prefetch(t->cells + ((uint64_t)dir[0] * t->cell_bits >> 3));
	else
		__builtin_prefetch(dir);
}

uint32_t tables6_find(
	const struct tables6 *tables, size_t i, uint64_t high, uint64_t low, uint32_t *ret_expires)
{
	const struct table6 *t = &tables->items[i];
	uint64_t key = key_of(t->len, high, low, tables->multiply);
	uint64_t bucket = t->key_bits > t->rest_bits ? key >> t->rest_bits : 0;
	uint64_t rest = key & bits_mask(t->rest_bits), at;
	uint32_t n = t->dir[bucket], end = t->dir[bucket + 1];

	for (at = (uint64_t)n * t->cell_bits; n < end; n++, at += t->cell_bits)
		if (bits_get_wide(t->cells, at, t->rest_bits) == rest
			&& (t->len <= 64 || bits_get_wide(t->cells, at + t->rest_bits, 64) == high))
			return cell_read(t, n, ret_expires);
	return 0;
}

/* ---- by address ---- */

struct sorted_key {
	struct table6_key key;
	uint32_t cell;
};

int table6_key_compare(const struct table6_key *a, const struct table6_key *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

static int sorted_compare(const void *x, const void *y)
{
	return table6_key_compare(
		&((const struct sorted_key *)x)->key, &((const struct sorted_key *)y)->key);
}

/* The key in a cell of a bucket. */
static struct table6_key cell_key(const struct table6 *t, uint64_t bucket, uint32_t cell,
	const uint64_t inverses[2], const uint64_t multiply[2])
{
	uint64_t at = (uint64_t)cell * t->cell_bits;
	uint64_t key = bits_get_wide(t->cells, at, t->rest_bits);
	struct table6_key ret = {0};

	if (t->rest_bits < 64)
		key |= bucket << t->rest_bits;
	key = unmix(key, t->key_bits, inverses);
	if (t->len > 64) {
		ret.high = bits_get_wide(t->cells, at + t->rest_bits, 64);
		ret.low = key ^ mix(ret.high, 64, multiply);
	} else if (t->len) {
		ret.high = key << (64 - t->len);
	}
	return ret;
}

static uint32_t *order_made(const struct tables6 *tables, struct table6 *t)
{
	const size_t buckets = (size_t)1 << (t->key_bits - t->rest_bits);
	struct sorted_key *all = mem_new(t->count, sizeof *all);
	uint32_t *order = mem_new(t->count, sizeof *order), *other = NULL;

	for (uint64_t b = 0; b < buckets; b++)
		for (uint32_t n = t->dir[b]; n < t->dir[b + 1]; n++)
			all[n] = (struct sorted_key){
				cell_key(t, b, n, tables->inverses, tables->multiply), n};
	qsort(all, t->count, sizeof *all, sorted_compare);
	for (uint32_t i = 0; i < t->count; i++)
		order[i] = all[i].cell;
	free(all);
	if (atomic_compare_exchange_strong(&t->order, &other, order))
		return order;
	free(order); /* another thread was first */
	return other;
}

static const uint32_t *order_of(const struct tables6 *tables, size_t i)
{
	struct table6 *t = &tables->items[i];
	uint32_t *order = atomic_load_explicit(&t->order, memory_order_acquire);

	return order ? order : order_made(tables, t);
}

struct table6_key tables6_key(const struct tables6 *tables, size_t i, uint32_t place)
{
	const struct table6 *t = &tables->items[i];
	uint32_t cell = order_of(tables, i)[place], lo = 0, half;

	for (uint32_t n = 1u << (t->key_bits - t->rest_bits); n > 1; n -= half) {
		half = n / 2; /* the last bucket that begins at or before the cell */
		if (t->dir[lo + half] <= cell)
			lo += half;
	}
	return cell_key(t, lo, cell, tables->inverses, tables->multiply);
}

uint32_t tables6_from(const struct tables6 *t, size_t i, const struct table6_key *key)
{
	uint32_t lo = 0, hi = t->items[i].count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct table6_key k = tables6_key(t, i, mid);

		if (table6_key_compare(&k, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t tables6_row(const struct tables6 *t, size_t i, uint32_t place, uint32_t *ret_expires)
{
	return cell_read(&t->items[i], order_of(t, i)[place], ret_expires);
}
