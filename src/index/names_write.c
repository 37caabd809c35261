/* names_write.c - sorts the names of all sets by hash, makes a row of what each name holds, and lays the
 * records out in buckets. */
#include "base/attr.h"
#include "base/mem.h"
#include "index/collect.h"
#include "index/hash.h"
#include "index/layout.h"
#include "index/names.h"
#include "index/names_format.h"

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* An entry of some set, and then (the first of each name) a record. */
struct item {
	uint64_t hash;
	uint32_t index; /* among the set's entries */
	uint32_t set;
};

struct names_writer {
	struct builder *b;
	struct rows_writer *rows;
	struct item *items;
	size_t count;		     /* of entries, then of records */
	uint32_t *numbers;	     /* of the records: rows */
	uint32_t *expires;	     /* of the records; NULL: nothing ends */
	struct merge_entry *entries; /* of one name */
	size_t entry_cap;
	struct file_names file;
};

static struct name_entry *entry_of(const struct names_writer *w, const struct item *i)
{
	return &w->b->sets[i->set]->names.items[i->index];
}

static const uint8_t *wire_of(const struct names_writer *w, const struct item *i)
{
	return (const uint8_t *)w->b->sets[i->set]->names.heap + entry_of(w, i)->at;
}

/* ---- sorting ---- */

/* By DIGIT_BITS bits of the hash; the order among equals stays. */
static void radix_pass(const struct item *from, struct item *to, size_t n, unsigned shift)
{
	size_t at[DIGITS] = {0}, sum = 0, c;

	for (size_t i = 0; i < n; i++)
		at[from[i].hash >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		c = at[d];
		at[d] = sum;
		sum += c;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].hash >> shift & (DIGITS - 1)]++] = from[i];
}

/* By name, then the more specific scope first, then by set, then as they were added. */
static int item_compare(const void *x, const void *y, void *ctx)
{
	const struct names_writer *w = ctx;
	const struct item *a = x, *b = y;
	const struct name_entry *ea = entry_of(w, a), *eb = entry_of(w, b);
	int c;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (ea->len != eb->len)
		return ea->len < eb->len ? -1 : 1;
	c = memcmp(wire_of(w, a), wire_of(w, b), ea->len);
	if (c)
		return c;
	if (ea->scope != eb->scope)
		return ea->scope < eb->scope ? -1 : 1;
	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void sort_items(struct names_writer *w)
{
	struct item *from = w->items, *to = mem_new(w->count, sizeof *to), *swap;
	size_t end;

	for (unsigned shift = 64 - 3 * DIGIT_BITS; shift < 64; shift += DIGIT_BITS) {
		radix_pass(from, to, w->count, shift);
		swap = from;
		from = to;
		to = swap;
	}
	free(to);
	w->items = from;
	for (size_t i = 0; i < w->count; i = end) {
		for (end = i + 1; end < w->count
				  && from[end].hash >> (64 - 3 * DIGIT_BITS)
					     == from[i].hash >> (64 - 3 * DIGIT_BITS);
			end++)
			;
		if (end > i + 1)
			qsort_r(from + i, end - i, sizeof *from, item_compare, w);
	}
}

static void collect(struct names_writer *w)
{
	size_t n = 0;

	w->items = mem_new(w->count, sizeof *w->items);
	for (size_t s = 0; s < w->b->set_count; s++) {
		const struct name_table *t = &w->b->sets[s]->names;

		for (size_t i = 0; i < t->count; i++)
			w->items[n++] = (struct item){t->items[i].hash, (uint32_t)i, (uint32_t)s};
	}
}

/* ---- rows ---- */

static bool same_name(const struct names_writer *w, const struct item *a, const struct item *b)
{
	const struct name_entry *ea = entry_of(w, a), *eb = entry_of(w, b);

	return a->hash == b->hash && ea->len == eb->len
	       && memcmp(wire_of(w, a), wire_of(w, b), ea->len) == 0;
}

static unsigned labels_of(const uint8_t *wire)
{
	unsigned n = 0;

	for (; wire[0]; wire += wire[0] + 1)
		n++;
	return n;
}

static void note_depth(struct file_names *f, unsigned labels, unsigned scope)
{
	const uint64_t bit = (uint64_t)1 << labels % 64;

	if (scope & SCOPE_SELF)
		f->self[labels / 64] |= bit;
	if (scope & SCOPE_BELOW)
		f->below[labels / 64] |= bit;
	f->deepest = (uint8_t)MAX(f->deepest, labels);
}

/* One set's entries of one name and scope, items i to before the end that is returned: what is kept of
 * them joins the `n` entries; *ret_n: how many these are then. */
static size_t take_scope(struct names_writer *w, size_t i, size_t end, size_t n, size_t *ret_n)
{
	struct builder_set *s = w->b->sets[w->items[i].set];
	const struct item *first = &w->items[i];
	const unsigned scope = entry_of(w, first)->scope;
	struct kept kept[FORMAT_VALUES_PER_KEY];
	size_t k = 0;

	for (; i < end && w->items[i].set == first->set
		&& entry_of(w, &w->items[i])->scope == scope;
		i++) {
		const struct name_entry *e = entry_of(w, &w->items[i]);

		k = order_keep(kept, k, (struct kept){e->value, e->expires}, s->rule);
	}
	if (n + k > w->entry_cap) {
		w->entry_cap = 2 * (n + k);
		w->entries = mem_resize(w->entries, w->entry_cap * sizeof *w->entries);
	}
	for (size_t j = 0; j < k; j++)
		w->entries[n++] = (struct merge_entry){.value = merge_value(s, kept[j].value),
			.expires = kept[j].expires,
			.set = (uint16_t)first->set,
			.len = names_scope_len(scope)};
	note_depth(&w->file, labels_of(wire_of(w, first)), scope);
	s->entries += k;
	*ret_n = n;
	return i;
}

/* Entries become records: of each name the first item stays. */
static void make_rows(struct names_writer *w)
{
	size_t records = 0, end, n;

	w->numbers = mem_new(w->count, sizeof *w->numbers);
	w->expires = w->file.has_expires ? mem_new(w->count, sizeof *w->expires) : NULL;
	for (size_t i = 0; i < w->count; i = end) {
		for (end = i + 1; end < w->count && same_name(w, &w->items[i], &w->items[end]);)
			end++;
		n = 0;
		w->items[records] = w->items[i];
		for (size_t k = i; k < end;)
			k = take_scope(w, k, end, n, &n);
		w->numbers[records] = rows_put(
			w->rows, w->entries, n, 0, w->expires ? &w->expires[records] : NULL);
		records++;
	}
	w->count = records;
}

/* ---- records ---- */

static void put_record(const struct names_writer *w, size_t i, struct buf *to)
{
	const uint8_t len = (uint8_t)(entry_of(w, &w->items[i])->len - 1);
	char *p = buf_room(to, 1u + 4 + 4 + UINT8_MAX), *start = p;

	if (!p)
		return;
	*p++ = (char)len;
	layout_number(p, w->numbers[i] - w->file.row_base, w->file.row_width);
	p += w->file.row_width;
	if (w->expires) {
		memcpy(p, &w->expires[i], 4);
		p += 4;
	}
	memcpy(p, wire_of(w, &w->items[i]), len);
	to->len += (size_t)(p + len - start);
}

static bool put_heap(struct names_writer *w, struct buf *to, struct err *err)
{
	struct file_names *f = &w->file;
	uint64_t size = 0;
	uint32_t *dir;
	size_t i = 0;

	f->bucket_count = (uint32_t)(w->count / NAMES_PER_BUCKET + 1);
	dir = mem_new((size_t)f->bucket_count + 1, sizeof *dir);
	layout_pad(to);
	f->heap_at = to->len;
	for (size_t b = 0; b < f->bucket_count && size <= UINT32_MAX; b++) {
		dir[b] = (uint32_t)size;
		for (; i < w->count && hash_place(w->items[i].hash, f->bucket_count) == b; i++)
			put_record(w, i, to);
		size = to->len - f->heap_at;
	}
	dir[f->bucket_count] = (uint32_t)size;
	f->heap_size = size;
	f->dir_at = layout_add(to, dir, ((size_t)f->bucket_count + 1) * sizeof *dir);
	free(dir);
	return size <= UINT32_MAX || err_set(err, ERR_LIMIT, "names of more than 4 GiB");
}

static void put_filter(struct names_writer *w, struct buf *to)
{
	struct file_names *f = &w->file;
	uint64_t *filter;

	f->filter_words = (uint32_t)(w->count / NAMES_PER_WORD + 1);
	filter = mem_new(f->filter_words, sizeof *filter);
	for (size_t i = 0; i < w->count; i++)
		filter[hash_place(w->items[i].hash, f->filter_words)] |=
			names_filter_bits(w->items[i].hash);
	f->filter_at = layout_add(to, filter, f->filter_words * sizeof *filter);
	free(filter);
}

static void free_names(struct builder *b)
{
	for (size_t s = 0; s < b->set_count; s++) {
		struct name_table *t = &b->sets[s]->names;

		free(t->heap);
		free(t->items);
		*t = (struct name_table){0};
	}
}

bool names_write(struct builder *b, struct rows_writer *rows, struct buf *to, uint64_t *ret_at,
	struct err *err)
{
	struct names_writer w = {.b = b, .rows = rows};
	uint8_t bits;
	bool ok;

	*ret_at = 0;
	for (size_t s = 0; s < b->set_count; s++) {
		w.count += b->sets[s]->names.count;
		w.file.has_expires |= b->sets[s]->names.expires;
	}
	if (!w.count)
		return true;
	if (w.count >= UINT32_MAX)
		return err_set(err, ERR_LIMIT, "more than 2^32 names in one snapshot");
	collect(&w);
	sort_items(&w);
	rows_begin(rows);
	make_rows(&w);
	w.file.row_base = (uint32_t)rows->base;
	bits = rows_end(rows, rows->base);
	w.file.row_bits = bits;
	w.file.row_width = bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
	ok = put_heap(&w, to, err);
	put_filter(&w, to);
	*ret_at = layout_add(to, &w.file, sizeof w.file);
	free(w.items);
	free(w.numbers);
	free(w.expires);
	free(w.entries);
	free_names(b);
	return ok;
}
